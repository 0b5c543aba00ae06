//! Alerts: limits in their ranges, and nothing that could never be told.

use std::time::Duration;

use crate::spec::{
    model::AlertEvent::{self, Conflict, DdlFailed, FullTimeout, Lag, Waiting},
    resolve::can_happen,
    units::parse_duration,
    written::{Spec, Time},
};

use super::Problems;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// A time of `alerts`: its range in numbers and in words, and what it is for.
struct Limit<'a> {
    key: &'static str,
    value: &'a Option<Time>,
    within: (Duration, Duration),
    words: &'static str,
    events: &'static [AlertEvent],
}

pub(super) fn check(found: &mut Problems<'_>, spec: &Spec) {
    let Some(alerts) = &spec.alerts else { return };
    for (index, part) in alerts.command.iter().enumerate() {
        let path = ["alerts", "command", &index.to_string()];
        if part.contains('\0') {
            found.value(&path, "a NUL cannot stand in a command", "");
        } else if index == 0 && part.is_empty() {
            found.value(&path, "`command` begins with the program", "for example `command: [./notify.sh, --channel, ops]`");
        }
    }
    let limit = |key, value, within, words, events| Limit { key, value, within, words, events };
    let limits = [
        limit("lag", &alerts.lag, (SECOND, 30 * DAY), "from `1s` to `30d`", &[Lag]),
        limit("lag_for", &alerts.lag_for, (Duration::ZERO, DAY), "from `0s` to `1d`", &[Lag]),
        limit("waiting", &alerts.waiting, (SECOND, 30 * DAY), "from `1s` to `30d`", &[Waiting]),
        limit("full_timeout", &alerts.full_timeout, (SECOND, 365 * DAY), "from `1s` to `365d`", &[FullTimeout]),
        limit("repeat", &alerts.repeat, (SECOND, 30 * DAY), "from `1s` to `30d`", &[DdlFailed, Conflict]),
        limit("timeout", &alerts.timeout, (SECOND, Duration::from_secs(600)), "from `1s` to `10m`", &AlertEvent::ALL),
    ];
    let phases = spec.phases.as_ref();
    let on = (phases.and_then(|p| p.full).unwrap_or(true), phases.and_then(|p| p.incremental).unwrap_or(true));
    let told = |event: &AlertEvent| alerts.events.as_ref().is_none_or(|events| events.contains(event)) && can_happen(*event, alerts, on);
    for Limit { key, value, within: (least, most), words, events } in limits {
        let Some(value) = value else { continue };
        if parse_duration(&value.0).is_ok_and(|time| !(least..=most).contains(&time)) {
            found.value(&["alerts", key], format!("`alerts.{key}` must be {words}"), "");
        } else if !events.iter().any(told) {
            let names: Vec<String> = events.iter().map(|event| format!("`{}`", event.name())).collect();
            let message = format!("`alerts.{key}` says nothing where {} cannot be told", names.join(" and "));
            let listed = if alerts.events.is_some() { ", and a place in `alerts.events`" } else { "" };
            found.key(&["alerts", key], message, format!("{}{listed}", why(events[0])));
        }
    }
    for (index, event) in alerts.events.iter().flatten().enumerate() {
        let path = ["alerts", "events", &index.to_string()];
        if alerts.events.iter().flatten().take(index).any(|earlier| earlier == event) {
            found.value(&path, format!("`{}` stands here twice", event.name()), "");
        } else if !can_happen(*event, alerts, on) {
            found.value(&path, format!("`{}` can never be told", event.name()), why(*event));
        }
    }
}

/// What it takes for an event to be told, beside being listed.
fn why(event: AlertEvent) -> &'static str {
    match event {
        Lag => "it needs `alerts.lag` and `phases.incremental`",
        FullTimeout => "it needs `alerts.full_timeout` and `phases.full`",
        DdlFailed | Conflict | AlertEvent::FinishedUnexpected => "it needs `phases.incremental`",
        AlertEvent::Stopped | Waiting => "it can always be told",
    }
}
