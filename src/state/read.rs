//! Reading a state file: for `status`, and for a plan that must know what the task has already done.
//!
//! Never writes; works beside a running apply, after a kill and on a finished task.

use std::{path::Path, time::SystemTime};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    error::StateError,
    lock::holder,
    read_follow,
    schema::{LADDER, open_for_reading},
    status::*,
};
use crate::{
    catalog::TableName,
    clock::{milliseconds, rfc3339},
    event::Phase,
};

/// Something this task made at the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// What it is, as the catalog names it.
    pub kind: String,
    /// Its name at the destination.
    pub object: String,
    /// Its fingerprint when it was made.
    pub fingerprint: String,
}

/// What the task has done so far, for the next plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Id of the task.
    pub task_id: String,
    /// What it made at the destination.
    pub created: Vec<Created>,
    /// Statements that have run, as action id and position, of all runs.
    pub statements_done: Vec<(String, usize)>,
    /// Source tables whose rows are all there.
    pub tables_finished: Vec<TableName>,
    /// Source tables whose rows are partly there.
    pub tables_started: Vec<TableName>,
    /// Phases that are done.
    pub phases_finished: Vec<Phase>,
}

/// The plan of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPlan {
    /// The run it was saved by.
    pub run: i64,
    /// The plan's id.
    pub plan_id: String,
    /// The plan's JSON.
    pub document: String,
}

/// Reads all in one transaction, so that the numbers fit each other.
fn open(path: &Path) -> Result<Connection, StateError> {
    let conn = open_for_reading(path, LADDER)?;
    conn.execute_batch("BEGIN").map_err(|e| StateError::sqlite("cannot read the state file", path, e))?;
    Ok(conn)
}

/// What the task has done so far.
///
/// # Errors
/// [`StateError::Missing`] when there is no state file, or why it cannot be read.
pub fn progress(path: &Path) -> Result<Progress, StateError> {
    let conn = open(path)?;
    let read = || -> rusqlite::Result<Progress> {
        let tables = |which: &str| {
            list(&conn, &format!("SELECT source_database, source_table FROM table_copy WHERE {which} ORDER BY 1, 2"), |row| {
                Ok(TableName::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })
        };
        Ok(Progress {
            task_id: conn.query_row("SELECT id FROM task", [], |row| row.get(0)).optional()?.unwrap_or_default(),
            created: list(&conn, "SELECT kind, object, fingerprint FROM created ORDER BY kind, object", |row| {
                Ok(Created { kind: row.get(0)?, object: row.get(1)?, fingerprint: row.get(2)? })
            })?,
            statements_done: list(
                &conn,
                "SELECT DISTINCT action, position FROM statement WHERE finished IS NOT NULL ORDER BY 1, 2",
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?,
            tables_finished: tables("finished IS NOT NULL")?,
            tables_started: tables("finished IS NULL AND started IS NOT NULL")?,
            phases_finished: list(&conn, "SELECT name FROM phase WHERE finished IS NOT NULL", |row| row.get::<_, String>(0))?
                .iter()
                .filter_map(|name| phase_of(name))
                .collect(),
        })
    };
    read().map_err(|e| StateError::sqlite("cannot read the state file", path, e))
}

/// The plan of the latest run that saved one.
///
/// # Errors
/// As [`progress`].
pub fn saved_plan(path: &Path) -> Result<Option<SavedPlan>, StateError> {
    let conn = open(path)?;
    conn.query_row("SELECT run, plan_id, document FROM plan ORDER BY run DESC LIMIT 1", [], |row| {
        Ok(SavedPlan { run: row.get(0)?, plan_id: row.get(1)?, document: row.get(2)? })
    })
    .optional()
    .map_err(|e| StateError::sqlite("cannot read the state file", path, e))
}

/// The resolved spec, without secrets, that the latest run was started with.
///
/// # Errors
/// As [`progress`].
pub fn spec_document(path: &Path) -> Result<serde_json::Value, StateError> {
    let conn = open(path)?;
    let document: Option<String> = conn
        .query_row("SELECT document FROM spec ORDER BY last_used DESC LIMIT 1", [], |row| row.get(0))
        .optional()
        .map_err(|e| StateError::sqlite("cannot read the state file", path, e))?;
    serde_json::from_str(document.as_deref().unwrap_or("{}"))
        .map_err(|e| StateError::Damaged { path: path.to_owned(), reason: format!("its spec is no JSON: {e}") })
}

/// The status of the task as of `now`.
///
/// # Errors
/// As [`progress`].
pub fn read(path: &Path, now: SystemTime) -> Result<Status, StateError> {
    // The lock first: a run that ends between the two looks is then "starting" for a moment, and never "killed".
    let holder = holder(path)?;
    let conn = open(path)?;
    let reader = Reader { conn, now: milliseconds(now) };
    let status = reader.status(holder).map_err(|e| StateError::sqlite("cannot read the state file", path, e))?;
    status.ok_or_else(|| StateError::Damaged { path: path.to_owned(), reason: "it names no task".to_owned() })
}

fn phase_of(name: &str) -> Option<Phase> {
    [Phase::Schema, Phase::Full, Phase::Finish, Phase::Incremental].into_iter().find(|phase| phase.name() == name)
}

pub(super) fn list<T>(conn: &Connection, sql: &str, each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<Vec<T>> {
    conn.prepare(sql)?.query_map([], each)?.collect()
}

fn time(milliseconds: Option<i64>) -> Option<String> {
    milliseconds.map(rfc3339)
}

/// Seconds between two times; never negative, though clocks are set back.
fn seconds(from: i64, to: i64) -> f64 {
    (to - from).max(0) as f64 / 1000.0
}

/// The window of the present rate, and how old the last sample of a live run may be before it counts as standing still.
pub(super) const WINDOW: i64 = 30_000;

struct Reader {
    conn: Connection,
    now: i64,
}

struct Run {
    id: i64,
    started: i64,
    ended: Option<i64>,
    outcome: Option<String>,
    status: RunStatus,
}

impl Reader {
    fn status(&self, holder: Option<super::Holder>) -> rusqlite::Result<Option<Status>> {
        let Some(task) = self.task()? else { return Ok(None) };
        let run = self.run()?;
        let state = match (&holder, &run) {
            (Some(holder), Some(run)) if run.ended.is_none() && (holder.pid == 0 || holder.pid == run.status.pid) => RunState::Running,
            (Some(_), _) => RunState::Starting,
            (None, None) => RunState::New,
            (None, Some(run)) => match run.outcome.as_deref() {
                Some("finished") => RunState::Finished,
                Some("stopped") => RunState::Stopped,
                Some(_) => RunState::Failed,
                None => RunState::Killed,
            },
        };
        let live = state == RunState::Running;
        let id = run.as_ref().map_or(0, |run| run.id);
        let tables = self.tables(live)?;
        let totals = self.totals(&tables, id, live)?;
        let stop_requested = self
            .conn
            .query_row("SELECT value, requested FROM control WHERE key = 'stop'", [], |row| {
                Ok(StopStatus { when: row.get(0)?, requested: rfc3339(row.get(1)?) })
            })
            .optional()?
            .filter(|_| live);
        Ok(Some(Status {
            format_version: FORMAT_VERSION.to_owned(),
            at: rfc3339(self.now),
            task,
            state,
            holder,
            runs: self.conn.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?,
            stop_requested,
            phases: self.phases(live)?,
            totals,
            tables,
            follow: read_follow::follow(&self.conn, id, self.now, live)?,
            conflicts: read_follow::conflicts(&self.conn)?,
            left_out: read_follow::left_out(&self.conn)?,
            ddl: read_follow::ddl(&self.conn)?,
            limits: read_follow::limits(&self.conn, id)?,
            statements: self.statements(id, live)?,
            waits: self.waits(id, live)?,
            notes: self.notes(id)?,
            run: run.map(|run| RunStatus {
                seconds: run.ended.or(live.then_some(self.now)).map(|end| seconds(run.started, end)),
                ..run.status
            }),
        }))
    }

    fn task(&self) -> rusqlite::Result<Option<TaskStatus>> {
        let digests: (u64, Option<String>) =
            self.conn.query_row("SELECT count(*), (SELECT digest FROM spec ORDER BY last_used DESC LIMIT 1) FROM spec", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        self.conn
            .query_row(
                "SELECT id, name, created, source_address, source_version, source_identity,
                    destination_address, destination_version, destination_identity FROM task",
                [],
                |row| {
                    let server = |at| -> rusqlite::Result<ServerStatus> {
                        Ok(ServerStatus { address: row.get(at)?, version: row.get(at + 1)?, identity: row.get(at + 2)? })
                    };
                    Ok(TaskStatus {
                        id: row.get(0)?,
                        name: row.get(1)?,
                        created: rfc3339(row.get(2)?),
                        spec_digest: digests.1.clone().unwrap_or_default(),
                        specs: digests.0,
                        source: server(3)?,
                        destination: server(6)?,
                    })
                },
            )
            .optional()
    }

    fn run(&self) -> rusqlite::Result<Option<Run>> {
        self.conn
            .query_row(
                "SELECT id, started, ended, outcome, error, pid, host, version, (SELECT plan_id FROM plan WHERE run = run.id)
                 FROM run ORDER BY id DESC LIMIT 1",
                [],
                |row| {
                    let (started, ended) = (row.get(1)?, row.get(2)?);
                    Ok(Run {
                        id: row.get(0)?,
                        started,
                        ended,
                        outcome: row.get(3)?,
                        status: RunStatus {
                            number: row.get(0)?,
                            started: rfc3339(started),
                            ended: time(ended),
                            seconds: None,
                            error: row.get(4)?,
                            pid: row.get(5)?,
                            host: row.get(6)?,
                            version: row.get(7)?,
                            plan_id: row.get(8)?,
                        },
                    })
                },
            )
            .optional()
    }

    fn phases(&self, live: bool) -> rusqlite::Result<Vec<PhaseStatus>> {
        let found = list(&self.conn, "SELECT name, started, finished FROM phase", |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?))
        })?;
        let mut phases: Vec<PhaseStatus> = found
            .into_iter()
            .filter_map(|(name, started, finished)| {
                let state = match finished {
                    Some(_) => PhaseState::Finished,
                    None if live => PhaseState::Running,
                    None => PhaseState::Interrupted,
                };
                let end = finished.or(live.then_some(self.now));
                Some(PhaseStatus {
                    phase: phase_of(&name)?,
                    state,
                    started: time(started),
                    finished: time(finished),
                    seconds: started.zip(end).map(|(from, to)| seconds(from, to)),
                })
            })
            .collect();
        phases.sort_by_key(|p| p.phase as u8);
        Ok(phases)
    }

    fn tables(&self, live: bool) -> rusqlite::Result<Vec<TableStatus>> {
        list(
            &self.conn,
            "SELECT source_database, source_table, destination_database, destination_table, rows_done, rows_estimate, bytes_done,
                bytes_estimate, ranges, started, finished, run_started, run_rows, last_chunk,
                coalesce((SELECT count(finished) FROM range_copy WHERE table_id = table_copy.id), 0),
                coalesce((SELECT sum(chunks) FROM range_copy WHERE table_id = table_copy.id), 0),
                coalesce((SELECT sum(read - written) FROM range_copy WHERE table_id = table_copy.id), 0)
             FROM table_copy ORDER BY 1, 2",
            |row| {
                let name =
                    |at| -> rusqlite::Result<TableName> { Ok(TableName::new(row.get::<_, String>(at)?, row.get::<_, String>(at + 1)?)) };
                let (started, finished): (Option<i64>, Option<i64>) = (row.get(9)?, row.get(10)?);
                let (run_started, last_chunk): (Option<i64>, Option<i64>) = (row.get(11)?, row.get(13)?);
                let (rows_done, run_rows): (u64, u64) = (row.get(4)?, row.get(12)?);
                let state = match (started, finished) {
                    (_, Some(_)) => TableState::Finished,
                    (None, None) => TableState::Pending,
                    (Some(_), None) if live => TableState::Copying,
                    (Some(_), None) => TableState::Interrupted,
                };
                let end = finished.or(if live { Some(self.now) } else { last_chunk });
                let rate = run_started.zip(end).and_then(|(from, to)| per_second(rows_done.saturating_sub(run_rows), from, to));
                Ok(TableStatus {
                    table: name(0)?,
                    destination: name(2)?,
                    state,
                    rows_done,
                    rows_kept: row.get(16)?,
                    rows_estimate: row.get(5)?,
                    bytes_done: row.get(6)?,
                    bytes_estimate: row.get(7)?,
                    ranges: row.get(8)?,
                    ranges_finished: row.get(14)?,
                    chunks: row.get(15)?,
                    started: time(started),
                    finished: time(finished),
                    rows_per_second: rate,
                })
            },
        )
    }

    fn totals(&self, tables: &[TableStatus], run: i64, live: bool) -> rusqlite::Result<Totals> {
        let finished = |t: &&TableStatus| t.state == TableState::Finished;
        let expected = |t: &TableStatus| if t.state == TableState::Finished { t.rows_done } else { t.rows_done.max(t.rows_estimate) };
        let mut totals = Totals {
            tables: tables.len() as u64,
            tables_finished: tables.iter().filter(finished).count() as u64,
            rows_done: tables.iter().map(|t| t.rows_done).sum(),
            rows_kept: tables.iter().map(|t| t.rows_kept).sum(),
            rows_expected: tables.iter().map(expected).sum(),
            bytes_done: tables.iter().map(|t| t.bytes_done).sum(),
            ..Totals::default()
        };
        // The last sample of the window's beginning, or the first one at all; and the last one.
        let sample = |sql: &str, from: i64| {
            self.conn
                .query_row(sql, params![run, from], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?, row.get::<_, u64>(2)?)))
                .optional()
        };
        let last = sample("SELECT at, rows, bytes FROM sample WHERE run = ?1 AND at >= ?2 ORDER BY at DESC LIMIT 1", i64::MIN)?;
        let from = if live { self.now - WINDOW } else { i64::MIN };
        let first = sample("SELECT at, rows, bytes FROM sample WHERE run = ?1 AND at >= ?2 ORDER BY at LIMIT 1", from)?;
        let copying = tables.iter().any(|t| t.state == TableState::Copying);
        if live && !copying {
            return Ok(totals);
        }
        if let (Some(first), Some(last)) = (first.or(last), last) {
            // While it runs the present counts, so that a standstill shows.
            let (to, rows, bytes) = if live { (self.now, totals.rows_done, totals.bytes_done) } else { last };
            totals.rows_per_second = per_second(rows.saturating_sub(first.1), first.0, to);
            totals.bytes_per_second = per_second(bytes.saturating_sub(first.2), first.0, to);
        }
        // A table that has outgrown its estimate has an unknown number of rows left, and an estimate for it would be a lie.
        let unknown = tables.iter().any(|t| t.state != TableState::Finished && t.rows_done >= t.rows_estimate && t.rows_done > 0);
        if live && !unknown {
            let left = totals.rows_expected.saturating_sub(totals.rows_done);
            totals.eta_seconds = totals.rows_per_second.filter(|&rate| rate > 0.0).map(|rate| (left as f64 / rate).ceil() as u64);
        }
        Ok(totals)
    }

    fn statements(&self, run: i64, live: bool) -> rusqlite::Result<StatementsStatus> {
        let mut all = self.conn.query_row(
            "SELECT count(*), coalesce(sum(found_done), 0), coalesce(sum(warnings <> '[]'), 0), coalesce(sum(milliseconds), 0)
             FROM statement WHERE finished IS NOT NULL",
            [],
            |row| {
                Ok(StatementsStatus {
                    finished: row.get(0)?,
                    found_done: row.get(1)?,
                    with_warnings: row.get(2)?,
                    milliseconds: row.get(3)?,
                    ..StatementsStatus::default()
                })
            },
        )?;
        let some = |which: &str, timed: bool| {
            let sql = format!(
                "SELECT action, position, object, sql, started, error FROM statement
                 WHERE run = {run} AND finished IS NULL AND error IS {which} ORDER BY started"
            );
            list(&self.conn, &sql, |row| {
                let started: i64 = row.get(4)?;
                Ok(StatementStatus {
                    action: row.get(0)?,
                    index: row.get(1)?,
                    object: row.get(2)?,
                    sql: row.get(3)?,
                    started: rfc3339(started),
                    seconds: timed.then(|| seconds(started, self.now)),
                    error: row.get(5)?,
                })
            })
        };
        all.open = some("NULL", live)?;
        all.failed = some("NOT NULL", false)?;
        Ok(all)
    }

    fn waits(&self, run: i64, live: bool) -> rusqlite::Result<Vec<WaitStatus>> {
        let sql = format!("SELECT who, reason, since, times, milliseconds FROM wait WHERE run = {run} ORDER BY since IS NULL, who");
        list(&self.conn, &sql, |row| {
            // A wait of a killed run is over, whatever it says.
            let since: Option<i64> = row.get::<_, Option<i64>>(2)?.filter(|_| live);
            let past: i64 = row.get(4)?;
            Ok(WaitStatus {
                who: row.get(0)?,
                reason: row.get(1)?,
                since: time(since),
                times: row.get(3)?,
                seconds: past as f64 / 1000.0 + since.map_or(0.0, |since| seconds(since, self.now)),
            })
        })
    }

    fn notes(&self, run: i64) -> rusqlite::Result<Vec<NoteStatus>> {
        let sql = format!("SELECT at, text, times FROM note WHERE run = {run} ORDER BY at, text");
        list(&self.conn, &sql, |row| Ok(NoteStatus { at: rfc3339(row.get(0)?), text: row.get(1)?, times: row.get(2)? }))
    }
}

/// A rate over at least one second; shorter times say nothing.
pub(super) fn per_second(count: u64, from: i64, to: i64) -> Option<f64> {
    (to - from >= 1000).then(|| (count as f64 / seconds(from, to) * 10.0).round() / 10.0)
}
