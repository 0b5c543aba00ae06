//! DT259: may the account read the binlog? (Requirements A16.)

use super::{Check, Facts, Finding, Grants, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT259", name: "replication-rights", ignorable: Ignorable::No, run };

/// Rights on the whole server, any of which is enough, and what for.
fn needed(facts: &Facts<'_>) -> [(&'static [&'static str], &'static str); 2] {
    // MariaDB 10.5 gave the rights names of their own and prints those (KB: GRANT, "BINLOG MONITOR").
    let see: &[&str] = if facts.source.info.flavor.is_mariadb() {
        &["BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"]
    } else {
        &["REPLICATION CLIENT", "SUPER"]
    };
    [(&["REPLICATION SLAVE"], "to read the binlog"), (see, "to ask for the binlog's position")]
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.follows() {
        return Vec::new();
    }
    let grants = Grants::parse(&facts.gathered.source.grants);
    let account = &facts.source.info.account;
    needed(facts)
        .into_iter()
        .filter(|(any, _)| !any.iter().any(|privilege| grants.has_everywhere(privilege)))
        .map(|(any, why)| {
            CHECK.failed(
                None,
                format!("account {account} lacks {} at the source, {why}", any[0]),
                format!("GRANT {} ON *.* TO the account at the source", any[0]),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn both_rights_are_needed_under_either_name() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.source.grants = vec!["GRANT SELECT ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["failed -", "failed -"]);
        bench.gathered.source.grants = vec!["GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.source.grants = vec!["GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["failed -"], "not MySQL's words");
        bench.mariadb_source();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.phases.incremental = false;
        bench.gathered.source.grants.clear();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
