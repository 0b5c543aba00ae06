//! The generator itself: it reaches everything, and a seed means the same statements every time.

use mysql::prelude::Queryable;

use super::{DDL, OPERATIONS, Options, Random, Workload};
use crate::{Flavor, Role, Server, ServerOptions, equal, have, shared};

fn options(flavor: Flavor, prefix: &str) -> Options {
    Options { ddl: true, ..Options::new(flavor, flavor, prefix) }
}

fn reaches_everything(flavor: Flavor) {
    if !have(flavor) {
        return;
    }
    let server = shared(flavor, Role::Source);
    let mut workload = Workload::new(7, server, options(flavor, "reach"));
    workload.create().unwrap();
    let begin = std::time::Instant::now();
    let mut missing: Vec<String> = Vec::new();
    for _ in 0..40 {
        workload.run(100).unwrap();
        let counts = workload.counts();
        let wanted = OPERATIONS.iter().map(|name| (*name).to_owned()).chain(DDL.iter().map(|name| format!("ddl {name}")));
        let others = ["commit", "rollback", "savepoint", "xa prepare", "xa commit", "xa rollback"].map(str::to_owned);
        missing = wanted.chain(others).filter(|name| !counts.contains_key(name)).collect();
        if missing.is_empty() {
            break;
        }
    }
    let counts = workload.counts();
    say(&format!("{flavor}: {:.1} s, {counts:#?}", begin.elapsed().as_secs_f64()));
    assert!(missing.is_empty(), "never succeeded: {missing:?}");
}

#[test]
fn reaches_everything_on_mariadb() {
    reaches_everything(Flavor::MariaDb);
}

#[test]
fn reaches_everything_on_mysql() {
    reaches_everything(Flavor::MySql);
}

/// Two runs of one seed at two servers end in the same rows: the statements are the seed's, and nothing in them depends on the clock.
#[test]
fn a_seed_means_the_same_statements() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let ends = [Role::Source, Role::Destination].map(|role| {
            let server = shared(flavor, role);
            let mut workload = Workload::new(11, server, options(flavor, "same"));
            workload.create().unwrap();
            workload.run(150).unwrap();
            (server, workload)
        });
        let mut conns = ends.each_ref().map(|(server, _)| server.root_conn().unwrap());
        let [left, right] = &mut conns;
        for database in ends[0].1.databases() {
            let tables = equal::tables(left, database).unwrap();
            assert_eq!(tables, equal::tables(right, database).unwrap());
        }
        assert_eq!(ends[0].1.recent(), ends[1].1.recent());
    }
}

/// What a server's own replica makes of it is what the source has: nothing in a workload depends on what a binlog does not carry, so a
/// difference that dtsctl leaves is dtsctl's.
#[test]
fn a_replica_of_the_server_ends_equal() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let [source, replica] = [(); 2].map(|()| Server::start(flavor, ServerOptions::new()).unwrap());
        let (host, port, user, password) = (source.host(), source.port(), source.user(), source.password());
        let mut to = replica.root_conn().unwrap();
        let change = match flavor {
            Flavor::MariaDb => format!(
                "CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='{user}', MASTER_PASSWORD='{password}', MASTER_USE_GTID=slave_pos"
            ),
            Flavor::MySql => format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST='{host}', SOURCE_PORT={port}, SOURCE_USER='{user}', SOURCE_PASSWORD='{password}', \
                 SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1"
            ),
        };
        to.query_drop(change).unwrap();
        let mut workload = Workload::new(Random::seed_of_environment(), &source, Options { charsets: false, ..options(flavor, "repl") });
        say(&format!("a_replica_of_the_server_ends_equal on {flavor}: DTSCTL_TEST_SEED={}", workload.seed()));
        workload.create().unwrap();
        to.query_drop("START REPLICA").unwrap();
        let running = workload.start(3);
        while running.transactions() < 600 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        running.stop().unwrap();
        let mut from = source.root_conn().unwrap();
        let caught_up: Option<i64> = match flavor {
            Flavor::MariaDb => {
                let position: String = from.query_first("SELECT @@gtid_binlog_pos").unwrap().unwrap();
                to.exec_first("SELECT MASTER_GTID_WAIT(?, 120)", (position,)).unwrap()
            }
            Flavor::MySql => {
                let position: String = from.query_first("SELECT @@gtid_executed").unwrap().unwrap();
                to.exec_first("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 120)", (position,)).unwrap()
            }
        };
        if caught_up != Some(0) {
            let status: Vec<mysql::Row> = to.query("SHOW REPLICA STATUS").unwrap();
            let told: Vec<String> = status
                .iter()
                .flat_map(|row| {
                    row.columns_ref().iter().enumerate().map(|(i, c)| format!("{}: {:?}", c.name_str(), row.as_ref(i))).collect::<Vec<_>>()
                })
                .filter(|line| line.contains("Error"))
                .collect();
            panic!("the replica did not catch up: {told:#?}");
        }
        for database in workload.databases() {
            equal::compare_databases(&mut from, database, &mut to, database).unwrap_or_else(|problem| panic!("{problem}"));
        }
    }
}

#[expect(clippy::print_stderr, reason = "seen when the test fails")]
fn say(line: &str) {
    eprintln!("{line}");
}
