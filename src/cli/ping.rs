//! `dtsctl ping`: connects to both ends and says what is there.

use clap::Args;

use super::{Context, args::Format, error::CommandError, exit, login::login};
use crate::{
    connect::{Purpose, Session},
    precheck, report,
};

/// What can be typed behind `dtsctl ping`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dtsctl ping -f shop.yaml\n")]
pub struct PingArgs {}

pub(super) fn run(context: &mut Context, _args: &PingArgs) -> Result<u8, CommandError> {
    let spec = context.load_spec_and_passwords()?;
    let open = |endpoint| Session::open(&login(endpoint), Purpose::Catalog);
    // Both are tried, so that one run tells all there is to mend.
    let (source, destination) = (open(&spec.source), open(&spec.destination));
    let (mut source, source_error) = split(source);
    let (mut destination, destination_error) = split(destination);
    if source.is_some() || destination.is_some() {
        let ping = precheck::measure(source.as_mut(), destination.as_mut())?;
        context.emit(&|format| {
            Ok(match format {
                Format::Table => report::ping::table(&ping),
                Format::Markdown => report::ping::markdown(&ping),
                Format::Json => report::ping::json(&ping),
            })
        })?;
    }
    match (source_error, destination_error) {
        (None, None) => Ok(exit::DONE),
        (Some(error), None) | (None, Some(error)) => Err(error.into()),
        (Some(error), Some(other)) => {
            let mut shown = CommandError::from(error);
            let other = CommandError::from(other);
            shown.shown.causes.push(format!("and the destination: {}", other.shown.message));
            for hint in other.shown.hints {
                if !shown.shown.hints.contains(&hint) {
                    shown.shown.hints.push(hint);
                }
            }
            Err(shown)
        }
    }
}

fn split<T, E>(result: Result<T, E>) -> (Option<T>, Option<E>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}
