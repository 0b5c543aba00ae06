//! What the events of the incremental phase do to the rows of the state file.

use rusqlite::{Connection, params};

use super::rows::{At, Done, SAMPLE_EVERY, SAMPLE_KEPT, run_sql, whole};
use crate::{
    binlog::Position,
    event::{BatchCommitted, BinlogKept, DdlOutcome, DdlSeen, Event, Lag},
};

/// So many statements that ran, and so many that failed, are kept with their text; all are counted.
const DDL_KEPT: i64 = 1000;

fn json(position: &Position) -> String {
    serde_json::to_string(position).unwrap_or_default()
}

pub(super) fn event(conn: &Connection, at: &At, event: &Event) -> Done {
    match event {
        Event::FollowStarted { from, until, lanes } => run_sql(
            conn,
            "INSERT INTO follow (id, began, run, started, until, lanes, first_position, position) VALUES (1, ?1, ?2, ?1, ?3, ?4, ?5, ?5)
             ON CONFLICT DO UPDATE SET started = iif(run = ?2, started, ?1), run = ?2, until = ?3, lanes = ?4, position = ?5,
                lanes_busy = 0, backlog_bytes = 0, read_position = NULL, lag_micros = NULL, idle = 0",
            params![at.now, at.run, until, lanes, json(from)],
        ),
        Event::BatchCommitted(batch) => committed(conn, at, batch),
        Event::FollowMoved { position } => run_sql(conn, "UPDATE follow SET position = ?", params![json(position)]),
        Event::Lag(lag) => behind(conn, at, lag),
        Event::BinlogKept(kept) => retained(conn, at, kept),
        Event::CaughtUp { position } => run_sql(conn, "UPDATE follow SET position = ?, caught_up = ?", params![json(position), at.now]),
        Event::ConflictMet { table, kind, key, rows } => run_sql(
            conn,
            "INSERT INTO conflict VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO UPDATE SET rows = rows + ?5, last = ?6",
            params![table.database, table.table, kind, serde_json::to_string(key).unwrap_or_default(), whole(*rows), at.now],
        ),
        // Beside the conflicts, told apart by what it is.
        Event::LeftOut { table, kind, rows } => run_sql(
            conn,
            "INSERT INTO conflict VALUES (?1, ?2, ?3, '[]', ?4, ?5, ?5) ON CONFLICT DO UPDATE SET rows = rows + ?4, last = ?5",
            params![table.database, table.table, kind, whole(*rows), at.now],
        ),
        Event::DdlSeen(ddl) => seen(conn, at, ddl),
        Event::LimitsChanged { limits } => {
            run_sql(conn, "DELETE FROM setting WHERE run = ?", params![at.run])?;
            limits.iter().try_for_each(|(name, value)| run_sql(conn, "INSERT INTO setting VALUES (?, ?, ?)", params![at.run, name, value]))
        }
        _ => Ok(()),
    }
}

fn committed(conn: &Connection, at: &At, batch: &BatchCommitted) -> Done {
    run_sql(
        conn,
        "UPDATE follow SET position = ?1, source_micros = max(coalesce(source_micros, 0), ?2), commits = commits + 1,
            transactions = transactions + ?3, row_events = row_events + ?4, inserted = inserted + ?5, updated = updated + ?6,
            deleted = deleted + ?7, bytes = bytes + ?8, micros = micros + ?9, last_commit = ?10",
        params![
            json(&batch.position),
            whole(batch.source_micros),
            whole(batch.transactions),
            whole(batch.row_events),
            whole(batch.inserted),
            whole(batch.updated),
            whole(batch.deleted),
            whole(batch.bytes),
            whole(batch.micros),
            at.now
        ],
    )
}

fn behind(conn: &Connection, at: &At, lag: &Lag) -> Done {
    run_sql(
        conn,
        "UPDATE follow SET position = ?1, read_position = ?2, lag_micros = ?3, lag_at = ?4, idle = ?5, by_heartbeat = ?6,
            lanes_busy = ?7, backlog_bytes = ?8",
        params![
            json(&lag.applied),
            json(&lag.read),
            lag.micros.map(whole),
            at.now,
            lag.idle,
            lag.by_heartbeat,
            lag.lanes_busy,
            whole(lag.backlog_bytes)
        ],
    )
}

fn retained(conn: &Connection, at: &At, kept: &BinlogKept) -> Done {
    let found = &kept.retention;
    run_sql(
        conn,
        "INSERT OR REPLACE INTO retention (id, at, removed_after, oldest_age, needed, short) VALUES (1, ?, ?, ?, ?, ?)",
        params![at.now, found.removed_after.map(whole), found.oldest_age.map(whole), whole(kept.needed), found.is_short_of(kept.needed)],
    )
}

fn seen(conn: &Connection, at: &At, ddl: &DdlSeen) -> Done {
    let (outcome, reason) = match &ddl.outcome {
        DdlOutcome::Carried { .. } => ("carried", None),
        DdlOutcome::Skipped { reason } => ("skipped", Some(reason)),
        DdlOutcome::Failed { .. } => ("failed", None),
    };
    run_sql(
        conn,
        "INSERT INTO ddl_count VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT DO UPDATE SET times = times + 1, last = ?3, reason = ?4",
        params![ddl.class, outcome, at.now, reason],
    )?;
    let (milliseconds, found_done, error) = match &ddl.outcome {
        DdlOutcome::Skipped { .. } => return Ok(()),
        DdlOutcome::Carried { milliseconds, found_done } => (Some(whole(*milliseconds)), *found_done, None),
        DdlOutcome::Failed { error } => (None, false, Some(error)),
    };
    run_sql(
        conn,
        "INSERT INTO ddl (run, at, place, gtid, class, object, sql, milliseconds, found_done, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![at.run, at.now, ddl.place.to_string(), ddl.gtid, ddl.class, ddl.object, ddl.sql, milliseconds, found_done, error],
    )?;
    run_sql(
        conn,
        "DELETE FROM ddl WHERE (error IS NULL) = ?1 AND id <=
            (SELECT id FROM ddl WHERE (error IS NULL) = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![error.is_none(), DDL_KEPT],
    )
}

/// What the destination says of the phase, written over the copy of it; the only thing known where the state file is new.
pub(super) fn set(conn: &Connection, at: &At, position: &Position, transactions: u64, row_events: u64) -> Done {
    run_sql(
        conn,
        "INSERT INTO follow (id, began, run, started, until, lanes, first_position, position, transactions, row_events)
         VALUES (1, ?1, ?2, ?1, '', 0, ?3, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET position = ?3, transactions = ?4, row_events = ?5",
        params![at.now, at.run, json(position), whole(transactions), whole(row_events)],
    )
}

/// A sample for the rates while the phase runs. The first of each run stays, for its average.
pub(super) fn sample(conn: &Connection, at: &At) -> Done {
    run_sql(
        conn,
        "INSERT INTO follow_sample SELECT ?1, ?2, transactions, row_events, bytes FROM follow
         WHERE run = ?1 AND NOT EXISTS (SELECT 1 FROM follow_sample WHERE run = ?1 AND at > ?2 - ?3)",
        params![at.run, at.now, SAMPLE_EVERY],
    )?;
    run_sql(
        conn,
        "DELETE FROM follow_sample WHERE run = ?1 AND at < ?2 AND at > (SELECT min(at) FROM follow_sample WHERE run = ?1)",
        params![at.run, at.now - SAMPLE_KEPT],
    )
}
