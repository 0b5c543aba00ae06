//! DT286: may the destination's account make the accounts, and does it have what it is to grant? (Requirements D21.)
//!
//! Nobody can grant what he has not, and not without GRANT OPTION at that place (manuals: GRANT). What is needed is read from the planned
//! statements.

use std::collections::BTreeSet;

use super::{Check, Facts, Finding, Grants, Ignorable};
use crate::{
    catalog::{TableName, quote_name},
    ddl::account::{Grant, GrantLine, GrantPlace, one_database, parse_grant},
    diff::ObjectKind,
};

pub(super) const CHECK: Check = Check { code: "DT286", name: "account-destination-rights", ignorable: Ignorable::No, run };

const OPTION: &str = "GRANT OPTION";

/// What ALL PRIVILEGES means on a database, for who has these one by one.
const ON_DATABASE: [&str; 18] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let account = &facts.destination.info.account;
    let mut findings = Vec::new();
    if let Some(words) = &facts.diff.accounts.destination_denied {
        let table = if facts.destination.info.flavor.is_mariadb() { "`mysql`.`global_priv`" } else { "`mysql`.`user`" };
        findings.push(CHECK.failed(
            None,
            format!("account {account} may not see which accounts the destination has: {words}"),
            format!("GRANT SELECT ON {table} TO the account at the destination, or remove `accounts`"),
        ));
    }
    let planned: Vec<_> = facts.diff.changes.iter().filter(|c| c.kind == ObjectKind::Account && !c.statements.is_empty()).collect();
    if planned.is_empty() {
        return findings;
    }
    let grants = Grants::parse(&facts.gathered.destination.grants);
    if !grants.has_everywhere("CREATE USER") {
        findings.push(CHECK.failed(
            None,
            format!("account {account} lacks CREATE USER"),
            "GRANT CREATE USER ON *.* TO the account at the destination",
        ));
    }
    let mut lacking = BTreeSet::new();
    for statement in planned.iter().flat_map(|c| &c.statements) {
        if let GrantLine::Rights(grant) = parse_grant(statement) {
            lacking.extend(lacks(&grants, &grant));
        }
    }
    findings.extend(lacking.into_iter().map(|(place, rights)| {
        CHECK.failed(
            None,
            format!("account {account} cannot grant {rights} on {place}: it does not have that itself, WITH GRANT OPTION"),
            format!("GRANT {rights} ON {place} TO the account at the destination WITH GRANT OPTION"),
        )
    }));
    findings
}

/// The place and the rights on it that are wanting.
fn lacks(grants: &Grants, grant: &Grant) -> Option<(String, String)> {
    let has = |right: &str| match &grant.place {
        GrantPlace::Everywhere => grants.has_everywhere(right),
        // A pattern can be granted by who has it on the same pattern, or everywhere.
        GrantPlace::Database(pattern) => match one_database(pattern) {
            Some(database) => grants.has_on_database(right, &database),
            None => grants.has_on_database(right, pattern),
        },
        GrantPlace::Table(database, table) => grants.has_on_table(right, database, table),
        GrantPlace::Routine(_, database, _) => grants.has_on_database(right, database),
    };
    let all = |right: &str| {
        has(right) || (right == "ALL PRIVILEGES" && grant.place != GrantPlace::Everywhere && ON_DATABASE.iter().all(|each| has(each)))
    };
    let mut wanting: Vec<&str> = grant.rights.iter().map(|right| right.name.as_str()).filter(|right| !all(right)).collect();
    if wanting.is_empty() && !has(OPTION) {
        wanting = if grant.rights.is_empty() { vec!["USAGE"] } else { grant.rights.iter().map(|right| right.name.as_str()).collect() };
    }
    let place = match &grant.place {
        GrantPlace::Everywhere => "*.*".to_owned(),
        GrantPlace::Database(pattern) => format!("{}.*", quote_name(pattern)),
        GrantPlace::Table(database, table) => TableName::new(database, table).quoted(),
        GrantPlace::Routine(_, database, _) => format!("{}.*", quote_name(database)),
    };
    (!wanting.is_empty()).then(|| (place, wanting.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diff::{Act, Change, Stage},
        plan::sample,
        precheck::bench::Bench,
    };

    #[test]
    fn nobody_grants_what_he_has_not() {
        let mut bench = Bench::new();
        bench.diff.changes = vec![Change {
            kind: ObjectKind::Account,
            table: None,
            statements: vec![
                "CREATE USER 'a'@'%' IDENTIFIED WITH 'x' ACCOUNT LOCK".into(),
                "GRANT SELECT ON `shop`.* TO 'a'@'%'".into(),
                "GRANT RELOAD ON *.* TO 'a'@'%'".into(),
            ],
            ..sample::change("a@%", Act::Create, Stage::Before, "create account")
        }];
        let mut with = |grants: &[&str]| {
            bench.gathered.destination.grants = grants.iter().map(|g| (*g).to_owned()).collect();
            bench.causes(&CHECK)
        };
        assert_eq!(with(&["GRANT ALL PRIVILEGES ON *.* TO `dts`@`%` WITH GRANT OPTION"]), Vec::<String>::new());
        assert_eq!(with(&["GRANT ALL PRIVILEGES ON *.* TO `dts`@`%`"]).len(), 2);
        let causes = with(&["GRANT CREATE USER ON *.* TO `dts`@`%`", "GRANT SELECT ON `shop`.* TO `dts`@`%` WITH GRANT OPTION"]);
        assert_eq!(causes.len(), 1);
        assert!(causes[0].contains("cannot grant RELOAD on *.*"), "{causes:?}");
        assert_eq!(with(&[]).len(), 3);
        bench.diff.accounts.destination_denied = Some("error 1142".into());
        assert_eq!(bench.run(&CHECK).len(), 4);
    }
}
