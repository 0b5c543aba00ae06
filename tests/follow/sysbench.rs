//! `sysbench oltp_write_only` as load: what it writes arrives, and `verify` agrees with the servers.

use testbed::{Flavor, Server, ServerOptions, equal, sysbench::Sysbench};

use super::bed::{CATCH_UP, PHASES};
use crate::support::{Task, until};

#[test]
fn write_only_is_carried_and_verified() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    source.exec("CREATE DATABASE sb CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci").unwrap();
    let load = Sysbench { database: "sb".to_owned(), tables: 3, rows: 2000, threads: 4, seed: 42 };
    if let Err(error) = load.prepare(&source) {
        assert!(std::env::var_os("CI").is_none(), "{error:#}");
        crate::support::say(&format!("SKIPPED: no sysbench here: {error:#}"));
        return;
    }
    let task = Task::new("sysbench", &source, &destination, &format!("{PHASES}objects: [{{database: sb}}]\n"));
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| load.write_only(&source, 4000));
        // The copy and the first catching up are under its writes.
        task.run(&CATCH_UP).expect(0);
        let mut running = task.start(&["apply", "--yes", "--until", "never"], &[]);
        // A stop that is asked for before the run has begun is none of its.
        assert!(running.says("incremental: from"), "{}", running.said());
        until("sysbench to end", || {
            assert!(!running.has_ended(), "it ended: {}", running.said());
            writing.is_finished()
        });
        writing.join().unwrap().unwrap();
        task.run(&["stop", "--at", "caught-up"]).expect(0);
        running.end().expect(5);
    });
    let (mut here, mut there) = (source.root_conn().unwrap(), destination.root_conn().unwrap());
    equal::compare_databases(&mut here, "sb", &mut there, "sb").unwrap_or_else(|problem| panic!("{problem}"));
    task.run(&["verify"]).expect(0);
}
