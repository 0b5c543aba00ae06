//! Which worker copies which range next.
//!
//! A free worker goes to the table that the fewest others work on, and among those to the largest: two loads into one table can wait
//! for each other (InnoDB's AUTO-INC lock under `innodb_autoinc_lock_mode=1`, MariaDB's default), two into different tables do not.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::read::ReadPlan;
use crate::{
    catalog::KeyRange,
    destination::{CopyTable, RangeState, TaskProgress},
    event::StopToken,
};

/// How long a worker waits before it looks again.
const NAP: std::time::Duration = std::time::Duration::from_millis(200);

/// One table and how to read it.
pub(super) struct TableWork {
    pub(super) copy: CopyTable,
    pub(super) plan: ReadPlan,
    pub(super) wanted_ranges: u64,
}

struct Slot {
    /// `None` until the table is cut into ranges.
    pending: Option<Vec<RangeState>>,
    /// Ranges cut, finished or not; 0 until cut.
    ranges: u32,
    active: usize,
    rows: u64,
    bytes: u64,
    finished: bool,
}

/// What a worker is to do.
pub(super) enum Task {
    /// Cut this table into ranges and hand them back.
    Cut(usize),
    /// Copy this range.
    Copy(usize, RangeState),
    /// All ranges of this table are finished.
    Finish(usize),
}

/// Tables in order of size, and who works on what.
pub(super) struct Schedule {
    pub(super) tables: Vec<TableWork>,
    slots: Mutex<Vec<Slot>>,
    changed: Condvar,
}

impl Schedule {
    pub(super) fn new(mut tables: Vec<CopyTable>, progress: &TaskProgress, threads: usize, followed: bool) -> Self {
        tables.retain(|t| !progress.table(&t.source.name).is_some_and(|state| state.copied));
        tables.sort_by_key(|t| std::cmp::Reverse((t.source.bytes_estimate(), t.source.rows_estimate)));
        let slots = tables
            .iter()
            .map(|t| {
                let known = progress.table(&t.source.name).map(|s| &s.ranges).filter(|r| !r.is_empty());
                // Cut by a run that nothing followed, and not begun: such a table is now read in one go.
                let known = known.filter(|r| !followed || t.identifies_rows() || matches!(&r[..], [one] if one.span == KeyRange::All));
                Slot {
                    ranges: known.map_or(0, |r| u32::try_from(r.len()).unwrap_or(u32::MAX)),
                    rows: known.map_or(0, |r| r.iter().map(|r| r.read).sum()),
                    bytes: known.map_or(0, |r| r.iter().map(|r| r.bytes).sum()),
                    pending: known.map(|r| r.iter().rev().filter(|r| !r.finished).cloned().collect()),
                    active: 0,
                    finished: false,
                }
            })
            .collect();
        let tables = tables
            .into_iter()
            .map(|copy| TableWork { wanted_ranges: super::wanted_ranges(&copy.source, threads), plan: ReadPlan::new(&copy), copy })
            .collect();
        Self { tables, slots: Mutex::new(slots), changed: Condvar::new() }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next thing to do; waits while others may still make some, and while this worker is not `wanted`; `None` when there is nothing
    /// more, or a stop.
    pub(super) fn next(&self, wanted: &dyn Fn() -> bool, stops: [&StopToken; 2]) -> Option<Task> {
        let mut slots = self.slots();
        loop {
            if stops.iter().any(|s| s.is_stopped()) || slots.iter().all(|s| s.finished) {
                return None;
            }
            let ready = |s: &Slot| !s.finished && s.pending.as_ref().map_or(s.active == 0, |p| !p.is_empty() || s.active == 0);
            let choice = (0..slots.len()).filter(|&i| ready(&slots[i])).min_by_key(|&i| (slots[i].active, i));
            if let Some(table) = choice.filter(|_| wanted()) {
                let slot = &mut slots[table];
                slot.active += 1;
                return Some(match &mut slot.pending {
                    None => Task::Cut(table),
                    Some(pending) => pending.pop().map_or(Task::Finish(table), |range| Task::Copy(table, range)),
                });
            }
            slots = self.changed.wait_timeout(slots, NAP).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Hands back the ranges a table was cut into.
    pub(super) fn cut(&self, table: usize, mut ranges: Vec<RangeState>) {
        let mut slots = self.slots();
        slots[table].ranges = u32::try_from(ranges.len()).unwrap_or(u32::MAX);
        ranges.reverse();
        slots[table].pending = Some(ranges);
        slots[table].active -= 1;
        self.changed.notify_all();
    }

    /// A worker has left a range it was given, finished or because of a stop.
    pub(super) fn leave(&self, table: usize) {
        self.slots()[table].active -= 1;
        self.changed.notify_all();
    }

    /// A table is all done.
    pub(super) fn finish(&self, table: usize) {
        let mut slots = self.slots();
        slots[table].active -= 1;
        slots[table].finished = true;
        self.changed.notify_all();
    }

    /// Counts a committed chunk and returns the table's rows and bytes so far.
    pub(super) fn count(&self, table: usize, rows: u64, bytes: u64) -> (u64, u64) {
        let mut slots = self.slots();
        slots[table].rows += rows;
        slots[table].bytes += bytes;
        (slots[table].rows, slots[table].bytes)
    }

    /// Puts the rows and bytes that a range really has in the place of those that were counted. That can be fewer: a server that does
    /// not flush its log at each commit may forget the last of them when its machine goes down.
    pub(super) fn recount(&self, table: usize, counted: (u64, u64), found: (u64, u64)) {
        let mut slots = self.slots();
        slots[table].rows = (slots[table].rows + found.0).saturating_sub(counted.0);
        slots[table].bytes = (slots[table].bytes + found.1).saturating_sub(counted.1);
    }

    /// Ranges of a table, and rows and bytes committed so far.
    pub(super) fn totals(&self, table: usize) -> (u32, u64, u64) {
        let slots = self.slots();
        (slots[table].ranges, slots[table].rows, slots[table].bytes)
    }

    /// Every table is finished.
    pub(super) fn is_done(&self) -> bool {
        self.slots().iter().all(|s| s.finished)
    }

    /// Nothing is left to hand out, or a stop was asked for.
    pub(super) fn is_over(&self, stops: [&StopToken; 2]) -> bool {
        stops.iter().any(|s| s.is_stopped()) || self.is_done()
    }

    /// Waits until something has changed, or for a moment.
    pub(super) fn wait(&self) {
        let slots = self.slots();
        drop(self.changed.wait_timeout(slots, NAP).unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets waiting workers look again.
    pub(super) fn wake_all(&self) {
        self.changed.notify_all();
    }
}
