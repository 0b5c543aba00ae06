//! One worker: takes a range, runs a reader beside a loader until the range is finished, and after a failure asks the destination how
//! far it is and goes on from there.

use std::{
    sync::{Mutex, mpsc::sync_channel},
    time::Instant,
};

use super::{
    FullError, FullSettings,
    read::RangeReader,
    schedule::{Schedule, TableWork, Task},
    split,
};
use crate::{
    binlog::snapshot,
    connect::{Patience, Purpose, Session},
    destination::{DestinationError, Feed, Loader, RangeState},
    event::{Event, StopToken},
};

/// Buffers between reader and loader: about 1.5 MiB.
const PIPE: usize = 16;

/// Tables whose rows are this long on average are copied by one worker at a time, so that memory stays bounded: a row is held whole,
/// twice, while it passes.
const HEAVY_ROW_BYTES: u64 = 1 << 20;

pub(super) struct Worker<'a> {
    pub(super) settings: &'a FullSettings<'a>,
    pub(super) schedule: &'a Schedule,
    pub(super) abort: &'a StopToken,
    pub(super) heavy: &'a Mutex<()>,
    /// Counted from 0.
    pub(super) number: usize,
    /// How many work at once, as things stand.
    pub(super) at_once: &'a (dyn Fn() -> usize + Sync),
}

impl Worker<'_> {
    fn is_stopped(&self) -> bool {
        self.settings.stop.is_stopped() || self.abort.is_stopped()
    }

    pub(super) fn run(&self) -> Result<(), FullError> {
        while let Some(task) = self.schedule.next(&|| self.number < (self.at_once)(), [self.settings.stop, self.abort]) {
            match task {
                Task::Cut(index) => {
                    let ranges = self.patiently(index, || self.cut(index));
                    match ranges? {
                        Some(ranges) => {
                            self.schedule.cut(index, ranges);
                            self.announce(index);
                        }
                        None => {
                            self.schedule.leave(index);
                            return Ok(());
                        }
                    }
                }
                Task::Copy(index, range) => {
                    self.announce(index);
                    let table = &self.schedule.tables[index];
                    let row_bytes = table.copy.source.bytes_estimate().checked_div(table.copy.source.rows_estimate).unwrap_or(0);
                    let _alone =
                        (row_bytes >= HEAVY_ROW_BYTES).then(|| self.heavy.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
                    let result = self.copy_range(index, table, range);
                    if result.is_err() {
                        // Before the range is handed back: a table with no range left would be taken for finished by the next worker,
                        // whose complaint that it is not would hide the cause.
                        self.abort.stop();
                    }
                    self.schedule.leave(index);
                    result?;
                }
                Task::Finish(index) => {
                    let table = &self.schedule.tables[index];
                    let done = self.patiently(index, || Ok(self.settings.destination.finish_table(&table.copy)?));
                    if done?.is_none() {
                        self.schedule.leave(index);
                        return Ok(());
                    }
                    let (_, rows, bytes) = self.schedule.totals(index);
                    self.schedule.finish(index);
                    self.settings.observer.observe(&Event::TableFinished { table: table.copy.source.name.clone(), rows, bytes });
                }
            }
        }
        Ok(())
    }

    fn announce(&self, index: usize) {
        let copy = &self.schedule.tables[index].copy;
        let (ranges, rows_done, _) = self.schedule.totals(index);
        self.settings.observer.observe(&Event::TableStarted {
            table: copy.source.name.clone(),
            destination: copy.destination.name.clone(),
            rows_estimate: copy.source.rows_estimate,
            bytes_estimate: copy.source.bytes_estimate(),
            rows_done,
            ranges,
        });
    }

    fn patience(&self, index: usize) -> Patience<'_> {
        let who = format!("full copy of {}", self.schedule.tables[index].copy.source.name);
        Patience::new(self.settings.retry, who, self.settings.observer, vec![self.settings.stop, self.abort])
    }

    /// Waits and says so, or turns the failure into the phase's end. `Ok(false)` is a stop.
    fn wait(&self, index: usize, patience: &mut Patience<'_>, error: FullError) -> Result<bool, FullError> {
        let waited = match (error.is_connection(), error.is_transient()) {
            (true, _) => patience.connection_failed(&error),
            (_, true) => patience.statement_failed(&error),
            _ => return Err(error),
        };
        match waited {
            Ok(goes_on) => Ok(goes_on),
            Err(window) => {
                Err(FullError::GaveUp { table: self.schedule.tables[index].copy.source.name.clone(), window, last: Box::new(error) })
            }
        }
    }

    /// Tries until it succeeds; `None` is a stop.
    fn patiently<T>(&self, index: usize, mut attempt: impl FnMut() -> Result<T, FullError>) -> Result<Option<T>, FullError> {
        let mut patience = self.patience(index);
        loop {
            match attempt() {
                Ok(value) => {
                    patience.succeeded();
                    return Ok(Some(value));
                }
                Err(error) => {
                    if !self.wait(index, &mut patience, error)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn cut(&self, index: usize) -> Result<Vec<RangeState>, FullError> {
        let table = &self.schedule.tables[index];
        let mut session = Session::open(self.settings.source, Purpose::Read)?;
        if self.settings.followed {
            snapshot::settle(&mut session, &table.copy.source.name)?;
        }
        // A table whose rows nothing identifies.
        let whole = self.settings.followed && !table.copy.identifies_rows();
        let ranges = split::ranges(&mut session, &table.copy.source, table.wanted_ranges, whole)?;
        self.settings.destination.begin_table(&table.copy, &ranges)?;
        Ok(ranges)
    }

    fn copy_range(&self, index: usize, table: &TableWork, first: RangeState) -> Result<(), FullError> {
        let mut patience = self.patience(index);
        let mut state = first;
        loop {
            let error = match self.attempt(index, table, &mut state, &mut patience) {
                Ok(()) => {
                    patience.succeeded();
                    return Ok(());
                }
                Err(error) => error,
            };
            if !self.wait(index, &mut patience, error)? {
                return Ok(());
            }
            // What became of the chunk in flight only the destination knows.
            match self.patiently(index, || Ok(self.settings.destination.range(&table.copy, state.number)?))? {
                Some(found) => {
                    self.schedule.recount(index, (state.read, state.bytes), (found.read, found.bytes));
                    state = found;
                }
                None => return Ok(()),
            }
        }
    }

    /// Runs a reader and a loader side by side until the range is finished or one of them fails.
    fn attempt(&self, index: usize, table: &TableWork, state: &mut RangeState, patience: &mut Patience<'_>) -> Result<(), FullError> {
        if state.finished || self.is_stopped() {
            return Ok(());
        }
        let destination = self.settings.destination;
        let mut loader = destination.loader(&table.copy)?;
        let (pieces, received) = sync_channel(PIPE);
        let (empties, returned) = sync_channel(PIPE);
        let feed = Feed { pieces: received, empties };
        // Ends the reader when the loader has failed and waits for nothing any more.
        let reader = RangeReader {
            login: self.settings.source,
            table: &table.copy,
            plan: &table.plan,
            throttle: &self.settings.throttle,
            followed: self.settings.followed,
            most_odd: loader.most_odd(),
            stops: [self.settings.stop, self.abort],
            pieces,
            empties: returned,
        };
        let encoder = destination.encoder(&table.copy);
        let from = state.clone();
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || reader.run(&from, encoder));
            let loaded = self.load_all(index, table, loader.as_mut(), feed, state, patience);
            let read = match reading.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            match (loaded, read) {
                // A loader that ended for want of rows is not the cause, but what follows from it.
                (Err(FullError::Destination(DestinationError::FeedEnded { .. })), Err(cause)) => Err(cause),
                (Err(FullError::Destination(DestinationError::FeedEnded { .. })), Ok(())) if self.is_stopped() => Ok(()),
                (Err(error), _) => Err(error),
                (Ok(()), read) => read,
            }
        })
    }

    fn load_all(
        &self,
        index: usize,
        table: &TableWork,
        loader: &mut dyn Loader,
        mut feed: Feed,
        state: &mut RangeState,
        patience: &mut Patience<'_>,
    ) -> Result<(), FullError> {
        let name = &table.copy.source.name;
        while !state.finished {
            let start = Instant::now();
            let (loaded, rest) = loader.load(state, feed)?;
            feed = rest;
            let Some(loaded) = loaded else { return Ok(()) };
            // Not at the range's end only, which may be hours away: status would show a wait that is over.
            patience.succeeded();
            let chunk = state.chunks;
            state.chunks += 1;
            state.read += loaded.end.rows;
            state.written += loaded.written;
            state.found += loaded.found;
            state.replaced += loaded.replaced;
            state.bytes += loaded.end.bytes;
            state.finished = loaded.end.finishes_range;
            state.cursor = loaded.end.last.or(state.cursor.take());
            self.schedule.count(index, loaded.end.rows, loaded.end.bytes);
            self.settings.observer.observe(&Event::ChunkCommitted {
                table: name.clone(),
                range: state.number,
                chunk,
                read: loaded.end.rows,
                written: loaded.written,
                found: loaded.found,
                bytes: loaded.end.bytes,
                milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            });
        }
        self.settings.observer.observe(&Event::RangeFinished { table: name.clone(), range: state.number });
        Ok(())
    }
}
