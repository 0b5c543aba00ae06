//! Verify: whether both ends hold the same rows, proven by the servers and explained by the tool.
//!
//! Key range by key range, each server counts its rows and sums their hashes; ranges that differ are narrowed and their rows compared
//! value by value, both ends streaming at once. The result is a [`VerifyReceipt`]. Nothing here writes to a server, prints, or lets a
//! row's values into a message; key values are put into the receipt only where [`Settings::keys`] permits it.
//!
//! The hard idea: both servers must see the same bytes for the same value ([`expression`]), and no order of keys is ever assumed: sums do
//! not mind it, and where the two servers might order keys differently a differing range settles nothing, the whole table is looked at
//! as a multiset instead ([`multiset`]). So a wrong guess about order costs time and never an answer.
//!
//! - `expression`: columns in a form that does not depend on the server
//! - `narrow`: checksums of a range, and what to do when they differ
//! - `compare`, `json`: rows compared in the tool
//! - `multiset`: whole tables
//! - `live`: looking again while the source is written to
//! - `run`: tables and ranges over the workers
//! - `receipt`: what comes out

mod compare;
mod expression;
mod json;
mod live;
mod multiset;
mod narrow;
mod plan;
mod receipt;
mod run;
mod session;
mod tally;

use crate::{
    catalog::{ColumnMap, Table, TableName},
    connect::{ConnectError, RetryWindows},
};

pub use live::{Apply, Live};
pub use receipt::*;
pub use run::{run, run_beside};

/// Two tables that should hold the same rows.
#[derive(Debug, Clone)]
pub struct TablePair {
    /// At the source.
    pub source: Table,
    /// Name at the destination.
    pub destination_name: TableName,
    /// At the destination; `None` when it is not there: then all rows are missing.
    pub destination: Option<Table>,
    /// A column that the destination lacks is reported and no difference (`conflict.existing_tables: ignore`).
    pub common_columns_only: bool,
    /// Which columns are compared, and what they are called at the destination; which of the source's rows.
    pub columns: ColumnMap,
}

/// What to compare and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tables.
    pub tables: Vec<TablePair>,
    /// All rows, a sample, or counts.
    pub mode: Mode,
    /// Ranges compared at a time; each takes one session per end. At least 1.
    pub threads: usize,
    /// Differences per table after which no closer look is taken, and how many rows are named at most.
    pub max_diffs: u64,
    /// Puts the keys of differing rows into the receipt.
    pub keys: bool,
    /// Chooses the ranges of a sample.
    pub seed: u64,
    /// Stream all rows and compare them byte by byte instead of by checksums: slower, and sees every bit.
    pub stream: bool,
    /// Digest of the spec, for the receipt.
    pub spec_digest: Option<String>,
    /// How long lost connections and failing statements are tried again.
    pub retry: RetryWindows,
}

/// What verify tells while it runs. Holds no values of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Work on a table begins.
    TableStarted {
        /// The table at the source.
        table: TableName,
        /// Estimated rows.
        rows_estimate: u64,
    },
    /// Some more of a table is compared.
    RowsCompared {
        /// The table at the source.
        table: TableName,
        /// Rows of the range just compared, at the source.
        rows: u64,
    },
    /// A table is done.
    TableFinished {
        /// The table at the source.
        table: TableName,
        /// Result.
        verdict: Verdict,
    },
    /// Waiting for a server.
    Waiting {
        /// For what.
        reason: String,
    },
    /// The wait is over.
    WaitOver,
}

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A server could not be reached or failed a statement.
    #[error("verify {table}")]
    Table {
        /// The table at the source.
        table: TableName,
        /// What happened.
        #[source]
        source: Box<ConnectError>,
    },
    /// No session could be had.
    #[error("verify cannot begin")]
    Open(#[source] Box<ConnectError>),
    /// It kept failing for as long as the named setting allows.
    #[error("verify gave up after {window}")]
    GaveUp {
        /// `retry.connection` or `retry.other`.
        window: &'static str,
        /// The last failure.
        #[source]
        source: Box<ConnectError>,
    },
    /// Somebody asked to stop.
    #[error("verify stopped on request")]
    Stopped,
}
