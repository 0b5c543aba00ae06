//! `dtsctl verify` beside a `dtsctl apply` that follows a source which is written to all the time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dtsctl::verify::{Position, Verdict, VerifyReceipt};
use mysql::prelude::Queryable as _;
use testbed::{Flavor, Role, Server, have, shared};

use crate::support::{Random, Running, Task, until};

/// Rows 1 to 99 change all the time, transfers between accounts included; rows of 400 and more never do.
fn write(server: &Server, db: &str, stop: &AtomicBool, written: &AtomicU64) {
    let mut conn = server.root_conn().expect("a connection");
    let mut random = Random::new("verify::beside");
    while !stop.load(Ordering::SeqCst) {
        let (a, b, sum) = (1 + random.below(99), 1 + random.below(99), random.below(50));
        for statement in [
            "BEGIN".to_owned(),
            format!("UPDATE {db}.bank SET balance = balance - {sum} WHERE id = {a}"),
            format!("UPDATE {db}.bank SET balance = balance + {sum} WHERE id = {b}"),
            "COMMIT".to_owned(),
            format!("INSERT INTO {db}.k VALUES ({a}, 'new')"),
            format!("DELETE FROM {db}.k WHERE n = {b} LIMIT 1"),
            format!("DELETE FROM {db}.bank WHERE id = {}", 1000 + a),
            format!("INSERT IGNORE INTO {db}.bank VALUES ({}, {b}, 'x')", 1000 + b),
        ] {
            conn.query_drop(statement).expect("written");
        }
        written.fetch_add(1, Ordering::SeqCst);
        // So that a machine with much else to do keeps up: being behind is not what is on trial.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn verify(task: &Task, code: i32) -> VerifyReceipt {
    let outcome = task.run(&["verify", "--format", "json", "--keys"]);
    outcome.expect(code);
    serde_json::from_str(&outcome.stdout).expect("a receipt")
}

fn held(receipt: &VerifyReceipt) -> bool {
    match &receipt.position {
        Position::Followed(followed) => followed.held_at.is_some(),
        other => panic!("{other:?}"),
    }
}

fn beside(flavor: Flavor) {
    if !have(flavor) {
        return;
    }
    let (from, to) = (shared(flavor, Role::Source), shared(flavor, Role::Destination));
    let db = format!("beside_{flavor}");
    let rows = (1..=500).map(|n| format!("({n}, 1000, 'v{n}')")).collect::<Vec<_>>().join(",");
    for server in [from, to] {
        server.exec(&format!("DROP DATABASE IF EXISTS {db}")).expect("dropped");
    }
    for statement in [
        format!("CREATE DATABASE {db}"),
        format!("CREATE TABLE {db}.bank (id INT NOT NULL PRIMARY KEY, balance INT NOT NULL, v VARCHAR(20))"),
        format!("INSERT INTO {db}.bank VALUES {rows}"),
        format!("CREATE TABLE {db}.k (n INT, v VARCHAR(20))"),
        format!("INSERT INTO {db}.k SELECT id, v FROM {db}.bank"),
        format!("INSERT INTO {db}.k SELECT id, v FROM {db}.bank"),
    ] {
        from.exec(&statement).expect("filled");
    }
    let phases = "phases: {schema: true, full: true, incremental: true}\n";
    let task = Task::new(&db, from, to, &format!("{phases}objects: [{{database: {db}}}]\n"));
    let mut apply: Running = task.start(&["apply", "--yes", "--until", "never"], &[]);
    until("apply to follow", || {
        assert!(!apply.has_ended(), "{}", apply.said());
        let sql = format!("SELECT COUNT(*) FROM dts.dtsctl_applied WHERE task = '{db}'");
        to.root_conn().expect("a connection").query_first::<u64, _>(sql).is_ok_and(|n| n == Some(1))
    });
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let _stop = Stop(&stop);
        scope.spawn(|| write(from, &db, &stop, &written));
        scope.spawn(|| write(from, &db, &stop, &written));
        until("writers", || written.load(Ordering::SeqCst) > 100);
        for round in 0..6 {
            let receipt = verify(&task, 0);
            assert_eq!(receipt.verdict, Verdict::Equal, "round {round}: {receipt:#?}");
            crate::support::say(&format!("round {round}: {:?}", receipt.position));
        }

        let mut conn = to.root_conn().expect("a connection");
        for statement in [format!("UPDATE {db}.bank SET v = 'spoilt' WHERE id = 450"), format!("DELETE FROM {db}.k WHERE n = 452 LIMIT 1")]
        {
            conn.query_drop(&statement).expect("spoilt");
            assert_eq!(conn.affected_rows(), 1, "{statement}");
        }
        let receipt = verify(&task, 4);
        let of = |name: &str| receipt.tables.iter().find(|t| t.source.table == name).expect("the table");
        assert_eq!(super::counts(of("bank")), (0, 0, 1), "{receipt:#?}");
        assert_eq!(super::found(of("bank")), [(super::DifferenceKind::Different, "450".to_owned(), "v".to_owned())]);
        assert_eq!(super::counts(of("k")), (1, 0, 0), "{receipt:#?}");
        assert!(held(&receipt) && receipt.tables.iter().all(|t| t.unsettled == 0 && t.exact), "{receipt:#?}");
        assert!(!apply.has_ended(), "{}", apply.said());
    });
    // It goes on as if nothing had been asked of it.
    apply.signal("INT");
    apply.end().expect(5);
    let receipt = verify(&task, 4);
    assert_eq!(receipt.position, Position::AtRest);
    assert!(receipt.not_covered.iter().any(|n| n.why.contains("no apply follows it now")), "{receipt:#?}");
}

#[test]
fn verify_beside_an_apply_on_mariadb() {
    beside(Flavor::MariaDb);
}

#[test]
fn verify_beside_an_apply_on_mysql() {
    beside(Flavor::MySql);
}
