//! DT235: do tables keep a history that is not carried?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT235", name: "system-versioning", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .tables
        .iter()
        .filter(|t| t.source.system_versioned)
        .map(|t| {
            CHECK.alert(
                t.object(),
                "the table is system-versioned: its current rows are copied, its history is not",
                "keep the source as long as the history is needed",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn history_that_stays_behind_alerts() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().system_versioned = true;
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
