//! `just bench`: what design.md section 7 asks of the full copy, catching up, `verify` and `plan`, measured side by side in one run on one machine.
//!
//! Absolute times mean nothing on a shared machine, so the rounds interleave the programs and the ratios are of medians. The servers
//! and their settings are the same for all; the destination starts empty for each.

#![expect(clippy::print_stdout, reason = "this program's output is what it is for")]

mod catchup;
mod data;
mod measure;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use mysql::prelude::Queryable;
use testbed::{Flavor, Server, ServerOptions, equal, fetch};

use measure::{Spent, cpu_of, run_measured, seconds};

/// Measure dtsctl against mydumper, mariadb-dump and the servers themselves
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Args {
    /// Both servers' flavour: mariadb or mysql
    #[arg(long, default_value = "mariadb")]
    flavor: Flavor,
    /// Rows in each of the two sysbench tables
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Threads of each program
    #[arg(long, default_value_t = 2)]
    threads: u32,
    /// Row events to catch up with
    #[arg(long, default_value_t = 500_000)]
    events: u64,
    /// Size of the one huge transaction, in MiB
    #[arg(long, default_value_t = 2048)]
    transaction: u64,
    /// How often the programs take turns
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// What to measure; all when absent
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// A dtsctl that is built already; else it is built in release
    #[arg(long)]
    dtsctl: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Full copy against mydumper and mariadb-dump
    Copy,
    /// verify against one SHA2 scan
    Verify,
    /// plan over 1,000 tables
    Plan,
    /// Memory with 5 M narrow rows and with 64 MB rows
    Memory,
    /// Catching up with a backlog, against a MariaDB replica
    CatchUp,
    /// Delay of one small transaction when idle
    Delay,
    /// Memory under one huge transaction
    Transaction,
}

/// One line of the table at the end.
pub(crate) struct Line {
    pub(crate) work: String,
    pub(crate) against: String,
    pub(crate) must: String,
    pub(crate) goal: String,
    pub(crate) measured: String,
}

struct Bench {
    source: Server,
    destination: Server,
    dtsctl: PathBuf,
    folder: PathBuf,
    threads: u32,
    lines: Vec<Line>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let dtsctl = match args.dtsctl.clone() {
        Some(path) => path,
        None => build()?,
    };
    let folder = fetch::workspace_dir().join("target").join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    // Large enough for the rows to stay in memory, and for a row of 64 MB to be sent as hex or escaped.
    let options = || {
        ServerOptions::new().buffer_pool(1 << 30).arg("--max-allowed-packet=1G").arg(match args.flavor {
            Flavor::MariaDb => "--innodb-log-file-size=1G",
            Flavor::MySql => "--innodb-redo-log-capacity=1G",
        })
    };
    let source = Server::start(args.flavor, options())?;
    let destination = Server::start(args.flavor, options().binlog(false))?;
    println!("{} {}, {} rounds, {} threads, seed {}", args.flavor, source.version(), args.rounds, args.threads, data::SEED);
    let mut bench = Bench { source, destination, dtsctl, folder, threads: args.threads, lines: Vec::new() };
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    if wanted(Part::Copy) || wanted(Part::Verify) {
        println!("filling 2 sysbench tables of {} rows ...", args.rows);
        data::fill_sysbench(&bench.source, "sb", 2, args.rows)?;
    }
    if wanted(Part::Copy) {
        bench.copy(args.rounds)?;
    }
    if wanted(Part::Verify) {
        bench.verify(args.rounds)?;
    }
    if wanted(Part::Plan) {
        bench.plan(args.rounds)?;
    }
    if wanted(Part::Memory) {
        bench.memory()?;
    }
    if [Part::CatchUp, Part::Delay, Part::Transaction].into_iter().any(wanted) {
        // A replica needs its own kind: these are MariaDB servers whatever `--flavor` says.
        let options = || ServerOptions::new().buffer_pool(1 << 30).arg("--innodb-log-file-size=1G").arg("--max-allowed-packet=1G");
        let catch_up = catchup::CatchUp {
            source: Server::start(Flavor::MariaDb, options())?,
            replica: Server::start(Flavor::MariaDb, options().binlog(false))?,
            destination: Server::start(Flavor::MariaDb, options().binlog(false))?,
            dtsctl: bench.dtsctl.clone(),
            folder: bench.folder.clone(),
        };
        if wanted(Part::CatchUp) {
            bench.lines.extend(catch_up.backlog(args.events, args.rounds)?);
        }
        if wanted(Part::Delay) {
            bench.lines.extend(catch_up.delay()?);
        }
        if wanted(Part::Transaction) {
            bench.lines.extend(catch_up.transaction(args.transaction)?);
        }
    }
    bench.print();
    Ok(())
}

fn build() -> Result<PathBuf> {
    println!("building dtsctl in release ...");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(fetch::workspace_dir())
        .args(["build", "--quiet", "--release", "--bin", "dtsctl", "--example", "bench"])
        .status()
        .context("running cargo")?;
    if !status.success() {
        bail!("dtsctl does not build");
    }
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(3).unwrap_or(Path::new("target"));
    Ok(target.join("release").join("dtsctl"))
}

impl Bench {
    /// Writes a spec for one database and returns its path; an old state beside it is removed.
    fn spec(&self, database: &str) -> Result<PathBuf> {
        let folder = self.folder.join(database);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        let end = |server: &Server| {
            format!(
                "{{engine: {}, host: {}, port: {}, user: {}, password: {{env: DTSCTL_BENCH_PASSWORD}}}}",
                server.flavor(),
                server.host(),
                server.port(),
                server.user()
            )
        };
        let path = folder.join("bench.yaml");
        let text = format!(
            "version: 1\nname: bench-{database}\nsource: {}\ndestination: {}\nphases: {{schema: true, full: true, incremental: false}}\nobjects:\n  - database: {database}\n",
            end(&self.source),
            end(&self.destination)
        );
        fs::write(&path, text)?;
        Ok(path)
    }

    fn dtsctl(&self, spec: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.dtsctl);
        command
            .arg("-f")
            .arg(spec)
            .args(["--progress", "none"])
            .args(arguments)
            .env("DTSCTL_BENCH_PASSWORD", self.source.password())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// Empties the destination, the progress of earlier runs included.
    fn clear(&self, database: &str) -> Result<()> {
        self.destination.exec(&format!("DROP DATABASE IF EXISTS `{database}`;\nDROP DATABASE IF EXISTS dts"))
    }

    /// Runs `work` with the CPU time both servers spent meanwhile added to what it measured.
    fn with_servers(&self, work: impl FnOnce() -> Result<Spent>) -> Result<(Spent, f64)> {
        let before = cpu_of(self.source.pid()?)? + cpu_of(self.destination.pid()?)?;
        let spent = work()?;
        let after = cpu_of(self.source.pid()?)? + cpu_of(self.destination.pid()?)?;
        Ok((spent, after - before))
    }

    fn copy(&mut self, rounds: u32) -> Result<()> {
        let (mut own, mut share, mut memory, mut mydumper, mut dump) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 1..=rounds {
            self.clear("sb")?;
            let spec = self.spec("sb")?;
            let threads = self.threads.to_string();
            match self.with_servers(|| run_measured(vec![self.dtsctl(&spec, &["apply", "--yes", "--threads", &threads])])) {
                Ok((spent, servers)) => {
                    println!(
                        "round {round}: dtsctl {} (own CPU {:.2} s, servers {servers:.2} s, {} MiB)",
                        seconds(spent.wall),
                        spent.cpu,
                        spent.peak_mib
                    );
                    self.check_copied()?;
                    own.push(spent.wall);
                    share.push(spent.cpu / (spent.cpu + servers));
                    memory.push(spent.peak_mib as f64);
                }
                Err(error) => println!("round {round}: dtsctl: not measured: {error:#}"),
            }

            self.clear("sb")?;
            match self.with_servers(|| self.run_mydumper()) {
                Ok((spent, servers)) => {
                    println!(
                        "round {round}: mydumper + myloader {} (own CPU {:.2} s, servers {servers:.2} s)",
                        seconds(spent.wall),
                        spent.cpu
                    );
                    self.check_copied()?;
                    mydumper.push(spent.wall);
                }
                Err(error) => println!("round {round}: mydumper + myloader: not measured: {error:#}"),
            }

            self.clear("sb")?;
            match self.with_servers(|| self.run_dump()) {
                Ok((spent, servers)) => {
                    println!(
                        "round {round}: mariadb-dump | mariadb {} (own CPU {:.2} s, servers {servers:.2} s)",
                        seconds(spent.wall),
                        spent.cpu
                    );
                    self.check_copied()?;
                    dump.push(spent.wall);
                }
                Err(error) => println!("round {round}: mariadb-dump | mariadb: not measured: {error:#}"),
            }
        }
        let ratio = |other: &mut Vec<f64>, own: &mut Vec<f64>| match (measure::median(own), measure::median(other)) {
            (Some(own), Some(other)) => format!("{:.2}", own / other),
            _ => "not measured".to_owned(),
        };
        let against_mydumper = ratio(&mut mydumper, &mut own);
        let against_dump = ratio(&mut dump, &mut own);
        self.line("full copy", "mydumper then myloader", "0.75", "0.55", against_mydumper);
        self.line("full copy", "mariadb-dump | mariadb", "0.35", "0.22", against_dump);
        let nothing = || "not measured".to_owned();
        let share = measure::median(&mut share).map_or_else(nothing, |share| format!("{:.1} %", share * 100.0));
        self.line("full copy, own CPU", "all CPU of servers and tool", "10 %", "5 %", share);
        let memory = measure::median(&mut memory).map_or_else(nothing, |memory| format!("{memory:.0} MiB"));
        self.line("full copy, memory", "", "256 MiB", "128 MiB", memory);
        Ok(())
    }

    /// The cheapest honest check that a copy is whole, so that no program wins by leaving work out: row counts and the secondary index.
    fn check_copied(&self) -> Result<()> {
        let (mut a, mut b) = (self.source.root_conn()?, self.destination.root_conn()?);
        for table in equal::tables(&mut a, "sb").map_err(|error| anyhow::anyhow!(error))? {
            let count = format!("SELECT COUNT(*), SUM(k) FROM sb.`{table}` FORCE INDEX (k_1)");
            let expected: Option<(u64, String)> = a.query_first(&count)?;
            let found: Option<(u64, String)> = b.query_first(&count)?;
            if expected != found {
                bail!("sb.{table} is not whole at the destination: {found:?} instead of {expected:?}");
            }
        }
        Ok(())
    }

    fn run_mydumper(&self) -> Result<Spent> {
        let folder = self.folder.join("dump");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let threads = self.threads.to_string();
        let command = |name: &str, server: &Server| -> Result<Command> {
            let mut command = fetch::tool(name)?.command();
            client_of(&mut command, server)?;
            command.args(["-t", &threads, "-B", "sb", "-v", "1"]).stdout(Stdio::null());
            Ok(command)
        };
        let mut dump = command("mydumper", &self.source)?;
        dump.arg("-o").arg(&folder);
        let mut load = command("myloader", &self.destination)?;
        load.arg("-d").arg(&folder);
        let first = run_measured(vec![dump])?;
        let second = run_measured(vec![load])?;
        fs::remove_dir_all(&folder)?;
        Ok(first.then(second))
    }

    fn run_dump(&self) -> Result<Spent> {
        self.destination.exec("CREATE DATABASE sb")?;
        let mut dump = fetch::tool("mariadb-dump")?.command();
        dump.arg("--no-defaults");
        client_of(&mut dump, &self.source)?;
        dump.args(["--single-transaction", "--quick", "sb"]);
        let mut load = fetch::tool("mariadb")?.command();
        load.arg("--no-defaults");
        client_of(&mut load, &self.destination)?;
        load.args(["--max-allowed-packet=1G", "sb"]).stdout(Stdio::null());
        run_measured(vec![dump, load])
    }

    fn verify(&mut self, rounds: u32) -> Result<()> {
        self.clear("sb")?;
        let spec = self.spec("sb")?;
        run_measured(vec![self.dtsctl(&spec, &["apply", "--yes"])])?;
        let (mut own, mut scan) = (Vec::new(), Vec::new());
        for round in 1..=rounds {
            let spent = run_measured(vec![self.dtsctl(&spec, &["verify"])])?;
            let mut slower: f64 = 0.0;
            for server in [&self.source, &self.destination] {
                let mut conn = server.root_conn()?;
                let begin = std::time::Instant::now();
                for table in ["sbtest1", "sbtest2"] {
                    conn.query_drop(format!("SELECT SUM(CRC32(SHA2(CONCAT_WS('#', id, k, c, pad), 256))) FROM sb.{table}"))?;
                }
                slower = slower.max(begin.elapsed().as_secs_f64());
            }
            println!("round {round}: verify {}, one SHA2 scan {}", seconds(spent.wall), seconds(slower));
            own.push(spent.wall);
            scan.push(slower);
        }
        let (Some(own), Some(scan)) = (measure::median(&mut own), measure::median(&mut scan)) else { return Ok(()) };
        self.line("verify", "the slower server's SHA2 scan", "2.0", "1.2", format!("{:.2}", own / scan));
        Ok(())
    }

    fn plan(&mut self, rounds: u32) -> Result<()> {
        println!("making 1,000 tables ...");
        data::fill_many(&self.source, "many", 1000)?;
        self.clear("many")?;
        let spec = self.spec("many")?;
        let mut walls = Vec::new();
        for round in 1..=rounds {
            let spent = run_measured(vec![self.dtsctl(&spec, &["plan"])])?;
            println!("round {round}: plan over 1,000 tables {}", seconds(spent.wall));
            walls.push(spent.wall);
        }
        let wall = measure::median(&mut walls).unwrap_or_default();
        self.line("plan over 1,000 tables", "", "5 s", "1 s", format!("{wall:.2} s"));
        Ok(())
    }

    fn memory(&mut self) -> Result<()> {
        for (database, what) in [("narrow", "5 M narrow rows"), ("wide", "rows of 64 MB")] {
            println!("filling {what} ...");
            if database == "narrow" {
                data::fill_narrow(&self.source, database, 5_000_000)?;
            } else {
                data::fill_wide(&self.source, database, 64 << 20, 4)?;
            }
            self.clear(database)?;
            let spec = self.spec(database)?;
            for command in [vec!["apply", "--yes"], vec!["verify"]] {
                let spent = run_measured(vec![self.dtsctl(&spec, &command)])?;
                println!("{} of {what}: {} MiB in {}", command[0], spent.peak_mib, seconds(spent.wall));
                self.line(&format!("memory, {}", command[0]), what, "256 MiB", "128 MiB", format!("{} MiB", spent.peak_mib));
            }
            self.source.exec(&format!("DROP DATABASE {database}"))?;
            self.clear(database)?;
        }
        Ok(())
    }

    fn line(&mut self, work: &str, against: &str, must: &str, goal: &str, measured: String) {
        self.lines.push(Line {
            work: work.to_owned(),
            against: against.to_owned(),
            must: must.to_owned(),
            goal: goal.to_owned(),
            measured,
        });
    }

    fn print(&self) {
        println!("\n{:<24} {:<30} {:>8} {:>8} {:>12}", "work", "against", "must", "goal", "measured");
        for line in &self.lines {
            println!("{:<24} {:<30} {:>8} {:>8} {:>12}", line.work, line.against, line.must, line.goal, line.measured);
        }
    }
}

/// Adds how to reach a server; the password goes by the environment, and the client library finds its plugins where it was unpacked.
fn client_of(command: &mut Command, server: &Server) -> Result<()> {
    command.args(["-h", server.host(), "-P", &server.port().to_string(), "-u", server.user()]);
    // mydumper of Debian 12 takes the password by argument only; this account exists for minutes on a loopback port.
    command.arg(format!("--password={}", server.password()));
    if let Some(root) = fetch::tool("mydumper")?.root {
        for folder in ["x86_64-linux-gnu", "aarch64-linux-gnu"] {
            let plugins = root.join("usr/lib").join(folder).join("libmariadb3/plugin");
            if plugins.is_dir() {
                command.env("MARIADB_PLUGIN_DIR", plugins);
            }
        }
    }
    Ok(())
}
