//! `dtsctl show PLAN RECEIPT`: whether a receipt of `verify` is one for what a plan carries. Offline.
//!
//! A receipt proves a plan when it is of the same spec and the same two servers, and has every table of the plan under the plan's names,
//! compared in full and equal. What verify never looks at (views, routines, accounts, ...) is listed, so that nobody takes it for proven.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Serialize;

use super::{Context, Kind, args::Format, error::CommandError, exit, show};
use crate::{
    catalog::TableName,
    plan::{Plan, Side},
    report::text,
    state,
    verify::{Mode, TableReceipt, Verdict, VerifyReceipt},
};

/// The answer.
#[derive(Debug, Serialize)]
struct Coverage {
    /// The plan's id.
    plan: String,
    /// The receipt is one for all that the plan carries, and found it equal.
    covered: bool,
    /// What the receipt said of the data.
    verdict: Verdict,
    /// Why it is not one for this plan: another spec, another server. Empty when it is.
    foreign: Vec<String>,
    /// Tables of the plan, or of the receipt, that do not pair up.
    unmatched: Vec<String>,
    /// What was compared in part only.
    partly: Vec<String>,
    /// Objects of the plan that verify does not look at, by kind and name at the destination.
    not_compared: Vec<String>,
    /// Tables that pair up.
    tables: Vec<Covered>,
}

/// A table of both.
#[derive(Debug, Serialize)]
struct Covered {
    /// At the source.
    source: TableName,
    /// At the destination.
    destination: TableName,
    /// What the receipt says of it.
    verdict: Verdict,
    /// Rows that the state file's ledger counts as copied; absent without one. The binlog adds and removes rows after that.
    ledger_rows: Option<u64>,
    /// Rows compared at the source.
    source_rows: u64,
    /// Rows compared at the destination.
    destination_rows: u64,
}

pub(super) fn run(context: &mut Context, plan: &Path, receipt: &Path) -> Result<u8, CommandError> {
    let plan = show::read(plan)?;
    let receipt = read(receipt)?;
    let ledger = ledger(context, &plan)?;
    let coverage = compare(&plan, &receipt, &ledger);
    context.emit(&|format| {
        Ok(match format {
            Format::Json => {
                let mut text = serde_json::to_string_pretty(&coverage).expect("strings and whole numbers only");
                text.push('\n');
                text
            }
            Format::Table => table(&coverage),
            Format::Markdown => format!("```text\n{}```\n", table(&coverage)),
        })
    })?;
    Ok(match (coverage.covered, coverage.verdict) {
        (true, _) => exit::DONE,
        (false, Verdict::Differs) if coverage.foreign.is_empty() => exit::DIFFERS,
        (false, _) => exit::STALE,
    })
}

fn read(path: &Path) -> Result<VerifyReceipt, CommandError> {
    let unusable = |error: &dyn std::error::Error, what: &str| {
        CommandError::new(Kind::Unusable, format!("cannot {what} the receipt {}", path.display()))
            .because(error.to_string())
            .hint("`dtsctl verify --format json` writes one")
    };
    let text = fs::read_to_string(path).map_err(|error| unusable(&error, "read"))?;
    let receipt: VerifyReceipt = serde_json::from_str(&text).map_err(|error| unusable(&error, "use"))?;
    if receipt.format_version.split('.').next() != Some("1") {
        return Err(CommandError::new(Kind::Unusable, format!("the receipt {} is of another format", path.display()))
            .hint("use the dtsctl that wrote it, or a later one"));
    }
    Ok(receipt)
}

/// Rows by source table, as the task's state file counts them. Nothing where there is no such file.
fn ledger(context: &Context, plan: &Plan) -> Result<BTreeMap<TableName, u64>, CommandError> {
    let named = context.settings.state.is_some();
    let path = context.state_path_of(&plan.spec.name);
    if !named && !path.exists() {
        return Ok(BTreeMap::new());
    }
    let status = state::read(&path, context.now())?;
    Ok(status.tables.into_iter().map(|table| (table.table, table.rows_done)).collect())
}

fn compare(plan: &Plan, receipt: &VerifyReceipt, ledger: &BTreeMap<TableName, u64>) -> Coverage {
    let mut foreign = Vec::new();
    match &receipt.spec_digest {
        Some(digest) if *digest == plan.spec.digest => {}
        Some(_) => foreign.push("the receipt is of another spec than the plan, or of another version of it".to_owned()),
        None => foreign.push("the receipt does not say of which spec it is".to_owned()),
    }
    for (end, planned, compared) in [("source", &plan.source, &receipt.source), ("destination", &plan.destination, &receipt.destination)] {
        if planned.identity != compared.identity || planned.vendor != compared.flavor.vendor {
            foreign.push(format!("the {end} of the receipt, {}, is another server than the plan's, {}", compared.address, planned.address));
        }
    }
    let (tables, unmatched) = pair_up(plan, receipt, ledger);
    let mut partly = Vec::new();
    match receipt.mode {
        Mode::Full => {}
        Mode::Sample { percent } => partly.push(format!("a sample of {percent} % of the ranges was compared")),
        Mode::Count => partly.push("rows were counted only".to_owned()),
    }
    for table in &receipt.tables {
        partly.extend(table.not_covered.iter().map(|part| format!("{}: {}: {}", table.source, part.what, part.why)));
    }
    let not_compared = not_compared(plan);
    let covered = receipt.verdict == Verdict::Equal && foreign.is_empty() && unmatched.is_empty() && partly.is_empty();
    Coverage { plan: plan.id.clone(), covered, verdict: receipt.verdict, foreign, unmatched, partly, not_compared, tables }
}

fn pair_up(plan: &Plan, receipt: &VerifyReceipt, ledger: &BTreeMap<TableName, u64>) -> (Vec<Covered>, Vec<String>) {
    let planned: BTreeSet<&str> =
        plan.objects.iter().filter(|o| o.side == Side::Source && o.kind == "table").map(|o| o.name.as_str()).collect();
    let named: BTreeMap<String, &TableName> =
        plan.actions.iter().filter_map(|a| Some((a.source_table.as_ref()?.to_string(), a.table.as_ref()?))).collect();
    let compared: BTreeMap<String, &TableReceipt> = receipt.tables.iter().map(|t| (t.source.to_string(), t)).collect();
    let (mut tables, mut unmatched) = (Vec::new(), Vec::new());
    for name in &planned {
        let Some(table) = compared.get(*name) else {
            unmatched.push(format!("{name} is in the plan and not in the receipt"));
            continue;
        };
        // A table about which nothing is to be done is known by its name at the destination only.
        let same = named.get(*name).map_or_else(|| plan.unchanged.contains(&table.destination.to_string()), |to| **to == table.destination);
        if !same {
            unmatched.push(format!("{name} goes to another table in the plan than {} in the receipt", table.destination));
            continue;
        }
        tables.push(Covered {
            source: table.source.clone(),
            destination: table.destination.clone(),
            verdict: table.verdict,
            ledger_rows: ledger.get(&table.source).copied(),
            source_rows: table.source_rows,
            destination_rows: table.destination_rows,
        });
    }
    unmatched.extend(
        compared.keys().filter(|name| !planned.contains(name.as_str())).map(|name| format!("{name} is in the receipt and not in the plan")),
    );
    (tables, unmatched)
}

/// What is no table: verify compares rows.
fn not_compared(plan: &Plan) -> Vec<String> {
    let of_source = plan.objects.iter().filter(|o| o.side == Side::Source && !["table", "database"].contains(&o.kind.as_str()));
    let accounts = plan.actions.iter().filter(|a| a.kind == "account").map(|a| format!("account {}", a.object));
    let all: BTreeSet<String> = of_source.map(|o| format!("{} {}", o.kind, o.name)).chain(accounts).collect();
    all.into_iter().collect()
}

fn table(coverage: &Coverage) -> String {
    let mut out = String::new();
    let rows = |table: &Covered| table.ledger_rows.map_or_else(|| "-".to_owned(), text::count);
    if !coverage.tables.is_empty() {
        out.push_str("table                                  rows in the ledger  source  destination\n");
    }
    for table in &coverage.tables {
        let name =
            if table.source == table.destination { table.source.to_string() } else { format!("{} -> {}", table.source, table.destination) };
        let verdict = if table.verdict == Verdict::Equal { "" } else { "  differs" };
        let (source, destination) = (text::count(table.source_rows), text::count(table.destination_rows));
        out.push_str(&format!("{:<38} {:>18}  {source:>6}  {destination:>11}{verdict}\n", text::harmless(&name), rows(table)));
    }
    for (head, lines) in [
        ("The receipt is not one for this plan:", &coverage.foreign),
        ("Tables that do not pair up:", &coverage.unmatched),
        ("Compared in part:", &coverage.partly),
        ("Not compared, as verify looks at rows:", &coverage.not_compared),
    ] {
        if !lines.is_empty() {
            out.push_str(&format!("\n{head}\n"));
            lines.iter().for_each(|line| out.push_str(&format!("  {}\n", text::harmless(line))));
        }
    }
    let plan = &coverage.plan;
    out.push_str(&match (coverage.covered, coverage.verdict) {
        (true, _) => format!("\nCovered: every table of plan {plan} was compared in full and is equal.\n"),
        (false, Verdict::Differs) => format!("\nNot covered: the receipt for plan {plan} found differences.\n"),
        (false, Verdict::Equal) => format!("\nNot covered: the receipt does not prove plan {plan}.\n"),
    });
    out
}
