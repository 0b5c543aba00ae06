//! What stops a run from outside: signals, the control row, a time limit, a lost lock, a state file that cannot be written.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use crate::{
    cli::{set::setting, signals, until::stop_at},
    clock::Clock,
    connect::{GlobalLock, Login},
    event::{Event, Observer, StopToken},
    phase::{
        incremental::{
            Goal,
            hold::{Hold, LONGEST},
        },
        throttle::Limits,
    },
    state::{ControlWatch, Requests},
};

/// Why a run was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// SIGINT or SIGTERM.
    Signal,
    /// `dtsctl stop`.
    Asked,
    /// `--time-limit`.
    TimeLimit,
    /// Another run took the lock at the destination.
    LockLost(String),
}

/// Watches on a thread of its own until dropped.
pub(super) struct Watch {
    end: StopToken,
    thread: Option<std::thread::JoinHandle<()>>,
    reason: Arc<Mutex<Option<Reason>>>,
}

/// What is watched.
pub(super) struct Watched<'a> {
    pub(super) state: &'a Path,
    pub(super) limit: Option<Duration>,
    pub(super) lock: GlobalLock,
    pub(super) login: Login,
    pub(super) task: String,
    pub(super) stop: StopToken,
    /// Where the incremental phase ends; `dtsctl stop --at` changes it.
    pub(super) goal: Goal,
    /// Where the incremental phase stands still for a moment; `dtsctl verify` asks for it.
    pub(super) hold: Hold,
    /// Says how old a request is.
    pub(super) clock: Clock,
    /// What `dtsctl set` changes.
    pub(super) limits: Limits,
    pub(super) observer: Arc<dyn Observer>,
}

/// How often signals, the control row and the clock are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How often the lock is asked after. The server drops an idle session's lock after five minutes.
const LOCK_TICK: Duration = Duration::from_secs(20);

impl Watch {
    /// Begins to watch. The first signal asks for a clean stop, the second ends the process at once with exit 5.
    pub(super) fn start(watched: Watched<'_>) -> std::io::Result<Self> {
        let signalled = signals::flag()?;
        let control = ControlWatch::open(watched.state).map_err(std::io::Error::other)?;
        let end = StopToken::default();
        let reason: Arc<Mutex<Option<Reason>>> = Arc::default();
        let (until, why) = (end.clone(), Arc::clone(&reason));
        let Watched { limit, mut lock, login, task, stop, goal, hold, clock, limits, observer, .. } = watched;
        let started = Instant::now();
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
            let mut asked_lock = Instant::now();
            let mut known = Requests::default();
            while !until.wait(TICK) {
                let mut found = None;
                // A file that cannot be read now is the writer's business.
                if let Ok(requests) = control.requests() {
                    heed(&requests, &known, &goal, &limits, observer.as_ref());
                    if requests.hold != known.hold {
                        stand_still(requests.hold.as_ref(), &hold, &clock);
                    }
                    known = requests;
                }
                if signalled.load(Ordering::SeqCst) {
                    found = Some(Reason::Signal);
                } else if known.stop.as_deref() == Some("now") {
                    found = Some(Reason::Asked);
                } else if limit.is_some_and(|limit| started.elapsed() >= limit) {
                    found = Some(Reason::TimeLimit);
                } else if asked_lock.elapsed() >= LOCK_TICK {
                    asked_lock = Instant::now();
                    if !lock.is_still_held().unwrap_or(false) {
                        match lock.take_again(&login, &task) {
                            Ok(None) => {}
                            Ok(Some(holder)) => found = Some(Reason::LockLost(holder.to_string())),
                            // A destination that cannot be reached right now is the phases' business; they wait for it.
                            Err(_) => {}
                        }
                    }
                }
                if let Some(found) = found
                    && !stop.is_stopped()
                {
                    *why.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                    stop.stop();
                }
            }
        })?;
        Ok(Self { end, thread: Some(thread), reason })
    }

    /// Why the run was stopped, if it was.
    pub(super) fn reason(&self) -> Option<Reason> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Does what is asked for now and was not before. The commands have checked it; what a later version may ask is passed over.
fn heed(requests: &Requests, known: &Requests, goal: &Goal, limits: &Limits, observer: &dyn Observer) {
    if let Some(at) = requests.stop.as_deref().filter(|_| requests.stop != known.stop)
        && let Ok(point) = stop_at(at)
    {
        goal.change(point);
    }
    let mut changed = false;
    for (key, text) in requests.settings.iter().filter(|setting| !known.settings.contains(setting)) {
        if let Ok((limit, value)) = setting(key, text) {
            limits.set(limit, value);
            changed = true;
        }
    }
    if changed {
        observer.observe(&Event::LimitsChanged { limits: limits.in_force() });
    }
}

/// Holds, or lets go. What cannot be read asks for nothing.
fn stand_still(request: Option<&(String, i64)>, hold: &Hold, clock: &Clock) {
    let Some((at, requested)) = request else { return hold.release() };
    let age = Duration::from_millis(u64::try_from(clock.now_ms() - requested).unwrap_or(0));
    let left = LONGEST.saturating_sub(age);
    match serde_json::from_str(at) {
        Ok(position) => hold.ask(Some(position), left),
        Err(_) if at == "now" => hold.ask(None, left),
        Err(_) => hold.release(),
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
