//! DT228: do existing tables hold rows?

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::ExistingTables;

pub(super) const CHECK: Check = Check { code: "DT228", name: "destination-rows", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.full {
        return Vec::new();
    }
    let policy = facts.spec.conflict.existing_tables;
    let mut findings = Vec::new();
    for (table, _) in facts.strangers() {
        let object = table.object();
        match (facts.gathered.occupied.get(&table.pair.destination), policy) {
            (_, ExistingTables::Fail) | (Some(Some(false)) | None, _) => {}
            (Some(None), _) => findings.push(CHECK.alert(
                object,
                "the account may not see whether the existing table holds rows",
                "GRANT SELECT on the table TO the account at the destination",
            )),
            (Some(Some(true)), ExistingTables::Ignore) => findings.push(CHECK.alert(
                object,
                "the existing table holds rows: where a key is equal the destination's row is kept, and a table without a key gets rows twice",
                "empty the table, if its rows are not wanted",
            )),
            (Some(Some(true)), ExistingTables::Align) => findings.push(CHECK.failed(
                object,
                "the existing table holds rows, and the copied ones would collide with them",
                "empty the table, or choose `conflict.existing_tables: ignore` to keep its rows",
            )),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::TableName, precheck::bench::Bench};

    #[test]
    fn rows_in_existing_tables_by_policy() {
        let mut bench = Bench::new();
        bench.stranger();
        bench.spec.conflict.existing_tables = ExistingTables::Ignore;
        bench.gathered.occupied.insert(TableName::new("shop", "t"), Some(false));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.occupied.insert(TableName::new("shop", "t"), None);
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.gathered.occupied.insert(TableName::new("shop", "t"), Some(true));
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.spec.conflict.existing_tables = ExistingTables::Align;
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.own();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
