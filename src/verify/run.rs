//! Tables and their ranges over a number of workers, each with a session per end.
//!
//! A range is handed out, compared in a snapshot, and counted only when all of it is done; so a lost connection costs that range and no
//! more. Ranges of one table are cut one after the other, those of several tables side by side, the largest tables first.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{
    binlog::snapshot,
    catalog::{Edge, KeyRange},
    connect::{ConnectError, Login, Patience, ServerInfo},
    event::{Event, Observer, StopToken},
};

use super::{
    ColumnCount, KeyValue, Mode, NotCovered, Position, Progress, RowDifference, Server, Settings, TableReceipt, Verdict, VerifyError,
    VerifyReceipt,
    compare::{Found, cells},
    expression::Form,
    live::{self, Live, Suspect},
    narrow::{Judged, Task},
    plan::{Route, TablePlan},
    receipt::{ALGORITHM, FORMAT_VERSION, STRENGTH},
    session::Sides,
    tally::Tally,
};

/// Compares all tables of the settings.
///
/// # Errors
/// [`VerifyError`]: a server failed for longer than the retry windows allow, or somebody asked to stop. Differences are no error.
pub fn run(
    settings: &Settings,
    source: &Login,
    destination: &Login,
    stop: &StopToken,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<VerifyReceipt, VerifyError> {
    run_beside(settings, None, source, destination, stop, progress)
}

/// The same beside an apply that follows the source's binlog, if there is one.
///
/// # Errors
/// As [`run`].
pub fn run_beside(
    settings: &Settings,
    live: Option<&Live<'_>>,
    source: &Login,
    destination: &Login,
    stop: &StopToken,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<VerifyReceipt, VerifyError> {
    let begun = Instant::now();
    let mut sides = Sides::open(source, destination).map_err(|e| VerifyError::Open(Box::new(e)))?;
    let from = live.map(|_| snapshot::end_position(&mut sides.source)).transpose().map_err(|e| VerifyError::Open(Box::new(e)))?;
    let servers = (sides.source.info().clone(), sides.destination.info().clone());
    let addresses = (sides.source.address().to_owned(), sides.destination.address().to_owned());
    let plans: Vec<TablePlan<'_>> = settings.tables.iter().map(|pair| TablePlan::new(pair, settings, &servers.0, &servers.1)).collect();
    let mut order: Vec<usize> = (0..plans.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(plans[i].pair.source.data_bytes));
    let board = Board {
        jobs: plans.iter().map(|plan| Job { plan, cursor: Mutex::default(), state: Mutex::default() }).collect(),
        order,
        settings,
        live,
        logins: (source, destination),
        stop,
        progress,
        abandon: StopToken::default(),
    };
    let mut first = Some(sides);
    let results: Vec<Result<(), VerifyError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..settings.threads.max(1))
            .map(|_| {
                let sides = first.take();
                scope.spawn(|| {
                    let result = board.work(sides);
                    if result.is_err() {
                        board.abandon.stop();
                    }
                    result
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    // A worker that failed makes the others stop; its error is the one to tell.
    let mut failed: Vec<VerifyError> = results.into_iter().filter_map(Result::err).collect();
    failed.sort_by_key(|e| matches!(e, VerifyError::Stopped));
    if let Some(error) = failed.into_iter().next() {
        return Err(error);
    }
    let position = match (live, from) {
        (Some(live), Some(from)) => Position::Followed(live::settle(&board, live, &from)?),
        _ => Position::AtRest,
    };
    let tables: Vec<TableReceipt> = board.jobs.iter().map(|job| receipt_of(job, settings)).collect();
    let verdict = if tables.iter().all(|t| t.verdict == Verdict::Equal) { Verdict::Equal } else { Verdict::Differs };
    let server = |address: String, info: &ServerInfo| Server { address, flavor: info.flavor, identity: info.identity.clone() };
    Ok(VerifyReceipt {
        format_version: FORMAT_VERSION.to_owned(),
        verdict,
        spec_digest: settings.spec_digest.clone(),
        position,
        mode: settings.mode,
        seed: matches!(settings.mode, Mode::Sample { .. }).then_some(settings.seed),
        algorithm: ALGORITHM.to_owned(),
        strength: STRENGTH.to_owned(),
        source: server(addresses.0, &servers.0),
        destination: server(addresses.1, &servers.1),
        tables,
        not_covered: vec![NotCovered {
            what: "definitions: views, routines, triggers, events, indexes, defaults, AUTO_INCREMENT counters".to_owned(),
            why: "verify compares rows; `dtsctl plan` compares definitions".to_owned(),
        }],
        milliseconds: milliseconds(begun),
    })
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the cutting of a table into ranges stands.
#[derive(Default)]
struct Cursor {
    begun: bool,
    done: bool,
    after: Option<Edge>,
    /// Width, first and last value of a dense integer key, whose edges need not be looked up.
    steps: Option<(i128, i128, i128)>,
    index: u64,
    chosen: u64,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) tally: Tally,
    pub(super) suspects: Vec<Suspect>,
    /// Its ends were compared at more than one state, so that sums over all of it say nothing.
    pub(super) mixed: bool,
    pub(super) unsettled: u64,
    in_flight: usize,
    all_out: bool,
    pub(super) unsure: bool,
    finished: bool,
}

pub(super) struct Job<'a> {
    pub(super) plan: &'a TablePlan<'a>,
    cursor: Mutex<Cursor>,
    pub(super) state: Mutex<State>,
}

enum Work {
    Whole,
    Range(KeyRange),
}

pub(super) struct Board<'a> {
    pub(super) jobs: Vec<Job<'a>>,
    order: Vec<usize>,
    pub(super) settings: &'a Settings,
    live: Option<&'a Live<'a>>,
    pub(super) logins: (&'a Login, &'a Login),
    pub(super) stop: &'a StopToken,
    pub(super) progress: &'a (dyn Fn(&Progress) + Sync),
    abandon: StopToken,
}

/// The sessions of a worker, opened when needed and again after a failure.
pub(super) struct Hands<'a> {
    sides: Option<Sides>,
    board: &'a Board<'a>,
    patience: Patience<'a>,
}

impl<'a> Hands<'a> {
    pub(super) fn new(board: &'a Board<'a>, sides: Option<Sides>, waits: &'a Waits<'a>) -> Self {
        let patience = Patience::new(board.settings.retry, "verify".to_owned(), waits, vec![board.stop, &board.abandon]);
        Self { sides, board, patience }
    }

    /// Runs a unit of work until it succeeds, the retry windows are used up, or a stop is asked for.
    pub(super) fn run<T>(&mut self, job: &Job<'_>, work: impl Fn(&mut Sides) -> Result<T, ConnectError>) -> Result<T, VerifyError> {
        loop {
            if self.board.stop.is_stopped() || self.board.abandon.is_stopped() {
                return Err(VerifyError::Stopped);
            }
            let (source, destination) = self.board.logins;
            let attempt = match self.sides.take() {
                Some(sides) => Ok(sides),
                None => Sides::open(source, destination),
            };
            let error = match attempt.and_then(|mut sides| work(&mut sides).map(|value| (sides, value))) {
                Ok((sides, value)) => {
                    self.sides = Some(sides);
                    self.patience.succeeded();
                    return Ok(value);
                }
                Err(error) => error,
            };
            let waited = if error.is_connection() {
                self.patience.connection_failed(&error)
            } else if error.is_transient() {
                self.patience.statement_failed(&error)
            } else {
                return Err(VerifyError::Table { table: job.plan.pair.source.name.clone(), source: Box::new(error) });
            };
            match waited {
                Ok(true) => {}
                Ok(false) => return Err(VerifyError::Stopped),
                Err(window) => return Err(VerifyError::GaveUp { window, source: Box::new(error) }),
            }
        }
    }
}

/// Passes waits on as progress.
pub(super) struct Waits<'a>(pub(super) &'a (dyn Fn(&Progress) + Sync));

impl Observer for Waits<'_> {
    fn observe(&self, event: &Event) {
        match event {
            Event::Waiting { reason, .. } => (self.0)(&Progress::Waiting { reason: reason.clone() }),
            Event::WaitOver { .. } => (self.0)(&Progress::WaitOver),
            _ => {}
        }
    }
}

impl Board<'_> {
    fn work(&self, sides: Option<Sides>) -> Result<(), VerifyError> {
        let waits = Waits(self.progress);
        let mut hands = Hands::new(self, sides, &waits);
        while let Some((job, work)) = self.next(&mut hands)? {
            self.compare(&mut hands, job, work)?;
            self.settle(&mut hands, job)?;
        }
        Ok(())
    }

    /// The next piece of work: of the largest table that nobody is cutting just now, else of any.
    fn next(&self, hands: &mut Hands<'_>) -> Result<Option<(&Job<'_>, Work)>, VerifyError> {
        for wait in [false, true] {
            for &i in &self.order {
                let job = &self.jobs[i];
                let mut cursor = match (wait, job.cursor.try_lock()) {
                    (_, Ok(cursor)) => cursor,
                    (true, Err(_)) => locked(&job.cursor),
                    (false, Err(_)) => continue,
                };
                if cursor.done {
                    continue;
                }
                let work = self.advance(hands, job, &mut cursor)?;
                let mut state = locked(&job.state);
                state.all_out = cursor.done;
                if let Some(work) = work {
                    state.in_flight += 1;
                    return Ok(Some((job, work)));
                }
                drop((state, cursor));
                self.settle(hands, job)?;
            }
        }
        Ok(None)
    }

    /// Cuts off the next range; `None` when the table is all handed out.
    fn advance(&self, hands: &mut Hands<'_>, job: &Job<'_>, cursor: &mut Cursor) -> Result<Option<Work>, VerifyError> {
        let plan = job.plan;
        if !cursor.begun {
            (self.progress)(&Progress::TableStarted {
                table: plan.pair.source.name.clone(),
                rows_estimate: plan.pair.source.rows_estimate,
            });
            cursor.begun = true;
            if matches!(plan.route, Route::Ranges { .. }) {
                cursor.steps = self.steps(hands, job)?;
            } else {
                cursor.done = true;
                return Ok(Some(Work::Whole));
            }
        }
        loop {
            if locked(&job.state).unsure {
                cursor.done = true;
                return Ok(None);
            }
            let after = cursor.after.clone();
            let upto = match cursor.steps {
                Some((width, first, last)) => {
                    let from = after.as_ref().and_then(|e| number(&e.0[0])).unwrap_or(first - 1) + width;
                    (from < last).then(|| Edge(vec![from.to_string().into_bytes()]))
                }
                None => {
                    let rest = KeyRange::Between { after: after.clone(), upto: None };
                    let task = plan.task(self.settings, 0);
                    let places = plan.range_rows - 1;
                    hands.run(job, |sides| task.edge_after(sides, super::expression::Side::Source, &rest, places))?
                }
            };
            let index = cursor.index;
            cursor.index += 1;
            cursor.done = upto.is_none();
            cursor.after.clone_from(&upto);
            if self.is_chosen(job, index, cursor.done && cursor.chosen == 0) {
                cursor.chosen += 1;
                return Ok(Some(Work::Range(KeyRange::Between { after, upto })));
            }
            locked(&job.state).tally.ranges += 1;
            if cursor.done {
                return Ok(None);
            }
        }
    }

    /// Whether a sample takes this range: by the seed, the table and the range's number alone, so that it can be repeated.
    fn is_chosen(&self, job: &Job<'_>, index: u64, last_chance: bool) -> bool {
        let Mode::Sample { percent } = self.settings.mode else { return true };
        let name = job.plan.pair.source.name.to_string();
        let mut x = name.bytes().fold(self.settings.seed ^ 0x9e37_79b9_7f4a_7c15, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        x = x.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // The finish of splitmix64.
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        last_chance || (x ^ (x >> 31)) % 100 < u64::from(percent)
    }

    /// Edges of a dense integer key are computed, which saves reading the index once more.
    fn steps(&self, hands: &mut Hands<'_>, job: &Job<'_>) -> Result<Option<(i128, i128, i128)>, VerifyError> {
        let plan = job.plan;
        let Some((order, _)) = plan.orders.as_ref().filter(|(o, _)| o.is_single_integer()) else { return Ok(None) };
        let (key, table) = (order.select_list(), plan.pair.source.name.quoted());
        let sql = format!("SELECT MIN({key}), MAX({key}) FROM {table}");
        let rows = hands.run(job, |sides| sides.source.query("looking for the first and last key", &sql))?;
        let value = |i: usize| rows.rows.first().and_then(|r: &Vec<Option<Vec<u8>>>| number(r[i].as_ref()?));
        let (Some(first), Some(last)) = (value(0), value(1)) else { return Ok(None) };
        let dense = i128::from(plan.pair.source.rows_estimate.max(plan.range_rows)).saturating_mul(4);
        Ok((last - first < dense).then_some((i128::from(plan.range_rows), first, last)))
    }

    fn task<'t>(&self, job: &Job<'t>) -> Task<'t> {
        let state = locked(&job.state);
        match self.live {
            Some(_) => job.plan.live_task(self.settings, state.suspects.iter().map(Suspect::rows).sum()),
            None => job.plan.task(self.settings, state.tally.found()),
        }
    }

    fn compare(&self, hands: &mut Hands<'_>, job: &Job<'_>, work: Work) -> Result<(), VerifyError> {
        let plan = job.plan;
        let task = self.task(job);
        let begun = Instant::now();
        let judged = match (&work, plan.route) {
            (Work::Range(range), Route::Ranges { by_rows }) => hands.run(job, |sides| {
                sides.in_snapshot(|sides| if by_rows { task.by_rows(sides, range) } else { task.by_digest(sides, range) })
            })?,
            (_, Route::Multiset { server_sums }) => {
                let tally = hands.run(job, |sides| sides.in_snapshot(|sides| task.by_multiset(sides, server_sums)))?;
                Judged::Done(Box::new(tally))
            }
            (_, Route::Missing) => Judged::Done(Box::new(hands.run(job, |sides| task.count_missing(sides))?)),
            (_, _) => Judged::Done(Box::new(hands.run(job, |sides| task.count_both(sides))?)),
        };
        let mut state = locked(&job.state);
        match judged {
            Judged::Done(mut tally) => {
                tally.milliseconds = milliseconds(begun);
                let rows = tally.source_rows;
                if task.live {
                    let range = if let Work::Range(range) = &work { range } else { &KeyRange::All };
                    live::put_aside(&mut state, plan, range, &mut tally);
                }
                state.tally.add(*tally, task.keep());
                drop(state);
                (self.progress)(&Progress::RowsCompared { table: plan.pair.source.name.clone(), rows });
                state = locked(&job.state);
            }
            Judged::Unsure => state.unsure = true,
        }
        state.in_flight -= 1;
        Ok(())
    }

    /// Ends a table whose last range is done; looks at it as a whole if its ranges could not settle it.
    fn settle(&self, hands: &mut Hands<'_>, job: &Job<'_>) -> Result<(), VerifyError> {
        let mut state = locked(&job.state);
        if !state.all_out || state.in_flight > 0 || state.finished {
            return Ok(());
        }
        state.finished = true;
        if state.unsure {
            drop(state);
            let task = if self.live.is_some() { job.plan.live_task(self.settings, 0) } else { job.plan.task(self.settings, 0) };
            let sums = job.plan.comparison.is_server_comparable() && !self.settings.stream;
            let begun = Instant::now();
            let mut tally = hands.run(job, |sides| sides.in_snapshot(|sides| task.by_multiset(sides, sums)))?;
            state = locked(&job.state);
            tally.milliseconds = state.tally.milliseconds + milliseconds(begun);
            state.tally = Tally::default();
            if task.live {
                state.suspects.clear();
                live::put_aside(&mut state, job.plan, &KeyRange::All, &mut tally);
            }
            state.tally.add(tally, task.keep());
        }
        let verdict = verdict_of(job, &state.tally);
        let open = !state.suspects.is_empty();
        drop(state);
        if !open {
            (self.progress)(&Progress::TableFinished { table: job.plan.pair.source.name.clone(), verdict });
        }
        Ok(())
    }
}

fn number(bytes: &[u8]) -> Option<i128> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

pub(super) fn verdict_of(job: &Job<'_>, tally: &Tally) -> Verdict {
    let columns = !job.plan.comparison.only_source.is_empty() && !job.plan.pair.common_columns_only;
    if tally.found() > 0 || tally.inexact || columns || job.plan.route == Route::Missing { Verdict::Differs } else { Verdict::Equal }
}

fn receipt_of(job: &Job<'_>, settings: &Settings) -> TableReceipt {
    let (plan, state) = (job.plan, locked(&job.state));
    let tally = &state.tally;
    let route = if state.unsure { Route::Multiset { server_sums: true } } else { plan.route };
    let summed =
        matches!(route, Route::Ranges { by_rows: false } | Route::Multiset { server_sums: true }) && !tally.unsummed && !state.mixed;
    let digest = |sum: u128| summed.then(|| format!("{sum:x}"));
    let mut not_covered = plan.comparison.not_covered.clone();
    if tally.compared < tally.ranges {
        not_covered.push(NotCovered {
            what: format!("{} of {} key ranges", tally.ranges - tally.compared, tally.ranges),
            why: format!("a sample was asked for (seed {})", settings.seed),
        });
    }
    if plan.route == Route::Count {
        not_covered.push(NotCovered { what: "values of rows".to_owned(), why: "only counts were asked for".to_owned() });
    }
    let name = |i: usize| plan.comparison.pairs[i].source.name.clone();
    TableReceipt {
        source: plan.pair.source.name.clone(),
        destination: plan.pair.destination_name.clone(),
        verdict: verdict_of(job, tally),
        method: route.method(),
        source_rows: tally.source_rows,
        destination_rows: tally.destination_rows,
        source_digest: digest(tally.source_sum),
        destination_digest: digest(tally.destination_sum),
        ranges: tally.ranges,
        ranges_compared: tally.compared,
        missing: tally.missing,
        extra: tally.extra,
        different: tally.different,
        json_type_changed: tally.json_type_changed,
        unsettled: state.unsettled,
        exact: !tally.inexact,
        differing_columns: tally.columns.iter().map(|(&i, &rows)| ColumnCount { column: name(i), rows }).collect(),
        rows: tally.rows.iter().map(|found| named(plan, found)).collect(),
        columns_only_source: plan.comparison.only_source.clone(),
        columns_only_destination: plan.comparison.only_destination.clone(),
        not_covered,
        milliseconds: tally.milliseconds,
    }
}

/// A found row with its key as text.
fn named(plan: &TablePlan<'_>, found: &Found) -> RowDifference {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let key = match &plan.framing.key {
        None => {
            let digest = <sha2::Sha256 as sha2::Digest>::digest(&found.key);
            vec![KeyValue { column: "row".to_owned(), value: Some(format!("sha256:{}", &hex(&digest)[..16])) }]
        }
        Some(columns) => columns
            .iter()
            .zip(cells(&found.key))
            .map(|(&i, cell)| {
                let pair = &plan.comparison.pairs[i];
                let value = cell.map(|bytes| match (pair.form, std::str::from_utf8(bytes)) {
                    (Form::Number, Ok(text)) if pair.source.kind != crate::catalog::TypeKind::Bit => format!("#{text}"),
                    (Form::Raw | Form::Hashed, _) | (_, Err(_)) => format!("x'{}'", hex(bytes)),
                    (_, Ok(text)) => text.to_owned(),
                });
                KeyValue { column: pair.source.name.clone(), value }
            })
            .collect(),
    };
    let columns = found.columns.iter().map(|&i| plan.comparison.pairs[i].source.name.clone()).collect();
    RowDifference { kind: found.kind, key, columns, count: found.count }
}
