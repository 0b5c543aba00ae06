//! Where a stream may begin: by GTID on MySQL where there are any, and on a server other than the one the position was taken on; else at
//! the very byte.
//!
//! The hard idea: a server answers a request for what is gone, or for what it never had, in ways that range from an error to silence. So it
//! is asked before what it has, and a stream begins only where nothing can be missing.

use std::{
    cmp::Ordering,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    error::BinlogError,
    gtid::GtidSet,
    mark,
    position::{Place, Position},
    query::ExplicitDefaults,
};
use crate::connect::{BinlogOrigin, BinlogStart, ConnectError, Login, Purpose, Session, Vendor};

/// Where to begin, and what was found out on the way.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) request: BinlogStart,
    /// Events before this offset are to be passed over.
    pub(super) skip_to: Option<u64>,
    /// Identity of the server.
    pub(super) server: Arc<str>,
    pub(super) vendor: Vendor,
    pub(super) explicit: ExplicitDefaults,
    pub(super) address: String,
}

/// A server's file list, or `None` where the account may not see it.
fn files(session: &mut Session) -> Result<Option<Vec<(String, u64)>>, BinlogError> {
    match session.query("listing the binlog's files", "SHOW BINARY LOGS") {
        Ok(rows) => Ok(Some((0..rows.len()).filter_map(|r| Some((rows.text_at(r, 0)?, rows.number_at(r, 1)?))).collect())),
        Err(error) if error.is_missing_right() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn global(session: &mut Session, variable: &str) -> Result<String, ConnectError> {
    let rows = session.query("reading GTIDs", &format!("SELECT @@GLOBAL.{variable}"))?;
    Ok(rows.text_at(0, 0).unwrap_or_default())
}

/// A set of GTIDs that the server holds in a variable.
fn set(session: &mut Session, variable: &str) -> Result<GtidSet, BinlogError> {
    let text = global(session, variable)?;
    let mariadb = session.flavor().is_mariadb();
    let parsed = if mariadb { text.parse().map(GtidSet::MariaDb) } else { text.parse().map(GtidSet::MySql) };
    parsed.map_err(|e| ConnectError::Unexpected { doing: "reading GTIDs".to_owned(), reason: e.to_string() }.into())
}

/// GTIDs are written into the binlog, and all of them: else a set says nothing about a position.
fn has_gtids(session: &mut Session) -> bool {
    session.flavor().is_mariadb() || session.info().variable("gtid_mode") == Some("ON")
}

/// A transaction shows in the stream before it shows in the set of what has happened, by the time that a commit takes.
const SETTLES: Duration = Duration::from_secs(10);

/// Looks where `position` is to be read from. What is `applied` may be further on than that.
pub(super) fn find(login: &Login, task: &str, position: &Position, applied: Option<&Position>) -> Result<Found, BinlogError> {
    let mut session = Session::open(login, Purpose::Catalog)?;
    let address = session.address().to_owned();
    if !session.info().is_on("log_bin") {
        return Err(BinlogError::NotLogged { address });
    }
    let server: Arc<str> = session.info().identity.as_str().into();
    let vendor = session.flavor().vendor;
    let mariadb = vendor == Vendor::MariaDb;
    let explicit = match session.flavor().flags_explicit_defaults() {
        true => ExplicitDefaults::Flagged,
        false => ExplicitDefaults::Global(session.info().variable("explicit_defaults_for_timestamp").map(|v| v == "ON")),
    };
    let switched = position.server.as_ref().is_some_and(|was| *was != server);
    let gtids = position.gtid.as_ref().filter(|_| has_gtids(&mut session));
    if switched && gtids.is_none() {
        let was = position.server.as_deref().unwrap_or_default().to_owned();
        return Err(BinlogError::SourceSwitched { address, was, now: server.to_string() });
    }
    // Before the GTIDs: after a reset they may be fewer, as many, or more. Of two positions the later one is in the younger file.
    is_what_was_read(&mut session, login, task, applied.unwrap_or(position))?;
    if let Some(ours) = gtids {
        has_all(&mut session, ours, switched)?;
        // After a reset the numbers may have grown beyond ours again; the file, not yet.
        if !switched && !mariadb {
            place(&mut session, &position.place)?.ok();
        }
    }
    let found = |request, skip_to| Found { request, skip_to, server: Arc::clone(&server), vendor, explicit, address: address.clone() };
    // MySQL looks by itself where a set ends; and only the set is exact in a position that [`super::snapshot`] has named.
    let lost = if switched || (!mariadb && gtids.is_some()) {
        None
    } else {
        match place(&mut session, &position.place)? {
            Ok((request, skip_to)) => return Ok(found(request, skip_to)),
            Err(lost) => Some(lost),
        }
    };
    // Another server, or one that has not got the file any more, which need not mean that anything of ours is lost.
    let Some(ours) = gtids else {
        let lost = lost.unwrap_or_default();
        return Err(BinlogError::Purged { from: position.to_string(), address, lost });
    };
    match ours {
        GtidSet::MySql(set) if !mariadb => {
            not_purged(&mut session, ours, position)?;
            let origins = set.iter().map(|(origin, intervals)| BinlogOrigin {
                uuid: origin.uuid,
                tag: origin.tag.clone(),
                intervals: intervals.to_vec(),
            });
            Ok(found(BinlogStart::MySqlGtid(origins.collect()), None))
        }
        // MariaDB finds out by itself whether it has all of them, and says so with its first answer.
        _ => Ok(found(BinlogStart::MariaDbGtid(ours.to_string()), None)),
    }
}

/// Whether this server, be it another than the one the position was taken on, has what was read before and what comes after.
///
/// # Errors
/// [`BinlogError::Ahead`], [`BinlogError::Purged`], [`BinlogError::SourceSwitched`] when the position or the server has no GTIDs, or as the
/// connection fails. What MariaDB has purged shows only when it is asked for the stream.
pub fn goes_on(session: &mut Session, position: &Position) -> Result<(), BinlogError> {
    let address = session.address().to_owned();
    let Some(ours) = position.gtid.as_ref().filter(|_| has_gtids(session)) else {
        let was = position.server.as_deref().unwrap_or_default().to_owned();
        return Err(BinlogError::SourceSwitched { address, was, now: session.info().identity.clone() });
    };
    has_all(session, ours, true)?;
    if session.flavor().is_mysql() { not_purged(session, ours, position) } else { Ok(()) }
}

/// The file that a position lies in is the one that was read, and not another one that has come to bear its name since.
///
/// Nothing is compared where the position has no mark, where it is another server's, or where the file is gone, but that there is a younger one:
/// a server's numbers never go back but when it begins anew. Whether a position in a file that is gone can be gone on from is told by GTIDs
/// or not at all.
///
/// # Errors
/// [`BinlogError::Another`] when it is another file, or as the connection fails; the account lacks `REPLICATION SLAVE`.
pub fn is_what_was_read(session: &mut Session, login: &Login, task: &str, position: &Position) -> Result<(), BinlogError> {
    if position.server.as_deref() != Some(session.info().identity.as_str()) {
        return Ok(());
    }
    let place = &position.place;
    if let Some(files) = files(session)?
        && !files.iter().any(|(name, _)| *name == place.file)
    {
        let newest = files.last().map(|(name, size)| Place { file: name.clone(), offset: *size });
        return match newest {
            Some(newest) if newest.order(place) == Some(Ordering::Less) => {
                let reason = format!("the server has not come to a file of that number, its newest one is {}", newest.file);
                Err(BinlogError::Another { file: place.file.clone(), reason })
            }
            _ => Ok(()),
        };
    }
    match &position.mark {
        Some(mark) => mark::compare(login, task, &place.file, mark),
        None => Ok(()),
    }
}

/// MySQL still has all that we have not read.
fn not_purged(session: &mut Session, ours: &GtidSet, position: &Position) -> Result<(), BinlogError> {
    let purged = set(session, "gtid_purged")?.difference(ours);
    if purged.is_empty() {
        return Ok(());
    }
    Err(BinlogError::Purged { from: position.to_string(), address: session.address().to_owned(), lost: purged.to_string() })
}

/// The server has had all that we have read.
fn has_all(session: &mut Session, ours: &GtidSet, switched: bool) -> Result<(), BinlogError> {
    let variable = if session.flavor().is_mariadb() { "gtid_binlog_state" } else { "gtid_executed" };
    let begin = Instant::now();
    loop {
        let theirs = set(session, variable)?;
        let lacking = ours.difference(&theirs);
        if lacking.is_empty() {
            return Ok(());
        }
        if switched || begin.elapsed() > SETTLES {
            return Err(BinlogError::Ahead { address: session.address().to_owned(), lacking: lacking.to_string(), switched });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

type Request = (BinlogStart, Option<u64>);

/// How to ask for a place; inside, what is lost when its file is gone.
fn place(session: &mut Session, place: &Place) -> Result<Result<Request, String>, BinlogError> {
    if let Some(files) = files(session)? {
        match files.iter().find(|(name, _)| *name == place.file) {
            Some((_, size)) if place.offset > *size => {
                let lacking = format!("{place}, while {} ends at {size}", place.file);
                return Err(BinlogError::Ahead { address: session.address().to_owned(), lacking, switched: false });
            }
            Some(_) => {}
            None => {
                let oldest = files.first().map_or("there is no file".to_owned(), |(name, _)| format!("the oldest file is {name}"));
                return Ok(Err(format!("{}, {oldest}", place.file)));
            }
        }
    }
    let file = place.file.clone();
    Ok(Ok(match u32::try_from(place.offset) {
        Ok(offset) => (BinlogStart::Place { file, offset: offset.max(4) }, None),
        // The request has 32 bits: from the file's beginning, then.
        Err(_) => (BinlogStart::Place { file, offset: 4 }, Some(place.offset)),
    }))
}
