//! The events of a run in the log: what it did at `info`, each statement and chunk at `debug`, moments at `trace`.

use crate::event::{Event, Observer};

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
            Event::TablesPlanned { tables } => tracing::info!(tables = tables.len(), "tables planned"),
        }
    }
}
