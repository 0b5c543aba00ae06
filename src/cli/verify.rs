//! `dtsctl verify`: compares both ends.

use std::{collections::HashMap, time::Duration};

use clap::Args;

use super::{
    Context,
    args::duration,
    beside::Beside,
    context::Progress as Shown,
    error::{CommandError, Kind},
    exit,
    prepare::{Survey, survey},
    signals::Signals,
};
use crate::{
    catalog::{Table, TableName},
    connect::RetryWindows,
    event::StopToken,
    plan::Pair,
    report::verify::{self as report, VerifyProgress},
    spec::{ExistingTables, Operation, Pattern, Spec, VerifyMode},
    verify::{self, Live, Mode, NotCovered, Settings, TablePair, Verdict, VerifyError, VerifyReceipt},
};

/// What can be typed behind `dtsctl verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dtsctl verify
  dtsctl verify --table shop.orders --keys       one table, with the keys of rows that differ
  dtsctl verify --sample 10 --format json        a tenth of the key ranges
")]
pub struct VerifyArgs {
    /// Only this source table, as database.table; repeatable
    #[arg(long, value_name = "TABLE")]
    pub table: Vec<String>,
    /// Only this part of the key ranges, 1 to 100 per cent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub sample: Option<u8>,
    /// How many connections compare at each end, 1 to 64 [default: chosen by the processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// Go on after this many differing rows of a table without looking closer
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub max_diffs: u32,
    /// Choose the sample's ranges by this number, as a receipt names it [default: by the time]
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    pub seed: Option<u64>,
    /// Look again at what differed in the last run, and at nothing else
    #[arg(long)]
    pub recheck: bool,
    /// While an apply follows the source: how long rows that differ are looked at again before they count
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    pub recheck_limit: Duration,
    /// Name the keys of rows that differ; they are values of rows
    #[arg(long)]
    pub keys: bool,
}

/// Share of the ranges where the spec says `sample` and no flag says how much.
const SAMPLE_PERCENT: u8 = 10;

pub(super) fn run(context: &mut Context, args: &VerifyArgs) -> Result<u8, CommandError> {
    let spec = context.load_spec_and_passwords()?;
    let survey = survey(&spec)?;
    let mut tables = pairs(&spec, &survey);
    let left_out = left_out(&survey);
    let mut by_choice = by_choice(&spec, &survey);
    if let Some(name) = gone(&spec, &survey) {
        return Err(CommandError::failed(format!("the spec names {name}, and the source does not have it"))
            .hint("take it out of `objects`, or find out who dropped it"));
    }
    let (source, destination) = (survey.source_login.clone(), survey.destination_login.clone());
    let following = survey.progress.as_ref().and_then(|p| p.following.as_ref()).map(|f| f.position.to_string());
    drop(survey);
    let kept = context.state_path(&spec).with_extension("verify.json");
    if args.recheck {
        let last = last_receipt(&kept)?;
        tables.retain(|p| last.differing().any(|t| t.source == p.source.name));
    }
    if !args.table.is_empty() {
        let wanted: Vec<Pattern> = args.table.iter().map(Pattern::new).collect();
        tables.retain(|p| wanted.iter().any(|w| w.matches(&p.source.name.to_string())));
    }
    by_choice.retain(|(table, _)| tables.iter().any(|p| &p.source.name == table));
    if tables.is_empty() && !args.recheck {
        let what = if args.table.is_empty() { "the spec selects no table that the source has" } else { "no selected table has that name" };
        return Err(CommandError::usage(what).hint(format!("`{}` lists the tables", context.next("plan --all"))));
    }
    let mode = match (args.sample, spec.verify.mode) {
        (Some(percent), _) => Mode::Sample { percent },
        (None, VerifyMode::Full) => Mode::Full,
        (None, VerifyMode::Sample) => Mode::Sample { percent: SAMPLE_PERCENT },
        (None, VerifyMode::Count) => Mode::Count,
    };
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(2, |n| (2 * n.get()).clamp(2, 8)), usize::from);
    let now = context.now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let rows = tables.iter().map(|p| p.source.rows_estimate).sum();
    let settings = Settings {
        tables,
        mode,
        threads,
        max_diffs: u64::from(args.max_diffs),
        keys: args.keys,
        seed: args.seed.unwrap_or(now),
        stream: false,
        spec_digest: Some(spec.digest.clone()),
        retry: RetryWindows { connection: spec.retry.connection, other: spec.retry.other },
    };
    let shown = match context.settings.progress {
        Shown::Bar => VerifyProgress::bar(rows),
        Shown::Plain => VerifyProgress::lines(std::io::stderr()),
        Shown::None => VerifyProgress::none(),
    };
    let stop = StopToken::default();
    let signals = Signals::watch(&stop)?;
    // Before it has begun to follow, an apply still copies: the destination is then as it is.
    let apply = match &following {
        Some(_) => Beside::find(&destination, &spec.name, context.state_path(&spec), context.clock(), &stop)?,
        None => None,
    };
    let live = apply.as_ref().map(|apply| Live { apply, limit: args.recheck_limit });
    let result = verify::run_beside(&settings, live.as_ref(), &source, &destination, &stop, &|p| {
        match p {
            verify::Progress::TableFinished { table, verdict } => tracing::info!(%table, ?verdict, "table compared"),
            verify::Progress::Waiting { reason } => tracing::info!(reason, "waiting"),
            other => tracing::debug!(?other, "verify"),
        }
        shown.observe(p);
    });
    drop(signals);
    shown.finish();
    let mut receipt = result?;
    receipt.not_covered.extend(left_out);
    receipt.not_covered.extend(by_choice.into_iter().map(|(_, note)| note));
    if let Some(position) = following.filter(|_| live.is_none()) {
        receipt.not_covered.push(NotCovered {
            what: format!("changes at the source after {position}"),
            why: "no apply follows it now; rows that they touched differ until one does".to_owned(),
        });
    }
    keep(&kept, &receipt)?;
    let paint = context.settings.paint_out;
    context.emit(&|format| match format {
        super::args::Format::Table => Ok(report::table(&receipt, paint)),
        super::args::Format::Markdown => Ok(report::markdown(&receipt)),
        super::args::Format::Json => report::json(&receipt).map_err(|e| CommandError::internal(e.to_string())),
    })?;
    Ok(if receipt.verdict == Verdict::Equal { exit::DONE } else { exit::DIFFERS })
}

/// The selected tables of the source, each with its table at the destination.
fn pairs(spec: &Spec, survey: &Survey) -> Vec<TablePair> {
    // A server that folds names may spell them otherwise than the scope does.
    let folds = survey.destination.info().folds_names();
    let key = |name: &TableName| if folds { TableName::new(name.database.to_lowercase(), name.table.to_lowercase()) } else { name.clone() };
    let there: HashMap<TableName, &Table> = survey.destination_catalog.tables.iter().map(|t| (key(&t.name), t)).collect();
    let pair = |pair: &Pair| {
        let found = there.get(&key(&pair.destination)).copied().cloned();
        Some(TablePair {
            source: survey.source_catalog.table(&pair.source)?.clone(),
            destination_name: found.as_ref().map_or_else(|| pair.destination.clone(), |t| t.name.clone()),
            destination: found,
            common_columns_only: spec.conflict.existing_tables == ExistingTables::Ignore,
            columns: pair.columns.clone(),
        })
    };
    survey.scope.pairs.iter().filter_map(pair).collect()
}

/// Tables of which the spec leaves row operations out: they are compared as all others, and what differs is told; whether the choice or
/// anything else made it so, no comparison can see.
fn by_choice(spec: &Spec, survey: &Survey) -> Vec<(TableName, NotCovered)> {
    if !spec.phases.incremental {
        return Vec::new();
    }
    let selection = spec.selection();
    let leave_out = |pair: &Pair| {
        let list = selection.operations(&pair.source.database, &pair.source.table);
        let missing: Vec<&str> = Operation::ALL.into_iter().filter(|o| o.is_of_rows() && !list.contains(o)).map(Operation::name).collect();
        let note = || NotCovered {
            what: format!("whether rows of {} differ by choice", pair.source),
            why: format!("`operations` leaves out {}; they count as any that differ", missing.join(", ")),
        };
        (!missing.is_empty()).then(|| (pair.source.clone(), note()))
    };
    survey.scope.pairs.iter().filter_map(leave_out).collect()
}

/// What the spec selects and this verify says nothing of, for what it is.
fn left_out(survey: &Survey) -> Vec<NotCovered> {
    survey.scope.skipped.iter().map(|s| NotCovered { what: s.table.to_string(), why: s.reason.clone() }).collect()
}

/// A name of the spec that the source does not have any more: an equal verdict on the rest would fool somebody.
fn gone(spec: &Spec, survey: &Survey) -> Option<String> {
    let (databases, tables) = spec.selection().expected();
    let database = databases.into_iter().find(|d| survey.source_catalog.database(d).is_none()).map(|d| format!("database '{d}'"));
    let table = tables.into_iter().find(|(d, t)| {
        let name = TableName::new(*d, *t);
        survey.source_catalog.table(&name).is_none() && !survey.scope.skipped.iter().any(|s| s.table == name)
    });
    database.or_else(|| table.map(|(d, t)| format!("table '{d}.{t}'")))
}

/// Keeps the receipt for `--recheck`, without the keys of rows.
fn keep(path: &std::path::Path, receipt: &VerifyReceipt) -> Result<(), CommandError> {
    let mut receipt = receipt.clone();
    receipt.tables.iter_mut().for_each(|t| t.rows.clear());
    let text = report::json(&receipt).map_err(|e| CommandError::internal(e.to_string()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).map_err(|e| CommandError::failed(format!("cannot keep the receipt in {}", path.display())).because_of(&e))
}

fn last_receipt(path: &std::path::Path) -> Result<VerifyReceipt, CommandError> {
    let unusable = |e: &dyn std::error::Error| {
        CommandError::new(Kind::Unusable, format!("there is no receipt of an earlier verify in {}", path.display()))
            .because_of(e)
            .hint("run `dtsctl verify` without `--recheck` first")
    };
    let text = std::fs::read_to_string(path).map_err(|e| unusable(&e))?;
    serde_json::from_str(&text).map_err(|e| unusable(&e))
}

impl From<VerifyError> for CommandError {
    fn from(error: VerifyError) -> Self {
        let kind = if matches!(error, VerifyError::Stopped) { Kind::Stopped } else { Kind::Failed };
        let shown = Self::new(kind, error.to_string());
        let shown = match std::error::Error::source(&error) {
            Some(source) => shown.because_of(source),
            None => shown,
        };
        shown.hint("run the same command again; `dtsctl ping` checks both connections")
    }
}
