//! Lanes: batches written side by side, committed one after another in the source's order.
//!
//! Every commit a reader of the destination sees is therefore a state that the source had, and progress is one position. A batch waits
//! for the ones it shares values with before it writes, and for all before it when it commits. When a lane fails all the same for a
//! reason that others may have caused (a lock waited for too long, a deadlock, a key that is there twice), all later lanes roll back and
//! hold nothing while it does its batch again, alone.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::Receiver},
    time::Instant,
};

use super::{FollowError, claims::Part, error::Stretch, queue::Queue};
use crate::{
    binlog::Position,
    destination::{
        DestinationError,
        change::{Applied, Batch, Certainty, Conflict, Lane, Written},
    },
    event::{BatchCommitted, Event, Observer},
};

/// A batch with its number, 1 for the first.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) parts: Vec<Part>,
    pub(super) certainty: Certainty,
    pub(super) end: End,
}

/// What the commit of a batch notes and tells.
#[derive(Debug)]
pub(super) struct End {
    pub(super) applied: Applied,
    /// What folding found.
    pub(super) conflicts: Vec<Conflict>,
    /// Bytes of images read.
    pub(super) bytes: u64,
    /// The newest heartbeat row in it.
    pub(super) heartbeat: Option<u64>,
}

/// A piece of a transaction that is written as it is read.
#[derive(Debug)]
pub(super) enum Piece {
    Rows(Batch, Certainty),
    End(Box<End>),
    /// It has not happened.
    RollBack,
}

/// What a lane does.
#[derive(Debug)]
pub(super) enum Work {
    /// A batch.
    Batch(Box<Job>),
    /// One transaction, alone, which follows that position. When its pieces end without an end it is rolled back.
    Large(u64, Receiver<Piece>, Box<Position>),
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    submitted: u64,
    committed: u64,
    /// Batches whose lanes have a transaction open.
    open: BTreeSet<u64>,
    /// The batch that is being done again alone; 0 for none.
    alone: u64,
    busy: u32,
    reached: Option<Reached>,
    failure: Option<FollowError>,
    closed: bool,
}

/// How far the destination has come.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    pub(super) position: Position,
    /// When the newest transaction was committed at the source.
    pub(super) source_micros: u64,
    /// When the newest heartbeat row was written there.
    pub(super) heartbeat: Option<u64>,
}

/// The lanes of one attempt.
pub(super) struct Lanes<'a> {
    state: Mutex<State>,
    changed: Condvar,
    lanes: usize,
    queue: &'a Queue,
    observer: &'a dyn Observer,
}

/// What somebody who waited is to do.
enum Next {
    Go,
    /// Roll back and begin again.
    Again,
    /// The attempt is over.
    Over,
}

/// How often a batch is tried alone before its failure counts.
const TRIES_ALONE: u32 = 3;

impl<'a> Lanes<'a> {
    pub(super) fn new(lanes: usize, queue: &'a Queue, observer: &'a dyn Observer) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), lanes, queue, observer }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane has nothing to do.
    pub(super) fn is_free(&self) -> bool {
        let state = self.state();
        (state.busy as usize) + state.waiting.len() < self.lanes
    }

    /// Lanes at work.
    pub(super) fn busy(&self) -> u32 {
        self.state().busy
    }

    /// How far the destination has come in this attempt.
    pub(super) fn reached(&self) -> Option<Reached> {
        self.state().reached.clone()
    }

    /// The last batch that is committed.
    pub(super) fn committed(&self) -> u64 {
        self.state().committed
    }

    /// Gives a batch to the next lane that is free. Numbers go up by one.
    pub(super) fn submit(&self, work: Work) {
        let mut state = self.state();
        state.submitted = match &work {
            Work::Batch(job) => job.number,
            Work::Large(number, ..) => *number,
        };
        state.waiting.push_back(work);
        drop(state);
        self.changed.notify_all();
    }

    /// A lane has failed, and no other will commit any more.
    pub(super) fn has_failed(&self) -> bool {
        self.state().failure.is_some()
    }

    /// A lane cannot be had.
    pub(super) fn fail(&self, error: FollowError) {
        self.state().failure.get_or_insert(error);
        self.changed.notify_all();
        self.queue.poke();
    }

    /// Why.
    pub(super) fn failure(&self) -> Option<FollowError> {
        self.state().failure.take()
    }

    /// Waits until all that was submitted is committed. `false` when a lane has failed.
    pub(super) fn drain(&self) -> bool {
        let mut state = self.state();
        while state.failure.is_none() && !state.closed && state.committed < state.submitted {
            state = self.wait(state);
        }
        state.failure.is_none()
    }

    /// Ends the lanes: what is not begun is not done, what is open is rolled back unless it is being committed.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// A lane's thread, until the end.
    pub(super) fn run(&self, mut lane: Box<dyn Lane + '_>) {
        loop {
            let work = {
                let mut state = self.state();
                loop {
                    if state.closed || state.failure.is_some() {
                        return;
                    }
                    if let Some(work) = state.waiting.pop_front() {
                        state.busy += 1;
                        break work;
                    }
                    state = self.wait(state);
                }
            };
            let (number, place) = match &work {
                Work::Batch(job) => (job.number, Stretch::UpTo(job.end.applied.position.clone())),
                Work::Large(number, _, from) => (*number, Stretch::After(from.as_ref().clone())),
            };
            let done = match work {
                Work::Batch(job) => self.batch(lane.as_mut(), *job),
                Work::Large(number, pieces, _) => self.large(lane.as_mut(), number, &pieces),
            };
            let mut state = self.state();
            state.busy -= 1;
            state.open.remove(&number);
            if let Err(error) = done {
                state.failure.get_or_insert(FollowError::writing(error, place));
            }
            drop(state);
            self.changed.notify_all();
            self.queue.poke();
        }
    }

    /// Waits until that batch is committed. A batch that has to be done again alone goes before all later ones.
    fn turn(&self, number: u64, after: u64) -> Next {
        let mut state = self.state();
        loop {
            if state.failure.is_some() || state.closed {
                return Next::Over;
            }
            if state.alone != 0 && state.alone < number {
                if state.open.contains(&number) {
                    return Next::Again;
                }
            } else if state.committed >= after {
                state.open.insert(number);
                return Next::Go;
            }
            state = self.wait(state);
        }
    }

    /// Makes all later lanes roll back, and waits until they have and all earlier ones have committed.
    fn be_alone(&self, number: u64) -> Next {
        let mut state = self.state();
        state.open.remove(&number);
        if state.alone == 0 || state.alone > number {
            state.alone = number;
        }
        self.changed.notify_all();
        loop {
            if state.failure.is_some() || state.closed {
                return Next::Over;
            }
            if state.alone == number && state.committed + 1 >= number && state.open.range(number + 1..).next().is_none() {
                state.open.insert(number);
                return Next::Go;
            }
            // Somebody before it is to be alone first; its own turn comes when that one has committed.
            if state.alone == 0 || state.alone > number {
                state.alone = number;
                self.changed.notify_all();
                // Looked at again at once: what it waits for may be the case already, and then nobody would wake it.
                continue;
            }
            state = self.wait(state);
        }
    }

    fn rolled_back(&self, lane: &mut dyn Lane, number: u64) -> Result<(), DestinationError> {
        lane.roll_back()?;
        self.state().open.remove(&number);
        self.changed.notify_all();
        Ok(())
    }

    fn batch(&self, lane: &mut dyn Lane, job: Job) -> Result<(), DestinationError> {
        let number = job.number;
        let (mut alone, mut tries) = (false, 0);
        'again: loop {
            let began = Instant::now();
            let mut written = Written::default();
            for part in &job.parts {
                match if alone { Next::Go } else { self.turn(number, part.after) } {
                    Next::Go => {}
                    Next::Again => {
                        self.rolled_back(lane, number)?;
                        continue 'again;
                    }
                    Next::Over => return Ok(()),
                }
                // A conflict met while earlier batches are still on their way may be one with what they have not done yet.
                let certain = alone || self.committed() + 1 >= number;
                let failed = match lane.write(&part.batch, job.certainty) {
                    Ok(more) if certain || more.conflicts.is_empty() => {
                        add(&mut written, more);
                        false
                    }
                    Ok(_) => true,
                    Err(error) if error.is_connection() || alone && (tries >= TRIES_ALONE || !error.is_transient()) => return Err(error),
                    Err(_) => true,
                };
                if failed {
                    lane.roll_back()?;
                    match self.be_alone(number) {
                        Next::Go => {}
                        Next::Again | Next::Over => return Ok(()),
                    }
                    (alone, tries) = (true, tries + 1);
                    continue 'again;
                }
            }
            self.observer.observe(&Event::Moment { name: "batch-written" });
            match self.turn(number, number - 1) {
                Next::Go => {}
                Next::Again => {
                    self.rolled_back(lane, number)?;
                    alone = false;
                    continue 'again;
                }
                Next::Over => return Ok(()),
            }
            return self.commit(lane, number, job.end, written, began);
        }
    }

    fn large(&self, lane: &mut dyn Lane, number: u64, pieces: &Receiver<Piece>) -> Result<(), DestinationError> {
        let began = Instant::now();
        let mut written = Written::default();
        let Next::Go = self.turn(number, number - 1) else { return Ok(()) };
        while let Ok(piece) = pieces.recv() {
            match piece {
                Piece::Rows(batch, certainty) => {
                    add(&mut written, lane.write(&batch, certainty)?);
                    self.observer.observe(&Event::Moment { name: "window-written" });
                }
                Piece::RollBack => {
                    lane.roll_back()?;
                    self.finished(number, None);
                    return Ok(());
                }
                Piece::End(end) => {
                    self.observer.observe(&Event::Moment { name: "batch-written" });
                    return self.commit(lane, number, *end, written, began);
                }
            }
        }
        // Nobody will end it: the attempt is over.
        lane.roll_back()?;
        self.finished(number, None);
        Ok(())
    }

    fn finished(&self, number: u64, reached: Option<Reached>) {
        let mut state = self.state();
        state.committed = number;
        state.open.remove(&number);
        if state.alone == number {
            state.alone = 0;
        }
        if let Some(reached) = reached {
            let heartbeat = reached.heartbeat.or(state.reached.as_ref().and_then(|before| before.heartbeat));
            state.reached = Some(Reached { heartbeat, ..reached });
        }
        drop(state);
        self.changed.notify_all();
    }

    fn commit(&self, lane: &mut dyn Lane, number: u64, end: End, mut written: Written, began: Instant) -> Result<(), DestinationError> {
        let End { applied, conflicts, bytes, heartbeat } = end;
        lane.note(&conflicts);
        lane.commit(&applied)?;
        self.observer.observe(&Event::Moment { name: "batch-committed" });
        for conflict in conflicts {
            written.conflicts.push(conflict);
        }
        let reached = Reached { position: applied.position.clone(), source_micros: applied.source_micros, heartbeat };
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if applied.transactions == 0 {
            self.observer.observe(&Event::FollowMoved { position: applied.position });
        } else {
            self.observer.observe(&Event::BatchCommitted(Box::new(BatchCommitted {
                position: applied.position,
                source_micros: applied.source_micros,
                transactions: applied.transactions,
                row_events: applied.row_events,
                inserted: written.inserted,
                updated: written.updated,
                deleted: written.deleted,
                bytes,
                micros,
            })));
        }
        for Conflict { table, kind, key, rows } in written.conflicts {
            let of_the_spec = kind.is_of_the_spec();
            let kind = kind.name();
            self.observer.observe(&if of_the_spec {
                Event::LeftOut { table, kind, rows }
            } else {
                Event::ConflictMet { table, kind, key, rows }
            });
        }
        self.finished(number, Some(reached));
        Ok(())
    }
}

fn add(sum: &mut Written, more: Written) {
    sum.inserted += more.inserted;
    sum.updated += more.updated;
    sum.deleted += more.deleted;
    sum.conflicts.extend(more.conflicts);
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
