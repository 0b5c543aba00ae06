//! The incremental phase in the status: where it is, how far behind, what it met.

use super::{
    Paint,
    status::{beginning, behind, lasting, moment, whole},
    text,
};
use crate::state::{DdlStatement, FollowStatus, PositionStatus, RetentionStatus, RunState, Status};

/// So many conflicts and failed statements are named; `--ddl-errors` and the JSON document have all.
const NAMED: usize = 5;

/// `binlog.000003:4711`.
pub(super) fn place(position: &PositionStatus) -> String {
    format!("{}:{}", text::harmless(&position.file), position.offset)
}

/// Cut to so many characters, with dots where something is left out.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(3)).collect();
    out.push_str("...");
    out
}

/// What stands in the block, one name and one text a line.
pub(super) fn rows(follow: &FollowStatus, width: usize) -> Vec<(&'static str, String)> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time in microseconds, far from the ends")]
    let lag = follow.lag_seconds.map(|seconds| (seconds.max(0.0) * 1e6) as u64);
    let mut rows = Vec::new();
    if let Some(idle) = follow.idle {
        let how = if follow.by_heartbeat { "" } else { " (by the times of its transactions)" };
        rows.push(("behind", format!("{}{how}", behind(lag, idle))));
    }
    rows.push(("position", place(&follow.position)));
    if let Some(gtid) = &follow.position.gtid {
        rows.push(("gtid", cut(&text::harmless(gtid), width)));
    }
    if let Some(read) = follow.read.as_ref().filter(|read| read.file != follow.position.file || read.offset != follow.position.offset) {
        let waiting = if follow.backlog_bytes > 0 {
            format!(", {} read and not committed", text::bytes(follow.backlog_bytes))
        } else {
            String::new()
        };
        rows.push(("read", format!("{}{waiting}", place(read))));
    }
    if let Some(kept) = &follow.retention {
        rows.push(("binlog", retention(kept)));
    }
    if let Some(time) = &follow.source_time {
        rows.push(("newest", format!("{} UTC at the source", moment(time))));
    }
    let mut rates = Vec::new();
    rates.extend(follow.rows_per_second.map(|rate| format!("{} rows/s", text::count(whole(rate)))));
    rates.extend(follow.transactions_per_second.map(|rate| format!("{} transactions/s", text::count(whole(rate)))));
    rates.extend(follow.bytes_per_second.map(|rate| format!("{}/s", text::bytes(whole(rate)))));
    if !rates.is_empty() {
        rows.push(("rates", rates.join(", ")));
    }
    let carried = format!(
        "{} row changes of {} transactions in {} commits",
        text::count(follow.row_events),
        text::count(follow.transactions),
        text::count(follow.commits)
    );
    rows.push(("carried", carried));
    let lanes = if follow.idle.is_some() { format!("{} of {} at work", follow.lanes_busy, follow.lanes) } else { follow.lanes.to_string() };
    rows.push(("lanes", format!("{lanes}; until {}", cut(&text::harmless(&follow.until), width.saturating_sub(30)))));
    rows
}

/// How long the source keeps its binlog: `kept for 30 d, oldest file 2 d 4 h old; needed 1 d`.
fn retention(kept: &RetentionStatus) -> String {
    #[expect(clippy::cast_precision_loss, reason = "times of days")]
    let time = |seconds: u64| lasting(seconds as f64);
    let word = match kept.removed_after_seconds {
        Some(0) => "kept until purged".to_owned(),
        Some(seconds) => format!("kept for {}", time(seconds)),
        None => "kept for unknown time".to_owned(),
    };
    let oldest = kept.oldest_seconds.map(|age| format!(", oldest file {} old", time(age))).unwrap_or_default();
    format!("{word}{oldest}; needed {}", time(kept.needed_seconds))
}

/// The block of the table.
pub(super) fn block(follow: &FollowStatus, width: usize) -> String {
    let mut out = "incremental".to_owned();
    for (name, text) in rows(follow, width.saturating_sub(14)) {
        out.push_str(&format!("\n  {name:<11} {text}"));
    }
    out
}

/// What was met on the way, in sentences.
pub(super) fn sentences(status: &Status, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(stop), true) = (&status.stop_requested, status.state == RunState::Running)
        && stop.when != "now"
    {
        lines.push(format!("stops at: {}", text::harmless(&stop.when)));
    }
    let limits: Vec<String> = status.limits.iter().map(|limit| format!("{}={}", limit.name, limit.value)).collect();
    if status.limits.iter().any(|limit| limit.name != "threads") {
        lines.push(format!("limits: {}", limits.join(", ")));
    }
    if let Some(kept) = status.follow.as_ref().and_then(|follow| follow.retention.as_ref()).filter(|kept| kept.short) {
        let line = "retention: the source keeps its binlog for less time than is needed; an apply that stands still for longer loses its place (DT254)";
        let at = moment(&kept.at);
        lines.push(paint.alert(&format!("{line}, seen {at} UTC")));
    }
    let rows: u64 = status.conflicts.iter().map(|conflict| conflict.rows).sum();
    if rows > 0 {
        let tables = status.conflicts.iter().map(|conflict| &conflict.table).collect::<std::collections::BTreeSet<_>>().len();
        lines.push(paint.alert(&format!("conflicts: {} in {}", text::plural(rows, "row"), text::plural(tables as u64, "table"))));
        for conflict in status.conflicts.iter().take(NAMED) {
            let (table, key) = (text::harmless(&conflict.table.to_string()), text::harmless(&conflict.key.join(", ")));
            lines.push(format!("  {table}: {} {} by key ({key}), last {} UTC", conflict.rows, conflict.kind, moment(&conflict.last)));
        }
        if status.conflicts.len() > NAMED {
            lines.push(format!("  and {} more kinds", status.conflicts.len() - NAMED));
        }
    }
    for one in &status.left_out {
        let table = text::harmless(&one.table.to_string());
        let what = match one.kind.as_str() {
            "table-left-out" => format!("{} of a table that was not made", text::plural(one.rows, "event")),
            "row-replaced" => format!("{} that had stayed gave way to the source's", text::plural(one.rows, "row")),
            "row-absent" => format!("{} to be changed or deleted had never been brought", text::plural(one.rows, "row")),
            kind => format!("{} {}", one.rows, kind.trim_end_matches("-left-out")),
        };
        lines.push(format!("left out by `operations`: {table}: {what}, last {} UTC", moment(&one.last)));
    }
    for outcome in ["carried", "skipped"] {
        let counts: Vec<String> = status
            .ddl
            .counts
            .iter()
            .filter(|count| count.outcome == outcome)
            .map(|count| format!("{} {}", count.times, text::harmless(&count.class)))
            .collect();
        if !counts.is_empty() {
            lines.push(format!("ddl {outcome}: {}", counts.join(", ")));
        }
    }
    let failed: u64 = status.ddl.counts.iter().filter(|count| count.outcome == "failed").map(|count| count.times).sum();
    if failed > 0 {
        lines.push(paint.bad(&format!("ddl failed: {}; `dtsctl status --ddl-errors` lists them", text::plural(failed, "statement"))));
        let shown = status.ddl.failed.len().saturating_sub(NAMED);
        for statement in &status.ddl.failed[shown..] {
            let error = text::harmless(statement.error.as_deref().unwrap_or_default());
            lines.push(format!("  {} at {}: {error}", what(statement), text::harmless(&statement.place)));
        }
    }
    lines
}

fn what(statement: &DdlStatement) -> String {
    let class = text::harmless(&statement.class);
    statement.object.as_ref().map_or_else(|| class.clone(), |object| format!("{class} {}", text::harmless(object)))
}

/// The DDL statements that the destination refused, one by one.
pub fn ddl_errors(status: &Status, width: usize) -> String {
    if status.ddl.failed.is_empty() {
        return "No DDL statement of the source has failed at the destination.\n".to_owned();
    }
    let mut out = String::new();
    for statement in &status.ddl.failed {
        let gtid = statement.gtid.as_ref().map(|gtid| format!(" ({})", text::harmless(gtid))).unwrap_or_default();
        let head = format!("{} UTC  {} at {}{gtid}", moment(&statement.at), what(statement), text::harmless(&statement.place));
        out.push_str(&text::wrap(&head, width, "", "  "));
        out.push('\n');
        let error = text::harmless(statement.error.as_deref().unwrap_or_default());
        out.push_str(&text::wrap(&format!("error: {error}"), width, "  ", "    "));
        out.push('\n');
        out.push_str(&text::wrap(&beginning(&statement.sql), width, "  ", "    "));
        out.push_str("\n\n");
    }
    out.push_str(&format!("{}.\n", text::plural(status.ddl.failed.len() as u64, "statement")));
    out
}

/// In a sentence for the end of a run: `12 k row changes of 3 transactions carried, caught up`.
pub fn in_short(follow: &FollowStatus) -> String {
    let rows = text::plural(follow.row_events, "row change");
    let transactions = text::plural(follow.transactions, "transaction");
    let lag = follow.lag_seconds.map(|lag| format!(", {} behind", lasting(lag))).unwrap_or_default();
    format!("{rows} of {transactions} carried up to {}{lag}", place(&follow.position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_words_about_the_binlog_fit_into_a_line() {
        for removed_after_seconds in [None, Some(0), Some(86_399), Some(8_640_000 - 3600)] {
            for oldest_seconds in [None, Some(3599), Some(86_399), Some(8_640_000 - 3600)] {
                let at = "2024-05-01T12:00:00.000Z".to_owned();
                let kept = RetentionStatus { at, removed_after_seconds, oldest_seconds, needed_seconds: 259_200, short: false };
                let line = retention(&kept);
                assert!(line.len() <= 80 - 14, "{line}");
            }
        }
    }
}
