//! How far the copy of each table and each of its ranges is.

use super::{applied, literal, table_condition};
use crate::{
    binlog::Position,
    catalog::{Edge, KeyRange, TableName, rows_digest},
    connect::{Rows, Session},
    destination::{CopyTable, DestinationError, RangeState, TableState},
};

fn key_literal(edge: Option<&Edge>) -> String {
    // Hexadecimal digits and commas only. An edge of one empty value is the empty string, no edge is NULL.
    edge.map_or_else(|| "NULL".to_owned(), |e| format!("'{}'", e.to_text()))
}

/// All tables of a task with their ranges. Before layouts 2 and 3 the tables may lack the columns that came with
/// them, and hold nothing in them.
pub(super) fn read(session: &mut Session, task: &str, layout: u64) -> Result<Vec<TableState>, DestinationError> {
    let tables = session.query(
        "reading the tables' progress",
        &format!(
            "SELECT `source_database`, `source_table`, `destination_database`, `destination_table`, `created_here`, `copied`, {}, {} \
             FROM `dts`.`dtsctl_table` WHERE `task` = {} ORDER BY 1, 2",
            if layout < 2 { "NULL" } else { "`start_position`" },
            if layout < 3 { "''" } else { "`filter`" },
            literal(task)
        ),
    )?;
    let ranges = session.query(
        "reading the ranges' progress",
        &format!(
            "SELECT {RANGE_COLUMNS}, {} FROM `dts`.`dtsctl_range` WHERE `task` = {} ORDER BY 1, 2, 3",
            if layout < 2 { "0" } else { REPLACED },
            literal(task)
        ),
    )?;
    let text = |rows: &Rows, r, c| rows.text_at(r, c).unwrap_or_default();
    let state = |r: usize| -> Result<TableState, DestinationError> {
        let source = TableName::new(text(&tables, r, 0), text(&tables, r, 1));
        let start_position = match tables.text_at(r, 6).map(|json| serde_json::from_str(&json)) {
            None => None,
            Some(Ok(position)) => Some(position),
            Some(Err(_)) => return Err(DestinationError::Progress { what: format!("the position of {source} is not readable") }),
        };
        Ok(TableState {
            destination: TableName::new(text(&tables, r, 2), text(&tables, r, 3)),
            created_here: tables.number_at(r, 4) == Some(1),
            copied: tables.number_at(r, 5) == Some(1),
            filter: text(&tables, r, 7),
            source,
            start_position,
            ranges: Vec::new(),
        })
    };
    let mut states: Vec<TableState> = (0..tables.len()).map(state).collect::<Result<_, _>>()?;
    for r in 0..ranges.len() {
        let name = TableName::new(text(&ranges, r, 0), text(&ranges, r, 1));
        let range = range_of(&ranges, r)?;
        match states.iter_mut().find(|t| t.source == name) {
            Some(state) => state.ranges.push(range),
            None => return Err(DestinationError::Progress { what: format!("a range of {name} has no table row") }),
        }
    }
    Ok(states)
}

const RANGE_COLUMNS: &str = "`source_database`, `source_table`, `number`, `kind`, `after_key`, `upto_key`, `cursor_key`, `chunks`, \
                             `rows_read`, `rows_written`, `rows_found`, `bytes`, `finished`, `run`";

const REPLACED: &str = "`rows_replaced`";

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
            "INSERT INTO `dts`.`dtsctl_table` (`task`, `source_database`, `source_table`, `destination_database`, `destination_table`, \
             `created_here`, `copied`) VALUES ({}, {}, {}, {}, {}, {}, 0) ON DUPLICATE KEY UPDATE \
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

pub(in super::super) fn note_creation(
    session: &mut Session,
    task: &str,
    source: &TableName,
    destination: &TableName,
) -> Result<(), DestinationError> {
    insert_table(session, task, source, destination, true)
}

pub(in super::super) fn forget_table(session: &mut Session, task: &str, source: &TableName) -> Result<(), DestinationError> {
    let condition = table_condition(task, source);
    session.exec("forgetting a table's progress", "BEGIN")?;
    session.exec("forgetting a table's progress", &format!("DELETE FROM `dts`.`dtsctl_range` WHERE {condition}"))?;
    session.exec(
        "forgetting a table's progress",
        &format!("UPDATE `dts`.`dtsctl_table` SET `copied` = 0, `start_position` = NULL WHERE {condition}"),
    )?;
    session.exec("forgetting a table's progress", "COMMIT")?;
    Ok(())
}

/// Notes the place of the snapshot under which a table is copied, in the transaction that writes its rows.
pub(in super::super) fn note_start_position(
    session: &mut Session,
    task: &str,
    source: &TableName,
    position: &Position,
) -> Result<(), DestinationError> {
    let position = applied::json(position);
    session.exec(
        "noting a table's own position",
        &format!("UPDATE `dts`.`dtsctl_table` SET `start_position` = {} WHERE {}", literal(&position), table_condition(task, source)),
    )?;
    Ok(())
}

pub(in super::super) fn begin_table(
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
    let filter = table.filter.as_ref().map(rows_digest).unwrap_or_default();
    session.exec("noting ranges", &format!("UPDATE `dts`.`dtsctl_table` SET `filter` = {} WHERE {condition}", literal(&filter)))?;
    let begun = session
        .query("noting ranges", &format!("SELECT COUNT(*) FROM `dts`.`dtsctl_range` WHERE {condition} AND (`chunks` > 0 OR `finished`)"))?;
    if begun.number_at(0, 0) != Some(0) {
        return Err(DestinationError::Progress { what: format!("ranges of {source} are begun already") });
    }
    session.exec("noting ranges", &format!("DELETE FROM `dts`.`dtsctl_range` WHERE {condition}"))?;
    applied::forget_copy_end(session, task)?;
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
                    "({}, {}, {}, {}, '{kind}', {}, {}, NULL, 0, 0, 0, 0, 0, 0, {run})",
                    literal(task),
                    literal(&source.database),
                    literal(&source.table),
                    range.number,
                    key_literal(after),
                    key_literal(upto)
                )
            })
            .collect();
        session.exec(
            "noting ranges",
            &format!(
                "INSERT INTO `dts`.`dtsctl_range` (`task`, `source_database`, `source_table`, `number`, `kind`, `after_key`, `upto_key`, \
                 `cursor_key`, `chunks`, `rows_read`, `rows_written`, `rows_found`, `bytes`, `finished`, `run`) VALUES {}",
                values.join(", ")
            ),
        )?;
    }
    session.exec("noting ranges", "COMMIT")?;
    Ok(())
}

pub(in super::super) fn range(
    session: &mut Session,
    task: &str,
    run: u64,
    source: &TableName,
    number: u32,
) -> Result<RangeState, DestinationError> {
    // Locking, so that a chunk whose COMMIT is still under way is waited for and not missed.
    let rows = session.query(
        "reading a range's progress",
        &format!(
            "SELECT {RANGE_COLUMNS}, {REPLACED} FROM `dts`.`dtsctl_range` WHERE {} AND `number` = {number} FOR UPDATE",
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

pub(in super::super) fn finish_table(session: &mut Session, task: &str, table: &CopyTable) -> Result<(), DestinationError> {
    let source = &table.source.name;
    let condition = table_condition(task, source);
    // Where rows of others may be among ours, more are found than were read.
    let most = if table.keep_existing { "FALSE" } else { "`rows_found` > `rows_read`" };
    let open = session.query(
        "checking a table's ranges",
        &format!(
            "SELECT COUNT(*), SUM(`finished` = 0 OR `rows_read` = `rows_written` AND \
             ({most} OR `rows_found` + `rows_replaced` < `rows_read`)) \
             FROM `dts`.`dtsctl_range` WHERE {condition}"
        ),
    )?;
    if open.number_at(0, 0).unwrap_or(0) == 0 || open.number_at(0, 1) != Some(0) {
        return Err(DestinationError::Progress { what: format!("not every range of {source} is finished") });
    }
    session.exec("noting a table's end", &format!("UPDATE `dts`.`dtsctl_table` SET `copied` = 1 WHERE {condition}"))?;
    Ok(())
}
