//! `plan`, `show` and `ping` against real servers.

use std::{fs, path::PathBuf, time::Instant};

use dtsctl::plan;
use testbed::{Flavor, Role, Server, have, shared};

use crate::spec::{dtsctl, outcome};

/// A folder with a spec that carries one database, made anew and empty at the source and absent at the destination.
pub(crate) struct Task {
    folder: tempfile::TempDir,
    name: String,
    source: End,
    destination: End,
    incremental: bool,
    extra: String,
}

struct End {
    host: String,
    port: u16,
    user: String,
    password: String,
}

impl End {
    fn of(server: &Server) -> Self {
        Self { host: server.host().into(), port: server.port(), user: server.user().into(), password: server.password().into() }
    }

    fn yaml(&self, variable: &str) -> String {
        let password = if self.password.is_empty() { "\"\"".to_owned() } else { format!("{{env: {variable}}}") };
        format!("{{host: {}, port: {}, user: {}, password: {password}}}", self.host, self.port, self.user)
    }
}

impl Task {
    pub(crate) fn new(source: &Server, destination: &Server, database: &str) -> Self {
        source.exec(&format!("DROP DATABASE IF EXISTS `{database}`;\nCREATE DATABASE `{database}`")).expect("a database");
        destination.exec(&format!("DROP DATABASE IF EXISTS `{database}`")).expect("no database");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            name: database.to_owned(),
            source: End::of(source),
            destination: End::of(destination),
            incremental: false,
            extra: String::new(),
        }
    }

    pub(crate) fn source_account(&mut self, user: &str, password: &str) {
        (self.source.user, self.source.password) = (user.into(), password.into());
    }

    pub(crate) fn destination_account(&mut self, user: &str, password: &str) {
        (self.destination.user, self.destination.password) = (user.into(), password.into());
    }

    pub(crate) fn source_port(&mut self, port: u16) {
        self.source.port = port;
    }

    /// Switches the incremental phase on.
    pub(crate) fn follows(&mut self) {
        self.incremental = true;
    }

    /// Further keys of the spec.
    pub(crate) fn extra(&mut self, text: &str) {
        self.extra = text.to_owned();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let text = format!(
            "version: 1\nname: {}\nsource: {}\ndestination: {}\nphases: {{schema: true, full: true, incremental: {}}}\nobjects: [{{database: {}}}]\n{}",
            self.name,
            self.source.yaml("SRC"),
            self.destination.yaml("DST"),
            self.incremental,
            self.name,
            self.extra
        );
        fs::write(self.path("dtsctl.yaml"), text).expect("a spec");
        let mut command = dtsctl();
        command.current_dir(&self.folder).env("SRC", &self.source.password).env("DST", &self.destination.password).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        outcome(&mut self.command(arguments))
    }
}

/// A plan in JSON, and the exit code.
pub(crate) fn plan_json(task: &Task, arguments: &[&str]) -> (i32, serde_json::Value) {
    let output = task.command(&[&["plan", "--format", "json"], arguments].concat()).output().expect("runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("a code"), json)
}

fn pair(flavor: Flavor) -> Option<(&'static Server, &'static Server)> {
    have(flavor).then(|| (shared(flavor, Role::Source), shared(flavor, Role::Destination)))
}

#[test]
fn a_plan_is_shown_saved_and_shown_again_offline() {
    let Some((source, destination)) = pair(Flavor::MariaDb) else { return };
    let task = Task::new(source, destination, "plan_basic");
    source
        .exec(
            "CREATE TABLE plan_basic.orders (id INT PRIMARY KEY, note TEXT);\nCREATE TABLE plan_basic.log (a INT);\n\
             CREATE VIEW plan_basic.v AS SELECT id FROM plan_basic.orders;\nINSERT INTO plan_basic.orders VALUES (1,'secret-value')",
        )
        .expect("tables");
    let shown = task.run(&["plan", "--out", "plan.json"]);
    assert!(shown.starts_with("exit 0\n---stdout---\ndtsctl plan  plan_basic"), "{shown}");
    for line in ["create table", "1 chunk by id", "one snapshot, no key", "alert   DT221 table-keys: plan_basic.log", "create view"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(shown.ends_with("---stderr---\n"), "{shown}");
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    let saved = fs::read_to_string(task.path("plan.json")).expect("a plan");
    assert!(!saved.contains("secret-value") && plan::load(&saved).is_ok());
    // Offline: the spec is not even there.
    fs::remove_file(task.path("dtsctl.yaml")).expect("removed");
    let again = outcome(dtsctl().current_dir(&task.folder).args(["show", "plan.json"]));
    assert_eq!(again, shown);
    let json = outcome(dtsctl().current_dir(&task.folder).args(["show", "plan.json", "--format", "json"]));
    assert_eq!(json, format!("exit 0\n---stdout---\n{saved}---stderr---\n"));

    assert!(task.run(&["plan", "--detailed-exitcode"]).starts_with("exit 2\n"));
    fs::write(task.path("plan.json"), saved.replace("\"format_version\": \"1.2\"", "\"format_version\": \"9.0\"")).expect("written");
    let refused = outcome(dtsctl().current_dir(&task.folder).args(["show", "plan.json"]));
    assert!(refused.starts_with("exit 65\n") && refused.contains("format 9.0"), "{refused}");
    let missing = outcome(dtsctl().current_dir(&task.folder).args(["show", "nothing.json"]));
    assert!(missing.starts_with("exit 65\n") && missing.contains("hint: `dtsctl plan --out PATH`"), "{missing}");
}

#[test]
fn existing_tables_block_with_three_ways_out() {
    let Some((source, destination)) = pair(Flavor::MariaDb) else { return };
    let mut task = Task::new(source, destination, "plan_existing");
    source.exec("CREATE TABLE plan_existing.t (id INT PRIMARY KEY, a INT)").expect("a table");
    destination.exec("CREATE DATABASE plan_existing;\nCREATE TABLE plan_existing.t (id INT PRIMARY KEY, b INT)").expect("a table");
    let shown = task.run(&["plan"]);
    assert!(shown.starts_with("exit 3\n"), "{shown}");
    assert!(shown.contains("failed  DT224 equal-names: plan_existing.t"), "{shown}");
    assert!(shown.contains("Blocked: a precheck failed (DT224). `dtsctl explain DT224` says more."), "{shown}");

    task.extra("conflict: {existing_tables: ignore}\n");
    let shown = task.run(&["plan"]);
    assert!(shown.starts_with("exit 0\n") && shown.contains("not copied: a; left\n          to their defaults: b"), "{shown}");

    task.extra("conflict: {existing_tables: align}\n");
    let shown = task.run(&["plan"]);
    assert!(shown.starts_with("exit 3\n") && shown.contains("(DT112)") && shown.contains("--allow-unsafe a"), "{shown}");
    task.extra("conflict: {existing_tables: align}\nallow: [{action: drop-column, table: plan_existing.t, column: b}]\n");
    let shown = task.run(&["plan"]);
    assert!(shown.starts_with("exit 0\n") && shown.contains("permitted"), "{shown}");
}

#[test]
fn two_plans_of_one_state_are_one_and_drift_is_named() {
    let Some((source, destination)) = pair(Flavor::MySql) else { return };
    let task = Task::new(source, destination, "plan_drift");
    source.exec("CREATE TABLE plan_drift.a (id INT PRIMARY KEY);\nCREATE TABLE plan_drift.b (id INT PRIMARY KEY)").expect("tables");
    let read = |task: &Task| plan::load(&plan_json(task, &[]).1.to_string()).expect("loads");
    let (one, two) = (read(&task), read(&task));
    assert_eq!(one.id, two.id);
    assert_eq!(plan::stale(&one, &two), Vec::<String>::new());
    source.exec("ALTER TABLE plan_drift.a ADD COLUMN x INT;\nDROP TABLE plan_drift.b").expect("changes");
    destination.exec("CREATE DATABASE plan_drift").expect("a database");
    assert_eq!(
        plan::stale(&one, &read(&task)),
        ["source table plan_drift.a has changed", "source table plan_drift.b is gone", "destination database plan_drift is new"]
    );
}

#[test]
#[expect(clippy::print_stdout, reason = "a measurement for whoever asks with --nocapture")]
fn a_thousand_tables_are_planned_in_seconds() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        let Some((source, destination)) = pair(flavor) else { continue };
        let task = Task::new(source, destination, &format!("plan_thousand_{}", flavor.name()));
        let mut conn = source.root_conn().expect("a connection");
        use mysql::prelude::Queryable as _;
        conn.query_drop(format!("USE `{}`", task.name)).expect("use");
        for i in 0..1000 {
            conn.query_drop(format!("CREATE TABLE t{i} (id INT PRIMARY KEY, a VARCHAR(20), b DATETIME, KEY k (a))")).expect("a table");
        }
        let start = Instant::now();
        let (code, json) = plan_json(&task, &[]);
        println!("{flavor}: 1,000 tables planned in {:?}", start.elapsed());
        assert_eq!(code, 0, "{json:#}");
        assert_eq!(json["summary"]["create"].as_u64(), Some(1001));
        assert_eq!(json["summary"]["copy_tables"].as_u64(), Some(1000));
        let markdown = task.command(&["plan", "--format", "markdown"]).output().expect("runs").stdout;
        assert!(markdown.len() <= 60_000, "{}", markdown.len());
        source.exec(&format!("DROP DATABASE `{}`", task.name)).expect("dropped");
    }
}

#[test]
fn ping_tells_of_both_ends_and_of_the_one_that_answers() {
    let Some((source, destination)) = pair(Flavor::MariaDb) else { return };
    let mut task = Task::new(source, destination, "plan_ping");
    let shown = task.run(&["ping"]);
    assert!(shown.starts_with("exit 0\n") && shown.contains(&format!("mariadb {}", source.version())), "{shown}");
    assert!(shown.contains("The clocks agree within"), "{shown}");
    let json: serde_json::Value =
        serde_json::from_slice(&task.command(&["ping", "--format", "json"]).output().expect("runs").stdout).expect("JSON");
    assert_eq!(json["source"]["address"], format!("{}:{}", source.host(), source.port()));
    task.source_port(1);
    let shown = task.run(&["ping"]);
    assert!(
        shown.starts_with("exit 1\n") && shown.contains("error: cannot reach") && shown.contains(&destination.port().to_string()),
        "{shown}"
    );
}
