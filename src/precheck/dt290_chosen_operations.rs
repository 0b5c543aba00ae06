//! DT290: does the spec leave out operations (`operations`, requirements D12), so that the destination will differ by choice?

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::Operation;

pub(super) const CHECK: Check = Check { code: "DT290", name: "chosen-operations", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follows() {
        return Vec::new();
    }
    let selection = facts.spec.selection();
    let mut findings = Vec::new();
    for (source, destination) in &facts.scope.databases {
        let Some(object) = selection.database(source) else { continue };
        let own = |table: &crate::spec::TableSelection| table.operations.is_some();
        // Tables that all have lists of their own leave nothing to the database's.
        let counts = object.tables.as_ref().is_none_or(|tables| !tables.iter().all(own));
        let whole = object.tables.is_none();
        findings.extend(object.operations.as_deref().filter(|_| counts).and_then(|list| finding(destination.clone(), list, whole)));
    }
    for pair in &facts.scope.pairs {
        let entry = selection.table(&pair.source.database, &pair.source.table).and_then(|selected| selected.entry);
        let own = entry.and_then(|entry| entry.operations.as_deref());
        findings.extend(own.and_then(|list| finding(pair.destination.to_string(), list, false)));
    }
    findings
}

fn finding(object: String, list: &[Operation], whole: bool) -> Option<Finding> {
    let missing: Vec<Operation> =
        Operation::ALL.into_iter().filter(|o| !list.contains(o) && (whole || !o.is_of_whole_databases())).collect();
    if missing.is_empty() {
        return None;
    }
    let names = missing.iter().map(|o| o.name()).collect::<Vec<_>>().join(", ");
    let mut cause = format!("`operations` leaves out {names}");
    if missing.iter().any(|o| o.is_of_rows()) {
        cause.push_str(": rows will differ from the source's by choice, and `verify` counts them as different");
    }
    if missing.contains(&Operation::AlterTable) {
        cause.push_str("; rows that come after an ALTER TABLE stop the task unless binlog_row_metadata is FULL and columns are as before");
    }
    if missing.contains(&Operation::RenameTable) {
        cause.push_str("; rows of a table that was renamed stop the task");
    }
    Some(CHECK.alert(
        object,
        cause,
        "see that this is meant; it holds from the end of the copy on, and cannot be changed without `--restart`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;
    use crate::spec::{Pattern, TableSelection};

    #[test]
    fn what_is_left_out_is_told_for_the_database_or_the_table() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects[0].operations = Some(vec![Operation::Insert]);
        assert_eq!(bench.run(&CHECK), ["alert shop"]);
        let table = |operations| TableSelection { name: Pattern::new("t"), rename: None, filter: None, columns: None, operations };
        bench.spec.objects[0].tables = Some(vec![table(None)]);
        assert_eq!(bench.run(&CHECK), ["alert shop"]);
        bench.spec.objects[0].tables = Some(vec![table(Some(vec![Operation::Insert, Operation::Update]))]);
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.spec.objects[0].tables = Some(vec![table(Some(Operation::ALL.to_vec()))]);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects[0].tables = None;
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
