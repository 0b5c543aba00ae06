//! What the diff answers with: changes to be made at the destination, and notes for the person who reads the plan.

use serde::{Deserialize, Serialize};

use super::accounts::AccountNotes;
use crate::catalog::{ColumnMap, TableName};

/// What may lose data: the spec's own words, so that a permission and what it permits cannot drift apart.
pub use crate::spec::UnsafeAction;

/// What kind of object a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A database.
    Database,
    /// A MariaDB sequence.
    Sequence,
    /// A base table.
    Table,
    /// A stored function.
    Function,
    /// A stored procedure.
    Procedure,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
    /// An account, named as `user@host`.
    Account,
}

impl ObjectKind {
    /// The word used in plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::View => "view",
            Self::Trigger => "trigger",
            Self::Event => "event",
            Self::Account => "account",
        }
    }
}

/// What happens to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It is made.
    Create,
    /// It is altered.
    Alter,
    /// It is dropped.
    Drop,
}

/// When the statements run. Within a stage, changes run in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// In the schema phase, before any row is copied.
    Before,
    /// When the rows are there: secondary indexes, foreign keys, counters.
    After,
}

/// Which part of an object's definition a change carries. One object may have several changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The object itself: columns, keys, checks, options, partitions.
    Definition,
    /// Secondary indexes built after the rows.
    Indexes,
    /// Foreign keys.
    ForeignKeys,
    /// The AUTO_INCREMENT counter or the position of a sequence.
    Counter,
    /// An account, and its grants on the server, on databases and tables.
    Accounts,
    /// A function or procedure.
    Routines,
    /// A view.
    Views,
    /// A trigger.
    Triggers,
    /// An event.
    Events,
    /// The rest of an account's grants, and its lock.
    Grants,
}

/// What cannot be carried to the destination: the codes of [`Risk::Unsupported`].
pub mod unsupported {
    /// The definition could not be taken apart and put together again byte for byte, or holds a clause not known here.
    pub const DEFINITION: &str = "DT101";
    /// The destination has no collation or charset that equals the column's.
    pub const COLLATION: &str = "DT102";
    /// The destination has no such column type.
    pub const TYPE: &str = "DT103";
    /// The destination has no such index.
    pub const INDEX: &str = "DT104";
    /// A foreign key refers to a table that is not selected.
    pub const FOREIGN_KEY: &str = "DT105";
    /// The destination has no such feature of tables or columns.
    pub const FEATURE: &str = "DT106";
    /// The destination does not have the storage engine, or the engine's tables hold no rows of their own.
    pub const ENGINE: &str = "DT107";
    /// The destination has another view, routine, trigger or event of that name.
    pub const EXISTS: &str = "DT108";
    /// An account whose password or restrictions the destination cannot take.
    pub const ACCOUNT: &str = "DT109";
}

/// What a reader of the plan should know though nothing blocks: the codes of [`Note`].
pub mod note {
    /// A collation is carried as its nearest kin of the other vendor.
    pub const COLLATION_MAPPED: &str = "DT121";
    /// A clause that holds no data is left out because the destination does not know it.
    pub const CLAUSE_DROPPED: &str = "DT122";
    /// A table gets another storage engine.
    pub const ENGINE_CHANGED: &str = "DT123";
    /// A database that exists has other defaults than the source's.
    pub const DATABASE_DEFAULTS: &str = "DT124";
    /// An existing table is used as it is though it differs.
    pub const TABLE_KEPT: &str = "DT125";
    /// A type is carried as the other vendor's kin of it.
    pub const TYPE_MAPPED: &str = "DT126";
}

/// How dangerous a change is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Loses nothing.
    Safe,
    /// May lose data; runs only when permitted.
    Unsafe {
        /// What would be permitted.
        action: UnsafeAction,
        /// The column it is about.
        column: Option<String>,
    },
    /// Cannot be done; the change has no statements.
    Unsupported {
        /// One of [`unsupported`].
        code: &'static str,
        /// Why, with the place.
        reason: String,
    },
}

/// One change at the destination. Its statements are what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Kind of object.
    pub kind: ObjectKind,
    /// Display name at the source.
    pub source: String,
    /// Display name at the destination.
    pub destination: String,
    /// The table at the destination, if it is one.
    pub table: Option<TableName>,
    /// What happens.
    pub act: Act,
    /// When.
    pub stage: Stage,
    /// Which part of the definition.
    pub part: Part,
    /// In words: `create table`, `add column note; add index ix_c`.
    pub what: String,
    /// The statements, fully qualified, without terminators. Empty when unsupported.
    pub statements: Vec<String>,
    /// How dangerous.
    pub risk: Risk,
    /// The object was made by this sync and no longer is as the source is: somebody changed one of the two.
    pub outside: bool,
    /// The definition at the destination now.
    pub before: Option<String>,
    /// The definition at the destination afterwards.
    pub after: Option<String>,
}

/// Something to know that blocks nothing; shown with the prechecks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// One of [`note`].
    pub code: &'static str,
    /// Database, table or column at the source, as displayed.
    pub object: String,
    /// What is the case.
    pub text: String,
}

/// What [`changes`](super::changes) found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// In the order in which they run: stage `Before` first; databases, sequences, tables; then `After`: indexes, foreign keys, counters.
    pub changes: Vec<Change>,
    /// Sorted and without repetition.
    pub notes: Vec<Note>,
    /// What is left for the day on which one cuts over, by object.
    pub cutover: Vec<Cutover>,
    /// What is told of accounts.
    pub accounts: AccountNotes,
}

/// Statements that are not run by an apply but by whoever cuts over: triggers that were left out, events to be enabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cutover {
    /// Kind of object.
    pub kind: ObjectKind,
    /// Its name at the destination.
    pub object: String,
    /// What is to be run, in order; lines that begin with `--` are comments.
    pub statements: Vec<String>,
}

/// Where an object of the source goes; `None` for what is not selected. Implemented for the spec's selection.
pub trait Mapping {
    /// The destination's name of a source table.
    fn table(&self, source: &TableName) -> Option<TableName>;
    /// The destination's name of a source database, when anything of it is selected.
    fn database(&self, source: &str) -> Option<String>;
    /// Which columns of a source table go, and under which names.
    fn columns(&self, _source: &TableName) -> ColumnMap {
        ColumnMap::default()
    }
    /// The destination's name of a view, routine, trigger or event, by the kind's name in the catalog.
    fn program(&self, _kind: &str, _source: &TableName) -> Option<TableName> {
        None
    }
}

/// What to do with tables that exist at the destination and were not made by this sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Nothing here: the precheck of equal names reports them.
    Fail,
    /// They stay as they are; what differs becomes a [`Note`].
    Ignore,
    /// They are altered towards the source.
    Align,
}

/// The choices of the spec that a diff hangs on.
pub struct Options<'a> {
    /// Policy for tables that exist.
    pub existing: Existing,
    /// Whether this sync made that table of the destination.
    pub created_by_us: &'a dyn Fn(&TableName) -> bool,
    /// When plain secondary indexes are built.
    pub secondary_indexes: Stage,
    /// The storage engine all tables shall have; `None` keeps each table's own.
    pub engine: Option<String>,
    /// Triggers are made with a guard that keeps them quiet for dtsctl's sessions; else they are left for the cutover.
    pub guarded_triggers: bool,
}
