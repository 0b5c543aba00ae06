//! An initialised data folder per flavour and version, made once and copied for each server.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Flavor, ROOT_PASSWORD, options};
use crate::fetch::{Program, cache_dir, lock, progress, run, share};

/// Raised when the way templates are made changes, so that old ones are not used.
const FORMAT: u32 = 2;

/// The template folder for this program, made if it is not there yet.
pub(super) fn ensure(flavor: Flavor, program: &Program) -> Result<PathBuf> {
    let version = run(program.command().args(["--no-defaults", "--version"]))?;
    let version = version.split_whitespace().skip_while(|word| *word != "Ver").nth(1).unwrap_or("unknown");
    let version: String = version.chars().map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' }).collect();
    let name = format!("{flavor}-{version}-{FORMAT}");
    let home = cache_dir().join("templates");
    let template = home.join(&name);
    if template.is_dir() {
        return Ok(template);
    }
    let _lock = lock(&format!("template-{flavor}"))?;
    if template.is_dir() {
        return Ok(template);
    }
    progress(&format!("initialising a data folder for {flavor} {version} ..."));
    let partial = home.join(format!("{name}.partial"));
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("removing {}", partial.display()))?;
    }
    fs::create_dir_all(&partial).with_context(|| format!("creating {}", partial.display()))?;
    let setup = home.join(format!("{name}.sql"));
    let log = home.join(format!("{name}.log"));
    let made = match flavor {
        Flavor::MySql => initialize_mysql(program, &partial, &setup, &log),
        Flavor::MariaDb => initialize_mariadb(program, &partial, &setup, &log),
    };
    made.with_context(|| {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(15).collect();
        format!("initialising {flavor} {version}; its log ends (newest first):\n{}", tail.join("\n"))
    })?;
    // Each copy shall make a server_uuid of its own.
    let _ = fs::remove_file(partial.join("auto.cnf"));
    fs::rename(&partial, &template).with_context(|| format!("renaming {}", partial.display()))?;
    Ok(template)
}

fn accounts() -> String {
    format!(
        "CREATE USER 'root'@'%' IDENTIFIED BY '{ROOT_PASSWORD}';\n\
         GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n\
         ALTER USER 'root'@'localhost' IDENTIFIED BY '{ROOT_PASSWORD}';\n"
    )
}

fn initialize_mysql(program: &Program, data: &Path, setup: &Path, log: &Path) -> Result<()> {
    fs::write(setup, accounts())?;
    let mut command = program.command();
    command
        .args(options::place(Flavor::MySql, program, data))
        .args(["--initialize-insecure", "--innodb-redo-log-capacity=8388608", "--innodb-flush-log-at-trx-commit=2", "--skip-log-bin"])
        .arg(format!("--init-file={}", setup.display()));
    finish(&mut command, Stdio::null(), log)
}

/// What `mariadb-install-db` does, without its need for an installed MariaDB: the server's own scripts, one after the other.
fn initialize_mariadb(program: &Program, data: &Path, setup: &Path, log: &Path) -> Result<()> {
    let share = share(program.root.as_deref().unwrap_or(Path::new("/")));
    let mut sql = b"CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n".to_vec();
    for script in ["system_tables", "performance_tables", "system_tables_data", "add_gis_sp_bootstrap", "sys_schema"] {
        // The scripts are named mysql_*, maria_* or mariadb_* depending on the version.
        let path = ["mariadb_", "mysql_", "maria_"]
            .iter()
            .map(|prefix| share.join(format!("{prefix}{script}.sql")))
            .find(|path| path.exists())
            .with_context(|| format!("no script for {script} in {}", share.display()))?;
        sql.extend(fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
        sql.push(b'\n');
    }
    // The scripts make password-less roots for 127.0.0.1, ::1 and this host, which would win over 'root'@'%'.
    sql.extend_from_slice(b"DELETE FROM global_priv WHERE User IN ('root', '') AND Host <> 'localhost';\n");
    sql.extend_from_slice(b"DELETE FROM proxies_priv WHERE Host <> 'localhost';\nFLUSH PRIVILEGES;\n");
    sql.extend_from_slice(accounts().as_bytes());
    fs::write(setup, sql)?;
    let mut command = program.command();
    command.args(options::place(Flavor::MariaDb, program, data)).args([
        "--bootstrap",
        "--skip-log-bin",
        "--innodb-log-file-size=16M",
        "--max-allowed-packet=16M",
    ]);
    finish(&mut command, File::open(setup)?.into(), log)
}

fn finish(command: &mut Command, input: Stdio, log: &Path) -> Result<()> {
    let output = File::create(log)?;
    let status = command.stdin(input).stdout(output.try_clone()?).stderr(output).status().context("running the server")?;
    if !status.success() {
        bail!("the server ended with {status}");
    }
    Ok(())
}

/// Copies the template's content into an empty folder; cheap where the file system shares blocks.
pub(super) fn copy(template: &Path, data: &Path) -> Result<()> {
    run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(template.join(".")).arg(data)).map(drop)
}
