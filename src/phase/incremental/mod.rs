//! The incremental phase: follows the binlog and carries every committed change to the destination, exactly once.
//!
//! ```text
//!   source --stream--> reader --rows of followed tables--> queue --> scheduler --batches--> lanes --commit in order--> destination
//!                        ^                                              |
//!                        +---------- definitions after a statement -----+
//! ```
//!
//! The hard idea: nothing here remembers what has been done. A lane commits rows and position as one; after any failure the destination
//! is asked how far it is, and reading begins again there.

mod annotate;
mod cascades;
mod claims;
pub mod ddl;
mod error;
mod fold;
mod followed;
mod hash;
pub mod heartbeat;
pub mod history;
pub mod hold;
mod judge;
mod lanes;
pub mod names;
mod queue;
mod reader;
mod scheduler;
#[cfg(test)]
mod testing;
mod unit;
mod until;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

pub use error::FollowError;
pub use hold::Hold;
pub use until::{Goal, Until};

use self::{
    ddl::Statements,
    heartbeat::SourceClock,
    history::History,
    lanes::Lanes,
    names::Names,
    queue::Queue,
    reader::{Items, Reader, Reading},
    scheduler::Scheduler,
    unit::Unit,
};
use super::throttle::Limits;
use crate::{
    binlog::{BinlogError, Item, Position, Stream, StreamSettings},
    catalog::TableName,
    connect::{BinlogTiming, Login, Patience, RetryWindows},
    destination::{
        Destination,
        change::{Following, OnConflict},
    },
    event::{Event, Observer, Phase, StopToken},
};

/// How the phase came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowOutcome {
    /// The point of `--until` is reached, and all before it committed.
    Reached,
    /// Somebody asked to stop; all that was committed stays.
    Stopped,
}

/// What the phase is given.
pub struct FollowSettings<'a> {
    /// The source.
    pub source: &'a Login,
    /// The destination, whose task has been taken over and knows from where to follow.
    pub destination: &'a dyn Destination,
    /// The task's name.
    pub task: &'a str,
    /// What is selected, and its names at the destination.
    pub names: Arc<dyn Names>,
    /// Exact positions of tables that were copied under one snapshot: their changes before it are in the copy.
    pub starts: BTreeMap<TableName, Position>,
    /// What is done about rows that are not as they must be.
    pub conflict: OnConflict,
    /// Writing sessions, 1 or more.
    pub lanes: usize,
    /// Rate limits.
    pub limits: &'a Limits,
    /// How long to try again.
    pub retry: RetryWindows,
    /// Asks to stop.
    pub stop: &'a StopToken,
    /// Listens.
    pub observer: &'a dyn Observer,
    /// Where to end.
    pub goal: &'a Goal,
    /// Where to stand still for a moment.
    pub hold: &'a Hold,
    /// The source's clock, for the lag.
    pub clock: SourceClock,
    /// Where held transactions go that are too large for memory.
    pub spill: PathBuf,
    /// Rows of a batch, where a test wants few.
    pub batch_rows: Option<u64>,
    /// Bytes in memory after which a transaction is written in windows, where a test wants few.
    pub window: Option<usize>,
}

/// Bytes of changes on their way from the reader to the scheduler.
const QUEUE: usize = 16 << 20;

/// Bytes in memory after which a transaction is written in windows.
const WINDOW: usize = 8 << 20;

/// Bytes in memory of a transaction that is held back (XA, savepoints); what is more goes to disk.
const SPILL: usize = 8 << 20;

/// Follows the binlog until the goal is reached or somebody asks to stop.
///
/// # Errors
/// The first failure that trying again did not mend. What was committed stays, and nothing else.
pub fn run(settings: &FollowSettings<'_>, statements: &mut dyn Statements) -> Result<FollowOutcome, FollowError> {
    settings.observer.observe(&Event::PhaseStarted { phase: Phase::Incremental });
    let mut patience = Patience::new(settings.retry, "incremental".to_owned(), settings.observer, vec![settings.stop]);
    loop {
        let error = match attempt(settings, statements, &mut patience) {
            Ok(outcome) => {
                patience.succeeded();
                if outcome == FollowOutcome::Reached {
                    settings.observer.observe(&Event::PhaseFinished { phase: Phase::Incremental });
                }
                return Ok(outcome);
            }
            Err(error) => error,
        };
        if settings.stop.is_stopped() {
            return Ok(FollowOutcome::Stopped);
        }
        let waited = match (error.is_connection(), error.is_transient()) {
            (true, _) => patience.connection_failed(&error),
            (_, true) => patience.statement_failed(&error),
            _ => return Err(annotate::with_statement(error, settings.source)),
        };
        match waited {
            Ok(true) => {}
            Ok(false) => return Ok(FollowOutcome::Stopped),
            Err(window) => return Err(FollowError::GaveUp { window, last: Box::new(error) }),
        }
    }
}

/// Follows from where the destination is until something ends it.
fn attempt(
    settings: &FollowSettings<'_>,
    statements: &mut dyn Statements,
    patience: &mut Patience<'_>,
) -> Result<FollowOutcome, FollowError> {
    let began = settings.destination.applied()?.ok_or(FollowError::NoPosition)?;
    // The destination's word here too: it may have noted a statement as done, and the answer was lost on its way.
    let history = &mut statements.load()?;
    let lanes = settings.lanes.max(1);
    settings.observer.observe(&Event::FollowStarted {
        from: began.position.clone(),
        until: settings.goal.now().to_string(),
        lanes: u32::try_from(lanes).unwrap_or(u32::MAX),
    });
    let queue = Arc::new(Queue::new(settings.window.map_or(QUEUE, |bytes| bytes.saturating_mul(2))));
    read(settings, &began, Arc::new(history.clone()), &queue)?;
    let lanes = Lanes::new(lanes, &queue, settings.observer);
    std::thread::scope(|scope| {
        for _ in 0..settings.lanes.max(1) {
            scope.spawn(|| match settings.destination.lane() {
                Ok(lane) => lanes.run(lane),
                Err(error) => lanes.fail(error.into()),
            });
        }
        let outcome = Scheduler::new(settings, &queue, &lanes, statements, history, patience, began).run();
        // Whoever is in the middle of a batch ends it, or rolls back when it cannot.
        lanes.close();
        queue.close();
        // However short it was: what failed after a success is a failure of its own.
        if lanes.committed() > 0 {
            patience.succeeded();
        }
        outcome
    })
}

/// Starts the reader. It is not waited for when the attempt ends: it hears of it with the next item, a heartbeat at the latest.
fn read(settings: &FollowSettings<'_>, began: &Following, history: Arc<History>, queue: &Arc<Queue>) -> Result<(), FollowError> {
    let reading = Reading {
        task: settings.task.to_owned(),
        names: Arc::clone(&settings.names),
        starts: Arc::new(settings.starts.clone()),
        window: settings.window.unwrap_or(WINDOW),
    };
    let reader = Reader::new(reading, Arc::clone(queue), history, began.position.clone());
    let (login, task, names) = (settings.source.clone(), settings.task.to_owned(), Arc::clone(&settings.names));
    let (position, read_from) = (began.position.clone(), began.read_from.clone());
    let (spill_folder, failed) = (settings.spill.clone(), Arc::clone(queue));
    let work = move || {
        let stream = Stream::open(StreamSettings {
            login: &login,
            task: &task,
            start: read_from.clone().unwrap_or_else(|| position.clone()),
            applied: read_from.map(|_| position),
            wants: Box::new(move |database, table| {
                let name = TableName::new(database, table);
                name == heartbeat::name() || names.table(&name).is_some()
            }),
            spill_folder,
            spill_after: SPILL,
            timing: BinlogTiming::default(),
        });
        match stream {
            Ok(mut stream) => reader.run(&mut stream),
            Err(error) => {
                failed.put(Unit::Failed(error.into()));
            }
        }
    };
    std::thread::Builder::new().name("binlog".to_owned()).spawn(work).map(drop).map_err(FollowError::Thread)
}

impl Items for Stream {
    fn next(&mut self) -> Result<Item, BinlogError> {
        self.next_item()
    }

    fn read_from(&self) -> Option<Position> {
        Self::read_from(self)
    }
}
