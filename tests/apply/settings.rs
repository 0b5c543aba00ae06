//! Servers as people run them: settings that change what a statement means must not change what arrives.

use testbed::{Flavor, Server, ServerOptions, equal, have};

use crate::support::Task;

/// Every default that a session inherits is one that a careless tool would stumble over. Seen with `completion_type=CHAIN`: everything
/// arrived, and that the last table was finished was written into a transaction that nobody committed.
#[test]
fn global_settings_do_not_reach_our_sessions() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let (from, to) = (hostile(flavor), hostile(flavor));
        // Sessions of before do not take the new defaults.
        let (mut source, mut destination) = (from.root_conn().expect("source"), to.root_conn().expect("destination"));
        let name = format!("hostile_{flavor}");
        testbed::sql::run_file(&mut source, &testbed::testdata("types/common.sql"), &name).expect("filled");
        for (server, reads) in [(&from, true), (&to, false)] {
            spoil(server, reads);
        }
        let databases = ["types", "charsets", "keys", "parents", "shapes", "odd-name.d"].map(|d| format!("{name}_{d}"));
        let objects: Vec<String> = databases.iter().map(|d| format!("{{database: {d:?}, rename: {:?}}}", format!("{d}_x"))).collect();
        let task = Task::new(&name, &from, &to, &format!("objects: [{}]\n", objects.join(", ")));
        task.run(&["apply", "--yes"]).expect(0);
        let mut problems = Vec::new();
        for database in &databases {
            problems.extend(equal::compare_databases(&mut source, database, &mut destination, &format!("{database}_x")).err());
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        task.run(&["verify"]).expect(0);
        let plan = task.run(&["plan"]);
        assert!(plan.expect(0).stdout.contains("No changes."), "{}", plan.stdout);
    }
}

fn hostile(flavor: Flavor) -> Server {
    let options = ServerOptions::new()
        .arg("--default-time-zone=+05:45")
        .arg("--character-set-server=latin1")
        .arg("--collation-server=latin1_german1_ci")
        .arg("--local-infile=0");
    Server::start(flavor, options).expect("a server")
}

/// Gives new sessions defaults that change what statements mean, and ends those that read for longer than an instant.
fn spoil(server: &Server, reads: bool) {
    let mut settings = vec![
        "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,NO_ZERO_DATE,NO_ZERO_IN_DATE,TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH'",
        "autocommit = 0",
        "completion_type = 'CHAIN'",
        "max_sort_length = 64",
        "group_concat_max_len = 16",
        "div_precision_increment = 0",
        "sql_select_limit = 3",
        "sql_safe_updates = 1",
        "sql_auto_is_null = 1",
        "explicit_defaults_for_timestamp = 0",
        "innodb_strict_mode = 0",
        "character_set_client = 'latin1', GLOBAL character_set_results = 'latin1', GLOBAL collation_connection = 'latin1_bin'",
    ];
    match server.flavor() {
        Flavor::MySql => {
            settings.extend([
                "transaction_isolation = 'SERIALIZABLE'",
                "transaction_read_only = 1",
                "sql_generate_invisible_primary_key = ON",
                "sql_quote_show_create = 0",
            ]);
            settings.extend(["default_collation_for_utf8mb4 = 'utf8mb4_general_ci'", "show_create_table_verbosity = 1"]);
            settings.extend(reads.then_some("max_execution_time = 1"));
        }
        Flavor::MariaDb => {
            settings.extend(["tx_isolation = 'SERIALIZABLE'", "tx_read_only = 1", "sql_quote_show_create = 0", "old_mode = ''"]);
            settings.extend(reads.then_some("max_statement_time = 0.001"));
        }
    }
    let mut conn = server.root_conn().expect("a connection");
    for setting in settings {
        mysql::prelude::Queryable::query_drop(&mut conn, format!("SET GLOBAL {setting}")).unwrap_or_else(|e| panic!("{setting}: {e}"));
    }
}

/// A destination that folds names to lower case holds what it was given, under the names it makes of them.
#[test]
fn a_destination_that_folds_names() {
    let flavor = Flavor::MariaDb;
    if !have(flavor) {
        return;
    }
    let from = testbed::shared(flavor, testbed::Role::Source);
    let to = Server::start(flavor, ServerOptions::new().arg("--lower-case-table-names=1")).expect("a server");
    from.exec(
        "DROP DATABASE IF EXISTS Folded;\nCREATE DATABASE Folded;\nCREATE TABLE Folded.Parent (Id INT PRIMARY KEY, V VARCHAR(10), KEY Key_V (V));\n\
         CREATE TABLE Folded.Child (Id INT PRIMARY KEY, P INT, CONSTRAINT Fk FOREIGN KEY (P) REFERENCES Folded.Parent (Id));\n\
         INSERT INTO Folded.Parent VALUES (1, 'x'), (2, NULL);\nINSERT INTO Folded.Child VALUES (1, 1), (2, 2)",
    )
    .expect("made");
    let task = Task::new("folded", from, &to, "objects: [{database: Folded, rename: Folded_Away}]\n");
    task.run(&["apply", "--yes"]).expect(0);
    let (mut source, mut destination) = (from.root_conn().expect("source"), to.root_conn().expect("destination"));
    for (table, there) in [("Parent", "parent"), ("Child", "child")] {
        equal::compare_tables(&mut source, "Folded", table, &mut destination, "folded_away", there).expect("equal");
    }
    task.run(&["verify"]).expect(0);
    let plan = task.run(&["plan"]);
    assert!(plan.expect(0).stdout.contains("No changes."), "{}", plan.stdout);
    task.run(&["apply", "--restart", "--yes"]).expect(0);
    task.run(&["verify"]).expect(0);
}
