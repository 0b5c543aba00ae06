//! The plan as data: what `plan` shows, saves and `apply` runs.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{
    finding::{Finding, FindingCode},
    follow::{FollowShape, PositionState},
};
use crate::{catalog::TableName, connect::Vendor, diff::Cutover, diff::Part, diff::UnsafeAction, event::Phase};

/// The format this program writes: major and minor. The minor grows by addition, the major by anything else.
pub const FORMAT: (u32, u32) = (1, 2);

/// What an apply would do, what it rests on, and what keeps it from running. Holds no secret and no value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this document's format, e.g. `1.0`. The minor grows by addition.
    pub format_version: String,
    /// `p-` and 16 hex digits of the SHA-256 of everything else but `created_at`: equal content, equal id.
    pub id: String,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// The spec it was made from.
    pub spec: SpecMark,
    /// The source server.
    pub source: Server,
    /// The destination server.
    pub destination: Server,
    /// The source's binlog position that it rests on; absent when no phase needs one.
    pub position: Option<PositionState>,
    /// A digest of every catalog object that was read and is in scope.
    pub objects: Vec<ObjectDigest>,
    /// What is done, in the order in which it is done.
    pub actions: Vec<Action>,
    /// Destination tables in scope about which nothing is to be done.
    pub unchanged: Vec<String>,
    /// What an apply leaves to whoever cuts over: triggers that are left out, events that arrive disabled.
    pub cutover: Vec<Cutover>,
    /// Results of all prechecks.
    pub findings: Vec<Finding>,
    /// What cannot be carried, or not like everything else, between two such servers; each a sentence without its full stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// The figures of the `Plan:` line.
    pub summary: Summary,
}

/// The spec of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecMark {
    /// Its name.
    pub name: String,
    /// SHA-256 of the resolved spec, lower-case hex.
    pub digest: String,
}

/// One server, as a plan remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `host:port` or the socket's path.
    pub address: String,
    /// Vendor.
    pub vendor: Vendor,
    /// Major, minor and patch, e.g. `8.0.36`.
    pub version: String,
    /// `VERSION()` as it stands.
    pub version_text: String,
    /// What tells this server from another one.
    pub identity: String,
    /// The account as the server matched it, `user@host`.
    pub account: String,
    /// Settings that decisions of this plan hang on.
    pub settings: BTreeMap<String, String>,
}

/// Which end an object is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The source.
    Source,
    /// The destination.
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

/// The digest of one object's definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectDigest {
    /// Which end.
    pub side: Side,
    /// `database`, `table`, `sequence`, ...
    pub kind: String,
    /// Its name on that end.
    pub name: String,
    /// SHA-256 of its definition without counters, lower-case hex.
    pub digest: String,
}

/// What an action does, and its sign in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    /// `+`
    Create,
    /// `~`
    Alter,
    /// `-`
    Drop,
    /// `>`
    Copy,
    /// `=`
    Follow,
}

impl ActionKind {
    /// The ASCII sign.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Alter => '~',
            Self::Drop => '-',
            Self::Copy => '>',
            Self::Follow => '=',
        }
    }
}

/// What an action may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "level", rename_all = "lowercase", deny_unknown_fields)]
pub enum ActionRisk {
    /// Loses nothing.
    Safe,
    /// Loses data at the destination, or may; needs `allow` in the spec or `--allow-unsafe`.
    Unsafe {
        /// The word for it in the spec.
        action: UnsafeAction,
        /// The column it is about.
        column: Option<String>,
    },
    /// Cannot be carried; no permission helps.
    Unsupported {
        /// Why.
        reason: String,
    },
}

/// How the rows of a table are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyShape {
    /// Estimated number of chunks; 1 for a table without a usable key.
    pub chunks: u64,
    /// Columns of the key it is walked by; empty for a table without a usable key.
    pub key: Vec<String>,
    /// Some of the key's columns may be NULL; rows with a NULL form one chunk of their own.
    pub nullable: bool,
    /// Rows that the destination already has are kept (`conflict.existing_tables: ignore`).
    pub keep_existing: bool,
    /// Source columns that are copied, in order, when these are not all that could be.
    pub columns: Option<Vec<String>>,
    /// The condition that chooses the rows; absent for all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
}

/// Who permitted an unsafe action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PermittedBy {
    /// The spec's `allow`.
    Spec,
    /// `--allow-unsafe` of this run.
    AllowUnsafe,
}

/// One action. Its statements are what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// `a1`, `a2`, ... in the order of the plan; the same for the same content.
    pub id: String,
    /// The phase that runs it.
    pub phase: Phase,
    /// What it does.
    pub act: ActionKind,
    /// `database`, `table`, `sequence`, ...
    pub kind: String,
    /// The object's name at the destination.
    pub object: String,
    /// Its name at the source, where that is another one.
    pub source: Option<String>,
    /// The destination table, for actions on one.
    pub table: Option<TableName>,
    /// The source table, for actions on one.
    pub source_table: Option<TableName>,
    /// In words.
    pub what: String,
    /// Estimated rows, of a copy.
    pub rows: Option<u64>,
    /// Estimated bytes, of a copy.
    pub bytes: Option<u64>,
    /// How the rows are read, of a copy.
    pub copy: Option<CopyShape>,
    /// How the binlog is followed, of a follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<FollowShape>,
    /// What it may cost.
    pub risk: ActionRisk,
    /// The finding that explains why it is unsafe, unsupported or blocked.
    pub code: Option<FindingCode>,
    /// It may run. Safe actions are unless a precheck failed for their object.
    pub permitted: bool,
    /// Who permitted it, when it is unsafe.
    pub permitted_by: Option<PermittedBy>,
    /// Which part of the object's definition it carries; absent for a copy.
    pub part: Option<Part>,
    /// This sync made the object and somebody has changed it since.
    pub outside: bool,
    /// What runs at the destination, in order.
    pub statements: Vec<String>,
    /// The object's definition at the destination now.
    pub before: Option<String>,
    /// Its definition afterwards.
    pub after: Option<String>,
}

impl Action {
    /// Its sign in the table: that of its kind, or `!` when it is blocked.
    pub fn symbol(&self) -> char {
        if self.permitted { self.act.symbol() } else { '!' }
    }
}

/// The figures of the `Plan:` line. Blocked actions are counted only as such; an object counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Objects that are created.
    pub create: u64,
    /// Objects that are altered.
    pub alter: u64,
    /// Objects that are dropped.
    pub drop: u64,
    /// Tables whose rows are copied.
    pub copy_tables: u64,
    /// Their rows, estimated.
    pub copy_rows: u64,
    /// Their bytes, estimated.
    pub copy_bytes: u64,
    /// The binlog is followed.
    pub follow: bool,
    /// Actions that may not run.
    pub blocked: u64,
}

impl Plan {
    /// An action or a precheck keeps it from running: exit 3.
    pub fn is_blocked(&self) -> bool {
        self.actions.iter().any(|a| !a.permitted) || self.findings.iter().any(Finding::blocks)
    }

    /// There is something to do: exit 2 under `--detailed-exitcode`.
    pub fn has_changes(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Actions that may not run.
    pub fn blocked(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|a| !a.permitted)
    }

    /// The action of that id.
    pub fn action(&self, id: &str) -> Option<&Action> {
        self.actions.iter().find(|a| a.id == id)
    }
}
