//! `apply --restart`: forgets what earlier runs did. The tables they created are dropped, and only these: a table that was there before
//! the task began is never touched.

use std::{io::Write as _, path::Path};

use crate::{
    catalog::TableName,
    cli::{Context, Kind, error::CommandError},
    connect::{Login, Purpose, Session},
    destination::mysql::{forget_task, read_progress, sharing},
    spec::Spec,
    state,
};

/// Lists what is going to be dropped, asks, drops it, and forgets. `false` when the answer was no.
pub(super) fn forget(context: &mut Context, spec: &Spec, destination: &Login, state_path: &Path, yes: bool) -> Result<bool, CommandError> {
    let mut session = Session::open(destination, Purpose::Ddl)?;
    let progress = read_progress(&mut session, &spec.name)?.unwrap_or_default();
    let created: Vec<&TableName> = progress.tables.iter().filter(|t| t.created_here).map(|t| &t.destination).collect();
    if let Some((table, tasks)) = sharing(&mut session, &spec.name, &created)?.first_key_value() {
        let tasks: Vec<String> = tasks.iter().map(|task| format!("'{task}'")).collect();
        return Err(CommandError::new(
            Kind::Blocked,
            format!("--restart would drop {table}, which this task created and task {} feeds too", tasks.join(", ")),
        )
        .hint(format!(
            "begin anew with all of them: drop the table, and restart each; or, if that task is no more, forget its tables at the destination: \
             DELETE FROM dts.dtsctl_table WHERE task IN ({})",
            tasks.join(", ")
        )));
    }
    if !created.is_empty() {
        writeln!(context.stderr, "--restart drops the tables that this task created at the destination, with their rows:")?;
        for table in &created {
            writeln!(context.stderr, "  {}", crate::report::text::harmless(&table.to_string()))?;
        }
        if !yes {
            if !context.settings.can_ask {
                return Err(CommandError::usage("nobody can be asked without a terminal").hint("add --yes to drop them"));
            }
            write!(context.stderr, "Drop these {} tables? Only `yes` is taken for it: ", created.len())?;
            context.stderr.flush()?;
            let mut answer = String::new();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(&mut context.stdin), &mut answer)?;
            if answer.trim() != "yes" {
                writeln!(context.stderr, "Nothing was executed.")?;
                return Ok(false);
            }
        }
        for table in &created {
            session.exec(&format!("dropping {table}"), &format!("DROP TABLE IF EXISTS {}", table.quoted()))?;
        }
    }
    forget_task(&mut session, &spec.name)?;
    state::discard(state_path)?;
    Ok(true)
}
