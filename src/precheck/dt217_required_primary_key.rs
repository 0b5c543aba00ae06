//! DT217: does the destination refuse tables without a primary key?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT217", name: "required-primary-key", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    // The latter is MariaDB's, for InnoDB alone, to which every table goes.
    let required = ["sql_require_primary_key", "innodb_force_primary_key"];
    let Some(name) = required.into_iter().find(|name| facts.destination.info.is_on(name)).filter(|_| facts.spec.phases.schema) else {
        return Vec::new();
    };
    facts
        .tables
        .iter()
        .filter(|t| t.destination.is_none() && !t.source.keys.iter().any(|k| k.is_primary()))
        .map(|t| {
            CHECK.failed(
                t.object(),
                format!("the table has no primary key, and {name} is ON at the destination"),
                "add a primary key at the source, exclude the table, or switch the variable off at the destination",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn tables_without_a_key_fail_where_one_is_required() {
        let mut bench = Bench::new();
        bench.destination_info.variables.insert("sql_require_primary_key".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().keys.clear();
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.destination_info.variables.insert("sql_require_primary_key".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
