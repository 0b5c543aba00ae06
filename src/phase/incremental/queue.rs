//! The way from the reader to the scheduler: in order, bounded in bytes, and with a hand-shake at statements, where the reader must not go
//! on before it knows the definitions that come after.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{history::History, unit::Unit};

#[derive(Default)]
struct State {
    units: VecDeque<Unit>,
    bytes: usize,
    /// Somebody has something to say to the scheduler: a lane is free, or has failed.
    poked: bool,
    /// The scheduler has gone; the reader may go too.
    closed: bool,
    /// Statements that the scheduler has dealt with, and the definitions after the last of them.
    answered: (u64, Option<Arc<History>>),
}

/// The queue. At least one unit fits, however large.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the scheduler.
    filled: Condvar,
    /// Wakes the reader.
    emptied: Condvar,
    limit: usize,
}

impl Queue {
    /// A queue of so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new(), limit }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room and puts a unit in. `false` when nobody wants it any more.
    pub(super) fn put(&self, unit: Unit) -> bool {
        let size = unit.size();
        let mut state = self.state();
        while !state.closed && !state.units.is_empty() && state.bytes + size > self.limit {
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.bytes += size;
        state.units.push_back(unit);
        if state.units.len() == 1 {
            self.filled.notify_one();
        }
        true
    }

    /// Waits until the scheduler has dealt with the n-th statement, counted from 1; the definitions after it. `None` when it has gone.
    pub(super) fn answer(&self, number: u64) -> Option<Arc<History>> {
        let mut state = self.state();
        while !state.closed && state.answered.0 < number {
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.answered.1.clone().filter(|_| !state.closed)
    }

    /// Lets the reader go on after a statement.
    pub(super) fn go_on(&self, history: Arc<History>) {
        let mut state = self.state();
        state.answered = (state.answered.0 + 1, Some(history));
        drop(state);
        self.emptied.notify_all();
    }

    /// The next unit, if there is one within that time and nobody pokes before it comes.
    pub(super) fn take(&self, time: Duration) -> Option<Unit> {
        let until = Instant::now() + time;
        let mut state = self.state();
        loop {
            if let Some(unit) = state.units.pop_front() {
                let full = state.bytes >= self.limit / 2;
                state.bytes -= unit.size();
                if full && state.bytes < self.limit / 2 || state.units.is_empty() {
                    self.emptied.notify_all();
                }
                return Some(unit);
            }
            if std::mem::take(&mut state.poked) {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until somebody pokes; the units stay.
    pub(super) fn wait_for_poke(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.state();
        while !std::mem::take(&mut state.poked) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Wakes the scheduler.
    pub(super) fn poke(&self) {
        self.state().poked = true;
        self.filled.notify_all();
    }

    /// Ends it: the reader's next `put` says so.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.units.clear();
        state.bytes = 0;
        self.emptied.notify_all();
    }

    /// Nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.state().units.is_empty()
    }

    /// Bytes of what is in it.
    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }
}
