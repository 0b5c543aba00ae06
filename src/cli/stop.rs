//! `dtsctl stop`: asks the running apply to stop cleanly.

use std::io::Write as _;

use clap::Args;

use super::{Context, error::CommandError, exit};
use crate::state;

/// What can be typed behind `dtsctl stop`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dtsctl stop -f shop.yaml\n")]
pub struct StopArgs {}

pub(super) fn run(context: &mut Context, _args: &StopArgs) -> Result<u8, CommandError> {
    let path = match &context.settings.state {
        Some(path) => path.clone(),
        None => {
            let spec = context.load_spec()?;
            context.state_path(&spec)
        }
    };
    state::request_stop(&path, &context.clock())?;
    if context.settings.verbosity >= 0 {
        let next = context.next("status --watch");
        writeln!(context.stderr, "asked to stop; `{next}` shows when it has")?;
    }
    Ok(exit::DONE)
}
