//! Where rows go. A destination is a trait from the start: the MySQL family is its first implementation, and ones without
//! transactions, schema or deletes will follow, so the phases above see only what stands here.
//!
//! The hard idea: progress is kept *by the destination*, in the same transaction as the rows it stands for. A phase never decides that
//! something is done; it asks.

pub mod cascade;
pub mod change;
pub mod mysql;

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, SyncSender},
};

use self::change::RowOperations;
use crate::{
    binlog::Position,
    catalog::{ColumnMap, Edge, Key, KeyRange, Table, TableName, TypeKind},
    connect::{ConnectError, Flavor},
    ddl::condition::Filter,
};

/// Why a destination could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// The server or the connection failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Rows came out other than they went in. The chunk was rolled back.
    #[error("{table}, {range}: {what}; the chunk was rolled back")]
    NotExact {
        /// Destination table.
        table: TableName,
        /// Which range, for people.
        range: String,
        /// What the destination said, without values.
        what: String,
    },
    /// A row that does not go into one statement. The chunk was rolled back.
    #[error("{table}, {range}: a row takes a statement of {bytes} bytes, and max_allowed_packet is {packet}; the chunk was rolled back")]
    TooLarge {
        /// Destination table.
        table: TableName,
        /// Which range, for people.
        range: String,
        /// Bytes of the statement.
        bytes: u64,
        /// The server's limit.
        packet: u64,
    },
    /// Another run has taken the task over; this one must end.
    #[error("another run has taken over task '{task}' at the destination")]
    TakenOver {
        /// Task name.
        task: String,
    },
    /// The progress tables hold something this version does not understand.
    #[error("progress tables in database `dts` at the destination: {what}")]
    Progress {
        /// What is wrong.
        what: String,
    },
    /// A row at the destination is not as the binlog says it was, and `conflict.rows` is `fail`. The transaction was rolled back.
    #[error("{table}: {rows} rows with conflict `{}` by key ({}); the transaction was rolled back", kind.name(), key.join(", "))]
    Conflict {
        /// Destination table.
        table: TableName,
        /// What kind.
        kind: change::ConflictKind,
        /// The key's columns.
        key: Vec<String>,
        /// How many rows.
        rows: u64,
    },
    /// The reading side ended before the chunk did; nothing of the chunk stays.
    #[error("the reader of {table} stopped")]
    FeedEnded {
        /// Destination table.
        table: TableName,
    },
}

impl DestinationError {
    /// The connection broke: worth another try within `retry.connection`.
    pub fn is_connection(&self) -> bool {
        matches!(self, Self::Connect(e) if e.is_connection())
    }

    /// Worth another try within `retry.other`.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Connect(e) if e.is_transient())
    }
}

/// One table of the full copy: the source's definition, the destination's, and how their columns meet.
#[derive(Debug, Clone)]
pub struct CopyTable {
    /// As the source has it.
    pub source: Table,
    /// As the destination has it.
    pub destination: Table,
    /// Copied columns as indexes into both tables' columns.
    pub columns: Vec<(usize, usize)>,
    /// Only these rows.
    pub filter: Option<Filter>,
    /// The table was there before with rows of its own, which win over the source's (`conflict.existing_tables: ignore`).
    pub keep_existing: bool,
    /// The source is written to while it is copied, and its binlog follows from before the copy. A row that is in the way of one read later
    /// is then an older read of a row that has changed since, and is replaced: the binlog brings it as it is. Only where no two rows of the
    /// source can meet under a unique key of the destination ([`CopyTable::keeps_rows_apart`]), or rows would be lost in silence.
    pub newer_wins: bool,
    /// The row operations that the incremental phase carries.
    pub operations: RowOperations,
}

impl CopyTable {
    /// Pairs the columns of two definitions by name. Generated columns are computed by the destination.
    pub fn new(source: Table, destination: Table, keep_existing: bool) -> Self {
        Self::mapped(source, destination, &ColumnMap::default(), keep_existing)
    }

    /// The same where columns are left out or called otherwise at the destination, or only some rows go.
    pub fn mapped(source: Table, destination: Table, map: &ColumnMap, keep_existing: bool) -> Self {
        let columns = source
            .copied_columns()
            .into_iter()
            .filter_map(|s| {
                let name = map.name(&source.columns[s].name)?.to_lowercase();
                let d = destination.columns.iter().position(|c| c.name.to_lowercase() == name)?;
                let column = &destination.columns[d];
                (!column.generated && !column.row_period).then_some((s, d))
            })
            .collect();
        Self { source, destination, columns, filter: map.rows().cloned(), keep_existing, newer_wins: false, operations: RowOperations::ALL }
    }

    /// A key that both ends have tells every row from every other. Where none does, a change cannot be repeated without harm: it is applied by
    /// exact count from the beginning, and so the table is copied under one snapshot whose place in the binlog is known.
    pub fn identifies_rows(&self) -> bool {
        self.key().is_some()
    }

    /// Rows that differ in a unique key of the source never meet under a unique key of the destination: each of those is at least as wide as
    /// one of the source, with the same types and collations. `alike` says that a collation's name means the same on both servers.
    pub fn keeps_rows_apart(&self, alike: bool) -> bool {
        // Places among the copied columns, with the length of the prefix that counts.
        let parts = |key: &Key, at_source: bool| -> Option<Vec<(usize, Option<u64>)>> {
            let place = |column: usize| self.columns.iter().position(|&(s, d)| column == if at_source { s } else { d });
            key.parts.iter().map(|p| Some((place(p.column?)?, p.prefix.map(u64::from)))).collect()
        };
        let same = |copied: usize| {
            let (s, d) = self.columns[copied];
            let (from, to) = (&self.source.columns[s], &self.destination.columns[d]);
            from.kind == to.kind
                && match from.kind {
                    TypeKind::Integer | TypeKind::Year => true,
                    TypeKind::Text => alike && from.collation == to.collation,
                    // Fewer decimals or members would make values equal that were not.
                    _ => from.column_type == to.column_type,
                }
        };
        let sources: Vec<_> = self.source.keys.iter().filter(|k| k.unique).filter_map(|k| parts(k, true)).collect();
        self.destination.keys.iter().filter(|k| k.unique).all(|key| {
            let Some(key) = parts(key, false) else { return false };
            key.iter().all(|&(copied, _)| same(copied))
                && sources.iter().any(|source| {
                    source.iter().all(|&(copied, prefix)| {
                        key.iter().any(|&(other, its)| other == copied && its.is_none_or(|its| prefix.is_some_and(|p| its >= p)))
                    })
                })
        })
    }

    /// What a copied column of the source is called at the destination.
    pub fn destination_name(&self, column: &str) -> Option<String> {
        let &(_, d) = self.columns.iter().find(|&&(s, _)| self.source.columns[s].name == column)?;
        Some(self.destination.columns[d].name.clone())
    }

    /// The charset that a copied column's text is in; what has none of its own is sent in utf8mb4.
    pub fn source_charset(&self, copied: usize) -> &str {
        self.source.columns[self.columns[copied].0].charset.as_deref().unwrap_or("utf8mb4")
    }

    /// The charset that a copied column's bytes are in, where the destination's column has another and the server must convert them.
    pub fn converts_from(&self, copied: usize) -> Option<&str> {
        let (s, d) = self.columns[copied];
        let (from, to) = (self.source.columns[s].charset.as_deref()?, self.destination.columns[d].charset.as_deref()?);
        // `utf8` is the older name of `utf8mb3`.
        let plain = |name: &str| if name == "utf8" { "utf8mb3".to_owned() } else { name.to_owned() };
        (plain(from) != plain(to)).then_some(from)
    }
}

/// How far one range of a table has come, as the destination has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeState {
    /// Number in its table, from 0.
    pub number: u32,
    /// Which rows.
    pub span: KeyRange,
    /// Key of the last row that has been committed; `None` at the beginning.
    pub cursor: Option<Edge>,
    /// Chunks committed.
    pub chunks: u64,
    /// Rows read from the source in committed chunks.
    pub read: u64,
    /// Rows written.
    pub written: u64,
    /// Rows found afterwards.
    pub found: u64,
    /// Rows, of this range or another, that one of these replaced ([`CopyTable::newer_wins`]).
    pub replaced: u64,
    /// Bytes of column values.
    pub bytes: u64,
    /// All of it is there.
    pub finished: bool,
}

impl RangeState {
    /// A range nothing has been copied of.
    pub fn new(number: u32, span: KeyRange) -> Self {
        Self { number, span, cursor: None, chunks: 0, read: 0, written: 0, found: 0, replaced: 0, bytes: 0, finished: false }
    }

    /// What is still to be copied.
    pub fn rest(&self) -> KeyRange {
        match (&self.span, &self.cursor) {
            (KeyRange::Between { upto, .. }, Some(cursor)) => KeyRange::Between { after: Some(cursor.clone()), upto: upto.clone() },
            (span, _) => span.clone(),
        }
    }
}

/// How far a table has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableState {
    /// Source table.
    pub source: TableName,
    /// Destination table.
    pub destination: TableName,
    /// This task created it.
    pub created_here: bool,
    /// All its ranges are finished.
    pub copied: bool,
    /// Digest of the condition that chooses the rows of the copy ([`crate::catalog::rows_digest`]); empty for all rows.
    pub filter: String,
    /// The place of the one snapshot under which it was copied: changes before it are in the copy, changes after it are not. Only of a table
    /// without a key at both ends ([`CopyTable::identifies_rows`]) whose copy is there and whose binlog follows.
    pub start_position: Option<Position>,
    /// Its ranges; empty until the copy of the table has begun.
    pub ranges: Vec<RangeState>,
}

/// The whole of a task's progress at the destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskProgress {
    /// Which run this is, counted from 1; a run that finds a higher number than its own has been replaced.
    pub run: u64,
    /// Identity of the source server the task began with.
    pub source_identity: Option<String>,
    /// The source's binlog position taken before the first row was read, where the account may ask for it.
    pub source_position: Option<String>,
    /// Tables the task has created or copied.
    pub tables: Vec<TableState>,
    /// How far the binlog has been followed; `None` before that begins.
    pub following: Option<change::Following>,
    /// Accounts that the task has begun to make, as `user@host`, and whether each is finished.
    pub accounts: BTreeMap<String, bool>,
}

impl TaskProgress {
    /// State of the copy of a source table.
    pub fn table(&self, source: &TableName) -> Option<&TableState> {
        self.tables.iter().find(|t| &t.source == source)
    }

    /// This task created the destination table of that name.
    pub fn created(&self, destination: &TableName) -> bool {
        self.tables.iter().any(|t| t.created_here && &t.destination == destination)
    }
}

/// A piece of a chunk on its way to the destination.
#[derive(Debug)]
pub enum Piece {
    /// Encoded rows, whole or not, as the destination's encoder made them.
    Data(Vec<u8>),
    /// The chunk ends here.
    End(ChunkEnd),
}

/// What a chunk held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkEnd {
    /// Rows.
    pub rows: u64,
    /// Bytes of column values.
    pub bytes: u64,
    /// Values that the destination stores as they are, but not without a warning.
    pub odd_values: u64,
    /// Key of its last row, where the table is walked by a key.
    pub last: Option<Edge>,
    /// Nothing of the range is left after it.
    pub finishes_range: bool,
    /// Where in the binlog the snapshot stands under which these rows were read, for a table that has no other place to follow from.
    pub start_position: Option<Position>,
}

/// The writing side's end of the pipe between reader and loader.
#[derive(Debug)]
pub struct Feed {
    /// Pieces in order.
    pub pieces: Receiver<Piece>,
    /// Where emptied buffers go back.
    pub empties: SyncSender<Vec<u8>>,
}

/// What loading a chunk came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// As the reader counted.
    pub end: ChunkEnd,
    /// Rows the destination says it has written.
    pub written: u64,
    /// Rows counted there afterwards.
    pub found: u64,
    /// Rows that they replaced.
    pub replaced: u64,
}

/// The bytes that stand for an ENUM's error value where '' may be a member: more than any member has (255 characters of four bytes).
const ERROR_VALUE: usize = 255 * 4 + 1;

/// An ENUM's value as the copy asks for it where '' is, or may become, a member: the error value is printed like that member, and would
/// become it.
pub fn enum_or_error(quoted: &str) -> String {
    format!("IF({quoted}=0,REPEAT('!',{ERROR_VALUE}),{quoted})")
}

/// What [`enum_or_error`] gives for the error value.
pub fn is_error_value(value: &[u8]) -> bool {
    value.len() >= ERROR_VALUE
}

/// Turns rows into the form the destination loads. Lives in the reading thread.
pub trait Encoder: Send {
    /// Begins a row.
    fn begin_row(&mut self, out: &mut Vec<u8>);

    /// Appends a value; `column` counts the copied columns. `None` is NULL.
    ///
    /// # Errors
    /// A text that says why this value cannot be carried exactly, without the value.
    fn value(&mut self, out: &mut Vec<u8>, column: usize, value: Option<&[u8]>) -> Result<(), String>;

    /// Appends more bytes of the value just begun; only for columns whose values [`Encoder::splits_values`].
    fn more(&mut self, out: &mut Vec<u8>, bytes: &[u8]);

    /// A large value of this column may be given in slices.
    fn splits_values(&self, column: usize) -> bool;

    /// Values since they were last taken that the destination stores as they are, but not without a warning.
    fn odd_values(&self) -> u64;

    /// The same, and counts anew.
    fn take_odd_values(&mut self) -> u64;

    /// Ends a row.
    fn end_row(&mut self, out: &mut Vec<u8>);

    /// Bytes after which the buffer should be sent on.
    fn buffer_bytes(&self) -> usize;

    /// Whether a buffer may be sent on in the middle of a row.
    fn splits_rows(&self) -> bool;
}

/// Loads chunks of one table over one session.
pub trait Loader {
    /// Loads the next chunk and commits it together with the range's new progress. Returns `None` when the feed has ended in good
    /// order before a chunk began.
    ///
    /// # Errors
    /// Nothing of the chunk stays, except after [`DestinationError::Connect`] with a lost connection, when the outcome is unknown and
    /// [`Destination::range`] tells it. The loader must then be thrown away.
    fn load(&mut self, range: &RangeState, feed: Feed) -> Result<(Option<Loaded>, Feed), DestinationError>;

    /// How many rows it can look at one by one that are skipped or odd in a chunk: one with more fails, so it should end before.
    fn most_odd(&self) -> u64;
}

/// A place where databases, tables and rows can be put.
pub trait Destination: Sync {
    /// Vendor and version.
    fn flavor(&self) -> Flavor;

    /// Makes the progress tables if need be, takes the task over from any earlier run, waiting for what it has in flight, and says how
    /// far it came.
    ///
    /// # Errors
    /// [`DestinationError::Progress`] when the tables are of another version or the task began with another source.
    fn take_over(&self, source_identity: &str) -> Result<TaskProgress, DestinationError>;

    /// Notes the source's position from before the first row, once.
    ///
    /// # Errors
    /// As the connection fails.
    fn note_source_position(&self, position: &Position) -> Result<(), DestinationError>;

    /// Notes, before the statement runs, that this task is about to create a table.
    ///
    /// # Errors
    /// As the connection fails.
    fn note_creation(&self, source: &TableName, destination: &TableName) -> Result<(), DestinationError>;

    /// Notes that an account, `user@host`, is about to be made, or that it is finished.
    ///
    /// # Errors
    /// As the connection fails.
    fn note_account(&self, account: &str, finished: bool) -> Result<(), DestinationError>;

    /// Forgets how far a table's copy has come, because the table is made anew.
    ///
    /// # Errors
    /// As the connection fails.
    fn forget_table(&self, source: &TableName) -> Result<(), DestinationError>;

    /// Notes the ranges a table is cut into, before the first is copied, replacing whatever was noted and not begun.
    ///
    /// # Errors
    /// As the connection fails.
    fn begin_table(&self, table: &CopyTable, ranges: &[RangeState]) -> Result<(), DestinationError>;

    /// How far a range has come.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    fn range(&self, table: &CopyTable, number: u32) -> Result<RangeState, DestinationError>;

    /// Notes that all ranges of a table are finished. Fails when one is not.
    ///
    /// # Errors
    /// [`DestinationError::Progress`] when a range is not finished.
    fn finish_table(&self, table: &CopyTable) -> Result<(), DestinationError>;

    /// Notes from where the binlog is followed, once, and where the copy ended, each time that is given.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    fn begin_following(&self, start: &Position, copy_end: Option<&Position>) -> Result<(), DestinationError>;

    /// How far the binlog has been followed; waits for a commit that is under way. `None` before [`Destination::begin_following`].
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    fn applied(&self) -> Result<Option<change::Following>, DestinationError>;

    /// A session that writes changes.
    ///
    /// # Errors
    /// As the connection fails.
    fn lane(&self) -> Result<Box<dyn change::Lane + '_>, DestinationError>;

    /// An encoder for a table's rows.
    fn encoder(&self, table: &CopyTable) -> Box<dyn Encoder>;

    /// A loader for a table's rows, with a session of its own.
    ///
    /// # Errors
    /// As the connection fails.
    fn loader<'a>(&'a self, table: &'a CopyTable) -> Result<Box<dyn Loader + 'a>, DestinationError>;
}
