//! What the reader hands to the scheduler.

use std::sync::Arc;

use super::{FollowError, followed::Followed};
use crate::{
    binlog::{Begin, Image, Position, Statement},
    destination::change::{Conflict, RowChange},
};

/// Changes of one table, in the order in which they happened.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: Arc<Followed>,
    pub(super) changes: Vec<RowChange>,
    /// What foreign keys did to other rows because of them is not in the binlog.
    pub(super) keys_act: bool,
    /// They are in the copy themselves; what foreign keys did may not be.
    pub(super) in_copy: bool,
}

/// A part of a transaction that is too large to be handed over whole; more follows.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) begin: Arc<Begin>,
    pub(super) rows: Vec<Rows>,
    pub(super) count: u64,
    pub(super) bytes: usize,
}

/// A whole transaction, or the end of one whose windows went before.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) begin: Arc<Begin>,
    pub(super) rows: Vec<Rows>,
    /// Row changes in `rows`.
    pub(super) count: u64,
    pub(super) bytes: usize,
    /// The position after it.
    pub(super) after: Position,
    /// Where reading must begin again, when that is earlier.
    pub(super) read_from: Option<Position>,
    /// When a heartbeat row in it was written, in microseconds since 1970 UTC.
    pub(super) heartbeat: Option<u64>,
    /// Events of tables whose CREATE TABLE the spec leaves out.
    pub(super) left_out: Vec<Conflict>,
}

/// A statement where it stands. The reader waits for an answer.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) begin: Arc<Begin>,
    pub(super) statement: Statement,
    /// Which of its transaction's statements it is, from 0.
    pub(super) part: u32,
    /// Row changes of followed tables stand before it in the same transaction.
    pub(super) after_rows: bool,
}

/// The next thing.
#[derive(Debug)]
pub(super) enum Unit {
    Window(Window),
    Transaction(Transaction),
    Statement(Box<Said>),
    /// The transaction whose windows went before has not happened.
    RolledBack,
    /// The position has moved past what concerns nobody.
    Moved(Position, Option<Position>),
    /// The source is alive and has nothing new.
    Idle,
    /// The reader has ended; what came before stands.
    Failed(FollowError),
}

/// What a vector and an allocation cost beside their contents.
const OVERHEAD: usize = 48;

/// Bytes that an image takes in memory.
fn image_size(image: &Image) -> usize {
    image.size() + 8 * image.len() + OVERHEAD
}

/// Bytes that a change takes in memory.
pub(super) fn change_size(change: &RowChange) -> usize {
    match change {
        RowChange::Insert(image) | RowChange::Delete(image) => image_size(image),
        RowChange::Update { before, after } => image_size(before) + image_size(after),
    }
}

impl Unit {
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Window(window) => window.bytes,
            Self::Transaction(transaction) => transaction.bytes + 4 * OVERHEAD,
            Self::Statement(said) => said.statement.text.len() + 4 * OVERHEAD,
            Self::Moved(..) | Self::RolledBack | Self::Idle | Self::Failed(_) => OVERHEAD,
        }
    }
}
