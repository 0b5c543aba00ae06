//! `dtsctl init`: writes a commented spec.

mod template;
mod url;

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
};

use clap::Args;

use super::{Context, error::CommandError, exit, login::login};
use crate::{
    connect::{Purpose, Session},
    spec::{Endpoint, is_system_database},
};

/// What can be typed behind `dtsctl init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dtsctl init\n  dtsctl init -f shop.yaml --from-source mysql://dts:secret@db1:3306/\n")]
pub struct InitArgs {
    /// Connect to this source and list its databases: mysql://USER[:PASSWORD]@HOST[:PORT]/
    #[arg(long, value_name = "URL", env = "DTSCTL_FROM_SOURCE", hide_env = true)]
    pub from_source: Option<String>,
    /// Overwrite the file if it exists
    #[arg(long)]
    pub force: bool,
}

pub(super) fn run(context: &mut Context, args: &InitArgs) -> Result<u8, CommandError> {
    let to_stdout = context.settings.from_stdin();
    let path = context.settings.file.clone();
    if !to_stdout && !args.force && path.exists() {
        return Err(exists(&path.display().to_string()));
    }
    let text = match &args.from_source {
        None => template::text(None, &[]),
        Some(url) => {
            let endpoint = url::parse(url).map_err(|reason| {
                // The URL is not repeated: it may hold a password.
                CommandError::usage(format!("--from-source: {reason}"))
                    .hint("write mysql://USER:PASSWORD@HOST:PORT/, with special characters as %XX")
            })?;
            let databases = databases(&endpoint)?;
            template::text(Some(&endpoint), &databases)
        }
    };
    if to_stdout {
        context.stdout.write_all(text.as_bytes())?;
        return Ok(exit::DONE);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let mut file = options.open(&path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(&path.display().to_string()),
        _ => CommandError::failed(format!("cannot write {}", path.display())).because_of(&error).hint("`--file PATH` names another place"),
    })?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.flush())
        .map_err(|error| CommandError::failed(format!("cannot write {}", path.display())).because_of(&error))?;
    writeln!(context.stderr, "wrote {}; next: edit it, then `{}`", path.display(), context.next("validate"))?;
    Ok(exit::DONE)
}

fn exists(path: &str) -> CommandError {
    CommandError::usage(format!("{path} exists already")).hint("`--force` overwrites it; `--file PATH` names another")
}

/// The source's own databases, sorted.
fn databases(endpoint: &Endpoint) -> Result<Vec<String>, CommandError> {
    let login = login(endpoint);
    let mut session = Session::open(&login, Purpose::Catalog)?;
    let rows = session.query("listing databases", "SELECT schema_name FROM information_schema.schemata ORDER BY schema_name")?;
    let names = (0..rows.len()).filter_map(|row| rows.text_at(row, 0));
    Ok(names.filter(|name| !is_system_database(name)).collect())
}
