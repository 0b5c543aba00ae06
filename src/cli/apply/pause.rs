//! For the crash tests: halts the run at a named moment, so that a test can kill it exactly there.
//!
//! `DTSCTL_TEST_PAUSE=chunk-loaded:3` says `paused at chunk-loaded` on standard error when that moment is reached for the third time,
//! and the thread that reached it goes no further. With `:stdin` behind it, it goes on when standard input ends.
//!
//! `DTSCTL_TEST_CHUNK=500` makes chunks of 500 rows, so that a small table has many of them and a kill has many places to hit.
//! `DTSCTL_TEST_BATCH=20` does the same for the batches of the incremental phase, and with `DTSCTL_TEST_MEMORY=100000` a transaction of more
//! than so many bytes counts as large.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    cli::context::variable,
    event::{Event, Observer},
};

/// Rows of a chunk, where a test wants few.
pub(super) fn chunk_rows() -> Option<u64> {
    variable("DTSCTL_TEST_CHUNK")?.parse().ok()
}

/// Rows of a batch of the incremental phase, where a test wants few.
pub(super) fn batch_rows() -> Option<u64> {
    variable("DTSCTL_TEST_BATCH")?.parse().ok()
}

/// Bytes in memory after which a transaction is written as it is read, where a test wants few.
pub(super) fn memory() -> Option<usize> {
    variable("DTSCTL_TEST_MEMORY")?.parse().ok()
}

/// Halts at the n-th time of a moment.
pub(super) struct Pause {
    name: String,
    at: u64,
    goes_on: bool,
    seen: AtomicU64,
}

impl Pause {
    /// Reads `NAME`, `NAME:N` or `NAME:N:stdin`.
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default().to_owned();
        let at = parts.next().and_then(|at| at.parse().ok()).unwrap_or(1);
        Self { name, at, goes_on: parts.next() == Some("stdin"), seen: AtomicU64::new(0) }
    }
}

fn name_of(event: &Event) -> &'static str {
    match event {
        Event::Moment { name } => name,
        Event::PhaseStarted { .. } => "phase-started",
        Event::PhaseFinished { .. } => "phase-finished",
        Event::StatementStarted { .. } => "statement-started",
        Event::StatementFinished { .. } => "statement-finished",
        Event::TableStarted { .. } => "table-started",
        Event::ChunkCommitted { .. } => "chunk-reported",
        Event::RangeFinished { .. } => "range-finished",
        Event::TableFinished { .. } => "table-finished",
        _ => "",
    }
}

impl Observer for Pause {
    fn observe(&self, event: &Event) {
        if name_of(event) != self.name || self.seen.fetch_add(1, Ordering::SeqCst) + 1 != self.at {
            return;
        }
        // Standard error itself, and not through the report: the reader is a test.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("paused at {}\n", self.name).as_bytes());
        if self.goes_on {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            return;
        }
        loop {
            std::thread::park();
        }
    }
}
