//! The definitions of the followed tables at the position that has been applied.
//!
//! It begins with the source's catalog at the snapshot and advances with each DDL statement. The source's definitions are kept in
//! `dts.dtsctl_schema`, written in the transaction that notes the statement as done; those of the destination are read from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{catalog::TableName, destination::CopyTable};

/// The followed tables, by their names at the source.
#[derive(Debug, Clone, Default)]
pub struct History {
    tables: BTreeMap<TableName, Arc<CopyTable>>,
    /// Tables whose rows the full copy brings: those that were there at the snapshot.
    copied: BTreeSet<TableName>,
    doubts: BTreeMap<TableName, String>,
}

impl History {
    /// The definitions of a followed table at the applied position.
    pub fn table(&self, source: &TableName) -> Option<&Arc<CopyTable>> {
        self.tables.get(source)
    }

    /// All of them.
    pub fn tables(&self) -> impl Iterator<Item = (&TableName, &Arc<CopyTable>)> {
        self.tables.iter()
    }

    /// The table was there at the snapshot, so the full copy carries its rows.
    pub fn is_copied(&self, source: &TableName) -> bool {
        self.copied.contains(source)
    }

    /// A statement about the table that failed at the destination, for the message when rows no longer fit: its text, place and error.
    pub fn doubt(&self, source: &TableName) -> Option<&str> {
        self.doubts.get(source).map(String::as_str)
    }

    /// Begins with these tables, all of which the full copy brought.
    pub fn begin(&mut self, tables: Vec<CopyTable>) {
        for table in tables {
            self.copied.insert(table.source.name.clone());
            self.tables.insert(table.source.name.clone(), Arc::new(table));
        }
    }
}
