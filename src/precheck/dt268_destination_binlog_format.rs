//! DT268: can changes be written under the destination's binlog format?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT268", name: "destination-binlog-format", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.destination.info;
    let statements = info.variable("binlog_format").is_some_and(|format| format.eq_ignore_ascii_case("STATEMENT"));
    if !facts.follows() || !info.is_on("log_bin") || !statements {
        return Vec::new();
    }
    vec![CHECK.failed(
        None,
        "the destination's binlog_format is STATEMENT, under which InnoDB refuses changes at isolation level READ COMMITTED",
        "SET GLOBAL binlog_format = 'ROW' at the destination and in its configuration",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn statement_format_fails_where_there_is_a_binlog() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("binlog_format".into(), "STATEMENT".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("log_bin".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.destination_info.variables.insert("binlog_format".into(), "MIXED".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
