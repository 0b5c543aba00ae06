//! A plan for a comment on a pull request: bounded in bytes, and proof against names that look like Markdown.

use super::{Options, sentences};
use crate::{
    plan::{Action, Plan},
    report::text,
};

/// Bytes of a plan in Markdown by default. GitHub takes comments of 65,536 characters; a pipeline adds some of its own.
pub const MARKDOWN_LIMIT: usize = 60_000;

/// Bytes that the sentence about what was left out needs at most.
const RESERVE: usize = 160;

/// The plan as Markdown of at most `limit` bytes, cut between rows, with a sentence that says what was left out. The prechecks, the
/// `Plan:` line and what blocks it are never left out, so a limit below some 2,000 bytes may be exceeded by them.
pub fn markdown(plan: &Plan, options: &Options, limit: usize) -> String {
    let name = escape(&plan.spec.name);
    let source = escape(&sentences::server(&plan.source));
    let destination = escape(&sentences::server(&plan.destination));
    let head = format!("### dtsctl plan {name}\n\nsource {source} -> destination {destination}\n\n");
    let verdict = verdict(plan);
    let mut left = limit.saturating_sub(head.len() + verdict.len() + RESERVE);
    let mut out = head;
    if !options.summary {
        out.push_str(&table(plan, options, &mut left));
    }
    out.push_str(&verdict);
    left += RESERVE / 2;
    let (findings, cut) = fitting(findings(plan, options), &mut left);
    out.push_str(&findings);
    if cut > 0 {
        out.push_str(&format!("\n_{} left out._\n", text::plural(cut, "finding")));
    }
    let (limits, _) = fitting(limits(plan).into_iter().collect(), &mut left);
    out.push_str(&limits);
    if !options.summary {
        let (diffs, cut) = fitting(diffs(plan, options), &mut left);
        out.push_str(&diffs);
        if cut > 0 {
            out.push_str(&format!("\n_{} left out._\n", text::plural(cut, "definition")));
        }
    }
    out
}

/// As many of the pieces as fit, and how many do not.
fn fitting(pieces: Vec<String>, left: &mut usize) -> (String, u64) {
    let mut out = String::new();
    let mut cut = 0;
    for piece in pieces {
        if cut == 0 && piece.len() <= *left {
            *left -= piece.len();
            out.push_str(&piece);
        } else {
            cut += 1;
        }
    }
    (out, cut)
}

fn table(plan: &Plan, options: &Options, left: &mut usize) -> String {
    let mut rows: Vec<String> = plan.actions.iter().map(row).collect();
    if options.all {
        rows.extend(plan.unchanged.iter().map(|name| format!("|  |  |  | {} | unchanged |  |  |  |\n", escape(name))));
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut out = String::from("| id | phase | act | object | what | rows | size | risk |\n|---|---|---|---|---|--:|--:|---|\n");
    *left = left.saturating_sub(out.len());
    let (body, cut) = fitting(rows, left);
    out.push_str(&body);
    if cut > 0 {
        out.push_str(&format!("\n_{} left out: `dtsctl show PLAN` has them all._\n", text::plural(cut, "row")));
    }
    let legend: Vec<String> = sentences::legend(plan).iter().map(|(sign, word)| format!("`{sign}` {word}")).collect();
    if !legend.is_empty() {
        let line = format!("\n{}\n", legend.join(", "));
        *left = left.saturating_sub(line.len());
        out.push_str(&line);
    }
    out.push('\n');
    out
}

fn row(action: &Action) -> String {
    format!(
        "| {} | {} | `{}` | {} | {} | {} | {} | {} |\n",
        action.id,
        sentences::phase(action.phase),
        action.symbol(),
        escape(&action.object),
        escape(&sentences::what(action)),
        escape(&sentences::rows(action)),
        sentences::size(action),
        sentences::risk(action),
    )
}

fn verdict(plan: &Plan) -> String {
    let mut out = format!("{}\n\n**{}**\n", sentences::prechecks(plan), sentences::plan_line(plan).replace('~', "\\~"));
    if let Some(line) = sentences::cutover(plan) {
        out.push_str(&format!("\n{line}\n"));
    }
    for line in sentences::blocked(plan) {
        // The sentence holds code spans of our own; names of objects stand only in the indented lines.
        match line.strip_prefix("  ") {
            Some(item) => out.push_str(&format!("- {}\n", escape(item))),
            None => out.push_str(&format!("\n{line}\n")),
        }
    }
    out
}

fn findings(plan: &Plan, options: &Options) -> Vec<String> {
    let (told, left_out) = sentences::told(plan, options.all);
    let mut pieces: Vec<String> = told
        .iter()
        .map(|told| {
            let f = told.finding;
            let about = if told.objects.is_empty() { String::new() } else { format!(": {}", escape(&told.objects)) };
            let ignored = if f.ignored { ", ignored" } else { "" };
            let mend = if f.mend.is_empty() { String::new() } else { format!(" _Mend:_ {}", escape(&f.mend)) };
            format!("- **{}** {} {}{ignored}{about}. {}.{mend}\n", f.severity.name(), f.code, f.name, escape(f.cause.trim_end_matches('.')))
        })
        .collect();
    if left_out > 0 {
        pieces.push(format!("- and {left_out} more of these\n"));
    }
    if let Some(first) = pieces.first_mut() {
        first.insert(0, '\n');
    }
    pieces
}

/// All or none.
fn limits(plan: &Plan) -> Option<String> {
    let line = sentences::limits(plan, true)?;
    let items: String = plan.limits.iter().map(|limit| format!("- {}\n", escape(limit))).collect();
    Some(format!("\n<details><summary>{}</summary>\n\n{items}\n</details>\n", html(line.trim_end_matches(':'))))
}

fn diffs(plan: &Plan, options: &Options) -> Vec<String> {
    sentences::diffs(plan, options.diff)
        .into_iter()
        .map(|(object, diff)| {
            // A definition may hold backticks in a row: the fence must be longer.
            let longest = diff.split(|c| c != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat((longest + 1).max(3));
            format!("\n<details><summary>{}</summary>\n\n{fence}diff\n{diff}{fence}\n\n</details>\n", html(&object))
        })
        .collect()
}

/// A name as plain text inside a cell: everything that Markdown, HTML or GitHub could take for more than a character.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text::harmless(text).chars() {
        match c {
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    // An address must not become a link.
    out.replace("://", ":&#47;&#47;")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}
