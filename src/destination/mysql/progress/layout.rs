//! Layout of the progress tables and the ladder that brings older ones up to it.

use crate::{connect::Session, destination::DestinationError};

/// Version of their layout, noted with each task. A higher number is refused: an older dtsctl would take a task over without shutting out
/// the lanes of the one that follows its binlog.
///
/// 1 had the first three tables; 2 adds those of the incremental phase; 3 the condition by which a table's rows are chosen.
pub(super) const LAYOUT: u64 = 3;

/// Oldest first; `IF NOT EXISTS` throughout, so that two tasks may start side by side.
const TABLES: &[&str] = &[
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
       `run` BIGINT UNSIGNED NOT NULL,
       PRIMARY KEY (`task`, `source_database`, `source_table`, `number`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_applied` (
       `task` VARCHAR(190) NOT NULL,
       `run` BIGINT UNSIGNED NOT NULL,
       `selection` VARCHAR(64) NOT NULL,
       `position` LONGTEXT NOT NULL,
       `read_from` LONGTEXT NULL,
       `copy_end` LONGTEXT NULL,
       `commits` BIGINT UNSIGNED NOT NULL,
       `transactions` BIGINT UNSIGNED NOT NULL,
       `row_events` BIGINT UNSIGNED NOT NULL,
       `inserted` BIGINT UNSIGNED NOT NULL,
       `updated` BIGINT UNSIGNED NOT NULL,
       `deleted` BIGINT UNSIGNED NOT NULL,
       `conflicts` BIGINT UNSIGNED NOT NULL,
       `source_micros` BIGINT UNSIGNED NOT NULL,
       `updated_at` DATETIME(6) NOT NULL,
       PRIMARY KEY (`task`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_conflict` (
       `task` VARCHAR(190) NOT NULL,
       `source_database` VARCHAR(64) NOT NULL,
       `source_table` VARCHAR(64) NOT NULL,
       `kind` VARCHAR(20) NOT NULL,
       `key_columns` VARCHAR(300) NOT NULL,
       `rows` BIGINT UNSIGNED NOT NULL,
       `last_position` LONGTEXT NOT NULL,
       `first_at` DATETIME(6) NOT NULL,
       `last_at` DATETIME(6) NOT NULL,
       PRIMARY KEY (`task`, `source_database`, `source_table`, `kind`, `key_columns`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_schema` (
       `task` VARCHAR(190) NOT NULL,
       `source_database` VARCHAR(64) NOT NULL,
       `source_table` VARCHAR(64) NOT NULL,
       `copied` TINYINT NOT NULL,
       `definition` LONGTEXT NULL,
       `doubt` LONGTEXT NULL,
       PRIMARY KEY (`task`, `source_database`, `source_table`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_ddl` (
       `number` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
       `task` VARCHAR(190) NOT NULL,
       `origin` VARCHAR(200) NOT NULL,
       `part` INT UNSIGNED NOT NULL,
       `state` VARCHAR(10) NOT NULL,
       `class` VARCHAR(40) NOT NULL,
       `object` VARCHAR(300) NULL,
       `place` LONGTEXT NOT NULL,
       `default_database` VARCHAR(64) NOT NULL,
       `statement` LONGTEXT NULL,
       `sent` LONGTEXT NULL,
       `context` LONGTEXT NULL,
       `before_it` LONGTEXT NULL,
       `error` LONGTEXT NULL,
       `run` BIGINT UNSIGNED NOT NULL,
       `source_seconds` BIGINT UNSIGNED NOT NULL,
       `begun_at` DATETIME(6) NOT NULL,
       `ended_at` DATETIME(6) NULL,
       PRIMARY KEY (`number`),
       UNIQUE KEY `origin` (`task`, `origin`, `part`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
    "CREATE TABLE IF NOT EXISTS `dts`.`dtsctl_account` (
       `task` VARCHAR(190) NOT NULL,
       `account` VARCHAR(400) NOT NULL,
       `finished` TINYINT NOT NULL,
       PRIMARY KEY (`task`, `account`)
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
];

/// Columns that came later than their table: table, column, its definition.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("dtsctl_table", "start_position", "LONGTEXT NULL"),
    ("dtsctl_range", "rows_replaced", "BIGINT UNSIGNED NOT NULL DEFAULT 0"),
    ("dtsctl_table", "filter", "VARCHAR(64) NOT NULL DEFAULT ''"),
];

/// The progress tables that are there, so that what an older version left behind can be read and forgotten too.
pub(super) fn present(session: &mut Session) -> Result<Vec<String>, DestinationError> {
    let rows = session.query(
        "looking for progress tables",
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'dts' AND TABLE_NAME LIKE 'dtsctl\\_%' ORDER BY 1",
    )?;
    Ok((0..rows.len()).filter_map(|r| rows.text_at(r, 0)).collect())
}

/// Makes the tables that are not there yet and adds the columns that older ones lack.
pub(super) fn make(session: &mut Session) -> Result<(), DestinationError> {
    for statement in TABLES {
        session.exec("making the progress tables", statement)?;
    }
    for (table, column, definition) in COLUMNS {
        let there = session.query(
            "looking at the progress tables",
            &format!(
                "SELECT COUNT(*) FROM information_schema.COLUMNS \
                 WHERE TABLE_SCHEMA = 'dts' AND TABLE_NAME = '{table}' AND COLUMN_NAME = '{column}'"
            ),
        )?;
        if there.number_at(0, 0) != Some(0) {
            continue;
        }
        match session.exec("making the progress tables", &format!("ALTER TABLE `dts`.`{table}` ADD COLUMN `{column}` {definition}")) {
            // Another task added it in between.
            Err(error) if error.code() == Some(1060) => {}
            other => drop(other?),
        }
    }
    Ok(())
}
