//! DT201 to DT212: the two servers and the accounts on them.

use testbed::{Flavor, Role, Server, ServerOptions, have, proxy::Proxy, shared};

use super::Case;

fn own(flavor: Flavor, options: ServerOptions) -> Server {
    Server::start(flavor, options).expect("a server")
}

/// MariaDB says of itself whatever `version` it was started with.
fn called(version: &str) -> Server {
    own(Flavor::MariaDb, ServerOptions::new().arg(format!("--version={version}")))
}

#[test]
fn versions_and_vendors() {
    if !have(Flavor::MariaDb) || !have(Flavor::MySql) {
        return;
    }
    let (mariadb, mysql) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MySql, Role::Destination));
    let mut case = Case::new(mariadb, mysql, "checks_versions");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.plan().shows("DT204_vendors");
    case.keys(", engine: mysql", "");
    case.plan().shows("DT203");

    let newest = called("13.1.2-MariaDB");
    let case = Case::new(&newest, shared(Flavor::MariaDb, Role::Destination), "checks_newest");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    let plan = case.plan();
    plan.shows("DT202").shows("DT204_older");
    drop(newest);

    // An old one is refused before any check.
    let oldest = called("10.4.34-MariaDB");
    let case = Case::new(&oldest, shared(Flavor::MariaDb, Role::Destination), "checks_oldest");
    let output = case.command(&["plan"]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("10.4.34-MariaDB"), "{said}");
}

/// The address of this machine in IPv6's notation is none of the known names for it, so it counts as another machine.
#[test]
fn a_connection_in_clear() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let mut case = Case::new(source, destination, "checks_clear");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.by(true, "::ffff:127.0.0.1", source.port());
    case.plan().shows("DT201");
    case.keys(", tls: {mode: disabled}", "");
    case.plan().shows("DT201_disabled");
}

#[test]
fn one_server_and_several() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let mut case = Case::new(source, destination, "checks_several");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    let proxy = Proxy::start(&[source, destination]).expect("a proxy");
    case.by(true, "127.0.0.1", proxy.port());
    case.plan().shows("DT210_source");
    let third = own(Flavor::MariaDb, ServerOptions::new());
    let mut case = Case::new(source, destination, "checks_several");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    let proxy = Proxy::start(&[destination, &third]).expect("a proxy");
    case.by(false, "127.0.0.1", proxy.port());
    case.plan().shows("DT210_destination");
    // A task whose two ends are one, without another name for what it carries.
    let mut case = Case::new(&third, &third, "checks_same");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    let proxy = Proxy::start(&[&third]).expect("a proxy");
    case.by(false, "127.0.0.1", proxy.port());
    case.plan().shows("DT205");
}

#[test]
fn accounts_that_lack_rights() {
    if !have(Flavor::MySql) {
        return;
    }
    let (source, destination) = (shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination));
    let mut case = Case::new(source, destination, "checks_rights");
    case.source("CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, secret INT)");
    case.source_as("checks_reader", &["SELECT ON checks_rights.a", "INSERT ON checks_rights.b"]);
    case.destination_as("checks_writer", &["SELECT ON checks_rights.*"]);
    case.plan().shows("DT206").shows("DT207");
}

/// Servers of our own whose settings are changed under way.
#[test]
fn ends_that_take_no_writes_or_keep_other_hours() {
    for flavor in Flavor::ALL.into_iter().filter(|&flavor| have(flavor)) {
        let odd = own(flavor, ServerOptions::new().arg("--sysdate-is-now"));
        let (source, destination) = (shared(flavor, Role::Source), shared(flavor, Role::Destination));
        let table = "CREATE TABLE t (id INT PRIMARY KEY)";
        let mut into = Case::new(source, &odd, "checks_odd_end");
        into.source(table);
        let all = ["ALL ON checks_odd_end.*", "ALL ON dts.*"];
        into.destination_as("checks_plain", &all);
        odd.exec("SET GLOBAL read_only=ON").expect("set");
        into.plan().shows("DT208");
        odd.exec("SET GLOBAL read_only=OFF").expect("set");
        // What sessions of accounts without special rights begin with: a clock that stands still, in the past.
        odd.exec("SET GLOBAL init_connect='SET timestamp=1700000000'").expect("set");
        let plan = into.plan();
        plan.passes("DT208");
        assert!(
            plan.said().iter().any(|s| s.contains("the destination's clock is") && s.contains("behind the source's")),
            "{:#?}",
            plan.said()
        );
        odd.exec("SET GLOBAL init_connect=''").expect("set");
        into.plan().passes("DT212");

        odd.exec("CREATE DATABASE dts;\nCREATE TABLE dts.theirs (id INT PRIMARY KEY)").expect("a table");
        into.plan().shows("DT211_foreign");
        odd.exec("DROP DATABASE dts").expect("dropped");
        into.objects("[{database: checks_odd_end, rename: DTS}]");
        let output = into.command(&["plan"]).output().expect("runs");
        assert_eq!(output.status.code(), Some(65), "{}", String::from_utf8_lossy(&output.stderr));
        let mut from = Case::new(&odd, destination, "checks_odd_end");
        from.source(table);
        odd.exec("SET GLOBAL read_only=ON").expect("set");
        from.plan().shows("DT209_copied");
        from.follows();
        let plan = from.plan();
        plan.shows("DT209");
    }
}

/// The difference is what it is when the plan is made, so the text is shown without its figures.
#[test]
fn clocks_far_apart() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let odd = own(Flavor::MariaDb, ServerOptions::new().arg("--sysdate-is-now"));
    let mut case = Case::new(shared(Flavor::MariaDb, Role::Source), &odd, "checks_clocks");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.destination_as("checks_plain", &["ALL ON checks_clocks.*", "ALL ON dts.*"]);
    odd.exec("SET GLOBAL init_connect='SET timestamp=1700000000'").expect("set");
    case.plan().without_figures().shows("DT212");
}

/// A command that is not on this machine would be found missing when it is needed.
#[test]
fn an_alert_command_that_is_not_there() {
    let Some(flavor) = Flavor::ALL.into_iter().find(|&flavor| have(flavor)) else { return };
    let mut case = Case::new(shared(flavor, Role::Source), shared(flavor, Role::Destination), "checks_alerts");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.rest("alerts: {command: [./notify.sh]}\n");
    case.plan().shows("DT305");
    case.rest("alerts: {command: [./notify.sh]}\nprecheck: {ignore: [DT305]}\n");
    assert_eq!(case.plan().code, 0);
    case.rest("alerts: {command: [sh]}\n");
    case.plan().passes("DT305");
}
