//! `dtsctl verify`: compares both ends.

use clap::Args;

use super::{
    Context,
    context::Progress as Shown,
    error::{CommandError, Kind},
    exit,
    login::login,
};
use crate::{
    catalog::{self, Scope, TableName},
    connect::{Purpose, RetryWindows, Session},
    event::StopToken,
    report::verify::{self as report, VerifyProgress},
    spec::{ExistingTables, Pattern, Spec, VerifyMode},
    verify::{self, Mode, Settings, TablePair, Verdict, VerifyError, VerifyReceipt},
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
    /// Name the keys of rows that differ; they are values of rows
    #[arg(long)]
    pub keys: bool,
}

/// Share of the ranges where the spec says `sample` and no flag says how much.
const SAMPLE_PERCENT: u8 = 10;

pub(super) fn run(context: &mut Context, args: &VerifyArgs) -> Result<u8, CommandError> {
    let spec = context.load_spec_and_passwords()?;
    let (source, destination) = (login(&spec.source), login(&spec.destination));
    let mut tables = pairs(&spec, &source, &destination)?;
    let kept = context.state_path(&spec).with_extension("verify.json");
    if args.recheck {
        let last = last_receipt(&kept)?;
        tables.retain(|p| last.differing().any(|t| t.source == p.source.name));
    }
    if !args.table.is_empty() {
        let wanted: Vec<Pattern> = args.table.iter().map(Pattern::new).collect();
        tables.retain(|p| wanted.iter().any(|w| w.matches(&p.source.name.to_string())));
    }
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
    let result = verify::run(&settings, &source, &destination, &StopToken::default(), &|p| shown.observe(p));
    shown.finish();
    let receipt = result?;
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
fn pairs(spec: &Spec, source: &crate::connect::Login, destination: &crate::connect::Login) -> Result<Vec<TablePair>, CommandError> {
    let selection = spec.selection();
    let read = |login, scope: &Scope<'_>| -> Result<catalog::Catalog, CommandError> {
        let mut session = Session::open(login, Purpose::Catalog)?;
        catalog::read(&mut session, scope)
            .map_err(|e| CommandError::failed("cannot read the catalog").because_of(&e).hint("`dtsctl plan` lists missing rights"))
    };
    let database = |name: &str| selection.matches_database(name);
    let table = |name: &TableName| selection.table(&name.database, &name.table).is_some();
    let here = read(source, &Scope { database: &database, table: &table })?;
    let named: Vec<(catalog::Table, TableName)> = here
        .tables
        .into_iter()
        .filter_map(|t| {
            let selected = selection.table(&t.name.database, &t.name.table)?;
            let name = TableName::new(selected.destination_db, selected.destination_table);
            Some((t, name))
        })
        .collect();
    // A server that folds names spells them in lower case.
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let database = |name: &str| named.iter().any(|(_, n)| same(&n.database, name));
    let table = |name: &TableName| named.iter().any(|(_, n)| same(&n.database, &name.database) && same(&n.table, &name.table));
    let there = read(destination, &Scope { database: &database, table: &table })?;
    let folded = |n: &TableName| there.tables.iter().find(|t| same(&t.name.database, &n.database) && same(&t.name.table, &n.table));
    Ok(named
        .iter()
        .map(|(t, name)| {
            let found = there.table(name).or_else(|| folded(name)).cloned();
            TablePair {
                source: t.clone(),
                destination_name: found.as_ref().map_or_else(|| name.clone(), |t| t.name.clone()),
                destination: found,
                common_columns_only: spec.conflict.existing_tables == ExistingTables::Ignore,
            }
        })
        .collect())
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
