//! Requirements D01, D07, D14, A08: columns left out and renamed, names in other letters, in definitions, copy and verify. The oracle is
//! the source itself: the same columns selected there under their new names.

use mysql::prelude::Queryable as _;
use testbed::Flavor::{self, MariaDb, MySql};

use super::Bed;
use crate::support::rows;

#[test]
fn columns_left_out_and_renamed_follow_wherever_a_name_can_stand() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "map_cols") else { continue };
        bed.source(
            "CREATE TABLE people (id INT, tenant INT, name VARCHAR(40) NOT NULL, note TEXT, born DATE DEFAULT '2000-01-01', \
               initials VARCHAR(2) GENERATED ALWAYS AS (LEFT(`name`, 2)) STORED, score INT, CHECK (score >= 0), \
               PRIMARY KEY (tenant, id), UNIQUE KEY u_name (name, tenant), KEY k_note (note(10)), KEY k_score (score DESC)) \
               PARTITION BY HASH (tenant) PARTITIONS 3;\n\
             CREATE TABLE parent (id INT PRIMARY KEY, code INT NOT NULL UNIQUE);\n\
             CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, parent_code INT, a INT, b INT, \
               CONSTRAINT fk_parent FOREIGN KEY (parent_code) REFERENCES parent (code));\n\
             INSERT INTO people (id, tenant, name, note, born, score) VALUES (1, 1, 'Ann', 'secret', '1990-01-01', 5), (1, 2, 'Bob', NULL, '0000-00-00', 0), \
               (2, 1, 'Cleo', 'x', NULL, NULL);\n\
             INSERT INTO parent VALUES (1, 10), (2, 20); INSERT INTO child (parent_code, a, b) VALUES (10, 1, 2), (20, 3, 4), (NULL, 5, 6)",
        );
        let db = bed.db.clone();
        bed.task.write(&format!(
            "objects:\n- database: {db}\n  rename: {db}_x\n  tables:\n\
             \x20 - {{name: people, rename: persons, columns: {{exclude: [note], rename: {{Name: full name, tenant: org, id: no}}}}}}\n\
             \x20 - {{name: parent, columns: {{rename: {{code: kode}}}}}}\n\
             \x20 - {{name: child, columns: {{rename: {{a: b, b: a, parent_code: parent}}}}}}\n"
        ));
        bed.destination(&format!("DROP DATABASE IF EXISTS {db}_x"));
        bed.run(&["apply", "--yes"]).expect(0);
        bed.run(&["verify"]).expect(0);
        bed.is_quiet();
        let mut same = |source: &str, destination: &str| {
            bed.source.query_drop(format!("USE {db}")).expect("use");
            bed.destination.query_drop(format!("USE {db}_x")).expect("use");
            assert_eq!(rows(&mut bed.source, source), rows(&mut bed.destination, destination), "{from} to {to}: {destination}");
        };
        same(
            "SELECT id, tenant, name, born, initials, score FROM people ORDER BY 2, 1",
            "SELECT no, org, `full name`, born, initials, score FROM persons ORDER BY 2, 1",
        );
        same("SELECT id, parent_code, a, b FROM child ORDER BY 1", "SELECT id, parent, b, a FROM child ORDER BY 1");
        let columns = |table: &str| {
            format!(
                "SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX), INDEX_NAME FROM information_schema.STATISTICS \
                     WHERE TABLE_SCHEMA = '{db}_x' AND TABLE_NAME = '{table}' GROUP BY INDEX_NAME ORDER BY 2"
            )
        };
        let found = rows(&mut bed.destination, &columns("persons")).join(" ");
        assert!(found.contains("full name,org") && found.contains("org,no") && !found.contains("note"), "{found}");
        let keys = rows(
            &mut bed.destination,
            &format!(
                "SELECT COLUMN_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = '{db}_x' \
                 AND REFERENCED_TABLE_NAME = 'parent'"
            ),
        );
        assert!(keys.len() == 1 && keys[0].contains("parent") && keys[0].contains("kode"), "{keys:?}");
        // One value changed behind its back: verify compares by the new names.
        bed.destination(&format!("UPDATE {db}_x.persons SET `full name` = 'Eve' WHERE no = 2"));
        bed.run(&["verify"]).expect(4);
    }
}

#[test]
fn a_column_that_something_rests_on_is_not_left_out_in_silence() {
    let Some(mut bed) = Bed::mariadb("map_rests") else { return };
    bed.source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, g INT AS (a + 1) STORED, p INT);\n\
         CREATE TABLE k (id INT, v INT, PRIMARY KEY (id, v))",
    );
    let db = bed.db.clone();
    let plan = |bed: &Bed, tables: &str| {
        bed.task.write(&format!("objects: [{{database: {db}, tables: [{tables}]}}]\n"));
        bed.run(&["plan"])
    };
    let refused = plan(&bed, "{name: t, columns: {exclude: [a]}}");
    refused.expect(3);
    let told = refused.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("it is computed from a, which is left out"), "{}", refused.stdout);
    plan(&bed, "{name: t, columns: {exclude: [a, g]}}").expect(0);
    let refused = plan(&bed, "{name: k, columns: {exclude: [v]}}");
    refused.expect(3);
    let refused = plan(&bed, "{name: t, columns: {exclude: [nowhere]}}");
    refused.expect(3);
    assert!(refused.stdout.contains("DT238"), "{}", refused.stdout);
}

#[test]
fn names_are_written_in_the_letters_that_the_spec_asks_for() {
    for (case, table, columns) in [("upper", "ORDER ITEMS", ["ID", "GRÖSSE"]), ("lower", "order items", ["id", "größe"])] {
        let Some(mut bed) = Bed::new(MySql, MariaDb, &format!("map_{case}")) else { return };
        bed.source(
            "CREATE TABLE `Order Items` (Id INT PRIMARY KEY, `Größe` INT, CHECK (`Größe` > 0));\nINSERT INTO `Order Items` VALUES (1, 2), (2, 3)",
        );
        let (db, rename) = (bed.db.clone(), format!("{}_there", bed.db));
        bed.task.write(&format!("objects: [{{database: {db}, rename: {rename}}}]\nnames: {{case: {case}}}\n"));
        bed.destination(&format!("DROP DATABASE IF EXISTS {rename}"));
        bed.run(&["apply", "--yes"]).expect(0);
        bed.run(&["verify"]).expect(0);
        bed.is_quiet();
        let sql = format!(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{rename}' AND TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"
        );
        let there: Vec<String> = bed.destination.query(sql).expect("columns");
        assert_eq!(there, columns);
    }
}

/// D08: tables, views and databases by a pattern, with what hangs on their names; what is not matched keeps its name.
#[test]
fn names_by_a_pattern_follow_wherever_a_name_can_stand() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "map_by") else { continue };
        bed.source(
            "CREATE TABLE t_1 (id INT PRIMARY KEY, v INT, CHECK (v > 0));\n\
             CREATE TABLE t_2 (id INT PRIMARY KEY, one INT, CONSTRAINT fk FOREIGN KEY (one) REFERENCES t_1 (id));\n\
             CREATE TABLE other (id INT PRIMARY KEY);\n\
             INSERT INTO t_1 VALUES (1, 1), (2, 2); INSERT INTO t_2 VALUES (1, 2); INSERT INTO other VALUES (5);\n\
             CREATE VIEW t_90 AS SELECT t_1.id, t_1.v FROM t_1 JOIN t_2 ON t_2.one = t_1.id;\n\
             CREATE VIEW above AS SELECT id FROM t_90;\n\
             CREATE PROCEDURE old() SELECT * FROM t_1",
        );
        let db = bed.db.clone();
        let there = format!("{db}_x");
        bed.destination(&format!("DROP DATABASE IF EXISTS {there}"));
        bed.task.write(&format!(
            "objects:\n- database: {db}\n  rename: {{match: '(.+)', to: '${{1}}_x'}}\n  rename_tables: {{match: 't_(\\d+)', to: 'orders_$1'}}\n"
        ));
        let plan = bed.run(&["plan"]);
        plan.expect(0);
        assert!(plan.stdout.contains("DT291") && plan.stdout.contains("DT292"), "{}", plan.shown());
        bed.run(&["apply", "--yes"]).expect(0);
        bed.run(&["verify"]).expect(0);
        bed.is_quiet();
        bed.destination.query_drop(format!("USE {there}")).expect("use");
        let found = rows(&mut bed.destination, "SHOW TABLES");
        assert_eq!(found, ["above", "orders_1", "orders_2", "orders_90", "other"], "{from} to {to}");
        assert_eq!(rows(&mut bed.destination, "SELECT * FROM orders_90"), ["2|2"]);
        assert_eq!(rows(&mut bed.destination, "SELECT * FROM above"), ["2"]);
        let parent =
            format!("SELECT REFERENCED_TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = '{there}'");
        assert_eq!(rows(&mut bed.destination, &parent), ["orders_1"]);
        bed.destination(&format!("UPDATE {there}.orders_1 SET v = 9 WHERE id = 1"));
        bed.run(&["verify"]).expect(4);
    }
}

#[test]
fn two_tables_that_a_pattern_gives_one_name_are_refused() {
    let Some(mut bed) = Bed::mariadb("map_one") else { return };
    bed.source("CREATE TABLE a_1 (id INT PRIMARY KEY);\nCREATE TABLE b_1 (id INT PRIMARY KEY);\nCREATE TABLE c_1 (id INT PRIMARY KEY)");
    let db = bed.db.clone();
    for objects in [
        format!("- database: {db}\n  rename_tables: {{match: '[ab]_(.+)', to: 't_$1'}}\n"),
        format!("- database: {db}\n  tables:\n  - {{name: '?_1', rename: {{match: '[ab]_(.+)', to: 't_$1'}}}}\n"),
        // One that the pattern makes, and one that keeps its name.
        format!("- database: {db}\n  rename_tables: {{match: 'a_(.+)', to: 'c_$1'}}\n"),
    ] {
        bed.task.write(&format!("objects:\n{objects}"));
        let plan = bed.run(&["plan"]);
        plan.expect(3);
        assert!(plan.stdout.contains("DT225"), "{}", plan.shown());
    }
}
