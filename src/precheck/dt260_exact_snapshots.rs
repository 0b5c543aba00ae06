//! DT260: can tables be copied so that the binlog goes on exactly where the copy ends?
//!
//! A change of a row that nothing identifies cannot be repeated without harm, so its table is copied under one snapshot whose place in the
//! binlog is known. MariaDB tells the place; on MySQL it takes `LOCK TABLES` for a moment. The same lock settles, on a MySQL without GTIDs,
//! what was in the binlog at the start and could not be seen yet.

use super::{Check, Facts, Finding, Grants, Ignorable};
use crate::{destination::CopyTable, plan::FollowFrom};

pub(super) const CHECK: Check = Check { code: "DT260", name: "exact-snapshots", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.full || !facts.spec.phases.incremental {
        return Vec::new();
    }
    // What was copied is behind the position; a table may have lost its key by a statement that came by the binlog.
    if facts.follow.is_some_and(|follow| matches!(follow.from, FollowFrom::Applied(_))) {
        return Vec::new();
    }
    let grants = Grants::parse(&facts.gathered.source.grants);
    let (info, account) = (facts.source.info, &facts.source.info.account);
    let gtids = info.is_on("gtid_mode");
    let mut findings = Vec::new();
    for table in &facts.tables {
        let name = &table.source.name;
        // What is made at the destination gets the source's keys.
        let there = table.destination.unwrap_or(table.source).clone();
        let keyless = !CopyTable::mapped(table.source.clone(), there, &table.pair.columns, false).identifies_rows();
        if keyless && facts.progress.unplaced.contains(name) {
            findings.push(CHECK.failed(
                table.object(),
                "rows were copied while no binlog was to be followed, and nothing identifies them: it is not known which changes they hold",
                "begin anew with `dtsctl apply --restart`, or add a primary key at both ends",
            ));
            continue;
        }
        let locks = if info.flavor.is_mariadb() { keyless && !table.source.has_transactions() } else { keyless || !gtids };
        if locks && !facts.progress.copied.contains(name) && !grants.has_on_database("LOCK TABLES", &name.database) {
            let why = match keyless {
                true => "the table has no key that identifies its rows, so its copy needs an exact place in the binlog",
                false => "the source has no GTIDs, so what is being committed when the copy begins has to be waited for",
            };
            findings.push(CHECK.failed(
                table.object(),
                format!("account {account} lacks LOCK TABLES on source database {}; {why}", name.database),
                format!("GRANT LOCK TABLES ON `{}`.* TO the account at the source", name.database),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    fn bench() -> Bench {
        let mut bench = Bench::new();
        bench.spec.phases.incremental = true;
        bench.source_info.variables.insert("gtid_mode".into(), "ON".into());
        bench.gathered.source.grants = vec!["GRANT SELECT ON *.* TO `dts`@`%`".into()];
        bench
    }

    #[test]
    fn a_table_without_a_key_needs_the_lock_on_mysql() {
        let mut bench = bench();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().keys.clear();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.gathered.source.grants = vec!["GRANT SELECT, LOCK TABLES ON `shop`.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.source.grants.clear();
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn mariadb_knows_the_place_of_its_snapshots() {
        let mut bench = bench();
        bench.mariadb_source();
        bench.table().keys.clear();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().engine = "Aria".into();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }

    #[test]
    fn without_gtids_every_table_needs_it() {
        let mut bench = bench();
        bench.source_info.variables.insert("gtid_mode".into(), "OFF_PERMISSIVE".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }

    #[test]
    fn rows_of_an_earlier_copy_have_no_place() {
        let mut bench = bench();
        bench.progress.unplaced.insert(crate::catalog::TableName::new("shop", "t"));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().keys.clear();
        assert_eq!(bench.causes(&CHECK).len(), 1);
        assert!(bench.causes(&CHECK)[0].starts_with("rows were copied while no binlog"));
    }
}
