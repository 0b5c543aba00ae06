//! Requirement D13: `where` in the plan, the full copy and verify. The oracle is the source itself: `SELECT ... WHERE condition` there.

use mysql::prelude::Queryable as _;
use testbed::Flavor::{self, MariaDb, MySql};

use super::Bed;
use crate::support::rows;

const HEAD: &str = "phases: {incremental: false}\n";

/// Conditions that only a server judges as a server does.
const CONDITIONS: &[&str] = &[
    "name = 'STRASSE'",
    "name <> 'a' AND note IS NULL",
    "name LIKE 'a%' OR name LIKE '%|%%' ESCAPE '|'",
    "name = 'a ' COLLATE utf8mb4_bin",
    "latin = 'ä'",
    "kind = 2",
    "kind = 'small' OR kind = 0",
    "flags & 2",
    "flags = 'a,c'",
    "num = '7abc' OR num = '0x10'",
    "name = 0",
    "price > 0.1 AND price BETWEEN 0.2 AND 9.99e1",
    "ratio = 0.1 OR ratio IS NULL",
    "born >= '2000-01-01' XOR born IS NULL",
    "born = '2024-02-31'",
    "seen > '2020-06-01 12:00:00'",
    "NOT (num > 3)",
    "num <=> NULL OR num IN (1, '2', NULL)",
    "LOWER(name) = 'a' AND LENGTH(name) = CHAR_LENGTH(name)",
    "IF(num, COALESCE(note, 'x') = 'x', YEAR(born) = 2024)",
    "at > '10:00' AND at < 200000",
    "num MOD 3 = 1 OR -num DIV 2 = -2 OR ~num & 1",
    "bits = 5 OR bits = b'111'",
    "bytes = x'00FF' OR bytes LIKE '\\\\%'",
    "`or``der` + 0 > 2",
    "TRUE",
    "id > 5",
    "name NOT IN ('a', 'b') AND name NOT BETWEEN 'c' AND 'd'",
];

const TABLE: &str = "(id INT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_unicode_ci, latin VARCHAR(9) CHARACTER SET latin1, note TEXT, \
    kind ENUM('small','big') NULL, flags SET('a','b','c'), num INT, price DECIMAL(9,3), ratio FLOAT, born DATE, seen TIMESTAMP NULL, at TIME, \
    bits BIT(3), bytes VARBINARY(8), `or``der` VARCHAR(4), g INT AS (num + 1) STORED, KEY (name))";

fn fill(table: &str) -> String {
    format!(
        "INSERT INTO {table} (id, name, latin, note, kind, flags, num, price, ratio, born, seen, at, bits, bytes, `or``der`) VALUES \
         (1, 'a', 'ä', NULL, 1, 1, 1, 0.1, 0.1, '2000-01-01', '2020-06-01 12:00:00', '09:00', 5, x'00FF', '3'), \
         (2, 'A ', 'Ä', 'x', 2, 2, 2, 0.2, 0.2, '1999-12-31', '2020-06-01 12:00:01', '10:00:01', 7, 'a', '1x'), \
         (3, 'straße', 'a', '', 2, 5, 7, 99.9, NULL, '2024-02-31', NULL, '20:00', 0, '%', ''), \
         (4, 'strasse', NULL, NULL, NULL, 7, 16, 99.901, -0.1, '0000-00-00', '1970-01-02 00:00:00', NULL, NULL, NULL, NULL), \
         (5, 'á', 'b', 'y', 2, '', 0, -1, 1e20, '2024-01-01', NOW(), '-10:00', 1, '', 'abcd'), \
         (6, '7abc', 'c', NULL, 1, NULL, NULL, NULL, 0, NULL, NULL, '838:59:59', 2, x'27', '9'), \
         (7, '', '', '', NULL, 4, -5, 12, 3, '2020-06-01', '2030-01-01 00:00:00', '15:00', 3, '\\\\%', '0'), \
         (8, '😀', 'é', 'x', 1, 3, 2147483646, 0.25, 0.1, '2023-12-31', '2020-06-01 11:59:59', '00:00', 4, 'a%', '2'), \
         (9, '10%', 'ö', NULL, 2, 6, 4, 50, 0.3, '2024-12-31', '2021-01-01 00:00:00', '12:30', 6, 'b', '2.5'), \
         (10, 'c', 'ü', 'X', 1, 1, 3, 0.2, 0.1, '2001-01-01', '2022-01-01 00:00:00', '11:00', 5, 'c', NULL);\n\
         UPDATE {table} SET kind = 0 WHERE id = 9"
    )
}

fn selected(table: &str, condition: &str) -> String {
    format!(
        "SELECT id, HEX(name), HEX(latin), HEX(note), kind + 0, flags + 0, num, price, ratio * 1e0, born, seen, at, bits + 0, HEX(bytes), \
         HEX(`or``der`), g FROM {table} WHERE {condition} ORDER BY 1, 2"
    )
}

#[test]
fn the_rows_are_those_that_the_source_itself_selects() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "flt_copy") else { continue };
        let mut entries = String::new();
        let loose = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';\n";
        bed.source(loose);
        for (i, condition) in CONDITIONS.iter().enumerate() {
            // Every third one has no key at all: one snapshot instead of ranges.
            let definition = if i % 3 == 2 { TABLE.replace("id INT PRIMARY KEY", "id INT") } else { TABLE.to_owned() };
            bed.source(&format!("CREATE TABLE t{i} {definition} CHARACTER SET utf8mb4;\n{}", fill(&format!("t{i}"))));
            entries.push_str(&format!("  - name: t{i}\n    where: {}\n", serde_json::to_string(condition).expect("text")));
        }
        let db = bed.db.clone();
        bed.task.write(&format!("{HEAD}objects:\n- database: {db}\n  tables:\n{entries}"));
        let plan = bed.run(&["plan"]);
        plan.expect(0);
        let told = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("where kind = 2"), "{}", plan.stdout);
        bed.run(&["apply", "--yes"]).expect(0);
        bed.run(&["verify"]).expect(0);
        bed.is_quiet();
        bed.destination(&format!("USE {db}"));
        let mut sizes = Vec::new();
        for (i, condition) in CONDITIONS.iter().enumerate() {
            let wanted = rows(&mut bed.source, &selected(&format!("t{i}"), condition));
            let found = rows(&mut bed.destination, &selected(&format!("t{i}"), "1"));
            assert_eq!(wanted, found, "{from} to {to}: {condition}");
            sizes.push(wanted.len());
        }
        assert!(sizes.iter().filter(|n| (1..10).contains(*n)).count() > 20, "the conditions choose: {sizes:?}");
        // A row that does not belong is one too many, with a key and without; one that belongs and is gone is missing.
        for (table, spoil) in [("t5", "INSERT INTO t5 (id, kind) VALUES (99, 1)"), ("t2", "INSERT INTO t2 (id, name) VALUES (1, 'q')")] {
            bed.destination(spoil);
            let told = bed.run(&["verify", "--format", "json"]);
            told.expect(4);
            let told: serde_json::Value = serde_json::from_str(&told.stdout).expect("a receipt");
            let receipt =
                told["tables"].as_array().expect("tables").iter().find(|t| t["source"].to_string().contains(&format!("{table}\"")));
            let receipt = receipt.unwrap_or_else(|| panic!("{told}"));
            assert_eq!((&receipt["extra"], &receipt["missing"]), (&1.into(), &0.into()), "{receipt}");
            bed.destination(&format!("DELETE FROM {table} WHERE id = 99 OR name = 'q'"));
        }
        bed.destination("DELETE FROM t25 WHERE id = 7");
        bed.run(&["verify"]).expect(4);
    }
}

#[test]
fn a_column_that_is_left_out_may_choose_and_never_arrives() {
    for (from, to) in [(MySql, MariaDb), (MariaDb, MySql)] {
        let Some(mut bed) = Bed::new(from, to, "flt_excl") else { continue };
        bed.source(
            "CREATE TABLE t (id INT PRIMARY KEY, secret VARCHAR(9), v INT);\n\
             INSERT INTO t VALUES (1, 'keep', 1), (2, 'drop', 2), (3, 'KEEP', 3), (4, NULL, 4)",
        );
        let db = bed.db.clone();
        bed.task.write(&format!(
            "{HEAD}objects: [{{database: {db}, tables: [{{name: t, rename: u, where: \"Secret = 'keep'\", columns: {{exclude: [secret], rename: {{v: w}}}}}}]}}]\n"
        ));
        bed.run(&["apply", "--yes"]).expect(0);
        bed.run(&["verify"]).expect(0);
        assert_eq!(bed.numbers("SELECT id * 10 + w FROM u ORDER BY 1"), [11, 33]);
        let columns: Vec<String> = bed
            .destination
            .query("SHOW COLUMNS FROM u")
            .map(|r: Vec<mysql::Row>| r.into_iter().filter_map(|row| row.get::<String, _>(0)).collect())
            .expect("columns");
        assert_eq!(columns, ["id", "w"]);
    }
}

#[test]
fn a_wrong_condition_ends_in_the_plan() {
    for flavor in [MariaDb, MySql] {
        let Some(mut bed) = Bed::new(flavor, flavor, "flt_bad") else { continue };
        bed.source(
            "CREATE TABLE t (id INT PRIMARY KEY, d DATE, at TIME, doc JSON, geo POINT);\nCREATE TABLE log_1 (id INT PRIMARY KEY, d INT)",
        );
        let db = bed.db.clone();
        for (condition, code) in [
            ("nowhere = 1", "DT280"),
            ("id = ghost", "DT280"),
            ("at > DATE '2020-01-01'", "DT280"),
            ("at < d", "DT280"),
            ("geo IS NULL", "DT280"),
            ("d COLLATE no_such_collation = 'x'", "DT281"),
            ("LEFT(d) = 1", "DT281"),
            ("id LIKE 'x' ESCAPE 'ab'", "DT281"),
        ] {
            bed.task.write(&format!("{HEAD}objects: [{{database: {db}, tables: [{{name: t, where: \"{condition}\"}}]}}]\n"));
            let refused = bed.run(&["plan"]);
            refused.expect(3);
            assert!(refused.stdout.contains(code), "{flavor} {condition}: {}", refused.stdout);
            bed.run(&["apply", "--yes"]).expect(3);
            assert!(!bed.arrived());
        }
        // A glob's condition is asked of each of its tables.
        bed.source("CREATE TABLE log_2 (id INT PRIMARY KEY)");
        bed.task.write(&format!("{HEAD}objects: [{{database: {db}, tables: [{{name: \"log_*\", where: \"d > 1\"}}]}}]\n"));
        let refused = bed.run(&["plan"]);
        refused.expect(3);
        assert!(refused.stdout.contains(&format!("names column d, and {db}.log_2 has none")), "{}", refused.stdout);
    }
}

#[test]
fn another_condition_than_the_copy_began_with_is_refused() {
    let Some(mut bed) = Bed::mariadb("flt_changed") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1), (2), (3)");
    let db = bed.db.clone();
    let write = |bed: &Bed, table: &str| bed.task.write(&format!("{HEAD}objects: [{{database: {db}, tables: [{table}]}}]\n"));
    write(&bed, "{name: t, where: id < 3}");
    bed.run(&["apply", "--yes"]).expect(0);
    for other in ["{name: t, where: id < 4}", "{name: t}"] {
        write(&bed, other);
        let refused = bed.run(&["plan"]);
        refused.expect(3);
        assert!(refused.stdout.contains("DT282"), "{}", refused.stdout);
    }
    // Written otherwise it is the same.
    write(&bed, "{name: t, where: \"`id`<3\"}");
    bed.run(&["plan"]).expect(0);
}
