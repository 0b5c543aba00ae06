//! Trying again: how long, how often, and saying so while it waits.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use crate::event::{Event, Observer, StopToken};

/// The two windows of the spec's `retry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryWindows {
    /// For lost or refused connections.
    pub connection: Duration,
    /// For statements that fail and may succeed later.
    pub other: Duration,
}

/// Keeps count of how long something has been failing. The window begins with the first failure and anew after every success.
pub struct Patience<'a> {
    windows: RetryWindows,
    who: String,
    observer: &'a dyn Observer,
    stops: Vec<&'a StopToken>,
    failing_since: Option<Instant>,
    attempts: u32,
}

/// First pause; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl<'a> Patience<'a> {
    /// `who` names the waiting party in status.
    pub fn new(windows: RetryWindows, who: String, observer: &'a dyn Observer, stops: Vec<&'a StopToken>) -> Self {
        Self { windows, who, observer, stops, failing_since: None, attempts: 0 }
    }

    /// It works again.
    pub fn succeeded(&mut self) {
        if self.failing_since.take().is_some() {
            self.observer.observe(&Event::WaitOver { who: self.who.clone() });
        }
        self.attempts = 0;
    }

    /// A connection failed: waits. `Ok(false)` when a stop was asked for meanwhile.
    ///
    /// # Errors
    /// The name of the window when it is used up.
    pub fn connection_failed(&mut self, error: &dyn Display) -> Result<bool, &'static str> {
        self.failed(self.windows.connection, "retry.connection", error)
    }

    /// A statement failed that may succeed later: waits. `Ok(false)` when a stop was asked for meanwhile.
    ///
    /// # Errors
    /// The name of the window when it is used up.
    pub fn statement_failed(&mut self, error: &dyn Display) -> Result<bool, &'static str> {
        self.failed(self.windows.other, "retry.other", error)
    }

    fn failed(&mut self, window: Duration, name: &'static str, error: &dyn Display) -> Result<bool, &'static str> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let left = window.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Err(name);
        }
        let pause = (FIRST_PAUSE * 2u32.saturating_pow(self.attempts.min(10))).min(LONGEST_PAUSE).min(left);
        self.attempts += 1;
        let reason = format!("{error} (next try in {:.1} s, gives up in {} s)", pause.as_secs_f64(), left.as_secs());
        self.observer.observe(&Event::Waiting { who: self.who.clone(), reason });
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if self.stops.iter().any(|s| s.is_stopped()) {
                return Ok(false);
            }
            std::thread::park_timeout(Duration::from_millis(50).min(pause));
        }
        Ok(true)
    }
}
