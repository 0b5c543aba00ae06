//! The one thread that writes the state file.
//!
//! Observers hand it events through a bounded channel; it joins what has come in the meantime into one short transaction. After
//! the first failure it writes nothing more, pulls the stop token, and gives that failure to everybody who asks.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::{Connection, TransactionBehavior};

use super::{error::StateError, follow, rows};
use crate::{
    binlog::Position,
    catalog::TableName,
    clock::Clock,
    event::{Event, Observer, Phase, StopToken},
};

/// How a run ended, for the run's row. A run without one was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// All asked for is done.
    Finished,
    /// Stopped on request; the same command resumes.
    Stopped,
    /// Failed with an error.
    Failed,
}

impl RunEnd {
    fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// How far a range is, as the destination says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeTruth {
    /// Rows read in committed chunks.
    pub rows: u64,
    /// Of these, rows written; the others were kept as they were there.
    pub written: u64,
    /// Bytes of column values committed.
    pub bytes: u64,
    /// Nothing is left of it.
    pub finished: bool,
}

type Job = Box<dyn FnOnce(&Connection, &rows::At) -> rusqlite::Result<()> + Send>;

enum Message {
    Event(Box<Event>, i64),
    Job(Job, i64),
    Flush(SyncSender<()>),
}

/// How many messages may wait. A phase that is faster than the disk for so long waits with it.
const WAITING: usize = 4096;
/// How many messages one transaction takes at most.
const BATCH: usize = 1000;
/// How long a transaction waits for more to join.
const GATHER: Duration = Duration::from_millis(50);
/// How often the thread looks after things when nothing comes.
const TICK: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Failure {
    failed: AtomicBool,
    reason: Mutex<Option<String>>,
}

impl Failure {
    fn set(&self, reason: String) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.failed.store(true, Ordering::SeqCst);
    }

    fn get(&self) -> Option<String> {
        if !self.failed.load(Ordering::SeqCst) {
            return None;
        }
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes a run into the state file. An [`Observer`]; dropping it writes what is waiting and ends the thread.
pub struct StateWriter {
    to: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    failure: Arc<Failure>,
    clock: Clock,
    path: PathBuf,
    run: i64,
}

impl StateWriter {
    pub(super) fn start(conn: Connection, path: PathBuf, run: i64, clock: Clock, stop: StopToken) -> Result<Self, StateError> {
        let (to, from) = sync_channel(WAITING);
        let failure = Arc::new(Failure::default());
        let place = place_of(&path).map_err(|source| StateError::Io { doing: "cannot look at", path: path.clone(), source })?;
        let thread = Thread { conn, path: path.clone(), place, run, clock: clock.clone(), failure: failure.clone(), stop };
        let handle = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || thread.work(&from))
            .map_err(|source| StateError::Io { doing: "cannot start the writer of", path: path.clone(), source })?;
        Ok(Self { to: Some(to), thread: Some(handle), failure, clock, path, run })
    }

    /// Number of the run in the state file, from 1.
    pub fn run(&self) -> i64 {
        self.run
    }

    fn send(&self, message: Message) {
        let sent = self.to.as_ref().map(|to| to.send(message));
        if !matches!(sent, Some(Ok(()))) {
            self.failure.set("its writer has ended".to_owned());
        }
    }

    fn job(&self, job: impl FnOnce(&Connection, &rows::At) -> rusqlite::Result<()> + Send + 'static) {
        self.send(Message::Job(Box::new(job), self.clock.now_ms()));
    }

    /// Why nothing can be written any more, if so. The stop token has then been pulled, and this is the reason of the stop.
    ///
    /// # Errors
    /// [`StateError::WriterFailed`] with the first failure's words.
    pub fn check(&self) -> Result<(), StateError> {
        match self.failure.get() {
            None => Ok(()),
            Some(reason) => Err(StateError::WriterFailed { path: self.path.clone(), reason }),
        }
    }

    /// Waits until all that was told so far is in the file.
    ///
    /// # Errors
    /// [`StateError::WriterFailed`] when it is not.
    pub fn flush(&self) -> Result<(), StateError> {
        let (done, wait) = sync_channel(1);
        self.send(Message::Flush(done));
        // An error means that the thread has dropped the other end, after noting its failure.
        let _ = wait.recv();
        self.check()
    }

    /// Keeps the plan that this run executes, and flushes.
    ///
    /// # Errors
    /// As [`StateWriter::flush`].
    pub fn save_plan(&self, plan_id: &str, document: &str) -> Result<(), StateError> {
        let (plan_id, document) = (plan_id.to_owned(), document.to_owned());
        self.job(move |conn, at| rows::save_plan(conn, at, &plan_id, &document));
        self.flush()
    }

    /// Notes an object that this task made at the destination, with the fingerprint it has there, so that a later plan knows it for
    /// its own and sees what others changed. `kind` as the catalog names it (`database`, `table`, `sequence`, ...).
    pub fn created(&self, kind: &str, object: &str, fingerprint: &str) {
        let (kind, object, fingerprint) = (kind.to_owned(), object.to_owned(), fingerprint.to_owned());
        self.job(move |conn, at| rows::created(conn, at, &kind, &object, &fingerprint));
    }

    /// Writes over how far a range is.
    pub fn set_range(&self, table: &TableName, range: u32, truth: RangeTruth) {
        let table = table.clone();
        self.job(move |conn, at| rows::set_range(conn, at, &table, range, truth));
    }

    /// Writes over how far the incremental phase is, and what it has carried in all.
    pub fn set_follow(&self, position: &Position, transactions: u64, row_events: u64) {
        let position = position.clone();
        self.job(move |conn, at| follow::set(conn, at, &position, transactions, row_events));
    }

    /// Writes over that a statement has run, in an earlier run that could not note it any more.
    pub fn set_statement_done(&self, action: &str, index: usize, object: &str, sql: &str) {
        let (action, object, sql) = (action.to_owned(), object.to_owned(), sql.to_owned());
        self.job(move |conn, at| rows::set_statement_done(conn, at, &action, index, &object, &sql));
    }

    /// Writes over whether a phase is finished.
    pub fn set_phase(&self, phase: Phase, finished: bool) {
        self.job(move |conn, at| rows::set_phase(conn, at, phase, finished));
    }

    /// Notes how the run ended and flushes. `error` without secrets and values.
    ///
    /// # Errors
    /// As [`StateWriter::flush`].
    pub fn end_run(&self, end: RunEnd, error: Option<&str>) -> Result<(), StateError> {
        let error = error.map(str::to_owned);
        self.job(move |conn, at| rows::end_run(conn, at, end.name(), error.as_deref()));
        self.flush()
    }
}

impl Observer for StateWriter {
    fn observe(&self, event: &Event) {
        // A moment changes no row, and there are several in each chunk.
        if matches!(event, Event::Moment { .. }) {
            return;
        }
        self.send(Message::Event(Box::new(event.clone()), self.clock.now_ms()));
    }
}

impl Drop for StateWriter {
    fn drop(&mut self) {
        drop(self.to.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Device and inode: another file under the same name is another file.
fn place_of(path: &Path) -> std::io::Result<(u64, u64)> {
    let meta = std::fs::metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

struct Thread {
    conn: Connection,
    path: PathBuf,
    place: (u64, u64),
    run: i64,
    clock: Clock,
    failure: Arc<Failure>,
    stop: StopToken,
}

impl Thread {
    fn work(mut self, from: &Receiver<Message>) {
        let mut looked = Instant::now();
        loop {
            let first = match from.recv_timeout(TICK) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut waiting = Vec::new();
            if let Err(error) = self.batch(first, from, &mut waiting) {
                return self.give_up(error.to_string(), waiting, from);
            }
            if looked.elapsed() >= TICK || !waiting.is_empty() {
                looked = Instant::now();
                // SQLite goes on writing into a file that has lost its name, and all of it would be lost.
                if place_of(&self.path).ok() != Some(self.place) {
                    let gone = StateError::Vanished { path: self.path.clone() };
                    return self.give_up(gone.to_string(), waiting, from);
                }
            }
            drop(waiting);
        }
    }

    /// One transaction: what is there now, what comes within a moment, and a sample for the rates.
    fn batch(&mut self, first: Option<Message>, from: &Receiver<Message>, waiting: &mut Vec<SyncSender<()>>) -> rusqlite::Result<()> {
        let deadline = Instant::now() + GATHER;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut next = first;
        let mut taken = 0;
        while let Some(message) = next.take() {
            match message {
                Message::Event(event, at) => rows::event(&tx, &rows::At { run: self.run, now: at }, &event)?,
                Message::Job(job, at) => job(&tx, &rows::At { run: self.run, now: at })?,
                Message::Flush(done) => {
                    waiting.push(done);
                    break;
                }
            }
            taken += 1;
            if taken == BATCH {
                break;
            }
            next = from.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok();
        }
        rows::sample(&tx, &rows::At { run: self.run, now: self.clock.now_ms() })?;
        tx.commit()
    }

    /// Notes the reason, stops the run, and goes on taking messages so that nobody waits for ever.
    fn give_up(self, reason: String, waiting: Vec<SyncSender<()>>, from: &Receiver<Message>) {
        self.failure.set(reason);
        self.stop.stop();
        drop(waiting);
        while from.recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::state::{RunStart, ServerIdentity, StateFile, TaskIdentity};

    pub(crate) fn task() -> TaskIdentity {
        let server = |n: &str| ServerIdentity { identity: n.to_owned(), address: format!("{n}:3306"), version: "mysql 8.0.36".to_owned() };
        TaskIdentity {
            name: "t".into(),
            spec_digest: "d1".into(),
            spec_document: "{}".into(),
            source: server("a"),
            destination: server("b"),
        }
    }

    #[test]
    fn a_removed_file_stops_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let clock = Clock::new(|| UNIX_EPOCH);
        let stop = StopToken::default();
        let (file, _) = StateFile::open_or_create(&path, &task(), &clock).unwrap();
        let writer = file.begin_run(&RunStart { pid: 1, host: "h".into(), version: "0".into() }, &stop).unwrap();
        writer.flush().unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = writer.flush().unwrap_err().to_string();
        assert!(error.contains("removed or replaced"), "{error}");
        assert!(stop.is_stopped());
        writer.observe(&Event::Note { text: "later".into() });
        assert!(writer.end_run(RunEnd::Finished, None).is_err());
    }
}
