//! The events of a run in the log: what it did at `info`, each statement and chunk at `debug`, moments at `trace`.

use crate::event::{DdlOutcome, Event, Observer};

/// Writes events into the log.
pub(super) struct Log;

impl Observer for Log {
    fn observe(&self, event: &Event) {
        match event {
            Event::PhaseStarted { phase } => tracing::info!(phase = phase.name(), "phase started"),
            Event::PhaseFinished { phase } => tracing::info!(phase = phase.name(), "phase finished"),
            Event::StatementStarted { action, index, object, sql } => tracing::debug!(action, index, object, sql, "statement started"),
            Event::StatementFinished { action, index, milliseconds, warnings, .. } => {
                tracing::info!(action, index, milliseconds, "statement finished");
                for (code, text) in warnings {
                    tracing::info!(action, index, code, text, "the server warned");
                }
            }
            Event::StatementFailed { action, index, error } => tracing::info!(action, index, error, "statement failed"),
            Event::TableStarted { table, destination, rows_estimate, rows_done, ranges, .. } => {
                tracing::info!(%table, %destination, rows_estimate, rows_done, ranges, "table started");
            }
            Event::ChunkCommitted { table, range, chunk, read, written, found, bytes, milliseconds } => {
                tracing::debug!(%table, range, chunk, read, written, found, bytes, milliseconds, "chunk committed");
            }
            Event::RangeFinished { table, range } => tracing::debug!(%table, range, "range finished"),
            Event::TableFinished { table, rows, bytes } => tracing::info!(%table, rows, bytes, "table finished"),
            Event::Waiting { who, reason } => tracing::info!(who, reason, "waiting"),
            Event::WaitOver { who } => tracing::info!(who, "the wait is over"),
            Event::Note { text } => tracing::info!(text, "note"),
            Event::Moment { name } => tracing::trace!(name, "moment"),
            Event::FollowStarted { from, until, lanes } => tracing::info!(%from, until, lanes, "follows the binlog"),
            Event::BatchCommitted(batch) => {
                let (position, transactions, row_events, micros) = (&batch.position, batch.transactions, batch.row_events, batch.micros);
                tracing::debug!(%position, transactions, row_events, micros, "batch committed");
            }
            Event::FollowMoved { position } => tracing::debug!(%position, "position moved"),
            Event::Lag(lag) => {
                let (applied, read, micros, idle) = (&lag.applied, &lag.read, lag.micros, lag.idle);
                tracing::debug!(%applied, %read, micros, idle, "lag");
            }
            Event::BinlogKept(kept) => {
                let (removed_after, oldest_age, needed) = (kept.retention.removed_after, kept.retention.oldest_age, kept.needed);
                tracing::info!(removed_after, oldest_age, needed, short = kept.retention.is_short_of(needed), "binlog kept at the source");
            }
            Event::CaughtUp { position } => tracing::info!(%position, "caught up"),
            Event::ConflictMet { table, kind, key, rows } => tracing::info!(%table, kind, ?key, rows, "conflict"),
            Event::LeftOut { table, kind, rows } => tracing::debug!(%table, kind, rows, "left out by `operations`"),
            Event::DdlSeen(ddl) => {
                let (place, class, object, sql) = (&ddl.place, &ddl.class, &ddl.object, &ddl.sql);
                match &ddl.outcome {
                    DdlOutcome::Carried { milliseconds, .. } => {
                        tracing::info!(%place, class, object, milliseconds, sql, "statement carried")
                    }
                    DdlOutcome::Skipped { reason } => tracing::info!(%place, class, object, reason, "statement skipped"),
                    DdlOutcome::Failed { error } => {
                        tracing::info!(%place, class, object, error, sql, "statement refused by the destination")
                    }
                }
            }
            Event::LimitsChanged { limits } => tracing::info!(?limits, "limits in force"),
            Event::TablesPlanned { tables } => tracing::info!(tables = tables.len(), "tables planned"),
        }
    }
}
