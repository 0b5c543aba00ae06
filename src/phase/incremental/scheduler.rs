//! The scheduler: joins whole transactions into batches, hands them to lanes in order, stops at statements, and knows when the point is
//! reached where following ends.
//!
//! A batch goes as soon as nothing more is waiting to be read and a lane is free, so a single transaction on a quiet source is not held
//! up; it grows only while all lanes are busy or more is there already.

mod alone;
mod goal;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use self::alone::Large;
use super::{
    FollowError, FollowOutcome, FollowSettings, Until, cascades,
    claims::{Claims, Part},
    ddl::{Carried, DdlError, Judgement, Occurrence, Statements},
    error::Stretch,
    fold::{Folded, Folder},
    history::History,
    judge::{Judge, JudgeError},
    lanes::{End, Job, Lanes, Piece, Work},
    queue::Queue,
    unit::{Rows, Said, Transaction, Unit},
};
use crate::{
    binlog::Position,
    connect::{Patience, Session},
    destination::{
        DestinationError,
        cascade::Cascades,
        change::{Applied, Certainty, Conflict, Following},
    },
    event::{Event, Lag},
    phase::throttle::Pace,
};

/// Row changes that a batch has at most.
const BATCH_ROWS: u64 = 4096;

/// Bytes in memory that a batch has at most.
const BATCH_BYTES: usize = 8 << 20;

/// A position with nothing to write is committed so often.
const MOVED: Duration = Duration::from_secs(1);

/// Pause between two looks at whether verify lets go.
const STILL: Duration = Duration::from_millis(5);

/// Lag is told so often.
const LAG: Duration = Duration::from_secs(1);

/// A heartbeat row no older than this many microseconds says that reading is up to date.
const FRESH: u64 = 3_000_000;

/// Longest wait without looking at the stop and the goal.
const TICK: Duration = Duration::from_millis(100);

/// A look at the source's position counts as the present for so long.
const PRESENT: Duration = Duration::from_secs(5);

/// What a batch is made of until it is handed to a lane.
struct Open {
    folder: Folder,
    /// Changes of filtered tables, to be judged when the batch goes, all of a table at once.
    unjudged: Vec<Rows>,
    /// How many they are.
    unjudged_rows: u64,
    transactions: u64,
    bytes: usize,
    micros: u64,
    heartbeat: Option<u64>,
}

impl Open {
    fn new(certainty: Certainty) -> Self {
        Self {
            folder: Folder::new(certainty),
            unjudged: Vec::new(),
            unjudged_rows: 0,
            transactions: 0,
            bytes: 0,
            micros: 0,
            heartbeat: None,
        }
    }

    /// Row changes taken in.
    fn rows(&self) -> u64 {
        self.folder.rows + self.unjudged_rows
    }

    fn take(&mut self, rows: Rows) -> Result<(), DestinationError> {
        if rows.table.copy.filter.is_none() {
            return self.folder.take(&rows.table, rows.changes);
        }
        self.unjudged_rows += rows.changes.len() as u64;
        match self.unjudged.iter_mut().find(|known| Arc::ptr_eq(&known.table, &rows.table)) {
            Some(known) => known.changes.extend(rows.changes),
            None => self.unjudged.push(rows),
        }
        Ok(())
    }
}

/// When the run is to end, and what is known of it.
struct Target {
    until: Until,
    /// For [`Until::CaughtUp`]: the source's position, when it was asked, and how long the one before took to be reached.
    asked: Option<(Position, Instant, Duration)>,
    session: Option<Session>,
    looked: Instant,
    /// Since when the source seems to lack what was read from it.
    ahead: Option<Instant>,
}

/// One attempt's scheduler.
pub(super) struct Scheduler<'a, 'p> {
    settings: &'a FollowSettings<'a>,
    queue: &'a Queue,
    lanes: &'a Lanes<'a>,
    statements: &'a mut dyn Statements,
    history: &'a mut History,
    patience: &'a mut Patience<'p>,
    pace: Pace,
    judge: Judge<'a>,
    /// Foreign keys that act without a trace in the binlog.
    cascades: Arc<Cascades>,
    claims: Claims,
    /// Everything before it is committed or on its way.
    position: Position,
    read_from: Option<Position>,
    /// What the destination had when the attempt began.
    began: Following,
    open: Option<Open>,
    large: Option<Large>,
    number: u64,
    /// The position has moved and is in no batch yet.
    moved: bool,
    /// The next transaction goes at once: a statement of it has run.
    at_once: bool,
    repeatable: bool,
    target: Target,
    last_commit: Instant,
    last_lag: Instant,
    newest_micros: u64,
    quiet: bool,
    /// When the last change of a followed table came.
    last_change: Instant,
    caught_up: bool,
    answered: bool,
    /// Where it stands still for verify: what was asked for.
    held: Option<Option<Position>>,
    /// A transaction that is not to be written before that is over.
    kept: Option<Unit>,
}

impl<'a, 'p> Scheduler<'a, 'p> {
    pub(super) fn new(
        settings: &'a FollowSettings<'a>,
        queue: &'a Queue,
        lanes: &'a Lanes<'a>,
        statements: &'a mut dyn Statements,
        history: &'a mut History,
        patience: &'a mut Patience<'p>,
        began: Following,
    ) -> Self {
        let now = Instant::now();
        let repeatable = before(&began.position, began.copy_end.as_ref());
        let cascades = cascades::of(history, settings.names.as_ref(), &settings.starts);
        Self {
            settings,
            queue,
            lanes,
            statements,
            history,
            patience,
            pace: Pace::incremental(settings.limits),
            judge: Judge::new(settings.source),
            cascades,
            claims: Claims::default(),
            position: began.position.clone(),
            read_from: began.read_from.clone(),
            newest_micros: began.source_micros,
            began,
            open: None,
            large: None,
            number: 0,
            moved: false,
            at_once: false,
            repeatable,
            target: Target { until: settings.goal.now(), asked: None, session: None, looked: now, ahead: None },
            last_commit: now,
            last_lag: now,
            quiet: false,
            last_change: now,
            caught_up: false,
            answered: false,
            held: None,
            kept: None,
        }
    }

    fn certainty(&self) -> Certainty {
        let policy = self.settings.conflict;
        if self.repeatable { Certainty::Repeatable(policy) } else { Certainty::Strict(policy) }
    }

    /// Works until the point is reached, somebody asks to stop, or something fails. What lanes have at hand is then still theirs.
    pub(super) fn run(&mut self) -> Result<FollowOutcome, FollowError> {
        if self.is_reached()? {
            return self.end();
        }
        loop {
            if self.settings.stop.is_stopped() {
                self.large = None;
                return Ok(FollowOutcome::Stopped);
            }
            self.look()?;
            if self.stands_still()? {
                self.settings.stop.wait(STILL);
                continue;
            }
            if self.is_full() {
                self.submit(false)?;
                continue;
            }
            if let Some(unit) = self.kept.take().or_else(|| self.queue.take(TICK)) {
                if !self.answered {
                    self.answered = true;
                    self.patience.answered();
                }
                if self.take(unit)? {
                    return self.end();
                }
            }
            if self.queue.is_empty() && self.worth_a_commit() && self.lanes.is_free() {
                self.submit(false)?;
            }
        }
    }

    /// The point is reached: all that was taken is committed.
    fn end(&mut self) -> Result<FollowOutcome, FollowError> {
        if self.open.is_some() || self.moved {
            self.submit(true)?;
        }
        self.drain()?;
        Ok(FollowOutcome::Reached)
    }

    fn drain(&mut self) -> Result<(), FollowError> {
        if self.lanes.drain() { Ok(()) } else { Err(self.failure()) }
    }

    fn failure(&self) -> FollowError {
        self.lanes.failure().unwrap_or(FollowError::NoPosition)
    }

    /// What has to be looked at now and then: failed lanes, progress, the goal, the lag.
    fn look(&mut self) -> Result<(), FollowError> {
        if self.lanes.has_failed() {
            return Err(self.failure());
        }
        let now = Instant::now();
        if now.duration_since(self.last_lag) < LAG {
            return Ok(());
        }
        self.last_lag = now;
        if self.lanes.committed() > 0 {
            self.patience.succeeded();
        }
        let reached = self.lanes.reached();
        let heartbeat = reached.as_ref().and_then(|r| r.heartbeat);
        let newest = heartbeat.max(reached.as_ref().map(|r| r.source_micros)).unwrap_or(self.began.source_micros);
        let idle = self.is_idle();
        if idle && !std::mem::replace(&mut self.caught_up, true) {
            self.settings.observer.observe(&Event::CaughtUp { position: self.position.clone() });
        }
        self.settings.observer.observe(&Event::Lag(Box::new(Lag {
            applied: reached.map_or_else(|| self.began.position.clone(), |r| r.position),
            read: self.position.clone(),
            micros: self.settings.clock.now().filter(|_| newest > 0).map(|now| now.saturating_sub(newest)),
            idle,
            by_heartbeat: heartbeat.is_some(),
            lanes_busy: self.lanes.busy(),
            backlog_bytes: (self.queue.bytes() + self.open.as_ref().map_or(0, |open| open.bytes)) as u64,
        })));
        Ok(())
    }

    /// Nothing is left to read or to write. Where the heartbeat row is written, the source is never silent: then its row has come through
    /// just now and nothing else has for a while.
    fn is_idle(&self) -> bool {
        if !self.queue.is_empty() || self.large.is_some() {
            return false;
        }
        let silent = self.quiet && self.open.is_none() && self.lanes.busy() == 0;
        let beat = self.lanes.reached().and_then(|reached| reached.heartbeat);
        let fresh = beat.zip(self.settings.clock.now()).is_some_and(|(beat, now)| now.saturating_sub(beat) < FRESH);
        silent || (fresh && self.last_change.elapsed() >= LAG && self.open.as_ref().is_none_or(|open| open.rows() == 0))
    }

    fn is_full(&self) -> bool {
        let rows = self.settings.batch_rows.unwrap_or(BATCH_ROWS);
        self.open.as_ref().is_some_and(|open| open.rows() >= rows || open.bytes >= BATCH_BYTES)
    }

    /// There is something to commit, or it is time to note how far reading has come.
    fn worth_a_commit(&self) -> bool {
        let rows = self.open.as_ref().is_some_and(|open| open.rows() > 0 || open.heartbeat.is_some());
        rows || (self.open.is_some() || self.moved) && self.last_commit.elapsed() >= MOVED
    }

    /// Deals with a unit. `true` when the point is reached.
    fn take(&mut self, unit: Unit) -> Result<bool, FollowError> {
        self.quiet = matches!(unit, Unit::Idle);
        match unit {
            Unit::Idle => {
                if self.is_idle() && !std::mem::replace(&mut self.caught_up, true) {
                    self.settings.observer.observe(&Event::CaughtUp { position: self.position.clone() });
                }
                return self.is_reached();
            }
            Unit::Failed(error) => {
                // What came before it stands.
                if self.open.is_some() {
                    self.submit(true)?;
                }
                self.large = None;
                self.drain()?;
                return Err(error);
            }
            Unit::Moved(position, read_from) => {
                self.pass(position, read_from)?;
                return self.is_reached_cheaply();
            }
            Unit::Statement(said) => self.statement(*said)?,
            Unit::Window(window) => {
                if self.large.is_none() && self.is_beyond(&window.begin) {
                    return Ok(true);
                }
                self.window(window)?;
            }
            Unit::RolledBack => {
                if let Some(large) = self.large.take() {
                    self.piece(&large, Piece::RollBack)?;
                    self.drain()?;
                }
            }
            Unit::Transaction(transaction) => {
                // The heartbeat row's own transactions hold nothing for the destination.
                if transaction.count > 0 || self.large.is_some() {
                    self.caught_up = false;
                    self.last_change = Instant::now();
                }
                if self.large.is_none() && self.is_beyond(&transaction.begin) {
                    return Ok(true);
                }
                if self.large.is_none() && self.is_behind_the_hold(&transaction) {
                    self.kept = Some(Unit::Transaction(transaction));
                    return Ok(false);
                }
                self.transaction(transaction)?;
                return self.is_reached_cheaply();
            }
        }
        Ok(false)
    }

    /// The position goes on; from the end of the copy on, changes are written strictly.
    fn pass(&mut self, position: Position, read_from: Option<Position>) -> Result<(), FollowError> {
        (self.position, self.read_from, self.moved) = (position, read_from, true);
        if self.repeatable && !before(&self.position, self.began.copy_end.as_ref()) {
            if self.open.is_some() {
                self.submit(true)?;
            }
            self.repeatable = false;
            self.settings.observer.observe(&Event::Moment { name: "copy-end-passed" });
        }
        Ok(())
    }

    fn transaction(&mut self, transaction: Transaction) -> Result<(), FollowError> {
        let Transaction { begin, rows, count, bytes, after, read_from, heartbeat, left_out } = transaction;
        let micros = begin.micros;
        self.newest_micros = micros;
        // What foreign keys did has its place among the changes: such a transaction is written alone, in its order, as a large one is.
        if self.large.is_none() && rows.iter().any(|rows| self.has_keys(rows) && rows.changes.iter().any(|c| self.acts(rows, c))) {
            self.large = Some(self.begin_large()?);
        }
        if let Some(mut large) = self.large.take() {
            self.fold_piece(&mut large, rows, count, bytes)?;
            Conflict::merge(&mut large.conflicts, &left_out);
            (self.position, self.read_from) = (after.clone(), read_from.clone());
            let end = End {
                applied: Applied {
                    position: after.clone(),
                    read_from: read_from.clone(),
                    source_micros: micros,
                    transactions: 1,
                    row_events: large.row_events,
                },
                conflicts: std::mem::take(&mut large.conflicts),
                bytes: large.bytes as u64,
                heartbeat,
            };
            self.piece(&large, Piece::End(Box::new(end)))?;
            self.last_commit = Instant::now();
            // Alone on both sides.
            self.drain()?;
            self.pass(after, read_from)?;
            self.moved = false;
            return Ok(());
        }
        let certainty = self.certainty();
        let open = self.open.get_or_insert_with(|| Open::new(certainty));
        for rows in rows.into_iter().filter(|rows| !rows.in_copy) {
            open.take(rows).map_err(|error| FollowError::writing(error, Stretch::UpTo(after.clone())))?;
        }
        open.folder.note(&left_out);
        open.transactions += 1;
        open.bytes += bytes;
        open.micros = micros;
        open.heartbeat = open.heartbeat.max(heartbeat);
        let held_back = count > 0 && !self.pace.is_free();
        if held_back {
            self.pace.pay(count, bytes as u64, &[self.settings.stop]);
        }
        self.pass(after, read_from)?;
        // A limit makes batches fill slowly: what has passed it goes, or nothing would be seen of a small one for minutes.
        let late = held_back && self.last_commit.elapsed() >= MOVED;
        if (std::mem::take(&mut self.at_once) || late) && self.open.is_some() {
            self.submit(true)?;
        }
        Ok(())
    }

    /// Hands the open batch to a lane, waiting for a free one; gives up when a stop is asked for, unless it must go.
    fn submit(&mut self, must: bool) -> Result<(), FollowError> {
        while !self.lanes.is_free() {
            self.look()?;
            if !must && self.settings.stop.is_stopped() {
                return Ok(());
            }
            self.queue.wait_for_poke(TICK);
        }
        let certainty = self.certainty();
        let open = self.open.take().unwrap_or_else(|| Open { micros: self.newest_micros, ..Open::new(certainty) });
        let row_events = open.rows();
        let Open { mut folder, unjudged, transactions, bytes, micros, heartbeat, .. } = open;
        for rows in unjudged {
            self.fold_judged(&mut folder, rows, Stretch::UpTo)?;
        }
        let certainty = folder.certainty();
        let mut folded = folder.finish();
        let conflicts = std::mem::take(&mut folded.conflicts);
        self.number += 1;
        let parts = self.parts(folded);
        self.moved = false;
        self.last_commit = Instant::now();
        self.lanes.submit(Work::Batch(Box::new(Job {
            number: self.number,
            parts,
            certainty,
            end: End {
                applied: Applied {
                    position: self.position.clone(),
                    read_from: self.read_from.clone(),
                    source_micros: micros,
                    transactions,
                    row_events,
                },
                conflicts,
                bytes: bytes as u64,
                heartbeat,
            },
        })));
        Ok(())
    }

    fn parts(&mut self, folded: Folded) -> Vec<Part> {
        if folded.batch.is_empty() {
            return Vec::new();
        }
        if self.settings.lanes < 2 {
            return vec![Part { after: 0, batch: folded.batch }];
        }
        self.claims.divide(self.number, self.lanes.committed(), folded)
    }

    /// Takes changes of a table in, of a filtered one those that are carried.
    fn fold_judged(
        &mut self,
        folder: &mut Folder,
        Rows { table, changes, .. }: Rows,
        stretch: fn(Position) -> Stretch,
    ) -> Result<(), FollowError> {
        let kept = self.judge.keep(&table, changes).map_err(|error| match error {
            JudgeError::Source(error) if error.is_connection() || error.is_transient() => FollowError::Source(error),
            other => FollowError::Rows {
                place: format!("before {}", self.position),
                table: Box::new(table.copy.source.name.clone()),
                what: other.to_string(),
                statement: None,
                span: None,
            },
        })?;
        folder.take(&table, kept).map_err(|error| FollowError::writing(error, stretch(self.position.clone())))
    }

    /// A statement: everything before it is committed first, if it is one that is carried.
    fn statement(&mut self, said: Said) -> Result<(), FollowError> {
        self.caught_up = false;
        let Said { begin, statement, part, after_rows } = said;
        let at = Occurrence { statement: &statement, begin: &begin, part, during_copy: self.repeatable };
        let judgement = match self.statements.judge(at, self.history) {
            Ok(judgement) => judgement,
            Err(error) => {
                // What came before it stands.
                if self.open.is_some() {
                    self.submit(true)?;
                }
                self.drain()?;
                return Err(error.into());
            }
        };
        match judgement {
            Judgement::Pass => {}
            Judgement::Record => {
                self.carry(at)?;
            }
            Judgement::Barrier => {
                if after_rows {
                    return Err(FollowError::Ddl(DdlError::Stop {
                        code: "ddl-after-rows",
                        statement: "a statement that changes definitions".to_owned(),
                        place: statement.place.to_string(),
                        reason: "it stands in one transaction with row changes before it".to_owned(),
                        hint: "such a transaction cannot be carried as a whole".to_owned(),
                    }));
                }
                if self.open.is_some() {
                    self.submit(true)?;
                }
                self.drain()?;
                self.carry(at)?;
                self.at_once = true;
            }
        }
        if !matches!(judgement, Judgement::Pass) {
            self.cascades = cascades::of(self.history, self.settings.names.as_ref(), &self.settings.starts);
        }
        self.queue.go_on(Arc::new(self.history.clone()));
        Ok(())
    }

    fn carry(&mut self, at: Occurrence<'_>) -> Result<Carried, FollowError> {
        let mut changed = Vec::new();
        let carried = self.statements.carry(at, self.history, &mut changed)?;
        tracing::debug!(?changed, ?carried, "statement carried");
        Ok(carried)
    }
}

/// The end of the copy is not passed yet.
fn before(position: &Position, copy_end: Option<&Position>) -> bool {
    copy_end.is_some_and(|end| position.covers(end) != Some(true))
}
