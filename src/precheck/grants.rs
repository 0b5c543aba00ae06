//! Reads `SHOW GRANTS`, as both vendors print it.
//!
//! Roles: both servers print what the session's active roles may do among the lines, so a role's own name needs no following.

use std::collections::{BTreeMap, BTreeSet};

use crate::ddl::account::means_database;

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Everywhere,
    /// A pattern: `_` is any character, `%` any run, `\` takes the meaning away.
    Database(String),
    Table(String, String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    revoke: bool,
    place: Place,
    privileges: BTreeSet<String>,
    /// Privileges on some columns only.
    columns: BTreeMap<String, Vec<String>>,
}

/// An account's rights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    entries: Vec<Entry>,
}

impl Grants {
    /// Reads the lines; what grants a role, a proxy or a routine is passed over.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Self {
        Self { entries: lines.iter().filter_map(|line| entry(line.as_ref())).collect() }
    }

    /// The account may do `privilege` (upper case) on the whole server.
    pub fn has_everywhere(&self, privilege: &str) -> bool {
        self.entries.iter().any(|e| !e.revoke && e.place == Place::Everywhere && e.grants(privilege))
    }

    /// The account may do `privilege` on all of a database, also on tables that appear later.
    pub fn has_on_database(&self, privilege: &str, database: &str) -> bool {
        let on = |e: &&Entry| matches!(&e.place, Place::Database(pattern) if means_database(pattern, database)) && e.grants(privilege);
        if self.entries.iter().filter(on).any(|e| !e.revoke) {
            return true;
        }
        // MySQL's partial revokes take a global right away from a database.
        self.has_everywhere(privilege) && !self.entries.iter().filter(on).any(|e| e.revoke)
    }

    /// The account may do `privilege` on a table.
    pub fn has_on_table(&self, privilege: &str, database: &str, table: &str) -> bool {
        let on = |e: &Entry| matches!(&e.place, Place::Table(d, t) if d == database && t == table) && e.grants(privilege);
        self.has_on_database(privilege, database) || self.entries.iter().any(|e| !e.revoke && on(e))
    }

    /// Columns of a table on which the account has `privilege`, when it has it on some columns only.
    pub fn columns(&self, privilege: &str, database: &str, table: &str) -> BTreeSet<&str> {
        self.entries
            .iter()
            .filter(|e| !e.revoke && matches!(&e.place, Place::Table(d, t) if d == database && t == table))
            .filter_map(|e| e.columns.get(privilege))
            .flatten()
            .map(String::as_str)
            .collect()
    }
}

impl Entry {
    fn grants(&self, privilege: &str) -> bool {
        // ALL is all but GRANT OPTION and what only whole servers have; PROXY is elsewhere.
        self.privileges.contains(privilege) || (privilege != "GRANT OPTION" && self.privileges.contains("ALL PRIVILEGES"))
    }
}

fn entry(line: &str) -> Option<Entry> {
    let words = tokens(line);
    let mut rest = words.iter();
    let revoke = match rest.next()? {
        Token::Word(w) if w == "GRANT" => false,
        Token::Word(w) if w == "REVOKE" => true,
        _ => return None,
    };
    let mut privileges = BTreeSet::new();
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = Vec::new();
    let mut depth = 0;
    let mut listed: Vec<String> = Vec::new();
    for token in rest.by_ref() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            Token::Quoted(name) | Token::Word(name) if depth > 0 => listed.push(name.clone()),
            Token::Sign(_) if depth > 0 => {}
            Token::Word(w) if w == "ON" => {
                close(&mut current, &mut listed, &mut privileges, &mut columns);
                break;
            }
            // `GRANT role TO account`: no ON.
            Token::Word(w) if w == "TO" || w == "FROM" => return None,
            Token::Word(w) => current.push(w.clone()),
            Token::Sign(',') => close(&mut current, &mut listed, &mut privileges, &mut columns),
            Token::Quoted(_) | Token::Sign(_) => {}
        }
    }
    if privileges.remove("ALL") {
        privileges.insert("ALL PRIVILEGES".to_owned());
    }
    let place = match (rest.next()?, rest.next(), rest.next()) {
        (Token::Sign('*'), Some(Token::Sign('.')), Some(Token::Sign('*'))) => Place::Everywhere,
        (Token::Quoted(d) | Token::Word(d), Some(Token::Sign('.')), Some(Token::Sign('*'))) => Place::Database(d.clone()),
        (Token::Quoted(d), Some(Token::Sign('.')), Some(Token::Quoted(t))) => Place::Table(d.clone(), t.clone()),
        _ => return None,
    };
    let tail: Vec<_> = rest.collect();
    if tail.windows(2).any(|w| matches!(w, [Token::Word(a), Token::Word(b)] if a == "GRANT" && b == "OPTION")) {
        privileges.insert("GRANT OPTION".to_owned());
    }
    Some(Entry { revoke, place, privileges, columns })
}

fn close(
    current: &mut Vec<String>,
    listed: &mut Vec<String>,
    privileges: &mut BTreeSet<String>,
    columns: &mut BTreeMap<String, Vec<String>>,
) {
    if current.is_empty() {
        return;
    }
    let name = std::mem::take(current).join(" ").to_ascii_uppercase();
    if listed.is_empty() {
        privileges.insert(name);
    } else {
        columns.insert(name, std::mem::take(listed));
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(char),
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = line.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            '`' | '\'' | '"' => {
                chars.next();
                let mut name = String::new();
                while let Some(n) = chars.next() {
                    if n == c {
                        if chars.peek() == Some(&c) {
                            chars.next();
                        } else {
                            break;
                        }
                    }
                    name.push(n);
                }
                tokens.push(Token::Quoted(name));
            }
            c if c.is_alphanumeric() || c == '_' || c == '$' => {
                let mut word = String::new();
                while let Some(&n) = chars.peek() {
                    if !(n.is_alphanumeric() || n == '_' || n == '$') {
                        break;
                    }
                    word.push(n);
                    chars.next();
                }
                tokens.push(Token::Word(word));
            }
            c => {
                chars.next();
                if !c.is_whitespace() {
                    tokens.push(Token::Sign(c));
                }
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_as_servers_print_them() {
        let grants = Grants::parse(&[
            "GRANT USAGE ON *.* TO `dts`@`%` IDENTIFIED BY PASSWORD '*94BD'",
            r"GRANT SELECT, SHOW VIEW ON `shop\_a%`.* TO `dts`@`%`",
            "GRANT SELECT (`id`, `odd, name`), INSERT ON `crm`.`t.x` TO `dts`@`%`",
            "GRANT `reader`@`%` TO `dts`@`%`",
            "GRANT EXECUTE ON PROCEDURE `crm`.`p` TO `dts`@`%`",
            "GRANT ALL PRIVILEGES ON `dts`.* TO `dts`@`%` WITH GRANT OPTION",
            "GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION",
            "SET DEFAULT ROLE `reader` FOR `dts`@`%`",
        ]);
        assert!(!grants.has_everywhere("SELECT"));
        assert!(grants.has_on_database("SHOW VIEW", "shop_a1"));
        assert!(!grants.has_on_database("SELECT", "shopXa1"));
        assert!(grants.has_on_table("INSERT", "crm", "t.x"));
        assert!(!grants.has_on_table("SELECT", "crm", "t.x"));
        assert_eq!(grants.columns("SELECT", "crm", "t.x").into_iter().collect::<Vec<_>>(), ["id", "odd, name"]);
        assert!(grants.has_on_table("DELETE", "dts", "anything"));
        assert!(grants.has_on_database("GRANT OPTION", "dts"));
        assert!(!grants.has_on_database("DELETE", "crm"));
    }

    #[test]
    fn all_and_partial_revokes() {
        let grants = Grants::parse(&["GRANT SELECT, INSERT, BACKUP_ADMIN ON *.* TO `a`@`%`", "REVOKE SELECT ON `secret`.* FROM `a`@`%`"]);
        assert!(grants.has_on_database("SELECT", "shop"));
        assert!(!grants.has_on_database("SELECT", "secret"));
        assert!(grants.has_on_database("INSERT", "secret"));
        assert!(grants.has_everywhere("BACKUP_ADMIN"));
        let root = Grants::parse(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED VIA unix_socket WITH GRANT OPTION"]);
        assert!(root.has_on_table("DROP", "a", "b"));
    }
}
