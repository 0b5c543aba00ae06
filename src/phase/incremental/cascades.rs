//! Which foreign keys of the source change rows that the binlog does not show, at the position that has been applied.
//!
//! They are part of each table's definition in the [`History`]. What a statement made of them is told from the destination, where it ran: a key
//! that the destination has is as it is there, under the source's names; one that it never had stays until the table goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{history::History, names::Names};
use crate::{
    binlog::Position,
    catalog::{CascadingKey, Table, TableName},
    destination::cascade::{CascadeKey, Cascades},
};

/// The keys by their parents.
pub(super) fn of(history: &History, names: &dyn Names, starts: &BTreeMap<TableName, Position>) -> Arc<Cascades> {
    let parents: BTreeSet<&TableName> =
        history.names().filter_map(|name| history.source(name)).flat_map(Table::cascading_keys).map(|key| &key.parent).collect();
    let mut found: BTreeMap<TableName, Vec<CascadeKey>> = BTreeMap::new();
    for (name, copy) in history.tables() {
        let Some(child) = history.source(name) else { continue };
        for key in child.cascading_keys() {
            let Some(parent) = history.source(&key.parent) else { continue };
            let at = |table: &Table, column: &str| table.columns.iter().position(|c| c.name.to_lowercase() == column.to_lowercase());
            let columns: Option<Vec<(usize, usize)>> =
                key.columns.iter().zip(&key.parent_columns).map(|(c, p)| Some((at(parent, p)?, at(child, c)?))).collect();
            let doubt = || history.doubt(name).map(str::to_owned);
            // What the parent's own rows were when they reacted is asked of the destination.
            let unasked = || {
                let copy = history.table(&key.parent)?;
                let there = |p: usize| copy.columns.iter().any(|&(source, _)| source == p);
                let &(column, _) = columns.as_ref()?.iter().find(|&&(p, _)| !there(p))?;
                let reacts = !parent.cascading_keys().is_empty();
                reacts.then(|| format!("column {} of {} does not go to the destination", parent.columns[column].name, parent.name))
            };
            let unfit = key.why_not(parent, child, &names.columns(name), parents.contains(name)).or_else(doubt).or_else(unasked);
            found.entry(key.parent.clone()).or_default().push(CascadeKey {
                name: key.name.clone(),
                child: Arc::clone(copy),
                start: starts.get(name).cloned(),
                operations: names.row_operations(name),
                columns: columns.unwrap_or_default(),
                on_delete: key.on_delete,
                on_update: key.on_update,
                unfit,
            });
        }
    }
    Arc::new(Cascades::new(found))
}

/// A table's keys at the source behind a statement.
pub(super) struct After<'a> {
    pub(super) names: &'a dyn Names,
    /// Before the statement.
    pub(super) before: &'a History,
    /// Behind it, as far as it is known.
    pub(super) after: &'a History,
    /// Source names that the statement changed.
    pub(super) renamed: &'a BTreeMap<TableName, TableName>,
}

impl After<'_> {
    /// Those of a table that was there: `definition` is the source's with the keys of before, `former` and `now` the destination's.
    pub(super) fn changed(&self, definition: &Table, former: &Table, now: &Table) -> Vec<CascadingKey> {
        let follow = |mut key: CascadingKey| {
            if let Some(to) = self.renamed.get(&key.parent) {
                key.parent.clone_from(to);
            }
            key
        };
        let here_before: Vec<CascadingKey> =
            former.cascading_keys().iter().filter_map(|key| back(self.before, self.names, definition, former, key)).map(follow).collect();
        let mut here = self.made(definition, now);
        // By the name too: after a crash behind the statement the destination is known as it is since.
        let is_here = |key: &CascadingKey| here.iter().any(|known| known.is_like(key) || (!key.name.is_empty() && known.name == key.name));
        let mut keys: Vec<CascadingKey> = definition.cascading_keys().iter().cloned().map(follow).collect();
        keys.retain(|key| !is_here(key) && !here_before.iter().any(|known| known.is_like(key)));
        keys.append(&mut here);
        keys
    }

    /// Those of a table that came with the statement.
    pub(super) fn made(&self, definition: &Table, now: &Table) -> Vec<CascadingKey> {
        now.cascading_keys().iter().filter_map(|key| back(self.after, self.names, definition, now, key)).collect()
    }

    /// Tables whose keys refer to one of these, by the names of before.
    pub(super) fn children(&self, parents: &BTreeSet<TableName>) -> Vec<TableName> {
        let refers = |name: &&TableName| {
            let keys = self.after.source(name).map(Table::cascading_keys).unwrap_or_default();
            keys.iter().any(|key| parents.contains(&key.parent))
        };
        self.after.names().filter(refers).cloned().collect()
    }
}

/// The keys of a table that an older version has noted without them: those that the destination has.
pub(super) fn noted(history: &History, names: &dyn Names, source: &Table, destination: &Table) -> Vec<CascadingKey> {
    destination.cascading_keys().iter().filter_map(|key| back(history, names, source, destination, key)).collect()
}

/// A key of the destination's table `there` under the names of the source's table `here`; `None` when its parent is not followed.
fn back(history: &History, names: &dyn Names, here: &Table, there: &Table, key: &CascadingKey) -> Option<CascadingKey> {
    let same = |place: &TableName| {
        // A server that folds names prints them in small letters.
        place == &key.parent || place.to_string().to_lowercase() == key.parent.to_string().to_lowercase()
    };
    let itself = (key.parent == there.name).then_some(&here.name);
    let of_here = |name: &&TableName| name.database == here.name.database;
    let candidates: Vec<&TableName> = history.names().filter(|name| names.table(name).is_some_and(|place| same(&place))).collect();
    let parent = itself.or_else(|| candidates.iter().copied().find(of_here)).or_else(|| candidates.first().copied())?;
    let column = |table: &TableName, definition: Option<&Table>, name: &String| {
        let map = names.columns(table);
        let is = |source: &str| map.name(source).is_some_and(|there| there.to_lowercase() == name.to_lowercase());
        let found = definition.and_then(|d| d.columns.iter().find(|c| is(&c.name)));
        found.map_or_else(|| name.clone(), |c| c.name.clone())
    };
    let parents = if *parent == here.name { Some(here) } else { history.source(parent) };
    Some(CascadingKey {
        columns: key.columns.iter().map(|name| column(&here.name, Some(here), name)).collect(),
        parent: parent.clone(),
        parent_columns: key.parent_columns.iter().map(|name| column(parent, parents, name)).collect(),
        ..key.clone()
    })
}
