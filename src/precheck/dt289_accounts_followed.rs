//! DT289: what becomes of accounts at the source afterwards is not carried. (Requirements 2.14.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT289", name: "accounts-followed", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.spec.accounts.migrate.is_empty() || !facts.spec.phases.incremental {
        return Vec::new();
    }
    let text = if facts.follows_already() {
        "this task follows the binlog already: `accounts.migrate` was carried out before that, and makes no account now"
    } else {
        "CREATE USER, GRANT, REVOKE and the like in the binlog are not carried: the accounts stay as they are when they are made"
    };
    vec![CHECK.alert(None, text, "change accounts at both ends until you cut over")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{precheck::bench::Bench, spec::AccountPattern};

    #[test]
    fn accounts_beside_the_binlog_are_told() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.accounts.migrate = vec![AccountPattern::parse("app@%").expect("a pattern")];
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
