//! `dtsctl ping`: connects to both ends and says what is there.

use clap::Args;

use super::{Context, error::CommandError};

/// What can be typed behind `dtsctl ping`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dtsctl ping -f shop.yaml\n")]
pub struct PingArgs {}

pub(super) fn run(context: &mut Context, _args: &PingArgs) -> Result<u8, CommandError> {
    let _spec = context.load_spec_and_passwords()?;
    Err(CommandError::internal("`dtsctl ping` is not wired up yet"))
}
