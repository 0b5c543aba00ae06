//! One session on one server: opening, preparing, asking, loading.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use mysql::{
    Conn, LocalInfileHandler, Row, Value,
    prelude::{Protocol, Queryable},
};

use super::{
    error::{ConnectError, from_mysql},
    flavor::Flavor,
    open::connect,
};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// TCP.
    Tcp {
        /// Name or address.
        host: String,
        /// Port, 1 to 65535.
        port: u16,
    },
    /// A Unix socket.
    Socket(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// How far TLS goes, in the words of the `mysql` client's `--ssl-mode`. A socket is never encrypted, whatever is asked for: it does not
/// leave the machine.
///
/// The `mysql` crate trusts the public web authorities beside the CA that is given (seen in 28.0.4, `rustls_io.rs`). So `VerifyCa` accepts
/// any certificate of any of them, for whatever name: only `VerifyIdentity` keeps out somebody who stands between. It checks names and
/// IP addresses alike (`subjectAltName` only; the common name does not count).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsLevel {
    /// Never.
    Disabled,
    /// When the server offers it; nothing is verified.
    Preferred,
    /// Always; nothing is verified.
    Required,
    /// Always; the certificate must come from a known CA.
    VerifyCa,
    /// As before, and name this very host or address.
    VerifyIdentity,
}

/// TLS settings of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsChoice {
    /// How far.
    pub level: TlsLevel,
    /// PEM file of the CA; public CAs are known without one.
    pub ca: Option<PathBuf>,
    /// PEM files of the client's certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// All that is needed to open a session. `Debug` does not show the password.
#[derive(Clone)]
pub struct Login {
    /// Where.
    pub place: Place,
    /// Account name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// TLS.
    pub tls: TlsChoice,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({}@{})", self.user, self.place)
    }
}

/// What a session is for; decides its `sql_mode` and charset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reads the catalog; results in utf8mb4.
    Catalog,
    /// Reads rows; text columns come in their own charset's bytes.
    Read,
    /// Writes rows: strict, but any date and any AUTO_INCREMENT value a server may hold is taken.
    Write,
    /// Writes changes of the binlog, beside others that do the same: as [`Purpose::Write`], but READ COMMITTED, so that it locks only the
    /// rows it touches, and not waiting long for a lock.
    Change,
    /// Runs schema statements.
    Ddl,
    /// Holds locks and small control statements.
    Control,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Read => "read",
            Self::Write => "write",
            Self::Change => "change",
            Self::Ddl => "ddl",
            Self::Control => "control",
        }
    }

    /// Reading sessions want no mode: `ANSI_QUOTES`, `PAD_CHAR_TO_FULL_LENGTH` and the like would change what comes back. Those that read rows
    /// take impossible dates, since a column may hold 2024-02-31, and its literal as the edge of a range or in a condition of the spec must be
    /// taken for that and not refused.
    /// Writing and schema sessions are strict, so that nothing is cut or clipped, but take the zero and impossible dates that a
    /// table may hold or have as a default (traps.md, "DDL needs its own sql_mode").
    fn sql_mode(self) -> &'static str {
        match self {
            Self::Catalog => "",
            Self::Read => "ALLOW_INVALID_DATES",
            Self::Write | Self::Change | Self::Ddl | Self::Control => "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES",
        }
    }
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// Vendor and version.
    pub flavor: Flavor,
    /// `VERSION()` as it stands.
    pub version_text: String,
    /// `server_uuid`, or on MariaDB host name, port, server id and data folder joined: tells two servers apart.
    pub identity: String,
    /// The account as the server matched it, `user@host`.
    pub account: String,
    /// TLS protocol and cipher of this session; empty when in clear.
    pub tls_cipher: String,
    /// Settings of the server that decisions hang on, by name; those it lacks are absent.
    pub variables: BTreeMap<String, String>,
}

impl ServerInfo {
    /// A variable's value.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A boolean variable: `ON`, `1`, `YES`.
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.variable(name), Some("ON" | "1" | "YES" | "on"))
    }

    /// A numeric variable.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.variable(name)?.parse().ok()
    }

    /// Largest packet the server takes, in bytes.
    pub fn max_allowed_packet(&self) -> u64 {
        self.number("max_allowed_packet").unwrap_or(4 << 20)
    }

    /// The setting that makes this server refuse writes, if one does: `innodb_read_only` (readers of a cluster), `super_read_only` (even
    /// for administrators), `read_only` (unless the account is exempt).
    pub fn read_only_by(&self) -> Option<&'static str> {
        // Not only ON counts: later servers have further levels.
        let is_off = |value: &str| matches!(value, "OFF" | "0" | "NO" | "off");
        ["innodb_read_only", "super_read_only", "read_only"].into_iter().find(|name| self.variable(name).is_some_and(|v| !is_off(v)))
    }

    /// Names compare without regard to case (`lower_case_table_names` 1 or 2).
    pub fn folds_names(&self) -> bool {
        matches!(self.number("lower_case_table_names"), Some(1 | 2))
    }
}

const VARIABLES: &[&str] = &[
    "binlog_expire_logs_seconds",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_metadata",
    "binlog_row_value_options",
    "binlog_transaction_compression",
    "character_set_server",
    "collation_server",
    "datadir",
    "default_storage_engine",
    "disabled_storage_engines",
    "enforce_storage_engine",
    "event_scheduler",
    "expire_logs_days",
    "explicit_defaults_for_timestamp",
    "foreign_key_checks",
    "gtid_mode",
    "hostname",
    "innodb_default_row_format",
    "innodb_force_primary_key",
    "innodb_native_foreign_keys",
    "innodb_page_size",
    "innodb_read_only",
    "innodb_strict_mode",
    "local_infile",
    "log_bin",
    "log_bin_compress",
    "log_bin_trust_function_creators",
    "log_replica_updates",
    "log_slave_updates",
    "loose_polar_log_bin",
    "lower_case_table_names",
    "max_allowed_packet",
    "max_connections",
    "polar_log_bin",
    "port",
    "read_only",
    "server_id",
    "server_uuid",
    "show_gipk_in_create_table_and_information_schema",
    "socket",
    "sql_generate_invisible_primary_key",
    "sql_mode",
    "sql_require_primary_key",
    "super_read_only",
    "system_time_zone",
    "time_zone",
    "tmpdir",
    "version_comment",
];

/// What must not end or refuse the very questions that tell whom one talks to: a max_join_size of a few rows refused them (error 1104,
/// seen on 9.7.4), and the longest time of a statement may be a millisecond. MariaDB passes over comments of versions 50700 to 99999.
const FIRST: &str = "SET SESSION sql_big_selects=1 /*!50708 , max_execution_time=0 */ /*M! , max_statement_time=0 */";

/// What a statement without rows came back with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows the server says it touched.
    pub affected: u64,
    /// Warnings it counted.
    pub warnings: u64,
    /// Its info text, e.g. `Records: 3  Deleted: 0  Skipped: 0  Warnings: 0`.
    pub info: String,
}

/// What one statement of several came back with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Counts, for a statement without rows.
    pub outcome: Outcome,
    /// The first value of the last row as a number, for one with rows.
    pub number: Option<u64>,
}

/// A small result held in memory, all values as the server's text.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Column names.
    pub columns: Vec<String>,
    /// Values by row and column; `None` is NULL.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
}

impl Rows {
    /// Index of a column by its name, without regard to case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.eq_ignore_ascii_case(name))
    }

    /// Value as text; NULL and a missing column are `None`; invalid UTF-8 is replaced.
    pub fn text(&self, row: usize, name: &str) -> Option<String> {
        let value = self.rows.get(row)?.get(self.column(name)?)?.as_ref()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Value by position as text.
    pub fn text_at(&self, row: usize, column: usize) -> Option<String> {
        let value = self.rows.get(row)?.get(column)?.as_ref()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Value by position as a number.
    pub fn number_at(&self, row: usize, column: usize) -> Option<u64> {
        self.text_at(row, column)?.parse().ok()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// One row of a stream, values as the server sent them.
pub struct ResultRow(Row);

impl ResultRow {
    /// Bytes of a value; `None` is NULL.
    pub fn get(&self, column: usize) -> Option<&[u8]> {
        match self.0.as_ref(column) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// No columns.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}, connection {})", self.address, self.conn.connection_id())
    }
}

/// An open, prepared session. Dropping it closes it; the server rolls back what was not committed.
pub struct Session {
    conn: Conn,
    address: String,
    comment: String,
    info: ServerInfo,
    /// A result was left unread; nothing more can be asked.
    left: bool,
}

impl Session {
    /// Opens and prepares a session.
    ///
    /// # Errors
    /// [`ConnectError::Unreachable`], [`ConnectError::AccessDenied`], [`ConnectError::HostNotAllowed`], [`ConnectError::Tls`],
    /// [`ConnectError::UnsupportedServer`], or what a preparing statement failed with.
    pub fn open(login: &Login, purpose: Purpose) -> Result<Self, ConnectError> {
        Self::open_with(login, purpose, None)
    }

    /// A session that gives up on a server that says nothing for so long.
    pub(super) fn open_to_listen(login: &Login, purpose: Purpose, silence: Duration) -> Result<Self, ConnectError> {
        Self::open_with(login, purpose, Some(silence))
    }

    fn open_with(login: &Login, purpose: Purpose, silence: Option<Duration>) -> Result<Self, ConnectError> {
        let address = login.place.to_string();
        let conn = connect(login, &address, silence)?;
        let mut session = Self {
            conn,
            address,
            comment: format!("/* dtsctl {} */ ", purpose.name()),
            info: ServerInfo {
                flavor: Flavor { vendor: super::Vendor::MySql, version: (0, 0, 0) },
                version_text: String::new(),
                identity: String::new(),
                account: String::new(),
                tls_cipher: String::new(),
                variables: BTreeMap::new(),
            },
            left: false,
        };
        session.exec("preparing the session", FIRST)?;
        session.info = session.read_info()?;
        session.prepare(purpose)?;
        let (id, server) = (session.conn.connection_id(), session.flavor());
        tracing::debug!(address = session.address, id, %server, purpose = purpose.name(), tls = session.info.tls_cipher, "session opened");
        Ok(session)
    }

    /// The one place where sessions get their settings.
    fn prepare(&mut self, purpose: Purpose) -> Result<(), ConnectError> {
        let flavor = self.info.flavor;
        let mut settings = vec![
            "time_zone='+00:00'".to_owned(),
            format!("sql_mode='{}'", purpose.sql_mode()),
            "autocommit=1".to_owned(),
            // With CHAIN a COMMIT begins the next transaction: what was noted after it was lost with the session.
            "completion_type=0".to_owned(),
            "sql_quote_show_create=1".to_owned(),
            "sql_select_limit=18446744073709551615".to_owned(),
            "sql_auto_is_null=0".to_owned(),
            "sql_safe_updates=0".to_owned(),
            // A statement of the binlog that names no engine is meant for InnoDB here (`schema.engine`).
            "default_storage_engine=InnoDB".to_owned(),
            // Names of keys and columns are read out of messages, and values taken out of them.
            "lc_messages='en_US'".to_owned(),
            "group_concat_max_len=1048576".to_owned(),
            // Only so many bytes of a sort key count (default 1024); keys are up to 3072 bytes long.
            "max_sort_length=16384".to_owned(),
            // A throttled or waiting reader must not be cut off by the server (default 60 s to write, 30 s to read).
            "net_write_timeout=86400".to_owned(),
            "net_read_timeout=86400".to_owned(),
            "wait_timeout=86400".to_owned(),
            "lock_wait_timeout=50".to_owned(),
            format!("innodb_lock_wait_timeout={}", if purpose == Purpose::Change { 3 } else { 20 }),
            "foreign_key_checks=0".to_owned(),
            "unique_checks=1".to_owned(),
        ];
        if flavor.is_mariadb() {
            // A snapshot waits for whoever it is read for.
            for kind in ["idle_transaction_timeout", "idle_readonly_transaction_timeout", "idle_write_transaction_timeout"] {
                settings.push(format!("{kind}=0"));
            }
            // Rows written under 0, or by INSERT IGNORE, need not fulfil the table's constraints; they are rows of the source all the same.
            settings.push("check_constraint_checks=0".to_owned());
        }
        if flavor.has_stats_expiry() && purpose == Purpose::Catalog {
            settings.push("information_schema_stats_expiry=0".to_owned());
        }
        self.exec("preparing the session", "SET NAMES utf8mb4")?;
        self.exec("preparing the session", &format!("SET SESSION {}", settings.join(", ")))?;
        // SERIALIZABLE as the server's default would lock every row that is read in a snapshot.
        self.exec("preparing the session", "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE")?;
        if purpose == Purpose::Change {
            self.prepare_changes()?;
        }
        if purpose == Purpose::Read {
            self.exec("preparing the session", "SET character_set_results=NULL")?;
        }
        if purpose == Purpose::Write {
            // Triggers that dtsctl made ask it, and do nothing (requirements 2.5).
            self.exec("preparing the session", "SET @dtsctl_writer = 1")?;
        }
        if purpose == Purpose::Ddl && flavor.is_mysql() {
            // These need a right of their own on some versions; where it lacks, the plan has checked the global value. The last one, ON
            // since MySQL 8.4, would refuse foreign keys to keys that are not unique, which the source may have.
            for optional in
                ["sql_generate_invisible_primary_key=0", "explicit_defaults_for_timestamp=1", "restrict_fk_on_non_standard_key=0"]
            {
                let _ = self.exec("preparing the session", &format!("SET SESSION {optional}"));
            }
        } else if purpose == Purpose::Ddl {
            // The source has altered a system-versioned table, so its session had KEEP.
            for optional in ["explicit_defaults_for_timestamp=1", "system_versioning_alter_history=KEEP"] {
                let _ = self.exec("preparing the session", &format!("SET SESSION {optional}"));
            }
        }
        Ok(())
    }

    fn prepare_changes(&mut self) -> Result<(), ConnectError> {
        // A server that logs statements takes no change under READ COMMITTED (error 1665).
        let logs_statements = self.info.is_on("log_bin") && self.info.variable("binlog_format") == Some("STATEMENT");
        if !logs_statements {
            self.exec("preparing the session", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")?;
        }
        // What triggers at the destination may ask to tell our writes from others.
        self.exec("preparing the session", "SET @dtsctl_writer = 1")?;
        // Lists of keys are looked up, never scanned for: no limit on the memory for them, and no dive into the index for each key of
        // a unique one. Not every version has both.
        for optional in ["range_optimizer_max_mem_size=0", "eq_range_index_dive_limit=1"] {
            let _ = self.exec("preparing the session", &format!("SET SESSION {optional}"));
        }
        Ok(())
    }

    fn read_info(&mut self) -> Result<ServerInfo, ConnectError> {
        let list = VARIABLES.iter().map(|v| format!("'{v}'")).collect::<Vec<_>>().join(",");
        let rows = self.query("reading variables", &format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({list})"))?;
        let mut variables: BTreeMap<String, String> = (0..rows.len())
            .filter_map(|r| Some((rows.text_at(r, 0)?.to_ascii_lowercase(), rows.text_at(r, 1).unwrap_or_default())))
            .collect();
        let me = self.query("reading the version", "SELECT VERSION(), CURRENT_USER()")?;
        let version_text = me.text_at(0, 0).unwrap_or_default();
        let comment = variables.get("version_comment").cloned().unwrap_or_default();
        let unsupported = || ConnectError::UnsupportedServer { address: self.address.clone(), version: version_text.clone() };
        let flavor = Flavor::parse(&version_text, &comment).filter(|f| f.is_supported()).ok_or_else(unsupported)?;
        let cipher = self.query("reading the TLS state", "SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_cipher','Ssl_version')")?;
        let cipher: Vec<String> = (0..cipher.len()).rev().filter_map(|r| cipher.text_at(r, 1)).filter(|s| !s.is_empty()).collect();
        let part = |name: &str| variables.get(name).map_or("", String::as_str);
        let identity = match variables.get("server_uuid") {
            Some(uuid) if !uuid.is_empty() => uuid.clone(),
            _ => format!("{}:{}:{}:{}", part("hostname"), part("port"), part("server_id"), part("datadir")),
        };
        variables.remove("version_comment");
        Ok(ServerInfo {
            flavor,
            identity,
            account: me.text_at(0, 1).unwrap_or_default(),
            tls_cipher: cipher.join(" "),
            variables,
            version_text,
        })
    }

    /// The bare connection with all its settings.
    pub(super) fn into_conn(self) -> Conn {
        self.conn
    }

    /// What the server says of itself, read when the session was opened.
    pub fn info(&self) -> &ServerInfo {
        &self.info
    }

    /// Vendor and version.
    pub fn flavor(&self) -> Flavor {
        self.info.flavor
    }

    /// `host:port` or the socket's path.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The server's number for this connection, for `KILL`.
    pub fn connection_id(&self) -> u32 {
        self.conn.connection_id()
    }

    fn fail(&self, error: mysql::Error, doing: &str) -> ConnectError {
        from_mysql(error, &self.address, &doing)
    }

    /// Runs a statement and keeps its rows. For small results.
    ///
    /// # Errors
    /// As the server or the connection fails; `doing` names it.
    pub fn query(&mut self, doing: &str, sql: &str) -> Result<Rows, ConnectError> {
        let mut sets = self.query_sets(doing, sql)?;
        Ok(if sets.is_empty() { Rows::default() } else { sets.swap_remove(0) })
    }

    /// Runs several statements joined by `;` in one round trip and keeps the rows of each that has any.
    ///
    /// # Errors
    /// The first that fails; those before it have run.
    pub fn query_sets(&mut self, doing: &str, sql: &str) -> Result<Vec<Rows>, ConnectError> {
        let text = format!("{}{sql}", self.comment);
        let address = self.address.clone();
        let fail = |e| from_mysql(e, &address, &doing);
        self.in_order(doing)?;
        let mut result = self.conn.query_iter(text).map_err(fail)?;
        let mut sets = Vec::new();
        while let Some(set) = result.iter() {
            let columns: Vec<String> = set.columns().as_ref().iter().map(|c| c.name_str().into_owned()).collect();
            let mut rows = Vec::new();
            for row in set {
                let row = row.map_err(fail)?;
                rows.push(
                    row.unwrap()
                        .into_iter()
                        .map(|value| match value {
                            Value::Bytes(bytes) => Some(bytes),
                            _ => None,
                        })
                        .collect(),
                );
            }
            if !columns.is_empty() {
                sets.push(Rows { columns, rows });
            }
        }
        Ok(sets)
    }

    /// Runs a statement that returns no rows.
    ///
    /// # Errors
    /// As the server or the connection fails.
    pub fn exec(&mut self, doing: &str, sql: &str) -> Result<Outcome, ConnectError> {
        let text = format!("{}{sql}", self.comment);
        let address = self.address.clone();
        self.in_order(doing)?;
        let result = self.conn.query_iter(text).map_err(|e| from_mysql(e, &address, &doing))?;
        let outcome = outcome(&result);
        drop(result);
        Ok(outcome)
    }

    /// Runs several statements joined by `;` in one round trip. `sql` must begin with [`Session::comment`]. Gives an answer for each statement
    /// that ran, in order, and the error of the first that failed: the server runs none after it.
    pub fn exec_many(&mut self, doing: &str, sql: &str) -> (Vec<Answer>, Result<(), ConnectError>) {
        let mut answers = Vec::new();
        let address = self.address.clone();
        if let Err(error) = self.in_order(doing) {
            return (answers, Err(error));
        }
        let mut result = match self.conn.query_iter(sql) {
            Ok(result) => result,
            Err(error) => return (answers, Err(from_mysql(error, &address, &doing))),
        };
        while let Some(mut set) = result.iter() {
            let outcome = Outcome { affected: set.affected_rows(), warnings: u64::from(set.warnings()), info: set.info_str().into_owned() };
            let mut number = None;
            for row in &mut set {
                match row {
                    Ok(row) => number = row.get_opt(0).and_then(Result::ok),
                    Err(error) => return (answers, Err(from_mysql(error, &address, &doing))),
                }
            }
            answers.push(Answer { outcome, number });
        }
        (answers, Ok(()))
    }

    /// What stands before every statement of this session, naming the tool and the purpose.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Runs a query and hands its rows over one by one, without holding them. When `each` returns `false` the rest is left unread: the
    /// session can then do nothing more and is to be dropped, which ends the query at the server.
    ///
    /// # Errors
    /// As the server or the connection fails, also in the middle of the rows.
    pub fn stream(&mut self, doing: &str, sql: &str, mut each: impl FnMut(&ResultRow) -> bool) -> Result<u64, ConnectError> {
        let text = format!("{}{sql}", self.comment);
        let address = self.address.clone();
        self.in_order(doing)?;
        let mut result = self.conn.query_iter(text).map_err(|e| from_mysql(e, &address, &doing))?;
        let mut rows = 0;
        while let Some(row) = result.next() {
            let row = ResultRow(row.map_err(|e| from_mysql(e, &address, &doing))?);
            rows += 1;
            if !each(&row) {
                // Dropped, it would read all the rest, which may be a whole table.
                std::mem::forget(result);
                self.left = true;
                break;
            }
        }
        Ok(rows)
    }

    /// The session is not in the middle of a result.
    fn in_order(&self, doing: &str) -> Result<(), ConnectError> {
        if self.left {
            return Err(ConnectError::Unexpected {
                doing: doing.to_owned(),
                reason: "the session was left in the middle of a result".to_owned(),
            });
        }
        Ok(())
    }

    /// Runs `LOAD DATA LOCAL INFILE` with what `feed` writes as the file. When `feed` fails, the server never sees the file's end:
    /// the connection is then dead and must be dropped, and the server rolls back.
    ///
    /// # Errors
    /// As the server or the connection fails; [`ConnectError::Lost`] when `feed` failed.
    pub fn load_local(
        &mut self,
        doing: &str,
        sql: &str,
        feed: impl FnMut(&mut dyn io::Write) -> io::Result<()> + Send + 'static,
    ) -> Result<Outcome, ConnectError> {
        let mut feed = feed;
        self.conn.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, out| feed(out))));
        let outcome = self.exec(doing, sql);
        self.conn.set_local_infile_handler(None);
        outcome
    }

    /// Codes and messages of the last statement's warnings, values taken out, at most `most`.
    ///
    /// # Errors
    /// As the server or the connection fails.
    pub fn warnings(&mut self, most: usize) -> Result<Vec<(u16, String)>, ConnectError> {
        // No comment before it: it must be the very next statement, and a statement of its own would reset the list.
        let rows: Vec<(String, u16, String)> =
            self.conn.query(format!("SHOW WARNINGS LIMIT {most}")).map_err(|e| self.fail(e, "reading warnings"))?;
        Ok(rows.into_iter().map(|(_, code, message)| (code, super::without_values(code, &message))).collect())
    }

    /// Time of one empty round trip.
    ///
    /// # Errors
    /// As the connection fails.
    pub fn ping(&mut self) -> Result<Duration, ConnectError> {
        let start = Instant::now();
        self.conn.ping().map_err(|e| self.fail(e, "pinging"))?;
        Ok(start.elapsed())
    }
}

fn outcome<T: Protocol>(result: &mysql::QueryResult<'_, '_, '_, T>) -> Outcome {
    Outcome { affected: result.affected_rows(), warnings: u64::from(result.warnings()), info: result.info_str().into_owned() }
}
