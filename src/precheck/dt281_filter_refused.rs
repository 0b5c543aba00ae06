//! DT281: does the source take the conditions under `where`? (Requirement D13.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT281", name: "filter-refused", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.follows_already() {
        return Vec::new();
    }
    let refused = facts.tables.iter().filter_map(|table| Some((table, facts.gathered.refused_filters.get(&table.pair.source)?)));
    refused
        .map(|(table, said)| {
            let cause = format!("the source refuses the condition under `where` of {}: {}", table.pair.source, said.trim_end_matches('.'));
            CHECK.failed(
                table.object(),
                cause,
                "correct the condition; it must work as `SELECT 1 FROM table WHERE condition` at the source",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::TableName, precheck::bench::Bench};

    #[test]
    fn what_the_source_says_is_told() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.refused_filters.insert(TableName::new("shop", "t"), "no such thing.".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }
}
