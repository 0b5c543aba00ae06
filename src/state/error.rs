//! What can go wrong with a state file.

use std::{io, path::PathBuf};

use super::lock::Holder;

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system refused.
    #[error("{doing} '{path}'")]
    Io {
        /// What was tried, e.g. `cannot create`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// SQLite refused: no space, no right, locked for too long.
    #[error("{doing} '{path}'")]
    Sqlite {
        /// What was tried, e.g. `cannot write the state file`.
        doing: &'static str,
        /// The state file.
        path: PathBuf,
        /// SQLite's words.
        source: rusqlite::Error,
    },
    /// There is none, where one is needed.
    #[error("there is no state file '{path}'")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Not SQLite, or SQLite of another program.
    #[error("'{path}' is not a state file of dtsctl")]
    NotAStateFile {
        /// The file.
        path: PathBuf,
    },
    /// A state file with broken pages or missing tables.
    #[error("the state file '{path}' is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is broken.
        reason: String,
    },
    /// Written by a later dtsctl.
    #[error("the state file '{path}' has version {found}, and this dtsctl knows versions up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Version of the file.
        found: i64,
        /// Latest version known here.
        known: i64,
    },
    /// It belongs to another spec.
    #[error("the state file '{path}' belongs to the task '{found}', not to '{expected}'")]
    OtherTask {
        /// The file.
        path: PathBuf,
        /// Name in the file.
        found: String,
        /// Name in the spec.
        expected: String,
    },
    /// It belongs to the same task between other servers.
    #[error("the state file '{path}' is for the {end} server {found}, and the spec's {end} is now another server, {expected}")]
    OtherServer {
        /// The file.
        path: PathBuf,
        /// `source` or `destination`.
        end: &'static str,
        /// Address and version of the server in the file.
        found: String,
        /// Address and version of the server now.
        expected: String,
    },
    /// Somebody removed or replaced the file while a run was writing it.
    #[error("the state file '{path}' was removed or replaced while this run was using it")]
    Vanished {
        /// The file.
        path: PathBuf,
    },
    /// Another run holds the lock.
    #[error("another run holds the lock of '{path}': {holder}")]
    Locked {
        /// The state file.
        path: PathBuf,
        /// Who.
        holder: Box<Holder>,
    },
    /// No run holds the lock, so there is nobody to ask.
    #[error("no apply is running on '{path}'")]
    NotRunning {
        /// The state file.
        path: PathBuf,
    },
    /// The writer gave up earlier, for the reason named.
    #[error("the state file '{path}' could not be written: {reason}")]
    WriterFailed {
        /// The state file.
        path: PathBuf,
        /// The first failure.
        reason: String,
    },
}

impl StateError {
    /// Sorts SQLite's errors: what says that the file is broken or foreign gets a name of its own.
    pub(super) fn sqlite(doing: &'static str, path: &std::path::Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if let rusqlite::Error::SqlInputError { msg, .. } | rusqlite::Error::SqliteFailure(_, Some(msg)) = &source
            && msg.starts_with("no such ")
        {
            return Self::Damaged { path, reason: msg.clone() };
        }
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::NotAStateFile { path },
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => Self::Damaged { path, reason: source.to_string() },
            _ => Self::Sqlite { doing, path, source },
        }
    }
}
