//! DT292: do bodies of routines, triggers and events, which are carried as they are, mention what has another name at the destination?
//! (Requirements D11.) Foreign keys and views follow new names; what a name in a body means is known only when it runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Facts, Finding, Ignorable};
use crate::{
    catalog::OtherObject,
    ddl::lex::{self, Kind, Mode},
};

pub(super) const CHECK: Check = Check { code: "DT292", name: "old-names-in-bodies", ignorable: Ignorable::Alerts, run };

/// Names listed in one finding.
const NAMED: usize = 5;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let scope = facts.scope;
    let databases: BTreeSet<String> = scope.databases.iter().filter(|(from, to)| from != to).map(|(from, _)| from.to_lowercase()).collect();
    // Tables, sequences and views by the database they are in, as far as their own name is another.
    let mut tables: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let pairs = scope.pairs.iter().map(|pair| (&pair.source, &pair.destination)).chain(&scope.sequences);
    let views = scope.programs.iter().filter(|((kind, _), _)| kind == "view").map(|((_, from), to)| (from, to));
    for (from, _) in pairs.chain(views).filter(|(from, to)| from.table != to.table) {
        tables.entry(&from.database).or_default().insert(from.table.to_lowercase());
    }
    if databases.is_empty() && tables.is_empty() {
        return Vec::new();
    }
    let none = BTreeSet::new();
    let all: BTreeSet<String> = tables.values().flatten().cloned().collect();
    let mut findings = Vec::new();
    for ((kind, source), destination) in scope.programs.iter().filter(|((kind, _), _)| kind != "view") {
        let here = |o: &&OtherObject| o.kind == *kind && o.database == source.database && o.name == source.table;
        let Some(object) = facts.source.catalog.others.iter().find(here) else { continue };
        let found = mentions(object, &databases, tables.get(source.database.as_str()).unwrap_or(&none), &all);
        if found.is_empty() {
            continue;
        }
        let mut list = found.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if found.len() > NAMED {
            list.push_str(&format!(" and {} more", found.len() - NAMED));
        }
        findings.push(CHECK.alert(
            format!("{kind} {destination}"),
            format!("{kind} {source} mentions {list}, which has another name at the destination; bodies are carried as they are"),
            "change it at the destination before you cut over, or give the objects the names they have at the source",
        ));
    }
    findings
}

/// Old names in a text: of databases before a dot, of tables of the program's own database, and of any renamed table behind a renamed
/// database; in texts too, which a body may prepare and run. Letters do not count: rather one alert too many.
fn mentions(object: &OtherObject, databases: &BTreeSet<String>, own: &BTreeSet<String>, all: &BTreeSet<String>) -> BTreeSet<String> {
    let text = &object.create;
    let modes = object.session.as_ref().map(|s| s.sql_mode.to_ascii_uppercase()).unwrap_or_default();
    let has = |mode: &str| modes.split(',').any(|m| m == mode);
    let mode = Mode { ansi_quotes: has("ANSI_QUOTES"), no_backslash_escapes: has("NO_BACKSLASH_ESCAPES") };
    let tokens = lex::significant(text, mode);
    // The head names the object itself, and a trigger's table: those are mapped.
    let begins = |t: &lex::Token| match object.kind.as_str() {
        "trigger" => t.is_word(text, "FOR"),
        "event" => t.is_word(text, "DO"),
        _ => t.is_symbol(text, "("),
    };
    let body = tokens.iter().position(begins).unwrap_or(0);
    let mut found = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate().skip(body) {
        match token.kind {
            Kind::Word | Kind::Quoted => {
                let name = lex::name_of(token.text(text));
                let low = name.to_lowercase();
                let before_dot = tokens.get(at + 1).is_some_and(|t| t.is_symbol(text, "."));
                let behind = at
                    .checked_sub(2)
                    .filter(|_| tokens[at - 1].is_symbol(text, "."))
                    .map(|q| lex::name_of(tokens[q].text(text)).to_lowercase());
                let elsewhere = behind.is_some_and(|q| databases.contains(&q)) && all.contains(&low);
                if (before_dot && databases.contains(&low)) || own.contains(&low) || elsewhere {
                    found.insert(name);
                }
            }
            Kind::String => {
                let words: BTreeSet<String> =
                    token.text(text).split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).map(str::to_lowercase).collect();
                found.extend(words.into_iter().filter(|w| databases.contains(w) || own.contains(w)));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::sample,
        precheck::bench::Bench,
        spec::{Rename, RenamePattern},
    };

    #[test]
    fn bodies_that_name_what_is_renamed_are_told() {
        let mut bench = Bench::new();
        bench.source = sample::catalog(vec![sample::table("shop", "t_1"), sample::table("shop", "u")]);
        for (kind, name, create) in [
            ("procedure", "p", "CREATE DEFINER=`r`@`%` PROCEDURE `p`() SELECT * FROM T_1"),
            ("procedure", "q", "CREATE PROCEDURE `q`(a INT) BEGIN SELECT * FROM u; END"),
            ("procedure", "t_1", "CREATE PROCEDURE `t_1`() SELECT 1 -- t_1"),
            ("function", "f", "CREATE FUNCTION `f`() RETURNS INT RETURN (SELECT COUNT(*) FROM `shop`.`u`)"),
            ("trigger", "g", "CREATE TRIGGER `g` BEFORE INSERT ON `t_1` FOR EACH ROW SET NEW.id = 1"),
            ("event", "e", "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO PREPARE s FROM 'DELETE FROM t_1'"),
        ] {
            let mut object = OtherObject::new(kind, "shop", name);
            object.create = create.into();
            bench.source.others.push(object);
        }
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.objects[0].rename_tables = RenamePattern::new(r"t_(\d+)", "orders_$1").ok();
        assert_eq!(bench.run(&CHECK), ["alert event shop.e", "alert procedure shop.p"]);
        bench.spec.objects[0].rename_tables = None;
        bench.spec.objects[0].rename = Some(Rename::To("shop_dr".to_owned()));
        assert_eq!(bench.run(&CHECK), ["alert function shop_dr.f"]);
    }
}
