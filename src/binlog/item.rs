//! What the stream hands over: transactions in pieces, so that none has to fit into memory.

use std::sync::Arc;

use super::position::{Place, Position};
use crate::catalog::TableName;

/// The next thing in the binlog.
///
/// A transaction is one [`Item::Begin`], any number of [`Item::Rows`] and [`Item::Statement`], one [`Item::Commit`]. What was rolled
/// back does not come, except that of a large transaction (over 2 MiB) [`Item::Rollback`] may come instead of the commit; an XA
/// transaction comes whole when its `XA COMMIT` does.
#[derive(Debug)]
pub enum Item {
    /// A transaction begins.
    Begin(Begin),
    /// Row changes of one table.
    Rows(RowsEvent),
    /// A statement that is not BEGIN or COMMIT: DDL, or a DML statement written in STATEMENT format.
    Statement(Statement),
    /// The transaction ends; this is the position after it.
    Commit(Position),
    /// The transaction that began has not happened, and its pieces are to be undone: it was rolled back, or a crash of the source cut it
    /// off. The position is where it was before it began; [`Item::Moved`] may follow.
    Rollback,
    /// Nothing for us, but the position has moved: rotation, events that may be passed over.
    Moved(Position),
    /// The source is alive and has nothing new.
    Heartbeat,
}

/// The head of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// Its GTID in the source's notation, where it has one.
    pub gtid: Option<String>,
    /// Where it begins.
    pub place: Place,
    /// When it was committed at the server that first had it, in microseconds since 1970 UTC; whole seconds where that is all that is known.
    pub micros: u64,
}

/// What a rows event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowsKind {
    /// After images only.
    Insert,
    /// Pairs of before and after image.
    Update,
    /// Before images only.
    Delete,
    /// Pairs whose after images hold JSON columns as differences (`binlog_row_value_options=PARTIAL_JSON`).
    PartialUpdate,
}

/// Row changes of one table, not decoded yet.
#[derive(Debug, Clone)]
pub struct RowsEvent {
    /// What the table map event before it says.
    pub map: Arc<super::table_map::TableMap>,
    /// What it does.
    pub kind: RowsKind,
    /// What foreign keys did to other rows because of these is not in the binlog: the engine did it. Not so where the client had them off
    /// (`foreign_key_checks`), and where the server does it and logs it (MySQL 9.6 and later).
    pub keys_act: bool,
    /// Where the event begins.
    pub place: Place,
    /// The client's statement, where the source writes it (`binlog_rows_query_log_events`, `binlog_annotate_row_events`).
    pub query: Option<Arc<str>>,
    /// Columns present in the before image (in the only image of INSERT and DELETE), one bit a column as in the event.
    pub before_columns: Vec<u8>,
    /// Columns present in the after image of an update.
    pub after_columns: Vec<u8>,
    /// The images, as they stand in the event behind the column bitmaps.
    pub rows: Vec<u8>,
}

/// A statement as the source wrote it into its binlog, with what it needs to be understood as it was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where the event begins.
    pub place: Place,
    /// Its text, in bytes of [`Statement::charset_client`].
    pub text: Vec<u8>,
    /// It is a group of its own, and not a part of a transaction. Definitions that clients send always are.
    pub alone: bool,
    /// Default database; empty when there was none.
    pub database: String,
    /// Bits of `sql_mode`, as `sql/system_variables.h` numbers them (`Q_SQL_MODE_CODE`).
    pub sql_mode: u64,
    /// Id of the collation of `character_set_client` (`Q_CHARSET_CODE`).
    pub charset_client: u16,
    /// Id of `collation_connection`.
    pub collation_connection: u16,
    /// Id of `collation_server`.
    pub collation_server: u16,
    /// Collation id of the default database (`Q_CHARSET_DATABASE_CODE`), where it was written.
    pub collation_database: Option<u16>,
    /// `default_collation_for_utf8mb4` (MySQL 8.0.11 and later), where it was written.
    pub collation_utf8mb4: Option<u16>,
    /// `explicit_defaults_for_timestamp`, where it was written.
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// `FOREIGN_KEY_CHECKS` was on (option bit 26 of `Q_FLAGS2_CODE` is not set).
    pub foreign_key_checks: bool,
    /// The error it ended with at the source, 0 for none.
    pub error: u16,
    /// Seconds since 1970, as `SET TIMESTAMP` would have it.
    pub seconds: u32,
    /// Microseconds beyond them (`Q_MICROSECONDS` of MySQL, `Q_HRNOW` of MariaDB), where they were written: a column added with
    /// `DEFAULT CURRENT_TIMESTAMP(6)` gets them.
    pub microseconds: Option<u32>,
    /// `time_zone` of the session (`Q_TIME_ZONE_CODE`), where it was written: literals of TIMESTAMP columns are in it.
    pub time_zone: Option<String>,
    /// Tables a multi-table statement touches, where MySQL wrote them (`Q_UPDATED_DB_NAMES` has databases only): databases.
    pub databases: Vec<String>,
}

impl RowsEvent {
    /// The source table.
    pub fn table(&self) -> TableName {
        TableName::new(self.map.database.clone(), self.map.table.clone())
    }
}
