//! How far the incremental phase is to go. Asked for when it begins (`apply --until`) and while it runs (`stop --at`).

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    binlog::{GtidSet, Place},
    clock::rfc3339,
};

/// A point at which the incremental phase ends well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// It has none: the phase runs until it is asked to stop.
    Never,
    /// Everything is applied that the source had when the phase had read so far.
    CaughtUp,
    /// Every transaction of this set is applied.
    Gtid(GtidSet),
    /// Everything before this place of the source's binlog is applied. The phase ends behind the transaction that reaches it.
    Place(Place),
    /// Everything is applied that was committed at the source before this moment, in microseconds since 1970 UTC. A source that is quiet
    /// has reached it as soon as its own clock has passed it.
    Time(u64),
}

impl fmt::Display for Until {
    /// As `--until` and `--at` take it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::CaughtUp => f.write_str("caught-up"),
            Self::Gtid(set) => write!(f, "gtid:{set}"),
            Self::Place(place) => write!(f, "pos:{}:{}", place.file, place.offset),
            Self::Time(micros) => {
                let text = rfc3339(i64::try_from(micros / 1000).unwrap_or(i64::MAX));
                // Microseconds are in the event headers of MySQL 8; nothing of what was asked for is cut off.
                write!(f, "time:{}{:03}Z", text.trim_end_matches('Z'), micros % 1000)
            }
        }
    }
}

/// Where a running phase is to end; shared with whoever listens to `dtsctl stop --at`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Goal(Arc<Mutex<(Until, bool)>>);

impl Goal {
    /// The goal that the run begins with.
    pub fn new(until: Until) -> Self {
        Self(Arc::new(Mutex::new((until, false))))
    }

    /// Where to end, as things stand. Takes a lock for a moment: ask once a batch, not once a row.
    pub fn now(&self) -> Until {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Somebody asks the running phase to end there.
    pub fn change(&self, until: Until) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (until, true);
    }

    /// The goal was changed while the phase ran: reaching it is a stop on request.
    pub fn was_changed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_changes_for_all_who_hold_it() {
        let goal = Goal::new(Until::Never);
        let other = goal.clone();
        assert!(!other.was_changed());
        goal.change(Until::CaughtUp);
        assert_eq!((other.now(), other.was_changed()), (Until::CaughtUp, true));
    }
}
