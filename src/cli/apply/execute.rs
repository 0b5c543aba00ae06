//! Runs a plan's phases in order, and again from a fresh look at both servers after a lost connection.

use std::{cell::Cell, collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use super::follow::SpecNames;
use crate::{
    binlog::{Place, Position, gtid::BadGtid, snapshot},
    catalog::{Fingerprint, TableName},
    cli::{
        error::{CommandError, Kind, Passing},
        prepare::{Survey, prepare, selection_digest, survey},
    },
    connect::{ConnectError, Login, Patience, Purpose, RetryWindows, Session},
    destination::{CopyTable, Destination, DestinationError, TaskProgress, mysql::MySqlDestination, mysql::read_progress},
    diff::{
        Change, Part, Risk, Stage,
        accounts::{HASH, Hashed},
    },
    event::{Event, Observer, Observers, Phase, PlannedTable, StopToken},
    phase::{
        full::{self, FullOutcome, FullSettings, Throttle},
        incremental::{FollowOutcome, Goal, Hold, Until, names::Names},
        schema::{self, AccountStep, SchemaError, Step},
        throttle::Limits,
    },
    plan::{self, Action, ActionKind, ActionRisk, Plan},
    spec::{Spec, Start},
    state::{RangeTruth, StateWriter},
};

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All of the plan is done.
    Done,
    /// Somebody asked to stop.
    Stopped,
}

/// What an execution is given.
pub(super) struct Execution<'a> {
    pub(super) spec: &'a Spec,
    /// Speed limits and the number of copies at once; `dtsctl set` changes them while the run goes on.
    pub(super) limits: &'a Limits,
    pub(super) lock_timeout: Duration,
    pub(super) allow_unsafe: &'a [String],
    pub(super) stop: &'a StopToken,
    pub(super) observer: Arc<Observers>,
    pub(super) writer: &'a StateWriter,
    pub(super) new_state: bool,
    /// Where the incremental phase ends.
    pub(super) goal: &'a Goal,
    pub(super) hold: &'a Hold,
    /// The state file, beside which there is room for what memory does not hold.
    pub(super) state_path: &'a Path,
}

/// Why a pass over the plan did not get to its end.
enum Halt {
    Error(Box<CommandError>),
    /// Worth another pass from a fresh look.
    Schema(SchemaError),
    /// Reading one of the catalogs failed.
    Connect(ConnectError),
}

impl From<CommandError> for Halt {
    fn from(error: CommandError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<SchemaError> for Halt {
    fn from(error: SchemaError) -> Self {
        Self::Schema(error)
    }
}

impl From<DestinationError> for Halt {
    fn from(error: DestinationError) -> Self {
        match error {
            DestinationError::Connect(error) => Self::Connect(error),
            other => Self::Error(Box::new(other.into())),
        }
    }
}

impl From<ConnectError> for Halt {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl Halt {
    fn is_connection(&self) -> bool {
        match self {
            Self::Error(e) => e.passing == Some(Passing::Connection),
            Self::Schema(e) => e.is_connection(),
            Self::Connect(e) => e.is_connection(),
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Error(e) => e.passing == Some(Passing::Statement),
            Self::Schema(e) => e.is_transient(),
            Self::Connect(e) => e.is_transient(),
        }
    }

    fn into_error(self) -> CommandError {
        match self {
            Self::Error(e) => *e,
            Self::Schema(e) => e.into(),
            Self::Connect(e) => e.into(),
        }
    }
}

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(e) => f.write_str(&e.shown.message),
            Self::Schema(e) => e.fmt(f),
            Self::Connect(e) => e.fmt(f),
        }
    }
}

impl Execution<'_> {
    pub(super) fn windows(&self) -> RetryWindows {
        RetryWindows { connection: self.spec.retry.connection, other: self.spec.retry.other }
    }

    /// Runs the plan that was reviewed. After a lost connection both servers are looked at again; what is left to do must then be a part
    /// of the reviewed plan.
    pub(super) fn run(&self, reviewed: Plan, survey: Survey) -> Result<Ended, CommandError> {
        let who = format!("apply of {}", self.spec.name);
        let mut patience = Patience::new(self.windows(), who, self.observer.as_ref(), vec![self.stop]);
        let logins = (survey.source_login.clone(), survey.destination_login.clone());
        let source = definitions(&survey);
        drop(survey);
        let mut plan = reviewed.clone();
        let mut look_again = false;
        loop {
            let further = Cell::new(false);
            let looked = if look_again { self.look_again(&reviewed, &mut plan, &logins.1, &further) } else { Ok(()) };
            let passed = looked.and_then(|()| {
                // The servers are there, which ends the wait; the windows go on until something is done.
                patience.answered();
                self.pass(&plan, &source, &logins, &further)
            });
            let halt = match passed {
                Ok(ended) => return Ok(ended),
                Err(halt) => halt,
            };
            if further.get() {
                patience.succeeded();
            }
            if self.stop.is_stopped() {
                return Ok(Ended::Stopped);
            }
            let waited = match (halt.is_connection(), halt.is_transient()) {
                (true, _) => patience.connection_failed(&halt),
                (_, true) => patience.statement_failed(&halt),
                _ => return Err(halt.into_error()),
            };
            match waited {
                Ok(true) => look_again = true,
                Ok(false) => return Ok(Ended::Stopped),
                Err(window) => {
                    return Err(halt.into_error().because(format!("gave up: `{window}` of the spec is used up")));
                }
            }
        }
    }

    /// Plans again, and sees whether there is less to do than before.
    fn look_again(&self, reviewed: &Plan, plan: &mut Plan, destination: &Login, further: &Cell<bool>) -> Result<(), Halt> {
        let who = "schema".to_owned();
        schema::wait_for_earlier(destination, &self.spec.name, self.stop, |holder| {
            let reason = format!("a statement whose connection was lost is still running at the destination: {holder}");
            self.observer.observe(&Event::Waiting { who: who.clone(), reason });
        })?;
        self.observer.observe(&Event::WaitOver { who });
        let fresh = within(reviewed, prepare(self.spec, self.allow_unsafe, std::time::SystemTime::now())?.plan)?;
        further.set(fresh.actions.len() < plan.actions.len());
        *plan = fresh;
        Ok(())
    }

    /// Does what the plan says. `further` is set as soon as a part of it is done.
    fn pass(&self, plan: &Plan, reviewed: &Definitions, logins: &(Login, Login), further: &Cell<bool>) -> Result<Ended, Halt> {
        let observer = Arc::clone(&self.observer) as Arc<dyn Observer>;
        let destination = MySqlDestination::new(logins.1.clone(), &self.spec.name, observer)?.selecting(selection_digest(self.spec));
        let mut source = Session::open(&logins.0, Purpose::Catalog)?;
        let known = read_progress(&mut Session::open(&logins.1, Purpose::Control)?, &self.spec.name)?;
        let identity = super::source::known(&logins.0, &source.info().identity, known.as_ref())?;
        let progress = destination.take_over(&identity)?;
        self.reconcile(&progress);
        if self.spec.phases.incremental && progress.following.is_some() {
            drop(source);
            return self.follow(&logins.0, &destination);
        }
        for action in plan.actions.iter().filter(|a| a.act == ActionKind::Copy) {
            // A table that is made anew is copied anew, whatever is known of the one before it.
            let anew = plan.actions.iter().any(|a| a.act == ActionKind::Create && a.kind == "table" && a.table == action.table);
            let Some(table) = &action.source_table else { continue };
            // So is one that goes to another table than before.
            let elsewhere = progress.table(table).is_some_and(|known| Some(&known.destination) != action.table.as_ref());
            if anew || elsewhere {
                destination.forget_table(table)?;
            }
        }
        if self.spec.phases.full && progress.source_position.is_none() {
            self.note_start(&mut source, &logins.0, reviewed, &destination)?;
        }
        if self.spec.phases.schema && !self.schema(plan, Phase::Schema, &logins.1, &destination)? {
            return Ok(Ended::Stopped);
        }
        if self.spec.phases.full {
            // As it stands after the forgetting above.
            let progress = destination.take_over(&progress.source_identity.clone().unwrap_or_default())?;
            if self.copy(plan, &logins.0, &destination, &progress)? == FullOutcome::Stopped {
                return Ok(Ended::Stopped);
            }
            further.set(true);
        }
        if self.spec.phases.schema && !self.schema(plan, Phase::Finish, &logins.1, &destination)? {
            return Ok(Ended::Stopped);
        }
        self.prove_schema(reviewed)?;
        if !self.spec.phases.incremental {
            return Ok(Ended::Done);
        }
        // Last of all: once it is noted, a later run follows and does nothing else.
        let now = snapshot::marked(&mut source, &logins.0, &self.spec.name, snapshot::end_position)?;
        if !self.spec.phases.full {
            // After the position: what changes in between is met again in the binlog, and does not go unseen.
            self.begin_history(&mut survey(self.spec)?, false)?;
        }
        begin_following(self.spec, &source.info().identity.clone(), now, &destination)?;
        self.follow(&logins.0, &destination)
    }

    /// Takes the source's position from before the first statement and the first row. What is selected must not have changed since the
    /// plan was made: a change between the two would be in neither.
    fn note_start(&self, source: &mut Session, login: &Login, reviewed: &Definitions, destination: &MySqlDestination) -> Result<(), Halt> {
        let taken = match self.spec.phases.incremental {
            true => snapshot::marked(source, login, &self.spec.name, snapshot::start_position),
            false => snapshot::start_position(source),
        };
        let position = match taken {
            Ok(position) => position,
            // A copy that nothing follows needs no position, and the account need not have the right to ask.
            Err(_) if !self.spec.phases.incremental => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if self.spec.phases.incremental {
            let mut survey = survey(self.spec)?;
            if let Some(table) = differing(reviewed, &definitions(&survey)) {
                return Err(CommandError::new(Kind::Stale, "the source has changed since the plan was made; nothing was executed")
                    .because(format!("{table} is new, gone, or has another definition"))
                    .hint("`dtsctl plan` shows what is to be done now")
                    .into());
            }
            self.begin_history(&mut survey, true)?;
        }
        Ok(destination.note_source_position(&position)?)
    }

    /// Tells what is known to a new state file, and writes the destination's truth over the state file's copy of it.
    fn reconcile(&self, progress: &TaskProgress) {
        if self.new_state && progress.run > 1 {
            let tables = progress.tables.iter().filter(|t| t.copied).count();
            let text = format!(
                "the state file is new, but the destination knows this task: {tables} of {} tables are copied; going on from there",
                progress.tables.len()
            );
            self.observer.observe(&Event::Note { text });
        }
        write_truth(self.writer, progress);
    }

    fn schema(&self, plan: &Plan, phase: Phase, login: &Login, destination: &MySqlDestination) -> Result<bool, Halt> {
        let hashed = self.hashed(plan, phase)?;
        let steps: Vec<Step> = plan
            .actions
            .iter()
            .filter(|a| a.phase == phase && a.permitted)
            .map(|a| Step {
                action: a.id.clone(),
                object: a.object.clone(),
                statements: a.statements.clone(),
                creates: creates(a),
                side_by_side: a.part == Some(Part::Indexes),
                account: account_step(a, &hashed),
            })
            .collect();
        if let Some(step) =
            steps.iter().find(|s| s.account.as_ref().is_some_and(|a| a.real.is_none()) && s.statements.iter().any(|s| s.contains(HASH)))
        {
            return Err(CommandError::new(Kind::Stale, "the source has changed since the plan was made")
                .because(format!("account {} is gone, or is defined otherwise", step.object))
                .hint("`dtsctl plan` shows what is to be done now")
                .into());
        }
        let settings = schema::SchemaSettings {
            task: &self.spec.name,
            login,
            destination,
            lock_timeout: self.lock_timeout,
            threads: self.limits.threads(),
            stop: self.stop,
            observer: self.observer.as_ref(),
        };
        Ok(schema::run(&settings, phase, &steps)?)
    }

    /// The statements of a phase that hold a password's hash, read from the source at this moment: a plan does not hold them.
    fn hashed(&self, plan: &Plan, phase: Phase) -> Result<Hashed, Halt> {
        let holds = |a: &Action| a.phase == phase && a.permitted && a.statements.iter().any(|s| s.contains(HASH));
        if plan.actions.iter().any(holds) { Ok(survey(self.spec)?.hashed) } else { Ok(Hashed::new()) }
    }

    fn copy(&self, plan: &Plan, source: &Login, destination: &MySqlDestination, progress: &TaskProgress) -> Result<FullOutcome, Halt> {
        let survey = survey(self.spec)?;
        if let Some(change) = survey.still_to_do(&[Stage::Before]).filter(|_| self.spec.phases.schema) {
            return Err(Halt::from(
                CommandError::failed(format!("the destination did not take the definition of {} as it was given", change.destination))
                    .because(format!("still to do: {}", change.what))
                    .hint("`dtsctl plan` shows how the definitions differ"),
            ));
        }
        let mut tables = Vec::new();
        for action in plan.actions.iter().filter(|a| a.act == ActionKind::Copy && a.permitted) {
            let (Some(from), Some(to)) = (&action.source_table, &action.table) else { continue };
            tables.push(copy_table(&survey, action, from, to)?);
        }
        self.observer.observe(&planned(&survey, progress, &tables));
        let settings = FullSettings {
            source,
            destination,
            progress,
            threads: self.limits.threads(),
            followed: self.spec.phases.incremental,
            throttle: Throttle::new(self.limits).with_chunks_of(super::pause::chunk_rows()),
            retry: self.windows(),
            stop: self.stop,
            observer: self.observer.as_ref(),
        };
        full::run(&settings, tables).map_err(|error| Halt::from(CommandError::from(error)))
    }

    /// Notes the definitions of the selected tables as those at the position from which the binlog is followed.
    fn begin_history(&self, survey: &mut Survey, copied: bool) -> Result<(), Halt> {
        let names: Arc<dyn Names> = Arc::new(SpecNames::new(self.spec, survey));
        let run = survey.progress.as_ref().map_or(0, |progress| progress.run);
        let mut carrier = self.carrier(run, survey, names)?;
        let tables = survey.scope.pairs.iter().filter_map(|pair| survey.source_catalog.table(&pair.source));
        carrier.begin(tables, copied).map_err(|error| Halt::from(CommandError::from(error)))
    }

    /// What was asked for is what is there now: the plan made again is empty. Where the binlog is followed, what has become of the source
    /// since is its business.
    fn prove_schema(&self, reviewed: &Definitions) -> Result<(), Halt> {
        if !self.spec.phases.schema {
            return Ok(());
        }
        let survey = survey(self.spec)?;
        let now = definitions(&survey);
        let as_planned = |change: &&Change| {
            let pair = survey.scope.pairs.iter().find(|pair| Some(&pair.destination) == change.table.as_ref());
            pair.is_none_or(|pair| reviewed.get(&pair.source) == now.get(&pair.source))
        };
        let mut left = survey.diff.changes.iter().filter(|c| c.risk == Risk::Safe);
        // Counters move on with every row; they are set again at the end.
        let due = |change: &&Change| !self.spec.phases.incremental || change.part != Part::Counter && as_planned(change);
        match left.find(due) {
            None => Ok(()),
            Some(change) => Err(Halt::from(
                CommandError::failed(format!("{} is not as the plan made it", change.destination))
                    .because(format!("still to do: {}", change.what))
                    .hint("`dtsctl plan` shows how the definitions differ"),
            )),
        }
    }

    /// Follows the binlog from where the destination is.
    fn follow(&self, source: &Login, destination: &MySqlDestination) -> Result<Ended, Halt> {
        let mut survey = survey(self.spec)?;
        let progress = survey.progress.clone().unwrap_or_default();
        let names: Arc<dyn Names> = Arc::new(SpecNames::new(self.spec, &survey));
        let mut carrier = self.carrier(progress.run, &mut survey, Arc::clone(&names))?;
        drop(survey);
        let outcome = self.follow_from(source, destination, &progress, names, &mut carrier)?;
        // Elsewhere than at its end the source's definitions may be others than the destination's.
        if outcome == FollowOutcome::Reached && self.goal.now() == Until::CaughtUp {
            self.set_counters()?;
        }
        match outcome {
            FollowOutcome::Reached if self.goal.was_changed() => Ok(Ended::Stopped),
            FollowOutcome::Reached => Ok(Ended::Done),
            FollowOutcome::Stopped => Ok(Ended::Stopped),
        }
    }
}

impl Execution<'_> {
    /// AUTO_INCREMENT counters that are behind the source's: rows that came and went between two commits of ours have moved them there
    /// and not here, and one that is given a number again would meet what others remember of the old one.
    fn set_counters(&self) -> Result<(), Halt> {
        if !self.spec.phases.schema {
            return Ok(());
        }
        let survey = survey(self.spec)?;
        let mut session = Session::open(&survey.destination_login, Purpose::Ddl)?;
        for change in survey.diff.changes.iter().filter(|change| change.part == Part::Counter && change.risk == Risk::Safe) {
            for statement in &change.statements {
                session.exec(&format!("setting the counter of {}", change.destination), statement)?;
            }
        }
        Ok(())
    }
}

/// Fingerprints of the selected tables at the source.
type Definitions = BTreeMap<TableName, Fingerprint>;

fn definitions(survey: &Survey) -> Definitions {
    let tables = survey.scope.pairs.iter().filter_map(|pair| survey.source_catalog.table(&pair.source));
    tables.map(|table| (table.name.clone(), table.fingerprint())).collect()
}

/// A table that is in one and not, or not alike, in the other.
fn differing<'a>(a: &'a Definitions, b: &'a Definitions) -> Option<&'a TableName> {
    let lacks = |a: &'a Definitions, b: &Definitions| a.iter().find(|(name, print)| b.get(*name) != Some(*print)).map(|(name, _)| name);
    lacks(a, b).or_else(|| lacks(b, a))
}

/// Notes from where the binlog is followed and, after a copy, a position behind everything that it has read.
fn begin_following(spec: &Spec, source: &str, now: Position, destination: &MySqlDestination) -> Result<(), Halt> {
    if spec.phases.full {
        let progress = destination.take_over(source)?;
        let start = progress.source_position.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let Some(start) = start else {
            return Err(CommandError::failed("the position of the source from before the copy is not known")
                .because("it was copied without `phases.incremental`, or by an earlier version of dtsctl")
                .hint("begin anew with `dtsctl apply --restart`")
                .into());
        };
        return Ok(destination.begin_following(&start, Some(&now))?);
    }
    let start = match &spec.start {
        Start::Now => now,
        Start::Gtid(set) => {
            let set = set.parse().map_err(|error: BadGtid| CommandError::new(Kind::Unusable, format!("`start`: {error}")))?;
            Position::new(Place { file: String::new(), offset: 0 }, Some(set))
        }
        Start::Position { file, offset } => {
            let server = now.server.clone();
            Position { server, ..Position::new(Place { file: file.clone(), offset: *offset }, None) }
        }
    };
    Ok(destination.begin_following(&start, None)?)
}

fn copy_table(survey: &Survey, action: &Action, from: &TableName, to: &TableName) -> Result<CopyTable, Halt> {
    let missing = |which: &str, name: &TableName| {
        Halt::from(CommandError::failed(format!("{name} is gone from the {which}")).hint("`dtsctl plan` shows what is left to do"))
    };
    let source = survey.source_catalog.table(from).ok_or_else(|| missing("source", from))?;
    let destination = survey.destination_catalog.table(to).ok_or_else(|| missing("destination", to))?;
    let keep = action.copy.as_ref().is_some_and(|c| c.keep_existing);
    let columns = survey.scope.pair(from).map(|pair| pair.columns.clone()).unwrap_or_default();
    let table = CopyTable::mapped(source.clone(), destination.clone(), &columns, keep);
    // The plan says which columns go; fewer would be values lost in silence.
    let planned = action.copy.as_ref().and_then(|c| c.columns.as_ref()).map_or_else(|| source.copied_columns().len(), Vec::len);
    if table.columns.len() != planned {
        return Err(Halt::from(
            CommandError::failed(format!("{to} takes {} of the {planned} columns that the plan copies", table.columns.len()))
                .hint("`dtsctl plan` shows how the definitions differ"),
        ));
    }
    Ok(table)
}

/// All tables of the task, those of earlier runs included, so that totals are known from the beginning.
fn write_truth(writer: &StateWriter, progress: &TaskProgress) {
    if let Some(following) = &progress.following {
        writer.set_follow(&following.position, following.transactions, following.row_events);
    }
    for table in &progress.tables {
        for range in &table.ranges {
            let truth = RangeTruth { rows: range.read, written: range.written, bytes: range.bytes, finished: range.finished };
            writer.set_range(&table.source, range.number, truth);
        }
    }
}

/// Notes that nothing is left to do, for a run that was killed after its last piece of work and before it could say so.
pub(super) fn note_all_done(writer: &StateWriter, spec: &Spec, survey: &Survey, progress: &TaskProgress) {
    write_truth(writer, progress);
    writer.observe(&planned(survey, progress, &[]));
    let phases = [(Phase::Schema, spec.phases.schema), (Phase::Full, spec.phases.full), (Phase::Finish, spec.phases.schema)];
    for (phase, _) in phases.into_iter().filter(|(_, on)| *on) {
        writer.set_phase(phase, true);
    }
}

fn planned(survey: &Survey, progress: &TaskProgress, now: &[CopyTable]) -> Event {
    let known = |source: &TableName| progress.table(source);
    let tables = survey.scope.pairs.iter().filter_map(|pair| {
        let state = known(&pair.source);
        let copied = state.is_some_and(|s| s.copied);
        if !copied && !now.iter().any(|t| t.source.name == pair.source) {
            return None;
        }
        let table = survey.source_catalog.table(&pair.source)?;
        let ranges = state.map(|s| s.ranges.as_slice()).unwrap_or_default();
        Some(PlannedTable {
            table: pair.source.clone(),
            destination: pair.destination.clone(),
            rows_estimate: table.rows_estimate,
            bytes_estimate: table.bytes_estimate(),
            rows_done: ranges.iter().map(|r| r.read).sum(),
            bytes_done: ranges.iter().map(|r| r.bytes).sum(),
            finished: copied,
        })
    });
    Event::TablesPlanned { tables: tables.collect() }
}

/// What the action is to an account, if it is about one.
fn account_step(action: &Action, hashed: &Hashed) -> Option<AccountStep> {
    let about = matches!(action.part, Some(Part::Accounts | Part::Grants));
    about.then(|| AccountStep {
        name: action.object.clone(),
        begins: action.act == ActionKind::Create,
        ends: action.part == Some(Part::Grants),
        real: action.statements.first().and_then(|shown| hashed.get(shown)).cloned(),
    })
}

fn creates(action: &Action) -> Option<(TableName, TableName)> {
    if action.act != ActionKind::Create || !["table", "sequence"].contains(&action.kind.as_str()) || action.phase != Phase::Schema {
        return None;
    }
    action.source_table.clone().zip(action.table.clone())
}

/// The fresh plan with the reviewed plan's permissions, when it holds nothing that was not reviewed.
pub(super) fn within(reviewed: &Plan, mut fresh: Plan) -> Result<Plan, CommandError> {
    let has = |known: &Action, statement: &str| {
        let wanted = plan::without_counter(statement);
        known.statements.iter().any(|s| plan::without_counter(s) == wanted)
    };
    for action in &mut fresh.actions {
        let known = reviewed.actions.iter().find(|a| {
            a.act == action.act
                && a.object == action.object
                && (action.act == ActionKind::Copy || action.statements.iter().all(|s| has(a, s)))
        });
        match known {
            Some(known) => action.permitted = known.permitted,
            // Rows have moved it on since.
            None if action.part == Some(Part::Counter) && action.risk == ActionRisk::Safe => {}
            None => {
                return Err(CommandError::new(Kind::Stale, "the servers have changed while this plan ran")
                    .because(format!("{}: {} was not part of it", action.object, action.what))
                    .hint("`dtsctl plan` shows what is left to do"));
            }
        }
    }
    Ok(fresh)
}
