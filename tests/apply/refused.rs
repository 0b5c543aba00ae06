//! What is refused, with its exit code and message: nothing is executed, and the next thing to do is named.

use testbed::{Flavor, Server, ServerOptions, have, proxy::Proxy};

use super::{Bed, redacted, shown};
use crate::support::{End, Task};

#[test]
fn nobody_is_asked_without_a_terminal() {
    let Some(mut bed) = Bed::mariadb("refused_ask") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY)");
    let refused = bed.run(&["apply"]);
    refused.expect(64);
    shown!("refused_no_terminal", bed.redacted(&refused.stderr));
    assert!(!bed.arrived());
}

#[test]
fn ends_that_cannot_be_had() {
    let Some(mut bed) = Bed::mariadb("refused_ends") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY)");
    let objects = format!("objects: [{{database: {}}}]\n", bed.db);
    // A port nobody listens on, as it was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let unreachable = End { port, ..End::from(bed.from) };
    let unknown = End { host: "no-such-host.invalid".to_owned(), ..End::from(bed.from) };
    let denied = End { password: "hunter2".to_owned(), ..End::from(bed.to) };
    let ends = [
        ("refused_port", unreachable, End::from(bed.to)),
        ("refused_host", unknown, End::from(bed.to)),
        ("refused_password", End::from(bed.from), denied),
    ];
    for (name, from, to) in ends {
        let task = Task::new(&bed.db, from, to, &objects);
        let mut seen = Vec::new();
        for command in [&["plan"][..], &["apply", "--yes"], &["verify"]] {
            let refused = task.run(command);
            refused.expect(1);
            assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
            seen.push(bed.redacted(&refused.stderr).replace(&format!(":{port}"), ":1").replace(&format!(":{}", bed.from.port()), ":3306"));
        }
        assert!(seen.iter().all(|s| *s == seen[0]), "{seen:#?}");
        shown!(name, seen[0]);
    }
}

#[test]
fn what_the_plan_finds_wrong_blocks_an_apply() {
    let Some(mut bed) = Bed::mariadb("refused_plan") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)");
    let blocked = |bed: &Bed, task: &Task, name: &str| {
        let refused = task.run(&["apply", "--yes"]);
        refused.expect(3);
        shown!(name, bed.redacted(&refused.stderr));
    };
    // A selection that finds nothing.
    bed.task.write("objects: [{database: refused_nowhere}]\n");
    blocked(&bed, &bed.task, "refused_no_database");
    bed.task.write(&format!("objects: [{{database: {}, tables: [{{name: t}}, {{name: missing}}]}}]\n", bed.db));
    blocked(&bed, &bed.task, "refused_no_table");
    let objects = format!("objects: [{{database: {}}}]\n", bed.db);
    // Both ends one server under two names, and under one.
    let alias = Proxy::start(&[bed.from]).expect("a proxy");
    let refused = Task::new(&bed.db, bed.from, End::via(bed.from, &alias), &objects).run(&["apply", "--yes"]);
    refused.expect(3);
    shown!("refused_same_server", bed.redacted(&refused.stderr));
    let refused = Task::new(&bed.db, bed.from, bed.from, &objects).run(&["apply", "--yes"]);
    refused.expect(65);
    shown!("refused_same_address", bed.redacted(&refused.stderr));
    // An account that may read but not write.
    bed.destination("DROP USER IF EXISTS 'refused'@'%';\nCREATE USER 'refused'@'%' IDENTIFIED BY 'pw'");
    let poor = End { user: "refused".to_owned(), password: "pw".to_owned(), ..End::from(bed.to) };
    blocked(&bed, &Task::new(&bed.db, bed.from, poor, &objects), "refused_rights");
    assert!(!bed.arrived());
}

#[test]
fn a_destination_that_takes_no_writes() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let Some(mut bed) = Bed::new(flavor, flavor, "refused_read_only") else { continue };
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', 'b'));\nINSERT INTO t VALUES (1, 'a'), (2, NULL)");
        let own = Server::start(flavor, ServerOptions::new()).expect("a server");
        // `read_only` does not bind an account with SUPER.
        let rights = "CREATE USER 'writer'@'%' IDENTIFIED BY 'pw';\nGRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER ON *.* TO 'writer'@'%';\n\
                      SET GLOBAL read_only = 1";
        own.exec(rights).expect("prepared");
        let end = End { user: "writer".to_owned(), password: "pw".to_owned(), ..End::from(&own) };
        let task = Task::new(&bed.db, bed.from, end, &format!("objects: [{{database: {}}}]\n", bed.db));
        let refused = task.run(&["apply", "--yes"]);
        // Refused in words of its own either way: by the lock, which writes nothing, or by the precheck.
        refused.expect(3);
        if flavor == Flavor::MariaDb {
            shown!("refused_read_only", redacted(&refused.stderr, &bed.db, bed.from, &own));
        }
        // Seen on MySQL: the account has every right the plan asks for, and still the copy ended, as `max_error_count` wants another;
        // and what was said was only that "not every range is finished", by the worker that came after.
        own.exec("SET GLOBAL read_only = 0").expect("writable");
        task.run(&["apply", "--yes"]).expect(0);
    }
}

/// What `mend` of the findings says is what is typed, and nothing is missing afterwards: a plan that passes is a copy that runs.
#[test]
fn the_rights_that_a_plan_asks_for_are_enough() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "rights") else { continue };
        bed.source(
            "CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, e ENUM('x', 'y'), v VARCHAR(20), KEY (v));\nINSERT INTO a (e, v) VALUES ('x', 'one'), (NULL, 'two');\n\
             CREATE TABLE b (id INT PRIMARY KEY, a INT, twice INT AS (a * 2) STORED, FOREIGN KEY (a) REFERENCES a (id));\nINSERT INTO b (id, a) VALUES (1, 1);\n\
             CREATE TABLE nokey (a INT, t TEXT);\nINSERT INTO nokey VALUES (1, 'x'), (1, 'x');\n\
             CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2;\nINSERT INTO parts VALUES (1), (2)",
        );
        let account = "DROP USER IF EXISTS 'poor'@'%';\nCREATE USER 'poor'@'%' IDENTIFIED BY 'pw'";
        bed.source(account);
        bed.destination(account);
        let poor = |server| End { user: "poor".to_owned(), password: "pw".to_owned(), ..End::from(server) };
        let task = Task::new(&bed.db, poor(bed.from), poor(bed.to), &format!("objects: [{{database: {}}}]\n", bed.db));
        for round in 0.. {
            let plan = task.run(&["plan", "--format", "json"]);
            if plan.code == Some(0) {
                break;
            }
            assert!(round < 4, "{from} -> {to}: {}", plan.stdout);
            let plan: serde_json::Value = serde_json::from_str(&plan.expect(3).stdout).expect("a plan");
            let mut granted = 0;
            for finding in plan["findings"].as_array().expect("findings").iter().filter(|f| f["severity"] == "failed") {
                if finding["code"] == "DT220" {
                    // What it cannot see it cannot name rights for.
                    bed.source(&format!("GRANT SELECT ON `{}`.a TO 'poor'@'%'", bed.db));
                    granted += 1;
                    continue;
                }
                let mend = finding["mend"].as_str().expect("a mend");
                let (grant, side) = mend.split_once(" TO the account at the ").unwrap_or_else(|| panic!("no GRANT: {finding:#}"));
                let grant = format!("{grant} TO 'poor'@'%'");
                if side.starts_with("source") {
                    bed.source(&grant)
                } else {
                    bed.destination(&grant)
                }
                granted += 1;
            }
            assert!(granted > 0, "{from} -> {to}: {plan:#}");
        }
        task.run(&["apply", "--yes"]).expect(0);
        bed.is_equal();
        task.run(&["verify"]).expect(0);
        let plan = task.run(&["plan"]);
        assert!(plan.expect(0).stdout.contains("No changes."), "{from} -> {to}: {}", plan.stdout);
    }
}

/// The state file belongs to two servers: the same name with another one in the spec is another task.
#[test]
fn a_spec_that_goes_to_another_server_now() {
    let Some(mut bed) = Bed::mariadb("refused_moved") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY)");
    bed.carried();
    // Once more: nothing to do is no failure.
    let again = bed.run(&["apply", "--yes"]);
    assert!(again.expect(0).stdout.contains("No changes."), "{}", again.stdout);
    let own = Server::start(Flavor::MariaDb, ServerOptions::new()).expect("a server");
    let state = bed.task.state();
    let moved = Task::new(&bed.db, bed.from, &own, &format!("objects: [{{database: {}}}]\n", bed.db));
    let refused = moved.run(&["apply", "--yes", "--state", state.to_str().expect("a path")]);
    refused.expect(65).says("the spec's destination is now another server").says("hint: give the spec another `name`");
    let databases: Vec<String> =
        mysql::prelude::Queryable::query(&mut own.root_conn().expect("a connection"), "SHOW DATABASES").expect("asked");
    assert!(!databases.contains(&bed.db), "nothing was executed");
}
