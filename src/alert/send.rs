//! Runs the command once: the document into its standard input, a time limit, and what went wrong in words.

use std::{
    io::{Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{self, Child, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::spec::units::format_duration;

/// How often it is looked whether the command has ended.
const LOOK: Duration = Duration::from_millis(20);

/// So long the words of a command that has ended are waited for: a process it left behind may still hold the stream.
const WORDS: Duration = Duration::from_millis(500);

/// So many bytes of what it says on standard error are kept.
const KEPT: usize = 300;

/// What is run.
pub(super) struct Command {
    /// An absolute path.
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// Where it runs; empty is the working folder.
    pub(super) folder: PathBuf,
    pub(super) limit: Duration,
    /// Environment variables that it does not get: those that hold passwords.
    pub(super) without: Vec<String>,
}

/// Why an alert was not delivered.
#[derive(Debug, Error)]
pub(super) enum SendError {
    #[error("the command cannot be run: {0}")]
    Start(#[source] std::io::Error),
    #[error("the command's end cannot be waited for: {0}")]
    Wait(#[source] std::io::Error),
    #[error("the command was killed after {limit}")]
    Late { limit: String },
    #[error("the command ended with {status}{words}")]
    Status { status: ExitStatus, words: String },
}

impl Command {
    /// Runs it to its end, or to the end of its time.
    pub(super) fn run(&self, document: &str) -> Result<(), SendError> {
        let mut command = process::Command::new(&self.program);
        // A group of its own: a signal from the terminal is for dtsctl, and what the command has started ends with it when it is killed.
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        if !self.folder.as_os_str().is_empty() {
            command.current_dir(&self.folder);
        }
        for name in &self.without {
            command.env_remove(name);
        }
        let mut child = command.spawn().map_err(SendError::Start)?;
        if let Some(mut input) = child.stdin.take() {
            let document = document.to_owned();
            // It need not read at all, and then this write may last until it ends.
            std::thread::spawn(move || input.write_all(document.as_bytes()));
        }
        let words = listen(&mut child);
        let status = self.wait(&mut child)?;
        if status.success() {
            return Ok(());
        }
        let words = words.recv_timeout(WORDS).unwrap_or_default();
        let words = if words.is_empty() { words } else { format!(" and said: {words}") };
        Err(SendError::Status { status, words })
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, SendError> {
        let begin = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if begin.elapsed() < self.limit => std::thread::sleep(LOOK),
                Ok(None) => {
                    end(child);
                    return Err(SendError::Late { limit: format_duration(self.limit) });
                }
                Err(error) => {
                    end(child);
                    return Err(SendError::Wait(error));
                }
            }
        }
    }
}

/// Kills the command and whatever it has started. The standard library only kills the one process, so the shell's own `kill` is asked first
/// (POSIX; a program of that name is not everywhere), while the process is not reaped and its number cannot be another's.
fn end(child: &mut Child) {
    let mut kill = process::Command::new("sh");
    kill.args(["-c", "kill -s KILL -- \"-$1\"", "sh", &child.id().to_string()]);
    kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = kill.status();
    let _ = child.kill();
    let _ = child.wait();
}

/// The last line of what it says, when it has said all; the rest is read and dropped, so that it never waits for a reader.
fn listen(child: &mut Child) -> mpsc::Receiver<String> {
    let (to, words) = mpsc::channel();
    if let Some(mut stream) = child.stderr.take() {
        std::thread::spawn(move || {
            let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(n @ 1..) = stream.read(&mut buffer) {
                kept.extend_from_slice(&buffer[..n]);
                // Twice as much, so that a last line is cut at its front and not in its middle.
                kept.drain(..kept.len().saturating_sub(2 * KEPT));
            }
            let said = String::from_utf8_lossy(&kept).into_owned();
            let last = said.trim_end().lines().last().unwrap_or_default();
            let clean: String = last.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KEPT).collect();
            let _ = to.send(clean.trim().to_owned());
        });
    }
    words
}
