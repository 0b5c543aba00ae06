//! DT295: do both servers run under the same sql_mode? Copying does not hang on it, applications do.

use std::collections::BTreeSet;

use super::{Check, Facts, Finding, Ignorable};
use crate::connect::ServerInfo;

pub(super) const CHECK: Check = Check { code: "DT295", name: "sql-mode", ignorable: Ignorable::No, run };

/// Modes that only one of the vendors has, or that each server resolves into others, say nothing.
const PASSED_OVER: [&str; 4] = ["NO_AUTO_CREATE_USER", "TRADITIONAL", "ANSI", "NO_ENGINE_SUBSTITUTION"];

fn modes(info: &ServerInfo) -> BTreeSet<&str> {
    let list = info.variable("sql_mode").unwrap_or_default();
    list.split(',').filter(|mode| !mode.is_empty() && !PASSED_OVER.contains(mode)).collect()
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (source, destination) = (modes(facts.source.info), modes(facts.destination.info));
    if source == destination {
        return Vec::new();
    }
    let only = |one: &BTreeSet<&str>, other: &BTreeSet<&str>, end: &str| {
        let modes: Vec<&str> = one.difference(other).copied().collect();
        (!modes.is_empty()).then(|| format!("only the {end} has {}", modes.join(", ")))
    };
    let parts: Vec<String> =
        [only(&source, &destination, "source"), only(&destination, &source, "destination")].into_iter().flatten().collect();
    vec![CHECK.info(
        None,
        format!("sql_mode differs: {}", parts.join("; ")),
        "rows and programs are carried under modes of their own; set one sql_mode at both ends before applications move",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn modes_that_differ_are_named_by_end() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("sql_mode".into(), "STRICT_TRANS_TABLES,ANSI_QUOTES".into());
        bench.destination_info.variables.insert("sql_mode".into(), "STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,NO_ZERO_DATE".into());
        assert_eq!(bench.causes(&CHECK), ["sql_mode differs: only the source has ANSI_QUOTES; only the destination has NO_ZERO_DATE"]);
        bench.destination_info.variables.insert("sql_mode".into(), "ANSI_QUOTES,STRICT_TRANS_TABLES".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
