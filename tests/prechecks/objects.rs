//! DT220 to DT239 and the notes of the diff: what is selected, and what of it can be carried.

use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use super::Case;

fn pair(flavor: Flavor) -> Option<(&'static Server, &'static Server)> {
    have(flavor).then(|| (shared(flavor, Role::Source), shared(flavor, Role::Destination)))
}

fn across(from: Flavor, to: Flavor) -> Option<(&'static Server, &'static Server)> {
    (have(from) && have(to)).then(|| (shared(from, Role::Source), shared(to, Role::Destination)))
}

#[test]
fn names_that_are_not_there() {
    let Some((source, destination)) = pair(Flavor::MariaDb) else { return };
    let mut case = Case::new(source, destination, "checks_names");
    case.source("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)");
    case.objects("[{database: checks_nowhere}, {database: checks_names, tables: [{name: t}, {name: nothing}]}]");
    case.plan().shows("DT220");
    case.objects("[{database: \"checks_no_such_*\"}]");
    case.plan().shows("DT220_pattern");
    case.objects("[{database: checks_names, tables: [{name: t, columns: {exclude: [gone], rename: {a: B}}}]}]");
    case.plan().shows("DT238");
    case.objects("[{database: checks_names}]").phases("{schema: false, full: true, incremental: false}");
    case.plan().shows("DT226").shows("DT229");
}

#[test]
fn tables_without_a_good_key() {
    let Some((source, destination)) = pair(Flavor::MySql) else { return };
    let case = Case::new(source, destination, "checks_keys");
    case.source(
        "CREATE TABLE none (a INT);\nCREATE TABLE nullable (a INT, UNIQUE KEY (a));\n\
         CREATE TABLE inexact (f DOUBLE NOT NULL, UNIQUE KEY (f));\nCREATE TABLE isam (id INT PRIMARY KEY) ENGINE=MyISAM;\n\
         CREATE TABLE text (id INT PRIMARY KEY, body TEXT, FULLTEXT KEY ft (body) WITH PARSER ngram);\n\
         CREATE TABLE m1 (id INT) ENGINE=MyISAM;\nCREATE TABLE merged (id INT) ENGINE=MERGE UNION=(m1);\n\
         CREATE TABLE docs (id INT PRIMARY KEY, j JSON)",
    );
    let plan = case.plan();
    plan.shows("DT221").shows("DT222").shows("DT223").shows("DT233").shows("DT237").shows("DT230").shows("DT244").shows("DT123");
}

/// Requirements B16: what the destination would refuse in the schema phase is found in the plan.
#[test]
fn a_parser_that_the_destination_lacks() {
    let Some((source, _)) = pair(Flavor::MySql) else { return };
    let table = "CREATE TABLE text (id INT PRIMARY KEY, body TEXT, FULLTEXT KEY ft (body) WITH PARSER ngram)";
    let bare = Server::start(Flavor::MySql, ServerOptions::new().arg("--ngram=OFF")).expect("a server");
    let case = Case::new(source, &bare, "checks_parser");
    case.source(table);
    case.plan().shows("DT237_absent");
    let refused = bare.exec("CREATE DATABASE checks_parser;\nUSE checks_parser;\nCREATE TABLE text (id INT PRIMARY KEY, body TEXT, FULLTEXT KEY ft (body) WITH PARSER ngram)");
    assert!(refused.is_err(), "the server takes it after all");
    if let Some((source, destination)) = across(Flavor::MySql, Flavor::MariaDb) {
        let case = Case::new(source, destination, "checks_parser_far");
        case.source(table);
        case.plan().shows("DT237_crossing");
        case.run(&["apply", "--yes"]);
    }
}

#[test]
fn what_only_one_vendor_has() {
    if let Some((source, destination)) = across(Flavor::MariaDb, Flavor::MySql) {
        let case = Case::new(source, destination, "checks_to_mysql");
        case.source(
            "CREATE TABLE history (id INT PRIMARY KEY) WITH SYSTEM VERSIONING;\n\
             CREATE TABLE computed (id INT PRIMARY KEY, twice INT AS (id * 2) STORED);\n\
             CREATE TABLE docs (id INT PRIMARY KEY, j JSON, address INET6) PAGE_CHECKSUM=1",
        );
        let plan = case.plan();
        plan.shows("DT235").shows("DT236").shows("DT243").shows("DT126").shows("DT122");
    }
    if let Some((source, destination)) = across(Flavor::MySql, Flavor::MariaDb) {
        let case = Case::new(source, destination, "checks_to_mariadb");
        case.source("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci)");
        case.plan().shows("DT121");
    }
}

#[test]
fn views_programs_and_their_definers() {
    let Some((source, destination)) = pair(Flavor::MySql) else { return };
    let mut case = Case::new(source, destination, "checks_programs");
    source.exec("CREATE USER IF NOT EXISTS 'checks_owner'@'%'").expect("an account");
    destination.exec("DROP USER IF EXISTS 'checks_owner'@'%'").expect("none");
    case.source(
        "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE DEFINER='checks_owner'@'%' VIEW v AS SELECT id FROM checks_programs.t;\n\
         CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id + 0",
    );
    let plan = case.plan();
    plan.shows("DT231").shows("DT239_missing");
    case.destination_as("checks_maker", &["ALL ON checks_programs.*", "ALL ON dts.*"]);
    case.plan().shows("DT239");
    case.objects("[{database: checks_programs, tables: [{name: t}]}]");
    case.plan().shows("DT231_tables");
}

/// What this sync made, changed by somebody else since.
#[test]
fn definitions_changed_behind_its_back() {
    let Some((source, destination)) = pair(Flavor::MariaDb) else { return };
    let case = Case::new(source, destination, "checks_outside");
    case.source("CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE gone (id INT PRIMARY KEY)");
    case.run(&["apply", "--yes"]);
    case.destination("ALTER TABLE t ADD COLUMN extra INT;\nDROP TABLE gone");
    case.plan().shows("DT232");
}

#[test]
fn lists_that_are_not_as_printed() {
    let Some((source, destination)) = pair(Flavor::MySql) else { return };
    let case = Case::new(source, destination, "checks_lists");
    case.source(
        "CREATE TABLE cut (id INT PRIMARY KEY, e ENUM('aé','x') CHARACTER SET latin1);\nALTER TABLE cut CONVERT TO CHARACTER SET utf8mb4;\n\
         CREATE TABLE lost (id INT PRIMARY KEY, e ENUM('x','é') CHARACTER SET latin1);\nALTER TABLE lost CONVERT TO CHARACTER SET utf8mb4",
    );
    case.plan().shows("DT274");
}
