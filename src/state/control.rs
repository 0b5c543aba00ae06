//! What somebody asks of a running apply: rows in the state file, written by another process and polled by the run.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{
    error::StateError,
    lock::holder,
    schema::{LADDER, open_for_reading},
};
use crate::clock::Clock;

/// Asks the running apply to stop cleanly as soon as it can.
///
/// # Errors
/// [`StateError::NotRunning`] when nobody holds the lock, [`StateError::Missing`] without a state file, or what SQLite refused.
pub fn request_stop(path: &Path, clock: &Clock) -> Result<(), StateError> {
    // Read first: it says what is wrong with the file.
    drop(open_for_reading(path, LADDER)?);
    if holder(path)?.is_none() {
        return Err(StateError::NotRunning { path: path.to_owned() });
    }
    let fail = |e| StateError::sqlite("cannot write the state file", path, e);
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fail)?;
    conn.busy_timeout(std::time::Duration::from_secs(10)).map_err(fail)?;
    conn.execute("INSERT OR REPLACE INTO control VALUES ('stop', 'now', ?)", params![clock.now_ms()]).map_err(fail)?;
    Ok(())
}

/// Looks for what was asked, on a connection of its own.
#[derive(Debug)]
pub struct ControlWatch {
    conn: Connection,
    path: PathBuf,
}

impl ControlWatch {
    /// Opens the state file for reading.
    ///
    /// # Errors
    /// As any reader.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        Ok(Self { conn: open_for_reading(path, LADDER)?, path: path.to_owned() })
    }

    /// Has somebody asked to stop? Cheap enough for several times a second.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn stop_requested(&self) -> Result<bool, StateError> {
        self.conn
            .prepare_cached("SELECT 1 FROM control WHERE key = 'stop'")
            .and_then(|mut s| s.query_row([], |_| Ok(())).optional())
            .map(|row| row.is_some())
            .map_err(|e| StateError::sqlite("cannot read the state file", &self.path, e))
    }
}
