//! DT214: may the quick way of loading be used?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT214", name: "local-infile", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.full || facts.destination.info.is_on("local_infile") {
        return Vec::new();
    }
    vec![CHECK.info(
        None,
        "local_infile is OFF at the destination: rows go in by INSERT, which costs the destination about twice the work",
        "SET GLOBAL local_infile=ON at the destination for the time of the copy",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn the_slower_way_is_worth_knowing() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("local_infile".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), ["info -"]);
        bench.spec.phases.full = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
