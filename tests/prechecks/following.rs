//! DT260 to DT273: what the binlog can bring of the selected tables, and where a task goes on from.

use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use super::Case;

#[test]
fn tables_that_the_binlog_serves_badly() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let mut case = Case::new(source, destination, "checks_follow");
    case.source(
        "CREATE TABLE parent (id INT PRIMARY KEY);\n\
         CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL);\n\
         CREATE TABLE by_list (e ENUM('a','b') NOT NULL PRIMARY KEY);\n\
         CREATE TABLE of_list (id INT PRIMARY KEY, e ENUM('a','b'), CONSTRAINT listed FOREIGN KEY (e) REFERENCES by_list (e) ON DELETE CASCADE);\n\
         CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MEMORY;\nCREATE TABLE one (id INT) ENGINE=MyISAM;\n\
         CREATE TABLE merged (id INT) ENGINE=MERGE UNION=(one)",
    );
    case.follows();
    case.plan().shows("DT262").shows("DT265");
    case.objects("[{database: checks_follow, tables: [{name: child}]}]");
    case.plan().shows("DT262_parent");
    case.objects("[{database: checks_follow, tables: [{name: parent}, {name: child}]}]");
    case.plan().passes("DT262");
    case.objects("[{database: checks_follow, tables: [{name: parent}]}]");
    case.plan().shows("DT264");
    case.objects("[{database: checks_follow, operations: [insert, create-table], tables: [{name: parent, operations: [insert, update]}, {name: child}]}]");
    case.plan().shows("DT290");
}

/// Requirements C08: a table that another task writes too would be replaced by an online change of this source.
#[test]
fn tables_of_several_tasks_and_online_changes() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let other = Case::new(source, destination, "checks_shard1");
    other.source("CREATE TABLE orders (id INT PRIMARY KEY);\nINSERT INTO orders VALUES (1)");
    other.run(&["apply", "--yes"]);
    let mut case = Case::new(source, destination, "checks_shard2");
    case.source("CREATE TABLE orders (id INT PRIMARY KEY);\nCREATE TABLE alone (id INT PRIMARY KEY);\nINSERT INTO orders VALUES (2)");
    case.follows();
    case.objects("[{database: checks_shard2, rename: checks_shard1}]");
    case.rest("conflict: {existing_tables: ignore}\n");
    case.plan().shows("DT275");
    case.rest("conflict: {existing_tables: ignore}\nprecheck: {ignore: [DT275, DT254]}\n");
    case.run(&["apply", "--yes", "--until", "caught-up"]);
    case.rest("conflict: {existing_tables: ignore}\n");
    case.plan().shows("DT275_follows");
    case.rest("conflict: {existing_tables: ignore}\nonline_ddl: {mode: gh-ost}\n");
    case.plan().passes("DT275");
    case.rest("conflict: {existing_tables: ignore}\nonline_ddl: {mode: dms, shadow: ['^tp_\\d+_ogt_(.+)$'], trash: ['^tp_\\d+_(?:ogl|del)_(.+)$']}\n");
    case.plan().shows("DT276");
    // Selected by name, the swap would stop the task.
    case.objects("[{database: checks_shard2, rename: checks_shard1, tables: [{name: orders}]}]");
    case.rest("conflict: {existing_tables: ignore}\n");
    case.plan().passes("DT275");
}

#[test]
fn copies_without_an_exact_place() {
    if !have(Flavor::MySql) {
        return;
    }
    let (source, destination) = (shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination));
    let mut case = Case::new(source, destination, "checks_place");
    case.source("CREATE TABLE keyless (a INT);\nINSERT INTO keyless VALUES (1)");
    case.follows();
    case.source_as("checks_lockless", &["SELECT ON checks_place.*", "REPLICATION SLAVE, REPLICATION CLIENT ON *.*", "ALL ON dts.*"]);
    case.plan().shows("DT260");
    case.phases("{schema: true, full: true, incremental: false}");
    case.run(&["apply", "--yes"]);
    case.follows();
    case.plan().shows("DT260_unplaced");
}

#[test]
fn positions_that_are_gone_or_unknown() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).expect("a server");
    let mut case = Case::new(&source, shared(Flavor::MariaDb, Role::Destination), "checks_gone");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.destination("CREATE TABLE t (id INT PRIMARY KEY)");
    case.phases("{schema: false, full: false, incremental: true}");
    case.rest("start: \"pos:binlog.000099:4\"\nconflict: {existing_tables: ignore}\n");
    case.plan().shows("DT267");
    case.source("FLUSH BINARY LOGS;\nFLUSH BINARY LOGS");
    let first = std::fs::read_dir(source.datadir().expect("a folder")).expect("listed").filter_map(|entry| Some(entry.ok()?.path()));
    let first = first.filter(|path| path.to_string_lossy().contains("binlog.00")).min().expect("a file");
    // Moved away, it is back before the server ends.
    let aside = first.with_extension("aside");
    std::fs::rename(&first, &aside).expect("moved");
    case.plan().shows("DT299");
    std::fs::rename(&aside, &first).expect("moved back");
    case.plan().passes("DT299");
    case.source_as("checks_posless", &["SELECT ON checks_gone.*", "REPLICATION SLAVE ON *.*"]);
    case.plan().shows("DT267_unknown");
}

#[test]
fn a_selection_that_changed_under_way() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let mut case = Case::new(source, destination, "checks_reselect");
    case.source("CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY)");
    case.follows();
    case.objects("[{database: checks_reselect, tables: [{name: a}]}]");
    case.run(&["apply", "--yes", "--until", "caught-up"]);
    case.objects("[{database: checks_reselect, tables: [{name: a}, {name: b}]}]");
    case.plan().shows("DT272");
}

#[test]
fn transactions_that_were_prepared_before() {
    if !have(Flavor::MySql) {
        return;
    }
    let source = Server::start(Flavor::MySql, ServerOptions::new()).expect("a server");
    let mut case = Case::new(&source, shared(Flavor::MySql, Role::Destination), "checks_prepared");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.follows();
    // Left prepared until the server goes.
    source.exec("XA START 'left';\nINSERT INTO checks_prepared.t VALUES (1);\nXA END 'left';\nXA PREPARE 'left'").expect("prepared");
    case.plan().shows("DT273");
    case.source_as("checks_blind", &["SELECT, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.*"]);
    case.plan().shows("DT273_unseen");
}
