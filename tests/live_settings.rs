//! What is asked of a running apply from outside: `set` and `stop`, and what tasks on one server have in common.

use mysql::prelude::Queryable as _;
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

/// The whole of it, as somebody who runs a task would look at it.
#[test]
fn a_task_that_follows_the_binlog_is_watched_set_and_stopped() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let name = format!("live_follow_{}", flavor.name());
        let (source, destination) = (shared(flavor, Role::Source), shared(flavor, Role::Destination));
        source.exec(&format!("DROP DATABASE IF EXISTS {name};\nCREATE DATABASE {name}")).expect("a database");
        destination.exec(&format!("DROP DATABASE IF EXISTS {name}")).expect("no database");
        source
            .exec(&format!("CREATE TABLE {name}.t (id INT PRIMARY KEY, v CHAR(20));\nINSERT INTO {name}.t VALUES (1,'a'),(2,'b')"))
            .expect("rows");
        let rest = "phases: {schema: true, full: true, incremental: true}\nheartbeat: {interval: 100ms}\n\
                    precheck: {ignore: [DT254]}\nthrottle: {incremental: {rps: 100000}}\n";
        let task = Task::new(&name, source, destination, &format!("objects: [{{database: {name}}}]\n{rest}"));
        let plan = task.json(&["plan"]);
        assert_eq!(plan["position"]["from"], "now", "{flavor}");
        let running = task.start(&["apply", "--yes", "--until", "never"], &[]);
        let follow = || {
            let outcome = task.run(&["status", "--format", "json"]);
            serde_json::from_str::<serde_json::Value>(&outcome.stdout).map(|status| status["follow"].clone()).unwrap_or_default()
        };
        until("a measured lag", || follow()["by_heartbeat"] == true && follow()["lag_seconds"].is_number());
        until("idleness", || follow()["idle"] == true);
        // What the source keeps of its binlog is judged again (B09).
        until("a look at the retention", || follow()["retention"]["needed_seconds"] == 86_400);
        assert!(follow()["retention"]["oldest_seconds"].is_number(), "{flavor}: {}", follow()["retention"]);
        let listed = task.run(&["list"]);
        listed.expect(0);
        assert!(listed.stdout.contains("running") && listed.stdout.contains("incremental"), "{flavor}: {}", listed.stdout);
        let before = follow()["row_events"].as_u64().expect("a count");
        source.exec(&format!("INSERT INTO {name}.t SELECT id + 10, v FROM {name}.t;\nDELETE FROM {name}.t WHERE id = 1")).expect("rows");
        source.exec(&format!("ALTER TABLE {name}.t ADD COLUMN n INT NOT NULL DEFAULT 5")).expect("a column");
        // Refused at the destination, where somebody has made it already.
        destination.exec(&format!("CREATE TABLE {name}.u (other INT PRIMARY KEY)")).expect("a table");
        source.exec(&format!("CREATE TABLE {name}.u (id INT PRIMARY KEY)")).expect("a table");
        until("the rows", || follow()["row_events"].as_u64() >= Some(before + 3));
        until("the failed statement", || task.json(&["status"])["ddl"]["failed"].as_array().is_some_and(|list| list.len() == 1));
        let errors = task.run(&["status", "--ddl-errors"]);
        assert!(errors.expect(0).stdout.contains("create-table"), "{flavor}: {}", errors.stdout);
        task.run(&["set", "throttle.incremental.rps=none"]).expect(0);
        until("the lifted limit", || !task.run(&["status"]).stdout.contains("throttle.incremental.rps"));
        let shown = task.run(&["status"]);
        assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{flavor}: {}", shown.stdout);
        for words in ["incremental\n  behind", "position    ", "carried     ", "ddl failed: 1 statement"] {
            assert!(shown.stdout.contains(words), "{flavor}: {words}: {}", shown.stdout);
        }
        // While it runs, the plan is to follow on; what the source's definitions have become is no change of ours.
        let plan = task.json(&["plan"]);
        assert_eq!((plan["actions"].as_array().expect("actions").len(), &plan["position"]["applied"]), (1, &true.into()), "{flavor}");
        task.run(&["stop", "--at", "caught-up"]).expect(0);
        running.end().expect(5).says("stopped at caught-up by `dtsctl stop --at`");
        let mut conns = (source.root_conn().expect("a connection"), destination.root_conn().expect("a connection"));
        testbed::equal::compare_tables(&mut conns.0, &name, "t", &mut conns.1, &name, "t").expect("equal");
        let status = task.json(&["status"]);
        assert_eq!((&status["state"], &status["follow"]["lag_seconds"]), (&"stopped".into(), &serde_json::Value::Null), "{flavor}");
        // It goes on where it was, also without its state file.
        std::fs::remove_file(task.state()).expect("removed");
        source.exec(&format!("INSERT INTO {name}.t (id, v) VALUES (99, 'z')")).expect("a row");
        task.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
        testbed::equal::compare_tables(&mut conns.0, &name, "t", &mut conns.1, &name, "t").expect("equal");
        assert!(follow()["row_events"].as_u64() > Some(before + 3), "{flavor}: the destination's count goes on");
    }
}

/// Requirements G06: the binlog is applied no faster than asked, and a limit that is lifted holds at once.
#[test]
fn the_incremental_phase_keeps_to_its_limit_until_it_is_lifted() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let name = format!("live_slow_{}", flavor.name());
        let (source, destination) = (shared(flavor, Role::Source), shared(flavor, Role::Destination));
        source
            .exec(&format!("DROP DATABASE IF EXISTS {name};\nCREATE DATABASE {name};\nCREATE TABLE {name}.t (id INT PRIMARY KEY)"))
            .expect("a table");
        destination.exec(&format!("DROP DATABASE IF EXISTS {name}")).expect("no database");
        let rest = "phases: {schema: true, full: true, incremental: true}\nheartbeat: {write: false}\nthrottle: {incremental: {rps: 1}}\n";
        let task = Task::new(&name, source, destination, &format!("objects: [{{database: {name}}}]\n{rest}"));
        task.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
        // At one row a second it would take a quarter of an hour.
        let backlog: Vec<String> = (1..=900).map(|id| format!("INSERT INTO {name}.t VALUES ({id})")).collect();
        source.exec(&backlog.join(";\n")).expect("rows");
        let mut running = task.start(&["apply", "--yes", "--until", "caught-up"], &[]);
        let status = || {
            let outcome = task.run(&["status", "--format", "json"]);
            serde_json::from_str::<serde_json::Value>(&outcome.stdout).unwrap_or_default()
        };
        let limit = || {
            let shown = status();
            let list = shown["limits"].as_array().cloned().unwrap_or_default();
            list.iter().find(|l| l["name"] == "throttle.incremental.rps").and_then(|l| l["value"].as_f64())
        };
        let mut conn = destination.root_conn().expect("a connection");
        let mut done = || -> Option<u64> { conn.query_first(format!("SELECT COUNT(*) FROM {name}.t")).expect("a count") };
        // A few come, and are not held back until a whole batch of them has passed the limit.
        until("a first row under the limit", || {
            assert!(!running.has_ended(), "{flavor}: {}", running.said());
            limit() == Some(1.0) && done() > Some(0)
        });
        let done = done();
        assert!(done < Some(900) && !running.has_ended(), "{flavor}: {done:?} rows");
        // Without a heartbeat the lag is that of the source's transactions (H01).
        until("a lag by the transactions' times", || {
            let follow = status()["follow"].clone();
            follow["by_heartbeat"] == false && follow["lag_seconds"].as_f64().is_some_and(|lag| lag > 0.0)
        });
        assert!(task.run(&["status"]).stdout.contains("(by the times of its transactions)"), "{flavor}");
        task.run(&["set", "throttle.incremental.rps=none"]).expect(0);
        running.end().expect(0);
        let mut conns = (source.root_conn().expect("a connection"), destination.root_conn().expect("a connection"));
        testbed::equal::compare_tables(&mut conns.0, &name, "t", &mut conns.1, &name, "t").expect("equal");
        assert_eq!(status()["follow"]["row_events"], 900, "{flavor}");
    }
}

/// Requirements G06: rows and bytes of the incremental phase stay within a tenth of their limits, seen at the destination.
#[test]
fn the_incremental_phase_keeps_to_its_limits() {
    // Bytes are those of the row images, of which the text is nearly all.
    for (name, limit, rows, width) in [("live_rps", "rps: 300", 2400_u32, 10), ("live_mbps", "mbps: 1", 240, 50_000)] {
        let rest = format!(
            "phases: {{schema: true, full: true, incremental: true}}\nheartbeat: {{write: false}}\nthrottle: {{incremental: {{{limit}}}}}\n"
        );
        let Some(task) = task(name, &rest) else { return };
        let source = shared(Flavor::MariaDb, Role::Source);
        source.exec(&format!("CREATE TABLE {name}.t (id INT PRIMARY KEY, v LONGTEXT)")).expect("a table");
        task.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
        let backlog: Vec<String> = (1..=rows).map(|id| format!("INSERT INTO {name}.t VALUES ({id}, REPEAT('x', {width}))")).collect();
        source.exec(&backlog.join(";\n")).expect("rows");
        let running = task.start(&["apply", "--yes", "--until", "caught-up"], &[]);
        let mut conn = shared(Flavor::MariaDb, Role::Destination).root_conn().expect("a connection");
        let mut done = || -> u32 { conn.query_first(format!("SELECT COUNT(*) FROM {name}.t")).expect("a count").expect("a row") };
        let mut first = (std::time::Instant::now(), 0);
        until("the first rows", || {
            first = (std::time::Instant::now(), done());
            first.1 > 0
        });
        let mut last = first;
        until("most rows", || {
            last = (std::time::Instant::now(), done());
            last.1 >= rows * 9 / 10
        });
        running.end().expect(0);
        let rate = f64::from(last.1 - first.1) / (last.0 - first.0).as_secs_f64();
        let most = if limit.starts_with("rps") { 300.0 } else { 1e6 / f64::from(width) };
        crate::support::say(&format!("{name}: {rate:.1} rows a second, limit {most:.1}"));
        assert!(rate <= most * 1.1, "{name}: {rate:.1} rows a second, limit {most:.1}");
    }
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
