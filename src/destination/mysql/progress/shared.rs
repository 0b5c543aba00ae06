//! Which tables other tasks write too: several sources may feed one table (requirements F04).

use std::collections::{BTreeMap, BTreeSet};

use super::literal;
use crate::{
    catalog::TableName,
    connect::{ConnectError, Session},
};

/// Those of these destination tables that other tasks feed as well as this one, each with the tasks' names.
///
/// Two tasks that both made a table of a name do not share it: it was dropped between them. One of those that share must have found it there.
///
/// # Errors
/// As the connection fails, or the account may not read database `dts`.
pub fn sharing(session: &mut Session, task: &str, tables: &[&TableName]) -> Result<BTreeMap<TableName, BTreeSet<String>>, ConnectError> {
    let mut found: BTreeMap<TableName, BTreeSet<String>> = BTreeMap::new();
    if tables.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "SELECT other.`task`, other.`destination_database`, other.`destination_table` FROM `dts`.`dtsctl_table` other \
         LEFT JOIN `dts`.`dtsctl_table` mine ON mine.`task` = {task} AND LOWER(mine.`destination_database`) = LOWER(other.`destination_database`) \
         AND LOWER(mine.`destination_table`) = LOWER(other.`destination_table`) \
         WHERE other.`task` <> {task} AND (other.`created_here` = 0 OR COALESCE(mine.`created_here`, 1) = 0)",
        task = literal(task)
    );
    let rows = session.query("looking for other tasks' tables", &sql)?;
    let folds = session.info().folds_names();
    let same = |a: &str, b: &str| if folds { a.to_lowercase() == b.to_lowercase() } else { a == b };
    for r in 0..rows.len() {
        let (Some(task), Some(database), Some(table)) = (rows.text_at(r, 0), rows.text_at(r, 1), rows.text_at(r, 2)) else { continue };
        for &name in tables.iter().filter(|name| same(&name.database, &database) && same(&name.table, &table)) {
            found.entry(name.clone()).or_default().insert(task.clone());
        }
    }
    Ok(found)
}
