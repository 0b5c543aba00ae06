//! The prechecks of the incremental phase against real servers that are unfit for it, and its plan against ones that are fit.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use crate::{
    plan::{Task, plan_json},
    support::account,
};

/// Findings of the checks of the binlog, `severity code object: cause`.
fn findings(json: &serde_json::Value) -> Vec<String> {
    let list = json["findings"].as_array().expect("findings");
    let text = |f: &serde_json::Value, key: &str| f[key].as_str().unwrap_or("-").to_owned();
    list.iter()
        .filter(|f| text(f, "code").as_str() > "DT250" && f["severity"] != "passed")
        .map(|f| format!("{} {} {}: {}", text(f, "severity"), text(f, "code"), text(f, "object"), text(f, "cause")))
        .collect()
}

#[test]
fn a_source_that_is_unfit_is_refused_with_every_reason() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let mut options = ServerOptions::new()
            .gtid(false)
            .arg("--binlog-format=MIXED")
            .arg("--binlog-row-image=MINIMAL")
            .arg("--binlog-ignore-db=unfit")
            .arg("--binlog-expire-logs-seconds=3600");
        options = match flavor {
            Flavor::MySql => options.arg("--log-replica-updates=OFF").arg("--binlog-row-value-options=PARTIAL_JSON"),
            Flavor::MariaDb => options.arg("--log-bin-compress=ON").arg("--log-slave-updates=OFF"),
        };
        let server = Server::start(flavor, options).expect("a server");
        let destination = shared(flavor, Role::Destination);
        let mut task = Task::new(&server, destination, "unfit");
        task.follows();
        server.exec("CREATE TABLE unfit.t (id INT PRIMARY KEY);\nCREATE TABLE unfit.m (id INT PRIMARY KEY) ENGINE=MEMORY").expect("tables");
        account(&server, "unfit", &["SELECT ON unfit.*"]);
        task.source_account("unfit", "pw-unfit");
        let (code, json) = plan_json(&task, &[]);
        assert_eq!(code, 3, "{flavor}");
        insta::with_settings!({snapshot_path => "snapshots/binlog_checks", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(format!("unfit-{}", flavor.name()), findings(&json).join("\n"));
        });
    }
}

#[test]
fn a_source_without_a_binlog_is_refused() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let server = Server::start(Flavor::MariaDb, ServerOptions::new().binlog(false)).expect("a server");
    let mut task = Task::new(&server, shared(Flavor::MariaDb, Role::Destination), "no_binlog");
    task.follows();
    server.exec("CREATE TABLE no_binlog.t (id INT PRIMARY KEY)").expect("a table");
    let (code, json) = plan_json(&task, &[]);
    assert_eq!((code, findings(&json)), (3, vec!["failed DT251 -: the source writes no binlog: log_bin is OFF".to_owned()]));
}

#[test]
fn a_destination_that_refuses_our_writes_is_found() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let server = Server::start(Flavor::MariaDb, ServerOptions::new().arg("--binlog-format=STATEMENT")).expect("a server");
    let source = shared(Flavor::MariaDb, Role::Source);
    let mut task = Task::new(source, &server, "statement_end");
    task.follows();
    source.exec("CREATE TABLE statement_end.t (id INT PRIMARY KEY)").expect("a table");
    let (code, json) = plan_json(&task, &[]);
    assert_eq!(code, 3);
    assert!(findings(&json).iter().any(|f| f.starts_with("failed DT268")), "{:#?}", findings(&json));
    // The reason, from the server itself.
    server.exec("CREATE DATABASE statement_end;\nCREATE TABLE statement_end.t (id INT PRIMARY KEY) ENGINE=InnoDB").expect("a table");
    let mut conn = server.root_conn().expect("a connection");
    conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").expect("set");
    let refused = conn.query_drop("INSERT INTO statement_end.t VALUES (1)").expect_err("refused");
    assert!(refused.to_string().contains("1665"), "{refused}");
}

#[test]
fn the_plan_follows_a_fit_source() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().arg("--log-slave-updates=ON")).expect("a server");
        let destination = shared(flavor, Role::Destination);
        let db = format!("fit_{}", flavor.name());
        let mut task = Task::new(&server, destination, &db);
        server
            .exec(&format!(
                "CREATE TABLE `{db}`.parent (id INT PRIMARY KEY);\n\
                 CREATE TABLE `{db}`.child (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)"
            ))
            .expect("tables");
        let output = task.command(&["apply", "--yes"]).output().expect("runs");
        assert!(output.status.success(), "{flavor}: {}", String::from_utf8_lossy(&output.stderr));
        task.follows();
        let (code, json) = plan_json(&task, &[]);
        let found = findings(&json);
        assert!(!found.iter().any(|f| f.contains("DT262")), "what keys do is carried: {flavor}: {found:#?}");
        assert!(!found.iter().any(|f| f.starts_with("failed")), "{flavor}: {found:#?}");
        assert_eq!(code, 0, "{flavor}");
        let actions = json["actions"].as_array().expect("actions");
        let follow = &actions[actions.len() - 1];
        assert_eq!((follow["act"].as_str(), follow["object"].as_str()), (Some("follow"), Some(format!("{db}.*").as_str())), "{flavor}");
        assert_eq!((&json["position"]["held"], &json["position"]["applied"]), (&true.into(), &false.into()), "{flavor}: {json:#}");
        assert_eq!(json["summary"]["follow"], true);
        // The position that the copy noted is purged: nothing can be followed from there any more.
        server.exec("FLUSH BINARY LOGS").expect("flushed");
        let last: (String,) = match flavor {
            Flavor::MySql => server.root_conn().expect("a connection").query_first::<mysql::Row, _>("SHOW BINARY LOG STATUS"),
            Flavor::MariaDb => server.root_conn().expect("a connection").query_first::<mysql::Row, _>("SHOW MASTER STATUS"),
        }
        .expect("a status")
        .map(|row| (row.get::<String, _>(0).expect("a file"),))
        .expect("a row");
        server.exec(&format!("INSERT INTO `{db}`.parent VALUES (7)")).expect("a transaction that is lost");
        server.exec("FLUSH BINARY LOGS").expect("flushed");
        let status = if flavor == Flavor::MySql { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
        let row: Option<mysql::Row> = server.root_conn().expect("a connection").query_first(status).expect("a status");
        let file: String = row.expect("a row").get(0).expect("a file");
        assert_ne!(file, last.0);
        server.exec(&format!("PURGE BINARY LOGS TO '{file}'")).expect("purged");
        let (code, json) = plan_json(&task, &[]);
        assert_eq!(code, 3, "{flavor}");
        assert!(findings(&json).iter().any(|f| f.starts_with("failed DT267")), "{flavor}: {:#?}", findings(&json));
        assert_eq!(json["position"]["held"], false, "{flavor}");
    }
}

/// One that is prepared when the task begins would stop it at its commit, so the plan refuses to begin.
#[test]
fn a_prepared_xa_transaction_is_found() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).expect("a server");
        let db = format!("prepared_{}", flavor.name());
        let mut task = Task::new(&server, shared(flavor, Role::Destination), &db);
        task.follows();
        server.exec(&format!("CREATE TABLE {db}.t (id INT PRIMARY KEY)")).expect("a table");
        let mut conn = server.root_conn().expect("a connection");
        for sql in ["XA START 'left'", &format!("INSERT INTO {db}.t VALUES (1)"), "XA END 'left'", "XA PREPARE 'left'"] {
            conn.query_drop(sql).expect(sql);
        }
        let (code, json) = plan_json(&task, &[]);
        let found = findings(&json);
        assert_eq!(code, 3, "{flavor}: {found:#?}");
        assert!(found.iter().any(|f| f.starts_with("failed DT273 -: XA transactions are prepared")), "{flavor}: {found:#?}");
        conn.query_drop("XA COMMIT 'left'").expect("committed");
        let (code, json) = plan_json(&task, &[]);
        assert_eq!(code, 0, "{flavor}: {:#?}", findings(&json));
        assert!(!findings(&json).iter().any(|f| f.contains("DT273")), "{flavor}");
        if flavor == Flavor::MySql {
            // Without the right it cannot be seen, and is said so.
            account(&server, "blind", &["SELECT, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.*"]);
            task.source_account("blind", "pw-blind");
            let found = findings(&plan_json(&task, &[]).1);
            assert!(found.iter().any(|f| f.starts_with("alert DT273 -: the account may not see")), "{found:#?}");
        }
    }
}
