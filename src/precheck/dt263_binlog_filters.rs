//! DT263: are the selected databases in the binlog?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT263", name: "binlog-filters", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.logs() {
        return Vec::new();
    }
    let binlog = &facts.gathered.binlog;
    let folds = facts.source.info.folds_names();
    let listed = |list: &[String], name: &str| list.iter().any(|n| n == name || (folds && n.eq_ignore_ascii_case(name)));
    facts
        .scope
        .databases
        .iter()
        .filter_map(|(source, destination)| {
            let why = if !binlog.only.is_empty() && !listed(&binlog.only, source) {
                "is not among those of binlog-do-db"
            } else if listed(&binlog.ignored, source) {
                "is named by binlog-ignore-db"
            } else {
                return None;
            };
            Some(CHECK.failed(
                destination.clone(),
                format!("changes of source database {source} are not written into the binlog: it {why}"),
                "take the filter out of the source's configuration and restart it",
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_filtered_database_fails() {
        let mut bench = Bench::following();
        bench.gathered.binlog.only = vec!["shop".into(), "crm".into()];
        bench.gathered.binlog.ignored = vec!["test".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.binlog.ignored = vec!["shop".into()];
        assert_eq!(bench.run(&CHECK), ["failed shop"]);
        bench.gathered.binlog = crate::precheck::BinlogFacts { only: vec!["crm".into()], ..Default::default() };
        assert_eq!(bench.run(&CHECK), ["failed shop"]);
    }
}
