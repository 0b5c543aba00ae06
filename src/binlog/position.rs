//! Places in a binlog, and how far a task has come in it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A byte in a binlog file. Places of different files are compared by nothing here: file names say little after a RESET.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Offset in bytes; counted by us, since the 32-bit field in an event's header wraps in a transaction over 4 GiB.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

/// Everything before it has happened, nothing after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Where the next event begins, on the server that was read.
    #[serde(flatten)]
    pub place: Place,
    /// All GTIDs that have happened, in the source's own notation (`gtid_executed` of MySQL, `gtid_binlog_pos` of MariaDB), where the
    /// source has them. Empty is a set without members.
    pub gtid: Option<String>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.gtid {
            Some(set) if !set.is_empty() => write!(f, "{} ({set})", self.place),
            _ => self.place.fmt(f),
        }
    }
}
