//! DT252: does the binlog hold rows? (Requirements B06.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT252", name: "binlog-format", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.logs() {
        return Vec::new();
    }
    match facts.source.info.variable("binlog_format") {
        Some(format) if !format.eq_ignore_ascii_case("ROW") => vec![CHECK.failed(
            None,
            format!("the source's binlog_format is {format}: changes are written as statements, not as rows"),
            "SET GLOBAL binlog_format = 'ROW' at the source and in its configuration; sessions that are open keep the old format",
        )],
        // Servers that have no such variable any more write rows.
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn anything_but_row_fails() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        for format in ["MIXED", "STATEMENT"] {
            bench.source_info.variables.insert("binlog_format".into(), format.into());
            assert_eq!(bench.run(&CHECK), ["failed -"], "{format}");
        }
        bench.source_info.variables.remove("binlog_format");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
