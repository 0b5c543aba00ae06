//! DT296: do names mean the same at both ends? (`lower_case_table_names`; that two tables become one is DT225.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT296", name: "letter-case", ignorable: Ignorable::Alerts, run };

/// Names given as examples.
const NAMED: usize = 3;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (source, destination) = (facts.source.info, facts.destination.info);
    let setting = |info: &crate::connect::ServerInfo| info.number("lower_case_table_names").unwrap_or(0);
    if source.folds_names() && !destination.folds_names() {
        return vec![CHECK.alert(
            None,
            format!(
                "letter case does not count in names at the source and counts at the destination (lower_case_table_names {} and 0)",
                setting(source)
            ),
            "look for statements of applications and bodies of programs that write names in other letters than SHOW TABLES does",
        )];
    }
    if source.folds_names() || setting(destination) != 1 {
        return Vec::new();
    }
    let has_capitals = |name: &str| name.chars().any(char::is_uppercase);
    let names: Vec<String> = facts
        .tables
        .iter()
        .map(|t| &t.source.name)
        .filter(|name| has_capitals(&name.table) || has_capitals(&name.database))
        .map(ToString::to_string)
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    let more = if names.len() > NAMED { ", ..." } else { "" };
    let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    vec![CHECK.alert(
        None,
        format!("the destination keeps names in small letters (lower_case_table_names 1): {} with capitals ({named}{more})", names.len()),
        "expect the small names there; a later move back to a server that tells letters apart finds these names and not the old ones",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::TableName, precheck::bench::Bench};

    #[test]
    fn ends_that_treat_letters_differently() {
        let mut bench = Bench::new();
        let set = |info: &mut crate::connect::ServerInfo, value: &str| {
            info.variables.insert("lower_case_table_names".into(), value.into());
        };
        set(&mut bench.destination_info, "1");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "no capitals");
        bench.table().name = TableName::new("shop", "Orders");
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        set(&mut bench.source_info, "1");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "alike");
        set(&mut bench.destination_info, "0");
        assert_eq!(bench.run(&CHECK), ["alert -"]);
    }
}
