//! Accounts of both ends: what `SHOW CREATE USER` and `SHOW GRANTS` say of those that are asked for, and what the destination takes.
//!
//! Both servers let only an account with SELECT on the whole database `mysql` ask for another's definition: with the tables alone they
//! answer error 1044 (seen on MariaDB 10.11.18 and MySQL 9.7.4). What may not be read is told as such; it fails nothing here.

use std::collections::BTreeSet;

use crate::{
    connect::{ConnectError, Session},
    ddl::{
        account::{AccountName, AccountText, GrantLine, parse_account, parse_grant},
        lex::{self, Mode},
    },
};

/// One account of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAccount {
    /// Who.
    pub name: AccountName,
    /// Its definition, or what in it is not known.
    pub definition: Result<AccountText, String>,
    /// Its grants with their text, from which hashes that MariaDB repeats there are cut off.
    pub grants: Vec<(String, GrantLine)>,
    /// It has a second password (MySQL's `RETAIN CURRENT PASSWORD`).
    pub second_password: bool,
}

/// The accounts of the source that are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceAccounts {
    /// By user and host.
    pub accounts: Vec<SourceAccount>,
    /// Roles of MariaDB that are asked for by name.
    pub roles: Vec<AccountName>,
    /// All databases that may be seen.
    pub databases: Vec<String>,
    /// `_` and `%` in grants mean themselves (MySQL's `partial_revokes`).
    pub literal_patterns: bool,
    /// The account may not read them; the server's words.
    pub denied: Option<String>,
}

/// What matters of the destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationAccounts {
    /// Accounts that are there, and whether they are locked.
    pub accounts: Vec<(AccountName, bool)>,
    /// Names of all rights that the server knows, in upper case.
    pub rights: BTreeSet<String>,
    /// Authentication plugins at work.
    pub plugins: BTreeSet<String>,
    /// `_` and `%` in grants mean themselves.
    pub literal_patterns: bool,
    /// The account may not read them; the server's words.
    pub denied: Option<String>,
}

impl DestinationAccounts {
    /// Whether the account is there, and if so, whether it is locked.
    pub fn locked(&self, name: &AccountName) -> Option<bool> {
        self.accounts.iter().find(|(there, _)| there.same(name)).map(|(_, locked)| *locked)
    }
}

/// Reads the accounts of the source for which `wanted` says yes.
///
/// # Errors
/// As the connection fails.
pub fn read_source(session: &mut Session, wanted: &dyn Fn(&AccountName) -> bool) -> Result<SourceAccounts, ConnectError> {
    let mut found = SourceAccounts { literal_patterns: literal_patterns(session)?, ..SourceAccounts::default() };
    match read_all(session, wanted, &mut found) {
        Err(error) if error.is_missing_right() => {
            found.accounts.clear();
            found.denied = Some(error.to_string());
        }
        other => other?,
    }
    let rows = session.query("reading the names of databases", "SHOW DATABASES")?;
    found.databases = (0..rows.len()).filter_map(|r| rows.text_at(r, 0)).collect();
    Ok(found)
}

fn read_all(session: &mut Session, wanted: &dyn Fn(&AccountName) -> bool, found: &mut SourceAccounts) -> Result<(), ConnectError> {
    const DOING: &str = "reading the accounts";
    let mariadb = session.flavor().is_mariadb();
    let role = if mariadb { "is_role" } else { "'N'" };
    let rows = session.query(DOING, &format!("SELECT User, Host, {role} FROM mysql.user ORDER BY 1, 2"))?;
    if !mariadb && session.flavor().at_least(8, 0, 17) {
        // Else the bytes of a hash come as text that loses some of them.
        session.exec(DOING, "SET SESSION print_identified_with_as_hex = ON")?;
    }
    let seconds = second_passwords(session)?;
    for row in 0..rows.len() {
        let (Some(user), Some(host)) = (rows.text_at(row, 0), rows.text_at(row, 1)) else { continue };
        let name = AccountName { user, host };
        if !wanted(&name) {
            continue;
        }
        if rows.text_at(row, 2).as_deref() == Some("Y") {
            found.roles.push(name);
            continue;
        }
        let account = name.quoted();
        let definition = session.query(DOING, &format!("SHOW CREATE USER {account}"))?;
        let definition = parse_account(&definition.text_at(0, 0).unwrap_or_default());
        let lines = session.query(DOING, &format!("SHOW GRANTS FOR {account}"))?;
        let grants = (0..lines.len()).filter_map(|r| lines.text_at(r, 0)).map(|line| (told(&line), grant_of(&name, &line))).collect();
        let second_password = seconds.contains(&name);
        found.accounts.push(SourceAccount { name, definition, grants, second_password });
    }
    Ok(())
}

/// A line of `SHOW GRANTS`. What it says of another, as of MariaDB's PUBLIC, the account has by way of that.
fn grant_of(name: &AccountName, line: &str) -> GrantLine {
    match parse_grant(line) {
        GrantLine::Rights(grant) if !grant.to.same(name) => GrantLine::Role,
        other => other,
    }
}

/// A line of `SHOW GRANTS` up to the account it is for: MariaDB repeats the account's hash behind it.
fn told(line: &str) -> String {
    let tokens = lex::significant(line, Mode::default());
    let end = tokens.iter().find(|token| ["TO", "FROM", "FOR"].iter().any(|word| token.is_word(line, word)));
    line[..end.map_or(0, |token| token.start)].trim_end().to_owned()
}

/// Accounts of MySQL with a second password, which no `SHOW` tells of (manual: Dual Password Support, from 8.0.14).
fn second_passwords(session: &mut Session) -> Result<BTreeSet<AccountName>, ConnectError> {
    if session.flavor().is_mariadb() || !session.flavor().at_least(8, 0, 14) {
        return Ok(BTreeSet::new());
    }
    let rows = session.query(
        "reading the accounts",
        "SELECT User, Host FROM mysql.user WHERE JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password')",
    )?;
    Ok((0..rows.len()).filter_map(|r| Some(AccountName::new(rows.text_at(r, 0)?, rows.text_at(r, 1)?))).collect())
}

/// Reads what matters of the destination.
///
/// # Errors
/// As the connection fails.
pub fn read_destination(session: &mut Session) -> Result<DestinationAccounts, ConnectError> {
    const DOING: &str = "reading the accounts at the destination";
    let mut found = DestinationAccounts { literal_patterns: literal_patterns(session)?, ..DestinationAccounts::default() };
    let sql = if session.flavor().is_mariadb() {
        "SELECT User, Host, COALESCE(JSON_VALUE(Priv, '$.account_locked'), '0') IN ('1', 'true') FROM mysql.global_priv"
    } else {
        "SELECT User, Host, account_locked = 'Y' FROM mysql.user"
    };
    match session.query(DOING, sql) {
        Ok(rows) => {
            for row in 0..rows.len() {
                let (Some(user), Some(host)) = (rows.text_at(row, 0), rows.text_at(row, 1)) else { continue };
                found.accounts.push((AccountName { user, host }, rows.number_at(row, 2) == Some(1)));
            }
        }
        Err(error) if error.is_missing_right() => found.denied = Some(error.to_string()),
        Err(error) => return Err(error),
    }
    let rows = session.query(DOING, "SHOW PRIVILEGES")?;
    found.rights = (0..rows.len()).filter_map(|r| Some(rows.text_at(r, 0)?.to_uppercase())).collect();
    if found.rights.remove("DELETE VERSIONING ROWS") {
        // As MariaDB called it before 10.5.
        found.rights.insert("DELETE HISTORY".to_owned());
    }
    let plugins = "SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'AUTHENTICATION' AND PLUGIN_STATUS = 'ACTIVE'";
    let rows = session.query(DOING, plugins)?;
    found.plugins = (0..rows.len()).filter_map(|r| rows.text_at(r, 0)).collect();
    Ok(found)
}

fn literal_patterns(session: &mut Session) -> Result<bool, ConnectError> {
    let rows = session.query("reading the settings", "SHOW GLOBAL VARIABLES LIKE 'partial_revokes'")?;
    Ok(rows.text_at(0, 1).is_some_and(|value| value.eq_ignore_ascii_case("ON")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_without_what_mariadb_repeats_in_them() {
        assert_eq!(told("GRANT SELECT ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*94 TO x'"), "GRANT SELECT ON *.*");
        assert_eq!(told("GRANT `r` TO `a`@`%`"), "GRANT `r`");
        let app = AccountName::new("app", "%");
        assert_eq!(grant_of(&app, "GRANT SELECT ON `shop`.* TO PUBLIC"), GrantLine::Role);
        assert!(matches!(grant_of(&app, "GRANT SELECT ON `shop`.* TO `app`@`%`"), GrantLine::Rights(_)));
        assert_eq!(told("REVOKE SELECT ON `s`.* FROM `a`@`%`"), "REVOKE SELECT ON `s`.*");
    }
}
