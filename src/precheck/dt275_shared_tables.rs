//! DT275: does another task write a table that an online schema change at this source would replace? (Requirements C08 and 2.8.)
//!
//! Several sources may feed one table. Where the tables of online changes are carried as they are, the swap at one source puts its own
//! rows in the place of everybody's.

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::OnlineDdlMode;

pub(super) const CHECK: Check = Check { code: "DT275", name: "shared-tables", ignorable: Ignorable::Failures, run };

/// What tools call the shadow of a table by default.
const SHADOWS: [&str; 2] = ["gho", "new"];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follows() || facts.spec.online_ddl.mode != OnlineDdlMode::Copy {
        return Vec::new();
    }
    let selection = facts.spec.selection();
    // A table selected by its name alone: the swap would stop the task.
    let swaps = |database: &str, table: &str| SHADOWS.iter().any(|end| selection.table(database, &format!("_{table}_{end}")).is_some());
    let mut findings = Vec::new();
    for pair in facts.scope.pairs.iter().filter(|pair| swaps(&pair.source.database, &pair.source.table)) {
        let Some(tasks) = facts.gathered.other_writers.get(&pair.destination).filter(|tasks| !tasks.is_empty()) else { continue };
        let tasks: Vec<&str> = tasks.iter().map(String::as_str).collect();
        let cause = format!(
            "task {} writes it too, and an online schema change at this source would put this source's rows alone in its place",
            tasks.join(", ")
        );
        let mend =
            "set online_ddl.mode to gh-ost, whose tables are then not carried; or ignore it, if no tool for online changes is used here";
        let object = pair.destination.to_string();
        // What runs already is not to be kept from going on.
        findings.push(if facts.follows_already() { CHECK.alert(object, cause, mend) } else { CHECK.failed(object, cause, mend) });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binlog::{Place, Position},
        catalog::TableName,
        plan::{FollowFrom, FollowState},
        precheck::bench::Bench,
    };

    #[test]
    fn a_table_of_two_tasks_must_not_be_swapped() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.other_writers.insert(TableName::new("shop", "t"), ["crm".to_owned()].into_iter().collect());
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.spec.online_ddl.mode = OnlineDdlMode::GhOst;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "the tool's tables are not carried");
        bench.spec.online_ddl.mode = OnlineDdlMode::Copy;
        let from = FollowFrom::Applied(Position::new(Place { file: "binlog.000001".into(), offset: 4 }, None));
        bench.follow = Some(FollowState { from, held: Some(true), another: None, oldest: None, heartbeat: true, selection_changed: false });
        assert_eq!(bench.run(&CHECK), ["alert shop.t"], "a task that runs goes on");
        bench.follow = None;
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
