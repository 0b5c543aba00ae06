//! DT224: does the destination have tables of these names already? (Requirements D15, D16.)

use super::{Check, Facts, Finding, Ignorable, facts::Selected};
use crate::{
    catalog::{Column, Table},
    spec::ExistingTables,
};

pub(super) const CHECK: Check = Check { code: "DT224", name: "equal-names", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    // What came through the binlog is this sync's too, and what stood in its way is listed in status.
    if facts.follows_already() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (table, existing) in facts.strangers() {
        let object = table.object();
        match facts.spec.conflict.existing_tables {
            ExistingTables::Fail => findings.push(CHECK.failed(
                object,
                "the destination has a table of that name already, and this sync did not make it",
                "give the table another name with `rename`, rename or drop the one at the destination, or exclude it; \
                 or choose `conflict.existing_tables: ignore` or `align`",
            )),
            ExistingTables::Ignore => {
                let how = differences(table, existing);
                let how = if how.is_empty() { "with the same columns".to_owned() } else { format!("and differs: {}", how.join("; ")) };
                findings.push(CHECK.alert(
                    object,
                    format!("the table exists at the destination {how}; it is used as it is and rows that exist are kept"),
                    "run `dtsctl verify` after the copy: equality is not promised for this table",
                ));
            }
            ExistingTables::Align => findings.push(CHECK.info(
                object,
                "the table exists at the destination and is altered towards the source",
                "read its actions and definition in the plan",
            )),
        }
    }
    for name in facts.scope.sequences.values().filter(|name| !facts.progress.created.contains(*name)) {
        let is_it = |o: &crate::catalog::OtherObject| o.kind == "sequence" && o.database == name.database && o.name == name.table;
        if facts.spec.conflict.existing_tables == ExistingTables::Fail && facts.destination.catalog.others.iter().any(is_it) {
            findings.push(CHECK.failed(
                name.to_string(),
                "the destination has a sequence of that name already, and this sync did not make it",
                "rename or drop the one at the destination, or exclude it; or choose `conflict.existing_tables: ignore` or `align`",
            ));
        }
    }
    let views = facts.destination.catalog.others.iter().filter(|o| o.kind == "view" || o.kind == "sequence");
    let views: std::collections::BTreeMap<(&str, &str), &str> =
        views.map(|o| ((o.database.as_str(), o.name.as_str()), o.kind.as_str())).collect();
    for table in &facts.tables {
        let name = &table.pair.destination;
        if let Some(kind) = views.get(&(name.database.as_str(), name.table.as_str())) {
            findings.push(CHECK.failed(
                table.object(),
                format!("the destination has a {kind} of the table's name"),
                "give the table another name with `rename`, or rename or drop what stands in its way",
            ));
        }
    }
    findings
}

/// Columns that only one end has. What else differs the diff tells (DT125).
fn differences(table: &Selected<'_>, existing: &Table) -> Vec<String> {
    let going = |c: &&Column| !c.row_period && table.pair.columns.name(&c.name).is_some();
    let called = |c: &Column| table.pair.columns.name(&c.name).unwrap_or_default().to_lowercase();
    let source: Vec<&Column> = table.source.columns.iter().filter(going).collect();
    let there: Vec<&Column> = existing.columns.iter().filter(|c| !c.row_period).collect();
    let lacking = |c: &&&Column| !there.iter().any(|d| d.name.to_lowercase() == called(c));
    let only_source: Vec<String> = source.iter().filter(lacking).map(|c| c.name.clone()).collect();
    let extra = |d: &&&Column| !source.iter().any(|c| called(c) == d.name.to_lowercase());
    let only_destination: Vec<String> = there.iter().filter(extra).map(|c| c.name.clone()).collect();
    let mut how = Vec::new();
    if !only_source.is_empty() {
        how.push(format!("not copied: {}", only_source.join(", ")));
    }
    if !only_destination.is_empty() {
        how.push(format!("left to their defaults: {}", only_destination.join(", ")));
    }
    how
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{OtherObject, TableName},
        plan::sample,
        precheck::bench::Bench,
    };

    #[test]
    fn what_is_followed_already_is_nobody_else_s() {
        let mut bench = Bench::following();
        bench.stranger();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        let place = crate::binlog::Place { file: "binlog.000003".into(), offset: 157 };
        let from = crate::plan::FollowFrom::Applied(crate::binlog::Position::new(place, None));
        bench.follow = Some(crate::plan::FollowState { from, ..Default::default() });
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn existing_tables_by_policy() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.stranger().columns[1].name = "label".into();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.spec.conflict.existing_tables = ExistingTables::Ignore;
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        assert!(bench.causes(&CHECK)[0].contains("differs: not copied: name; left to their defaults: label;"));
        bench.spec.conflict.existing_tables = ExistingTables::Align;
        assert_eq!(bench.run(&CHECK), ["info shop.t"]);
        bench.spec.conflict.existing_tables = ExistingTables::Fail;
        bench.own();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn a_sequence_is_in_the_way_unless_it_is_ours() {
        let sequence = || {
            let (database, name) = ("shop".to_owned(), "s".to_owned());
            OtherObject { kind: "sequence".into(), database, name, create: String::new(), position: None, session: None }
        };
        let mut bench = Bench::new();
        bench.mariadb_source();
        bench.mariadb_destination();
        bench.source.others.push(sequence());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination.others.push(sequence());
        assert_eq!(bench.run(&CHECK), ["failed shop.s"]);
        bench.progress.created.insert(TableName::new("shop", "s"));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn a_view_of_the_tables_name_is_in_the_way() {
        let mut bench = Bench::new();
        bench.destination = sample::catalog(vec![]);
        bench.destination.others.push(OtherObject {
            kind: "view".into(),
            database: "shop".into(),
            name: "t".into(),
            create: String::new(),
            position: None,
            session: None,
        });
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }
}
