//! Transactions put together from events, and handed on in pieces.
//!
//! The hard idea: a piece that has been handed on cannot be taken back, and a binlog may take back what it has said: `ROLLBACK TO`, an XA
//! transaction that is rolled back long after it was prepared, a group that a crash of the source cut off. So nothing leaves before it is
//! certain, with one exception: of an ordinary transaction that has grown large the pieces are handed on as they come, and
//! [`Item::Rollback`] follows in the rare case that it did not happen. What comes after a savepoint and what belongs to an XA transaction is
//! held back as raw events, on disk if there are many.

mod group;
mod maps;
mod place;
mod xa;

use std::{cmp::Ordering, collections::VecDeque, sync::Arc};

use super::{
    error::BinlogError,
    event::{self, Flaw, Head, kind},
    gtid::GtidSet,
    item::{Begin, Item, RowsEvent},
    mark::{Landmark, Mark},
    payload::Payload,
    position::{Place, Position},
    query::{self, ExplicitDefaults, Word},
    spool::{Room, SpoolReader},
};
use crate::connect::{RawEvent, Vendor};
use group::{Group, Phase};
use maps::Maps;
use xa::Pending;

/// Says by database and table whether rows are wanted; the answer must hang on the names alone.
pub type Wants = Box<dyn Fn(&str, &str) -> bool + Send>;

/// What a header says of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) seconds: u32,
    pub(super) server: u32,
    pub(super) size: u32,
    pub(super) end: u32,
    pub(super) flags: u16,
}

impl Header {
    pub(super) fn of(event: &RawEvent) -> Self {
        Self {
            kind: event.kind(),
            seconds: event.seconds(),
            server: event.server_id(),
            size: event.size(),
            end: event.end(),
            flags: event.flags(),
        }
    }

    /// The server made it up for us; it stands in no file (`LOG_EVENT_ARTIFICIAL_F`, or an end of 0). Or it stands inside a transaction of a newer
    /// MariaDB, which leaves the end at 0 there (seen on 11.8.9): its place is then that of the first of them, and the last one's end is true again.
    pub(super) fn is_made_up(self) -> bool {
        self.end == 0 || self.flags & 0x20 != 0
    }
}

/// Puts transactions together. Knows no connection.
pub(super) struct Assembler {
    server: Arc<str>,
    vendor: Vendor,
    /// Where the next event begins.
    place: Place,
    /// What was seen of the file that the place is in.
    mark: Option<Mark>,
    gtid: Option<GtidSet>,
    /// All up to here has been applied before.
    applied: Option<Position>,
    /// Events before this offset are passed over: the request could not say where to begin.
    skip_to: Option<u64>,
    explicit: ExplicitDefaults,
    wants: Wants,
    room: Room,
    maps: Maps,
    group: Option<Group>,
    payload: Option<Payload>,
    replay: Option<Replay>,
    xa: Pending,
    out: VecDeque<Item>,
    /// The place has changed without an item that says so.
    unsaid: bool,
    /// A file has ended, and of the next one nothing has been seen but its name.
    turned: bool,
}

/// Held events that have happened, on their way out.
struct Replay {
    reader: SpoolReader,
    /// File of the events.
    file: String,
}

/// What [`Assembler::new`] is given.
pub(super) struct Assembly {
    pub(super) start: Position,
    pub(super) server: Arc<str>,
    pub(super) vendor: Vendor,
    pub(super) applied: Option<Position>,
    pub(super) skip_to: Option<u64>,
    pub(super) explicit: ExplicitDefaults,
    pub(super) wants: Wants,
    pub(super) room: Room,
}

impl Assembler {
    pub(super) fn new(assembly: Assembly) -> Self {
        // Files of another server may have the same names.
        let here = assembly.start.server.as_ref() == Some(&assembly.server);
        Self {
            mark: assembly.start.mark.filter(|_| here),
            server: assembly.server,
            vendor: assembly.vendor,
            place: assembly.start.place,
            gtid: assembly.start.gtid,
            applied: assembly.applied,
            skip_to: assembly.skip_to,
            explicit: assembly.explicit,
            wants: assembly.wants,
            room: assembly.room,
            maps: Maps::default(),
            group: None,
            payload: None,
            replay: None,
            xa: Pending::default(),
            out: VecDeque::new(),
            unsaid: false,
            turned: false,
        }
    }

    /// Where the next event begins.
    pub(super) fn position(&self) -> Position {
        Position { place: self.place.clone(), gtid: self.gtid.clone(), server: Some(Arc::clone(&self.server)), mark: self.mark }
    }

    /// Where reading must begin to know what is prepared and neither committed nor rolled back; `None` when nothing is.
    pub(super) fn read_from(&self) -> Option<Position> {
        self.xa.earliest()
    }

    /// The next item that is complete, without a further event. `None`: give it one.
    pub(super) fn pop(&mut self) -> Result<Option<Item>, BinlogError> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return Ok(Some(item));
            }
            if let Some(replay) = &mut self.replay {
                match replay.reader.next()? {
                    Some(entry) => {
                        let place = Place { file: replay.file.clone(), offset: entry.offset };
                        self.piece(entry.kind, entry.seconds, &entry.body, place)?;
                    }
                    None => {
                        self.replay = None;
                        self.commit();
                    }
                }
                continue;
            }
            let Some(payload) = &mut self.payload else { return Ok(None) };
            match payload.next() {
                Ok(Some(entry)) => self.event(entry.kind, entry.seconds, entry.offset, &entry.body)?,
                Ok(None) => {
                    self.payload = None;
                    if self.group.is_some() {
                        return Err(self.damaged(self.place.offset, "a compressed transaction has no end"));
                    }
                }
                Err(flaw) => return Err(self.damaged(self.place.offset, &flaw.to_string())),
            }
        }
    }

    /// Takes an event. [`Assembler::pop`] must have said that it wants one.
    pub(super) fn take(&mut self, header: Header, body: &[u8], tagged: impl FnOnce() -> Option<Head>) -> Result<(), BinlogError> {
        let offset = self.follow(header)?;
        let flawed = |flaw: Flaw, place: &Place| BinlogError::Damaged {
            place: Place { file: place.file.clone(), offset },
            reason: format!("event of type {}: {flaw}", header.kind),
        };
        match header.kind {
            kind::HEARTBEAT | kind::HEARTBEAT_V2 => {
                self.alive(header);
                return Ok(());
            }
            kind::ROTATE => {
                let (file, next) = event::rotate(body).map_err(|f| flawed(f, &self.place))?;
                self.rotate(file, next, header.is_made_up());
                return Ok(());
            }
            kind::FORMAT_DESCRIPTION => {
                // Made up by the server, or the first of a file that it goes on with: what was open has not been finished.
                if !header.is_made_up() {
                    self.abandon();
                }
                return self.described(header.seconds);
            }
            kind::INCIDENT => {
                let place = Place { file: self.place.file.clone(), offset };
                return Err(BinlogError::Incident { place, message: event::incident(body) });
            }
            _ if self.skip_to.is_some_and(|to| offset < to) => return Ok(()),
            _ => self.skip_to = None,
        }
        let head = match header.kind {
            kind::GTID => Some(event::mysql_gtid(body, false)),
            kind::ANONYMOUS_GTID => Some(event::mysql_gtid(body, true)),
            kind::GTID_TAGGED => Some(tagged().ok_or(Flaw::TooShort)),
            kind::MARIADB_GTID => Some(event::mariadb_gtid(body, header.server)),
            _ => None,
        };
        if let Some(head) = head {
            let head = head.map_err(|f| flawed(f, &self.place))?;
            return self.begin(head, header, offset, Landmark::of(header, offset, body));
        }
        if header.kind == kind::TRANSACTION_PAYLOAD {
            self.payload = Some(Payload::new(body, offset).map_err(|f| flawed(f, &self.place))?);
            return Ok(());
        }
        if header.flags & event::IGNORABLE_FLAG != 0 && !Self::is_known(header.kind) {
            return Ok(());
        }
        if header.kind == kind::XID
            && let Some(group) = &mut self.group
        {
            group.landmark = Landmark::of(header, offset, body).or(group.landmark);
        }
        self.event(header.kind, header.seconds, offset, body)
    }

    fn damaged(&self, offset: u64, reason: &str) -> BinlogError {
        BinlogError::Damaged { place: Place { file: self.place.file.clone(), offset }, reason: reason.to_owned() }
    }

    /// A transaction that begins here has been applied in an earlier run.
    fn was_applied(&self, place: &Place, head: &Head) -> bool {
        let Some(applied) = &self.applied else { return false };
        if applied.server.as_deref().is_none_or(|server| server == &*self.server)
            && let Some(order) = place.order(&applied.place)
        {
            return order == Ordering::Less;
        }
        matches!((&applied.gtid, &head.gtid), (Some(set), Some(gtid)) if set.contains(gtid))
    }

    fn begin(&mut self, head: Head, header: Header, offset: u64, landmark: Option<Landmark>) -> Result<(), BinlogError> {
        if self.group.is_some() {
            return Err(self.damaged(offset, "a transaction begins in another one"));
        }
        let place = Place { file: self.place.file.clone(), offset };
        let start = Position { place: place.clone(), ..self.position() };
        let micros = head.micros.unwrap_or(u64::from(header.seconds) * 1_000_000);
        let begin = Begin { gtid: head.gtid.as_ref().map(ToString::to_string), place, micros };
        let applied = self.was_applied(&begin.place, &head);
        self.group = Some(Group::new(head, begin, (start, landmark), applied, &self.room));
        Ok(())
    }

    /// A group without a head, which only servers and events of before GTIDs write.
    fn headless(&mut self, seconds: u32, offset: u64) -> Result<(), BinlogError> {
        let header = Header { kind: 0, seconds, server: 0, size: 0, end: 0, flags: 0 };
        self.begin(Head::default(), header, offset, None)
    }

    fn is_known(code: u8) -> bool {
        event::rows_kind(code).is_some() || Self::may_be_passed(code) || Self::is_part(code)
    }

    /// Events that change no rows and that nothing else hangs on. What is not named here and not handled is an error.
    fn may_be_passed(code: u8) -> bool {
        matches!(
            code,
            kind::STOP
                | kind::IGNORABLE
                | kind::PREVIOUS_GTIDS
                | kind::TRANSACTION_CONTEXT
                | kind::VIEW_CHANGE
                | kind::MARIADB_CHECKPOINT
                | kind::MARIADB_GTID_LIST
                | kind::MARIADB_START_ENCRYPTION
                // What a statement needs that follows them in STATEMENT format; that statement is handed on.
                | kind::INTVAR
                | kind::RAND
                | kind::USER_VAR
                | kind::BEGIN_LOAD_QUERY
                | kind::APPEND_BLOCK
                | kind::DELETE_FILE
        )
    }

    fn is_part(code: u8) -> bool {
        matches!(
            code,
            kind::QUERY
                | kind::MARIADB_QUERY_COMPRESSED
                | kind::EXECUTE_LOAD_QUERY
                | kind::XID
                | kind::TABLE_MAP
                | kind::ROWS_QUERY
                | kind::MARIADB_ANNOTATE
                | kind::XA_PREPARE
        )
    }

    /// An event that belongs to a transaction, or stands between two.
    fn event(&mut self, code: u8, seconds: u32, offset: u64, body: &[u8]) -> Result<(), BinlogError> {
        if Self::may_be_passed(code) {
            return Ok(());
        }
        if !Self::is_known(code) {
            return Err(BinlogError::Unknown { kind: code, place: Place { file: self.place.file.clone(), offset } });
        }
        if self.group.is_none() {
            self.headless(seconds, offset)?;
        }
        let word = match code {
            kind::QUERY | kind::MARIADB_QUERY_COMPRESSED => {
                let text = query::query_text(body, code == kind::MARIADB_QUERY_COMPRESSED);
                query::word(&text.map_err(|f| self.damaged(offset, &f.to_string()))?)
            }
            // The commit of a transaction that a storage engine took part in.
            kind::XID => Word::Commit,
            kind::XA_PREPARE => return self.prepared(offset, body),
            _ => Word::Statement,
        };
        let Some(group) = &mut self.group else { return Err(self.damaged(offset, "an event outside of a transaction")) };
        match word {
            Word::Begin => group.phase = Phase::Open,
            Word::Commit => return self.committed(),
            // What was dropped to make room stays dropped, whatever the group's last word says.
            Word::Rollback if group.only_drops() => return self.committed(),
            Word::Rollback => return self.rolled_back(offset),
            Word::Savepoint(name) => group.savepoint(name),
            Word::RollbackTo(name) => {
                if !group.rollback_to(&name)? {
                    return Err(self.damaged(offset, &format!("a rollback to the unknown savepoint {name}")));
                }
            }
            Word::Release | Word::XaEnd => {}
            Word::XaStart(xid) => group.hold(Phase::Xa(xid)),
            Word::XaCommit(xid) => return self.xa_committed(&xid, offset),
            Word::XaRollback(xid) => {
                self.xa.remove(&xid);
                self.pass();
            }
            Word::Statement => {
                if group.spool.is_some() {
                    return group.keep(code, seconds, offset, body);
                }
                let place = Place { file: self.place.file.clone(), offset };
                self.piece(code, seconds, body, place)?;
                let Some(group) = &self.group else { return Ok(()) };
                let is_query = matches!(code, kind::QUERY | kind::MARIADB_QUERY_COMPRESSED | kind::EXECUTE_LOAD_QUERY);
                if is_query && group.phase == Phase::Head {
                    // A statement that is a group of its own.
                    self.commit();
                }
            }
        }
        Ok(())
    }

    /// A part of a transaction that is on its way out.
    fn piece(&mut self, code: u8, seconds: u32, body: &[u8], place: Place) -> Result<(), BinlogError> {
        let flawed = |f: Flaw| BinlogError::Damaged { place: place.clone(), reason: format!("event of type {code}: {f}") };
        let Some(group) = &mut self.group else { return Err(self.damaged(place.offset, "an event outside of a transaction")) };
        match code {
            kind::TABLE_MAP => {
                let id = event::table_id(body).map_err(flawed)?;
                let map = self.maps.map(id, body, &self.wants, self.vendor).map_err(|reason| BinlogError::Damaged { place, reason })?;
                group.tables.insert(id, map);
            }
            kind::ROWS_QUERY | kind::MARIADB_ANNOTATE => {
                group.client = Some(event::client_statement(body, code == kind::MARIADB_ANNOTATE).into());
            }
            _ if event::rows_kind(code).is_some() => {
                let Some((rows_kind, second, packed)) = event::rows_kind(code) else { return Ok(()) };
                let head = event::rows(body, rows_kind, second).map_err(flawed)?;
                // No rows, only the end of a statement (MySQL's dummy table id).
                const NO_TABLE: u64 = 0x00ff_ffff;
                let map = match group.tables.get(&head.table) {
                    Some(map) => map.clone(),
                    None if head.rows.is_empty() || head.table == NO_TABLE => None,
                    None => {
                        let reason = format!("rows of table number {}, which nothing describes", head.table);
                        return Err(BinlogError::Damaged { place, reason });
                    }
                };
                if let Some(map) = map {
                    let rows = if packed { event::mariadb_unpack(head.rows).map_err(flawed)? } else { head.rows.to_vec() };
                    let (before_columns, after_columns) = (head.before.to_vec(), head.after.to_vec());
                    let query = group.client.clone();
                    let item =
                        RowsEvent { map, kind: rows_kind, keys_act: head.keys_act, place, query, before_columns, after_columns, rows };
                    group.give(Item::Rows(item), &mut self.out);
                }
                if head.ends_statement {
                    group.tables.clear();
                    group.client = None;
                }
            }
            kind::QUERY | kind::MARIADB_QUERY_COMPRESSED | kind::EXECUTE_LOAD_QUERY => {
                let extra = if code == kind::EXECUTE_LOAD_QUERY { 13 } else { 0 };
                let packed = code == kind::MARIADB_QUERY_COMPRESSED;
                let mut statement = query::statement(body, packed, extra, seconds, place.clone(), self.explicit).map_err(flawed)?;
                statement.alone = group.phase == Phase::Head;
                if !group.head.not_done {
                    group.give(Item::Statement(statement), &mut self.out);
                }
            }
            other => return Err(BinlogError::Unknown { kind: other, place }),
        }
        Ok(())
    }

    /// The transaction has happened; what is held goes out first.
    fn committed(&mut self) -> Result<(), BinlogError> {
        if let Some(spool) = self.group.as_mut().and_then(|group| group.spool.take()) {
            self.replay = Some(Replay { reader: spool.into_reader()?, file: self.place.file.clone() });
        } else {
            self.commit();
        }
        Ok(())
    }

    fn commit(&mut self) {
        let Some(mut group) = self.group.take() else { return };
        self.note(&group);
        if group.applied {
            self.skipped();
        } else {
            group.flush(&mut self.out);
            self.out.push_back(Item::Commit(self.position()));
        }
    }

    /// The group changes nothing by itself.
    fn pass(&mut self) {
        let Some(group) = self.group.take() else { return };
        self.note(&group);
        if group.applied {
            self.skipped();
        } else {
            self.out.push_back(Item::Moved(self.position()));
        }
    }

    /// Nothing new, but a caller that waits shall get a word now and then.
    fn skipped(&mut self) {
        if let Some(applied) = &self.applied {
            self.out.push_back(Item::Moved(applied.clone()));
        }
    }

    /// Notes the GTID of what has happened, and by what its place is known again. Without a GTID the set no longer says how far the task has
    /// come, so it is dropped.
    fn note(&mut self, group: &Group) {
        if let Some(mark) = &mut self.mark {
            mark.passed(group.landmark);
        }
        match &group.head.gtid {
            Some(gtid) => {
                if let Some(set) = &mut self.gtid {
                    set.insert(gtid);
                }
            }
            None => self.gtid = None,
        }
    }

    /// `ROLLBACK` at the end of a group: what it held has not happened.
    fn rolled_back(&mut self, _offset: u64) -> Result<(), BinlogError> {
        if let Some(group) = &mut self.group
            && group.handed
        {
            self.out.push_back(Item::Rollback);
        }
        self.pass();
        Ok(())
    }

    /// The file ended in the middle of a group.
    fn abandon(&mut self) {
        self.payload = None;
        if let Some(group) = self.group.take()
            && group.handed
        {
            self.out.push_back(Item::Rollback);
        }
    }
}

#[cfg(test)]
mod tests;
