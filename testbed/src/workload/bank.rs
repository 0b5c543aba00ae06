//! Transfers between accounts, and what a reader at the other end must see at every look: money is neither made nor lost, and a journal
//! never runs ahead of the account it speaks of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Result, anyhow, bail};
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};

use super::random::Random;

/// What every account begins with.
const BEGIN: i64 = 1000;

/// A bank in a database of its own.
#[derive(Debug, Clone)]
pub struct Bank {
    database: String,
    accounts: u64,
}

/// Transfers that go on; dropping it ends them.
#[derive(Debug)]
pub struct Transfers {
    threads: Vec<JoinHandle<Result<()>>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
}

impl Bank {
    /// Accounts in this database; the name must need no quotes.
    pub fn new(database: &str, accounts: u64) -> Self {
        Self { database: database.to_owned(), accounts }
    }

    /// Makes the database anew. `entries` of an account is how many lines of the journal there are about it; `ledger` has no key.
    pub fn create(&self, conn: &mut Conn) -> Result<()> {
        let db = &self.database;
        for sql in [
            format!("DROP DATABASE IF EXISTS {db}"),
            format!("CREATE DATABASE {db} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"),
            format!(
                "CREATE TABLE {db}.account (id INT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL, entries INT NOT NULL, \
                 name VARCHAR(20) NOT NULL, UNIQUE KEY (name)) ENGINE=InnoDB"
            ),
            format!(
                "CREATE TABLE {db}.journal (account INT NOT NULL, number INT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (account, number)) ENGINE=InnoDB"
            ),
            format!("CREATE TABLE {db}.ledger (account INT NOT NULL, amount BIGINT NOT NULL, KEY (account)) ENGINE=InnoDB"),
        ] {
            conn.query_drop(sql)?;
        }
        let rows: Vec<String> = (0..self.accounts).map(|id| format!("({id}, {BEGIN}, 0, 'account {id}')")).collect();
        Ok(conn.query_drop(format!("INSERT INTO {db}.account VALUES {}", rows.join(", ")))?)
    }

    /// Transfers in so many threads until stopped.
    pub fn start(&self, access: &OptsBuilder, threads: u64, random: &mut Random) -> Transfers {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads = (0..threads)
            .map(|_| {
                let (bank, access, mut random) = (self.clone(), access.clone(), random.fork());
                let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
                std::thread::spawn(move || {
                    let mut conn = None;
                    let mut failures = 0_u32;
                    while !stop.load(Ordering::SeqCst) {
                        match bank.transfer(&mut conn, &access, &mut random) {
                            Ok(()) => {
                                failures = 0;
                                done.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(error) => {
                                conn = None;
                                failures += 1;
                                if failures > 2000 {
                                    return Err(error);
                                }
                                std::thread::sleep(std::time::Duration::from_millis(20));
                            }
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        Transfers { threads, stop, done }
    }

    fn transfer(&self, conn: &mut Option<Conn>, access: &OptsBuilder, random: &mut Random) -> Result<()> {
        if conn.is_none() {
            let mut made = Conn::new(access.clone())?;
            made.query_drop("SET SESSION innodb_lock_wait_timeout = 2")?;
            *conn = Some(made);
        }
        let conn = conn.as_mut().ok_or_else(|| anyhow!("not connected"))?;
        let db = &self.database;
        let (mut a, mut b) = (random.below(self.accounts), random.below(self.accounts));
        if a == b {
            b = (a + 1) % self.accounts;
        }
        if random.one_in(3) {
            // Against the order of the locks, so that there are deadlocks.
            std::mem::swap(&mut a, &mut b);
        }
        let amount = 1 + i64::try_from(random.below(50)).unwrap_or_default();
        conn.query_drop("BEGIN")?;
        for (account, amount) in [(a, -amount), (b, amount)] {
            conn.query_drop(format!("UPDATE {db}.account SET balance = balance + {amount}, entries = entries + 1 WHERE id = {account}"))?;
            conn.query_drop(format!("INSERT INTO {db}.journal SELECT id, entries, {amount} FROM {db}.account WHERE id = {account}"))?;
            conn.query_drop(format!("INSERT INTO {db}.ledger VALUES ({account}, {amount})"))?;
        }
        if random.one_in(5) {
            // Two customers exchange their names, which are unique.
            conn.query_drop(format!(
                "SET @a = (SELECT name FROM {db}.account WHERE id = {a}), @b = (SELECT name FROM {db}.account WHERE id = {b})"
            ))?;
            conn.query_drop(format!("UPDATE {db}.account SET name = '-' WHERE id = {a}"))?;
            conn.query_drop(format!("UPDATE {db}.account SET name = @a WHERE id = {b}"))?;
            conn.query_drop(format!("UPDATE {db}.account SET name = @b WHERE id = {a}"))?;
        }
        Ok(conn.query_drop(if random.one_in(10) { "ROLLBACK" } else { "COMMIT" })?)
    }

    /// Looks once, in one snapshot, at this server's bank of that name: what is wrong, or how many lines the journal has.
    pub fn look(&self, conn: &mut Conn, database: &str) -> Result<u64> {
        // A consistent snapshot, as any client that reads twice would want it.
        conn.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
        let view = &mut *conn;
        let accounts: Vec<(u64, i64, u64, String)> =
            view.query(format!("SELECT id, balance, entries, name FROM {database}.account ORDER BY id"))?;
        let journal: Vec<(u64, u64, u64, i64)> = view.query(format!(
            "SELECT account, COUNT(*), MAX(number), CAST(SUM(amount) AS SIGNED) FROM {database}.journal GROUP BY account ORDER BY account"
        ))?;
        let ledger: Vec<(u64, u64, i64)> = view.query(format!(
            "SELECT account, COUNT(*), CAST(SUM(amount) AS SIGNED) FROM {database}.ledger GROUP BY account ORDER BY account"
        ))?;
        view.query_drop("ROLLBACK")?;
        let sum: i64 = accounts.iter().map(|account| account.1).sum();
        let expected = i64::try_from(self.accounts)? * BEGIN;
        if accounts.len() as u64 != self.accounts || sum != expected {
            bail!("{} accounts hold {sum}, not {expected}", accounts.len());
        }
        let mut names: Vec<&str> = accounts.iter().map(|account| account.3.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != accounts.len() || names.contains(&"-") {
            bail!("the names are in between: {names:?}");
        }
        for (id, balance, entries, _) in &accounts {
            let (lines, last, moved) = journal.iter().find(|line| line.0 == *id).map_or((0, 0, 0), |line| (line.1, line.2, line.3));
            if lines != *entries || last != *entries || balance - BEGIN != moved {
                bail!("account {id} has {entries} entries and {balance}; its journal has {lines}, the last is {last}, together {moved}");
            }
            let (kept, carried) = ledger.iter().find(|line| line.0 == *id).map_or((0, 0), |line| (line.1, line.2));
            if kept != *entries || carried != moved {
                bail!("account {id} has {entries} entries, the ledger without a key has {kept}, together {carried} and not {moved}");
            }
        }
        Ok(journal.iter().map(|line| line.1).sum())
    }
}

impl Transfers {
    /// How many there were, those included that were rolled back.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Ends them.
    pub fn stop(mut self) -> Result<u64> {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().map_err(|_| anyhow!("a writer panicked"))??;
        }
        Ok(self.done())
    }
}

impl Drop for Transfers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
