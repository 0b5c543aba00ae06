//! XA transactions that are prepared, and whose fate comes later, under another GTID, perhaps after a restart of either end.

use std::collections::HashMap;

use crate::binlog::{event::Xid, position::Position, spool::Spool};

/// What is prepared, by its identity.
#[derive(Default)]
pub(super) struct Pending {
    known: HashMap<Xid, (Position, Spool, u64)>,
    next: u64,
}

impl Pending {
    /// Notes a prepared transaction with the position before its first event.
    pub(super) fn insert(&mut self, xid: Xid, start: Position, spool: Spool) {
        self.known.insert(xid, (start, spool, self.next));
        self.next += 1;
    }

    /// Takes one out, because it is committed or rolled back.
    pub(super) fn remove(&mut self, xid: &Xid) -> Option<(Position, Spool)> {
        self.known.remove(xid).map(|(start, spool, _)| (start, spool))
    }

    /// Where the first of them begins.
    pub(super) fn earliest(&self) -> Option<Position> {
        self.known.values().min_by_key(|(_, _, number)| *number).map(|(start, _, _)| start.clone())
    }
}
