//! A destination whose disk is full.

use testbed::{Flavor, Server, ServerOptions};

use super::{CHUNK, assert_all_there, assert_nothing_left, copied, fill, objects, until_copied};
use crate::support::{Task, until};

#[test]
fn full_disk_is_waited_for_and_given_up_in_time() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let options =
        ServerOptions::new().binlog(false).arg("--innodb-log-file-size=8M").arg("--innodb-buffer-pool-size=32M").data_limit(90 << 20);
    let destination = match Server::start(Flavor::MariaDb, options) {
        Err(error) if format!("{error:#}").contains("cannot mount a tmpfs") => {
            crate::support::say(&format!("SKIPPED: no tmpfs of one's own can be mounted here: {error:#}"));
            return;
        }
        other => other.unwrap(),
    };
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 60_000);
    let task = Task::new("full", &source, &destination, &(objects("shop") + "retry: {connection: 10m, other: 1m}\n"));
    let few = [("DTSCTL_TEST_CHUNK", CHUNK)];
    let waits_for_space = |running: &mut crate::support::Running| {
        until("a wait for space", || {
            assert!(!running.has_ended(), "{}", running.said());
            super::waits_now(&task).iter().any(|wait| wait.contains("full copy of shop.") && wait.contains("is full"))
        });
    };

    // Nobody makes space: it gives up when `retry.other` is over, says where, and keeps what is there.
    let mut running = task.start(&["apply", "--yes"], &few);
    waits_for_space(&mut running);
    let rows = copied(&destination, "full");
    assert!(rows > 0);
    let outcome = running.end();
    outcome.expect(1).says("error: full copy of shop.").says(": gave up after trying again for retry.other").says("hint: ");
    assert!(copied(&destination, "full") >= rows);
    let status = task.json(&["status"]);
    assert_eq!(status["state"], "failed", "{status:#}");
    assert_eq!(super::waits(&status), Vec::<String>::new());

    // The next run waits again, and this time somebody does.
    let mut running = task.start(&["apply", "--yes"], &few);
    waits_for_space(&mut running);
    let rows = copied(&destination, "full");
    destination.resize_data("600m").unwrap();
    until_copied(&mut running, &destination, "full", rows);
    running.end().expect(0);
    assert_all_there("full", &source, &destination, "shop");
    assert_nothing_left(&task);
}
