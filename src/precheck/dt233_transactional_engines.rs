//! DT233: can the source's tables be read in one state?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT233", name: "transactional-engines", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.full {
        return Vec::new();
    }
    facts
        .tables
        .iter()
        .filter(|t| !t.source.has_transactions())
        .map(|t| {
            CHECK.alert(
                t.object(),
                format!("engine {} has no transactions: rows written during the copy may be read half or twice", t.source.engine),
                "let nobody write to it during the copy, or ALTER TABLE ... ENGINE=InnoDB at the source",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn engines_without_transactions_alert() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().engine = "MyISAM".into();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
