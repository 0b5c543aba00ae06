//! The progress tables in database `dts` at the destination: which tables a task created, which ranges it copies, how far each is.
//!
//! Every name column is compared byte by byte (`utf8mb4_bin`). A range's row carries the number of the run that works on it; a
//! loader locks that row with its own run number before it writes a row of the range, so a run that was killed but whose last
//! statement is still on its way in the server can never commit beside its successor.

use crate::{
    binlog::Position,
    catalog::{Edge, KeyRange, TableName},
    connect::{Rows, Session},
    destination::{CopyTable, DestinationError, RangeState, TableState, TaskProgress},
};

/// The database that holds the tables.
const DATABASE: &str = "dts";

/// Version of their layout. A higher number is refused.
const LAYOUT: u64 = 1;

/// Oldest first; `IF NOT EXISTS` throughout, so that two tasks may start side by side.
const TABLES: [&str; 4] = [
    "CREATE DATABASE IF NOT EXISTS `dts` DEFAULT CHARACTER SET utf8mb4",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_task` (
       `name` VARCHAR(190) NOT NULL,
       `layout` INT NOT NULL,
       `run` BIGINT UNSIGNED NOT NULL,
       `source_identity` VARCHAR(1024) NOT NULL,
       `source_position` LONGTEXT NULL,
       PRIMARY KEY (`name`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_table` (
       `task` VARCHAR(190) NOT NULL,
       `source_database` VARCHAR(64) NOT NULL,
       `source_table` VARCHAR(64) NOT NULL,
       `destination_database` VARCHAR(64) NOT NULL,
       `destination_table` VARCHAR(64) NOT NULL,
       `created_here` TINYINT NOT NULL,
       `copied` TINYINT NOT NULL,
       `start_position` LONGTEXT NULL,
       PRIMARY KEY (`task`, `source_database`, `source_table`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_range` (
       `task` VARCHAR(190) NOT NULL,
       `source_database` VARCHAR(64) NOT NULL,
       `source_table` VARCHAR(64) NOT NULL,
       `number` INT UNSIGNED NOT NULL,
       `kind` VARCHAR(10) NOT NULL,
       `after_key` LONGTEXT NULL,
       `upto_key` LONGTEXT NULL,
       `cursor_key` LONGTEXT NULL,
       `chunks` BIGINT UNSIGNED NOT NULL,
       `rows_read` BIGINT UNSIGNED NOT NULL,
       `rows_written` BIGINT UNSIGNED NOT NULL,
       `rows_found` BIGINT UNSIGNED NOT NULL,
       `bytes` BIGINT UNSIGNED NOT NULL,
       `finished` TINYINT NOT NULL,
       `rows_replaced` BIGINT UNSIGNED NOT NULL DEFAULT 0,
       `run` BIGINT UNSIGNED NOT NULL,
       PRIMARY KEY (`task`, `source_database`, `source_table`, `number`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
];

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

fn key_literal(edge: Option<&Edge>) -> String {
    // Hexadecimal digits and commas only. An edge of one empty value is the empty string, no edge is NULL.
    edge.map_or_else(|| "NULL".to_owned(), |e| format!("'{}'", e.to_text()))
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
    let tables = session.query(
        "reading the tables' progress",
        &format!(
            "SELECT `source_database`, `source_table`, `destination_database`, `destination_table`, `created_here`, `copied`, `start_position` \
             FROM `dts`.`dtsctl_table` WHERE `task` = {} ORDER BY 1, 2",
            literal(task)
        ),
    )?;
    let ranges = session.query(
        "reading the ranges' progress",
        &format!("SELECT {RANGE_COLUMNS} FROM `dts`.`dtsctl_range` WHERE `task` = {} ORDER BY 1, 2, 3", literal(task)),
    )?;
    let text = |rows: &Rows, r, c| rows.text_at(r, c).unwrap_or_default();
    let mut states: Vec<TableState> = (0..tables.len())
        .map(|r| TableState {
            source: TableName::new(text(&tables, r, 0), text(&tables, r, 1)),
            destination: TableName::new(text(&tables, r, 2), text(&tables, r, 3)),
            created_here: tables.number_at(r, 4) == Some(1),
            copied: tables.number_at(r, 5) == Some(1),
            start_position: tables.text_at(r, 6).and_then(|t| serde_json::from_str(&t).ok()),
            ranges: Vec::new(),
        })
        .collect();
    for r in 0..ranges.len() {
        let name = TableName::new(text(&ranges, r, 0), text(&ranges, r, 1));
        let range = range_of(&ranges, r)?;
        match states.iter_mut().find(|t| t.source == name) {
            Some(state) => state.ranges.push(range),
            None => return Err(DestinationError::Progress { what: format!("a range of {name} has no table row") }),
        }
    }
    Ok(Some(TaskProgress {
        run: head.number_at(0, 1).unwrap_or(0),
        source_identity: head.text_at(0, 2),
        source_position: head.text_at(0, 3),
        tables: states,
    }))
}

const RANGE_COLUMNS: &str = "`source_database`, `source_table`, `number`, `kind`, `after_key`, `upto_key`, `cursor_key`, `chunks`, \
                             `rows_read`, `rows_written`, `rows_found`, `bytes`, `finished`, `run`, `rows_replaced`";

fn range_of(rows: &Rows, r: usize) -> Result<RangeState, DestinationError> {
    let broken = |what: &str| DestinationError::Progress {
        what: format!(
            "range {} of {}.{}: {what}",
            rows.text_at(r, 2).unwrap_or_default(),
            rows.text_at(r, 0).unwrap_or_default(),
            rows.text_at(r, 1).unwrap_or_default()
        ),
    };
    let edge = |column: usize| -> Result<Option<Edge>, DestinationError> {
        match rows.text_at(r, column) {
            None => Ok(None),
            Some(text) => Edge::from_text(&text).map(Some).ok_or_else(|| broken("its key is not readable")),
        }
    };
    let number = |column: usize| rows.number_at(r, column).ok_or_else(|| broken("a number is not readable"));
    let span = match rows.text_at(r, 3).as_deref() {
        Some("all") => KeyRange::All,
        Some("null-key") => KeyRange::NullKey,
        Some("between") => KeyRange::Between { after: edge(4)?, upto: edge(5)? },
        _ => return Err(broken("unknown kind")),
    };
    Ok(RangeState {
        number: u32::try_from(number(2)?).map_err(|_| broken("its number is too large"))?,
        span,
        cursor: edge(6)?,
        chunks: number(7)?,
        read: number(8)?,
        written: number(9)?,
        found: number(10)?,
        replaced: number(14)?,
        bytes: number(11)?,
        finished: number(12)? == 1,
    })
}

/// See [`crate::destination::Destination::take_over`].
pub(super) fn take_over(session: &mut Session, task: &str, source_identity: &str) -> Result<TaskProgress, DestinationError> {
    for statement in TABLES {
        session.exec("making the progress tables", statement)?;
    }
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
    session.exec("taking the task over", &format!("UPDATE `dts`.`dtsctl_task` SET `run` = `run` + 1 WHERE `name` = {name}"))?;
    let run = session.query("taking the task over", &format!("SELECT `run` FROM `dts`.`dtsctl_task` WHERE `name` = {name}"))?;
    let run = run.number_at(0, 0).unwrap_or(0);
    // Waits for the row locks of whatever the last run still has in flight.
    session.exec("taking the ranges over", &format!("UPDATE `dts`.`dtsctl_range` SET `run` = {run} WHERE `task` = {name}"))?;
    Ok(read(session, task)?.unwrap_or_default())
}

pub(super) fn note_source_position(session: &mut Session, task: &str, position: &str) -> Result<(), DestinationError> {
    session.exec(
        "noting the source's position",
        &format!(
            "UPDATE `dts`.`dtsctl_task` SET `source_position` = COALESCE(`source_position`, {}) WHERE `name` = {}",
            literal(position),
            literal(task)
        ),
    )?;
    Ok(())
}

/// Notes the place of the snapshot under which a table is copied, in the transaction that writes its rows.
pub(super) fn note_start_position(
    session: &mut Session,
    task: &str,
    source: &TableName,
    position: &Position,
) -> Result<(), DestinationError> {
    let json = serde_json::to_string(position).expect("a position is strings and numbers");
    session.exec(
        "noting a table's own position",
        &format!("UPDATE `dts`.`dtsctl_table` SET `start_position` = {} WHERE {}", literal(&json), table_condition(task, source)),
    )?;
    Ok(())
}

fn insert_table(
    session: &mut Session,
    task: &str,
    source: &TableName,
    destination: &TableName,
    created: bool,
) -> Result<(), DestinationError> {
    session.exec(
        "noting a table",
        &format!(
            "INSERT INTO `dts`.`dtsctl_table` VALUES ({}, {}, {}, {}, {}, {}, 0, NULL) ON DUPLICATE KEY UPDATE \
             `created_here` = VALUES(`created_here`) OR `created_here` AND `destination_database` = VALUES(`destination_database`) \
             AND `destination_table` = VALUES(`destination_table`), `destination_database` = VALUES(`destination_database`), \
             `destination_table` = VALUES(`destination_table`)",
            literal(task),
            literal(&source.database),
            literal(&source.table),
            literal(&destination.database),
            literal(&destination.table),
            u8::from(created)
        ),
    )?;
    Ok(())
}

pub(super) fn note_creation(
    session: &mut Session,
    task: &str,
    source: &TableName,
    destination: &TableName,
) -> Result<(), DestinationError> {
    insert_table(session, task, source, destination, true)
}

pub(super) fn forget_table(session: &mut Session, task: &str, source: &TableName) -> Result<(), DestinationError> {
    let condition = table_condition(task, source);
    session.exec("forgetting a table's progress", "BEGIN")?;
    session.exec("forgetting a table's progress", &format!("DELETE FROM `dts`.`dtsctl_range` WHERE {condition}"))?;
    session.exec("forgetting a table's progress", &format!("UPDATE `dts`.`dtsctl_table` SET `copied` = 0, `start_position` = NULL WHERE {condition}"))?;
    session.exec("forgetting a table's progress", "COMMIT")?;
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
    for (table, column) in [("dtsctl_range", "task"), ("dtsctl_table", "task"), ("dtsctl_task", "name")] {
        session.exec("forgetting the task", &format!("DELETE FROM `dts`.`{table}` WHERE `{column}` = {}", literal(task)))?;
    }
    session.exec("forgetting the task", "COMMIT")?;
    Ok(())
}

pub(super) fn begin_table(
    session: &mut Session,
    task: &str,
    run: u64,
    table: &CopyTable,
    ranges: &[RangeState],
) -> Result<(), DestinationError> {
    let source = &table.source.name;
    session.exec("noting ranges", "BEGIN")?;
    insert_table(session, task, source, &table.destination.name, false)?;
    let condition = table_condition(task, source);
    let begun = session
        .query("noting ranges", &format!("SELECT COUNT(*) FROM `dts`.`dtsctl_range` WHERE {condition} AND (`chunks` > 0 OR `finished`)"))?;
    if begun.number_at(0, 0) != Some(0) {
        return Err(DestinationError::Progress { what: format!("ranges of {source} are begun already") });
    }
    session.exec("noting ranges", &format!("DELETE FROM `dts`.`dtsctl_range` WHERE {condition}"))?;
    for some in ranges.chunks(100) {
        let values: Vec<String> = some
            .iter()
            .map(|range| {
                let (kind, after, upto) = match &range.span {
                    KeyRange::All => ("all", None, None),
                    KeyRange::NullKey => ("null-key", None, None),
                    KeyRange::Between { after, upto } => ("between", after.as_ref(), upto.as_ref()),
                };
                format!(
                    "({}, {}, {}, {}, '{kind}', {}, {}, NULL, 0, 0, 0, 0, 0, 0, 0, {run})",
                    literal(task),
                    literal(&source.database),
                    literal(&source.table),
                    range.number,
                    key_literal(after),
                    key_literal(upto)
                )
            })
            .collect();
        session.exec("noting ranges", &format!("INSERT INTO `dts`.`dtsctl_range` VALUES {}", values.join(", ")))?;
    }
    session.exec("noting ranges", "COMMIT")?;
    Ok(())
}

pub(super) fn range(session: &mut Session, task: &str, run: u64, source: &TableName, number: u32) -> Result<RangeState, DestinationError> {
    // Locking, so that a chunk whose COMMIT is still under way is waited for and not missed.
    let rows = session.query(
        "reading a range's progress",
        &format!(
            "SELECT {RANGE_COLUMNS} FROM `dts`.`dtsctl_range` WHERE {} AND `number` = {number} FOR UPDATE",
            table_condition(task, source)
        ),
    )?;
    if rows.is_empty() {
        return Err(DestinationError::Progress { what: format!("range {number} of {source} is gone") });
    }
    if rows.number_at(0, 13) != Some(run) {
        return Err(DestinationError::TakenOver { task: task.to_owned() });
    }
    range_of(&rows, 0)
}

pub(super) fn finish_table(session: &mut Session, task: &str, source: &TableName) -> Result<(), DestinationError> {
    let condition = table_condition(task, source);
    let open = session.query(
        "checking a table's ranges",
        &format!(
            "SELECT COUNT(*), SUM(`finished` = 0 OR `rows_read` = `rows_written` AND \
             `rows_found` NOT BETWEEN CAST(`rows_read` AS SIGNED) - CAST(`rows_replaced` AS SIGNED) AND `rows_read`) \
             FROM `dts`.`dtsctl_range` WHERE {condition}"
        ),
    )?;
    if open.number_at(0, 0).unwrap_or(0) == 0 || open.number_at(0, 1) != Some(0) {
        return Err(DestinationError::Progress { what: format!("not every range of {source} is finished") });
    }
    session.exec("noting a table's end", &format!("UPDATE `dts`.`dtsctl_table` SET `copied` = 1 WHERE {condition}"))?;
    Ok(())
}
