//! A seeded random workload: random schemas, random transactions and random DDL at a real server.
//!
//! The generator knows little on purpose. What a table looks like it asks the server each time the schema may have changed, and whether a
//! statement was right the server decides: one that meets a duplicate key, a value out of range or a missing partition fails as it would
//! for any client, and the transaction goes on or rolls back, as chance has it. So no model of ours can agree with a mistake of dtsctl's.
//!
//! With one thread the statements of a seed are always the same against the same server version; with several, the servers' locks have
//! a say. `DTSCTL_TEST_SEED` replays a seed that a failed test has printed.

pub mod bank;
mod ddl;
mod dml;
mod fixed;
mod random;
mod shape;
mod table;
mod value;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use mysql::OptsBuilder;
use mysql::prelude::Queryable;

pub use ddl::DDL;
pub use dml::OPERATIONS;
pub use random::Random;

use crate::{Flavor, Server};
use writer::Writer;

/// What a workload may do.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it runs.
    pub source: Flavor,
    /// Where its rows shall go: only types and collations that both have are used.
    pub destination: Flavor,
    /// Random tables, over all databases.
    pub tables: usize,
    /// Tables without a usable key, and rows twice.
    pub keyless: bool,
    /// Whether DDL comes between the transactions; [`Running::allow_ddl`] turns it on later.
    pub ddl: bool,
    /// DDL also from clients of another charset. The servers' own replicas do not follow it: the text of a `CREATE TABLE ... SELECT` is
    /// UTF-8 in the binlog whatever its client spoke, and MySQL logs no charset with it (seen on 9.7.4 and 10.11).
    pub charsets: bool,
    /// XA transactions; [`Running::allow_xa`] turns them on later.
    pub xa: bool,
    /// Transactions of thousands of rows.
    pub big: bool,
    /// Names of the databases, which [`Workload::create`] makes anew.
    pub databases: Vec<String>,
}

impl Options {
    /// Everything but DDL, in two databases of this prefix, one of them with a name that must be quoted.
    pub fn new(source: Flavor, destination: Flavor, prefix: &str) -> Self {
        Self {
            source,
            destination,
            tables: 12,
            keyless: true,
            ddl: false,
            charsets: true,
            xa: true,
            big: true,
            databases: vec![format!("{prefix}_a"), format!("{prefix}_b odd.name")],
        }
    }
}

/// What a writer in the background waits after each transaction: tests want many kinds of changes, not many.
const PACE: Duration = Duration::from_millis(8);

/// Statements that succeeded, by kind; failed ones under `failed NUMBER` of the server's error.
pub type Counts = BTreeMap<String, u64>;

/// A random schema and what happens to it.
#[derive(Debug)]
pub struct Workload {
    options: Options,
    random: Random,
    seed: u64,
    access: OptsBuilder,
    shared: Arc<Shared>,
    /// Lives as long as the workload when run from one thread.
    writer: Option<Writer>,
}

/// What the threads of a workload share.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    ddl: AtomicBool,
    xa: AtomicBool,
    pause: AtomicBool,
    /// Grows with every DDL, so that the others look at the schema again.
    schema: AtomicU64,
    /// For names of tables, indexes and XA transactions.
    number: AtomicU64,
    done: AtomicU64,
    counts: Mutex<Counts>,
    /// The last statements, for a test that failed.
    recent: Mutex<std::collections::VecDeque<String>>,
}

impl Workload {
    /// A workload at this server. The seed comes from [`Random::seed_of_environment`], or is a fixed one.
    pub fn new(seed: u64, server: &Server, options: Options) -> Self {
        Self::at(seed, server.opts(), options)
    }

    /// The same by way of an address, such as a proxy's.
    pub fn at(seed: u64, access: OptsBuilder, options: Options) -> Self {
        let shared = Shared::default();
        shared.ddl.store(options.ddl, Ordering::SeqCst);
        shared.xa.store(options.xa, Ordering::SeqCst);
        Self { options, random: Random::new(seed), seed, access, shared: Arc::new(shared), writer: None }
    }

    /// The seed, to be printed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The databases.
    pub fn databases(&self) -> &[String] {
        &self.options.databases
    }

    /// Makes the databases anew, their tables, and some rows.
    pub fn create(&mut self) -> Result<()> {
        let mut conn = mysql::Conn::new(self.access.clone())?;
        conn.query_drop("SET NAMES utf8mb4")?;
        conn.query_drop("SET SESSION foreign_key_checks = 0")?;
        for database in &self.options.databases {
            conn.query_drop(format!("DROP DATABASE IF EXISTS {}", quoted(database)))?;
            conn.query_drop(format!("CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", quoted(database)))?;
            for sql in fixed::create(database, self.options.keyless) {
                conn.query_drop(sql)?;
            }
        }
        let mut made = 0;
        let mut tries = 0;
        while made < self.options.tables {
            tries += 1;
            if tries > self.options.tables * 20 {
                return Err(anyhow!("{made} of {} tables were possible", self.options.tables));
            }
            let database = quoted(&self.options.databases[made % self.options.databases.len().max(1)]);
            let number = self.shared.number.fetch_add(1, Ordering::SeqCst);
            let path = format!("{database}.{}", quoted(&table::table_name(number, &mut self.random)));
            let sql = table::create(&self.options, &path, made < 2, &mut self.random);
            match conn.query_drop(&sql) {
                Ok(()) => made += 1,
                // A row too long, an index too long: another one.
                Err(mysql::Error::MySqlError(error)) => self.shared.count(format!("failed create {}", error.code)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Runs so many transactions and DDL statements in this thread. The statements depend on the seed alone.
    pub fn run(&mut self, transactions: u64) -> Result<()> {
        if self.writer.is_none() {
            self.writer = Some(Writer::new(self.access.clone(), self.options.clone(), self.random.fork(), Arc::clone(&self.shared), 0));
        }
        if let Some(writer) = &mut self.writer {
            for _ in 0..transactions {
                writer.step()?;
            }
        }
        Ok(())
    }

    /// Turns DDL on or off for [`Workload::run`].
    pub fn allow_ddl(&self, allow: bool) {
        self.shared.ddl.store(allow, Ordering::SeqCst);
    }

    /// Runs in the background, in so many threads, until stopped. A server that goes away is waited for.
    pub fn start(&mut self, threads: u64) -> Running {
        let threads = (1..=threads)
            .map(|number| {
                let mut writer =
                    Writer::new(self.access.clone(), self.options.clone(), self.random.fork(), Arc::clone(&self.shared), number);
                let shared = Arc::clone(&self.shared);
                std::thread::spawn(move || {
                    while !shared.stop.load(Ordering::SeqCst) {
                        if !shared.pause.load(Ordering::SeqCst) {
                            writer.step()?;
                        }
                        std::thread::sleep(PACE);
                    }
                    writer.settle()
                })
            })
            .collect();
        Running { threads, shared: Arc::clone(&self.shared) }
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last statements that succeeded, oldest first, cut short.
    pub fn recent(&self) -> Vec<String> {
        self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// A workload in the background; [`Running::stop`] ends it, and so does dropping it.
#[derive(Debug)]
pub struct Running {
    threads: Vec<JoinHandle<Result<()>>>,
    shared: Arc<Shared>,
}

impl Running {
    /// Turns DDL on or off.
    pub fn allow_ddl(&self, allow: bool) {
        self.shared.ddl.store(allow, Ordering::SeqCst);
    }

    /// Turns XA transactions on or off.
    pub fn allow_xa(&self, allow: bool) {
        self.shared.xa.store(allow, Ordering::SeqCst);
    }

    /// Lets the writers wait, or go on: a transaction that is under way ends first.
    pub fn pause(&self, pause: bool) {
        self.shared.pause.store(pause, Ordering::SeqCst);
    }

    /// Transactions so far, those included that rolled back.
    pub fn transactions(&self) -> u64 {
        self.shared.done.load(Ordering::SeqCst)
    }

    /// Ends it; open XA transactions are ended too, and every thread must have ended well.
    pub fn stop(mut self) -> Result<()> {
        self.shared.stop.store(true, Ordering::SeqCst);
        let mut outcome = Ok(());
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => outcome = Err(error),
                Err(_) => outcome = Err(anyhow!("a writer panicked")),
            }
        }
        // The workload may be started again.
        self.shared.stop.store(false, Ordering::SeqCst);
        self.shared.pause.store(false, Ordering::SeqCst);
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn count(&self, what: impl Into<String>) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(what.into()).or_default() += 1;
    }

    fn note(&self, sql: &str) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= 400 {
            recent.pop_front();
        }
        recent.push_back(sql.chars().take(600).collect());
    }
}

/// A name in backticks.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
