//! Asks both servers, once, all that the checks need and the catalogs do not hold.
//!
//! What an account may not see is left unknown rather than failing the plan; what would take too long is given up after a moment and
//! left unknown too. The checks say so.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    binlog::{self, BinlogFacts},
    ping,
};
use crate::{
    catalog::{Catalog, Column, Table, TableName, TypeKind, quote_name},
    connect::{ConnectError, Login, Purpose, Session, TlsLevel},
    ddl::lex::string_literal,
    destination::mysql::members,
    plan::Scope,
    spec::{ExistingTables, Spec},
};

/// Connections opened beside the first to see whether the same server answers (requirements 5.6).
const MORE_CONNECTIONS: usize = 3;
/// The longest one question over a table's rows may run.
const ONE_SCAN: Duration = Duration::from_secs(5);
/// The longest all of them together may run.
const ALL_SCANS: Duration = Duration::from_secs(20);
/// Tables asked about in one statement.
const BATCH: usize = 100;

/// Both ends, open, and how to open more of them.
pub struct Ends<'a> {
    /// A [`Purpose::Catalog`] session at the source.
    pub source: &'a mut Session,
    /// A [`Purpose::Catalog`] session at the destination.
    pub destination: &'a mut Session,
    /// How the source's session was opened.
    pub source_login: &'a Login,
    /// How the destination's session was opened.
    pub destination_login: &'a Login,
}

/// What was asked of one end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndFacts {
    /// `SHOW GRANTS`, line by line.
    pub grants: Vec<String>,
    /// Identities that answered on further connections.
    pub identities: BTreeSet<String>,
    /// Connections in use; unknown where the server does not say.
    pub connected: Option<u64>,
}

/// How far the clocks are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The destination's minus the source's, in milliseconds.
    pub difference_ms: i64,
    /// What the round trips leave open, in milliseconds.
    pub uncertainty_ms: i64,
}

/// The widest row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// In bytes of values.
    Measured(u64),
    /// It took too long, or the account may not read the table.
    Unknown,
}

/// A unique key whose columns get another collation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// At the source.
    pub table: TableName,
    /// The key's name.
    pub key: String,
    /// Collations that change, `column: old -> new`.
    pub collations: Vec<String>,
    /// Groups of rows that would be equal in the key; unknown when the source lacks the collation or counting took too long.
    pub groups: Option<u64>,
}

/// A column whose list of members is not printed whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BentList {
    /// At the source.
    pub table: TableName,
    /// The column.
    pub column: String,
    /// A member is certainly not as it is printed; otherwise one is printed empty, and whether it is could not be seen.
    pub certain: bool,
}

/// What was gathered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Of the source.
    pub source: EndFacts,
    /// Of the destination.
    pub destination: EndFacts,
    /// The clocks.
    pub clock: Option<Clock>,
    /// Triggers at the destination on tables that the selection goes to.
    pub destination_triggers: Vec<(TableName, String)>,
    /// Accounts of the destination as `user@host`; unknown when the account may not read them.
    pub destination_accounts: Option<BTreeSet<String>>,
    /// Destination tables that existed before and hold rows; unknown ones are `None`.
    pub occupied: BTreeMap<TableName, Option<bool>>,
    /// Tables of the destination's database `dts`; `None` when there is no such database.
    pub dts_tables: Option<BTreeSet<String>>,
    /// Names of other tasks by the destination tables that they have written, as the tables `dts` at the destination tell.
    pub other_writers: BTreeMap<TableName, BTreeSet<String>>,
    /// Full-text parser plugins that the destination has; unknown when they were not asked for or may not be seen.
    pub parsers: Option<BTreeSet<String>>,
    /// The widest rows of source tables whose columns could hold more than a packet.
    pub widest: BTreeMap<TableName, Width>,
    /// Unique keys under another collation.
    pub collisions: Vec<Collision>,
    /// ENUM and SET columns of the source whose list is longer than what the server prints of it, or may be.
    pub bent_lists: Vec<BentList>,
    /// What the source says against conditions of the spec.
    pub refused_filters: BTreeMap<TableName, String>,
    /// The source's binlog, when the incremental phase is on.
    pub binlog: BinlogFacts,
}

/// Asks. `collations` tells which collation a source column will have at the destination, when it is known.
///
/// # Errors
/// As a connection fails; a statement that the account may not run leaves its fact unknown.
pub fn gather(
    ends: Ends<'_>,
    spec: &Spec,
    scope: &Scope,
    source: &Catalog,
    destination: &Catalog,
    collation: &dyn Fn(&TableName, &Column) -> Option<String>,
) -> Result<Gathered, ConnectError> {
    let mut gathered = Gathered {
        source: end(ends.source, ends.source_login)?,
        destination: end(ends.destination, ends.destination_login)?,
        clock: Some(ping::clock(ends.source, ends.destination)?),
        ..Gathered::default()
    };
    gathered.dts_tables = dts_tables(ends.destination)?;
    if gathered.dts_tables.as_ref().is_some_and(|tables| tables.contains("dtsctl_table")) {
        gathered.other_writers = other_writers(ends.destination, &spec.name)?;
    }
    if source.tables.iter().any(|table| table.create.contains("WITH PARSER")) {
        gathered.parsers = parsers(ends.destination)?;
    }
    if !scope.programs.is_empty() {
        gathered.destination_accounts = accounts(ends.destination)?;
    }
    if spec.phases.incremental {
        gathered.binlog = binlog::gather(ends.source, ends.source_login)?;
    }
    gathered.refused_filters = refused_filters(ends.source_login, scope, source)?;
    let existing: BTreeSet<&TableName> = destination.tables.iter().map(|t| &t.name).collect();
    let targets: BTreeSet<&TableName> = scope.pairs.iter().map(|p| &p.destination).filter(|t| existing.contains(t)).collect();
    if !targets.is_empty() {
        gathered.destination_triggers = triggers(ends.destination, &targets)?;
        if spec.conflict.existing_tables != ExistingTables::Fail {
            gathered.occupied = occupied(ends.destination, &targets)?;
        }
    }
    let mut budget = Budget { end: Instant::now() + ALL_SCANS };
    if ends.source.flavor().is_mysql() {
        gathered.bent_lists = bent_lists(ends.source, scope, &budget)?;
    }
    let tables: BTreeMap<&TableName, &Table> = source.tables.iter().map(|t| (&t.name, t)).collect();
    let limit = ends.source.info().max_allowed_packet().min(ends.destination.info().max_allowed_packet());
    if spec.phases.full {
        for pair in &scope.pairs {
            let Some(table) = tables.get(&pair.source) else { continue };
            if may_exceed(table, limit) {
                let width = widest(ends.source, table, &mut budget)?;
                gathered.widest.insert(table.name.clone(), width);
            }
            gathered.collisions.extend(collisions(ends.source, table, &source.collations, collation, &mut budget)?);
        }
    }
    Ok(gathered)
}

/// Has the source read each condition as the copy will ask it, without any row.
fn refused_filters(login: &Login, scope: &Scope, source: &Catalog) -> Result<BTreeMap<TableName, String>, ConnectError> {
    let mut refused = BTreeMap::new();
    let filtered = scope.pairs.iter().filter_map(|pair| Some((pair, pair.columns.rows()?, source.table(&pair.source)?)));
    let mut session = None;
    for (pair, rows, table) in filtered {
        if pair.columns.lacks(table).is_some() {
            continue;
        }
        let session = match &mut session {
            Some(session) => session,
            none => none.insert(Session::open(login, Purpose::Read)?),
        };
        let sql = format!("SELECT 1 FROM {} WHERE {} LIMIT 0", pair.source.quoted(), rows.condition.sql());
        match session.query("reading the condition of `where`", &sql) {
            Ok(_) => {}
            Err(error) if error.is_connection() => return Err(error),
            Err(error) => drop(refused.insert(pair.source.clone(), error.to_string())),
        }
    }
    Ok(refused)
}

struct Budget {
    end: Instant,
}

impl Budget {
    /// Milliseconds for the next scan; `None` when all are used up.
    fn next(&self) -> Option<u64> {
        let left = self.end.saturating_duration_since(Instant::now()).min(ONE_SCAN);
        u64::try_from(left.as_millis()).ok().filter(|&ms| ms > 50)
    }
}

fn end(session: &mut Session, login: &Login) -> Result<EndFacts, ConnectError> {
    // Before further connections are opened.
    let connected = match session.query("counting connections", "SHOW GLOBAL STATUS LIKE 'Threads_connected'") {
        Ok(rows) => rows.number_at(0, 1),
        Err(error) if error.is_connection() => return Err(error),
        Err(_) => None,
    };
    Ok(EndFacts { grants: grants(session)?, identities: identities(session, login)?, connected })
}

fn grants(session: &mut Session) -> Result<Vec<String>, ConnectError> {
    let rows = session.query("reading the account's rights", "SHOW GRANTS")?;
    Ok((0..rows.len()).filter_map(|r| rows.text_at(r, 0)).collect())
}

fn identities(first: &Session, login: &Login) -> Result<BTreeSet<String>, ConnectError> {
    let mut login = login.clone();
    // A server without TLS costs a second connection each time it is asked for TLS in vain, and a proxy that deals connections out in
    // turn to two servers would then show one of them only.
    if login.tls.level == TlsLevel::Preferred && first.info().tls_cipher.is_empty() {
        login.tls.level = TlsLevel::Disabled;
    }
    // All at once, so that a proxy that spreads connections shows itself.
    let sessions: Result<Vec<Session>, ConnectError> = (0..MORE_CONNECTIONS).map(|_| Session::open(&login, Purpose::Control)).collect();
    Ok(sessions?.iter().map(|s| s.info().identity.clone()).collect())
}

fn accounts(session: &mut Session) -> Result<Option<BTreeSet<String>>, ConnectError> {
    match session.query("reading the accounts", "SELECT CONCAT(User, '@', Host) FROM mysql.user") {
        Ok(rows) => Ok(Some((0..rows.len()).filter_map(|r| rows.text_at(r, 0)).collect())),
        Err(error) if error.is_connection() => Err(error),
        Err(_) => Ok(None),
    }
}

pub(super) fn dts_tables(session: &mut Session) -> Result<Option<BTreeSet<String>>, ConnectError> {
    let rows = session.query(
        "looking for database dts",
        "SELECT s.SCHEMA_NAME, t.TABLE_NAME FROM information_schema.SCHEMATA s \
         LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME WHERE s.SCHEMA_NAME = 'dts'",
    )?;
    Ok((!rows.is_empty()).then(|| (0..rows.len()).filter_map(|r| rows.text_at(r, 1)).collect()))
}

fn parsers(session: &mut Session) -> Result<Option<BTreeSet<String>>, ConnectError> {
    let sql = "SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'FTPARSER' AND PLUGIN_STATUS = 'ACTIVE'";
    match session.query("looking for full-text parsers", sql) {
        Ok(rows) => Ok(Some((0..rows.len()).filter_map(|r| rows.text_at(r, 0)).collect())),
        Err(error) if error.is_connection() => Err(error),
        Err(_) => Ok(None),
    }
}

fn other_writers(session: &mut Session, task: &str) -> Result<BTreeMap<TableName, BTreeSet<String>>, ConnectError> {
    let sql = format!(
        "SELECT `task`, `destination_database`, `destination_table` FROM `dts`.`dtsctl_table` WHERE `task` <> {}",
        string_literal(task)
    );
    let rows = match session.query("looking for other tasks' tables", &sql) {
        Ok(rows) => rows,
        Err(error) if error.is_connection() => return Err(error),
        // The account may lack the right, which another check says.
        Err(_) => return Ok(BTreeMap::new()),
    };
    let mut writers: BTreeMap<TableName, BTreeSet<String>> = BTreeMap::new();
    for r in 0..rows.len() {
        if let (Some(task), Some(database), Some(table)) = (rows.text_at(r, 0), rows.text_at(r, 1), rows.text_at(r, 2)) {
            writers.entry(TableName::new(database, table)).or_default().insert(task);
        }
    }
    Ok(writers)
}

fn triggers(session: &mut Session, targets: &BTreeSet<&TableName>) -> Result<Vec<(TableName, String)>, ConnectError> {
    let databases: BTreeSet<String> = targets.iter().map(|t| string_literal(&t.database)).collect();
    let sql = format!(
        "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME FROM information_schema.TRIGGERS \
         WHERE EVENT_OBJECT_SCHEMA IN ({}) ORDER BY 1, 2, 3",
        databases.into_iter().collect::<Vec<_>>().join(", ")
    );
    let rows = session.query("looking for triggers at the destination", &sql)?;
    let read = |r| Some((TableName::new(rows.text_at(r, 0)?, rows.text_at(r, 1)?), rows.text_at(r, 2)?));
    Ok((0..rows.len()).filter_map(read).filter(|(table, _)| targets.contains(table)).collect())
}

fn occupied(session: &mut Session, targets: &BTreeSet<&TableName>) -> Result<BTreeMap<TableName, Option<bool>>, ConnectError> {
    const DOING: &str = "looking for rows in existing tables";
    let targets: Vec<&TableName> = targets.iter().copied().collect();
    let question = |t: &TableName| format!("(SELECT EXISTS(SELECT 1 FROM {}))", t.quoted());
    let mut found = BTreeMap::new();
    for batch in targets.chunks(BATCH) {
        let sql = batch.iter().map(|t| question(t)).collect::<Vec<_>>().join(" UNION ALL ");
        match session.query(DOING, &sql) {
            Ok(rows) => found.extend(batch.iter().enumerate().map(|(i, t)| ((*t).clone(), rows.number_at(i, 0).map(|n| n != 0)))),
            Err(error) if error.is_connection() => return Err(error),
            Err(_) => {
                for table in batch {
                    let answer = match session.query(DOING, &question(table)) {
                        Ok(rows) => rows.number_at(0, 0).map(|n| n != 0),
                        Err(error) if error.is_connection() => return Err(error),
                        Err(_) => None,
                    };
                    found.insert((*table).clone(), answer);
                }
            }
        }
    }
    Ok(found)
}

/// A question over a table's rows, ended by the server after `milliseconds`; `None` when it did not come to an end or is not allowed.
fn scan(session: &mut Session, doing: &str, milliseconds: u64, select: &str) -> Result<Option<u64>, ConnectError> {
    let sql = bounded(session, milliseconds, select);
    match session.query(doing, &sql) {
        Ok(rows) => Ok(Some(rows.number_at(0, 0).unwrap_or(0))),
        Err(error) if error.is_connection() => Err(error),
        Err(_) => Ok(None),
    }
}

fn bounded(session: &Session, milliseconds: u64, select: &str) -> String {
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
    let seconds = milliseconds as f64 / 1000.0;
    if session.flavor().is_mariadb() {
        format!("SET STATEMENT max_statement_time={seconds:.3} FOR SELECT {select}")
    } else {
        format!("SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */ {select}")
    }
}

/// The most bytes that a value of the column may have beside the row, as far as it matters here; 0 for one that is a part of the row.
fn beside(column: &Column) -> u64 {
    let name = column.column_type.to_ascii_lowercase();
    let large = name.contains("text") || name.contains("blob");
    match column.kind {
        TypeKind::Json | TypeKind::Geometry => u64::from(u32::MAX),
        _ if large && name.starts_with("long") => u64::from(u32::MAX),
        _ if large && name.starts_with("medium") => 1 << 24,
        _ if large => 1 << 16,
        _ => 0,
    }
}

/// What all columns share that are no TEXT, BLOB or the like (manual: Limits on Table Column Count and Row Size).
const ROW_BYTES: u64 = 65_535;

/// A row of the table could be wider than a packet: the declared types allow it, and the table is either large enough or so small that
/// its estimates mean nothing and a look costs nothing.
fn may_exceed(table: &Table, limit: u64) -> bool {
    let declared = ROW_BYTES + table.columns.iter().map(beside).sum::<u64>();
    declared >= limit / 2 && (table.data_bytes >= limit / 4 || table.rows_estimate < 1000)
}

fn widest(session: &mut Session, table: &Table, budget: &mut Budget) -> Result<Width, ConnectError> {
    let Some(milliseconds) = budget.next() else { return Ok(Width::Unknown) };
    let parts: Vec<String> =
        table.copied_columns().iter().map(|&c| format!("COALESCE(LENGTH({}),0)", quote_name(&table.columns[c].name))).collect();
    let select = format!("COALESCE(MAX({}),0) FROM {}", parts.join("+"), table.name.quoted());
    Ok(match scan(session, "measuring the widest row", milliseconds, &select)? {
        Some(bytes) => Width::Measured(bytes),
        None => Width::Unknown,
    })
}

/// `ALTER TABLE ... CONVERT TO CHARACTER SET` of MySQL leaves the old bytes in the lists of ENUM and SET columns and prints a member only up to
/// the first that is none of the new charset (seen on 9.7.4; in utf8mb3 it prints them in hexadecimal). The length that the server states
/// counts them all: the longest member of an ENUM, all of a SET's with commas between them.
fn bent_lists(session: &mut Session, scope: &Scope, budget: &Budget) -> Result<Vec<BentList>, ConnectError> {
    let databases: BTreeSet<String> = scope.pairs.iter().map(|pair| string_literal(&pair.source.database)).collect();
    if databases.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, DATA_TYPE FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA IN ({}) AND DATA_TYPE IN ('enum','set') AND CHARACTER_SET_NAME NOT IN ('binary','utf8mb3','utf8')",
        databases.into_iter().collect::<Vec<_>>().join(", ")
    );
    let rows = session.query("reading lists of members", &sql)?;
    let mut found = Vec::new();
    for row in 0..rows.len() {
        let text = |column| rows.text_at(row, column).unwrap_or_default();
        let (table, column) = (TableName::new(text(0), text(1)), text(2));
        if scope.pair(&table).is_none() {
            continue;
        }
        let members = members(&text(3));
        let printed = printed_length(&members, text(5).eq_ignore_ascii_case("set"));
        let certain = match rows.number_at(row, 4) {
            Some(stated) if stated != printed => true,
            _ => match members.iter().position(String::is_empty) {
                None => continue,
                // By number: the error value is 0 and none of them.
                Some(at) if text(5).eq_ignore_ascii_case("enum") => {
                    let name = quote_name(&column);
                    let select = format!(
                        "COALESCE(SUM(LENGTH({name})>0),-1) FROM (SELECT {name} FROM {} WHERE {name}={} LIMIT 1) AS one",
                        table.quoted(),
                        at + 1
                    );
                    match budget.next().map(|ms| session.query("reading a member", &bounded(session, ms, &select))).transpose() {
                        Ok(answer) => match answer.and_then(|rows| rows.text_at(0, 0)).as_deref() {
                            Some("0") => continue,
                            Some("1") => true,
                            _ => false,
                        },
                        Err(error) if error.is_connection() => return Err(error),
                        Err(_) => false,
                    }
                }
                // The lengths of a SET's members add up, so none is hidden.
                Some(_) => continue,
            },
        };
        found.push(BentList { table, column, certain });
    }
    Ok(found)
}

/// The length in characters that the server would state for a list that is as printed.
fn printed_length(members: &[String], set: bool) -> u64 {
    let lengths = members.iter().map(|member| member.chars().count());
    let length = if set { lengths.sum::<usize>() + members.len().saturating_sub(1) } else { lengths.max().unwrap_or(0) };
    length as u64
}

/// Groups of rows that are told apart by a unique key now and would not be under the new collations (trap 5).
fn collisions(
    session: &mut Session,
    table: &Table,
    known: &[String],
    collation: &dyn Fn(&TableName, &Column) -> Option<String>,
    budget: &mut Budget,
) -> Result<Vec<Collision>, ConnectError> {
    let mut found = Vec::new();
    for key in table.keys.iter().filter(|k| k.unique) {
        let mut changes = Vec::new();
        let mut countable = true;
        let mut exprs = Vec::new();
        let mut not_null = Vec::new();
        for part in &key.parts {
            let Some(column) = part.column.map(|c| &table.columns[c]) else {
                countable = false;
                continue;
            };
            let name = quote_name(&column.name);
            let mut expr = name.clone();
            if let (Some(old), Some(new)) = (&column.collation, collation(&table.name, column))
                && is_coarser(old, &new)
            {
                changes.push(format!("{}: {old} -> {new}", column.name));
                countable &= known.contains(&new);
                let charset = new.split('_').next().unwrap_or("utf8mb4");
                expr = format!("CONVERT({name} USING {charset}) COLLATE {new}");
            }
            if let Some(length) = part.prefix {
                expr = format!("LEFT({expr},{length})");
            }
            exprs.push(expr);
            if column.nullable {
                not_null.push(format!("{name} IS NOT NULL"));
            }
        }
        if changes.is_empty() {
            continue;
        }
        let filter = if not_null.is_empty() { String::new() } else { format!(" WHERE {}", not_null.join(" AND ")) };
        let select = format!(
            "COUNT(*) FROM (SELECT 1 AS g FROM {}{filter} GROUP BY {} HAVING COUNT(*) > 1) AS d",
            table.name.quoted(),
            exprs.join(", ")
        );
        let groups = match budget.next().filter(|_| countable) {
            Some(milliseconds) => scan(session, "counting keys under another collation", milliseconds, &select)?,
            None => None,
        };
        found.push(Collision { table: table.name.clone(), key: key.name.clone(), collations: changes, groups });
    }
    Ok(found)
}

/// Whether values that differ under `old` may be equal under `new`. Equal names, one collation of utf8mb3 and utf8mb4, and a binary
/// collation without padding never merge values.
fn is_coarser(old: &str, new: &str) -> bool {
    let bare =
        |name: &str| name.strip_prefix("utf8mb4_").or(name.strip_prefix("utf8mb3_")).or(name.strip_prefix("utf8_")).map(str::to_owned);
    let same = old == new || (bare(old).is_some() && bare(old) == bare(new));
    !same && new != "binary" && new != "utf8mb4_0900_bin" && !new.ends_with("_nopad_bin")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn only_tables_that_could_hold_a_wide_row_are_measured() {
        let mut table = sample::table("shop", "t");
        assert!(!may_exceed(&table, 1 << 24));
        // Seen with 900 of them: a row of small columns was taken for one of 64 KiB each.
        table.columns.extend((0..900).map(|i| sample::column(&format!("c{i}"), TypeKind::Integer, "tinyint")));
        assert!(!may_exceed(&table, 1 << 24));
        table.columns.push(sample::column("doc", TypeKind::Text, "longtext"));
        table.rows_estimate = 1_000_000;
        table.data_bytes = 1 << 20;
        assert!(!may_exceed(&table, 1 << 24));
        table.data_bytes = 1 << 30;
        assert!(may_exceed(&table, 1 << 24));
        table.data_bytes = 1 << 14;
        table.rows_estimate = 3;
        assert!(may_exceed(&table, 1 << 24));
    }

    /// As MySQL 9.7.4 states them.
    #[test]
    fn the_length_of_a_list() {
        let length = |text: &str, set| printed_length(&members(text), set);
        assert_eq!((length("enum('a','','bb')", false), length("set('a','','ccc')", true)), (2, 6));
        assert_eq!((length("set('ü','€')", true), length("enum()", false)), (3, 0));
        // enum('aé','x') of latin1, converted: it states 2.
        assert_eq!(length("enum('a','x')", false), 1);
    }

    #[test]
    fn collations_that_cannot_merge_values_are_passed_over() {
        assert!(!is_coarser("utf8mb3_general_ci", "utf8mb4_general_ci"));
        assert!(!is_coarser("latin1_bin", "binary"));
        assert!(is_coarser("utf8mb4_0900_ai_ci", "utf8mb4_general_ci"));
        assert!(is_coarser("utf8mb4_nopad_bin", "utf8mb4_bin"));
    }
}
