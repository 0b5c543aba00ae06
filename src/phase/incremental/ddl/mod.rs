//! Statements of the binlog, carried to the destination: the barrier that the pipeline calls.
//!
//! The pipeline asks [`Statements::judge`] about every statement, which runs nothing. For [`Judgement::Barrier`] it drains its lanes and
//! commits everything before the statement; then [`Statements::carry`] runs it. The hard idea: a DDL statement commits by itself, so it
//! can never be in one transaction with the position. `carry` notes its intent with what the destination's tables looked like, runs the
//! statement, and notes it as done together with the new definitions; it does **not** move the position, which the pipeline commits at
//! the transaction's [`Item::Commit`](crate::binlog::Item::Commit) as for any other. A statement that comes again after a crash is known
//! by its origin and its part, and is not run twice.

mod after;
mod carrier;
mod decide;
mod definitions;
mod facts;
mod modes;
mod online;
mod others;
mod reading;
mod running;
mod session;
mod settle;
mod writing;

pub use carrier::{Carrier, DdlSettings};
pub use decide::Translate;
pub use facts::{Collation, SourceFacts};

use crate::{
    binlog::{Begin, Statement},
    catalog::TableName,
    connect::ConnectError,
    destination::DestinationError,
    phase::incremental::history::History,
};

/// What a statement means for the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing: it is about what is not selected. Goes by without a word.
    Pass,
    /// Selected, and of a class that is not carried (requirements C10): [`Statements::carry`] records it. No barrier is needed.
    Record,
    /// To be carried: first everything before it must be committed and nothing after it begun.
    Barrier,
}

/// A statement where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// The head of its transaction.
    pub begin: &'a Begin,
    /// Which of its transaction's statements it is, from 0.
    pub part: u32,
    /// The full copy had not ended at this position (requirements B11: such a statement on a copied table stops the task).
    pub during_copy: bool,
}

/// What came of carrying a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// It ran now, or had run before a crash.
    Done,
    /// It was recorded and not run.
    Skipped,
    /// The destination refused it, which is recorded; `ddl_errors` is `continue`.
    Failed {
        /// The server's words.
        error: String,
    },
}

/// Why the task must end at a statement.
#[derive(Debug, thiserror::Error)]
pub enum DdlError {
    /// The destination's progress could not be read or written.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The connection or a statement of our own failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It cannot be carried without losing or bending rows, or cannot be understood.
    #[error("{statement} at {place}: {reason}")]
    Stop {
        /// Code for `dtsctl explain` and for scripts, e.g. `ddl-out-of-scope`.
        code: &'static str,
        /// What it is, e.g. `RENAME TABLE shop.a`; never its text.
        statement: String,
        /// Position and GTID.
        place: String,
        /// Why.
        reason: String,
        /// What can be done.
        hint: String,
    },
    /// The destination refused it, and `ddl_errors` is `stop`. The same statement is tried again by the next run.
    #[error("{statement} at {place} failed at the destination: {error}")]
    Failed {
        /// What it is.
        statement: String,
        /// Position and GTID.
        place: String,
        /// The server's words.
        error: String,
    },
    /// A statement of an earlier run still runs at the destination, and a stop was asked for before it ended.
    #[error("stopped while a statement of an earlier run was still running at the destination")]
    Stopped,
}

impl DdlError {
    /// The connection broke: a new session and [`Statements::carry`] again.
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Destination(e) => e.is_connection(),
            Self::Connect(e) => e.is_connection(),
            _ => false,
        }
    }

    /// Worth another try within `retry.other`: a lock was held too long, the disk was full.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Destination(e) => e.is_transient(),
            Self::Connect(e) => e.is_transient(),
            _ => false,
        }
    }
}

/// Carries statements. One implementation for the MySQL family; tests of the pipeline bring their own.
pub trait Statements: Send {
    /// The definitions at the applied position: the source's from the schema history, the destination's as they are now.
    ///
    /// # Errors
    /// As the destination fails.
    fn load(&mut self) -> Result<History, DdlError>;

    /// What the statement means, from its text and the selection alone.
    ///
    /// # Errors
    /// [`DdlError::Stop`] for what cannot be understood, and for DML in STATEMENT format on a selected table.
    fn judge(&mut self, at: Occurrence<'_>, history: &History) -> Result<Judgement, DdlError>;

    /// Carries the statement, or records it, and brings the history up to after it. Its tables' new definitions are then in `history`;
    /// `changed` hears which source tables came, went or changed. Safe to call again after an error.
    ///
    /// # Errors
    /// [`DdlError`].
    fn carry(&mut self, at: Occurrence<'_>, history: &mut History, changed: &mut Vec<TableName>) -> Result<Carried, DdlError>;
}
