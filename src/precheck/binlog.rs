//! What the source says of its binlog, for the checks of the incremental phase.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    binlog::{GtidSet, Position, retention},
    connect::{ConnectError, Login, ServerInfo, Session},
    spec::Start,
};

/// XA transactions that are prepared and not decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prepared {
    /// At the first look.
    pub seen: u64,
    /// Of them, still at a second look, a second later.
    pub lasting: u64,
}

/// The source's binlog. Filled only when the incremental phase is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BinlogFacts {
    /// Its files with their sizes, oldest first; `None` where the account may not see them, or there is no binlog.
    pub files: Option<Vec<(String, u64)>>,
    /// MySQL: what was in files that are gone (`gtid_purged`).
    pub purged: Option<GtidSet>,
    /// Seconds since the server was started.
    pub uptime: Option<u64>,
    /// Age of the oldest file's first event in seconds.
    pub oldest_age: Option<u64>,
    /// Databases that alone are written into the binlog (`binlog-do-db`), as the server prints them.
    pub only: Vec<String>,
    /// Databases that are not (`binlog-ignore-db`).
    pub ignored: Vec<String>,
    /// The source is a replica itself; `None` where the account may not see that.
    pub replicates: Option<bool>,
    /// XA transactions that are prepared; `None` where the account may not see them.
    pub prepared: Option<Prepared>,
    /// Tables of the source's database `dts`; `None` when there is no such database.
    pub dts_tables: Option<BTreeSet<String>>,
}

impl BinlogFacts {
    /// The server still holds all events from a position on; `None` when nobody can tell.
    pub fn holds(&self, position: &Position, info: &ServerInfo) -> Option<bool> {
        let here = position.server.as_deref().is_none_or(|server| server == info.identity);
        if let (Some(set), Some(purged)) = (&position.gtid, &self.purged)
            && info.variable("gtid_mode") == Some("ON")
        {
            return Some(purged.is_subset(set));
        }
        let files = self.files.as_ref()?;
        if !here {
            return None;
        }
        Some(files.iter().any(|(name, size)| *name == position.place.file && *size >= position.place.offset))
    }

    /// The same of what the spec's `start` says.
    pub fn holds_start(&self, start: &Start, info: &ServerInfo) -> Option<bool> {
        match start {
            Start::Now => Some(true),
            Start::Gtid(set) => {
                let set: GtidSet = set.parse().ok()?;
                self.purged.as_ref().filter(|_| info.variable("gtid_mode") == Some("ON")).map(|purged| purged.is_subset(&set))
            }
            Start::Position { file, offset } => {
                let files = self.files.as_ref()?;
                Some(files.iter().any(|(name, size)| name == file && size >= offset))
            }
        }
    }

    /// Name of the oldest file.
    pub fn oldest(&self) -> Option<&str> {
        self.files.as_ref()?.first().map(|(name, _)| name.as_str())
    }
}

/// Asks a statement that the account may lack the right for.
fn ask(session: &mut Session, doing: &str, sql: &str) -> Result<Option<crate::connect::Rows>, ConnectError> {
    match session.query(doing, sql) {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.is_connection() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Asks the source.
///
/// # Errors
/// As the connection fails; what the account may not see is left unknown.
pub(super) fn gather(session: &mut Session, login: &Login) -> Result<BinlogFacts, ConnectError> {
    let mut facts = BinlogFacts::default();
    let mysql = session.flavor().is_mysql();
    if let Some(rows) = ask(session, "listing the binlog's files", "SHOW BINARY LOGS")? {
        facts.files = Some((0..rows.len()).filter_map(|r| Some((rows.text_at(r, 0)?, rows.number_at(r, 1)?))).collect());
    }
    if mysql && let Some(rows) = ask(session, "reading GTIDs", "SELECT @@GLOBAL.gtid_purged")? {
        facts.purged = rows.text_at(0, 0).and_then(|text| text.parse().ok()).map(GtidSet::MySql);
    }
    let statement = session.flavor().binlog_status_statement();
    if let Some(rows) = ask(session, "asking for the binlog's filters", statement)? {
        let list = |column| -> Vec<String> {
            let text = rows.text_at(0, column).unwrap_or_default();
            text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        };
        (facts.only, facts.ignored) = (list(2), list(3));
    }
    if let Some(rows) = ask(session, "reading the uptime", "SHOW GLOBAL STATUS LIKE 'Uptime'")? {
        facts.uptime = rows.number_at(0, 1);
    }
    if let Some(oldest) = facts.oldest() {
        // The account may lack the right, which another check says.
        facts.oldest_age = retention::age(session, login, oldest, "precheck").ok().flatten();
    }
    let replica = session.flavor().replica_status_statement();
    facts.replicates = ask(session, "asking whether the source replicates", replica)?.map(|rows| !rows.is_empty());
    facts.prepared = prepared(session)?;
    facts.dts_tables = super::gather::dts_tables(session)?;
    Ok(facts)
}

/// Transactions come and go; one that outlives a second look is somebody's who has gone away, or takes its time. MySQL 8.0 asks for
/// `XA_RECOVER_ADMIN` and answers error 1401 without it; MariaDB asks for nothing.
fn prepared(session: &mut Session) -> Result<Option<Prepared>, ConnectError> {
    let list = |session: &mut Session| -> Result<Option<Vec<String>>, ConnectError> {
        let rows = ask(session, "looking for prepared XA transactions", "XA RECOVER CONVERT XID")?;
        let rows = match rows {
            Some(rows) => Some(rows),
            // MariaDB knows no such form (its own is FORMAT='SQL').
            None => ask(session, "looking for prepared XA transactions", "XA RECOVER FORMAT='SQL'")?,
        };
        Ok(rows.map(|rows| (0..rows.len()).filter_map(|r| Some(format!("{}:{}", rows.text_at(r, 0)?, rows.text_at(r, 3)?))).collect()))
    };
    let Some(first) = list(session)? else { return Ok(None) };
    let mut prepared = Prepared { seen: first.len() as u64, lasting: 0 };
    if !first.is_empty() {
        std::thread::sleep(Duration::from_secs(1));
        let Some(now) = list(session)? else { return Ok(None) };
        prepared.lasting = first.iter().filter(|xid| now.contains(xid)).count() as u64;
    }
    Ok(Some(prepared))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{binlog::Place, plan::sample};

    fn at(file: &str, offset: u64, gtid: Option<&str>) -> Position {
        Position::new(Place { file: file.to_owned(), offset }, gtid.map(|set| set.parse().unwrap()))
    }

    #[test]
    fn a_position_is_held_by_its_file_or_by_its_set() {
        let mut info = sample::server("8.0.36");
        let mut facts = BinlogFacts::default();
        assert_eq!(facts.holds(&at("binlog.000002", 157, None), &info), None);
        facts.files = Some(vec![("binlog.000002".into(), 900), ("binlog.000003".into(), 157)]);
        assert_eq!(facts.holds(&at("binlog.000002", 157, None), &info), Some(true));
        assert_eq!(facts.holds(&at("binlog.000002", 901, None), &info), Some(false), "a RESET began the files anew");
        assert_eq!(facts.holds(&at("binlog.000001", 157, None), &info), Some(false));
        let mut elsewhere = at("binlog.000002", 157, None);
        elsewhere.server = Some("another".into());
        assert_eq!(facts.holds(&elsewhere, &info), None);
        // With GTIDs the set decides, whatever the files are called.
        info.variables.insert("gtid_mode".into(), "ON".into());
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        facts.purged = Some(format!("{uuid}:1-5").parse().unwrap());
        assert_eq!(facts.holds(&at("x.000001", 4, Some(&format!("{uuid}:1-7"))), &info), Some(true));
        assert_eq!(facts.holds(&at("binlog.000002", 157, Some(&format!("{uuid}:1-4"))), &info), Some(false));
        assert_eq!(facts.oldest(), Some("binlog.000002"));
    }
}
