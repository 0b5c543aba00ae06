//! DT264: would a rename take a table out of the selection? (Requirements C11.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT264", name: "rename-hazard", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follows() {
        return Vec::new();
    }
    let selection = facts.spec.selection();
    facts
        .scope
        .databases
        .iter()
        .filter(|(source, _)| !selection.whole_database(source))
        .map(|(source, destination)| {
            CHECK.alert(
                destination.clone(),
                format!("only tables of source database {source} are selected: renaming one to a name that is not selected stops the task"),
                "select the whole database, and those that tables may be renamed to, or agree on no renames",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;
    use crate::spec::{Pattern, TableSelection};

    #[test]
    fn tables_selected_by_name_alert() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let named = TableSelection { name: Pattern::new("t"), rename: None, filter: None, columns: None, operations: None };
        bench.spec.objects[0].tables = Some(vec![named]);
        assert_eq!(bench.run(&CHECK), ["alert shop"]);
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
