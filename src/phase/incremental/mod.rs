//! The incremental phase: follows the binlog and carries every committed change to the destination, exactly once.

pub mod ddl;
pub mod heartbeat;
pub mod history;
pub mod hold;
pub mod names;
mod until;

pub use hold::Hold;
pub use until::{Goal, Until};
