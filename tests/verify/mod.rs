//! Verify against real servers: what is equal is called so on every pair of flavours, and whatever differs is found and named.

mod beside;
mod command;
mod keyless;
mod live;
mod modes;
mod traps;
mod types;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use dtsctl::{
    catalog::{self, Catalog, Scope, TableName},
    connect::{Login, Place, Purpose, RetryWindows, Session, TlsChoice, TlsLevel},
    event::StopToken,
    verify::{DifferenceKind, Mode, Settings, TablePair, TableReceipt, Verdict, VerifyReceipt, run},
};
use mysql::{Conn, prelude::Queryable};
use testbed::{Flavor, Role, Server};

/// Shown with a test that fails.
#[expect(clippy::print_stderr, reason = "says on which pair a test failed")]
fn note(text: &str) {
    eprintln!("{text}");
}

/// Pairs of which both servers can be had here.
fn pairs() -> Vec<(Flavor, Flavor)> {
    Flavor::PAIRS.into_iter().filter(|(s, d)| testbed::have(*s) && testbed::have(*d)).collect()
}

fn login(server: &Server) -> Login {
    Login {
        place: Place::Tcp { host: server.host().to_owned(), port: server.port() },
        user: server.user().to_owned(),
        password: server.password().to_owned(),
        tls: TlsChoice { level: TlsLevel::Disabled, ca: None, identity: None },
    }
}

/// Two servers with databases of this test's own on both, dropped at the end.
struct Bed {
    source: Conn,
    destination: Conn,
    logins: (Login, Login),
    db: String,
    settings: Settings,
}

impl Bed {
    fn new(source: Flavor, destination: Flavor) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let db = format!("verify_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (s, d) = (testbed::shared(source, Role::Source), testbed::shared(destination, Role::Destination));
        let windows = RetryWindows { connection: Duration::from_secs(5), other: Duration::from_secs(5) };
        let mut bed = Self {
            source: s.root_conn().expect("source"),
            destination: d.root_conn().expect("destination"),
            logins: (login(s), login(d)),
            db,
            settings: Settings {
                tables: Vec::new(),
                mode: Mode::Full,
                threads: 2,
                max_diffs: 100,
                keys: true,
                seed: 1,
                stream: false,
                spec_digest: None,
                retry: windows,
            },
        };
        for conn in [&mut bed.source, &mut bed.destination] {
            conn.query_drop("SET NAMES utf8mb4").expect("names");
            conn.query_drop("SET SESSION time_zone='+00:00', sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', foreign_key_checks=0")
                .expect("settings");
        }
        bed
    }

    /// On every pair that can be had.
    fn each(test: impl Fn(&mut Self)) {
        for (source, destination) in pairs() {
            note(&format!("{source} -> {destination}"));
            let mut bed = Self::new(source, destination);
            let db = bed.db.clone();
            bed.both(&format!("CREATE DATABASE {db} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nUSE {db};"));
            test(&mut bed);
        }
    }

    fn source(&mut self, sql: &str) {
        testbed::sql::run(&mut self.source, sql).expect("source");
    }

    fn destination(&mut self, sql: &str) {
        testbed::sql::run(&mut self.destination, sql).expect("destination");
    }

    fn both(&mut self, sql: &str) {
        self.source(sql);
        self.destination(sql);
    }

    fn catalog(login: &Login, db: &str) -> Catalog {
        let mut session = Session::open(login, Purpose::Catalog).expect("session");
        let mine = |name: &str| name.starts_with(db) && !name[db.len()..].starts_with(|c: char| c.is_ascii_digit());
        catalog::read(&mut session, &Scope { database: &mine, table: &|_| true }).expect("catalog")
    }

    /// Pairs all tables of this test's databases by name.
    fn read(&mut self) {
        let (source, destination) = (Self::catalog(&self.logins.0, &self.db), Self::catalog(&self.logins.1, &self.db));
        self.settings.tables = source
            .tables
            .into_iter()
            .map(|table| TablePair {
                destination_name: table.name.clone(),
                destination: destination.table(&table.name).cloned(),
                source: table,
                common_columns_only: false,
                columns: dtsctl::catalog::ColumnMap::default(),
            })
            .collect();
        assert!(!self.settings.tables.is_empty());
    }

    fn again(&self) -> VerifyReceipt {
        run(&self.settings, &self.logins.0, &self.logins.1, &StopToken::default(), &|_| {}).expect("verify")
    }

    fn verify(&mut self) -> VerifyReceipt {
        self.read();
        self.again()
    }

    /// Verifies one table alone.
    fn verify_table(&mut self, database: &str, table: &str) -> TableReceipt {
        let name = TableName::new(database, table);
        let all = self.settings.tables.clone();
        self.settings.tables.retain(|p| p.source.name == name);
        assert_eq!(self.settings.tables.len(), 1, "{name}");
        let mut receipt = self.again();
        self.settings.tables = all;
        receipt.tables.remove(0)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for conn in [&mut self.source, &mut self.destination] {
            let names: Vec<String> = conn.query("SHOW DATABASES").unwrap_or_default();
            for name in names.iter().filter(|n| n.strip_prefix(&self.db).is_some_and(|r| !r.starts_with(|c: char| c.is_ascii_digit()))) {
                let _ = conn.query_drop(format!("DROP DATABASE `{name}`"));
            }
        }
    }
}

/// Missing, extra and different rows.
fn counts(table: &TableReceipt) -> (u64, u64, u64) {
    (table.missing, table.extra, table.different)
}

/// Kind, key values and columns of each row found.
fn found(table: &TableReceipt) -> Vec<(DifferenceKind, String, String)> {
    let key = |row: &dtsctl::verify::RowDifference| {
        row.key.iter().map(|k| k.value.clone().unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join(",")
    };
    table.rows.iter().map(|row| (row.kind, key(row), row.columns.join(","))).collect()
}

fn assert_equal(receipt: &VerifyReceipt) {
    for table in &receipt.tables {
        assert_eq!(table.verdict, Verdict::Equal, "{table:#?}");
        assert_eq!(table.source_digest, table.destination_digest, "{table:#?}");
        assert_eq!(table.json_type_changed, 0, "{table:#?}");
    }
    assert_eq!(receipt.verdict, Verdict::Equal);
}
