//! One real server: started in a folder of its own, stopped, killed, restarted, and gone with the process that started it.
//!
//! The one hard idea: a server must not outlive its test, not even one that was killed with `kill -9`. So it is the child of a small
//! shell script (`supervisor.sh`) that holds the reading end of a pipe from us; when the pipe closes, for whatever reason, the script
//! kills the server and removes its folder.
//!
//! Facts of the servers that shaped this (seen on MySQL 9.7.4 and MariaDB 10.11.18 of Debian):
//! - both refuse to run as root without `--user=root`;
//! - two MySQL servers from one template need `auto.cnf` removed, or they share a `server_uuid`;
//! - `mysqld --initialize-insecure` runs an `--init-file`, so the accounts are part of the template; MariaDB's `--bootstrap` needs
//!   `FLUSH PRIVILEGES` before `CREATE USER` is possible.

mod options;
mod process;
mod template;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};

use crate::fetch::Program;
use crate::tls::TlsFiles;
use process::Process;

pub use options::ServerOptions;

/// Which vendor's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// MariaDB, from the machine's own Debian suite unless named otherwise.
    MariaDb,
    /// MySQL, from Debian unstable unless named otherwise.
    MySql,
}

impl Flavor {
    /// Both flavours, for tests that run on each.
    pub const ALL: [Flavor; 2] = [Flavor::MariaDb, Flavor::MySql];

    /// All four pairs of source and destination.
    pub const PAIRS: [(Flavor, Flavor); 4] = [
        (Flavor::MariaDb, Flavor::MariaDb),
        (Flavor::MySql, Flavor::MySql),
        (Flavor::MySql, Flavor::MariaDb),
        (Flavor::MariaDb, Flavor::MySql),
    ];

    /// `mariadb` or `mysql`, as the spec's `engine` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Flavor::MariaDb => "mariadb",
            Flavor::MySql => "mysql",
        }
    }

    /// The server program of this flavour; fetched if the machine has none.
    pub fn program(self) -> Result<Program> {
        match self {
            Flavor::MariaDb => crate::fetch::mariadbd(),
            Flavor::MySql => crate::fetch::mysqld(),
        }
    }
}

impl std::fmt::Display for Flavor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Flavor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mariadb" => Ok(Flavor::MariaDb),
            "mysql" => Ok(Flavor::MySql),
            other => Err(format!("unknown flavour {other:?}, expected mysql or mariadb")),
        }
    }
}

/// The account every server of ours has: `root`, from anywhere, with this password.
pub const ROOT_PASSWORD: &str = "rootpw";

/// How long a start (with crash recovery) or a clean stop may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server. Dropping it kills the server and removes its folder.
#[derive(Debug)]
pub struct Server {
    flavor: Flavor,
    host: String,
    port: u16,
    user: String,
    password: String,
    version: String,
    /// `None` for a server of one's own that was named in the environment.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    folder: PathBuf,
    socket: PathBuf,
    tls: Option<TlsFiles>,
    program: Program,
    options: Mutex<ServerOptions>,
    process: Mutex<Process>,
}

impl Server {
    /// Starts a server of `flavor` and waits until it answers. The first one of a version takes some seconds more: it makes the template.
    pub fn start(flavor: Flavor, options: ServerOptions) -> Result<Server> {
        let program = flavor.program()?;
        let template = template::ensure(flavor, &program)?;
        let mut last = anyhow!("no free port");
        for _ in 0..5 {
            match Self::start_once(flavor, &program, &template, &options) {
                Err(error) if format!("{error:#}").contains("in use") => last = error,
                other => return other,
            }
        }
        Err(last)
    }

    fn start_once(flavor: Flavor, program: &Program, template: &Path, options: &ServerOptions) -> Result<Server> {
        let process = Process::prepare(template, options.data_limit)?;
        let folder = process.folder().to_owned();
        let socket = process::socket_path(&folder);
        let tls = match &options.tls {
            Some(names) => Some(crate::tls::generate(&folder.join("tls"), &names.iter().map(String::as_str).collect::<Vec<_>>())?),
            None => None,
        };
        let mut server = Server {
            flavor,
            host: "127.0.0.1".to_owned(),
            port: process::free_port()?,
            user: "root".to_owned(),
            password: ROOT_PASSWORD.to_owned(),
            version: String::new(),
            own: Some(Own {
                folder,
                socket,
                tls,
                program: program.clone(),
                options: Mutex::new(options.clone()),
                process: Mutex::new(process),
            }),
        };
        server.launch()?;
        server.version = server.read_version()?;
        Ok(server)
    }

    /// A server of one's own, by `mysql://user:password@host:port`. It is not stopped on drop.
    pub fn external(url: &str) -> Result<Server> {
        // The URL may hold a password, which no message of ours may show.
        let opts = Opts::from_url(url).map_err(|error| anyhow!("not a server address: {error}"))?;
        let mut server = Server {
            flavor: Flavor::MySql,
            host: opts.get_ip_or_hostname().into_owned(),
            port: opts.get_tcp_port(),
            user: opts.get_user().unwrap_or("root").to_owned(),
            password: opts.get_pass().unwrap_or_default().to_owned(),
            version: String::new(),
            own: None,
        };
        server.version = server.read_version()?;
        if server.version.contains("MariaDB") {
            server.flavor = Flavor::MariaDb;
        }
        Ok(server)
    }

    fn read_version(&self) -> Result<String> {
        self.root_conn()?.query_first("SELECT VERSION()")?.ok_or_else(|| anyhow!("the server told no version"))
    }

    /// The vendor.
    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// What `SELECT VERSION()` said, such as `10.11.18-MariaDB-log`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The host to connect to; `127.0.0.1` for a server of ours.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The administrator's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The administrator's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// `mysql://user:password@host:port`.
    pub fn url(&self) -> String {
        format!("mysql://{}:{}@{}:{}", self.user, self.password, self.host, self.port)
    }

    /// The Unix socket of a server of ours.
    pub fn socket_path(&self) -> Result<&Path> {
        Ok(&self.own()?.socket)
    }

    /// The data folder. With `data_limit` it can only be seen by the server itself.
    pub fn datadir(&self) -> Result<PathBuf> {
        Ok(self.own()?.folder.join("data"))
    }

    /// What the server wrote to its error log so far.
    pub fn log(&self) -> Result<String> {
        let path = self.own()?.folder.join("server.log");
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The certificates, when the server was started with [`ServerOptions::tls`].
    pub fn tls(&self) -> Option<&TlsFiles> {
        self.own.as_ref()?.tls.as_ref()
    }

    /// The process id of the server, for `/proc`.
    pub fn pid(&self) -> Result<u32> {
        self.process()?.pid().ok_or_else(|| anyhow!("the server is not running"))
    }

    /// How to connect as administrator by TCP; for tests that want another account, database or TLS.
    pub fn opts(&self) -> OptsBuilder {
        OptsBuilder::new()
            .ip_or_hostname(Some(self.host.clone()))
            .tcp_port(self.port)
            .user(Some(self.user.clone()))
            .pass(Some(self.password.clone()))
            .prefer_socket(false)
            .tcp_connect_timeout(Some(Duration::from_secs(10)))
    }

    /// A new connection as administrator, by TCP, without a default database.
    pub fn root_conn(&self) -> Result<Conn> {
        Conn::new(self.opts()).with_context(|| format!("connecting to {} at {}:{}", self.flavor, self.host, self.port))
    }

    /// Runs statements, separated by `;` at the end of a line, on a connection of their own; the first failure ends it.
    pub fn exec(&self, sql: &str) -> Result<()> {
        crate::sql::run(&mut self.root_conn()?, sql)
    }

    /// Kills the server with SIGKILL, as a crash of it would. [`Server::restart`] brings it back.
    pub fn kill9(&self) -> Result<()> {
        self.process()?.order("kill")
    }

    /// Stops the server in an orderly way and waits until it is gone.
    pub fn stop(&self) -> Result<()> {
        self.process()?.order("term")
    }

    /// Starts the server again with the same port and data, stopping it before if it runs.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.launch()
    }

    /// Like [`Server::restart`], with further arguments from now on.
    pub fn restart_with(&self, arguments: &[&str]) -> Result<()> {
        {
            let mut options = self.own()?.options.lock().unwrap_or_else(PoisonError::into_inner);
            options.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        }
        self.restart()
    }

    /// Halts the server's process (SIGSTOP): connections stay open and nothing answers. [`Server::thaw`] ends it.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        crate::fetch::run(std::process::Command::new("sh").args(["-c", "kill \"$1\" \"$2\"", "sh", signal, &self.pid()?.to_string()]))
            .map(drop)
    }

    /// Changes the size of a data folder made with [`ServerOptions::data_limit`], such as `1g`.
    pub fn resize_data(&self, size: &str) -> Result<()> {
        self.process()?.order(&format!("resize {size}"))
    }

    /// Leaves the server running after this process; returns the commands that stop it and remove it.
    pub fn keep(self) -> Result<String> {
        let pid = self.pid()?;
        self.process()?.order("keep")?;
        let folder = self.own()?.folder.display().to_string();
        Ok(format!("kill -9 {pid}; rm -rf {folder}"))
    }

    fn own(&self) -> Result<&Own> {
        self.own
            .as_ref()
            .ok_or_else(|| anyhow!("the server at {}:{} was named in the environment and is not ours to handle", self.host, self.port))
    }

    fn process(&self) -> Result<MutexGuard<'_, Process>> {
        Ok(self.own()?.process.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn launch(&self) -> Result<()> {
        let own = self.own()?;
        let options = own.options.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let arguments = options.to_arguments(self.flavor, &own.program, &own.folder, &own.socket, self.port, own.tls.as_ref());
        self.process()?.launch(&own.program, &arguments, &options.environment)?;
        self.wait_until_up()
    }

    fn wait_until_up(&self) -> Result<()> {
        let begin = Instant::now();
        loop {
            let error = match self.root_conn() {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let died = !self.process()?.is_alive();
            let denied = format!("{error:#}").contains("Access denied");
            if died || denied || begin.elapsed() > PATIENCE {
                let log = self.log().unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(15).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                let what = if died { "ended while starting" } else { "does not let us in" };
                bail!("the {} server {what} ({error:#}); its log ends:\n{}", self.flavor, tail.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[cfg(test)]
mod tests;
