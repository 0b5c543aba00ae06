//! `dtsctl apply`: runs the phases.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{Context, args::duration, error::CommandError};

/// What can be typed behind `dtsctl apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dtsctl apply                        plan, ask, run
  dtsctl apply plan.json --yes        from a pipeline
  dtsctl apply --allow-unsafe a3      permit one unsafe action of the plan
  dtsctl apply --time-limit 2h        stop cleanly after two hours; resume later
")]
pub struct ApplyArgs {
    /// A plan that `plan --out` wrote
    pub plan: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Permit an unsafe action of the plan by its id; repeatable
    #[arg(long, value_name = "ID")]
    pub allow_unsafe: Vec<String>,
    /// Forget the progress of an earlier run and begin again
    #[arg(long)]
    pub restart: bool,
    /// How far the incremental phase runs: caught-up, never, gtid:SET, pos:FILE:POS or time:RFC3339. Not supported yet
    /// but for `caught-up`
    #[arg(long, default_value = "caught-up", value_name = "POINT", value_parser = until)]
    pub until: Until,
    /// Stop cleanly after this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time_limit: Option<Duration>,
    /// How many connections copy at each end, 1 to 64 [default: chosen by the processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// How long a statement waits for a lock before it is tried again
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub lock_timeout: Duration,
}

/// How far the incremental phase runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until nothing is left to do.
    CaughtUp,
}

fn until(text: &str) -> Result<Until, String> {
    match text {
        "caught-up" => Ok(Until::CaughtUp),
        "never" => Err("the incremental phase is not supported yet".to_owned()),
        _ if ["gtid:", "pos:", "time:"].iter().any(|head| text.starts_with(head)) => {
            Err("the incremental phase is not supported yet".to_owned())
        }
        _ => Err("write caught-up, never, gtid:SET, pos:FILE:POS or time:RFC3339".to_owned()),
    }
}

pub(super) fn run(context: &mut Context, _args: &ApplyArgs) -> Result<u8, CommandError> {
    let _spec = context.load_spec_and_passwords()?;
    Err(CommandError::internal("`dtsctl apply` is not wired up yet"))
}
