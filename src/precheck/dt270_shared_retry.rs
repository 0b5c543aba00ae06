//! DT270: does another task on the same server shorten the time for trying again? (Requirements G02.)

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::units::format_duration;

pub(super) const CHECK: Check = Check { code: "DT270", name: "shared-retry", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(shared) = &facts.spec.retry_shared else { return Vec::new() };
    vec![CHECK.alert(
        None,
        format!(
            "retry.connection is {} here and not {}: task {} uses {} too, and the shortest counts",
            format_duration(facts.spec.retry.connection),
            format_duration(shared.own),
            shared.task,
            shared.address
        ),
        "give both tasks the same retry.connection, or keep their state files in different folders",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{precheck::bench::Bench, spec::SharedRetry};

    #[test]
    fn a_shorter_window_of_another_task_is_named() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let own = std::time::Duration::from_secs(43_200);
        bench.spec.retry.connection = own / 24;
        bench.spec.retry_shared = Some(SharedRetry { task: "crm".into(), address: "db1:3306".into(), own });
        assert_eq!(bench.causes(&CHECK), ["retry.connection is 30m here and not 12h: task crm uses db1:3306 too, and the shortest counts"]);
    }
}
