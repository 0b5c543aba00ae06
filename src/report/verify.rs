//! The receipt of `dtsctl verify` for people, as markdown and as JSON, and its progress.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write,
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    Paint,
    text::{harmless, plural, wrap},
};
use crate::verify::{DifferenceKind, Method, Mode, Position, Progress, RowDifference, TableReceipt, Verdict, VerifyReceipt};

/// Width that the table for people keeps to, names of keys apart.
const WIDTH: usize = 80;

/// For a terminal, 80 columns wide.
pub fn table(receipt: &VerifyReceipt, paint: Paint) -> String {
    let mut out = String::new();
    let ends = [&receipt.source, &receipt.destination].map(|s| format!("{} ({})", harmless(&s.address), s.flavor));
    let _ = writeln!(out, "{}  {} -> {}\n", paint.strong("dtsctl verify"), ends[0], ends[1]);
    let name_width = receipt.tables.iter().map(|t| harmless(&t.source.to_string()).chars().count()).max().unwrap_or(5).clamp(5, 27);
    let _ = writeln!(
        out,
        "{}",
        paint.strong(&format!(" {:name_width$} {:9} {:>11} {:>9} {:>9} {:>9}", "table", "how", "rows", "missing", "extra", "different"))
    );
    for table in &receipt.tables {
        let mut shown = harmless(&table.source.to_string());
        if shown.chars().count() > name_width {
            shown = format!("{}~", shown.chars().take(name_width - 1).collect::<String>());
        }
        let at_least = if table.exact { "" } else { ">=" };
        let number = |n: u64| if n == 0 { "-".to_owned() } else { format!("{at_least}{n}") };
        let line = format!(
            " {shown:name_width$} {:9} {:>11} {:>9} {:>9} {:>9}",
            method(table.method),
            table.source_rows,
            number(table.missing),
            number(table.extra),
            number(table.different)
        );
        let line = if table.verdict == Verdict::Equal { line } else { paint.bad(&line) };
        let _ = writeln!(out, "{line}");
    }
    for table in receipt.tables.iter().filter(|t| !details(t).is_empty()) {
        let _ = writeln!(out, "\n{}", paint.strong(&name(table)));
        for line in details(table) {
            let _ = writeln!(out, "{}", wrapped(&line, "  "));
        }
        for row in &table.rows {
            let _ = writeln!(out, "  {:10} {}", kind(row.kind), key(row));
        }
    }
    let missed = not_covered(receipt);
    if !missed.is_empty() {
        let _ = writeln!(out, "\n{}", paint.strong("not covered"));
        for line in missed {
            let _ = writeln!(out, "{}", wrapped(&line, "  "));
        }
    }
    let _ = writeln!(out, "\n{}", wrapped(&summary(receipt), ""));
    out
}

/// For a pull request.
pub fn markdown(receipt: &VerifyReceipt) -> String {
    let cell = |text: &str| harmless(text).replace('\\', "\\\\").replace('|', "\\|").replace('`', "\\`").replace('<', "&lt;");
    let mut out = String::new();
    let _ = writeln!(out, "## dtsctl verify: {}\n", if receipt.verdict == Verdict::Equal { "equal" } else { "**data differs**" });
    let _ = writeln!(out, "{}\n", cell(&summary(receipt)));
    let _ = writeln!(
        out,
        "| table | how | source rows | destination rows | missing | extra | different | |\n|---|---|--:|--:|--:|--:|--:|---|"
    );
    for t in &receipt.tables {
        let result = if t.verdict == Verdict::Equal { "equal" } else { "**differs**" };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {result} |",
            cell(&name(t)),
            method(t.method),
            t.source_rows,
            t.destination_rows,
            t.missing,
            t.extra,
            t.different
        );
    }
    for table in receipt.tables.iter().filter(|t| !details(t).is_empty()) {
        let _ = writeln!(out, "\n**{}**\n", cell(&name(table)));
        for line in details(table) {
            let _ = writeln!(out, "- {}", cell(&line));
        }
        for row in &table.rows {
            let _ = writeln!(out, "- {} {}", kind(row.kind), cell(&key(row)));
        }
    }
    let missed = not_covered(receipt);
    if !missed.is_empty() {
        let _ = writeln!(out, "\n**Not covered**\n");
        for line in missed {
            let _ = writeln!(out, "- {}", cell(&line));
        }
    }
    out
}

/// The receipt itself.
///
/// # Errors
/// Never for a receipt; what `serde_json` says.
pub fn json(receipt: &VerifyReceipt) -> Result<String, serde_json::Error> {
    Ok(format!("{}\n", serde_json::to_string_pretty(receipt)?))
}

fn name(table: &TableReceipt) -> String {
    let source = harmless(&table.source.to_string());
    if table.source == table.destination { source } else { format!("{source} -> {}", harmless(&table.destination.to_string())) }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Ranges => "checksums",
        Method::Stream => "rows",
        Method::Multiset => "multiset",
        Method::Count => "count",
        Method::Missing => "missing",
    }
}

fn kind(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Missing => "missing",
        DifferenceKind::Extra => "extra",
        DifferenceKind::Different => "different",
        DifferenceKind::JsonTypeChanged => "JSON type",
    }
}

fn key(row: &RowDifference) -> String {
    let mut text = row
        .key
        .iter()
        .map(|k| format!("{}={}", harmless(&k.column), k.value.as_deref().map_or_else(|| "NULL".to_owned(), harmless)))
        .collect::<Vec<_>>()
        .join(" ");
    if row.count > 1 {
        let _ = write!(text, " ({} times)", row.count);
    }
    if !row.columns.is_empty() {
        let columns: Vec<String> = row.columns.iter().map(|c| harmless(c)).collect();
        let _ = write!(text, "  in {}", columns.join(", "));
    }
    text
}

fn details(table: &TableReceipt) -> Vec<String> {
    let mut lines = Vec::new();
    if table.method == Method::Missing {
        lines.push(format!("The table is missing at the destination with all of its {} rows.", table.source_rows));
    } else if table.source_rows != table.destination_rows {
        lines.push(format!("{} rows at the source, {} at the destination.", table.source_rows, table.destination_rows));
    }
    if !table.differing_columns.is_empty() {
        let columns: Vec<String> = table.differing_columns.iter().map(|c| format!("{} ({})", harmless(&c.column), c.rows)).collect();
        lines.push(format!("Differing columns, with rows: {}.", columns.join(", ")));
    }
    if table.json_type_changed > 0 {
        lines.push(format!("{} rows are equal as JSON, with its type or text changed.", table.json_type_changed));
    }
    for (columns, end) in [(&table.columns_only_source, "source"), (&table.columns_only_destination, "destination")] {
        if !columns.is_empty() {
            let columns: Vec<String> = columns.iter().map(|c| harmless(c)).collect();
            lines.push(format!("Only the {end} has: {}.", columns.join(", ")));
        }
    }
    if table.unsettled > 0 {
        lines.push(format!(
            "{} of these rows differed in every look, but apply could not be held so that both ends show one state: they may have been on \
             their way each time.",
            table.unsettled
        ));
    }
    if !table.exact {
        lines.push("There may be more: no closer look was taken beyond --max-diffs.".to_owned());
    }
    lines
}

/// Equal reasons of many tables become one line.
fn not_covered(receipt: &VerifyReceipt) -> Vec<String> {
    let mut by_reason: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for table in &receipt.tables {
        for missed in &table.not_covered {
            by_reason.entry((&missed.what, &missed.why)).or_default().push(name(table));
        }
    }
    let mut lines: Vec<String> = by_reason
        .into_iter()
        .map(|((what, why), tables)| {
            let more = if tables.len() > 3 { format!(" and {} more", tables.len() - 3) } else { String::new() };
            format!("{}{more}: {what}: {why}", tables.iter().take(3).cloned().collect::<Vec<_>>().join(", "))
        })
        .collect();
    lines.extend(receipt.not_covered.iter().map(|n| format!("{}: {}", n.what, n.why)));
    lines
}

fn summary(receipt: &VerifyReceipt) -> String {
    let rows: u64 = receipt.tables.iter().map(|t| t.source_rows).sum();
    let how = match receipt.mode {
        Mode::Full => "compared".to_owned(),
        Mode::Sample { percent } => {
            format!("compared in a sample of {percent} % of the key ranges (seed {})", receipt.seed.unwrap_or_default())
        }
        Mode::Count => "counted".to_owned(),
    };
    let differing: Vec<&TableReceipt> = receipt.differing().collect();
    let head = format!(
        "{}, {} {how} in {}.{} s",
        plural(receipt.tables.len() as u64, "table"),
        plural(rows, "row"),
        receipt.milliseconds / 1000,
        receipt.milliseconds % 1000 / 100
    );
    let beside = match &receipt.position {
        Position::AtRest => String::new(),
        Position::Followed(f) => {
            let held = f.held_at.as_ref().map(|at| format!(", the last time in one state of both ends, at {}", harmless(at)));
            let looks = match f.looks {
                0 => "nothing had to be looked at again".to_owned(),
                looks => format!("what differed was looked at again {}", plural(u64::from(looks), "time")),
            };
            format!(" While apply followed the source, from {}; {looks}{}.", harmless(&f.from), held.unwrap_or_default())
        }
    };
    if differing.is_empty() {
        return format!("Verify: equal. {head}.{beside}");
    }
    let sum = |f: fn(&TableReceipt) -> u64| differing.iter().map(|t| f(t)).sum::<u64>();
    let at_least = if differing.iter().all(|t| t.exact) { "" } else { "at least " };
    format!(
        "Verify: data differs in {}. {head}: {at_least}{} missing, {} extra, {} different.{beside}",
        plural(differing.len() as u64, "table"),
        sum(|t| t.missing),
        sum(|t| t.extra),
        sum(|t| t.different)
    )
}

fn wrapped(text: &str, indent: &str) -> String {
    wrap(text, WIDTH, indent, &format!("{indent}  "))
}

/// Shows progress as it comes: a bar, lines, or nothing.
pub struct VerifyProgress {
    bar: Option<ProgressBar>,
    lines: Option<Mutex<Box<dyn Write + Send>>>,
}

impl VerifyProgress {
    /// Nothing is shown.
    pub fn none() -> Self {
        Self { bar: None, lines: None }
    }

    /// One bar on standard error over so many rows, as estimated.
    pub fn bar(rows_estimate: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(rows_estimate), ProgressDrawTarget::stderr_with_hz(5));
        let style = ProgressStyle::with_template("verify [{bar:30}] {human_pos} of ~{human_len} rows  {per_sec}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar: Some(bar), lines: None }
    }

    /// A line a table.
    pub fn lines(out: impl Write + Send + 'static) -> Self {
        Self { bar: None, lines: Some(Mutex::new(Box::new(out))) }
    }

    /// Takes one piece of progress.
    pub fn observe(&self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            match progress {
                Progress::TableStarted { table, .. } => bar.set_message(harmless(&table.to_string())),
                Progress::RowsCompared { rows, .. } => {
                    bar.inc(*rows);
                    if bar.length().is_some_and(|length| length < bar.position()) {
                        bar.set_length(bar.position());
                    }
                }
                Progress::Waiting { reason } => bar.set_message(format!("waiting: {}", harmless(reason))),
                Progress::WaitOver => bar.set_message(""),
                Progress::TableFinished { .. } => {}
            }
        }
        if let Some(lines) = &self.lines {
            let line = match progress {
                Progress::TableFinished { table, verdict: Verdict::Equal } => format!("verify {}: equal", harmless(&table.to_string())),
                Progress::TableFinished { table, .. } => format!("verify {}: differs", harmless(&table.to_string())),
                Progress::Waiting { reason } => format!("verify waits: {}", harmless(reason)),
                _ => return,
            };
            let mut out = lines.lock().unwrap_or_else(PoisonError::into_inner);
            // Progress that cannot be shown is no reason to fail.
            let _ = writeln!(out, "{line}");
        }
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::TableName,
        connect::{Flavor, Vendor},
        verify::{ColumnCount, KeyValue, NotCovered, Server},
    };

    fn table_receipt(name: &str) -> TableReceipt {
        TableReceipt {
            source: TableName::new("shop", name),
            destination: TableName::new("shop", name),
            verdict: Verdict::Equal,
            method: Method::Ranges,
            source_rows: 1_200_000,
            destination_rows: 1_200_000,
            source_digest: Some("ab".into()),
            destination_digest: Some("ab".into()),
            ranges: 24,
            ranges_compared: 24,
            missing: 0,
            extra: 0,
            different: 0,
            json_type_changed: 0,
            unsettled: 0,
            exact: true,
            differing_columns: Vec::new(),
            rows: Vec::new(),
            columns_only_source: Vec::new(),
            columns_only_destination: Vec::new(),
            not_covered: Vec::new(),
            milliseconds: 10,
        }
    }

    fn receipt() -> VerifyReceipt {
        let row = |kind, value: &str, columns: &[&str], count| RowDifference {
            kind,
            key: vec![KeyValue { column: "id".into(), value: Some(value.into()) }],
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            count,
        };
        let orders = TableReceipt {
            verdict: Verdict::Differs,
            destination_rows: 1_199_999,
            missing: 1,
            different: 1,
            json_type_changed: 3,
            differing_columns: vec![ColumnCount { column: "note".into(), rows: 1 }],
            rows: vec![row(DifferenceKind::Missing, "7", &[], 1), row(DifferenceKind::Different, "a|b\n", &["note"], 1)],
            ..table_receipt("orders")
        };
        let log = TableReceipt {
            destination: TableName::new("shop_dr", "log_of_everything"),
            verdict: Verdict::Differs,
            method: Method::Multiset,
            extra: 100,
            exact: false,
            columns_only_source: vec!["old".into()],
            not_covered: vec![NotCovered { what: "column w".into(), why: "a type this version does not know".into() }],
            ..table_receipt("log_of_everything")
        };
        let flavor = Flavor { vendor: Vendor::MySql, version: (8, 4, 3) };
        let server = |address: &str| Server { address: address.into(), flavor, identity: "x".into() };
        VerifyReceipt {
            format_version: "1.0".into(),
            verdict: Verdict::Differs,
            spec_digest: None,
            position: Position::AtRest,
            mode: Mode::Full,
            seed: None,
            algorithm: "a".into(),
            strength: "s".into(),
            source: server("db1:3306"),
            destination: server("db2:3306"),
            tables: vec![table_receipt("customers"), orders, log],
            not_covered: vec![NotCovered { what: "definitions".into(), why: "verify compares rows".into() }],
            milliseconds: 12_345,
        }
    }

    #[test]
    fn receipts_read_well() {
        let shown = table(&receipt(), Paint::default());
        assert!(shown.lines().all(|l| l.chars().count() <= WIDTH), "{shown}");
        insta::assert_snapshot!("verify_table", shown);
        insta::assert_snapshot!("verify_markdown", markdown(&receipt()));
        let mut equal = receipt();
        equal.tables.truncate(1);
        equal.verdict = Verdict::Equal;
        equal.mode = Mode::Sample { percent: 10 };
        equal.seed = Some(42);
        insta::assert_snapshot!("verify_equal", table(&equal, Paint::default()));
    }
}
