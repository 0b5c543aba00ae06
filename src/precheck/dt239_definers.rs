//! DT239: may the destination's account make views and programs in the name of their definers, and are those there? (Requirements E06,
//! 2.1.) Definers are kept as they are: who else should answer for a view is nothing that a tool can know.

use std::collections::BTreeSet;

use super::{Check, Facts, Finding, Grants, Ignorable};
use crate::{
    ddl::lex::{self, Mode},
    diff::{ObjectKind, Risk},
};

pub(super) const CHECK: Check = Check { code: "DT239", name: "definers", ignorable: Ignorable::Alerts, run };

/// Any of these lets an account name another as the definer (manuals: SET_ANY_DEFINER since MySQL 8.2, SET_USER_ID before; SET USER on
/// MariaDB).
const RIGHTS: [&str; 4] = ["SUPER", "SET_ANY_DEFINER", "SET_USER_ID", "SET USER"];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.schema {
        return Vec::new();
    }
    let carried = |o: &&crate::catalog::OtherObject| {
        let key = (o.kind.clone(), crate::catalog::TableName::new(&o.database, &o.name));
        facts.scope.programs.contains_key(&key)
    };
    let definers: BTreeSet<String> = facts.source.catalog.others.iter().filter(carried).filter_map(|o| definer(&o.create)).collect();
    let me = &facts.destination.info.account;
    let others: Vec<&str> = definers.iter().map(String::as_str).filter(|d| d != me).collect();
    let mut findings = Vec::new();
    let grants = Grants::parse(&facts.gathered.destination.grants);
    if !others.is_empty() && !RIGHTS.iter().any(|right| grants.has_everywhere(right)) {
        findings.push(CHECK.failed(
            None,
            format!("account {me} may not make objects in the name of their definers: {}", others.join(", ")),
            "GRANT SET_ANY_DEFINER (MySQL; SET_USER_ID before 8.2) or SET USER (MariaDB) ON *.* TO the account at the destination, or exclude them",
        ));
    }
    match &facts.gathered.destination_accounts {
        Some(accounts) => {
            let made = |name: &str| {
                facts.diff.changes.iter().any(|c| c.kind == ObjectKind::Account && c.risk == Risk::Safe && c.destination == name)
            };
            let missing: Vec<&str> = definers.iter().map(String::as_str).filter(|d| !accounts.contains(*d) && !made(d)).collect();
            if !missing.is_empty() {
                findings.push(CHECK.alert(
                    None,
                    format!("the destination has no account {}, in whose name views or programs run", missing.join(", ")),
                    "create the accounts before you cut over: until then whoever calls these objects gets an error",
                ));
            }
        }
        None if !definers.is_empty() => findings.push(CHECK.alert(
            None,
            format!("the account may not see whether the destination has the definers: {}", others.join(", ")),
            "GRANT SELECT ON mysql.user TO the account at the destination, or look for the accounts there",
        )),
        None => {}
    }
    findings
}

/// `user@host` behind `DEFINER=`.
fn definer(create: &str) -> Option<String> {
    let tokens = lex::significant(create, Mode::default());
    let at = tokens.iter().position(|t| t.is_word(create, "DEFINER"))?;
    let user = tokens.get(at + 2)?;
    if !tokens.get(at + 1)?.is_symbol(create, "=") {
        return None;
    }
    // The lexer takes `@` and what follows without a blank as one.
    let host = tokens.get(at + 3)?.text(create);
    let host = if host == "@" { tokens.get(at + 4)?.text(create) } else { host.strip_prefix('@')? };
    Some(format!("{}@{}", lex::name_of(user.text(create)), lex::name_of(host)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::OtherObject, precheck::bench::Bench};

    #[test]
    fn definers_need_a_right_and_should_be_there() {
        assert_eq!(definer("CREATE DEFINER=`a b`@`%` VIEW `v` AS SELECT 1").as_deref(), Some("a b@%"));
        assert_eq!(definer("CREATE VIEW `v` AS SELECT 1"), None);
        let mut bench = Bench::new();
        bench.gathered.destination_accounts = Some(BTreeSet::from(["boss@%".to_owned()]));
        let mut view = OtherObject::new("view", "shop", "v");
        view.create = "CREATE DEFINER=`boss`@`%` VIEW `v` AS SELECT 1".into();
        bench.source.others.push(view);
        bench.gathered.destination.grants = vec!["GRANT ALL PRIVILEGES ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.destination.grants = vec!["GRANT CREATE VIEW ON `shop`.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.gathered.destination_accounts = Some(BTreeSet::new());
        assert_eq!(bench.run(&CHECK), ["failed -", "alert -"]);
        bench.gathered.destination_accounts = None;
        assert_eq!(bench.run(&CHECK), ["failed -", "alert -"]);
    }
}
