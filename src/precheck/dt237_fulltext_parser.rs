//! DT237: do full-text indexes need a parser plugin? (Requirements B16.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT237", name: "fulltext-parser", ignorable: Ignorable::Alerts, run };

/// The parser plugins that a table's full-text indexes name. `SHOW CREATE TABLE` prints one index a line, and names between backticks.
fn parsers(create: &str) -> impl Iterator<Item = &str> {
    let indexes = create.lines().filter(|line| line.trim_start().starts_with("FULLTEXT KEY"));
    indexes.filter_map(|line| line.rsplit_once("WITH PARSER `")?.1.split('`').next())
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in &facts.tables {
        let Some(parser) = parsers(&table.source.create).next() else { continue };
        let has = |name: &str| facts.gathered.parsers.as_ref().map(|known| known.iter().any(|known| known.eq_ignore_ascii_case(name)));
        let lacking = parsers(&table.source.create).find(|name| has(name) == Some(false));
        findings.push(if facts.crosses_vendors() && facts.source.info.flavor.is_mysql() {
            CHECK.alert(
                table.object(),
                format!("a full-text index names the parser plugin {parser}, which is left out: other words are indexed"),
                "look at what searches by that index before you cut over",
            )
        } else if let Some(lacking) = lacking.filter(|_| facts.spec.phases.schema && table.destination.is_none()) {
            CHECK.failed(
                table.object(),
                format!("a full-text index names the parser plugin {lacking}, which the destination does not have"),
                "install the plugin at the destination, or leave the table out",
            )
        } else {
            CHECK.alert(
                table.object(),
                format!("a full-text index names the parser plugin {parser}, which the destination must have with the same settings"),
                "compare its settings (ngram_token_size and the like) at both ends: other words would be indexed",
            )
        });
    }
    findings
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
        assert_eq!(bench.run(&CHECK), ["alert shop.t"], "nobody knows the destination's plugins");
        bench.gathered.parsers = Some(["NGRAM".to_owned()].into_iter().collect());
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.gathered.parsers = Some(std::collections::BTreeSet::new());
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.stranger();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"], "the table is there");
        bench.mariadb_destination();
        assert!(bench.causes(&CHECK)[0].contains("left out"));
    }
}
