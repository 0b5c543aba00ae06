//! `apply` from end to end through the real binary: saved plans, existing tables, changes behind its back, refusals, traps, limits.
//!
//! Each test has a database of its own on servers that all tests share, and servers of its own only where their settings matter.

#![expect(clippy::print_stderr, reason = "what was measured, and the pair of a loop that failed")]

mod accounts;
mod documents;
mod existing;
mod filter;
mod lists;
mod log;
mod mapping;
mod outside;
mod phases;
mod programs;
mod refused;
mod saved;
mod selection;
mod settings;
mod throttle;
mod traps;
mod verified;

use mysql::{Conn, prelude::Queryable as _};
use testbed::{Flavor, Role, Server, equal, have, shared};

use crate::support::{Outcome, Task};

/// A task that carries one database, made anew at the source and absent at the destination.
struct Bed {
    task: Task,
    db: String,
    from: &'static Server,
    to: &'static Server,
    source: Conn,
    destination: Conn,
}

impl Bed {
    /// `None` where a flavour cannot be had. `db` tells the tests apart.
    fn new(from: Flavor, to: Flavor, db: &str) -> Option<Self> {
        if !have(from) || !have(to) {
            return None;
        }
        let db = if from == to { format!("{db}_{from}") } else { format!("{db}_{from}_{to}") };
        let (from, to) = (shared(from, Role::Source), shared(to, Role::Destination));
        let objects = format!("objects: [{{database: {db}}}]\n");
        let mut bed = Self {
            task: Task::new(&db, from, to, &objects),
            from,
            to,
            source: from.root_conn().expect("source"),
            destination: to.root_conn().expect("destination"),
            db,
        };
        for conn in [&mut bed.source, &mut bed.destination] {
            conn.query_drop("SET NAMES utf8mb4").expect("names");
            conn.query_drop("SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'").expect("settings");
            conn.query_drop(format!("DROP DATABASE IF EXISTS `{}`", bed.db)).expect("dropped");
        }
        // Where the servers are a person's own, an earlier run of the tests may have left its progress.
        for (table, column) in [("dtsctl_range", "task"), ("dtsctl_table", "task"), ("dtsctl_task", "name")] {
            let _ = bed.destination.query_drop(format!("DELETE FROM dts.{table} WHERE {column} = '{}'", bed.db));
        }
        let create = format!("CREATE DATABASE `{0}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nUSE `{0}`", bed.db);
        bed.source(&create);
        Some(bed)
    }

    fn mariadb(db: &str) -> Option<Self> {
        Self::new(Flavor::MariaDb, Flavor::MariaDb, db)
    }

    /// Adds further keys to the spec.
    fn spec(&self, extra: &str) {
        self.task.write(&format!("objects: [{{database: {}}}]\n{extra}", self.db));
    }

    fn source(&mut self, sql: &str) {
        testbed::sql::run(&mut self.source, sql).expect("source");
    }

    fn destination(&mut self, sql: &str) {
        testbed::sql::run(&mut self.destination, sql).expect("destination");
    }

    /// Makes the database at the destination, as somebody else would have.
    fn occupied(&mut self, sql: &str) {
        self.destination(&format!("CREATE DATABASE `{0}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nUSE `{0}`;\n{sql}", self.db));
    }

    /// Whether the destination has the database.
    fn arrived(&mut self) -> bool {
        let found: Option<String> = self.destination.query_first(format!("SHOW DATABASES LIKE '{}'", self.db)).expect("asked");
        found.is_some()
    }

    /// A query at the destination whose rows are one number each.
    fn numbers(&mut self, sql: &str) -> Vec<i64> {
        self.destination.query_drop(format!("USE `{}`", self.db)).expect("use");
        self.destination.query(sql).expect("numbers")
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.task.run(arguments)
    }

    /// Applies, and the servers show that the ends are equal; so does `verify`, and a second plan has nothing to say.
    #[track_caller]
    fn carried(&mut self) {
        self.run(&["apply", "--yes"]).expect(0);
        self.is_equal();
        self.run(&["verify"]).expect(0);
        self.is_quiet();
    }

    /// The servers show that the ends are equal.
    #[track_caller]
    fn is_equal(&mut self) {
        let db = self.db.clone();
        if let Err(problem) = equal::compare_databases(&mut self.source, &db, &mut self.destination, &db) {
            panic!("{problem}");
        }
    }

    /// A plan has nothing to do.
    #[track_caller]
    fn is_quiet(&self) {
        let plan = self.run(&["plan", "--detailed-exitcode"]);
        plan.expect(0);
        assert!(plan.stdout.contains("No changes."), "{}", plan.stdout);
    }

    /// Text for a snapshot, without what differs from run to run.
    fn redacted(&self, text: &str) -> String {
        redacted(text, &self.db, self.from, self.to)
    }
}

fn redacted(text: &str, db: &str, from: &Server, to: &Server) -> String {
    text.replace(db, "db")
        .replace(&format!("{}:{}", from.host(), from.port()), "source:3306")
        .replace(&format!("{}:{}", to.host(), to.port()), "destination:3306")
        .replace(&numbers(from), "VERSION")
        .replace(&numbers(to), "VERSION")
}

/// `10.11.19` of `10.11.19-MariaDB-0+deb12u1`: which patch a machine has is its own affair.
fn numbers(server: &Server) -> String {
    server.version().split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default().to_owned()
}

/// Snapshots by test, without the expression.
macro_rules! shown {
    ($name:expr, $text:expr) => {
        insta::with_settings!({snapshot_path => "../snapshots/apply", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!($name, $text);
        })
    };
}
use shown;
