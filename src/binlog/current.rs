//! Where a server's binlog is now.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    error::BinlogError,
    gtid::GtidSet,
    position::{Place, Position},
    start::{has_gtids, set},
};
use crate::connect::{ConnectError, Session};

/// How long transactions that are in the middle of their commit are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where to begin to read so that nothing is lost to a copy whose first row is read after this. `None` where the server writes no binlog.
///
/// The hard idea: a commit is written to the binlog first and becomes visible a moment later, so the place that a server names may lie
/// behind a transaction that a copy, begun right now, does not see: it would be in neither.
/// - MariaDB: `START TRANSACTION WITH CONSISTENT SNAPSHOT` says which place it stands for, and the GTIDs belong to that place.
/// - MySQL with GTIDs: the set holds what is visible, the place may be a little behind it. Streams begin by the set. What is visible
///   at this moment lies before the place, so a reader who has passed the place has passed all that anybody could have seen.
/// - MySQL without GTIDs: the commits that were on their way when the place was named are waited for.
///
/// # Errors
/// As the server or the connection fails; the account needs REPLICATION CLIENT (MariaDB: BINLOG MONITOR).
pub fn current_position(session: &mut Session) -> Result<Option<Position>, BinlogError> {
    if !session.info().is_on("log_bin") {
        return Ok(None);
    }
    let server: Arc<str> = session.info().identity.as_str().into();
    if session.flavor().is_mariadb() {
        let place = snapshot_place(session)?;
        let Some(place) = place else { return named_place(session, server) };
        let sql = format!("SELECT BINLOG_GTID_POS('{}', {})", place.file.replace('\'', ""), place.offset);
        let text = session.query("asking for the GTID position", &sql)?.text_at(0, 0);
        let gtid = text.and_then(|t| t.parse().ok()).map(GtidSet::MariaDb);
        return Ok(Some(Position { place, gtid, server: Some(server) }));
    }
    named_place(session, server)
}

/// The place that an InnoDB snapshot stands for (MariaDB). Ends the transaction again.
fn snapshot_place(session: &mut Session) -> Result<Option<Place>, ConnectError> {
    session.exec("beginning a snapshot", "START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
    let rows = session.query("asking for the binlog position", "SHOW STATUS LIKE 'binlog_snapshot_%'")?;
    session.exec("ending a snapshot", "ROLLBACK")?;
    let value = |name: &str| {
        let row = (0..rows.len()).find(|r| rows.text_at(*r, 0).is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        rows.text_at(row, 1)
    };
    let place = value("binlog_snapshot_file").zip(value("binlog_snapshot_position").and_then(|p| p.parse().ok()));
    Ok(place.filter(|(file, _)| !file.is_empty()).map(|(file, offset)| Place { file, offset }))
}

fn named_place(session: &mut Session, server: Arc<str>) -> Result<Option<Position>, BinlogError> {
    let statement = session.flavor().binlog_status_statement();
    let rows = session.query("asking for the binlog position", statement)?;
    let Some((file, offset)) = rows.text_at(0, 0).zip(rows.number_at(0, 1)) else { return Ok(None) };
    let place = Place { file, offset };
    if session.flavor().is_mariadb() {
        let gtid = Some(set(session, "gtid_binlog_pos")?);
        return Ok(Some(Position { place, gtid, server: Some(server) }));
    }
    if !has_gtids(session) {
        anonymous_done(session)?;
        return Ok(Some(Position { place, gtid: None, server: Some(server) }));
    }
    // A GTID joins this set when its transaction has become visible, and the server looks at the set before it names the place.
    let text = rows.text(0, "Executed_Gtid_Set").unwrap_or_default();
    let gtid = text.parse().map(GtidSet::MySql);
    let gtid = gtid.map_err(|e| ConnectError::Unexpected { doing: "asking for the binlog position".to_owned(), reason: e.to_string() })?;
    Ok(Some(Position { place, gtid: Some(gtid), server: Some(server) }))
}

fn unsettled(session: &Session, what: &str) -> BinlogError {
    let reason = format!("transactions do not end their commit at {}: {what}", session.address());
    ConnectError::Unexpected { doing: "asking for the binlog position".to_owned(), reason }.into()
}

/// Without GTIDs only their number is known: at a moment when none is on its way, all that were are done.
fn anonymous_done(session: &mut Session) -> Result<(), BinlogError> {
    let begin = Instant::now();
    loop {
        let rows = session.query("asking for open commits", "SHOW GLOBAL STATUS LIKE 'Ongoing_anonymous_transaction_count'")?;
        match rows.number_at(0, 1) {
            Some(0) | None => return Ok(()),
            Some(_) if begin.elapsed() > PATIENCE => return Err(unsettled(session, "there is always one")),
            Some(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}
