//! DT241: would text go into a column that cannot hold its characters? (Requirements C02.)

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::ExistingTables;

pub(super) const CHECK: Check = Check { code: "DT241", name: "narrow-charset", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    // Under `align` the column is altered first; under `fail` nothing is written to such a table.
    if facts.spec.conflict.existing_tables != ExistingTables::Ignore && facts.spec.phases.schema {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (table, existing) in facts.strangers() {
        for column in &table.source.columns {
            let Some(name) = table.pair.columns.name(&column.name) else { continue };
            let Some(target) = existing.columns.iter().find(|c| c.name.to_lowercase() == name.to_lowercase()) else { continue };
            if let (Some(from), Some(to)) = (&column.charset, &target.charset)
                && !holds(from, to)
            {
                findings.push(CHECK.failed(
                    table.object(),
                    format!(
                        "column {} is {from} at the source and {to} at the destination, which cannot hold all its characters",
                        column.name
                    ),
                    "convert the destination's column to utf8mb4, or choose `conflict.existing_tables: align`",
                ));
            }
        }
    }
    findings
}

/// Whether every character of charset `from` has a place in `to`.
fn holds(from: &str, to: &str) -> bool {
    let mb3 = |name: &str| matches!(name, "utf8" | "utf8mb3");
    from == to
        || to == "utf8mb4"
        || matches!(to, "utf16" | "utf32" | "utf16le" | "gb18030")
        || from == "ascii"
        || (mb3(from) && (mb3(to) || to == "ucs2"))
        || (from == "ucs2" && mb3(to))
        || (mb3(to) && !matches!(from, "utf8mb4" | "utf16" | "utf32" | "utf16le" | "gb18030"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn four_byte_characters_do_not_fit_everywhere() {
        let mut bench = Bench::new();
        bench.spec.conflict.existing_tables = ExistingTables::Ignore;
        bench.stranger();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination.tables[0].columns[1].charset = Some("utf8mb3".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.spec.conflict.existing_tables = ExistingTables::Align;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn which_charset_holds_which() {
        assert!(holds("latin1", "utf8mb3") && holds("gbk", "utf8mb4") && holds("ascii", "latin1"));
        assert!(!holds("utf8mb4", "utf8mb3") && !holds("utf8mb3", "latin1") && !holds("gb18030", "utf8"));
    }
}
