//! The supervisor script, the folder it keeps, and the orders it takes.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, anyhow, bail};

use crate::fetch::{Program, cache_dir};

const SCRIPT: &str = include_str!("supervisor.sh");

/// A supervisor and the server it keeps, if that is running.
#[derive(Debug)]
pub(super) struct Process {
    folder: PathBuf,
    supervisor: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pid: Option<u32>,
}

impl Process {
    /// Makes a folder with a copy of the template and a supervisor that waits for orders.
    pub(super) fn prepare(template: &Path, data_limit: Option<u64>) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let run = cache_dir().join("run");
        fs::create_dir_all(&run).with_context(|| format!("creating {}", run.display()))?;
        sweep(&run);
        let folder = run.join(format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        for part in ["data", "tmp"] {
            fs::create_dir_all(folder.join(part)).with_context(|| format!("creating {}", folder.display()))?;
        }

        let mut command = match data_limit {
            None => Command::new("sh"),
            Some(_) => {
                // A mount namespace of its own: the tmpfs goes with the last process in it.
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-root-user", "--mount", "sh"]);
                if super::options::is_root() {
                    command = Command::new("unshare");
                    command.args(["--mount", "sh"]);
                }
                command
            }
        };
        command.args(["-c", SCRIPT, "sh"]).arg(&folder);
        if let Some(bytes) = data_limit {
            command.arg(template).arg(bytes.to_string());
        }
        let mut supervisor = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C on a terminal goes to our whole process group: the supervisor must outlive it to clean up.
            .process_group(0)
            .spawn()
            .context("starting the supervisor of a server")?;
        let orders = supervisor.stdin.take();
        let answers = BufReader::new(supervisor.stdout.take().ok_or_else(|| anyhow!("the supervisor has no output"))?);
        let mut process = Self { folder, supervisor, orders, answers, pid: None };
        let ready = process.answer()?;
        if ready != "ready" {
            bail!("{}", if ready.is_empty() { "cannot mount a tmpfs" } else { &ready });
        }
        if data_limit.is_none() {
            super::template::copy(template, &process.folder.join("data"))?;
        }
        Ok(process)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Writes the start script and has it run.
    pub(super) fn launch(&mut self, program: &Program, arguments: &[OsString], environment: &[(String, String)]) -> Result<()> {
        let mut script = Vec::new();
        for (name, value) in environment {
            script.extend_from_slice(format!("export {name}=").as_bytes());
            quote(&mut script, value.as_bytes());
            script.push(b'\n');
        }
        script.extend_from_slice(b"exec");
        for word in program.words().iter().chain(arguments) {
            script.push(b' ');
            quote(&mut script, word.as_bytes());
        }
        script.push(b'\n');
        let path = self.folder.join("start.sh");
        fs::write(&path, script).with_context(|| format!("writing {}", path.display()))?;
        let pid = self.ask("start")?;
        self.pid = Some(pid.parse().with_context(|| format!("the supervisor answered {pid:?}"))?);
        Ok(())
    }

    /// Gives an order that is answered by `done`; `kill` and `term` end the server and wait for its end.
    pub(super) fn order(&mut self, order: &str) -> Result<()> {
        let answer = self.ask(order)?;
        if answer != "done" {
            bail!("the supervisor could not {order}");
        }
        if order == "kill" || order == "term" {
            self.pid = None;
        }
        Ok(())
    }

    fn ask(&mut self, order: &str) -> Result<String> {
        let orders = self.orders.as_mut().ok_or_else(|| anyhow!("the supervisor is gone"))?;
        writeln!(orders, "{order}").with_context(|| format!("telling the supervisor to {order}"))?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).context("reading the supervisor's answer")?;
        Ok(line.trim().to_owned())
    }

    /// Whether the server's process is there and not merely waiting to be buried.
    pub(super) fn is_alive(&self) -> bool {
        let Some(pid) = self.pid else { return false };
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.supervisor.wait();
    }
}

fn quote(into: &mut Vec<u8>, word: &[u8]) {
    into.push(b'\'');
    for byte in word {
        match byte {
            b'\'' => into.extend_from_slice(b"'\\''"),
            other => into.push(*other),
        }
    }
    into.push(b'\'');
}

/// Removes folders whose owner is gone: a supervisor normally does it, unless the whole machine or container went down.
fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let folder = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.split('-').next().unwrap_or_default();
        let server = fs::read_to_string(folder.join("server.pid")).unwrap_or_default();
        let alive = |pid: &str| !pid.trim().is_empty() && Path::new("/proc").join(pid.trim()).exists();
        if !alive(owner) && !alive(&server) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// The socket's path, which must be shorter than 108 bytes on Linux: outside the folder when that is too deep.
pub(super) fn socket_path(folder: &Path) -> PathBuf {
    let path = folder.join("sock");
    if path.as_os_str().len() < 100 {
        return path;
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    std::env::temp_dir().join(format!("dtsctl-testbed-{name}.sock"))
}

/// A loopback port nobody listens on, below the range the kernel hands out for outgoing connections, so that a restart finds it free.
pub(super) fn free_port() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const LOW: u32 = 17_000;
    const SPAN: u32 = 15_000;
    for _ in 0..SPAN {
        // Processes begin far apart; within one, ports go up.
        let offset = std::process::id().wrapping_mul(7919).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % SPAN;
        let port = u16::try_from(LOW + offset).unwrap_or(u16::MAX);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free loopback port between {LOW} and {}", LOW + SPAN)
}
