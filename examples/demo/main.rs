//! `cargo demo`: a source and a destination of their own, real data, and the real binary used as a user would use it.
//!
//! Prints every command before its output. Ends in a summary, and fails when anything came out other than it should.

#![expect(clippy::print_stdout, reason = "this program's output is what it is for")]

mod writer;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use mysql::prelude::Queryable;
use testbed::{Flavor, Server, ServerOptions, equal, fetch, sql, testdata, tpch};

use writer::Writer;

/// Watch dtsctl plan, copy, follow and verify a database between two real servers
#[derive(Debug, Parser)]
#[command(name = "cargo demo --")]
struct Args {
    /// The source: mysql or mariadb [default: mysql, or mariadb where no MySQL can be had]
    #[arg(long)]
    source: Option<Flavor>,
    /// The destination: mysql or mariadb [default: as the source]
    #[arg(long)]
    destination: Option<Flavor>,
    /// Leave the servers up, to go on by hand
    #[arg(long)]
    keep: bool,
    /// Scale of the TPC-H tables; 0.116 is a million rows
    #[arg(long, default_value_t = tpch::MILLION_ROWS)]
    scale: f64,
}

/// The variable that the spec names for both passwords.
const PASSWORD_VARIABLE: &str = "DTSCTL_DEMO_PASSWORD";

/// The row that is changed at the destination, and its key.
const CHANGED_KEY: &str = "7";

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("\ndemo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    let source_flavor = args.source.unwrap_or_else(|| if testbed::have(Flavor::MySql) { Flavor::MySql } else { Flavor::MariaDb });
    let destination_flavor = args.destination.unwrap_or(source_flavor);
    let binary = build()?;

    say("Starting a source and a destination");
    let source = Server::start(source_flavor, options())?;
    println!("source       {source_flavor} {} at {}:{}", source.version(), source.host(), source.port());
    let destination = Server::start(destination_flavor, options())?;
    println!("destination  {destination_flavor} {} at {}:{}", destination.version(), destination.host(), destination.port());

    say("Filling the source");
    let begin = Instant::now();
    for (table, rows) in tpch::fill(&source, "tpch", args.scale)? {
        println!("tpch.{table:<10} {rows:>9} rows");
    }
    let types = fill_types(&source, destination_flavor)?;
    let tpch = vec!["tpch".to_owned()];
    let rows = count_rows(&source, &tpch)?;
    println!(
        "tpch: {rows} rows; {} more databases with every column type and key shape; {:.1} s",
        types.len(),
        begin.elapsed().as_secs_f64()
    );

    let folder = fetch::workspace_dir().join("target").join("demo").join(format!("{source_flavor}-to-{destination_flavor}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let write = |name: &str, databases: &[String], excluded: &[(String, String)]| -> Result<PathBuf> {
        let path = folder.join(format!("{name}.yaml"));
        fs::write(&path, spec_text(name, &source, &destination, databases, excluded))
            .with_context(|| format!("writing {}", path.display()))?;
        println!("$ cat {}", shown(&path));
        print!("{}", fs::read_to_string(&path)?);
        Ok(path)
    };

    say("First act: a million rows, and a source that is written to all the while");
    let mut dtsctl = Dtsctl { binary, spec: write("shop", &tpch, &[])?, steps: Vec::new() };
    let mut good = walk(&mut dtsctl, &source, &destination, &tpch)?;
    if good {
        say("Second act: every column type and key shape that this pair can hold");
        dtsctl.spec = write("types", &types, &[])?;
        let blocked = dtsctl.blocked()?;
        if !blocked.is_empty() {
            println!("\nThe plan is blocked, and says by what. Left out, therefore:");
            for (object, reason) in &blocked {
                println!("  {}.{}: {reason}", object.0, object.1);
            }
            let excluded: Vec<(String, String)> = blocked.into_iter().map(|(object, _)| object).collect();
            dtsctl.spec = write("types", &types, &excluded)?;
        }
        good &= dtsctl.run(&["plan", "--summary"], 0, &["Plan:"])?
            && dtsctl.run(&["apply", "--yes", "--until", "caught-up", "--quiet"], 0, &[])?
            && dtsctl.run(&["verify"], 0, &["Verify: equal"])?
            && dtsctl.run(&["plan", "--summary"], 0, &["0 create, 0 alter, 0 drop; follow binlog."])?;
    }
    summary(&dtsctl, rows);

    println!("\nspecs  {}", shown(&folder));
    println!("state  {}", shown(&folder.join(".dtsctl")));
    if args.keep {
        println!("\nThe servers are left up. Go on by hand:");
        println!("$ export {PASSWORD_VARIABLE}={}", source.password());
        println!("$ {} -f {} plan", shown(&dtsctl.binary), shown(&dtsctl.spec));
        for (role, server) in [("source", source), ("destination", destination)] {
            println!("{role}: mysql://{}:${PASSWORD_VARIABLE}@{}:{}", server.user(), server.host(), server.port());
            println!("  stop it: {}", server.keep()?);
        }
    } else {
        println!("\n`cargo demo -- --keep` leaves the servers up to go on by hand.");
    }
    Ok(good)
}

fn options() -> ServerOptions {
    ServerOptions::new().buffer_pool(256 << 20)
}

/// Builds the binary in the profile this program was built in, and says where it is: beside this program.
fn build() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    // Examples lie in a folder of their own beside the binaries.
    let folder = own.parent().and_then(Path::parent).ok_or_else(|| anyhow!("{} has no folder", own.display()))?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(fetch::workspace_dir()).args(["build", "--quiet", "--bin", "dtsctl", "--example", "demo"]);
    if folder.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    say("Building dtsctl");
    if !command.status().context("running cargo")?.success() {
        bail!("dtsctl does not build");
    }
    Ok(folder.join("dtsctl"))
}

/// Loads the types that this pair can hold; the databases made.
fn fill_types(source: &Server, destination: Flavor) -> Result<Vec<String>> {
    let mut files = vec!["types/common.sql"];
    if source.flavor() == destination {
        files.push(match destination {
            Flavor::MySql => "types/mysql.sql",
            Flavor::MariaDb => "types/mariadb.sql",
        });
    }
    let mut conn = source.root_conn()?;
    for file in &files {
        sql::run_file(&mut conn, &testdata(file), "demo")?;
    }
    if files.contains(&"types/mysql.sql") {
        println!(
            "(demo_mysql.json_types: the row whose DECIMAL has more digits than a JSON text brings back is left out; docs/guarantees.md)"
        );
        conn.query_drop("DELETE FROM demo_mysql.json_types WHERE id = 14")?;
    }
    let databases =
        conn.query("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'demo\\_%' ORDER BY schema_name")?;
    Ok(databases)
}

fn count_rows(server: &Server, databases: &[String]) -> Result<u64> {
    let mut conn = server.root_conn()?;
    let mut rows = 0;
    for database in databases {
        for table in equal::tables(&mut conn, database).map_err(|error| anyhow!(error))? {
            let counted: Option<u64> = conn.query_first(format!("SELECT COUNT(*) FROM `{database}`.`{}`", table.replace('`', "``")))?;
            rows += counted.unwrap_or_default();
        }
    }
    Ok(rows)
}

fn spec_text(name: &str, source: &Server, destination: &Server, databases: &[String], excluded: &[(String, String)]) -> String {
    let end = |server: &Server| {
        format!(
            "  engine: {}\n  host: {}\n  port: {}\n  user: {}\n  password: {{env: {PASSWORD_VARIABLE}}}\n",
            server.flavor(),
            server.host(),
            server.port(),
            server.user()
        )
    };
    let objects: String = databases
        .iter()
        .map(|database| {
            let left_out: Vec<String> =
                excluded.iter().filter(|(of, _)| of == database).map(|(_, table)| format!("{:?}", table.as_str())).collect();
            let exclude = if left_out.is_empty() { String::new() } else { format!("    exclude: [{}]\n", left_out.join(", ")) };
            format!("  - database: \"{database}\"\n{exclude}")
        })
        .collect();
    format!(
        "version: 1\nname: {name}\nsource:\n{}destination:\n{}phases: {{schema: true, full: true, incremental: true}}\nobjects:\n{objects}",
        end(source),
        end(destination)
    )
}

/// What a user would do; `Ok(false)` when something came out other than it should.
fn walk(dtsctl: &mut Dtsctl, source: &Server, destination: &Server, databases: &[String]) -> Result<bool> {
    let mut good = true;
    say("The whole way");
    good &= dtsctl.run(&["validate"], 0, &[])?;
    good &= dtsctl.run(&["ping"], 0, &[])?;
    good &= dtsctl.run(&["plan"], 0, &["Plan:"])?;
    if !dtsctl.follow(source)? {
        // Nothing after it would mean anything.
        return Ok(false);
    }
    good &= dtsctl.run(&["status"], 0, &[])?;
    good &= dtsctl.run(&["verify"], 0, &[])?;

    say("The servers' own proof, which is not dtsctl's: every value of every row, read from both");
    let begin = Instant::now();
    let (mut a, mut b) = (source.root_conn()?, destination.root_conn()?);
    let mut proven = true;
    for database in databases {
        match equal::compare_databases(&mut a, database, &mut b, database) {
            Ok(()) => println!("{database:<24} equal"),
            Err(problem) => {
                println!("{database:<24} DIFFERENT\n{problem}");
                proven = false;
            }
        }
    }
    dtsctl.note("equal, say the servers", proven, begin.elapsed());
    good &= proven;

    say("Somebody changes one row at the destination");
    let table = "`tpch`.`orders`";
    let mut conn = destination.root_conn()?;
    let before: Option<String> = conn.query_first(format!("SELECT o_comment FROM {table} WHERE o_orderkey = {CHANGED_KEY}"))?;
    let before = before.ok_or_else(|| anyhow!("there is no order {CHANGED_KEY}"))?;
    let change = format!("UPDATE {table} SET o_comment = 'nobody will notice' WHERE o_orderkey = {CHANGED_KEY}");
    println!("destination> {change};");
    conn.query_drop(change)?;
    good &= dtsctl.run(&["verify", "--keys"], 4, &["tpch.orders", CHANGED_KEY])?;
    good &= dtsctl.only_that_row_differs()?;

    say("It is put back");
    println!("destination> UPDATE {table} SET o_comment = '...' WHERE o_orderkey = {CHANGED_KEY};");
    conn.exec_drop(format!("UPDATE {table} SET o_comment = ? WHERE o_orderkey = ?"), (before, CHANGED_KEY))?;
    good &= dtsctl.run(&["verify", "--table", "tpch.orders"], 0, &[])?;
    good &= dtsctl.run(&["plan"], 0, &["0 create, 0 alter, 0 drop; follow binlog."])?;
    Ok(good)
}

struct Step {
    what: String,
    good: bool,
    outcome: String,
    took: Duration,
}

struct Dtsctl {
    binary: PathBuf,
    spec: PathBuf,
    steps: Vec<Step>,
}

impl Dtsctl {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("-f").arg(&self.spec).args(arguments).env(PASSWORD_VARIABLE, testbed::server::ROOT_PASSWORD).stdin(Stdio::null());
        command
    }

    /// Runs a command, shows its output as it comes, and checks its exit code and that its document holds `expected`.
    fn run(&mut self, arguments: &[&str], exit: i32, expected: &[&str]) -> Result<bool> {
        println!("\n$ dtsctl -f {} {}", shown(&self.spec), arguments.join(" "));
        std::io::stdout().flush()?;
        let begin = Instant::now();
        let mut child =
            self.command(arguments).stdout(Stdio::piped()).spawn().with_context(|| format!("running {}", self.binary.display()))?;
        let output = child.stdout.take().ok_or_else(|| anyhow!("no output"))?;
        let mut document = String::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            document.push_str(&line);
            document.push('\n');
        }
        let status = child.wait()?;
        let took = begin.elapsed();
        let got = status.code().unwrap_or(-1);
        println!("[exit {got}, {:.1} s]", took.as_secs_f64());
        let missing: Vec<&&str> = expected.iter().filter(|text| !document.contains(**text)).collect();
        let outcome = match (got == exit, missing.first()) {
            (true, None) => format!("exit {got}"),
            (true, Some(text)) => format!("exit {got}, but {text:?} is not in the output"),
            (false, _) => format!("exit {got}, expected {exit}"),
        };
        let good = got == exit && missing.is_empty();
        self.steps.push(Step { what: format!("dtsctl {}", arguments.join(" ")), good, outcome, took });
        Ok(good)
    }

    /// Copies and follows while somebody writes, until the destination has caught up; then the writer stops, and the rest is applied.
    fn follow(&mut self, source: &Server) -> Result<bool> {
        let begin = Instant::now();
        say("A writer begins at the source, and does not stop for us");
        let writer = Writer::start(source)?;
        let arguments = ["apply", "--yes", "--until", "never", "--quiet", "--progress", "none"];
        println!("\n$ dtsctl -f {} {} &", shown(&self.spec), arguments.join(" "));
        let mut running = self.command(&arguments).stdout(Stdio::null()).spawn()?;
        let mut lags = Vec::new();
        let mut shown_last = String::new();
        // Behind while it copies; caught up once the lag has stayed small for three looks.
        while lags.iter().rev().take(3).filter(|lag| **lag < 2.0).count() < 3 {
            if let Some(status) = running.try_wait()? {
                println!("[exit {}]", status.code().unwrap_or(-1));
                self.note("copy and catch-up under writes", false, begin.elapsed());
                return Ok(false);
            }
            if begin.elapsed() > Duration::from_secs(600) {
                running.kill()?;
                bail!("it did not catch up in ten minutes");
            }
            std::thread::sleep(Duration::from_millis(500));
            let Ok(status) = self.status() else { continue };
            let rows = &status["totals"]["rows_done"];
            let line = match status["follow"]["lag_seconds"].as_f64() {
                Some(lag) => {
                    lags.push(lag);
                    format!(
                        "following: {lag:.1} s behind, {} transactions applied, {} written",
                        status["follow"]["transactions"],
                        writer.done()
                    )
                }
                None => format!("copying: {rows} rows, {} transactions written meanwhile", writer.done()),
            };
            if line != shown_last {
                println!("{:>6.1} s  {line}", begin.elapsed().as_secs_f64());
                shown_last = line;
            }
        }
        self.note("caught up while it is written to", true, begin.elapsed());
        let written = writer.stop()?;
        println!("\nThe writer stops after {written} transactions.");
        let mut good = self.run(&["stop", "--at", "caught-up"], 0, &[])?;
        let ended = running.wait()?.code();
        println!("[the apply ends with exit {}]", ended.unwrap_or(-1));
        good &= ended == Some(5);
        self.note("stopped as asked, exit 5", ended == Some(5), begin.elapsed());
        Ok(good)
    }

    /// What `status` says now.
    fn status(&self) -> Result<serde_json::Value> {
        let output = self.command(&["status", "--format", "json"]).output()?;
        serde_json::from_slice(&output.stdout).context("reading the status")
    }

    /// Tables that the plan blocks, with the reason.
    fn blocked(&self) -> Result<Vec<((String, String), String)>> {
        let output = self.command(&["plan", "--format", "json"]).output()?;
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).context("reading the plan")?;
        let mut blocked = Vec::new();
        for action in plan["actions"].as_array().into_iter().flatten() {
            let (Some(database), Some(table)) = (action["source_table"]["database"].as_str(), action["source_table"]["table"].as_str())
            else {
                continue;
            };
            if action["permitted"] == false {
                let object = (database.to_owned(), table.to_owned());
                let reason = action["risk"].to_string();
                if !blocked.iter().any(|(known, _)| *known == object) {
                    blocked.push((object, reason));
                }
            }
        }
        Ok(blocked)
    }

    /// Looks into the receipt: the changed row and no other.
    fn only_that_row_differs(&mut self) -> Result<bool> {
        let begin = Instant::now();
        let output = self.command(&["verify", "--keys", "--format", "json", "--progress", "none"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        // Numbers of the receipt that count differences, whatever else it holds.
        let counted = |key: &str| -> u64 {
            text.match_indices(&format!("\"{key}\":"))
                .filter_map(|(at, found)| {
                    text[at + found.len()..]
                        .trim_start()
                        .split(|c: char| !c.is_ascii_digit())
                        .next()
                        .and_then(|digits| digits.parse::<u64>().ok())
                })
                .sum()
        };
        let (different, missing, extra) = (counted("different"), counted("missing"), counted("extra"));
        let good = output.status.code() == Some(4) && (different, missing, extra) == (1, 0, 0);
        println!("\nthe receipt counts {different} different, {missing} missing, {extra} extra");
        self.note("exactly one row differs", good, begin.elapsed());
        Ok(good)
    }

    fn note(&mut self, what: &str, good: bool, took: Duration) {
        let outcome = if good { "yes" } else { "NO" }.to_owned();
        self.steps.push(Step { what: what.to_owned(), good, outcome, took });
    }
}

fn summary(dtsctl: &Dtsctl, rows: u64) {
    say("Summary");
    for step in &dtsctl.steps {
        let mark = if step.good { "ok " } else { "BAD" };
        println!("{mark} {:<34} {:>7.1} s  {}", step.what, step.took.as_secs_f64(), step.outcome);
    }
    println!("\n{rows} rows were copied while they were written to");
    let bad = dtsctl.steps.iter().filter(|step| !step.good).count();
    println!("{} steps, {}", dtsctl.steps.len(), if bad == 0 { "all as expected".to_owned() } else { format!("{bad} NOT as expected") });
}

fn say(what: &str) {
    println!("\n== {what}");
    let _ = std::io::stdout().flush();
}

/// A path as one would type it from the current folder.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
