//! The status of a task as a table for people, as Markdown and as JSON.

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{Paint, status_follow, text};
use crate::state::{RunState, Status, TableState, TableStatus};

/// How the status is shown.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Colour.
    pub paint: Paint,
    /// The command that goes on with the task, e.g. `dtsctl apply -f shop.yaml`.
    pub resume: String,
}

/// So many tables are shown one by one.
const TABLES: usize = 15;

/// A stretch of time for people: `850 ms`, `12 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`.
pub fn lasting(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times of runs, shown to the second")]
    let whole = seconds.max(0.0).round() as u64;
    let two = |big: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{big} {unit}"),
        _ => format!("{big} {unit} {small} {small_unit}"),
    };
    match whole {
        _ if seconds < 0.9995 => format!("{:.0} ms", seconds.max(0.0) * 1000.0),
        0..60 => format!("{whole} s"),
        60..3600 => two(whole / 60, "min", whole % 60, "s"),
        3600..86400 => two(whole / 3600, "h", whole / 60 % 60, "min"),
        _ => two(whole / 86400, "d", whole / 3600 % 24, "h"),
    }
}

/// How far an apply is behind its source: `lag 1.2 s`; of a quiet source `idle`, with the age of its last change.
pub(super) fn behind(micros: Option<u64>, idle: bool) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time, shown to the tenth of a second")]
    let time = micros.map(|micros| match micros as f64 / 1e6 {
        short if short < 60.0 => format!("{short:.1} s"),
        long => lasting(long),
    });
    match (time, idle) {
        (Some(time), false) => format!("lag {time}"),
        (None, false) => "lag unknown".to_owned(),
        (Some(time), true) => format!("idle, last change {time} ago"),
        (None, true) => "idle".to_owned(),
    }
}

/// `2024-05-01 10:00:12` from the form the document has.
pub(super) fn moment(rfc3339: &str) -> String {
    rfc3339.get(..19).unwrap_or(rfc3339).replace('T', " ")
}

/// A rate: `24 k rows/s`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are positive and shown with three digits")]
pub(super) fn whole(rate: f64) -> u64 {
    rate.max(0.0).round() as u64
}

/// How much of what is expected is done; never 100 before it is.
pub(super) fn percent(done: u64, expected: u64) -> u64 {
    if done >= expected { 100 } else { u64::try_from(u128::from(done) * 100 / u128::from(expected)).unwrap_or(100) }
}

/// The status as lines no longer than the width as far as names let it, with a line end at the end.
pub fn table(status: &Status, options: &Options) -> String {
    let mut blocks = vec![head(status, options.paint)];
    if !status.phases.is_empty() {
        blocks.push(phases(status));
    }
    // Once the copy is done and the binlog is followed, a sentence says enough of it.
    let done = status.follow.is_some() && status.totals.tables_finished == status.totals.tables;
    if !status.tables.is_empty() && !done {
        blocks.push(tables(status));
    }
    if let Some(follow) = &status.follow {
        blocks.push(status_follow::block(follow, options.width));
    }
    let lines: Vec<String> = sentences(status, options.paint).iter().map(|line| text::wrap(line, options.width, "", "  ")).collect();
    if !lines.is_empty() {
        blocks.push(lines.join("\n"));
    }
    if let Some(line) = what_next(status, &options.resume) {
        blocks.push(text::wrap(&line, options.width, "", "  "));
    }
    let mut out = blocks.join("\n\n");
    out.push('\n');
    out
}

fn state(status: &Status, paint: Paint) -> String {
    let name = status.state.name();
    match status.state {
        RunState::Running | RunState::Starting | RunState::Finished => paint.good(name),
        RunState::Failed | RunState::Killed => paint.bad(name),
        RunState::Stopped | RunState::New => paint.alert(name),
    }
}

fn head(status: &Status, paint: Paint) -> String {
    let task = &status.task;
    let server = |s: &crate::state::ServerStatus| format!("{} {}", text::harmless(&s.address), text::harmless(&s.version));
    let mut out = format!(
        "dtsctl status  {}   {}\n  source      {}\n  destination {}",
        text::harmless(&task.name),
        state(status, paint),
        server(&task.source),
        server(&task.destination)
    );
    if let Some(run) = &status.run {
        let process = format!("process {} on {}", run.pid, text::harmless(&run.host));
        let times = match (&run.ended, run.seconds) {
            (Some(ended), Some(seconds)) => format!("{} to {} UTC ({})", moment(&run.started), moment(ended), lasting(seconds)),
            (_, Some(seconds)) => format!("since {} UTC ({})", moment(&run.started), lasting(seconds)),
            _ => format!("from {} UTC", moment(&run.started)),
        };
        out.push_str(&format!("\n  run {:<7} {process}\n  {:<11} {times}", run.number, ""));
    }
    out
}

fn plain_table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    let cells = |row: Vec<String>| {
        row.into_iter().enumerate().map(|(i, text)| {
            let cell = Cell::new(text);
            if right.contains(&i) { cell.set_alignment(CellAlignment::Right) } else { cell }
        })
    };
    table.set_header(cells(header.iter().map(|h| (*h).to_owned()).collect()));
    for row in rows {
        table.add_row(cells(row));
    }
    table.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

const PHASES: [&str; 4] = ["phase", "state", "began (UTC)", "took"];
const COLUMNS: [&str; 7] = ["table", "rows", "of", "done", "rows/s", "ranges", "state"];

fn phase_rows(status: &Status) -> Vec<Vec<String>> {
    let row = |phase: &crate::state::PhaseStatus| {
        vec![
            phase.phase.name().to_owned(),
            phase.state.name().to_owned(),
            phase.started.as_deref().map(moment).unwrap_or_default(),
            phase.seconds.map(lasting).unwrap_or_default(),
        ]
    };
    status.phases.iter().map(row).collect()
}

fn phases(status: &Status) -> String {
    plain_table(&PHASES, &[], phase_rows(status))
}

fn table_row(table: &TableStatus) -> Vec<String> {
    let finished = table.state == TableState::Finished;
    let (of, done) = match table.rows_estimate {
        _ if finished => (text::count(table.rows_done), "100 %".to_owned()),
        // More rows than the statistics knew of: nobody can say how many are left.
        estimate if table.rows_done >= estimate && table.rows_done > 0 => ("?".to_owned(), String::new()),
        estimate => (format!("~{}", text::count(estimate)), format!("{} %", percent(table.rows_done, estimate.max(1)))),
    };
    vec![
        text::harmless(&table.table.to_string()),
        text::count(table.rows_done),
        of,
        done,
        table.rows_per_second.map(|rate| text::count(whole(rate))).unwrap_or_default(),
        if table.ranges == 0 { String::new() } else { format!("{}/{}", table.ranges_finished, table.ranges) },
        table.state.name().to_owned(),
    ]
}

/// The tables that are shown one by one, those at work first, and how many of each state are not.
fn shown_tables(status: &Status) -> (Vec<&TableStatus>, Vec<(u64, &'static str)>) {
    let rank = |t: &TableStatus| match t.state {
        TableState::Copying | TableState::Interrupted => 0,
        TableState::Pending => 1,
        TableState::Finished => 2,
    };
    let mut all: Vec<&TableStatus> = status.tables.iter().collect();
    // Finished ones only when all fit: they are the least of anybody's worries.
    let fits = all.len() <= TABLES;
    all.sort_by_key(|t| (rank(t), std::cmp::Reverse(t.rows_estimate)));
    let (shown, rest): (Vec<_>, Vec<_>) =
        all.into_iter().enumerate().partition(|(i, t)| fits || (*i < TABLES && t.state != TableState::Finished));
    let mut shown: Vec<_> = shown.into_iter().map(|(_, t)| t).collect();
    if fits {
        shown.sort_by(|a, b| a.table.cmp(&b.table));
    }
    let mut hidden: Vec<(u64, &'static str)> = Vec::new();
    for (_, table) in rest {
        match hidden.iter_mut().find(|(_, name)| *name == table.state.name()) {
            Some((count, _)) => *count += 1,
            None => hidden.push((1, table.state.name())),
        }
    }
    (shown, hidden)
}

fn hidden_line(hidden: &[(u64, &'static str)]) -> Option<String> {
    let parts: Vec<String> = hidden.iter().map(|(count, state)| format!("{count} {state}")).collect();
    (!parts.is_empty()).then(|| format!("and {}", parts.join(", ")))
}

fn tables(status: &Status) -> String {
    let (shown, hidden) = shown_tables(status);
    let mut out = String::new();
    if !shown.is_empty() {
        out = plain_table(&COLUMNS, &[1, 2, 3, 4, 5], shown.into_iter().map(table_row).collect());
    }
    if let Some(line) = hidden_line(&hidden) {
        let line = if out.is_empty() { line.trim_start_matches("and ").to_owned() } else { format!("\n {line}") };
        out.push_str(&line);
    }
    out
}

/// `10 k of ~1.0 M rows (1 %), 667 rows/s, 65 KiB/s, about 25 min left`.
pub(super) fn how_far(done: u64, expected: u64, estimated: bool, rows: Option<f64>, bytes: Option<f64>, eta: Option<u64>) -> String {
    let about = if estimated { "~" } else { "" };
    let mut out = format!("{} of {about}{} rows ({} %)", text::count(done), text::count(expected), percent(done, expected));
    if let Some(rate) = rows {
        out.push_str(&format!(", {} rows/s", text::count(whole(rate))));
    }
    if let Some(rate) = bytes {
        out.push_str(&format!(", {}/s", text::bytes(whole(rate))));
    }
    #[expect(clippy::cast_precision_loss, reason = "a time left, shown to the minute")]
    if let Some(seconds) = eta {
        out.push_str(&format!(", about {} left", lasting(seconds as f64)));
    }
    out
}

/// The beginning of a statement on one line; the JSON document has all of it.
pub(super) fn beginning(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(160) {
        Some((at, _)) => format!("{} ...", text::harmless(&line[..at])),
        None => text::harmless(&line),
    }
}

fn sentences(status: &Status, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let totals = &status.totals;
    if totals.tables > 0 {
        let estimated = totals.tables_finished < totals.tables;
        let far =
            how_far(totals.rows_done, totals.rows_expected, estimated, totals.rows_per_second, totals.bytes_per_second, totals.eta_seconds);
        lines.push(format!("copy: {} of {} finished, {far}", totals.tables_finished, text::plural(totals.tables, "table")));
    }
    if totals.rows_kept > 0 {
        let tables = status.tables.iter().filter(|t| t.rows_kept > 0).count() as u64;
        let line = format!(
            "kept: {} of {} that the destination had already",
            text::plural(totals.rows_kept, "row"),
            text::plural(tables, "table")
        );
        lines.push(paint.alert(&line));
    }
    lines.extend(status_follow::sentences(status, paint));
    let statements = &status.statements;
    if statements.finished > 0 {
        #[expect(clippy::cast_precision_loss, reason = "a time, shown to the second")]
        let mut line = format!("statements: {} finished, {} in all", statements.finished, lasting(statements.milliseconds as f64 / 1000.0));
        if statements.found_done > 0 {
            line.push_str(&format!(", {} found done", statements.found_done));
        }
        if statements.with_warnings > 0 {
            line.push_str(&format!(", {} with warnings", statements.with_warnings));
        }
        lines.push(line);
    }
    for open in &statements.open {
        let time = open.seconds.map_or_else(|| "not finished".to_owned(), |s| format!("running for {}", lasting(s)));
        lines.push(format!("statement {}, {}, {time}: {}", open.action, text::harmless(&open.object), beginning(&open.sql)));
    }
    for wait in status.waits.iter().filter(|w| w.since.is_some()) {
        let line = format!("waits: {}, for {}: {}", text::harmless(&wait.who), lasting(wait.seconds), text::harmless(&wait.reason));
        lines.push(paint.alert(&line));
    }
    let past: f64 = status.waits.iter().filter(|w| w.since.is_none()).map(|w| w.seconds).sum();
    if past >= 1.0 {
        lines.push(format!("waited: {} in this run", lasting(past)));
    }
    for note in &status.notes {
        let times = if note.times > 1 { format!(" ({} times)", note.times) } else { String::new() };
        lines.push(format!("note: {}{times}", text::harmless(&note.text)));
    }
    for failed in &statements.failed {
        let error = failed.error.as_deref().unwrap_or_default();
        let line = format!("failed: {} {}: {}", failed.action, text::harmless(&failed.object), text::harmless(error));
        lines.push(paint.bad(&line));
        lines.push(format!("  {}", beginning(&failed.sql)));
    }
    if let Some(error) = status.run.as_ref().and_then(|run| run.error.as_ref()) {
        lines.push(paint.bad(&format!("error: {}", text::harmless(error))));
    }
    lines
}

fn what_next(status: &Status, resume: &str) -> Option<String> {
    match status.state {
        RunState::Running if status.stop_requested.as_ref().is_some_and(|stop| stop.when == "now") => {
            Some("A stop was asked for; the run finishes its open units first.".to_owned())
        }
        RunState::Killed => Some(format!("The run ended without saying so: it was killed, or its machine went down. `{resume}` resumes.")),
        RunState::Stopped | RunState::Failed => Some(format!("`{resume}` resumes.")),
        RunState::New => Some(format!("No run yet. `{resume}` begins one.")),
        RunState::Running | RunState::Starting | RunState::Finished => None,
    }
}

/// The status as JSON with a line end at the end; its schema is `schemas/status.v1.json`.
pub fn json(status: &Status) -> String {
    let mut out = serde_json::to_string_pretty(status).expect("strings and finite numbers only");
    out.push('\n');
    out
}

/// The status as JSON on one line.
pub fn json_line(status: &Status) -> String {
    let mut out = serde_json::to_string(status).expect("strings and finite numbers only");
    out.push('\n');
    out
}

/// The status as Markdown.
pub fn markdown(status: &Status, resume: &str) -> String {
    let mut out = format!("## dtsctl status: {} is {}\n\n", cell(&status.task.name), status.state.name());
    let (task, server) = (&status.task, |s: &crate::state::ServerStatus| format!("{} {}", cell(&s.address), cell(&s.version)));
    out.push_str(&format!("{} -> {}\n", server(&task.source), server(&task.destination)));
    let mut add = |header: &[&str], rows: Vec<Vec<String>>| {
        if rows.is_empty() {
            return;
        }
        out.push_str(&format!("\n| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len())));
        for row in rows {
            out.push_str(&format!("| {} |\n", row.iter().map(|text| cell(text)).collect::<Vec<_>>().join(" | ")));
        }
    };
    add(&PHASES, phase_rows(status));
    if let Some(follow) = &status.follow {
        let rows = status_follow::rows(follow, 200).into_iter().map(|(name, text)| vec![name.to_owned(), text]);
        add(&["incremental", ""], rows.collect());
    }
    let (shown, hidden) = shown_tables(status);
    add(&COLUMNS, shown.into_iter().map(table_row).collect());
    let lines = hidden_line(&hidden).into_iter().chain(sentences(status, Paint::default()));
    let lines: Vec<String> = lines.map(|line| format!("- {}\n", cell(line.trim()))).collect();
    if !lines.is_empty() {
        out.push_str(&format!("\n{}", lines.concat()));
    }
    if let Some(line) = what_next(status, resume) {
        out.push_str(&format!("\n{line}\n"));
    }
    out
}

/// Text that cannot end a cell, open a tag or be code.
pub(super) fn cell(text: &str) -> String {
    text::harmless(text).replace('\\', "\\\\").replace('|', "\\|").replace('`', "\\`").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::TableName,
        event::Phase,
        state::{
            ConflictStatus, DdlCount, DdlStatement, DdlStatus, FORMAT_VERSION, FollowStatus, LimitStatus, NoteStatus, PhaseState,
            PhaseStatus, PositionStatus, RetentionStatus, RunStatus, ServerStatus, StatementStatus, StatementsStatus, StopStatus,
            TaskStatus, Totals, WaitStatus,
        },
    };

    fn copied(name: &str, state: TableState, done: u64, estimate: u64) -> TableStatus {
        TableStatus {
            table: TableName::new("shop", name),
            destination: TableName::new("shop", name),
            state,
            rows_done: done,
            rows_kept: 0,
            rows_estimate: estimate,
            bytes_done: done * 100,
            bytes_estimate: estimate * 100,
            ranges: if state == TableState::Pending { 0 } else { 12 },
            ranges_finished: 5,
            chunks: 50,
            started: None,
            finished: None,
            rows_per_second: (state == TableState::Copying).then_some(24_123.4),
        }
    }

    fn status(state: RunState) -> Status {
        let server = |n: &str| ServerStatus { address: format!("{n}:3306"), version: "mysql 8.0.36".into(), identity: "x".into() };
        let live = state == RunState::Running;
        let mut tables = vec![
            copied("customers", TableState::Finished, 1_204_311, 1_100_000),
            copied("orders", if live { TableState::Copying } else { TableState::Interrupted }, 600_000, 2_400_000),
            copied("audit|log", TableState::Pending, 0, 0),
            copied("grown", if live { TableState::Copying } else { TableState::Interrupted }, 5000, 100),
        ];
        tables[1].destination = TableName::new("shop_dr", "orders");
        let statement = |action: &str, error: Option<&str>| StatementStatus {
            action: action.into(),
            index: 0,
            object: "shop.orders".into(),
            sql: "ALTER TABLE `orders`\n ADD KEY (`id`)".into(),
            started: "2024-05-01T10:00:02.000Z".into(),
            seconds: live.then_some(3.2),
            error: error.map(Into::into),
        };
        Status {
            format_version: FORMAT_VERSION.into(),
            at: "2024-05-01T12:05:02.000Z".into(),
            task: TaskStatus {
                id: "0123456789abcdef".into(),
                name: "shop-to-dr".into(),
                created: "2024-05-01T10:00:00.000Z".into(),
                spec_digest: "d".into(),
                specs: 1,
                source: server("db1"),
                destination: server("db2"),
            },
            state,
            holder: None,
            run: Some(RunStatus {
                number: 2,
                started: "2024-05-01T10:00:00.000Z".into(),
                ended: (state == RunState::Failed).then(|| "2024-05-01T12:05:00.000Z".into()),
                seconds: (state != RunState::Killed).then_some(7500.0),
                error: (state == RunState::Failed).then(|| "loading shop.orders: server error 1114 (HY000): The table is full".into()),
                pid: 4711,
                host: "worker-3".into(),
                version: "0.1.0".into(),
                plan_id: None,
            }),
            runs: 2,
            stop_requested: None,
            phases: vec![
                PhaseStatus {
                    phase: Phase::Schema,
                    state: PhaseState::Finished,
                    started: Some("2024-05-01T10:00:00.000Z".into()),
                    finished: Some("2024-05-01T10:00:00.250Z".into()),
                    seconds: Some(0.25),
                },
                PhaseStatus {
                    phase: Phase::Full,
                    state: if live { PhaseState::Running } else { PhaseState::Interrupted },
                    started: Some("2024-05-01T10:00:00.250Z".into()),
                    finished: None,
                    seconds: live.then_some(7501.0),
                },
            ],
            totals: Totals {
                tables: 4,
                tables_finished: 1,
                rows_done: 1_809_311,
                rows_kept: 0,
                rows_expected: 3_609_311,
                bytes_done: 180_931_100,
                rows_per_second: live.then_some(24_123.4),
                bytes_per_second: live.then_some(2_412_340.0),
                eta_seconds: live.then_some(75),
            },
            tables,
            statements: StatementsStatus {
                finished: 14,
                found_done: 1,
                with_warnings: 2,
                milliseconds: 4321,
                open: if live { vec![statement("a7", None)] } else { vec![] },
                failed: if state == RunState::Failed { vec![statement("a9", Some("server error 1114"))] } else { vec![] },
            },
            waits: vec![WaitStatus {
                who: "full copy of shop.orders".into(),
                reason: "connection to db2:3306 lost: broken pipe (next try in 4 s, giving up in 11 h 59 min)".into(),
                since: live.then(|| "2024-05-01T12:05:00.000Z".into()),
                times: 3,
                seconds: 12.0,
            }],
            follow: None,
            conflicts: vec![],
            left_out: vec![],
            ddl: DdlStatus::default(),
            limits: vec![LimitStatus { name: "threads".into(), value: 4.0 }],
            notes: vec![NoteStatus { at: "2024-05-01T10:00:00.000Z".into(), text: "shop.audit\u{1b}[2J has no key".into(), times: 1 }],
        }
    }

    fn options() -> Options {
        Options { width: 80, paint: Paint::default(), resume: "dtsctl apply -f shop.yaml".into() }
    }

    #[test]
    fn a_running_a_killed_and_a_failed_apply() {
        for state in [RunState::Running, RunState::Killed, RunState::Failed] {
            let text = table(&status(state), &options());
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            insta::assert_snapshot!(format!("status_{}", state.name()), text);
        }
    }

    /// The same task some time later: the copy is there and the binlog is followed.
    fn following(state: RunState) -> Status {
        let live = state == RunState::Running;
        let mut status = status(state);
        for table in &mut status.tables {
            (table.state, table.rows_done) = (TableState::Finished, table.rows_estimate);
        }
        status.totals.tables_finished = status.totals.tables;
        status.phases[1].state = PhaseState::Finished;
        let at = |offset: u64| PositionStatus {
            file: "binlog.000003".into(),
            offset,
            gtid: Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5521,4350f323-7565-4e59-8763-4b1b83a0ce0e:1-999999".into()),
        };
        status.follow = Some(FollowStatus {
            began: "2024-05-01T11:00:00.000Z".into(),
            until: "never".into(),
            from: at(157),
            position: at(4711),
            read: live.then(|| at(90_210)),
            source_time: Some("2024-05-01T12:05:00.750Z".into()),
            last_commit: Some("2024-05-01T12:05:01.000Z".into()),
            caught_up: None,
            lag_seconds: live.then_some(1.2),
            idle: live.then_some(false),
            by_heartbeat: true,
            lanes: 4,
            lanes_busy: if live { 3 } else { 0 },
            backlog_bytes: if live { 85_499 } else { 0 },
            transactions: 31_000,
            row_events: 124_000,
            inserted: 60_000,
            updated: 40_000,
            deleted: 20_000,
            bytes: 31_000_000,
            commits: 800,
            retention: Some(RetentionStatus {
                at: "2024-05-01T12:00:00.000Z".into(),
                removed_after_seconds: Some(43_200),
                oldest_seconds: Some(40_000),
                needed_seconds: 86_400,
                short: true,
            }),
            transactions_per_second: Some(300.0),
            rows_per_second: Some(1234.5),
            bytes_per_second: Some(310_000.0),
        });
        status.conflicts = vec![ConflictStatus {
            table: TableName::new("shop", "orders"),
            kind: "update-missing".into(),
            key: vec!["id".into()],
            rows: 3,
            first: "2024-05-01T11:30:00.000Z".into(),
            last: "2024-05-01T12:00:00.000Z".into(),
        }];
        let count = |class: &str, outcome: &str, times| DdlCount {
            class: class.into(),
            outcome: outcome.into(),
            times,
            last: "2024-05-01T12:00:00.000Z".into(),
            reason: None,
        };
        status.ddl = DdlStatus {
            counts: vec![count("alter-table", "carried", 2), count("create-table", "failed", 1), count("create-user", "skipped", 7)],
            failed: vec![DdlStatement {
                at: "2024-05-01T12:00:00.000Z".into(),
                place: "binlog.000003:4000".into(),
                gtid: Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:5000".into()),
                class: "create-table".into(),
                object: Some("shop.new".into()),
                sql: "CREATE TABLE `shop_dr`.`new` (\n  `id` INT PRIMARY KEY)".into(),
                milliseconds: None,
                error: Some("server error 1050 (42S01): Table 'new' already exists".into()),
            }],
            carried: vec![],
        };
        status.limits.push(LimitStatus { name: "throttle.incremental.rps".into(), value: 5000.0 });
        status.stop_requested = live.then(|| StopStatus { when: "caught-up".into(), requested: "2024-05-01T12:05:00.000Z".into() });
        status
    }

    #[test]
    fn an_apply_that_follows_the_binlog() {
        for state in [RunState::Running, RunState::Stopped] {
            let text = table(&following(state), &options());
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            insta::assert_snapshot!(format!("status_follows_{}", state.name()), text);
        }
        insta::assert_snapshot!("status_follows_markdown", markdown(&following(RunState::Running), "dtsctl apply"));
        insta::assert_snapshot!("status_ddl_errors", status_follow::ddl_errors(&following(RunState::Running), 80));
    }

    #[test]
    fn as_markdown() {
        insta::assert_snapshot!(markdown(&status(RunState::Running), "dtsctl apply"));
    }

    #[test]
    fn many_tables_collapse() {
        let mut many = status(RunState::Running);
        many.tables = (0..1000)
            .map(|i| copied(&format!("t{i}"), if i < 900 { TableState::Finished } else { TableState::Pending }, 10 * (i / 900), 10))
            .collect();
        let text = table(&many, &options());
        assert!(text.contains("and 85 pending, 900 finished"), "{text}");
        assert!(text.lines().count() < 40);
    }

    #[test]
    fn times_are_short() {
        let shown = [0.0, 0.85, 1.4, 59.6, 185.0, 3600.0, 7505.0, 273_600.0].map(lasting);
        assert_eq!(shown, ["0 ms", "850 ms", "1 s", "1 min", "3 min 5 s", "1 h", "2 h 5 min", "3 d 4 h"]);
        assert_eq!((percent(999, 1000), percent(0, 0), percent(1000, 1000)), (99, 100, 100));
    }
}
