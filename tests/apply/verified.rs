//! The flags of `verify`, as they are typed.

use serde_json::Value;

use super::Bed;

fn tables(receipt: &str) -> Vec<(String, String)> {
    let receipt: Value = serde_json::from_str(receipt).expect("a receipt");
    let word = |v: &Value| v.as_str().expect("a word").to_owned();
    receipt["tables"].as_array().expect("tables").iter().map(|t| (word(&t["source"]["table"]), word(&t["verdict"]))).collect()
}

#[test]
fn a_part_is_compared_and_looked_at_again() {
    let Some(mut bed) = Bed::mariadb("verified") else { return };
    bed.source(
        "CREATE TABLE a (id INT PRIMARY KEY, v INT);\nINSERT INTO a SELECT seq, seq FROM seq_1_to_1000;\n\
         CREATE TABLE b (id INT PRIMARY KEY, v INT);\nINSERT INTO b SELECT seq, seq FROM seq_1_to_1000;\nCREATE TABLE c (id INT PRIMARY KEY)",
    );
    bed.run(&["verify", "--recheck"]).expect(65).says("there is no receipt of an earlier verify");
    bed.carried();
    let db = bed.db.clone();
    bed.run(&["verify", "--table", &format!("{db}.nothing")]).expect(64).says("no selected table has that name");
    bed.destination(&format!("UPDATE `{db}`.a SET v = -1 WHERE id = 500"));
    // A table that was not asked after says nothing.
    let one = bed.run(&["verify", "--table", &format!("{db}.b"), "--format", "json"]);
    assert_eq!(tables(&one.expect(0).stdout), [("b".to_owned(), "equal".to_owned())]);
    // A count cannot see a changed value, and does not say `equal` of it without saying how it looked.
    bed.spec("verify: {mode: count}\n");
    let counted = bed.run(&["verify"]);
    assert!(counted.expect(0).stdout.contains("count"), "{}", counted.stdout);
    bed.spec("");
    bed.run(&["verify", "--report", "json=receipt.json", "--report", "markdown=receipt.md"]).expect(4);
    let kept = std::fs::read_to_string(bed.task.path("receipt.json")).expect("a receipt");
    assert_eq!(tables(&kept).iter().filter(|t| t.1 != "equal").count(), 1, "{kept}");
    assert!(std::fs::read_to_string(bed.task.path("receipt.md")).expect("a receipt").contains(&format!("{db}.a")));
    // Only what differed is looked at again, until it is mended.
    let again = bed.run(&["verify", "--recheck", "--format", "json"]);
    assert_eq!(tables(&again.expect(4).stdout), [("a".to_owned(), "differs".to_owned())]);
    bed.destination(&format!("UPDATE `{db}`.a SET v = 500 WHERE id = 500"));
    let mended = bed.run(&["verify", "--recheck", "--format", "json"]);
    assert_eq!(tables(&mended.expect(0).stdout), [("a".to_owned(), "equal".to_owned())]);
    // A sample says that it is one, and which.
    let sample: Value = bed.task.json(&["verify", "--sample", "50", "--seed", "7"]);
    assert_eq!((&sample["mode"]["sample"]["percent"], &sample["seed"]), (&50.into(), &7.into()), "{sample:#}");
}

#[test]
fn a_table_that_is_gone_is_a_difference() {
    let Some(mut bed) = Bed::mariadb("verified_gone") else { return };
    bed.source("CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nCREATE TABLE b (id INT PRIMARY KEY)");
    bed.carried();
    bed.destination(&format!("DROP TABLE `{}`.a", bed.db));
    bed.run(&["verify"]).expect(4);
    bed.destination(&format!("DROP DATABASE `{}`", bed.db));
    bed.run(&["verify"]).expect(4);
}

/// `show PLAN RECEIPT`: the receipt of what was applied covers the plan; one of another spec, with a table too few, or of other data does
/// not, each with its exit code.
#[test]
fn a_receipt_is_held_against_its_plan() {
    let Some(mut bed) = Bed::mariadb("covered") else { return };
    bed.source("CREATE TABLE t (a INT PRIMARY KEY);\nCREATE TABLE u (a INT PRIMARY KEY);\nINSERT INTO t VALUES (1), (2), (3);\nCREATE VIEW v AS SELECT a FROM t");
    bed.run(&["plan", "--out", "plan.json"]).expect(0);
    bed.run(&["apply", "plan.json", "--yes"]).expect(0);
    let receipt = |bed: &Bed, code: i32| {
        let verified = bed.run(&["verify", "--format", "json"]);
        verified.expect(code);
        std::fs::write(bed.task.path("receipt.json"), &verified.stdout).expect("written");
        verified.stdout.clone()
    };
    let show = |bed: &Bed, code: i32, parts: &[&str]| {
        let shown = bed.run(&["show", "plan.json", "receipt.json"]);
        shown.expect(code);
        for part in parts {
            assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
        }
    };
    let text = receipt(&bed, 0);
    let db = bed.db.clone();
    show(&bed, 0, &["Covered: every table", &format!("view {db}.v")]);
    let json = bed.task.json(&["show", "plan.json", "receipt.json"]);
    assert_eq!(json["covered"], true);
    assert_eq!((&json["tables"][0]["ledger_rows"], &json["tables"][0]["source_rows"]), (&3.into(), &3.into()));

    let mut less: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    less["tables"].as_array_mut().expect("tables").remove(0);
    less["spec_digest"] = "0".into();
    std::fs::write(bed.task.path("receipt.json"), less.to_string()).expect("written");
    show(&bed, 6, &["is of another spec", &format!("{db}.t is in the plan and not in the receipt"), "Not covered"]);
    std::fs::write(bed.task.path("receipt.json"), text.replace("\"full\"", "\"count\"")).expect("written");
    show(&bed, 6, &["rows were counted only"]);
    std::fs::write(bed.task.path("receipt.json"), text.replace(&format!("\"database\": \"{db}\""), "\"database\": \"other\""))
        .expect("written");
    show(&bed, 6, &["other.t is in the receipt and not in the plan"]);
    std::fs::write(bed.task.path("receipt.json"), "{}").expect("written");
    bed.run(&["show", "plan.json", "receipt.json"]).expect(65).says("verify --format json");

    bed.source("DELETE FROM t WHERE a = 2");
    receipt(&bed, 4);
    show(&bed, 4, &["differs", "found differences"]);
    bed.run(&["show", "plan.json", "receipt.json", "--summary"]).expect(64);
}
