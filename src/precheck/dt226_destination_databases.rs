//! DT226: are the databases there, or can they be made? (Requirements 2.1, database existence.)

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::is_system_database;

pub(super) const CHECK: Check = Check { code: "DT226", name: "destination-databases", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names: std::collections::BTreeSet<&String> = facts.scope.databases.values().collect();
    for name in names {
        if is_system_database(name) {
            findings.push(CHECK.failed(
                name.clone(),
                format!("database {name} at the destination is the server's or dtsctl's own"),
                "give the database another name with `rename`",
            ));
        } else if name.chars().count() > 64 || name.ends_with(' ') || name.is_empty() {
            findings.push(CHECK.failed(
                name.clone(),
                "the destination cannot have a database of that name: 1 to 64 characters, no space at the end",
                "give the database another name with `rename`",
            ));
        } else if !facts.spec.phases.schema && facts.destination.catalog.database(name).is_none() {
            findings.push(CHECK.failed(
                name.clone(),
                "the destination has no such database, and the spec has no schema phase that would make it",
                "create it there, or set `phases.schema: true`",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn databases_must_be_there_or_be_possible() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.phases.schema = false;
        assert_eq!(bench.run(&CHECK), ["failed shop"]);
        bench.stranger();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects = vec![sample::whole("shop", Some("mysql"), &[])];
        assert_eq!(bench.run(&CHECK), ["failed mysql"]);
    }
}
