//! What `dtsctl verify` sees of an apply that runs beside it, and how it asks it to stand still: by the state file and the position at the
//! destination.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    binlog::Position,
    clock::Clock,
    connect::{ConnectError, Login, Purpose, Session},
    destination::{DestinationError, mysql::read_following},
    event::StopToken,
    phase::incremental::hold,
    state::{self, StateError},
    verify::Apply,
};

/// How often an answer is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// A hold counts as lasting for so long after it was asked for: well before it ends by itself.
const SURE: Duration = Duration::from_secs(20);

/// The running apply of a task.
pub(super) struct Beside {
    login: Login,
    task: String,
    state: PathBuf,
    clock: Clock,
    stop: StopToken,
    session: Mutex<Option<Session>>,
    asked: Mutex<Option<Instant>>,
}

impl Beside {
    /// The apply that holds the lock of this state file, if one does.
    ///
    /// # Errors
    /// When the lock file cannot be read.
    pub(super) fn find(login: &Login, task: &str, state: PathBuf, clock: Clock, stop: &StopToken) -> Result<Option<Self>, StateError> {
        if state::holder(&state)?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            login: login.clone(),
            task: task.to_owned(),
            state,
            clock,
            stop: stop.clone(),
            session: Mutex::default(),
            asked: Mutex::default(),
        }))
    }

    fn ask(&self, at: &str) -> bool {
        state::request_hold(&self.state, at, &self.clock).is_ok()
    }

    /// What apply says it waits for under the name of verify.
    fn answer(&self) -> Option<String> {
        let status = state::read(&self.state, self.clock.now()).ok()?;
        status.waits.into_iter().find(|w| w.who == hold::WHO && w.since.is_some()).map(|w| w.reason)
    }
}

impl Apply for Beside {
    fn applied(&self) -> Result<Option<Position>, ConnectError> {
        let mut slot = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut session = match slot.take() {
            Some(session) => session,
            None => match Session::open(&self.login, Purpose::Control) {
                Ok(session) => session,
                // Asked again in a moment, for as long as the limit allows.
                Err(error) if error.is_connection() => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        match read_following(&mut session, &self.task) {
            Ok(following) => {
                *slot = Some(session);
                Ok(following.map(|f| f.position))
            }
            Err(DestinationError::Connect(error)) if !error.is_connection() => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn hold(&self, at: Option<&Position>, within: Duration) -> bool {
        // A hold that has ended by itself may have let apply past the snapshot.
        if at.is_some() && !self.is_held() {
            return false;
        }
        let text = at.map_or_else(|| Some("now".to_owned()), |position| serde_json::to_string(position).ok());
        let Some(text) = text else { return false };
        let begun = Instant::now();
        if !self.ask(&text) {
            return false;
        }
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        let wanted = hold::reason(at);
        while begun.elapsed() < within.min(SURE) {
            match self.answer() {
                Some(answer) if answer == wanted => return true,
                Some(answer) if answer == hold::PASSED => return false,
                _ => {}
            }
            if self.stop.wait(LOOK) {
                return false;
            }
        }
        false
    }

    fn is_held(&self) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|asked| asked.elapsed() < SURE)
    }

    fn release(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // An apply that has ended needs no release, and one that does not hear of it goes on by itself.
        let _ = state::release_hold(&self.state, &self.clock);
    }
}
