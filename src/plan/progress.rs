//! What earlier applies of the same spec have done, as the destination's `dts` tables tell it.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::TableName;

/// What is done already. Filled by the caller; empty before the first apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Destination tables that this sync has created.
    pub created: BTreeSet<TableName>,
    /// Source tables whose copy has begun.
    pub started: BTreeSet<TableName>,
    /// Source tables whose copy is finished.
    pub copied: BTreeSet<TableName>,
    /// Source tables with rows at the destination that were read under no snapshot whose place in the binlog is known.
    pub unplaced: BTreeSet<TableName>,
    /// Digests of the conditions by which rows were chosen, of source tables whose copy has begun; empty for all rows.
    pub filters: BTreeMap<TableName, String>,
}

impl Progress {
    /// This sync has written to the table, or created it: its being there is no conflict.
    pub fn owns(&self, source: &TableName, destination: &TableName) -> bool {
        self.created.contains(destination) || self.started.contains(source) || self.copied.contains(source)
    }
}
