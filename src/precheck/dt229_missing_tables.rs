//! DT229: without a schema phase, are the tables there?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT229", name: "missing-tables", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    // A table that is new at the source comes through the binlog.
    if facts.spec.phases.schema || facts.follows_already() {
        return Vec::new();
    }
    facts
        .tables
        .iter()
        .filter(|t| t.destination.is_none())
        .map(|t| {
            CHECK.failed(
                t.object(),
                "the destination has no such table, and the spec has no schema phase that would make it",
                "create it there, or set `phases.schema: true`",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn without_a_schema_phase_the_tables_must_be_there() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.phases.schema = false;
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.stranger();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
