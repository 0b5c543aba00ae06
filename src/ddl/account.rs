//! `SHOW CREATE USER` and `SHOW GRANTS`, as both vendors print them (seen on MariaDB 10.11.18 and MySQL 9.7.4).
//!
//! Nothing is guessed: a clause or a line that is not known here is handed back as such, for a restriction that is overlooked would
//! let an account do more than it may. Password hashes are held in [`Hidden`], which no message and no `Debug` shows.

use std::fmt;

use super::lex::{self, Kind, Mode, Token};

/// Text that must not be shown: a password's hash, or a statement that holds one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Not for messages, logs, plans or state files.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// User and host of an account. Users are told apart by letter case, hosts are not (manuals: account names).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName {
    /// The user's name; empty for an anonymous account.
    pub user: String,
    /// Host name, address or pattern.
    pub host: String,
}

impl AccountName {
    /// Both parts as they are.
    pub fn new(user: impl Into<String>, host: impl Into<String>) -> Self {
        Self { user: user.into(), host: host.into() }
    }

    /// As it stands in a statement.
    pub fn quoted(&self) -> String {
        format!("{}@{}", lex::string_literal(&self.user), lex::string_literal(&self.host))
    }

    /// Whether a server takes the two for one account.
    pub fn same(&self, other: &Self) -> bool {
        self.user == other.user && self.host.eq_ignore_ascii_case(&other.host)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}

/// One way to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The plugin's name.
    pub plugin: String,
    /// The literal behind `AS`, `USING` or `PASSWORD`; `None` without a password.
    pub hash: Option<Hidden>,
}

/// What `SHOW CREATE USER` says beside the name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountText {
    /// Ways to log in, any of which will do (several on MariaDB only). Empty on MariaDB for an account without a password.
    pub ways: Vec<Authentication>,
    /// What stands behind `REQUIRE`; `None` for `NONE`.
    pub require: Option<String>,
    /// `MAX_...` and its value.
    pub limits: Vec<(String, String)>,
    /// It is locked.
    pub locked: bool,
    /// What stands behind `PASSWORD EXPIRE`, empty for one that has expired; `None` for the server's default.
    pub expire: Option<String>,
    /// Clauses that only MySQL has and that are not at their default.
    pub rules: Vec<String>,
    /// `ATTRIBUTE '...'` or `COMMENT '...'`, which MySQL alone has.
    pub attribute: Option<String>,
    /// It has default roles.
    pub default_role: bool,
}

/// Where a grant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantPlace {
    /// The whole server.
    Everywhere,
    /// A pattern of databases: `_` is any character, `%` any run, `\` takes the meaning away.
    Database(String),
    /// A table, view or sequence.
    Table(String, String),
    /// A routine: `PROCEDURE`, `FUNCTION`, `PACKAGE`, `PACKAGE BODY`; its database; its name.
    Routine(String, String, String),
}

/// A right, or a right on some columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Its name in upper case.
    pub name: String,
    /// Columns it is for; empty for all.
    pub columns: Vec<String>,
}

/// One `GRANT` of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub place: GrantPlace,
    /// What, without `USAGE`.
    pub rights: Vec<Right>,
    /// `WITH GRANT OPTION`.
    pub option: bool,
    /// Who has them: on MariaDB the lines of an account may tell of PUBLIC too.
    pub to: AccountName,
}

/// One line of `SHOW GRANTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantLine {
    /// Rights.
    Rights(Grant),
    /// A role is given to the account, or made its default.
    Role,
    /// The account may stand for another one.
    Proxy,
    /// Something that takes rights away or is not known here.
    Unknown,
}

/// Reads a `SHOW CREATE USER` text.
///
/// # Errors
/// What in it is not known here. Says nothing of hashes.
pub fn parse_account(text: &str) -> Result<AccountText, String> {
    let tokens = lex::significant(text, Mode::default());
    let mut at = Cursor { text, tokens: &tokens, at: 0 };
    if !(at.word("CREATE") && at.word("USER") && at.account().is_some()) {
        return Err("the server's text of it is not understood".to_owned());
    }
    let mut account = AccountText::default();
    while let Some(token) = at.peek() {
        let known = if at.word("IDENTIFIED") {
            at.ways(&mut account.ways)?
        } else if at.words(&["DEFAULT", "ROLE"]) {
            at.until_clause();
            account.default_role = true;
            true
        } else if at.word("REQUIRE") {
            let required = at.until_clause();
            account.require = (!required.eq_ignore_ascii_case("NONE")).then(|| required.to_owned());
            true
        } else if at.word("WITH") {
            at.limits(&mut account.limits)
        } else if at.words(&["ACCOUNT", "LOCK"]) {
            account.locked = true;
            true
        } else if at.words(&["ACCOUNT", "UNLOCK"]) {
            true
        } else if at.words(&["PASSWORD", "EXPIRE"]) {
            let expire = at.until_clause();
            account.expire = (!expire.eq_ignore_ascii_case("DEFAULT")).then(|| expire.to_owned());
            true
        } else if at.word("ATTRIBUTE") || at.word("COMMENT") {
            let kind = token.text(text).to_ascii_uppercase();
            let literal = at.next().filter(|t| t.kind == Kind::String);
            account.attribute = literal.map(|literal| format!("{kind} {}", literal.text(text)));
            literal.is_some()
        } else {
            let (from, rule) = (token.start, token.text(text).to_ascii_uppercase());
            let own = ["PASSWORD", "FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME"].contains(&rule.as_str());
            if own {
                at.next();
                at.until_clause();
                let rule = text[from..at.place()].trim();
                if !rule.to_ascii_uppercase().ends_with(" DEFAULT") {
                    account.rules.push(rule.to_owned());
                }
            }
            own
        };
        if !known {
            // Only words of the grammar are repeated: anything else could be part of a secret.
            let shown = if token.kind == Kind::Word { token.text(text) } else { "something" };
            return Err(format!("{shown} in its definition is not known here"));
        }
    }
    Ok(account)
}

/// Reads one line of `SHOW GRANTS`.
pub fn parse_grant(text: &str) -> GrantLine {
    let tokens = lex::significant(text, Mode::default());
    let mut at = Cursor { text, tokens: &tokens, at: 0 };
    if at.words(&["SET", "DEFAULT", "ROLE"]) {
        return GrantLine::Role;
    }
    if !at.word("GRANT") {
        return GrantLine::Unknown;
    }
    if at.words(&["PROXY", "ON"]) {
        return GrantLine::Proxy;
    }
    if !tokens.iter().any(|t| t.is_word(text, "ON")) {
        return GrantLine::Role;
    }
    at.rights().map_or(GrantLine::Unknown, GrantLine::Rights)
}

struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Byte position behind the last token taken.
    fn place(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |last| self.tokens[last].end)
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|t| t.is_word(self.text, word));
        self.at += usize::from(found);
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_some_and(|t| t.is_symbol(self.text, symbol));
        self.at += usize::from(found);
        found
    }

    fn words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(i, w)| self.tokens.get(self.at + i).is_some_and(|t| t.is_word(self.text, w)));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// A name or literal without its quotes.
    fn name(&mut self) -> Option<String> {
        let token = self.next().filter(|t| matches!(t.kind, Kind::Quoted | Kind::Word | Kind::String))?;
        Some(bare(token.text(self.text)))
    }

    /// `user@host`, or a role's name alone. The lexer takes `@` and what follows as one token.
    fn account(&mut self) -> Option<AccountName> {
        let user = self.name()?;
        let host = match self.peek() {
            Some(token) if token.kind == Kind::Variable => {
                self.at += 1;
                bare(token.text(self.text).strip_prefix('@')?)
            }
            _ => String::new(),
        };
        Some(AccountName { user, host })
    }

    /// The text up to the next clause of a `SHOW CREATE USER`.
    fn until_clause(&mut self) -> &'a str {
        const CLAUSES: [&str; 11] = [
            "IDENTIFIED",
            "DEFAULT",
            "REQUIRE",
            "WITH",
            "ACCOUNT",
            "PASSWORD",
            "FAILED_LOGIN_ATTEMPTS",
            "PASSWORD_LOCK_TIME",
            "ATTRIBUTE",
            "COMMENT",
            "DISCARD",
        ];
        let from = self.place();
        while let Some(token) = self.peek() {
            let begins = CLAUSES.iter().any(|c| token.is_word(self.text, c));
            // `EXPIRE DEFAULT`, `HISTORY DEFAULT`: the last word of a clause, unless ROLE follows.
            let value = token.is_word(self.text, "DEFAULT")
                && self.at > 0
                && !self.tokens.get(self.at + 1).is_some_and(|t| t.is_word(self.text, "ROLE"));
            // `PASSWORD REQUIRE CURRENT` is one clause.
            let inside = token.is_word(self.text, "REQUIRE") && self.tokens[self.at - 1].is_word(self.text, "PASSWORD");
            if begins && !value && !inside {
                break;
            }
            self.at += 1;
        }
        self.text[from..self.place()].trim()
    }

    fn limits(&mut self, limits: &mut Vec<(String, String)>) -> bool {
        while let Some(token) = self.peek().filter(|t| t.kind == Kind::Word && t.text(self.text).starts_with("MAX_")) {
            self.at += 1;
            let Some(value) = self.next().filter(|t| t.kind == Kind::Number) else { return false };
            limits.push((token.text(self.text).to_owned(), value.text(self.text).to_owned()));
        }
        !limits.is_empty()
    }

    /// What follows `IDENTIFIED`.
    fn ways(&mut self, ways: &mut Vec<Authentication>) -> Result<bool, String> {
        if !ways.is_empty() {
            return Ok(false);
        }
        if self.words(&["BY", "PASSWORD"]) {
            let hash = self.hash()?;
            ways.push(Authentication { plugin: "mysql_native_password".to_owned(), hash: Some(hash) });
            return Ok(true);
        }
        if !(self.word("WITH") || self.word("VIA")) {
            return Ok(false);
        }
        loop {
            let plugin = self.name().ok_or("its plugin is not understood")?;
            let hash = if self.word("AS") || self.word("USING") { Some(self.hash()?) } else { None };
            ways.push(Authentication { plugin, hash });
            if self.word("AND") {
                return Err("it logs in with more than one factor".to_owned());
            }
            if !self.word("OR") {
                return Ok(true);
            }
        }
    }

    fn hash(&mut self) -> Result<Hidden, String> {
        let literal = self.next().filter(|t| matches!(t.kind, Kind::String | Kind::Hex));
        literal.map(|t| Hidden::new(t.text(self.text))).ok_or_else(|| "its password's hash is not understood".to_owned())
    }

    fn rights(&mut self) -> Option<Grant> {
        let mut rights = Vec::new();
        loop {
            let from = self.peek()?.start;
            while self.peek().is_some_and(|t| t.kind == Kind::Word && !t.is_word(self.text, "ON")) {
                self.at += 1;
            }
            let name = self.text.get(from..self.place())?.trim().to_ascii_uppercase();
            let mut columns = Vec::new();
            if self.symbol("(") {
                loop {
                    columns.push(self.name()?);
                    if self.symbol(")") {
                        break;
                    }
                    if !self.symbol(",") {
                        return None;
                    }
                }
            }
            match name.as_str() {
                "" => return None,
                "USAGE" => {}
                "ALL" => rights.push(Right { name: "ALL PRIVILEGES".to_owned(), columns }),
                _ => rights.push(Right { name, columns }),
            }
            if !self.symbol(",") {
                break;
            }
        }
        if !self.word("ON") {
            return None;
        }
        let place = self.grant_place()?;
        if !self.word("TO") {
            return None;
        }
        let to = self.account()?;
        // MariaDB repeats the account's other clauses here.
        let rest = &self.tokens[self.at..];
        let option = rest.windows(2).any(|w| w[0].is_word(self.text, "GRANT") && w[1].is_word(self.text, "OPTION"));
        Some(Grant { place, rights, option, to })
    }

    fn grant_place(&mut self) -> Option<GrantPlace> {
        let routine = if self.words(&["PACKAGE", "BODY"]) {
            Some("PACKAGE BODY")
        } else {
            ["PROCEDURE", "FUNCTION", "PACKAGE"].into_iter().find(|kind| self.word(kind))
        };
        if self.symbol("*") {
            return (self.symbol(".") && self.symbol("*")).then_some(GrantPlace::Everywhere);
        }
        let database = self.name()?;
        if !self.symbol(".") {
            return None;
        }
        if self.symbol("*") {
            return Some(GrantPlace::Database(database));
        }
        let name = self.name()?;
        Some(match routine {
            Some(kind) => GrantPlace::Routine(kind.to_owned(), database, name),
            None => GrantPlace::Table(database, name),
        })
    }
}

fn bare(text: &str) -> String {
    if text.starts_with('\'') { lex::string_value(text) } else { lex::name_of(text) }
}

/// Whether a database is meant by the pattern of a grant.
pub fn means_database(pattern: &str, name: &str) -> bool {
    fn go(p: &[char], n: &[char]) -> bool {
        match (p.first(), n.first()) {
            (None, None) => true,
            (Some('%'), _) => go(&p[1..], n) || (!n.is_empty() && go(p, &n[1..])),
            (Some('\\'), _) if p.len() > 1 => n.first() == Some(&p[1]) && go(&p[2..], &n[1..]),
            (Some('_'), Some(_)) => go(&p[1..], &n[1..]),
            (Some(a), Some(b)) => a == b && go(&p[1..], &n[1..]),
            _ => false,
        }
    }
    go(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
}

/// The one database that a pattern without wildcards means; `None` where it has one.
pub fn one_database(pattern: &str) -> Option<String> {
    let mut name = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => name.push(chars.next().unwrap_or('\\')),
            '_' | '%' => return None,
            c => name.push(c),
        }
    }
    Some(name)
}

/// The pattern that means this database and no other.
pub fn only_database(name: &str) -> String {
    name.replace('_', "\\_").replace('%', "\\%")
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
