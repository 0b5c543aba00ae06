//! DT271: could the task follow a failover of the source? (Requirements B13.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT271", name: "no-gtid", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.source.info;
    if !facts.logs() || info.flavor.is_mariadb() || info.variable("gtid_mode") == Some("ON") {
        return Vec::new();
    }
    vec![CHECK.info(
        None,
        "the source has no GTIDs (gtid_mode): the binlog is followed by file and place, and a failover to another server stops the task",
        "",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_mysql_without_gtids_is_named() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("gtid_mode".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), ["info -"]);
        bench.mariadb_source();
        bench.source_info.variables.remove("gtid_mode");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
