//! DT272: does the spec still select what it did when the task began to follow the binlog? What is selected since then was never copied.

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT272", name: "selection-changed", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follow.is_some_and(|follow| follow.selection_changed) {
        return Vec::new();
    }
    vec![CHECK.failed(
        None,
        "`objects` or `names` of the spec have changed since the task began to follow the binlog: rows of what is selected since would never be copied",
        "put new objects into a spec of their own, or begin anew with `dtsctl apply --restart`",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn another_selection_blocks_a_task_that_follows() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.follow = Some(crate::plan::FollowState { selection_changed: true, ..Default::default() });
        assert_eq!(bench.run(&CHECK), ["failed -"]);
    }
}
