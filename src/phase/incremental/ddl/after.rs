//! The definitions after a statement.

use std::collections::BTreeMap;

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
    phase::incremental::history::History,
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
        for effect in &plan.effects {
            match effect {
                Effect::Emptied { .. } | Effect::Exchanged { .. } => {}
                Effect::Gone { source, .. } => {
                    after.remove(source);
                    changes.push(SchemaChange::Gone(source.clone()));
                }
                Effect::Renamed { from, to } => {
                    after.rename(&from.0, &to.0);
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
        Ok((changes, after))
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
