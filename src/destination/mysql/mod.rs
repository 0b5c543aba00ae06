//! The MySQL family as a destination.

mod change;
mod encode;
mod json;
mod literals;
mod load;
mod members;
mod progress;

pub use literals::ImageLiterals;
pub use members::members;
pub use progress::{applied::read as read_following, ddl, forget_task, read as read_progress, sharing};

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use self::{
    change::MySqlLane,
    encode::{InsertEncoder, LineEncoder},
    load::MySqlLoader,
};
use super::{
    CopyTable, Destination, DestinationError, Encoder, Loader, RangeState, TaskProgress,
    change::{Following, Lane},
};
use crate::{
    binlog::Position,
    catalog::TableName,
    connect::{Flavor, Login, Purpose, ServerInfo, Session},
    event::Observer,
};

/// How rows get into a MySQL server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMethod {
    /// `LOAD DATA LOCAL INFILE`: the cheapest for the server (traps.md part 3).
    LoadData,
    /// Multi-row `INSERT`, where the server has `local_infile` off.
    Insert,
}

/// A MySQL or MariaDB server that is written to, for one task.
pub struct MySqlDestination {
    login: Login,
    info: ServerInfo,
    task: String,
    /// Digest of what the spec selects, noted when following begins.
    selection: String,
    run: AtomicU64,
    method: WriteMethod,
    observer: Arc<dyn Observer>,
    /// One session for small statements on the progress tables; opened anew after it was lost.
    control: Mutex<Option<Session>>,
}

impl MySqlDestination {
    /// A destination for the task of that name; `observer` hears of the moments inside a chunk. Opens one session to learn what the server is.
    ///
    /// # Errors
    /// As connecting fails.
    pub fn new(login: Login, task: &str, observer: Arc<dyn Observer>) -> Result<Self, DestinationError> {
        let session = Session::open(&login, Purpose::Control)?;
        let info = session.info().clone();
        let method = if info.is_on("local_infile") { WriteMethod::LoadData } else { WriteMethod::Insert };
        let selection = String::new();
        Ok(Self {
            login,
            info,
            task: task.to_owned(),
            selection,
            run: AtomicU64::new(0),
            method,
            observer,
            control: Mutex::new(Some(session)),
        })
    }

    /// The same, for a task whose spec selects what has this digest.
    pub fn selecting(self, selection: String) -> Self {
        Self { selection, ..self }
    }

    /// How rows are written.
    pub fn method(&self) -> WriteMethod {
        self.method
    }

    /// What the server says of itself.
    pub fn info(&self) -> &ServerInfo {
        &self.info
    }

    /// Runs `work` on the control session. A session that failed is not used again: what it had open is rolled back.
    fn control<T>(&self, work: impl FnOnce(&mut Session) -> Result<T, DestinationError>) -> Result<T, DestinationError> {
        let mut slot = self.control.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut session = match slot.take() {
            Some(session) => session,
            None => Session::open(&self.login, Purpose::Control)?,
        };
        let result = work(&mut session);
        if result.is_ok() {
            *slot = Some(session);
        }
        result
    }

    fn run(&self) -> u64 {
        self.run.load(Ordering::SeqCst)
    }
}

impl Destination for MySqlDestination {
    fn flavor(&self) -> Flavor {
        self.info.flavor
    }

    fn take_over(&self, source_identity: &str) -> Result<TaskProgress, DestinationError> {
        let progress = self.control(|s| progress::take_over(s, &self.task, source_identity))?;
        self.run.store(progress.run, Ordering::SeqCst);
        Ok(progress)
    }

    fn note_source_position(&self, position: &Position) -> Result<(), DestinationError> {
        self.control(|s| progress::note_source_position(s, &self.task, position))
    }

    fn note_creation(&self, source: &TableName, destination: &TableName) -> Result<(), DestinationError> {
        self.control(|s| progress::note_creation(s, &self.task, source, destination))
    }

    fn note_account(&self, account: &str, finished: bool) -> Result<(), DestinationError> {
        self.control(|s| progress::accounts::note(s, &self.task, account, finished))
    }

    fn forget_table(&self, source: &TableName) -> Result<(), DestinationError> {
        self.control(|s| progress::forget_table(s, &self.task, source))
    }

    fn begin_table(&self, table: &CopyTable, ranges: &[RangeState]) -> Result<(), DestinationError> {
        self.control(|s| progress::begin_table(s, &self.task, self.run(), table, ranges))
    }

    fn range(&self, table: &CopyTable, number: u32) -> Result<RangeState, DestinationError> {
        self.control(|s| progress::range(s, &self.task, self.run(), &table.source.name, number))
    }

    fn finish_table(&self, table: &CopyTable) -> Result<(), DestinationError> {
        self.control(|s| progress::finish_table(s, &self.task, table))
    }

    fn begin_following(&self, start: &Position, copy_end: Option<&Position>) -> Result<(), DestinationError> {
        self.control(|s| progress::applied::begin(s, &self.task, self.run(), &self.selection, start, copy_end))
    }

    fn applied(&self) -> Result<Option<Following>, DestinationError> {
        self.control(|s| progress::applied::locked(s, &self.task, self.run()))
    }

    fn lane(&self) -> Result<Box<dyn Lane + '_>, DestinationError> {
        let session = Session::open(&self.login, Purpose::Change)?;
        Ok(Box::new(MySqlLane::new(session, self)))
    }

    fn encoder(&self, table: &CopyTable) -> Box<dyn Encoder> {
        match self.method {
            WriteMethod::LoadData => Box::new(LineEncoder::new(table)),
            WriteMethod::Insert => Box::new(InsertEncoder::new(table, self.info.max_allowed_packet())),
        }
    }

    fn loader<'a>(&'a self, table: &'a CopyTable) -> Result<Box<dyn Loader + 'a>, DestinationError> {
        let session = Session::open(&self.login, Purpose::Write)?;
        Ok(Box::new(MySqlLoader::new(session, self, table)?))
    }
}
