//! The definitions of the followed tables at the position that has been applied.
//!
//! It begins with the source's catalog at the snapshot and advances with each DDL statement. The source's definitions are kept in
//! `dts.dtsctl_schema`, written in the transaction that notes the statement as done; those of the destination are read from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    catalog::{ColumnMap, Table, TableName},
    destination::CopyTable,
};

/// How the doubt begins of a table whose definition was changed at the source and not here: what its columns are, only the binlog can say.
const UNSEEN: &str = "columns in doubt: ";

/// How the doubt begins of a table that bears another name at the source since a statement that was not carried: rows under the old name
/// and the new may be those of any table.
const RENAMED: &str = "names in doubt: ";

/// What a statement that is not carried leaves in doubt: the spec leaves it out, or it failed at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// The table's columns.
    Definition,
    /// Which table it is.
    Name,
}

/// The followed tables, by their names at the source.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Definitions at the source.
    sources: BTreeMap<TableName, Table>,
    /// Both definitions, where the destination has the table.
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

    /// A statement about the table that failed at the destination, for the message when rows no longer fit: its place and error.
    pub fn doubt(&self, source: &TableName) -> Option<&str> {
        self.doubts.get(source).map(String::as_str)
    }

    /// Why its columns at the source may be others than the definition says: its definition was changed by a statement that was not carried.
    pub(super) fn unseen(&self, source: &TableName) -> Option<&str> {
        self.doubt(source).filter(|doubt| doubt.starts_with(UNSEEN))
    }

    /// Why what is called so at the source may be another table: it was renamed by a statement that was not carried.
    pub(super) fn renamed(&self, source: &TableName) -> Option<&str> {
        self.doubt(source).filter(|doubt| doubt.starts_with(RENAMED))
    }

    /// The doubt that a statement leaves which was not carried, for this reason.
    pub(super) fn doubt_of(what: LeftOut, why: &str) -> String {
        let begins = match what {
            LeftOut::Definition => UNSEEN,
            LeftOut::Name => RENAMED,
        };
        format!("{begins}{why}")
    }

    /// Its definition at the source; also where the destination has no such table.
    pub(super) fn source(&self, source: &TableName) -> Option<&Table> {
        self.sources.get(source)
    }

    /// The table is followed.
    pub(super) fn follows(&self, source: &TableName) -> bool {
        self.sources.contains_key(source)
    }

    /// Names of all followed tables.
    pub(super) fn names(&self) -> impl Iterator<Item = &TableName> {
        self.sources.keys()
    }

    /// Foreign keys of followed tables that change rows refer to the table.
    pub(super) fn has_children(&self, parent: &TableName) -> bool {
        self.sources.values().any(|table| table.cascading_keys().iter().any(|key| &key.parent == parent))
    }

    /// Takes a definition over; `destination` is the table that it is written to, under the columns' names that `columns` gives.
    pub(super) fn set(&mut self, source: Table, destination: Option<Table>, columns: &ColumnMap) {
        let name = source.name.clone();
        // What was not carried stays so, whatever comes after it.
        if self.unseen(&name).or_else(|| self.renamed(&name)).is_none() {
            self.doubts.remove(&name);
        }
        match destination {
            Some(destination) => {
                self.tables.insert(name.clone(), Arc::new(CopyTable::mapped(source.clone(), destination, columns, false)));
            }
            None => drop(self.tables.remove(&name)),
        }
        self.sources.insert(name, source);
    }

    /// Notes that the full copy brought its rows.
    pub(super) fn set_copied(&mut self, source: TableName) {
        self.copied.insert(source);
    }

    pub(super) fn remove(&mut self, source: &TableName) {
        self.sources.remove(source);
        self.tables.remove(source);
        self.copied.remove(source);
        self.doubts.remove(source);
    }

    /// The table bears another name; its definition under that one comes with [`History::set`].
    pub(super) fn rename(&mut self, from: &TableName, to: &TableName) {
        let copied = self.copied.contains(from);
        let left_out = self.unseen(from).or_else(|| self.renamed(from)).map(str::to_owned);
        let source = self.sources.get(from).cloned();
        self.remove(from);
        self.remove(to);
        if let Some(mut source) = source {
            source.name = to.clone();
            self.sources.insert(to.clone(), source);
        }
        if copied {
            self.copied.insert(to.clone());
        }
        if let Some(doubt) = left_out {
            self.doubts.insert(to.clone(), doubt);
        }
    }

    pub(super) fn set_doubt(&mut self, source: TableName, text: String) {
        self.doubts.insert(source, text);
    }
}
