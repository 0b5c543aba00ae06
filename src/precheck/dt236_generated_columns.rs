//! DT236: will the destination compute generated columns alike?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT236", name: "generated-columns", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.crosses_vendors() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for table in &facts.tables {
        let columns: Vec<&str> = table.source.columns.iter().filter(|c| c.generated).map(|c| c.name.as_str()).collect();
        if !columns.is_empty() {
            findings.push(CHECK.alert(
                table.object(),
                format!("generated columns are computed by the other vendor's functions: {}", columns.join(", ")),
                "run `dtsctl verify` after the copy, which compares them",
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
    fn generated_columns_alert_across_vendors() {
        let mut bench = Bench::new();
        bench.table().columns[1].generated = true;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.mariadb_destination();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
