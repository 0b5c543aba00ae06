//! DT225: do two tables go to one name?

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT225", name: "name-collisions", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let folds = facts.destination.info.folds_names();
    let mut by_name: BTreeMap<String, Vec<&crate::plan::Pair>> = BTreeMap::new();
    for pair in &facts.scope.pairs {
        let name = pair.destination.to_string();
        by_name.entry(if folds { name.to_lowercase() } else { name }).or_default().push(pair);
    }
    by_name
        .into_values()
        .filter(|pairs| pairs.len() > 1)
        .flat_map(|pairs| {
            let sources = pairs.iter().map(|p| p.source.to_string()).collect::<Vec<_>>().join(" and ");
            let why = if pairs.windows(2).all(|w| w[0].destination == w[1].destination) {
                ""
            } else {
                " there, where letter case does not count"
            };
            pairs
                .into_iter()
                .map(move |pair| {
                    CHECK.failed(
                        pair.destination.to_string(),
                        format!("{sources} go to one name{why}"),
                        "give one of them another name with `rename`, or exclude it",
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn two_tables_cannot_share_a_name() {
        let mut bench = Bench::new();
        bench.source = sample::catalog(vec![sample::table("shop", "t"), sample::table("shop", "T"), sample::table("crm", "t")]);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects.push(sample::whole("crm", Some("shop"), &[]));
        assert_eq!(bench.run(&CHECK), ["failed shop.t", "failed shop.t"]);
        bench.spec.objects.pop();
        bench.destination_info.variables.insert("lower_case_table_names".into(), "1".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.t", "failed shop.t"]);
        bench.destination_info.variables.insert("lower_case_table_names".into(), "2".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.t", "failed shop.t"]);
    }
}
