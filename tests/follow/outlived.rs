//! Statements that go on in the destination when the process that sent them is gone, or hears no more of them.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions, proxy::Proxy};

use super::bed::{Bed, CATCH_UP, PHASES};
use crate::support::{End, Task, until};

/// A DDL waits for a lock at the destination when the tool is killed. Whether the server then ends it or runs it is a matter of chance;
/// the next run looks before it acts, and the rows around it are those of the source.
fn a_ddl_in_flight(flavor: Flavor) {
    let Some(mut bed) = Bed::new(flavor, flavor, "ddl_in_flight") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nCREATE TABLE nk (v INT);\nINSERT INTO t VALUES (1, 1), (2, 2);\nINSERT INTO nk VALUES (1), (1)");
    bed.caught_up();
    let db = bed.db.clone();
    for (round, alter) in ["ADD COLUMN w INT DEFAULT 5", "ADD COLUMN x INT FIRST", "DROP COLUMN w", "ADD KEY ix (v)"].iter().enumerate() {
        bed.source(&format!(
            "INSERT INTO nk VALUES ({round});\nUPDATE t SET v = v + 1;\nALTER TABLE t {alter};\nUPDATE t SET v = v + 1;\nINSERT INTO nk VALUES ({round})"
        ));
        bed.destination.query_drop("BEGIN").unwrap();
        bed.destination.query_drop(format!("SELECT COUNT(*) FROM `{db}`.t")).unwrap();
        let mut running = bed.task.start(&CATCH_UP, &[]);
        let mut look = bed.destination_session();
        let mut waits = || {
            let sql = format!(
                "SELECT MAX(ID) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%ALTER TABLE%{db}%' AND STATE LIKE 'Waiting for%' \
                 AND ID <> CONNECTION_ID()"
            );
            look.query_first::<Option<u64>, _>(sql).unwrap().flatten()
        };
        let mut first = None;
        until("the ALTER to wait", || {
            assert!(!running.has_ended(), "{}", running.said());
            first = waits();
            first.is_some()
        });
        running.kill9();
        if round % 2 == 0 {
            // The next run finds it waiting still, or the server has ended it and the next one waits with its own.
            let mut next = bed.task.start(&CATCH_UP, &[]);
            until("the next run to wait", || {
                assert!(!next.has_ended(), "{}", next.said());
                next.said().contains("a statement of an earlier run that the destination is still at") || waits() > first
            });
            bed.destination.query_drop("COMMIT").unwrap();
            next.end().expect(0);
        } else {
            bed.destination.query_drop("COMMIT").unwrap();
        }
        bed.caught_up();
    }
}

#[test]
fn a_ddl_in_flight_on_mariadb() {
    a_ddl_in_flight(Flavor::MariaDb);
}

#[test]
fn a_ddl_in_flight_on_mysql() {
    a_ddl_in_flight(Flavor::MySql);
}

/// The COMMIT of a killed run is held back by a proxy until long after the next run has begun: it counts once, or not at all.
fn a_commit_in_flight(flavor: Flavor) {
    if !testbed::have(flavor) {
        return;
    }
    let source = Server::start(flavor, ServerOptions::new()).unwrap();
    let destination = Server::start(flavor, ServerOptions::new()).unwrap();
    source.exec("CREATE DATABASE shop;\nCREATE TABLE shop.nk (v INT);\nCREATE TABLE shop.n (id INT PRIMARY KEY, n INT);\nINSERT INTO shop.n VALUES (1, 0);").unwrap();
    let spec = format!("{PHASES}objects: [{{database: shop}}]\n");
    let near = Task::new("flight", &source, &destination, &spec);
    near.run(&CATCH_UP).expect(0);
    let proxy = Proxy::start(&[&destination]).unwrap();
    let far = Task::new("flight", &source, End::via(&destination, &proxy), &spec);
    for round in 0..4 {
        source.exec(&format!("INSERT INTO shop.nk VALUES ({round}), ({round});\nUPDATE shop.n SET n = n + 1;")).unwrap();
        proxy.delay(std::time::Duration::ZERO);
        let mut running = far.start_with_input(&CATCH_UP, &[("DTSCTL_TEST_PAUSE", "batch-written:1:stdin")]);
        assert!(running.says("paused at batch-written\n"), "{}", running.said());
        proxy.delay(std::time::Duration::from_secs(3));
        let taken = proxy.taken();
        running.end_of_input();
        until("the COMMIT to be on its way", || proxy.taken() > taken);
        running.kill9();
        near.run(&CATCH_UP).expect(0);
        let mut conns = (source.root_conn().unwrap(), destination.root_conn().unwrap());
        testbed::equal::compare_databases(&mut conns.0, "shop", &mut conns.1, "shop")
            .unwrap_or_else(|problem| panic!("round {round}: {problem}"));
    }
    proxy.delay(std::time::Duration::ZERO);
}

#[test]
fn a_commit_in_flight_on_mariadb() {
    a_commit_in_flight(Flavor::MariaDb);
}

#[test]
fn a_commit_in_flight_on_mysql() {
    a_commit_in_flight(Flavor::MySql);
}

/// The server has noted a statement as done, and the answer to that does not come back. The rows behind it are read with the columns of
/// behind it all the same: two of one type have changed places, so that nothing else would tell.
#[test]
fn a_noted_statement_whose_answer_is_lost() {
    for flavor in Flavor::ALL.into_iter().filter(|&flavor| testbed::have(flavor)) {
        let source = Server::start(flavor, ServerOptions::new()).unwrap();
        // What passes must be readable.
        let clear = if flavor == Flavor::MySql { "--tls-version=" } else { "--skip-ssl" };
        let destination = Server::start(flavor, ServerOptions::new().arg(clear)).unwrap();
        source
            .exec("CREATE DATABASE shop;\nCREATE TABLE shop.t (id INT PRIMARY KEY, a INT, b INT, c INT);\nINSERT INTO shop.t VALUES (1, 10, 20, 30), (2, 11, 21, 31);")
            .unwrap();
        let proxy = Proxy::start(&[&destination]).unwrap();
        let task = Task::new("lost", &source, End::via(&destination, &proxy), &format!("{PHASES}objects: [{{database: shop}}]\n"));
        task.run(&CATCH_UP).expect(0);
        for alter in ["MODIFY a INT AFTER c", "MODIFY b INT AFTER a", "RENAME COLUMN a TO b, RENAME COLUMN b TO a"] {
            source
                .exec(&format!(
                    "UPDATE shop.t SET a = a + 100 WHERE id = 1;\nALTER TABLE shop.t {alter};\nUPDATE shop.t SET a = a + 1000 WHERE id = 2;\n\
                     INSERT INTO shop.t (id, a, b, c) SELECT MAX(id) + 1, 1, 2, 3 FROM shop.t;\nDELETE FROM shop.t WHERE id > 2 AND a = 1 AND id % 2 = 0;"
                ))
                .unwrap();
            proxy.lose_answer("REPLACE INTO `dts`.`dtsctl_schema`", "COMMIT");
            task.run(&CATCH_UP).expect(0);
            assert!(proxy.has_lost(), "{flavor}: {alter}");
            let mut conns = (source.root_conn().unwrap(), destination.root_conn().unwrap());
            testbed::equal::compare_databases(&mut conns.0, "shop", &mut conns.1, "shop")
                .unwrap_or_else(|problem| panic!("{flavor}: {alter}: {problem}"));
        }
    }
}
