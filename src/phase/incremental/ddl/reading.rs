//! Statements as they are understood: their text in characters, their class, their names.
//!
//! The hard idea: an event says which charset the client spoke, and its text is not always in it. Servers write some statements
//! themselves, and those in UTF-8 whatever the event says (seen on MariaDB 10.11.18 and MySQL 9.7.4, each of which misleads its own
//! replicas so): the `CREATE TABLE` of a `CREATE TABLE ... SELECT` and of a `LIKE` of a temporary table on both; on MySQL the names in
//! `CREATE VIEW`, `CREATE PROCEDURE` and `CREATE FUNCTION`, with the rest in the client's charset. The first stands in a transaction with
//! its rows, as no client's definition does, and is read as UTF-8. Of the others nothing tells, and they stop the task where they are
//! about something selected.

use super::{DdlError, Occurrence, carrier::Carrier, decide::Stop, modes};
use crate::ddl::{
    lex::{self, Kind, Mode},
    statement::{Class, Classified, NameKind, Server, classify, flatten},
};

const COPY_ANEW: &str = "`dtsctl apply --restart` copies anew from a state behind it";

/// A statement as it is understood.
pub(super) struct Read {
    pub(super) text: String,
    pub(super) mode: Mode,
    pub(super) classified: Classified,
    /// Databases that it may write to or names.
    pub(super) databases: Vec<String>,
    /// Its text may be another one: it must not be about anything selected.
    pub(super) doubt: Option<Stop>,
    /// The server wrote it: what the client's charset lacks may stand in its literals.
    pub(super) by_server: bool,
}

impl Carrier {
    pub(super) fn read(&mut self, at: Occurrence<'_>) -> Result<Read, DdlError> {
        let statement = at.statement;
        let mode = modes::lexing(statement.sql_mode);
        let (text, author, doubt) = self.text(at, mode)?;
        let flavor = self.settings.source.flavor;
        let text = flatten(&text, mode, Server { mariadb: flavor.is_mariadb(), version: flavor.version });
        let classified = classify(&text, mode).map_err(|error| {
            self.stop(
                at,
                "a statement",
                Stop {
                    code: "ddl-not-understood",
                    reason: error.to_string(),
                    hint: format!("report it with the statement's class; {COPY_ANEW}"),
                },
            )
        })?;
        let mut databases = statement.databases.clone();
        if databases.is_empty() && matches!(classified.class, Class::Writes(_)) {
            databases.push(statement.database.clone());
            let names = lex::significant(&text, mode);
            databases.extend(names.iter().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted)).map(|t| lex::name_of(t.text(&text))));
        }
        Ok(Read { text, mode, classified, databases, doubt, by_server: author == Author::Server })
    }

    /// The text in characters. What is not in UTF-8 is turned by the destination, which knows all charsets.
    fn text(&mut self, at: Occurrence<'_>, mode: Mode) -> Result<(String, Author, Option<Stop>), DdlError> {
        let statement = at.statement;
        let charset = self.settings.source.collations.get(&statement.charset_client).map_or("utf8mb4", |c| c.charset.as_str());
        let plain = statement.text.is_ascii() || matches!(charset, "utf8mb4" | "utf8mb3" | "utf8" | "binary");
        let author = if plain { Author::Client } else { author(&statement.text, statement.alone, self.settings.source.flavor.is_mysql()) };
        if plain || author == Author::Server {
            let text = String::from_utf8(statement.text.clone()).map_err(|_| {
                let reason = format!("its text holds bytes that are no {charset}");
                self.stop(at, "a statement", misread(reason))
            });
            return text.map(|text| (text, author, None));
        }
        let charset = charset.to_owned();
        let sql = format!("SELECT CONVERT(_{charset} x'{}' USING utf8mb4)", hex(&statement.text));
        let rows = self.looking(|session| session.query("reading a statement's charset", &sql))?;
        let text = rows.text_at(0, 0).unwrap_or_default();
        let tokens = lex::significant(&text, mode);
        let bent = tokens.windows(2).any(|w| w[0].kind == Kind::Introducer && !w[1].text(&text).is_ascii());
        if bent {
            let reason = format!("it is written in {charset} and holds a literal with a charset of its own");
            return Err(self.stop(at, "a statement", misread(reason)));
        }
        let doubt = (author == Author::Either).then(|| Stop {
            code: "ddl-charset",
            reason: format!(
                "its text may be in {charset} as the client spoke, or in UTF-8 as the server writes it, and the binlog does not tell"
            ),
            hint: format!("run such statements under SET NAMES utf8mb4; {COPY_ANEW}"),
        });
        Ok((text, author, doubt))
    }
}

/// Statements about accounts may hold passwords, and a server's may hold keys.
pub(super) fn is_secret(class: Class) -> bool {
    let Class::Unlisted(words) = class else { return false };
    ["USER", "ROLE", "GRANT", "REVOKE", "PASSWORD", "SERVER"].iter().any(|w| words.contains(w))
}

/// What it is about, by names at the source.
pub(super) fn object(read: &Read, default_database: &str) -> Option<String> {
    let about = |kind| matches!(kind, NameKind::Target | NameKind::View | NameKind::Routine | NameKind::Other | NameKind::Database);
    let name = |name: &crate::ddl::statement::Name| match name.kind {
        NameKind::Database => name.name.clone(),
        _ => format!("{}.{}", name.database.as_deref().unwrap_or(default_database), name.name),
    };
    let first = match read.classified.class {
        // A view's query may call routines.
        Class::CreateView | Class::AlterView => read.classified.of_kind(NameKind::View).map(name).collect::<Vec<_>>(),
        _ => read.classified.names.iter().filter(|n| about(n.kind)).map(name).collect(),
    };
    (!first.is_empty()).then(|| first.join(", "))
}

pub(super) fn named(read: &Read, default_database: &str) -> String {
    let words = read.classified.class.words();
    object(read, default_database).map_or_else(|| words.to_owned(), |object| format!("{words} {object}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn misread(reason: String) -> Stop {
    Stop { code: "ddl-charset", reason, hint: format!("write such values in hexadecimal; {COPY_ANEW}") }
}

/// Whose words a text that is not in ASCII is in, and so its charset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    /// The client's charset.
    Client,
    /// UTF-8.
    Server,
    /// It cannot be told.
    Either,
}

fn author(text: &[u8], alone: bool, mysql: bool) -> Author {
    if is_printed_definition(text) {
        return match (alone, std::str::from_utf8(text).is_ok()) {
            (false, _) => Author::Server,
            (true, true) => Author::Either,
            // What the server writes it writes in UTF-8.
            (true, false) => Author::Client,
        };
    }
    if mysql && head_of_program(text).is_some_and(|head| !head.is_ascii()) { Author::Either } else { Author::Client }
}

/// It begins as `SHOW CREATE TABLE` prints a definition: the name, and each column on a line of its own.
fn is_printed_definition(text: &[u8]) -> bool {
    const FIRST_COLUMN: &[u8] = b" (\n  ";
    let Some(end) = text.windows(FIRST_COLUMN.len()).position(|w| w == FIRST_COLUMN) else { return false };
    let head = &text[..end];
    head.starts_with(b"CREATE ") && head.windows(7).any(|w| w == b" TABLE ") && !head.contains(&b'\n')
}

/// `CREATE` or `ALTER` up to the name of a view or routine and with it.
fn head_of_program(text: &[u8]) -> Option<&[u8]> {
    let upper = text.to_ascii_uppercase();
    if !upper.starts_with(b"CREATE ") && !upper.starts_with(b"ALTER ") {
        return None;
    }
    let ends = |word: &[u8]| upper.windows(word.len()).position(|w| w == word).map(|at| at + word.len());
    let name = [&b" VIEW "[..], b" PROCEDURE ", b" FUNCTION "].into_iter().filter_map(ends).min()?;
    // The server quotes it; a list of a view's columns belongs to it.
    let (mut quote, mut end) = (None, text.len());
    for (i, &byte) in text.iter().enumerate().skip(name) {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'`' | b'"') => quote = Some(byte),
            (None, b' ' | b'\n') if upper[i + 1..].starts_with(b"AS ") => {
                end = i;
                break;
            }
            // The parameters of a routine are the client's words.
            (None, b'(') if !upper[..name].ends_with(b" VIEW ") => {
                end = i;
                break;
            }
            _ => {}
        }
    }
    Some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::{Author, author};

    /// As both servers have written them under `SET NAMES latin1`.
    #[test]
    fn what_servers_write_themselves_is_told_from_what_clients_write() {
        let of = |text: &[u8], alone, mysql| author(text, alone, mysql);
        let select =
            "CREATE TABLE `sel` (\n  `id` int(11) DEFAULT NULL,\n  `e` enum('a','é') CHARACTER SET latin1 DEFAULT NULL\n)".as_bytes();
        assert_eq!(of(select, false, false), Author::Server);
        assert_eq!(of(select, true, false), Author::Either, "LIKE of a temporary table, or a dump");
        assert_eq!(of(b"CREATE OR REPLACE TABLE `s` (\n  `e` enum('\xe9')\n)", true, false), Author::Client);
        assert_eq!(of("create table `direct` (e enum('é') character set latin1)".as_bytes(), true, true), Author::Client);
        assert_eq!(of(b"DROP TABLE `t\xe41`,`t\xe42` /* generated by server */", true, false), Author::Client);
        let view = b"CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v\xc3\xa9` AS select '\xe9' as c";
        assert_eq!(of(view, true, true), Author::Either);
        assert_eq!(of(view, true, false), Author::Client, "MariaDB turns its names");
        let plain = b"CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v AS (`(`a`) AS select '\xe9' as c";
        assert_eq!(of(plain, true, true), Author::Client);
        let routine = b"CREATE DEFINER=`root`@`localhost` PROCEDURE `p\xc3\xa9`()\nselect '\xe9'";
        assert_eq!((of(routine, true, true), of(routine, true, false)), (Author::Either, Author::Client));
        assert_eq!(of(b"CREATE DEFINER=`r`@`l` FUNCTION `p`(a INT) RETURNS INT RETURN '\xe9'", true, true), Author::Client);
    }
}
