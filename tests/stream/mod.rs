//! The binlog of real servers as items: whatever a server writes, and wherever reading begins, the same transactions come.

mod forms;
mod marks;
mod places;
mod plain;
mod undone;

use std::time::Duration;

use dtsctl::{
    binlog::{BinlogError, Item, Position, RowsKind, Stream, StreamSettings, snapshot},
    connect::{BinlogTiming, Login, Place, Purpose, Session, TlsChoice, TlsLevel},
};
use testbed::Server;

pub(crate) fn login(server: &Server) -> Login {
    Login {
        place: Place::Tcp { host: server.host().to_owned(), port: server.port() },
        user: server.user().to_owned(),
        password: server.password().to_owned(),
        tls: TlsChoice { level: TlsLevel::Disabled, ca: None, identity: None },
    }
}

/// Where the server's binlog ends now.
pub(crate) fn now(server: &Server) -> Position {
    let mut session = Session::open(&login(server), Purpose::Catalog).unwrap();
    snapshot::end_position(&mut session).unwrap()
}

/// Settings with a folder of their own for what is held back, all of it on disk.
pub(crate) fn settings<'a>(login: &'a Login, start: &Position, folder: &tempfile::TempDir) -> StreamSettings<'a> {
    StreamSettings {
        login,
        task: "stream",
        start: start.clone(),
        applied: None,
        wants: Box::new(|database, _| database.starts_with("st_")),
        spill_folder: folder.path().to_owned(),
        spill_after: 64,
        timing: BinlogTiming { heartbeat: Duration::from_millis(200), ..BinlogTiming::default() },
    }
}

/// One transaction as it came: a line for each item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) lines: Vec<String>,
    pub(crate) end: Position,
    pub(crate) read_from: Option<Position>,
}

/// What a piece of a transaction says, without what another start of reading might change.
pub(crate) fn line(item: &Item) -> String {
    match item {
        Item::Begin(begin) => format!("begin {} at {} in {}", begin.gtid.as_deref().unwrap_or("-"), begin.place, begin.micros),
        Item::Rows(rows) => {
            let what = match rows.kind {
                RowsKind::Insert => "insert",
                RowsKind::Update => "update",
                RowsKind::Delete => "delete",
                RowsKind::PartialUpdate => "partial update",
            };
            let bytes: u64 = rows.rows.iter().fold(7, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
            let query = rows.query.as_deref().unwrap_or("-");
            format!("{what} {} {} bytes {bytes:x} query {query}", rows.table(), rows.rows.len())
        }
        Item::Statement(s) => format!("statement in '{}': {}", s.database, String::from_utf8_lossy(&s.text)),
        Item::Commit(position) => format!("commit {position}"),
        Item::Moved(position) => format!("moved {position}"),
        Item::Rollback => "rollback".to_owned(),
        Item::Heartbeat => "heartbeat".to_owned(),
    }
}

/// All transactions of our databases from `start` until `end` has been passed.
pub(crate) fn read(settings: StreamSettings<'_>, end: &Position) -> Result<Vec<Transaction>, BinlogError> {
    let mut stream = Stream::open(settings)?;
    let mut found = Vec::new();
    let mut lines = Vec::new();
    loop {
        let item = stream.next_item()?;
        match &item {
            Item::Commit(position) => {
                let lines = std::mem::take(&mut lines);
                found.push(Transaction { lines, end: position.clone(), read_from: stream.read_from() });
                if position.covers(end) == Some(true) {
                    return Ok(found);
                }
            }
            Item::Moved(position) if position.covers(end) == Some(true) => return Ok(found),
            Item::Heartbeat if stream.position().covers(end) == Some(true) => return Ok(found),
            Item::Moved(_) | Item::Heartbeat => {}
            Item::Rollback => lines.clear(),
            item => lines.push(line(item)),
        }
    }
}

/// All transactions between two positions, read from the first.
pub(crate) fn between(server: &Server, start: &Position, end: &Position) -> Vec<Transaction> {
    let folder = tempfile::tempdir().unwrap();
    read(settings(&login(server), start, &folder), end).unwrap_or_else(|e| panic!("{}: {e}", server.flavor()))
}
