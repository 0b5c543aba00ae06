//! `kill -9` of the tool itself.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use testbed::{Flavor, Server, ServerOptions, proxy::Proxy};

use super::{CHUNK, assert_all_there, assert_nothing_left, copied, fill, objects};
use crate::support::{End, Random, Task, until};

/// In the order in which an apply comes by: `moment:n` is the n-th time since the process began.
const EARLY: &[&str] = &[
    "phase-started",
    "statement-started:1",
    "statement-finished:1",
    "statement-started:3",
    "statement-finished:2",
    "phase-finished:1",
    "phase-started:2",
    "table-started:1",
    "chunk-begun:1",
    "table-started:4",
    "chunk-loaded:1",
    "chunk-noted:1",
    "chunk-committed:1",
    "chunk-reported:1",
    "chunk-begun:4",
    "chunk-loaded:3",
    "chunk-noted:4",
    "chunk-committed:3",
    "chunk-reported:5",
    "range-finished:1",
    "table-finished:1",
];
const LATE: &[&str] = &[
    "chunk-noted:2",
    "range-finished:1",
    "table-finished:1",
    "phase-finished:2",
    "phase-started:3",
    // Index builds go side by side: how many are left after each of these is a matter of chance.
    "statement-started:1",
    "statement-finished:1",
    "phase-finished:3",
];

fn killed_again_and_again(flavor: Flavor, wide: u32, at_random: u32, every: usize) {
    if !testbed::have(flavor) {
        return;
    }
    let mut random = Random::new("killed_again_and_again");
    let source = Server::start(flavor, ServerOptions::new()).unwrap();
    let destination = Server::start(flavor, ServerOptions::new().arg("--local-infile=1")).unwrap();
    fill(&source, "shop", wide);
    let task = Task::new("killed", &source, &destination, &(objects("shop") + "throttle: {full: {mbps: 5}}\n"));
    let arguments = ["apply", "--yes", "--threads", "4"];
    let mut kills = 0;
    let mut named = BTreeSet::new();
    let mut kill_at = |points: &[&'static str]| {
        for point in points {
            let name = point.split(':').next().unwrap();
            let mut running = task.start(&arguments, &[("DTSCTL_TEST_PAUSE", point), ("DTSCTL_TEST_CHUNK", CHUNK)]);
            let paused = running.says(&format!("paused at {name}\n"));
            let outcome = running.kill9();
            assert!(paused, "after {kills} kills, {point} was not reached:\n{}\n{}", outcome.stdout, outcome.stderr);
            assert_eq!(outcome.code, None, "{}", outcome.stderr);
            kills += 1;
            named.insert(name);
        }
    };
    let few = |points: &[&'static str]| points.iter().copied().step_by(every).collect::<Vec<_>>();
    kill_at(&few(EARLY));
    let mut randomly = 0;
    for _ in 0..at_random {
        let mut running = task.start(&arguments, &[("DTSCTL_TEST_CHUNK", CHUNK)]);
        // From the first look at the servers to the middle of the copy.
        let (begin, after) = (Instant::now(), Duration::from_millis(random.below(1200)));
        until("a random moment", || begin.elapsed() >= after || running.has_ended());
        let outcome = running.kill9();
        assert_eq!(outcome.code, None, "it ended before it was killed: {}", outcome.stderr);
        randomly += 1;
    }
    kill_at(&few(LATE));
    kills += randomly;
    crate::support::say(&format!("{kills} kills, {randomly} of them at random moments, the others at {named:?}"));
    if every == 1 {
        assert!(kills >= 30 && named.len() == 12, "{kills} kills at {named:?}");
    }

    // The last of the kills was after the last piece of work: the state file did not know, and status said `killed` for ever.
    task.run(&arguments).expect(0);
    assert_all_there("killed", &source, &destination, "shop");
    assert_nothing_left(&task);
}

#[test]
fn killed_again_and_again_on_mariadb() {
    killed_again_and_again(Flavor::MariaDb, 50_000, 9, 1);
}

#[test]
fn killed_again_and_again_on_mysql() {
    killed_again_and_again(Flavor::MySql, 24_000, 3, 3);
}

/// The COMMIT of a killed run may still be on its way: here a proxy holds it back for longer than the next run needs to begin. The next
/// run must wait for it and count the chunk once. Without a key nothing but that keeps the rows from being there twice.
fn killed_with_a_commit_in_flight(flavor: Flavor) {
    if !testbed::have(flavor) {
        return;
    }
    let source = Server::start(flavor, ServerOptions::new()).unwrap();
    let destination = Server::start(flavor, ServerOptions::new().arg("--local-infile=1")).unwrap();
    let proxy = Proxy::start(&[&destination]).unwrap();
    for (db, column, moment) in [("keyed", "id INT PRIMARY KEY", "chunk-noted:2:stdin"), ("keyless", "id INT", "chunk-noted:1:stdin")] {
        source.exec(&format!("CREATE DATABASE {db};\nCREATE TABLE {db}.t ({column}, v VARCHAR(20));")).unwrap();
        let rows: Vec<String> = (0..3000).map(|n| format!("({n},'v{n}')")).collect();
        source.exec(&format!("INSERT INTO {db}.t VALUES {};", rows.join(","))).unwrap();
        proxy.delay(Duration::ZERO);
        let far = Task::new(db, &source, End::via(&destination, &proxy), &objects(db));
        let arguments = ["apply", "--yes", "--threads", "1"];
        let mut running = far.start_with_input(&arguments, &[("DTSCTL_TEST_PAUSE", moment), ("DTSCTL_TEST_CHUNK", CHUNK)]);
        assert!(running.says("paused at chunk-noted\n"), "{}", running.said());
        let before = copied(&destination, db);
        proxy.delay(Duration::from_secs(4));
        let taken = proxy.taken();
        running.end_of_input();
        until("the COMMIT to be on its way", || proxy.taken() > taken);
        running.kill9();
        assert_eq!(copied(&destination, db), before, "the COMMIT was not held back");

        let near = Task::new(db, &source, &destination, &objects(db));
        if db == "keyed" {
            let mut next = near.start(&arguments, &[("DTSCTL_TEST_PAUSE", "chunk-begun:1"), ("DTSCTL_TEST_CHUNK", CHUNK)]);
            assert!(next.says("paused at chunk-begun\n"), "{}", next.said());
            let now = copied(&destination, db);
            assert_eq!(now, before + 500, "the chunk whose COMMIT was on its way is there, once, before another begins");
            next.kill9();
        }
        near.run(&arguments).expect(0);
        assert_all_there(db, &source, &destination, db);
        assert_nothing_left(&near);
    }
}

#[test]
fn killed_with_a_commit_in_flight_on_mariadb() {
    killed_with_a_commit_in_flight(Flavor::MariaDb);
}

#[test]
fn killed_with_a_commit_in_flight_on_mysql() {
    killed_with_a_commit_in_flight(Flavor::MySql);
}

/// A killed run's ALTER went on in the server, the next plan held it again, and it failed for a duplicate key name. A session that holds the
/// mark of the schema's sessions stands for it here, since how long an ALTER takes is luck.
#[test]
fn a_statement_that_is_still_at_work_is_waited_for() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    source.exec("CREATE DATABASE shop;\nCREATE TABLE shop.t (id INT PRIMARY KEY);\nINSERT INTO shop.t VALUES (1);").unwrap();
    let task = Task::new("mark", &source, &destination, &objects("shop"));
    let mut earlier = destination.root_conn().unwrap();
    earlier.query_drop("SELECT GET_LOCK('dtsctl:schema:mark', 0)").unwrap();
    let mut running = task.start(&["apply", "--yes"], &[]);
    assert!(running.says("waiting for a statement of an earlier run that the destination is still at: root from "), "{}", running.said());
    // What the statement makes meanwhile is in the plan's view.
    earlier.query_drop("CREATE DATABASE shop CHARACTER SET latin1 COLLATE latin1_swedish_ci").unwrap();
    drop(earlier);
    let outcome = running.end();
    assert!(!outcome.stdout.contains("create database"), "{}", outcome.stdout);
    outcome.expect(0);
    assert_all_there("mark", &source, &destination, "shop");
}
