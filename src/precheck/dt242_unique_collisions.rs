//! DT242: would keys that are told apart now be one under the destination's collation? (traps.md 5: counted by the server.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT242", name: "unique-collisions", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for collision in &facts.gathered.collisions {
        let Some(pair) = facts.scope.pair(&collision.table) else { continue };
        let object = pair.destination.to_string();
        let changes = collision.collations.join(", ");
        match collision.groups {
            Some(0) => {}
            Some(groups) => findings.push(CHECK.failed(
                object,
                format!(
                    "key {}: {groups} groups of rows differ at the source and would be equal at the destination ({changes})",
                    collision.key
                ),
                "change the rows or the collation of the source's column, or give the destination's column a finer collation",
            )),
            None => findings.push(CHECK.alert(
                object,
                format!(
                    "key {} gets another collation ({changes}), and whether rows become equal by it could not be counted",
                    collision.key
                ),
                "count them at the source, or expect the copy to stop at such rows; it never drops one",
            )),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::TableName,
        precheck::{Collision, bench::Bench},
    };

    #[test]
    fn collisions_fail_and_uncounted_ones_alert() {
        let mut bench = Bench::new();
        let set = |bench: &mut Bench, groups| {
            bench.gathered.collisions = vec![Collision {
                table: TableName::new("shop", "t"),
                key: "u".into(),
                collations: vec!["name: utf8mb4_0900_ai_ci -> utf8mb4_general_ci".into()],
                groups,
            }];
        };
        set(&mut bench, Some(0));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        set(&mut bench, Some(2));
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        set(&mut bench, None);
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
