//! The file's tables and the ladder that lifts older files to them.
//!
//! A step, once released, is never edited: a later version adds a step. Readers do not write, so a reader of an older file lifts a
//! copy of it in memory.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::StateError;

/// "dtsc" in ASCII: tells `file` and us whose SQLite file it is.
pub(super) const APPLICATION_ID: i64 = 0x6474_7363;

/// One step for each version; the file's `user_version` is the number of steps taken.
pub(super) const LADDER: &[&str] = &[V1, V2, V3];

/// Times are milliseconds since 1970 in UTC.
const V1: &str = "
CREATE TABLE task (                     -- one row
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    source_identity TEXT NOT NULL, source_address TEXT NOT NULL, source_version TEXT NOT NULL,
    destination_identity TEXT NOT NULL, destination_address TEXT NOT NULL, destination_version TEXT NOT NULL
) STRICT;
CREATE TABLE spec (                     -- every spec the task has run with, resolved, without secrets
    digest TEXT NOT NULL PRIMARY KEY,
    first_used INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started INTEGER NOT NULL,
    ended INTEGER,                      -- NULL: still running, or killed
    outcome TEXT,                       -- finished, stopped, failed
    error TEXT,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    spec_digest TEXT NOT NULL
) STRICT;
CREATE TABLE plan (
    run INTEGER NOT NULL PRIMARY KEY REFERENCES run,
    plan_id TEXT NOT NULL,
    saved INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE phase (
    name TEXT NOT NULL PRIMARY KEY,
    started INTEGER,
    finished INTEGER
) STRICT;
CREATE TABLE statement (
    run INTEGER NOT NULL REFERENCES run,
    action TEXT NOT NULL,
    position INTEGER NOT NULL,
    object TEXT NOT NULL,
    sql TEXT NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER,
    milliseconds INTEGER,
    warnings TEXT NOT NULL DEFAULT '[]', -- JSON: [[code, message], ...]
    found_done INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    PRIMARY KEY (run, action, position)
) STRICT;
CREATE TABLE created (                  -- what this task made at the destination, as it left it
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, object)
) STRICT;
CREATE TABLE table_copy (
    id INTEGER PRIMARY KEY,
    source_database TEXT NOT NULL, source_table TEXT NOT NULL,
    destination_database TEXT NOT NULL, destination_table TEXT NOT NULL,
    rows_estimate INTEGER NOT NULL, bytes_estimate INTEGER NOT NULL,
    ranges INTEGER NOT NULL DEFAULT 0,
    rows_done INTEGER NOT NULL DEFAULT 0, bytes_done INTEGER NOT NULL DEFAULT 0,
    started INTEGER, last_chunk INTEGER, finished INTEGER,
    run_started INTEGER,                -- when the latest run that worked on it began with it
    run_rows INTEGER NOT NULL DEFAULT 0, -- rows_done at that moment
    UNIQUE (source_database, source_table)
) STRICT;
CREATE TABLE range_copy (
    table_id INTEGER NOT NULL REFERENCES table_copy,
    range INTEGER NOT NULL,
    chunks INTEGER NOT NULL DEFAULT 0,
    read INTEGER NOT NULL DEFAULT 0, written INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    milliseconds INTEGER NOT NULL DEFAULT 0,
    first_chunk INTEGER, last_chunk INTEGER, finished INTEGER,
    PRIMARY KEY (table_id, range)
) STRICT, WITHOUT ROWID;
CREATE TABLE sample (                   -- rows and bytes of all tables now and then, for rates
    run INTEGER NOT NULL REFERENCES run,
    at INTEGER NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (run, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE wait (
    run INTEGER NOT NULL REFERENCES run,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER,                      -- NULL: over
    times INTEGER NOT NULL DEFAULT 1,
    milliseconds INTEGER NOT NULL DEFAULT 0, -- of the waits that are over
    PRIMARY KEY (run, who)
) STRICT;
CREATE TABLE note (
    run INTEGER NOT NULL REFERENCES run,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (run, text)
) STRICT;
CREATE TABLE control (                  -- what somebody asks of the running apply
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    requested INTEGER NOT NULL
) STRICT;
";

/// The incremental phase. Positions are JSON as `binlog::Position` writes it.
const V2: &str = "
CREATE TABLE follow (                   -- one row, from the first run of the phase on
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    began INTEGER NOT NULL,
    run INTEGER NOT NULL REFERENCES run, -- the latest that worked on it
    started INTEGER NOT NULL,           -- when that one began with it
    until TEXT NOT NULL,
    lanes INTEGER NOT NULL,
    first_position TEXT NOT NULL,       -- where the first run began
    position TEXT NOT NULL,             -- everything before it is at the destination
    read_position TEXT,
    source_micros INTEGER,              -- when the newest transaction at the destination was committed at the source
    commits INTEGER NOT NULL DEFAULT 0,
    transactions INTEGER NOT NULL DEFAULT 0, row_events INTEGER NOT NULL DEFAULT 0,
    inserted INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    micros INTEGER NOT NULL DEFAULT 0,  -- of all commits together
    last_commit INTEGER,
    caught_up INTEGER,                  -- when everything was at the destination last
    lag_micros INTEGER, lag_at INTEGER, idle INTEGER NOT NULL DEFAULT 0, by_heartbeat INTEGER NOT NULL DEFAULT 0,
    lanes_busy INTEGER NOT NULL DEFAULT 0, backlog_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE follow_sample (            -- totals now and then, for rates
    run INTEGER NOT NULL REFERENCES run,
    at INTEGER NOT NULL,
    transactions INTEGER NOT NULL, row_events INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (run, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE conflict (
    source_database TEXT NOT NULL, source_table TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,                  -- JSON: names of the key's columns
    rows INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (source_database, source_table, kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE ddl_count (                -- of all runs together
    class TEXT NOT NULL,
    outcome TEXT NOT NULL,              -- carried, skipped, failed
    times INTEGER NOT NULL,
    last INTEGER NOT NULL,
    reason TEXT,                        -- why the last one was skipped
    PRIMARY KEY (class, outcome)
) STRICT, WITHOUT ROWID;
CREATE TABLE ddl (                      -- what ran and what failed; the latest thousand of each
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES run,
    at INTEGER NOT NULL,
    place TEXT NOT NULL, gtid TEXT,
    class TEXT NOT NULL,
    object TEXT,
    sql TEXT NOT NULL,
    milliseconds INTEGER,
    found_done INTEGER NOT NULL DEFAULT 0,
    error TEXT                          -- NULL: it ran
) STRICT;
CREATE TABLE setting (                  -- limits in force in a run
    run INTEGER NOT NULL REFERENCES run,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
";

const V3: &str = "
CREATE TABLE retention (                -- how long the source keeps its binlog, as last measured while it was followed
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL,
    removed_after INTEGER,              -- seconds; 0 is never, NULL is unknown
    oldest_age INTEGER,                 -- seconds since the first event of the oldest file
    needed INTEGER NOT NULL,            -- seconds
    short INTEGER NOT NULL
) STRICT;
";

fn pragma(conn: &Connection, path: &Path, name: &str) -> Result<i64, StateError> {
    conn.pragma_query_value(None, name, |row| row.get(0)).map_err(|e| StateError::sqlite("cannot read", path, e))
}

/// Version of a file of ours; `None` for a file that holds nothing yet.
fn version(conn: &Connection, path: &Path, ladder: &[&str]) -> Result<Option<i64>, StateError> {
    let known = i64::try_from(ladder.len()).unwrap_or(i64::MAX);
    let id = pragma(conn, path, "application_id")?;
    let found = pragma(conn, path, "user_version")?;
    if id == 0 && found == 0 {
        let tables: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|e| StateError::sqlite("cannot read", path, e))?;
        if tables == 0 {
            return Ok(None);
        }
    }
    if id != APPLICATION_ID {
        return Err(StateError::NotAStateFile { path: path.to_owned() });
    }
    if found > known {
        return Err(StateError::Newer { path: path.to_owned(), found, known });
    }
    if found < 1 {
        return Err(StateError::Damaged { path: path.to_owned(), reason: format!("it says it has version {found}") });
    }
    Ok(Some(found))
}

/// Takes the missing steps in one transaction, so that a kill leaves the old version or the new one.
fn climb(conn: &mut Connection, path: &Path, ladder: &[&str]) -> Result<(), StateError> {
    let fail = |e| StateError::sqlite("cannot prepare the state file", path, e);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(fail)?;
    let from = version(&tx, path, ladder)?.unwrap_or(0);
    for step in ladder.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)) {
        tx.execute_batch(step).map_err(fail)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
    tx.pragma_update(None, "user_version", ladder.len()).map_err(fail)?;
    tx.commit().map_err(fail)
}

/// Opens for writing; makes the file or lifts it to the latest version. `true` when it held nothing before.
pub(super) fn open_for_writing(path: &Path, ladder: &[&str]) -> Result<(Connection, bool), StateError> {
    let fail = |e| StateError::sqlite("cannot open the state file", path, e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(fail)?;
    settle(&conn, path)?;
    // Asked before anything is written: a foreign file stays as it is.
    let found = version(&conn, path, ladder)?;
    if found.is_some() {
        let broken: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fail)?;
        if broken != "ok" {
            return Err(StateError::Damaged { path: path.to_owned(), reason: broken });
        }
    }
    conn.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    // Under WAL, NORMAL can lose the last commits when the power fails but never damages the file; the destination knows better anyway.
    conn.pragma_update(None, "synchronous", "NORMAL").map_err(fail)?;
    if found != i64::try_from(ladder.len()).ok() {
        climb(&mut conn, path, ladder)?;
    }
    Ok((conn, found.is_none()))
}

/// Opens for reading: never writes, works beside a writer and on what a killed writer left.
pub(super) fn open_for_reading(path: &Path, ladder: &[&str]) -> Result<Connection, StateError> {
    if !path.exists() {
        return Err(StateError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|e| StateError::sqlite("cannot open the state file", path, e))?;
    settle(&conn, path)?;
    match version(&conn, path, ladder) {
        Ok(Some(found)) if found == i64::try_from(ladder.len()).unwrap_or(i64::MAX) => Ok(conn),
        Ok(Some(_)) => lifted_copy(&conn, path, ladder),
        // What a run leaves that was killed before the file's first transaction.
        Ok(None) => Err(StateError::Missing { path: path.to_owned() }),
        // A WAL file in a folder where its shared-memory file cannot be made: with nobody writing it can be read as it stands.
        Err(StateError::Sqlite { .. }) if !beside(path, "-wal").exists() => {
            let uri = format!("file:{}?immutable=1", percent(path));
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            let conn = Connection::open_with_flags(uri, flags).map_err(|e| StateError::sqlite("cannot open the state file", path, e))?;
            match version(&conn, path, ladder)? {
                Some(_) => Ok(conn),
                None => Err(StateError::Missing { path: path.to_owned() }),
            }
        }
        Err(other) => Err(other),
    }
}

fn settle(conn: &Connection, path: &Path) -> Result<(), StateError> {
    conn.busy_timeout(std::time::Duration::from_secs(10)).map_err(|e| StateError::sqlite("cannot open the state file", path, e))
}

/// A copy of an older file in memory, lifted to the latest version.
fn lifted_copy(old: &Connection, path: &Path, ladder: &[&str]) -> Result<Connection, StateError> {
    let fail = |e| StateError::sqlite("cannot read the older state file", path, e);
    let mut copy = Connection::open_in_memory().map_err(fail)?;
    let mut tables =
        old.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'").map_err(fail)?;
    let tables: Vec<(String, String)> =
        tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(fail)?.collect::<Result<_, _>>().map_err(fail)?;
    for (name, sql) in tables {
        copy.execute_batch(&sql).map_err(fail)?;
        let mut rows = old.prepare(&format!("SELECT * FROM \"{name}\"")).map_err(fail)?;
        let width = rows.column_count();
        let marks = vec!["?"; width].join(",");
        let mut insert = copy.prepare(&format!("INSERT INTO \"{name}\" VALUES ({marks})")).map_err(fail)?;
        let mut rows = rows.query([]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let values: Vec<rusqlite::types::Value> = (0..width).map(|i| row.get(i)).collect::<Result<_, _>>().map_err(fail)?;
            insert.execute(rusqlite::params_from_iter(values)).map_err(fail)?;
        }
    }
    copy.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
    copy.pragma_update(None, "user_version", pragma(old, path, "user_version")?).map_err(fail)?;
    climb(&mut copy, path, ladder)?;
    Ok(copy)
}

/// The path with something after its last letter: `a.db` and `-wal` give `a.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// For SQLite's `file:` form of a name.
fn percent(path: &Path) -> String {
    let mut out = String::new();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[&str] =
        &["CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);", "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7;"];

    fn sum(conn: &Connection) -> i64 {
        conn.query_row("SELECT x * 10 + y FROM a", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_file_is_lifted_and_read_without_being_lifted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        drop(open_for_writing(&path, &TWO[..1]).unwrap());
        let before = std::fs::read(&path).unwrap();
        assert_eq!(sum(&open_for_reading(&path, TWO).unwrap()), 17, "the reader sees the new form");
        assert_eq!(std::fs::read(&path).unwrap(), before, "and leaves the file alone");
        let (conn, new) = open_for_writing(&path, TWO).unwrap();
        assert!(!new);
        assert_eq!(sum(&conn), 17);
        assert_eq!(pragma(&conn, &path, "user_version").unwrap(), 2);
        drop(conn);
        assert!(matches!(open_for_writing(&path, &TWO[..1]), Err(StateError::Newer { found: 2, known: 1, .. })));
        assert!(matches!(open_for_reading(&path, &TWO[..1]), Err(StateError::Newer { found: 2, known: 1, .. })));
    }

    #[test]
    fn foreign_files_are_told_apart_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text.db");
        std::fs::write(&text, "this is no database, though it is long enough to have a header of a hundred bytes; a page is what it lacks")
            .unwrap();
        assert!(matches!(open_for_writing(&text, LADDER), Err(StateError::NotAStateFile { .. })));
        assert!(std::fs::read_to_string(&text).unwrap().starts_with("this is no"));

        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = std::fs::read(&other).unwrap();
        assert!(matches!(open_for_writing(&other, LADDER), Err(StateError::NotAStateFile { .. })));
        assert!(matches!(open_for_reading(&other, LADDER), Err(StateError::NotAStateFile { .. })));
        assert_eq!(std::fs::read(&other).unwrap(), before);

        let empty = folder.path().join("empty.db");
        std::fs::write(&empty, "").unwrap();
        assert!(matches!(open_for_reading(&empty, LADDER), Err(StateError::Missing { .. })));
        assert!(open_for_writing(&empty, LADDER).unwrap().1, "an empty file is a new one: a run was killed while it made it");
    }

    #[test]
    fn broken_pages_are_noticed_on_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.db");
        drop(open_for_writing(&path, LADDER).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0xA5);
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(open_for_writing(&path, LADDER), Err(StateError::Damaged { .. })));
        std::fs::write(&path, &bytes[..2000]).unwrap();
        assert!(matches!(open_for_writing(&path, LADDER), Err(StateError::Damaged { .. })));
    }
}
