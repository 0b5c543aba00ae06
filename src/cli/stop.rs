//! `dtsctl stop`: asks the running apply to stop cleanly.

use std::io::Write as _;

use clap::Args;

use super::{Context, error::CommandError, exit, until::stop_at};
use crate::{phase::incremental::Until, state};

/// What can be typed behind `dtsctl stop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dtsctl stop                                    as soon as the open units are done
  dtsctl stop --at caught-up                     when nothing is left to apply
  dtsctl stop --at time:2024-05-01T12:00:00Z     when everything committed before is applied
")]
pub struct StopArgs {
    /// Where the incremental phase is to end: caught-up, gtid:SET, pos:FILE:POS or time:RFC3339 [default: at once]
    #[arg(long, value_name = "POINT", value_parser = stop_at)]
    pub at: Option<Until>,
}

pub(super) fn run(context: &mut Context, args: &StopArgs) -> Result<u8, CommandError> {
    let path = match &context.settings.state {
        Some(path) => path.clone(),
        None => {
            let spec = context.load_spec()?;
            context.state_path(&spec)
        }
    };
    let incremental = || state::spec_document(&path).map(|spec| spec.pointer("/phases/incremental") != Some(&false.into()));
    if let Some(point) = &args.at
        && !incremental()?
    {
        return Err(CommandError::usage(format!("`--at {point}` needs the incremental phase, and the apply has none"))
            .hint("leave `--at` out to stop as soon as the open units are done"));
    }
    let when = args.at.as_ref().map_or_else(|| "now".to_owned(), Until::to_string);
    state::request_stop(&path, &when, &context.clock())?;
    if context.settings.verbosity >= 0 {
        let next = context.next("status --watch");
        match &args.at {
            None => writeln!(context.stderr, "asked to stop; `{next}` shows when it has")?,
            Some(point) => writeln!(context.stderr, "asked to stop at {point}; `{next}` shows when it has")?,
        }
    }
    Ok(exit::DONE)
}
