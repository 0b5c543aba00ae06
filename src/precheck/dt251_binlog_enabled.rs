//! DT251: does the source write a binlog? (Requirements B04, B05.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT251", name: "binlog-enabled", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follows() {
        return Vec::new();
    }
    let info = facts.source.info;
    let mut findings = Vec::new();
    if !info.is_on("log_bin") {
        findings.push(CHECK.failed(
            None,
            "the source writes no binlog: log_bin is OFF",
            "start the source with log_bin, or write `phases: {incremental: false}`",
        ));
    }
    // PolarDB has a switch of its own; `loose_` is what its console puts before the name.
    for name in ["polar_log_bin", "loose_polar_log_bin"] {
        let off = info.variable(name).is_some_and(|value| !matches!(value.to_ascii_uppercase().as_str(), "ON" | "1" | "ON_WITH_GTID"));
        if off {
            findings.push(CHECK.failed(
                None,
                format!("the source writes no binlog: {name} is {}", info.variable(name).unwrap_or_default()),
                "set loose_polar_log_bin to ON (ON_WITH_GTID on 5.6) in the console, which restarts the cluster",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_source_without_a_binlog_fails_when_it_is_to_be_followed() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("polar_log_bin".into(), "ON_WITH_GTID".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("polar_log_bin".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.source_info.variables.insert("log_bin".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), ["failed -", "failed -"]);
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
