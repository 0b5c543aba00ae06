//! Alerts: a command of the user's is told what a person should see to while nobody looks (requirements I12).
//!
//! Purpose: events of a run in, JSON documents to the standard input of `alerts.command` out. This room must never hold up or fail a run: a
//! listener only judges and puts into a bounded queue, one thread of its own runs the command, each time with a time limit, and what goes
//! wrong there becomes a note.
//!
//! The hard idea: an alert that comes a thousand times is none. The same of the same object is told once in `alerts.repeat` with the number
//! of those held back, what goes up and down has to stay there for a while ([`judge`]), and what the queue has no room for is counted. What
//! is known here does not survive the process: a run begins with nothing told.

mod document;
mod judge;
mod send;

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

pub use document::{
    Alert, ConflictAlert, Course, DdlFailedAlert, FORMAT_VERSION, FinishedUnexpectedAlert, FullTimeoutAlert, LagAlert, StoppedAlert,
    WaitingAlert, schema,
};

use self::{
    document::{Told, What},
    judge::Judge,
    send::Command,
};
use crate::{
    clock::{Clock, rfc3339},
    event::{Event, Observer},
    spec::{AlertProgram, PasswordSource, Spec},
};

/// So many alerts wait for the command; what comes then is counted and dropped.
const QUEUE: usize = 100;

/// How often waits and limits are looked at when nothing comes.
const TICK: Duration = Duration::from_millis(500);

/// Who tells, as each document says it.
#[derive(Debug, Clone)]
pub struct Teller {
    /// The host's name.
    pub host: String,
    /// The process.
    pub pid: u32,
}

/// The alerts of one apply. Dropped without [`Alerts::close`], what still waits is lost.
pub struct Alerts {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    clock: Clock,
    /// What every document has in common.
    frame: Alert,
    command: Command,
}

struct State {
    judge: Judge,
    queue: VecDeque<Alert>,
    /// Dropped since the last one that was delivered.
    lost: u64,
    /// When the end was called.
    closed: Option<Instant>,
    /// Notes go there; without this listener, and not before a run has begun.
    notes: Option<Arc<dyn Observer>>,
    /// What went wrong with the latest delivery.
    failure: Option<String>,
}

impl Alerts {
    /// Begins to listen, for a spec with `alerts`; `None` for one without, or whose program cannot be run (a precheck says so).
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(spec: &Spec, teller: Teller, clock: &Clock) -> std::io::Result<Option<Arc<Self>>> {
        let Some(settings) = &spec.alerts else { return Ok(None) };
        let AlertProgram::Found(program) = &settings.program else { return Ok(None) };
        let passwords = [&spec.source, &spec.destination].into_iter().filter_map(|end| match &end.password_from {
            PasswordSource::Env(name) => Some(name.clone()),
            _ => None,
        });
        let command = Command {
            program: program.clone(),
            arguments: settings.command.iter().skip(1).cloned().collect(),
            folder: settings.folder.clone(),
            limit: settings.timeout,
            without: passwords.collect(),
        };
        let state =
            State { judge: Judge::new(settings.clone()), queue: VecDeque::new(), lost: 0, closed: None, notes: None, failure: None };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            clock: clock.clone(),
            frame: Alert::frame(spec, teller),
            command,
        });
        let mine = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("alerts".to_owned()).spawn(move || mine.work())?;
        Ok(Some(Arc::new(Self { shared, thread: Mutex::new(Some(thread)) })))
    }

    /// From now on what goes wrong is told there as a note. The listener must not lead back here.
    pub fn note_to(&self, notes: Arc<dyn Observer>) {
        self.shared.lock().notes = Some(notes);
    }

    /// The apply has ended with an error.
    pub fn stopped(&self, stopped: StoppedAlert) {
        self.last(What::Stopped(stopped));
    }

    /// The apply has done all it was asked for.
    pub fn finished(&self) {
        let unexpected = self.shared.lock().judge.unexpected();
        if let Some(unexpected) = unexpected {
            self.last(What::FinishedUnexpected(unexpected));
        }
    }

    /// The last word of a run goes before whatever waits.
    fn last(&self, what: What) {
        let mut state = self.shared.lock();
        if state.closed.is_none() && state.judge.wants(what.event()) {
            let alert = self.shared.document(&mut state, Told { what, repeated: 0 });
            if state.queue.len() >= QUEUE {
                state.queue.pop_back();
                state.lost += 1;
            }
            state.queue.push_front(alert);
        }
    }

    /// Delivers what waits, and ends: after at most twice `alerts.timeout`. Hands back what went wrong last. A second call does nothing.
    pub fn close(&self) -> Option<String> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        {
            let mut state = self.shared.lock();
            let held = state.judge.held();
            self.shared.enqueue(&mut state, held);
            state.closed = Some(Instant::now());
        }
        self.shared.changed.notify_all();
        let _ = thread.join();
        let mut state = self.shared.lock();
        // The listener may hold this one.
        state.notes = None;
        state.failure.take()
    }
}

impl Drop for Alerts {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.queue.clear();
        state.closed.get_or_insert_with(Instant::now);
        state.notes = None;
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Observer for Alerts {
    fn observe(&self, event: &Event) {
        if !Judge::minds(event) {
            return;
        }
        let mut state = self.shared.lock();
        let told = state.judge.event(event, Instant::now());
        if !told.is_empty() {
            self.shared.enqueue(&mut state, told);
            self.shared.changed.notify_all();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn document(&self, state: &mut State, told: Told) -> Alert {
        self.frame.with(told, state.judge.phase(), rfc3339(self.clock.now_ms()))
    }

    fn enqueue(&self, state: &mut State, told: Vec<Told>) {
        for told in told {
            if state.queue.len() >= QUEUE {
                state.lost += 1;
                continue;
            }
            let alert = self.document(state, told);
            state.queue.push_back(alert);
        }
    }

    /// Delivers one by one until the end is called and nothing waits any more, or the time for it is over.
    fn work(&self) {
        let mut first_after_end = true;
        loop {
            let alert = {
                let mut state = self.lock();
                loop {
                    if state.closed.is_none() {
                        let told = state.judge.tick(Instant::now());
                        self.enqueue(&mut state, told);
                    }
                    let late = state.closed.is_some_and(|closed| closed.elapsed() >= self.command.limit);
                    // The first after the end is the last word of the run: it is tried in any case.
                    if late && !first_after_end {
                        state.lost += u64::try_from(state.queue.len()).unwrap_or(u64::MAX);
                        state.queue.clear();
                    }
                    if let Some(alert) = state.queue.pop_front() {
                        if state.closed.is_some() {
                            first_after_end = false;
                        }
                        break Alert { lost: state.lost, ..alert };
                    }
                    if state.closed.is_some() {
                        let lost = std::mem::take(&mut state.lost);
                        drop(state);
                        if lost > 0 {
                            self.failed(format!("{lost} alerts were not delivered: the command did not keep up with them"));
                        }
                        return;
                    }
                    state = self.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
                }
            };
            match self.command.run(&alert.text()) {
                Ok(()) => {
                    let mut state = self.lock();
                    state.lost = state.lost.saturating_sub(alert.lost);
                    drop(state);
                    tracing::debug!(event = alert.event.name(), "alert delivered");
                }
                Err(problem) => self.failed(format!("an alert (`{}`) was not delivered: {problem}", alert.event.name())),
            }
        }
    }

    /// Says so as a note of the run, which stands in the log and which `status` shows with its time and how often.
    fn failed(&self, text: String) {
        let mut state = self.lock();
        state.failure = Some(text.clone());
        let notes = state.notes.clone();
        drop(state);
        match notes {
            Some(notes) => notes.observe(&Event::Note { text }),
            None => tracing::info!(text, "note"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::{
        catalog::TableName,
        plan::sample,
        spec::{self, AlertEvent, PasswordSource},
    };

    fn alerts(folder: &Path, script: &str, timeout: Duration) -> Arc<Alerts> {
        let mut spec = sample::spec();
        spec.source.password_from = PasswordSource::Env("PATH".into());
        spec.alerts = Some(spec::Alerts {
            command: ["sh", "-c", script, "name", "$HOME; *"].map(str::to_owned).to_vec(),
            folder: folder.to_owned(),
            program: AlertProgram::Found("/bin/sh".into()),
            events: AlertEvent::ALL.to_vec(),
            lag: None,
            lag_for: Duration::ZERO,
            waiting: Duration::from_secs(300),
            full_timeout: None,
            repeat: Duration::from_secs(600),
            timeout,
        });
        let clock = Clock::new(|| std::time::UNIX_EPOCH + Duration::from_secs(1));
        Alerts::start(&spec, Teller { host: "mover1".into(), pid: 7 }, &clock).expect("a thread").expect("alerts")
    }

    fn conflict(table: usize) -> Event {
        Event::ConflictMet { table: TableName::new("shop", format!("t{table}")), kind: "insert-exists", key: vec!["id".into()], rows: 1 }
    }

    fn told(folder: &Path) -> Vec<Alert> {
        let text = fs::read_to_string(folder.join("told")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("an alert")).collect()
    }

    fn stop(error: &str) -> StoppedAlert {
        StoppedAlert { exit_code: 1, error: error.to_owned(), causes: vec!["a cause".to_owned(); 50], hints: Vec::new() }
    }

    #[test]
    fn the_command_runs_in_its_folder_with_its_arguments_and_without_the_variable_of_a_password() {
        let folder = tempfile::tempdir().expect("a folder");
        let alerts = alerts(folder.path(), "echo \"$1|${PATH-unset}\" > seen; cat > told", Duration::from_secs(60));
        alerts.observe(&conflict(1));
        assert_eq!(alerts.close(), None);
        assert_eq!(alerts.close(), None, "a second call does nothing");
        let seen = fs::read_to_string(folder.path().join("seen")).expect("it ran in its folder");
        assert!(seen.starts_with("$HOME; *|"), "{seen}");
        // A shell without PATH has one of its own.
        assert_ne!(seen.trim().split_once('|').map(|(_, path)| path.to_owned()), std::env::var("PATH").ok().as_deref().map(str::to_owned));
        insta::assert_snapshot!(fs::read_to_string(folder.path().join("told")).expect("told"));
    }

    /// The command takes one alert and is stuck: the queue fills, the rest is counted, and the last word goes before what waits.
    #[test]
    fn what_does_not_fit_is_counted_and_the_last_word_comes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = "cat >> told; while [ ! -e go ]; do sleep 0.01; done";
        let alerts = alerts(folder.path(), script, Duration::from_secs(120));
        alerts.observe(&conflict(0));
        while told(folder.path()).is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        for table in 1..=QUEUE + 7 {
            alerts.observe(&conflict(table));
        }
        alerts.stopped(stop(&"x".repeat(100_000)));
        fs::write(folder.path().join("go"), "").expect("written");
        assert_eq!(alerts.close(), None);
        let told = told(folder.path());
        assert_eq!(told.len(), 1 + QUEUE, "{told:?}");
        assert_eq!((told[0].lost, told[1].event, told[1].lost, told[2].lost), (0, AlertEvent::Stopped, 8, 0));
        let stopped = told[1].stopped.as_ref().expect("its part");
        assert!(stopped.error.len() < 3000 && stopped.causes.len() == 10, "cut to what a pipe takes");
    }

    /// Stuck for good: the end comes after the time of what runs and of the last word, and what was lost is said.
    #[test]
    fn the_end_does_not_wait_for_all_that_is_queued() {
        let folder = tempfile::tempdir().expect("a folder");
        let alerts = alerts(folder.path(), "cat >> told; exec sleep 100000", Duration::from_millis(300));
        for table in 0..50 {
            alerts.observe(&conflict(table));
        }
        alerts.stopped(stop("over"));
        let problem = alerts.close().expect("a problem");
        assert!(problem.contains("alerts were not delivered"), "{problem}");
        let told = told(folder.path());
        assert!(told.iter().any(|alert| alert.event == AlertEvent::Stopped) && told.len() < 50, "{}", told.len());
    }

    #[test]
    fn a_spec_without_alerts_or_with_a_program_that_is_not_there_has_none() {
        let mut spec = sample::spec();
        let clock = Clock::new(|| std::time::UNIX_EPOCH);
        let teller = Teller { host: "mover1".into(), pid: 7 };
        assert!(Alerts::start(&spec, teller.clone(), &clock).expect("no thread").is_none());
        spec.alerts = Some(spec::Alerts {
            command: vec!["x".into()],
            folder: "".into(),
            program: AlertProgram::Unusable("gone".into()),
            events: Vec::new(),
            lag: None,
            lag_for: Duration::ZERO,
            waiting: Duration::ZERO,
            full_timeout: None,
            repeat: Duration::ZERO,
            timeout: Duration::ZERO,
        });
        assert!(Alerts::start(&spec, teller, &clock).expect("no thread").is_none());
    }
}
