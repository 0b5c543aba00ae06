//! What `list` says of many tasks, as data: the form of `schemas/list.v1.json`. Each is a [`Status`] in short.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::{PhaseState, PhaseStatus, PositionStatus, RunState, Status, Totals, WaitStatus};
use crate::event::Phase;

/// Version of the list; the minor number grows when something is added.
const FORMAT_VERSION: &str = "1.0";

/// The JSON Schema (draft-07) of [`TaskList`].
pub fn list_schema() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<TaskList>().to_value()
}

/// The tasks of some folders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "dtsctl list")]
pub struct TaskList {
    /// Version of this document's form, e.g. `1.0`.
    pub format_version: String,
    /// When this was read.
    pub at: String,
    /// The folders and files that were looked at, as they were named.
    pub looked_at: Vec<String>,
    /// The tasks, in the order of what was named and of their files.
    pub tasks: Vec<ListedTask>,
    /// Files that say nothing of a task.
    pub unusable: Vec<UnusableFile>,
}

impl TaskList {
    /// An empty list as of `at` (RFC 3339 in UTC).
    pub fn new(at: String) -> Self {
        Self { format_version: FORMAT_VERSION.to_owned(), at, looked_at: Vec::new(), tasks: Vec::new(), unusable: Vec::new() }
    }
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListedTask {
    /// Its state file.
    pub file: String,
    /// Its id: 16 hex digits, also in the `dts` tables at the destination.
    pub id: String,
    /// The spec's name.
    pub name: String,
    /// Address of the source.
    pub source: String,
    /// Address of the destination.
    pub destination: String,
    /// What it is doing.
    pub state: RunState,
    /// Since when: when the latest run began or ended. Absent of a killed one: nobody saw when.
    pub since: Option<String>,
    /// The phase that the task is at; absent before the first.
    pub phase: Option<Phase>,
    /// How far that phase is.
    pub phase_state: Option<PhaseState>,
    /// The rows of the copy.
    pub totals: Totals,
    /// Everything before it is at the destination; absent before the incremental phase.
    pub position: Option<PositionStatus>,
    /// As in the status; absent when nobody can tell, and when nothing runs.
    pub lag_seconds: Option<f64>,
    /// Nothing is left to read or to write. Absent when nothing runs.
    pub idle: Option<bool>,
    /// A stop that was asked for: `now`, or a point as `apply --until` takes it.
    pub stop_requested: Option<String>,
    /// What it waits for now.
    pub waits: Vec<WaitStatus>,
    /// What the latest run failed with.
    pub error: Option<String>,
}

impl ListedTask {
    /// The status of the task in this file, in short.
    pub fn new(file: &Path, status: Status) -> Self {
        let now = |phase: &&PhaseStatus| phase.state != PhaseState::Finished;
        let phase = status.phases.iter().find(now).or(status.phases.last()).map(|phase| (phase.phase, phase.state)).unzip();
        let since = match status.state {
            RunState::Starting => status.holder.map(|holder| holder.since).filter(|since| !since.is_empty()),
            RunState::Running => status.run.as_ref().map(|run| run.started.clone()),
            RunState::Finished | RunState::Stopped | RunState::Failed => status.run.as_ref().and_then(|run| run.ended.clone()),
            RunState::New => Some(status.task.created),
            RunState::Killed => None,
        };
        let (position, lag_seconds, idle) =
            status.follow.map_or((None, None, None), |follow| (Some(follow.position), follow.lag_seconds, follow.idle));
        Self {
            file: file.display().to_string(),
            id: status.task.id,
            name: status.task.name,
            source: status.task.source.address,
            destination: status.task.destination.address,
            state: status.state,
            since,
            phase: phase.0,
            phase_state: phase.1,
            totals: status.totals,
            position,
            lag_seconds,
            idle,
            stop_requested: status.stop_requested.map(|stop| stop.when),
            waits: status.waits.into_iter().filter(|wait| wait.since.is_some()).collect(),
            error: status.run.and_then(|run| run.error),
        }
    }
}

/// A file that says nothing of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnusableFile {
    /// The file.
    pub file: String,
    /// Why, in a sentence that names it.
    pub reason: String,
    /// It is no state file of dtsctl, or an empty one, found in a folder: no fault of anybody's.
    pub foreign: bool,
}
