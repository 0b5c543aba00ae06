//! What somebody asks of a running apply: rows in the state file, written by another process and polled by the run.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::{
    error::StateError,
    lock::holder,
    schema::{LADDER, open_for_reading},
};
use crate::clock::Clock;

/// Asks the running apply to stop cleanly: `now`, or at a point as `apply --until` writes it.
///
/// # Errors
/// [`StateError::NotRunning`] when nobody holds the lock, [`StateError::Missing`] without a state file, or what SQLite refused.
pub fn request_stop(path: &Path, when: &str, clock: &Clock) -> Result<(), StateError> {
    request(path, STOP, when, clock)
}

/// Asks the running apply to set a limit, or with `none` to lift it. Whoever calls has seen to it that the apply knows the key and
/// understands the value.
///
/// # Errors
/// As [`request_stop`].
pub fn request_setting(path: &Path, key: &str, value: &str, clock: &Clock) -> Result<(), StateError> {
    request(path, &format!("{SET}{key}"), value, clock)
}

/// Asks the running apply to write nothing after a position (as JSON), or nothing further (`now`), so that a snapshot of the destination can
/// be opened there. It ends by itself.
///
/// # Errors
/// As [`request_stop`].
pub fn request_hold(path: &Path, at: &str, clock: &Clock) -> Result<(), StateError> {
    request(path, HOLD, at, clock)
}

/// Lets the running apply go on that was asked to hold.
///
/// # Errors
/// As [`request_stop`].
pub fn release_hold(path: &Path, clock: &Clock) -> Result<(), StateError> {
    request(path, HOLD, RELEASED, clock)
}

/// The row that asks to hold, and what it says when that is over.
const HOLD: &str = "hold";
const RELEASED: &str = "none";
/// The row that asks for a stop.
const STOP: &str = "stop";
/// Before the key in a row that sets something.
const SET: &str = "set ";

fn request(path: &Path, key: &str, value: &str, clock: &Clock) -> Result<(), StateError> {
    // Read first: it says what is wrong with the file.
    drop(open_for_reading(path, LADDER)?);
    if holder(path)?.is_none() {
        return Err(StateError::NotRunning { path: path.to_owned() });
    }
    let fail = |e| StateError::sqlite("cannot write the state file", path, e);
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fail)?;
    conn.busy_timeout(std::time::Duration::from_secs(10)).map_err(fail)?;
    conn.execute("INSERT OR REPLACE INTO control VALUES (?, ?, ?)", params![key, value, clock.now_ms()]).map_err(fail)?;
    Ok(())
}

/// What was asked of the running apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// When to stop: `now`, or a point as `apply --until` writes it.
    pub stop: Option<String>,
    /// Where to write nothing further for a while: `now` or a position as JSON; and when it was asked for, in milliseconds since 1970 UTC.
    pub hold: Option<(String, i64)>,
    /// Limits by key, each with its value or `none`.
    pub settings: Vec<(String, String)>,
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

    /// All that was asked for since the run began. Cheap enough for several times a second.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn requests(&self) -> Result<Requests, StateError> {
        let read = || -> rusqlite::Result<Requests> {
            let mut requests = Requests::default();
            let mut statement = self.conn.prepare_cached("SELECT key, value, requested FROM control ORDER BY requested, key")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
                match key.strip_prefix(SET) {
                    Some(setting) => requests.settings.push((setting.to_owned(), value)),
                    None if key == STOP => requests.stop = Some(value),
                    None if key == HOLD && value != RELEASED => requests.hold = Some((value, row.get(2)?)),
                    None => {}
                }
            }
            Ok(requests)
        };
        read().map_err(|e| StateError::sqlite("cannot read the state file", &self.path, e))
    }
}
