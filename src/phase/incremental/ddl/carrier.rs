//! Carries statements to a destination of the MySQL family.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Carried, DdlError, Judgement, Occurrence, Statements,
    decide::{Decision, Effect, Scene, Stop, Translate, decide},
    facts::SourceFacts,
    reading::{Read, is_secret, named, object},
    session,
};
use crate::{
    catalog::{self, Table, TableName},
    connect::{ConnectError, Flavor, Login, Purpose, Session},
    ddl::statement::{Class, Classified, NameKind},
    destination::mysql::ddl::{Before, DdlRow, DdlState, Ledger, Origin, SchemaChange, SchemaRow},
    event::{DdlOutcome, DdlSeen, Event, Observer, StopToken},
    phase::incremental::{
        cascades,
        history::{History, LeftOut},
        names::Names,
    },
};

/// What carrying statements needs to know.
#[derive(Clone)]
pub struct DdlSettings {
    /// Name of the task.
    pub task: String,
    /// Number of the run.
    pub run: u64,
    /// How to log in at the destination.
    pub login: Login,
    /// What the source is.
    pub source: SourceFacts,
    /// What is selected.
    pub names: Arc<dyn Names>,
    /// What the destination makes of the source's words.
    pub translate: Arc<dyn Translate>,
    /// A statement that fails ends the task (`ddl_errors: stop`).
    pub stop_on_error: bool,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// Asks to stop.
    pub stop: StopToken,
    /// Listens.
    pub observer: Arc<dyn Observer>,
}

/// Carries statements; sessions are opened when they are needed, and anew after one was lost.
pub struct Carrier {
    pub(super) settings: DdlSettings,
    pub(super) ledger: Ledger,
    /// Runs the statements; marked as a schema session.
    pub(super) runs: Option<Session>,
    /// Reads the catalog and writes the ledger.
    looks: Option<Session>,
    /// Charsets of the destination and the collation each has when none is named.
    pub(super) defaults: Option<BTreeMap<String, String>>,
}

impl Carrier {
    /// A carrier that has not connected yet.
    pub fn new(settings: DdlSettings) -> Self {
        let ledger = Ledger::new(&settings.task, settings.run);
        Self { settings, ledger, runs: None, looks: None, defaults: None }
    }

    /// Begins the schema history with the definitions that the source had at the snapshot; to be called before its position is noted, and
    /// not after.
    ///
    /// # Errors
    /// As the destination fails.
    pub fn begin<'a>(&mut self, tables: impl IntoIterator<Item = &'a Table>, copied: bool) -> Result<(), DdlError> {
        let rows: Vec<SchemaRow> = tables
            .into_iter()
            .map(|table| SchemaRow { source: table.name.clone(), copied, definition: Some(table.clone()), doubt: None })
            .collect();
        let ledger = self.ledger.clone();
        Ok(self.looking(|session| ledger.begin_schema(session, &rows))?)
    }

    /// Runs `work` on the session that looks. One that failed is not used again: what it had open is rolled back.
    pub(super) fn looking<T, E: From<ConnectError>>(&mut self, work: impl FnOnce(&mut Session) -> Result<T, E>) -> Result<T, E> {
        let mut session = match self.looks.take() {
            Some(session) => session,
            None => Session::open(&self.settings.login, Purpose::Catalog)?,
        };
        let result = work(&mut session);
        if result.is_ok() {
            self.looks = Some(session);
        }
        result
    }

    /// Destination tables of these names, as they are now.
    pub(super) fn tables(&mut self, names: &[TableName]) -> Result<BTreeMap<TableName, Table>, DdlError> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let catalog = self.looking(|session| {
            let folds = session.info().folds_names();
            let key = |name: &str| if folds { name.to_lowercase() } else { name.to_owned() };
            let databases: std::collections::BTreeSet<String> = names.iter().map(|n| key(&n.database)).collect();
            let tables: std::collections::BTreeSet<(String, String)> = names.iter().map(|n| (key(&n.database), key(&n.table))).collect();
            let scope = catalog::Scope {
                database: &|name| databases.contains(&key(name)),
                table: &|name| tables.contains(&(key(&name.database), key(&name.table))),
            };
            let found = catalog::read(session, &scope)?;
            let by_name: BTreeMap<(String, String), Table> =
                found.tables.into_iter().map(|t| ((key(&t.name.database), key(&t.name.table)), t)).collect();
            Ok::<_, catalog::CatalogError>(
                names
                    .iter()
                    .filter_map(|n| Some((n.clone(), by_name.get(&(key(&n.database), key(&n.table)))?.clone())))
                    .collect::<BTreeMap<_, _>>(),
            )
        });
        catalog.map_err(|error| match error {
            catalog::CatalogError::Connect(error) => DdlError::Connect(error),
            catalog::CatalogError::MissingRight { source, .. } | catalog::CatalogError::Unreadable { source, .. } => {
                DdlError::Connect(source)
            }
        })
    }

    /// What these tables are like now.
    pub(super) fn look(&mut self, names: &[TableName], with_ids: bool) -> Result<Before, DdlError> {
        let tables = self.tables(names)?;
        let definitions =
            names.iter().map(|name| (name.to_string(), tables.get(name).map(|t| t.fingerprint().as_str().to_owned()))).collect();
        let ids = if with_ids { self.looking(|session| Ok::<_, DdlError>(session::table_ids(session, names)))? } else { BTreeMap::new() };
        let tables = tables.into_iter().map(|(name, table)| (name.to_string(), table)).collect();
        Ok(Before { definitions, ids, tables })
    }

    /// `resuming`: it was decided upon before, and the destination's tables may be as they are after it.
    fn decide(&self, at: Occurrence<'_>, read: &Read, history: &History, resuming: bool) -> Decision {
        decide(&Scene {
            classified: &read.classified,
            default_database: &at.statement.database,
            names: self.settings.names.as_ref(),
            history,
            translate: self.settings.translate.as_ref(),
            folds: self.settings.source.folds,
            during_copy: at.during_copy,
            resuming,
            databases: &read.databases,
            length: read.text.len(),
            failed: at.statement.error != 0,
        })
    }

    /// The same, when it is its turn: with what the destination tells.
    fn decide_now(&mut self, at: Occurrence<'_>, read: &Read, history: &History, resuming: bool) -> Result<Decision, DdlError> {
        let decision = self.decide(at, read, history, resuming);
        if let (Decision::Run(plan), false) = (&decision, resuming)
            && let Some(reason) = self.takes_others_rows(&read.classified, plan)?
        {
            return Ok(Decision::Refuse { reason, about: about(&plan.effects) });
        }
        Ok(decision)
    }

    pub(super) fn stop(&self, at: Occurrence<'_>, statement: &str, stop: Stop) -> DdlError {
        DdlError::Stop { code: stop.code, statement: statement.to_owned(), place: place(at), reason: stop.reason, hint: stop.hint }
    }

    /// The row that the ledger gets, as far as the statement tells.
    pub(super) fn row(&self, at: Occurrence<'_>, read: &Read, state: DdlState) -> DdlRow {
        let secret = is_secret(read.classified.class);
        DdlRow {
            origin: origin(at),
            state,
            class: read.classified.class.words().to_owned(),
            object: object(read, &at.statement.database),
            place: place(at),
            default_database: at.statement.database.clone(),
            statement: (!secret).then(|| read.text.clone()),
            sent: None,
            context: None,
            before: None,
            error: None,
            seconds: at.statement.seconds,
        }
    }

    pub(super) fn tell(&self, at: Occurrence<'_>, row: &DdlRow, outcome: DdlOutcome) {
        self.settings.observer.observe(&Event::DdlSeen(Box::new(DdlSeen {
            place: at.statement.place.clone(),
            gtid: at.begin.gtid.clone(),
            class: row.class.to_lowercase().replace(' ', "-"),
            object: row.object.clone(),
            sql: row.sent.clone().or_else(|| row.statement.clone()).unwrap_or_default(),
            outcome,
        })));
    }

    fn skip(&mut self, at: Occurrence<'_>, read: &Read, reason: String) -> Result<Carried, DdlError> {
        let row = DdlRow { error: Some(reason.clone()), ..self.row(at, read, DdlState::Skipped) };
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.note(session, &row))?;
        self.tell(at, &row, DdlOutcome::Skipped { reason });
        Ok(Carried::Skipped)
    }

    /// Not run because the spec leaves it out, and what the tables are at the source is in doubt from here on.
    pub(super) fn leave_out(
        &mut self,
        at: Occurrence<'_>,
        read: &Read,
        (reason, tables, what): (String, &[TableName], LeftOut),
        history: &mut History,
    ) -> Result<Carried, DdlError> {
        let row = DdlRow { error: Some(reason.clone()), ..self.row(at, read, DdlState::Skipped) };
        let doubt = History::doubt_of(what, &format!("`operations` leaves out {} at {}", named(read, &at.statement.database), place(at)));
        let changes: Vec<SchemaChange> = tables.iter().map(|t| SchemaChange::Doubt(t.clone(), doubt.clone())).collect();
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.finish(session, &row, &changes))?;
        for table in tables {
            history.set_doubt(table.clone(), doubt.clone());
        }
        self.tell(at, &row, DdlOutcome::Skipped { reason });
        Ok(Carried::Skipped)
    }

    /// The destination refused it, or it cannot be written for it.
    pub(super) fn failed(
        &mut self,
        at: Occurrence<'_>,
        read: &Read,
        mut row: DdlRow,
        about: &[TableName],
        error: String,
        history: &mut History,
    ) -> Result<Carried, DdlError> {
        let statement = row.object.as_ref().map_or_else(|| row.class.clone(), |o| format!("{} {o}", row.class));
        if self.settings.stop_on_error {
            self.forget_intent(&row.origin)?;
            return Err(DdlError::Failed { statement, place: place(at), error });
        }
        let doubt = format!("{statement} at {} failed at the destination: {error}", place(at));
        let doubt = leaves_in_doubt(&read.classified).map_or(doubt.clone(), |what| History::doubt_of(what, &doubt));
        row.state = DdlState::Failed;
        row.error = Some(error.clone());
        // What is in doubt because a statement was not carried stays so.
        let about: Vec<&TableName> = about.iter().filter(|t| history.unseen(t).or_else(|| history.renamed(t)).is_none()).collect();
        let changes: Vec<SchemaChange> = about.iter().map(|&t| SchemaChange::Doubt(t.clone(), doubt.clone())).collect();
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.finish(session, &row, &changes))?;
        for table in about {
            history.set_doubt(table.clone(), doubt.clone());
        }
        self.tell(at, &row, DdlOutcome::Failed { error: error.clone() });
        Ok(Carried::Failed { error })
    }

    /// Carries a statement that was held back until now; `known` is its row in the ledger.
    pub(super) fn carry_now(
        &mut self,
        at: Occurrence<'_>,
        known: DdlRow,
        history: &mut History,
        changed: &mut Vec<TableName>,
    ) -> Result<Carried, DdlError> {
        let read = self.read(at)?;
        // Held and not intended yet, there is nothing to go by.
        let intended = (known.state == DdlState::Intent).then_some(known);
        match self.decide_now(at, &read, history, intended.is_some())? {
            Decision::Run(plan) => self.run(at, &read, plan, intended, history, changed),
            Decision::Refuse { reason, about } => {
                let row = self.row(at, &read, DdlState::Failed);
                self.failed(at, &read, row, &about, reason, history)
            }
            Decision::Stop(stop) => Err(self.stop(at, &named(&read, &at.statement.database), stop)),
            Decision::Skip(reason) => self.skip(at, &read, reason),
            Decision::LeaveOut { reason, doubts, what } => self.leave_out(at, &read, (reason, &doubts, what), history),
            _ => Ok(Carried::Skipped),
        }
    }

    pub(super) fn destination_flavor(&mut self) -> Result<Flavor, DdlError> {
        Ok(self.looking(|session| Ok::<_, ConnectError>(session.flavor()))?)
    }
}

impl Statements for Carrier {
    fn load(&mut self) -> Result<History, DdlError> {
        let ledger = self.ledger.clone();
        let rows = self.looking(|session| ledger.schema(session))?;
        let names: Vec<TableName> =
            rows.iter().filter(|r| r.definition.is_some()).filter_map(|r| self.settings.names.table(&r.source)).collect();
        let there = self.tables(&names)?;
        let mut history = History::default();
        let unread: Vec<TableName> =
            rows.iter().filter(|r| r.definition.as_ref().is_some_and(|d| d.cascades.is_none())).map(|r| r.source.clone()).collect();
        for row in rows {
            if let Some(definition) = row.definition {
                let place = self.settings.names.table(&row.source);
                let destination = place.and_then(|place| there.get(&place).cloned());
                let columns = self.settings.names.columns(&row.source);
                history.set(definition, destination, &columns);
            }
            if row.copied {
                history.set_copied(row.source.clone());
            }
            if let Some(doubt) = row.doubt {
                history.set_doubt(row.source, doubt);
            }
        }
        for name in unread {
            let Some(copy) = history.table(&name).cloned() else { continue };
            let cascades = Some(cascades::noted(&history, self.settings.names.as_ref(), &copy.source, &copy.destination));
            let definition = Table { cascades, ..copy.source.clone() };
            history.set(definition, Some(copy.destination.clone()), &self.settings.names.columns(&name));
        }
        Ok(history)
    }

    fn judge(&mut self, at: Occurrence<'_>, history: &History) -> Result<Judgement, DdlError> {
        let read = self.read(at)?;
        match self.decide(at, &read, history, false) {
            Decision::Pass => Ok(Judgement::Pass),
            _ if read.doubt.is_some() => Ok(Judgement::Barrier),
            Decision::Skip(_) | Decision::Hold { .. } | Decision::Release { .. } => Ok(Judgement::Record),
            // What comes before it is not in doubt, and must be committed before the doubt is noted.
            Decision::Run(_) | Decision::LeaveOut { .. } | Decision::Refuse { .. } | Decision::CutOver { .. } => Ok(Judgement::Barrier),
            Decision::Stop(stop) => {
                // It may have been dealt with before a crash, and the history is behind it already.
                let (ledger, origin) = (self.ledger.clone(), origin(at));
                let known = self.looking(|session| ledger.find(session, &origin))?;
                match known {
                    Some(row) if row.state != DdlState::Intent => Ok(Judgement::Record),
                    Some(_) if !matches!(self.decide(at, &read, history, true), Decision::Stop(_)) => Ok(Judgement::Barrier),
                    _ => Err(self.stop(at, &named(&read, &at.statement.database), stop)),
                }
            }
        }
    }

    fn carry(&mut self, at: Occurrence<'_>, history: &mut History, changed: &mut Vec<TableName>) -> Result<Carried, DdlError> {
        let (ledger, origin) = (self.ledger.clone(), origin(at));
        let known = self.looking(|session| ledger.find(session, &origin))?;
        match known.as_ref().map(|row| row.state) {
            Some(DdlState::Done) => return Ok(Carried::Done),
            Some(DdlState::Skipped | DdlState::Held) => return Ok(Carried::Skipped),
            Some(DdlState::Failed) => return Ok(Carried::Failed { error: known.and_then(|row| row.error).unwrap_or_default() }),
            Some(DdlState::Intent) | None => {}
        }
        let mut read = self.read(at)?;
        let decision = self.decide_now(at, &read, history, known.is_some())?;
        if let Some(stop) = read.doubt.take().filter(|_| !matches!(decision, Decision::Pass)) {
            return Err(self.stop(at, &named(&read, &at.statement.database), stop));
        }
        match decision {
            Decision::Pass => Ok(Carried::Skipped),
            Decision::Skip(reason) => self.skip(at, &read, reason),
            Decision::LeaveOut { reason, doubts, what } => self.leave_out(at, &read, (reason, &doubts, what), history),
            Decision::Refuse { reason, about } => {
                let row = self.row(at, &read, DdlState::Failed);
                self.failed(at, &read, row, &about, reason, history)
            }
            Decision::Stop(stop) => Err(self.stop(at, &named(&read, &at.statement.database), stop)),
            Decision::Run(plan) => self.run(at, &read, plan, known, history, changed),
            Decision::Hold { shadow } => self.hold(at, &read, &shadow),
            Decision::Release { shadow } => {
                let (ledger, object) = (self.ledger.clone(), shadow.to_string());
                self.looking(|session| ledger.release(session, &object))?;
                Ok(Carried::Skipped)
            }
            Decision::CutOver { original, shadow } => self.cut_over(at, &read, (&original, &shadow), history, changed),
        }
    }
}

/// What is in doubt about a table of which this statement failed. Other columns would not fit the rows, which says enough; the same columns
/// in another meaning (members of an ENUM in another order, two columns' names swapped) would.
fn leaves_in_doubt(statement: &Classified) -> Option<LeftOut> {
    match statement.class {
        Class::AlterTable | Class::RenameTable if statement.of_kind(NameKind::Becomes).next().is_some() => Some(LeftOut::Name),
        Class::AlterTable if statement.converts || !statement.redefined.is_empty() => Some(LeftOut::Definition),
        _ => None,
    }
}

pub(super) fn origin(at: Occurrence<'_>) -> Origin {
    Origin { text: at.begin.gtid.clone().unwrap_or_else(|| at.begin.place.to_string()), part: at.part }
}

pub(super) fn place(at: Occurrence<'_>) -> String {
    match &at.begin.gtid {
        Some(gtid) => format!("{} ({gtid})", at.statement.place),
        None => at.statement.place.to_string(),
    }
}

/// The followed tables that a statement is about, by the names they have after it.
pub(super) fn about(effects: &[Effect]) -> Vec<TableName> {
    let mut about: Vec<TableName> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Made { source, .. } | Effect::Changed { source, .. } | Effect::Gone { source, .. } => Some(source.clone()),
            Effect::Renamed { from, .. } => Some(from.0.clone()),
            Effect::Emptied { .. } | Effect::Exchanged { .. } => None,
        })
        .collect();
    about.sort();
    about.dedup();
    about
}
