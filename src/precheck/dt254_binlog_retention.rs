//! DT254: does the source keep its binlog long enough? (Requirements B08 to B10.)

use super::{BinlogFacts, Check, Facts, Finding, Ignorable};
use crate::{
    binlog::{Retention, retention::removed_after},
    connect::ServerInfo,
    spec::Engine,
};

pub(super) const CHECK: Check = Check { code: "DT254", name: "binlog-retention", ignorable: Ignorable::Failures, run };

const HOUR: u64 = 3600;

/// How long the binlog must be kept, and should be, in hours.
fn wanted(facts: &Facts<'_>) -> (u64, u64) {
    // What is left after the copy is only the time that an apply may stand still.
    let copied = facts.follows_already()
        || (!facts.tables.is_empty() && facts.tables.iter().all(|t| facts.progress.copied.contains(&t.source.name)));
    match facts.spec.source.engine {
        Some(Engine::PolardbMysql) => (72, 168),
        _ if facts.spec.phases.full && !copied => (168, 168),
        _ => (24, 24),
    }
}

/// How long the binlog must be kept once the copy is done, in seconds.
pub fn needed_after_copy(source: Option<Engine>) -> u64 {
    HOUR * if source == Some(Engine::PolardbMysql) { 72 } else { 24 }
}

/// What [`Retention`] knows at the time of a plan.
fn retention(info: &ServerInfo, binlog: &BinlogFacts) -> Retention {
    let removed_after = removed_after(info.variable("binlog_expire_logs_seconds"), info.variable("expire_logs_days"));
    Retention { removed_after, oldest_age: binlog.oldest_age, uptime: binlog.uptime }
}

fn hours(seconds: u64) -> String {
    match seconds / HOUR {
        hours if hours >= 72 => format!("{} days", hours / 24),
        1 => "1 hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.logs() {
        return Vec::new();
    }
    let kept = retention(facts.source.info, &facts.gathered.binlog);
    let (floor, good) = wanted(facts);
    let platform = matches!(facts.spec.source.engine, Some(Engine::RdsMysql | Engine::PolardbMysql));
    let mend = format!("keep the source's binlog for {} at least, longer than the copy and any pause take", hours(good * HOUR));
    let mut findings = Vec::new();
    match kept.removed_after.filter(|&seconds| seconds > 0) {
        Some(seconds) if seconds < floor * HOUR => {
            let cause = format!("the source removes binlog files after {}, and {} are needed", hours(seconds), hours(floor * HOUR));
            findings.push(CHECK.failed(None, cause, mend.clone()));
        }
        Some(seconds) if seconds < good * HOUR => {
            let cause = format!("the source removes binlog files after {}, and {} are better", hours(seconds), hours(good * HOUR));
            findings.push(CHECK.alert(None, cause, mend.clone()));
        }
        _ => {}
    }
    // What is kept in truth: a platform removes files whatever the variables say. A server that has run for longer than its oldest file
    // reaches back has lost some.
    if let (Some(age), Some(uptime)) = (kept.oldest_age, kept.uptime)
        && findings.is_empty()
        && kept.has_lost(good * HOUR)
    {
        let cause = format!("the oldest binlog file begins {} ago, though the source has run for {}", hours(age), hours(uptime));
        let failed = platform && age < floor * HOUR;
        findings.push(if failed { CHECK.failed(None, cause, mend) } else { CHECK.alert(None, cause, mend) });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    fn expires(bench: &mut Bench, hours: u64) {
        bench.source_info.variables.insert("binlog_expire_logs_seconds".into(), (hours * 3600).to_string());
    }

    #[test]
    fn what_is_needed_hangs_on_phases_and_engine() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        expires(&mut bench, 0);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "never removed");
        expires(&mut bench, 100);
        assert_eq!(bench.run(&CHECK), ["failed -"], "a copy comes first");
        expires(&mut bench, 167);
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        expires(&mut bench, 168);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        expires(&mut bench, 24);
        bench.progress.copied.insert(crate::catalog::TableName::new("shop", "t"));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "the copy is done");
        expires(&mut bench, 23);
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        assert_eq!([Engine::RdsMysql, Engine::PolardbMysql].map(|engine| needed_after_copy(Some(engine)) / HOUR), [24, 72]);
        bench.spec.source.engine = Some(Engine::PolardbMysql);
        expires(&mut bench, 71);
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        expires(&mut bench, 72);
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        expires(&mut bench, 168);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn days_count_where_there_are_no_seconds() {
        let mut bench = Bench::following();
        bench.source_info.variables.remove("binlog_expire_logs_seconds");
        bench.source_info.variables.insert("expire_logs_days".into(), "6.5".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.source_info.variables.insert("expire_logs_days".into(), "10".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }

    #[test]
    fn files_that_are_gone_tell_more_than_variables() {
        let mut bench = Bench::following();
        (bench.gathered.binlog.oldest_age, bench.gathered.binlog.uptime) = (Some(20 * HOUR), Some(20 * HOUR));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "a young server");
        bench.gathered.binlog.uptime = Some(900 * HOUR);
        assert_eq!(bench.run(&CHECK), ["alert -"], "somebody may have purged by hand");
        bench.spec.source.engine = Some(Engine::RdsMysql);
        assert_eq!(bench.run(&CHECK), ["failed -"], "the platform does");
    }
}
