//! `dtsctl show`: a saved plan in another format, or beside a receipt of `verify`; offline.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Context, Kind,
    error::CommandError,
    exit,
    plan::{DiffShown, Shown, emit},
};
use crate::{
    plan::{self, Plan},
    report::plan::MARKDOWN_LIMIT,
};

/// What can be typed behind `dtsctl show`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dtsctl show plan.json --format markdown\n  dtsctl show plan.json receipt.json\n\nWith a receipt, exits 0 when it covers every table of the plan and found it equal,\n4 when it found differences, and 6 when it does not prove this plan: another spec,\nanother server, tables that are missing in one of the two, or compared in part.\n"
)]
pub struct ShowArgs {
    /// The file that `plan --out` wrote
    pub plan: PathBuf,
    /// A receipt of `verify --format json`: tell whether it covers the plan
    #[arg(conflicts_with_all = ["summary", "diff", "all", "markdown_limit"])]
    pub receipt: Option<PathBuf>,
    /// Only the figures, what blocks, and the prechecks that did not pass
    #[arg(long)]
    pub summary: bool,
    /// Which tables' definitions are shown as a difference
    #[arg(long, default_value = "changed", value_name = "WHICH")]
    pub diff: DiffShown,
    /// Also list tables with nothing to do, notes, and findings that are ignored
    #[arg(long)]
    pub all: bool,
    /// The most bytes of a plan in Markdown; rows are left out to keep within
    #[arg(long, value_name = "SIZE", default_value_t = MARKDOWN_LIMIT, value_parser = super::args::size)]
    pub markdown_limit: usize,
}

pub(super) fn run(context: &mut Context, args: &ShowArgs) -> Result<u8, CommandError> {
    if let Some(receipt) = &args.receipt {
        return super::covered::run(context, &args.plan, receipt);
    }
    let plan = read(&args.plan)?;
    emit(context, &plan, &Shown { summary: args.summary, diff: args.diff, all: args.all, markdown_limit: args.markdown_limit })?;
    Ok(exit::DONE)
}

/// Reads a saved plan.
pub(super) fn read(path: &Path) -> Result<Plan, CommandError> {
    let text = fs::read_to_string(path).map_err(|error| {
        CommandError::new(Kind::Unusable, format!("cannot read the plan {}", path.display()))
            .because_of(&error)
            .hint("`dtsctl plan --out PATH` writes one")
    })?;
    plan::load(&text).map_err(|error| {
        CommandError::new(Kind::Unusable, format!("cannot use the plan {}", path.display()))
            .because_of(&error)
            .hint("`dtsctl plan --out PATH` writes a new one")
    })
}
