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
