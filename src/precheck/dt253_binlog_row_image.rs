//! DT253: does the binlog hold whole rows? (Requirements B05.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT253", name: "binlog-row-image", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.logs() {
        return Vec::new();
    }
    match facts.source.info.variable("binlog_row_image") {
        Some(image) if !image.eq_ignore_ascii_case("FULL") => vec![CHECK.failed(
            None,
            format!("the source's binlog_row_image is {image}: columns are missing in the rows of the binlog"),
            "SET GLOBAL binlog_row_image = 'FULL' at the source and in its configuration; sessions that are open keep the old setting",
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn anything_but_full_fails() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        for image in ["MINIMAL", "NOBLOB", "FULL_NODUP"] {
            bench.source_info.variables.insert("binlog_row_image".into(), image.into());
            assert_eq!(bench.run(&CHECK), ["failed -"], "{image}");
        }
    }
}
