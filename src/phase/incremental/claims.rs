//! Which batch under way holds which values, and what of a batch has to wait for whom.
//!
//! A batch need not wait as a whole: rows that share nothing with an earlier unfinished batch are written at once, the others when that
//! batch has been committed, in the same transaction. Rows that hang together (one takes over a unique value that another gives up) stay
//! together.

use std::sync::Arc;

use super::{fold::Folded, followed::Followed, hash::ByHash};
use crate::{
    binlog::Image,
    destination::change::{Batch, TableChanges},
};

/// A part of a batch, and the batch that must have been committed before it is written; 0 for none.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) after: u64,
    pub(super) batch: Batch,
}

/// Values and tables of the batches under way, by the number of the last batch that holds them.
#[derive(Default)]
pub(super) struct Claims {
    values: ByHash<u64>,
    /// Tables touched at all.
    touched: ByHash<u64>,
    /// Tables touched by rows that must be taken for neighbours of all others.
    wild: ByHash<u64>,
}

/// One row, or one table whose changes stay in order.
struct Row {
    /// Where its hashes begin in the list of all.
    from: usize,
    upto: usize,
    /// Neighbour of all of its table.
    wild: bool,
    /// Index of its table among those of the batch.
    table: usize,
    waits: bool,
}

/// Above so many values what is finished is cleared away.
const MANY: usize = 1 << 17;

impl Claims {
    /// Divides a batch by what may be written at once and what must wait, and notes what it holds. `committed` is the last batch that is.
    pub(super) fn divide(&mut self, number: u64, committed: u64, folded: Folded) -> Vec<Part> {
        if self.values.len() > MANY {
            for held in [&mut self.values, &mut self.touched, &mut self.wild] {
                held.retain(|_, by| *by > committed);
            }
        }
        let Folded { batch, tables: (keyed, ordered), .. } = folded;
        let (mut rows, hashes) = rows_of(&batch, &keyed, ordered.len());
        let tables: Vec<&Arc<Followed>> = keyed.iter().chain(&ordered).collect();
        let after = self.wait(&mut rows, &hashes, &tables, committed);
        for row in &rows {
            let id = tables[row.table].id;
            for hash in &hashes[row.from..row.upto] {
                self.values.insert(*hash, number);
            }
            if row.wild {
                self.wild.insert(id, number);
            }
        }
        for table in &tables {
            self.touched.insert(table.id, number);
        }
        if after == 0 {
            return vec![Part { after: 0, batch }];
        }
        if rows.iter().all(|row| row.waits) {
            return vec![Part { after, batch }];
        }
        let (now, later) = parted(batch, &rows);
        vec![Part { after: 0, batch: now }, Part { after, batch: later }]
    }

    /// Marks the rows that must wait and says for which batch.
    fn wait(&self, rows: &mut [Row], hashes: &[u64], tables: &[&Arc<Followed>], committed: u64) -> u64 {
        let held = |map: &ByHash<u64>, key: u64| map.get(&key).copied().filter(|by| *by > committed).unwrap_or(0);
        let mut after = 0;
        let wild: Vec<u64> = tables.iter().map(|table| held(&self.wild, table.id)).collect();
        let touched: Vec<u64> = tables.iter().map(|table| held(&self.touched, table.id)).collect();
        for row in rows.iter_mut() {
            let mut by = if row.wild { touched[row.table] } else { wild[row.table] };
            for hash in &hashes[row.from..row.upto] {
                by = by.max(held(&self.values, *hash));
            }
            row.waits = by > 0;
            after = after.max(by);
        }
        if after == 0 {
            return 0;
        }
        // Whoever shares a value with a row that waits must wait too.
        let mut waiting: ByHash<()> = ByHash::default();
        let mut tables_waiting = vec![(false, false); tables.len()];
        let mut known = 0;
        loop {
            let mut count = 0;
            for row in rows.iter_mut() {
                let values = &hashes[row.from..row.upto];
                let (any, wild) = tables_waiting[row.table];
                row.waits = row.waits || wild || row.wild && any || values.iter().any(|hash| waiting.contains_key(hash));
                if row.waits {
                    count += 1;
                    waiting.extend(values.iter().map(|hash| (*hash, ())));
                    tables_waiting[row.table] = (true, wild || row.wild);
                }
            }
            if count == known {
                return after;
            }
            known = count;
        }
    }
}

/// Rows in the order in which [`parted`] walks them, and all of their hashes.
fn rows_of(batch: &Batch, keyed: &[Arc<Followed>], ordered: usize) -> (Vec<Row>, Vec<u64>) {
    let count: usize = batch.keyed.iter().map(|t| t.deletes.len() + t.updates.len() + t.inserts.len()).sum();
    let (mut rows, mut hashes) = (Vec::with_capacity(count + ordered), Vec::with_capacity(count * 2));
    for (table, (changes, followed)) in batch.keyed.iter().zip(keyed).enumerate() {
        let mut add = |images: &[&Image]| {
            let from = hashes.len();
            let mut told = true;
            for image in images {
                told &= followed.hashes(image, &mut hashes);
            }
            rows.push(Row { from, upto: hashes.len(), wild: !told, table, waits: false });
        };
        changes.deletes.iter().for_each(|image| add(&[image]));
        changes.updates.iter().for_each(|(before, after)| add(&[before, after]));
        changes.inserts.iter().for_each(|image| add(&[image]));
    }
    for table in 0..ordered {
        rows.push(Row { from: hashes.len(), upto: hashes.len(), wild: true, table: keyed.len() + table, waits: false });
    }
    (rows, hashes)
}

/// Divides a batch into what need not wait and what must.
fn parted(batch: Batch, rows: &[Row]) -> (Batch, Batch) {
    let (mut now, mut later) = (Batch::default(), Batch::default());
    let mut row = rows.iter();
    let mut waits = || row.next().is_some_and(|row| row.waits);
    for changes in batch.keyed {
        let empty = || TableChanges { table: Arc::clone(&changes.table), deletes: Vec::new(), updates: Vec::new(), inserts: Vec::new() };
        let (mut first, mut second) = (empty(), empty());
        for image in changes.deletes {
            if waits() { second.deletes.push(image) } else { first.deletes.push(image) }
        }
        for images in changes.updates {
            if waits() { second.updates.push(images) } else { first.updates.push(images) }
        }
        for image in changes.inserts {
            if waits() { second.inserts.push(image) } else { first.inserts.push(image) }
        }
        for (changes, to) in [(first, &mut now), (second, &mut later)] {
            if !(changes.deletes.is_empty() && changes.updates.is_empty() && changes.inserts.is_empty()) {
                to.keyed.push(changes);
            }
        }
    }
    for (table, changes) in batch.ordered {
        let to = if waits() { &mut later } else { &mut now };
        to.ordered.push((table, changes));
    }
    (now, later)
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
