//! What would take other tasks' rows with it.
//!
//! Several sources may feed one table (requirements F04). One that is emptied, dropped, replaced or renamed at one of them has the rows of all
//! at the destination, and no event tells the other tasks that theirs are gone.

use super::{
    DdlError,
    carrier::Carrier,
    decide::{Effect, Plan},
};
use crate::{
    catalog::TableName,
    ddl::statement::{Classified, Trouble},
    destination::mysql::sharing,
};

impl Carrier {
    /// Why it must not run, if it takes rows away from a table that another task feeds too.
    ///
    /// # Errors
    /// As the destination fails.
    pub(super) fn takes_others_rows(&mut self, statement: &Classified, plan: &Plan) -> Result<Option<String>, DdlError> {
        let tables = losing(statement, &plan.effects);
        let task = self.settings.task.clone();
        let shared = self.looking(|session| sharing(session, &task, &tables))?;
        Ok(shared.first_key_value().map(|(table, tasks)| {
            let tasks = tasks.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            format!("{table} holds rows of task {tasks} too, which would go with it: delete this source's rows there by hand")
        }))
    }
}

/// Destination tables that have fewer rows after it, or others.
fn losing<'a>(statement: &Classified, effects: &'a [Effect]) -> Vec<&'a TableName> {
    let mut tables = Vec::new();
    for effect in effects {
        match effect {
            Effect::Gone { destination, .. } | Effect::Emptied { destination } => tables.push(destination),
            Effect::Exchanged { destinations } => tables.extend(destinations),
            Effect::Renamed { from, .. } => tables.push(&from.1),
            Effect::Made { destination, .. } if statement.or_replace => tables.push(destination),
            Effect::Changed { destination, .. } if statement.has(Trouble::LosesPartitions) => tables.push(destination),
            Effect::Made { .. } | Effect::Changed { .. } => {}
        }
    }
    tables
}
