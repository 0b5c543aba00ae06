//! Grants under the destination's names.
//!
//! Rights on the whole server are carried as they are; rights on databases, tables and routines where those are selected, under their new
//! names. A pattern of databases stays a pattern where all that it means at the source is selected and keeps its name; else it becomes a
//! grant on each selected database that it means. Of several grants that mean one database a server heeds only the closest, so patterns
//! that overlap are never taken apart.

use super::Accounts;
use crate::{
    catalog::{TableName, accounts::SourceAccount, quote_name},
    connect::Vendor,
    ddl::account::{Grant, GrantLine, GrantPlace, Right, means_database, one_database, only_database},
};

/// Rights that both vendors know by the same name and take for the same.
const COMMON: [&str; 26] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "SHUTDOWN",
    "PROCESS",
    "FILE",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "REPLICATION SLAVE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "CREATE USER",
    "EVENT",
    "TRIGGER",
    "CREATE TABLESPACE",
];

const ALL: &str = "ALL PRIVILEGES";

/// The statements.
#[derive(Default)]
pub(super) struct Granted {
    /// Rights on the server, on databases and tables.
    pub(super) first: Vec<String>,
    /// Rights on views and routines, which are made late.
    pub(super) last: Vec<String>,
}

pub(super) fn grants(of: &Accounts<'_>, account: &SourceAccount, told: &mut Vec<String>) -> Result<Granted, String> {
    let mut granted = Granted::default();
    let to = account.name.quoted();
    for (line, grant) in &account.grants {
        let grant = match grant {
            GrantLine::Rights(grant) => grant,
            GrantLine::Role => {
                told.push(format!("{line}: roles are not carried"));
                continue;
            }
            GrantLine::Proxy => {
                told.push(format!("{line}: proxies are not carried"));
                continue;
            }
            GrantLine::Unknown => return Err(format!("{line}: this is not known here, or takes rights away, and is not carried")),
        };
        if grant.rights.is_empty() && !grant.option {
            continue;
        }
        let rights = rights(of, grant, line, told);
        if rights.is_empty() && !grant.option {
            continue;
        }
        for place in places(of, account, grant, line, told)? {
            let Some(rights) = columns(&rights, &place, line, told) else { continue };
            let option = if grant.option { " WITH GRANT OPTION" } else { "" };
            let statement = format!("GRANT {rights} ON {} TO {to}{option}", place.sql);
            if place.late { granted.last.push(statement) } else { granted.first.push(statement) }
        }
    }
    Ok(granted)
}

/// Where a grant goes.
struct Place {
    sql: String,
    late: bool,
    /// The source table, whose columns may have other names.
    columns: Option<crate::catalog::ColumnMap>,
}

impl Place {
    fn at(sql: String) -> Self {
        Self { sql, late: false, columns: None }
    }
}

/// The rights that the destination knows.
fn rights(of: &Accounts<'_>, grant: &Grant, line: &str, told: &mut Vec<String>) -> Vec<Right> {
    let everywhere = grant.place == GrantPlace::Everywhere;
    let known = |name: &str| {
        name == ALL || (of.destination.rights.contains(name) || name == "BINLOG MONITOR") && (of.one_vendor() || COMMON.contains(&name))
    };
    let mut rights = Vec::new();
    for right in &grant.rights {
        if right.name == ALL && everywhere && !of.one_vendor() {
            told.push(format!("{line}: what only {} knows of it", vendor(of.source_info.flavor.vendor)));
            rights.extend(COMMON.iter().map(|name| Right { name: (*name).to_owned(), columns: Vec::new() }));
        } else if known(&right.name) {
            rights.push(right.clone());
        } else {
            told.push(format!("{line}: {}, which the destination does not know or takes for something else", right.name));
        }
    }
    rights
}

fn vendor(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::MySql => "MySQL",
        Vendor::MariaDb => "MariaDB",
    }
}

/// `SELECT (a, b), INSERT` under the destination's names; `None` where nothing is left of it.
fn columns(rights: &[Right], place: &Place, line: &str, told: &mut Vec<String>) -> Option<String> {
    let mut all = Vec::new();
    for right in rights {
        let Some(map) = place.columns.as_ref().filter(|_| !right.columns.is_empty()) else {
            let names: Vec<String> = right.columns.iter().map(|c| quote_name(c)).collect();
            all.push(if names.is_empty() { right.name.clone() } else { format!("{} ({})", right.name, names.join(", ")) });
            continue;
        };
        let mut names = Vec::new();
        for column in &right.columns {
            match map.name(column) {
                Some(name) => names.push(quote_name(&name)),
                None => told.push(format!("{line}: {} on column {column}, which is left out", right.name)),
            }
        }
        if !names.is_empty() {
            all.push(format!("{} ({})", right.name, names.join(", ")));
        }
    }
    match (all.is_empty(), rights.is_empty()) {
        (false, _) => Some(all.join(", ")),
        // The right to pass on is all that there was.
        (true, true) => Some("USAGE".to_owned()),
        (true, false) => None,
    }
}

fn places(of: &Accounts<'_>, account: &SourceAccount, grant: &Grant, line: &str, told: &mut Vec<String>) -> Result<Vec<Place>, String> {
    let nothing = |told: &mut Vec<String>, what: &str| {
        told.push(format!("{line}: {what}"));
        Ok(Vec::new())
    };
    match &grant.place {
        GrantPlace::Everywhere => Ok(vec![Place::at("*.*".to_owned())]),
        GrantPlace::Database(pattern) => databases(of, account, pattern, line, told),
        GrantPlace::Table(database, table) => {
            let Some((source, destination, late)) = table_named(of, database, table) else {
                return nothing(told, "the table is not selected");
            };
            if sources_of_table(of, &destination) > 1 {
                return Err(format!("{line}: {destination} holds rows of other tables too, on which it has no such right"));
            }
            Ok(vec![Place { sql: destination.quoted(), late, columns: Some(of.mapping.columns(&source)) }])
        }
        GrantPlace::Routine(kind, database, name) => {
            let wanted = kind.to_lowercase();
            let found = of
                .catalog
                .others
                .iter()
                .find(|o| o.kind == wanted && same(of, &o.database, database) && o.name.to_lowercase() == name.to_lowercase());
            let destination = found.and_then(|o| of.mapping.program(&o.kind, &TableName::new(&o.database, &o.name)));
            let Some(destination) = destination else { return nothing(told, "the routine is not selected") };
            Ok(vec![Place { late: true, ..Place::at(format!("{kind} {}", destination.quoted())) }])
        }
    }
}

/// Whether two names of the source are one.
fn same(of: &Accounts<'_>, a: &str, b: &str) -> bool {
    a == b || (of.source_info.folds_names() && a.to_lowercase() == b.to_lowercase())
}

/// A selected table, sequence or view: its names at both ends, and whether it is made late.
fn table_named(of: &Accounts<'_>, database: &str, table: &str) -> Option<(TableName, TableName, bool)> {
    let is = |d: &str, t: &str| same(of, d, database) && same(of, t, table);
    if let Some(found) = of.catalog.tables.iter().find(|t| is(&t.name.database, &t.name.table)) {
        return of.mapping.table(&found.name).map(|to| (found.name.clone(), to, false));
    }
    let found = of.catalog.others.iter().find(|o| ["sequence", "view"].contains(&o.kind.as_str()) && is(&o.database, &o.name))?;
    let name = TableName::new(&found.database, &found.name);
    if found.kind == "view" {
        return of.mapping.program("view", &name).map(|to| (name.clone(), to, true));
    }
    of.mapping.table(&name).map(|to| (name.clone(), to, false))
}

fn sources_of_table(of: &Accounts<'_>, destination: &TableName) -> usize {
    of.catalog.tables.iter().filter(|t| of.mapping.table(&t.name).as_ref() == Some(destination)).count()
}

/// Selected source databases that a pattern means, and their names at the destination.
fn selected(of: &Accounts<'_>, pattern: &str) -> Vec<(String, String)> {
    let databases = of.catalog.databases.iter().filter(|d| means(of, pattern, &d.name));
    databases.filter_map(|d| Some((d.name.clone(), of.mapping.database(&d.name)?))).collect()
}

fn means(of: &Accounts<'_>, pattern: &str, name: &str) -> bool {
    if of.source.literal_patterns {
        return same(of, pattern, name);
    }
    means_database(pattern, name) || (of.source_info.folds_names() && means_database(&pattern.to_lowercase(), &name.to_lowercase()))
}

fn databases(of: &Accounts<'_>, account: &SourceAccount, pattern: &str, line: &str, told: &mut Vec<String>) -> Result<Vec<Place>, String> {
    let meant = selected(of, pattern);
    if meant.is_empty() {
        told.push(format!("{line}: the database is not selected"));
        return Ok(Vec::new());
    }
    for (source, destination) in &meant {
        let other = of.catalog.databases.iter().find(|d| d.name != *source && of.mapping.database(&d.name).as_ref() == Some(destination));
        if let Some(other) = other.filter(|other| !meant.iter().any(|(name, _)| *name == other.name)) {
            return Err(format!("{line}: {destination} holds what comes from {} too, on which it has no such right", other.name));
        }
    }
    let one = one_database(pattern).filter(|_| !of.source.literal_patterns);
    let literal = of.source.literal_patterns || one.is_some();
    let kept = meant.iter().all(|(source, destination)| source == destination);
    let all = of.source.databases.iter().filter(|name| means(of, pattern, name)).all(|name| meant.iter().any(|(d, _)| d == name));
    let both = of.source.literal_patterns == of.destination.literal_patterns;
    if !literal && kept && all && both {
        return Ok(vec![Place::at(format!("{}.*", quote_name(pattern)))]);
    }
    if !literal {
        // A server takes the closest of several patterns and no other.
        let others = account.grants.iter().filter_map(|(_, grant)| match grant {
            GrantLine::Rights(Grant { place: GrantPlace::Database(other), .. }) if other != pattern => Some(other),
            _ => None,
        });
        for other in others {
            if let Some((name, _)) = meant.iter().find(|(name, _)| means(of, other, name)) {
                return Err(format!("{line}: another grant means database {name} too, and a server heeds only one of the two"));
            }
        }
        let names: Vec<&str> = meant.iter().map(|(_, to)| to.as_str()).collect();
        told.push(format!("{line}: what it means beside {}", names.join(", ")));
    }
    let mut names: Vec<&String> = meant.iter().map(|(_, to)| to).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| Ok(Place::at(format!("{}.*", quote_name(&as_pattern(of, name, line)?))))).collect()
}

/// The pattern by which the destination means this database alone.
fn as_pattern(of: &Accounts<'_>, name: &str, line: &str) -> Result<String, String> {
    if name.contains('\\') {
        return Err(format!("{line}: the name of database {name} cannot be told from a pattern"));
    }
    Ok(if of.destination.literal_patterns { name.to_owned() } else { only_database(name) })
}
