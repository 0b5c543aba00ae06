//! DT221: can every row be told from the others? (Requirements B01.)

use super::{Check, Facts, Finding, Ignorable};
use crate::catalog::Walk;

pub(super) const CHECK: Check = Check { code: "DT221", name: "table-keys", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .tables
        .iter()
        .filter(|t| t.source.walk() == Walk::Whole && !t.source.keys.iter().any(|k| k.unique))
        .map(|t| {
            CHECK.alert(
                t.object(),
                "the table has no primary key and no unique key: it is copied in one snapshot, and anew when that is interrupted",
                "add a primary key at the source",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn a_table_without_any_key_alerts() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().keys = vec![sample::key("ix", false, &[1])];
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
