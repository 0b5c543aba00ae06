//! DT300: would the destination refuse stored functions and triggers because it writes a binlog?
//!
//! With log_bin ON and log_bin_trust_function_creators OFF, a function must be DETERMINISTIC, NO SQL or READS SQL DATA (error 1418, for
//! every account, seen on 9.7.4 and 10.11.19), and creating functions or triggers needs SUPER (error 1419; manual: Stored Program Binary
//! Logging).

use super::{Check, Facts, Finding, Ignorable, grants::Grants};
use crate::{
    catalog::TableName,
    ddl::lex::{self, Mode},
    spec::TriggerMode,
};

pub(super) const CHECK: Check = Check { code: "DT300", name: "function-creators", ignorable: Ignorable::No, run };

const MEND: &str = "SET GLOBAL log_bin_trust_function_creators=ON at the destination for the time of the apply";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.destination.info;
    if !facts.spec.phases.schema || !info.is_on("log_bin") || info.is_on("log_bin_trust_function_creators") {
        return Vec::new();
    }
    let has_super = Grants::parse(&facts.gathered.destination.grants).has_everywhere("SUPER");
    let mut findings = Vec::new();
    for object in &facts.source.catalog.others {
        let name = TableName::new(&object.database, &object.name);
        let Some(there) = facts.scope.programs.get(&(object.kind.clone(), name)) else { continue };
        let made =
            facts.destination.catalog.others.iter().any(|o| o.kind == object.kind && o.database == there.database && o.name == there.table);
        let concerned = object.kind == "function" || (object.kind == "trigger" && facts.spec.schema.triggers == TriggerMode::Auto);
        if made || !concerned {
            continue;
        }
        if object.kind == "function" && !is_tame(&object.create) {
            findings.push(CHECK.failed(
                there.to_string(),
                "the function is declared neither DETERMINISTIC nor NO SQL nor READS SQL DATA, and the destination writes a binlog and trusts no such function",
                format!("{MEND}, or declare it at the source, or exclude the database's programs by selecting tables"),
            ));
        } else if !has_super {
            findings.push(CHECK.failed(
                there.to_string(),
                format!("the destination writes a binlog and lets only accounts with SUPER create a {}", object.kind),
                format!("{MEND}, or GRANT SUPER ON *.* TO the account there"),
            ));
        }
    }
    findings
}

/// Has one of the three characteristics in its head, before the body begins.
fn is_tame(create: &str) -> bool {
    let tokens = lex::significant(create, Mode::default());
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|t| t.is_word(create, word));
    let ends = |at: usize| ["BEGIN", "RETURN", "IF", "CASE"].iter().any(|w| word(at, w));
    let body = (0..tokens.len()).find(|&at| ends(at)).unwrap_or(tokens.len());
    (0..body).any(|at| {
        let plain = word(at, "DETERMINISTIC") && !(at > 0 && word(at - 1, "NOT"));
        plain || (word(at, "NO") && word(at + 1, "SQL")) || (word(at, "READS") && word(at + 1, "SQL"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::OtherObject, precheck::bench::Bench};

    #[test]
    fn functions_that_a_binlog_does_not_trust() {
        let mut bench = Bench::new();
        let function = |create: &str| OtherObject {
            kind: "function".into(),
            database: "shop".into(),
            name: "f".into(),
            create: create.into(),
            position: None,
            session: None,
        };
        bench.source.others.push(function("CREATE FUNCTION `f`() RETURNS int\nRETURN (SELECT COUNT(*) FROM t)"));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "no binlog");
        bench.destination_info.variables.insert("log_bin".into(), "ON".into());
        bench.destination_info.variables.insert("log_bin_trust_function_creators".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.f"]);
        bench.source.others[0] = function("CREATE FUNCTION `f`() RETURNS int\n    READS SQL DATA\nRETURN (SELECT COUNT(*) FROM t)");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.destination.grants = vec!["GRANT CREATE ROUTINE ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["failed shop.f"]);
    }

    #[test]
    fn only_the_head_counts() {
        assert!(is_tame("CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1"));
        assert!(!is_tame("CREATE FUNCTION f() RETURNS int NOT DETERMINISTIC BEGIN RETURN (SELECT 'DETERMINISTIC'); END"));
        assert!(!is_tame("CREATE FUNCTION f() RETURNS int BEGIN DECLARE deterministic INT; RETURN 1; END"));
    }
}
