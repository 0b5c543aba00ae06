//! The full copy: every selected row from the source to the destination, in ranges of a key, several at once, each range resumable.
//!
//! Nothing here decides what has been copied. A worker asks the destination how far a range is, reads on from there, and lets the
//! destination commit rows and progress as one; after any error it asks again. So it does not matter what is killed, or when.

mod read;
mod schedule;
mod split;
mod throttle;
mod work;

use std::sync::Mutex;

pub use read::selected;
pub use split::wanted_ranges;
pub use throttle::Throttle;

use self::{schedule::Schedule, work::Worker};
use crate::{
    catalog::TableName,
    connect::{ConnectError, Login, Purpose, RetryWindows, Session},
    destination::{CopyTable, Destination, DestinationError, TaskProgress},
    event::{Event, Observer, Phase, StopToken},
};

/// Why the full copy ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum FullError {
    /// The source or the connection to it failed.
    #[error("full copy: source: {0}")]
    Source(#[from] ConnectError),
    /// The destination or the connection to it failed.
    #[error("full copy: destination: {0}")]
    Destination(#[from] DestinationError),
    /// A value that the destination cannot hold as it is.
    #[error("full copy: {table}, after {after} rows of the range: {what}")]
    Value {
        /// Source table.
        table: TableName,
        /// Rows of the range before it.
        after: u64,
        /// Column and reason, without the value.
        what: String,
    },
    /// The time for trying again is used up.
    #[error("full copy of {table}: gave up after trying again for {window}")]
    GaveUp {
        /// Source table.
        table: TableName,
        /// The window of the spec that ran out.
        window: &'static str,
        /// The last failure.
        #[source]
        last: Box<FullError>,
    },
}

impl FullError {
    pub(super) fn is_connection(&self) -> bool {
        match self {
            Self::Source(e) => e.is_connection(),
            Self::Destination(e) => e.is_connection(),
            Self::Value { .. } | Self::GaveUp { .. } => false,
        }
    }

    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Source(e) => e.is_transient(),
            Self::Destination(e) => e.is_transient(),
            Self::Value { .. } | Self::GaveUp { .. } => false,
        }
    }
}

/// How the full copy came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullOutcome {
    /// Every table is there.
    Done,
    /// Somebody asked to stop; all that was committed stays.
    Stopped,
}

/// What the full copy is given.
pub struct FullSettings<'a> {
    /// The source.
    pub source: &'a Login,
    /// The destination, whose task has been taken over.
    pub destination: &'a dyn Destination,
    /// What the destination said when it was taken over.
    pub progress: &'a TaskProgress,
    /// Range copies at once, each with one session at either end, as long as [`FullSettings::throttle`] says no other number.
    pub threads: usize,
    /// The incremental phase follows, from a position taken before the copy: the source may be written to meanwhile.
    pub followed: bool,
    /// Rate limits.
    pub throttle: Throttle,
    /// How long to try again.
    pub retry: RetryWindows,
    /// Asks to stop.
    pub stop: &'a StopToken,
    /// Listens.
    pub observer: &'a dyn Observer,
}

/// Copies all tables that are not copied yet.
///
/// # Errors
/// The first failure that trying again did not mend. The other workers end their chunks first; what they committed stays.
pub fn run(settings: &FullSettings<'_>, mut tables: Vec<CopyTable>) -> Result<FullOutcome, FullError> {
    settings.observer.observe(&Event::PhaseStarted { phase: Phase::Full });
    if settings.followed {
        make_live(settings, &mut tables)?;
    }
    // Ends this phase's workers when one of them fails, without asking the whole run to stop.
    let abort = StopToken::default();
    let schedule = Schedule::new(tables, settings.progress, settings.threads, settings.followed);
    let failure: Mutex<Option<FullError>> = Mutex::new(None);
    let heavy = Mutex::new(());
    let at_once = || settings.throttle.threads().unwrap_or(settings.threads).max(1);
    std::thread::scope(|scope| {
        let mut workers = 0;
        // More of them as soon as more are wanted. When fewer are, those beyond the number end their range and wait.
        while !schedule.is_over([settings.stop, &abort]) {
            while workers < at_once() {
                let number = workers;
                workers += 1;
                let (schedule, abort, heavy, failure, at_once) = (&schedule, &abort, &heavy, &failure, &at_once);
                scope.spawn(move || {
                    let worker = Worker { settings, schedule, abort, heavy, number, at_once };
                    if let Err(error) = worker.run() {
                        let mut slot = failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        slot.get_or_insert(error);
                        abort.stop();
                        schedule.wake_all();
                    }
                });
            }
            schedule.wait();
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    if settings.stop.is_stopped() && !schedule.is_done() {
        return Ok(FullOutcome::Stopped);
    }
    settings.observer.observe(&Event::PhaseFinished { phase: Phase::Full });
    Ok(FullOutcome::Done)
}

/// Prepares for a source that is written to while it is copied.
fn make_live(settings: &FullSettings<'_>, tables: &mut [CopyTable]) -> Result<(), FullError> {
    if tables.is_empty() {
        return Ok(());
    }
    let source = Session::open(settings.source, Purpose::Read)?.flavor();
    let alike = source.has_collations_of(settings.destination.flavor());
    for table in tables {
        // A table that nothing identifies the rows of is read under one snapshot, in which no row is in another's way.
        table.newer_wins = !table.keep_existing && table.identifies_rows() && table.keeps_rows_apart(alike);
    }
    Ok(())
}
