//! `dtsctl status`: how far a run is; reads the state file only.

use std::time::Duration;

use clap::Args;

use super::{Context, args::duration, error::CommandError};

/// What can be typed behind `dtsctl status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dtsctl status\n  dtsctl status --watch --interval 5s\n  dtsctl status --state .dtsctl/shop.db --format json\n"
)]
pub struct StatusArgs {
    /// Show it again and again, until the run ends
    #[arg(short, long)]
    pub watch: bool,
    /// How often
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration, requires = "watch")]
    pub interval: Duration,
}

pub(super) fn run(_context: &mut Context, _args: &StatusArgs) -> Result<u8, CommandError> {
    Err(CommandError::internal("`dtsctl status` is not wired up yet"))
}
