//! Reading what the state file knows of the incremental phase.

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    read::{WINDOW, list, per_second},
    status::{
        ConflictStatus, DdlCount, DdlStatement, DdlStatus, FollowStatus, LeftOutStatus, LimitStatus, PositionStatus, RetentionStatus,
    },
};
use crate::{binlog::Position, catalog::TableName, clock::rfc3339};

/// So many statements that ran are shown.
const CARRIED: u64 = 20;

fn position(json: &str) -> PositionStatus {
    match serde_json::from_str::<Position>(json) {
        Ok(position) => PositionStatus {
            file: position.place.file,
            offset: position.place.offset,
            gtid: position.gtid.map(|set| set.to_string()).filter(|set| !set.is_empty()),
        },
        Err(_) => PositionStatus { file: String::new(), offset: 0, gtid: None },
    }
}

/// The phase as of `now`; `run` is the latest run, which goes on when `live`.
pub(super) fn follow(conn: &Connection, run: i64, now: i64, live: bool) -> rusqlite::Result<Option<FollowStatus>> {
    let found = conn
        .query_row(
            "SELECT began, run, until, first_position, position, read_position, source_micros, last_commit, caught_up, lag_micros, lag_at,
                idle, by_heartbeat, lanes, lanes_busy, backlog_bytes, transactions, row_events, inserted, updated, deleted, bytes, commits,
                started FROM follow",
            [],
            |row| {
                let mine = live && row.get::<_, i64>(1)? == run;
                let time = |at: usize| -> rusqlite::Result<Option<String>> { Ok(row.get::<_, Option<i64>>(at)?.map(rfc3339)) };
                let (lag, at): (Option<i64>, Option<i64>) = (row.get(9)?, row.get(10)?);
                // What was measured some time ago has grown by as much since.
                let lag = lag.zip(at).map(|(lag, at)| (lag as f64 / 1e6 + (now - at).max(0) as f64 / 1e3).max(0.0));
                let status = FollowStatus {
                    began: rfc3339(row.get(0)?),
                    until: row.get(2)?,
                    from: position(&row.get::<_, String>(3)?),
                    position: position(&row.get::<_, String>(4)?),
                    read: row.get::<_, Option<String>>(5)?.as_deref().map(position).filter(|_| mine),
                    source_time: row.get::<_, Option<i64>>(6)?.map(|micros| rfc3339(micros / 1000)),
                    last_commit: time(7)?,
                    caught_up: time(8)?,
                    lag_seconds: lag.filter(|_| mine).map(|lag| (lag * 10.0).round() / 10.0),
                    idle: if mine { Some(row.get(11)?) } else { None },
                    by_heartbeat: row.get(12)?,
                    lanes: row.get(13)?,
                    lanes_busy: if mine { row.get(14)? } else { 0 },
                    backlog_bytes: if mine { row.get(15)? } else { 0 },
                    transactions: row.get(16)?,
                    row_events: row.get(17)?,
                    inserted: row.get(18)?,
                    updated: row.get(19)?,
                    deleted: row.get(20)?,
                    bytes: row.get(21)?,
                    commits: row.get(22)?,
                    retention: None,
                    transactions_per_second: None,
                    rows_per_second: None,
                    bytes_per_second: None,
                };
                Ok((status, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(7)?))
            },
        )
        .optional()?;
    let Some((mut status, worked, last)) = found else { return Ok(None) };
    status.retention = retention(conn)?;
    let live = live && worked == run;
    // Of the last half minute while it runs, so that a standstill shows; else of all that the run did.
    let (from, to) = if live { (now - WINDOW, now) } else { (i64::MIN, last.unwrap_or(now)) };
    let base: Option<(i64, u64, u64, u64)> = conn
        .query_row(
            "SELECT at, transactions, row_events, bytes FROM follow_sample WHERE run = ?1
             ORDER BY CASE WHEN at <= ?2 THEN ?2 - at ELSE at - ?2 END LIMIT 1",
            rusqlite::params![worked, from.max(0)],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    if let Some((at, transactions, rows, bytes)) = base {
        status.transactions_per_second = per_second(status.transactions.saturating_sub(transactions), at, to);
        status.rows_per_second = per_second(status.row_events.saturating_sub(rows), at, to);
        status.bytes_per_second = per_second(status.bytes.saturating_sub(bytes), at, to);
    }
    Ok(Some(status))
}

fn retention(conn: &Connection) -> rusqlite::Result<Option<RetentionStatus>> {
    conn.query_row("SELECT at, removed_after, oldest_age, needed, short FROM retention", [], |row| {
        Ok(RetentionStatus {
            at: rfc3339(row.get(0)?),
            removed_after_seconds: row.get(1)?,
            oldest_seconds: row.get(2)?,
            needed_seconds: row.get(3)?,
            short: row.get(4)?,
        })
    })
    .optional()
}

/// Kinds that the spec's choice of operations makes (`ConflictKind::is_of_the_spec`).
const LEFT_OUT: &str = "'insert-left-out', 'update-left-out', 'delete-left-out', 'table-left-out', 'row-replaced', 'row-absent'";

pub(super) fn conflicts(conn: &Connection) -> rusqlite::Result<Vec<ConflictStatus>> {
    let sql = format!(
        "SELECT source_database, source_table, kind, key, rows, first, last FROM conflict WHERE kind NOT IN ({LEFT_OUT}) ORDER BY 1, 2, 3, 4"
    );
    list(conn, &sql, |row| {
        Ok(ConflictStatus {
            table: TableName::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?),
            kind: row.get(2)?,
            key: serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default(),
            rows: row.get(4)?,
            first: rfc3339(row.get(5)?),
            last: rfc3339(row.get(6)?),
        })
    })
}

pub(super) fn left_out(conn: &Connection) -> rusqlite::Result<Vec<LeftOutStatus>> {
    let sql = format!("SELECT source_database, source_table, kind, rows, last FROM conflict WHERE kind IN ({LEFT_OUT}) ORDER BY 1, 2, 3");
    list(conn, &sql, |row| {
        Ok(LeftOutStatus {
            table: TableName::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?),
            kind: row.get(2)?,
            rows: row.get(3)?,
            last: rfc3339(row.get(4)?),
        })
    })
}

pub(super) fn ddl(conn: &Connection) -> rusqlite::Result<DdlStatus> {
    let statements = |failed: bool, most: u64| {
        let sql = format!(
            "SELECT at, place, gtid, class, object, sql, milliseconds, error FROM
                (SELECT * FROM ddl WHERE (error IS NOT NULL) = {failed} ORDER BY id DESC LIMIT {most}) ORDER BY id"
        );
        list(conn, &sql, |row| {
            Ok(DdlStatement {
                at: rfc3339(row.get(0)?),
                place: row.get(1)?,
                gtid: row.get(2)?,
                class: row.get(3)?,
                object: row.get(4)?,
                sql: row.get(5)?,
                milliseconds: row.get(6)?,
                error: row.get(7)?,
            })
        })
    };
    Ok(DdlStatus {
        counts: list(conn, "SELECT class, outcome, times, last, reason FROM ddl_count ORDER BY outcome, class", |row| {
            Ok(DdlCount { class: row.get(0)?, outcome: row.get(1)?, times: row.get(2)?, last: rfc3339(row.get(3)?), reason: row.get(4)? })
        })?,
        failed: statements(true, 1000)?,
        carried: statements(false, CARRIED)?,
    })
}

pub(super) fn limits(conn: &Connection, run: i64) -> rusqlite::Result<Vec<LimitStatus>> {
    let sql = format!("SELECT name, value FROM setting WHERE run = {run} ORDER BY name");
    list(conn, &sql, |row| Ok(LimitStatus { name: row.get(0)?, value: row.get(1)? }))
}
