//! Verify while the source is written to. The apply beside it is here the server's own replication, so that nothing of ours but verify is on
//! trial, and a replica that lags by a second makes everything that is written differ at first.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use dtsctl::{
    binlog::{Place, Position},
    catalog::ColumnMap,
    connect::{ConnectError, RetryWindows},
    event::StopToken,
    verify::{Apply, Live, Mode, Settings, TablePair, Verdict, VerifyReceipt, run_beside},
};
use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions};

use super::{Bed, counts, login};
use crate::support::until;

const DB: &str = "beside";

/// A MariaDB and its replica.
struct Pair {
    source: Server,
    replica: Server,
}

impl Pair {
    /// `None` where there is no MariaDB to be had.
    fn start(delay: u32) -> Option<Self> {
        if !testbed::have(Flavor::MariaDb) {
            return None;
        }
        let options = || ServerOptions::new().arg("--gtid-strict-mode=0");
        let pair = Self {
            source: Server::start(Flavor::MariaDb, options()).expect("a server"),
            replica: Server::start(Flavor::MariaDb, options()).expect("a server"),
        };
        pair.source.exec("RESET MASTER").expect("reset");
        pair.replica
            .exec(&format!(
                "CHANGE MASTER TO MASTER_HOST='{}', MASTER_PORT={}, MASTER_USER='{}', MASTER_PASSWORD='{}', MASTER_DELAY={delay}, \
                 MASTER_USE_GTID=slave_pos",
                pair.source.host(),
                pair.source.port(),
                pair.source.user(),
                pair.source.password()
            ))
            .expect("told");
        pair.replica.exec("START SLAVE").expect("started");
        let rows = (1..=500).map(|n| format!("({n}, {n}, 'v{n}')")).collect::<Vec<_>>().join(",");
        for statement in [
            format!("CREATE DATABASE {DB}"),
            format!("CREATE TABLE {DB}.t (id INT NOT NULL PRIMARY KEY, n INT NOT NULL, v VARCHAR(20))"),
            format!("INSERT INTO {DB}.t VALUES {rows}"),
            format!("CREATE TABLE {DB}.k (n INT, v VARCHAR(20))"),
            format!("INSERT INTO {DB}.k SELECT n, v FROM {DB}.t"),
            format!("INSERT INTO {DB}.k SELECT n, v FROM {DB}.t"),
            // Text keys, whose order is the collation's.
            format!("CREATE TABLE {DB}.s (k VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, n INT NOT NULL) CHARSET utf8mb4"),
            format!("INSERT INTO {DB}.s SELECT CONCAT('k', id), id FROM {DB}.t"),
        ] {
            pair.source.exec(&statement).expect("filled");
        }
        until("the replica", || pair.applied_text() == pair.source_text());
        Some(pair)
    }

    fn one(server: &Server, sql: &str) -> String {
        server.root_conn().expect("a connection").query_first::<String, _>(sql).expect("a row").unwrap_or_default()
    }

    fn source_text(&self) -> String {
        Self::one(&self.source, "SELECT @@GLOBAL.gtid_binlog_pos")
    }

    fn applied_text(&self) -> String {
        Self::one(&self.replica, "SELECT @@GLOBAL.gtid_slave_pos")
    }

    /// Behind the back of replication.
    fn spoil(&self, sql: &str) {
        let mut conn = self.replica.root_conn().expect("a connection");
        conn.query_drop("SET SESSION sql_log_bin=0").expect("set");
        conn.query_drop(sql).expect("spoilt");
        assert_eq!(conn.affected_rows(), 1, "{sql}");
    }

    fn verify(&self, apply: &dyn Apply, limit: Duration) -> VerifyReceipt {
        let (source, destination) = (Bed::catalog(&login(&self.source), DB), Bed::catalog(&login(&self.replica), DB));
        let tables = source.tables.into_iter().map(|table| TablePair {
            destination_name: table.name.clone(),
            destination: destination.table(&table.name).cloned(),
            source: table,
            common_columns_only: false,
            columns: ColumnMap::default(),
        });
        let settings = Settings {
            tables: tables.collect(),
            mode: Mode::Full,
            threads: 2,
            max_diffs: 100,
            keys: true,
            seed: 1,
            stream: false,
            spec_digest: None,
            retry: RetryWindows { connection: Duration::from_secs(5), other: Duration::from_secs(5) },
        };
        let live = Live { apply, limit };
        let (from, to) = (login(&self.source), login(&self.replica));
        run_beside(&settings, Some(&live), &from, &to, &StopToken::default(), &|_| {}).expect("verify")
    }

    /// Writes until it is told to stop: rows of 1 to 99 all the time, rows of 400 and more never.
    fn write(&self, stop: &AtomicBool, written: &AtomicU64) {
        let mut conn = self.source.root_conn().expect("a connection");
        let mut random = crate::support::Random::new("verify::live");
        while !stop.load(Ordering::SeqCst) {
            let (a, b) = (1 + random.below(99), 1 + random.below(99));
            for statement in [
                format!("UPDATE {DB}.t SET n = n + 1 WHERE id IN ({a}, {b})"),
                format!("DELETE FROM {DB}.t WHERE id = {}", 1000 + a),
                format!("INSERT IGNORE INTO {DB}.t VALUES ({}, {b}, NULL)", 1000 + b),
                format!("INSERT INTO {DB}.k VALUES ({a}, 'new')"),
                format!("DELETE FROM {DB}.k WHERE n = {b} LIMIT 1"),
                format!("UPDATE {DB}.s SET k = CONCAT('m', k), n = n - 1 WHERE k = 'k{a}'"),
                format!("UPDATE {DB}.s SET k = SUBSTR(k, 2) WHERE k = 'mk{b}'"),
            ] {
                conn.query_drop(statement).expect("written");
                written.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Runs `work` while somebody writes.
    fn while_written(&self, work: impl FnOnce()) {
        let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| {
            // However the work ends.
            struct Stop<'a>(&'a AtomicBool);
            impl Drop for Stop<'_> {
                fn drop(&mut self) {
                    self.0.store(true, Ordering::SeqCst);
                }
            }
            let _stop = Stop(&stop);
            scope.spawn(|| self.write(&stop, &written));
            until("a writer", || written.load(Ordering::SeqCst) > 200);
            work();
        });
    }
}

/// The replica as an apply.
struct Replica<'a> {
    pair: &'a Pair,
    holds: bool,
}

impl Replica<'_> {
    fn runs(&self) -> bool {
        let mut conn = self.pair.replica.root_conn().expect("a connection");
        let row: mysql::Row = conn.query_first("SHOW SLAVE STATUS").expect("status").expect("a row");
        row.get::<String, _>("Slave_SQL_Running").expect("a column") != "No"
    }
}

impl Apply for Replica<'_> {
    fn applied(&self) -> Result<Option<Position>, ConnectError> {
        let gtid = self.pair.applied_text().parse().expect("GTIDs");
        let place = Place { file: "none.000001".to_owned(), offset: 4 };
        Ok(Some(Position { place, gtid: Some(gtid), server: Some("replica".into()), mark: None }))
    }

    fn hold(&self, at: Option<&Position>, within: Duration) -> bool {
        if !self.holds {
            return false;
        }
        let statement = match at {
            None => "STOP SLAVE".to_owned(),
            Some(position) => format!("START SLAVE UNTIL master_gtid_pos = '{}'", position.gtid.as_ref().expect("GTIDs")),
        };
        self.pair.replica.exec(&statement).expect("held");
        let begun = Instant::now();
        while begun.elapsed() < within {
            if !self.runs() && at.is_none_or(|at| self.pair.applied_text() == at.gtid.as_ref().expect("GTIDs").to_string()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn is_held(&self) -> bool {
        !self.runs()
    }

    fn release(&self) {
        if self.holds {
            self.pair.replica.exec("STOP SLAVE").expect("stopped");
            self.pair.replica.exec("START SLAVE").expect("released");
        }
    }
}

fn followed(receipt: &VerifyReceipt) -> &dtsctl::verify::Followed {
    match &receipt.position {
        dtsctl::verify::Position::Followed(followed) => followed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_on_its_way_is_no_difference() {
    let Some(pair) = Pair::start(0) else { return };
    pair.while_written(|| {
        for round in 0..6 {
            let receipt = pair.verify(&Replica { pair: &pair, holds: true }, Duration::from_secs(60));
            assert_eq!(receipt.verdict, Verdict::Equal, "round {round}: {receipt:#?}");
        }
    });
}

#[test]
fn what_differs_is_found_among_all_that_is_on_its_way() {
    let Some(pair) = Pair::start(1) else { return };
    pair.while_written(|| {
        let apply = Replica { pair: &pair, holds: true };
        let receipt = pair.verify(&apply, Duration::from_secs(60));
        assert_eq!(receipt.verdict, Verdict::Equal, "{receipt:#?}");
        // With a second's delay and rows that change all the time, only one state of both ends can tell.
        assert!(followed(&receipt).held_at.is_some(), "{receipt:#?}");

        pair.spoil(&format!("UPDATE {DB}.t SET v = 'spoilt' WHERE id = 450"));
        pair.spoil(&format!("DELETE FROM {DB}.s WHERE k = 'k451'"));
        pair.spoil(&format!("DELETE FROM {DB}.k WHERE n = 452 LIMIT 1"));
        pair.spoil(&format!("INSERT INTO {DB}.k VALUES (10000, 'extra')"));
        let receipt = pair.verify(&apply, Duration::from_secs(60));
        assert_eq!(receipt.verdict, Verdict::Differs);
        let of = |name: &str| receipt.tables.iter().find(|t| t.source.table == name).expect("the table");
        assert_eq!(counts(of("t")), (0, 0, 1), "{:#?}", of("t"));
        assert_eq!(super::found(of("t")), [(super::DifferenceKind::Different, "450".to_owned(), "v".to_owned())]);
        assert_eq!(counts(of("s")), (1, 0, 0), "{:#?}", of("s"));
        assert_eq!(counts(of("k")), (1, 1, 0), "{:#?}", of("k"));
        assert!(receipt.tables.iter().all(|t| t.unsettled == 0 && t.exact), "{receipt:#?}");
    });
    // Replication goes on: nothing of what verify asked for stays.
    until("the replica", || pair.applied_text() == pair.source_text());
}

#[test]
fn without_a_hold_rows_that_stay_different_are_found_and_said_to_be_not_settled() {
    let Some(pair) = Pair::start(0) else { return };
    let apply = Replica { pair: &pair, holds: false };
    pair.spoil(&format!("UPDATE {DB}.t SET v = 'spoilt' WHERE id = 450"));
    let receipt = pair.verify(&apply, Duration::from_secs(2));
    let table = receipt.tables.iter().find(|t| t.source.table == "t").expect("the table");
    assert_eq!((receipt.verdict, counts(table), table.unsettled), (Verdict::Differs, (0, 0, 1), 1), "{receipt:#?}");
    assert!(followed(&receipt).held_at.is_none() && followed(&receipt).looks > 1, "{receipt:#?}");
}
