//! DT209: is the source a read-only node? (Requirements B14, 5.6.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT209", name: "source-read-only", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let on: Vec<&str> = ["innodb_read_only", "super_read_only", "read_only"].into_iter().filter(|n| facts.source.info.is_on(n)).collect();
    if on.is_empty() {
        return Vec::new();
    }
    let cause = format!("the source looks like a read-only node: {} is ON", on.join(", "));
    vec![if facts.spec.phases.incremental {
        CHECK.failed(None, cause, "name the primary server as the source: a read-only node's binlog does not hold all changes")
    } else {
        CHECK.alert(None, cause, "its rows may lag behind the primary's; name the primary to copy the latest state")
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_read_only_source_alerts_and_fails_when_its_binlog_is_needed() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("read_only".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.spec.phases.incremental = true;
        assert_eq!(bench.run(&CHECK), ["failed -"]);
    }
}
