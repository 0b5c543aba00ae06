//! Folding: what a run of row changes comes to, per row.
//!
//! Rows are told apart by the exact bytes of their key, never by what a collation takes for equal: `a` and `A` are two entries, and since
//! deletes go first when a batch is written, a key that changes only its case is right too. A change of a key is a delete of the old row and
//! an insert of the new one.
//!
//! What the net effect forgets must not matter. While the copy may have brought newer rows ([`Certainty::Repeatable`]) a row that was
//! inserted and deleted again may be there all the same, so its delete stays.

use std::sync::Arc;

use super::{
    followed::Followed,
    hash::{self, ByHash},
};
use crate::{
    binlog::Image,
    destination::{
        DestinationError,
        change::{Batch, Certainty, Conflict, ConflictKind, OnConflict, RowChange, RowOperations, TableChanges},
    },
};

/// What has become of one row so far.
#[derive(Debug)]
enum Net {
    /// Was not there, is there.
    Inserted(Image),
    /// Was there, is there.
    Updated(Image, Image),
    /// Was there, is gone.
    Deleted(Image),
    /// Was not there, and is not there.
    Passing(Image),
}

struct Entry {
    /// The next entry with the same hash.
    next: Option<u32>,
    net: Net,
}

/// One table with a key.
struct Keyed {
    table: Arc<Followed>,
    heads: ByHash<u32>,
    entries: Vec<Entry>,
}

/// Row changes on their way to a [`Batch`].
pub(super) struct Folder {
    certainty: Certainty,
    keyed: Vec<Keyed>,
    ordered: Vec<(Arc<Followed>, Vec<RowChange>)>,
    /// Rows that did not follow from the ones before them: a cascade that the binlog does not show, say.
    conflicts: Vec<Conflict>,
    /// Changes taken in.
    pub(super) rows: u64,
}

/// What changes come to.
pub(super) struct Folded {
    /// What is to be written.
    pub(super) batch: Batch,
    /// Tables of `batch.keyed` and of `batch.ordered`, in their order.
    pub(super) tables: (Vec<Arc<Followed>>, Vec<Arc<Followed>>),
    /// What was not as it had to be already within the changes.
    pub(super) conflicts: Vec<Conflict>,
}

impl Folder {
    pub(super) fn new(certainty: Certainty) -> Self {
        Self { certainty, keyed: Vec::new(), ordered: Vec::new(), conflicts: Vec::new(), rows: 0 }
    }

    pub(super) fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Takes changes of one table in, in the order in which they happened.
    ///
    /// # Errors
    /// [`DestinationError::Conflict`] when one does not follow from those before it and the policy is to fail.
    pub(super) fn take(&mut self, table: &Arc<Followed>, changes: Vec<RowChange>) -> Result<(), DestinationError> {
        self.rows += changes.len() as u64;
        let changes = self.carried(table, changes);
        if changes.is_empty() {
            return Ok(());
        }
        let Some(key) = &table.key else {
            match self.ordered.iter_mut().find(|(t, _)| Arc::ptr_eq(t, table)) {
                Some((_, list)) => list.extend(changes),
                None => self.ordered.push((Arc::clone(table), changes)),
            }
            return Ok(());
        };
        let at = self.keyed.iter().position(|k| Arc::ptr_eq(&k.table, table)).unwrap_or_else(|| {
            self.keyed.push(Keyed { table: Arc::clone(table), heads: ByHash::default(), entries: Vec::new() });
            self.keyed.len() - 1
        });
        let keyed = &mut self.keyed[at];
        for change in changes {
            let odd = match change {
                RowChange::Insert(image) => keyed.insert(key, image, self.certainty),
                RowChange::Delete(image) => keyed.delete(key, image),
                RowChange::Update { before, after } => {
                    if key.iter().all(|&c| before.cell(c) == after.cell(c)) {
                        keyed.update(key, before, after, self.certainty)
                    } else {
                        let odd = keyed.delete(key, before);
                        odd.or(keyed.insert(key, after, self.certainty))
                    }
                }
            };
            if let (Some(kind), Certainty::Strict(policy)) = (odd, self.certainty) {
                let key: Vec<String> = key.iter().map(|&c| table.copy.source.columns[c].name.clone()).collect();
                if policy == OnConflict::Fail {
                    return Err(DestinationError::Conflict { table: table.copy.destination.name.clone(), kind, key, rows: 1 });
                }
                let name = &table.copy.source.name;
                match self.conflicts.iter_mut().find(|c| &c.table == name && c.kind == kind) {
                    Some(known) => known.rows += 1,
                    None => self.conflicts.push(Conflict { table: name.clone(), kind, key, rows: 1 }),
                }
            }
        }
        Ok(())
    }

    /// What the spec carries of them (`operations`); what it leaves out is counted. While the copy may have brought newer rows all are
    /// carried: the rows are right only then, and a choice has something to begin from (decision 082).
    fn carried(&mut self, table: &Followed, mut changes: Vec<RowChange>) -> Vec<RowChange> {
        let operations = table.copy.operations;
        if operations == RowOperations::ALL || matches!(self.certainty, Certainty::Repeatable(_)) {
            return changes;
        }
        let conflicts = &mut self.conflicts;
        changes.retain(|change| {
            let Some(kind) = operations.left_out(change) else { return true };
            let name = &table.copy.source.name;
            match conflicts.iter_mut().find(|c| c.kind == kind && &c.table == name) {
                Some(known) => known.rows += 1,
                None => conflicts.push(Conflict { table: name.clone(), kind, key: Vec::new(), rows: 1 }),
            }
            false
        });
        changes
    }

    /// Counts what the reader has left out.
    pub(super) fn note(&mut self, left_out: &[Conflict]) {
        Conflict::merge(&mut self.conflicts, left_out);
    }

    /// The net effect.
    pub(super) fn finish(self) -> Folded {
        let repeatable = matches!(self.certainty, Certainty::Repeatable(_));
        let mut batch = Batch::default();
        let mut tables = (Vec::with_capacity(self.keyed.len()), Vec::with_capacity(self.ordered.len()));
        for keyed in self.keyed {
            let copy = Arc::clone(&keyed.table.copy);
            let mut changes = TableChanges { table: copy, deletes: Vec::new(), updates: Vec::new(), inserts: Vec::new() };
            for entry in keyed.entries {
                match entry.net {
                    Net::Inserted(image) => changes.inserts.push(image),
                    Net::Updated(before, after) if repeatable || before != after => changes.updates.push((before, after)),
                    Net::Deleted(image) => changes.deletes.push(image),
                    Net::Passing(image) if repeatable => changes.deletes.push(image),
                    Net::Updated(..) | Net::Passing(_) => {}
                }
            }
            if !(changes.deletes.is_empty() && changes.updates.is_empty() && changes.inserts.is_empty()) {
                batch.keyed.push(changes);
                tables.0.push(keyed.table);
            }
        }
        for (table, changes) in self.ordered {
            batch.ordered.push((Arc::clone(&table.copy), changes));
            tables.1.push(table);
        }
        Folded { batch, tables, conflicts: self.conflicts }
    }
}

fn hash_of(key: &[usize], image: &Image) -> u64 {
    // Columns of a key by which rows are told apart are never NULL.
    key.iter().fold(0, |hash, &column| hash::add(hash, image.cell(column).unwrap_or_default()))
}

impl Keyed {
    /// The entry of the row with this key.
    fn find(&mut self, key: &[usize], hash: u64, image: &Image) -> Option<&mut Net> {
        let mut at = self.heads.get(&hash).copied();
        while let Some(index) = at {
            let entry = &self.entries[index as usize];
            let (Net::Inserted(known) | Net::Updated(known, _) | Net::Deleted(known) | Net::Passing(known)) = &entry.net;
            if key.iter().all(|&column| known.cell(column) == image.cell(column)) {
                return Some(&mut self.entries[index as usize].net);
            }
            at = entry.next;
        }
        None
    }

    fn add(&mut self, hash: u64, net: Net) {
        let index = u32::try_from(self.entries.len()).expect("a batch has fewer than four thousand million rows");
        let next = self.heads.insert(hash, index);
        self.entries.push(Entry { next, net });
    }

    fn insert(&mut self, key: &[usize], image: Image, certainty: Certainty) -> Option<ConflictKind> {
        let hash = hash_of(key, &image);
        let Some(net) = self.find(key, hash, &image) else {
            self.add(hash, Net::Inserted(image));
            return None;
        };
        let mut odd = None;
        let taken = std::mem::replace(net, Net::Passing(Image::default()));
        *net = match taken {
            Net::Passing(_) => Net::Inserted(image),
            Net::Deleted(before) => Net::Updated(before, image),
            there @ (Net::Inserted(_) | Net::Updated(..)) => {
                odd = Some(ConflictKind::InsertExists);
                match there {
                    there if certainty == Certainty::Strict(OnConflict::Ignore) => there,
                    Net::Updated(before, _) => Net::Updated(before, image),
                    _ => Net::Inserted(image),
                }
            }
        };
        odd
    }

    fn delete(&mut self, key: &[usize], image: Image) -> Option<ConflictKind> {
        let hash = hash_of(key, &image);
        let Some(net) = self.find(key, hash, &image) else {
            self.add(hash, Net::Deleted(image));
            return None;
        };
        let mut odd = None;
        let taken = std::mem::replace(net, Net::Passing(Image::default()));
        *net = match taken {
            Net::Inserted(_) => Net::Passing(image),
            Net::Updated(before, _) => Net::Deleted(before),
            gone @ (Net::Deleted(_) | Net::Passing(_)) => {
                odd = Some(ConflictKind::DeleteMissing);
                gone
            }
        };
        odd
    }

    fn update(&mut self, key: &[usize], before: Image, after: Image, certainty: Certainty) -> Option<ConflictKind> {
        let hash = hash_of(key, &before);
        let Some(net) = self.find(key, hash, &before) else {
            self.add(hash, Net::Updated(before, after));
            return None;
        };
        let mut odd = None;
        let taken = std::mem::replace(net, Net::Passing(Image::default()));
        *net = match taken {
            Net::Inserted(_) => Net::Inserted(after),
            Net::Updated(first, _) => Net::Updated(first, after),
            gone @ (Net::Deleted(_) | Net::Passing(_)) => {
                odd = Some(ConflictKind::UpdateMissing);
                match gone {
                    gone if certainty == Certainty::Strict(OnConflict::Ignore) => gone,
                    Net::Deleted(first) => Net::Updated(first, after),
                    _ => Net::Inserted(after),
                }
            }
        };
        odd
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
