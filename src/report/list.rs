//! A list of tasks as a table for people, as Markdown and as JSON.

use super::{
    status::{cell, lasting, moment, percent},
    status_follow::place,
    text,
};
use crate::state::{ListedTask, RunState, TaskList};

const HEADER: [&str; 6] = ["task", "state", "since (UTC)", "phase", "copy", "lag"];

/// Columns between two cells.
const GAP: usize = 2;

fn cells(task: &ListedTask) -> [String; 6] {
    let copy = &task.totals;
    [
        text::harmless(&task.name),
        task.state.name().to_owned(),
        task.since.as_deref().map(moment).unwrap_or_default(),
        task.phase.map(|phase| phase.name().to_owned()).unwrap_or_default(),
        if copy.tables == 0 { String::new() } else { format!("{} %", done(task)) },
        match (task.idle, task.lag_seconds) {
            (None, _) => String::new(),
            (Some(true), _) => "idle".to_owned(),
            (Some(false), None) => "unknown".to_owned(),
            (Some(false), Some(lag)) if lag < 60.0 => format!("{lag:.1} s"),
            (Some(false), Some(lag)) => lasting(lag),
        },
    ]
}

/// Never 100 before every table is finished.
fn done(task: &ListedTask) -> u64 {
    let copy = &task.totals;
    let percent = percent(copy.rows_done, copy.rows_expected);
    if copy.tables_finished < copy.tables { percent.min(99) } else { 100 }
}

/// What does not fit into a row: where it is, what it waits for, what went wrong.
fn details(task: &ListedTask) -> Vec<String> {
    let mut lines = Vec::new();
    if !task.file.ends_with(&format!("{}.db", task.name)) {
        lines.push(format!("file: {}", text::harmless(&task.file)));
    }
    lines.extend(task.position.as_ref().map(|position| format!("at: {}", place(position))));
    lines.extend(task.stop_requested.as_ref().map(|when| format!("stops at: {}", text::harmless(when))));
    for wait in &task.waits {
        lines.push(format!("waits: {}, for {}: {}", text::harmless(&wait.who), lasting(wait.seconds), text::harmless(&wait.reason)));
    }
    lines.extend(task.error.as_ref().map(|error| format!("error: {}", text::harmless(error))));
    lines
}

/// The list as lines no longer than `width` as far as names let it, with a line end at the end.
pub fn table(list: &TaskList, width: usize) -> String {
    let rows: Vec<[String; 6]> = list.tasks.iter().map(cells).collect();
    let mut widths = HEADER.map(|name| name.chars().count());
    for row in &rows {
        for (at, cell) in row.iter().enumerate().skip(1) {
            widths[at] = widths[at].max(cell.chars().count());
        }
    }
    // A name longer than what the others leave has a line of its own.
    let room = width.saturating_sub(widths[1..].iter().map(|width| width + GAP).sum());
    let names = rows.iter().map(|row| row[0].chars().count()).filter(|&length| length <= room);
    widths[0] = names.max().unwrap_or(0).max(widths[0]);
    let mut out = String::new();
    if !rows.is_empty() {
        out.push_str(&line(&HEADER.map(str::to_owned), &widths));
    }
    for (row, task) in rows.into_iter().zip(&list.tasks) {
        if row[0].chars().count() > widths[0] {
            out.push_str(&format!("{}\n", row[0]));
            let [_, state, since, phase, copy, lag] = row;
            out.push_str(&line(&[String::new(), state, since, phase, copy, lag], &widths));
        } else {
            out.push_str(&line(&row, &widths));
        }
        for detail in details(task) {
            out.push_str(&format!("{}\n", text::wrap(&detail, width, "  ", "    ")));
        }
    }
    let gap = if out.is_empty() { "" } else { "\n" };
    out.push_str(&format!("{gap}{}\n", text::wrap(&summary(list), width, "", "  ")));
    for file in &list.unusable {
        out.push_str(&format!("{}\n", text::wrap(&left_out(file), width, "", "  ")));
    }
    out
}

fn line(cells: &[String; 6], widths: &[usize; 6]) -> String {
    let mut out = String::new();
    for (cell, &width) in cells.iter().zip(widths) {
        let pad = width.saturating_sub(cell.chars().count()) + GAP;
        out.push_str(cell);
        out.push_str(&" ".repeat(pad));
    }
    format!("{}\n", out.trim_end())
}

fn left_out(file: &crate::state::UnusableFile) -> String {
    let what = if file.foreign { "passed over" } else { "not usable" };
    format!("{what}: {}", text::harmless(&file.reason))
}

/// `3 tasks: 1 running, 2 stopped.`
fn summary(list: &TaskList) -> String {
    if list.tasks.is_empty() {
        return format!("No tasks in {}.", text::some_of(&list.looked_at, 3));
    }
    const STATES: [RunState; 7] =
        [RunState::Running, RunState::Starting, RunState::Failed, RunState::Killed, RunState::Stopped, RunState::Finished, RunState::New];
    let counts = STATES.iter().filter_map(|state| {
        let count = list.tasks.iter().filter(|task| task.state == *state).count();
        (count > 0).then(|| format!("{count} {}", state.name()))
    });
    format!("{}: {}.", text::plural(list.tasks.len() as u64, "task"), counts.collect::<Vec<_>>().join(", "))
}

/// The list as JSON with a line end at the end; its schema is `schemas/list.v1.json`.
pub fn json(list: &TaskList) -> String {
    let mut out = serde_json::to_string_pretty(list).expect("strings and finite numbers only");
    out.push('\n');
    out
}

/// The list as Markdown.
pub fn markdown(list: &TaskList) -> String {
    let mut out = "## dtsctl list\n\n".to_owned();
    if !list.tasks.is_empty() {
        out.push_str(&format!("| {} | |\n|{}\n", HEADER.join(" | "), "---|".repeat(HEADER.len() + 1)));
    }
    for task in &list.tasks {
        let row: Vec<String> = cells(task).iter().map(|text| cell(text)).collect();
        let details: Vec<String> = details(task).iter().map(|text| cell(text)).collect();
        out.push_str(&format!("| {} | {} |\n", row.join(" | "), details.join("<br>")));
    }
    let gap = if list.tasks.is_empty() { "" } else { "\n" };
    out.push_str(&format!("{gap}{}\n", cell(&summary(list))));
    for file in &list.unusable {
        out.push_str(&format!("- {}\n", cell(&left_out(file))));
    }
    out
}
