//! `dtsctl man`: generated from the arguments.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::{Context, args::Cli, error::CommandError, exit};

/// What can be typed behind `dtsctl man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dtsctl man | man -l -\n  dtsctl man plan > dtsctl-plan.1\n")]
pub struct ManArgs {
    /// A command [default: dtsctl itself]
    pub of: Option<String>,
}

pub(super) fn run(context: &mut Context, args: &ManArgs) -> Result<u8, CommandError> {
    let mut root = Cli::command();
    root.build();
    let command = match &args.of {
        None => root,
        Some(name) => {
            let found = root.get_subcommands().find(|command| command.get_name() == name).cloned();
            let found =
                found.ok_or_else(|| CommandError::usage(format!("there is no command `{name}`")).hint("`dtsctl --help` lists them"))?;
            found.name(format!("dtsctl-{name}"))
        }
    };
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    context.stdout.write_all(&page)?;
    Ok(exit::DONE)
}
