//! Operations chosen per table and database (D12). The oracle is a second database at the source, in which the test does what is chosen
//! and nothing else; the servers compare it with the destination.

use std::collections::BTreeMap;

use mysql::prelude::Queryable as _;
use testbed::equal;

use super::bed::{Bed, CATCH_UP, PHASES, each};
use crate::support::{Random, rows};

/// Each choice of row operations, and the table that has it.
const CHOICES: [(&str, &str); 7] = [
    ("t_i", "insert"),
    ("t_u", "update"),
    ("t_d", "delete"),
    ("t_iu", "insert, update"),
    ("t_id", "insert, delete"),
    ("t_ud", "update, delete"),
    ("t_iud", "insert, update, delete"),
];

/// Begins with the same tables in the source, which is followed, and in the oracle beside it.
fn begin(bed: &mut Bed, tables: &[&str], definition: &str, first: &str) -> String {
    let oracle = format!("{}_o", bed.db);
    bed.source(&format!(
        "DROP DATABASE IF EXISTS `{oracle}`;\nCREATE DATABASE `{oracle}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
    ));
    for table in tables {
        bed.source(&format!("CREATE TABLE {table} ({definition});\nINSERT INTO {table} VALUES {first}"));
        bed.source(&format!("CREATE TABLE `{oracle}`.{table} ({definition});\nINSERT INTO `{oracle}`.{table} VALUES {first}"));
    }
    oracle
}

#[track_caller]
fn is_as(bed: &mut Bed, oracle: &str) {
    let db = bed.db.clone();
    for table in equal::tables(&mut bed.source, oracle).unwrap() {
        if let Err(problem) = equal::compare_tables(&mut bed.source, oracle, &table, &mut bed.destination, &db, &table) {
            panic!("{problem}");
        }
    }
    for conn in [&mut bed.source, &mut bed.destination] {
        conn.query_drop("SET NAMES utf8mb4").expect("names");
    }
}

/// What status counts under this kind for this table.
fn counted(bed: &Bed, table: &str, kind: &str) -> u64 {
    let status = bed.task.json(&["status"]);
    let all = status["left_out"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|one| one["table"]["table"] == table && one["kind"] == kind).filter_map(|one| one["rows"].as_u64()).sum()
}

fn spec_of(db: &str, tables: &[(&str, &str)]) -> String {
    let mut spec = format!("{PHASES}conflict: {{rows: fail}}\nobjects:\n- database: {db}\n  tables:\n");
    for (table, operations) in tables {
        spec.push_str(&format!("  - {{name: {table}, operations: [{operations}]}}\n"));
    }
    spec
}

/// Single rows at random, in random transactions, the same in all tables of the source.
#[test]
fn each_choice_of_row_operations_is_what_the_servers_make_of_it() {
    each("operations", |bed| {
        let mut random = Random::new("operations");
        let tables: Vec<&str> = CHOICES.iter().map(|(table, _)| *table).collect();
        let definition = "id INT PRIMARY KEY, u INT, v VARCHAR(20), UNIQUE KEY (u)";
        let first = "(1, 10, 'a'), (2, 20, 'b'), (3, NULL, 'c'), (4, 40, 'd'), (5, 50, 'e'), (6, 60, 'f')";
        let oracle = begin(bed, &tables, definition, first);
        bed.task.write(&spec_of(&bed.db.clone(), &CHOICES));
        bed.task.run(&CATCH_UP).expect(0);
        is_as(bed, &oracle);
        let mut there: BTreeMap<u64, Option<u64>> =
            [(1, Some(10)), (2, Some(20)), (3, None), (4, Some(40)), (5, Some(50)), (6, Some(60))].into();
        let mut done: BTreeMap<&str, u64> = BTreeMap::new();
        for round in 0..6 {
            for step in 0..12 {
                let value = format!("r{round}s{step}");
                let free = |random: &mut Random, there: &BTreeMap<u64, Option<u64>>| {
                    let u = 10 * (random.below(9) + 1);
                    (random.below(4) > 0 && !there.values().any(|x| *x == Some(u))).then_some(u)
                };
                let shown = |u: Option<u64>| u.map_or("NULL".to_owned(), |u| u.to_string());
                let id = random.below(9) + 1;
                let known = there.contains_key(&id);
                let (operation, here, chosen) = if !known {
                    let u = free(&mut random, &there);
                    there.insert(id, u);
                    let row = format!("({id}, {}, '{value}')", shown(u));
                    ("insert", format!("INSERT INTO T VALUES {row}"), vec![format!("REPLACE INTO T VALUES {row}")])
                } else if random.below(3) == 0 {
                    there.remove(&id);
                    let sql = format!("DELETE FROM T WHERE id = {id}");
                    ("delete", sql.clone(), vec![sql])
                } else {
                    let other = random.below(9) + 1;
                    let to = if random.below(3) == 0 && !there.contains_key(&other) { other } else { id };
                    there.remove(&id);
                    let u = free(&mut random, &there);
                    there.insert(to, u);
                    let u = shown(u);
                    let update = format!("UPDATE T SET id = {to}, u = {u}, v = '{value}' WHERE id = {id}");
                    // What is in the way goes, if the row to be changed is there.
                    let way = format!("DELETE a FROM T a JOIN T b ON b.id = {id} WHERE a.id <> {id} AND (a.id = {to} OR a.u = {u})");
                    ("update", update.clone(), vec![way, update])
                };
                *done.entry(operation).or_default() += 1;
                // One transaction for all tables, now and then several statements.
                if step % 3 == 0 {
                    bed.source("BEGIN");
                }
                for (table, operations) in CHOICES {
                    bed.source(&here.replace(" T ", &format!(" {table} ")));
                    if operations.split(", ").any(|o| o == operation) {
                        for sql in &chosen {
                            bed.source(&sql.replace(" T ", &format!(" `{oracle}`.{table} ")));
                        }
                    }
                }
                if step % 3 == 2 {
                    bed.source("COMMIT");
                }
            }
            bed.task.run(&CATCH_UP).expect(0);
            is_as(bed, &oracle);
        }
        // Counted, each exactly once, and no conflict under `fail`.
        for (table, operations) in CHOICES {
            for operation in ["insert", "update", "delete"] {
                let left_out = !operations.split(", ").any(|o| o == operation);
                let expected = if left_out { done.get(operation).copied().unwrap_or(0) } else { 0 };
                assert_eq!(counted(bed, table, &format!("{operation}-left-out")), expected, "{table} {operation}");
            }
        }
        let conflicts = bed.task.json(&["status"])["conflicts"].clone();
        assert_eq!(conflicts.as_array().map(Vec::len), Some(0), "{conflicts}");
        let shown = bed.task.run(&["status"]).stdout;
        assert!(shown.contains("left out by `operations`"), "{shown}");
        // `verify` compares all the same, and says why rows may differ.
        let db = bed.db.clone();
        bed.source("USE information_schema");
        bed.source(&format!("USE `{db}`"));
        bed.source("INSERT INTO t_d VALUES (99, 990, 'never brought')");
        bed.task.run(&CATCH_UP).expect(0);
        let receipt = bed.task.run(&["verify", "--table", &format!("{db}.t_d"), "--format", "json"]);
        receipt.expect(4);
        assert!(receipt.stdout.contains("`operations` leaves out insert, update"), "{}", receipt.stdout);
    });
}

#[test]
fn rows_that_nothing_identifies_are_left_out_and_counted_too() {
    each("operations_keyless", |bed| {
        let choices = [("k_i", "insert"), ("k_id", "insert, delete"), ("k_iu", "insert, update"), ("k_ud", "update, delete")];
        let tables: Vec<&str> = choices.iter().map(|(table, _)| *table).collect();
        let oracle = begin(bed, &tables, "a INT, b VARCHAR(10)", "(1, 'x'), (1, 'x'), (2, NULL), (3, 'z')");
        bed.task.write(&spec_of(&bed.db.clone(), &choices));
        bed.task.run(&CATCH_UP).expect(0);
        for (operation, sql) in [
            ("insert", "INSERT INTO T VALUES (4, 'n'), (4, 'n'), (1, 'x')"),
            ("delete", "DELETE FROM T WHERE a = 3"),
            ("update", "UPDATE T SET b = 'u' WHERE a = 2"),
            ("insert", "INSERT INTO T VALUES (3, 'again')"),
            ("delete", "DELETE FROM T WHERE a = 2"),
        ] {
            for (table, operations) in choices {
                bed.source(&sql.replace(" T ", &format!(" {table} ")));
                // Where its update was left out, the row to be deleted is another one: it stays.
                let stays = table == "k_id" && sql.ends_with("a = 2");
                if operations.split(", ").any(|o| o == operation) && !stays {
                    bed.source(&sql.replace(" T ", &format!(" `{oracle}`.{table} ")));
                }
            }
        }
        bed.task.run(&CATCH_UP).expect(0);
        is_as(bed, &oracle);
        assert_eq!(counted(bed, "k_i", "update-left-out"), 1);
        assert_eq!(counted(bed, "k_i", "delete-left-out"), 2);
        assert_eq!(counted(bed, "k_ud", "insert-left-out"), 4);
        assert_eq!(counted(bed, "k_id", "row-absent"), 1);
    });
}

/// The rows are those of the source at the end of the copy, whatever was written during it: the choice counts from there on.
#[test]
fn until_the_end_of_the_copy_all_row_operations_are_carried() {
    each("operations_copy", |bed| {
        let definition = "id INT PRIMARY KEY, u INT, v VARCHAR(20), UNIQUE KEY (u)";
        let values: Vec<String> = (1..=400).map(|n| format!("({n}, {n}, 'first')")).collect();
        let oracle = begin(bed, &["t"], definition, &values.join(", "));
        bed.task.write(&spec_of(&bed.db.clone(), &[("t", "insert")]));
        let few = [("DTSCTL_TEST_PAUSE", "chunk-loaded:2:stdin"), ("DTSCTL_TEST_CHUNK", "50")];
        let mut running = bed.task.start_with_input(&CATCH_UP, &few);
        assert!(running.says("paused at chunk-loaded"), "{}", running.said());
        // Rows that were read, and rows that were not: changed, gone, their values at others.
        for table in ["t".to_owned(), format!("`{oracle}`.t")] {
            bed.source(&format!(
                "UPDATE {table} SET v = 'second' WHERE id IN (3, 399);\nDELETE FROM {table} WHERE id IN (5, 398);\n\
                 UPDATE {table} SET u = 1398 WHERE id = 397;\nUPDATE {table} SET u = 397 WHERE id = 6;\n\
                 UPDATE {table} SET id = 1000 WHERE id = 7;\nUPDATE {table} SET id = 1001 WHERE id = 396;\nINSERT INTO {table} VALUES (7, 5, 'new')"
            ));
        }
        running.end_of_input();
        running.end().expect(0);
        is_as(bed, &oracle);
        bed.source("DELETE FROM t WHERE id < 300;\nUPDATE t SET v = 'third' WHERE id < 380;\nINSERT INTO t VALUES (2000, 2000, 'new')");
        bed.source(&format!("INSERT INTO `{oracle}`.t VALUES (2000, 2000, 'new')"));
        bed.task.run(&CATCH_UP).expect(0);
        is_as(bed, &oracle);
    });
}

#[test]
fn statements_of_a_class_that_is_left_out_are_listed_and_do_not_run() {
    each("operations_ddl", |bed| {
        let db = bed.db.clone();
        bed.source(
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));\nCREATE TABLE gone (id INT PRIMARY KEY);\nCREATE TABLE moved (id INT PRIMARY KEY);\n\
             INSERT INTO t VALUES (1, 'a'), (2, 'b');\nINSERT INTO gone VALUES (1);\nINSERT INTO moved VALUES (1)",
        );
        bed.task.write(&format!("{PHASES}conflict: {{rows: fail}}\nobjects: [{{database: {db}, operations: [insert, update, delete]}}]\n"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source(
            "CREATE INDEX iv ON t (v);\nTRUNCATE TABLE t;\nINSERT INTO t VALUES (2, 'back'), (3, 'c');\nDROP TABLE gone;\n\
             CREATE TABLE later (id INT PRIMARY KEY);\nINSERT INTO later VALUES (1), (2);\nCREATE VIEW w AS SELECT id FROM t;\n\
             CREATE PROCEDURE p() SELECT 1;\nINSERT INTO moved VALUES (2)",
        );
        bed.task.run(&CATCH_UP).expect(0);
        bed.destination.query_drop(format!("USE {db}")).unwrap();
        assert_eq!(rows(&mut bed.destination, "SELECT id, v FROM t ORDER BY 1"), ["1|a", "2|back", "3|c"]);
        assert_eq!(rows(&mut bed.destination, "SHOW TABLES"), ["gone", "moved", "t"]);
        assert_eq!(rows(&mut bed.destination, "SELECT id FROM moved ORDER BY 1"), ["1", "2"]);
        assert_eq!((counted(bed, "later", "table-left-out"), counted(bed, "t", "row-replaced")), (1, 1));
        let shown = bed.task.run(&["status"]).stdout;
        for what in ["1 create-index", "1 truncate-table", "1 drop-table", "1 create-table", "1 create-view", "1 create-procedure"] {
            assert!(shown.contains(what), "{what}: {shown}");
        }
        let counts = bed.task.json(&["status"])["ddl"]["counts"].to_string();
        assert!(counts.contains("is not among the `operations` of the spec"), "{counts}");
        // A statement that changes what the columns are: with rows after it, only a binlog that names them can go on.
        bed.source("ALTER TABLE t ADD COLUMN n INT;\nINSERT INTO t VALUES (9, 'z', 1)");
        bed.task.run(&CATCH_UP).expect(1).says("`operations` leaves out ALTER TABLE");
        assert_eq!(rows(&mut bed.destination, "SELECT COUNT(*) FROM t WHERE id = 9"), ["0"]);
        // And it stays so.
        bed.task.run(&CATCH_UP).expect(1).says("`operations` leaves out ALTER TABLE");
    });
}

/// ENUM members in another order: the numbers in the binlog mean others, and the event's types are the same.
#[test]
fn a_left_out_alter_never_bends_a_row() {
    each("operations_alter", |bed| {
        let db = bed.db.clone();
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', 'b'));\nINSERT INTO t VALUES (1, 'a')");
        bed.task.write(&format!("{PHASES}objects: [{{database: {db}, operations: [insert, update, delete, create-index]}}]\n"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source("ALTER TABLE t MODIFY e ENUM('b', 'a');\nCREATE INDEX ie ON t (e);\nINSERT INTO t VALUES (2, 'b')");
        bed.task.run(&CATCH_UP).expect(1).says("`operations` leaves out ALTER TABLE");
        bed.destination.query_drop(format!("USE {db}")).unwrap();
        assert_eq!(rows(&mut bed.destination, "SELECT id, e FROM t"), ["1|a"]);
    });
}

#[test]
fn a_left_out_rename_stops_at_the_rows_of_either_name() {
    each("operations_rename", |bed| {
        let db = bed.db.clone();
        bed.source("CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2)");
        let all = "insert, update, delete, alter-table, create-table, drop-table, truncate-table";
        bed.task.write(&format!("{PHASES}objects: [{{database: {db}, operations: [{all}]}}]\n"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source("RENAME TABLE a TO x, b TO a, x TO b");
        bed.task.run(&CATCH_UP).expect(0);
        bed.source("INSERT INTO a VALUES (3)");
        bed.task.run(&CATCH_UP).expect(1).says("may be another").says("RENAME TABLE");
        bed.destination.query_drop(format!("USE {db}")).unwrap();
        assert_eq!(rows(&mut bed.destination, "SELECT id FROM a"), ["1"]);
    });
    // What would empty or drop the wrong table.
    each("operations_truncate", |bed| {
        let db = bed.db.clone();
        bed.source("CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2)");
        bed.task.write(&format!("{PHASES}objects: [{{database: {db}, operations: [insert, truncate-table]}}]\n"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source("RENAME TABLE a TO x, b TO a, x TO b;\nTRUNCATE TABLE a");
        bed.task.run(&CATCH_UP).expect(1).says("ddl-left-out");
        bed.destination.query_drop(format!("USE {db}")).unwrap();
        assert_eq!(rows(&mut bed.destination, "SELECT id FROM a"), ["1"]);
    });
}

/// Killed between writing and committing, and after: nothing is counted twice or not at all.
#[test]
fn what_is_left_out_is_counted_once_through_a_crash() {
    let Some(mut bed) = Bed::new(testbed::Flavor::MySql, testbed::Flavor::MySql, "operations_killed") else { return };
    let oracle = begin(&mut bed, &["t"], "id INT PRIMARY KEY, v INT", "(1, 1), (2, 2)");
    bed.task.write(&spec_of(&bed.db.clone(), &[("t", "insert, update")]));
    bed.task.run(&CATCH_UP).expect(0);
    for n in 0..20 {
        bed.source(&format!("INSERT INTO t VALUES ({}, 1);\nDELETE FROM t WHERE id = {}", n + 10, n + 10));
        bed.source(&format!("REPLACE INTO `{oracle}`.t VALUES ({}, 1)", n + 10));
    }
    for point in ["batch-written:2", "batch-committed:2"] {
        let mut running = bed.task.start(&CATCH_UP, &[("DTSCTL_TEST_PAUSE", point), ("DTSCTL_TEST_BATCH", "5")]);
        assert!(running.says("paused at"), "{}", running.said());
        running.kill9();
    }
    bed.task.run(&CATCH_UP).expect(0);
    is_as(&mut bed, &oracle);
    let sql = format!("SELECT `rows` FROM dts.dtsctl_conflict WHERE source_database = '{}' AND kind = 'delete-left-out'", bed.db);
    assert_eq!(rows(&mut bed.destination, &sql), ["20"]);
}
