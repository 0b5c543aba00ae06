//! What each event and each correction does to the rows of the state file.

use rusqlite::{Connection, params};

use super::{follow, writer::RangeTruth};
use crate::{
    catalog::TableName,
    event::{Event, Phase},
};

/// Which run writes, and when it happened: milliseconds since 1970.
pub(super) struct At {
    pub(super) run: i64,
    pub(super) now: i64,
}

/// A sample every so many milliseconds, kept for so long.
pub(super) const SAMPLE_EVERY: i64 = 2_000;
pub(super) const SAMPLE_KEPT: i64 = 300_000;

pub(super) type Done = rusqlite::Result<()>;

pub(super) fn run_sql(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Done {
    conn.prepare_cached(sql)?.execute(params).map(drop)
}

pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn event(conn: &Connection, at: &At, event: &Event) -> Done {
    match event {
        Event::PhaseStarted { phase } => run_sql(
            conn,
            // Begun again by a later run: finished no more until it says so.
            "INSERT INTO phase VALUES (?1, ?2, NULL)
             ON CONFLICT DO UPDATE SET started = coalesce(started, ?2), finished = NULL",
            params![phase.name(), at.now],
        ),
        Event::PhaseFinished { phase } => set_phase(conn, at, *phase, true),
        Event::StatementStarted { action, index, object, sql } => run_sql(
            conn,
            "INSERT INTO statement (run, action, position, object, sql, started) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET object = ?4, sql = ?5, started = ?6, finished = NULL, error = NULL",
            params![at.run, action, whole(*index as u64), object, sql, at.now],
        ),
        Event::StatementFinished { action, index, milliseconds, warnings, found_done } => run_sql(
            conn,
            "UPDATE statement SET finished = ?4, milliseconds = ?5, warnings = ?6, found_done = ?7, error = NULL
             WHERE run = ?1 AND action = ?2 AND position = ?3",
            params![
                at.run,
                action,
                whole(*index as u64),
                at.now,
                whole(*milliseconds),
                serde_json::to_string(warnings).unwrap_or_else(|_| "[]".to_owned()),
                found_done
            ],
        ),
        Event::StatementFailed { action, index, error } => run_sql(
            conn,
            "UPDATE statement SET error = ?4 WHERE run = ?1 AND action = ?2 AND position = ?3",
            params![at.run, action, whole(*index as u64), error],
        ),
        Event::TablesPlanned { tables } => {
            for planned in tables {
                plan_table(conn, &planned.table, &planned.destination, planned.rows_estimate, planned.bytes_estimate)?;
                run_sql(
                    conn,
                    "UPDATE table_copy SET rows_done = ?3, bytes_done = ?4, finished = iif(?5, coalesce(finished, ?6), NULL)
                     WHERE source_database = ?1 AND source_table = ?2",
                    params![
                        planned.table.database,
                        planned.table.table,
                        whole(planned.rows_done),
                        whole(planned.bytes_done),
                        planned.finished,
                        at.now
                    ],
                )?;
            }
            Ok(())
        }
        Event::TableStarted { table, destination, rows_estimate, bytes_estimate, rows_done, ranges } => {
            plan_table(conn, table, destination, *rows_estimate, *bytes_estimate)?;
            if *rows_done == 0 {
                // From the beginning: what earlier runs had copied of it is not there any more.
                run_sql(
                    conn,
                    "DELETE FROM range_copy WHERE table_id = (SELECT id FROM table_copy WHERE source_database = ? AND source_table = ?)",
                    params![table.database, table.table],
                )?;
                run_sql(
                    conn,
                    "UPDATE table_copy SET bytes_done = 0 WHERE source_database = ? AND source_table = ?",
                    params![table.database, table.table],
                )?;
            }
            run_sql(
                conn,
                "UPDATE table_copy SET ranges = ?3, rows_done = ?4, started = coalesce(started, ?5), finished = NULL, run_started = ?5, run_rows = ?4
                 WHERE source_database = ?1 AND source_table = ?2",
                params![table.database, table.table, ranges, whole(*rows_done), at.now],
            )
        }
        Event::ChunkCommitted { table, range, chunk: _, read, written, found, bytes, milliseconds } => {
            run_sql(
                conn,
                "INSERT INTO range_copy (table_id, range, chunks, read, written, found, bytes, milliseconds, first_chunk, last_chunk)
                 SELECT id, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?9 FROM table_copy WHERE source_database = ?1 AND source_table = ?2
                 ON CONFLICT DO UPDATE SET chunks = chunks + 1, read = read + ?4, written = written + ?5, found = found + ?6,
                    bytes = bytes + ?7, milliseconds = milliseconds + ?8, first_chunk = coalesce(first_chunk, ?9), last_chunk = ?9",
                params![
                    table.database,
                    table.table,
                    range,
                    whole(*read),
                    whole(*written),
                    whole(*found),
                    whole(*bytes),
                    whole(*milliseconds),
                    at.now
                ],
            )?;
            run_sql(
                conn,
                "UPDATE table_copy SET rows_done = rows_done + ?3, bytes_done = bytes_done + ?4, last_chunk = ?5
                 WHERE source_database = ?1 AND source_table = ?2",
                params![table.database, table.table, whole(*read), whole(*bytes), at.now],
            )
        }
        Event::RangeFinished { table, range } => run_sql(
            conn,
            // A range without a row in it has no chunk either.
            "INSERT INTO range_copy (table_id, range, finished)
             SELECT id, ?3, ?4 FROM table_copy WHERE source_database = ?1 AND source_table = ?2
             ON CONFLICT DO UPDATE SET finished = ?4",
            params![table.database, table.table, range, at.now],
        ),
        Event::TableFinished { table, rows, bytes } => run_sql(
            conn,
            "UPDATE table_copy SET rows_done = ?3, bytes_done = ?4, finished = ?5 WHERE source_database = ?1 AND source_table = ?2",
            params![table.database, table.table, whole(*rows), whole(*bytes), at.now],
        ),
        Event::Waiting { who, reason } => run_sql(
            conn,
            "INSERT INTO wait (run, who, reason, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET reason = ?3, times = times + (since IS NULL), since = coalesce(since, ?4)",
            params![at.run, who, reason, at.now],
        ),
        Event::WaitOver { who } => run_sql(
            conn,
            "UPDATE wait SET milliseconds = milliseconds + ?3 - since, since = NULL WHERE run = ?1 AND who = ?2 AND since IS NOT NULL",
            params![at.run, who, at.now],
        ),
        Event::FollowStarted { .. }
        | Event::BatchCommitted(_)
        | Event::FollowMoved { .. }
        | Event::Lag(_)
        | Event::BinlogKept(_)
        | Event::CaughtUp { .. }
        | Event::ConflictMet { .. }
        | Event::LeftOut { .. }
        | Event::DdlSeen(_)
        | Event::LimitsChanged { .. } => follow::event(conn, at, event),
        Event::Moment { .. } => Ok(()),
        Event::Note { text } => run_sql(
            conn,
            "INSERT INTO note (run, text, at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET times = times + 1, at = ?3",
            params![at.run, text, at.now],
        ),
    }
}

/// Makes the table's row if there is none; brings its destination and its estimates of rows and bytes up to date.
fn plan_table(conn: &Connection, table: &TableName, destination: &TableName, rows: u64, bytes: u64) -> Done {
    run_sql(
        conn,
        "INSERT INTO table_copy (source_database, source_table, destination_database, destination_table, rows_estimate, bytes_estimate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET destination_database = ?3, destination_table = ?4, rows_estimate = ?5, bytes_estimate = ?6",
        params![table.database, table.table, destination.database, destination.table, whole(rows), whole(bytes)],
    )
}

/// A sample for the rates while a table is being copied. The first of each run stays, for its average.
pub(super) fn sample(conn: &Connection, at: &At) -> Done {
    follow::sample(conn, at)?;
    run_sql(
        conn,
        "INSERT INTO sample
         SELECT ?1, ?2, sum(rows_done), sum(bytes_done) FROM table_copy
         WHERE NOT EXISTS (SELECT 1 FROM sample WHERE run = ?1 AND at > ?2 - ?3)
         HAVING count(run_started) > 0 AND count(*) > count(finished)",
        params![at.run, at.now, SAMPLE_EVERY],
    )?;
    run_sql(
        conn,
        "DELETE FROM sample WHERE run = ?1 AND at < ?2 AND at > (SELECT min(at) FROM sample WHERE run = ?1)",
        params![at.run, at.now - SAMPLE_KEPT],
    )
}

pub(super) fn save_plan(conn: &Connection, at: &At, plan_id: &str, document: &str) -> Done {
    run_sql(
        conn,
        "INSERT OR REPLACE INTO plan (run, plan_id, saved, document) VALUES (?, ?, ?, ?)",
        params![at.run, plan_id, at.now, document],
    )
}

pub(super) fn created(conn: &Connection, at: &At, kind: &str, object: &str, fingerprint: &str) -> Done {
    run_sql(
        conn,
        "INSERT OR REPLACE INTO created (kind, object, fingerprint, at) VALUES (?, ?, ?, ?)",
        params![kind, object, fingerprint, at.now],
    )
}

pub(super) fn set_range(conn: &Connection, at: &At, table: &TableName, range: u32, truth: RangeTruth) -> Done {
    let finished = truth.finished.then_some(at.now);
    run_sql(
        conn,
        "INSERT INTO range_copy (table_id, range, read, written, found, bytes, finished)
         SELECT id, ?3, ?4, ?7, ?4, ?5, ?6 FROM table_copy WHERE source_database = ?1 AND source_table = ?2
         ON CONFLICT DO UPDATE SET read = ?4, written = ?7, found = ?4, bytes = ?5,
            finished = CASE WHEN ?6 IS NULL THEN NULL ELSE coalesce(finished, ?6) END",
        params![table.database, table.table, range, whole(truth.rows), whole(truth.bytes), finished, whole(truth.written)],
    )?;
    run_sql(
        conn,
        "UPDATE table_copy SET (rows_done, bytes_done) =
            (SELECT sum(read), sum(bytes) FROM range_copy WHERE table_id = table_copy.id)
         WHERE source_database = ?1 AND source_table = ?2",
        params![table.database, table.table],
    )
}

pub(super) fn set_statement_done(conn: &Connection, at: &At, action: &str, index: usize, object: &str, sql: &str) -> Done {
    run_sql(
        conn,
        "INSERT INTO statement (run, action, position, object, sql, started, finished, found_done)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1)
         ON CONFLICT DO UPDATE SET finished = coalesce(finished, ?6), found_done = 1, error = NULL",
        params![at.run, action, whole(index as u64), object, sql, at.now],
    )
}

pub(super) fn set_phase(conn: &Connection, at: &At, phase: Phase, finished: bool) -> Done {
    run_sql(
        conn,
        "INSERT INTO phase VALUES (?1, NULL, ?2)
         ON CONFLICT DO UPDATE SET finished = CASE WHEN ?2 IS NULL THEN NULL ELSE coalesce(finished, ?2) END",
        params![phase.name(), finished.then_some(at.now)],
    )
}

pub(super) fn end_run(conn: &Connection, at: &At, outcome: &str, error: Option<&str>) -> Done {
    run_sql(conn, "UPDATE run SET ended = ?2, outcome = ?3, error = ?4 WHERE id = ?1", params![at.run, at.now, outcome, error])?;
    run_sql(
        conn,
        "UPDATE wait SET milliseconds = milliseconds + ?2 - since, since = NULL WHERE run = ?1 AND since IS NOT NULL",
        params![at.run, at.now],
    )
}
