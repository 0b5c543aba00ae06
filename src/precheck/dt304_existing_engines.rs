//! DT304: can rows and progress be committed together in the tables that exist at the destination?
//!
//! What a table without transactions was given stays when the transaction is rolled back: after a crash it would be written again.

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::ExistingTables;

pub(super) const CHECK: Check = Check { code: "DT304", name: "existing-engines", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let writes = facts.spec.phases.full || facts.follows();
    // Under `align` the engine is altered first; under `fail` nothing is written to such a table.
    let used = facts.spec.conflict.existing_tables == ExistingTables::Ignore || !facts.spec.phases.schema;
    if !writes || !used {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (table, existing) in facts.strangers().filter(|(_, existing)| !existing.has_transactions()) {
        let engine = &existing.engine;
        let keyless = !existing.keys.iter().any(|key| key.unique);
        if keyless {
            findings.push(CHECK.failed(
                table.object(),
                format!("the destination's table is {engine}, which has no transactions, and no key tells its rows apart: a crash would leave rows twice"),
                "ALTER TABLE ... ENGINE=InnoDB at the destination",
            ));
        } else {
            findings.push(CHECK.alert(
                table.object(),
                format!("the destination's table is {engine}, which has no transactions: after a crash rows are written again, and readers see half a transaction"),
                "ALTER TABLE ... ENGINE=InnoDB at the destination",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn existing_tables_without_transactions() {
        let mut bench = Bench::new();
        bench.stranger().engine = "MyISAM".into();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "blocked by DT224");
        bench.spec.conflict.existing_tables = ExistingTables::Ignore;
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.stranger().engine = "MyISAM".into();
        bench.destination.tables[0].keys.clear();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.destination.tables[0].engine = "InnoDB".into();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
