//! Catching up with a backlog, the delay when idle, and memory under one huge transaction.
//!
//! The backlog is what `sysbench oltp_write_only` leaves in the binlog of a MariaDB source. A MariaDB replica with four optimistic threads
//! and dtsctl begin at the same position, take turns, and each has a server of its own with the same settings; neither writes a binlog.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use mysql::Conn;
use mysql::prelude::Queryable;
use testbed::sysbench::Sysbench;
use testbed::{Server, equal};

use crate::measure::{self, Spent, cpu_of, run_measured, seconds};
use crate::{Line, data};

/// Tables and rows in each that sysbench writes to.
const TABLES: u64 = 4;
const ROWS: u64 = 50_000;

/// Row changes of one `oltp_write_only` transaction: two updates, one delete, one insert.
const EVENTS_OF_A_TRANSACTION: u64 = 4;

/// How often the delay is measured.
const TOUCHES: u32 = 200;

/// Three servers: where it happens, who replicates, and dtsctl's destination.
pub(crate) struct CatchUp {
    pub(crate) source: Server,
    pub(crate) replica: Server,
    pub(crate) destination: Server,
    pub(crate) dtsctl: PathBuf,
    pub(crate) folder: PathBuf,
}

fn line(work: &str, against: &str, must: &str, goal: &str, measured: String) -> Line {
    Line { work: work.to_owned(), against: against.to_owned(), must: must.to_owned(), goal: goal.to_owned(), measured }
}

impl CatchUp {
    /// Writes the spec of a database and returns the command that all runs share.
    fn command(&self, database: &str, anew: bool, arguments: &[&str]) -> Result<Command> {
        let folder = self.folder.join(format!("follow-{database}"));
        if anew && folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        let end = |server: &Server| {
            format!(
                "{{host: {}, port: {}, user: {}, password: {{env: DTSCTL_BENCH_PASSWORD}}}}",
                server.host(),
                server.port(),
                server.user()
            )
        };
        let spec = folder.join("bench.yaml");
        let text = format!(
            "version: 1\nname: follow-{database}\nsource: {}\ndestination: {}\nphases: {{schema: true, full: true, incremental: true}}\nobjects:\n  - database: {database}\n",
            end(&self.source),
            end(&self.destination)
        );
        fs::write(&spec, text)?;
        let mut command = Command::new(&self.dtsctl);
        command
            .arg("-f")
            .arg(&spec)
            .args(["--progress", "none"])
            .args(arguments)
            .env("DTSCTL_BENCH_PASSWORD", self.source.password())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Ok(command)
    }

    fn catch_up(&self, database: &str) -> Result<Spent> {
        run_measured(vec![self.command(database, false, &["apply", "--yes", "--until", "caught-up"])?])
    }

    /// A backlog of so many row changes, caught up by both in turns; the lines of the table.
    pub(crate) fn backlog(&self, events: u64, rounds: u32) -> Result<Vec<Line>> {
        data::fill_sysbench(&self.source, "catchup", TABLES, ROWS)?;
        let mut replica = self.replica.root_conn()?;
        for setting in ["slave_parallel_threads = 4", "slave_parallel_mode = 'optimistic'"] {
            replica.query_drop(format!("SET GLOBAL {setting}"))?;
        }
        replica.query_drop(format!(
            "CHANGE MASTER TO MASTER_HOST='{}', MASTER_PORT={}, MASTER_USER='{}', MASTER_PASSWORD='{}', MASTER_USE_GTID=slave_pos",
            self.source.host(),
            self.source.port(),
            self.source.user(),
            self.source.password()
        ))?;
        self.replicate(&mut replica)?;
        self.command("catchup", true, &["validate"])?;
        self.catch_up("catchup")?;

        let transactions = events.div_ceil(EVENTS_OF_A_TRANSACTION);
        let events = transactions * EVENTS_OF_A_TRANSACTION;
        let (mut own, mut peer, mut micros, mut memory) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 1..=rounds {
            self.sysbench(transactions)?;
            let run_replica = |replica: &mut Conn| -> Result<f64> {
                let before = cpu_of(self.replica.pid()?)?;
                let wall = self.replicate(replica)?;
                let cpu = cpu_of(self.replica.pid()?)? - before;
                println!("round {round}: replica with 4 optimistic threads {} (its server's CPU {cpu:.2} s)", seconds(wall));
                Ok(wall)
            };
            // Who begins meets the source's binlog outside the page cache; they take turns.
            if round % 2 == 1 {
                peer.push(run_replica(&mut replica)?);
            }
            let before = cpu_of(self.destination.pid()?)?;
            let spent = self.catch_up("catchup")?;
            let server = cpu_of(self.destination.pid()?)? - before;
            println!(
                "round {round}: dtsctl {} (own CPU {:.2} s, destination's CPU {server:.2} s, {} MiB), {:.0} row events/s",
                seconds(spent.wall),
                spent.cpu,
                spent.peak_mib,
                events as f64 / spent.wall
            );
            own.push(spent.wall);
            micros.push(spent.cpu * 1e6 / events as f64);
            memory.push(spent.peak_mib as f64);
            if round % 2 == 0 {
                peer.push(run_replica(&mut replica)?);
            }
        }
        let (mut here, mut there) = (self.source.root_conn()?, self.destination.root_conn()?);
        equal::compare_databases(&mut here, "catchup", &mut there, "catchup").map_err(|problem| anyhow!(problem))?;
        let (Some(own), Some(peer)) = (measure::median(&mut own), measure::median(&mut peer)) else { return Ok(Vec::new()) };
        let middle = |values: &mut Vec<f64>| measure::median(values).unwrap_or_default();
        Ok(vec![
            line("catching up", "replica, 4 optimistic threads", "0.6", "0.2", format!("{:.2}", own / peer)),
            line("catching up, own CPU", &format!("{events} row events"), "10 us", "4 us", format!("{:.1} us", middle(&mut micros))),
            line("catching up, memory", "", "256 MiB", "128 MiB", format!("{:.0} MiB", middle(&mut memory))),
        ])
    }

    /// From START SLAVE until it has everything the source has; seconds.
    fn replicate(&self, replica: &mut Conn) -> Result<f64> {
        let position: String =
            self.source.root_conn()?.query_first("SELECT @@gtid_binlog_pos")?.ok_or_else(|| anyhow!("the source has no position"))?;
        let begin = Instant::now();
        replica.query_drop("START SLAVE")?;
        let waited: Option<i64> = replica.exec_first("SELECT MASTER_GTID_WAIT(?, 1800)", (position,))?;
        let wall = begin.elapsed().as_secs_f64();
        replica.query_drop("STOP SLAVE")?;
        if waited != Some(0) {
            bail!("the replica did not catch up");
        }
        Ok(wall)
    }

    fn sysbench(&self, transactions: u64) -> Result<()> {
        println!("sysbench oltp_write_only: {transactions} transactions ...");
        let load = Sysbench { database: "catchup".to_owned(), tables: TABLES, rows: ROWS, threads: 4, seed: data::SEED };
        load.write_only(&self.source, transactions)
    }

    /// From the answer to COMMIT at the source until the row is seen at the destination, when nothing else happens.
    pub(crate) fn delay(&self) -> Result<Vec<Line>> {
        self.source.exec(
            "CREATE DATABASE delay;\nCREATE TABLE delay.t (id INT PRIMARY KEY, n INT NOT NULL);\nINSERT INTO delay.t VALUES (1, 0);",
        )?;
        self.command("delay", true, &["validate"])?;
        self.catch_up("delay")?;
        let mut running = self.command("delay", false, &["apply", "--yes", "--until", "never"])?.spawn()?;
        let (mut here, mut there) = (self.source.root_conn()?, self.destination.root_conn()?);
        let mut delays = Vec::new();
        let mut failure = None;
        for n in 1..=TOUCHES {
            here.query_drop(format!("UPDATE delay.t SET n = {n} WHERE id = 1"))?;
            let begin = Instant::now();
            loop {
                let seen: Option<u32> = there.query_first("SELECT n FROM delay.t WHERE id = 1")?;
                if seen == Some(n) {
                    break;
                }
                if begin.elapsed() > Duration::from_secs(60) || running.try_wait()?.is_some() {
                    failure = Some(anyhow!("change {n} did not arrive"));
                    break;
                }
            }
            // The first ones wait for the start.
            if n > 20 {
                delays.push(begin.elapsed().as_secs_f64() * 1000.0);
            }
            if failure.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(15));
        }
        running.kill()?;
        running.wait()?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        delays.sort_by(f64::total_cmp);
        let at = |part: usize| delays.get(delays.len() * part / 100).copied().unwrap_or_default();
        println!("delay of one small transaction: median {:.2} ms, 95 % {:.2} ms", at(50), at(95));
        Ok(vec![line("delay when idle", "", "10 ms", "3 ms", format!("{:.2} ms", at(50)))])
    }

    /// One transaction of so many MiB in rows of 1 KiB.
    pub(crate) fn transaction(&self, mib: u64) -> Result<Vec<Line>> {
        self.source.exec(
            "CREATE DATABASE huge;\nCREATE TABLE huge.t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(1100) CHARACTER SET latin1 NOT NULL);",
        )?;
        self.command("huge", true, &["validate"])?;
        self.catch_up("huge")?;
        println!("one transaction of {mib} MiB ...");
        let mut conn = self.source.root_conn()?;
        conn.query_drop("BEGIN")?;
        for part in 0..mib {
            conn.query_drop(format!(
                "INSERT INTO huge.t (v) SELECT CONCAT(REPEAT(SHA2(seq + {part}, 224), 18), 'xxxxxxx') FROM huge.seq_1_to_1024"
            ))?;
        }
        conn.query_drop("COMMIT")?;
        let spent = self.catch_up("huge")?;
        let mut there = self.destination.root_conn()?;
        let rows: Option<u64> = there.query_first("SELECT COUNT(*) FROM huge.t")?;
        if rows != Some(mib * 1024) {
            bail!("{rows:?} rows of {} arrived", mib * 1024);
        }
        println!("a transaction of {mib} MiB: {} in {}", format_args!("{} MiB", spent.peak_mib), seconds(spent.wall));
        self.source.exec("DROP DATABASE huge")?;
        Ok(vec![line(
            "memory, one transaction",
            &format!("{mib} MiB in one transaction"),
            "256 MiB",
            "128 MiB",
            format!("{} MiB", spent.peak_mib),
        )])
    }
}
