//! DT227: would triggers at the destination fire on our rows? (Requirements B17, traps.md 10.)

use super::{Check, Facts, Finding, Grants, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT227", name: "destination-triggers", ignorable: Ignorable::Failures, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let grants = Grants::parse(&facts.gathered.destination.grants);
    let mut findings = Vec::new();
    for table in facts.tables.iter().filter(|t| t.destination.is_some()) {
        let name = &table.pair.destination;
        // What `schema.triggers: auto` makes does nothing for our sessions.
        let guarded = |trigger: &str| {
            let is_it = |o: &&crate::catalog::OtherObject| o.kind == "trigger" && o.database == name.database && o.name == trigger;
            facts.destination.catalog.others.iter().find(is_it).is_some_and(|o| o.create.contains("@dtsctl_writer) IS NULL THEN"))
        };
        let of_table = facts.gathered.destination_triggers.iter().filter(|(t, _)| t == name).map(|(_, trigger)| trigger.as_str());
        let triggers: Vec<&str> = of_table.filter(|trigger| !guarded(trigger)).collect();
        if !triggers.is_empty() {
            findings.push(CHECK.failed(
                table.object(),
                format!("triggers at the destination would fire on every row that is written: {}", triggers.join(", ")),
                "drop them for the time of the copy; ignore this finding only if their effect is wanted",
            ));
        } else if !table.owned && !grants.has_on_table("TRIGGER", &name.database, &name.table) {
            findings.push(CHECK.alert(
                table.object(),
                "the account may not see whether the existing table has triggers",
                "GRANT TRIGGER on the database TO the account at the destination, or look for triggers there",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::TableName, precheck::bench::Bench};

    #[test]
    fn triggers_fail_and_unseen_ones_alert() {
        let mut bench = Bench::new();
        bench.stranger();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.destination.grants = vec!["GRANT INSERT ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.gathered.destination_triggers = vec![(TableName::new("shop", "t"), "audit".into())];
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }
}
