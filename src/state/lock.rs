//! One run for each state file: a lock of the operating system on `<state>.lock`, which dies with the process however it ends.
//!
//! The file also says who holds it. What it says counts only while the lock is held.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{error::StateError, schema::beside};

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Holder {
    /// Process id on its host; 0 when unknown.
    pub pid: u32,
    /// Host name; empty when unknown.
    pub host: String,
    /// When it took the lock, RFC 3339 in UTC; empty when unknown.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("a process that has not said its name yet");
        }
        write!(f, "process {} on {} since {}", self.pid, self.host, self.since)
    }
}

/// Holds the lock until dropped.
#[derive(Debug)]
pub struct LockGuard {
    file: File,
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        // An empty file says that nobody was killed holding it. The file itself stays: removing it would let two runs lock two files.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn lock_path(state: &Path) -> PathBuf {
    beside(state, ".lock")
}

/// Takes the lock of a state file for `me`, or says who holds it.
///
/// # Errors
/// [`StateError::Locked`] when another process holds it, [`StateError::Io`] when the lock file cannot be made.
pub fn lock(state: &Path, me: &Holder) -> Result<LockGuard, StateError> {
    let path = lock_path(state);
    let fail = |doing| {
        let path = path.clone();
        move |source| StateError::Io { doing, path, source }
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail("cannot create the folder of"))?;
    }
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail("cannot open"))?;
    // `status` holds the lock shared for a moment to learn whether somebody runs; that is no reason to refuse.
    let pause = mpsc::channel::<()>();
    for attempt in 0.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < 10 => drop(pause.1.recv_timeout(Duration::from_millis(20))),
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Locked { path: state.to_owned(), holder: Box::new(said_by(&mut file)) });
            }
            Err(TryLockError::Error(source)) => return Err(fail("cannot lock")(source)),
        }
    }
    let text = serde_json::to_string(me).unwrap_or_default();
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes())).map_err(fail("cannot write"))?;
    Ok(LockGuard { file })
}

fn said_by(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let said = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    said.unwrap_or(Holder { pid: 0, host: String::new(), since: String::new() })
}

/// Who holds the lock of a state file now; `None` when nobody does.
///
/// # Errors
/// [`StateError::Io`] when the lock file is there and cannot be read.
pub fn holder(state: &Path) -> Result<Option<Holder>, StateError> {
    let path = lock_path(state);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StateError::Io { doing: "cannot open", path, source }),
    };
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => Ok(Some(said_by(&mut file))),
        Err(TryLockError::Error(source)) => Err(StateError::Io { doing: "cannot test the lock of", path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("deep/er/x.db");
        let me = Holder { pid: 17, host: "h".into(), since: "2024-01-01T00:00:00.000Z".into() };
        assert_eq!(holder(&state).unwrap(), None);
        let guard = lock(&state, &me).unwrap();
        assert_eq!(holder(&state).unwrap().as_ref(), Some(&me));
        let Err(StateError::Locked { holder: found, .. }) = lock(&state, &Holder { pid: 18, ..me.clone() }) else { panic!("locked twice") };
        assert_eq!(*found, me);
        drop(guard);
        assert_eq!(holder(&state).unwrap(), None);
        drop(lock(&state, &me).unwrap());
    }
}
