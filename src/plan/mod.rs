//! The plan: what an apply would do, in which order, under which ids, and what keeps it from running.
//!
//! Purpose: the changes of the diff, the tables to copy, the permissions of the spec and the results of the prechecks in; one document
//! out that a person reviews, a file keeps and an apply runs. This room must not ask a server, read a file, look at a clock or print:
//! everything is handed to it, so a plan can be made again and compared.
//!
//! The hard idea: a saved plan is a promise about two servers that go on living. It therefore carries a digest of every object it
//! rests on, and an apply makes a fresh plan and holds the two against each other ([`stale`]): what differs is named, and estimates,
//! which always differ, are not held against it.

mod build;
mod finding;
mod follow;
mod limits;
mod model;
mod progress;
mod saved;
mod scope;
mod stale;

pub use build::{Inputs, ServerFacts, build};
pub use finding::{Finding, FindingCode, Severity};
pub use follow::{DdlDoes, DdlPolicy, FollowFrom, FollowShape, FollowState, PositionState};
pub use model::*;
pub use progress::Progress;
pub use saved::{PlanError, json_schema, load, save};
pub use scope::{Pair, Scope, Skipped, column_map};
pub use stale::{stale, stale_but_for_itself, without_counter};

#[cfg(test)]
pub(crate) mod sample;
