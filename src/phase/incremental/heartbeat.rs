//! The heartbeat: one row a task in a table of the source, written again and again with the source's own clock.
//!
//! Its changes come through the binlog like all others, so the age of the newest one that has been applied is the lag, also while nobody
//! else writes. The same thread reads the source's clock, without which the age of any event is a guess; so it runs also where the row is
//! not written. It never fails the task: a source that cannot be reached is the stream's business, and an account that may not write the
//! row costs the exact lag and nothing else. Once an hour it looks how long the source keeps its binlog (requirements B09).

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    binlog::{Image, Retention},
    catalog::{Column, Key, KeyPart, Table, TableName, TypeKind},
    clock::parse_rfc3339,
    connect::{ConnectError, Login, Purpose, Session},
    ddl::lex::string_literal,
    event::{BinlogKept, Event, Observer, StopToken},
};

/// The database of the table.
pub const DATABASE: &str = "dts";
/// The table.
pub const TABLE: &str = "dtsctl_heartbeat";

/// Longest pause between two tries to reach the source.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often it is looked at how long the source keeps its binlog.
const RETENTION_EVERY: Duration = Duration::from_secs(3600);

/// Where the rows are.
pub fn name() -> TableName {
    TableName::new(DATABASE, TABLE)
}

/// The table's definition as far as reading its rows from the binlog goes. A table of that name that does not fit it is not ours.
pub fn definition() -> Table {
    let column = |name: &str, column_type: &str, kind, charset: Option<&str>| Column {
        name: name.to_owned(),
        column_type: column_type.to_owned(),
        kind,
        unsigned: false,
        nullable: false,
        charset: charset.map(str::to_owned),
        collation: charset.map(|charset| format!("{charset}_bin")),
        generated: false,
        row_period: false,
        invisible: false,
        auto_increment: false,
        json_text: false,
    };
    Table {
        name: name(),
        engine: "InnoDB".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        rows_estimate: 0,
        data_bytes: 0,
        index_bytes: 0,
        auto_increment: None,
        create: CREATE.to_owned(),
        columns: vec![
            column("task", "varchar(190)", TypeKind::Text, Some("utf8mb4")),
            column("at", "datetime(6)", TypeKind::DateTime, None),
        ],
        keys: vec![Key {
            name: "PRIMARY".to_owned(),
            unique: true,
            index_type: "BTREE".to_owned(),
            parts: vec![KeyPart { column: Some(0), prefix: None, descending: false }],
        }],
        system_versioned: false,
        cascades: None,
        unsupported: None,
    }
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_heartbeat` (
       `task` VARCHAR(190) NOT NULL,
       `at` DATETIME(6) NOT NULL,
       PRIMARY KEY (`task`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC";

/// Reads a row of the table: when it was written, by the source's clock in microseconds since 1970 UTC. `None` when it is another task's,
/// or nothing of ours.
pub fn read(row: &Image, task: &str) -> Option<u64> {
    let at = std::str::from_utf8(row.cell(1)?).ok()?;
    (row.cell(0)? == task.as_bytes()).then(|| parse_rfc3339(&format!("{}Z", at.replace(' ', "T"))))?
}

/// The source's clock as a running apply knows it.
#[derive(Debug, Clone, Default)]
pub struct SourceClock(Arc<Mutex<Option<(Instant, u64)>>>);

impl SourceClock {
    /// Microseconds since 1970 UTC at the source, give or take a round trip; `None` before it was asked the first time.
    pub fn now(&self) -> Option<u64> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.map(|(at, micros)| micros + u64::try_from(at.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The source said so just now.
    pub fn set(&self, micros: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), micros));
    }
}

/// What the heartbeat is given.
pub struct Beat {
    /// The source.
    pub login: Login,
    /// The task, whose row it is.
    pub task: String,
    /// Whether the row is written; the clock is read in any case.
    pub write: bool,
    /// How often.
    pub interval: Duration,
    /// How long the source must keep its binlog once the copy is done, in seconds.
    pub needed: u64,
    /// Learns the source's time.
    pub clock: SourceClock,
    /// Listens.
    pub observer: Arc<dyn Observer>,
}

/// Beats on a thread of its own until dropped.
#[derive(Debug)]
pub struct Heartbeat {
    over: StopToken,
    writes: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Begins to beat.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(beat: Beat) -> std::io::Result<Self> {
        let (over, writes) = (StopToken::default(), Arc::new(AtomicBool::new(beat.write)));
        let thread = std::thread::Builder::new().name("heartbeat".to_owned()).spawn({
            let (over, writes) = (over.clone(), Arc::clone(&writes));
            move || Beater { beat, over, writes }.work()
        })?;
        Ok(Self { over, writes, thread: Some(thread) })
    }

    /// The row is written, as far as is known.
    pub fn writes(&self) -> bool {
        self.writes.load(Ordering::SeqCst)
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.over.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Beater {
    beat: Beat,
    over: StopToken,
    writes: Arc<AtomicBool>,
}

impl Beater {
    fn work(&self) {
        let mut pause = Duration::from_millis(500);
        let mut waiting = false;
        while !self.over.is_stopped() {
            let result = self.session(&mut waiting, &mut pause);
            let Err(error) = result else { continue };
            if self.writes.load(Ordering::SeqCst) && is_refusal(&error) {
                self.writes.store(false, Ordering::SeqCst);
                let text =
                    format!("the heartbeat row is not written ({error}); the lag is taken from the times of the source's transactions");
                self.beat.observer.observe(&Event::Note { text });
                continue;
            }
            waiting = true;
            self.beat.observer.observe(&Event::Waiting { who: "heartbeat".to_owned(), reason: error.to_string() });
            self.over.wait(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.good(&mut waiting);
    }

    fn good(&self, waiting: &mut bool) {
        if std::mem::take(waiting) {
            self.beat.observer.observe(&Event::WaitOver { who: "heartbeat".to_owned() });
        }
    }

    /// How long the binlog is kept may be changed at any time, and a platform does as it likes.
    fn measure(&self, session: &mut Session) -> Result<(), ConnectError> {
        let name = format!("retention of {}", self.beat.task);
        let retention = Retention::measure(session, &self.beat.login, &name)?;
        self.beat.observer.observe(&Event::BinlogKept(BinlogKept { retention, needed: self.beat.needed }));
        Ok(())
    }

    /// Beats over one session until it fails or all is over.
    fn session(&self, waiting: &mut bool, pause: &mut Duration) -> Result<(), ConnectError> {
        let mut session = Session::open(&self.beat.login, Purpose::Control)?;
        let mut sql = String::new();
        if self.writes.load(Ordering::SeqCst) {
            if session.query("looking for the heartbeat table", FIND)?.is_empty() {
                session.exec("making the heartbeat database", "CREATE DATABASE IF NOT EXISTS `dts` DEFAULT CHARACTER SET utf8mb4")?;
                session.exec("making the heartbeat table", CREATE)?;
            }
            let _ = write!(
                sql,
                "INSERT INTO `dts`.`dtsctl_heartbeat` (`task`, `at`) VALUES ({}, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE `at` = UTC_TIMESTAMP(6)",
                string_literal(&self.beat.task)
            );
        }
        let mut measured: Option<Instant> = None;
        loop {
            let begin = Instant::now();
            if !sql.is_empty() {
                session.exec("writing the heartbeat row", &sql)?;
            }
            let now = session.query("reading the clock", "SELECT UTC_TIMESTAMP(6)")?.text_at(0, 0);
            if let Some(micros) = now.and_then(|at| parse_rfc3339(&format!("{}Z", at.replace(' ', "T")))) {
                self.beat.clock.set(micros);
            }
            self.good(waiting);
            *pause = Duration::from_millis(500);
            if measured.is_none_or(|at| at.elapsed() >= RETENTION_EVERY) {
                self.measure(&mut session)?;
                measured = Some(Instant::now());
            }
            if self.over.wait(self.beat.interval.saturating_sub(begin.elapsed())) {
                return Ok(());
            }
        }
    }
}

const FIND: &str = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'dts' AND TABLE_NAME = 'dtsctl_heartbeat'";

/// The server will say the same next time: the account lacks a right, the server takes no writes, or the table is another's.
fn is_refusal(error: &ConnectError) -> bool {
    // Access denied to a database, a command, a column, an operation; unknown column or table; read-only in its two forms.
    matches!(error, ConnectError::Sql { code: 1044 | 1142 | 1143 | 1227 | 1049 | 1054 | 1146 | 1290 | 1836 | 1364, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_this_task_are_read_and_of_no_other() {
        let row = |task: &str, at: &str| {
            let mut image = Image::default();
            image.push(Some(task.as_bytes()));
            image.push(Some(at.as_bytes()));
            image
        };
        assert_eq!(read(&row("shop", "2024-02-29 23:59:59.125001"), "shop"), Some(1_709_251_199_125_001));
        assert_eq!(read(&row("shop", "2024-02-29 23:59:59.125001"), "other"), None);
        assert_eq!(read(&row("shop", "0000-00-00 00:00:00.000000"), "shop"), None);
        assert_eq!(read(&Image::default(), "shop"), None);
    }

    #[test]
    fn the_clock_goes_on_by_itself() {
        let clock = SourceClock::default();
        assert_eq!(clock.now(), None);
        clock.clone().set(5_000_000);
        let first = clock.now().unwrap();
        assert!((5_000_000..5_900_000).contains(&first) && clock.now().unwrap() >= first);
    }
}
