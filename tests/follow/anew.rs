//! A source whose binlog began anew while nobody followed it, and has grown past the place that was reached.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions, proxy::Proxy};

use super::bed::{Bed, CATCH_UP, PHASES};
use crate::support::{End, Task, until};

const ANOTHER: &str = "is not the one that was read before";

/// Servers of its own for each way in which a source is followed: a RESET is everybody's.
fn each(test: impl Fn(&Server, &Server)) {
    let without = ServerOptions::new().gtid(false).arg("--gtid-mode=OFF").arg("--enforce-gtid-consistency=OFF");
    for (flavor, options) in [(Flavor::MySql, ServerOptions::new()), (Flavor::MySql, without), (Flavor::MariaDb, ServerOptions::new())] {
        if testbed::have(flavor) {
            let to = Server::start(flavor, ServerOptions::new()).expect("a server");
            test(&Server::start(flavor, options).expect("a server"), &to);
        }
    }
}

/// Where a server's binlog ends, and how many transactions it has had since it began.
fn end(server: &Server) -> (String, u64) {
    let end = crate::stream::now(server).place;
    (end.file, end.offset)
}

/// Begins the binlog anew and lets it grow far past the old place.
fn begin_anew(server: &Server, db: &str) {
    let (file, offset) = end(server);
    server.exec(if server.flavor() == Flavor::MySql { "RESET BINARY LOGS AND GTIDS" } else { "RESET MASTER" }).expect("a reset");
    server.exec(&format!("INSERT INTO `{db}`.t (v) VALUES ('lost')")).expect("a row");
    until("the new binlog to grow past the old place", || {
        server.exec(&format!("INSERT INTO `{db}`.t (v) VALUES ('after');\n").repeat(40)).expect("rows");
        let now = end(server);
        assert_eq!(now.0, file);
        now.1 > offset * 2
    });
}

/// What is at the destination of a table, and how far the task has come there.
fn kept(bed: &mut Bed) -> (Vec<i64>, Option<String>) {
    let rows = bed.numbers("SELECT id FROM t ORDER BY id");
    let position =
        bed.destination.query_first(format!("SELECT position FROM dts.dtsctl_applied WHERE task = '{}'", bed.db)).expect("a position");
    (rows, position)
}

#[test]
fn what_came_to_bear_the_name_of_the_binlog_is_not_gone_on_with() {
    // Behind changes that were followed, and behind the copy alone.
    for followed in [true, false] {
        each(|from, to| {
            // Begun in the very second in which all of this begins.
            from.exec(if from.flavor() == Flavor::MySql { "RESET BINARY LOGS AND GTIDS" } else { "RESET MASTER" }).expect("a reset");
            let mut bed = Bed::on(from, to, if followed { "grown" } else { "grown_copy" });
            bed.source("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20));\nINSERT INTO t (v) VALUES ('x'), ('y')");
            bed.caught_up();
            if followed {
                bed.source("INSERT INTO t (v) VALUES ('a');\nINSERT INTO t (v) VALUES ('b')");
                bed.caught_up();
            }
            let before = kept(&mut bed);
            assert!(before.1.as_ref().is_some_and(|position| position.contains("\"mark\":{\"began\":")), "{before:?}");
            begin_anew(from, &bed.db);
            let plan = bed.task.run(&["plan"]);
            assert!(plan.stdout.contains("DT267"), "{}", plan.shown());
            let outcome = bed.task.run(&CATCH_UP);
            outcome.expect(3).says("DT267").says(ANOTHER).says("dtsctl apply --restart");
            assert_eq!(kept(&mut bed), before, "{}", from.flavor());
            // A fresh copy mends it.
            bed.task.run(&["apply", "--yes", "--restart", "--until", "caught-up"]).expect(0);
            bed.is_equal();
        });
    }
}

/// The same while an apply waits for its source, which has made its plan long before.
#[test]
fn an_apply_that_waits_for_its_source_does_not_go_on_with_another_binlog() {
    each(|from, to| {
        let proxy = Proxy::start(&[from]).expect("a proxy");
        from.exec("CREATE DATABASE anew;\nCREATE TABLE anew.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20));\nINSERT INTO anew.t (v) VALUES ('x')")
            .expect("a table");
        let task = Task::new("anew", End::via(from, &proxy), to, &format!("{PHASES}objects: [{{database: anew}}]\n"));
        let mut running = task.start(&["apply", "--yes"], &[]);
        running.follows();
        from.exec("INSERT INTO anew.t (v) VALUES ('y')").expect("a row");
        let rows = |server: &Server| -> Vec<String> {
            server.root_conn().expect("a session").query("SELECT v FROM anew.t ORDER BY id").expect("rows")
        };
        until("the row", || rows(to).len() == 2);
        proxy.refuse(true);
        proxy.cut();
        begin_anew(from, "anew");
        proxy.refuse(false);
        let outcome = running.end();
        outcome.expect(1).says(ANOTHER).says("dtsctl apply --restart");
        assert_eq!(rows(to), ["x", "y"], "{}", from.flavor());
    });
}

/// What no reset is goes on as ever, and a position that was kept before there were marks too.
#[test]
fn a_restart_rotations_and_a_purge_are_no_new_beginning() {
    each(|from, to| {
        let mut bed = Bed::on(from, to, "no_reset");
        bed.source("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20));\nINSERT INTO t (v) VALUES ('x')");
        bed.caught_up();
        let row = "INSERT INTO t (v) VALUES ('a')";
        bed.source(&format!("{row};\nFLUSH BINARY LOGS;\n{row}"));
        bed.caught_up();
        // The place is in a file whose beginning was seen in the stream, and nothing else of it.
        bed.source("FLUSH BINARY LOGS");
        bed.caught_up();
        from.restart().expect("a restart");
        bed.source = from.root_conn().expect("source");
        bed.source(&format!("USE `{}`;\n{row}", bed.db));
        bed.caught_up();
        bed.source(row);
        let (file, _) = end(from);
        bed.source(&format!("PURGE BINARY LOGS TO '{file}';\n{row}"));
        bed.caught_up();
        let older = format!("UPDATE dts.dtsctl_applied SET position = JSON_REMOVE(position, '$.mark') WHERE task = '{}'", bed.db);
        bed.destination.query_drop(older).expect("an older position");
        bed.source(row);
        bed.caught_up();
        assert!(kept(&mut bed).1.is_some_and(|position| position.contains("\"mark\":")), "{}", from.flavor());
    });
}
