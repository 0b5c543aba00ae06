//! DT237: do full-text indexes need a parser plugin? (Requirements B16.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT237", name: "fulltext-parser", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let needs = |create: &str| {
        // SHOW CREATE TABLE prints one index a line, and names are between backticks.
        create.lines().any(|line| line.trim_start().starts_with("FULLTEXT KEY") && line.contains("WITH PARSER"))
    };
    facts
        .tables
        .iter()
        .filter(|t| needs(&t.source.create))
        .map(|t| {
            CHECK.alert(
                t.object(),
                "a full-text index names a parser plugin, which the destination must have under the same name",
                "install the plugin at the destination, or expect the index not to be made",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_parser_plugin_alerts() {
        let mut bench = Bench::new();
        bench.table().create = "CREATE TABLE `t` (\n  `a` text COMMENT 'WITH PARSER',\n  FULLTEXT KEY `f` (`a`)\n)".into();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().create = "CREATE TABLE `t` (\n  `a` text,\n  FULLTEXT KEY `f` (`a`) /*!50100 WITH PARSER `ngram` */ \n)".into();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
