//! What keeps the full copy to its limits, and what the limits mean for the size of a chunk.

use super::read::{CHUNK_BYTES, CHUNK_ROWS};
use crate::{
    event::StopToken,
    phase::throttle::{Bucket, Limit, Limits, Pace},
};

/// The limits of the full copy, shared by all of its readers.
#[derive(Debug)]
pub struct Throttle {
    limits: Limits,
    queries: Bucket,
    pace: Pace,
    /// Fewer rows in a chunk than usual.
    chunk_rows: Option<u64>,
}

impl Throttle {
    /// Keeps to these limits, as they are at any time.
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), queries: Bucket::new(limits, Limit::FullQueries), pace: Pace::full(limits), chunk_rows: None }
    }

    /// Ends every chunk after so many rows at the latest, whatever the rates; for tests that want many chunks of few rows.
    #[must_use]
    pub fn with_chunks_of(mut self, rows: Option<u64>) -> Self {
        self.chunk_rows = rows.map(|rows| rows.max(1));
        self
    }

    /// Range copies at once as somebody wants them now; `None` when nobody has said.
    pub(super) fn threads(&self) -> Option<usize> {
        self.limits.get(Limit::Threads).map(|_| self.limits.threads())
    }

    /// Rows after which a reader should pay, so that no payment is longer than about a tenth of a second.
    pub(super) fn rows_at_once(&self) -> u64 {
        self.pace.rows_at_once()
    }

    /// Bytes after which a reader should pay.
    pub(super) fn bytes_at_once(&self) -> u64 {
        self.pace.bytes_at_once()
    }

    /// Bytes after which a chunk ends. Under a limit a chunk takes about two seconds, so that no transaction of ours holds locks for long.
    pub(super) fn chunk_bytes(&self) -> u64 {
        self.bytes_at_once().saturating_mul(20).min(CHUNK_BYTES)
    }

    /// Rows after which a chunk ends.
    pub(super) fn chunk_rows(&self) -> u64 {
        self.rows_at_once().saturating_mul(20).min(self.chunk_rows.unwrap_or(CHUNK_ROWS))
    }

    /// Waits until one more statement may be sent.
    pub(super) fn query(&self, stops: [&StopToken; 2]) {
        self.queries.pay(1, &stops);
    }

    /// Pays for rows that have been read and waits as long as it takes.
    pub(super) fn rows(&self, rows: u64, bytes: u64, stops: [&StopToken; 2]) {
        self.pace.pay(rows, bytes, &stops);
    }
}
