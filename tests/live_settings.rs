//! What is asked of a running apply from outside: `set` and `stop`, and what tasks on one server have in common.

use testbed::{Flavor, Role, have, shared};

use crate::support::{Task, until};

fn task(name: &str, rest: &str) -> Option<Task> {
    if !have(Flavor::MariaDb) {
        return None;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    source.exec(&format!("DROP DATABASE IF EXISTS {name};\nCREATE DATABASE {name}")).expect("a database");
    destination.exec(&format!("DROP DATABASE IF EXISTS {name}")).expect("no database");
    Some(Task::new(name, source, destination, &format!("objects: [{{database: {name}}}]\n{rest}")))
}

#[test]
fn a_limit_is_lifted_while_the_apply_runs() {
    let Some(task) = task("live_limits", "throttle: {full: {rps: 10}}\n") else { return };
    let source = shared(Flavor::MariaDb, Role::Source);
    source
        .exec(
            "CREATE TABLE live_limits.t (id INT PRIMARY KEY, v CHAR(20));\nINSERT INTO live_limits.t SELECT seq, 'row' FROM live_limits.seq_1_to_50000",
        )
        .expect("rows");
    task.run(&["set", "throttle.full.rps=none"]).expect(65);
    // At ten rows a second it would take more than an hour.
    let running = task.start(&["apply", "--yes", "--threads", "1"], &[]);
    until("a run with its limits", || {
        let outcome = task.run(&["status", "--format", "json"]);
        outcome.code == Some(0) && outcome.stdout.contains("throttle.full.rps")
    });
    let limits = |name: &str| {
        let status = task.json(&["status"]);
        let list = status["limits"].as_array().expect("limits").clone();
        list.iter().find(|limit| limit["name"] == name).map(|limit| limit["value"].as_f64().expect("a number"))
    };
    assert_eq!((limits("throttle.full.rps"), limits("threads")), (Some(10.0), Some(1.0)));
    task.run(&["set", "throttle.full.rps=none", "threads=3"]).expect(0).says("asked for throttle.full.rps=none, threads=3");
    running.end().expect(0).says("limits: threads=3");
    assert_eq!((limits("throttle.full.rps"), limits("threads")), (None, Some(3.0)));
    let status = task.json(&["status"]);
    assert_eq!(status["totals"]["rows_done"], 50_000);
    // Nobody runs: there is nobody to ask.
    let refused = task.run(&["set", "threads=2"]);
    assert_ne!(refused.code, Some(0));
    refused.says("no apply is running");
}

#[test]
fn a_stop_at_a_point_needs_the_incremental_phase() {
    let Some(task) = task("live_stop", "throttle: {full: {rps: 10}}\n") else { return };
    shared(Flavor::MariaDb, Role::Source)
        .exec("CREATE TABLE live_stop.t (id INT PRIMARY KEY);\nINSERT INTO live_stop.t SELECT seq FROM live_stop.seq_1_to_5000")
        .expect("rows");
    let running = task.start(&["apply", "--yes"], &[]);
    until("a run", || task.run(&["status"]).code == Some(0));
    task.run(&["stop", "--at", "caught-up"]).expect(64).says("needs the incremental phase");
    until("the stop", || task.run(&["stop"]).code == Some(0));
    running.end().expect(5);
    task.run(&["apply", "--yes", "--until", "never"]).expect(64).says("needs the incremental phase");
}

/// Requirements G02.
#[test]
fn tasks_on_one_server_share_the_shortest_window() {
    let Some(first) = task("shared_window", "retry: {connection: 45m}\n") else { return };
    shared(Flavor::MariaDb, Role::Source).exec("CREATE TABLE shared_window.t (id INT PRIMARY KEY)").expect("a table");
    first.run(&["apply", "--yes"]).expect(0);
    let Some(second) = task("shared_window_2", "") else { return };
    let state = first.path(".dtsctl/second.db");
    let outcome = second.run(&["plan", "--state", state.to_str().expect("text")]);
    outcome.expect(0);
    let said = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("DT270 shared-retry retry.connection is 45m here and not 12h: task shared_window uses"), "{said}");
    // The other way round nothing is shortened.
    second.run(&["plan"]).expect(0);
    assert!(!second.run(&["plan"]).stdout.contains("DT270"));
}
