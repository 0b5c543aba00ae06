//! DT299: are all files of the binlog's index on the source's disk? (Requirements 2.1, binlog existence.)
//!
//! SHOW BINARY LOGS gives a file that is not there the size 0 (seen on 9.7.4 and 10.11.19); a file that is there begins with four bytes.

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT299", name: "binlog-files", ignorable: Ignorable::Failures, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.logs() {
        return Vec::new();
    }
    let Some(files) = &facts.gathered.binlog.files else { return Vec::new() };
    let Some(last) = files.iter().rposition(|(_, size)| *size == 0) else { return Vec::new() };
    let lost: Vec<&str> = files.iter().filter(|(_, size)| *size == 0).map(|(name, _)| name.as_str()).collect();
    let mend = match files.get(last + 1) {
        Some((good, _)) => format!("restore them, or PURGE BINARY LOGS TO '{good}' at the source if no task needs them"),
        None => "restore them at the source".to_owned(),
    };
    vec![CHECK.failed(None, format!("the source's binlog lists files that are not there: {}", lost.join(", ")), mend)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn files_without_a_byte_are_not_there() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let file = |name: &str, size| (name.to_owned(), size);
        bench.gathered.binlog.files = Some(vec![file("b.1", 0), file("b.2", 157), file("b.3", 0), file("b.4", 157)]);
        assert_eq!(bench.causes(&CHECK), ["the source's binlog lists files that are not there: b.1, b.3"]);
        bench.gathered.binlog.files = Some(vec![file("b.2", 157)]);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
