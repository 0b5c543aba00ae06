//! What verify hands over: a receipt that says what was compared, how, with what result, and what was not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{catalog::TableName, connect::Flavor};

/// Version of the receipt's form; the minor part grows when members are added.
pub const FORMAT_VERSION: &str = "1.1";

/// How the algorithm is named in receipts. Another way of hashing gets another name.
pub const ALGORITHM: &str = "sha256-sum32/1";

/// What the algorithm can and cannot see, for the receipt.
pub const STRENGTH: &str = "Per key range: row count, and the sum over rows of 32 bits folded from each row's SHA-256 (over typed, \
     self-delimiting values with NULLs marked). A range with one differing row goes unseen with a chance of 1 in 2^32; errors in several \
     rows cannot cancel systematically. Rows compared by the tool itself are compared byte by byte, long values by SHA-256.";

/// How much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Every row.
    Full,
    /// Some of the key ranges of each table, chosen by the seed; a table without a key, or of a single range, is compared whole.
    Sample {
        /// Share of the ranges, 1 to 100.
        percent: u8,
    },
    /// Row counts only.
    Count,
}

/// The document that `dtsctl verify` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyReceipt {
    /// Version of this document's form.
    pub format_version: String,
    /// Overall result.
    pub verdict: Verdict,
    /// Digest of the resolved spec the tables came from; absent when verify was not run for a spec.
    pub spec_digest: Option<String>,
    /// To which state of the source the result belongs.
    pub position: Position,
    /// How much was asked to be compared.
    pub mode: Mode,
    /// Seed that chose the ranges of a sample; the same seed on the same data chooses the same.
    pub seed: Option<u64>,
    /// Name of the way rows are hashed and summed.
    pub algorithm: String,
    /// What that can and cannot see.
    pub strength: String,
    /// The server compared from.
    pub source: Server,
    /// The server compared to.
    pub destination: Server,
    /// Each table, in the order asked for.
    pub tables: Vec<TableReceipt>,
    /// What holds for no single table: what verify does not look at.
    pub not_covered: Vec<NotCovered>,
    /// Wall time in milliseconds.
    pub milliseconds: u64,
}

/// The result in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No difference was found in what was compared.
    Equal,
    /// Some rows or columns differ.
    Differs,
}

/// To which state of the source a receipt belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// The data of both ends was at rest: nobody wrote. Each key range was read in one consistent snapshot per end.
    AtRest,
    /// An apply followed the source's binlog meanwhile. Each key range was read in one consistent snapshot per end, and what differed was looked
    /// at again when apply had passed the source's position of that look.
    Followed(Followed),
}

/// Which states of the source a comparison saw while the binlog was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Followed {
    /// The source's position when the comparison began.
    pub from: String,
    /// The source's position of the last look, which apply had passed.
    pub to: String,
    /// The position at which apply was held so that the last look saw one state of the source at both ends; absent where it was not needed or
    /// could not be had.
    pub held_at: Option<String>,
    /// How often differing rows were looked at again.
    pub looks: u32,
}

/// One end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `host:port` or the socket's path.
    pub address: String,
    /// Vendor and version.
    pub flavor: Flavor,
    /// What tells this server from others.
    pub identity: String,
}

/// Something that was not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotCovered {
    /// Which column, ranges or kind of object.
    pub what: String,
    /// Why.
    pub why: String,
}

/// How a table was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Checksums of key ranges made by the servers; ranges that differ were narrowed and their rows compared by the tool.
    Ranges,
    /// All rows were streamed from both ends and compared by the tool, because some column has no form that both servers can hash.
    Stream,
    /// One checksum of the whole table as a multiset; when it differs, rows were sorted out by their hash.
    Multiset,
    /// Rows were counted only.
    Count,
    /// Nothing to compare: the table is missing at the destination.
    Missing,
}

/// One table's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableReceipt {
    /// At the source.
    pub source: TableName,
    /// At the destination.
    pub destination: TableName,
    /// Result.
    pub verdict: Verdict,
    /// How it was compared.
    pub method: Method,
    /// Rows seen at the source, in what was compared.
    pub source_rows: u64,
    /// Rows seen at the destination.
    pub destination_rows: u64,
    /// Sum of the rows' hashes at the source in hexadecimal; equal data compared in equal forms gives the same whatever the ranges.
    pub source_digest: Option<String>,
    /// The same at the destination.
    pub destination_digest: Option<String>,
    /// Key ranges the table was cut into.
    pub ranges: u64,
    /// Of these, compared (fewer only in a sample).
    pub ranges_compared: u64,
    /// Rows at the source that the destination lacks.
    pub missing: u64,
    /// Rows at the destination that the source lacks.
    pub extra: u64,
    /// Rows at both ends, by key, with differing values.
    pub different: u64,
    /// Rows whose only difference is how JSON is stored or spelt: equal as JSON, type or text changed. No difference for the verdict.
    pub json_type_changed: u64,
    /// Of the rows counted above, those that differed in every look while the source was written to, and could not be looked at in one state of
    /// both ends: they may have been on their way each time.
    #[serde(default)]
    pub unsettled: u64,
    /// The counts above are exact; when not, looking closer ended at `--max-diffs` and there may be more.
    pub exact: bool,
    /// Columns in which rows differ, with the number of such rows.
    pub differing_columns: Vec<ColumnCount>,
    /// The rows found, at most `--max-diffs`; only with `--keys`.
    pub rows: Vec<RowDifference>,
    /// Columns that only the source's table has.
    pub columns_only_source: Vec<String>,
    /// Columns that only the destination's table has.
    pub columns_only_destination: Vec<String>,
    /// What of this table was not compared, and why.
    pub not_covered: Vec<NotCovered>,
    /// Time spent in milliseconds, summed over threads.
    pub milliseconds: u64,
}

/// A column and a number of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnCount {
    /// Column name at the source.
    pub column: String,
    /// Rows.
    pub rows: u64,
}

/// In what way a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The destination lacks it.
    Missing,
    /// The source lacks it.
    Extra,
    /// Both have it, with other values.
    Different,
    /// Both have it, with JSON that is equal as JSON but stored or spelt in another way.
    JsonTypeChanged,
}

/// One row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowDifference {
    /// In what way.
    pub kind: DifferenceKind,
    /// Key columns and their values as text; of a table without a key, the row's hash under the name `row`.
    pub key: Vec<KeyValue>,
    /// The differing columns.
    pub columns: Vec<String>,
    /// How many such rows: 1, or more for duplicates in a table without a key.
    pub count: u64,
}

/// One column of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyValue {
    /// Column name.
    pub column: String,
    /// Its value: numbers and UTF-8 text as they are, other bytes as `x'..'`, ENUM and SET by number as `#2`.
    pub value: Option<String>,
}

impl VerifyReceipt {
    /// Tables that differ.
    pub fn differing(&self) -> impl Iterator<Item = &TableReceipt> {
        self.tables.iter().filter(|t| t.verdict == Verdict::Differs)
    }
}

/// The JSON Schema (draft-07) of the receipt.
pub fn json_schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<VerifyReceipt>().to_value()
}
