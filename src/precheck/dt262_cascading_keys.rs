//! DT262: do foreign keys change rows that neither the binlog nor dtsctl can tell of? (Requirements C04, traps.md 10.)

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Facts, Finding, Ignorable};
use crate::catalog::{CascadingKey, Table, TableName};

pub(super) const CHECK: Check = Check { code: "DT262", name: "cascading-keys", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.source.info;
    let logged = info.flavor.may_log_cascades() && !info.is_on("innodb_native_foreign_keys");
    if !facts.logs() || logged {
        return Vec::new();
    }
    let tables: BTreeMap<&TableName, &Table> = facts.tables.iter().map(|t| (&t.source.name, t.source)).collect();
    let parents: BTreeSet<&TableName> = tables.values().flat_map(|table| table.cascading_keys()).map(|key| &key.parent).collect();
    let mut found = Vec::new();
    for child in &facts.tables {
        for key in child.source.cascading_keys() {
            let others = facts.gathered.other_writers.get(&child.pair.destination).and_then(|tasks| tasks.first());
            let why = match (tables.get(&key.parent), others) {
                (None, _) => Some("its parent is not selected".to_owned()),
                (_, Some(task)) => Some(format!("task {task} writes the table too, and its rows may refer to the same values")),
                (Some(parent), None) => key
                    .why_not(parent, child.source, &child.pair.columns, parents.contains(&child.source.name))
                    .or_else(|| unasked(facts, parent, key)),
            };
            found.extend(why.map(|why| {
                let CascadingKey { name, parent, .. } = key;
                CHECK.alert(
                    child.object(),
                    format!(
                        "foreign key {name} ({key}) changes rows when those of {parent} change, this source's binlog does not show it, and it \
                         cannot be done again: {why}"
                    ),
                    "let applications delete and update the child rows themselves, and run `dtsctl verify` before cutting over",
                )
            }));
        }
    }
    found
}

/// Rows of a parent that react themselves are asked of the destination, which must have the columns.
fn unasked(facts: &Facts<'_>, parent: &Table, key: &CascadingKey) -> Option<String> {
    let pair = facts.tables.iter().find(|t| t.source.name == parent.name)?.pair;
    let lost = key.parent_columns.iter().find(|name| pair.columns.name(name).is_none())?;
    (!parent.cascading_keys().is_empty()).then(|| format!("column {lost} of {} does not go to the destination", parent.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::Reaction, connect::Flavor, precheck::bench::Bench};

    #[test]
    fn a_key_alerts_that_cannot_be_done_again_where_the_binlog_does_not_show_it() {
        let mut bench = Bench::following();
        let (own, column) = (bench.table().name.clone(), bench.table().columns[0].name.clone());
        let key = |parent: TableName| CascadingKey {
            name: "fk".into(),
            columns: vec![column.clone()],
            parent,
            parent_columns: vec![column.clone()],
            on_delete: Reaction::Cascade,
            on_update: Reaction::Nothing,
        };
        bench.table().cascades = Some(vec![key(own)]);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "it is done again");
        bench.gathered.other_writers.insert(TableName::new("shop", "t"), ["crm".to_owned()].into_iter().collect());
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.gathered.other_writers.clear();
        bench.table().cascades = Some(vec![key(TableName::new("shop", "elsewhere"))]);
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.source_info.flavor = Flavor::parse("9.7.4", "").expect("a version");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("innodb_native_foreign_keys".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.mariadb_source();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
