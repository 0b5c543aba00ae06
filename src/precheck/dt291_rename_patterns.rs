//! DT291: what do patterns of new names (requirements D08) make of the names that are there?

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, Ignorable};
use crate::{
    catalog::TableName,
    spec::{RenamePattern, is_system_database},
};

pub(super) const CHECK: Check = Check { code: "DT291", name: "rename-patterns", ignorable: Ignorable::Alerts, run };

/// Names listed in one finding.
const NAMED: usize = 5;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let selection = facts.spec.selection();
    let mut findings = Vec::new();
    for source in facts.scope.databases.keys() {
        let Some(pattern) = selection.database_pattern(source) else { continue };
        match pattern.apply(source) {
            None => findings.push(kept(source.clone(), pattern, &[source.as_str()])),
            Some(name) => {
                findings.extend(why_not(&name, is_system_database(&name)).map(|why| refused(source.clone(), source, &name, why)));
            }
        }
    }
    let views = facts.scope.programs.keys().filter(|(kind, _)| kind == "view").map(|(_, name)| name);
    let tables = facts.scope.pairs.iter().map(|pair| &pair.source).chain(facts.scope.sequences.keys()).chain(views);
    let mut unmatched: BTreeMap<(&str, &str), (&RenamePattern, Vec<&str>)> = BTreeMap::new();
    for TableName { database, table } in tables {
        let Some(pattern) = selection.table_pattern(database, table) else { continue };
        match pattern.apply(table) {
            None => unmatched.entry((database, pattern.text())).or_insert_with(|| (pattern, Vec::new())).1.push(table),
            Some(name) => findings.extend(why_not(&name, false).map(|why| refused(format!("{database}.{table}"), table, &name, why))),
        }
    }
    findings.extend(unmatched.into_iter().map(|((database, _), (pattern, names))| kept(database.to_owned(), pattern, &names)));
    findings
}

/// As the servers take names (manual: Identifier Length Limits; Schema Object Names).
fn why_not(name: &str, system: bool) -> Option<&'static str> {
    if system {
        Some("which belongs to the server or to dtsctl")
    } else if name.is_empty() || name.chars().count() > 64 || name.ends_with(' ') || name.chars().any(char::is_control) {
        Some("and a name has 1 to 64 characters and does not end in a space")
    } else {
        None
    }
}

fn refused(object: String, name: &str, to: &str, why: &str) -> Finding {
    CHECK.failed(object, format!("the pattern makes `{to}` of {name}, {why}"), "write another pattern")
}

fn kept(object: String, pattern: &RenamePattern, names: &[&str]) -> Finding {
    let mut list = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        list.push_str(&format!(" and {} more", names.len() - NAMED));
    }
    let verb = if names.len() == 1 { "keeps its name" } else { "keep their names" };
    CHECK.alert(object, format!("`{}` does not match {list}, which {verb}", pattern.text()), "see that this is meant, or exclude them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench, spec::Rename};

    #[test]
    fn what_a_pattern_does_not_match_is_told_and_what_it_spoils_refused() {
        let mut bench = Bench::new();
        bench.source = sample::catalog(vec![sample::table("shop", "t_1"), sample::table("shop", "t_22"), sample::table("shop", "u")]);
        let by = |text: &str, to: &str| RenamePattern::new(text, to).unwrap();
        bench.spec.objects[0].rename_tables = Some(by(r"t_(\d+)|(u)", "x$1$2"));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects[0].rename_tables = Some(by(r"t_(\d+)", "x$1"));
        assert_eq!(bench.run(&CHECK), ["alert shop"]);
        bench.spec.objects[0].rename_tables = Some(by(r"t_(1?).*|u", "$1"));
        assert_eq!(bench.run(&CHECK), ["failed shop.t_22", "failed shop.u"]);
        bench.spec.objects[0].rename_tables = None;
        for (text, to, expected) in [
            ("(.+)", "${1}2", None),
            ("x(.+)", "$1", Some("alert shop")),
            ("(s)hop", "m${1}y", None),
            ("(s).*", "${1}ys", Some("failed shop")),
        ] {
            bench.spec.objects[0].rename = Some(Rename::By(by(text, to)));
            assert_eq!(bench.run(&CHECK), expected.into_iter().collect::<Vec<_>>(), "{text} {to}");
        }
    }
}
