//! DT251 to DT259, DT263, DT266, DT271: what the source writes into its binlog, and whether it hands it out.

use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use super::Case;

const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY)";

#[test]
fn a_source_without_a_binlog() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new().binlog(false)).expect("a server");
    let mut case = Case::new(&source, shared(Flavor::MariaDb, Role::Destination), "checks_no_log");
    case.source(TABLE);
    case.follows();
    case.plan().shows("DT251");
}

#[test]
fn a_binlog_that_cannot_be_followed() {
    if !have(Flavor::MySql) {
        return;
    }
    let options = ServerOptions::new()
        .gtid(false)
        .arg("--log-replica-updates=OFF")
        .arg("--binlog-ignore-db=checks_log")
        .arg("--binlog-ignore-db=dts")
        .arg("--binlog-transaction-compression=ON")
        .arg("--binlog-row-value-options=PARTIAL_JSON");
    let source = Server::start(Flavor::MySql, options).expect("a server");
    let mut case = Case::new(&source, shared(Flavor::MySql, Role::Destination), "checks_log");
    case.source(TABLE);
    case.follows();
    let plan = case.plan();
    plan.shows("DT271").shows("DT257").shows("DT258").shows("DT263").shows("DT255_no_replica").shows("DT266_filtered");
    case.source_as("checks_blind", &["SELECT, LOCK TABLES ON checks_log.*", "REPLICATION SLAVE ON *.*"]);
    case.plan().shows("DT255_unseen").shows("DT259").shows("DT266");
    case.source_as("checks_sees", &["ALL ON *.*"]);
    source.exec("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1").expect("a replica");
    case.plan().shows("DT255");
    source.exec("RESET REPLICA ALL").expect("none");
    for (set, unset, name) in [
        ("binlog_format='MIXED'", "binlog_format='ROW'", "DT252"),
        ("binlog_row_image='MINIMAL'", "binlog_row_image='FULL'", "DT253"),
        ("binlog_expire_logs_seconds=86400", "binlog_expire_logs_seconds=2592000", "DT254"),
        ("server_id=0", "server_id=77", "DT256"),
    ] {
        source.exec(&format!("SET GLOBAL {set}")).expect("set");
        let plan = case.plan();
        match name {
            "DT252" => plan.shows("DT252"),
            "DT253" => plan.shows("DT253"),
            "DT254" => plan.shows("DT254"),
            _ => plan.shows("DT256"),
        };
        source.exec(&format!("SET GLOBAL {unset}")).expect("unset");
    }
    // What the platform keeps by itself is judged by another measure.
    source.exec("SET GLOBAL binlog_expire_logs_seconds=360000").expect("set");
    case.keys(", engine: polardb-mysql", "");
    case.plan().shows("DT254_polardb");
}

/// A read-only source takes no heartbeat row.
#[test]
fn a_source_that_takes_no_heartbeat() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).expect("a server");
    let mut case = Case::new(&source, shared(Flavor::MariaDb, Role::Destination), "checks_beat");
    case.source(TABLE);
    case.follows();
    source.exec("SET GLOBAL read_only=ON").expect("set");
    case.plan().shows("DT266_read_only");
}
