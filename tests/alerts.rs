//! Alerts: what a command of the user's is told, with real servers and a real command, and what becomes of one that fails, hangs or cannot
//! keep up.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use mysql::{Conn, prelude::Queryable as _};
use serde_json::Value;
use testbed::{Flavor, Role, Server, have, proxy::Proxy, shared};

use crate::support::{End, Task, rows, until};

const CATCH_UP: [&str; 4] = ["apply", "--yes", "--until", "caught-up"];
const FOLLOW: [&str; 2] = ["apply", "--yes"];
const PHASES: &str = "phases: {schema: true, full: true, incremental: true}\nprecheck: {ignore: [DT254]}\nheartbeat: {interval: 100ms}\n";

/// Keeps what it is told in `told`, and the environment in which it was.
const KEEP: &str = "#!/bin/sh\nenv > environment\ncat >> told\n";

/// One source database, made anew, and a task with a command.
struct Bed {
    task: Task,
    db: String,
    source: Conn,
    destination: Conn,
}

impl Bed {
    /// `alerts` are the keys behind `command`, each with a comma before it.
    fn new(from: &Server, to: &Server, name: &str, script: &str, alerts: &str, rest: &str) -> Self {
        Self::by(from, to, (from.into(), to.into()), name, script, alerts, rest)
    }

    fn by(from: &Server, to: &Server, ends: (End, End), name: &str, script: &str, alerts: &str, rest: &str) -> Self {
        let db = format!("alerts_{name}_{}_{}", from.flavor(), to.flavor());
        let phases = if rest.contains("phases:") { "" } else { PHASES };
        let spec = format!("{phases}objects: [{{database: {db}}}]\nalerts: {{command: [./hook.sh, \"one two\"]{alerts}}}\n{rest}");
        let task = Task::new(&db, ends.0, ends.1, &spec);
        let bed = Self { db, source: from.root_conn().expect("source"), destination: to.root_conn().expect("destination"), task };
        bed.hook(script);
        let mut bed = bed;
        let db = bed.db.clone();
        bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {db}")).unwrap();
        bed.source.query_drop(format!("DROP DATABASE IF EXISTS {db}")).unwrap();
        bed.source.query_drop(format!("CREATE DATABASE {db}")).unwrap();
        bed.source.query_drop(format!("USE {db}")).unwrap();
        bed.source.query_drop("CREATE TABLE t (id INT PRIMARY KEY, n INT)").unwrap();
        bed.source.query_drop("INSERT INTO t VALUES (1, 1), (2, 2)").unwrap();
        bed
    }

    /// The command is this from now on.
    fn hook(&self, script: &str) {
        let path = self.task.path("hook.sh");
        fs::write(&path, script).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    }

    fn source(&mut self, sql: &str) {
        self.source.query_drop(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// At the destination, in its database.
    fn destination(&mut self, sql: &str) {
        self.destination.query_drop(format!("USE {}", self.db)).expect("use");
        self.destination.query_drop(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn rows(&mut self) -> Vec<String> {
        let sql = format!("SELECT id, n FROM {}.t ORDER BY id", self.db);
        rows(&mut self.destination, &sql)
    }

    /// What the command was told so far.
    fn told(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.task.path("told")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
    }

    /// What it was told of one event.
    fn told_of(&self, event: &str) -> Vec<Value> {
        self.told().into_iter().filter(|alert| alert["event"] == event).collect()
    }

    fn events(&self) -> Vec<String> {
        self.told().iter().map(|alert| alert["event"].as_str().expect("a text").to_owned()).collect()
    }

    /// The notes that the status shows.
    fn notes(&self) -> String {
        self.task.json(&["status"])["notes"].to_string()
    }
}

/// Tests `test` on each pair of servers that can be had here.
fn each(test: impl Fn(&Server, &Server)) {
    for (from, to) in Flavor::PAIRS.into_iter().filter(|&(from, to)| have(from) && have(to)) {
        crate::support::say(&format!("{from} to {to}"));
        test(shared(from, Role::Source), shared(to, Role::Destination));
    }
}

fn any() -> Option<(&'static Server, &'static Server)> {
    let flavor = Flavor::ALL.into_iter().find(|&flavor| have(flavor))?;
    Some((shared(flavor, Role::Source), shared(flavor, Role::Destination)))
}

fn runs(pid: &str) -> bool {
    // A zombie has ended; only its parent has not heard of it yet.
    fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// A failing statement and a conflict are told with where they are, the end says so too, and no value of a row and no password is in it.
#[test]
fn a_failed_statement_and_a_conflict_are_told_without_values_and_secrets() {
    each(|from, to| {
        let mut bed = Bed::new(from, to, "met", KEEP, ", timeout: 5m", "labels: {team: storage}\n");
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(bed.events(), Vec::<String>::new(), "nothing to tell of a good run");
        // The server's own words for this hold the value: Duplicate entry '771234' for key.
        bed.destination("INSERT INTO t VALUES (881234, 771234), (881235, 771234)");
        bed.source("CREATE UNIQUE INDEX u ON t (n)");
        bed.source("INSERT INTO t VALUES (881234, 5)");
        let outcome = bed.task.run(&CATCH_UP);
        outcome.expect(0);
        // The last word of a run goes before whatever still waits for the command.
        let mut events = bed.events();
        events.sort();
        assert_eq!(events, ["conflict", "ddl-failed", "finished-unexpected"], "{}", outcome.stderr);
        let told = bed.told();
        let of = |event: &str| told.iter().find(|alert| alert["event"] == event).expect(event);
        for alert in &told {
            assert_eq!(alert["format_version"], "1.0");
            assert_eq!(alert["task"], bed.db);
            assert_eq!(alert["labels"]["team"], "storage");
            assert!(alert["source"].as_str().expect("a text").ends_with(&from.port().to_string()));
            assert!(alert["destination"].as_str().expect("a text").ends_with(&to.port().to_string()));
            assert!(alert["message"].as_str().expect("a text").starts_with(&format!("{}: ", bed.db)), "{alert}");
            assert_eq!((&alert["repeated"], &alert["lost"], &alert["phase"]), (&0.into(), &0.into(), &"incremental".into()));
        }
        let ddl = &of("ddl-failed")["ddl_failed"];
        assert_eq!((&ddl["class"], &ddl["object"]), (&"create-index".into(), &format!("{}.t", bed.db).into()), "{ddl}");
        assert!(ddl["error"].as_str().expect("a text").contains("1062"), "{ddl}");
        let file = ddl["place"].as_str().expect("a text");
        assert!(file.contains(':'), "{file}");
        let conflict = &of("conflict")["conflict"];
        assert_eq!((&conflict["kind"], &conflict["table"]["table"], &conflict["rows"]), (&"insert-exists".into(), &"t".into(), &1.into()));
        assert_eq!(conflict["key"], serde_json::json!(["id"]));
        assert_eq!(of("finished-unexpected")["finished_unexpected"], serde_json::json!({"conflict_rows": 1, "ddl_failed": 1}));

        let text = fs::read_to_string(bed.task.path("told")).expect("told");
        assert!(!text.contains("771234") && !text.contains("88123"), "a value of a row: {text}");
        let environment = fs::read_to_string(bed.task.path("environment")).expect("an environment");
        assert!(environment.contains("PATH="), "{environment}");
        for server in [from, to] {
            assert!(!server.password().is_empty() && !text.contains(server.password()), "a password: {text}");
            assert!(!environment.contains("TEST_SOURCE_PASSWORD") && !environment.contains("TEST_DESTINATION_PASSWORD"), "{environment}");
        }
    });
}

/// An error is told with its exit code, before a run as well as in it; whoever stops an apply is not told that it stopped.
#[test]
fn a_stop_with_an_error_is_told_and_one_on_request_is_not() {
    each(|from, to| {
        let mut bed = Bed::new(from, to, "stops", KEEP, ", events: [stopped]", "conflict: {rows: fail}\n");
        let mut running = bed.task.start(&FOLLOW, &[]);
        running.follows();
        running.signal("TERM");
        running.end().expect(5);
        assert_eq!(bed.events(), Vec::<String>::new());
        bed.destination("INSERT INTO t VALUES (881234, 1)");
        bed.source("INSERT INTO t VALUES (881234, 5)");
        bed.task.run(&CATCH_UP).expect(1);
        let told = bed.told();
        assert_eq!(told.len(), 1, "{told:?}");
        let stopped = &told[0]["stopped"];
        assert_eq!((&stopped["exit_code"], &told[0]["phase"]), (&1.into(), &"incremental".into()));
        assert!(stopped["error"].as_str().expect("a text").contains("insert-exists"), "{stopped}");
        assert!(stopped["hints"].as_array().is_some_and(|hints| !hints.is_empty()), "{stopped}");
        assert!(told[0]["message"].as_str().expect("a text").contains("exit code 1"), "{}", told[0]);
        assert!(!told[0].to_string().contains("881234"), "{}", told[0]);

        // Nothing has begun: no password, then a plan that is blocked.
        let bare = bed.task.command(&CATCH_UP).env_remove("TEST_SOURCE_PASSWORD").output().expect("runs");
        assert_eq!(bare.status.code(), Some(1));
        let mut other = Bed::new(from, to, "blocked", KEEP, "", "");
        other.destination.query_drop(format!("CREATE DATABASE {}", other.db)).unwrap();
        other.destination("CREATE TABLE t (id INT PRIMARY KEY, n INT)");
        other.destination("INSERT INTO t VALUES (1, 1)");
        other.task.run(&CATCH_UP).expect(3);
        let codes: Vec<Value> = [bed.told(), other.told()].concat().iter().map(|alert| alert["stopped"]["exit_code"].clone()).collect();
        assert_eq!(codes, [Value::from(1), Value::from(1), Value::from(3)], "{:#?}", bed.told());
        assert_eq!(other.told()[0]["phase"], Value::Null);
    });
}

/// A lock at the destination holds the rows back: the lag is told once, and once when it is over.
#[test]
fn a_lag_above_the_limit_is_told_and_so_is_its_end() {
    each(|from, to| {
        let mut bed = Bed::new(from, to, "lag", KEEP, ", lag: 1s, lag_for: 0s, events: [lag, stopped]", "");
        let mut running = bed.task.start(&FOLLOW, &[]);
        running.follows();
        let mut holder = to.root_conn().expect("a session");
        holder.query_drop("BEGIN").unwrap();
        until("the copy", || bed.rows() == ["1|1", "2|2"]);
        holder.query_drop(format!("SELECT * FROM {}.t WHERE id = 1 FOR UPDATE", bed.db)).unwrap();
        bed.source("UPDATE t SET n = 9 WHERE id = 1");
        // A machine that is busy with other tests may have been behind before, and caught up.
        let course = || bed.told().last().map(|alert| alert["lag"]["course"].clone()).unwrap_or_default();
        until("the lag to be told", || course() == "begun");
        let alert = bed.told().pop().expect("told");
        assert_eq!((&alert["phase"], &alert["lag"]["limit_seconds"]), (&"incremental".into(), &1.0.into()), "{alert}");
        assert!(alert["lag"]["seconds"].as_f64() > Some(1.0), "{alert}");
        holder.query_drop("ROLLBACK").unwrap();
        until("the end of the lag to be told", || course() == "over");
        let alert = bed.told().pop().expect("told");
        assert!(alert["lag"]["seconds"].as_f64() <= Some(1.0), "{alert}");
        until("the row", || bed.rows() == ["1|9", "2|2"]);
        running.signal("INT");
        running.end().expect(5);
        assert!(bed.events().iter().all(|event| event == "lag"), "{:?}", bed.events());
        for (index, alert) in bed.told().iter().enumerate() {
            assert_eq!(alert["lag"]["course"], if index % 2 == 0 { "begun" } else { "over" }, "{:#?}", bed.told());
        }
    });
}

/// A destination that is gone: told when the wait has lasted, and when it is over.
#[test]
fn a_long_wait_for_a_server_is_told_and_so_is_its_end() {
    let Some((from, to)) = any() else { return };
    let proxy = Proxy::start(&[to]).expect("a proxy");
    let ends = (from.into(), End::via(to, &proxy));
    let mut bed = Bed::by(from, to, ends, "waits", KEEP, ", waiting: 1s, events: [waiting]", "");
    let mut running = bed.task.start(&FOLLOW, &[]);
    running.follows();
    proxy.refuse(true);
    proxy.cut();
    bed.source("INSERT INTO t VALUES (3, 3)");
    until("the wait to be told", || !bed.told().is_empty());
    let waiting = &bed.told()[0]["waiting"];
    assert_eq!(waiting["course"], "begun", "{waiting}");
    assert!(waiting["seconds"].as_f64() >= Some(1.0), "{waiting}");
    assert!(waiting["reason"].as_str().expect("a text").contains(&proxy.port().to_string()), "{waiting}");
    proxy.refuse(false);
    until("the end of the wait to be told", || bed.told().iter().any(|alert| alert["waiting"]["course"] == "over"));
    until("the row", || bed.rows() == ["1|1", "2|2", "3|3"]);
    running.signal("INT");
    running.end().expect(5);
}

#[test]
fn a_full_copy_that_takes_too_long_is_told_once() {
    let Some((from, to)) = any() else { return };
    let rest = "phases: {schema: true, full: true, incremental: false}\nthrottle: {full: {rps: 1}}\n";
    let mut bed = Bed::new(from, to, "full", KEEP, ", full_timeout: 1s", rest);
    bed.source("INSERT INTO t SELECT a.id * 100 + b.id + 10, 1 FROM t a, t b");
    let running = bed.task.start(&FOLLOW, &[]);
    until("the limit to be told", || !bed.told().is_empty());
    bed.task.run(&["set", "throttle.full.rps=none"]);
    running.end().expect(0);
    assert_eq!(bed.events(), ["full-timeout"]);
    let told = bed.told();
    assert_eq!((&told[0]["phase"], &told[0]["full_timeout"]["limit_seconds"]), (&"full".into(), &1.0.into()));
    assert!(told[0]["full_timeout"]["seconds"].as_f64() >= Some(1.0), "{}", told[0]);
}

/// One table whose rows are all there already: one alert when the first is met, one for the rest at the end.
#[test]
fn many_conflicts_of_a_table_are_two_alerts() {
    let Some((from, to)) = any() else { return };
    let mut bed = Bed::new(from, to, "flood", KEEP, ", events: [conflict]", "");
    bed.task.run(&CATCH_UP).expect(0);
    let (mut at_source, mut there) = (Vec::new(), Vec::new());
    for id in 1000..1300 {
        at_source.push(format!("INSERT INTO t VALUES ({id}, {id})"));
        there.push(format!("({id}, 0)"));
    }
    bed.destination(&format!("INSERT INTO t VALUES {}", there.join(", ")));
    for statement in &at_source {
        bed.source(statement);
    }
    bed.task.run(&CATCH_UP).expect(0);
    let told = bed.told_of("conflict");
    assert!((1..=2).contains(&told.len()), "{told:?}");
    let rows: u64 = told.iter().map(|alert| alert["conflict"]["rows"].as_u64().expect("a number")).sum();
    assert_eq!(rows, 300, "{told:?}");
    assert_eq!(bed.rows().len(), 302);
}

/// What goes wrong with the command is a note of the run, with the command's own last words, and changes nothing else.
#[test]
fn a_command_that_fails_is_noted_and_the_apply_ends_as_it_would() {
    let Some((from, to)) = any() else { return };
    let script = "#!/bin/sh\necho 'trying' >&2\necho 'no such channel' >&2\nexit 3\n";
    let mut bed = Bed::new(from, to, "fails", script, "", "");
    bed.task.run(&CATCH_UP).expect(0);
    bed.destination("INSERT INTO t VALUES (5, 0)");
    bed.source("INSERT INTO t VALUES (5, 5)");
    let outcome = bed.task.run(&CATCH_UP);
    outcome.expect(0).says("no such channel");
    assert_eq!(bed.rows(), ["1|1", "2|2", "5|5"]);
    let notes = bed.notes();
    for words in ["`conflict`", "`finished-unexpected`", "exit status: 3", "no such channel"] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
    assert!(!notes.contains("trying"), "{notes}");

    // One that is gone since it was looked for cannot even be started; one that does not read is no failure.
    bed.hook("#!/nowhere/interpreter\n");
    bed.destination("INSERT INTO t VALUES (6, 0)");
    bed.source("INSERT INTO t VALUES (6, 6)");
    bed.task.run(&CATCH_UP).expect(0).says("the command cannot be run");
    bed.hook("#!/bin/sh\nexit 0\n");
    bed.destination("INSERT INTO t VALUES (7, 0)");
    bed.source("INSERT INTO t VALUES (7, 7)");
    let outcome = bed.task.run(&CATCH_UP);
    assert!(!outcome.expect(0).stderr.contains("not delivered"), "{}", outcome.stderr);
}

/// A command that hangs holds up neither rows nor the end, is killed with what it has started, and the last word still comes.
#[test]
fn a_command_that_hangs_holds_nothing_up_and_is_killed_with_its_children() {
    let Some((from, to)) = any() else { return };
    let script = "#!/bin/sh\nsleep 100000 &\necho $! >> pids\necho $$ >> pids\ncat >> told\nwait\n";
    let mut bed = Bed::new(from, to, "hangs", script, ", timeout: 1s", "");
    let mut running = bed.task.start(&FOLLOW, &[]);
    running.follows();
    until("the copy", || bed.rows() == ["1|1", "2|2"]);
    bed.destination("INSERT INTO t VALUES (5, 0)");
    bed.source("INSERT INTO t VALUES (5, 5)");
    until("the first alert", || bed.events() == ["conflict"]);
    bed.source("INSERT INTO t VALUES (6, 6)");
    until("the row", || bed.rows() == ["1|1", "2|2", "5|5", "6|6"]);
    until("the note", || bed.notes().contains("killed after 1s"));
    bed.task.run(&["stop", "--at", "caught-up"]).expect(0);
    running.end().expect(5);
    let pids = fs::read_to_string(bed.task.path("pids")).expect("pids");
    assert_eq!(pids.lines().count(), 2, "{pids}");
    until("the end of what the command had started", || !pids.lines().any(runs));

    // With all the time it wants, it does not keep rows from being carried.
    let script = "#!/bin/sh\necho $$ >> held\nexec sleep 100000\n";
    bed.hook(script);
    let spec = fs::read_to_string(bed.task.path("dtsctl.yaml")).expect("a spec").replace("timeout: 1s", "timeout: 10m");
    fs::write(bed.task.path("dtsctl.yaml"), spec).expect("a spec");
    let mut running = bed.task.start(&FOLLOW, &[]);
    running.follows();
    bed.destination("INSERT INTO t VALUES (7, 0)");
    bed.source("INSERT INTO t VALUES (7, 7)");
    until("the command to hang", || bed.task.path("held").exists());
    bed.source("INSERT INTO t VALUES (8, 8)");
    until("the row", || bed.rows().len() == 6);
    // The first signal stops the rows, the second the waiting for the command.
    running.signal_until_ended("INT");
    running.end().expect(5);
    let held = fs::read_to_string(bed.task.path("held")).expect("a pid");
    Command::new("kill").arg(held.trim()).status().expect("runs");
}

/// What a plan would fail with is ignored on purpose: the apply works and says that nobody is told.
#[test]
fn an_apply_without_its_command_says_so() {
    let Some((from, to)) = any() else { return };
    let mut bed = Bed::new(from, to, "without", KEEP, "", "");
    fs::remove_file(bed.task.path("hook.sh")).expect("removed");
    bed.task.run(&CATCH_UP).expect(3).says("DT305").says("`./hook.sh` is not there");
    let spec = fs::read_to_string(bed.task.path("dtsctl.yaml")).expect("a spec").replace("[DT254]", "[DT254, DT305]");
    fs::write(bed.task.path("dtsctl.yaml"), spec).expect("a spec");
    bed.task.run(&CATCH_UP).expect(0);
    assert!(bed.notes().contains("no alert will be told"), "{}", bed.notes());
    assert_eq!(bed.rows(), ["1|1", "2|2"]);
}
