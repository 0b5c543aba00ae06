//! A server that is killed and comes back while the tool runs.

use testbed::{Flavor, Server, ServerOptions, equal};

use super::{CHUNK, assert_all_there, assert_nothing_left, copied, fill, objects, until_copied, until_waiting};
use crate::support::{Task, until};

fn restarted_while_it_copies(flavor: Flavor, wide: u32) {
    if !testbed::have(flavor) {
        return;
    }
    let source = Server::start(flavor, ServerOptions::new()).unwrap();
    let destination = Server::start(flavor, ServerOptions::new().arg("--local-infile=1")).unwrap();
    fill(&source, "shop", wide);
    let task = Task::new("restart", &source, &destination, &(objects("shop") + "throttle: {full: {mbps: 2}}\n"));
    let mut running = task.start(&["apply", "--yes", "--threads", "3"], &[("DTSCTL_TEST_CHUNK", CHUNK)]);
    let mut rows = 0;
    for server in [&destination, &source] {
        until_copied(&mut running, &destination, "restart", rows);
        server.kill9().unwrap();
        let waits = until_waiting(&mut running, &task, true);
        assert!(waits.contains("full copy of shop.") && waits.contains("next try in"), "{waits}");
        server.restart().unwrap();
        rows = copied(&destination, "restart");
        until_copied(&mut running, &destination, "restart", rows);
        // The wait was shown on until the range was finished, which on a large table is hours after the server came back.
        until_waiting(&mut running, &task, false);
        rows = copied(&destination, "restart");
    }
    running.end().expect(0);
    assert_all_there("restart", &source, &destination, "shop");
    assert_nothing_left(&task);
}

#[test]
fn servers_restarted_while_it_copies_on_mariadb() {
    restarted_while_it_copies(Flavor::MariaDb, 18_000);
}

#[test]
fn servers_restarted_while_it_copies_on_mysql() {
    restarted_while_it_copies(Flavor::MySql, 18_000);
}

/// The first look at the servers after a lost connection was not allowed to fail: a server that took longer than a quarter of a second
/// to come back ended the run.
#[test]
fn servers_restarted_while_it_makes_tables() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    // Slow enough to be hit in the middle.
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new().durable()).unwrap();
    let tables =
        |head: &str| (0..150).map(|i| format!("{head} shop.t{i:03} (id INT PRIMARY KEY, v VARCHAR(20), KEY (v));\n")).collect::<String>();
    source.exec(&format!("CREATE DATABASE shop;\n{}", tables("CREATE TABLE"))).unwrap();
    source.exec(&(0..150).map(|i| format!("INSERT INTO shop.t{i:03} VALUES (1,'a'),(2,'b');\n")).collect::<String>()).unwrap();
    let task = Task::new("tables", &source, &destination, &objects("shop"));
    let mut running = task.start(&["apply", "--yes"], &[]);
    let made = || destination.root_conn().ok().and_then(|mut conn| equal::tables(&mut conn, "shop").ok()).map_or(0, |tables| tables.len());
    until("some tables", || {
        assert!(!running.has_ended(), "{}", running.said());
        made() >= 20
    });
    destination.kill9().unwrap();
    let waits = until_waiting(&mut running, &task, true);
    assert!(waits.contains("apply of tables"), "{waits}");
    destination.restart().unwrap();
    running.end().expect(0);
    assert_eq!(made(), 150);
    assert_all_there("tables", &source, &destination, "shop");
    assert_nothing_left(&task);
}

/// The destination goes down while it builds an index, and comes back without it or with it.
#[test]
fn destination_restarted_while_it_builds_an_index() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 3000);
    let task = Task::new("index", &source, &destination, &objects("shop"));
    let (mut running, _holder) = super::held_at_the_index(&task, &destination);
    destination.kill9().unwrap();
    let waits = until_waiting(&mut running, &task, true);
    assert!(waits.contains("apply of index"), "{waits}");
    destination.restart().unwrap();
    running.end().expect(0);
    assert_all_there("index", &source, &destination, "shop");
    assert_nothing_left(&task);
}
