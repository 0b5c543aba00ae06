//! The resolved spec: every default filled in, every variable replaced, every path absolute or relative to the
//! working folder. This is what the rest of the program uses; [`super::written`] is what a person types.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ddl::condition::Filter;

use super::account::AccountPattern;
use super::pattern::Pattern;
use super::select::Selection;
use super::{
    rename::{Rename, RenamePattern},
    secret::{PasswordSource, Secret},
};

/// One task: what the destination shall hold, where it comes from, and under which limits.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The lock and state key: 1 to 57 characters of `A-Z a-z 0-9 . _ -`, so that `dtsctl:<name>` fits `GET_LOCK`.
    pub name: String,
    /// Free labels, shown and never interpreted.
    pub labels: BTreeMap<String, String>,
    /// Where the rows come from.
    pub source: Endpoint,
    /// Where the rows go.
    pub destination: Endpoint,
    /// Which phases run.
    pub phases: Phases,
    /// Where an incremental phase without a full copy begins.
    pub start: Start,
    /// One-way or two-way.
    pub topology: Topology,
    /// What is selected, in the order of the file. Ask [`Spec::selection`] rather than reading it.
    pub objects: Vec<ObjectSelection>,
    /// What to do about what already exists at the destination.
    pub conflict: Conflict,
    /// How names are written at the destination.
    pub names: Names,
    /// Options of the schema phase.
    pub schema: SchemaOptions,
    /// Accounts to carry over.
    pub accounts: Accounts,
    /// How temporary tables of online schema changes are treated.
    pub online_ddl: OnlineDdl,
    /// How long to go on trying.
    pub retry: Retry,
    /// Whose window [`Retry::connection`] is, when another task on the same server has a shorter one; filled by the command.
    pub retry_shared: Option<SharedRetry>,
    /// Speed limits.
    pub throttle: Throttle,
    /// The heartbeat row at the source.
    pub heartbeat: Heartbeat,
    /// What a DDL statement that fails at the destination does.
    pub ddl_errors: DdlErrors,
    /// Who is told of what a person should see to.
    pub alerts: Option<Alerts>,
    /// How `verify` compares.
    pub verify: VerifyOptions,
    /// Options of the prechecks.
    pub precheck: PrecheckOptions,
    /// Unsafe actions that the reviewers of the spec permit.
    pub allow: Vec<Allowance>,
    /// SHA-256, in lower-case hex, of the canonical resolved spec. Password values are no part of it, their sources are.
    pub digest: String,
    /// The whole resolved document with passwords as `***`: for `validate --print` and the spec history.
    pub resolved: serde_json::Value,
}

impl Spec {
    /// The selection as pure questions about names.
    pub fn selection(&self) -> Selection<'_> {
        Selection::new(&self.objects).written(self.names.case).without_online(&self.online_ddl)
    }
}

/// One end of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The engine the spec insists on; `None` means as detected.
    pub engine: Option<Engine>,
    /// Where the server listens.
    pub address: Address,
    /// The account's user name.
    pub user: String,
    /// The password's value. Empty until [`super::read_passwords`] has run.
    pub password: Secret,
    /// Where the password comes from.
    pub password_from: PasswordSource,
    /// Encryption of the connection.
    pub tls: Tls,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Host name or IP address (IPv6 without brackets) and port.
    Tcp {
        /// Host name or IP address.
        host: String,
        /// Port, 1 to 65535.
        port: u16,
    },
    /// A Unix domain socket.
    Socket(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The engine of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// MySQL, self-managed.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// RDS for MySQL.
    RdsMysql,
    /// PolarDB for MySQL.
    PolardbMysql,
}

/// Encryption of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// How much is demanded.
    pub mode: TlsMode,
    /// PEM file with the authorities to trust; `None` with `verify-identity` means the public ones.
    pub ca: Option<PathBuf>,
    /// PEM file with the client's certificate.
    pub cert: Option<PathBuf>,
    /// PEM file with the client's private key.
    pub key: Option<PathBuf>,
}

/// How much encryption is demanded, in the words of the MySQL client's `--ssl-mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never encrypted.
    Disabled,
    /// Encrypted when the server offers it; nothing is verified. The default.
    #[default]
    Preferred,
    /// Encrypted, or no connection; nothing is verified.
    Required,
    /// Encrypted, and the server's certificate is signed by `ca`.
    VerifyCa,
    /// As `verify-ca`, and the certificate names the host that was asked for.
    VerifyIdentity,
}

/// Which phases run, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// Create or align databases and tables at the destination.
    pub schema: bool,
    /// Copy the rows.
    pub full: bool,
    /// Follow the binlog.
    pub incremental: bool,
}

/// Where an incremental phase without a full copy begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At the source's position when `apply` begins.
    #[default]
    Now,
    /// After this GTID set.
    Gtid(String),
    /// At this place of this binlog file.
    Position {
        /// The binlog file's name.
        file: String,
        /// The offset in bytes.
        offset: u64,
    },
}

impl std::str::FromStr for Start {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            None if text == "now" => Ok(Self::Now),
            Some(("gtid", set)) => {
                // Spaces and line breaks stand in what a server prints.
                let set: String = set.chars().filter(|c| !c.is_whitespace()).collect();
                let known = set.chars().all(|c| c.is_ascii_alphanumeric() || "-:,_".contains(c));
                if set.is_empty() || !known { Err(()) } else { Ok(Self::Gtid(set)) }
            }
            Some(("pos", place)) => match place.rsplit_once(':') {
                Some((file, offset)) if !file.is_empty() => {
                    Ok(Self::Position { file: file.to_owned(), offset: offset.parse().map_err(drop)? })
                }
                _ => Err(()),
            },
            _ => Err(()),
        }
    }
}

/// The shape of the task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// From the source to the destination.
    #[default]
    OneWay,
    /// Both ends write. Not supported yet.
    TwoWay,
}

/// One entry of `objects`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSelection {
    /// The source database, by name or by glob.
    pub database: Pattern,
    /// The database's name at the destination; `None` keeps it.
    pub rename: Option<Rename>,
    /// What the tables and views of a whole database are called at the destination; what it does not match keeps its name.
    pub rename_tables: Option<RenamePattern>,
    /// Tables and views that are left out.
    pub exclude: Vec<Pattern>,
    /// Only these tables; `None` is the whole database.
    pub tables: Option<Vec<TableSelection>>,
    /// The operations that the incremental phase carries; `None` is all.
    pub operations: Option<Vec<Operation>>,
}

/// One entry of `tables`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSelection {
    /// The source table, by name or by glob.
    pub name: Pattern,
    /// The table's name at the destination; `None` keeps it.
    pub rename: Option<Rename>,
    /// Only these rows.
    pub filter: Option<Filter>,
    /// Columns left out or renamed.
    pub columns: Option<ColumnSelection>,
    /// The operations that the incremental phase carries; `None` is what its database says.
    pub operations: Option<Vec<Operation>>,
}

/// Columns left out or renamed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnSelection {
    /// Columns left out.
    pub exclude: Vec<String>,
    /// Source column to destination column.
    pub rename: BTreeMap<String, String>,
}

/// An operation that the incremental phase carries (requirements group E).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// ALTER TABLE.
    AlterTable,
    /// ALTER VIEW.
    AlterView,
    /// CREATE FUNCTION.
    CreateFunction,
    /// CREATE INDEX.
    CreateIndex,
    /// CREATE PROCEDURE.
    CreateProcedure,
    /// CREATE TABLE.
    CreateTable,
    /// CREATE VIEW.
    CreateView,
    /// DROP INDEX.
    DropIndex,
    /// DROP TABLE.
    DropTable,
    /// RENAME TABLE.
    RenameTable,
    /// TRUNCATE TABLE.
    TruncateTable,
}

impl Operation {
    /// All of them: what is carried when the spec does not choose.
    pub const ALL: [Self; 14] = [
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::AlterTable,
        Self::AlterView,
        Self::CreateFunction,
        Self::CreateIndex,
        Self::CreateProcedure,
        Self::CreateTable,
        Self::CreateView,
        Self::DropIndex,
        Self::DropTable,
        Self::RenameTable,
        Self::TruncateTable,
    ];

    /// As the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::AlterTable => "alter-table",
            Self::AlterView => "alter-view",
            Self::CreateFunction => "create-function",
            Self::CreateIndex => "create-index",
            Self::CreateProcedure => "create-procedure",
            Self::CreateTable => "create-table",
            Self::CreateView => "create-view",
            Self::DropIndex => "drop-index",
            Self::DropTable => "drop-table",
            Self::RenameTable => "rename-table",
            Self::TruncateTable => "truncate-table",
        }
    }

    /// Without it, rows of the destination may be others than the source's.
    pub fn is_of_rows(self) -> bool {
        matches!(self, Self::Insert | Self::Update | Self::Delete | Self::DropTable | Self::TruncateTable)
    }

    /// It is about what only a database that is selected as a whole has.
    pub fn is_of_whole_databases(self) -> bool {
        matches!(self, Self::AlterView | Self::CreateView | Self::CreateFunction | Self::CreateProcedure)
    }
}

/// What to do about what already exists at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// About tables.
    pub existing_tables: ExistingTables,
    /// About rows, in the incremental phase.
    pub rows: RowConflict,
}

/// What to do about tables that exist at the destination before the first apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExistingTables {
    /// A precheck fails and nothing starts. The default.
    #[default]
    Fail,
    /// The table is used as it is: only columns that both ends have are copied, and rows that exist are kept.
    Ignore,
    /// The table is altered towards the source; whatever would lose data needs `allow` or `--allow-unsafe`.
    Align,
}

/// What the incremental phase does with a row that is not as it must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RowConflict {
    /// Stop and name the position.
    Fail,
    /// Keep the destination's row.
    Ignore,
    /// The source's row wins. The default.
    #[default]
    Overwrite,
}

/// How names are written at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Capitalisation.
    pub case: NameCase,
}

/// Capitalisation of names at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NameCase {
    /// What the destination's own rules make of them. The default.
    #[default]
    Default,
    /// As at the source.
    Source,
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
}

/// Options of the schema phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaOptions {
    /// The storage engine of tables at the destination.
    pub engine: StorageEngine,
    /// What happens to triggers.
    pub triggers: TriggerMode,
    /// Whether the plan adds notes on how well the schema fits the destination. They never change pass or fail.
    pub assess: bool,
    /// When secondary indexes are built.
    pub secondary_indexes: SecondaryIndexes,
}

/// The storage engine of tables at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StorageEngine {
    /// InnoDB. The default.
    #[default]
    Innodb,
    /// PolarDB's X-Engine. Not supported yet.
    XEngine,
}

/// What happens to triggers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerMode {
    /// They are left out and listed, to be created when one cuts over. The default.
    #[default]
    Manual,
    /// They are carried, wrapped so that they do nothing for dtsctl's own sessions.
    Auto,
}

/// When secondary indexes are built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecondaryIndexes {
    /// After the rows where that is faster, else with the table. The default.
    #[default]
    Auto,
    /// With the table, before the rows.
    Before,
    /// After the rows, always.
    After,
}

/// Accounts to carry over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Which accounts of the source.
    pub migrate: Vec<AccountPattern>,
}

/// How temporary tables of online schema changes are treated, and how they are known.
#[derive(Clone, Debug, Default)]
pub struct OnlineDdl {
    /// How they are treated.
    pub mode: OnlineDdlMode,
    /// What the names of tables under change match; the first group is the original's name.
    pub shadow: Vec<Regex>,
    /// What the names of tables match that serve the tool or are thrown away after the change; the first group is the original's name.
    pub trash: Vec<Regex>,
}

impl OnlineDdl {
    /// The original that a table is the shadow of.
    pub fn shadow_of(&self, table: &str) -> Option<String> {
        self.original(&self.shadow, table)
    }

    /// The original that a table is a tool's or the remains of.
    pub fn trash_of(&self, table: &str) -> Option<String> {
        self.original(&self.trash, table)
    }

    fn original(&self, patterns: &[Regex], table: &str) -> Option<String> {
        if self.mode == OnlineDdlMode::Copy {
            return None;
        }
        patterns.iter().find_map(|pattern| Some(pattern.captures(table)?.get(1)?.as_str().to_owned()))
    }
}

/// How temporary tables of online schema changes are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnlineDdlMode {
    /// They are copied like any table. The default.
    #[default]
    Copy,
    /// They are not carried; what was changed in the shadow table is changed in the original when that is replaced by it.
    GhOst,
    /// The same for lock-free changes of Alibaba Cloud DMS, whose names the spec has to give. Built to what is published of it, and never
    /// run against it.
    Dms,
}

/// How long to go on trying before the run fails with its progress kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// For lost connections: 10 minutes to 24 hours; the window begins anew after each success.
    pub connection: Duration,
    /// For statements that fail: 1 minute to 24 hours, below `connection`.
    pub other: Duration,
}

/// A task on one of the same servers whose window for lost connections is shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedRetry {
    /// Its name.
    pub task: String,
    /// The server that both use.
    pub address: String,
    /// The window that this spec asks for.
    pub own: Duration,
}

/// Speed limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Throttle {
    /// Of the full copy.
    pub full: FullThrottle,
    /// Of the incremental phase.
    pub incremental: IncrementalThrottle,
}

/// Speed limits of the full copy; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FullThrottle {
    /// Queries at the source per second.
    pub qps: Option<u64>,
    /// Rows per second.
    pub rps: Option<u64>,
    /// Megabytes (10^6 bytes) per second.
    pub mbps: Option<f64>,
}

/// Speed limits of the incremental phase; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IncrementalThrottle {
    /// Rows per second.
    pub rps: Option<u64>,
    /// Megabytes (10^6 bytes) per second.
    pub mbps: Option<f64>,
}

/// The heartbeat row at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Whether it is written.
    pub write: bool,
    /// How often: 100 ms to 10 minutes.
    pub interval: Duration,
}

/// What a DDL statement that fails at the destination does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DdlErrors {
    /// It is recorded and shown, and the task goes on. The default.
    #[default]
    Continue,
    /// The task stops at its position.
    Stop,
}

/// Who is told of what a person should see to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// The program and its arguments, as written; at least the program.
    pub command: Vec<String>,
    /// The folder in which it runs: the spec's.
    pub folder: PathBuf,
    /// Where the program is, or why it cannot be run; filled by the command.
    pub program: AlertProgram,
    /// What is told.
    pub events: Vec<AlertEvent>,
    /// The lag above which it is told.
    pub lag: Option<Duration>,
    /// How long it stays above, or below again.
    pub lag_for: Duration,
    /// How long a wait lasts before it is told.
    pub waiting: Duration,
    /// How long the full copy of a run may take.
    pub full_timeout: Option<Duration>,
    /// The same of the same object is told once in this time.
    pub repeat: Duration,
    /// How long the command may run.
    pub timeout: Duration,
}

/// What is known of the program of [`Alerts`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AlertProgram {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// It is here: an absolute path.
    Found(PathBuf),
    /// It cannot be run, for this reason.
    Unusable(String),
}

/// What [`Alerts`] tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertEvent {
    /// The apply has ended with an error. Not told when somebody asked it to stop.
    Stopped,
    /// The lag stays above the limit; and once when it is back below.
    Lag,
    /// A DDL statement of the source failed at the destination, and the task goes on.
    DdlFailed,
    /// A row at the destination was not as it had to be, and was dealt with as `conflict.rows` says.
    Conflict,
    /// It waits for long, for a server above all; and once when that is over.
    Waiting,
    /// The full copy takes longer than the limit.
    FullTimeout,
    /// The apply has finished, and some of the above was met on the way: conflicts or failed DDL statements.
    FinishedUnexpected,
}

impl AlertEvent {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Stopped, Self::Lag, Self::DdlFailed, Self::Conflict, Self::Waiting, Self::FullTimeout, Self::FinishedUnexpected];

    /// As the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Lag => "lag",
            Self::DdlFailed => "ddl-failed",
            Self::Conflict => "conflict",
            Self::Waiting => "waiting",
            Self::FullTimeout => "full-timeout",
            Self::FinishedUnexpected => "finished-unexpected",
        }
    }
}

/// How `verify` compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// What is compared.
    pub mode: VerifyMode,
}

/// What `verify` compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyMode {
    /// Every row. The default.
    #[default]
    Full,
    /// A part of the key ranges, see `verify --sample`.
    Sample,
    /// Row counts only.
    Count,
}

/// Options of the prechecks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecheckOptions {
    /// Codes of alerts that do not block, such as `DT221`; shown in every plan.
    pub ignore: Vec<String>,
}

/// An unsafe action that the reviewers of the spec permit. One that is not needed, or no longer, does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What may be done.
    pub action: UnsafeAction,
    /// The destination database.
    pub database: String,
    /// The destination table.
    pub table: String,
    /// The column; `None` is any of the table, or an action that is about none.
    pub column: Option<String>,
}

/// What may lose data at the destination, in the words of the spec's `allow` list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnsafeAction {
    /// A column of the destination that the source does not have is dropped with its values.
    DropColumn,
    /// A column's new type may not hold all values the old one holds.
    NarrowType,
    /// A column's new charset may not hold all characters the old one holds.
    ChangeCharset,
    /// A column that allowed NULL no longer does.
    ForbidNull,
    /// The partitioning changes: rows that fit no partition would fail the statement, and a dropped partition loses its rows.
    ChangePartitions,
    /// A unique key's column gets a collation of the other vendor that differs in some characters: two keys may become one.
    MapCollation,
}

impl UnsafeAction {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::DropColumn, Self::NarrowType, Self::ChangeCharset, Self::ForbidNull, Self::ChangePartitions, Self::MapCollation];

    /// As the spec writes it: `drop-column`.
    pub fn name(self) -> &'static str {
        match self {
            Self::DropColumn => "drop-column",
            Self::NarrowType => "narrow-type",
            Self::ChangeCharset => "change-charset",
            Self::ForbidNull => "forbid-null",
            Self::ChangePartitions => "change-partitions",
            Self::MapCollation => "map-collation",
        }
    }

    /// The finding's code for `dtsctl explain`.
    pub fn code(self) -> &'static str {
        match self {
            Self::DropColumn => "DT112",
            Self::NarrowType => "DT113",
            Self::ChangeCharset => "DT114",
            Self::ForbidNull => "DT115",
            Self::ChangePartitions => "DT116",
            Self::MapCollation => "DT117",
        }
    }

    /// Whether an allowance for it must name its column. For the others of a column, none means any of the table.
    pub fn needs_column(self) -> bool {
        matches!(self, Self::DropColumn | Self::NarrowType | Self::ForbidNull)
    }
}

impl fmt::Display for UnsafeAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Allowance {
    /// Whether it permits this action on this destination table and column.
    pub fn permits(&self, action: UnsafeAction, database: &str, table: &str, column: Option<&str>) -> bool {
        self.action == action
            && self.database == database
            && self.table == table
            && self.column.as_deref().is_none_or(|named| column == Some(named))
    }
}

/// What a finding's code stands for, as far as the spec must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There is no such finding.
    Unknown,
    /// It can be listed in `precheck.ignore`.
    Ignorable,
    /// Its cause must be mended.
    Fixed,
}
