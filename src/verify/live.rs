//! Comparing while the source is written to and an apply follows its binlog.
//!
//! The first pass is the usual one, with short snapshots that are not of one state. What differs in it is put aside: most of it is only on
//! its way. It is looked at again when apply has passed the source's position of the look before: a row that is equal in one look is
//! equal, and what differs for the first time has been equal before. What differs in every look, and what nothing identifies from look to
//! look, is decided at last by one look at a single state: apply is held at the position of the source's snapshot until the destination's is
//! open. Where it cannot be held, rows that never were equal are counted as different, and as not settled.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use crate::{
    binlog::{Position, snapshot},
    catalog::{KeyRange, TableName},
    connect::ConnectError,
};

use super::{
    Followed, Progress, VerifyError,
    compare::Found,
    narrow::{Judged, Task},
    plan::{Route, TablePlan},
    run::{Board, Hands, Job, State, Waits, locked, verdict_of},
    session::Sides,
    tally::Tally,
};

/// Pauses between asking how far apply is.
const LOOK: Duration = Duration::from_millis(20);

/// Looks before apply is held: what is only on its way is settled by then.
const LOOKS_BEFORE_HOLD: u32 = 2;

/// How long apply may take to come to where it is to be held.
const HOLD: Duration = Duration::from_secs(20);

/// Longest pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// The apply that follows the source meanwhile.
pub trait Apply: Sync {
    /// How far the destination is; `None` when it has not begun to follow.
    ///
    /// # Errors
    /// As the connection to the destination fails.
    fn applied(&self) -> Result<Option<Position>, ConnectError>;

    /// Asks apply to go on to this position and write nothing after it, or with `None` to write nothing further, and waits until it does,
    /// no longer than so long. `false` when it does not, or cannot be asked.
    fn hold(&self, at: Option<&Position>, within: Duration) -> bool;

    /// Whether it is still being held, and has been since it was asked first.
    fn is_held(&self) -> bool;

    /// Lets it go on.
    fn release(&self);
}

/// A comparison beside an apply.
pub struct Live<'a> {
    /// The apply.
    pub apply: &'a dyn Apply,
    /// How long differing rows are looked at again.
    pub limit: Duration,
}

/// A part of a table that differed and is to be looked at again.
#[derive(Debug)]
pub(super) struct Suspect {
    range: KeyRange,
    /// The rows that differed in every look. `None`: too many to be told apart, or nothing identifies them.
    found: Option<Vec<Found>>,
}

impl Suspect {
    pub(super) fn rows(&self) -> u64 {
        self.found.iter().flatten().map(|f| f.count).sum()
    }
}

/// Takes what differs out of a tally and puts it aside.
pub(super) fn put_aside(state: &mut State, plan: &TablePlan<'_>, range: &KeyRange, tally: &mut Tally) {
    let suspects = aside(plan, range, tally);
    state.mixed |= !suspects.is_empty();
    state.suspects.extend(suspects);
}

fn aside(plan: &TablePlan<'_>, range: &KeyRange, tally: &mut Tally) -> Vec<Suspect> {
    if plan.route == Route::Missing {
        return Vec::new();
    }
    let found = std::mem::take(&mut tally.suspects);
    let inexact = std::mem::take(&mut tally.inexact);
    let counted = plan.route == Route::Count && tally.missing + tally.extra > 0;
    if counted {
        (tally.missing, tally.extra) = (0, 0);
    }
    if inexact || counted || (!found.is_empty() && plan.framing.key.is_none()) {
        return vec![Suspect { range: range.clone(), found: None }];
    }
    let mut suspects: Vec<Suspect> = Vec::new();
    for (range, found) in found {
        // A whole table is told in parts.
        match suspects.last_mut() {
            Some(Suspect { range: last, found: Some(all) }) if *last == range => all.extend(found),
            _ => suspects.push(Suspect { range, found: Some(found) }),
        }
    }
    suspects
}

/// Looks again at what was put aside, until nothing is left of it, one look at a single state has decided, or the time is over.
pub(super) fn settle(board: &Board<'_>, live: &Live<'_>, from: &Position) -> Result<Followed, VerifyError> {
    let waits = Waits(board.progress);
    let mut hands = Hands::new(board, None, &waits);
    let begun = Instant::now();
    let mut followed = Followed { from: from.to_string(), to: from.to_string(), held_at: None, looks: 0 };
    let mut pause = LOOK;
    while let Some(first) = board.jobs.iter().find(|job| !locked(&job.state).suspects.is_empty()) {
        let position = hands.run(first, |sides| snapshot::end_position(&mut sides.source))?;
        if !wait_for(board, live, &position, begun + live.limit)? {
            break;
        }
        for job in &board.jobs {
            look_again(&mut hands, board, job)?;
        }
        followed.looks += 1;
        followed.to = position.to_string();
        if followed.looks >= LOOKS_BEFORE_HOLD && open_jobs(board).next().is_some() {
            if let Some(position) = look_at_one_state(board, live)? {
                followed.looks += 1;
                (followed.to, followed.held_at) = (position.to_string(), Some(position.to_string()));
                break;
            }
            if begun.elapsed() >= live.limit {
                break;
            }
        }
        if board.stop.wait(pause) {
            return Err(VerifyError::Stopped);
        }
        pause = (pause * 2).min(PAUSE);
    }
    for job in &board.jobs {
        give_up(board, job);
    }
    Ok(followed)
}

fn open_jobs<'b, 'a>(board: &'b Board<'a>) -> impl Iterator<Item = &'b Job<'a>> {
    board.jobs.iter().filter(|job| !locked(&job.state).suspects.is_empty())
}

/// Waits until apply has passed a position of the source. `false` when the time is over.
fn wait_for(board: &Board<'_>, live: &Live<'_>, position: &Position, until: Instant) -> Result<bool, VerifyError> {
    let mut told = false;
    loop {
        let applied = live.apply.applied().map_err(|e| VerifyError::Open(Box::new(e)))?;
        if applied.is_some_and(|applied| applied.covers(position) == Some(true)) {
            if told {
                (board.progress)(&Progress::WaitOver);
            }
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        if !told {
            told = true;
            (board.progress)(&Progress::Waiting { reason: format!("apply has not passed {} yet", position.place) });
        }
        if board.stop.wait(LOOK) {
            return Err(VerifyError::Stopped);
        }
    }
}

/// Looks again at all that is put aside of a table, and keeps what still differs.
fn look_again(hands: &mut Hands<'_>, board: &Board<'_>, job: &Job<'_>) -> Result<(), VerifyError> {
    let (suspects, unsure) = {
        let mut state = locked(&job.state);
        (std::mem::take(&mut state.suspects), state.unsure)
    };
    if suspects.is_empty() {
        return Ok(());
    }
    let task = job.plan.live_task(board.settings, 0);
    let mut left = Vec::new();
    for suspect in suspects {
        let mut tally = hands.run(job, |sides| look(job.plan, &task, sides, unsure, &suspect.range))?;
        let again = aside(job.plan, &suspect.range, &mut tally);
        let Some(before) = suspect.found else {
            left.extend(again);
            continue;
        };
        let known: HashSet<&[u8]> = before.iter().map(|f| &*f.key).collect();
        for mut still in again {
            match &mut still.found {
                Some(found) => found.retain(|f| known.contains(&*f.key)),
                // So many others differ now that these cannot be told from them.
                None => {
                    left.push(Suspect { range: suspect.range.clone(), found: Some(before.clone()) });
                    break;
                }
            }
            if still.rows() > 0 {
                left.push(still);
            }
        }
    }
    let mut state = locked(&job.state);
    state.suspects = left;
    let (open, verdict) = (!state.suspects.is_empty(), verdict_of(job, &state.tally));
    drop(state);
    if !open {
        (board.progress)(&Progress::TableFinished { table: job.plan.pair.source.name.clone(), verdict });
    }
    Ok(())
}

/// Compares a range once more.
fn look(plan: &TablePlan<'_>, task: &Task<'_>, sides: &mut Sides, unsure: bool, range: &KeyRange) -> Result<Tally, ConnectError> {
    let whole = |sides: &mut Sides| {
        let sums = plan.comparison.is_server_comparable();
        task.by_multiset(sides, sums)
    };
    sides.in_snapshot(|sides| match plan.route {
        Route::Count => task.count_both(sides),
        Route::Ranges { by_rows } if !unsure => match if by_rows { task.by_rows(sides, range)? } else { task.by_digest(sides, range)? } {
            Judged::Done(tally) => Ok(*tally),
            Judged::Unsure => whole(sides),
        },
        _ => whole(sides),
    })
}

/// Looks at all that is left in one state of the source: a snapshot whose position is known, and one of the destination that is opened
/// while apply is held there. `None` when that could not be had.
fn look_at_one_state(board: &Board<'_>, live: &Live<'_>) -> Result<Option<Position>, VerifyError> {
    let held = Held(live);
    // First where it stands, so that it cannot be past the snapshot that is opened next.
    if !live.apply.hold(None, HOLD) {
        return Ok(None);
    }
    let open = || -> Result<Option<(Sides, Position)>, ConnectError> {
        let mut sides = Sides::open(board.logins.0, board.logins.1)?;
        let tables: Vec<&TableName> = open_jobs(board).map(|job| &job.plan.pair.source.name).collect();
        let position = snapshot::open(&mut sides.source, board.logins.0, &tables)?;
        if !live.apply.hold(Some(&position), HOLD) {
            return Ok(None);
        }
        sides.destination.exec("opening a snapshot", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")?;
        sides.aligned = true;
        Ok(live.apply.is_held().then_some((sides, position)))
    };
    let opened = open();
    drop(held);
    let (mut sides, position) = match opened {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(None),
        Err(error) if error.is_connection() || error.is_transient() => return Ok(None),
        Err(error) => {
            tracing::info!(%error, "no snapshot of the source with its position");
            return Ok(None);
        }
    };
    for job in open_jobs(board) {
        let (ranges, unsure) = {
            let state = locked(&job.state);
            (state.suspects.iter().map(|s| s.range.clone()).collect::<Vec<_>>(), state.unsure)
        };
        let mut decided = Tally::default();
        for range in ranges {
            let task = job.plan.task(board.settings, decided.found());
            match look(job.plan, &task, &mut sides, unsure, &range) {
                Ok(tally) => decided.add(tally, task.keep()),
                Err(error) if error.is_connection() || error.is_transient() => return Ok(None),
                Err(error) => {
                    return Err(VerifyError::Table { table: job.plan.pair.source.name.clone(), source: Box::new(error) });
                }
            }
            if unsure {
                break;
            }
        }
        let mut state = locked(&job.state);
        state.suspects.clear();
        count(&mut state, decided, job.plan.task(board.settings, 0).keep());
        let verdict = verdict_of(job, &state.tally);
        drop(state);
        (board.progress)(&Progress::TableFinished { table: job.plan.pair.source.name.clone(), verdict });
    }
    Ok(Some(position))
}

/// Adds differences, and nothing of what has been counted in the first pass.
fn count(state: &mut State, found: Tally, keep: usize) {
    state
        .tally
        .add(Tally { source_rows: 0, destination_rows: 0, source_sum: 0, destination_sum: 0, ranges: 0, compared: 0, ..found }, keep);
}

/// Counts what is left as different, and as not settled.
fn give_up(board: &Board<'_>, job: &Job<'_>) {
    let mut state = locked(&job.state);
    let suspects = std::mem::take(&mut state.suspects);
    if suspects.is_empty() {
        return;
    }
    let keep = job.plan.task(board.settings, 0).keep();
    for Suspect { found, .. } in suspects {
        match found {
            Some(found) => {
                state.unsettled += found.iter().map(|f| f.count).sum::<u64>();
                state.tally.add_found(found, keep);
            }
            // How many it are nobody knows.
            None => state.tally.inexact = true,
        }
    }
    let verdict = verdict_of(job, &state.tally);
    drop(state);
    (board.progress)(&Progress::TableFinished { table: job.plan.pair.source.name.clone(), verdict });
}

/// Lets apply go on when it is dropped, however that comes.
struct Held<'a>(&'a Live<'a>);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.apply.release();
    }
}
