//! `dtsctl verify`: compares both ends.

use clap::Args;

use super::{Context, error::CommandError};

/// What can be typed behind `dtsctl verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dtsctl verify
  dtsctl verify --table shop.orders --keys       one table, with the keys of rows that differ
  dtsctl verify --sample 10 --format json        a tenth of the key ranges
")]
pub struct VerifyArgs {
    /// Only this source table, as database.table; repeatable
    #[arg(long, value_name = "TABLE")]
    pub table: Vec<String>,
    /// Only this part of the key ranges, 1 to 100 per cent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub sample: Option<u8>,
    /// How many connections compare at each end, 1 to 64 [default: chosen by the processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// Go on after this many differing rows of a table without looking closer
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub max_diffs: u32,
    /// Look again at what differed in the last run, and at nothing else
    #[arg(long)]
    pub recheck: bool,
    /// Name the keys of rows that differ; they are values of rows
    #[arg(long)]
    pub keys: bool,
}

pub(super) fn run(context: &mut Context, _args: &VerifyArgs) -> Result<u8, CommandError> {
    let _spec = context.load_spec_and_passwords()?;
    Err(CommandError::internal("`dtsctl verify` is not wired up yet"))
}
