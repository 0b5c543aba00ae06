//! A source's binlog from a position on, as [`Item`]s.

use std::{path::PathBuf, sync::Arc};

use super::{
    error::BinlogError,
    event::Head,
    gtid::{Gtid, Origin},
    item::Item,
    position::Position,
    spool::Room,
    start::{Found, find},
    transaction::{Assembler, Assembly, Header, Wants},
};
use crate::connect::{BinlogConnection, BinlogTiming, ConnectError, Login, ReplicaName};

/// What a stream is given.
pub struct StreamSettings<'a> {
    /// The source.
    pub login: &'a Login,
    /// The task's name, which decides under which name the source sees us.
    pub task: &'a str,
    /// Where to begin reading: the position that was reached, or the earlier one that [`Stream::read_from`] named beside it.
    pub start: Position,
    /// All up to here is known already, where that is further than `start`: it is read for the sake of XA transactions, and not handed on.
    pub applied: Option<Position>,
    /// Whether rows of a table are wanted, by database and table; must hang on the names alone.
    pub wants: Wants,
    /// An existing folder for what has to be held back and is too large for memory.
    pub spill_folder: PathBuf,
    /// So many bytes of a held-back transaction stay in memory.
    pub spill_after: usize,
    /// How long the source may be silent.
    pub timing: BinlogTiming,
}

/// A binlog being read. Whatever it fails with, it is to be dropped; another one begins at the position of the last commit.
pub struct Stream {
    connection: BinlogConnection,
    assembler: Assembler,
    server: Arc<str>,
    address: String,
    from: String,
    /// No event of the binlog has come yet: an error is about where to begin.
    fresh: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream({}, at {})", self.address, self.assembler.position())
    }
}

impl Stream {
    /// Looks where the position lies on this server, opens a connection and asks for the events.
    ///
    /// # Errors
    /// [`BinlogError::NotLogged`], [`BinlogError::Purged`], [`BinlogError::SourceSwitched`], [`BinlogError::Ahead`],
    /// [`BinlogError::Another`], or as the connection fails.
    pub fn open(settings: StreamSettings<'_>) -> Result<Self, BinlogError> {
        let start = settings.start;
        let Found { request, skip_to, server, vendor, explicit, address } =
            find(settings.login, settings.task, &start, settings.applied.as_ref())?;
        let from = start.to_string();
        let connection = BinlogConnection::open(settings.login, &request, &ReplicaName::of(settings.task), settings.timing)?;
        let assembler = Assembler::new(Assembly {
            start,
            server: Arc::clone(&server),
            vendor,
            applied: settings.applied,
            skip_to,
            explicit,
            wants: settings.wants,
            room: Room { folder: settings.spill_folder, memory: settings.spill_after },
        });
        Ok(Self { connection, assembler, server, address, from, fresh: true })
    }

    /// The next item. Waits until there is one, but no longer than the heartbeat's period on a source that is alive.
    ///
    /// # Errors
    /// Any of [`BinlogError`]; the stream is of no use after it.
    pub fn next_item(&mut self) -> Result<Item, BinlogError> {
        loop {
            if let Some(item) = self.assembler.pop()? {
                return Ok(item);
            }
            let event = match self.connection.next_event() {
                Ok(event) => event,
                Err(error) => return Err(self.refused(error)),
            };
            let header = Header::of(&event);
            self.fresh &= header.end == 0;
            self.assembler.take(header, event.body(), || {
                let (uuid, tag, number, micros) = event.tagged_gtid()?;
                Some(Head { gtid: Some(Gtid::MySql(Origin { uuid, tag }, number)), micros: Some(micros), ..Head::default() })
            })?;
        }
    }

    /// Where reading would have to begin again to know of XA transactions that are prepared and not decided; `None` when there are none.
    /// Right after [`Item::Commit`] and [`Item::Moved`] it belongs to their position, and is to be kept with it.
    pub fn read_from(&self) -> Option<Position> {
        self.assembler.read_from()
    }

    /// Identity of the server that is read.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Where the next event begins.
    pub fn position(&self) -> Position {
        self.assembler.position()
    }

    /// Error 1236 is all that servers have for a dozen reasons; only their words tell them apart.
    fn refused(&self, error: ConnectError) -> BinlogError {
        let ConnectError::Sql { code: 1236, message, .. } = &error else { return error.into() };
        let (address, from, reason) = (self.address.clone(), self.from.clone(), message.clone());
        if BinlogError::is_gone(message) {
            BinlogError::Purged { from: if self.fresh { from } else { self.position().to_string() }, address, lost: reason }
        } else {
            BinlogError::Refused { address, from, reason }
        }
    }
}
