//! Two catalogs and a mapping of names in, the changes at the destination out.
//!
//! No input, no output, no clock: what is decided here can be decided again offline and comes out the same. The hard idea: the
//! statements are made of the clauses of the source server's own `SHOW CREATE TABLE` text, translated where the other vendor spells them
//! otherwise, and the same translated clauses are what an existing table is compared with, so that "would be made like this" and "is
//! like this" can never disagree.

pub mod accounts;
mod align;
mod change;
mod columns;
mod compare;
pub mod mapping;
mod objects;
mod program_text;
mod programs;
mod render;
mod shape;
mod tables;
mod translate;
mod widen;

pub use change::*;
pub use tables::{common_columns, differences};
pub use translate::{collation_at, engine_at};

use std::collections::HashSet;

use crate::{
    catalog::{Catalog, Table, TableName},
    connect::ServerInfo,
    ddl::{Clause, Definition},
};

/// Both sides and the choices between them.
struct Sides<'a> {
    source: &'a Catalog,
    source_info: &'a ServerInfo,
    destination: &'a Catalog,
    destination_info: &'a ServerInfo,
    mapping: &'a dyn Mapping,
    options: &'a Options<'a>,
    ambiguous: HashSet<(String, String)>,
}

impl Sides<'_> {
    fn way(&self) -> translate::Way<'_> {
        translate::Way {
            from: self.source_info.flavor,
            to: self.destination_info.flavor,
            destination: self.destination,
            mapping: self.mapping,
            engine: self.options.engine.as_deref(),
            ambiguous: &self.ambiguous,
        }
    }

    /// Whether two names of the destination are one.
    fn same(&self, a: &str, b: &str) -> bool {
        a == b || (self.destination_info.folds_names() && a.to_lowercase() == b.to_lowercase())
    }

    fn destination_table(&self, name: &TableName) -> Option<&Table> {
        // Catalogs are sorted by name, and almost always the name is spelt alike.
        let found = self.destination.tables.binary_search_by(|t| t.name.cmp(name)).ok().map(|at| &self.destination.tables[at]);
        if found.is_some() || !self.destination_info.folds_names() {
            return found;
        }
        self.destination.tables.iter().find(|t| self.same(&t.name.database, &name.database) && self.same(&t.name.table, &name.table))
    }
}

/// What must change at the destination so that its schema is the source's.
pub fn changes(
    source: &Catalog,
    source_info: &ServerInfo,
    destination: &Catalog,
    destination_info: &ServerInfo,
    mapping: &dyn Mapping,
    options: &Options<'_>,
) -> Diff {
    let ambiguous = ambiguous_names(source, mapping);
    let sides = Sides { source, source_info, destination, destination_info, mapping, options, ambiguous };
    let mut diff = Diff::default();
    objects::databases(&sides, &mut diff);
    objects::sequences(&sides, &mut diff);
    for table in &source.tables {
        tables::table(&sides, table, &mut diff);
    }
    programs::programs(&sides, &mut diff);
    in_order(&mut diff);
    diff.notes.sort();
    diff.notes.dedup();
    diff.cutover.sort_by(|a, b| (a.kind, &a.object).cmp(&(b.kind, &b.object)));
    diff
}

/// Stable: within a stage and part, the order in which they were found. Parts are ordered as they depend on each other.
fn in_order(diff: &mut Diff) {
    diff.changes.sort_by_key(|c| (c.stage, if c.stage == Stage::After { Some(c.part) } else { None }));
}

/// Constraint names that more than one table of a destination database would have.
fn ambiguous_names(source: &Catalog, mapping: &dyn Mapping) -> HashSet<(String, String)> {
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for table in source.tables.iter().filter(|t| t.create.contains("\n  CONSTRAINT `")) {
        let (Some(name), Ok(definition)) = (mapping.table(&table.name), Definition::parse(&table.create)) else { continue };
        for item in &definition.items {
            let constraint = match &item.clause {
                Clause::ForeignKey(key) => key.name.as_ref(),
                Clause::Check(check) => check.name.as_ref(),
                _ => None,
            };
            let key = constraint.map(|c| (name.database.to_lowercase(), c.to_lowercase()));
            if let Some(key) = key.filter(|k| !seen.insert(k.clone())) {
                twice.insert(key);
            }
        }
    }
    twice
}

#[cfg(test)]
mod tests;
