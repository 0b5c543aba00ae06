//! The progress tables in database `dts` at the destination: which tables a task created, which ranges it copies, how far each is.
//!
//! Layout and ladder are in `layout`, the copy's progress in `ranges`, that of the binlog in `applied`, the ledger of DDL statements and
//! the schema history in `ddl`.
//!
//! Every name column is compared byte by byte (`utf8mb4_bin`). A range's row carries the number of the run that works on it; a
//! loader locks that row with its own run number before it writes a row of the range, so a run that was killed but whose last
//! statement is still on its way in the server can never commit beside its successor.

pub(super) mod accounts;
pub(super) mod applied;
pub mod ddl;
mod layout;
mod ranges;
mod shared;

use self::layout::LAYOUT;
pub(super) use self::ranges::{begin_table, finish_table, forget_table, note_creation, note_start_position, range};
pub use self::shared::sharing;
use crate::{
    binlog::Position,
    catalog::TableName,
    connect::Session,
    destination::{DestinationError, TaskProgress},
};

/// The database that holds the tables.
const DATABASE: &str = "dts";

/// A string as an SQL literal that no `sql_mode` reads differently.
pub(super) fn literal(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let mut sql = "_utf8mb4 x'".to_owned();
    for byte in text.bytes() {
        sql.push_str(&format!("{byte:02x}"));
    }
    sql.push('\'');
    sql
}

/// `task = ... AND source_database = ... AND source_table = ...`.
pub(super) fn table_condition(task: &str, source: &TableName) -> String {
    format!(
        "`task` = {} AND `source_database` = {} AND `source_table` = {}",
        literal(task),
        literal(&source.database),
        literal(&source.table)
    )
}

/// Reads a task's progress without changing anything; `None` when there are no progress tables or no such task.
///
/// # Errors
/// As the connection fails, or the layout is of a later version.
pub fn read(session: &mut Session, task: &str) -> Result<Option<TaskProgress>, DestinationError> {
    let there = session.query(
        "looking for progress tables",
        &format!("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{DATABASE}' AND TABLE_NAME IN ('dtsctl_task','dtsctl_table','dtsctl_range')"),
    )?;
    if there.number_at(0, 0) != Some(3) {
        return Ok(None);
    }
    let head = session.query(
        "reading the task's progress",
        &format!("SELECT `layout`, `run`, `source_identity`, `source_position` FROM `dts`.`dtsctl_task` WHERE `name` = {}", literal(task)),
    )?;
    if head.is_empty() {
        return Ok(None);
    }
    let layout = head.number_at(0, 0).unwrap_or(u64::MAX);
    if layout > LAYOUT {
        return Err(DestinationError::Progress {
            what: format!("task '{task}' has layout {layout}, written by a later version of dtsctl (this one knows {LAYOUT})"),
        });
    }
    let tables = ranges::read(session, task, layout)?;
    let following = applied::read(session, task)?;
    let accounts = accounts::read(session, task)?;
    Ok(Some(TaskProgress {
        run: head.number_at(0, 1).unwrap_or(0),
        source_identity: head.text_at(0, 2),
        source_position: head.text_at(0, 3),
        tables,
        following,
        accounts,
    }))
}

/// See [`crate::destination::Destination::take_over`].
pub(super) fn take_over(session: &mut Session, task: &str, source_identity: &str) -> Result<TaskProgress, DestinationError> {
    layout::make(session)?;
    let name = literal(task);
    session.exec(
        "noting the task",
        &format!(
            "INSERT INTO `dts`.`dtsctl_task` (`name`, `layout`, `run`, `source_identity`) VALUES ({name}, {LAYOUT}, 0, {}) \
             ON DUPLICATE KEY UPDATE `run` = `run`",
            literal(source_identity)
        ),
    )?;
    let before = read(session, task)?.unwrap_or_default();
    if before.source_identity.as_deref() != Some(source_identity) {
        return Err(DestinationError::Progress {
            what: format!(
                "task '{task}' was begun with the source {}, and this source is {source_identity}",
                before.source_identity.unwrap_or_default()
            ),
        });
    }
    session.exec(
        "taking the task over",
        &format!("UPDATE `dts`.`dtsctl_task` SET `run` = `run` + 1, `layout` = {LAYOUT} WHERE `name` = {name}"),
    )?;
    let run = session.query("taking the task over", &format!("SELECT `run` FROM `dts`.`dtsctl_task` WHERE `name` = {name}"))?;
    let run = run.number_at(0, 0).unwrap_or(0);
    // Waits for the row locks of whatever the last run still has in flight.
    session.exec("taking the ranges over", &format!("UPDATE `dts`.`dtsctl_range` SET `run` = {run} WHERE `task` = {name}"))?;
    applied::take_over(session, task, run)?;
    Ok(read(session, task)?.unwrap_or_default())
}

pub(super) fn note_source_position(session: &mut Session, task: &str, position: &Position) -> Result<(), DestinationError> {
    session.exec(
        "noting the source's position",
        &format!(
            "UPDATE `dts`.`dtsctl_task` SET `source_position` = COALESCE(`source_position`, {}) WHERE `name` = {}",
            literal(&applied::json(position)),
            literal(task)
        ),
    )?;
    Ok(())
}

/// Forgets a task altogether. Tables it created are not touched.
///
/// # Errors
/// As the connection fails.
pub fn forget_task(session: &mut Session, task: &str) -> Result<(), DestinationError> {
    if read(session, task)?.is_none() {
        return Ok(());
    }
    session.exec("forgetting the task", "BEGIN")?;
    for table in layout::present(session)? {
        let column = if table == "dtsctl_task" { "name" } else { "task" };
        session.exec("forgetting the task", &format!("DELETE FROM `dts`.`{table}` WHERE `{column}` = {}", literal(task)))?;
    }
    session.exec("forgetting the task", "COMMIT")?;
    Ok(())
}
