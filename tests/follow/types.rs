//! Every type, charset, key shape and value of `testdata/types` by way of the binlog: as new rows, as changed keys, as rows that go.

use mysql::{Conn, prelude::Queryable as _};
use testbed::{Flavor, Role, equal, have, shared};

use super::bed::{CATCH_UP, PHASES};
use crate::support::{Task, say};

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn every_type(flavor: Flavor) {
    if !have(flavor) {
        return;
    }
    let (source, destination) = (shared(flavor, Role::Source), shared(flavor, Role::Destination));
    let prefix = format!("ftypes_{flavor}");
    let (mut here, mut there) = (source.root_conn().unwrap(), destination.root_conn().unwrap());
    let databases = |conn: &mut Conn| -> Vec<String> {
        let all: Vec<String> = conn.query("SHOW DATABASES").unwrap();
        all.into_iter().filter(|name| name.starts_with(&format!("{prefix}_")) || name.starts_with(&format!("{prefix}x_"))).collect()
    };
    for conn in [&mut here, &mut there] {
        conn.query_drop("SET foreign_key_checks = 0").unwrap();
        for database in databases(conn) {
            conn.query_drop(format!("DROP DATABASE {}", quoted(&database))).unwrap();
        }
    }
    // Two sets of the same databases: one keeps the rows, the other one is followed.
    for set in [prefix.clone(), format!("{prefix}x")] {
        testbed::sql::run_file(&mut here, &testbed::testdata("types/common.sql"), &set).unwrap();
    }
    let kept: Vec<String> = databases(&mut here).into_iter().filter(|name| name.starts_with(&format!("{prefix}x_"))).collect();
    let pairs: Vec<(String, String)> =
        kept.iter().map(|name| (name.clone(), name.replacen(&format!("{prefix}x_"), &format!("{prefix}_"), 1))).collect();
    let mut tables = Vec::new();
    for (kept, followed) in &pairs {
        for table in equal::tables(&mut here, followed).unwrap() {
            tables.push((kept.clone(), followed.clone(), table));
        }
    }
    let yaml = |name: &str| serde_json::to_string(name).unwrap();
    let objects: String = pairs.iter().map(|(_, name)| format!("  - database: {}\n", yaml(name))).collect();
    let task = Task::new(&prefix, source, destination, &format!("{PHASES}objects:\n{objects}"));
    task.run(&CATCH_UP).expect(0);
    here.query_drop("SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', foreign_key_checks = 0")
        .unwrap();

    let mut compare = |here: &mut Conn, step: &str| {
        task.run(&CATCH_UP).expect(0);
        let mut problems = Vec::new();
        for (_, followed, table) in &tables {
            problems.extend(equal::compare_tables(here, followed, table, &mut there, followed, table).err());
        }
        assert!(problems.is_empty(), "{flavor}, after {step}:\n{}", problems.join("\n"));
        here.query_drop("SET NAMES utf8mb4").unwrap();
    };
    let columns = |conn: &mut Conn, database: &str, table: &str| -> Vec<String> {
        let sql = "SELECT CONVERT(column_name USING utf8mb4) FROM information_schema.columns WHERE table_schema = ? AND table_name = ? \
                   AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position";
        let names: Vec<String> = conn.exec(sql, (database, table)).unwrap();
        names.iter().map(|name| quoted(name)).collect()
    };
    compare(&mut here, "the copy");
    for (_, followed, table) in &tables {
        here.query_drop(format!("DELETE FROM {}.{}", quoted(followed), quoted(table))).unwrap();
    }
    compare(&mut here, "DELETE");
    for (kept, followed, table) in &tables {
        let names = columns(&mut here, followed, table).join(", ");
        here.query_drop(format!(
            "INSERT INTO {0}.{2} ({names}) SELECT {names} FROM {1}.{2}",
            quoted(followed),
            quoted(kept),
            quoted(table)
        ))
        .unwrap();
    }
    compare(&mut here, "INSERT");
    // Every column of every row takes the value of another row: shifted by one in the order of the rows.
    let mut updated = 0;
    for (kept, followed, table) in &tables {
        let (source, target) = (format!("{}.{}", quoted(kept), quoted(table)), format!("{}.{}", quoted(followed), quoted(table)));
        for name in columns(&mut here, followed, table) {
            // Keys, checks and lists refuse some of it, which is fine.
            let sql = format!("UPDATE IGNORE {target} SET {name} = (SELECT MAX({name}) FROM {source}) LIMIT 3");
            updated += u32::from(here.query_drop(sql).is_ok());
            let sql = format!("UPDATE IGNORE {target} SET {name} = NULL ORDER BY {name} DESC LIMIT 2");
            updated += u32::from(here.query_drop(sql).is_ok());
        }
    }
    say(&format!("{updated} updates on {} tables", tables.len()));
    assert!(updated > 300, "{updated}");
    compare(&mut here, "UPDATE");
    for (_, followed, table) in &tables {
        here.query_drop(format!("DELETE FROM {}.{} LIMIT 5", quoted(followed), quoted(table))).unwrap();
    }
    compare(&mut here, "DELETE of some");
}

#[test]
fn every_type_on_mariadb() {
    every_type(Flavor::MariaDb);
}

#[test]
fn every_type_on_mysql() {
    every_type(Flavor::MySql);
}
