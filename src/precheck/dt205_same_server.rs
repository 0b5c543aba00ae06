//! DT205: does the task write over what it reads? (Requirements A08.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT205", name: "same-server", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.source.info.identity != facts.destination.info.identity {
        return Vec::new();
    }
    let folds = facts.source.info.folds_names();
    let key =
        |database: &str, table: &str| if folds { (database.to_lowercase(), table.to_lowercase()) } else { (database.into(), table.into()) };
    let onto_itself = |pair: &&crate::plan::Pair| {
        key(&pair.source.database, &pair.source.table) == key(&pair.destination.database, &pair.destination.table)
    };
    facts
        .scope
        .pairs
        .iter()
        .filter(onto_itself)
        .map(|pair| {
            CHECK.failed(
                pair.destination.to_string(),
                "source and destination are the same server, and the table would be copied onto itself",
                "check both addresses, or give the database or the table another name with `rename`",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn one_server_is_fine_under_other_names_only() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info = bench.source_info.clone();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.spec.objects = vec![sample::whole("shop", Some("shop_copy"), &[])];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects = vec![sample::whole("shop", Some("SHOP"), &[])];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("lower_case_table_names".into(), "1".into());
        assert_eq!(bench.run(&CHECK), ["failed SHOP.t"]);
    }
}
