//! What phases tell of themselves while they run. A phase emits these and prints nothing; the report and the state file listen.
//!
//! An event about rows is emitted after the destination has committed them, so a listener is never ahead of the destination.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    binlog::Retention,
    binlog::{Place, Position},
    catalog::TableName,
};

/// The phases of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Databases and tables, without foreign keys and, where it pays, without secondary indexes.
    Schema,
    /// Rows.
    Full,
    /// What the schema phase left for after the rows: secondary indexes, foreign keys, AUTO_INCREMENT counters.
    Finish,
    /// The binlog.
    Incremental,
}

impl Phase {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Full => "full",
            Self::Finish => "finish",
            Self::Incremental => "incremental",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A phase begins; `done` when it was finished by an earlier run and is passed over.
    PhaseStarted {
        /// Which.
        phase: Phase,
    },
    /// A phase has ended well.
    PhaseFinished {
        /// Which.
        phase: Phase,
    },
    /// A statement is about to run at the destination.
    StatementStarted {
        /// The action's id in the plan, e.g. `a3`.
        action: String,
        /// Position of the statement among the action's, from 0.
        index: usize,
        /// The object it is for, as the plan names it.
        object: String,
        /// The statement's text.
        sql: String,
    },
    /// The server refused it.
    StatementFailed {
        /// The action's id.
        action: String,
        /// Position among the action's statements.
        index: usize,
        /// The error's text, without values.
        error: String,
    },
    /// It has run.
    StatementFinished {
        /// The action's id.
        action: String,
        /// Position among the action's statements.
        index: usize,
        /// How long it took, in milliseconds.
        milliseconds: u64,
        /// Warnings the server gave, codes and texts without values.
        warnings: Vec<(u16, String)>,
        /// Found done by an earlier run that could not note it any more.
        found_done: bool,
    },
    /// All tables that the copy will carry in this task, finished ones included; told once before the first
    /// [`Event::TableStarted`], so that totals and the time left are known from the beginning.
    TablesPlanned {
        /// The tables.
        tables: Vec<PlannedTable>,
    },
    /// The copy of a table is about to begin or to go on.
    TableStarted {
        /// Source table.
        table: TableName,
        /// Where its rows go.
        destination: TableName,
        /// Estimated rows.
        rows_estimate: u64,
        /// Estimated bytes.
        bytes_estimate: u64,
        /// Rows that earlier runs have committed.
        rows_done: u64,
        /// Ranges it is cut into.
        ranges: u32,
    },
    /// A chunk of rows of one range has been committed at the destination.
    ChunkCommitted {
        /// Source table.
        table: TableName,
        /// Number of the range in its table, from 0.
        range: u32,
        /// Number of the chunk in its range, from 0.
        chunk: u64,
        /// Rows read from the source.
        read: u64,
        /// Rows the destination says it has written.
        written: u64,
        /// Rows counted at the destination afterwards.
        found: u64,
        /// Bytes of column values.
        bytes: u64,
        /// Milliseconds from the first read to the commit.
        milliseconds: u64,
    },
    /// All of a range is at the destination.
    RangeFinished {
        /// Source table.
        table: TableName,
        /// Number of the range in its table.
        range: u32,
    },
    /// All rows of a table are at the destination.
    TableFinished {
        /// Source table.
        table: TableName,
        /// Rows of all runs together.
        rows: u64,
        /// Bytes of all runs together.
        bytes: u64,
    },
    /// The incremental phase begins to read, or goes on after a lost connection.
    FollowStarted {
        /// Everything before it is at the destination already.
        from: Position,
        /// How far it is to go, as `--until` writes it.
        until: String,
        /// Writing sessions.
        lanes: u32,
    },
    /// Source transactions have been committed at the destination.
    BatchCommitted(Box<BatchCommitted>),
    /// The position has moved on in the destination's progress with nothing to write: rotation, transactions of others.
    FollowMoved {
        /// Everything before it is at the destination.
        position: Position,
    },
    /// How far the incremental phase is behind; told about once a second, also when nothing comes.
    Lag(Box<Lag>),
    /// How long the source keeps its binlog; now and then while it is followed.
    BinlogKept(BinlogKept),
    /// All that the source had when it was asked last is at the destination; told once each time it becomes true.
    CaughtUp {
        /// Everything before it is at the destination.
        position: Position,
    },
    /// Rows at the destination were not as they had to be, and were dealt with as `conflict.rows` says; told after the commit.
    ConflictMet {
        /// Source table.
        table: TableName,
        /// What kind, e.g. `insert-exists`.
        kind: &'static str,
        /// The key's columns at the destination, by name; never values.
        key: Vec<String>,
        /// How many rows.
        rows: u64,
    },
    /// Row changes that `operations` of the spec leaves out, or rows that are not as at the source for that reason; told after the commit.
    LeftOut {
        /// Source table.
        table: TableName,
        /// What, e.g. `delete-left-out`.
        kind: &'static str,
        /// How many rows; of `table-left-out` how many events.
        rows: u64,
    },
    /// A DDL statement of the source has been dealt with.
    DdlSeen(Box<DdlSeen>),
    /// Somebody has changed the speed limits of the running apply.
    LimitsChanged {
        /// All that are in force now, by the names that `dtsctl set` takes; absent ones do not limit.
        limits: Vec<(&'static str, f64)>,
    },
    /// Something waits; `reason` says for what. Status shows it until [`Event::WaitOver`].
    Waiting {
        /// Who waits, e.g. `full copy`, `schema`.
        who: String,
        /// For what, e.g. `connection to 10.0.0.5:3306 (next try in 4 s): ...`.
        reason: String,
    },
    /// The wait of that name is over.
    WaitOver {
        /// Who waited.
        who: String,
    },
    /// A named point inside a unit of work has been reached, on whichever thread. Listeners that only watch pass over it; the crash
    /// tests stop the process there, before whatever follows has happened.
    Moment {
        /// Which, e.g. `chunk-loaded`.
        name: &'static str,
    },
    /// Something a person should know, which stops nothing.
    Note {
        /// The text.
        text: String,
    },
}

/// A commit of the incremental phase.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchCommitted {
    /// Everything before it is at the destination.
    pub position: Position,
    /// When the newest transaction in it was committed at the source, in microseconds since 1970 UTC.
    pub source_micros: u64,
    /// Source transactions.
    pub transactions: u64,
    /// Row changes as the binlog had them, before folding.
    pub row_events: u64,
    /// Rows inserted after folding.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Bytes of row images read from the binlog.
    pub bytes: u64,
    /// From the first write to the commit's answer, in microseconds.
    pub micros: u64,
}

/// How far the incremental phase is behind its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Lag {
    /// Everything before it is at the destination.
    pub applied: Position,
    /// How far the binlog has been read.
    pub read: Position,
    /// Age at the source's clock of the newest change that is at the destination, in microseconds; `None` when nobody can tell.
    pub micros: Option<u64>,
    /// Nothing is left to read or to write: the source is quiet. What `micros` says is then the age of its last change, not a backlog.
    pub idle: bool,
    /// The lag is measured by the heartbeat row, and not by the times of the events alone.
    pub by_heartbeat: bool,
    /// Writing sessions at work.
    pub lanes_busy: u32,
    /// Bytes of changes that are read and not committed yet.
    pub backlog_bytes: u64,
}

/// How long the source keeps its binlog, as found while it is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinlogKept {
    /// What it keeps.
    pub retention: Retention,
    /// What a task needs whose copy is done, in seconds.
    pub needed: u64,
}

/// A DDL statement of the source and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DdlSeen {
    /// Where its event begins.
    pub place: Place,
    /// Its GTID, where it has one.
    pub gtid: Option<String>,
    /// Which statement it is, e.g. `alter-table` as `operations` in the spec writes it, or `create-user` for one that is not on that list.
    pub class: String,
    /// The object, where one can be named.
    pub object: Option<String>,
    /// The statement as it ran at the destination, or as the source wrote it when it did not run there. Empty for a statement about
    /// accounts, which may hold a password.
    pub sql: String,
    /// What became of it.
    pub outcome: DdlOutcome,
}

/// What became of a DDL statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DdlOutcome {
    /// It ran at the destination.
    Carried {
        /// How long it took.
        milliseconds: u64,
        /// An earlier run had run it and could not note it any more.
        found_done: bool,
    },
    /// It was passed over.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The destination refused it, and `ddl_errors` lets the task go on.
    Failed {
        /// The server's answer, without values.
        error: String,
    },
}

/// A table whose rows will be copied.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedTable {
    /// Source table.
    pub table: TableName,
    /// Where its rows go.
    pub destination: TableName,
    /// Estimated rows.
    pub rows_estimate: u64,
    /// Estimated bytes.
    pub bytes_estimate: u64,
    /// Rows that are at the destination already, as it says itself.
    pub rows_done: u64,
    /// Bytes of those rows.
    pub bytes_done: u64,
    /// Nothing is left of it: an earlier run has finished it, and no [`Event::TableStarted`] will come.
    pub finished: bool,
}

/// Listens to events. Called from many threads; must be quick and must not fail.
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn observe(&self, event: &Event);
}

/// Hands each event to several observers in turn.
#[derive(Clone, Default)]
pub struct Observers(pub Vec<Arc<dyn Observer>>);

impl Observer for Observers {
    fn observe(&self, event: &Event) {
        for observer in &self.0 {
            observer.observe(event);
        }
    }
}

/// Whether the run has been asked to stop; shared by all threads of a run.
#[derive(Clone, Default, Debug)]
pub struct StopToken(Arc<Stop>);

#[derive(Default, Debug)]
struct Stop {
    asked: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl StopToken {
    /// Asks all to stop at the next safe place, and wakes those that wait in [`StopToken::wait`]. Takes a lock for a moment: a signal
    /// handler must not call it, a thread that waits for signals may.
    pub fn stop(&self) {
        let _guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.changed.notify_all();
    }

    /// Has somebody asked?
    pub fn is_stopped(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Waits for `time` or until somebody asks to stop, whichever is first. `true` when somebody has asked.
    pub fn wait(&self, time: Duration) -> bool {
        let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.0.changed.wait_timeout_while(guard, time, |()| !self.is_stopped());
        self.is_stopped()
    }
}
