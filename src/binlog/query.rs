//! QUERY events: statements, and the words that begin and end transactions.

use super::{
    bytes::{Cursor, Truncated, text},
    event::{Flaw, Xid, mariadb_unpack},
    item::Statement,
    position::Place,
};

/// What a QUERY event's text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Begin,
    Commit,
    Rollback,
    /// Name as it was written, quotes and all.
    Savepoint(String),
    RollbackTo(String),
    Release,
    XaStart(Xid),
    XaEnd,
    XaCommit(Xid),
    XaRollback(Xid),
    /// Anything else.
    Statement,
}

/// Recognises transaction control as servers write it into their binlogs, always in this form whatever the client wrote: `BEGIN`,
/// `COMMIT`, `ROLLBACK`, ``SAVEPOINT `a` ``, ``ROLLBACK TO `a` ``, `XA START X'61',X'',1` (MariaDB adds `GTID 0-1-2` in displays only).
pub(super) fn word(statement: &[u8]) -> Word {
    // Longer ones are no transaction control; savepoint names have up to 64 characters, XA identities up to 128 bytes.
    if statement.len() > 1024 {
        return Word::Statement;
    }
    let Ok(statement) = std::str::from_utf8(statement) else { return Word::Statement };
    let statement = statement.trim();
    let after = |word: &str| {
        let head = statement.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then(|| statement[word.len()..].trim())
    };
    let xid = |word: &str| after(word).and_then(Xid::read);
    match statement.to_ascii_uppercase().as_str() {
        "BEGIN" => return Word::Begin,
        "COMMIT" => return Word::Commit,
        "ROLLBACK" => return Word::Rollback,
        _ => {}
    }
    if let Some(xid) = xid("XA START ") {
        Word::XaStart(xid)
    } else if after("XA END ").is_some() {
        Word::XaEnd
    } else if let Some(xid) = xid("XA COMMIT ") {
        Word::XaCommit(xid)
    } else if let Some(xid) = xid("XA ROLLBACK ") {
        Word::XaRollback(xid)
    } else if after("RELEASE SAVEPOINT ").is_some() {
        Word::Release
    } else if let Some(name) = after("SAVEPOINT ") {
        Word::Savepoint(name.to_owned())
    } else if let Some(name) = after("ROLLBACK TO ") {
        let name = name.get(..10).filter(|s| s.eq_ignore_ascii_case("SAVEPOINT ")).map_or(name, |_| name[10..].trim());
        Word::RollbackTo(name.to_owned())
    } else {
        Word::Statement
    }
}

/// The text of a QUERY event alone.
pub(super) fn query_text(body: &[u8], compressed: bool) -> Result<Vec<u8>, Flaw> {
    let mut c = Cursor::new(body);
    c.take(8)?;
    let database = usize::from(c.byte()?);
    c.two()?;
    let status = usize::from(c.two()?);
    c.take(status + database + 1)?;
    if compressed { mariadb_unpack(c.rest()) } else { Ok(c.rest().to_vec()) }
}

/// `OPTION_NO_FOREIGN_KEY_CHECKS`, the same bit in both servers.
const NO_FOREIGN_KEY_CHECKS: u32 = 1 << 26;

/// `OPTION_EXPLICIT_DEF_TIMESTAMP` of MariaDB.
const EXPLICIT_DEFAULTS: u32 = 1 << 24;

/// Where `explicit_defaults_for_timestamp` is to be known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExplicitDefaults {
    /// A bit of each statement's flags.
    Flagged,
    /// What the server has now, unless the statement says otherwise.
    Global(Option<bool>),
}

/// A QUERY event's statement. `extra`: bytes of the post-header beyond that of QUERY (EXECUTE_LOAD_QUERY has 13).
pub(super) fn statement(
    body: &[u8],
    compressed: bool,
    extra: usize,
    seconds: u32,
    place: Place,
    explicit: ExplicitDefaults,
) -> Result<Statement, Flaw> {
    let mut c = Cursor::new(body);
    c.take(8)?;
    let database = usize::from(c.byte()?);
    let error = c.two()?;
    let status = usize::from(c.two()?);
    c.take(extra)?;
    let mut status = Cursor::new(c.take(status)?);
    let mut statement = Statement {
        place,
        text: Vec::new(),
        alone: true,
        database: text(c.take(database)?),
        sql_mode: 0,
        charset_client: 0,
        collation_connection: 0,
        collation_server: 0,
        collation_database: None,
        collation_utf8mb4: None,
        explicit_defaults_for_timestamp: match explicit {
            ExplicitDefaults::Flagged => None,
            ExplicitDefaults::Global(value) => value,
        },
        foreign_key_checks: true,
        error,
        seconds,
        microseconds: None,
        time_zone: None,
        databases: Vec::new(),
    };
    c.byte()?;
    statement.text = if compressed { mariadb_unpack(c.rest())? } else { c.rest().to_vec() };
    while !status.is_empty() {
        if !variable(&mut status, &mut statement, explicit)? {
            // As a replica does: codes are written in growing order, and the length of an unknown one is unknown.
            break;
        }
    }
    Ok(statement)
}

/// Reads one status variable; `false` when its code is not known.
fn variable(c: &mut Cursor<'_>, statement: &mut Statement, explicit: ExplicitDefaults) -> Result<bool, Truncated> {
    match c.byte()? {
        // Q_FLAGS2_CODE
        0 => {
            let flags = c.four()?;
            statement.foreign_key_checks = flags & NO_FOREIGN_KEY_CHECKS == 0;
            if explicit == ExplicitDefaults::Flagged {
                statement.explicit_defaults_for_timestamp = Some(flags & EXPLICIT_DEFAULTS != 0);
            }
        }
        // Q_SQL_MODE_CODE
        1 => statement.sql_mode = c.eight()?,
        // Q_CATALOG_CODE, with a zero byte behind
        2 => {
            let len = usize::from(c.byte()?);
            c.take(len + 1)?;
        }
        // Q_AUTO_INCREMENT, Q_MASTER_DATA_WRITTEN_CODE
        3 | 10 => drop(c.four()?),
        // Q_CHARSET_CODE
        4 => {
            statement.charset_client = c.two()?;
            statement.collation_connection = c.two()?;
            statement.collation_server = c.two()?;
        }
        // Q_TIME_ZONE_CODE
        5 => statement.time_zone = Some(c.short_text()?),
        // Q_CATALOG_NZ_CODE
        6 => drop(c.short_text()?),
        // Q_LC_TIME_NAMES_CODE
        7 => drop(c.two()?),
        // Q_CHARSET_DATABASE_CODE
        8 => statement.collation_database = Some(c.two()?),
        // Q_TABLE_MAP_FOR_UPDATE_CODE; MySQL: Q_DDL_LOGGED_WITH_XID; MariaDB: Q_XID
        9 | 17 | 129 => drop(c.eight()?),
        // Q_INVOKER: user and host
        11 => {
            c.short_text()?;
            c.short_text()?;
        }
        // Q_UPDATED_DB_NAMES; 254 says that there are too many to be named
        12 => {
            let count = c.byte()?;
            if count != 254 {
                for _ in 0..count {
                    statement.databases.push(text(c.until_zero()?));
                }
            }
        }
        // Q_MICROSECONDS of MySQL, Q_HRNOW of MariaDB
        13 | 128 => statement.microseconds = u32::try_from(c.little(3)?).ok(),
        // Q_EXPLICIT_DEFAULTS_FOR_TIMESTAMP
        16 => statement.explicit_defaults_for_timestamp = Some(c.byte()? != 0),
        // Q_DEFAULT_COLLATION_FOR_UTF8MB4
        18 => statement.collation_utf8mb4 = Some(c.two()?),
        // Q_SQL_REQUIRE_PRIMARY_KEY, Q_DEFAULT_TABLE_ENCRYPTION
        19 | 20 => drop(c.byte()?),
        // Q_GTID_FLAGS3 of MariaDB; the place of its START ALTER follows a COMMIT or ROLLBACK ALTER
        130 => {
            if c.byte()? & (4 | 8) != 0 {
                c.eight()?;
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{Word, Xid, word};

    #[test]
    fn transaction_control_is_recognised_and_nothing_else() {
        let xid = |text| Xid::read(text).unwrap();
        for (text, expected) in [
            ("BEGIN", Word::Begin),
            ("COMMIT", Word::Commit),
            ("ROLLBACK", Word::Rollback),
            ("SAVEPOINT `a b`", Word::Savepoint("`a b`".to_owned())),
            ("ROLLBACK TO `a b`", Word::RollbackTo("`a b`".to_owned())),
            ("ROLLBACK TO SAVEPOINT `a`", Word::RollbackTo("`a`".to_owned())),
            ("XA START X'6162',X'63',7", Word::XaStart(xid("X'6162',X'63',7"))),
            ("XA END X'6162',X'63',7", Word::XaEnd),
            ("XA COMMIT X'6162',X'',1", Word::XaCommit(xid("X'6162',X'',1"))),
            ("XA ROLLBACK X'61',X'',1", Word::XaRollback(xid("X'61',X'',1"))),
            ("BEGIN; DROP TABLE t", Word::Statement),
            ("ROLLBACKX", Word::Statement),
            ("INSERT INTO t VALUES ('COMMIT')", Word::Statement),
            ("SAVEPOINTS", Word::Statement),
        ] {
            assert_eq!(word(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(xid("X'6162',X'',1").to_string(), "X'6162',X'',1");
        assert_eq!(Xid::read("X'6',X'',1"), None);
        assert_eq!(Xid::read("'a',X'',1"), None);
    }
}
