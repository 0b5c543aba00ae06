//! One transaction while it is read.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::binlog::{
    error::BinlogError,
    event::{Head, Xid},
    item::{Begin, Item},
    mark::Landmark,
    position::Position,
    spool::{Room, Spool},
    table_map::TableMap,
};

/// Of a transaction, so many bytes are kept back until its end is known.
const KEPT: usize = 2 << 20;

/// What kind of group it has shown itself to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Only its head was seen: the next statement may be all of it.
    Head,
    /// It ends with a COMMIT of some form.
    Open,
    /// An XA transaction, which ends with its PREPARE.
    Xa(Xid),
}

/// A transaction, or a statement that is one by itself.
pub(super) struct Group {
    pub(super) head: Head,
    pub(super) phase: Phase,
    /// Before its first event.
    pub(super) start: Position,
    /// By which its place is known again.
    pub(super) landmark: Option<Landmark>,
    /// Applied in an earlier run: its pieces go nowhere.
    pub(super) applied: bool,
    /// Some of it has been handed on.
    pub(super) handed: bool,
    /// Tables that the rows after this may name, `None` for those that are not wanted.
    pub(super) tables: HashMap<u64, Option<Arc<TableMap>>>,
    /// The client's statement.
    pub(super) client: Option<Arc<str>>,
    /// Raw events whose fate is open.
    pub(super) spool: Option<Spool>,
    begin: Option<Begin>,
    kept: VecDeque<Item>,
    kept_bytes: usize,
    savepoints: Vec<(String, u64)>,
    room: Room,
}

impl Group {
    pub(super) fn new(head: Head, begin: Begin, (start, landmark): (Position, Option<Landmark>), applied: bool, room: &Room) -> Self {
        let phase = if head.opens { Phase::Open } else { Phase::Head };
        let mut group = Self {
            phase,
            start,
            landmark,
            applied,
            handed: false,
            tables: HashMap::new(),
            client: None,
            spool: None,
            begin: Some(begin),
            kept: VecDeque::new(),
            kept_bytes: 0,
            savepoints: Vec::new(),
            room: room.clone(),
            head,
        };
        if let Some(xid) = group.head.prepares.clone() {
            group.hold(Phase::Xa(xid));
        }
        group
    }

    /// From now on what comes is held back as raw events.
    pub(super) fn hold(&mut self, phase: Phase) {
        self.phase = phase;
        self.spool.get_or_insert_with(|| Spool::new(self.room.clone()));
    }

    /// Holds an event back.
    pub(super) fn keep(&mut self, code: u8, seconds: u32, offset: u64, body: &[u8]) -> Result<(), BinlogError> {
        match &mut self.spool {
            Some(spool) => spool.push(code, seconds, offset, body),
            None => Ok(()),
        }
    }

    /// What comes may be rolled back to here. A savepoint of the same name is replaced, as the servers do.
    pub(super) fn savepoint(&mut self, name: String) {
        self.hold(self.phase.clone());
        self.savepoints.retain(|(known, _)| !same(known, &name));
        let mark = self.spool.as_ref().map_or(0, Spool::len);
        self.savepoints.push((name, mark));
    }

    /// It is no more than the DROP of the old table that MariaDB writes for a `CREATE OR REPLACE ... SELECT` that failed, and closes with
    /// ROLLBACK (seen on 10.11.18).
    pub(super) fn only_drops(&self) -> bool {
        const MARK: &[u8] = b"/* Generated to handle failed CREATE OR REPLACE */";
        let is_marked = |item: &Item| matches!(item, Item::Statement(s) if s.text.starts_with(b"DROP ") && s.text.ends_with(MARK));
        !self.handed && self.kept.len() == 1 && self.kept.iter().all(is_marked)
    }

    /// Forgets what came after the savepoint, and the savepoints after it. `false` when there is none of that name.
    pub(super) fn rollback_to(&mut self, name: &str) -> Result<bool, BinlogError> {
        let Some(at) = self.savepoints.iter().position(|(known, _)| same(known, name)) else { return Ok(false) };
        self.savepoints.truncate(at + 1);
        if let Some(spool) = &mut self.spool {
            spool.truncate(self.savepoints[at].1)?;
        }
        Ok(true)
    }

    /// Hands a piece on, or keeps it while the transaction is small.
    pub(super) fn give(&mut self, item: Item, out: &mut VecDeque<Item>) {
        if self.applied {
            return;
        }
        self.kept_bytes += match &item {
            Item::Rows(rows) => rows.rows.len() + 200,
            Item::Statement(statement) => statement.text.len() + 200,
            _ => 0,
        };
        self.kept.push_back(item);
        if self.kept_bytes > KEPT || self.handed {
            self.flush(out);
        }
    }

    /// Hands on all that is kept.
    pub(super) fn flush(&mut self, out: &mut VecDeque<Item>) {
        out.extend(self.begin.take().map(Item::Begin));
        out.append(&mut self.kept);
        self.handed = true;
    }
}

/// Names of savepoints do not hang on case. The quotes are the same in all of them.
fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
