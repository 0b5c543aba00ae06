//! DT231: is there more in the selected databases than tables? (Requirements D05.)

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::TriggerMode;

pub(super) const CHECK: Check = Check { code: "DT231", name: "not-carried", ignorable: Ignorable::Alerts, run };

/// Names given as examples.
const NAMED: usize = 5;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (database, destination) in &facts.scope.databases {
        let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let whole = facts.scope.whole.contains(database);
        for object in facts.source.catalog.others.iter().filter(|o| &o.database == database) {
            // Sequences of whole databases are carried with the tables, views and programs after the rows.
            let carried = match object.kind.as_str() {
                "sequence" => true,
                "trigger" => facts.spec.schema.triggers == TriggerMode::Auto,
                "view" | "function" | "procedure" | "event" => facts.spec.phases.schema,
                _ => false,
            };
            let excluded = object.kind == "view"
                && !facts.scope.programs.keys().any(|(k, n)| k == "view" && n.table == object.name && n.database == object.database);
            if !whole || !carried || excluded {
                by_kind.entry(&object.kind).or_default().push(&object.name);
            }
        }
        if by_kind.is_empty() {
            continue;
        }
        let counts: Vec<String> =
            by_kind.iter().map(|(kind, names)| format!("{} {kind}{}", names.len(), if names.len() == 1 { "" } else { "s" })).collect();
        let names: Vec<&str> = by_kind.values().flatten().copied().collect();
        let mut listed = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        if names.len() > NAMED {
            listed.push_str(", ...");
        }
        let cause = format!("not carried from source database {database}: {} ({listed})", counts.join(", "));
        findings.push(if whole {
            CHECK.alert(
                destination.clone(),
                cause,
                "create them at the destination when you cut over; an apply writes the statements for triggers beside its state file",
            )
        } else {
            CHECK.info(destination.clone(), cause, "select the whole database to have them carried")
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::OtherObject,
        precheck::bench::Bench,
        spec::{Pattern, TableSelection},
    };

    #[test]
    fn views_and_routines_are_listed() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        for (kind, name) in [("view", "v1"), ("view", "v2"), ("trigger", "tr"), ("sequence", "s")] {
            bench.source.others.push(OtherObject {
                kind: kind.into(),
                database: "shop".into(),
                name: name.into(),
                create: String::new(),
                position: None,
                session: None,
            });
        }
        assert_eq!(bench.causes(&CHECK), ["not carried from source database shop: 1 trigger (tr)"]);
        bench.spec.phases.schema = false;
        assert_eq!(bench.causes(&CHECK), ["not carried from source database shop: 1 trigger, 2 views (tr, v1, v2)"]);
        assert_eq!(bench.run(&CHECK), ["alert shop"]);
        let named = TableSelection { name: Pattern::new("t"), rename: None, filter: None, columns: None, operations: None };
        bench.spec.objects[0].tables = Some(vec![named]);
        assert_eq!(bench.run(&CHECK), ["info shop"]);
    }
}
