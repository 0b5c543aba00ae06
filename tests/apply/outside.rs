//! What somebody does at the destination behind the tool's back, and beginning again.

use mysql::prelude::Queryable as _;

use super::Bed;

const TABLES: &str = "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), KEY k_a (a));\nINSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');\n\
                      CREATE TABLE u (id INT PRIMARY KEY AUTO_INCREMENT, t INT, FOREIGN KEY f (t) REFERENCES t (id));\nINSERT INTO u (t) VALUES (1), (2), (2)";

#[test]
fn an_added_column_and_a_dropped_index_are_outside_changes() {
    let Some(mut bed) = Bed::mariadb("outside_alter") else { return };
    bed.source(TABLES);
    bed.carried();
    bed.destination(&format!("ALTER TABLE `{}`.t ADD COLUMN mine INT", bed.db));
    bed.destination(&format!("ALTER TABLE `{}`.t DROP KEY k_a", bed.db));
    let plan = bed.run(&["plan", "--format", "json"]).stdout.clone();
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
    let actions = plan["actions"].as_array().expect("actions");
    assert!(!actions.is_empty() && actions.iter().all(|a| a["outside"] == true), "{plan:#}");
    let findings = plan["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|f| f["code"] == "DT232"), "{plan:#}");
    // The column may hold somebody's data: not without permission. The index comes back.
    bed.run(&["apply", "--yes"]).expect(3);
    bed.spec(&format!("allow: [{{action: drop-column, table: {}.t, column: mine}}]\n", bed.db));
    bed.carried();
    let index = "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = 'k_a'";
    assert_eq!(bed.numbers(index), [1]);
}

#[test]
fn a_table_dropped_behind_its_back_is_made_and_copied_again() {
    let Some(mut bed) = Bed::mariadb("outside_drop") else { return };
    bed.source(TABLES);
    bed.carried();
    bed.destination(&format!("DROP TABLE `{}`.u", bed.db));
    let plan = bed.run(&["plan"]);
    plan.expect(0);
    assert!(plan.stdout.contains("Plan: 1 create, 0 alter, 0 drop; copy 1 table"), "{}", plan.stdout);
    bed.carried();
    // The whole database: also what it was made with.
    bed.destination(&format!("DROP DATABASE `{}`", bed.db));
    bed.carried();
}

/// A table that was emptied and whose definition is as it was: only `verify` can see that.
#[test]
fn rows_deleted_behind_its_back_are_found_by_verify() {
    let Some(mut bed) = Bed::mariadb("outside_rows") else { return };
    bed.source(TABLES);
    bed.carried();
    bed.destination(&format!("DELETE FROM `{}`.u WHERE id = 2", bed.db));
    bed.is_quiet();
    let differs = bed.run(&["verify", "--keys"]);
    differs.expect(4);
    assert!(differs.stdout.contains("outside_rows_mariadb.u"), "{}", differs.stdout);
}

#[test]
fn restart_drops_only_what_the_task_made() {
    let Some(mut bed) = Bed::mariadb("outside_restart") else { return };
    bed.spec("conflict: {existing_tables: ignore}\n");
    bed.source(TABLES);
    bed.occupied(
        "CREATE TABLE foreign_table (id INT PRIMARY KEY);\nINSERT INTO foreign_table VALUES (42);\n\
                  CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), KEY k_a (a));\nINSERT INTO t VALUES (9, 9, 'kept')",
    );
    bed.run(&["apply", "--yes"]).expect(0);
    bed.source("INSERT INTO u (t) VALUES (1)");
    bed.run(&["apply", "--restart"]).expect(64).says("add --yes");
    assert_eq!(bed.numbers("SELECT COUNT(*) FROM u"), [3]);
    let restarted = bed.run(&["apply", "--restart", "--yes"]);
    restarted.expect(0).says("--restart drops the tables that this task created at the destination");
    assert!(restarted.stderr.contains(".u\n") && !restarted.stderr.contains(".t\n"), "{}", restarted.stderr);
    assert_eq!(bed.numbers("SELECT id FROM foreign_table"), [42]);
    assert_eq!(bed.numbers("SELECT id FROM t ORDER BY id"), [1, 2, 9]);
    let (mine, theirs): (Option<i64>, Option<i64>) = (
        bed.source.query_first("SELECT COUNT(*) FROM u").expect("rows"),
        bed.destination.query_first("SELECT COUNT(*) FROM u").expect("rows"),
    );
    assert_eq!((mine, theirs), (Some(4), Some(4)));
}

/// A sequence was "not selected" with its whole database, then made and not known as the task's own: an apply that was killed before the
/// end would have left it at its start, and `--restart` would have met it as somebody else's.
#[test]
fn a_sequence_is_the_tasks_own_like_a_table() {
    let Some(mut bed) = Bed::mariadb("outside_sequence") else { return };
    bed.source(
        "CREATE SEQUENCE ids START WITH 100 CACHE 10;\nSELECT NEXTVAL(ids);\nCREATE TABLE t (id INT NOT NULL DEFAULT NEXTVAL(ids) PRIMARY KEY, v INT);\n\
         INSERT INTO t (v) VALUES (1), (2)",
    );
    bed.occupied("CREATE SEQUENCE ids");
    bed.run(&["apply", "--yes"]).expect(3).says("DT224").says("has a sequence of that name already");
    bed.destination("DROP SEQUENCE ids");
    bed.carried();
    // Behind the source's again, as after a kill before the last step.
    bed.destination(&format!("DROP SEQUENCE `{0}`.ids;\nCREATE SEQUENCE `{0}`.ids START WITH 100 CACHE 10", bed.db));
    let plan = bed.run(&["plan"]);
    assert!(plan.expect(0).stdout.contains("restart sequence at 110"), "{}", plan.stdout);
    bed.carried();
    bed.run(&["apply", "--restart", "--yes"]).expect(0).says("ids");
    bed.is_equal();
    bed.destination(&format!("USE `{}`;\nINSERT INTO t (v) VALUES (3)", bed.db));
    assert_eq!(bed.numbers("SELECT MAX(id) FROM t"), [110]);
}

/// The spec names another destination now: what was copied to the old one says nothing about the new one.
#[test]
fn a_rename_that_changes_is_another_destination() {
    let Some(mut bed) = Bed::mariadb("outside_renamed") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1), (2)");
    bed.carried();
    let moved = format!("{}_moved", bed.db);
    bed.destination(&format!(
        "DROP DATABASE IF EXISTS `{moved}`;\nCREATE DATABASE `{moved}`;\nCREATE TABLE `{moved}`.t (id INT PRIMARY KEY)"
    ));
    let spec = |extra: &str| bed.task.write(&format!("objects: [{{database: {}, rename: {moved}}}]\n{extra}", bed.db));
    // The table there is somebody else's.
    spec("");
    bed.run(&["apply", "--yes"]).expect(3).says("DT224");
    spec("conflict: {existing_tables: ignore}\n");
    bed.run(&["apply", "--yes"]).expect(0);
    let rows: Option<u64> = bed.destination.query_first(format!("SELECT COUNT(*) FROM `{moved}`.t")).expect("rows");
    assert_eq!(rows, Some(2));
    bed.run(&["verify"]).expect(0);
    bed.is_quiet();
}

/// What appears at the source later is carried by the next apply, and nothing else is touched.
#[test]
fn a_table_that_appears_later_is_carried() {
    let Some(mut bed) = Bed::mariadb("outside_later") else { return };
    bed.source(TABLES);
    bed.carried();
    bed.source("CREATE TABLE later (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES t (id));\nINSERT INTO later VALUES (1, 1)");
    let plan = bed.run(&["plan"]);
    assert!(plan.expect(0).stdout.contains("Plan: 1 create, 0 alter, 0 drop; copy 1 table"), "{}", plan.stdout);
    bed.carried();
}
