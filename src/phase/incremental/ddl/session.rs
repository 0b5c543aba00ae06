//! The session that runs a statement, made like the one that ran it at the source; and small questions to the destination.

use std::collections::BTreeMap;

use super::{carrier::DdlSettings, decide::Stop, modes};
use crate::{
    binlog::Statement,
    catalog::{TableName, quote_name},
    connect::{ConnectError, Session},
    ddl::lex::{self, Kind, string_literal},
};

/// Why a session could not be made ready.
pub(super) enum Unready {
    /// The destination cannot have such a session: the statement fails.
    Cannot(String),
    /// What the statement would do there is not what it did at the source.
    Stop(Stop),
    /// The server or the connection failed.
    Connect(ConnectError),
}

impl From<ConnectError> for Unready {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

/// Gives the session the statement's settings, every one of them each time. What the server wrote (`by_server`) is not in the client's charset
/// and may not fit into it.
///
/// `keeps_mode`: the statement makes something that keeps its `sql_mode` for later, so that it must be the source's to the letter.
pub(super) fn prepare(
    session: &mut Session,
    settings: &DdlSettings,
    statement: &Statement,
    by_server: bool,
    keeps_mode: bool,
) -> Result<(), Unready> {
    let (from, to) = (settings.source.flavor, session.flavor());
    let modes = modes::names(statement.sql_mode, from, to)
        .map_err(|mode| Unready::Cannot(format!("it was written under sql_mode {mode}, which the destination does not know")))?;
    let mut list = vec![
        format!("sql_mode='{}'", if keeps_mode { modes } else { with_any_date(&modes) }),
        "foreign_key_checks=0".to_owned(),
        format!("lock_wait_timeout={}", settings.lock_timeout.as_secs().max(1)),
        format!("innodb_lock_wait_timeout={}", settings.lock_timeout.as_secs().max(1)),
        format!("timestamp={}.{:06}", statement.seconds, statement.microseconds.unwrap_or(0)),
        format!("time_zone='{}'", time_zone(settings, statement, session)?),
    ];
    let collation = settings.source.collations.get(&statement.collation_connection).filter(|_| !by_server).map(|c| c.name.clone());
    // The text is sent in utf8mb4; what its literals become is decided by the collation of the connection.
    list.push("character_set_client=utf8mb4".to_owned());
    match collation.and_then(|name| settings.translate.collation(&name)) {
        Some(name) if name.starts_with("utf8mb4") || !is_wide(&name) => list.push(format!("collation_connection='{name}'")),
        _ => list.push("collation_connection=utf8mb4_general_ci".to_owned()),
    }
    session.exec("preparing the session", &format!("SET SESSION {}", list.join(", ")))?;
    // Needs a right of its own on some versions; it matters only to TIMESTAMP columns without attributes.
    let explicit = statement.explicit_defaults_for_timestamp.unwrap_or(true);
    let _ = session.exec("preparing the session", &format!("SET SESSION explicit_defaults_for_timestamp={}", u8::from(explicit)));
    let database = settings.names.database(&statement.database).filter(|_| !statement.database.is_empty());
    let database = database.unwrap_or_else(|| "dts".to_owned());
    match session.exec("preparing the session", &format!("USE {}", quote_name(&database))) {
        Err(error) if error.code() == Some(1049) => Err(Unready::Cannot(format!("the destination has no database {database}"))),
        other => Ok(other.map(drop)?),
    }
}

/// Charsets that cannot be a client's; a connection has none of them either on MariaDB.
fn is_wide(collation: &str) -> bool {
    ["ucs2", "utf16", "utf32"].iter().any(|c| collation.starts_with(c))
}

/// The zone of the statement. `SYSTEM` is a place's, so it is taken only where it is UTC at the source or has the same name here; else
/// the statement may run only when no time in it hangs on the zone.
fn time_zone(settings: &DdlSettings, statement: &Statement, session: &Session) -> Result<String, Unready> {
    const UTC: &str = "+00:00";
    let Some(zone) = statement.time_zone.as_deref() else { return Ok(UTC.to_owned()) };
    if !zone.eq_ignore_ascii_case("SYSTEM") {
        return Ok(zone.replace(['\'', '\\'], ""));
    }
    let theirs = settings.source.system_zone.as_str();
    if ["UTC", "GMT", "Universal", "Etc/UTC", "Zulu"].iter().any(|z| z.eq_ignore_ascii_case(theirs)) {
        return Ok(UTC.to_owned());
    }
    if session.info().variable("system_time_zone") == Some(theirs) {
        return Ok("SYSTEM".to_owned());
    }
    let text = String::from_utf8_lossy(&statement.text);
    let mode = modes::lexing(statement.sql_mode);
    let tokens = lex::significant(&text, mode);
    let word = |w: &str| tokens.iter().any(|t| t.is_word(&text, w));
    let literal = tokens.windows(2).any(|w| w[0].is_word(&text, "DEFAULT") && matches!(w[1].kind, Kind::String | Kind::Number));
    let converts = word("MODIFY") || word("CHANGE");
    if (word("TIMESTAMP") || word("DATETIME")) && (literal || converts) {
        return Err(Unready::Stop(Stop {
            code: "ddl-time-zone",
            reason: format!("times in it are in the source's system time zone {theirs}, which the destination cannot be told"),
            hint: "set time_zone at the source to a named zone or an offset; `dtsctl apply --restart` copies anew".to_owned(),
        }));
    }
    Ok(UTC.to_owned())
}

/// Rows may hold zero and impossible dates that a statement's own mode forbids. MySQL looks at them again when an ALTER copies the table, MariaDB
/// does not (error 1292, seen on 9.7.4 for what 10.11.18 had done). What the source did is not to fail for that; a literal in the statement it
/// has accepted already.
fn with_any_date(modes: &str) -> String {
    let kept =
        modes.split(',').filter(|mode| !matches!(*mode, "" | "NO_ZERO_DATE" | "NO_ZERO_IN_DATE" | "ALLOW_INVALID_DATES" | "TRADITIONAL"));
    kept.chain(["ALLOW_INVALID_DATES"]).collect::<Vec<_>>().join(",")
}

/// Under this name stand the numbers of all tables whose names InnoDB spells in its own way, in the order of these spellings, where one of
/// the tables asked for is among them and the server does not tell how (MySQL; seen on 9.7.4).
pub(super) const UNSPELLED: &str = "";

/// The engine's numbers of tables, of each partition one; empty where the account may not see them.
pub(super) fn table_ids(session: &mut Session, names: &[TableName]) -> BTreeMap<String, Vec<u64>> {
    let table = if session.flavor().is_mariadb() || !session.flavor().at_least(8, 0, 0) { "INNODB_SYS_TABLES" } else { "INNODB_TABLES" };
    let mut ids = BTreeMap::new();
    for name in names {
        let parts = [file_name(session, &name.database), file_name(session, &name.table)];
        let [Some(database), Some(table_file)] = parts else {
            let sql = format!("SELECT TABLE_ID FROM information_schema.{table} WHERE NAME LIKE '%@%' ORDER BY BINARY NAME");
            let Ok(rows) = session.query("asking for table ids", &sql) else { return BTreeMap::new() };
            ids.insert(UNSPELLED.to_owned(), (0..rows.len()).filter_map(|r| rows.number_at(r, 0)).collect());
            continue;
        };
        let file = format!("{database}/{table_file}");
        let sql = format!(
            "SELECT TABLE_ID FROM information_schema.{table} WHERE BINARY NAME = {0} OR LOWER(NAME) LIKE CONCAT(REPLACE(REPLACE(LOWER({0}), \
             '_', '\\\\_'), '%', '\\\\%'), '#p#%') ORDER BY 1",
            string_literal(&file)
        );
        let Ok(rows) = session.query("asking for table ids", &sql) else { return BTreeMap::new() };
        let found: Vec<u64> = (0..rows.len()).filter_map(|r| rows.number_at(r, 0)).collect();
        if !found.is_empty() {
            ids.insert(name.to_string(), found);
        }
    }
    ids
}

/// A name as InnoDB writes it, for which letters beyond ASCII have a charset of the server's own, `filename` (manual: Mapping of Identifiers to
/// File Names); `None` where the server does not tell.
fn file_name(session: &mut Session, name: &str) -> Option<String> {
    if name.is_ascii() {
        return Some(ascii_file_name(name));
    }
    let sql = format!("SELECT CAST(CONVERT({} USING filename) AS BINARY)", string_literal(name));
    session.query("asking for the name of a file", &sql).ok()?.text_at(0, 0)
}

/// What is no letter, digit or underscore as `@` and four hexadecimal digits.
fn ascii_file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_string() } else { format!("@{:04x}", u32::from(c)) }).collect()
}

/// Whether the destination has a view or a routine.
///
/// # Errors
/// As the connection fails.
pub(super) fn exists(session: &mut Session, kind: &str, name: &TableName) -> Result<bool, ConnectError> {
    let (database, object) = (string_literal(&name.database), string_literal(&name.table));
    let sql = if kind == "view" {
        format!("SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = {object}")
    } else {
        format!(
            "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {database} AND ROUTINE_NAME = {object} \
             AND ROUTINE_TYPE = '{}'",
            kind.to_uppercase()
        )
    };
    Ok(session.query("looking for an object", &sql)?.number_at(0, 0) != Some(0))
}

/// The collation that tables of a database get.
///
/// # Errors
/// As the connection fails.
pub(super) fn database_collation(session: &mut Session, database: &str) -> Result<Option<String>, ConnectError> {
    let sql = format!("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}", string_literal(database));
    Ok(session.query("looking at a database", &sql)?.text_at(0, 0))
}

/// The collation that each charset has when none is named.
///
/// # Errors
/// As the connection fails.
pub(super) fn default_collations(session: &mut Session) -> Result<BTreeMap<String, String>, ConnectError> {
    let rows =
        session.query("reading charsets", "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS")?;
    Ok((0..rows.len()).filter_map(|r| Some((rows.text_at(r, 0)?, rows.text_at(r, 1)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::{ascii_file_name, with_any_date};

    #[test]
    fn dates_are_not_judged_again() {
        assert_eq!(with_any_date(""), "ALLOW_INVALID_DATES");
        let strict = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ANSI_QUOTES";
        assert_eq!(with_any_date(strict), "STRICT_TRANS_TABLES,ANSI_QUOTES,ALLOW_INVALID_DATES");
    }

    #[test]
    fn names_are_written_as_files_are() {
        assert_eq!(ascii_file_name("a b-c_1$"), "a@0020b@002dc_1@0024");
    }
}
