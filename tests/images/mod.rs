//! Row images against the server that wrote them: what its binlog says, decoded, is what its tables hold, byte for byte.
//!
//! The oracle is the full copy's own `SELECT` at the source. All rows events since the tables were made are played on multisets of
//! rows, so each before image must be a row that is there, and each table ends as the server has it.

mod json;
mod log;
mod shapes;

use std::collections::{BTreeMap, HashMap};

use dtsctl::{
    binlog::{self, Image, RowImages},
    catalog::{Catalog, Table, TableName, TypeKind},
    connect::{Purpose, Session},
    phase::full::selected,
};
use testbed::{Flavor, Server, ServerOptions};

use crate::catalog::{login, read};

type Cells = Vec<Option<Vec<u8>>>;

/// Rows of a table and how often each is there.
type Multiset = HashMap<Cells, i64>;

fn expression(table: &Table, column: usize) -> String {
    let column = &table.columns[column];
    let name = selected(column);
    match column.kind {
        TypeKind::Enum | TypeKind::Set => format!("CAST({name} AS UNSIGNED)"),
        _ => name,
    }
}

/// What the server holds.
fn held(session: &mut Session, table: &Table) -> Multiset {
    let columns: Vec<String> = (0..table.columns.len()).map(|i| expression(table, i)).collect();
    let mut rows = Multiset::new();
    let sql = format!("SELECT {} FROM {}", columns.join(", "), table.name.quoted());
    session
        .stream("reading", &sql, |row| {
            let cells = (0..row.len()).map(|i| row.get(i).map(<[u8]>::to_vec)).collect();
            *rows.entry(cells).or_default() += 1;
            true
        })
        .expect("rows");
    rows
}

fn cells(table: &Table, image: &Image) -> Cells {
    (0..table.columns.len()).map(|i| image.cell(i).map(<[u8]>::to_vec)).collect()
}

fn shown(table: &Table, cells: &Cells) -> String {
    let text = |c: &Option<Vec<u8>>| c.as_ref().map_or("NULL".to_owned(), |v| v[..v.len().min(120)].escape_ascii().to_string());
    table.columns.iter().zip(cells).map(|(c, v)| format!("{}={}", c.name, text(v))).collect::<Vec<_>>().join(" | ")
}

/// Where two multisets differ, row by row and only in the columns that do.
fn differences(table: &Table, is: &Multiset, should: &Multiset) -> Vec<String> {
    let side = |of: &Multiset, other: &Multiset| {
        let mut rows: Vec<Cells> =
            of.iter().filter(|(row, n)| other.get(*row).copied().unwrap_or(0) != **n).map(|(row, _)| row.clone()).collect();
        rows.sort();
        rows
    };
    let (left, right) = (side(is, should), side(should, is));
    let mut told = Vec::new();
    for (l, r) in left.iter().zip(&right) {
        let differing: Vec<usize> = (0..l.len()).filter(|&i| l[i] != r[i]).collect();
        let cut = |row: &Cells| -> String {
            differing
                .iter()
                .map(|&i| {
                    let v = row[i].as_ref().map_or("NULL".to_owned(), |v| v[..v.len().min(200)].escape_ascii().to_string());
                    format!("{}={v}", table.columns[i].name)
                })
                .collect::<Vec<_>>()
                .join(" | ")
        };
        told.push(format!("{}: decoded {}, held {}", table.name, cut(l), cut(r)));
    }
    for row in left.iter().skip(right.len()) {
        told.push(format!("{}: only decoded: {}", table.name, shown(table, row)));
    }
    for row in right.iter().skip(left.len()) {
        told.push(format!("{}: only held: {}", table.name, shown(table, row)));
    }
    told.truncate(6);
    told
}

/// Plays all rows events since `from` of the tables of a catalog on what they held then.
fn play(
    server: &Server,
    from: (String, u64),
    catalog: &Catalog,
    mut rows: BTreeMap<TableName, Multiset>,
    wrong: &mut Vec<String>,
) -> BTreeMap<TableName, Multiset> {
    for event in log::rows_events(server, from) {
        let Some(table) = catalog.table(&event.table()) else { continue };
        let forms = match binlog::fit(&event.map, table) {
            Ok(forms) => forms,
            Err(misfit) => {
                wrong.push(format!("{misfit} ({:?})", event.map));
                continue;
            }
        };
        let decoded = match binlog::decode(&event, &forms) {
            Ok(decoded) => decoded,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        let held = rows.entry(table.name.clone()).or_default();
        for row in decoded {
            let RowImages { before, after } = match row {
                Ok(row) => row,
                Err(error) => {
                    wrong.push(error.to_string());
                    break;
                }
            };
            if let Some(before) = before {
                *held.entry(cells(table, &before)).or_default() -= 1;
            }
            if let Some(after) = after {
                *held.entry(cells(table, &after)).or_default() += 1;
            }
        }
        held.retain(|_, n| *n != 0);
    }
    rows
}

/// Compares what was played with what the server holds now.
fn compare(
    session: &mut Session,
    catalog: &Catalog,
    played: &BTreeMap<TableName, Multiset>,
    wrong: &mut Vec<String>,
) -> BTreeMap<TableName, Multiset> {
    let mut all = BTreeMap::new();
    for table in &catalog.tables {
        let should = held(session, table);
        let empty = Multiset::new();
        wrong.extend(differences(table, played.get(&table.name).unwrap_or(&empty), &should));
        all.insert(table.name.clone(), should);
    }
    all
}

fn round_trip(flavor: Flavor, metadata: &[&str]) {
    if !testbed::have(flavor) {
        return;
    }
    let server = Server::start(flavor, ServerOptions::new()).expect("a server");
    let mut session = Session::open(&login(&server), Purpose::Read).expect("a session");
    for metadata in metadata {
        server.exec(&format!("SET GLOBAL binlog_row_metadata = {metadata}")).expect("set");
        let prefix = format!("img_{}", metadata.to_lowercase());
        let mut wrong = Vec::new();

        let start = log::end(&server);
        let mut conn = server.root_conn().expect("a connection");
        for file in ["types/common.sql", &format!("types/{flavor}.sql")] {
            testbed::sql::run_file(&mut conn, &testbed::testdata(file), &prefix).expect("the file runs");
        }
        let catalog = read(&mut Session::open(&login(&server), Purpose::Catalog).expect("a session"), &prefix);
        assert!(catalog.tables.len() > 60, "{} tables", catalog.tables.len());
        let played = play(&server, start, &catalog, BTreeMap::new(), &mut wrong);
        compare(&mut session, &catalog, &played, &mut wrong);
        assert!(wrong.is_empty(), "{flavor} {metadata}, inserts:\n{}", wrong.join("\n"));

        // Every row changes in one column, so that every value stands in a before and in an after image.
        let names: Vec<String> = catalog.tables.iter().map(|t| t.name.quoted()).collect();
        let mut sql = String::from("SET SESSION foreign_key_checks = 0, sql_mode = 'ALLOW_INVALID_DATES';\n");
        if flavor == Flavor::MariaDb {
            sql.push_str("SET SESSION system_versioning_alter_history = KEEP;\n");
        }
        for name in &names {
            sql.push_str(&format!("ALTER TABLE {name} ADD COLUMN zz_added BIGINT UNSIGNED;\n"));
        }
        server.exec(&sql).expect("altered");
        let catalog = read(&mut Session::open(&login(&server), Purpose::Catalog).expect("a session"), &prefix);
        let before = catalog.tables.iter().map(|t| (t.name.clone(), held(&mut session, t))).collect();
        let start = log::end(&server);
        let mut sql = String::from("SET SESSION foreign_key_checks = 0, sql_mode = 'ALLOW_INVALID_DATES';\n");
        for name in &names {
            sql.push_str(&format!("UPDATE IGNORE {name} SET zz_added = 18446744073709551615;\n"));
        }
        server.exec(&sql).expect("updated");
        let played = play(&server, start, &catalog, before, &mut wrong);
        let before = compare(&mut session, &catalog, &played, &mut wrong);
        assert!(wrong.is_empty(), "{flavor} {metadata}, updates:\n{}", wrong.join("\n"));

        let start = log::end(&server);
        let mut sql = String::from("SET SESSION foreign_key_checks = 0;\n");
        for name in &names {
            sql.push_str(&format!("DELETE FROM {name};\n"));
        }
        server.exec(&sql).expect("deleted");
        let played = play(&server, start, &catalog, before, &mut wrong);
        assert!(wrong.is_empty(), "{flavor} {metadata}, deletes:\n{}", wrong.join("\n"));
        let left: Vec<String> =
            played.iter().filter(|(_, rows)| !rows.is_empty()).map(|(name, rows)| format!("{name}: {}", rows.len())).collect();
        assert!(left.is_empty(), "{flavor} {metadata}: {left:?}");
    }
}

#[test]
fn mysql_images_are_what_the_tables_hold() {
    round_trip(Flavor::MySql, &["MINIMAL", "FULL"]);
}

#[test]
fn mariadb_images_are_what_the_tables_hold() {
    round_trip(Flavor::MariaDb, &["NO_LOG", "MINIMAL", "FULL"]);
}

/// A table that a MariaDB before 10.11.5 made keeps all UUIDs turned round, and may hold some that no server takes any more: no version up
/// to 7, of another variant than RFC 4122's. The server tells by the version in the table's `.frm` file, which is put there here.
#[test]
fn uuids_of_an_old_table_are_what_it_holds() {
    let flavor = Flavor::MariaDb;
    if !testbed::have(flavor) {
        return;
    }
    let server = Server::start(flavor, ServerOptions::new()).expect("a server");
    // Bytes in the order of an old table's record; a table's own bytes are not looked at when it is opened under another definition.
    server
        .exec(
            "CREATE DATABASE img_uuid;\nCREATE TABLE img_uuid.old (id INT PRIMARY KEY, u BINARY(16));\n\
             INSERT INTO img_uuid.old VALUES (1, x'99AABBCCDDEE08888777556603201234'), (2, x'99AABBCCDDEE88887777556600401234'), \
             (3, x'426655440000A45612D3E89B123E4567'), (4, x'00000000000000000000000000000000');\n\
             CREATE TABLE img_uuid.new (id INT PRIMARY KEY, u UUID);\n\
             INSERT INTO img_uuid.new VALUES (2, '00401234-5566-7777-8888-99aabbccddee'), (3, '123e4567-e89b-12d3-a456-426655440000');\n\
             FLUSH TABLES",
        )
        .expect("tables");
    let folder = server.datadir().expect("a folder").join("img_uuid");
    let mut definition = std::fs::read(folder.join("new.frm")).expect("a definition");
    // `MYSQL_VERSION_ID` of the server that made it (sql/unireg.cc).
    definition[51..55].copy_from_slice(&101_104_u32.to_le_bytes());
    std::fs::write(folder.join("old.frm"), definition).expect("written");

    let mut session = Session::open(&login(&server), Purpose::Read).expect("a session");
    let catalog = read(&mut Session::open(&login(&server), Purpose::Catalog).expect("a session"), "img_uuid");
    let before: BTreeMap<TableName, Multiset> = catalog.tables.iter().map(|t| (t.name.clone(), held(&mut session, t))).collect();
    let old = &before[&TableName::new("img_uuid", "old")];
    assert!(old.keys().any(|row| row[1].as_deref() == Some(b"03201234-5566-8777-0888-99aabbccddee")), "{old:?}");
    let mut wrong = Vec::new();
    let start = log::end(&server);
    server.exec("UPDATE img_uuid.old SET id = id + 10;\nUPDATE img_uuid.new SET id = id + 10").expect("updated");
    let played = play(&server, start, &catalog, before, &mut wrong);
    let before = compare(&mut session, &catalog, &played, &mut wrong);
    let start = log::end(&server);
    server.exec("DELETE FROM img_uuid.old;\nDELETE FROM img_uuid.new").expect("deleted");
    let played = play(&server, start, &catalog, before, &mut wrong);
    compare(&mut session, &catalog, &played, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
