//! The form of an alert: `schemas/alert.v1.json`. Names, numbers and the words of errors, never a value of a row and never a password.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Teller;
use crate::{
    catalog::TableName,
    event::Phase,
    spec::{AlertEvent, Spec},
};

/// Version of the document; the minor number grows when something is added.
pub const FORMAT_VERSION: &str = "1.0";

/// The most characters of one text in it: all of it stays far below what a pipe takes at once.
const LONGEST: usize = 2000;
/// The most causes and hints.
const MOST: usize = 10;

/// The JSON Schema (draft-07) of [`Alert`].
pub fn schema() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<Alert>().to_value()
}

/// What `alerts.command` reads from its standard input: one object, then a line end. Of the parts at the end the one that `event` names is
/// there and no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "dtsctl alert")]
pub struct Alert {
    /// Version of this document's form, e.g. `1.0`.
    pub format_version: String,
    /// What it is about.
    pub event: AlertEvent,
    /// When it was noticed: RFC 3339 in UTC with milliseconds.
    pub at: String,
    /// The task's name.
    pub task: String,
    /// The spec's labels.
    pub labels: BTreeMap<String, String>,
    /// The host on which the apply runs.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// The source as the spec names it.
    pub source: String,
    /// The destination as the spec names it.
    pub destination: String,
    /// The phase that began last, if one has.
    pub phase: Option<Phase>,
    /// All of it in one line, for a person.
    pub message: String,
    /// So many more of the same, of the same object, this one stands for: they were held back (`alerts.repeat`).
    pub repeated: u64,
    /// So many alerts were dropped before this one, since the last that was delivered: more came than the command took.
    pub lost: u64,
    /// Of `stopped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StoppedAlert>,
    /// Of `lag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<LagAlert>,
    /// Of `ddl-failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ddl_failed: Option<DdlFailedAlert>,
    /// Of `conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<ConflictAlert>,
    /// Of `waiting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingAlert>,
    /// Of `full-timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_timeout: Option<FullTimeoutAlert>,
    /// Of `finished-unexpected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_unexpected: Option<FinishedUnexpectedAlert>,
}

/// The apply has ended with an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoppedAlert {
    /// The code with which it exits, as `docs/cli.md` lists them.
    pub exit_code: u8,
    /// The error.
    pub error: String,
    /// What it came from, outermost first.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

/// Whether something has begun or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Course {
    /// It has begun, and lasts.
    Begun,
    /// It is over.
    Over,
}

/// The lag is above the limit, or back below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LagAlert {
    /// `begun` when it stays above, `over` when it stays below again.
    pub course: Course,
    /// The lag now, in seconds.
    pub seconds: f64,
    /// `alerts.lag`, in seconds.
    pub limit_seconds: f64,
    /// Whether it was measured just now. If not, nothing has been applied since it was measured last, or since following began (a long
    /// statement, a lock, a lost connection), and `seconds` is reckoned: that measurement and the time since.
    pub measured: bool,
}

/// A DDL statement of the source failed at the destination, and the task goes on. Its text is in `dtsctl status --ddl-errors`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DdlFailedAlert {
    /// Where it stands in the source's binlog, `file:offset`.
    pub place: String,
    /// Its GTID, where it has one.
    pub gtid: Option<String>,
    /// Such as `alter-table`.
    pub class: String,
    /// The object, where one can be named.
    pub object: Option<String>,
    /// The destination's answer, without values.
    pub error: String,
}

/// Rows at the destination were not as they had to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConflictAlert {
    /// Source table.
    pub table: TableName,
    /// `insert-exists`, `update-missing`, `update-exists`, `update-lost`, `delete-missing` or `cascade-missed`.
    pub kind: String,
    /// Columns of the key, by name.
    pub key: Vec<String>,
    /// How many rows, those of the alerts held back included.
    pub rows: u64,
}

/// It waits, or has waited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingAlert {
    /// `begun` while it lasts, `over` afterwards.
    pub course: Course,
    /// Who waits, such as `full copy`.
    pub who: String,
    /// For what.
    pub reason: String,
    /// How long so far, or in all, in seconds.
    pub seconds: f64,
}

/// The full copy takes longer than it may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FullTimeoutAlert {
    /// How long it has taken in this run, in seconds.
    pub seconds: f64,
    /// `alerts.full_timeout`, in seconds.
    pub limit_seconds: f64,
}

/// The apply has finished, and not all was as expected on the way. Figures are those of this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FinishedUnexpectedAlert {
    /// Rows that were not as they had to be.
    pub conflict_rows: u64,
    /// DDL statements that the destination refused.
    pub ddl_failed: u64,
}

/// One part of an alert.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Stopped(StoppedAlert),
    Lag(LagAlert),
    DdlFailed(DdlFailedAlert),
    Conflict(ConflictAlert),
    Waiting(WaitingAlert),
    FullTimeout(FullTimeoutAlert),
    FinishedUnexpected(FinishedUnexpectedAlert),
}

/// What is to be told, and how many of the same were not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) what: What,
    pub(super) repeated: u64,
}

impl What {
    pub(super) fn event(&self) -> AlertEvent {
        match self {
            Self::Stopped(_) => AlertEvent::Stopped,
            Self::Lag(_) => AlertEvent::Lag,
            Self::DdlFailed(_) => AlertEvent::DdlFailed,
            Self::Conflict(_) => AlertEvent::Conflict,
            Self::Waiting(_) => AlertEvent::Waiting,
            Self::FullTimeout(_) => AlertEvent::FullTimeout,
            Self::FinishedUnexpected(_) => AlertEvent::FinishedUnexpected,
        }
    }

    /// In words, behind the task's name.
    fn words(&self) -> String {
        match self {
            Self::Stopped(stopped) => {
                let causes: String = stopped.causes.iter().map(|cause| format!(": {cause}")).collect();
                format!("apply has stopped with exit code {}: {}{causes}", stopped.exit_code, stopped.error)
            }
            Self::Lag(lag) => {
                let (seconds, limit) = (lag.seconds.round(), lag.limit_seconds);
                match (lag.course, lag.measured) {
                    (Course::Begun, true) => format!("the destination is {seconds} s behind, the limit is {limit} s"),
                    (Course::Begun, false) => {
                        format!("nothing has been applied for a while: the destination is about {seconds} s behind, the limit is {limit} s")
                    }
                    (Course::Over, _) => format!("the lag is back below {limit} s"),
                }
            }
            Self::DdlFailed(ddl) => {
                let object = ddl.object.as_ref().map(|object| format!(" of {object}")).unwrap_or_default();
                format!("the {} statement{object} at {} failed at the destination: {}", ddl.class, ddl.place, ddl.error)
            }
            Self::Conflict(conflict) => {
                let were = if conflict.rows == 1 { "was not as it" } else { "were not as they" };
                format!("{} of {} {were} had to be at the destination: {}", plural(conflict.rows, "row"), conflict.table, conflict.kind)
            }
            Self::Waiting(waiting) => match waiting.course {
                Course::Begun => format!("{} has been waiting for {} s: {}", waiting.who, waiting.seconds.round(), waiting.reason),
                Course::Over => format!("{} goes on after waiting for {} s", waiting.who, waiting.seconds.round()),
            },
            Self::FullTimeout(full) => {
                format!("the full copy has taken {} s so far, the limit is {} s", full.seconds.round(), full.limit_seconds)
            }
            Self::FinishedUnexpected(unexpected) => format!(
                "apply has finished; on the way it met {} in conflict at the destination, and {} that failed there",
                plural(unexpected.conflict_rows, "row"),
                plural(unexpected.ddl_failed, "DDL statement")
            ),
        }
    }

    fn shorten(&mut self) {
        match self {
            Self::Stopped(stopped) => {
                shorten(&mut stopped.error);
                for list in [&mut stopped.causes, &mut stopped.hints] {
                    list.truncate(MOST);
                    list.iter_mut().for_each(shorten);
                }
            }
            Self::DdlFailed(ddl) => shorten(&mut ddl.error),
            Self::Waiting(waiting) => shorten(&mut waiting.reason),
            Self::Lag(_) | Self::Conflict(_) | Self::FullTimeout(_) | Self::FinishedUnexpected(_) => {}
        }
    }
}

fn plural(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push_str("...");
    }
}

impl Alert {
    /// What all documents of a run have in common.
    pub(super) fn frame(spec: &Spec, teller: Teller) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            event: AlertEvent::Stopped,
            at: String::new(),
            task: spec.name.clone(),
            labels: spec.labels.clone(),
            host: teller.host,
            pid: teller.pid,
            source: spec.source.address.to_string(),
            destination: spec.destination.address.to_string(),
            phase: None,
            message: String::new(),
            repeated: 0,
            lost: 0,
            stopped: None,
            lag: None,
            ddl_failed: None,
            conflict: None,
            waiting: None,
            full_timeout: None,
            finished_unexpected: None,
        }
    }

    /// The same about something.
    pub(super) fn with(&self, told: Told, phase: Option<Phase>, at: String) -> Self {
        let mut what = told.what;
        what.shorten();
        let mut message = format!("{}: {}", self.task, what.words());
        shorten(&mut message);
        let mut alert = Self { event: what.event(), at, phase, message, repeated: told.repeated, ..self.clone() };
        match what {
            What::Stopped(part) => alert.stopped = Some(part),
            What::Lag(part) => alert.lag = Some(part),
            What::DdlFailed(part) => alert.ddl_failed = Some(part),
            What::Conflict(part) => alert.conflict = Some(part),
            What::Waiting(part) => alert.waiting = Some(part),
            What::FullTimeout(part) => alert.full_timeout = Some(part),
            What::FinishedUnexpected(part) => alert.finished_unexpected = Some(part),
        }
        alert
    }

    /// One line of JSON with its end.
    pub(super) fn text(&self) -> String {
        let mut text = serde_json::to_string(self).expect("texts and numbers only");
        text.push('\n');
        text
    }
}
