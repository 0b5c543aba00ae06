//! Accounts: which of those that the spec asks for are made, and by which statements.
//!
//! The hard idea (decision 081): what is left out of an account must never let it do more. A grant or a role that cannot be carried is left
//! out and told; a restriction that cannot be carried (TLS, limits, a second factor, a partial revoke, a password rule) refuses the
//! account. An account is made locked, gets its grants, and is unlocked by the last statement, so that a half-made one serves nobody and is
//! known for what it is. Hashes stand nowhere but in [`Hashed`], which only the schema phase sees.

mod grants;
mod login;

use std::collections::BTreeMap;

use super::{Act, Change, Diff, Mapping, ObjectKind, Part, Risk, Stage, unsupported};
use crate::{
    catalog::{
        Catalog,
        accounts::{DestinationAccounts, SourceAccount, SourceAccounts},
    },
    connect::ServerInfo,
    ddl::account::{AccountName, Hidden},
};

/// Stands for a password's hash in statements that are shown. No statement runs that holds it.
pub const HASH: &str = "<the hash at the source>";

/// The statements that hold a hash, by their text with [`HASH`] in its place.
pub type Hashed = BTreeMap<String, Hidden>;

/// Users that belong to a server, its packages or its host, and are never carried (requirements D22; `mysql.*` beside these).
const SYSTEM: [&str; 12] = [
    "root",
    "mysql",
    "mariadb.sys",
    "PUBLIC",
    "healthcheck",
    "debian-sys-maint",
    "rdsadmin",
    "rdsrepladmin",
    "azure_superuser",
    "cloudsqladmin",
    "cloudsqlimport",
    "aurora_admin",
];

/// Something to know of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct AccountNote {
    /// `user@host`.
    pub account: String,
    /// What is the case.
    pub text: String,
}

/// What is told of accounts beside the changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct AccountNotes {
    /// Accounts that are asked for and not made, with the reason.
    pub skipped: Vec<AccountNote>,
    /// What accounts that are made do not get.
    pub left_out: Vec<AccountNote>,
    /// The source's account may not read the others; the server's words.
    pub source_denied: Option<String>,
    /// The destination's account may not see which are there; the server's words.
    pub destination_denied: Option<String>,
}

/// All that decides about accounts.
pub struct Accounts<'a> {
    /// Those asked for.
    pub source: &'a SourceAccounts,
    /// The source server.
    pub source_info: &'a ServerInfo,
    /// The source's catalog.
    pub catalog: &'a Catalog,
    /// What the destination has and takes.
    pub destination: &'a DestinationAccounts,
    /// The destination server.
    pub destination_info: &'a ServerInfo,
    /// Names at the destination.
    pub mapping: &'a dyn Mapping,
    /// Accounts that the task has begun, and whether each is finished.
    pub begun: &'a BTreeMap<String, bool>,
}

/// Adds the changes that make the accounts, and gives the statements with their hashes.
pub fn accounts(of: &Accounts<'_>, diff: &mut Diff) -> Hashed {
    let mut hashed = Hashed::new();
    let mut notes = AccountNotes {
        source_denied: of.source.denied.clone(),
        destination_denied: of.destination.denied.clone(),
        ..AccountNotes::default()
    };
    for role in &of.source.roles {
        notes.skipped.push(note(role, "is a role; roles are not carried"));
    }
    // Without knowing who is there nothing can be said of any; a precheck says so.
    let accounts = of.source.accounts.iter().filter(|_| of.destination.denied.is_none());
    for account in accounts {
        if let Some(reason) = of.skipped(&account.name) {
            notes.skipped.push(note(&account.name, reason));
            continue;
        }
        match of.made(account, &mut notes.left_out, &mut hashed) {
            Ok(changes) => diff.changes.extend(changes),
            Err(reason) => {
                let reason = format!("account {}: {reason}", account.name);
                let risk = Risk::Unsupported { code: unsupported::ACCOUNT, reason };
                diff.changes.push(Change { risk, ..change(&account.name, Act::Create, Stage::Before, Part::Accounts, "create account") });
            }
        }
    }
    notes.skipped.sort();
    notes.left_out.sort();
    notes.left_out.dedup();
    diff.accounts = notes;
    super::in_order(diff);
    hashed
}

fn note(account: &AccountName, text: impl Into<String>) -> AccountNote {
    AccountNote { account: account.to_string(), text: text.into() }
}

fn change(name: &AccountName, act: Act, stage: Stage, part: Part, what: impl Into<String>) -> Change {
    Change {
        kind: ObjectKind::Account,
        source: name.to_string(),
        destination: name.to_string(),
        table: None,
        act,
        stage,
        part,
        what: what.into(),
        statements: Vec::new(),
        risk: Risk::Safe,
        outside: false,
        before: None,
        after: None,
    }
}

impl Accounts<'_> {
    /// Why the account is left alone, if it is.
    fn skipped(&self, name: &AccountName) -> Option<&'static str> {
        if name.user.is_empty() {
            return Some("is anonymous; such accounts are not carried");
        }
        if SYSTEM.contains(&name.user.as_str()) || name.user.starts_with("mysql.") {
            return Some("belongs to the server; system accounts are not carried");
        }
        let locked = self.destination.locked(name)?;
        match self.begun.get(&name.to_string()) {
            None => Some("exists at the destination and is left as it is"),
            Some(true) => Some("was made by this task; what has become of it since is not carried"),
            // Unlocked by the last statement of all, before that could be noted.
            Some(false) if !locked => Some("was made by this task; what has become of it since is not carried"),
            Some(false) => None,
        }
    }

    /// The changes that make the account, or what is left of them.
    fn made(&self, account: &SourceAccount, left_out: &mut Vec<AccountNote>, hashed: &mut Hashed) -> Result<Vec<Change>, String> {
        let name = &account.name;
        let definition = account.definition.as_ref().map_err(Clone::clone)?;
        let mut told = Vec::new();
        let login = login::login(self, name, definition, &mut told)?;
        if account.second_password {
            told.push("its second password (RETAIN CURRENT PASSWORD)".to_owned());
        }
        let granted = grants::grants(self, account, &mut told)?;
        let mut changes = Vec::new();
        if self.destination.locked(name).is_none() {
            let mut create = change(name, Act::Create, Stage::Before, Part::Accounts, format!("create account, locked; {}", login.plugins));
            create.statements = vec![login.shown.clone()];
            changes.push(create);
            if login.real.expose() != login.shown {
                hashed.insert(login.shown, login.real);
            }
        }
        let end = if definition.locked { "LOCK" } else { "UNLOCK" };
        if !granted.first.is_empty() {
            let mut first = change(name, Act::Alter, Stage::After, Part::Accounts, count(granted.first.len()));
            first.statements = self.careful(granted.first);
            changes.push(first);
        }
        let mut what = if definition.locked { "leave it locked".to_owned() } else { "unlock it".to_owned() };
        if !granted.last.is_empty() {
            what = format!("{} on views and routines; {what}", count(granted.last.len()));
        }
        let mut last = change(name, Act::Alter, Stage::After, Part::Grants, what);
        last.statements = if granted.last.is_empty() { Vec::new() } else { self.careful(granted.last) };
        last.statements.push(format!("ALTER USER {} ACCOUNT {end}", name.quoted()));
        changes.push(last);
        left_out.extend(told.into_iter().map(|text| note(name, text)));
        Ok(changes)
    }

    /// MariaDB makes an account that a GRANT names and that is not there, without a password, unless told not to (manual: GRANT).
    fn careful(&self, grants: Vec<String>) -> Vec<String> {
        if !self.destination_info.flavor.is_mariadb() {
            return grants;
        }
        let mut all = vec![
            "SET @dtsctl_mode = @@SESSION.sql_mode".to_owned(),
            "SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_CREATE_USER')".to_owned(),
        ];
        all.extend(grants);
        all.push("SET SESSION sql_mode = @dtsctl_mode".to_owned());
        all
    }

    /// The two servers are of one vendor.
    fn one_vendor(&self) -> bool {
        self.source_info.flavor.vendor == self.destination_info.flavor.vendor
    }
}

fn count(grants: usize) -> String {
    if grants == 1 { "1 grant".to_owned() } else { format!("{grants} grants") }
}

#[cfg(test)]
mod tests;
