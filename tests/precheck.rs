//! The prechecks against real servers: rights, read-only ends, proxies, collisions.

use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use crate::{
    plan::{Task, plan_json},
    support::account,
};

fn findings(json: &serde_json::Value, severity: &str) -> Vec<String> {
    let list = json["findings"].as_array().expect("findings");
    list.iter()
        .filter(|f| f["severity"] == severity)
        .map(|f| {
            format!("{} {}: {}", f["code"].as_str().unwrap_or(""), f["object"].as_str().unwrap_or("-"), f["cause"].as_str().unwrap_or(""))
        })
        .collect()
}

#[test]
fn missing_rights_are_named_before_anything_runs() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let (source, destination) = (shared(flavor, Role::Source), shared(flavor, Role::Destination));
        let db = format!("pre_rights_{}", flavor.name());
        let mut task = Task::new(source, destination, &db);
        source.exec(&format!("CREATE TABLE `{db}`.a (id INT PRIMARY KEY);\nCREATE TABLE `{db}`.b (id INT PRIMARY KEY)")).expect("tables");
        account(source, "pre_src", &[&format!("SELECT ON `{db}`.a")]);
        account(destination, "pre_dst", &["USAGE ON *.*"]);
        task.source_account("pre_src", "pw-pre_src");
        task.destination_account("pre_dst", "pw-pre_dst");
        let (code, json) = plan_json(&task, &[]);
        assert_eq!(code, 3);
        let failed = findings(&json, "failed");
        assert_eq!(
            failed,
            [
                format!("DT206 {db}: account pre_src@% lacks SELECT on all of source database {db}, so tables may be hidden from it"),
                "DT207 -: account pre_dst@% lacks CREATE, DELETE, INSERT, SELECT, UPDATE in database dts".to_owned(),
                format!("DT207 -: account pre_dst@% lacks CREATE, DELETE, INSERT, SELECT in database {db}"),
            ],
            "{flavor}"
        );
        // With the rights, through a role that is active by default, nothing fails.
        source.exec("DROP ROLE IF EXISTS pre_reader").expect("drop role");
        source.exec("CREATE ROLE pre_reader").expect("role");
        source.exec(&format!("GRANT SELECT ON `{db}`.* TO pre_reader")).expect("grant");
        source.exec("GRANT pre_reader TO 'pre_src'@'%'").expect("grant");
        let default = if flavor == Flavor::MariaDb {
            "SET DEFAULT ROLE pre_reader FOR 'pre_src'@'%'"
        } else {
            "SET DEFAULT ROLE pre_reader TO 'pre_src'@'%'"
        };
        source.exec(default).expect("default role");
        account(destination, "pre_dst", &[&format!("ALL ON `{db}`.*"), "ALL ON `dts`.*"]);
        let (code, json) = plan_json(&task, &[]);
        assert_eq!((code, findings(&json, "failed")), (0, Vec::new()), "{flavor}");
    }
}

#[test]
fn a_read_only_destination_fails_and_a_read_only_source_alerts() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let server = Server::start(Flavor::MariaDb, ServerOptions::new()).expect("a server");
    let other = shared(Flavor::MariaDb, Role::Destination);
    let db = "pre_readonly";
    server.exec("CREATE USER 'plain'@'%' IDENTIFIED BY 'pw-plain'").expect("user");
    let mut into = Task::new(other, &server, db);
    server
        .exec("GRANT ALL ON pre_readonly.* TO 'plain'@'%';\nGRANT ALL ON dts.* TO 'plain'@'%';\nSET GLOBAL read_only=ON")
        .expect("grants");
    other.exec("CREATE TABLE pre_readonly.t (id INT PRIMARY KEY)").expect("a table");
    into.destination_account("plain", "pw-plain");
    let (code, json) = plan_json(&into, &[]);
    assert_eq!((code, findings(&json, "failed")), (3, vec!["DT208 -: the destination takes no writes: read_only is ON".to_owned()]));

    server.exec("SET GLOBAL read_only=OFF").expect("off");
    let from = Task::new(&server, other, "pre_readonly_src");
    server.exec("CREATE TABLE pre_readonly_src.t (id INT PRIMARY KEY);\nSET GLOBAL read_only=ON").expect("a table");
    let (code, json) = plan_json(&from, &[]);
    assert_eq!(code, 0);
    assert!(findings(&json, "alert").contains(&"DT209 -: the source looks like a read-only node: read_only is ON".to_owned()), "{json:#}");
}

#[test]
fn a_proxy_in_front_of_several_servers_is_seen() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let proxy = testbed::proxy::Proxy::start(&[source, destination]).expect("a proxy");
    let mut task = Task::new(source, destination, "pre_proxy");
    source.exec("CREATE TABLE pre_proxy.t (id INT PRIMARY KEY)").expect("a table");
    task.source_port(proxy.port());
    let (code, json) = plan_json(&task, &[]);
    assert_eq!(code, 3);
    assert!(findings(&json, "failed").iter().any(|f| f.starts_with("DT210 -: 2 servers answer at the source's address")), "{json:#}");
}

#[test]
fn keys_that_would_collide_are_counted_by_the_server() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let (source, destination) = (shared(flavor, Role::Source), shared(flavor, Role::Destination));
        let db = format!("pre_collide_{}", flavor.name());
        let mut task = Task::new(source, destination, &db);
        task.extra("conflict: {existing_tables: ignore}\n");
        let table = |collation: &str| {
            format!("CREATE TABLE `{db}`.t (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET utf8mb4 COLLATE {collation}, UNIQUE KEY u (v))")
        };
        source.exec(&table("utf8mb4_bin")).expect("a table");
        source.exec(&format!("INSERT INTO `{db}`.t VALUES (1,'a'),(2,'A'),(3,'b'),(4,NULL),(5,NULL)")).expect("rows");
        destination.exec(&format!("CREATE DATABASE `{db}`")).expect("a database");
        destination.exec(&table("utf8mb4_general_ci")).expect("a table");
        let (code, json) = plan_json(&task, &[]);
        assert_eq!(code, 3);
        assert_eq!(
            findings(&json, "failed"),
            [format!(
                "DT242 {db}.t: key u: 1 groups of rows differ at the source and would be equal at the destination (v: utf8mb4_bin -> utf8mb4_general_ci)"
            )]
        );
        source.exec(&format!("DELETE FROM `{db}`.t WHERE id = 2")).expect("a row less");
        assert_eq!(plan_json(&task, &[]).0, 0);
    }
}

#[test]
fn triggers_and_wide_rows_are_seen() {
    if !have(Flavor::MySql) {
        return;
    }
    let (source, destination) = (shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination));
    let mut task = Task::new(source, destination, "pre_wide");
    task.extra("conflict: {existing_tables: ignore}\n");
    source.exec("CREATE TABLE pre_wide.t (id INT PRIMARY KEY, b LONGBLOB)").expect("a table");
    source.exec("INSERT INTO pre_wide.t VALUES (1, REPEAT('x', 40 << 20))").expect("a row");
    let (code, json) = plan_json(&task, &[]);
    assert_eq!(code, 0);
    assert!(findings(&json, "alert").iter().any(|f| f.starts_with("DT215 pre_wide.t: the widest row has 41943041 bytes")), "{json:#}");

    destination.exec("CREATE DATABASE pre_wide").expect("a database");
    destination.exec("CREATE TABLE pre_wide.t (id INT PRIMARY KEY, b LONGBLOB)").expect("a table");
    destination.exec("CREATE TRIGGER pre_wide.tr BEFORE INSERT ON pre_wide.t FOR EACH ROW SET NEW.id = NEW.id").expect("a trigger");
    let (code, json) = plan_json(&task, &[]);
    assert_eq!(code, 3);
    assert_eq!(findings(&json, "failed"), ["DT227 pre_wide.t: triggers at the destination would fire on every row that is written: tr"]);
    // Its failure may be ignored.
    task.extra("conflict: {existing_tables: ignore}\nprecheck: {ignore: [DT227]}\n");
    assert_eq!(plan_json(&task, &[]).0, 0);
}

/// MySQL prints the lists of a converted table cut short; what is made of them would have other members, and rows other values.
#[test]
fn lists_that_a_conversion_has_bent() {
    if !have(Flavor::MySql) {
        return;
    }
    let (source, destination) = (shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination));
    let db = "pre_lists";
    let task = Task::new(source, destination, db);
    let table = |name: &str, list: &str| {
        format!(
            "CREATE TABLE `{db}`.{name} (id INT PRIMARY KEY, e {list} CHARACTER SET latin1);\nINSERT INTO `{db}`.{name} VALUES (1, 1), (2, 2);\n\
             ALTER TABLE `{db}`.{name} CONVERT TO CHARACTER SET utf8mb4"
        )
    };
    // Longer than printed; printed empty; as long as printed.
    for (name, list) in
        [("cut", "ENUM('aé','x')"), ("lost", "ENUM('x','é')"), ("chosen", "SET('p','ö')"), ("sound", "ENUM('','x','it''s')")]
    {
        source.exec(&table(name, list)).expect("a table");
    }
    let (code, json) = plan_json(&task, &[]);
    assert_eq!(code, 3);
    let failed = findings(&json, "failed");
    let expected = |name: &str| format!("DT274 {db}.{name}: column e: a member of its list is no text");
    assert_eq!(failed.len(), 3, "{failed:#?}");
    for name in ["cut", "lost", "chosen"] {
        assert!(failed.iter().any(|f| f.starts_with(&expected(name))), "{name}: {failed:#?}");
    }
    assert!(!findings(&json, "alert").iter().any(|f| f.contains("DT274")));
    source.exec(&format!("DROP TABLE `{db}`.cut, `{db}`.lost, `{db}`.chosen")).expect("dropped");
    // What the length does not show, the copy finds.
    source.exec(&table("hidden", "ENUM('aé','xxx')")).expect("a table");
    assert_eq!(plan_json(&task, &[]).0, 0);
    let output = task.command(&["apply", "--yes"]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("DT274") && said.contains("hidden"), "{said}");
}
