//! DT207: may the account do what is planned? (Requirements A17.) The rights are worked out from the planned statements.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Facts, Finding, Grants, Ignorable};
use crate::{
    diff::{Act, Change, ObjectKind, Part},
    spec::ExistingTables,
};

pub(super) const CHECK: Check = Check { code: "DT207", name: "destination-privileges", ignorable: Ignorable::No, run };

type Needs = BTreeMap<(String, Option<String>), BTreeSet<&'static str>>;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let grants = Grants::parse(&facts.gathered.destination.grants);
    let mut needs: Needs = BTreeMap::new();
    if facts.spec.phases.schema {
        for change in &facts.diff.changes {
            of_change(change, &mut needs);
        }
    }
    if facts.spec.phases.full {
        for table in &facts.tables {
            let name = &table.pair.destination;
            let rights = needs.entry((name.database.clone(), Some(name.table.clone()))).or_default();
            // DELETE: a copy of a table without a key begins anew after an interruption.
            rights.extend(["SELECT", "INSERT", "DELETE"]);
            if table.destination.is_some() && facts.spec.conflict.existing_tables != ExistingTables::Fail {
                rights.insert("UPDATE");
            }
        }
    }
    if facts.follows() {
        followed(facts, &mut needs);
    }
    needs.entry(("dts".to_owned(), None)).or_default().extend(["CREATE", "SELECT", "INSERT", "UPDATE", "DELETE"]);
    let mut lacking: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for ((database, table), rights) in &needs {
        for right in rights {
            let has = match table {
                Some(table) => grants.has_on_table(right, database, table),
                None => grants.has_on_database(right, database),
            };
            if !has {
                lacking.entry(database.clone()).or_default().insert(right);
            }
        }
    }
    let account = &facts.destination.info.account;
    lacking
        .into_iter()
        .map(|(database, rights)| {
            let rights = rights.into_iter().collect::<Vec<_>>().join(", ");
            CHECK.failed(
                None,
                format!("account {account} lacks {rights} in database {database}"),
                format!("GRANT {rights} ON `{}`.* TO the account at the destination", database.replace('`', "``")),
            )
        })
        .collect()
}

/// What the binlog brings: rows of the tables, and the statements about tables that are carried (requirements group E). New tables and
/// renamed ones need the rights on the database where it is selected as a whole.
fn followed(facts: &Facts<'_>, needs: &mut Needs) {
    const RIGHTS: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX"];
    for source in &facts.scope.whole {
        let Some(database) = facts.scope.databases.get(source) else { continue };
        needs.entry((database.clone(), None)).or_default().extend(RIGHTS);
    }
    for table in facts.tables.iter().filter(|table| !facts.scope.whole.contains(&table.source.name.database)) {
        let name = &table.pair.destination;
        needs.entry((name.database.clone(), Some(name.table.clone()))).or_default().extend(RIGHTS);
    }
}

/// Rights by the manual's pages of the statements: ALTER TABLE needs ALTER, CREATE and INSERT; a foreign key needs REFERENCES.
fn of_change(change: &Change, needs: &mut Needs) {
    if change.kind == ObjectKind::Account {
        // DT286 knows what these need.
        return;
    }
    let (database, table) = match (&change.table, change.kind) {
        (Some(table), _) => (table.database.clone(), Some(table.table.clone())),
        (None, ObjectKind::Database) => (change.destination.clone(), None),
        (None, _) => (change.destination.split('.').next().unwrap_or_default().to_owned(), None),
    };
    let rights = needs.entry((database, table)).or_default();
    rights.extend::<&[&'static str]>(match (change.act, change.kind) {
        (Act::Create, ObjectKind::Sequence) => &["CREATE", "SELECT", "INSERT"],
        (Act::Create, ObjectKind::View) => &["CREATE VIEW"],
        (Act::Alter, ObjectKind::View) => &["CREATE VIEW", "DROP"],
        (Act::Create, ObjectKind::Function | ObjectKind::Procedure) => &["CREATE ROUTINE"],
        (Act::Alter, ObjectKind::Function | ObjectKind::Procedure) => &["CREATE ROUTINE", "ALTER ROUTINE"],
        (Act::Create | Act::Alter, ObjectKind::Trigger) => &["TRIGGER"],
        (Act::Create | Act::Alter, ObjectKind::Event) => &["EVENT"],
        (Act::Create, ObjectKind::Database | ObjectKind::Table) => &["CREATE"],
        (Act::Alter, ObjectKind::Database) => &["ALTER"],
        (Act::Alter, ObjectKind::Sequence) => &["ALTER", "SELECT", "INSERT"],
        (Act::Alter, ObjectKind::Table) => &["ALTER", "CREATE", "INSERT"],
        (Act::Create | Act::Alter, ObjectKind::Account) => &[],
        (Act::Drop, _) => &["DROP"],
    });
    if change.part == Part::ForeignKeys {
        rights.insert("REFERENCES");
    }
    if change.statements.iter().any(|s| s.to_ascii_uppercase().contains("DROP PARTITION")) {
        rights.insert("DROP");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::Stage, plan::sample, precheck::bench::Bench};

    #[test]
    fn rights_are_worked_out_from_what_is_planned() {
        let mut bench = Bench::new();
        bench.diff.changes = vec![
            sample::change("t", Act::Create, Stage::Before, "create table"),
            Change { part: Part::ForeignKeys, ..sample::change("t", Act::Alter, Stage::After, "add foreign key f") },
        ];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let dts = "GRANT ALL PRIVILEGES ON `dts`.* TO `dts`@`%`".to_owned();
        bench.gathered.destination.grants = vec![dts.clone(), "GRANT SELECT, INSERT, DELETE, CREATE ON `shop`.* TO `dts`@`%`".into()];
        assert_eq!(bench.causes(&CHECK), ["account dts@% lacks ALTER, REFERENCES in database shop"]);
        bench.diff.changes.clear();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.destination.grants = vec!["GRANT ALL PRIVILEGES ON `shop`.* TO `dts`@`%`".into()];
        assert_eq!(bench.causes(&CHECK), ["account dts@% lacks CREATE, DELETE, INSERT, SELECT, UPDATE in database dts"]);
        bench.gathered.destination.grants = vec![dts];
        assert_eq!(bench.causes(&CHECK), ["account dts@% lacks DELETE, INSERT, SELECT in database shop"]);
    }

    #[test]
    fn following_the_binlog_needs_the_rights_of_what_it_carries() {
        let mut bench = Bench::following();
        let dts = "GRANT ALL PRIVILEGES ON `dts`.* TO `dts`@`%`".to_owned();
        bench.gathered.destination.grants = vec![dts.clone(), "GRANT SELECT, INSERT, DELETE ON `shop`.* TO `dts`@`%`".into()];
        assert_eq!(bench.causes(&CHECK), ["account dts@% lacks ALTER, CREATE, DROP, INDEX, UPDATE in database shop"]);
        let all = "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX ON `shop`.";
        bench.gathered.destination.grants = vec![dts.clone(), format!("{all}* TO `dts`@`%`")];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        // On the table alone it is not enough for a whole database.
        bench.gathered.destination.grants = vec![dts, format!("{all}`t` TO `dts`@`%`")];
        assert_eq!(bench.causes(&CHECK).len(), 1);
    }
}
