//! `dtsctl stop`: asks the running apply to stop cleanly.

use clap::Args;

use super::{Context, error::CommandError};

/// What can be typed behind `dtsctl stop`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dtsctl stop -f shop.yaml\n")]
pub struct StopArgs {}

pub(super) fn run(_context: &mut Context, _args: &StopArgs) -> Result<u8, CommandError> {
    Err(CommandError::internal("`dtsctl stop` is not wired up yet"))
}
