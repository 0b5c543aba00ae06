//! The phases apart, and when secondary indexes are built.

use serde_json::Value;
use testbed::Flavor;

use super::Bed;

const TABLES: &str = "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(20), KEY k_a (a), UNIQUE KEY u_b (b), FULLTEXT KEY f_b (b));\n\
                      INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'), (50, 3, NULL)";

const INDEXES: &str =
    "SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 't'";

#[test]
fn schema_alone_then_rows_alone() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "phases") else { continue };
        bed.source(TABLES);
        // Rows alone have no table to go to.
        bed.spec("phases: {schema: false, full: true, incremental: false}\n");
        let refused = bed.run(&["apply", "--yes"]);
        refused.expect(3).says("DT229");
        assert!(!bed.arrived());

        bed.spec("phases: {schema: true, full: false, incremental: false}\n");
        bed.run(&["apply", "--yes"]).expect(0);
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM t"), [0]);
        assert_eq!(bed.numbers(INDEXES), [4]);
        bed.is_quiet();
        // The tables are there, the rows are not: said as it is.
        bed.run(&["verify"]).expect(4);

        bed.spec("phases: {schema: false, full: true, incremental: false}\n");
        let plan = bed.run(&["plan", "--detailed-exitcode"]);
        plan.expect(2);
        assert!(plan.stdout.contains("Plan: 0 create, 0 alter, 0 drop; copy 1 table"), "{}", plan.stdout);
        bed.run(&["apply", "--yes"]).expect(0);
        bed.is_equal();
        bed.run(&["verify"]).expect(0);
        bed.is_quiet();
        // What neither of the two runs alone was asked for: the counter, which the schema phase carries after the rows.
        bed.spec("");
        bed.carried();
        assert_eq!(next_id(&mut bed), 51);
    }
}

fn next_id(bed: &mut Bed) -> i64 {
    bed.destination("INSERT INTO t (a) VALUES (99)");
    bed.numbers("SELECT MAX(id) FROM t")[0]
}

#[test]
fn secondary_indexes_are_built_when_the_spec_says() {
    for (when, phase) in [("before", "schema"), ("after", "finish")] {
        let Some(mut bed) = Bed::mariadb(&format!("indexes_{when}")) else { return };
        bed.source(TABLES);
        bed.spec(&format!("schema: {{secondary_indexes: {when}}}\n"));
        let plan: Value = serde_json::from_str(&bed.run(&["plan", "--format", "json"]).expect(0).stdout).expect("a plan");
        let builds: Vec<&str> = plan["actions"]
            .as_array()
            .expect("actions")
            .iter()
            .filter(|a| a["statements"].as_array().is_some_and(|s| s.iter().any(|s| s.as_str().is_some_and(|s| s.contains("`k_a`")))))
            .map(|a| a["phase"].as_str().expect("a phase"))
            .collect();
        assert_eq!(builds, [phase], "{when}: {plan:#}");
        bed.carried();
        assert_eq!(bed.numbers(INDEXES), [4], "{when}");
    }
}

/// Without the schema phase the tables have to be there, so that they are there cannot be what blocks.
#[test]
fn rows_alone_go_into_tables_that_somebody_made() {
    let Some(mut bed) = Bed::mariadb("phases_rows") else { return };
    bed.source(TABLES);
    bed.occupied("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(20))");
    bed.spec("phases: {schema: false, full: true, incremental: false}\nconflict: {existing_tables: ignore}\n");
    bed.run(&["apply", "--yes"]).expect(0);
    bed.is_equal();
    bed.is_quiet();
    assert_eq!(bed.numbers(INDEXES), [1], "the definition is as it was");
}
