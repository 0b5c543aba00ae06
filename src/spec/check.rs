//! What a schema cannot say: ranges that hang together, references, endpoints. Objects and keys that are not built yet have files of
//! their own beside this one.

mod accounts;
mod alerts;
mod endpoint;
mod filter;
mod objects;
mod unsupported;

use std::{collections::BTreeSet, time::Duration};

use super::{
    Surroundings,
    model::{Finding, OnlineDdlMode, Start, UnsafeAction},
    problem::Problem,
    units::{format_duration, parse_duration},
    written,
    yaml::Node,
};

/// Everything that is wrong with a spec whose shape is right.
pub(super) fn check(spec: &written::Spec, root: &Node, text: &str, around: &Surroundings<'_>) -> Vec<Problem> {
    let mut found = Problems { root, text, list: Vec::new() };
    found.name_and_labels(spec);
    endpoint::check(&mut found, "source", &spec.source);
    endpoint::check(&mut found, "destination", &spec.destination);
    found.phases(spec);
    found.start(spec);
    objects::check(&mut found, spec);
    accounts::check(&mut found, spec);
    alerts::check(&mut found, spec);
    filter::check(&mut found, spec);
    found.retry(spec);
    found.heartbeat(spec);
    found.precheck(spec, around);
    found.online_ddl(spec);
    found.allow(spec);
    unsupported::check(&mut found, spec);
    found.list
}

/// The problems found so far, and the tree that knows their places in the text.
struct Problems<'a> {
    root: &'a Node,
    text: &'a str,
    list: Vec<Problem>,
}

impl Problems<'_> {
    /// A problem with the value at a path.
    fn value(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        self.push(Problem::at(self.root.place(path), message), hint.into());
    }

    /// A problem with the key at a path.
    fn key(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        self.push(Problem::at(self.root.key_place(path), message), hint.into());
    }

    fn push(&mut self, problem: Problem, hint: String) {
        self.list.push(if hint.is_empty() { problem } else { problem.hint(hint) });
    }

    fn online_ddl(&mut self, spec: &written::Spec) {
        let Some(online) = &spec.online_ddl else { return };
        for (key, patterns) in [("shadow", &online.shadow), ("trash", &online.trash)] {
            if patterns.is_some() && online.mode.unwrap_or_default() == OnlineDdlMode::Copy {
                self.key(
                    &["online_ddl", key],
                    format!("`online_ddl.{key}` says nothing under mode `copy`"),
                    "write `mode: gh-ost` or `mode: dms`, or remove the key",
                );
            }
            // What DMS calls its tables is not published, and a guess would carry them as tables or leave out somebody's own.
            if online.mode == Some(OnlineDdlMode::Dms) && patterns.as_ref().is_none_or(Vec::is_empty) {
                self.key(
                    &["online_ddl", "mode"],
                    format!("mode `dms` needs `online_ddl.{key}`: what DMS calls its tables is not published"),
                    "look at the names while DMS changes a table, and write regular expressions with a group for the original's name",
                );
            }
            for (index, pattern) in patterns.iter().flatten().enumerate() {
                let index = index.to_string();
                let groups = regex::Regex::new(pattern).map(|regex| regex.captures_len());
                if !groups.is_ok_and(|groups| groups > 1) {
                    let message = format!("`{pattern}` is no regular expression with a group that holds the original's name");
                    self.value(&["online_ddl", key, &index], message, "for example `^_(.+)_gho$`");
                }
            }
        }
    }

    fn name_and_labels(&mut self, spec: &written::Spec) {
        if let Some(name) = &spec.name
            && !is_task_name(name)
        {
            self.value(
                &["name"],
                "`name` must be 1 to 57 characters of `A-Z a-z 0-9 . _ -` and begin with a letter or a digit",
                "it becomes the name of the state file and of the lock at the destination",
            );
        }
        for (label, value) in spec.labels.iter().flatten() {
            if label.is_empty() || label.chars().chain(value.chars()).any(char::is_control) {
                self.key(&["labels", label], "a label is one line of text and has a name", "");
            }
        }
    }

    fn phases(&mut self, spec: &written::Spec) {
        let Some(phases) = &spec.phases else { return };
        if phases.schema == Some(false) && phases.full == Some(false) && phases.incremental == Some(false) {
            self.value(&["phases"], "every phase is off, so there is nothing to do", "turn on `schema`, `full` or both");
        }
        if phases.full == Some(false) && spec.throttle.as_ref().is_some_and(|throttle| throttle.full.is_some()) {
            self.key(&["throttle", "full"], "`throttle.full` limits a phase that is off", "remove it, or turn on `phases.full`");
        }
        if phases.incremental == Some(false) && spec.throttle.as_ref().is_some_and(|throttle| throttle.incremental.is_some()) {
            let hint = "remove it, or turn on `phases.incremental`";
            self.key(&["throttle", "incremental"], "`throttle.incremental` limits a phase that is off", hint);
        }
    }

    fn start(&mut self, spec: &written::Spec) {
        let Some(start) = &spec.start else { return };
        if start.parse::<Start>().is_err() {
            self.value(&["start"], "`start` is `now`, `gtid:SET` or `pos:FILE:POS`", "");
        }
        let phases = spec.phases.clone().unwrap_or_default();
        if phases.incremental == Some(false) {
            self.key(&["start"], "`start` is for a phase that is off", "remove it, or turn on `phases.incremental`");
        } else if phases.full != Some(false) {
            let hint = "remove it: a full copy is followed from the position before its first row; or turn `phases.full` off";
            self.key(&["start"], "`start` is for an incremental phase without a full copy", hint);
        }
    }

    fn retry(&mut self, spec: &written::Spec) {
        let Some(retry) = &spec.retry else { return };
        let mut minutes = |key: &str, value: &Option<written::Time>, least: u64| {
            let duration = value.as_ref().and_then(|time| parse_duration(&time.0).ok())?;
            if duration < Duration::from_secs(least * 60) || duration > Duration::from_secs(1440 * 60) {
                self.value(&["retry", key], format!("`retry.{key}` must be from `{least}m` to `1440m`"), "");
                return None;
            }
            Some(duration)
        };
        let connection = minutes("connection", &retry.connection, 10);
        let other = minutes("other", &retry.other, 1);
        let window = connection.or(if retry.connection.is_none() { Some(super::resolve::RETRY_CONNECTION) } else { None });
        if let (Some(window), Some(other)) = (window, other)
            && other >= window
        {
            let message = format!("`retry.other` must be below `retry.connection`, which is `{}`", format_duration(window));
            self.value(&["retry", "other"], message, "");
        }
    }

    fn heartbeat(&mut self, spec: &written::Spec) {
        let interval = spec.heartbeat.as_ref().and_then(|heartbeat| parse_duration(&heartbeat.interval.as_ref()?.0).ok());
        if interval.is_some_and(|interval| !(Duration::from_millis(100)..=Duration::from_secs(600)).contains(&interval)) {
            self.value(&["heartbeat", "interval"], "`heartbeat.interval` must be from `100ms` to `10m`", "");
        }
    }

    fn precheck(&mut self, spec: &written::Spec, around: &Surroundings<'_>) {
        let mut seen = BTreeSet::new();
        for (index, code) in spec.precheck.iter().flat_map(|precheck| precheck.ignore.iter().flatten()).enumerate() {
            let index = index.to_string();
            let path = ["precheck", "ignore", index.as_str()];
            match (around.finding)(code) {
                Finding::Unknown => {
                    self.value(&path, format!("there is no finding `{code}`"), "`dtsctl explain` lists the codes");
                }
                Finding::Fixed => self.value(
                    &path,
                    format!("finding `{code}` cannot be ignored"),
                    format!("`dtsctl explain {code}` says how to mend its cause"),
                ),
                Finding::Ignorable => {}
            }
            if !seen.insert(code) {
                self.value(&path, format!("`{code}` stands here twice"), "");
            }
        }
    }

    fn allow(&mut self, spec: &written::Spec) {
        for (index, allow) in spec.allow.iter().flatten().enumerate() {
            let index = index.to_string();
            let at = |key: &'static str| ["allow", index.as_str(), key].map(str::to_owned);
            let action = allow.action;
            match super::resolve::qualified(&allow.table) {
                None => self.value_at(
                    &at("table"),
                    "`table` must be `database.table`, as both are called at the destination",
                    "put a name that holds a dot in backquotes: \"`a.b`.orders\"",
                ),
                Some((database, _)) if !objects::may_write_to(spec, &database) => {
                    let message = format!("no selected database is called `{database}` at the destination");
                    self.value_at(&at("table"), message, "use the name after `rename`");
                }
                Some(_) => {}
            }
            if action.needs_column() && allow.column.is_none() {
                self.value_at(&at("action"), format!("`{action}` needs a `column`"), "");
            }
            if action == UnsafeAction::ChangePartitions && allow.column.is_some() {
                self.value_at(&at("column"), format!("`{action}` takes no `column`"), "");
            }
        }
    }

    fn value_at(&mut self, path: &[String], message: impl Into<String>, hint: impl Into<String>) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        self.value(&path, message, hint);
    }
}

/// Whether a text can name a task: `dtsctl:<name>` must fit `GET_LOCK`, which takes 64 characters, and be a file's name.
pub(super) fn is_task_name(name: &str) -> bool {
    name.len() <= 57
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
