//! DT244: do JSON values lose the types inside them? (traps.md 9.)

use super::{Check, Facts, Finding, Ignorable};
use crate::catalog::TypeKind;

pub(super) const CHECK: Check = Check { code: "DT244", name: "json-types", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in &facts.tables {
        let columns: Vec<&str> = table.source.columns.iter().filter(|c| c.kind == TypeKind::Json).map(|c| c.name.as_str()).collect();
        if columns.is_empty() {
            continue;
        }
        let cause = if facts.destination.info.flavor.has_json_type() {
            "JSON goes through its text form: a DECIMAL, date or binary value inside becomes a number or a string"
        } else {
            "MariaDB keeps JSON as text: types inside the values are those the text shows"
        };
        findings.push(CHECK.info(
            table.object(),
            format!("{cause} ({})", columns.join(", ")),
            "nothing need be done unless an application asks for JSON_TYPE; verify tells equal values of another type apart",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn types_inside_json_are_worth_knowing() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().columns.push(sample::column("doc", TypeKind::Json, "json"));
        assert_eq!(bench.run(&CHECK), ["info shop.t"]);
        bench.mariadb_destination();
        assert!(bench.causes(&CHECK)[0].starts_with("MariaDB keeps JSON as text"));
    }
}
