//! What a server holds, as data: databases, tables, columns and keys.
//!
//! Nothing here asks a server anything and nothing here prints. The model is filled by `catalog::read` and read by the diff, the
//! plan, the copy and verify. A table keeps the server's own `SHOW CREATE TABLE` text beside the parsed form: statements are made
//! from the text, decisions from the form.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::CascadingKey;

/// A table's full name on one server. Displayed as `database.table`; use [`TableName::quoted`] in SQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TableName {
    /// The database's name, as the server spells it.
    pub database: String,
    /// The table's name, as the server spells it.
    pub table: String,
}

impl TableName {
    /// A name from its two parts.
    pub fn new(database: impl Into<String>, table: impl Into<String>) -> Self {
        Self { database: database.into(), table: table.into() }
    }

    /// Both parts between backticks, for SQL.
    pub fn quoted(&self) -> String {
        format!("{}.{}", quote_name(&self.database), quote_name(&self.table))
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// An identifier between backticks, inner backticks doubled.
pub fn quote_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// What a column's values are, as far as copying and comparing must know. From `information_schema.COLUMNS.DATA_TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypeKind {
    /// TINYINT to BIGINT, signed or not; BOOL.
    Integer,
    /// DECIMAL.
    Decimal,
    /// FLOAT: 4 bytes; its text form loses bits (trap 1).
    Float,
    /// DOUBLE: 8 bytes; its text form is exact unless it was declared with (M,D).
    Double,
    /// BIT(n): sent as big-endian bytes.
    Bit,
    /// CHAR, VARCHAR and the TEXT family: bytes in the column's charset.
    Text,
    /// BINARY, VARBINARY and the BLOB family.
    Bytes,
    /// ENUM.
    Enum,
    /// SET.
    Set,
    /// JSON as a type of its own (MySQL). MariaDB's JSON is [`TypeKind::Text`] with a check, see [`Column::json_text`].
    Json,
    /// DATE.
    Date,
    /// DATETIME: no time zone.
    DateTime,
    /// TIMESTAMP: an instant, read and written in UTC sessions.
    Timestamp,
    /// TIME.
    Time,
    /// YEAR.
    Year,
    /// GEOMETRY and its subtypes: 4 bytes SRID and WKB.
    Geometry,
    /// MySQL 9 and MariaDB 11.7 VECTOR: packed little-endian FLOAT.
    Vector,
    /// MariaDB's UUID, INET4, INET6: text forms are canonical.
    NamedText,
    /// A type this version does not know; such a table is unsupported.
    Other,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Name as the server spells it.
    pub name: String,
    /// `COLUMN_TYPE` as the server prints it, e.g. `bigint(20) unsigned`, `enum('a','b')`.
    pub column_type: String,
    /// What kind of values it holds.
    pub kind: TypeKind,
    /// UNSIGNED (or ZEROFILL, which implies it).
    pub unsigned: bool,
    /// May hold NULL.
    pub nullable: bool,
    /// Charset of a text, ENUM or SET column; `None` for all others.
    pub charset: Option<String>,
    /// Collation of a text, ENUM or SET column.
    pub collation: Option<String>,
    /// Computed by the server (virtual or stored): read never, written never, compared always.
    pub generated: bool,
    /// MariaDB's `ROW START` / `ROW END` period columns of a system-versioned table.
    pub row_period: bool,
    /// Not in `SELECT *`; still copied and compared.
    pub invisible: bool,
    /// AUTO_INCREMENT.
    pub auto_increment: bool,
    /// A text column of MariaDB that has the check `json_valid`, that is, one declared JSON.
    pub json_text: bool,
}

impl Column {
    /// The largest value of FLOAT(M,D) or DOUBLE(M,D) as a literal of type DOUBLE. What is stored may be a binary number just beyond it
    /// (9999999.999 in FLOAT(10,3) is 10000000), which a server would not take in again.
    pub fn float_limit(&self) -> Option<String> {
        if !matches!(self.kind, TypeKind::Float | TypeKind::Double) {
            return None;
        }
        let (_, inner) = self.column_type.split_once('(')?;
        let (digits, decimals) = inner.split_once(')')?.0.split_once(',')?;
        let (digits, decimals): (usize, usize) = (digits.trim().parse().ok()?, decimals.trim().parse().ok()?);
        let whole = "9".repeat(digits.checked_sub(decimals)?);
        Some(format!("0{whole}.{}e0", "9".repeat(decimals)))
    }

    /// An ENUM with '' among its members, which servers print like the error value, number 0.
    pub fn has_empty_member(&self) -> bool {
        self.kind == TypeKind::Enum && ["('',", ",'',", ",'')", "('')"].iter().any(|empty| self.column_type.contains(empty))
    }

    /// Rows can be walked in the order of this column: it has exact values that are read back as they were.
    fn orders_a_walk(&self) -> bool {
        use TypeKind::{Double, Float, Geometry, Json, Other, Vector};
        !self.generated
            && !self.row_period
            && !matches!(self.kind, Float | Double | Json | Geometry | Vector | Other)
            && !self.is_ordered_by_padding()
    }

    /// MariaDB orders the index of a CHAR column under a NO PAD collation with the spaces that fill it up, and compares values without them: of
    /// `'x\0'` and `'x'` each is the smaller one in its way, and a page that ends between them loses a row (seen on 10.11.18). MySQL has one
    /// order (seen on 9.7.4).
    fn is_ordered_by_padding(&self) -> bool {
        let is_char = self.column_type.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("char("));
        is_char && self.collation.as_deref().is_some_and(|collation| collation.contains("_nopad_"))
    }
}

/// One column of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyPart {
    /// Index into [`Table::columns`]; `None` for an expression (functional key part).
    pub column: Option<usize>,
    /// Prefix length in characters or bytes, when only a prefix is indexed.
    pub prefix: Option<u32>,
    /// Descending order.
    pub descending: bool,
}

/// One index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Index name; `PRIMARY` for the primary key.
    pub name: String,
    /// No two rows may be equal in it (NULLs apart).
    pub unique: bool,
    /// `BTREE`, `HASH`, `FULLTEXT`, `SPATIAL` as `STATISTICS.INDEX_TYPE` says.
    pub index_type: String,
    /// Its parts in order.
    pub parts: Vec<KeyPart>,
}

impl Key {
    /// The primary key.
    pub fn is_primary(&self) -> bool {
        self.name == "PRIMARY"
    }
}

/// How the copy and verify walk a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// By the columns of a key (indexes into [`Table::columns`]) that identifies every row.
    Key(Vec<usize>),
    /// By the columns of a unique key some of whose columns may be NULL: rows with a NULL form one range of their own.
    NullableKey(Vec<usize>),
    /// No usable key: the whole table at once.
    Whole,
}

/// A base table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Full name.
    pub name: TableName,
    /// Storage engine, as `information_schema.TABLES` spells it.
    pub engine: String,
    /// Default collation of the table.
    pub collation: String,
    /// Estimated rows (InnoDB's statistics; may be far off).
    pub rows_estimate: u64,
    /// Bytes of data, estimated.
    pub data_bytes: u64,
    /// Bytes of secondary indexes, estimated.
    pub index_bytes: u64,
    /// Next AUTO_INCREMENT value, when the table has such a column.
    pub auto_increment: Option<u64>,
    /// The server's own `SHOW CREATE TABLE` text, byte for byte, but for defaults whose characters the server lost in printing: these
    /// stand as the hexadecimal literal of their bytes.
    pub create: String,
    /// Columns in the table's order, invisible and generated ones included.
    pub columns: Vec<Column>,
    /// Keys, the primary one first.
    pub keys: Vec<Key>,
    /// Has `WITH SYSTEM VERSIONING` (MariaDB).
    pub system_versioned: bool,
    /// Foreign keys that change its rows by themselves; see [`Table::cascading_keys`]. `None` in what older versions have noted.
    #[serde(default)]
    pub cascades: Option<Vec<CascadingKey>>,
    /// Why the model cannot carry this table exactly, if so. Shown in the plan as unsupported.
    pub unsupported: Option<String>,
}

impl Table {
    /// Indexes of the columns that a copy carries: all but generated ones and row periods.
    pub fn copied_columns(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&i| !self.columns[i].generated && !self.columns[i].row_period).collect()
    }

    /// Bytes of data by the server's statistics, or by the row count where those lag behind it, as they do after a bulk load (seen on
    /// 9.7.4: 64 KiB for 700,000 rows). For deciding how to cut and what to do first, never for what is right.
    pub fn bytes_estimate(&self) -> u64 {
        /// A row of a few short columns with InnoDB's overhead.
        const ROW_BYTES: u64 = 80;
        self.data_bytes.max(self.rows_estimate.saturating_mul(ROW_BYTES))
    }

    /// The key by which [`Table::walk`] goes.
    pub fn walk_key(&self) -> Option<&Key> {
        let usable = |key: &&Key| {
            key.unique
                && key.index_type == "BTREE"
                && key.parts.iter().all(|p| p.prefix.is_none() && p.column.is_some_and(|c| self.columns[c].orders_a_walk()))
        };
        if let Some(primary) = self.keys.iter().filter(usable).find(|k| k.is_primary()) {
            return Some(primary);
        }
        self.keys.iter().filter(usable).min_by_key(|k| (self.may_hold_null(k), k.parts.len()))
    }

    fn may_hold_null(&self, key: &Key) -> bool {
        key.parts.iter().filter_map(|p| p.column).any(|c| self.columns[c].nullable)
    }

    /// Its engine has transactions, so that a snapshot holds for it.
    pub fn has_transactions(&self) -> bool {
        ["INNODB", "XENGINE", "ROCKSDB", "MYROCKS", "TOKUDB", "NDBCLUSTER", "NDB"].contains(&self.engine.to_ascii_uppercase().as_str())
    }

    /// How this table is walked in key order: the primary key, else the shortest unique key without NULLs, else a unique key with
    /// nullable columns, else the whole table. Keys with prefixes, expressions, generated columns, approximate numbers (FLOAT,
    /// DOUBLE) or MariaDB's CHAR without padding do not count: their order or identity is not the one a comparison of column values sees.
    pub fn walk(&self) -> Walk {
        match self.walk_key() {
            Some(key) => {
                let columns = key.parts.iter().filter_map(|p| p.column).collect();
                if self.may_hold_null(key) { Walk::NullableKey(columns) } else { Walk::Key(columns) }
            }
            None => Walk::Whole,
        }
    }
}

/// Anything in a database that is not a base table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherObject {
    /// `view`, `procedure`, `function`, `trigger`, `event`, `sequence`, `package`.
    pub kind: String,
    /// Database.
    pub database: String,
    /// Name.
    pub name: String,
    /// `SHOW CREATE` text; empty where there is none or the account may not read it.
    pub create: String,
    /// A sequence's next value that is not cached yet, in digits.
    pub position: Option<String>,
    /// Settings under which the text of a view, routine, trigger or event was given.
    pub session: Option<ProgramSession>,
}

/// The settings of the session that made a view, routine, trigger or event, as far as they give its text a meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramSession {
    /// `sql_mode`; empty for views, which are kept in a form that needs none.
    pub sql_mode: String,
    /// `collation_connection`: what literals without a charset of their own are in.
    pub collation_connection: String,
    /// The database's default collation then: what parameters and variables without a charset are in.
    pub collation_database: String,
    /// An event's time zone.
    pub time_zone: Option<String>,
}

impl OtherObject {
    /// An object of which no more than this is known.
    pub fn new(kind: impl Into<String>, database: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), database: database.into(), name: name.into(), create: String::new(), position: None, session: None }
    }
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Name as the server spells it.
    pub name: String,
    /// Default charset.
    pub charset: String,
    /// Default collation.
    pub collation: String,
    /// `SHOW CREATE DATABASE` text.
    pub create: String,
}

/// What was read of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Databases in scope, by name.
    pub databases: Vec<Database>,
    /// Base tables in scope, by name.
    pub tables: Vec<Table>,
    /// Views, routines, triggers, events, sequences of the databases in scope.
    pub others: Vec<OtherObject>,
    /// Collations the server knows.
    pub collations: Vec<String>,
    /// Engines the server can create tables with.
    pub engines: Vec<String>,
}

impl Catalog {
    /// The table of that name.
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|t| &t.name == name)
    }

    /// The database of that name.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.databases.iter().find(|d| d.name == name)
    }
}
