//! A plan for a terminal.

use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::{Options, sentences};
use crate::{
    plan::{Action, Plan, Severity},
    report::text,
};

/// The plan as text of lines no longer than `options.width`, as far as names and definitions let it, with a line end at the end.
pub fn table(plan: &Plan, options: &Options) -> String {
    let mut blocks = vec![head(plan, options)];
    if !options.summary {
        let legend = legend(plan, options.width);
        if !legend.is_empty() {
            blocks.push(legend);
        }
        if !plan.actions.is_empty() || (options.all && !plan.unchanged.is_empty()) {
            blocks.push(actions(plan, options));
        }
        for (object, diff) in sentences::diffs(plan, options.diff) {
            blocks.push(definition(&object, &diff, options));
        }
    }
    let mut checks = text::wrap(&sentences::prechecks(plan), options.width, "", "  ");
    let findings = findings(plan, options);
    if !findings.is_empty() {
        checks.push_str("\n\n");
        checks.push_str(&findings);
    }
    blocks.push(checks);
    if let Some(line) = sentences::limits(plan, options.all) {
        let mut lines = vec![text::wrap(&line, options.width, "", "  ")];
        if options.all {
            lines.extend(plan.limits.iter().map(|limit| text::wrap(&text::harmless(limit), options.width, "  - ", "    ")));
        }
        blocks.push(lines.join("\n"));
    }
    let mut end = vec![text::wrap(&sentences::plan_line(plan), options.width, "", "  ")];
    if let Some(line) = sentences::cutover(plan) {
        end.push(text::wrap(&line, options.width, "", "  "));
    }
    for line in sentences::blocked(plan) {
        let indent = if line.starts_with(' ') { "    " } else { "  " };
        end.push(text::wrap(line.trim_start(), options.width, if line.starts_with(' ') { "  " } else { "" }, indent));
    }
    blocks.push(end.join("\n"));
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}

fn head(plan: &Plan, options: &Options) -> String {
    let name = text::harmless(&plan.spec.name);
    let source = sentences::server(&plan.source);
    let destination = sentences::server(&plan.destination);
    let line = format!("dtsctl plan  {name}   source {source} -> destination {destination}");
    if line.chars().count() <= options.width {
        return line;
    }
    format!("dtsctl plan  {name}\n  source      {source}\n  destination {destination}")
}

fn legend(plan: &Plan, width: usize) -> String {
    let legend = sentences::legend(plan);
    let items: Vec<String> = legend.iter().map(|(sign, word)| format!("{sign}  {word}")).collect();
    let wide = format!("  {}", items.join("     "));
    if items.is_empty() {
        String::new()
    } else if wide.chars().count() <= width {
        wide
    } else {
        text::wrap(&items.join("   "), width, "  ", "  ")
    }
}

/// Characters of a name, its database included, that are not broken while the words can go narrow for it.
const LONG_NAME: usize = 36;

/// The narrowest column of words: `create database` stands in one line.
const NARROW_WORDS: usize = 15;

const COLUMNS: [&str; 8] = ["id", "phase", "act", "object", "what", "rows", "size", "risk"];

fn actions(plan: &Plan, options: &Options) -> String {
    let row = |a: &Action| -> [String; 8] {
        [
            a.id.clone(),
            sentences::phase(a.phase).to_owned(),
            a.symbol().to_string(),
            text::harmless(&a.object),
            sentences::what(a),
            sentences::rows(a),
            sentences::size(a),
            sentences::risk(a).to_owned(),
        ]
    };
    let mut rows: Vec<[String; 8]> = plan.actions.iter().map(row).collect();
    if options.all {
        rows.extend(plan.unchanged.iter().map(|name| {
            let mut cells: [String; 8] = Default::default();
            cells[3] = text::harmless(name);
            "unchanged".clone_into(&mut cells[4]);
            cells
        }));
    }
    // Columns in which nothing stands make room for the words.
    let used: Vec<usize> = (0..COLUMNS.len()).filter(|&c| c < 5 || rows.iter().any(|r| !r[c].is_empty())).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(options.width).unwrap_or(u16::MAX)).force_no_tty();
    if options.color {
        table.enforce_styling();
    }
    table.set_header(used.iter().map(|&c| Cell::new(COLUMNS[c]).set_alignment(alignment(c))).collect::<Vec<_>>());
    for (index, cells) in rows.iter().enumerate() {
        let symbol = plan.actions.get(index).map(Action::symbol);
        table.add_row(
            used.iter()
                .map(|&c| {
                    let cell = Cell::new(&cells[c]).set_alignment(alignment(c));
                    match (options.color && matches!(c, 2 | 7), symbol) {
                        (true, Some(symbol)) => cell.fg(color(symbol)),
                        _ => cell,
                    }
                })
                .collect::<Vec<_>>(),
        );
    }
    let longest = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0).max(COLUMNS[c].len());
    // Names get what the words leave, or else as much as lets the words stand in a narrow column: a broken name is harder to read than
    // a sentence of two lines.
    let fixed: usize = used.iter().map(|&c| 2 + if matches!(c, 3 | 4) { 0 } else { longest(c) }).sum();
    let room = options.width.saturating_sub(fixed).max(24);
    let words = longest(4);
    let object = longest(3).min(room.saturating_sub(words).max(LONG_NAME.min(room - NARROW_WORDS.min(words))));
    let what = longest(4).min(room - object);
    for (at, &c) in used.iter().enumerate() {
        let Some(column) = table.column_mut(at) else { continue };
        let fixed = |width: usize| ColumnConstraint::Absolute(Width::Fixed(u16::try_from(width + 2).unwrap_or(u16::MAX)));
        column.set_constraint(match c {
            3 => fixed(object),
            4 => fixed(what),
            c => fixed(longest(c)),
        });
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn alignment(column: usize) -> CellAlignment {
    if matches!(column, 5 | 6) { CellAlignment::Right } else { CellAlignment::Left }
}

fn color(symbol: char) -> Color {
    match symbol {
        '+' => Color::Green,
        '~' => Color::Yellow,
        '-' | '!' => Color::Red,
        _ => Color::Cyan,
    }
}

fn paint(text: &str, code: &str, options: &Options) -> String {
    if options.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn definition(object: &str, diff: &str, options: &Options) -> String {
    let lines = diff.lines().map(|line| {
        let code = match line.as_bytes().first() {
            Some(b'+') => "32",
            Some(b'-') => "31",
            Some(b'@') => "36",
            _ => return format!("  {line}").trim_end().to_owned(),
        };
        format!("  {}", paint(line, code, options))
    });
    std::iter::once(object.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

fn findings(plan: &Plan, options: &Options) -> String {
    let (told, left_out) = sentences::told(plan, options.all);
    let mut blocks: Vec<String> = told
        .iter()
        .map(|told| {
            let f = told.finding;
            let word = match f.severity {
                Severity::Failed => paint("failed", "31", options),
                Severity::Alert => paint("alert ", "33", options),
                other => format!("{:<6}", other.name()),
            };
            let about = if told.objects.is_empty() { String::new() } else { format!(": {}", told.objects) };
            let ignored = if f.ignored { " (ignored)" } else { "" };
            let title = text::wrap(&format!("{} {}{ignored}{about}", f.code, f.name), options.width - 10, "", "          ");
            let cause = text::wrap(&text::harmless(&f.cause), options.width, "          ", "          ");
            let mut block = format!("  {word}  {title}\n{cause}");
            if !f.mend.is_empty() {
                block.push('\n');
                block.push_str(&text::wrap(&format!("mend: {}", text::harmless(&f.mend)), options.width, "          ", "          "));
            }
            block
        })
        .collect();
    if left_out > 0 {
        blocks.push(format!("  and {left_out} more of these; `--all` shows them"));
    }
    blocks.join("\n")
}
