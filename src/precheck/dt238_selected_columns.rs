//! DT238: are the columns there that the spec leaves out or renames, and does each have a name of its own? (Requirements D01, D07.)

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, Ignorable};
use crate::{plan::column_map, spec::Pattern};

pub(super) const CHECK: Check = Check { code: "DT238", name: "selected-columns", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in facts.tables.iter().filter(|t| !t.pair.columns.is_plain()) {
        let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for column in &table.source.columns {
            if let Some(name) = table.pair.columns.name(&column.name) {
                by_name.entry(name.to_lowercase()).or_default().push(&column.name);
            }
        }
        for (name, columns) in by_name.iter().filter(|(_, columns)| columns.len() > 1) {
            let cause = format!("columns {} of {} would all be called {name}", columns.join(" and "), table.pair.source);
            findings.push(CHECK.failed(table.object(), cause, "give each another name under `columns: {rename: ...}`"));
        }
    }
    let selection = facts.spec.selection();
    for object in selection.databases() {
        for entry in object.tables.iter().flatten().filter(|entry| entry.columns.is_some()) {
            let of_entry = |table: &&super::facts::Selected<'_>| {
                let name = &table.pair.source;
                selection.table(&name.database, &name.table).and_then(|s| s.entry).is_some_and(|e| std::ptr::eq(e, entry))
            };
            let tables: Vec<_> = facts.tables.iter().filter(of_entry).collect();
            let Some(first) = tables.first() else { continue };
            let Some(selected) = selection.table(&first.pair.source.database, &first.pair.source.table) else { continue };
            for name in column_map(&selected, selection.column_case()).named() {
                // A glob's columns need not be in every table, but in one.
                if !tables.iter().any(|t| t.source.columns.iter().any(|c| c.name.to_lowercase() == name)) {
                    let place = place(&object.database, &entry.name);
                    findings.push(CHECK.failed(
                        place.clone(),
                        format!("the spec names a column {name}, and {place} has none"),
                        "correct the name under `columns`, or take it out",
                    ));
                }
            }
        }
    }
    findings
}

fn place(database: &Pattern, table: &Pattern) -> String {
    format!("{database}.{table}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{precheck::bench::Bench, spec::ColumnSelection};

    #[test]
    fn columns_that_are_named_must_be_there_and_keep_apart() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let columns: Vec<String> = bench.source.tables[0].columns.iter().map(|c| c.name.clone()).collect();
        let (first, second) = (columns[0].clone(), columns[1].clone());
        let mut select = |exclude: &[&str], rename: &[(&str, &str)]| {
            let columns = ColumnSelection {
                exclude: exclude.iter().map(|s| (*s).to_owned()).collect(),
                rename: rename.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            };
            bench.spec.objects = vec![crate::plan::sample::with_columns("shop", "t", columns)];
            bench.run(&CHECK)
        };
        assert_eq!(select(&[&second.to_uppercase()], &[]), Vec::<String>::new());
        assert_eq!(select(&["nowhere"], &[]), ["failed shop.t"]);
        assert_eq!(select(&[], &[(&first, &second)]), ["failed shop.t"]);
        assert_eq!(select(&[], &[(&first, &second), (&second, &first)]), Vec::<String>::new());
    }
}
