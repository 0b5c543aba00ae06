//! The spec as a person writes it. These doc comments are the documentation: they become `schemas/spec.v1.json` and
//! what an editor shows. Every key of the design is here, those of later issues included: the checks refuse them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::ddl::condition::FilterOn;

use super::model::{
    AlertEvent, DdlErrors, Engine, ExistingTables, NameCase, OnlineDdlMode, Operation, RowConflict, SecondaryIndexes, StorageEngine,
    TlsMode, Topology, TriggerMode, UnsafeAction, VerifyMode,
};

/// What a destination shall hold, where it comes from, and under which limits.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The version of this format: `1`.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The lock and state key: 1 to 57 characters of `A-Z a-z 0-9 . _ -`. Default: the file's name without its ending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Free labels, such as `environment: online`; shown and never interpreted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Where the rows come from.
    pub source: Endpoint,
    /// Where the rows go.
    pub destination: Endpoint,
    /// Which phases run. Default: all three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<Phases>,
    /// Where an incremental phase without a full copy begins: `now`, `gtid:SET` or `pos:FILE:POS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// `one-way` (default) or `two-way`, which is not supported yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,
    /// The databases and tables that are carried: at least one entry.
    #[schemars(length(min = 1))]
    pub objects: Vec<Object>,
    /// What to do about what already exists at the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
    /// How names are written at the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Names>,
    /// Options of the schema phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaOptions>,
    /// Accounts to carry over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Accounts>,
    /// Temporary tables of online schema changes (gh-ost, pt-online-schema-change, DMS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online_ddl: Option<OnlineDdl>,
    /// How long to go on trying before the run fails with its progress kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Speed limits. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// The heartbeat row at the source, from which a running apply tells its lag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// What a DDL statement of the source that fails at the destination does. Default: `continue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddl_errors: Option<DdlErrors>,
    /// A command that is told of what a person should see to while `dtsctl apply` runs alone. Default: nobody is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Alerts>,
    /// How `dtsctl verify` compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// Options of the prechecks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precheck: Option<Precheck>,
    /// Unsafe actions that are permitted, each by its object. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<Allow>>,
}

/// One end: `host` (and `port`) or `socket`, and an account. `${NAME}`, `${NAME:-default}` and `${NAME:?message}` are
/// replaced from the environment in every text here; `$$` is one dollar sign.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The engine that must be found there. Default: as detected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Host name or IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Port, 1 to 65535. Default: 3306.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// Path of a Unix socket, instead of `host` and `port`; relative to the spec's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// The account's user name.
    pub user: String,
    /// Where the password is read from.
    pub password: Password,
    /// Encryption of the connection. Default: `{mode: preferred}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// Where a password is read from: `{env: NAME}`, `{file: PATH}`, or `""` for an account without one. A literal
/// password is refused. It is read when a command connects, not when the spec is validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// `""`.
    Empty,
    /// `{env: NAME}`.
    Env(String),
    /// `{file: PATH}`.
    File(String),
}

/// The two keys of a password that is not empty.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum PasswordKey {
    Env(String),
    File(String),
}

impl Serialize for Password {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let (key, value) = match self {
            Self::Empty => return serializer.serialize_str(""),
            Self::Env(name) => ("env", name),
            Self::File(path) => ("file", path),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(key, value)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Password;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`{env: NAME}`, `{file: PATH}` or an empty text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Password, E> {
                // The value is not repeated: it may be a password.
                if text.is_empty() { Ok(Password::Empty) } else { Err(E::custom("a literal password is refused")) }
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Password, A::Error> {
                let key = PasswordKey::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(match key {
                    PasswordKey::Env(name) => Password::Env(name),
                    PasswordKey::File(path) => Password::File(path),
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Password {
    fn schema_name() -> Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a password is read from: `{env: NAME}`, `{file: PATH}`, or `\"\"` for an account without one. \
                A literal password is refused. It is read when a command connects, not when the spec is validated.",
            "oneOf": [
                {"const": "", "description": "An account without a password."},
                {
                    "type": "object",
                    "description": "The name of an environment variable.",
                    "properties": {"env": {"type": "string", "description": "The name of an environment variable."}},
                    "required": ["env"],
                    "additionalProperties": false,
                },
                {
                    "type": "object",
                    "description": "A file that holds the password and nothing else; relative to the spec's folder.",
                    "properties": {"file": {
                        "type": "string",
                        "description": "A file that holds the password and nothing else; relative to the spec's folder.",
                    }},
                    "required": ["file"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// A time with its unit: `1500ms`, `30s`, `10m`, `12h`, `1d`. A bare number is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub String);

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time with its unit: `1500ms`, `30s`, `10m`, `12h`, `1d`. A bare number is refused.",
            "type": "string",
            "pattern": "^[0-9]+ *(ms|s|m|min|h|d)$",
        })
    }
}

/// Encryption of a connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// How much is demanded. Default: `preferred`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<TlsMode>,
    /// PEM file with the authorities to trust, for `verify-ca` (needed) and `verify-identity` (default: the public ones).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// PEM file with the client's certificate; goes with `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// PEM file with the client's private key; goes with `cert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Which phases run, in this order.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Create or align databases and tables at the destination. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<bool>,
    /// Copy the rows. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
    /// Follow the binlog. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incremental: Option<bool>,
}

/// One database, whole or in part.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// The source database: a name, or a glob with `*` and `?`. A glob never selects a server's own databases, nor `dts`.
    pub database: String,
    /// The database's name at the destination. Default: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<Rename>,
    /// What the tables and views of a whole database are called at the destination, by a pattern; what it does not match keeps its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename_tables: Option<RenameBy>,
    /// Tables and views that are left out: names, or globs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<String>>,
    /// Only these tables, and nothing that is not a table. Default: the whole database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub tables: Option<Vec<Table>>,
    /// The operations that the incremental phase carries; a table's own list counts before it. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub operations: Option<Vec<Operation>>,
}

/// A new name, or a pattern that makes it of the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rename {
    /// This name.
    To(String),
    /// `{match: ..., to: ...}`.
    By(RenameBy),
}

/// New names by a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameBy {
    /// A regular expression that matches whole names. A name that it does not match keeps its own.
    #[serde(rename = "match")]
    pub matches: String,
    /// The new name; `$1` is what the first group holds, `$$` a dollar sign.
    pub to: String,
}

impl Rename {
    /// The name, when it is given outright.
    pub fn outright(&self) -> Option<&str> {
        match self {
            Self::To(name) => Some(name),
            Self::By(_) => None,
        }
    }

    /// The new name of `name`; itself where a pattern does not match it, or is none.
    pub fn apply(&self, name: &str) -> String {
        match self {
            Self::To(to) => to.clone(),
            Self::By(by) => by.read().and_then(|pattern| pattern.apply(name)).unwrap_or_else(|| name.to_owned()),
        }
    }
}

impl RenameBy {
    /// The pattern, if it is one.
    pub fn read(&self) -> Option<super::rename::RenamePattern> {
        super::rename::RenamePattern::new(&self.matches, &self.to).ok()
    }
}

impl Serialize for Rename {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::To(name) => serializer.serialize_str(name),
            Self::By(by) => by.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Rename {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Rename;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name, or `{match: PATTERN, to: NAME}`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Rename, E> {
                Ok(Rename::To(text.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Rename, A::Error> {
                RenameBy::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Rename::By)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Rename {
    fn schema_name() -> Cow<'static, str> {
        "Rename".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A new name, or a pattern that makes it of the old one: `{match: \"t_(\\\\d+)\", to: \"orders_$1\"}`.",
            "oneOf": [{"type": "string", "description": "The new name."}, generator.subschema_for::<RenameBy>()],
        })
    }
}

/// One table, or several by a glob.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The source table: a name, or a glob with `*` and `?`.
    pub name: String,
    /// The table's name at the destination. Default: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<Rename>,
    /// Only rows for which this SQL condition on the table's own columns holds.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How changes of the binlog are judged by `where`: `row-image` (default), by the row before and after; `pre-image`, by the row before
    /// alone, so that rows which enter are missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub where_on: Option<FilterOn>,
    /// Columns left out or renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// The operations that the incremental phase carries. Default: those of its database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub operations: Option<Vec<Operation>>,
}

/// Columns left out or renamed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Columns left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<String>>,
    /// Source column to destination column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<BTreeMap<String, String>>,
}

/// What to do about what already exists at the destination.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// About tables that exist before the first apply. Default: `fail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_tables: Option<ExistingTables>,
    /// What the incremental phase does with a row that is not as it must be. Default: `overwrite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowConflict>,
}

/// How names are written at the destination.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Capitalisation. Default: `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<NameCase>,
}

/// Options of the schema phase.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaOptions {
    /// The storage engine of tables at the destination. Default: `innodb`; `x-engine` is not supported yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<StorageEngine>,
    /// What happens to triggers. Default: `manual`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triggers: Option<TriggerMode>,
    /// Whether the plan adds notes on how well the schema fits the destination; they never block. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assess: Option<bool>,
    /// When secondary indexes are built. Default: `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_indexes: Option<SecondaryIndexes>,
}

/// Accounts to carry over.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// Which accounts of the source are made at the destination, with their passwords and grants: `user@host`, where `*` stands for any
    /// run of characters and `?` for one; `%` is the host's own. System accounts and those that exist already are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migrate: Option<Vec<String>>,
}

/// Temporary tables of online schema changes (gh-ost, pt-online-schema-change).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnlineDdl {
    /// How they are treated. Default: `copy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<OnlineDdlMode>,
    /// Regular expressions for the names of shadow tables; the first group is the original's name. Default: `^_(.+)_(?:gho|new)$`;
    /// needed with `dms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Vec<String>>,
    /// The same for tables that serve the tool or are thrown away. Default: `^_(.+)_(?:ghc|del|old)$`; needed with `dms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trash: Option<Vec<String>>,
}

/// How long to go on trying before the run fails with its progress kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// For lost connections: `10m` to `1440m`, better above `30m`. Default: `720m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Time>,
    /// For statements that fail: `1m` to `1440m`, below `connection`. Default: `10m`, or half of `connection` if that is less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<Time>,
}

/// Speed limits. A limit that is left out is none.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Of the full copy; only where `phases.full` is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<FullThrottle>,
    /// Of the incremental phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incremental: Option<IncrementalThrottle>,
}

/// Speed limits of the full copy.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FullThrottle {
    /// Queries at the source per second, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub qps: Option<u64>,
    /// Rows per second, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub rps: Option<u64>,
    /// Megabytes (10^6 bytes) per second, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub mbps: Option<f64>,
}

/// Speed limits of the incremental phase.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncrementalThrottle {
    /// Rows per second, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub rps: Option<u64>,
    /// Megabytes (10^6 bytes) per second, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub mbps: Option<f64>,
}

/// The heartbeat row at the source: one row a task in `dts.dtsctl_heartbeat`, updated with the source's own clock.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Whether it is written. Default: `true`. Where the account may not, the plan says so and the lag is taken from the times of the
    /// source's transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<bool>,
    /// How often: 100 ms to 10 minutes. Default: `1s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Time>,
}

/// A command that is told of what a person should see to: one JSON object on its standard input each time (`schemas/alert.v1.json`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// The program and its arguments, as they are written: there is no shell and no variable, and no secret belongs here. A program with a
    /// `/` in it is relative to the spec's folder, in which the command runs; any other is looked for in `PATH`.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// Which events. Default: all that can happen, `lag` and `full-timeout` only where they have their limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub events: Option<Vec<AlertEvent>>,
    /// The lag above which `lag` is told: `1s` to `30d`, better at least `10s`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<Time>,
    /// How long the lag stays above before it is told, and below before that is told: `0s` to `1d`. Default: `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_for: Option<Time>,
    /// How long a wait lasts before `waiting` is told: `1s` to `30d`. Default: `5m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Time>,
    /// How long the full copy of one run may take before `full-timeout` is told: `1s` to `365d`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_timeout: Option<Time>,
    /// `ddl-failed` and `conflict` are told of the same object once in this time, with the number of those in between: `1s` to `30d`.
    /// Default: `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Time>,
    /// How long the command may run before it is killed: `1s` to `10m`. Default: `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Time>,
}

/// How `dtsctl verify` compares.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// What is compared. Default: `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<VerifyMode>,
}

/// Options of the prechecks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Precheck {
    /// Codes of alerts that do not block, such as `DT221`. Only ignorable ones; they are shown in every plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<String>>,
}

/// An unsafe action that is permitted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// What may be done.
    pub action: UnsafeAction,
    /// The destination table as `database.table`.
    pub table: String,
    /// The column. Needed for `drop-column`, `narrow-type` and `forbid-null`; for `change-charset` and `map-collation` the default is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}
