//! DT206: may the account read what the spec selects? (Requirements A16.)
//!
//! A table that an account has no right on is not even listed to it. So where a whole database or a pattern is selected, the right must be
//! on the database: else the plan would leave tables out and nobody would know.

use super::{Check, Facts, Finding, Grants, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT206", name: "source-privileges", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let grants = Grants::parse(&facts.gathered.source.grants);
    let account = &facts.source.info.account;
    let mut findings = Vec::new();
    for (source, destination) in &facts.scope.databases {
        let selection = facts.spec.selection();
        let by_pattern = selection.whole_database(source)
            || selection.database(source).is_some_and(|o| o.tables.iter().flatten().any(|t| t.name.is_glob()));
        if by_pattern && !grants.has_on_database("SELECT", source) {
            findings.push(CHECK.failed(
                destination.clone(),
                format!("account {account} lacks SELECT on all of source database {source}, so tables may be hidden from it"),
                format!("GRANT SELECT, SHOW VIEW ON `{source}`.* TO the account at the source, or select tables by their names"),
            ));
        }
    }
    for table in &facts.tables {
        let name = &table.source.name;
        if grants.has_on_table("SELECT", &name.database, &name.table) || !facts.spec.phases.full {
            continue;
        }
        let allowed = grants.columns("SELECT", &name.database, &name.table);
        let hidden: Vec<&str> = table
            .source
            .copied_columns()
            .into_iter()
            .map(|c| table.source.columns[c].name.as_str())
            .filter(|column| !allowed.contains(column))
            .collect();
        if !hidden.is_empty() {
            findings.push(CHECK.failed(
                table.object(),
                format!("account {account} lacks SELECT on source table {name}"),
                "GRANT SELECT ON the table TO the account at the source",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::sample,
        precheck::bench::Bench,
        spec::{Pattern, TableSelection},
    };

    #[test]
    fn a_whole_database_needs_the_right_on_the_database() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.source.grants = vec!["GRANT SELECT ON `shop`.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.source.grants = vec!["GRANT SELECT ON `shop`.`t` TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["failed shop"]);
        bench.gathered.source.grants = vec!["GRANT USAGE ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["failed shop", "failed shop.t"]);
    }

    #[test]
    fn a_named_table_needs_the_right_on_its_columns() {
        let mut bench = Bench::new();
        let mut object = sample::whole("shop", None, &[]);
        let named = TableSelection { name: Pattern::new("t"), rename: None, filter: None, columns: None, operations: None };
        object.tables = Some(vec![named]);
        bench.spec.objects = vec![object];
        bench.gathered.source.grants = vec!["GRANT SELECT (`id`, `name`) ON `shop`.`t` TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.source.grants = vec!["GRANT SELECT (`id`) ON `shop`.`t` TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }
}
