//! DT265: can changes of the selected tables be followed? (D-precheck: storage engine.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT265", name: "followable-engines", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follows() {
        return Vec::new();
    }
    let left_out = facts.scope.skipped.iter().map(|skipped| {
        CHECK.failed(
            skipped.table.to_string(),
            format!("the table is selected and its changes cannot be followed: {}", skipped.reason),
            "exclude it in the spec",
        )
    });
    let memory = facts.tables.iter().filter(|t| t.source.engine.eq_ignore_ascii_case("MEMORY")).map(|t| {
        CHECK.alert(
            t.object(),
            "engine MEMORY: a restart of the source empties the table, which its binlog shows only once somebody uses it again",
            "exclude it in the spec, or ALTER TABLE ... ENGINE=InnoDB at the source",
        )
    });
    left_out.chain(memory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn tables_whose_rows_lie_elsewhere_fail() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().engine = "FEDERATED".into();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.table().engine = "MEMORY".into();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
