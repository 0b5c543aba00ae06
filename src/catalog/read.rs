//! The queries that fill the catalog: a handful for any number of tables.

use super::{
    model::{Catalog, Database, OtherObject, TableName, quote_name},
    programs,
    tables::{self, ColumnFacts, TableFacts},
};
use crate::{
    connect::{ConnectError, Rows, Session},
    ddl::lex::string_literal,
};

/// Why a catalog could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The connection or a statement failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The account sees that an object is there and may not read its definition.
    #[error("the account may not read the definition of {object}: {source}")]
    MissingRight {
        /// Database and name.
        object: String,
        /// The server's refusal.
        source: ConnectError,
    },
    /// The server cannot print the definition of an object: a MERGE table without its members, a table whose engine is not loaded.
    #[error("the definition of {object} cannot be read: {source}")]
    Unreadable {
        /// Database and name.
        object: String,
        /// What the server said.
        source: ConnectError,
    },
}

/// Which objects to read. System databases are never read, whatever it says.
pub struct Scope<'a> {
    /// Databases of interest.
    pub database: &'a dyn Fn(&str) -> bool,
    /// Tables of interest in them.
    pub table: &'a dyn Fn(&TableName) -> bool,
}

impl Scope<'_> {
    /// Everything but system databases.
    pub const ALL: Scope<'static> = Scope { database: &|_| true, table: &|_| true };
}

/// Databases that belong to the server itself.
pub fn is_system_database(name: &str) -> bool {
    ["mysql", "information_schema", "performance_schema", "sys"].iter().any(|s| s.eq_ignore_ascii_case(name))
}

/// Statements sent in one round trip.
const BATCH: usize = 100;

/// Reads what a server holds. Takes a session opened for [`Purpose::Catalog`](crate::connect::Purpose::Catalog). What is created or
/// dropped while it reads is either there or not; what is altered meanwhile is read again.
///
/// # Errors
/// [`CatalogError`].
pub fn read(session: &mut Session, scope: &Scope<'_>) -> Result<Catalog, CatalogError> {
    for _ in 0..2 {
        let (catalog, torn) = read_once(session, scope)?;
        if !torn {
            return Ok(catalog);
        }
    }
    Ok(read_once(session, scope)?.0)
}

/// The catalog, and whether a table's text and its columns were read at two sides of an ALTER.
fn read_once(session: &mut Session, scope: &Scope<'_>) -> Result<(Catalog, bool), CatalogError> {
    let mut catalog = Catalog::default();
    read_server(session, scope, &mut catalog)?;
    if catalog.databases.is_empty() {
        return Ok((catalog, false));
    }
    let names: Vec<String> = catalog.databases.iter().map(|d| string_literal(&d.name)).collect();
    let names = names.join(",");
    let (facts, sequences) = read_facts(session, scope, &mut catalog, &names)?;
    let torn = read_tables(session, &mut catalog, facts)?;
    read_sequences(session, &mut catalog, sequences)?;
    programs::read(session, &mut catalog)?;
    catalog.others.sort_by(|a, b| (&a.database, &a.kind, &a.name).cmp(&(&b.database, &b.kind, &b.name)));
    Ok((catalog, torn))
}

fn read_server(session: &mut Session, scope: &Scope<'_>, catalog: &mut Catalog) -> Result<(), CatalogError> {
    // MariaDB names its UCA 14 collations without a charset in COLLATIONS and in full only here (seen on 10.11.19); the column does
    // not exist before 10.10 nor on MySQL.
    let collations = if session.flavor().has_full_collation_names() {
        "SELECT FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
    } else {
        "SELECT COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
    };
    let sets = session.query_sets(
        "reading the catalog",
        &format!(
            "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA; {collations}; \
             SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES','DEFAULT')"
        ),
    )?;
    let [schemata, collations, engines] = &sets[..] else { return Err(unexpected("reading the catalog").into()) };
    for row in 0..schemata.len() {
        let name = text(schemata, row, 0);
        if !is_system_database(&name) && (scope.database)(&name) {
            let (charset, collation) = (text(schemata, row, 1), text(schemata, row, 2));
            catalog.databases.push(Database { name, charset, collation, create: String::new() });
        }
    }
    catalog.databases.sort_by(|a, b| a.name.cmp(&b.name));
    catalog.collations = (0..collations.len()).map(|row| text(collations, row, 0)).collect();
    catalog.collations.sort();
    catalog.engines = (0..engines.len()).map(|row| text(engines, row, 0)).collect();
    let list: Vec<String> = catalog.databases.iter().map(|d| format!("SHOW CREATE DATABASE {}", quote_name(&d.name))).collect();
    for (i, rows) in show(session, &list, Failing::Gone)?.into_iter().enumerate() {
        if let Some(rows) = rows {
            catalog.databases[i].create = text(&rows, 0, 1);
        }
    }
    Ok(())
}

type Sequences = Vec<TableName>;

fn read_facts(
    session: &mut Session,
    scope: &Scope<'_>,
    catalog: &mut Catalog,
    names: &str,
) -> Result<(Vec<TableFacts>, Sequences), CatalogError> {
    let is_mariadb = session.flavor().is_mariadb();
    // Generated columns say so in EXTRA on both; MariaDB's row periods only by their expression (seen on 10.11.19).
    let period = if is_mariadb { "GENERATION_EXPRESSION IN ('ROW START','ROW END')" } else { "0" };
    let sets = session.query_sets(
        "reading the catalog",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, AUTO_INCREMENT \
             FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ({names}); \
             SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, \
             COLLATION_NAME, EXTRA, {period} FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ({names}); \
             SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN ({names}); \
             SELECT TRIGGER_SCHEMA, TRIGGER_NAME, 'trigger' FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN ({names}); \
             SELECT EVENT_SCHEMA, EVENT_NAME, 'event' FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN ({names})"
        ),
    )?;
    let [table_rows, column_rows, others @ ..] = &sets[..] else { return Err(unexpected("reading the catalog").into()) };
    for rows in others {
        for row in 0..rows.len() {
            // The server compares these names without regard to case.
            let (database, name, kind) = (text(rows, row, 0), text(rows, row, 1), text(rows, row, 2).to_ascii_lowercase());
            if catalog.database(&database).is_some() {
                let kind = if kind.starts_with("package") { "package".to_owned() } else { kind };
                catalog.others.push(OtherObject::new(kind, database, name));
            }
        }
    }
    let mut sequences = Vec::new();
    let mut facts = Vec::new();
    for row in 0..table_rows.len() {
        let name = TableName::new(text(table_rows, row, 0), text(table_rows, row, 1));
        if catalog.database(&name.database).is_none() {
            continue;
        }
        let kind = text(table_rows, row, 2);
        match kind.as_str() {
            "VIEW" => catalog.others.push(OtherObject::new("view", name.database, name.table)),
            "SEQUENCE" => sequences.push(name),
            "BASE TABLE" | "SYSTEM VERSIONED" if (scope.table)(&name) => facts.push(TableFacts {
                name,
                system_versioned: kind == "SYSTEM VERSIONED",
                engine: text(table_rows, row, 3),
                collation: text(table_rows, row, 4),
                rows_estimate: table_rows.number_at(row, 5).unwrap_or(0),
                data_bytes: table_rows.number_at(row, 6).unwrap_or(0),
                index_bytes: table_rows.number_at(row, 7).unwrap_or(0),
                auto_increment: table_rows.number_at(row, 8),
                columns: Vec::new(),
            }),
            _ => {}
        }
    }
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    for row in 0..column_rows.len() {
        let name = TableName::new(text(column_rows, row, 0), text(column_rows, row, 1));
        let Ok(at) = facts.binary_search_by(|f| f.name.cmp(&name)) else { continue };
        facts[at].columns.push(ColumnFacts {
            name: text(column_rows, row, 2),
            position: column_rows.number_at(row, 3).unwrap_or(0),
            column_type: text(column_rows, row, 4),
            data_type: text(column_rows, row, 5).to_ascii_lowercase(),
            nullable: text(column_rows, row, 6) == "YES",
            charset: column_rows.text_at(row, 7),
            collation: column_rows.text_at(row, 8),
            extra: text(column_rows, row, 9).to_ascii_uppercase(),
            row_period: text(column_rows, row, 10) == "1",
        });
    }
    Ok((facts, sequences))
}

fn read_tables(session: &mut Session, catalog: &mut Catalog, facts: Vec<TableFacts>) -> Result<bool, CatalogError> {
    let flavor = session.flavor();
    let mut torn = false;
    let mut lost = Vec::new();
    let list: Vec<String> = facts.iter().map(|f| format!("SHOW CREATE TABLE {}", f.name.quoted())).collect();
    for (facts, rows) in facts.into_iter().zip(show(session, &list, Failing::Gone)?) {
        // Dropped since it was listed, or a view by now.
        let Some(rows) = rows.filter(|r| !r.is_empty()) else { continue };
        let Some(create) = rows.rows[0].get(1).cloned().flatten() else { continue };
        let read = tables::table(facts, create, flavor);
        torn |= !read.agrees;
        if !read.lost_defaults.is_empty() {
            lost.push((catalog.tables.len(), read.lost_defaults));
        }
        catalog.tables.push(read.table);
    }
    // The join that never matches gives one row even for an empty table (seen on 10.11.19).
    let ask = |(at, names): &(usize, Vec<String>)| {
        let columns: Vec<String> = names.iter().map(|n| format!("HEX(DEFAULT({}))", quote_name(n))).collect();
        format!("SELECT {} FROM {} RIGHT JOIN (SELECT 1) AS one ON FALSE", columns.join(", "), catalog.tables[*at].name.quoted())
    };
    let list: Vec<String> = lost.iter().map(ask).collect();
    for ((at, names), rows) in lost.into_iter().zip(show(session, &list, Failing::Gone)?) {
        let values: Vec<Option<String>> = (0..names.len()).map(|i| rows.as_ref().and_then(|r| r.text_at(0, i))).collect();
        tables::put_defaults(&mut catalog.tables[at], &names, &values);
    }
    Ok(torn)
}

fn read_sequences(session: &mut Session, catalog: &mut Catalog, sequences: Sequences) -> Result<(), CatalogError> {
    let mut list = Vec::new();
    for name in &sequences {
        list.push(format!("SHOW CREATE SEQUENCE {}", name.quoted()));
        list.push(format!("SELECT next_not_cached_value FROM {}", name.quoted()));
    }
    let mut answers = show(session, &list, Failing::Gone)?.into_iter();
    for name in sequences {
        let (Some(create), Some(position)) = (answers.next().flatten(), answers.next().flatten()) else { continue };
        catalog.others.push(OtherObject {
            create: text(&create, 0, 1),
            position: position.text_at(0, 0),
            ..OtherObject::new("sequence", name.database, name.table)
        });
    }
    Ok(())
}

/// What a statement that fails means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failing {
    /// Its object is gone, or the reading fails.
    Gone,
    /// Nothing: a definition that the account may not read, or that the server cannot print, is left out.
    Ignored,
}

/// Runs statements that answer with one set each, many in a round trip; `None` for an object that is no longer there, or as `failing` says.
pub(super) fn show(session: &mut Session, statements: &[String], failing: Failing) -> Result<Vec<Option<Rows>>, CatalogError> {
    let mut answers = Vec::with_capacity(statements.len());
    for batch in statements.chunks(BATCH) {
        match session.query_sets("reading definitions", &batch.join("; ")) {
            Ok(sets) if sets.len() == batch.len() => answers.extend(sets.into_iter().map(Some)),
            Ok(_) => return Err(unexpected("reading definitions").into()),
            Err(error) if error.code().is_none() || error.is_connection() => return Err(error.into()),
            // One of them failed and hid those behind it.
            Err(_) => {
                for statement in batch {
                    answers.push(show_one(session, statement, failing)?);
                }
            }
        }
    }
    Ok(answers)
}

fn show_one(session: &mut Session, statement: &str, failing: Failing) -> Result<Option<Rows>, CatalogError> {
    match session.query("reading definitions", statement) {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.code().is_none() || error.is_connection() => Err(error.into()),
        Err(_) if failing == Failing::Ignored => Ok(None),
        // 1008/1049 unknown database, 1051/1146 unknown table, 4091 unknown sequence.
        Err(error) if matches!(error.code(), Some(1008 | 1049 | 1051 | 1146 | 4091)) => Ok(None),
        Err(source) => {
            let object = statement.rsplit_once("TABLE ").or_else(|| statement.rsplit_once(' ')).map_or(statement, |(_, name)| name);
            let object = object.to_owned();
            Err(if source.is_missing_right() {
                CatalogError::MissingRight { object, source }
            } else {
                CatalogError::Unreadable { object, source }
            })
        }
    }
}

fn text(rows: &Rows, row: usize, column: usize) -> String {
    rows.text_at(row, column).unwrap_or_default()
}

fn unexpected(doing: &str) -> ConnectError {
    ConnectError::Unexpected { doing: doing.to_owned(), reason: "another number of results than of statements".to_owned() }
}
