//! The files under `testdata/` load on the flavours they are for, and the proof of equality tells equal from different.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use mysql::prelude::Queryable;
use testbed::{Flavor, Role, equal, have, shared, sql, testdata, tpch};

fn load(flavor: Flavor, file: &str, database: &str) -> bool {
    if !have(flavor) {
        return false;
    }
    let mut conn = shared(flavor, Role::Source).root_conn().unwrap();
    if let Err(error) = sql::run_file(&mut conn, &testdata(file), database) {
        panic!("{flavor}: {error:#}");
    }
    true
}

/// Every table of the databases with this prefix is equal to itself, which shows that each column's spelling works.
fn all_equal_to_themselves(flavor: Flavor, prefix: &str) {
    let server = shared(flavor, Role::Source);
    let (mut a, mut b) = (server.root_conn().unwrap(), server.root_conn().unwrap());
    let databases: Vec<String> =
        a.exec("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE ?", (format!("{prefix}\\_%"),)).unwrap();
    // What requires a newer server is not left out by mistake: Debian's are new enough.
    assert!(databases.len() >= 2, "{databases:?}");
    for database in databases {
        if let Err(problem) = equal::compare_databases(&mut a, &database, &mut b, &database) {
            panic!("{flavor}: {problem}");
        }
    }
}

#[test]
fn the_common_types_load_everywhere_and_mean_the_same() {
    for flavor in Flavor::ALL {
        if load(flavor, "types/common.sql", "common") {
            all_equal_to_themselves(flavor, "common");
        }
    }
    if Flavor::ALL.into_iter().all(have) {
        let [mut a, mut b] = Flavor::ALL.map(|flavor| shared(flavor, Role::Source).root_conn().unwrap());
        let mut problems = Vec::new();
        for database in ["types", "charsets", "keys", "shapes", "parents", "odd-name.d"].map(|name| format!("common_{name}")) {
            problems.extend(equal::compare_databases(&mut a, &database, &mut b, &database).err());
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}

#[test]
fn the_types_of_mysql_load_there() {
    if load(Flavor::MySql, "types/mysql.sql", "own") {
        all_equal_to_themselves(Flavor::MySql, "own");
    }
}

#[test]
fn the_types_of_mariadb_load_there() {
    if load(Flavor::MariaDb, "types/mariadb.sql", "own") {
        all_equal_to_themselves(Flavor::MariaDb, "own");
    }
}

#[test]
fn the_objects_load_everywhere() {
    for flavor in Flavor::ALL {
        load(flavor, "objects/common.sql", "with");
    }
}

#[test]
fn differences_are_found_whatever_they_are() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        let base = "(id INT PRIMARY KEY, f FLOAT, v VARCHAR(20) CHARACTER SET latin1, t TIMESTAMP(3) NULL, b BINARY(4), e ENUM('','a'))";
        let row = "(1, 16777217, _binary x'C3A9', '2024-11-03 05:30:00.5', x'AA', 'a')";
        server.exec(&format!("CREATE DATABASE differ;\nCREATE TABLE differ.a {base};\nINSERT INTO differ.a VALUES {row};")).unwrap();
        for (n, change) in
            ["f = 16777218", "v = _binary x'E9'", "t = t + INTERVAL 1 HOUR", "b = x'AA01'", "e = ''", "v = NULL", "id = 2", "f = NULL"]
                .iter()
                .enumerate()
        {
            server.exec(&format!("CREATE TABLE differ.b{n} LIKE differ.a;\nINSERT INTO differ.b{n} SELECT * FROM differ.a;")).unwrap();
            let (mut a, mut b) = (server.root_conn().unwrap(), server.root_conn().unwrap());
            equal::compare_tables(&mut a, "differ", "a", &mut b, "differ", &format!("b{n}")).unwrap();
            server.exec(&format!("UPDATE differ.b{n} SET {change}")).unwrap();
            equal::compare_tables(&mut a, "differ", "a", &mut b, "differ", &format!("b{n}")).unwrap_err();
        }
        server.exec("CREATE TABLE differ.k1 (a INT, b INT);\nINSERT INTO differ.k1 VALUES (1,1),(1,1),(2,2),(2,2);\nCREATE TABLE differ.k2 (a INT, b INT);\nINSERT INTO differ.k2 VALUES (1,1),(2,2),(2,2),(2,2);").unwrap();
        let (mut a, mut b) = (server.root_conn().unwrap(), server.root_conn().unwrap());
        equal::compare_tables(&mut a, "differ", "k1", &mut b, "differ", "k2").unwrap_err();
        server.exec("INSERT INTO differ.k1 VALUES (2,2);\nINSERT INTO differ.k2 VALUES (1,1);").unwrap();
        equal::compare_tables(&mut a, "differ", "k1", &mut b, "differ", "k2").unwrap();
    }
}

#[test]
fn tpch_fills_all_tables_alike_on_both_flavours() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        let before: Option<u8> = server.root_conn().unwrap().query_first("SELECT @@GLOBAL.local_infile").unwrap();
        let counts = tpch::fill(server, "tiny", 0.01).unwrap();
        let after: Option<u8> = server.root_conn().unwrap().query_first("SELECT @@GLOBAL.local_infile").unwrap();
        assert_eq!(before, after);
        assert_eq!(counts[0], ("region", 5));
        assert_eq!(counts[6], ("orders", 15000));
        for (table, rows) in counts {
            let counted: Option<u64> = server.root_conn().unwrap().query_first(format!("SELECT COUNT(*) FROM tiny.{table}")).unwrap();
            assert_eq!(counted, Some(rows), "{table}");
        }
    }
    if Flavor::ALL.into_iter().all(have) {
        let [mut a, mut b] = Flavor::ALL.map(|flavor| shared(flavor, Role::Source).root_conn().unwrap());
        equal::compare_databases(&mut a, "tiny", &mut b, "tiny").unwrap();
    }
}
