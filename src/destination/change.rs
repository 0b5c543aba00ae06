//! Changes on their way to a destination, and what writing them came to.

use std::sync::Arc;

use super::{CopyTable, DestinationError, cascade::Cascade};
use crate::{
    binlog::{Image, Position},
    catalog::{Key, TableName, Walk},
};

/// One change of one row, before and after. Images have the source table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange {
    /// A new row.
    Insert(Image),
    /// A row that is gone.
    Delete(Image),
    /// A row that changed; its key may be another one after.
    Update {
        /// As it was.
        before: Image,
        /// As it is.
        after: Image,
    },
}

impl CopyTable {
    /// The source's columns by which rows are told apart and changes may be folded to their net effect per key: those of the source's
    /// primary key, or of a unique key without NULLs, over exact types and whole columns ([`Table::walk`](crate::catalog::Table::walk)),
    /// when the destination has a unique key over the same columns too.
    ///
    /// `None` also when the destination has columns of its own: a change of a key is then one UPDATE, since a row that is deleted and
    /// inserted anew would lose their values.
    pub fn folding_key(&self) -> Option<Vec<usize>> {
        if self.has_own_columns() {
            return None;
        }
        self.key().map(|(source, _)| source)
    }

    /// The destination has columns that no source column is written to, and that it does not compute itself.
    pub(crate) fn has_own_columns(&self) -> bool {
        let written = |d: usize| self.columns.iter().any(|&(_, to)| to == d);
        self.destination.copied_columns().into_iter().any(|d| !written(d))
    }

    /// The source's columns of the key that both ends have, and that key of the destination.
    pub(crate) fn key(&self) -> Option<(Vec<usize>, &Key)> {
        let Walk::Key(source) = self.source.walk() else { return None };
        let key = self.same_key(&source, |column| !self.destination.columns[column].nullable)?;
        Some((source, key))
    }

    /// The destination's key under which a copied row and one that exists are the same row: that of [`CopyTable::key`], or a unique key of
    /// both ends that lets NULL through, under which rows without one are told apart.
    pub(crate) fn kept_under(&self) -> Option<&Key> {
        match self.source.walk() {
            Walk::Key(columns) => self.same_key(&columns, |column| !self.destination.columns[column].nullable),
            Walk::NullableKey(columns) => self.same_key(&columns, |_| true),
            Walk::Whole => None,
        }
    }

    /// The destination's unique key over the same columns as these of the source, in whatever order.
    fn same_key(&self, source: &[usize], fits: impl Fn(usize) -> bool) -> Option<&Key> {
        let to: Option<Vec<usize>> = source.iter().map(|s| self.columns.iter().find(|(from, _)| from == s).map(|&(_, d)| d)).collect();
        let to = to?;
        let same = |key: &&Key| {
            key.unique
                && key.parts.len() == to.len()
                && key.parts.iter().all(|p| p.prefix.is_none() && p.column.is_some_and(|c| to.contains(&c) && fits(c)))
        };
        self.destination.keys.iter().filter(same).min_by_key(|k| !k.is_primary())
    }
}

/// The row operations that the spec carries of a table (`operations`). It counts once the end of the copy has passed: before that the rows
/// are right only when all of the binlog is carried (decision 082).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowOperations {
    /// New rows are carried.
    pub insert: bool,
    /// Changes of rows are, changes of their keys included.
    pub update: bool,
    /// Deletes are.
    pub delete: bool,
    /// Rows may stay that the source no longer has: `delete`, `truncate-table` or `drop-table` is left out.
    pub leaves_rows: bool,
}

impl RowOperations {
    /// All that the binlog has.
    pub const ALL: Self = Self { insert: true, update: true, delete: true, leaves_rows: false };

    /// The change is carried; else what it is counted as.
    pub fn left_out(self, change: &RowChange) -> Option<ConflictKind> {
        match change {
            RowChange::Insert(_) => (!self.insert).then_some(ConflictKind::InsertLeftOut),
            RowChange::Update { .. } => (!self.update).then_some(ConflictKind::UpdateLeftOut),
            RowChange::Delete(_) => (!self.delete).then_some(ConflictKind::DeleteLeftOut),
        }
    }

    /// What is done about a row that is not as it must be because the spec itself leaves operations out, and what that is counted as; `None`
    /// where only somebody else can have caused it, and `conflict.rows` decides.
    pub fn of_the_spec(self, kind: ConflictKind) -> Option<(OnConflict, ConflictKind)> {
        let gives_way = Some((OnConflict::Overwrite, ConflictKind::RowReplaced));
        let is_absent = Some((OnConflict::Ignore, ConflictKind::RowAbsent));
        match kind {
            ConflictKind::InsertExists if self.leaves_rows || !self.update => gives_way,
            ConflictKind::UpdateExists if self.leaves_rows => gives_way,
            ConflictKind::UpdateMissing if !self.insert => is_absent,
            ConflictKind::DeleteMissing if !self.insert || !self.update => is_absent,
            _ => None,
        }
    }
}

/// The net effect of a stretch of the binlog on one table with a key: no two entries are about one row.
///
/// Written as: all rows of `deletes` and of the before images of `updates` whose unique values change go first, then come the new ones;
/// so a unique value may move from row to row inside it.
#[derive(Debug, Clone)]
pub struct TableChanges {
    /// Source and destination definition and how their columns meet.
    pub table: Arc<CopyTable>,
    /// Rows that are gone.
    pub deletes: Vec<Image>,
    /// Rows that changed, before and after; the key columns' bytes are the same in both.
    pub updates: Vec<(Image, Image)>,
    /// Rows that are new.
    pub inserts: Vec<Image>,
}

/// What one transaction at the destination writes, or a part of it: the net effect of whole source transactions.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Tables with a key by which their changes may be folded ([`CopyTable::folding_key`]).
    pub keyed: Vec<TableChanges>,
    /// All others ([`CopyTable::folding_key`] is `None`): every change in the order in which it happened, one by one.
    pub ordered: Vec<(Arc<CopyTable>, Vec<RowChange>)>,
    /// What foreign keys of the source did then, in this order.
    pub cascades: Vec<Cascade>,
}

impl Batch {
    /// There is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.keyed.is_empty() && self.ordered.is_empty() && self.cascades.is_empty()
    }
}

/// How sure the writer may be of what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The copy may have brought rows that are newer than the change: repeating it must be harmless, and no count means anything.
    /// Keyless tables are always strict, since they start at the exact position of their snapshot: what is in here is for them.
    Repeatable(OnConflict),
    /// Each statement knows how many rows it touches; another count is a conflict.
    Strict(OnConflict),
}

/// What is done about a row that is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The task stops and nothing of the transaction stays.
    Fail,
    /// The destination's row stays as it is.
    Ignore,
    /// The source's row wins.
    Overwrite,
}

/// What kind of row was in the way, or was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// INSERT met a row with the same value in a unique key.
    InsertExists,
    /// UPDATE found no such row.
    UpdateMissing,
    /// UPDATE would give a row a unique value that another has.
    UpdateExists,
    /// A row of which `update-exists` was counted could not stay as it was either, since its old value has gone to another row by then: it is
    /// gone. Only under [`OnConflict::Ignore`].
    UpdateLost,
    /// DELETE found no such row.
    DeleteMissing,
    /// What a foreign key of the source did to this table's rows when one of its parent's changed could not be done again (DT262). Rows counted
    /// are the parent's, or of a table that other tasks write too the child's.
    CascadeMissed,
    /// No conflict: an INSERT that the spec leaves out (`operations`).
    InsertLeftOut,
    /// No conflict: an UPDATE that the spec leaves out.
    UpdateLeftOut,
    /// No conflict: a DELETE that the spec leaves out.
    DeleteLeftOut,
    /// No conflict: an event with rows of a table whose CREATE TABLE the spec leaves out.
    TableLeftOut,
    /// No conflict: a row was there that only the spec's choice of operations has left there, and the source's row took its place.
    RowReplaced,
    /// No conflict: a row to be changed or deleted was not there, since the spec's choice of operations never brought it.
    RowAbsent,
}

impl ConflictKind {
    /// As status and the progress tables write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InsertExists => "insert-exists",
            Self::UpdateMissing => "update-missing",
            Self::UpdateExists => "update-exists",
            Self::UpdateLost => "update-lost",
            Self::DeleteMissing => "delete-missing",
            Self::CascadeMissed => "cascade-missed",
            Self::InsertLeftOut => "insert-left-out",
            Self::UpdateLeftOut => "update-left-out",
            Self::DeleteLeftOut => "delete-left-out",
            Self::TableLeftOut => "table-left-out",
            Self::RowReplaced => "row-replaced",
            Self::RowAbsent => "row-absent",
        }
    }

    /// The spec's choice of operations made it: no conflict, and counted apart from them.
    pub fn is_of_the_spec(self) -> bool {
        use ConflictKind::{CascadeMissed, DeleteMissing, InsertExists, UpdateExists, UpdateLost, UpdateMissing};
        !matches!(self, InsertExists | UpdateMissing | UpdateExists | UpdateLost | DeleteMissing | CascadeMissed)
    }
}

/// Rows that were not as they must be, or that the spec leaves out. Names of columns, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Source table.
    pub table: TableName,
    /// What kind.
    pub kind: ConflictKind,
    /// The key's columns at the destination, by name; empty for what is left out.
    pub key: Vec<String>,
    /// How many rows.
    pub rows: u64,
}

impl Conflict {
    /// Adds conflicts to a list that names each kind of each table and key once.
    pub fn merge(list: &mut Vec<Self>, more: &[Self]) {
        for conflict in more {
            let same = |c: &&mut Self| c.table == conflict.table && c.kind == conflict.kind && c.key == conflict.key;
            match list.iter_mut().find(same) {
                Some(known) => known.rows += conflict.rows,
                None => list.push(conflict.clone()),
            }
        }
    }
}

/// What writing a batch came to, before it is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows inserted, updated, deleted, as the batch has them after folding.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// What was not as it must be, and was dealt with.
    pub conflicts: Vec<Conflict>,
}

/// How far the incremental phase has come; committed with the rows it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Everything before it is at the destination.
    pub position: Position,
    /// Where reading must begin again, when that is earlier: an XA transaction prepared there is not committed yet.
    pub read_from: Option<Position>,
    /// When the newest transaction was committed at the source, in microseconds since 1970 UTC.
    pub source_micros: u64,
    /// Source transactions in this commit.
    pub transactions: u64,
    /// Row changes read from the binlog in this commit, before folding.
    pub row_events: u64,
}

/// How far the incremental phase of a task has come since it began, as the destination has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Following {
    /// Everything before it is at the destination.
    pub position: Position,
    /// Where reading must begin again, when that is earlier than `position`.
    pub read_from: Option<Position>,
    /// A position of the source from after the last row of the copy was read. Until `position` has passed it, changes are written as
    /// [`Certainty::Repeatable`]. `None` when no copy came before, or one has begun since and its end is to be noted.
    pub copy_end: Option<Position>,
    /// Digest of what the spec selected when the task began to follow; empty where nobody said.
    pub selection: String,
    /// Source transactions applied.
    pub transactions: u64,
    /// Row changes read from the binlog, before folding.
    pub row_events: u64,
    /// Rows inserted, after folding.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Rows that were not as they must be.
    pub conflicts: u64,
    /// When the newest transaction was committed at the source, in microseconds since 1970 UTC.
    pub source_micros: u64,
}

/// One writing session of the incremental phase. It writes in a transaction of its own that [`Lane::commit`] ends, so that several lanes
/// can write side by side and commit in the source's order.
pub trait Lane: Send {
    /// Writes changes into the open transaction, beginning one when none is open. May be called several times before the commit.
    ///
    /// # Errors
    /// [`DestinationError::NotExact`] for a value that the destination would not keep as it is; [`DestinationError::TooLarge`];
    /// [`DestinationError::Conflict`] under [`OnConflict::Fail`]; as the server or the connection fails. The transaction must then be
    /// rolled back.
    fn write(&mut self, batch: &Batch, certainty: Certainty) -> Result<Written, DestinationError>;

    /// Counts conflicts that were found before anything was written, with those of the open transaction.
    fn note(&mut self, conflicts: &[Conflict]);

    /// Moves the task's position on and commits, in one round trip where the server allows it. With nothing written it commits the
    /// position alone.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`] when another run has the task, and nothing is committed; as the connection fails, when the outcome
    /// is unknown and [`super::Destination::applied`] tells it.
    fn commit(&mut self, applied: &Applied) -> Result<(), DestinationError>;

    /// Rolls back whatever is open.
    ///
    /// # Errors
    /// As the connection fails; the server then rolls back by itself.
    fn roll_back(&mut self) -> Result<(), DestinationError>;
}
