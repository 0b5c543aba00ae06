//! DT212: are the servers' clocks close together?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT212", name: "clock-difference", ignorable: Ignorable::Alerts, run };

/// Beyond this many milliseconds, defaults like CURRENT_TIMESTAMP and lag figures mislead.
const MOST: i64 = 1000;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(clock) = facts.gathered.clock else { return Vec::new() };
    let (difference, doubt) = (clock.difference_ms, clock.uncertainty_ms);
    if difference.abs() - doubt <= MOST {
        return Vec::new();
    }
    let word = if difference > 0 { "ahead of" } else { "behind" };
    vec![CHECK.alert(
        None,
        format!("the destination's clock is {} ms {word} the source's (give or take {doubt} ms)", difference.abs()),
        "set both clocks by one time server: lag and new CURRENT_TIMESTAMP values depend on them, copied values do not",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::{Clock, bench::Bench};

    #[test]
    fn clocks_far_apart_alert() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.clock = Some(Clock { difference_ms: -5_000, uncertainty_ms: 10 });
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.gathered.clock = Some(Clock { difference_ms: 1_005, uncertainty_ms: 10 });
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
