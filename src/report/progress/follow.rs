//! What is known of the incremental phase at a moment.

use super::model::Rate;
use crate::{
    binlog::Position,
    event::{BatchCommitted, DdlOutcome, DdlSeen, Event, Lag},
    report::{status::behind, text},
};

/// The incremental phase as its events tell it.
#[derive(Default)]
pub(super) struct Following {
    position: Option<Position>,
    transactions: u64,
    rows: u64,
    transaction_rate: Rate,
    row_rate: Rate,
    lag: Option<Lag>,
    conflicts: u64,
    left_out: u64,
    failed: u64,
    skipped: u64,
    /// Those that the run began with are nobody's news.
    limits_known: bool,
}

impl Following {
    /// Takes an event of the phase; a line when it should be told at once, and whether also beside bars.
    pub(super) fn take(&mut self, event: &Event) -> Option<(bool, String)> {
        match event {
            Event::FollowStarted { from, until, lanes } => {
                self.position = Some(from.clone());
                let lanes = text::plural(u64::from(*lanes), "lane");
                Some((false, format!("incremental: from {from}, until {until}, {lanes}")))
            }
            Event::BatchCommitted(batch) => {
                let BatchCommitted { position, transactions, row_events, .. } = batch.as_ref();
                self.position = Some(position.clone());
                self.transactions += transactions;
                self.rows += row_events;
                None
            }
            Event::FollowMoved { position } => {
                self.position = Some(position.clone());
                None
            }
            Event::Lag(lag) => {
                self.lag = Some(lag.as_ref().clone());
                self.position = Some(lag.applied.clone());
                None
            }
            Event::CaughtUp { position } => {
                self.position = Some(position.clone());
                Some((false, format!("incremental: caught up at {position}")))
            }
            Event::ConflictMet { table, kind, key, rows } => {
                self.conflicts += rows;
                let rows = text::plural(*rows, "row");
                Some((true, format!("conflict: {table}: {rows}, {kind} by key ({})", key.join(", "))))
            }
            // As many as the source writes; status counts them.
            Event::LeftOut { rows, .. } => {
                self.left_out += rows;
                None
            }
            Event::DdlSeen(ddl) => self.ddl(ddl),
            Event::LimitsChanged { limits } => {
                if !std::mem::replace(&mut self.limits_known, true) {
                    return None;
                }
                let limits: Vec<String> = limits.iter().map(|(name, value)| format!("{name}={value}")).collect();
                Some((true, format!("limits: {}", limits.join(", "))))
            }
            _ => None,
        }
    }

    fn ddl(&mut self, ddl: &DdlSeen) -> Option<(bool, String)> {
        let what = ddl.object.as_ref().map_or_else(|| ddl.class.clone(), |object| format!("{} {object}", ddl.class));
        match &ddl.outcome {
            DdlOutcome::Carried { .. } => Some((false, format!("carried: {what}"))),
            // They are many where a server has many databases; status counts them.
            DdlOutcome::Skipped { .. } => {
                self.skipped += 1;
                None
            }
            DdlOutcome::Failed { error } => {
                self.failed += 1;
                Some((true, format!("failed: {what} at {}: {error}", ddl.place)))
            }
        }
    }

    /// This moment in one line; `None` before the phase has begun. `short` leaves the position out.
    pub(super) fn line(&mut self, now: u64, short: bool) -> Option<String> {
        let position = self.position.as_ref()?;
        self.row_rate.sample(now, self.rows);
        self.transaction_rate.sample(now, self.transactions);
        let mut parts = Vec::new();
        if !short {
            parts.push(position.place.to_string());
        }
        if let Some(lag) = &self.lag {
            parts.push(behind(lag.micros, lag.idle));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are positive and shown with three digits")]
        let rate = |rate: Option<f64>, what: &str| rate.map(|rate| format!("{} {what}/s", text::count(rate as u64)));
        parts.extend(rate(self.row_rate.per_second(now, self.rows), "rows"));
        parts.extend(rate(self.transaction_rate.per_second(now, self.transactions), "transactions"));
        parts.push(format!("{} rows in all", text::count(self.rows)));
        if self.conflicts > 0 {
            parts.push(text::plural(self.conflicts, "conflict"));
        }
        if self.left_out > 0 && !short {
            parts.push(format!("{} left out", text::plural(self.left_out, "row")));
        }
        if self.failed > 0 {
            parts.push(format!("{} failed", text::plural(self.failed, "statement")));
        }
        if self.skipped > 0 && !short {
            parts.push(format!("{} skipped", text::plural(self.skipped, "statement")));
        }
        Some(parts.join(", "))
    }
}
