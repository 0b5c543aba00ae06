//! DT283: may the account ask the source about row images of filtered tables? (Requirement D13.)

use std::collections::BTreeSet;

use super::{Check, Facts, Finding, Grants, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT283", name: "filter-rights", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.incremental {
        return Vec::new();
    }
    let grants = Grants::parse(&facts.gathered.source.grants);
    let databases: BTreeSet<&str> =
        facts.tables.iter().filter(|table| table.pair.columns.rows().is_some()).map(|table| table.pair.source.database.as_str()).collect();
    databases
        .into_iter()
        .filter(|database| !grants.has_on_database("CREATE TEMPORARY TABLES", database))
        .map(|database| {
            let cause = format!(
                "account {} lacks CREATE TEMPORARY TABLES on database {database} at the source, where changed rows are judged by `where`",
                facts.source.info.account
            );
            CHECK.failed(
                database.to_owned(),
                cause,
                format!("GRANT CREATE TEMPORARY TABLES ON `{database}`.* TO the account at the source"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn the_right_is_needed_where_filtered_tables_are_followed() {
        let mut bench = Bench::following();
        bench.gathered.source.grants = vec!["GRANT SELECT, REPLICATION SLAVE ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects = vec![crate::plan::sample::filtered("shop", "t", "id > 1")];
        assert_eq!(bench.run(&CHECK), ["failed shop"]);
        bench.gathered.source.grants.push("GRANT CREATE TEMPORARY TABLES ON `shop`.* TO `dts`@`%`".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.source.grants.pop();
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
