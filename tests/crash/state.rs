//! The state file: removed, damaged, of somebody else, of another time.

use std::{fs, path::Path};

use testbed::{Flavor, Server, ServerOptions};

use super::{CHUNK, assert_all_there, assert_nothing_left, copied, fill, objects, until_copied};
use crate::support::{Outcome, Task};

fn remove(state: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = state.as_os_str().to_owned();
        name.push(end);
        let _ = fs::remove_file(name);
    }
}

fn shown(name: &str, outcome: &Outcome, servers: [&Server; 2]) {
    let mut text = outcome.shown();
    for (server, name) in servers.into_iter().zip(["SOURCE", "DESTINATION"]) {
        text = text.replace(&format!("127.0.0.1:{}", server.port()), name).replace(server.version(), "VERSION");
        let short = server.version().split('-').next().unwrap_or_default();
        text = text.replace(short, "VERSION");
    }
    insta::with_settings!({snapshot_path => "../snapshots/crash", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn state_file_removed() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 6000);
    let task = Task::new("lost", &source, &destination, &(objects("shop") + "throttle: {full: {rps: 3000}}\n"));
    let arguments = ["apply", "--yes", "--progress", "plain"];
    let few = [("DTSCTL_TEST_CHUNK", CHUNK)];

    // While it runs: it stops, since nobody would see any more what it does.
    let mut running = task.start(&arguments, &few);
    until_copied(&mut running, &destination, "lost", 0);
    remove(&task.state());
    let outcome = running.end();
    outcome.expect(1).says("was removed or replaced while this run was using it").says("hint: ");
    task.run(&["status"]).expect(65).says("there is no state file");
    let rows = copied(&destination, "lost");

    // And goes on where the destination says; once more after a crash and a loss between two runs.
    let mut running = task.start(&arguments, &few);
    assert!(running.says("the state file is new, but the destination knows this task: "), "{}", running.said());
    until_copied(&mut running, &destination, "lost", rows);
    let status = task.json(&["status"]);
    assert!(status["totals"]["rows_done"].as_u64() >= Some(rows), "{status:#}");
    running.kill9();
    remove(&task.state());
    let rows = copied(&destination, "lost");
    let outcome = task.start(&arguments, &few).end();
    outcome.expect(0).says("the state file is new, but the destination knows this task: ");
    assert!(copied(&destination, "lost") > rows);
    assert_all_there("lost", &source, &destination, "shop");
    assert_nothing_left(&task);

    // After all is done there is nothing to do, and status knows it again.
    remove(&task.state());
    assert!(task.run(&arguments).expect(0).stdout.contains("No changes."));
    assert_nothing_left(&task);
    let status = task.json(&["status"]);
    assert_eq!(status["totals"]["rows_done"], copied(&destination, "lost"), "{status:#}");
}

#[test]
fn state_files_that_are_refused() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    source.exec("CREATE DATABASE shop;\nCREATE TABLE shop.t (id INT PRIMARY KEY);\nINSERT INTO shop.t VALUES (1), (2);").unwrap();
    let task = Task::new("mine", &source, &destination, &objects("shop"));
    task.run(&["apply", "--yes", "--quiet"]).expect(0);
    let good = fs::read(task.state()).unwrap();
    // Something to do, or the state file is not needed.
    source.exec("CREATE TABLE shop.u (id INT PRIMARY KEY);").unwrap();
    let refused = |name: &str, task: &Task, content: &[u8]| {
        remove(&task.state());
        fs::create_dir_all(task.state().parent().unwrap()).unwrap();
        fs::write(task.state(), content).unwrap();
        for command in ["apply", "status"] {
            let arguments: &[&str] = if command == "apply" { &["apply", "--yes", "--quiet"] } else { &["status"] };
            let outcome = task.run(arguments);
            if command == "apply" || name != "state-of-another-spec" {
                outcome.expect(65);
                shown(&format!("{name}-{command}"), &outcome, [&source, &destination]);
            }
        }
        // What it was not sure of it has not touched.
        assert_eq!(fs::read(task.state()).unwrap(), content, "{name}");
    };

    refused("state-not-sqlite", &task, b"not a database at all, but long enough to have a header of a hundred bytes, which it is not");
    let mut damaged = good.clone();
    // All pages but the first, whose header still says what it is.
    damaged[4096..].fill(0x5a);
    refused("state-damaged", &task, &damaged);
    let mut newer = good.clone();
    // Bytes 60 to 63 are `user_version` (SQLite's file format, 1.3).
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    refused("state-newer", &task, &newer);
    source.exec("CREATE DATABASE theirs;\nCREATE TABLE theirs.t (id INT PRIMARY KEY);").unwrap();
    let other = Task::new("theirs", &source, &destination, &objects("theirs"));
    refused("state-of-another-spec", &other, &good);

    // The same task with another destination behind it.
    let elsewhere = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let moved = Task::new("mine", &source, &elsewhere, &objects("shop"));
    fs::create_dir_all(moved.state().parent().unwrap()).unwrap();
    fs::write(moved.state(), &good).unwrap();
    let outcome = moved.run(&["apply", "--yes", "--quiet"]);
    outcome.expect(65).says("the spec's destination is now another server");

    // The good one is as good as before.
    remove(&task.state());
    fs::write(task.state(), &good).unwrap();
    task.run(&["apply", "--yes", "--quiet"]).expect(0);
    assert_all_there("mine", &source, &destination, "shop");
    assert_nothing_left(&task);
}
