//! The state file: what a task is, what its runs did, and how far they are, in one SQLite file beside the spec.
//!
//! It is a ledger and a copy. The truth of progress is in the `dts` tables at the destination, written with the rows; what stands here
//! was told by events *after* the destination had committed, so the file may lag behind but is never ahead, and on resume the
//! destination's truth is written over it ([`StateWriter::set_range`] and its neighbours). It must not hold a password or a value of a row.
//!
//! The one hard idea: one thread writes, fed by a bounded channel, in short batched transactions, so that phases never wait for the
//! disk and readers (`status`) always find a whole state, also while an apply runs or after it was killed. A state file that cannot
//! be written, or that somebody removed, stops the run; it is never ignored.
//!
//! Chunks are not kept one by one: a table of a billion rows has hundreds of thousands of them. Each is added to its range (chunks,
//! rows read, written and found, bytes, milliseconds) and its table.
//!
//! This is the only room that names `rusqlite`.

mod control;
mod error;
mod file;
mod follow;
mod lock;
mod read;
mod read_follow;
mod rows;
mod schema;
mod status;
mod tasks;
mod writer;

pub use control::{ControlWatch, Requests, release_hold, request_hold, request_setting, request_stop};
pub use error::StateError;
pub use file::{Opened, RunStart, ServerIdentity, StateFile, TaskIdentity, discard};
pub use lock::{Holder, LockGuard, holder, lock};
pub use read::{Created, Progress, SavedPlan, progress, read, saved_plan, spec_document};
pub use status::{
    ConflictStatus, DdlCount, DdlStatement, DdlStatus, FORMAT_VERSION, FollowStatus, LeftOutStatus, LimitStatus, NoteStatus, PhaseState,
    PhaseStatus, PositionStatus, RetentionStatus, RunState, RunStatus, ServerStatus, StatementStatus, StatementsStatus, Status, StopStatus,
    TableState, TableStatus, TaskStatus, Totals, WaitStatus, schema,
};
pub use tasks::{ListedTask, TaskList, UnusableFile, list_schema};
pub use writer::{RangeTruth, RunEnd, StateWriter};
