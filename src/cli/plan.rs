//! `dtsctl plan`: reads both catalogs, runs the prechecks, shows the actions.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Context, error::CommandError};

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
    /// Also list tables with nothing to do, and prechecks that passed
    #[arg(long)]
    pub all: bool,
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

pub(super) fn run(context: &mut Context, _args: &PlanArgs) -> Result<u8, CommandError> {
    let _spec = context.load_spec_and_passwords()?;
    Err(CommandError::internal("`dtsctl plan` is not wired up yet"))
}
