//! DT303: would the destination make the tables with another engine, or not at all?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT303", name: "engines-refused", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.destination.info;
    let mut findings = Vec::new();
    // MariaDB: every table gets this engine, with a warning, or an error under NO_ENGINE_SUBSTITUTION.
    if let Some(engine) = info.variable("enforce_storage_engine").filter(|e| !e.is_empty() && !e.eq_ignore_ascii_case("InnoDB")) {
        findings.push(CHECK.failed(
            None,
            format!("the destination makes every table {engine} (enforce_storage_engine), and progress is safe only beside InnoDB"),
            "SET GLOBAL enforce_storage_engine=NULL at the destination",
        ));
    }
    let disabled = info.variable("disabled_storage_engines").unwrap_or_default();
    if disabled.split(',').any(|engine| engine.trim().eq_ignore_ascii_case("InnoDB")) {
        findings.push(CHECK.failed(
            None,
            "InnoDB is among the destination's disabled_storage_engines: neither tables nor the progress can be made",
            "take InnoDB out of disabled_storage_engines and restart the destination",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn another_engine_by_force_fails() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("enforce_storage_engine".into(), "InnoDB".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("enforce_storage_engine".into(), "MyISAM".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.destination_info.variables.insert("disabled_storage_engines".into(), "FEDERATED, InnoDB".into());
        assert_eq!(bench.run(&CHECK).len(), 2);
    }
}
