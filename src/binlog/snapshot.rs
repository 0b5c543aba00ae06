//! Snapshots of the source whose place in the binlog is known exactly, and positions that hold for rows read without one.
//!
//! Facts this rests on:
//! - MariaDB: `START TRANSACTION WITH CONSISTENT SNAPSHOT` takes the snapshots of InnoDB and of the binlog as one; the session's
//!   `binlog_snapshot_file` and `binlog_snapshot_position` name the place, and `BINLOG_GTID_POS` turns it into GTIDs (manual: "Enhancements
//!   for START TRANSACTION WITH CONSISTENT SNAPSHOT"; seen on 10.11.19).
//! - MySQL has no such thing. A transaction goes into the binlog (flush stage) before its rows can be seen (commit stage), so a
//!   file and offset may be ahead of what a SELECT sees. Its GTID enters `gtid_executed` after its rows can be seen
//!   (`MYSQL_BIN_LOG::process_commit_stage_queue`); its metadata locks go last. So under `LOCK TABLES ... READ` nothing that has
//!   written to these tables is still on its way, and the binlog's end is then their exact place.

use std::time::{Duration, Instant};

use super::{
    gtid::GtidSet,
    mark::{self, Mark},
    position::{Place, Position},
};
use crate::{
    catalog::TableName,
    connect::{ConnectError, Login, Purpose, Session},
};

/// Seconds that a `LOCK TABLES` of ours waits behind a writer, while it makes others wait in turn (requirements B12). The caller tries again
/// after a pause, since a lock wait that ran out is transient.
const LOCK_SECONDS: u32 = 2;

/// How long transactions in the middle of their commit are waited for.
const COMMITTING: Duration = Duration::from_secs(10);

/// So often a file is looked at that is another one by the time that the position is taken.
const TRIES: usize = 5;

const DOING: &str = "taking a snapshot with its binlog position";

fn unexpected(reason: &str) -> ConnectError {
    ConnectError::Unexpected { doing: DOING.to_owned(), reason: reason.to_owned() }
}

/// A position before which everything is visible to every read that begins after this call, but for what [`settle`] waits for. On MySQL
/// its GTIDs may be further than its place: both are places to go on from, and what lies between them may come again.
///
/// # Errors
/// As the connection fails, the account lacks the right (`REPLICATION CLIENT`, `BINLOG MONITOR`), or there is no binlog.
pub fn start_position(session: &mut Session) -> Result<Position, ConnectError> {
    if session.flavor().is_mysql() {
        let place = binlog_end(session)?;
        let gtid = executed(session)?;
        return Ok(position(session, place, gtid));
    }
    session.exec(DOING, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")?;
    let position = snapshot_place(session);
    session.exec(DOING, "COMMIT")?;
    position
}

/// A position that `take` gives, with the mark of its file: a source whose binlog begins anew before anything of it has been followed is told
/// from this one. Without a mark where the account may not read the binlog.
///
/// # Errors
/// As `take`, or as the connection fails.
pub fn marked(
    session: &mut Session,
    login: &Login,
    task: &str,
    mut take: impl FnMut(&mut Session) -> Result<Position, ConnectError>,
) -> Result<Position, ConnectError> {
    // The file may be at its end just now.
    for _ in 0..TRIES {
        let file = binlog_end(session)?.file;
        // Before the position: should the binlog begin anew in between, the mark is of what is gone, and following fails.
        let mark = match mark::of(login, task, &file) {
            Err(error) if error.is_connection() => return Err(error),
            found => found.ok().flatten(),
        };
        // All that this mark has is a time in seconds: a file that takes this one's place must not be begun in the same one.
        if let Some(mark) = &mark {
            until_over(session, mark)?;
        }
        let position = take(session)?;
        if position.place.file == file {
            return Ok(Position { mark, ..position });
        }
    }
    take(session)
}

/// Waits until the server's clock has left the second in which a file was begun; not for long, since clocks are set back.
fn until_over(session: &mut Session, mark: &Mark) -> Result<(), ConnectError> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        let now = session.query(DOING, "SELECT UNIX_TIMESTAMP()")?.number_at(0, 0);
        if now.is_none_or(|now| mark.is_over_at(now)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A position that is behind everything that any read so far has seen.
///
/// # Errors
/// As [`start_position`].
pub fn end_position(session: &mut Session) -> Result<Position, ConnectError> {
    let gtid = executed(session)?;
    let place = binlog_end(session)?;
    Ok(position(session, place, gtid))
}

/// Waits until what was in the binlog before this call can be seen in a table. Needed before the first read of each table after
/// [`start_position`] where that is no more than a file and offset: on a MySQL server without GTIDs; elsewhere it does nothing.
///
/// # Errors
/// As the connection fails; a lock wait that ran out, which is transient; the account lacks `LOCK TABLES`.
pub fn settle(session: &mut Session, table: &TableName) -> Result<(), ConnectError> {
    if session.flavor().is_mariadb() || session.info().is_on("gtid_mode") {
        return Ok(());
    }
    lock(session, &[table])?;
    session.exec(DOING, "UNLOCK TABLES")?;
    Ok(())
}

/// Opens a consistent snapshot in `session`, which must have no transaction open, and says where in the binlog it stands: every
/// transaction on these tables is either before the position and in the snapshot, or after it and not in it. Writers wait for it on MySQL
/// only, for the moment in which it is opened. The snapshot ends with `COMMIT`.
///
/// # Errors
/// As the connection fails; on MySQL a lock wait that ran out, which is transient, and a missing `LOCK TABLES` right.
pub fn open(session: &mut Session, login: &Login, tables: &[&TableName]) -> Result<Position, ConnectError> {
    let start = |session: &mut Session| session.exec(DOING, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    if session.flavor().is_mariadb() {
        start(session)?;
        return snapshot_place(session);
    }
    let mut keeper = Session::open(login, Purpose::Read)?;
    lock(&mut keeper, tables)?;
    start(session)?;
    let position = locked_position(&mut keeper)?;
    // Dropped before, the session would have let go of the lock in the same way.
    keeper.exec(DOING, "UNLOCK TABLES")?;
    Ok(position)
}

/// Locks a table of an engine without transactions against writers for as long as it is read, since no snapshot holds for it, and says where
/// in the binlog that is. The lock ends with `UNLOCK TABLES`.
///
/// # Errors
/// As [`open`].
pub fn open_locked(session: &mut Session, table: &TableName) -> Result<Position, ConnectError> {
    lock(session, &[table])?;
    locked_position(session)
}

/// While no transaction that has written to the locked tables is on its way.
fn locked_position(session: &mut Session) -> Result<Position, ConnectError> {
    let gtid = gtids(session)?;
    let place = binlog_end(session)?;
    Ok(position(session, place, gtid))
}

fn position(session: &Session, place: Place, gtid: Option<GtidSet>) -> Position {
    Position { place, gtid, server: Some(session.info().identity.as_str().into()), mark: None }
}

fn lock(session: &mut Session, tables: &[&TableName]) -> Result<(), ConnectError> {
    let list: Vec<String> = tables.iter().map(|t| format!("{} READ", t.quoted())).collect();
    if list.is_empty() {
        return Ok(());
    }
    session.exec(DOING, &format!("SET SESSION lock_wait_timeout={LOCK_SECONDS}"))?;
    session.exec(DOING, &format!("LOCK TABLES {}", list.join(", ")))?;
    Ok(())
}

/// The place of the snapshot that a MariaDB session has open.
fn snapshot_place(session: &mut Session) -> Result<Position, ConnectError> {
    let rows = session.query(DOING, "SHOW SESSION STATUS LIKE 'binlog\\_snapshot\\_%'")?;
    let value = |name: &str| {
        let row = (0..rows.len()).find(|&r| rows.text_at(r, 0).is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        rows.text_at(row, 1).filter(|text| !text.is_empty())
    };
    let offset: Option<u64> = value("binlog_snapshot_position").and_then(|text| text.parse().ok());
    let (Some(file), Some(offset)) = (value("binlog_snapshot_file"), offset) else {
        return Err(unexpected("the server names no binlog position of its snapshot; is its binlog on?"));
    };
    if !is_file_name(&file) {
        return Err(unexpected("the name of the binlog file is none"));
    }
    let rows = session.query(DOING, &format!("SELECT BINLOG_GTID_POS('{file}', {offset})"))?;
    let gtid = set(rows.text_at(0, 0))?;
    Ok(position(session, Place { file, offset }, gtid))
}

/// Binlog files are named by the server's administrator, and need not be quoted by us unless they are odd.
fn is_file_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn set(text: Option<String>) -> Result<Option<GtidSet>, ConnectError> {
    text.map(|text| text.parse()).transpose().map_err(|_| unexpected("its set of GTIDs is not readable"))
}

/// All GTIDs that have happened, where the server has them.
fn gtids(session: &mut Session) -> Result<Option<GtidSet>, ConnectError> {
    let variable = match session.flavor().is_mariadb() {
        true => "@@GLOBAL.gtid_binlog_pos",
        false if session.info().is_on("gtid_mode") => "@@GLOBAL.gtid_executed",
        false => return Ok(None),
    };
    set(session.query(DOING, &format!("SELECT {variable}"))?.text_at(0, 0))
}

/// The same once what is in the binlog and may have been seen, but is still a moment away from `gtid_executed`, has come to be in it. Until
/// then a thread owns it. Without it, a change that a read has seen would be taken for one to come.
fn executed(session: &mut Session) -> Result<Option<GtidSet>, ConnectError> {
    if session.flavor().is_mysql() && session.info().is_on("gtid_mode") {
        let begun = Instant::now();
        until_committed(|| owned(session), || begun.elapsed() < COMMITTING)?;
    }
    gtids(session)
}

/// Waits until of the transactions that are owned at the first look none is any more; those that come later do not matter.
///
/// # Errors
/// As `look`; [`ConnectError::Unsettled`], which is transient, when `may_wait` says no first.
fn until_committed(mut look: impl FnMut() -> Result<Vec<String>, ConnectError>, may_wait: impl Fn() -> bool) -> Result<(), ConnectError> {
    let mut left = look()?;
    while !left.is_empty() {
        if !may_wait() {
            let reason = format!("{} transactions are in the middle of their commit and do not come to its end", left.len());
            return Err(ConnectError::Unsettled { doing: DOING.to_owned(), reason });
        }
        std::thread::sleep(Duration::from_millis(5));
        let now = look()?;
        left.retain(|gtid| now.contains(gtid));
    }
    Ok(())
}

fn owned(session: &mut Session) -> Result<Vec<String>, ConnectError> {
    Ok(owners(&session.query(DOING, "SELECT @@GLOBAL.gtid_owned")?.text_at(0, 0).unwrap_or_default()))
}

/// Reads `UUID:7#12:8#14, UUID2:...`: numbers, each with the thread that owns it, as one text each.
fn owners(text: &str) -> Vec<String> {
    let of_server = |part: &str| -> Vec<String> {
        let Some((server, numbers)) = part.trim().split_once(':') else { return Vec::new() };
        numbers.split(':').map(|number| format!("{server}:{}", number.split('#').next().unwrap_or_default())).collect()
    };
    text.split(',').flat_map(of_server).collect()
}

/// Where the next event will be written.
fn binlog_end(session: &mut Session) -> Result<Place, ConnectError> {
    let statement = session.flavor().binlog_status_statement();
    let rows = session.query(DOING, statement)?;
    match (rows.text_at(0, 0), rows.text_at(0, 1).and_then(|text| text.parse().ok())) {
        (Some(file), Some(offset)) => Ok(Place { file, offset }),
        _ => Err(unexpected("the server names no binlog position; is its binlog on?")),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn owned_gtids_are_read_as_the_server_prints_them() {
        assert_eq!(owners("3e11fa47:7#12:8#14,\n4f22:9#1"), ["3e11fa47:7", "3e11fa47:8", "4f22:9"]);
        assert_eq!(owners(""), Vec::<String>::new());
    }

    #[test]
    fn commits_under_way_are_waited_for_and_never_passed_over() {
        let looks = Cell::new(0);
        let look = |after: u32| {
            let looks = &looks;
            move || {
                looks.set(looks.get() + 1);
                // Another one comes with every look.
                let mut owned = vec![format!("u:{}", 100 + looks.get())];
                owned.extend((looks.get() <= after).then(|| "u:7".to_owned()));
                Ok(owned)
            }
        };
        until_committed(look(3), || true).unwrap();
        assert_eq!(looks.get(), 4);
        looks.set(0);
        let tries = Cell::new(0);
        let error = until_committed(look(u32::MAX), || tries.replace(tries.get() + 1) < 3).unwrap_err();
        assert!(error.is_transient() && !error.is_connection(), "{error}");
        assert!(error.to_string().contains("1 transactions are in the middle"), "{error}");
    }
}
