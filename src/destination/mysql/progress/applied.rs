//! How far the incremental phase has come: one row a task, moved on in the transaction that writes the rows it stands for.
//!
//! The row's run number is the fence: a lane's last statement before COMMIT moves the position on `WHERE run = R` and must touch one row.
//! A newer run raises the number first, and so waits for a lane that holds the row, or shuts it out.

use super::literal;
use crate::{
    binlog::Position,
    connect::{Rows, Session},
    destination::{
        DestinationError,
        change::{Applied, Conflict, Following, Written},
    },
};

const COLUMNS: &str = "`position`, `read_from`, `copy_end`, `transactions`, `row_events`, `inserted`, `updated`, `deleted`, \
                       `conflicts`, `source_micros`, `run`, `selection`";

/// A position as the tables hold it.
pub(super) fn json(position: &Position) -> String {
    serde_json::to_string(position).expect("a position is strings and numbers")
}

fn optional(position: Option<&Position>) -> String {
    position.map_or_else(|| "NULL".to_owned(), |p| literal(&json(p)))
}

fn following_of(rows: &Rows, task: &str) -> Result<Following, DestinationError> {
    let broken = |what: &str| DestinationError::Progress { what: format!("position of task '{task}': {what}") };
    let position = |column: usize| -> Result<Option<Position>, DestinationError> {
        match rows.text_at(0, column) {
            None => Ok(None),
            Some(text) => serde_json::from_str(&text).map(Some).map_err(|_| broken("it is not readable")),
        }
    };
    let number = |column: usize| rows.number_at(0, column).ok_or_else(|| broken("a number is not readable"));
    Ok(Following {
        position: position(0)?.ok_or_else(|| broken("there is none"))?,
        read_from: position(1)?,
        copy_end: position(2)?,
        selection: rows.text_at(0, 11).unwrap_or_default(),
        transactions: number(3)?,
        row_events: number(4)?,
        inserted: number(5)?,
        updated: number(6)?,
        deleted: number(7)?,
        conflicts: number(8)?,
        source_micros: number(9)?,
    })
}

/// How far the binlog has been followed, without a lock, for those who only look; `None` also where the tables are of a version that had
/// none.
///
/// # Errors
/// As the connection fails, or what stands there is not readable.
pub fn read(session: &mut Session, task: &str) -> Result<Option<Following>, DestinationError> {
    if !super::layout::present(session)?.iter().any(|t| t == "dtsctl_applied") {
        return Ok(None);
    }
    let rows =
        session.query("reading the position", &format!("SELECT {COLUMNS} FROM `dts`.`dtsctl_applied` WHERE `task` = {}", literal(task)))?;
    if rows.is_empty() { Ok(None) } else { following_of(&rows, task).map(Some) }
}

/// See [`crate::destination::Destination::applied`].
pub(in super::super) fn locked(session: &mut Session, task: &str, run: u64) -> Result<Option<Following>, DestinationError> {
    // Locking, so that a commit that is still under way is waited for and not missed.
    let rows = session.query(
        "reading the position",
        &format!("SELECT {COLUMNS} FROM `dts`.`dtsctl_applied` WHERE `task` = {} FOR UPDATE", literal(task)),
    )?;
    if rows.is_empty() {
        return Ok(None);
    }
    if rows.number_at(0, 10) != Some(run) {
        return Err(DestinationError::TakenOver { task: task.to_owned() });
    }
    following_of(&rows, task).map(Some)
}

/// Waits for the lanes of an earlier run that are about to commit, and shuts out the others.
pub(super) fn take_over(session: &mut Session, task: &str, run: u64) -> Result<(), DestinationError> {
    session.exec(
        "taking the position over",
        &format!("UPDATE `dts`.`dtsctl_applied` SET `run` = {run} WHERE `task` = {} AND `run` < {run}", literal(task)),
    )?;
    Ok(())
}

/// See [`crate::destination::Destination::begin_following`].
pub(in super::super) fn begin(
    session: &mut Session,
    task: &str,
    run: u64,
    selection: &str,
    start: &Position,
    copy_end: Option<&Position>,
) -> Result<(), DestinationError> {
    session.exec(
        "noting where the binlog is followed from",
        &format!(
            "INSERT INTO `dts`.`dtsctl_applied` (`task`, `run`, `selection`, `position`, `copy_end`, `commits`, `transactions`, `row_events`, `inserted`, \
             `updated`, `deleted`, `conflicts`, `source_micros`, `updated_at`) \
             VALUES ({}, {run}, {}, {}, {}, 0, 0, 0, 0, 0, 0, 0, 0, UTC_TIMESTAMP(6)) \
             ON DUPLICATE KEY UPDATE `copy_end` = IF(`run` = {run}, COALESCE(VALUES(`copy_end`), `copy_end`), `copy_end`)",
            literal(task),
            literal(selection),
            literal(&json(start)),
            optional(copy_end),
        ),
    )?;
    locked(session, task, run)?;
    Ok(())
}

/// A copy begins: where it will have ended is not known yet. In the transaction that notes the ranges.
pub(super) fn forget_copy_end(session: &mut Session, task: &str) -> Result<(), DestinationError> {
    session.exec("noting ranges", &format!("UPDATE `dts`.`dtsctl_applied` SET `copy_end` = NULL WHERE `task` = {}", literal(task)))?;
    Ok(())
}

/// The statement that moves the position on. It must touch one row, or another run has the task; `commits` makes sure that it changes it,
/// which is what the server counts.
pub(in super::super) fn move_on(task: &str, run: u64, applied: &Applied, written: &Written) -> String {
    let conflicts: u64 = written.conflicts.iter().filter(|c| !c.kind.is_of_the_spec()).map(|c| c.rows).sum();
    format!(
        "UPDATE `dts`.`dtsctl_applied` SET `commits` = `commits` + 1, `position` = {}, `read_from` = {}, `transactions` = `transactions` + {}, \
         `row_events` = `row_events` + {}, `inserted` = `inserted` + {}, `updated` = `updated` + {}, `deleted` = `deleted` + {}, \
         `conflicts` = `conflicts` + {conflicts}, `source_micros` = {}, `updated_at` = UTC_TIMESTAMP(6) WHERE `task` = {} AND `run` = {run}",
        literal(&json(&applied.position)),
        optional(applied.read_from.as_ref()),
        applied.transactions,
        applied.row_events,
        written.inserted,
        written.updated,
        written.deleted,
        applied.source_micros,
        literal(task),
    )
}

/// The statement that counts a conflict.
pub(in super::super) fn note_conflict(task: &str, conflict: &Conflict, position: &Position) -> String {
    let key: String = conflict.key.join(",").chars().take(300).collect();
    format!(
        "INSERT INTO `dts`.`dtsctl_conflict` VALUES ({}, {}, {}, '{}', {}, {}, {}, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)) \
         ON DUPLICATE KEY UPDATE `rows` = `rows` + VALUES(`rows`), `last_position` = VALUES(`last_position`), `last_at` = VALUES(`last_at`)",
        literal(task),
        literal(&conflict.table.database),
        literal(&conflict.table.table),
        conflict.kind.name(),
        literal(&key),
        conflict.rows,
        literal(&json(position)),
    )
}
