//! Stopping on request, and two runs at once.

use std::time::{Duration, Instant};

use testbed::{Flavor, Server, ServerOptions};

use super::{CHUNK, assert_all_there, assert_nothing_left, copied, fill, objects, until_copied};
use crate::support::Task;

/// A stop is quick when it does not wait for what is left to copy, which takes about this long under the throttle.
const ALL_OF_IT: Duration = Duration::from_secs(80);

#[test]
fn stopped_in_every_way_and_resumed() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 16_000);
    let slow = objects("shop") + "throttle: {full: {mbps: 1, rps: 600}}\n";
    let task = Task::new("stopped", &source, &destination, &slow);
    let chunk = [("DTSCTL_TEST_CHUNK", "50")];
    let mut rows = 0;
    for how in ["INT", "TERM", "stop", "--time-limit"] {
        let limit: &[&str] = if how == "--time-limit" { &["--time-limit", "5s"] } else { &[] };
        let mut running = task.start(&[&["apply", "--yes"], limit].concat(), &chunk);
        if limit.is_empty() {
            until_copied(&mut running, &destination, "stopped", rows);
        }
        let begin = Instant::now();
        match how {
            "stop" => _ = task.run(&["stop"]).expect(0),
            "--time-limit" => {}
            signal => running.signal(signal),
        }
        let outcome = running.end();
        assert!(begin.elapsed() < ALL_OF_IT / 4, "{how} took {:?}", begin.elapsed());
        let why = match how {
            "stop" => "stopped by `dtsctl stop`",
            "--time-limit" => "stopped by --time-limit",
            _ => "stopped by a signal",
        };
        outcome.expect(5).says(why).says("the progress of 'stopped' is saved").says("hint: `dtsctl apply` resumes");
        let status = task.json(&["status"]);
        assert_eq!(status["state"], "stopped", "{how}: {status:#}");
        assert_eq!(status["run"]["error"], why, "{how}");
        let now = copied(&destination, "stopped");
        assert!(now > rows, "{how}");
        assert_eq!(status["totals"]["rows_done"], now, "{how}: status says what the destination says");
        rows = now;
    }
    // Nothing to stop any more.
    task.run(&["stop"]).expect(1).says("no apply is running");

    // A thread that does not come to an end, and somebody who does not want to wait for it.
    let mut running = task.start(&["apply", "--yes"], &[("DTSCTL_TEST_CHUNK", "50"), ("DTSCTL_TEST_PAUSE", "chunk-loaded:2")]);
    assert!(running.says("paused at chunk-loaded\n"), "{}", running.said());
    running.signal_until_ended("INT");
    running.end().expect(5);
    rows = copied(&destination, "stopped");
    // Nor does a server that says nothing hold up the second signal.
    let mut running = task.start(&["apply", "--yes"], &chunk);
    until_copied(&mut running, &destination, "stopped", rows);
    destination.freeze().unwrap();
    running.signal_until_ended("TERM");
    destination.thaw().unwrap();
    running.end().expect(5);

    task.write(&objects("shop"));
    let outcome = task.start(&["apply", "--yes"], &[("DTSCTL_TEST_CHUNK", CHUNK)]).end();
    outcome.expect(0);
    assert_all_there("stopped", &source, &destination, "shop");
    assert_nothing_left(&task);
}

/// A wait for a server is a wait that a stop ends.
#[test]
fn stopped_while_it_waits_for_a_server() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 4000);
    let task = Task::new("gone", &source, &destination, &(objects("shop") + "throttle: {full: {rps: 600}}\n"));
    let mut running = task.start(&["apply", "--yes"], &[("DTSCTL_TEST_CHUNK", "50")]);
    until_copied(&mut running, &destination, "gone", 0);
    destination.kill9().unwrap();
    super::until_waiting(&mut running, &task, true);
    running.signal("INT");
    running.end().expect(5).says("stopped by a signal");
    let status = task.json(&["status"]);
    assert_eq!((&status["state"], super::waits(&status)), (&"stopped".into(), Vec::new()), "{status:#}");
    task.run(&["apply", "--yes"]).expect(1).says("cannot reach 127.0.0.1:").says("hint: ");
    destination.restart().unwrap();
    task.write(&objects("shop"));
    task.run(&["apply", "--yes"]).expect(0);
    assert_all_there("gone", &source, &destination, "shop");
    assert_nothing_left(&task);
}

#[test]
fn two_applies_at_once() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 1000);
    let task = Task::new("twice", &source, &destination, &objects("shop"));
    let mut first = task.start(&["apply", "--yes"], &[("DTSCTL_TEST_CHUNK", CHUNK), ("DTSCTL_TEST_PAUSE", "chunk-loaded")]);
    assert!(first.says("paused at chunk-loaded\n"), "{}", first.said());
    let holder = format!("process {} on ", first.pid());
    task.run(&["apply", "--yes"]).expect(7).says("another run holds the lock of '.dtsctl/twice.db'").says(&holder).says("hint: ");
    let elsewhere = ["apply", "--yes", "--state", "elsewhere.db"];
    task.run(&elsewhere).expect(7).says("another run of 'twice' holds the lock at the destination").says("root from 127.0.0.1");
    // From another machine, as it were: another folder, the same name and destination.
    let other = Task::new("twice", &source, &destination, &objects("shop"));
    other.run(&["apply", "--yes"]).expect(7).says("held by root from 127.0.0.1");
    first.kill9();
    // Both locks have died with the process.
    task.run(&["apply", "--yes"]).expect(0);
    assert_all_there("twice", &source, &destination, "shop");
    assert_nothing_left(&task);
}

/// "The same command resumes" holds for a saved plan too: what its own run has done is not drift.
#[test]
fn a_saved_plan_is_resumed_by_the_same_command() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 6000);
    let task = Task::new("saved", &source, &destination, &objects("shop"));
    task.run(&["plan", "--out", "plan.json"]).expect(0);
    let command = ["apply", "plan.json", "--yes"];
    for point in ["statement-finished:2", "chunk-loaded:3", "chunk-committed:4", "table-finished:2", "statement-finished:1"] {
        let mut running = task.start(&command, &[("DTSCTL_TEST_CHUNK", CHUNK), ("DTSCTL_TEST_PAUSE", point)]);
        assert!(running.says(&format!("paused at {}\n", point.split(':').next().unwrap())), "{point}: {}", running.said());
        if point == "chunk-loaded:3" {
            running.signal_until_ended("INT");
            running.end().expect(5);
        } else {
            running.kill9();
        }
    }
    // What others do meanwhile is drift as ever.
    source.exec("CREATE TABLE shop.later (id INT PRIMARY KEY);").unwrap();
    task.run(&command).expect(6).says("source table shop.later is new");
    source.exec("DROP TABLE shop.later;").unwrap();
    task.run(&command).expect(0);
    assert_all_there("saved", &source, &destination, "shop");
    assert_nothing_left(&task);
    task.run(&command).expect(6).says("the saved plan is finished already");
}

/// From the beginning again, whatever was there: nothing of the first run is left to be found twice.
#[test]
fn begun_again_after_a_kill() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 3000);
    let task = Task::new("again", &source, &destination, &objects("shop"));
    for point in ["statement-started:4", "chunk-noted:3", "table-finished:3", "statement-started:1"] {
        let few = [("DTSCTL_TEST_CHUNK", CHUNK), ("DTSCTL_TEST_PAUSE", point)];
        let mut running = task.start(&["apply", "--yes"], &few);
        assert!(running.says("paused at "), "{point}: {}", running.said());
        running.kill9();
        let mut running = task.start(&["apply", "--yes", "--restart"], &few);
        assert!(running.says("paused at "), "{point}: {}", running.said());
        running.kill9();
    }
    task.run(&["apply", "--yes", "--restart"]).expect(0);
    assert_all_there("again", &source, &destination, "shop");
    assert_nothing_left(&task);
}
