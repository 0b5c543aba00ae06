//! What a test may ask of its server, and the arguments that make it so.

use std::ffi::OsString;
use std::path::Path;

use super::Flavor;
use crate::fetch::{Program, plugins, share};
use crate::tls::{DEFAULT_NAMES, TlsFiles};

/// What a server shall be like. The default: binlog on with full row images, GTIDs on MySQL, a small buffer pool, and commits that are
/// not flushed to disk one by one, which a killed server survives and a machine that loses power would not.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) tls: Option<Vec<String>>,
    pub(super) data_limit: Option<u64>,
    buffer_pool: u64,
    durable: bool,
    binlog: bool,
    gtid: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            arguments: Vec::new(),
            environment: Vec::new(),
            tls: None,
            data_limit: None,
            buffer_pool: 128 << 20,
            durable: false,
            binlog: true,
            gtid: true,
        }
    }
}

impl ServerOptions {
    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// A further argument of the server, such as `--max-allowed-packet=64K`; later ones win over earlier ones and over the defaults.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A variable of the server's environment. `TZ=EST5EDT,M3.2.0,M11.1.0` gives it New York's zone without any zone files.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// TLS with a certificate for `localhost`, `127.0.0.1` and `::1` from an authority of its own; see [`super::Server::tls`].
    #[must_use]
    pub fn tls(self) -> Self {
        self.tls_for(DEFAULT_NAMES)
    }

    /// TLS with a certificate for these host names and addresses only.
    #[must_use]
    pub fn tls_for(mut self, names: &[&str]) -> Self {
        self.tls = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Puts the data folder on a tmpfs of so many bytes, so that the disk can be full; see [`super::Server::resize_data`].
    ///
    /// It lives in a mount namespace of the server's own and needs root, or a kernel that lets users make namespaces: starting fails
    /// with "cannot mount a tmpfs" elsewhere. A fresh MySQL takes some 90 MB, a MariaDB some 50 MB of it.
    #[must_use]
    pub fn data_limit(mut self, bytes: u64) -> Self {
        self.data_limit = Some(bytes);
        self
    }

    /// The InnoDB buffer pool in bytes; 128 MiB by default.
    #[must_use]
    pub fn buffer_pool(mut self, bytes: u64) -> Self {
        self.buffer_pool = bytes;
        self
    }

    /// Flushes redo log and binlog to disk at every commit, as a server in production does.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Whether the server writes a binlog; on by default.
    #[must_use]
    pub fn binlog(mut self, on: bool) -> Self {
        self.binlog = on;
        self
    }

    /// Whether a MySQL server has GTIDs; on by default. MariaDB always has them.
    #[must_use]
    pub fn gtid(mut self, on: bool) -> Self {
        self.gtid = on;
        self
    }

    pub(super) fn to_arguments(
        &self,
        flavor: Flavor,
        program: &Program,
        folder: &Path,
        socket: &Path,
        port: u16,
        tls: Option<&TlsFiles>,
    ) -> Vec<OsString> {
        let mut arguments = place(flavor, program, &folder.join("data"));
        if self.data_limit.is_some() && !is_root() {
            // Inside the namespace that `data_limit` makes, the user looks like root.
            arguments.push("--user=root".into());
        }
        let mut add = |name: &str, value: OsString| {
            let mut argument = OsString::from(name);
            argument.push("=");
            argument.push(value);
            arguments.push(argument);
        };
        add("--socket", socket.into());
        add("--port", port.to_string().into());
        add("--bind-address", "127.0.0.1".into());
        add("--pid-file", folder.join("mysqld.pid").into());
        add("--tmpdir", folder.join("tmp").into());
        add("--server-id", port.to_string().into());
        add("--skip-name-resolve", "ON".into());
        add("--innodb-buffer-pool-size", self.buffer_pool.to_string().into());
        let flush = if self.durable { "1" } else { "2" };
        add("--innodb-flush-log-at-trx-commit", flush.into());
        let sync = if self.durable { "1" } else { "0" };
        if self.binlog {
            add("--log-bin", "binlog".into());
            add("--binlog-format", "ROW".into());
            add("--binlog-row-image", "FULL".into());
            add("--sync-binlog", sync.into());
        }
        if self.data_limit.is_some() {
            // A tmpfs takes no direct writes on older kernels.
            add("--innodb-flush-method", "fsync".into());
        }
        match flavor {
            Flavor::MySql => {
                add("--mysqlx", "OFF".into());
                if !self.binlog {
                    add("--disable-log-bin", "1".into());
                } else if self.gtid {
                    add("--gtid-mode", "ON".into());
                    add("--enforce-gtid-consistency", "ON".into());
                } else {
                    // ON is the default of 9.7.
                    add("--gtid-mode", "OFF".into());
                    add("--enforce-gtid-consistency", "OFF".into());
                }
            }
            Flavor::MariaDb => {}
        }
        if let Some(tls) = tls {
            add("--ssl-ca", tls.ca.clone().into());
            add("--ssl-cert", tls.server_cert.clone().into());
            add("--ssl-key", tls.server_key.clone().into());
        }
        arguments.extend(self.arguments.iter().map(OsString::from));
        arguments
    }
}

/// The arguments that tell a server where its own files and its data lie; `--no-defaults` must come first.
pub(super) fn place(flavor: Flavor, program: &Program, data: &Path) -> Vec<OsString> {
    let mut arguments = vec![OsString::from("--no-defaults")];
    let mut add = |name: &str, value: OsString| {
        let mut argument = OsString::from(name);
        argument.push("=");
        argument.push(value);
        arguments.push(argument);
    };
    add("--datadir", data.into());
    // Both refuse to run as root otherwise; for anybody else it is without effect.
    if is_root() {
        add("--user", "root".into());
    }
    if let Some(root) = &program.root {
        add("--basedir", root.join("usr").into());
        add("--plugin-dir", plugins(root).into());
        add("--lc-messages-dir", share(root).into());
        add("--character-sets-dir", share(root).join("charsets").into());
    }
    if flavor == Flavor::MySql {
        // Compiled-in folders need not exist on this machine.
        add("--secure-file-priv", "NULL".into());
    }
    arguments
}

pub(super) fn is_root() -> bool {
    static ROOT: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ROOT.get_or_init(|| crate::fetch::run(std::process::Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0"))
}
