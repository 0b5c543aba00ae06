//! DT256: may replicas connect to the source? (D-precheck: server_id.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT256", name: "server-id", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.logs() || facts.source.info.number("server_id") != Some(0) {
        return Vec::new();
    }
    vec![CHECK.failed(
        None,
        "the source's server_id is 0: it refuses to hand out its binlog",
        "SET GLOBAL server_id = 1 at the source and in its configuration",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn zero_fails() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("server_id".into(), "0".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
    }
}
