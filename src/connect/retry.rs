//! Trying again: with growing pauses, inside a budget of wall time, visible as a wait, and ended at once by a stop.
//!
//! There are two budgets, as `retry.connection` and `retry.other` of the spec: one for connections that break or cannot be had, one for
//! statements that fail for a passing reason. The first begins anew as soon as a server answers again; both begin anew whenever the
//! work says that it got further ([`Attempt::progress`]).

use std::{
    cell::Cell,
    hash::{BuildHasher, Hasher},
    time::{Duration, Instant},
};

use super::error::ConnectError;
use crate::event::{Event, Observer, StopToken};

/// How long to go on trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// For connections: `retry.connection`.
    pub connection: Duration,
    /// For statements that fail: `retry.other`.
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
    /// The budget is used up.
    #[error("gave up after {} tries in {}: {last}", tries, for_people(*waited))]
    GaveUp {
        /// How often it was tried.
        tries: u32,
        /// Time since the first failure in a row.
        waited: Duration,
        /// The last error.
        last: E,
    },
    /// No other try would help.
    #[error(transparent)]
    Permanent(E),
}

impl<E: std::error::Error + 'static> RetryError<E> {
    /// The error of the last try; `None` after a stop.
    pub fn into_last(self) -> Option<E> {
        match self {
            Self::Stopped => None,
            Self::GaveUp { last, .. } | Self::Permanent(last) => Some(last),
        }
    }
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
pub trait Pacer {
    /// Time since some fixed moment.
    fn elapsed(&self) -> Duration;
    /// Waits so long, or until a stop is asked for.
    fn pause(&self, time: Duration, stop: &StopToken);
    /// A random number.
    fn random(&self) -> u64;
}

struct RealPacer(Instant);

impl Pacer for RealPacer {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, time: Duration, stop: &StopToken) {
        stop.wait(time);
    }

    fn random(&self) -> u64 {
        // The standard library seeds each of these afresh.
        std::hash::RandomState::new().build_hasher().finish()
    }
}

/// The longest pause between two tries.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Does `work` until it succeeds, fails for good, uses up its budget or is told to stop. `who` names the waits in status.
///
/// # Errors
/// See [`RetryError`].
pub fn retry<T, E: Retryable + std::error::Error + 'static>(
    budget: Budget,
    stop: &StopToken,
    observer: &dyn Observer,
    who: &str,
    work: impl FnMut(&Attempt) -> Result<T, E>,
) -> Result<T, RetryError<E>> {
    retry_with(&RealPacer(Instant::now()), budget, stop, observer, who, work)
}

/// [`retry`] with a time of one's own.
///
/// # Errors
/// See [`RetryError`].
pub fn retry_with<T, E: Retryable + std::error::Error + 'static>(
    pacer: &dyn Pacer,
    budget: Budget,
    stop: &StopToken,
    observer: &dyn Observer,
    who: &str,
    mut work: impl FnMut(&Attempt) -> Result<T, E>,
) -> Result<T, RetryError<E>> {
    let mut waiting = false;
    let mut tries = 0;
    let mut row = Row::default();
    let result = loop {
        if stop.is_stopped() {
            break Err(RetryError::Stopped);
        }
        let attempt = Attempt { number: tries, progressed: Cell::new(false) };
        let error = match work(&attempt) {
            Ok(done) => break Ok(done),
            Err(error) => error,
        };
        tries += 1;
        let now = pacer.elapsed();
        if attempt.progressed.get() {
            row = Row::default();
        }
        let (since, window) = if error.is_connection() {
            (&mut row.connection, budget.connection)
        } else if error.is_transient() {
            // The server has answered: the connection is there.
            row.connection = None;
            (&mut row.other, budget.other)
        } else {
            break Err(RetryError::Permanent(error));
        };
        let since = *since.get_or_insert(now);
        let waited = now.saturating_sub(since);
        if waited >= window {
            break Err(RetryError::GaveUp { tries, waited, last: error });
        }
        // The last try is made when the window ends, not up to half a minute before.
        let pause = row.next_pause(pacer.random()).min(window - waited);
        waiting = true;
        let left = for_people(window - waited);
        let reason = format!("{error} (next try in {}, giving up in {left})", for_people(pause));
        observer.observe(&Event::Waiting { who: who.to_owned(), reason });
        pacer.pause(pause, stop);
    };
    if waiting {
        observer.observe(&Event::WaitOver { who: who.to_owned() });
    }
    result
}

/// Failures in a row: when each kind began, and how long the last pause was.
#[derive(Default)]
struct Row {
    connection: Option<Duration>,
    other: Option<Duration>,
    pause: Option<Duration>,
}

impl Row {
    /// Twice the one before up to the cap, then between half and all of it, so that many sessions do not come back in step.
    fn next_pause(&mut self, random: u64) -> Duration {
        let pause = self.pause.map_or(FIRST_PAUSE, |before| (before * 2).min(LONGEST_PAUSE));
        self.pause = Some(pause);
        pause / 2 + (pause / 2).mul_f64((random >> 11) as f64 / (1u64 << 53) as f64)
    }
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

    impl Pacer for FakePacer {
        fn elapsed(&self) -> Duration {
            self.now.get()
        }
        fn pause(&self, time: Duration, _: &StopToken) {
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

    const BUDGET: Budget = Budget { connection: Duration::from_secs(600), other: Duration::from_secs(60) };

    fn run(
        pacer: &FakePacer,
        seen: &Seen,
        work: impl FnMut(&Attempt) -> Result<u32, ConnectError>,
    ) -> Result<u32, RetryError<ConnectError>> {
        retry_with(pacer, BUDGET, &StopToken::default(), seen, "full copy", work)
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
        let Err(RetryError::GaveUp { waited, last, .. }) = run(&pacer, &seen, |_| Err(deadlock())) else { panic!("did not give up") };
        assert_eq!(waited, BUDGET.other, "the last try is at the very end of the window");
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
            let minutes = pacer.elapsed().as_secs() / 60;
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
            if pacer.elapsed() < Duration::from_secs(600) { Err(deadlock()) } else { Ok(1) }
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
                let budget = Budget { connection: Duration::from_secs(3600), other: Duration::from_secs(60) };
                retry(budget, &stop, &Seen::default(), "x", |_| Err::<(), _>(lost()))
            });
            stop.stop();
            assert!(matches!(waits.join().unwrap(), Err(RetryError::Stopped)));
        });
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
