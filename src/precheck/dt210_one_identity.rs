//! DT210: does every connection reach the same server? (Requirements 5.6.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT210", name: "one-identity", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let several = |info: &crate::connect::ServerInfo, more: &std::collections::BTreeSet<String>| {
        let mut all = more.clone();
        all.insert(info.identity.clone());
        all.len()
    };
    let mut findings = Vec::new();
    let count = several(facts.source.info, &facts.gathered.source.identities);
    if count > 1 {
        findings.push(CHECK.failed(
            None,
            format!("{count} servers answer at the source's address: a proxy or a pool"),
            "name one server itself; ranges read from different servers do not fit together",
        ));
    }
    let count = several(facts.destination.info, &facts.gathered.destination.identities);
    if count > 1 {
        findings.push(CHECK.alert(
            None,
            format!("{count} servers answer at the destination's address: a proxy or a pool"),
            "name the writable server itself, unless the proxy sends all writes and the reads after them to one server",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn several_servers_behind_one_address() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.destination.identities.insert("another".into());
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.gathered.source.identities.insert("another".into());
        assert_eq!(bench.run(&CHECK), ["failed -", "alert -"]);
    }
}
