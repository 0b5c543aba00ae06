//! A random schema under random transactions and random DDL, on every pair of flavours: at the end the *servers* find both ends equal.
//!
//! `DTSCTL_TEST_SEED` replays a seed that a failure has printed; with one writer its statements are the same every time.

use mysql::prelude::Queryable as _;
use testbed::{
    Flavor, Role, Server, ServerOptions, equal,
    workload::{Options, Workload},
};

use super::bed::{CATCH_UP, PHASES};
use crate::support::{Random, Task, say, until};

/// A name as YAML takes any.
fn yaml(name: &str) -> String {
    serde_json::to_string(name).unwrap()
}

/// What every database of a workload is called at the destination.
pub(super) fn renamed(database: &str, rename: bool) -> String {
    if rename { format!("{database} ren`d") } else { database.to_owned() }
}

/// The `objects:` of a spec that follows these databases as a whole.
pub(super) fn objects(databases: &[String], rename: bool) -> String {
    let mut text = format!("{PHASES}objects:\n");
    for database in databases {
        text.push_str(&format!("  - database: {}\n", yaml(database)));
        if rename {
            text.push_str(&format!("    rename: {}\n", yaml(&renamed(database, true))));
        }
    }
    text
}

/// The servers find both ends of a workload equal; or the seed, the problem, and the statements that had to do with it.
#[track_caller]
pub(super) fn compare(workload: &Workload, source: &Server, destination: &Server, rename: bool) {
    let (mut from, mut to) = (source.root_conn().unwrap(), destination.root_conn().unwrap());
    for database in workload.databases() {
        if let Err(problem) = equal::compare_databases(&mut from, database, &mut to, &renamed(database, rename)) {
            panic!("workload of seed {}\n{problem}\nlast statements:\n{}", workload.seed(), workload.recent().join("\n"));
        }
    }
}

/// What the plan of a task blocks, as its JSON has it.
fn blocked(task: &Task) -> String {
    let plan = task.run(&["plan", "--format", "json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap_or_default();
    let actions = plan["actions"].as_array().cloned().unwrap_or_default();
    let blocked: Vec<String> = actions.iter().filter(|action| action["permitted"] == false).map(|action| format!("{action:#}")).collect();
    blocked.join("\n")
}

struct Case {
    from: Flavor,
    to: Flavor,
    rename: bool,
    /// Servers of its own: its XA transactions would stand in the way of a task of another test that begins just then (DT273).
    own: (ServerOptions, ServerOptions),
    ddl: bool,
    threads: u64,
    name: &'static str,
}

fn ends_equal(case: Case) {
    let Case { from, to, rename, own, ddl, threads, name } = case;
    if !testbed::have(from) || !testbed::have(to) {
        return;
    }
    let (source, destination) = (Server::start(from, own.0).unwrap(), Server::start(to, own.1).unwrap());
    let (source, destination) = (&source, &destination);
    let mut random = Random::new(name);
    let prefix = format!("rnd_{name}");
    let mut workload = Workload::new(random.next(), source, Options { xa: false, ..Options::new(from, to, &prefix) });
    workload.create().unwrap();
    let mut there = destination.root_conn().unwrap();
    for database in workload.databases() {
        there.query_drop(format!("DROP DATABASE IF EXISTS `{}`", renamed(database, rename).replace('`', "``"))).unwrap();
    }
    workload.run(80).unwrap();
    let task = Task::new(&prefix, source, destination, &objects(workload.databases(), rename));

    // Schema and copy under writes, but not under DDL (requirements B11), and then the backlog.
    let running = workload.start(threads);
    let mut copying = task.start(&CATCH_UP, &[]);
    copying.follows();
    running.pause(true);
    copying.end().expect(0);
    running.pause(false);
    // Live, under DDL as well.
    running.allow_ddl(ddl);
    // One that is prepared when the copy begins would stop the task, as it must.
    running.allow_xa(true);
    let mut following = task.start(&["apply", "--yes", "--until", "never"], &[]);
    following.follows();
    let begin = running.transactions();
    until("transactions that are followed", || {
        assert!(!following.has_ended(), "workload of seed {}: it ended: {}", workload.seed(), following.said());
        running.transactions() > begin + 150
    });
    following.signal("TERM");
    following.end().expect(5);
    // A backlog, read after all of it has happened.
    let begin = running.transactions();
    until("a backlog", || running.transactions() > begin + 100);
    running.stop().unwrap();
    let outcome = task.run(&CATCH_UP);
    assert_eq!(
        outcome.code,
        Some(0),
        "workload of seed {}\n{}\nlast statements:\n{}",
        workload.seed(),
        outcome.stderr,
        workload.recent().join("\n")
    );
    let counts = workload.counts();
    say(&format!("{name}: {counts:?}"));
    assert!(!ddl || counts.keys().any(|kind| kind.starts_with("ddl ")), "no DDL succeeded: {counts:?}");
    compare(&workload, source, destination, rename);
}

fn pair(from: Flavor, to: Flavor, name: &'static str, rename: bool, threads: u64) {
    ends_equal(Case { from, to, rename, own: (ServerOptions::new(), ServerOptions::new()), ddl: true, threads, name });
}

#[test]
fn mariadb_to_mariadb() {
    pair(Flavor::MariaDb, Flavor::MariaDb, "maria", false, 1);
}

#[test]
fn mysql_to_mysql() {
    pair(Flavor::MySql, Flavor::MySql, "mysql", false, 1);
}

#[test]
fn mysql_to_mariadb() {
    pair(Flavor::MySql, Flavor::MariaDb, "mysql_maria", true, 1);
}

#[test]
fn mariadb_to_mysql() {
    pair(Flavor::MariaDb, Flavor::MySql, "maria_mysql", true, 1);
}

/// Several writers, and every form in which a MariaDB can write its binlog.
#[test]
fn mariadb_compressed_with_full_metadata_and_several_writers() {
    let options = ServerOptions::new()
        .arg("--log-bin-compress=ON")
        .arg("--log-bin-compress-min-len=10")
        .arg("--binlog-row-metadata=FULL")
        .arg("--max-binlog-size=100K")
        .arg("--binlog-row-event-max-size=1024")
        .arg("--binlog-checksum=CRC32");
    ends_equal(Case {
        from: Flavor::MariaDb,
        to: Flavor::MariaDb,
        rename: true,
        own: (options, ServerOptions::new()),
        ddl: true,
        threads: 4,
        name: "maria_compressed",
    });
}

/// Several writers, and every form in which a MySQL can write its binlog.
#[test]
fn mysql_compressed_with_partial_json_and_several_writers() {
    let options = ServerOptions::new()
        .arg("--binlog-transaction-compression=ON")
        .arg("--binlog-row-value-options=PARTIAL_JSON")
        .arg("--binlog-row-metadata=FULL")
        .arg("--binlog-rows-query-log-events=ON")
        .arg("--max-binlog-size=100K");
    ends_equal(Case {
        from: Flavor::MySql,
        to: Flavor::MySql,
        rename: true,
        own: (options, ServerOptions::new()),
        ddl: true,
        threads: 4,
        name: "mysql_compressed",
    });
}

/// A MySQL without GTIDs is followed by file and position.
#[test]
fn mysql_without_gtids() {
    let options = || ServerOptions::new().gtid(false).arg("--max-binlog-size=100K");
    ends_equal(Case {
        from: Flavor::MySql,
        to: Flavor::MySql,
        rename: false,
        own: (options(), options()),
        ddl: true,
        threads: 1,
        name: "mysql_positions",
    });
}

/// Random schemas at rest, on every pair: what the incremental phase begins with.
#[test]
fn schemas_are_copied_on_every_pair() {
    for (from, to) in Flavor::PAIRS {
        if !testbed::have(from) || !testbed::have(to) {
            continue;
        }
        let (source, destination) = (testbed::shared(from, Role::Source), testbed::shared(to, Role::Destination));
        let mut random = Random::new("schemas_are_copied_on_every_pair");
        let prefix = format!("rnd_copy_{from}_{to}");
        let mut workload =
            Workload::new(random.next(), source, Options { tables: 20, ddl: true, xa: false, ..Options::new(from, to, &prefix) });
        workload.create().unwrap();
        let mut there = destination.root_conn().unwrap();
        for database in workload.databases() {
            there.query_drop(format!("DROP DATABASE IF EXISTS `{}`", renamed(database, true).replace('`', "``"))).unwrap();
        }
        workload.run(120).unwrap();
        let spec = objects(workload.databases(), true).replace("incremental: true", "incremental: false");
        let task = Task::new(&prefix, source, destination, &spec);
        let outcome = task.run(&["apply", "--yes"]);
        assert_eq!(outcome.code, Some(0), "workload of seed {}, {from} to {to}\n{}\n{}", workload.seed(), blocked(&task), outcome.stderr);
        compare(&workload, source, destination, true);
        task.run(&["verify"]).expect(0);
    }
}
