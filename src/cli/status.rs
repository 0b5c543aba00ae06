//! `dtsctl status`: how far a run is; reads the state file only.

use std::{io::Write as _, time::Duration};

use clap::Args;

use super::{
    Context,
    args::{Format, duration},
    error::CommandError,
    exit,
};
use crate::{
    event::StopToken,
    report::{
        status::{self as shown, Options},
        status_follow::ddl_errors,
    },
    state::{self, RunState},
};

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
    /// Only the DDL statements of the source that the destination refused, one by one
    #[arg(long, conflicts_with = "watch")]
    pub ddl_errors: bool,
}

pub(super) fn run(context: &mut Context, args: &StatusArgs) -> Result<u8, CommandError> {
    let path = match &context.settings.state {
        // The state file says whose it is; no spec is needed.
        Some(path) => path.clone(),
        None => {
            let spec = context.load_spec()?;
            context.state_path(&spec)
        }
    };
    let how = Options { width: WIDTH, paint: context.settings.paint_out, resume: context.next("apply") };
    let mut status = state::read(&path, context.now())?;
    if args.ddl_errors {
        context.emit(&|format| {
            Ok(match format {
                Format::Json => pretty(&status.ddl.failed),
                _ => ddl_errors(&status, WIDTH),
            })
        })?;
        return Ok(exit::DONE);
    }
    // As long as somebody may change it: a lock that is held without a run yet is a beginning.
    while args.watch && matches!(status.state, RunState::Running | RunState::Starting) {
        let text = match context.settings.format {
            Format::Table if context.settings.redraws => format!("{CLEAR}{}", shown::table(&status, &how)),
            Format::Table => format!("{}\n", shown::table(&status, &how)),
            // One document a line, so that a program can read them one by one.
            Format::Json => shown::json_line(&status),
            Format::Markdown => format!("{}\n", shown::markdown(&status, &how.resume)),
        };
        context.stdout.write_all(text.as_bytes())?;
        context.stdout.flush()?;
        StopToken::default().wait(args.interval);
        status = state::read(&path, context.now())?;
    }
    let redraw = args.watch && context.settings.redraws && context.settings.format == Format::Table;
    if redraw {
        context.stdout.write_all(CLEAR.as_bytes())?;
    }
    context.emit(&|format| {
        Ok(match format {
            Format::Table => shown::table(&status, &how),
            Format::Json if args.watch => shown::json_line(&status),
            Format::Json => shown::json(&status),
            Format::Markdown => shown::markdown(&status, &how.resume),
        })
    })?;
    Ok(exit::DONE)
}

fn pretty(failed: &[state::DdlStatement]) -> String {
    let mut text = serde_json::to_string_pretty(failed).expect("strings and whole numbers only");
    text.push('\n');
    text
}

const WIDTH: usize = 80;
/// To the upper left corner, and everything away from there on.
const CLEAR: &str = "\x1b[H\x1b[2J";
