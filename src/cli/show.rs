//! `dtsctl show`: a saved plan in another format, offline.

use std::path::PathBuf;

use clap::Args;

use super::{Context, error::CommandError, plan::DiffShown};

/// What can be typed behind `dtsctl show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dtsctl show plan.json --format markdown\n")]
pub struct ShowArgs {
    /// The file that `plan --out` wrote
    pub plan: PathBuf,
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

pub(super) fn run(_context: &mut Context, _args: &ShowArgs) -> Result<u8, CommandError> {
    Err(CommandError::internal("`dtsctl show` is not wired up yet"))
}
