//! DT266: may the account write the heartbeat row? (Requirements H01, H02.)

use super::{Check, Facts, Finding, Grants, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT266", name: "heartbeat-rights", ignorable: Ignorable::Alerts, run };

/// The account may write the heartbeat row at the source, and the source takes it.
pub fn may_beat(facts: &Facts<'_>) -> bool {
    missing(facts).is_empty() && facts.source.info.read_only_by().is_none()
}

fn missing(facts: &Facts<'_>) -> Vec<&'static str> {
    let grants = Grants::parse(&facts.gathered.source.grants);
    let there = facts.gathered.binlog.dts_tables.as_ref().is_some_and(|tables| tables.contains(TABLE));
    let needed: &[&str] = if there { &["INSERT", "UPDATE"] } else { &["CREATE", "INSERT", "UPDATE"] };
    needed.iter().filter(|privilege| !grants.has_on_table(privilege, "dts", TABLE)).copied().collect()
}

const TABLE: &str = "dtsctl_heartbeat";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.logs() || !facts.spec.heartbeat.write {
        return Vec::new();
    }
    let (binlog, info) = (&facts.gathered.binlog, facts.source.info);
    const MEND: &str = "write `heartbeat: {write: false}` to have it so";
    let missing = missing(facts);
    if !missing.is_empty() {
        return vec![CHECK.alert(
            None,
            format!(
                "account {} lacks {} in database dts at the source: no heartbeat row is written, and the lag is taken from the times of the source's transactions",
                info.account,
                missing.join(", ")
            ),
            format!("GRANT CREATE, INSERT, UPDATE ON `dts`.* TO the account at the source, or {MEND}"),
        )];
    }
    if let Some(setting) = info.read_only_by() {
        return vec![CHECK.alert(None, format!("the source takes no writes ({setting}): no heartbeat row is written"), MEND)];
    }
    let filtered =
        (!binlog.only.is_empty() && !binlog.only.iter().any(|name| name == "dts")) || binlog.ignored.iter().any(|name| name == "dts");
    if filtered {
        return vec![CHECK.alert(None, "database dts is filtered out of the source's binlog: the heartbeat row tells nothing", MEND)];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn rights_are_needed_only_when_the_row_is_to_be_written() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        assert!(bench.with(may_beat));
        bench.gathered.source.grants = vec!["GRANT INSERT, UPDATE ON `dts`.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        assert!(!bench.with(may_beat));
        bench.gathered.binlog.dts_tables = Some([TABLE.to_owned()].into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        assert!(bench.with(may_beat));
        bench.gathered.binlog.ignored = vec!["dts".into()];
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.gathered.source.grants.clear();
        bench.spec.heartbeat.write = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn a_server_that_takes_no_writes_takes_no_heartbeat() {
        let mut bench = Bench::following();
        bench.source_info.variables.insert("super_read_only".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        assert!(!bench.with(may_beat));
    }
}
