//! `throttle.full` is a promise to whoever else uses the source.

use std::time::Instant;

use super::Bed;

/// How much faster than its limit a copy may be.
const SLACK: f64 = 1.1;

/// Copies what `make` filled table `t` with under this limit, and returns the seconds that it took, without what comes before the first
/// row and after the last one as far as the same apply without rows tells.
fn seconds(name: &str, make: &str, limit: &str) -> Option<f64> {
    let mut bed = Bed::mariadb(name)?;
    bed.source(make);
    bed.spec(&format!("throttle: {{full: {{{limit}}}}}\n"));
    let begin = Instant::now();
    bed.run(&["apply", "--yes", "--threads", "4"]).expect(0);
    let took = begin.elapsed().as_secs_f64();
    bed.is_equal();
    let status = bed.task.json(&["status"]);
    // The phase alone, as the run timed it: the fixed costs around it would flatter the rate.
    let phase = status["phases"].as_array().and_then(|p| p.iter().find(|p| p["phase"] == "full")).expect("a phase").clone();
    let times = [&phase["started"], &phase["finished"]].map(|t| t.as_str().expect("a time").to_owned());
    let alone = instant(&times[1]) - instant(&times[0]);
    assert!(alone <= took, "{alone} of {took}: {phase:#}");
    eprintln!("{name}: {limit}: {alone:.2} s of {took:.2} s");
    Some(alone)
}

/// Seconds of the day of `2024-01-01T00:00:00.000Z`.
fn instant(time: &str) -> f64 {
    let clock = time.split('T').nth(1).expect("a time").trim_end_matches('Z');
    clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().expect("a number"))
}

fn within(what: &str, amount: f64, seconds: f64, limit: f64) {
    let rate = amount / seconds;
    eprintln!("{what}: {rate:.0} a second, limit {limit}");
    assert!(rate <= limit * SLACK, "{what}: {amount} in {seconds:.2} s are {rate:.0} a second, above {limit} by more than a tenth");
}

#[test]
fn rows_per_second() {
    let make = "CREATE TABLE t (id INT PRIMARY KEY, v CHAR(20));\nINSERT INTO t SELECT seq, 'row' FROM seq_1_to_12000";
    let Some(took) = seconds("throttle_rows", make, "rps: 3000") else { return };
    within("rows", 12_000.0, took, 3000.0);
}

#[test]
fn bytes_per_second() {
    let make = "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT);\nINSERT INTO t SELECT seq, REPEAT('x', 20000) FROM seq_1_to_600";
    let Some(took) = seconds("throttle_bytes", make, "mbps: 3") else { return };
    within("bytes", 600.0 * 20_000.0, took, 3e6);
}

#[test]
fn queries_per_second() {
    // As many tables as it takes: every table is one query at least.
    let make: Vec<String> = (0..24).map(|i| format!("CREATE TABLE t{i} (id INT PRIMARY KEY);\nINSERT INTO t{i} VALUES (1)")).collect();
    let Some(took) = seconds("throttle_queries", &make.join(";\n"), "qps: 6") else { return };
    within("queries", 24.0, took, 6.0);
}
