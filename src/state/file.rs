//! Opening a task's state file: whose it is, what it has been run with, and the beginning of a run.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::{
    error::StateError,
    schema::{LADDER, beside, open_for_writing},
    writer::StateWriter,
};
use crate::{clock::Clock, event::StopToken};

/// One end of a task as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerIdentity {
    /// What tells this server from others; see `connect::ServerInfo::identity`.
    pub identity: String,
    /// `host:port` or the socket's path; may change for the same server.
    pub address: String,
    /// Flavour and version, e.g. `mysql 8.0.36`; may change for the same server.
    pub version: String,
}

/// What makes a task this task: its name and its two servers. The spec may change between runs and is kept as history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskIdentity {
    /// The spec's name.
    pub name: String,
    /// Digest of the resolved spec.
    pub spec_digest: String,
    /// The resolved spec without secrets.
    pub spec_document: String,
    /// Source.
    pub source: ServerIdentity,
    /// Destination.
    pub destination: ServerIdentity,
}

impl TaskIdentity {
    /// Id of the task: 16 hex digits made of its name and its two servers. The same after the state file was lost, so the `dts`
    /// tables at the destination can be recognised as this task's.
    pub fn task_id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.name, &self.source.identity, &self.destination.identity] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
    }
}

/// What was found on opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// There was no state file.
    New,
    /// The task has been here before.
    Resumed {
        /// The spec is not the one of the last run.
        spec_changed: bool,
    },
}

/// What a run says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStart {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// Version of dtsctl.
    pub version: String,
}

/// An open state file of one task. Holding the lock ([`super::lock`]) is the caller's duty.
#[derive(Debug)]
pub struct StateFile {
    conn: Connection,
    path: PathBuf,
    clock: Clock,
    task_id: String,
    spec_digest: String,
}

impl StateFile {
    /// Opens the state file of a task, or makes it with its folder.
    ///
    /// # Errors
    /// [`StateError::OtherTask`] and [`StateError::OtherServer`] when it belongs to another task, [`StateError::Newer`],
    /// [`StateError::Damaged`], [`StateError::NotAStateFile`], or what the file system refused.
    pub fn open_or_create(path: &Path, task: &TaskIdentity, clock: &Clock) -> Result<(Self, Opened), StateError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| StateError::Io {
                doing: "cannot create the folder of",
                path: path.to_owned(),
                source,
            })?;
        }
        let (mut conn, _) = open_for_writing(path, LADDER)?;
        let fail = |e| StateError::sqlite("cannot write the state file", path, e);
        let now = clock.now_ms();
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(fail)?;
        let known = known_task(&tx).map_err(fail)?;
        let opened = match known {
            None => {
                let (s, d) = (&task.source, &task.destination);
                tx.execute(
                    "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    params![task.task_id(), task.name, now, s.identity, s.address, s.version, d.identity, d.address, d.version],
                )
                .map_err(fail)?;
                Opened::New
            }
            Some(known) => {
                known.check(path, task)?;
                tx.execute(
                    "UPDATE task SET source_address = ?, source_version = ?, destination_address = ?, destination_version = ?",
                    params![task.source.address, task.source.version, task.destination.address, task.destination.version],
                )
                .map_err(fail)?;
                let last: Option<String> = tx
                    .query_row("SELECT digest FROM spec ORDER BY last_used DESC LIMIT 1", [], |row| row.get(0))
                    .optional()
                    .map_err(fail)?;
                Opened::Resumed { spec_changed: last.is_some_and(|last| last != task.spec_digest) }
            }
        };
        tx.execute(
            "INSERT INTO spec VALUES (?1, ?2, ?2, ?3) ON CONFLICT (digest) DO UPDATE SET last_used = ?2",
            params![task.spec_digest, now, task.spec_document],
        )
        .map_err(fail)?;
        tx.commit().map_err(fail)?;
        let file =
            Self { conn, path: path.to_owned(), clock: clock.clone(), task_id: task.task_id(), spec_digest: task.spec_digest.clone() };
        Ok((file, opened))
    }

    /// Id of the task, see [`TaskIdentity::task_id`].
    pub fn task_id(&self) -> &str {
        &self.task_id
    }

    /// Writes the run's row, forgets what was asked of earlier runs, and starts the writer. `stop` is pulled when the file cannot be
    /// written any more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin_run(self, run: &RunStart, stop: &StopToken) -> Result<StateWriter, StateError> {
        let fail = |e| StateError::sqlite("cannot write the state file", &self.path, e);
        self.conn.execute("DELETE FROM control", []).map_err(fail)?;
        self.conn
            .execute(
                "INSERT INTO run (started, pid, host, version, spec_digest) VALUES (?, ?, ?, ?, ?)",
                params![self.clock.now_ms(), run.pid, run.host, run.version, self.spec_digest],
            )
            .map_err(fail)?;
        let id = self.conn.last_insert_rowid();
        StateWriter::start(self.conn, self.path, id, self.clock, stop.clone())
    }
}

struct KnownTask {
    name: String,
    source: ServerIdentity,
    destination: ServerIdentity,
}

fn known_task(conn: &Connection) -> rusqlite::Result<Option<KnownTask>> {
    conn.query_row(
        "SELECT name, source_identity, source_address, source_version, destination_identity, destination_address, destination_version
         FROM task",
        [],
        |row| {
            let server = |at| -> rusqlite::Result<ServerIdentity> {
                Ok(ServerIdentity { identity: row.get(at)?, address: row.get(at + 1)?, version: row.get(at + 2)? })
            };
            Ok(KnownTask { name: row.get(0)?, source: server(1)?, destination: server(4)? })
        },
    )
    .optional()
}

impl KnownTask {
    fn check(&self, path: &Path, task: &TaskIdentity) -> Result<(), StateError> {
        if self.name != task.name {
            return Err(StateError::OtherTask { path: path.to_owned(), found: self.name.clone(), expected: task.name.clone() });
        }
        for (end, found, expected) in [("source", &self.source, &task.source), ("destination", &self.destination, &task.destination)] {
            if found.identity != expected.identity {
                let name = |server: &ServerIdentity| format!("{} ({}, {})", server.address, server.version, server.identity);
                return Err(StateError::OtherServer { path: path.to_owned(), end, found: name(found), expected: name(expected) });
            }
        }
        Ok(())
    }
}

/// Removes a state file and what SQLite keeps beside it, for `apply --restart`. The caller holds the lock.
///
/// # Errors
/// [`StateError::Io`] when one of the files is there and cannot be removed.
pub fn discard(path: &Path) -> Result<(), StateError> {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match std::fs::remove_file(&file) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(StateError::Io { doing: "cannot remove", path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}
