//! DT262: do foreign keys change rows that the binlog does not show? (Requirements C04, traps.md 10.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT262", name: "cascading-keys", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.source.info;
    let logged = info.flavor.may_log_cascades() && !info.is_on("innodb_native_foreign_keys");
    if !facts.logs() || logged {
        return Vec::new();
    }
    facts
        .gathered
        .binlog
        .cascades
        .iter()
        .map(|cascade| {
            let object = facts.scope.pair(&cascade.child).map(|pair| pair.destination.to_string());
            CHECK.alert(
                object,
                format!(
                    "foreign key {} ({}) changes rows when those of {} change, and this source's binlog does not show it",
                    cascade.key, cascade.rules, cascade.parent
                ),
                "let applications delete and update the child rows themselves, and run `dtsctl verify` before cutting over",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;
    use crate::{catalog::TableName, connect::Flavor, precheck::Cascade};

    #[test]
    fn each_key_alerts_where_the_binlog_does_not_show_it() {
        let mut bench = Bench::following();
        bench.gathered.binlog.cascades = vec![Cascade {
            child: TableName::new("shop", "t"),
            key: "fk".into(),
            parent: TableName::new("shop", "parent"),
            rules: "ON DELETE CASCADE".into(),
        }];
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.source_info.flavor = Flavor::parse("9.7.4", "").expect("a version");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("innodb_native_foreign_keys".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.mariadb_source();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
