//! DT220: is there anything of what the spec names?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT220", name: "selection", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    const MEND: &str = "check the name's spelling and letter case, and that the account may see it";
    let catalog = facts.source.catalog;
    let (databases, tables) = facts.spec.selection().expected();
    let missing = |name: &str| catalog.database(name).is_none();
    let mut findings: Vec<Finding> = Vec::new();
    let mut said: Vec<&str> = Vec::new();
    for database in databases {
        if missing(database) && !said.contains(&database) {
            said.push(database);
            findings.push(CHECK.failed(database.to_owned(), format!("the source has no database {database}"), MEND));
        }
    }
    let present: std::collections::BTreeSet<(&str, &str)> =
        catalog.tables.iter().map(|t| (t.name.database.as_str(), t.name.table.as_str())).collect();
    for (database, table) in tables {
        if !missing(database) && !present.contains(&(database, table)) {
            findings.push(CHECK.failed(format!("{database}.{table}"), format!("the source has no table {database}.{table}"), MEND));
        }
    }
    for object in &facts.spec.objects {
        let found = catalog.databases.iter().any(|d| object.database.matches(&d.name));
        if object.database.is_glob() && !found {
            let pattern = object.database.as_str();
            findings.push(CHECK.alert(None, format!("no database of the source matches {pattern}"), MEND));
        }
    }
    if findings.is_empty() && facts.tables.is_empty() {
        findings.push(CHECK.alert(None, "the spec selects no table", MEND));
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
    fn names_that_are_not_there_fail_and_empty_patterns_alert() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects.push(sample::whole("crm", None, &[]));
        bench.spec.objects.push(sample::whole("x_*", None, &[]));
        let mut object = sample::whole("shop", None, &[]);
        let named = TableSelection { name: Pattern::new("u"), rename: None, filter: None, columns: None, operations: None };
        object.tables = Some(vec![named]);
        bench.spec.objects.push(object);
        assert_eq!(bench.run(&CHECK), ["failed crm", "failed shop.u", "alert -"]);
        bench.spec.objects = vec![sample::whole("shop", None, &["t"])];
        assert_eq!(bench.run(&CHECK), ["alert -"]);
    }
}
