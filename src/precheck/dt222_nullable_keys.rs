//! DT222: is the only key one that lets rows with NULL through? (Requirements B01.)

use super::{Check, Facts, Finding, Ignorable};
use crate::catalog::Walk;

pub(super) const CHECK: Check = Check { code: "DT222", name: "nullable-keys", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .tables
        .iter()
        .filter(|t| matches!(t.source.walk(), Walk::NullableKey(_)))
        .map(|t| {
            CHECK.alert(
                t.object(),
                "the only unique key has columns that may be NULL, and rows with a NULL there are not told apart by it",
                "make the key's columns NOT NULL, or add a primary key at the source",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn a_nullable_unique_key_alerts() {
        let mut bench = Bench::new();
        bench.table().keys = vec![sample::key("u", true, &[1])];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().columns[1].nullable = true;
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
