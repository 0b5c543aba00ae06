//! Rate limits that can be changed while a phase runs, and what makes a phase keep to them.
//!
//! A limiter is a leaky bucket over real time: each taker reserves its share of the future and is told how long to wait. The burst is
//! small (a tenth of a second), so that the rate holds over any second and not only on the average. A limit that is changed holds at
//! once: whoever waits under the old one stops waiting, and nothing is owed from before.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::event::StopToken;

/// Longest nap, so that a stop and a changed limit are heeded at once.
const NAP: Duration = Duration::from_millis(100);

/// How much may pass unpaid after a pause, in seconds of the rate.
const BURST: f64 = 0.1;

/// What can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Statements to the source in a second, of the full copy.
    FullQueries,
    /// Rows in a second, of the full copy.
    FullRows,
    /// Megabytes (10^6 bytes) in a second, of the full copy.
    FullMegabytes,
    /// Row changes in a second, of the incremental phase.
    IncrementalRows,
    /// Megabytes (10^6 bytes) in a second, of the incremental phase.
    IncrementalMegabytes,
    /// Copies at once, 1 to 64.
    Threads,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::FullQueries, Self::FullRows, Self::FullMegabytes, Self::IncrementalRows, Self::IncrementalMegabytes, Self::Threads];

    /// As the spec and `dtsctl set` write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullQueries => "throttle.full.qps",
            Self::FullRows => "throttle.full.rps",
            Self::FullMegabytes => "throttle.full.mbps",
            Self::IncrementalRows => "throttle.incremental.rps",
            Self::IncrementalMegabytes => "throttle.incremental.mbps",
            Self::Threads => "threads",
        }
    }
}

/// The limits of a run, shared by all who keep to them and by who changes them. Cheap to clone; without any at first.
#[derive(Debug, Clone, Default)]
pub struct Limits(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Bits of an `f64` each, in the order of [`Limit::ALL`]; 0 does not limit.
    values: [AtomicU64; 6],
    /// Counts changes.
    changes: AtomicU64,
}

impl Limits {
    /// The limit; `None` does not limit.
    pub fn get(&self, limit: Limit) -> Option<f64> {
        let value = f64::from_bits(self.0.values[limit as usize].load(Ordering::SeqCst));
        (value > 0.0).then_some(value)
    }

    /// Sets or, with `None` and with anything not above 0, lifts a limit.
    pub fn set(&self, limit: Limit, value: Option<f64>) {
        let value = value.filter(|v| v.is_finite() && *v > 0.0).unwrap_or(0.0);
        self.0.values[limit as usize].store(value.to_bits(), Ordering::SeqCst);
        self.0.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Copies at once; 1 when nobody has said.
    pub fn threads(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of 1 to 64")]
        self.get(Limit::Threads).map_or(1, |n| n.clamp(1.0, 64.0) as usize)
    }

    /// All that are in force, by name.
    pub fn in_force(&self) -> Vec<(&'static str, f64)> {
        Limit::ALL.into_iter().filter_map(|limit| Some((limit.name(), self.get(limit)?))).collect()
    }

    fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::SeqCst)
    }
}

/// Keeps its takers to one of the limits.
#[derive(Debug)]
pub struct Bucket {
    limits: Limits,
    limit: Limit,
    /// How much of what is taken makes one of what the limit counts.
    unit: f64,
    slot: Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    /// When everything taken so far will have been paid for.
    free_at: Option<Instant>,
    /// Under which limits that was reckoned.
    changes: u64,
}

impl Bucket {
    /// A bucket for one of the limits. What is taken is counted in rows, statements or bytes.
    pub fn new(limits: &Limits, limit: Limit) -> Self {
        let unit = if matches!(limit, Limit::FullMegabytes | Limit::IncrementalMegabytes) { 1e6 } else { 1.0 };
        Self { limits: limits.clone(), limit, unit, slot: Mutex::default() }
    }

    /// Rows, statements or bytes in a second; `None` does not limit.
    pub fn rate(&self) -> Option<f64> {
        self.limits.get(self.limit).map(|value| value * self.unit)
    }

    /// Takes `amount` and says how long to wait from `now`.
    fn take(&self, amount: f64, now: Instant) -> Duration {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = self.limits.changes();
        if slot.changes != changes {
            *slot = Slot { free_at: None, changes };
        }
        let Some(rate) = self.rate() else { return Duration::ZERO };
        let cost = Duration::try_from_secs_f64(amount / rate).unwrap_or(Duration::from_secs(3600));
        let earliest = now.checked_sub(Duration::from_secs_f64(BURST)).unwrap_or(now);
        let free_at = slot.free_at.map_or(earliest, |at| at.max(earliest)) + cost;
        slot.free_at = Some(free_at);
        free_at.saturating_duration_since(now)
    }

    /// Takes `amount` and waits as long as that takes, a stop is asked for, or the limits change.
    #[expect(clippy::cast_precision_loss, reason = "counts of a fraction of a second")]
    pub fn pay(&self, amount: u64, stops: &[&StopToken]) {
        nap(self.take(amount as f64, Instant::now()), &self.limits, stops);
    }
}

/// Limits of rows and bytes together.
#[derive(Debug)]
pub struct Pace {
    rows: Bucket,
    bytes: Bucket,
}

impl Pace {
    /// Of the full copy.
    pub fn full(limits: &Limits) -> Self {
        Self { rows: Bucket::new(limits, Limit::FullRows), bytes: Bucket::new(limits, Limit::FullMegabytes) }
    }

    /// Of the incremental phase.
    pub fn incremental(limits: &Limits) -> Self {
        Self { rows: Bucket::new(limits, Limit::IncrementalRows), bytes: Bucket::new(limits, Limit::IncrementalMegabytes) }
    }

    /// Neither rows nor bytes are limited, as things stand.
    pub fn is_free(&self) -> bool {
        self.rows.rate().is_none() && self.bytes.rate().is_none()
    }

    /// Rows after which one should pay, so that no payment is longer than about a tenth of a second.
    pub fn rows_at_once(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small positive range")]
        self.rows.rate().map_or(u64::MAX, |rate| (rate / 10.0).clamp(1.0, 1e6) as u64)
    }

    /// Bytes after which one should pay.
    pub fn bytes_at_once(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small positive range")]
        self.bytes.rate().map_or(u64::MAX, |rate| (rate / 10.0).clamp(1.0, 1e9) as u64)
    }

    /// Pays for rows and bytes and waits as long as it takes, a stop is asked for, or the limits change.
    #[expect(clippy::cast_precision_loss, reason = "counts of a fraction of a second")]
    pub fn pay(&self, rows: u64, bytes: u64, stops: &[&StopToken]) {
        let now = Instant::now();
        let (for_rows, for_bytes) = (self.rows.take(rows as f64, now), self.bytes.take(bytes as f64, now));
        nap(for_rows.max(for_bytes), &self.rows.limits, stops);
    }
}

fn nap(mut left: Duration, limits: &Limits, stops: &[&StopToken]) {
    let changes = limits.changes();
    while !left.is_zero() && !stops.iter().any(|s| s.is_stopped()) && limits.changes() == changes {
        let slice = left.min(NAP);
        std::thread::park_timeout(slice);
        left = left.saturating_sub(slice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(rows: f64) -> (Limits, Bucket) {
        let limits = Limits::default();
        limits.set(Limit::FullRows, Some(rows));
        let bucket = Bucket::new(&limits, Limit::FullRows);
        (limits, bucket)
    }

    #[test]
    fn a_bucket_lets_pass_its_rate_and_a_small_burst() {
        let (_, bucket) = limited(1000.0);
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

    #[test]
    fn a_changed_limit_holds_at_once() {
        let (limits, bucket) = limited(1.0);
        let now = Instant::now();
        assert!(bucket.take(1000.0, now) > Duration::from_secs(900));
        limits.set(Limit::FullRows, Some(1000.0));
        assert!(bucket.take(100.0, now).is_zero(), "nothing is owed from before");
        limits.set(Limit::FullRows, None);
        assert!(bucket.take(1e9, now).is_zero());
        assert_eq!(limits.in_force(), []);
        // Somebody who waits is woken.
        limits.set(Limit::FullRows, Some(1.0));
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| bucket.pay(3600, &[]));
            std::thread::park_timeout(Duration::from_millis(50));
            limits.set(Limit::FullRows, None);
        });
        assert!(start.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn megabytes_are_a_million_bytes() {
        let limits = Limits::default();
        limits.set(Limit::IncrementalMegabytes, Some(2.5));
        let pace = Pace::incremental(&limits);
        assert_eq!((pace.is_free(), pace.rows_at_once(), pace.bytes_at_once()), (false, u64::MAX, 250_000));
        assert!(Pace::full(&limits).is_free());
        assert_eq!(limits.in_force(), [("throttle.incremental.mbps", 2.5)]);
    }
}
