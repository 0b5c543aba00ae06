//! `dtsctl plan`: reads both catalogs, runs the prechecks, shows the actions.

use std::{fs, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{Context, alert_command, args::Format, error::CommandError, exit, prepare::prepare, shared_retry};
use crate::{
    plan::{self, Plan},
    report::plan::{self as report, DiffMode, MARKDOWN_LIMIT},
};

/// What can be typed behind `dtsctl plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dtsctl plan --out plan.json                save it, for `dtsctl apply plan.json`
  dtsctl plan --format markdown --summary    for a pull request
  dtsctl plan --detailed-exitcode            2 when changes are pending
")]
pub struct PlanArgs {
    /// Also save the plan, for `apply PLAN` and `show PLAN`
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Exit 2 when changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
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

/// Which differences a plan shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffShown {
    /// The lines that change, with some around them
    Changed,
    /// The whole definitions
    Full,
    /// None
    None,
}

impl From<DiffShown> for DiffMode {
    fn from(shown: DiffShown) -> Self {
        match shown {
            DiffShown::Changed => Self::Changed,
            DiffShown::Full => Self::Full,
            DiffShown::None => Self::None,
        }
    }
}

pub(super) fn run(context: &mut Context, args: &PlanArgs) -> Result<u8, CommandError> {
    let mut spec = context.load_spec_and_passwords()?;
    let state_path = context.state_path(&spec);
    shared_retry::settle(&mut spec, &state_path);
    alert_command::settle(&mut spec);
    let plan = prepare(&spec, &[], context.now())?.plan;
    if let Some(path) = &args.out {
        fs::write(path, plan::save(&plan)).map_err(|error| {
            CommandError::failed(format!("cannot save the plan as {}", path.display()))
                .because_of(&error)
                .hint("`--out PATH` names another file")
        })?;
    }
    emit(context, &plan, &Shown { summary: args.summary, diff: args.diff, all: args.all, markdown_limit: args.markdown_limit })?;
    Ok(if plan.is_blocked() {
        exit::BLOCKED
    } else if args.detailed_exitcode && plan.has_changes() {
        exit::PENDING
    } else {
        exit::DONE
    })
}

/// What of a plan is shown.
pub(super) struct Shown {
    pub(super) summary: bool,
    pub(super) diff: DiffShown,
    pub(super) all: bool,
    pub(super) markdown_limit: usize,
}

/// Hands a plan out in the formats that were asked for.
pub(super) fn emit(context: &mut Context, plan: &Plan, shown: &Shown) -> Result<(), CommandError> {
    let color = context.settings.paint_out.color;
    let limit = shown.markdown_limit;
    let options = |color: bool| report::Options {
        color,
        summary: shown.summary,
        all: shown.all,
        diff: shown.diff.into(),
        ..report::Options::default()
    };
    // Only standard output may be a terminal; files get no colours. The files come first.
    let files = std::cell::Cell::new(context.settings.reports.len());
    context.emit(&|format| {
        let to_file = files.get() > 0;
        files.set(files.get().saturating_sub(1));
        Ok(match format {
            Format::Table => report::table(plan, &options(color && !to_file)),
            Format::Markdown => report::markdown(plan, &options(false), limit),
            Format::Json => report::json(plan),
        })
    })
}
