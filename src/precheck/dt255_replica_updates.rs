//! DT255: does the binlog hold what the source itself replicates? (Requirements B07.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT255", name: "replica-updates", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.source.info;
    let off = ["log_replica_updates", "log_slave_updates"].into_iter().find(|name| info.variable(name).is_some() && !info.is_on(name));
    let Some(name) = off.filter(|_| facts.logs()) else { return Vec::new() };
    let mend = format!("start the source with {name} = ON, or name the server it replicates from as the source");
    vec![match facts.gathered.binlog.replicates {
        Some(true) => {
            CHECK.failed(None, format!("the source is a replica, and what it replicates is not in its binlog: {name} is OFF"), mend)
        }
        None => CHECK.alert(None, format!("{name} is OFF, and the account may not see whether the source is a replica"), mend),
        Some(false) => {
            CHECK.info(None, format!("{name} is OFF: should the source become a replica, its binlog would not hold what it replicates"), "")
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_replica_must_log_what_it_replicates() {
        let mut bench = Bench::following();
        bench.gathered.binlog.replicates = Some(true);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("log_replica_updates".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.gathered.binlog.replicates = None;
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.gathered.binlog.replicates = Some(false);
        assert_eq!(bench.run(&CHECK), ["info -"]);
    }
}
