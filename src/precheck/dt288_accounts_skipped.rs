//! DT288: accounts that are asked for and left alone, and patterns that mean none. (Requirements D22.)

use super::{Check, Facts, Finding, Ignorable};
use crate::diff::ObjectKind;

pub(super) const CHECK: Check = Check { code: "DT288", name: "accounts-skipped", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let accounts = &facts.diff.accounts;
    let mut findings: Vec<Finding> = accounts
        .skipped
        .iter()
        .map(|note| {
            CHECK.alert(
                Some(note.account.clone()),
                format!("the account is not carried: it {}", note.text),
                "nothing, if that is as it should be",
            )
        })
        .collect();
    let known = accounts.source_denied.is_none() && accounts.destination_denied.is_none() && !facts.follows_already();
    let made = facts.diff.changes.iter().filter(|c| c.kind == ObjectKind::Account).map(|c| c.destination.as_str());
    let named: Vec<&str> = made.chain(accounts.skipped.iter().map(|note| note.account.as_str())).collect();
    for pattern in facts.spec.accounts.migrate.iter().filter(|_| known) {
        let means = |name: &&str| name.rsplit_once('@').is_some_and(|(user, host)| pattern.matches(user, host));
        if !named.iter().any(means) {
            let text = format!("the source has no account `{}`", pattern.as_str());
            findings.push(CHECK.alert(None, text, "mend the pattern: `*` stands for any run of characters, `%` only for itself"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::accounts::AccountNote, precheck::bench::Bench, spec::AccountPattern};

    #[test]
    fn skipped_accounts_and_idle_patterns_are_told() {
        let mut bench = Bench::new();
        bench.diff.accounts.skipped = vec![AccountNote { account: "root@%".into(), text: "belongs to the server".into() }];
        bench.spec.accounts.migrate =
            vec![AccountPattern::parse("root@*").expect("a pattern"), AccountPattern::parse("ap@%").expect("one")];
        assert_eq!(bench.run(&CHECK), ["alert root@%", "alert -"]);
    }
}
