//! `kill -9` of the tool itself.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use testbed::{Flavor, Server, ServerOptions};

use super::{CHUNK, assert_all_there, assert_nothing_left, copied, fill, objects, until_copied};
use crate::support::{Random, Task, until};

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
    "statement-started:1",
    "statement-finished:1",
    "statement-started:2",
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

/// What a killed run has in flight in the server goes on there: here a COMMIT, held up by a global read lock so that it is certain to be
/// in flight, with the whole server frozen while the tool dies. The next run must wait for it and count the chunk once.
fn killed_with_a_commit_in_flight(flavor: Flavor) {
    if !testbed::have(flavor) {
        return;
    }
    let source = Server::start(flavor, ServerOptions::new()).unwrap();
    let destination = Server::start(flavor, ServerOptions::new().arg("--local-infile=1")).unwrap();
    fill(&source, "shop", 6000);
    let task = Task::new("commit", &source, &destination, &(objects("shop") + "throttle: {full: {rps: 4000}}\n"));
    let arguments = ["apply", "--yes", "--threads", "4"];
    let few = [("DTSCTL_TEST_CHUNK", "100")];
    let mut conn = destination.root_conn().unwrap();
    // Waiting sessions: their numbers, and whether it is a COMMIT that waits.
    let waiting = |conn: &mut mysql::Conn| -> Vec<(u64, bool)> {
        conn.query(
            "SELECT ID, INFO LIKE '%COMMIT%' FROM information_schema.PROCESSLIST \
             WHERE STATE LIKE 'Waiting for %lock%' AND ID <> CONNECTION_ID()",
        )
        .unwrap()
    };
    let commits = |conn: &mut mysql::Conn| -> Vec<u64> { waiting(conn).into_iter().filter(|w| w.1).map(|w| w.0).collect() };
    for _ in 0..2 {
        let mut running = task.start(&arguments, &few);
        let rows = copied(&destination, "commit");
        until_copied(&mut running, &destination, "commit", rows);
        conn.query_drop("FLUSH TABLES WITH READ LOCK").unwrap();
        let mut inflight = Vec::new();
        until("a COMMIT in flight", || {
            assert!(!running.has_ended(), "{}", running.said());
            inflight = commits(&mut conn);
            if inflight.is_empty() && waiting(&mut conn).len() >= 4 {
                // All wait at the beginning of a chunk: let them go on a little.
                conn.query_drop("UNLOCK TABLES").unwrap();
                conn.query_drop("FLUSH TABLES WITH READ LOCK").unwrap();
            }
            !inflight.is_empty()
        });
        let before = copied(&destination, "commit");
        destination.freeze().unwrap();
        running.kill9();
        destination.thaw().unwrap();
        // The server has not noticed: the COMMIT is still there, and the next run begins beside it.
        assert!(inflight.iter().any(|id| commits(&mut conn).contains(id)), "the COMMIT is gone");
        let alone = ["apply", "--yes", "--threads", "1"];
        let mut next = task.start(&alone, &[("DTSCTL_TEST_CHUNK", "100"), ("DTSCTL_TEST_PAUSE", "chunk-begun:1")]);
        assert_eq!(copied(&destination, "commit"), before);
        conn.query_drop("UNLOCK TABLES").unwrap();
        assert!(next.says("paused at chunk-begun\n"), "{}", next.said());
        assert!(copied(&destination, "commit") > before, "the COMMIT did not get through, so this tested nothing");
        next.kill9();
    }
    task.start(&arguments, &few).end().expect(0);
    assert_all_there("commit", &source, &destination, "shop");
    assert_nothing_left(&task);
}

#[test]
fn killed_with_a_commit_in_flight_on_mariadb() {
    killed_with_a_commit_in_flight(Flavor::MariaDb);
}

#[test]
fn killed_with_a_commit_in_flight_on_mysql() {
    killed_with_a_commit_in_flight(Flavor::MySql);
}
