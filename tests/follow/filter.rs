//! Requirement D13: `where` while the binlog is followed. The oracle is the source itself: after any workload the destination holds what
//! `SELECT ... WHERE condition` finds there, byte by byte.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions};

use super::bed::{Bed, CATCH_UP, PHASES, each};
use crate::support::{Random, rows, say, until};

/// Definition, what stands before its columns' end, and condition of each table.
pub(super) const TABLES: &[(&str, &str, &str)] = &[
    ("a", "PRIMARY KEY (id)", "name = 'STRASSE' OR kind = 2"),
    ("b", "PRIMARY KEY (name, id)", "name LIKE 'a%' AND NOT (num <=> 3)"),
    ("c", "KEY (num)", "num > 2 OR born IS NULL"),
    ("d", "PRIMARY KEY (id), UNIQUE KEY u (uniq)", "num MOD 2 = 0 XOR kind = 'big'"),
    ("e", "UNIQUE KEY (id)", "seen >= '2020-06-01 12:00:00' AND flags & 2"),
    ("f", "KEY (name)", "name = 'a ' OR note <> ''"),
    ("g", "PRIMARY KEY (id)", "id BETWEEN 20 AND 60"),
    ("h", "PRIMARY KEY (born, id)", "kind = 0 OR latin = 'ä' OR ratio = 0.1"),
    ("i", "PRIMARY KEY (id)", "name = 0 AND IF(num, price > 0.1, COALESCE(note, 'x') = 'x')"),
    ("j", "PRIMARY KEY (id)", "bytes = x'00FF' OR bits = 5 OR at > '10:00' OR bytes LIKE '%\\\\%'"),
];

pub(super) const COLUMNS: &str = "id INT NOT NULL, name VARCHAR(20) COLLATE utf8mb4_unicode_ci NOT NULL, latin VARCHAR(9) CHARACTER SET latin1, note TEXT, \
    kind ENUM('small','big') NOT NULL, flags SET('a','b','c'), num INT, price DECIMAL(9,3), ratio FLOAT, born DATE NOT NULL, seen TIMESTAMP NULL, \
    at TIME, bits BIT(3), bytes VARBINARY(8), uniq INT";

fn selected(table: &str, condition: &str) -> String {
    format!(
        "SELECT id, HEX(name), HEX(latin), HEX(note), kind + 0, flags + 0, num, price, ratio * 1e0, born, seen, at, bits + 0, HEX(bytes), uniq \
         FROM `{table}` WHERE {condition} ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
    )
}

const VALUES: &[(&str, &[&str])] = &[
    ("name", &["'a'", "'A '", "'straße'", "'STRASSE'", "'strasse'", "'á'", "'7abc'", "''", "'abc'", "'😀'", "'0'"]),
    ("latin", &["'ä'", "'Ä'", "'a'", "NULL", "''"]),
    ("note", &["'x'", "''", "NULL", "'X'", "'it''s \\\\ \\n'"]),
    ("kind", &["1", "2", "0"]),
    ("flags", &["0", "1", "2", "3", "7", "NULL"]),
    ("num", &["0", "1", "2", "3", "4", "-5", "NULL"]),
    ("price", &["0.1", "0.2", "-1", "NULL", "99.9"]),
    ("ratio", &["0.1", "0.2", "1e20", "NULL"]),
    ("born", &["'2000-01-01'", "'0000-00-00'", "'2024-02-31'"]),
    ("seen", &["'2020-06-01 12:00:00'", "'2020-06-01 11:59:59'", "NULL", "'2030-01-01 00:00:00'"]),
    ("at", &["'09:00'", "'10:00:01'", "NULL", "'-838:59:59'"]),
    ("bits", &["5", "7", "0", "NULL"]),
    ("bytes", &["x'00FF'", "'a\\\\b'", "x'27'", "NULL", "x'FE'"]),
];

fn assignment(random: &mut Random) -> (&'static str, &'static str) {
    let (column, values) = VALUES[usize::try_from(random.below(VALUES.len() as u64)).unwrap()];
    (column, values[usize::try_from(random.below(values.len() as u64)).unwrap()])
}

pub(super) fn insert(random: &mut Random, table: &str, next: &mut u64) -> String {
    *next += 1;
    let mut values = vec![next.to_string()];
    for (_, list) in VALUES {
        values.push(list[usize::try_from(random.below(list.len() as u64)).unwrap()].to_owned());
    }
    let columns: Vec<&str> = VALUES.iter().map(|(column, _)| *column).collect();
    format!("INSERT IGNORE INTO `{table}` (id, {}, uniq) VALUES ({}, {next})", columns.join(", "), values.join(", "))
}

/// One statement: rows come, go, change inside and out, change their keys, and change many at once.
fn statement(random: &mut Random, table: &str, next: &mut u64) -> String {
    let id = random.below(*next) + 1;
    let (column, value) = assignment(random);
    match random.below(12) {
        0..=2 => insert(random, table, next),
        3 => format!("DELETE FROM `{table}` WHERE id = {id}"),
        4 => format!("UPDATE IGNORE `{table}` SET id = id + 1000 WHERE id = {id}"),
        5 => format!("UPDATE IGNORE `{table}` SET `{column}` = {value}"),
        6 => format!("REPLACE INTO `{table}` (id, name, kind, born, uniq, `{column}`) SELECT {id}, 'a', 2, '2001-01-01', {id}, {value} FROM DUAL WHERE '{column}' NOT IN ('name', 'kind', 'born')")
            .replace("name, kind, born, uniq, `name`", "`name`, kind, born, uniq, bits")
            .replace("name, kind, born, uniq, `kind`", "`name`, kind, born, uniq, bits")
            .replace("name, kind, born, uniq, `born`", "`name`, kind, born, uniq, bits"),
        7 => format!("UPDATE IGNORE `{table}` SET `{column}` = {value}, num = -num WHERE id % 3 = {}", id % 3),
        _ => format!("UPDATE IGNORE `{table}` SET `{column}` = {value} WHERE id = {id}"),
    }
}

fn prepare(bed: &mut Bed, random: &mut Random) -> u64 {
    let mut next = 0;
    let mut entries = String::new();
    for (table, keys, condition) in TABLES {
        bed.source(&format!("CREATE TABLE `{table}` ({COLUMNS}, {keys}) CHARACTER SET utf8mb4"));
        entries.push_str(&format!("  - name: {table}\n    where: {}\n", serde_json::to_string(condition).unwrap()));
    }
    for _ in 0..30 {
        for (table, ..) in TABLES {
            let sql = insert(random, table, &mut next);
            bed.source.query_drop(sql).unwrap();
        }
        next -= TABLES.len() as u64 - 1;
    }
    let db = bed.db.clone();
    bed.task.write(&format!("{PHASES}objects:\n- database: {db}\n  tables:\n{entries}"));
    next
}

pub(super) fn work(bed: &mut Bed, random: &mut Random, next: &mut u64, transactions: u64) {
    for _ in 0..transactions {
        bed.source.query_drop("BEGIN").unwrap();
        for _ in 0..=random.below(6) {
            let (table, ..) = TABLES[usize::try_from(random.below(TABLES.len() as u64)).unwrap()];
            let sql = statement(random, table, next);
            bed.source.query_drop(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        bed.source.query_drop(if random.below(10) == 0 { "ROLLBACK" } else { "COMMIT" }).unwrap();
    }
}

#[track_caller]
fn is_chosen(bed: &mut Bed, what: &str) {
    let db = bed.db.clone();
    for conn in [&mut bed.source, &mut bed.destination] {
        conn.query_drop(format!("USE `{db}`")).unwrap();
    }
    let mut counts = Vec::new();
    for (table, _, condition) in TABLES {
        let wanted = rows(&mut bed.source, &selected(table, condition));
        let found = rows(&mut bed.destination, &selected(table, "1"));
        assert_eq!(wanted, found, "{what}: {table} where {condition}");
        counts.push((wanted.len(), rows(&mut bed.source, &format!("SELECT 1 FROM `{table}`")).len()));
    }
    say(&format!("{what}: chosen of all {counts:?}"));
    assert!(counts.iter().filter(|(some, all)| *some > 0 && some < all).count() > 6, "{counts:?}");
}

#[test]
fn the_rows_stay_those_that_the_source_itself_selects() {
    each("filter", |bed| {
        let mut random = Random::new("follow_filter");
        let mut next = prepare(bed, &mut random);
        bed.task.run(&CATCH_UP).expect(0);
        is_chosen(bed, "after the copy");
        for round in 0..3 {
            work(bed, &mut random, &mut next, 60);
            bed.task.run(&CATCH_UP).expect(0);
            is_chosen(bed, &format!("round {round}"));
        }
        bed.task.run(&["verify"]).expect(0);
        // A row that does not belong.
        bed.destination.query_drop("INSERT INTO g (id, name, kind, born) VALUES (5000, 'x', 1, '2000-01-01')").unwrap();
        bed.task.run(&["verify"]).expect(4);
    });
}

#[test]
fn killed_while_rows_move_in_and_out() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        let Some(mut bed) = Bed::new(flavor, flavor, "filterkill") else { continue };
        let mut random = Random::new("follow_filter_killed");
        let mut next = prepare(&mut bed, &mut random);
        // The copy itself is of a source that is written to: its end lies behind its beginning.
        for round in 0..8 {
            let mut running = bed.task.start(&["apply", "--yes", "--until", "never"], &[("DTSCTL_TEST_CHUNK", "10")]);
            work(&mut bed, &mut random, &mut next, 15);
            if round % 2 == 0 {
                let at = std::time::Instant::now();
                let after = std::time::Duration::from_millis(random.below(1500));
                until("a random moment", || at.elapsed() >= after || running.has_ended());
            } else {
                work(&mut bed, &mut random, &mut next, 15);
            }
            let outcome = running.kill9();
            assert_eq!(outcome.code, None, "it ended before it was killed: {}", outcome.stderr);
        }
        bed.task.run(&CATCH_UP).expect(0);
        is_chosen(&mut bed, "after the kills");
        bed.task.run(&["verify"]).expect(0);
    }
}

/// Windows: a transaction that does not fit into memory is judged and written piece by piece.
#[test]
fn a_large_transaction_is_judged_in_pieces() {
    for (from, to) in [(Flavor::MySql, Flavor::MariaDb), (Flavor::MariaDb, Flavor::MySql)] {
        let Some(mut bed) = Bed::new(from, to, "filterlarge") else { continue };
        bed.source(
            "CREATE TABLE a (id INT PRIMARY KEY, n INT, t VARCHAR(200));\nCREATE TABLE b (n INT, t VARCHAR(200));\n\
             INSERT INTO a VALUES (1, 1, 'x');\nINSERT INTO b VALUES (1, 'x'), (2, 'y')",
        );
        let db = bed.db.clone();
        bed.task.write(&format!(
            "{PHASES}objects: [{{database: {db}, tables: [{{name: a, where: n % 3 = 1}}, {{name: b, where: \"n < 500 AND t LIKE 'x%'\"}}]}}]\n"
        ));
        bed.task.run(&CATCH_UP).expect(0);
        let digits = "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 \
             UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
        let numbers =
            format!("SELECT a.d*10000+b.d*1000+c.d*100+d.d*10+e.d+2 AS n FROM {digits} a, {digits} b, {digits} c, {digits} d, {digits} e");
        bed.source(&format!(
            "BEGIN;\nINSERT INTO a SELECT n, n, REPEAT('x', 150) FROM ({numbers}) s;\nINSERT INTO b SELECT n % 1000, REPEAT('x', 9) FROM ({numbers}) s;\n\
             UPDATE a SET n = n + 1 WHERE id % 2 = 0;\nUPDATE a SET id = id + 1000000 WHERE id % 5 = 0;\nDELETE FROM b WHERE n > 990;\n\
             UPDATE b SET n = n + 490 WHERE n < 20;\nCOMMIT"
        ));
        bed.task.run(&CATCH_UP).expect(0);
        for (table, condition) in [("a", "n % 3 = 1"), ("b", "n < 500 AND t LIKE 'x%'")] {
            let digest = |condition: &str, table: &str| {
                let key = if table == "a" { "id, n" } else { "n, 1" };
                format!("SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', {key}, t))) FROM {db}.{table} WHERE {condition}")
            };
            let wanted = rows(&mut bed.source, &digest(condition, table));
            assert_eq!(wanted, rows(&mut bed.destination, &digest("1", table)), "{from} to {to}: {table}");
            assert_ne!(wanted[0].split('|').next(), Some("0"));
        }
        bed.task.run(&["verify"]).expect(0);
    }
}

#[test]
fn a_column_that_is_left_out_still_judges_and_what_it_is_may_not_change() {
    each("filterddl", |bed| {
        bed.source(
            "CREATE TABLE t (id INT PRIMARY KEY, v INT, state VARCHAR(9));\nCREATE TABLE u (id INT PRIMARY KEY, v INT, w INT, secret INT);\n\
             CREATE TABLE z (id INT PRIMARY KEY, v INT);\n\
             INSERT INTO t VALUES (1, 1, 'on'), (2, 2, 'off'); INSERT INTO u VALUES (1, 1, 1, 1), (2, 2, 2, 0)",
        );
        let db = bed.db.clone();
        bed.task.write(&format!(
            "{PHASES}objects: [{{database: {db}, tables: [{{name: t, where: state = 'on'}}, {{name: u, where: secret, columns: {{exclude: [secret]}}}}, \
             {{name: \"z*\", where: v > 1}}, {{name: \"y*\", where: v > 2}}]}}]\n"
        ));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source(
            "UPDATE u SET secret = 1 - secret;\nINSERT INTO u VALUES (3, 3, 3, 1);\nALTER TABLE t ADD COLUMN extra INT DEFAULT 5, ADD KEY (state);\n\
             UPDATE t SET state = 'ON' WHERE id = 2;\nUPDATE t SET extra = 7, state = 'no' WHERE id = 1;\nALTER TABLE t DROP KEY state, MODIFY v BIGINT;\n\
             CREATE TABLE z2 (v INT PRIMARY KEY);\nINSERT INTO z2 VALUES (1), (2), (3);\nUPDATE z2 SET v = 4 WHERE v = 1",
        );
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(rows(&mut bed.destination, &format!("SELECT id, v, w FROM {db}.u ORDER BY 1")), ["2|2|2", "3|3|3"]);
        assert_eq!(rows(&mut bed.destination, &format!("SELECT id, v, state, extra FROM {db}.t ORDER BY 1")), ["2|2|ON|5"]);
        assert_eq!(rows(&mut bed.destination, &format!("SELECT v FROM {db}.z2 ORDER BY 1")), ["2", "3", "4"]);
        bed.task.run(&["verify"]).expect(0);
        bed.source("TRUNCATE TABLE t;\nINSERT INTO t (id, state) VALUES (5, 'on'), (6, 'off')");
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(rows(&mut bed.destination, &format!("SELECT id FROM {db}.t ORDER BY 1")), ["5"]);
        // Rows that were chosen by one condition would be those of a table with another.
        bed.source("RENAME TABLE z TO y1");
        bed.task.run(&CATCH_UP).expect(1).says("ddl-filter-differs");
    });
}

#[test]
fn statements_that_change_what_a_condition_names_stop_the_task() {
    for (i, statement) in [
        "ALTER TABLE t MODIFY state VARCHAR(20)",
        "ALTER TABLE t ADD x INT, CHANGE COLUMN `State` status VARCHAR(9)",
        "ALTER TABLE t DROP state",
        "ALTER TABLE t RENAME COLUMN state TO s2",
        "ALTER TABLE t CONVERT TO CHARACTER SET latin1",
    ]
    .iter()
    .enumerate()
    {
        let flavor = if i % 2 == 0 { Flavor::MySql } else { Flavor::MariaDb };
        let Some(mut bed) = Bed::new(flavor, flavor, &format!("filterstop{i}")) else { continue };
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, v INT, state VARCHAR(9));\nINSERT INTO t VALUES (1, 1, 'on'), (2, 2, 'off')");
        let db = bed.db.clone();
        let spec = |condition: &str| format!("{PHASES}objects: [{{database: {db}, tables: [{{name: t, where: \"{condition}\"}}]}}]\n");
        bed.task.write(&spec("state = 'on'"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source(&format!("INSERT INTO t VALUES (3, 3, 'on');\n{statement}"));
        bed.task.run(&CATCH_UP).expect(1).says("ddl-filter-column");
        // What came before it stands.
        assert_eq!(bed.numbers("SELECT id FROM t ORDER BY 1"), [1, 3]);
    }
}

#[test]
fn another_condition_is_refused_and_an_error_of_the_source_stops_with_its_place() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        let Some(mut bed) = Bed::new(flavor, flavor, "filtererr") else { continue };
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, a BIGINT UNSIGNED, b BIGINT UNSIGNED);\nINSERT INTO t VALUES (1, 3, 1), (2, 3, 3)");
        let db = bed.db.clone();
        let spec = |condition: &str| format!("{PHASES}objects: [{{database: {db}, tables: [{{name: t, where: \"{condition}\"}}]}}]\n");
        bed.task.write(&spec("a - b > 0"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.task.write(&spec("a - b > 1"));
        let refused = bed.task.run(&["plan"]);
        refused.expect(3);
        assert!(refused.stdout.contains("DT272"), "{}", refused.stdout);
        bed.task.write(&spec("a - b > 0"));
        bed.source("UPDATE t SET a = 2 WHERE id = 2");
        let stopped = bed.task.run(&CATCH_UP);
        stopped.expect(1).says("judging rows of").says("before ");
        assert_eq!(bed.numbers("SELECT id FROM t ORDER BY 1"), [1]);
    }
}

/// What is asked of the source leaves nothing in its binlog, neither while it is asked nor when the session ends.
#[test]
fn asking_leaves_no_trace_in_the_binlog() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        let Some(mut bed) = Bed::new(flavor, flavor, "filterquiet") else { continue };
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1, 1)");
        let db = bed.db.clone();
        bed.task
            .write(&format!("{PHASES}objects: [{{database: {db}, tables: [{{name: t, where: v > 1}}]}}]\nheartbeat: {{write: false}}\n"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source("UPDATE t SET v = 2;\nINSERT INTO t VALUES (2, 0), (3, 3)");
        bed.task.run(&CATCH_UP).expect(0);
        let mut events = 0;
        let files: Vec<mysql::Row> = bed.source.query("SHOW BINARY LOGS").unwrap();
        for file in files {
            let name: String = file.get(0).unwrap();
            let list: Vec<mysql::Row> = bed.source.query(format!("SHOW BINLOG EVENTS IN '{name}'")).unwrap();
            for event in list {
                let info: String = event.get("Info").unwrap_or_default();
                assert!(!info.contains("dtsctl_where"), "{flavor}: {info}");
                events += 1;
            }
        }
        assert!(events > 0);
        assert_eq!(bed.numbers("SELECT id FROM t ORDER BY 1"), [1, 3]);
    }
}

/// A row that enters is missed, as asked for, and verify says so; one that leaves is deleted.
#[test]
fn the_image_before_may_decide_alone() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        let Some(mut bed) = Bed::new(flavor, flavor, "filterpre") else { continue };
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
        let db = bed.db.clone();
        bed.task.write(&format!("{PHASES}objects: [{{database: {db}, tables: [{{name: t, where: v > 1, where_on: pre-image}}]}}]\n"));
        let plan = bed.task.run(&["plan"]);
        plan.expect(0);
        assert!(plan.stdout.contains("DT284"), "{}", plan.stdout);
        bed.task.run(&CATCH_UP).expect(0);
        bed.source("UPDATE t SET v = 5 WHERE id = 1;\nUPDATE t SET v = 0 WHERE id = 2;\nUPDATE t SET v = 7 WHERE id = 3;\nINSERT INTO t VALUES (4, 4), (5, 0)");
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(bed.numbers("SELECT id * 10 + v FROM t ORDER BY 1"), [37, 44]);
        bed.task.run(&["verify"]).expect(4);
    }
}

/// What DT283 asks for is all that judging needs, also where the source takes no writes.
#[test]
fn one_right_is_enough_to_ask() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        if !testbed::have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        for statement in [
            "CREATE DATABASE shop",
            "CREATE USER 'asks'@'%' IDENTIFIED BY 'pw'",
            "GRANT SELECT, CREATE TEMPORARY TABLES ON shop.* TO 'asks'@'%'",
            "SET GLOBAL read_only = 1",
        ] {
            server.exec(statement).unwrap();
        }
        let mut conn = mysql::Conn::new(server.opts().user(Some("asks")).pass(Some("pw"))).unwrap();
        for statement in [
            "CREATE TEMPORARY TABLE shop.dtsctl_where_1 (n INT UNSIGNED NOT NULL PRIMARY KEY, v INT) ENGINE=InnoDB",
            "DELETE FROM shop.dtsctl_where_1",
            "INSERT INTO shop.dtsctl_where_1 VALUES (0, 1), (1, 2)",
        ] {
            conn.query_drop(statement).unwrap_or_else(|error| panic!("{flavor}: {statement}: {error}"));
        }
        assert_eq!(rows(&mut conn, "SELECT n FROM shop.dtsctl_where_1 WHERE (v > 1)"), ["1"]);
        conn.query_drop("DROP TEMPORARY TABLE shop.dtsctl_where_1").unwrap();
    }
}
