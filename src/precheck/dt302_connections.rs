//! DT302: is there room for the sessions of an apply? What is refused is tried again until there is, which takes time and tells nobody why.

use super::{Check, EndFacts, Facts, Finding, Ignorable};
use crate::connect::ServerInfo;

pub(super) const CHECK: Check = Check { code: "DT302", name: "connections", ignorable: Ignorable::Alerts, run };

/// Sessions of an apply at one end: eight threads, which is the most without `--threads`, and those for locks, progress and the binlog.
const SESSIONS: u64 = 12;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let check = |end: &str, info: &ServerInfo, facts: &EndFacts| {
        let (most, used) = (info.number("max_connections")?, facts.connected?);
        (most.saturating_sub(used) < SESSIONS).then(|| {
            CHECK.alert(
                None,
                format!("the {end} takes {most} connections (max_connections), {used} are in use, and an apply opens up to {SESSIONS}"),
                format!("raise max_connections at the {end}, or run the apply with fewer `--threads`"),
            )
        })
    };
    let source = check("source", facts.source.info, &facts.gathered.source);
    let destination = check("destination", facts.destination.info, &facts.gathered.destination);
    source.into_iter().chain(destination).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn what_is_left_is_what_counts() {
        let mut bench = Bench::new();
        bench.destination_info.variables.insert("max_connections".into(), "100".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "nobody knows how many are in use");
        bench.gathered.destination.connected = Some(88);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.destination.connected = Some(89);
        assert_eq!(bench.run(&CHECK), ["alert -"]);
    }
}
