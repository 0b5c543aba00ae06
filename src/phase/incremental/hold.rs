//! Standing still for a moment: `dtsctl verify` asks a running phase to write nothing after a position, so that it can open a snapshot of
//! the destination that shows exactly the source's state there.
//!
//! Whoever asks may die before it says that it is done, so every hold ends by itself.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::binlog::Position;

/// Under this name the wait is shown.
pub const WHO: &str = "verify";

/// A hold ends by itself so long after it was asked for.
pub const LONGEST: Duration = Duration::from_secs(30);

/// What the wait says when everything before the position asked for is committed and nothing after it is written.
pub fn reason(at: Option<&Position>) -> String {
    match at {
        Some(position) => format!("held for verify at {position}"),
        None => "held for verify where it stands".to_owned(),
    }
}

/// What the wait says when transactions after the position are written already.
pub const PASSED: &str = "held for verify behind the position it asked for";

/// Where to stand still.
#[derive(Debug, Clone)]
struct Asked {
    at: Option<Position>,
    until: Instant,
}

/// Shared by the phase and who listens to requests. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Hold(Arc<Mutex<Option<Asked>>>);

impl Hold {
    /// Asks to stand still behind this position, or with `None` where things stand, for `time` at most.
    pub fn ask(&self, at: Option<Position>, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Asked { at, until: Instant::now() + time.min(LONGEST) });
    }

    /// Lets it go on.
    pub fn release(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Where to stand still, as things are; the inner `None` is at once. The outer one: nowhere.
    pub(super) fn wanted(&self) -> Option<Option<Position>> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.as_ref().is_some_and(|a| a.until <= Instant::now()) {
            *asked = None;
        }
        asked.as_ref().map(|a| a.at.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_ends_when_it_is_released_and_by_itself() {
        let hold = Hold::default();
        let other = hold.clone();
        assert_eq!(other.wanted(), None);
        hold.ask(None, Duration::from_secs(600));
        assert_eq!(other.wanted(), Some(None));
        hold.release();
        assert_eq!(other.wanted(), None);
        hold.ask(None, Duration::ZERO);
        assert_eq!(other.wanted(), None);
    }
}
