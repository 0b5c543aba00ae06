//! Connections that break, and a network that is away for a while.

use mysql::prelude::Queryable;
use testbed::{Flavor, Server, ServerOptions, proxy::Proxy};

use super::{CHUNK, assert_all_there, assert_nothing_left, copied, fill, objects, until_copied, until_waiting};
use crate::support::{End, Random, Task, until};

#[test]
fn connections_cut_and_refused_on_both_sides() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let mut random = Random::new("connections_cut_and_refused_on_both_sides");
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 16_000);
    let (near, far) = (Proxy::start(&[&source]).unwrap(), Proxy::start(&[&destination]).unwrap());
    let task =
        Task::new("cut", End::via(&source, &near), End::via(&destination, &far), &(objects("shop") + "throttle: {full: {mbps: 6}}\n"));
    let mut running = task.start(&["apply", "--yes", "--threads", "3"], &[("DTSCTL_TEST_CHUNK", CHUNK)]);
    until_copied(&mut running, &destination, "cut", 0);
    // After random amounts of bytes, so that it meets packets of every kind; once the network is away for a while.
    let mut cuts = 0;
    while !running.has_ended() && cuts < 12 {
        let proxy = if random.below(2) == 0 { &near } else { &far };
        let more = random.below(1_500_000) + 1;
        let at = proxy.bytes() + more;
        proxy.cut_after(more);
        until("a cut", || running.has_ended() || proxy.bytes() >= at);
        cuts += 1;
        if cuts == 6 {
            proxy.refuse(true);
            proxy.cut();
            let waits = until_waiting(&mut running, &task, true);
            assert!(waits.contains("next try in"), "{waits}");
            proxy.refuse(false);
            let rows = copied(&destination, "cut");
            until_copied(&mut running, &destination, "cut", rows);
        }
    }
    crate::support::say(&format!("{cuts} cuts"));
    assert!(cuts >= 6, "only {cuts} cuts");
    running.end().expect(0);
    // A cut that the apply did not live to see would meet the plan that is made next.
    near.cut_never();
    far.cut_never();
    assert_all_there("cut", &source, &destination, "shop");
    assert_nothing_left(&task);
}

/// A server goes on with a statement whose connection is cut. The plan that was made again beside it did not see the index that was about
/// to be there, and the second ALTER failed for a duplicate key name.
#[test]
fn a_statement_goes_on_when_its_connection_is_cut() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    fill(&source, "shop", 40_000);
    let proxy = Proxy::start(&[&destination]).unwrap();
    let task = Task::new("alter", &source, End::via(&destination, &proxy), &objects("shop"));
    let (running, mut holder) = super::held_at_the_index(&task, &destination);
    // Let go and cut at once: a server ends a statement that waits for a lock when its client is gone, but not one that builds an index.
    holder.query_drop("COMMIT").unwrap();
    proxy.cut();
    running.end().expect(0).says("waits: ");
    assert_all_there("alter", &source, &destination, "shop");
    assert_nothing_left(&task);
}
