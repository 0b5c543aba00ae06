//! One client of the workload: makes up transactions, runs them, and lives through whatever happens to the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};

use super::random::Random;
use super::shape::{self, Shape};
use super::{Options, Shared, ddl, dml, fixed};

/// How long a server may be away.
const PATIENCE: Duration = Duration::from_secs(120);

/// Settings under which the same statement means other rows; drawn anew from time to time.
const MODES: [&str; 5] = [
    "STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO",
    "",
    "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES",
    "STRICT_TRANS_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
    "STRICT_TRANS_TABLES,ALLOW_INVALID_DATES",
];

/// A client.
#[derive(Debug)]
pub(super) struct Writer {
    access: OptsBuilder,
    options: Options,
    random: Random,
    shared: Arc<Shared>,
    /// Tells this client's XA transactions from others'.
    number: u64,
    conn: Option<Conn>,
    shapes: Vec<Shape>,
    seen_schema: Option<u64>,
    /// An XA transaction that is prepared and waits for its end.
    prepared: Option<String>,
}

/// How a transaction ends.
#[derive(Clone, Copy)]
enum Ending {
    Commit,
    Rollback,
    XaCommit,
    XaRollback,
}

impl Writer {
    pub(super) fn new(access: OptsBuilder, options: Options, random: Random, shared: Arc<Shared>, number: u64) -> Self {
        Self { access, options, random, shared, number, conn: None, shapes: Vec::new(), seen_schema: None, prepared: None }
    }

    /// One transaction, or one DDL statement. Only a server that stays away is an error.
    pub(super) fn step(&mut self) -> Result<()> {
        let begin = Instant::now();
        loop {
            match self.try_step() {
                Ok(()) => break,
                Err(error) if begin.elapsed() > PATIENCE => return Err(error),
                Err(_) => {
                    self.conn = None;
                    self.shared.count("reconnected");
                    if self.shared.stop.load(Ordering::SeqCst) {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
        self.shared.done.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Ends what is still open.
    pub(super) fn settle(&mut self) -> Result<()> {
        let begin = Instant::now();
        while let Err(error) = self.try_settle() {
            if begin.elapsed() > PATIENCE {
                return Err(error);
            }
            self.conn = None;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn try_settle(&mut self) -> Result<()> {
        self.connect()?;
        if let Some(xid) = self.prepared.take() {
            self.drop_statement(&format!("XA COMMIT '{xid}'"))?;
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<()> {
        if self.conn.is_some() {
            return Ok(());
        }
        let mut conn = Conn::new(self.access.clone())?;
        conn.query_drop("SET NAMES utf8mb4")?;
        conn.query_drop("SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 2, lock_wait_timeout = 5")?;
        // Prepared transactions of ours that lost their session would hold their locks for ever.
        let mine = self.xid_head();
        let found: Vec<(i64, i64, i64, String)> = conn.query("XA RECOVER")?;
        for (_, _, _, xid) in found.into_iter().filter(|(_, _, _, xid)| xid.starts_with(&mine)) {
            // It may be another session's still, until the server has noticed that this one is gone.
            let _ = conn.query_drop(format!("XA ROLLBACK '{xid}'"));
        }
        self.prepared = None;
        self.conn = Some(conn);
        Ok(())
    }

    /// What names of this client's XA transactions begin with; several workloads may share a server.
    fn xid_head(&self) -> String {
        let database = self.options.databases.first().map_or("", String::as_str);
        format!("{}-{}-", database.replace(|c: char| !c.is_ascii_alphanumeric(), "_"), self.number)
    }

    fn conn(&mut self) -> Result<&mut Conn> {
        self.connect()?;
        self.conn.as_mut().ok_or_else(|| anyhow!("not connected"))
    }

    /// Runs a statement; `Ok(Err(code))` when the server refused it.
    fn statement(&mut self, sql: &str) -> Result<Result<(), u16>> {
        match self.conn()?.query_drop(sql) {
            Ok(()) => {
                self.shared.note(sql);
                Ok(Ok(()))
            }
            // Server shutdown and killed connections are errors of the server that end the connection.
            Err(mysql::Error::MySqlError(error)) if ![1053, 1317, 1927, 3169].contains(&error.code) => {
                self.shared.count(format!("failed {}", error.code));
                Ok(Err(error.code))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn drop_statement(&mut self, sql: &str) -> Result<()> {
        self.statement(sql).map(drop)
    }

    fn look(&mut self) -> Result<()> {
        let now = self.shared.schema.load(Ordering::SeqCst);
        if self.seen_schema == Some(now) {
            return Ok(());
        }
        let databases = self.options.databases.clone();
        let mut shapes = Vec::new();
        let conn = self.conn()?;
        for database in &databases {
            for name in shape::tables(conn, database)? {
                shapes.extend(shape::read(conn, database, &name)?);
            }
        }
        self.shapes = shapes;
        self.seen_schema = Some(now);
        Ok(())
    }

    fn try_step(&mut self) -> Result<()> {
        self.connect()?;
        self.look()?;
        if self.random.one_in(20) {
            let mode = *self.random.pick(&MODES);
            self.drop_statement(&format!("SET SESSION sql_mode = '{mode}'"))?;
        }
        if let Some(xid) = self.prepared.clone() {
            // The session can do nothing else while one is prepared (MariaDB, and MySQL with xa_detach_on_prepare off).
            return self.end_prepared(&xid);
        }
        if self.shared.ddl.load(Ordering::SeqCst) && self.random.one_in(8) {
            return self.change_schema();
        }
        self.transaction()
    }

    fn end_prepared(&mut self, xid: &str) -> Result<()> {
        let ending = if self.random.one_in(3) { "ROLLBACK" } else { "COMMIT" };
        if self.statement(&format!("XA {ending} '{xid}'"))?.is_ok() {
            self.shared.count(format!("xa {}", ending.to_lowercase()));
        }
        self.prepared = None;
        Ok(())
    }

    fn change_schema(&mut self) -> Result<()> {
        let number = self.shared.number.fetch_add(1, Ordering::SeqCst);
        let shapes = std::mem::take(&mut self.shapes);
        let free: Vec<&Shape> = shapes.iter().filter(|shape| !fixed::NAMES.contains(&shape.name.as_str())).collect();
        let mut random = self.random.fork();
        let options = self.options.clone();
        let made = self.conn().and_then(|conn| ddl::random(conn, &options, &free, number, &mut random));
        self.shapes = shapes;
        let Some((kind, sql)) = made? else { return Ok(()) };
        // A default database and a session charset of its own, which the binlog has to carry along.
        let database = random.pick(&options.databases).replace('`', "``");
        self.drop_statement(&format!("USE `{database}`"))?;
        // Letters that are other letters then, but for lists: their members would be what no client reads back.
        let latin = options.charsets
            && random.one_in(6)
            && !sql.iter().any(|sql| sql.contains("ENUM(") || sql.contains("SET(") || sql.contains("enum(") || sql.contains("set("));
        if latin {
            self.drop_statement("SET NAMES latin1")?;
        }
        for sql in sql {
            if self.statement(&sql)?.is_ok() {
                self.shared.count(format!("ddl {kind}"));
            }
        }
        if latin {
            self.drop_statement("SET NAMES utf8mb4")?;
        }
        self.shared.schema.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Makes a transaction up whole, so that it can be run again after a deadlock.
    fn transaction(&mut self) -> Result<()> {
        let shapes = std::mem::take(&mut self.shapes);
        let tables: Vec<&Shape> = shapes.iter().filter(|shape| !fixed::NAMES.contains(&shape.name.as_str())).collect();
        let mut statements: Vec<(&'static str, String)> = Vec::new();
        let xa = self.shared.xa.load(Ordering::SeqCst);
        let random = &mut self.random;
        let operations = *random.pick(&[1, 1, 2, 3, 6]);
        let savepoint = random.one_in(6);
        let ending = match random.below(24) {
            0 | 1 => Ending::Rollback,
            2 if xa => Ending::XaCommit,
            3 if xa => Ending::XaRollback,
            _ => Ending::Commit,
        };
        for _ in 0..operations {
            let made = if random.one_in(3) {
                let database = random.pick(&self.options.databases);
                Some(dml::fixed_table(database, self.options.keyless, self.options.big && random.one_in(2), random))
            } else {
                dml::random_table(&tables, random)
            };
            if let Some((kind, sql)) = made {
                statements.extend(sql.into_iter().map(|sql| (kind, sql)));
            }
        }
        if savepoint {
            let at = random.index(statements.len().max(1));
            let end = at + random.index(statements.len().saturating_sub(at) + 1);
            let back = if random.one_in(3) { "RELEASE SAVEPOINT `s p`" } else { "ROLLBACK TO SAVEPOINT `s p`" };
            statements.insert(end.min(statements.len()), ("savepoint", back.to_owned()));
            statements.insert(at.min(statements.len()), ("", "SAVEPOINT `s p`".to_owned()));
        }
        let gives_up = random.one_in(3);
        self.shapes = shapes;
        for _ in 0..6 {
            match self.run_transaction(&statements, ending, gives_up)? {
                Err(1213 | 1205) => self.shared.count("retried"),
                _ => break,
            }
        }
        Ok(())
    }

    fn run_transaction(&mut self, statements: &[(&'static str, String)], ending: Ending, gives_up: bool) -> Result<Result<(), u16>> {
        let xid = match ending {
            Ending::XaCommit | Ending::XaRollback => {
                Some(format!("{}{}", self.xid_head(), self.shared.number.fetch_add(1, Ordering::SeqCst)))
            }
            _ => None,
        };
        let begin = xid.as_ref().map_or_else(|| "BEGIN".to_owned(), |xid| format!("XA START '{xid}'"));
        self.drop_statement(&begin)?;
        for (kind, sql) in statements {
            if xid.is_some() && (sql == "COMMIT" || sql == "BEGIN") {
                continue;
            }
            match self.statement(sql)? {
                Ok(()) => {
                    if !kind.is_empty() && !sql.starts_with("SET @") {
                        self.shared.count(*kind);
                    }
                }
                Err(code) => {
                    // Somebody else changed the schema.
                    if [1054, 1146, 1136, 1412].contains(&code) {
                        self.seen_schema = None;
                    }
                    if gives_up || [1213, 1205, 1412].contains(&code) {
                        self.abandon(xid.as_deref())?;
                        return Ok(Err(code));
                    }
                }
            }
        }
        let Some(xid) = xid else {
            let (sql, kind) = if matches!(ending, Ending::Rollback) { ("ROLLBACK", "rollback") } else { ("COMMIT", "commit") };
            let ended = self.statement(sql)?;
            if ended.is_ok() {
                self.shared.count(kind);
            }
            return Ok(ended);
        };
        for step in ["END", "PREPARE"] {
            if let Err(code) = self.statement(&format!("XA {step} '{xid}'"))? {
                self.abandon(Some(&xid))?;
                return Ok(Err(code));
            }
        }
        self.shared.count("xa prepare");
        if matches!(ending, Ending::XaRollback) {
            return self.end_prepared(&xid).map(Ok);
        }
        // Left prepared while the other clients go on; the next step ends it.
        self.prepared = Some(xid);
        Ok(Ok(()))
    }

    fn abandon(&mut self, xid: Option<&str>) -> Result<()> {
        match xid {
            None => self.drop_statement("ROLLBACK"),
            Some(xid) => {
                self.drop_statement(&format!("XA END '{xid}'"))?;
                self.drop_statement(&format!("XA ROLLBACK '{xid}'"))
            }
        }
    }
}
