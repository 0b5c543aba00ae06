//! DT282: are the rows of a table whose copy has begun still chosen as they were? (Requirement D13.) Once the binlog is followed DT272 asks it.

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT282", name: "filter-changed", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let changed = facts.tables.iter().filter(|table| {
        let noted = facts.progress.filters.get(&table.pair.source);
        noted.is_some_and(|noted| *noted != table.pair.columns.rows_digest())
    });
    changed
        .map(|table| {
            let cause = format!(
                "`where` of {} has changed since its copy began: the rows at the destination were chosen otherwise",
                table.pair.source
            );
            CHECK.failed(table.object(), cause, "put the condition back, or begin anew with `dtsctl apply --restart`")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::TableName, precheck::bench::Bench};

    #[test]
    fn another_condition_blocks_a_table_that_has_begun() {
        let mut bench = Bench::new();
        let name = TableName::new("shop", "t");
        bench.progress.filters.insert(name.clone(), String::new());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects = vec![crate::plan::sample::filtered("shop", "t", "id > 1")];
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        let digest = bench.with(|facts| facts.tables[0].pair.columns.rows_digest());
        bench.progress.filters.insert(name, digest);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects = vec![crate::plan::sample::filtered("shop", "t", "id > 2")];
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }
}
