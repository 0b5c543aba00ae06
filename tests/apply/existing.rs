//! Tables that stand at the destination already.

use mysql::prelude::Queryable as _;

use testbed::Flavor;

use super::{Bed, shown};
use crate::support::{End, Task, until};

#[test]
fn fail_stops_before_anything_runs_and_names_three_ways_out() {
    let Some(mut bed) = Bed::mariadb("exist_fail") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE fresh (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)");
    bed.occupied("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (7)");
    let refused = bed.run(&["apply", "--yes"]);
    refused.expect(3);
    shown!("existing_fail", bed.redacted(&refused.stderr));
    assert_eq!(bed.numbers("SELECT id FROM t"), [7]);
    let tables: Vec<String> = bed.destination.query("SHOW TABLES").expect("tables");
    assert_eq!(tables, ["t"]);
}

#[test]
fn ignore_keeps_rows_that_exist_and_copies_the_common_columns() {
    let Some(mut bed) = Bed::mariadb("exist_ignore") else { return };
    bed.spec("conflict: {existing_tables: ignore}\n");
    bed.source(
        "CREATE TABLE same (id INT PRIMARY KEY, v VARCHAR(20));\nINSERT INTO same VALUES (1, 'source'), (2, 'source'), (3, 'source');\n\
         CREATE TABLE other (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY (a));\nINSERT INTO other VALUES (1, 10, 100), (2, 20, 200), (3, 30, 300);\n\
         CREATE TABLE fresh (id INT PRIMARY KEY);\nINSERT INTO fresh VALUES (0)",
    );
    bed.occupied(
        "CREATE TABLE same (id INT PRIMARY KEY, v VARCHAR(20));\nINSERT INTO same VALUES (2, 'kept'), (9, 'kept');\n\
         CREATE TABLE other (id INT PRIMARY KEY, a INT, c INT DEFAULT 5, UNIQUE KEY (a));\nINSERT INTO other VALUES (7, 20, 7)",
    );
    let plan = bed.run(&["plan"]);
    plan.expect(0);
    let told = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("alert DT224 equal-names") && told.contains("not copied: b; left to their defaults: c"), "{}", plan.stdout);
    // Row 2 of the source has the unique value of another row that exists. Skipped, it would be nowhere at the destination.
    bed.run(&["apply", "--yes"]).expect(1).says("1 of 3 rows collide with another row of the destination under a unique key");
    bed.destination("UPDATE other SET a = 70 WHERE id = 7");
    bed.run(&["apply", "--yes"]).expect(0);
    let rows: Vec<(i32, String)> = bed.destination.query("SELECT id, v FROM same ORDER BY id").expect("rows");
    let rows: Vec<(i32, &str)> = rows.iter().map(|(id, v)| (*id, v.as_str())).collect();
    assert_eq!(rows, [(1, "source"), (2, "kept"), (3, "source"), (9, "kept")]);
    let rows: Vec<(i32, i32, i32)> = bed.destination.query("SELECT id, a, c FROM other ORDER BY id").expect("rows");
    assert_eq!(rows, [(1, 10, 5), (2, 20, 5), (3, 30, 5), (7, 70, 7)]);
    assert_eq!(bed.numbers("SELECT id FROM fresh"), [0]);
    bed.is_quiet();
}

#[test]
fn align_alters_the_destination_and_asks_before_data_is_lost() {
    let Some(mut bed) = Bed::mariadb("exist_align") else { return };
    bed.spec("conflict: {existing_tables: align}\n");
    bed.source(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, a VARCHAR(50), b INT NOT NULL DEFAULT 3, KEY k_b (b)) COMMENT 'new';\n\
         INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2)",
    );
    bed.occupied("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20), old INT, KEY k_old (old)) COMMENT 'old'");
    let refused = bed.run(&["apply", "--yes"]);
    refused.expect(3);
    shown!("existing_align_unsafe", bed.redacted(&refused.stderr));
    let plan = bed.run(&["plan"]);
    shown!(
        "existing_align_plan",
        bed.redacted(plan.stdout.split("\nprechecks:").next().unwrap_or_default()).replace(bed.from.version(), "VERSION")
    );
    let columns =
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't' AND column_name = 'old'";
    assert_eq!(bed.numbers(columns), [1], "nothing was executed");
    bed.spec(&format!("conflict: {{existing_tables: align}}\nallow: [{{action: drop-column, table: {}.t, column: old}}]\n", bed.db));
    bed.carried();
    assert_eq!(bed.numbers(columns), [0]);
}

#[test]
fn an_unsafe_action_is_permitted_once_by_its_id() {
    let Some(mut bed) = Bed::mariadb("exist_once") else { return };
    bed.spec("conflict: {existing_tables: align}\n");
    bed.source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)");
    bed.occupied("CREATE TABLE t (id INT PRIMARY KEY, old INT)");
    bed.run(&["apply", "--yes", "--allow-unsafe", "a9"]).expect(3);
    let id = bed.run(&["plan", "--format", "json"]).expect(3).stdout.clone();
    let plan: serde_json::Value = serde_json::from_str(&id).expect("a plan");
    let id = plan["actions"].as_array().and_then(|a| a.iter().find(|a| a["permitted"] == false)).expect("a blocked one")["id"].clone();
    bed.run(&["apply", "--yes", "--allow-unsafe", id.as_str().expect("an id")]).expect(0);
    bed.is_equal();
}

/// The same definition in an older state, on every pair: what differs is altered, and a second look finds nothing more.
#[test]
fn align_brings_an_older_definition_up_to_date_on_every_pair() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "exist_pairs") else { continue };
        bed.source(
            "CREATE TABLE parent (id INT PRIMARY KEY);\nINSERT INTO parent VALUES (1);\n\
             CREATE TABLE t (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL DEFAULT 'it''s', amount DECIMAL(20,6), kind ENUM('a','b','c') DEFAULT 'a', \
             at DATETIME(3) NULL, p INT, twice INT AS (p * 2) STORED, KEY k_name (name), UNIQUE KEY u_at (at), CONSTRAINT to_parent FOREIGN KEY (p) REFERENCES parent (id), \
             CONSTRAINT positive CHECK (amount > 0)) COMMENT = 'new';\n\
             INSERT INTO t (id, name, amount, kind, at, p) VALUES (1, 'one', 1.5, 'c', '2024-01-01 00:00:00.123', 1), (70, 'two', 2, NULL, NULL, NULL)",
        );
        bed.occupied(
            "CREATE TABLE parent (id INT PRIMARY KEY);\n\
             CREATE TABLE t (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) DEFAULT NULL, amount DECIMAL(10,2), kind ENUM('a','b'), p INT, KEY k_name (name(5)), KEY k_old (p)) COMMENT = 'old'",
        );
        bed.spec("conflict: {existing_tables: align}\n");
        let plan = bed.run(&["plan", "--format", "json"]);
        let plan: serde_json::Value = serde_json::from_str(&plan.stdout).expect("a plan");
        let blocked: Vec<&serde_json::Value> =
            plan["actions"].as_array().expect("actions").iter().filter(|a| a["permitted"] == false).collect();
        // A NULL that is there could not stay: the plan asks before it forbids them.
        let unsafe_ones: Vec<(&str, &str)> =
            blocked.iter().map(|a| (a["risk"]["action"].as_str().unwrap_or("-"), a["risk"]["column"].as_str().unwrap_or("-"))).collect();
        assert_eq!(unsafe_ones, [("forbid-null", "name")], "{from} -> {to}: {plan:#}");
        bed.spec(&format!("conflict: {{existing_tables: align}}\nallow: [{{action: forbid-null, table: {}.t, column: name}}]\n", bed.db));
        bed.carried();
        bed.destination(&format!("USE `{}`;\nINSERT INTO t (p, amount) VALUES (1, 1)", bed.db));
        assert_eq!(bed.numbers("SELECT MAX(id) FROM t"), [71], "{from} -> {to}");
    }
}

/// Somebody holds the table: the wait has a name in `status`, and ends with the lock.
#[test]
fn a_lock_at_the_destination_is_waited_for_and_shown() {
    let Some(mut bed) = Bed::mariadb("exist_lock") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1, 1)");
    bed.occupied("CREATE TABLE t (id INT PRIMARY KEY)");
    bed.spec("conflict: {existing_tables: align}\n");
    bed.destination("LOCK TABLES t READ");
    let running = bed.task.start(&["apply", "--yes", "--lock-timeout", "1s"], &[]);
    let mut status = serde_json::Value::Null;
    until("a wait in status", || {
        let outcome = bed.run(&["status", "--format", "json"]);
        status = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        status["waits"].as_array().is_some_and(|w| !w.is_empty())
    });
    bed.destination("UNLOCK TABLES");
    running.end().expect(0);
    assert!(status["waits"].to_string().to_lowercase().contains("lock"), "{:#}", status["waits"]);
    bed.is_equal();
}

/// Every row that is kept is a warning of the server, and the protocol counts no more than 65,535 of them; an account of MySQL without
/// SESSION_VARIABLES_ADMIN is shown 1024.
#[test]
fn more_rows_are_kept_than_a_server_can_warn_of() {
    for flavor in Flavor::ALL {
        many_kept(flavor);
    }
}

fn many_kept(flavor: Flavor) {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, flavor, "exist_many") else { return };
    bed.destination("DROP USER IF EXISTS 'keeper'@'%';\nCREATE USER 'keeper'@'%' IDENTIFIED BY 'pw'");
    bed.destination(&format!("GRANT ALL ON `{}`.* TO 'keeper'@'%';\nGRANT ALL ON dts.* TO 'keeper'@'%'", bed.db));
    let keeper = End { user: "keeper".to_owned(), password: "pw".to_owned(), ..End::from(bed.to) };
    bed.task = Task::new(&bed.db, bed.from, keeper, "objects: [{database: x}]\n");
    bed.spec("conflict: {existing_tables: ignore}\n");
    let table = "CREATE TABLE t (id INT PRIMARY KEY, v TINYINT)";
    bed.source(&format!("{table};\nINSERT INTO t SELECT seq, 1 FROM seq_1_to_200000"));
    bed.occupied(table);
    bed.destination(
        "SET SESSION cte_max_recursion_depth = 1000000;\nINSERT INTO t WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 199990) SELECT i, 2 FROM n"
            .replace("SET SESSION cte_max_recursion_depth = 1000000;\n", if flavor == Flavor::MySql { "SET SESSION cte_max_recursion_depth = 1000000;\n" } else { "SET SESSION max_recursive_iterations = 1000000;\n" })
            .as_str(),
    );
    bed.run(&["apply", "--yes"]).expect(0);
    assert_eq!(bed.numbers("SELECT COUNT(*) FROM t WHERE v = 2 UNION ALL SELECT COUNT(*) FROM t WHERE v = 1"), [199_990, 10]);
}
