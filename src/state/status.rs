//! What `status` says, as data: made by [`super::read`], shown by `report::status`, and the form of `schemas/status.v1.json`.
//!
//! Times are RFC 3339 in UTC with milliseconds. Numbers of rows and bytes of tables that are not finished yet are estimates of the
//! source's statistics wherever the name says so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lock::Holder;
use crate::{catalog::TableName, event::Phase};

/// Version of the status document; the minor number grows when something is added.
pub const FORMAT_VERSION: &str = "1.3";

/// The JSON Schema (draft-07) of [`Status`].
pub fn schema() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<Status>().to_value()
}

/// The status of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "dtsctl status")]
pub struct Status {
    /// Version of this document's form, e.g. `1.0`.
    pub format_version: String,
    /// When this was read.
    pub at: String,
    /// Whose status this is.
    pub task: TaskStatus,
    /// What the task is doing.
    pub state: RunState,
    /// Who holds the lock of the state file now.
    pub holder: Option<Holder>,
    /// The latest run.
    pub run: Option<RunStatus>,
    /// Number of runs so far.
    pub runs: u64,
    /// A stop that was asked for and has not happened yet.
    pub stop_requested: Option<StopStatus>,
    /// The phases that have begun, in order.
    pub phases: Vec<PhaseStatus>,
    /// The rows of all tables together.
    pub totals: Totals,
    /// The tables of the copy, by name.
    pub tables: Vec<TableStatus>,
    /// The incremental phase, once it has begun.
    #[serde(default)]
    pub follow: Option<FollowStatus>,
    /// Rows that were not as they had to be, in all runs, and were dealt with as `conflict.rows` says.
    #[serde(default)]
    pub conflicts: Vec<ConflictStatus>,
    /// Row changes that `operations` of the spec leaves out, and rows that are not as at the source for that reason, in all runs.
    #[serde(default)]
    pub left_out: Vec<LeftOutStatus>,
    /// DDL statements of the source.
    #[serde(default)]
    pub ddl: DdlStatus,
    /// Speed limits and the number of copies at once of the latest run, as `dtsctl set` names them.
    #[serde(default)]
    pub limits: Vec<LimitStatus>,
    /// The statements run at the destination.
    pub statements: StatementsStatus,
    /// What the latest run waits for, and has waited for.
    pub waits: Vec<WaitStatus>,
    /// What the latest run wants a person to know.
    pub notes: Vec<NoteStatus>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskStatus {
    /// Its id: 16 hex digits, also in the `dts` tables at the destination.
    pub id: String,
    /// The spec's name.
    pub name: String,
    /// When its state file was made.
    pub created: String,
    /// Digest of the spec of the latest run.
    pub spec_digest: String,
    /// How many different specs it has run with.
    pub specs: u64,
    /// Source server.
    pub source: ServerStatus,
    /// Destination server.
    pub destination: ServerStatus,
}

/// A server as the latest run found it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerStatus {
    /// `host:port` or the socket's path.
    pub address: String,
    /// Flavour and version.
    pub version: String,
    /// What tells it from other servers.
    pub identity: String,
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A process holds the lock and has not begun its run yet.
    Starting,
    /// A run is going on.
    Running,
    /// The latest run did all it was asked for.
    Finished,
    /// The latest run stopped on request.
    Stopped,
    /// The latest run failed.
    Failed,
    /// The latest run was killed, or its machine went down.
    Killed,
    /// No run yet.
    New,
}

impl RunState {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::New => "new",
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunStatus {
    /// Number in this state file, from 1.
    pub number: i64,
    /// When it began.
    pub started: String,
    /// When it ended; absent while it runs and when it was killed.
    pub ended: Option<String>,
    /// How long it took, or takes so far; absent when it was killed.
    pub seconds: Option<f64>,
    /// What it failed with.
    pub error: Option<String>,
    /// Its process.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// Its version of dtsctl.
    pub version: String,
    /// Id of the plan it executes.
    pub plan_id: Option<String>,
}

/// A stop somebody asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StopStatus {
    /// When it is to stop: `now`, or a point as `apply --until` takes it.
    pub when: String,
    /// When it was asked for.
    pub requested: String,
}

/// How far a phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PhaseState {
    /// Begun; the task is not over.
    Running,
    /// Begun by a run that has ended.
    Interrupted,
    /// Done.
    Finished,
}

impl PhaseState {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Finished => "finished",
        }
    }
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseStatus {
    /// Which.
    pub phase: Phase,
    /// How far.
    pub state: PhaseState,
    /// When a run first began with it.
    pub started: Option<String>,
    /// When it was finished.
    pub finished: Option<String>,
    /// From its first start to its end, pauses between runs included; or until now while it runs.
    pub seconds: Option<f64>,
}

/// Rows and bytes of all tables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Tables of the copy.
    pub tables: u64,
    /// Those finished.
    pub tables_finished: u64,
    /// Rows read and settled at the destination: written, or kept as they were there.
    pub rows_done: u64,
    /// Of these, rows that the destination had under the same key and that were kept (`conflict.existing_tables: ignore`).
    pub rows_kept: u64,
    /// Rows expected: exact for finished tables, estimated for the others.
    pub rows_expected: u64,
    /// Bytes of column values committed.
    pub bytes_done: u64,
    /// Rows in a second: of the last half minute while a run goes on, else the average of the latest run.
    pub rows_per_second: Option<f64>,
    /// Bytes in a second, likewise.
    pub bytes_per_second: Option<f64>,
    /// Seconds left for the copy at the present rate; absent when nobody can tell.
    pub eta_seconds: Option<u64>,
}

/// How far a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TableState {
    /// Its turn has not come.
    Pending,
    /// Being copied.
    Copying,
    /// Partly copied by a run that has ended.
    Interrupted,
    /// All of its rows are at the destination.
    Finished,
}

impl TableState {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Copying => "copying",
            Self::Interrupted => "interrupted",
            Self::Finished => "finished",
        }
    }
}

/// A table of the copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TableStatus {
    /// Source table.
    pub table: TableName,
    /// Where its rows go.
    pub destination: TableName,
    /// How far.
    pub state: TableState,
    /// Rows read and settled at the destination: written, or kept as they were there.
    pub rows_done: u64,
    /// Of these, rows that the destination had under the same key and that were kept (`conflict.existing_tables: ignore`).
    pub rows_kept: u64,
    /// Rows the source's statistics promise.
    pub rows_estimate: u64,
    /// Bytes of column values committed.
    pub bytes_done: u64,
    /// Bytes the source's statistics promise.
    pub bytes_estimate: u64,
    /// Ranges it is cut into; 0 before its turn.
    pub ranges: u64,
    /// Those finished.
    pub ranges_finished: u64,
    /// Chunks committed.
    pub chunks: u64,
    /// When a run first began with it.
    pub started: Option<String>,
    /// When it was finished.
    pub finished: Option<String>,
    /// Rows in a second, on average since the latest run began with it.
    pub rows_per_second: Option<f64>,
}

/// The statements of the latest run, and how many there were in all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementsStatus {
    /// Finished, in all runs.
    pub finished: u64,
    /// Of those, found done by a later run.
    pub found_done: u64,
    /// With warnings, in all runs.
    pub with_warnings: u64,
    /// Milliseconds of all of them together.
    pub milliseconds: u64,
    /// Running now, or begun by a run that was killed.
    pub open: Vec<StatementStatus>,
    /// Refused by the server, in the latest run.
    pub failed: Vec<StatementStatus>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementStatus {
    /// Its action in the plan.
    pub action: String,
    /// Position among the action's statements, from 0.
    pub index: u64,
    /// What it is for.
    pub object: String,
    /// Its text.
    pub sql: String,
    /// When it was sent.
    pub started: String,
    /// Seconds it has run so far.
    pub seconds: Option<f64>,
    /// The server's answer.
    pub error: Option<String>,
}

/// A wait of the latest run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitStatus {
    /// Who waits.
    pub who: String,
    /// For what.
    pub reason: String,
    /// Since when; absent when it is over.
    pub since: Option<String>,
    /// How often it has waited.
    pub times: u64,
    /// Seconds it has waited in all, the present wait included.
    pub seconds: f64,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoteStatus {
    /// When it was said last.
    pub at: String,
    /// The text.
    pub text: String,
    /// How often.
    pub times: u64,
}

/// How far the incremental phase is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FollowStatus {
    /// When the first run began with it.
    pub began: String,
    /// How far the latest run is to go, as `apply --until` takes it.
    pub until: String,
    /// Where the first run began.
    pub from: PositionStatus,
    /// Everything before it is at the destination.
    pub position: PositionStatus,
    /// How far the latest run has read.
    pub read: Option<PositionStatus>,
    /// When the newest transaction at the destination was committed at the source.
    pub source_time: Option<String>,
    /// When the latest commit at the destination was.
    pub last_commit: Option<String>,
    /// When everything the source had was at the destination last.
    pub caught_up: Option<String>,
    /// Seconds between the newest change at the destination and the source's clock; in a quiet source the age of its last change. Absent
    /// when nobody can tell, and when nothing runs.
    pub lag_seconds: Option<f64>,
    /// Nothing is left to read or to write. Absent when nothing runs.
    pub idle: Option<bool>,
    /// The lag is measured by the heartbeat row, and not by the times of the source's transactions alone.
    pub by_heartbeat: bool,
    /// Writing sessions.
    pub lanes: u64,
    /// Those at work.
    pub lanes_busy: u64,
    /// Bytes of changes that are read and not committed yet.
    pub backlog_bytes: u64,
    /// Source transactions carried, in all runs.
    pub transactions: u64,
    /// Row changes carried, in all runs, before folding.
    pub row_events: u64,
    /// Rows inserted at the destination, in all runs, after folding.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Bytes of row images carried.
    pub bytes: u64,
    /// Commits at the destination.
    pub commits: u64,
    /// How long the source keeps its binlog, as last measured.
    #[serde(default)]
    pub retention: Option<RetentionStatus>,
    /// Source transactions in a second: of the last half minute while a run goes on, else the average of the latest run.
    pub transactions_per_second: Option<f64>,
    /// Row changes in a second, likewise.
    pub rows_per_second: Option<f64>,
    /// Bytes in a second, likewise.
    pub bytes_per_second: Option<f64>,
}

/// How long the source keeps its binlog. An apply may stand still for as long, and no longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetentionStatus {
    /// When this was measured.
    pub at: String,
    /// After how many seconds the source removes a file by itself; 0 for never, absent when it does not say.
    pub removed_after_seconds: Option<u64>,
    /// Seconds from the first event of the oldest file to the time of measuring.
    pub oldest_seconds: Option<u64>,
    /// Seconds that a task needs whose copy is done: 24 hours, 72 on PolarDB.
    pub needed_seconds: u64,
    /// Less is kept than is needed.
    pub short: bool,
}

/// A position in the source's binlog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PositionStatus {
    /// The binlog file's name.
    pub file: String,
    /// Offset in it, in bytes.
    pub offset: u64,
    /// The GTIDs before it in the source's notation, where it has them.
    pub gtid: Option<String>,
}

/// Rows of a table that were not as they had to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConflictStatus {
    /// Source table.
    pub table: TableName,
    /// `insert-exists`, `update-missing`, `update-exists`, `update-lost`, `delete-missing` or `cascade-missed`.
    pub kind: String,
    /// Columns of the key.
    pub key: Vec<String>,
    /// How many rows.
    pub rows: u64,
    /// When the first was met.
    pub first: String,
    /// When the last was.
    pub last: String,
}

/// Rows of a table that the spec's choice of operations leaves out, or makes other than the source's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOutStatus {
    /// Source table.
    pub table: TableName,
    /// `insert-left-out`, `update-left-out`, `delete-left-out`: row changes that were not carried. `table-left-out`: events of a table that was
    /// not made. `row-replaced`: rows that had stayed at the destination and gave way to one of the source. `row-absent`: rows to be changed
    /// or deleted that had never been brought.
    pub kind: String,
    /// How many rows; of `table-left-out` how many events.
    pub rows: u64,
    /// When the last was met.
    pub last: String,
}

/// DDL statements of the source in the incremental phase, of all runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DdlStatus {
    /// How many of each class came out how.
    pub counts: Vec<DdlCount>,
    /// Those the destination refused, the latest last; at most 1,000.
    pub failed: Vec<DdlStatement>,
    /// The latest that ran, the latest last; at most 20.
    pub carried: Vec<DdlStatement>,
}

/// Statements of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DdlCount {
    /// Such as `alter-table`.
    pub class: String,
    /// `carried`, `skipped` or `failed`.
    pub outcome: String,
    /// How many.
    pub times: u64,
    /// When the last was.
    pub last: String,
    /// Why the last was skipped.
    pub reason: Option<String>,
}

/// A DDL statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DdlStatement {
    /// When it was dealt with.
    pub at: String,
    /// Where it stands in the source's binlog, `file:offset`.
    pub place: String,
    /// Its GTID, where it has one.
    pub gtid: Option<String>,
    /// Such as `alter-table`.
    pub class: String,
    /// The object.
    pub object: Option<String>,
    /// Its text at the destination.
    pub sql: String,
    /// How long it took.
    pub milliseconds: Option<u64>,
    /// The server's answer.
    pub error: Option<String>,
}

/// A limit in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitStatus {
    /// Such as `throttle.full.rps`.
    pub name: String,
    /// Its value.
    pub value: f64,
}
