//! What `--log-file` and `-v` tell: what was done, and neither passwords nor values of rows.

use std::fs;

use super::Bed;

#[test]
fn the_log_tells_what_was_done_and_no_secrets() {
    let Some(mut bed) = Bed::mariadb("logged") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40));\nINSERT INTO t VALUES (1, 'a value nobody may read')");
    let log = bed.task.path("run.log");
    let path = log.display().to_string();
    bed.run(&["apply", "--yes", "--log-file", &path, "--log-format", "json", "-v"]).expect(0).says("phase finished");
    bed.run(&["verify", "--log-file", &path, "--log-format", "json"]).expect(0);
    bed.run(&["plan", "--quiet", "--log-file", &path, "--log-format", "json"]).expect(0);
    let text = fs::read_to_string(&log).expect("a log");
    for told in ["phase started", "statement finished", "table started", "table finished", "table compared", "ended"] {
        assert!(text.contains(told), "{told} is not in the log:\n{text}");
    }
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a JSON line");
    }
    for secret in ["a value nobody may read", testbed::server::ROOT_PASSWORD] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
    // Usual loudness logs nothing beside what it prints.
    let usual = bed.run(&["plan"]);
    usual.expect(0);
    assert!(!usual.stderr.contains("ended"), "{}", usual.stderr);
}
