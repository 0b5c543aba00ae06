//! Trying again: with growing pauses, inside a window of wall time, visible as a wait, and ended at once by a stop.
//!
//! There are two windows, as `retry.connection` and `retry.other` of the spec: one for connections that break or cannot be had, one for
//! statements that fail for a passing reason. The first begins anew as soon as a server answers again; both begin anew whenever the
//! work gets further. [`Patience`] is the mechanism; [`retry`] is it around one piece of work.

use std::{
    cell::Cell,
    fmt::Display,
    hash::{BuildHasher, Hasher},
    time::{Duration, Instant},
};

use super::error::ConnectError;
use crate::event::{Event, Observer, StopToken};

/// The two windows of the spec's `retry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryWindows {
    /// For lost or refused connections.
    pub connection: Duration,
    /// For statements that fail and may succeed later.
    pub other: Duration,
}

/// An error that knows whether another try may help.
pub trait Retryable: std::fmt::Display {
    /// The connection broke or cannot be had; another may.
    fn is_connection(&self) -> bool;
    /// The same work may succeed later on a working connection.
    fn is_transient(&self) -> bool;
}

impl Retryable for ConnectError {
    fn is_connection(&self) -> bool {
        Self::is_connection(self)
    }

    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }
}

/// Why the trying has ended.
#[derive(Debug, thiserror::Error)]
pub enum RetryError<E: std::error::Error + 'static> {
    /// Somebody asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// A window is used up.
    #[error("gave up after {tries} tries within `{window}`: {last}")]
    GaveUp {
        /// How often it was tried.
        tries: u32,
        /// `retry.connection` or `retry.other`.
        window: &'static str,
        /// The last error.
        last: E,
    },
    /// No other try would help.
    #[error(transparent)]
    Permanent(E),
}

/// One try, as the work sees it.
#[derive(Debug, Default)]
pub struct Attempt {
    /// How many tries went before, since the beginning.
    pub number: u32,
    progressed: Cell<bool>,
}

impl Attempt {
    /// Says that the work got further than any try before, so that the budgets begin anew if it fails now.
    pub fn progress(&self) {
        self.progressed.set(true);
    }
}

/// Time and waiting, so that tests need none.
trait Pacer {
    /// Time since some fixed moment.
    fn elapsed(&self) -> Duration;
    /// Waits so long, or until one of the stops is asked for.
    fn pause(&self, time: Duration, stops: &[&StopToken]);
    /// A random number.
    fn random(&self) -> u64;
}

struct RealPacer(Instant);

impl Pacer for RealPacer {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, time: Duration, stops: &[&StopToken]) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // One stop can be waited for; several are looked at in turn.
            let slice = if stops.len() > 1 { left.min(Duration::from_millis(50)) } else { left };
            let asked = match stops.first() {
                Some(stop) => stop.wait(slice),
                None => StopToken::default().wait(slice),
            };
            if left.is_zero() || asked || stops.iter().any(|s| s.is_stopped()) {
                return;
            }
        }
    }

    fn random(&self) -> u64 {
        // The standard library seeds each of these afresh.
        std::hash::RandomState::new().build_hasher().finish()
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Keeps count of how long something has been failing. A window begins with the first failure of its kind and anew after every success.
pub struct Patience<'a> {
    windows: RetryWindows,
    who: String,
    observer: &'a dyn Observer,
    stops: Vec<&'a StopToken>,
    pacer: Box<dyn Pacer + 'a>,
    /// When the failures in a row of each kind began.
    connection_since: Option<Duration>,
    other_since: Option<Duration>,
    /// The last pause before jitter.
    pause: Option<Duration>,
    waiting: bool,
}

impl<'a> Patience<'a> {
    /// `who` names the waiting party in status.
    pub fn new(windows: RetryWindows, who: String, observer: &'a dyn Observer, stops: Vec<&'a StopToken>) -> Self {
        Self::with_pacer(Box::new(RealPacer(Instant::now())), windows, who, observer, stops)
    }

    fn with_pacer(
        pacer: Box<dyn Pacer + 'a>,
        windows: RetryWindows,
        who: String,
        observer: &'a dyn Observer,
        stops: Vec<&'a StopToken>,
    ) -> Self {
        Self { windows, who, observer, stops, pacer, connection_since: None, other_since: None, pause: None, waiting: false }
    }

    /// It works again, or has got further.
    pub fn succeeded(&mut self) {
        (self.connection_since, self.other_since, self.pause) = (None, None, None);
        self.wait_is_over();
    }

    /// The other side answers, so there is nothing to wait for right now. What comes next may fail as before: the windows go on.
    pub fn answered(&mut self) {
        self.wait_is_over();
    }

    /// A connection failed: waits. `Ok(false)` when a stop was asked for meanwhile.
    ///
    /// # Errors
    /// The name of the window when it is used up.
    pub fn connection_failed(&mut self, error: &dyn Display) -> Result<bool, &'static str> {
        let now = self.pacer.elapsed();
        let since = *self.connection_since.get_or_insert(now);
        self.failed(now - since, self.windows.connection, "retry.connection", error)
    }

    /// A statement failed that may succeed later: waits. `Ok(false)` when a stop was asked for meanwhile.
    ///
    /// # Errors
    /// The name of the window when it is used up.
    pub fn statement_failed(&mut self, error: &dyn Display) -> Result<bool, &'static str> {
        // The server has answered: the connection is there.
        self.connection_since = None;
        let now = self.pacer.elapsed();
        let since = *self.other_since.get_or_insert(now);
        self.failed(now - since, self.windows.other, "retry.other", error)
    }

    fn failed(&mut self, waited: Duration, window: Duration, name: &'static str, error: &dyn Display) -> Result<bool, &'static str> {
        let left = window.saturating_sub(waited);
        if left.is_zero() {
            self.wait_is_over();
            return Err(name);
        }
        // The last try is made when the window ends, not up to half a minute before.
        let pause = self.next_pause().min(left);
        let reason = format!("{error} (next try in {}, giving up in {})", for_people(pause), for_people(left));
        self.waiting = true;
        self.observer.observe(&Event::Waiting { who: self.who.clone(), reason });
        self.pacer.pause(pause, &self.stops);
        let stopped = self.stops.iter().any(|s| s.is_stopped());
        if stopped {
            self.wait_is_over();
        }
        Ok(!stopped)
    }

    /// Twice the one before up to the cap, then between half and all of it, so that many sessions do not come back in step.
    fn next_pause(&mut self) -> Duration {
        let pause = self.pause.map_or(FIRST_PAUSE, |before| (before * 2).min(LONGEST_PAUSE));
        self.pause = Some(pause);
        pause / 2 + (pause / 2).mul_f64((self.pacer.random() >> 11) as f64 / (1u64 << 53) as f64)
    }

    fn wait_is_over(&mut self) {
        if std::mem::take(&mut self.waiting) {
            self.observer.observe(&Event::WaitOver { who: self.who.clone() });
        }
    }
}

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        self.wait_is_over();
    }
}

/// Does `work` until it succeeds, fails for good, uses up a window or is told to stop. `who` names the waits in status.
///
/// # Errors
/// See [`RetryError`].
pub fn retry<T, E: Retryable + std::error::Error + 'static>(
    windows: RetryWindows,
    stop: &StopToken,
    observer: &dyn Observer,
    who: &str,
    work: impl FnMut(&Attempt) -> Result<T, E>,
) -> Result<T, RetryError<E>> {
    attempts(Patience::new(windows, who.to_owned(), observer, vec![stop]), stop, work)
}

fn attempts<T, E: Retryable + std::error::Error + 'static>(
    mut patience: Patience<'_>,
    stop: &StopToken,
    mut work: impl FnMut(&Attempt) -> Result<T, E>,
) -> Result<T, RetryError<E>> {
    for number in 0.. {
        if stop.is_stopped() {
            break;
        }
        let attempt = Attempt { number, progressed: Cell::new(false) };
        let error = match work(&attempt) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        if attempt.progressed.get() {
            patience.succeeded();
        }
        let waited = match (error.is_connection(), error.is_transient()) {
            (true, _) => patience.connection_failed(&error),
            (_, true) => patience.statement_failed(&error),
            _ => return Err(RetryError::Permanent(error)),
        };
        if let Err(window) = waited {
            return Err(RetryError::GaveUp { tries: number + 1, window, last: error });
        }
    }
    Err(RetryError::Stopped)
}

/// `850 ms`, `12 s`, `3 min`, `2 h 5 min`.
fn for_people(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct FakePacer {
        now: Cell<Duration>,
        pauses: std::cell::RefCell<Vec<Duration>>,
    }

    impl Pacer for &FakePacer {
        fn elapsed(&self) -> Duration {
            self.now.get()
        }
        fn pause(&self, time: Duration, _: &[&StopToken]) {
            self.pauses.borrow_mut().push(time);
            self.now.set(self.now.get() + time);
        }
        fn random(&self) -> u64 {
            u64::MAX
        }
    }

    #[derive(Default)]
    struct Seen(Mutex<Vec<Event>>);

    impl Observer for Seen {
        fn observe(&self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    fn lost() -> ConnectError {
        ConnectError::Lost { doing: "copying".into(), address: "db:3306".into(), reason: "broken pipe".into() }
    }

    fn deadlock() -> ConnectError {
        ConnectError::Sql { doing: "copying".into(), code: 1213, state: "40001".into(), message: "Deadlock found".into() }
    }

    fn denied() -> ConnectError {
        ConnectError::Sql { doing: "copying".into(), code: 1142, state: "42000".into(), message: "INSERT denied".into() }
    }

    const WINDOWS: RetryWindows = RetryWindows { connection: Duration::from_secs(600), other: Duration::from_secs(60) };

    fn run(
        pacer: &FakePacer,
        seen: &Seen,
        work: impl FnMut(&Attempt) -> Result<u32, ConnectError>,
    ) -> Result<u32, RetryError<ConnectError>> {
        let stop = StopToken::default();
        attempts(Patience::with_pacer(Box::new(pacer), WINDOWS, "full copy".into(), seen, vec![&stop]), &stop, work)
    }

    #[test]
    fn pauses_grow_to_the_cap_and_the_wait_is_told_and_ended() {
        let (pacer, seen) = (FakePacer::default(), Seen::default());
        let done = run(&pacer, &seen, |attempt| if attempt.number < 9 { Err(lost()) } else { Ok(7) });
        assert_eq!(done.unwrap(), 7);
        let pauses: Vec<u128> = pacer.pauses.borrow().iter().map(|p| p.as_millis().div_ceil(10) * 10).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        let seen = seen.0.into_inner().unwrap();
        assert_eq!(seen.len(), 10);
        assert!(
            matches!(&seen[0], Event::Waiting { who, reason } if who == "full copy"
            && reason.contains("broken pipe") && reason.contains("next try in 250 ms") && reason.contains("giving up in 10 min")),
            "{:?}",
            seen[0]
        );
        assert_eq!(seen[9], Event::WaitOver { who: "full copy".into() });
    }

    #[test]
    fn it_gives_up_when_the_window_is_over_and_not_before() {
        let (pacer, seen) = (FakePacer::default(), Seen::default());
        let Err(RetryError::GaveUp { window, last, .. }) = run(&pacer, &seen, |_| Err(deadlock())) else { panic!("did not give up") };
        assert_eq!(window, "retry.other");
        assert_eq!(pacer.now.get(), WINDOWS.other, "the last try is at the very end of the window");
        assert_eq!(last.code(), Some(1213));
        assert!(matches!(seen.0.into_inner().unwrap().last(), Some(Event::WaitOver { .. })));
    }

    #[test]
    fn what_no_other_try_can_mend_fails_at_once() {
        let (pacer, seen) = (FakePacer::default(), Seen::default());
        assert!(matches!(run(&pacer, &seen, |_| Err(denied())), Err(RetryError::Permanent(_))));
        assert!(seen.0.into_inner().unwrap().is_empty());
        assert!(pacer.pauses.borrow().is_empty());
    }

    #[test]
    fn an_answer_of_the_server_begins_the_connection_window_anew() {
        let (pacer, seen) = (FakePacer::default(), Seen::default());
        // Nine minutes of lost connections, one deadlock, nine more minutes: more than ten in all, never ten in a row.
        let mut answered = false;
        let done = run(&pacer, &seen, |_| {
            let minutes = pacer.now.get().as_secs() / 60;
            match minutes {
                0..9 => Err(lost()),
                9..18 if !answered => {
                    answered = true;
                    Err(deadlock())
                }
                9..18 => Err(lost()),
                _ => Ok(1),
            }
        });
        assert_eq!(done.unwrap(), 1);
    }

    #[test]
    fn progress_begins_both_windows_anew() {
        let (pacer, seen) = (FakePacer::default(), Seen::default());
        let done = run(&pacer, &seen, |attempt| {
            attempt.progress();
            if pacer.now.get() < Duration::from_secs(600) { Err(deadlock()) } else { Ok(1) }
        });
        assert_eq!(done.unwrap(), 1);
        assert!(pacer.pauses.borrow().iter().all(|p| *p <= FIRST_PAUSE), "and the pauses are short again");
    }

    #[test]
    fn a_stop_ends_a_real_wait_at_once() {
        let stop = StopToken::default();
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let windows = RetryWindows { connection: Duration::from_secs(3600), other: Duration::from_secs(60) };
                retry(windows, &stop, &Seen::default(), "x", |_| Err::<(), _>(lost()))
            });
            stop.stop();
            assert!(matches!(waits.join().unwrap(), Err(RetryError::Stopped)));
        });
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
