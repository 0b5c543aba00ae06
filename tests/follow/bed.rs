//! A task that copies and then follows, on servers of its own or on those that tests share.

use mysql::{Conn, prelude::Queryable as _};
use testbed::{Flavor, Role, Server, equal, have, shared};

use crate::support::{Outcome, Task};

/// Copies what is there and ends when nothing is left to apply; the same command goes on later.
pub(super) const CATCH_UP: [&str; 4] = ["apply", "--yes", "--until", "caught-up"];

/// What every spec here says about phases.
pub(super) const PHASES: &str = "phases: {schema: true, full: true, incremental: true}\n";

/// One source database, made anew, and a task that follows it.
pub(super) struct Bed {
    pub(super) task: Task,
    pub(super) db: String,
    pub(super) source: Conn,
    pub(super) destination: Conn,
    access: (mysql::OptsBuilder, mysql::OptsBuilder),
}

impl Bed {
    /// `None` where a flavour cannot be had. `name` tells the tests apart.
    pub(super) fn new(from: Flavor, to: Flavor, name: &str) -> Option<Self> {
        if !have(from) || !have(to) {
            return None;
        }
        Some(Self::on(shared(from, Role::Source), shared(to, Role::Destination), name))
    }

    /// The same on these servers.
    pub(super) fn on(from: &Server, to: &Server, name: &str) -> Self {
        let db = if from.flavor() == to.flavor() {
            format!("follow_{name}_{}", from.flavor())
        } else {
            format!("follow_{name}_{}_{}", from.flavor(), to.flavor())
        };
        let task = Task::new(&db, from, to, &format!("{PHASES}objects: [{{database: {db}}}]\n"));
        let mut bed = Self {
            task,
            source: from.root_conn().expect("source"),
            destination: to.root_conn().expect("destination"),
            access: (from.opts(), to.opts()),
            db,
        };
        for conn in [&mut bed.source, &mut bed.destination] {
            conn.query_drop("SET NAMES utf8mb4").expect("names");
            conn.query_drop("SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'").expect("settings");
            conn.query_drop(format!("DROP DATABASE IF EXISTS `{}`", bed.db)).expect("dropped");
        }
        bed.source(&format!("CREATE DATABASE `{0}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nUSE `{0}`", bed.db));
        bed
    }

    /// Runs statements at the source, in its database.
    #[track_caller]
    pub(super) fn source(&mut self, sql: &str) {
        testbed::sql::run(&mut self.source, sql).unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// The source is MySQL.
    pub(super) fn is_mysql(&mut self) -> bool {
        let version: String = self.source.query_first("SELECT VERSION()").expect("version").unwrap_or_default();
        !version.contains("MariaDB")
    }

    /// Another session at the source.
    pub(super) fn source_session(&self) -> Conn {
        Conn::new(self.access.0.clone()).expect("source")
    }

    /// Another session at the destination.
    pub(super) fn destination_session(&self) -> Conn {
        Conn::new(self.access.1.clone()).expect("destination")
    }

    /// Runs until caught up; the servers show that both ends are equal.
    #[track_caller]
    pub(super) fn caught_up(&mut self) -> Outcome {
        let outcome = self.task.run(&CATCH_UP);
        outcome.expect(0);
        self.is_equal();
        outcome
    }

    /// Copies `before`, then brings `after` by the binlog, statement by statement as well as all at once, and compares.
    #[track_caller]
    pub(super) fn carries(&mut self, before: &str, after: &str) {
        self.source(before);
        self.caught_up();
        self.source(after);
        self.caught_up();
    }

    /// The servers show that the ends are equal.
    #[track_caller]
    pub(super) fn is_equal(&mut self) {
        let db = self.db.clone();
        if let Err(problem) = equal::compare_databases(&mut self.source, &db, &mut self.destination, &db) {
            panic!("{problem}");
        }
        // Comparing reads bytes; what is written next is text again.
        for conn in [&mut self.source, &mut self.destination] {
            conn.query_drop("SET NAMES utf8mb4").expect("names");
        }
    }

    /// A query at the destination whose rows are one number each.
    pub(super) fn numbers(&mut self, sql: &str) -> Vec<i64> {
        self.destination.query_drop(format!("USE `{}`", self.db)).expect("use");
        self.destination.query(sql).expect("numbers")
    }
}

/// A test on each of the four pairs that can be had here.
pub(super) fn each(name: &str, test: impl Fn(&mut Bed)) {
    for (from, to) in Flavor::PAIRS {
        if let Some(mut bed) = Bed::new(from, to, name) {
            crate::support::say(&format!("{name}: {from} to {to}"));
            test(&mut bed);
        }
    }
}
