//! `sysbench` from Debian as load: fetched and run where it lies.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::fetch;
use crate::server::Server;

/// Tables that sysbench knows: `sbtest1` and so on, in a database that is there.
#[derive(Debug, Clone)]
pub struct Sysbench {
    /// Where they are.
    pub database: String,
    /// How many.
    pub tables: u64,
    /// Rows in each.
    pub rows: u64,
    /// Clients at once.
    pub threads: u32,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Sysbench {
    /// Makes the tables and fills them (`oltp_write_only prepare`).
    pub fn prepare(&self, server: &Server) -> Result<()> {
        self.run(server, &[], "prepare")
    }

    /// So many transactions of `oltp_write_only`: each updates two rows, deletes one and inserts it again, which is four row changes.
    pub fn write_only(&self, server: &Server, transactions: u64) -> Result<()> {
        self.run(server, &[&format!("--events={transactions}")], "run")
    }

    fn run(&self, server: &Server, arguments: &[&str], command: &str) -> Result<()> {
        let program = fetch::tool("sysbench")?;
        let scripts = program.root.as_ref().map_or_else(|| PathBuf::from("/usr/share/sysbench"), |root| root.join("usr/share/sysbench"));
        let mut sysbench: Command = program.command();
        sysbench
            .env("LUA_PATH", format!("{}/?.lua;;", scripts.display()))
            .arg(scripts.join("oltp_write_only.lua"))
            .arg(format!("--mysql-host={}", server.host()))
            .arg(format!("--mysql-port={}", server.port()))
            .arg(format!("--mysql-user={}", server.user()))
            .arg(format!("--mysql-password={}", server.password()))
            .arg(format!("--mysql-db={}", self.database))
            .args(["--db-driver=mysql", "--time=0", "--rand-type=uniform"])
            .arg(format!("--threads={}", self.threads))
            .arg(format!("--rand-seed={}", self.seed))
            .arg(format!("--tables={}", self.tables))
            .arg(format!("--table-size={}", self.rows))
            .args(arguments)
            .arg(command);
        let output = sysbench.output().context("running sysbench")?;
        if !output.status.success() {
            bail!("sysbench {command} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stdout));
        }
        Ok(())
    }
}
