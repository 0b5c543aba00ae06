//! DT211: is database `dts` at the destination free for the progress tables?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT211", name: "progress-database", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some((source, _)) = facts.scope.databases.iter().find(|(_, destination)| destination.eq_ignore_ascii_case("dts")) {
        findings.push(CHECK.failed(
            "dts".to_owned(),
            format!("source database {source} would go to database dts, which holds dtsctl's own tables"),
            "give the database another name at the destination with `rename`",
        ));
    }
    let foreign: Vec<&String> =
        facts.gathered.dts_tables.iter().flatten().filter(|t| !t.to_ascii_lowercase().starts_with("dtsctl_")).collect();
    if !foreign.is_empty() {
        let count = foreign.len();
        findings.push(CHECK.alert(
            "dts".to_owned(),
            format!("database dts at the destination holds {count} tables of somebody else, among them {}", foreign[0]),
            "check that nobody empties or drops database dts: it will hold the progress of this task",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn database_dts_is_ours() {
        let mut bench = Bench::new();
        bench.gathered.dts_tables = Some(["dtsctl_task".to_owned()].into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.dts_tables = Some(["dtsctl_task".to_owned(), "heartbeat".to_owned()].into());
        assert_eq!(bench.run(&CHECK), ["alert dts"]);
        bench.spec.objects = vec![sample::whole("shop", Some("dts"), &[])];
        assert_eq!(bench.run(&CHECK), ["failed dts", "alert dts"]);
    }
}
