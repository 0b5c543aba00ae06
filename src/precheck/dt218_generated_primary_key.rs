//! DT218: do hidden keys that a server adds by itself get in the way? (Requirements 5.3.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT218", name: "generated-primary-key", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let keyless = || facts.tables.iter().filter(|t| !t.source.keys.iter().any(|k| k.is_primary()));
    let source = facts.source.info;
    let hidden = source.variable("show_gipk_in_create_table_and_information_schema").is_some()
        && !source.is_on("show_gipk_in_create_table_and_information_schema");
    if hidden {
        findings.extend(keyless().map(|t| {
            CHECK.alert(
                t.object(),
                "the source hides its generated keys, so the table looks keyless and its column my_row_id, if it has one, is not carried",
                "SET GLOBAL show_gipk_in_create_table_and_information_schema=ON at the source",
            )
        }));
    }
    if facts.destination.info.is_on("sql_generate_invisible_primary_key") && facts.spec.phases.schema {
        findings.extend(keyless().filter(|t| t.destination.is_none()).map(|t| {
            CHECK.alert(
                t.object(),
                "the table has no primary key and the destination would add a hidden one; dtsctl switches that off for its own session where it may",
                "SET GLOBAL sql_generate_invisible_primary_key=OFF at the destination, or add a primary key at the source",
            )
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn hidden_keys_alert_for_tables_without_one() {
        let mut bench = Bench::new();
        bench.destination_info.variables.insert("sql_generate_invisible_primary_key".into(), "ON".into());
        bench.source_info.variables.insert("show_gipk_in_create_table_and_information_schema".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().keys.clear();
        assert_eq!(bench.run(&CHECK), ["alert shop.t", "alert shop.t"]);
    }
}
