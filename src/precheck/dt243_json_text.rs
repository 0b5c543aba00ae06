//! DT243: is JSON kept as text at the source and as a type at the destination? (traps.md 9.)

use super::{Check, Facts, Finding, Ignorable};
use crate::catalog::TypeKind;

pub(super) const CHECK: Check = Check { code: "DT243", name: "json-text", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.source.info.flavor.has_json_type() || !facts.destination.info.flavor.has_json_type() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for table in &facts.tables {
        let becomes_json = |name: &str| match table.destination {
            Some(existing) => {
                let called = table.pair.columns.name(name).map(|name| name.to_lowercase());
                existing.columns.iter().any(|c| c.kind == TypeKind::Json && called.as_ref() == Some(&c.name.to_lowercase()))
            }
            None => table.pair.columns.name(name).is_some(),
        };
        let columns: Vec<&str> =
            table.source.columns.iter().filter(|c| c.json_text && becomes_json(&c.name)).map(|c| c.name.as_str()).collect();
        if !columns.is_empty() {
            findings.push(CHECK.alert(
                table.object(),
                format!("MariaDB keeps the text of JSON as it was written, MySQL does not: {}", columns.join(", ")),
                "expect spacing, the order of keys and repeated keys to be lost where the destination's column is of type JSON",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn json_as_text_alerts_on_the_way_to_mysql() {
        let mut bench = Bench::new();
        bench.table().columns[1].json_text = true;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.mariadb_source();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.stranger();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
