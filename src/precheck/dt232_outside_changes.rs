//! DT232: has somebody changed what this sync made?

use super::{Check, Facts, Finding, Ignorable};
use crate::diff::Act;

pub(super) const CHECK: Check = Check { code: "DT232", name: "outside-changes", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut seen = Vec::new();
    let mut findings = Vec::new();
    for change in facts.diff.changes.iter().filter(|c| c.outside) {
        if seen.contains(&&change.destination) {
            continue;
        }
        seen.push(&change.destination);
        let cause = match change.act {
            Act::Create => "this sync made it and it is gone from the destination; it would be made and filled again",
            Act::Alter | Act::Drop => "this sync made it, and since then its definition was changed at the destination or at the source",
        };
        findings.push(CHECK.alert(change.destination.clone(), cause, "find out who changed it; an apply makes it as the source is"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::Stage, plan::sample, precheck::bench::Bench};

    #[test]
    fn changes_behind_our_back_alert_once_an_object() {
        let mut bench = Bench::new();
        let mut change = sample::change("t", Act::Alter, Stage::Before, "drop column x");
        bench.diff.changes = vec![change.clone()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        change.outside = true;
        bench.diff.changes = vec![change.clone(), change];
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
