//! Rate limits shared by all readers: queries, rows and bytes per second of the full copy.
//!
//! A limiter is a leaky bucket over real time: each taker reserves its share of the future and is told how long to wait. The burst is
//! small (a tenth of a second), so that the rate holds over any second and not only on the average.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::read::{CHUNK_BYTES, CHUNK_ROWS};
use crate::event::StopToken;

/// Longest nap, so that a stop is heeded at once.
const NAP: Duration = Duration::from_millis(100);

/// How much may pass unpaid after a pause, in seconds of the rate.
const BURST: f64 = 0.1;

#[derive(Debug)]
struct Bucket {
    per_second: f64,
    /// When everything taken so far will have been paid for.
    free_at: Mutex<Option<Instant>>,
}

impl Bucket {
    fn new(per_second: f64) -> Self {
        Self { per_second, free_at: Mutex::new(None) }
    }

    /// Takes `amount` and says how long to wait from `now`.
    fn take(&self, amount: f64, now: Instant) -> Duration {
        let cost = Duration::from_secs_f64(amount / self.per_second);
        let mut slot = self.free_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let earliest = now.checked_sub(Duration::from_secs_f64(BURST)).unwrap_or(now);
        let free_at = slot.map_or(earliest, |at| at.max(earliest)) + cost;
        *slot = Some(free_at);
        free_at.saturating_duration_since(now)
    }
}

/// The limits of `throttle.full`; an absent one does not limit.
#[derive(Debug, Default)]
pub struct Throttle {
    queries: Option<Bucket>,
    rows: Option<Bucket>,
    bytes: Option<Bucket>,
    /// Fewer rows in a chunk than usual.
    chunk_rows: Option<u64>,
}

impl Throttle {
    /// Limits per second: statements to the source, rows, bytes of column values.
    pub fn new(queries: Option<f64>, rows: Option<f64>, bytes: Option<f64>) -> Self {
        let bucket = |rate: Option<f64>| rate.filter(|r| *r > 0.0).map(Bucket::new);
        Self { queries: bucket(queries), rows: bucket(rows), bytes: bucket(bytes), chunk_rows: None }
    }

    /// Ends every chunk after so many rows at the latest, whatever the rates; for tests that want many chunks of few rows.
    #[must_use]
    pub fn with_chunks_of(mut self, rows: Option<u64>) -> Self {
        self.chunk_rows = rows.map(|rows| rows.max(1));
        self
    }

    /// Rows after which a reader should pay, so that no payment is longer than about a tenth of a second.
    pub(super) fn rows_at_once(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small positive range")]
        self.rows.as_ref().map_or(u64::MAX, |b| (b.per_second / 10.0).clamp(1.0, 1e6) as u64)
    }

    /// Bytes after which a reader should pay.
    pub(super) fn bytes_at_once(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small positive range")]
        self.bytes.as_ref().map_or(u64::MAX, |b| (b.per_second / 10.0).clamp(1.0, 1e9) as u64)
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
        if let Some(bucket) = &self.queries {
            nap(bucket.take(1.0, Instant::now()), stops);
        }
    }

    /// Pays for rows that have been read and waits as long as it takes.
    #[expect(clippy::cast_precision_loss, reason = "counts of a tenth of a second")]
    pub(super) fn rows(&self, rows: u64, bytes: u64, stops: [&StopToken; 2]) {
        let now = Instant::now();
        let for_rows = self.rows.as_ref().map_or(Duration::ZERO, |b| b.take(rows as f64, now));
        let for_bytes = self.bytes.as_ref().map_or(Duration::ZERO, |b| b.take(bytes as f64, now));
        nap(for_rows.max(for_bytes), stops);
    }
}

fn nap(mut left: Duration, stops: [&StopToken; 2]) {
    while !left.is_zero() && !stops.iter().any(|s| s.is_stopped()) {
        let slice = left.min(NAP);
        std::thread::park_timeout(slice);
        left = left.saturating_sub(slice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_pass_its_rate_and_a_small_burst() {
        let bucket = Bucket::new(1000.0);
        let start = Instant::now();
        let mut now = start;
        let mut taken = 0.0;
        while now < start + Duration::from_secs(10) {
            now += bucket.take(50.0, now);
            taken += 50.0;
        }
        assert!((10_000.0..=10_200.0).contains(&taken), "{taken}");
        // A pause does not save up more than the burst.
        now += Duration::from_secs(60);
        assert!(bucket.take(100.0, now).is_zero());
        assert!(!bucket.take(100.0, now).is_zero());
    }
}
