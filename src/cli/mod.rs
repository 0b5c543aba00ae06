//! The command line: arguments, settings, exit codes, errors to hints; one file a command.
//!
//! The only room that reads arguments, the environment and the clock, and with `report` the only one that writes to the streams.
//! It holds no logic of its own: a command gathers what a room needs, calls it, and hands the result to `report`.

pub mod args;
mod context;
pub mod error;
pub mod exit;
mod logging;
mod login;
pub mod reference;

mod alert_command;
mod apply;
mod beside;
mod completions;
mod covered;
mod explain;
mod init;
mod json_schema;
mod list;
mod man;
mod ping;
mod plan;
pub mod prepare;
mod set;
mod shared_retry;
mod show;
mod signals;
mod status;
mod stop;
mod until;
mod validate;
mod verify;

use std::{
    ffi::OsString,
    io::{self, Write as _},
};

use clap::{CommandFactory as _, FromArgMatches as _, error::ErrorKind};

use self::args::{Cli, Command};
pub use self::{
    context::{Context, Progress, Settings, Streams},
    error::{CommandError, Kind},
    explain::{PAGES, STOPS, finding},
    json_schema::{Document, schema_of},
};
use crate::report::{self, Output, Paint};

/// Runs the program with the process's own arguments and streams, and returns its exit code.
pub fn main() -> u8 {
    let streams = Streams::of_process();
    run(std::env::args_os(), streams)
}

/// Runs the program with these arguments, the first being the program's name, and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, mut streams: Streams) -> u8 {
    let parsed =
        Cli::command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return refused(&error, &mut streams),
    };
    let settings = match Settings::new(&cli.global, &matches, &streams) {
        Ok(settings) => settings,
        Err(error) => return failed(&error, &mut streams.stderr, Paint::default()),
    };
    if let Err(error) = logging::start(&settings) {
        return failed(&error, &mut streams.stderr, settings.paint_err);
    }
    let paint = settings.paint_err;
    let mut context = Context::new(settings, streams);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), file = %context.settings.file.display(), "{}", matches.subcommand_name().unwrap_or_default());
    let result = dispatch(&mut context, cli.command).and_then(|code| {
        context.stdout.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => {
            tracing::info!(code, "ended");
            code
        }
        Err(error) => {
            let (code, message) = (error.kind.code(), error.shown.message.as_str());
            tracing::info!(code, message, causes = ?error.shown.causes, "ended");
            // What was written of the document so far comes before the error.
            let _ = context.stdout.flush();
            failed(&error, &mut context.stderr, paint)
        }
    }
}

fn dispatch(context: &mut Context, command: Command) -> Result<u8, CommandError> {
    let no_result = matches!(
        command,
        Command::Init(_) | Command::Set(_) | Command::Stop(_) | Command::JsonSchema(_) | Command::Completions(_) | Command::Man(_)
    );
    // In the environment it may be meant for the other commands of a pipeline.
    if no_result && context.settings.reports_typed {
        return Err(CommandError::usage("this command has no result for --report to write").hint("leave `--report` out"));
    }
    if context.settings.annotates && !matches!(command, Command::Validate(_)) {
        return Err(CommandError::usage("--format github is for `validate` alone")
            .hint("`--format markdown` is what a pull request's comment wants"));
    }
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Validate(args) => validate::run(context, &args),
        Command::Ping(args) => ping::run(context, &args),
        Command::Plan(args) => plan::run(context, &args),
        Command::Show(args) => show::run(context, &args),
        Command::Apply(args) => apply::run(context, &args),
        Command::Status(args) => status::run(context, &args),
        Command::List(args) => list::run(context, &args),
        Command::Set(args) => set::run(context, &args),
        Command::Stop(args) => stop::run(context, &args),
        Command::Verify(args) => verify::run(context, &args),
        Command::Explain(args) => explain::run(context, &args),
        Command::JsonSchema(args) => json_schema::run(context, &args),
        Command::Completions(args) => completions::run(context, &args),
        Command::Man(args) => man::run(context, &args),
    }
}

fn failed(error: &CommandError, stderr: &mut Output, paint: Paint) -> u8 {
    let written = match &error.spec {
        Some(spec) => report::spec_error(stderr, paint, spec, &error.shown.hints),
        None => report::message(stderr, paint, &error.shown),
    };
    // Nobody is left to tell when standard error itself fails.
    let _ = written.and_then(|()| stderr.flush());
    error.kind.code()
}

/// What clap has to say: help and version are documents, everything else is exit 64 in our own words for its closing lines.
fn refused(error: &clap::Error, streams: &mut Streams) -> u8 {
    let document = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let text = error.render().to_string();
    let (stream, code) = if document { (&mut streams.stdout, exit::DONE) } else { (&mut streams.stderr, exit::USAGE) };
    let text = if document {
        text
    } else {
        text.replace("  tip: ", "hint: ").replace("For more information, try '--help'.", "hint: add `--help` to see what can be typed")
    };
    let written: io::Result<()> = write!(stream, "{text}").and_then(|()| stream.flush());
    if written.is_err() { exit::FAILED } else { code }
}
