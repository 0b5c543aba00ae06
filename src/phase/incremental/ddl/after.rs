//! The definitions after a statement.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    DdlError, Occurrence,
    carrier::Carrier,
    decide::{Effect, Plan, Stop},
    definitions::{self, Sides},
    reading::Read,
};
use crate::{
    binlog::Statement,
    catalog::{Table, TableName},
    ddl::statement::{NameKind, PieceKind},
    destination::mysql::ddl::{Before, SchemaChange, SchemaRow},
    phase::incremental::{cascades::After, history::History},
};

impl Carrier {
    /// The history after the statement and what of it is to be written.
    pub(super) fn definitions_after(
        &mut self,
        at: Occurrence<'_>,
        read: &Read,
        plan: &Plan,
        before: Option<&Before>,
        history: &History,
    ) -> Result<(Vec<SchemaChange>, History), DdlError> {
        let names: Vec<TableName> = plan.effects.iter().flat_map(Effect::touches).cloned().collect();
        let there = self.tables(&names)?;
        let flavors = (self.settings.source.flavor, self.destination_flavor()?);
        let json = definitions::declared_json(&read.text, read.mode);
        let mut after = history.clone();
        // By the name at the time: destination definitions travel with a rename. What the history has of them was read when the run
        // began, which was after the statement when the run before it ended behind it.
        let noted = |place: &TableName| before.and_then(|b| b.tables.get(&place.to_string())).cloned();
        let mut former: BTreeMap<TableName, Table> = history
            .names()
            .filter_map(|name| {
                let known = || history.table(name).map(|t| t.destination.clone());
                Some((name.clone(), self.settings.names.table(name).and_then(|place| noted(&place)).or_else(known)?))
            })
            .collect();
        let mut changes = Vec::new();
        let mut renamed: BTreeMap<TableName, TableName> = BTreeMap::new();
        for effect in &plan.effects {
            match effect {
                Effect::Emptied { .. } | Effect::Exchanged { .. } => {}
                Effect::Gone { source, .. } => {
                    after.remove(source);
                    changes.push(SchemaChange::Gone(source.clone()));
                }
                Effect::Renamed { from, to } => {
                    after.rename(&from.0, &to.0);
                    renamed.insert(from.0.clone(), to.0.clone());
                    if let Some(table) = former.remove(&from.0) {
                        former.insert(to.0.clone(), table);
                    }
                    changes.push(SchemaChange::Renamed { from: from.0.clone(), to: to.0.clone(), destination: to.1.clone() });
                }
                Effect::Made { source, destination } | Effect::Changed { source, destination } => {
                    let made = matches!(effect, Effect::Made { .. });
                    let Some(now) = there.get(destination) else {
                        return Err(self.stop(
                            at,
                            read.classified.class.words(),
                            Stop {
                                code: "ddl-table-missing",
                                reason: format!("the destination has no table {destination} after it"),
                                hint: "see who drops tables there; `dtsctl apply --restart` copies anew".to_owned(),
                            },
                        ));
                    };
                    let like = read.classified.of_kind(NameKind::Like).next().map(|n| self.source_name(n, at.statement));
                    let definition = match like.as_ref().and_then(|like| history.source(like)) {
                        Some(like) if made => Table { name: source.clone(), ..like.clone() },
                        _ => {
                            let sides = former.get(source).filter(|_| !made).map(|t| (after.source(source), t));
                            let sides = sides.and_then(|(s, d)| Some(Sides { source: s?, destination: d }));
                            let found = definitions::after(source, sides, now, flavors, &json);
                            found.map_err(|reason| {
                                self.stop(
                                    at,
                                    read.classified.class.words(),
                                    Stop {
                                        code: "ddl-columns-differ",
                                        reason: format!("{source}: {reason}"),
                                        hint: "make the destination's columns those of the source; then `dtsctl apply --restart`"
                                            .to_owned(),
                                    },
                                )
                            })?
                        }
                    };
                    let mut definition = own_columns(definition, &read.text, made);
                    let keys = After { names: self.settings.names.as_ref(), before: history, after: &after, renamed: &renamed };
                    definition.cascades = Some(match (former.get(source).filter(|_| !made), after.source(source)) {
                        (Some(former), Some(known)) => {
                            keys.changed(&Table { cascades: known.cascades.clone(), ..definition.clone() }, former, now)
                        }
                        // `LIKE` takes no foreign keys over, and so there are none.
                        _ => keys.made(&definition, now),
                    });
                    // The destination's engine is not the source's; in which order rows lie there hangs on it.
                    let named = read.classified.pieces.iter().rfind(|p| p.kind == PieceKind::Engine);
                    match named {
                        Some(piece) => definition.engine.clone_from(&piece.value),
                        None if made && like.is_none() => definition.engine.clone_from(&self.settings.source.engine),
                        None => {}
                    }
                    let copied = !made && after.is_copied(source);
                    if made {
                        after.remove(source);
                    }
                    after.set(definition.clone(), Some(now.clone()), &self.settings.names.columns(source));
                    let doubt = after.doubt(source).map(str::to_owned);
                    let row = SchemaRow { source: source.clone(), copied, definition: Some(definition), doubt };
                    changes.push(SchemaChange::Set { row: Box::new(row), destination: destination.clone(), made });
                }
            }
        }
        self.children_after(plan, &renamed, &former, history, &mut after, &mut changes)?;
        Ok((changes, after))
    }

    /// Foreign keys name their parents and the parents' columns: what a statement calls otherwise they call so too, without being named in it.
    fn children_after(
        &mut self,
        plan: &Plan,
        renamed: &BTreeMap<TableName, TableName>,
        former: &BTreeMap<TableName, Table>,
        history: &History,
        after: &mut History,
        changes: &mut Vec<SchemaChange>,
    ) -> Result<(), DdlError> {
        let touched = |effect: &Effect| match effect {
            Effect::Changed { source, .. } => Some(source.clone()),
            Effect::Renamed { from, .. } => Some(from.0.clone()),
            _ => None,
        };
        let parents: BTreeSet<TableName> = plan.effects.iter().filter_map(touched).collect();
        let names = Arc::clone(&self.settings.names);
        let children = After { names: names.as_ref(), before: history, after, renamed }.children(&parents);
        let places: Vec<TableName> = children.iter().filter_map(|child| names.table(child)).collect();
        let there = self.tables(&places)?;
        for child in children {
            let Some(now) = names.table(&child).and_then(|place| there.get(&place)) else { continue };
            let (Some(known), Some(former)) = (after.source(&child).cloned(), former.get(&child)) else { continue };
            let keys = After { names: names.as_ref(), before: history, after, renamed }.changed(&known, former, now);
            if known.cascades.as_ref() == Some(&keys) {
                continue;
            }
            let definition = Table { cascades: Some(keys), ..known };
            let (copied, doubt) = (after.is_copied(&child), after.doubt(&child).map(str::to_owned));
            after.set(definition.clone(), Some(now.clone()), &names.columns(&child));
            let row = SchemaRow { source: child, copied, definition: Some(definition), doubt };
            changes.push(SchemaChange::Set { row: Box::new(row), destination: now.name.clone(), made: false });
        }
        Ok(())
    }

    fn source_name(&self, name: &crate::ddl::statement::Name, statement: &Statement) -> TableName {
        let fold = |text: &str| if self.settings.source.folds { text.to_lowercase() } else { text.to_owned() };
        TableName::new(fold(name.database.as_deref().unwrap_or(&statement.database)), fold(&name.name))
    }
}

/// A column that a server with `sql_generate_invisible_primary_key` gave the table is not the source's.
fn own_columns(table: Table, text: &str, made: bool) -> Table {
    const GENERATED: &str = "my_row_id";
    let given = table.columns.iter().position(|c| c.invisible && c.auto_increment && c.name == GENERATED);
    match given.filter(|_| made && !text.to_lowercase().contains(GENERATED)) {
        Some(at) => definitions::without(table, at),
        None => table,
    }
}
