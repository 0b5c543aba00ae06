//! Tables that stand at the destination already.

use mysql::prelude::Queryable as _;

use super::{Bed, shown};

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
