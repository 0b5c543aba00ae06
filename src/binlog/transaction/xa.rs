//! XA transactions that are prepared, and whose fate comes later, under another GTID, perhaps after a restart of either end.

use std::collections::HashMap;

use super::{Assembler, Replay};
use crate::binlog::{
    error::BinlogError,
    event::{self, Xid},
    position::{Place, Position},
    spool::Spool,
};

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

impl Assembler {
    pub(super) fn prepared(&mut self, offset: u64, body: &[u8]) -> Result<(), BinlogError> {
        let (one_phase, xid) = event::xa_prepare(body).map_err(|f| self.damaged(offset, &f.to_string()))?;
        if one_phase {
            return self.committed();
        }
        if let Some(group) = &mut self.group
            && let Some(spool) = group.spool.take()
        {
            self.xa.insert(xid, group.start.clone(), spool);
        }
        self.pass();
        Ok(())
    }

    pub(super) fn xa_committed(&mut self, xid: &Xid, offset: u64) -> Result<(), BinlogError> {
        let place = Place { file: self.place.file.clone(), offset };
        match self.xa.remove(xid) {
            Some((start, spool)) => {
                self.replay = Some(Replay { reader: spool.into_reader()?, file: start.place.file });
                Ok(())
            }
            None if self.group.as_ref().is_some_and(|group| group.applied) => {
                self.pass();
                Ok(())
            }
            None => Err(BinlogError::UnknownXa { xid: xid.to_string(), place }),
        }
    }
}
