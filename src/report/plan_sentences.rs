//! The sentences of a plan that its table and its Markdown share.

use std::collections::BTreeMap;

use similar::TextDiff;

use super::{super::text, DiffMode};
use crate::{
    event::Phase,
    plan::{Action, ActionKind, ActionRisk, Finding, Plan, Server, Severity},
};

/// Objects named in one sentence.
const NAMED: usize = 5;
/// Findings of one code told apart.
const TOLD: usize = 5;

pub(super) fn server(server: &Server) -> String {
    let address = text::harmless(server.address.strip_suffix(":3306").unwrap_or(&server.address));
    format!("{address} {} {}", server.vendor.name(), server.version)
}

pub(super) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Incremental => "incr",
        other => other.name(),
    }
}

/// The signs that occur, with their meaning.
pub(super) fn legend(plan: &Plan) -> Vec<(char, &'static str)> {
    let all = [
        (ActionKind::Create, "create"),
        (ActionKind::Alter, "alter"),
        (ActionKind::Drop, "drop"),
        (ActionKind::Copy, "copy rows"),
        (ActionKind::Follow, "follow binlog"),
    ];
    let mut legend: Vec<(char, &'static str)> = all
        .iter()
        .filter(|(kind, _)| plan.actions.iter().any(|a| a.permitted && a.act == *kind))
        .map(|(kind, word)| (kind.symbol(), *word))
        .collect();
    if plan.blocked().next().is_some() {
        legend.push(('!', "blocked"));
    }
    legend
}

pub(super) fn what(action: &Action) -> String {
    let mut what = text::harmless(&action.what);
    if action.outside {
        what.push_str("; changed outside");
    }
    if let Some(code) = &action.code {
        what.push_str(&format!(" ({code})"));
    }
    what
}

pub(super) fn rows(action: &Action) -> String {
    match action.rows {
        None => String::new(),
        Some(0) => "0".to_owned(),
        Some(rows) => format!("~{}", text::count(rows)),
    }
}

pub(super) fn size(action: &Action) -> String {
    action.bytes.map(text::bytes).unwrap_or_default()
}

pub(super) fn risk(action: &Action) -> &'static str {
    match (&action.risk, action.permitted) {
        (ActionRisk::Safe, _) => "",
        (ActionRisk::Unsafe { .. }, false) => "unsafe",
        (ActionRisk::Unsafe { .. }, true) => "permitted",
        (ActionRisk::Unsupported { .. }, _) => "unsupported",
    }
}

/// `prechecks: 21 passed, 1 alert (DT221, ignored), 0 failed`. A check counts once, by the worst it found; notes count as passed.
pub(super) fn prechecks(plan: &Plan) -> String {
    let mut worst: BTreeMap<&str, (Severity, bool)> = BTreeMap::new();
    for finding in &plan.findings {
        let entry = worst.entry(finding.code.as_str()).or_insert((finding.severity, finding.ignored));
        // A failure that is not ignored is worse than one that is.
        *entry = (*entry).max_by_rank((finding.severity, finding.ignored));
    }
    let of = |severity: Severity| worst.iter().filter(move |(_, s)| s.0 == severity).map(|(code, s)| (*code, s.1)).collect::<Vec<_>>();
    let list = |codes: &[(&str, bool)]| {
        let named: Vec<String> = codes.iter().map(|(c, i)| if *i { format!("{c}, ignored") } else { (*c).to_owned() }).collect();
        if named.is_empty() { String::new() } else { format!(" ({})", named.join("; ")) }
    };
    let passed = worst.values().filter(|s| s.0 <= Severity::Info).count();
    let (alerts, failed) = (of(Severity::Alert), of(Severity::Failed));
    let alert_word = text::plural(alerts.len() as u64, "alert");
    format!("prechecks: {passed} passed, {alert_word}{}, {} failed{}", list(&alerts), failed.len(), list(&failed))
}

/// `limits: 4 apply to these servers and phases`, and where they stand unless they follow.
pub(super) fn limits(plan: &Plan, follow: bool) -> Option<String> {
    let count = plan.limits.len();
    let verb = if count == 1 { "applies" } else { "apply" };
    let rest = if follow { ":" } else { "; `--all` lists them" };
    (count > 0).then(|| format!("limits: {count} {verb} to these servers and phases{rest}"))
}

trait Rank {
    fn max_by_rank(self, other: Self) -> Self;
}

impl Rank for (Severity, bool) {
    fn max_by_rank(self, other: Self) -> Self {
        if (other.0, !other.1) > (self.0, !self.1) { other } else { self }
    }
}

/// Findings that say the same of several objects, told once.
pub(super) struct Told<'a> {
    pub(super) finding: &'a Finding,
    pub(super) objects: String,
}

/// What the reader is told of the findings: failures first, then alerts; ignored ones, notes and passed checks only with `all`. Of one
/// code at most [`TOLD`] are told apart, unless `all`; the second value says how many were left out.
pub(super) fn told(plan: &Plan, all: bool) -> (Vec<Told<'_>>, usize) {
    let mut groups: Vec<(&Finding, Vec<&str>)> = Vec::new();
    let mut index: BTreeMap<(&str, Severity, bool, &str, &str), usize> = BTreeMap::new();
    for finding in &plan.findings {
        let wanted = match finding.severity {
            Severity::Passed => false,
            Severity::Info => all,
            Severity::Alert | Severity::Failed => all || !finding.ignored,
        };
        if !wanted {
            continue;
        }
        let key = (finding.code.as_str(), finding.severity, finding.ignored, finding.cause.as_str(), finding.mend.as_str());
        let at = *index.entry(key).or_insert_with(|| {
            groups.push((finding, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.extend(finding.object.as_deref());
    }
    groups.sort_by(|a, b| (b.0.severity, &a.0.code).cmp(&(a.0.severity, &b.0.code)));
    let mut per_code: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left_out = 0;
    let mut told = Vec::new();
    for (finding, objects) in groups {
        let seen = per_code.entry(finding.code.as_str()).or_default();
        *seen += 1;
        if *seen > TOLD && !all {
            left_out += 1;
            continue;
        }
        let most = if all { usize::MAX } else { NAMED };
        told.push(Told { finding, objects: text::some_of(&objects, most) });
    }
    (told, left_out)
}

/// `Plan: 1 create, ...` or `No changes. ...`.
pub(super) fn plan_line(plan: &Plan) -> String {
    if !plan.has_changes() {
        return "No changes. The destination is as the spec asks.".to_owned();
    }
    let s = &plan.summary;
    let mut parts = vec![format!("{} create, {} alter, {} drop", s.create, s.alter, s.drop)];
    if s.copy_tables > 0 {
        let rows = if s.copy_rows == 0 { "0".to_owned() } else { format!("~{}", text::count(s.copy_rows)) };
        parts.push(format!("copy {} ({rows} rows, {})", text::plural(s.copy_tables, "table"), text::bytes(s.copy_bytes)));
    }
    if s.follow {
        parts.push("follow binlog".to_owned());
    }
    if s.blocked > 0 {
        parts.push(format!("{} blocked", s.blocked));
    }
    format!("Plan: {}.", parts.join("; "))
}

/// What keeps the plan from running, and what to do about it; one sentence each.
/// What is left for the cutover, in one sentence; `None` when nothing is.
pub(super) fn cutover(plan: &Plan) -> Option<String> {
    let mut kinds: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for left in &plan.cutover {
        *kinds.entry(left.kind.name()).or_default() += 1;
    }
    if kinds.is_empty() {
        return None;
    }
    let counts: Vec<String> = kinds.into_iter().map(|(kind, count)| text::plural(count as u64, kind)).collect();
    Some(format!("At cutover: {}. An apply writes the statements beside its state file.", counts.join(", ")))
}

pub(super) fn blocked(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let unsafe_ids: Vec<&str> = plan.blocked().filter(|a| matches!(a.risk, ActionRisk::Unsafe { .. })).map(|a| a.id.as_str()).collect();
    if !unsafe_ids.is_empty() {
        let it = if unsafe_ids.len() == 1 { "it" } else { "them" };
        let flags = if unsafe_ids.len() <= NAMED {
            unsafe_ids.iter().map(|id| format!("--allow-unsafe {id}")).collect::<Vec<_>>().join(" ")
        } else {
            "--allow-unsafe ID".to_owned()
        };
        let ids = text::some_of(&unsafe_ids, NAMED);
        lines.push(format!("Blocked: {ids}. Permit {it} in the spec under `allow`, or once with `{flags}`."));
    }
    let mut unsupported: BTreeMap<&str, Vec<&Action>> = BTreeMap::new();
    for action in plan.blocked().filter(|a| matches!(a.risk, ActionRisk::Unsupported { .. })) {
        unsupported.entry(action.code.as_ref().map_or("", |c| c.as_str())).or_default().push(action);
    }
    for (code, actions) in unsupported {
        let ids: Vec<&str> = actions.iter().map(|a| a.id.as_str()).collect();
        let (is, it) = if ids.len() == 1 { ("is", "it") } else { ("are", "them") };
        let ids = text::some_of(&ids, NAMED);
        lines.push(format!("Blocked: {ids} {is} not supported. Exclude {it} in the spec; `dtsctl explain {code}` says more."));
        for action in actions.iter().take(NAMED) {
            if let ActionRisk::Unsupported { reason } = &action.risk {
                lines.push(format!("  {} {}: {}", action.id, text::harmless(&action.object), text::harmless(reason)));
            }
        }
    }
    let mut failed: Vec<&str> = plan.findings.iter().filter(|f| f.blocks()).map(|f| f.code.as_str()).collect();
    failed.sort_unstable();
    failed.dedup();
    if let Some(first) = failed.first() {
        let word = if failed.len() == 1 { "a precheck failed" } else { "prechecks failed" };
        lines.push(format!("Blocked: {word} ({}). `dtsctl explain {first}` says more.", failed.join(", ")));
    }
    lines
}

/// The definitions of objects that differ, each as a unified diff, object by object.
pub(super) fn diffs(plan: &Plan, mode: DiffMode) -> Vec<(String, String)> {
    let mut seen: Vec<(&str, &Option<String>, &Option<String>)> = Vec::new();
    let mut diffs = Vec::new();
    if mode == DiffMode::None {
        return diffs;
    }
    for action in &plan.actions {
        let whole = matches!(action.act, ActionKind::Create | ActionKind::Drop);
        if (action.before.is_none() && action.after.is_none())
            || (whole && mode != DiffMode::Full)
            || action.before == action.after
            || seen.contains(&(&action.object, &action.before, &action.after))
        {
            continue;
        }
        seen.push((&action.object, &action.before, &action.after));
        let line_end = |text: &Option<String>| text.as_ref().map(|t| format!("{}\n", text::harmless_lines(t))).unwrap_or_default();
        let (before, after) = (line_end(&action.before), line_end(&action.after));
        let diff =
            TextDiff::from_lines(&before, &after).unified_diff().context_radius(2).header("destination now", "after this plan").to_string();
        diffs.push((text::harmless(&action.object), diff));
    }
    diffs
}
