//! DT305: can the command be run that is to be told of what goes wrong? (Requirements I12.)

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::AlertProgram;

pub(super) const CHECK: Check = Check { code: "DT305", name: "alert-command", ignorable: Ignorable::Failures, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(AlertProgram::Unusable(reason)) = facts.spec.alerts.as_ref().map(|alerts| &alerts.program) else { return Vec::new() };
    vec![CHECK.failed(
        None,
        format!("nobody would be told of anything: alerts.command: {reason}"),
        "mend alerts.command in the spec; name DT305 under precheck.ignore where the plan is made on another machine than the apply",
    )]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{precheck::bench::Bench, spec::Alerts};

    #[test]
    fn a_program_that_cannot_be_run_fails() {
        let mut bench = Bench::new();
        let with = |program| Alerts {
            command: vec!["notify".into()],
            folder: "/specs".into(),
            program,
            events: Vec::new(),
            lag: None,
            lag_for: Duration::ZERO,
            waiting: Duration::MAX,
            full_timeout: None,
            repeat: Duration::MAX,
            timeout: Duration::from_secs(1),
        };
        for good in [None, Some(with(AlertProgram::Unknown)), Some(with(AlertProgram::Found("/bin/notify".into())))] {
            bench.spec.alerts = good;
            assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        }
        bench.spec.alerts = Some(with(AlertProgram::Unusable("`notify` is not in PATH".into())));
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        assert_eq!(bench.causes(&CHECK), ["nobody would be told of anything: alerts.command: `notify` is not in PATH"]);
    }
}
