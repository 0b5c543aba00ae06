//! DT257: does the binlog hold JSON values as differences?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT257", name: "partial-json", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let on =
        facts.source.info.variable("binlog_row_value_options").is_some_and(|value| value.to_ascii_uppercase().contains("PARTIAL_JSON"));
    if !facts.logs() || !on {
        return Vec::new();
    }
    vec![CHECK.info(
        None,
        "binlog_row_value_options is PARTIAL_JSON: changes of JSON columns are in the binlog as differences, and are applied to the value before them",
        "",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn it_is_said() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("binlog_row_value_options".into(), "PARTIAL_JSON".into());
        assert_eq!(bench.run(&CHECK), ["info -"]);
    }
}
