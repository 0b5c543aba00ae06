//! DT267: does the source still hold the position that the task goes on from, in the file that was read? (Requirements B10.)

use super::{Check, Facts, Finding, Ignorable};
use crate::plan::FollowFrom;

pub(super) const CHECK: Check = Check { code: "DT267", name: "binlog-position", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(follow) = facts.follow.filter(|_| facts.logs()) else { return Vec::new() };
    let from = follow.from.text();
    if let Some(seen) = &follow.another {
        return vec![CHECK.failed(
            None,
            format!("the source no longer holds position {from}: {seen}; what was changed between the two is lost to this task"),
            "the source's binlog began anew (`RESET BINARY LOGS AND GTIDS`), or the server was put back to an earlier state: begin anew with `dtsctl apply --restart`",
        )];
    }
    match follow.held {
        Some(true) => Vec::new(),
        Some(false) => {
            let oldest = follow.oldest.as_ref().map(|file| format!(", whose oldest file is {file}")).unwrap_or_default();
            let lost = match &follow.from {
                FollowFrom::Applied(_) | FollowFrom::Noted(_) => "what was changed between the two is lost to this task",
                _ => "it cannot be followed from there",
            };
            vec![CHECK.failed(
                None,
                format!("position {from} is not in the source's binlog any more{oldest}: {lost}"),
                "begin anew with `dtsctl apply --restart`, or restore the files at the source",
            )]
        }
        None => vec![CHECK.alert(
            None,
            format!("it cannot be told whether the source still holds position {from}"),
            "GRANT REPLICATION CLIENT ON *.* (MariaDB: BINLOG MONITOR) TO the account at the source",
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;
    use crate::{
        binlog::{Place, Position},
        plan::FollowState,
    };

    #[test]
    fn a_purged_position_fails_and_an_unknown_one_alerts() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let place = Place { file: "binlog.000003".into(), offset: 157 };
        let held = |held| FollowState { from: FollowFrom::Noted(Position::new(place.clone(), None)), held, ..FollowState::default() };
        bench.follow = Some(held(Some(true)));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.follow = Some(held(None));
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        let seen = Some("binlog file b.1 of the source is not the one that was read before".into());
        bench.follow = Some(FollowState { another: seen, ..held(Some(false)) });
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.follow = Some(held(Some(false)));
        assert_eq!(bench.run(&CHECK), ["failed -"]);
    }
}
