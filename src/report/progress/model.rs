//! What is known of the run at a moment, and what can honestly be said of its rate and its end.

use std::collections::{BTreeMap, VecDeque};

use super::follow::Following;
use crate::{
    catalog::TableName,
    event::{Event, Phase},
    report::{status::lasting, text},
};

/// The window of rates, in milliseconds.
const WINDOW: u64 = 30_000;
/// A rate over less says nothing.
const SHORTEST: u64 = 2_000;
/// Samples are so far apart.
const SAMPLE: u64 = 500;
/// Lines that wait to be shown; a reader that stands still does not fill the memory.
const LINES: usize = 1000;

/// Values at moments of the last half minute.
#[derive(Default)]
pub(super) struct Rate(VecDeque<(u64, u64)>);

impl Rate {
    pub(super) fn sample(&mut self, now: u64, value: u64) {
        if self.0.back().is_some_and(|&(at, _)| now < at + SAMPLE) {
            return;
        }
        self.0.push_back((now, value));
        while self.0.len() > 2 && self.0[1].0 + WINDOW <= now {
            self.0.pop_front();
        }
    }

    /// Units in a second up to now, so that a standstill shows.
    pub(super) fn per_second(&self, now: u64, value: u64) -> Option<f64> {
        let &(at, before) = self.0.front()?;
        let time = now.saturating_sub(at);
        #[expect(clippy::cast_precision_loss, reason = "a rate, shown with three digits")]
        (time >= SHORTEST).then(|| value.saturating_sub(before) as f64 * 1000.0 / time as f64)
    }
}

#[derive(Default)]
struct Copying {
    estimate: u64,
    bytes_estimate: u64,
    done: u64,
    bytes: u64,
    started: Option<u64>,
    finished: bool,
    rate: Rate,
}

impl Copying {
    /// Rows it will have had, as far as anybody knows.
    fn expected(&self) -> u64 {
        if self.finished { self.done } else { self.done.max(self.estimate) }
    }

    /// More rows than the statistics knew of: nobody can say how many are left.
    fn outgrown(&self) -> bool {
        !self.finished && self.done > 0 && self.done >= self.estimate
    }
}

/// A line to be told once.
pub(super) struct Line {
    pub(super) text: String,
    /// Also beside bars, which show the rest by themselves.
    pub(super) beside_bars: bool,
}

/// A table at work.
pub(super) struct Active {
    pub(super) name: String,
    pub(super) done: u64,
    /// `None` when it has outgrown its estimate.
    pub(super) expected: Option<u64>,
    pub(super) rows_per_second: Option<f64>,
    pub(super) seconds_left: Option<u64>,
}

/// One moment.
pub(super) struct Frame {
    pub(super) phase: Option<Phase>,
    pub(super) tables: u64,
    pub(super) tables_finished: u64,
    pub(super) done: u64,
    pub(super) expected: u64,
    pub(super) rows_per_second: Option<f64>,
    pub(super) bytes_per_second: Option<f64>,
    pub(super) seconds_left: Option<u64>,
    pub(super) active: Vec<Active>,
    /// Statements that run now: what for, and since how many seconds.
    pub(super) running: Vec<(String, u64)>,
    pub(super) waits: Vec<String>,
    /// How far the incremental phase is, with and without its position, once it has begun.
    pub(super) follows: Option<(String, String)>,
    pub(super) lines: Vec<Line>,
}

#[derive(Default)]
pub(super) struct Model {
    phase: Option<(Phase, u64)>,
    tables: BTreeMap<TableName, Copying>,
    rows: Rate,
    bytes: Rate,
    statements: u64,
    running: BTreeMap<(String, usize), (String, u64)>,
    waits: BTreeMap<String, String>,
    following: Following,
    lines: Vec<Line>,
}

impl Model {
    fn say(&mut self, beside_bars: bool, text: String) {
        if self.lines.len() < LINES {
            self.lines.push(Line { text: text::harmless(&text), beside_bars });
        }
    }

    fn seconds(now: u64, since: u64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a time, shown to the second")]
        lasting(now.saturating_sub(since) as f64 / 1000.0)
    }

    pub(super) fn take(&mut self, event: &Event, now: u64) {
        match event {
            Event::PhaseStarted { phase } => {
                self.phase = Some((*phase, now));
                self.statements = 0;
                self.say(false, format!("{}: started", phase.name()));
            }
            Event::PhaseFinished { phase } => {
                let time = match self.phase.take() {
                    Some((begun, since)) if begun == *phase => format!(" in {}", Self::seconds(now, since)),
                    _ => String::new(),
                };
                let statements =
                    if self.statements > 0 { format!(", {}", text::plural(self.statements, "statement")) } else { String::new() };
                self.say(true, format!("{}: finished{time}{statements}", phase.name()));
            }
            Event::StatementStarted { action, index, object, .. } => {
                self.running.insert((action.clone(), *index), (format!("{action} {object}"), now));
            }
            Event::StatementFinished { action, index, .. } => {
                self.running.remove(&(action.clone(), *index));
                self.statements += 1;
            }
            Event::StatementFailed { action, index, error } => {
                let what = self.running.remove(&(action.clone(), *index)).map_or_else(|| action.clone(), |(what, _)| what);
                self.say(true, format!("failed: {what}: {error}"));
            }
            Event::TablesPlanned { tables } => {
                for planned in tables {
                    let table = self.tables.entry(planned.table.clone()).or_default();
                    (table.estimate, table.bytes_estimate) = (planned.rows_estimate, planned.bytes_estimate);
                    (table.done, table.bytes, table.finished) = (planned.rows_done, planned.bytes_done, planned.finished);
                }
            }
            Event::TableStarted { table, rows_estimate, bytes_estimate, rows_done, .. } => {
                let copying = self.tables.entry(table.clone()).or_default();
                (copying.estimate, copying.bytes_estimate) = (*rows_estimate, *bytes_estimate);
                (copying.done, copying.finished, copying.started) = (*rows_done, false, Some(now));
                copying.rate = Rate::default();
            }
            Event::ChunkCommitted { table, read, bytes, .. } => {
                let copying = self.tables.entry(table.clone()).or_default();
                copying.done += read;
                copying.bytes += bytes;
            }
            Event::RangeFinished { .. } | Event::Moment { .. } => {}
            Event::TableFinished { table, rows, bytes } => {
                let copying = self.tables.entry(table.clone()).or_default();
                (copying.done, copying.bytes, copying.finished) = (*rows, *bytes, true);
                let time = copying.started.map(|since| format!(" in {}", Self::seconds(now, since))).unwrap_or_default();
                let (rows, bytes) = (text::count(*rows), text::bytes(*bytes));
                self.say(false, format!("full: {table} finished, {rows} rows, {bytes}{time}"));
            }
            Event::Waiting { who, reason } => {
                if self.waits.insert(who.clone(), reason.clone()).is_none() {
                    self.say(false, format!("waits: {who}: {reason}"));
                }
            }
            Event::WaitOver { who } => {
                if self.waits.remove(who).is_some() {
                    self.say(false, format!("goes on: {who}"));
                }
            }
            Event::Note { text } => self.say(true, format!("note: {text}")),
            Event::FollowStarted { .. }
            | Event::BatchCommitted(_)
            | Event::FollowMoved { .. }
            | Event::Lag(_)
            | Event::BinlogKept(_)
            | Event::CaughtUp { .. }
            | Event::ConflictMet { .. }
            | Event::LeftOut { .. }
            | Event::DdlSeen(_)
            | Event::LimitsChanged { .. } => {
                if let Some((beside_bars, line)) = self.following.take(event) {
                    self.say(beside_bars, line);
                }
            }
        }
    }

    /// This moment; takes the lines out.
    pub(super) fn frame(&mut self, now: u64) -> Frame {
        let done = self.tables.values().map(|t| t.done).sum();
        let bytes = self.tables.values().map(|t| t.bytes).sum();
        let at_work = |t: &Copying| t.started.is_some() && !t.finished;
        if self.tables.values().any(at_work) {
            self.rows.sample(now, done);
            self.bytes.sample(now, bytes);
        }
        for table in self.tables.values_mut().filter(|t| at_work(t)) {
            table.rate.sample(now, table.done);
        }
        let expected: u64 = self.tables.values().map(Copying::expected).sum();
        let left = |left: u64, rate: Option<f64>| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an estimate in seconds"
            )]
            rate.filter(|&rate| rate > 0.0).map(|rate| (left as f64 / rate).ceil() as u64)
        };
        let active = self.tables.iter().filter(|(_, t)| at_work(t)).map(|(name, t)| {
            let rate = t.rate.per_second(now, t.done);
            Active {
                name: text::harmless(&name.to_string()),
                done: t.done,
                expected: (!t.outgrown()).then_some(t.estimate),
                rows_per_second: rate,
                seconds_left: if t.outgrown() { None } else { left(t.estimate.saturating_sub(t.done), rate) },
            }
        });
        let active: Vec<Active> = active.collect();
        let copies = matches!(self.phase, Some((Phase::Full, _)));
        let rate = self.rows.per_second(now, done).filter(|_| copies);
        let honest = !self.tables.values().any(Copying::outgrown);
        Frame {
            phase: self.phase.map(|(phase, _)| phase),
            tables: self.tables.len() as u64,
            tables_finished: self.tables.values().filter(|t| t.finished).count() as u64,
            done,
            expected,
            rows_per_second: rate,
            bytes_per_second: self.bytes.per_second(now, bytes).filter(|_| copies),
            seconds_left: if honest { left(expected.saturating_sub(done), rate) } else { None },
            active,
            running: self.running.values().map(|(what, since)| (text::harmless(what), now.saturating_sub(*since) / 1000)).collect(),
            follows: match self.phase {
                Some((Phase::Incremental, _)) => self.following.line(now, false).zip(self.following.line(now, true)),
                _ => None,
            },
            waits: self.waits.iter().map(|(who, reason)| text::harmless(&format!("{who}: {reason}"))).collect(),
            lines: std::mem::take(&mut self.lines),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::event::PlannedTable;

    pub(in crate::report::progress) fn name(table: &str) -> TableName {
        TableName::new("shop", table)
    }

    pub(in crate::report::progress) fn planned(table: &str, rows: u64) -> PlannedTable {
        PlannedTable {
            table: name(table),
            destination: name(table),
            rows_estimate: rows,
            bytes_estimate: rows * 100,
            rows_done: 0,
            bytes_done: 0,
            finished: false,
        }
    }

    pub(in crate::report::progress) fn started(table: &str, rows: u64, rows_done: u64) -> Event {
        Event::TableStarted {
            table: name(table),
            destination: name(table),
            rows_estimate: rows,
            bytes_estimate: rows * 100,
            rows_done,
            ranges: 4,
        }
    }

    pub(in crate::report::progress) fn chunk(table: &str, rows: u64) -> Event {
        Event::ChunkCommitted {
            table: name(table),
            range: 0,
            chunk: 0,
            read: rows,
            written: rows,
            found: rows,
            bytes: rows * 100,
            milliseconds: 5,
        }
    }

    /// A thousand rows of orders each second, from the given second to the other.
    fn copy(model: &mut Model, from: u64, to: u64) {
        for second in from..to {
            model.frame(second * 1000);
            model.take(&chunk("orders", 1000), second * 1000 + 1);
        }
    }

    fn begun() -> Model {
        let mut model = Model::default();
        model.take(&Event::PhaseStarted { phase: Phase::Full }, 0);
        model.take(&Event::TablesPlanned { tables: vec![planned("orders", 100_000), planned("users", 20_000)] }, 0);
        model.take(&started("orders", 100_000, 0), 0);
        model
    }

    #[test]
    fn rate_and_time_left_are_of_the_last_half_minute() {
        let mut model = begun();
        assert_eq!(model.frame(1000).seconds_left, None, "too early to tell");
        copy(&mut model, 1, 20);
        let frame = model.frame(20_000);
        assert_eq!((frame.done, frame.expected), (19_000, 120_000));
        assert_eq!(frame.rows_per_second.map(f64::round), Some(1000.0));
        assert_eq!((frame.seconds_left, frame.active[0].seconds_left), (Some(101), Some(81)));
        // A standstill: the rate falls, and the time left grows, until nobody can tell.
        for second in 20..40 {
            model.frame(second * 1000);
        }
        let frame = model.frame(40_000);
        assert!(frame.rows_per_second.unwrap() < 400.0 && frame.seconds_left.unwrap() > 250);
        for second in 40..60 {
            model.frame(second * 1000);
        }
        assert_eq!(model.frame(60_000).seconds_left, None);
    }

    #[test]
    fn a_table_that_outgrows_its_estimate_has_no_end_in_sight() {
        let mut model = begun();
        copy(&mut model, 1, 10);
        model.take(&chunk("orders", 200_000), 10_000);
        let frame = model.frame(10_001);
        assert_eq!((frame.active[0].expected, frame.active[0].seconds_left, frame.seconds_left), (None, None, None));
        model.take(&Event::TableFinished { table: name("orders"), rows: 209_000, bytes: 1 }, 11_000);
        let frame = model.frame(11_001);
        assert_eq!((frame.done, frame.expected, frame.tables_finished), (209_000, 229_000, 1));
        assert!(frame.seconds_left.is_some() && frame.active.is_empty());
    }

    #[test]
    fn rows_of_earlier_runs_count_as_done_and_not_as_speed() {
        let mut model = Model::default();
        model.take(&Event::PhaseStarted { phase: Phase::Full }, 0);
        let done = PlannedTable { rows_done: 21_000, bytes_done: 1, finished: true, ..planned("users", 20_000) };
        model.take(&Event::TablesPlanned { tables: vec![planned("orders", 100_000), done] }, 0);
        model.take(&started("orders", 100_000, 50_000), 0);
        copy(&mut model, 0, 10);
        let frame = model.frame(10_000);
        assert_eq!((frame.done, frame.expected, frame.tables_finished), (81_000, 121_000, 1));
        assert_eq!(frame.rows_per_second.map(f64::round), Some(1000.0));
    }

    #[test]
    fn lines_do_not_pile_up() {
        let mut model = Model::default();
        for number in 0..5000 {
            model.take(&Event::Note { text: format!("{number}\u{1b}[2J") }, 0);
        }
        let lines = model.frame(0).lines;
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0].text, "note: 0\\u{1b}[2J");
        assert!(model.frame(1).lines.is_empty());
    }
}
