//! Running the real binary as a person or a pipeline would: a folder with a spec, commands with deadlines, exit codes, signals.
//!
//! Nothing here sleeps for a fixed time: [`until`] waits for a condition, and every wait has a deadline far beyond what a busy
//! machine needs, so that a hang fails with what the program said.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use testbed::{Server, proxy::Proxy};

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// One end of a spec.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl From<&Server> for End {
    fn from(server: &Server) -> Self {
        Self { host: server.host().to_owned(), port: server.port(), user: server.user().to_owned(), password: server.password().to_owned() }
    }
}

impl End {
    /// The same server through a proxy.
    pub(crate) fn via(server: &Server, proxy: &Proxy) -> Self {
        Self { host: "127.0.0.1".to_owned(), port: proxy.port(), ..Self::from(server) }
    }
}

/// A folder with the spec `dtsctl.yaml` of one task.
pub(crate) struct Task {
    folder: tempfile::TempDir,
    ends: (End, End),
    name: String,
}

impl Task {
    /// Writes a spec: both ends, and whatever else it shall hold as YAML (`objects:` and so on).
    pub(crate) fn new(name: &str, source: impl Into<End>, destination: impl Into<End>, rest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let task = Self { folder, ends: (source.into(), destination.into()), name: name.to_owned() };
        task.write(rest);
        task
    }

    /// Writes the spec anew with other contents.
    pub(crate) fn write(&self, rest: &str) {
        let mut text = format!("version: 1\nname: {}\n", self.name);
        for (key, end) in [("source", &self.ends.0), ("destination", &self.ends.1)] {
            text.push_str(&format!(
                "{key}: {{host: {}, port: {}, user: {}, password: {{env: {}}}}}\n",
                end.host,
                end.port,
                end.user,
                variable(key)
            ));
        }
        // The binlog is not followed yet.
        if !rest.contains("phases:") {
            text.push_str("phases: {schema: true, full: true, incremental: false}\n");
        }
        text.push_str(rest);
        std::fs::write(self.path("dtsctl.yaml"), text).expect("the spec is written");
    }

    /// A path in the task's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The state file.
    pub(crate) fn state(&self) -> PathBuf {
        self.path(&format!(".dtsctl/{}.db", self.name))
    }

    /// `dtsctl` in the task's folder, with both passwords in its environment and nothing of ours that would change what it does.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dtsctl"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DTSCTL_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(&self.folder)
            .args(arguments)
            .env(variable("source"), &self.ends.0.password)
            .env(variable("destination"), &self.ends.1.password)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments, &[]).end()
    }

    /// Starts a command and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        self.start_with(arguments, environment, Stdio::null())
    }

    /// The same with a standard input that ends when [`Running::end_of_input`] is called.
    pub(crate) fn start_with_input(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        self.start_with(arguments, environment, Stdio::piped())
    }

    fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)], input: Stdio) -> Running {
        let mut child = self
            .command(arguments)
            .envs(environment.iter().copied())
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dtsctl runs");
        let (stdout, stderr) = (Said::collect(child.stdout.take()), Said::collect(child.stderr.take()));
        Running { child, what: arguments.join(" "), stdout, stderr }
    }

    /// The JSON document of a command that must end with exit 0.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let outcome = self.run(&[arguments, &["--format", "json"]].concat());
        outcome.expect(0);
        serde_json::from_str(&outcome.stdout).expect("JSON")
    }
}

fn variable(end: &str) -> String {
    format!("TEST_{}_PASSWORD", end.to_uppercase())
}

/// What a command came to.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    what: String,
}

impl Outcome {
    /// Fails unless it ended with this code; hands itself back.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "`dtsctl {}` said:\n{}\n{}", self.what, self.stdout, self.stderr);
        self
    }

    /// Fails unless standard error holds this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} in what `dtsctl {}` said:\n{}", self.what, self.stderr);
        self
    }

    /// `exit N`, then both streams, for a snapshot.
    pub(crate) fn shown(&self) -> String {
        let code = self.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        format!("exit {code}\n---stdout---\n{}---stderr---\n{}", self.stdout, self.stderr)
    }
}

/// What a stream has said so far, collected by a thread so that no pipe fills up.
#[derive(Clone)]
struct Said {
    text: Arc<Mutex<String>>,
    ended: Arc<Mutex<bool>>,
}

impl Said {
    fn collect(stream: Option<impl Read + Send + 'static>) -> Self {
        let said = Self { text: Arc::default(), ended: Arc::default() };
        let (mut reader, mine) = (BufReader::new(stream.expect("a pipe")), said.clone());
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                mine.text.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
            *mine.ended.lock().unwrap() = true;
        });
        said
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    fn whole(&self) -> String {
        until("the end of a stream", || *self.ended.lock().unwrap());
        self.so_far()
    }
}

/// A command that runs; killed when dropped.
pub(crate) struct Running {
    child: Child,
    what: String,
    stdout: Said,
    stderr: Said,
}

impl Running {
    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends its standard input.
    pub(crate) fn end_of_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_some()
    }

    /// Standard error so far.
    pub(crate) fn said(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits until standard error holds this. `false` when the command has ended without it.
    #[must_use]
    pub(crate) fn says(&mut self, text: &str) -> bool {
        let mut ended = false;
        until(&format!("`dtsctl {}` to say {text:?}", self.what), || {
            ended = self.has_ended();
            ended || self.said().contains(text)
        });
        let said = if ended { self.stderr.whole() } else { self.said() };
        said.contains(text)
    }

    /// Waits until it follows the binlog: from then on it heeds signals, and what is committed now comes by the binlog.
    #[track_caller]
    pub(crate) fn follows(&mut self) {
        assert!(self.says("incremental: from "), "`dtsctl {}` ended:\n{}", self.what, self.stderr.whole());
    }

    /// Sends a signal, e.g. `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let status =
            Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &self.pid().to_string()]).status().expect("a shell");
        assert!(status.success(), "no SIG{name} for `dtsctl {}`", self.what);
    }

    /// Sends a signal again and again, as somebody impatient would, until it has ended.
    pub(crate) fn signal_until_ended(&mut self, name: &str) {
        until(&format!("the end of `dtsctl {}`", self.what), || {
            if self.has_ended() {
                return true;
            }
            self.signal(name);
            false
        });
    }

    /// Ends it with SIGKILL, as a crash would; hands back what it had said.
    pub(crate) fn kill9(mut self) -> Outcome {
        let _ = self.child.kill();
        self.end()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Outcome {
        let begin = Instant::now();
        while !self.has_ended() {
            if begin.elapsed() > PATIENCE {
                panic!("`dtsctl {}` did not end; it said:\n{}\n{}", self.what, self.stdout.so_far(), self.said());
            }
            std::thread::sleep(LOOK);
        }
        let code = self.child.wait().expect("a child of ours").code();
        Outcome { code, stdout: self.stdout.whole(), stderr: self.stderr.whole(), what: std::mem::take(&mut self.what) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line that is seen when the test fails, or with `--nocapture`.
#[expect(clippy::print_stderr, reason = "the test runner collects it")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// Waits for a condition.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(LOOK);
    }
}

/// Pseudo-random numbers from a seed that is printed, or taken from `DTSCTL_TEST_SEED`.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(test: &str) -> Self {
        let seed = std::env::var("DTSCTL_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
            u64::from(now.subsec_nanos()) ^ now.as_secs()
        });
        say(&format!("{test}: DTSCTL_TEST_SEED={seed}"));
        // One seed for a whole run is another stream in each test (FNV-1a of its name).
        let name = test.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(seed ^ name)
    }

    /// splitmix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one less than `below`.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.next() % below.max(1)
    }
}

/// An account that may do what `grants` say, made anew; its password is `pw-` and its name.
pub(crate) fn account(server: &Server, name: &str, grants: &[&str]) {
    server.exec(&format!("DROP USER IF EXISTS '{name}'@'%'")).expect("drop user");
    server.exec(&format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'pw-{name}'")).expect("create user");
    for grant in grants {
        server.exec(&format!("GRANT {grant} TO '{name}'@'%'")).expect("grant");
    }
}

/// Rows of a query as text, in order; values apart by `|`.
pub(crate) fn rows(conn: &mut mysql::Conn, sql: &str) -> Vec<String> {
    let rows: Vec<mysql::Row> = mysql::prelude::Queryable::query(conn, sql).expect(sql);
    let text = |value: mysql::Value| match value {
        mysql::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => format!("{other:?}"),
    };
    rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect::<Vec<_>>().join("|")).collect()
}
