//! DT269: is there time enough to mend what fails? (Requirements G01, G03.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT269", name: "retry-windows", ignorable: Ignorable::Alerts, run };

const MINUTE: u64 = 60;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let retry = &facts.spec.retry;
    let mut findings = Vec::new();
    if retry.connection.as_secs() <= 30 * MINUTE {
        let minutes = retry.connection.as_secs() / MINUTE;
        findings.push(CHECK.alert(
            None,
            format!("retry.connection is {minutes} min: a task fails when a server cannot be reached for that long"),
            "give it more than 30 minutes",
        ));
    }
    if retry.other.as_secs() < 10 * MINUTE {
        let minutes = retry.other.as_secs() / MINUTE;
        findings.push(CHECK.alert(
            None,
            format!("retry.other is {minutes} min: a task fails when a statement is refused for that long"),
            "give it 10 minutes or more",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn short_windows_alert() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.retry.connection = std::time::Duration::from_secs(30 * 60);
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.spec.retry.other = std::time::Duration::from_secs(9 * 60);
        assert_eq!(bench.run(&CHECK), ["alert -", "alert -"]);
    }
}
