//! `dtsctl completions`: generated from the arguments.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Context, args::Cli, error::CommandError, exit};

/// What can be typed behind `dtsctl completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dtsctl completions bash > ~/.local/share/bash-completion/completions/dtsctl\n")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

pub(super) fn run(context: &mut Context, args: &CompletionsArgs) -> Result<u8, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dtsctl", &mut script);
    context.stdout.write_all(&script)?;
    Ok(exit::DONE)
}
