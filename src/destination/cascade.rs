//! What foreign keys of the source did on their own, for the destination to do again.
//!
//! MariaDB, and MySQL before 9.6, leave it to the engine: the binlog has the parent's row and nothing of the children's (trap 10). A server's own
//! replica lets its engine do it again. Here the statements are our own, since the destination's keys may be others, or none, and would
//! refuse or do things besides.
//!
//! The hard idea: it is done at its place among the changes of the transaction, never folded with what comes before or after it.

use std::{collections::BTreeMap, sync::Arc};

use super::{CopyTable, change::RowOperations};
use crate::{
    binlog::{Image, Position},
    catalog::{Reaction, TableName},
};

/// A foreign key between two followed tables that changes the child's rows.
#[derive(Debug)]
pub struct CascadeKey {
    /// Its name at the source.
    pub name: String,
    /// The child, whose rows change.
    pub child: Arc<CopyTable>,
    /// Changes before it are in the child's copy, which was read at one exact position.
    pub start: Option<Position>,
    /// The row operations that the spec carries of the child.
    pub operations: RowOperations,
    /// Columns of the source's tables: the parent's, and the child's that refers to it.
    pub columns: Vec<(usize, usize)>,
    /// When the parent's row goes.
    pub on_delete: Reaction,
    /// When one of the parent's columns gets another value.
    pub on_update: Reaction,
    /// Why it cannot be done at the destination.
    pub unfit: Option<String>,
}

/// All of them, by the parent's name at the source.
#[derive(Debug, Default)]
pub struct Cascades {
    keys: BTreeMap<TableName, Vec<CascadeKey>>,
}

impl Cascades {
    /// Those keys.
    pub fn new(keys: BTreeMap<TableName, Vec<CascadeKey>>) -> Self {
        Self { keys }
    }

    /// The keys that refer to a table.
    pub fn of(&self, parent: &TableName) -> &[CascadeKey] {
        self.keys.get(parent).map(Vec::as_slice).unwrap_or_default()
    }

    /// A change of a row of this table makes a key act. What counts are bytes: a value that only its collation takes for the same is another
    /// to the engine too (`row_upd_changes_first_fields_binary`).
    pub fn act(&self, parent: &TableName, before: &Image, after: Option<&Image>) -> bool {
        self.of(parent).iter().any(|key| key.acts(before, after))
    }
}

impl CascadeKey {
    /// A change of the parent's row makes it act.
    pub fn acts(&self, before: &Image, after: Option<&Image>) -> bool {
        match after {
            None => self.on_delete != Reaction::Nothing,
            Some(after) => {
                let changed = |&(parent, _): &(usize, usize)| before.cell(parent) != after.cell(parent);
                // Of what cannot be compared nothing is known.
                self.on_update != Reaction::Nothing && (self.columns.is_empty() || self.columns.iter().any(changed))
            }
        }
    }
}

/// A change of a parent's row, whose keys acted.
#[derive(Debug, Clone)]
pub struct Cascade {
    /// The keys at that place of the binlog.
    pub keys: Arc<Cascades>,
    /// The parent.
    pub parent: Arc<CopyTable>,
    /// Its row before; with the source's columns.
    pub before: Image,
    /// Its row after; `None` when it is gone.
    pub after: Option<Image>,
    /// The position before its transaction.
    pub at: Arc<Position>,
}
