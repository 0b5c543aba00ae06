//! `dtsctl list`: the tasks whose state files lie in a folder; connects nowhere and writes nothing.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Context, Kind, args::Format, error::CommandError, exit};
use crate::{
    clock::{milliseconds, rfc3339},
    report::list as shown,
    state::{self, ListedTask, StateError, TaskList, UnusableFile},
};

/// What can be typed behind `dtsctl list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dtsctl list\n  dtsctl list specs/ /srv/sync/.dtsctl\n  dtsctl list --format json | jq -r '.tasks[] | select(.state != \"running\") | .name'\n\nThe same of one task, and more of it: dtsctl status.\n"
)]
pub struct ListArgs {
    /// Folders, with their *.db and those of the .dtsctl in them, or state files [default: the .dtsctl beside the spec, or where --state
    /// points]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

pub(super) fn run(context: &mut Context, args: &ListArgs) -> Result<u8, CommandError> {
    let usual = args.paths.is_empty();
    let paths = if usual { vec![usual_folder(context)] } else { args.paths.clone() };
    let mut list = TaskList::new(rfc3339(milliseconds(context.now())));
    list.looked_at = paths.iter().map(|path| path.display().to_string()).collect();
    let (mut seen, mut failures) = (BTreeSet::new(), Vec::new());
    for path in &paths {
        let (files, named) =
            if path.is_dir() || (usual && !path.exists()) { (in_folder(path)?, false) } else { (vec![path.clone()], true) };
        for file in files {
            // The same file by two ways is one task.
            if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                continue;
            }
            match state::read(&file, context.now()) {
                Ok(status) => list.tasks.push(ListedTask::new(&file, status)),
                Err(error) => {
                    let foreign = !named && matches!(error, StateError::NotAStateFile { .. } | StateError::Missing { .. });
                    let empty = matches!(error, StateError::Missing { .. });
                    let failure = CommandError::from(error);
                    let said = std::iter::once(&failure.shown.message).chain(&failure.shown.causes).cloned().collect::<Vec<_>>();
                    let reason = if foreign && empty { format!("'{}' holds nothing yet", file.display()) } else { said.join(": ") };
                    list.unusable.push(UnusableFile { file: file.display().to_string(), reason, foreign });
                    if !foreign {
                        failures.push(failure);
                    }
                }
            }
        }
    }
    context.emit(&|format| {
        Ok(match format {
            Format::Table => shown::table(&list, WIDTH),
            Format::Json => shown::json(&list),
            Format::Markdown => shown::markdown(&list),
        })
    })?;
    conclude(failures, list.tasks.len() + list.unusable.len())
}

/// The list has been written; what is left is to say that it is not whole.
fn conclude(failures: Vec<CommandError>, of: usize) -> Result<u8, CommandError> {
    let count = failures.len();
    // What the system refused may be there the next time; what a file holds will not change by itself.
    let kind = if failures.iter().any(|failure| failure.kind == Kind::Failed) { Kind::Failed } else { Kind::Unusable };
    match failures.into_iter().next() {
        None => Ok(exit::DONE),
        Some(failure) if of == 1 => Err(failure),
        Some(_) => Err(CommandError::new(kind, format!("{count} of {of} state files cannot be read"))
            .hint("the list names each with its reason; `dtsctl status --state PATH` says what to do about one")),
    }
}

/// Where state files lie when nobody says otherwise: beside `--state`, or in `.dtsctl` beside the spec.
fn usual_folder(context: &Context) -> PathBuf {
    let any = context.state_path_of("any");
    match any.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The state files of a folder by name, and of the `.dtsctl` in it. A folder that is not there yet holds none.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join(".dtsctl")] {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(unreadable(&folder, &error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let file = entry.map_err(|error| unreadable(&folder, &error))?.path();
            if file.extension().is_some_and(|extension| extension == "db") && !file.is_dir() {
                found.push(file.strip_prefix(".").map_or_else(|_| file.clone(), Path::to_path_buf));
            }
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

fn unreadable(folder: &Path, error: &io::Error) -> CommandError {
    CommandError::failed(format!("cannot read the folder {}", folder.display()))
        .because_of(error)
        .hint("name the folders that you may read, or single state files")
}

const WIDTH: usize = 80;
