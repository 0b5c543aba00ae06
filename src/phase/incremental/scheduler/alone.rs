//! Transactions that are written alone, in steps: those too large for memory, as they are read, and those in which foreign keys of the source
//! acted (decision 087), whose children's changes have their place among the others and are in no binlog.

use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use super::super::{
    FollowError,
    error::Stretch,
    fold::Folder,
    lanes::{Piece, Work},
    unit::{Rows, Window},
};
use super::Scheduler;
use crate::destination::{
    cascade::Cascade,
    change::{Conflict, RowChange},
};

/// A lane that is busy with a step is asked again after so long.
const PIECE: Duration = Duration::from_millis(2);

/// A transaction that is written as it is read.
pub(super) struct Large {
    pub(super) number: u64,
    pub(super) pieces: SyncSender<Piece>,
    pub(super) row_events: u64,
    pub(super) bytes: usize,
    pub(super) conflicts: Vec<Conflict>,
}

impl Scheduler<'_, '_> {
    pub(super) fn window(&mut self, window: Window) -> Result<(), FollowError> {
        self.caught_up = false;
        let mut large = match self.large.take() {
            Some(large) => large,
            None => self.begin_large()?,
        };
        let Window { rows, count, bytes, .. } = window;
        self.fold_piece(&mut large, rows, count, bytes)?;
        self.large = Some(large);
        Ok(())
    }

    /// Begins a transaction that is written alone, when all before it is committed.
    pub(super) fn begin_large(&mut self) -> Result<Large, FollowError> {
        if self.open.is_some() {
            self.submit(true)?;
        }
        self.drain()?;
        self.number += 1;
        let (pieces, received) = sync_channel(1);
        self.lanes.submit(Work::Large(self.number, received, Box::new(self.position.clone())));
        Ok(Large { number: self.number, pieces, row_events: 0, bytes: 0, conflicts: Vec::new() })
    }

    /// Writes a part of a transaction, in as many steps as foreign keys make necessary.
    pub(super) fn fold_piece(&mut self, large: &mut Large, rows: Vec<Rows>, count: u64, bytes: usize) -> Result<(), FollowError> {
        let mut folder = Folder::new(self.certainty());
        for rows in rows {
            if !self.has_keys(&rows) {
                if !rows.in_copy {
                    self.fold_judged(&mut folder, rows, Stretch::After)?;
                }
                continue;
            }
            let Rows { table, changes, keys_act, in_copy } = rows;
            let at = Arc::new(self.position.clone());
            let mut changes = changes.into_iter().peekable();
            while changes.peek().is_some() {
                let mut some = Rows { table: Arc::clone(&table), changes: Vec::new(), keys_act, in_copy };
                let mut acted = Vec::new();
                while let Some(change) = changes.next_if(|change| acted.is_empty() || self.acts(&some, change)) {
                    if self.acts(&some, &change) {
                        let (before, after) = match change.clone() {
                            RowChange::Delete(image) => (image, None),
                            RowChange::Update { before, after } => (before, Some(after)),
                            RowChange::Insert(_) => continue,
                        };
                        acted.push(Cascade {
                            keys: Arc::clone(&self.cascades),
                            parent: Arc::clone(&table.copy),
                            before,
                            after,
                            at: Arc::clone(&at),
                        });
                    }
                    some.changes.push(change);
                }
                if !in_copy {
                    self.fold_judged(&mut folder, some, Stretch::After)?;
                }
                if !acted.is_empty() {
                    let folder = std::mem::replace(&mut folder, Folder::new(self.certainty()));
                    self.step(large, folder, acted)?;
                }
            }
        }
        large.row_events += count;
        large.bytes += bytes;
        if !self.pace.is_free() {
            self.pace.pay(count, bytes as u64, &[self.settings.stop]);
        }
        self.step(large, folder, Vec::new())
    }

    /// Foreign keys of the source may have acted on changes of them.
    pub(super) fn has_keys(&self, rows: &Rows) -> bool {
        rows.keys_act && !self.cascades.of(&rows.table.copy.source.name).is_empty()
    }

    /// Foreign keys of the source did something because of a change.
    pub(super) fn acts(&self, rows: &Rows, change: &RowChange) -> bool {
        let parent = &rows.table.copy.source.name;
        match change {
            RowChange::Insert(_) => false,
            RowChange::Delete(image) => self.cascades.act(parent, image, None),
            RowChange::Update { before, after } => self.cascades.act(parent, before, Some(after)),
        }
    }

    fn step(&mut self, large: &mut Large, folder: Folder, acted: Vec<Cascade>) -> Result<(), FollowError> {
        let certainty = folder.certainty();
        let folded = folder.finish();
        large.conflicts.extend(folded.conflicts);
        let mut batch = folded.batch;
        batch.cascades = acted;
        if batch.is_empty() {
            return Ok(());
        }
        self.piece(large, Piece::Rows(batch, certainty))
    }

    /// Hands a piece to the lane that writes the large transaction. Never gives one up: without it the others must not be committed.
    pub(super) fn piece(&mut self, large: &Large, mut piece: Piece) -> Result<(), FollowError> {
        tracing::trace!(batch = large.number, "window of a large transaction");
        loop {
            match large.pieces.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) => {
                    piece = back;
                    self.look()?;
                    std::thread::park_timeout(PIECE);
                }
                Err(TrySendError::Disconnected(_)) => {
                    // The lane has failed; wait until it has said why.
                    self.lanes.drain();
                    return Err(self.failure());
                }
            }
        }
    }
}
