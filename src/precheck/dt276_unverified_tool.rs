//! DT276: is `online_ddl.mode: dms` chosen, which nobody has run against DMS? (Requirements E21.)

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::OnlineDdlMode;

pub(super) const CHECK: Check = Check { code: "DT276", name: "unverified-tool", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follows() || facts.spec.online_ddl.mode != OnlineDdlMode::Dms {
        return Vec::new();
    }
    let cause = "online_ddl.mode is dms: how DMS names its tables and swaps them is not published, and this has never been run against it";
    let mend = "try one change of a small table first and verify; a swap that is not one RENAME of both tables stops the task";
    vec![CHECK.alert(None, cause, mend)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn the_mode_is_told_to_be_unverified() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.online_ddl.mode = OnlineDdlMode::Dms;
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
