//! Carries statements to a destination of the MySQL family.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Carried, DdlError, Judgement, Occurrence, Statements,
    decide::{Decision, Effect, Plan, Scene, Stop, Translate, decide},
    definitions::{self, Sides},
    facts::SourceFacts,
    modes, session,
    settle::{Settled, settle},
};
use crate::{
    binlog::Statement,
    catalog::{self, Table, TableName},
    connect::{ConnectError, Flavor, Login, Purpose, Session, mark_schema_session},
    ddl::{
        lex::{self, Kind, Mode},
        statement::{Class, Classified, Edit, NameKind, PieceKind, Server, apply, classify, flatten},
    },
    destination::mysql::ddl::{Before, DdlRow, DdlState, Ledger, Origin, SchemaChange, SchemaRow},
    event::{DdlOutcome, DdlSeen, Event, Observer, StopToken},
    phase::incremental::{
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
    runs: Option<Session>,
    /// Reads the catalog and writes the ledger.
    looks: Option<Session>,
    /// Charsets of the destination and the collation each has when none is named.
    defaults: Option<BTreeMap<String, String>>,
}

/// A statement as it is understood.
pub(super) struct Read {
    pub(super) text: String,
    pub(super) mode: Mode,
    pub(super) classified: Classified,
    /// Databases that it may write to or names.
    databases: Vec<String>,
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

    /// The definitions at the applied position: the source's from the schema history, the destination's as they are now.
    ///
    /// # Errors
    /// As the destination fails.
    pub fn load(&mut self) -> Result<History, DdlError> {
        let ledger = self.ledger.clone();
        let rows = self.looking(|session| ledger.schema(session))?;
        let names: Vec<TableName> =
            rows.iter().filter(|r| r.definition.is_some()).filter_map(|r| self.settings.names.table(&r.source)).collect();
        let there = self.tables(&names)?;
        let mut history = History::default();
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
        Ok(history)
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

    /// The session that runs statements, once nothing of an earlier run is at work any more.
    fn runner(&mut self) -> Result<Session, DdlError> {
        if let Some(session) = self.runs.take() {
            return Ok(session);
        }
        let settings = &self.settings;
        let mut session = Session::open(&settings.login, Purpose::Ddl)?;
        let who = "ddl".to_owned();
        let mut known = None;
        while let Some(holder) = mark_schema_session(&mut session, &settings.task, 0)? {
            if settings.stop.is_stopped() {
                return Err(DdlError::Stopped);
            }
            if known.as_ref() != Some(&holder) {
                let reason = format!("a statement of an earlier run is still running at the destination: {holder}");
                settings.observer.observe(&Event::Waiting { who: who.clone(), reason });
                known = Some(holder);
            }
        }
        if known.is_some() {
            settings.observer.observe(&Event::WaitOver { who });
        }
        Ok(session)
    }

    /// Destination tables of these names, as they are now.
    fn tables(&mut self, names: &[TableName]) -> Result<BTreeMap<TableName, Table>, DdlError> {
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
            catalog::CatalogError::MissingRight { source, .. } => DdlError::Connect(source),
        })
    }

    /// What these tables are like now.
    fn look(&mut self, names: &[TableName], with_ids: bool) -> Result<Before, DdlError> {
        let tables = self.tables(names)?;
        let definitions =
            names.iter().map(|name| (name.to_string(), tables.get(name).map(|t| t.fingerprint().as_str().to_owned()))).collect();
        let ids = if with_ids { self.looking(|session| Ok::<_, DdlError>(session::table_ids(session, names)))? } else { BTreeMap::new() };
        let tables = tables.into_iter().map(|(name, table)| (name.to_string(), table)).collect();
        Ok(Before { definitions, ids, tables })
    }

    fn read(&mut self, at: Occurrence<'_>) -> Result<Read, DdlError> {
        let statement = at.statement;
        let mode = modes::lexing(statement.sql_mode);
        let text = self.text(at, mode)?;
        let flavor = self.settings.source.flavor;
        let text = flatten(&text, mode, Server { mariadb: flavor.is_mariadb(), version: flavor.version });
        let classified = classify(&text, mode).map_err(|error| {
            self.stop(
                at,
                "a statement",
                Stop {
                    code: "ddl-not-understood",
                    reason: error.to_string(),
                    hint: "report it with the statement's class; `dtsctl apply --restart` copies anew from a state behind it".to_owned(),
                },
            )
        })?;
        let mut databases = statement.databases.clone();
        if databases.is_empty() && matches!(classified.class, Class::Writes(_)) {
            databases.push(statement.database.clone());
            let names = lex::significant(&text, mode);
            databases.extend(names.iter().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted)).map(|t| lex::name_of(t.text(&text))));
        }
        Ok(Read { text, mode, classified, databases })
    }

    /// The text in characters. What is not in UTF-8 is turned by the destination, which knows all charsets.
    fn text(&mut self, at: Occurrence<'_>, mode: Mode) -> Result<String, DdlError> {
        let statement = at.statement;
        let charset = self.settings.source.collations.get(&statement.charset_client).map_or("utf8mb4", |c| c.charset.as_str());
        let plain = statement.text.is_ascii() || matches!(charset, "utf8mb4" | "utf8mb3" | "utf8" | "binary");
        if plain {
            return String::from_utf8(statement.text.clone()).map_err(|_| {
                self.stop(
                    at,
                    "a statement",
                    Stop {
                        code: "ddl-charset",
                        reason: format!("its text holds bytes that are no {charset}"),
                        hint: "write such values in hexadecimal; `dtsctl apply --restart` copies anew from a state behind it".to_owned(),
                    },
                )
            });
        }
        let charset = charset.to_owned();
        let sql = format!("SELECT CONVERT(_{charset} x'{}' USING utf8mb4)", hex(&statement.text));
        let rows = self.looking(|session| session.query("reading a statement's charset", &sql))?;
        let text = rows.text_at(0, 0).unwrap_or_default();
        let tokens = lex::significant(&text, mode);
        let bent = tokens.windows(2).any(|w| w[0].kind == Kind::Introducer && !w[1].text(&text).is_ascii());
        if bent {
            return Err(self.stop(
                at,
                "a statement",
                Stop {
                    code: "ddl-charset",
                    reason: format!("it is written in {charset} and holds a literal with a charset of its own"),
                    hint: "write such values in hexadecimal; `dtsctl apply --restart` copies anew from a state behind it".to_owned(),
                },
            ));
        }
        Ok(text)
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
        })
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
        let doubt = History::doubt_of(what, &format!("{} at {}", named(read, &at.statement.database), place(at)));
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
    fn failed(
        &mut self,
        at: Occurrence<'_>,
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
        row.state = DdlState::Failed;
        row.error = Some(error.clone());
        // What is in doubt because it was left out stays so.
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

    fn run(
        &mut self,
        at: Occurrence<'_>,
        read: &Read,
        mut plan: Plan,
        intended: Option<DdlRow>,
        history: &mut History,
        changed: &mut Vec<TableName>,
    ) -> Result<Carried, DdlError> {
        // Waits for what a run before this one may still have at work, before anything is looked at.
        let runner = self.runner()?;
        self.runs = Some(runner);
        let about = about(&plan.effects);
        let mut touched: Vec<TableName> = plan.effects.iter().flat_map(Effect::touches).cloned().collect();
        touched.sort();
        touched.dedup();
        let moves = plan.effects.iter().any(|e| matches!(e, Effect::Renamed { .. } | Effect::Exchanged { .. }));
        let mut now = self.look(&touched, moves)?;
        if let Some((kind, name)) = plan.makes.clone() {
            let there = self.looking(|session| session::exists(session, kind, &name))?;
            now.definitions.insert(format!("{kind} {name}"), there.then(String::new));
        }
        let mut row = self.row(at, read, DdlState::Intent);
        let resumed = intended.as_ref().and_then(|i| i.before.clone());
        let settled = match (&resumed, plan.repeatable) {
            (Some(before), false) => self.settled(&plan, before, &now),
            _ => Settled::NotRun,
        };
        match settled {
            Settled::NotRun => {}
            Settled::Ran => {
                row.sent = intended.and_then(|i| i.sent);
                row.before = resumed;
                return self.done(at, read, row, &plan, None, history, changed);
            }
            Settled::Partly(gone) => without_dropped(&mut plan, read, &gone, self.settings.names.as_ref(), &at.statement.database),
            Settled::Unclear => {
                return Err(self.stop(
                    at,
                    &self.row(at, read, DdlState::Intent).class,
                    Stop {
                        code: "ddl-unclear",
                        reason: format!(
                            "it was running when the last run ended, and the destination's {} do not tell whether it has run",
                            list(&touched)
                        ),
                        hint: "grant PROCESS at the destination, which lets tables be told apart; or `dtsctl apply --restart`".to_owned(),
                    },
                ));
            }
        }
        let taken = plan.effects.iter().find_map(|e| match e {
            Effect::Made { destination, .. } if !read.classified.or_replace && resumed.is_none() => {
                now.definitions.get(&destination.to_string()).is_some_and(Option::is_some).then(|| destination.clone())
            }
            _ => None,
        });
        if let Some(table) = taken {
            return self.failed(at, row, &about, format!("the destination has a table {table} already"), history);
        }
        let sql = match self.sql(at, read, &plan) {
            Ok(sql) => sql,
            Err(Written::Cannot(reason)) => return self.failed(at, row, &about, reason, history),
            Err(Written::Error(error)) => return Err(*error),
        };
        row.sent = Some(sql.clone());
        row.before = Some(resumed.unwrap_or(now));
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.note(session, &row))?;
        self.settings.observer.observe(&Event::Moment { name: "ddl-intent" });
        let start = Instant::now();
        let mut runner = self.runner()?;
        let outcome = session::prepare(&mut runner, &self.settings, at.statement)
            .and_then(|()| runner.exec("carrying a statement", &sql).map(drop).map_err(session::Unready::Connect));
        match outcome {
            Ok(()) => self.runs = Some(runner),
            Err(session::Unready::Cannot(reason)) => {
                self.runs = Some(runner);
                return self.failed(at, row, &about, reason, history);
            }
            Err(session::Unready::Stop(stop)) => {
                self.runs = Some(runner);
                self.forget_intent(&row.origin)?;
                return Err(self.stop(at, read.classified.class.words(), stop));
            }
            Err(session::Unready::Connect(error)) if error.is_connection() || error.is_transient() => return Err(error.into()),
            Err(session::Unready::Connect(error)) => {
                self.runs = Some(runner);
                // It ended so at the source too, having done what it could.
                if at.statement.error == 0 || error.code() != Some(at.statement.error) {
                    return self.failed(at, row, &about, error.to_string(), history);
                }
            }
        }
        self.settings.observer.observe(&Event::Moment { name: "ddl-run" });
        self.done(at, read, row, &plan, Some(start.elapsed()), history, changed)
    }

    /// It did not run, and what the tables were like before it says nothing to the next attempt.
    fn forget_intent(&mut self, origin: &Origin) -> Result<(), DdlError> {
        let (ledger, origin) = (self.ledger.clone(), origin.clone());
        Ok(self.looking(|session| ledger.forget_intent(session, &origin))?)
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
        match self.decide(at, &read, history, intended.is_some()) {
            Decision::Run(plan) => self.run(at, &read, plan, intended, history, changed),
            Decision::Refuse { reason, about } => {
                let row = self.row(at, &read, DdlState::Failed);
                self.failed(at, row, &about, reason, history)
            }
            Decision::Stop(stop) => Err(self.stop(at, &named(&read, &at.statement.database), stop)),
            Decision::Skip(reason) => self.skip(at, &read, reason),
            Decision::LeaveOut { reason, doubts, what } => self.leave_out(at, &read, (reason, &doubts, what), history),
            _ => Ok(Carried::Skipped),
        }
    }

    fn settled(&self, plan: &Plan, before: &Before, now: &Before) -> Settled {
        if let Some((kind, name)) = &plan.makes {
            let key = format!("{kind} {name}");
            let there = |state: &Before| state.definitions.get(&key).is_some_and(Option::is_some);
            return if !there(before) && there(now) { Settled::Ran } else { Settled::NotRun };
        }
        settle(&plan.effects, before, now)
    }

    /// Notes it as done together with the definitions after it.
    #[expect(clippy::too_many_arguments, reason = "what came of one statement, from one place alone")]
    fn done(
        &mut self,
        at: Occurrence<'_>,
        read: &Read,
        mut row: DdlRow,
        plan: &Plan,
        time: Option<Duration>,
        history: &mut History,
        changed: &mut Vec<TableName>,
    ) -> Result<Carried, DdlError> {
        let (changes, after) = self.definitions_after(at, read, plan, row.before.as_ref(), history)?;
        row.state = DdlState::Done;
        row.error = (!plan.notes.is_empty()).then(|| plan.notes.join("; "));
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.finish(session, &row, &changes))?;
        changed.extend(about(&plan.effects));
        changed.extend(history.names().filter(|n| after.source(n) != history.source(n)).cloned().collect::<Vec<_>>());
        changed.sort();
        changed.dedup();
        *history = after;
        self.settings.observer.observe(&Event::Moment { name: "ddl-done" });
        let milliseconds = time.map_or(0, |t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX));
        self.tell(at, &row, DdlOutcome::Carried { milliseconds, found_done: time.is_none() });
        Ok(Carried::Done)
    }

    /// The history after the statement and what of it is to be written.
    fn definitions_after(
        &mut self,
        at: Occurrence<'_>,
        read: &Read,
        plan: &Plan,
        before: Option<&Before>,
        history: &History,
    ) -> Result<(Vec<SchemaChange>, History), DdlError> {
        let names: Vec<TableName> = plan.effects.iter().flat_map(Effect::touches).cloned().collect();
        let there = self.tables(&names)?;
        let flavors = (self.settings.source.flavor, self.destination_flavor()?);
        let json = definitions::declared_json(&read.text, read.mode);
        let mut after = history.clone();
        // By the name at the time: destination definitions travel with a rename. What the history has of them was read when the run
        // began, which was after the statement when the run before it ended behind it.
        let noted = |place: &TableName| before.and_then(|b| b.tables.get(&place.to_string())).cloned();
        let mut former: BTreeMap<TableName, Table> = history
            .names()
            .filter_map(|name| {
                let known = || history.table(name).map(|t| t.destination.clone());
                Some((name.clone(), self.settings.names.table(name).and_then(|place| noted(&place)).or_else(known)?))
            })
            .collect();
        let mut changes = Vec::new();
        for effect in &plan.effects {
            match effect {
                Effect::Emptied { .. } | Effect::Exchanged { .. } => {}
                Effect::Gone { source, .. } => {
                    after.remove(source);
                    changes.push(SchemaChange::Gone(source.clone()));
                }
                Effect::Renamed { from, to } => {
                    after.rename(&from.0, &to.0);
                    if let Some(table) = former.remove(&from.0) {
                        former.insert(to.0.clone(), table);
                    }
                    changes.push(SchemaChange::Renamed { from: from.0.clone(), to: to.0.clone(), destination: to.1.clone() });
                }
                Effect::Made { source, destination } | Effect::Changed { source, destination } => {
                    let made = matches!(effect, Effect::Made { .. });
                    let Some(now) = there.get(destination) else {
                        return Err(self.stop(
                            at,
                            read.classified.class.words(),
                            Stop {
                                code: "ddl-table-missing",
                                reason: format!("the destination has no table {destination} after it"),
                                hint: "see who drops tables there; `dtsctl apply --restart` copies anew".to_owned(),
                            },
                        ));
                    };
                    let like = read.classified.of_kind(NameKind::Like).next().map(|n| self.source_name(n, at.statement));
                    let definition = match like.as_ref().and_then(|like| history.source(like)) {
                        Some(like) if made => Table { name: source.clone(), ..like.clone() },
                        _ => {
                            let sides = former.get(source).filter(|_| !made).map(|t| (after.source(source), t));
                            let sides = sides.and_then(|(s, d)| Some(Sides { source: s?, destination: d }));
                            let found = definitions::after(source, sides, now, flavors, &json);
                            found.map_err(|reason| {
                                self.stop(
                                    at,
                                    read.classified.class.words(),
                                    Stop {
                                        code: "ddl-columns-differ",
                                        reason: format!("{source}: {reason}"),
                                        hint: "make the destination's columns those of the source; then `dtsctl apply --restart`"
                                            .to_owned(),
                                    },
                                )
                            })?
                        }
                    };
                    let definition = own_columns(definition, &read.text, made);
                    let copied = !made && after.is_copied(source);
                    if made {
                        after.remove(source);
                    }
                    after.set(definition.clone(), Some(now.clone()), &self.settings.names.columns(source));
                    let doubt = after.doubt(source).map(str::to_owned);
                    let row = SchemaRow { source: source.clone(), copied, definition: Some(definition), doubt };
                    changes.push(SchemaChange::Set { row: Box::new(row), destination: destination.clone(), made });
                }
            }
        }
        Ok((changes, after))
    }

    fn source_name(&self, name: &crate::ddl::statement::Name, statement: &Statement) -> TableName {
        let fold = |text: &str| if self.settings.source.folds { text.to_lowercase() } else { text.to_owned() };
        TableName::new(fold(name.database.as_deref().unwrap_or(&statement.database)), fold(&name.name))
    }

    fn destination_flavor(&mut self) -> Result<Flavor, DdlError> {
        Ok(self.looking(|session| Ok::<_, ConnectError>(session.flavor()))?)
    }

    /// The statement for the destination.
    fn sql(&mut self, at: Occurrence<'_>, read: &Read, plan: &Plan) -> Result<String, Written> {
        let flavor = self.destination_flavor().map_err(Written::error)?;
        let mut edits = plan.edits.clone();
        for piece in read.classified.pieces.iter().filter(|p| p.kind == PieceKind::SetStatement) {
            if !flavor.is_mariadb() {
                let what = "it sets variables for itself (SET STATEMENT), which the destination does not know".to_owned();
                return Err(Written::Cannot(what));
            }
            tracing::debug!(bytes = piece.clause.len(), "SET STATEMENT is carried");
        }
        for (charset, end) in &plan.charsets {
            if let Some(collation) = self.collation_of(charset, at.statement).map_err(Written::error)? {
                edits.push(Edit::Replace(*end..*end, format!(" COLLATE {collation}")));
            }
        }
        if let Some((end, source, destination)) = &plan.default_of
            && let Some(wanted) = self.settings.source.databases.get(source).and_then(|c| self.settings.translate.collation(c))
        {
            let name = destination.clone();
            let has = self.looking(|session| session::database_collation(session, &name)).map_err(|e| Written::error(e.into()))?;
            if has.is_some_and(|has| has != wanted) {
                edits.push(Edit::Replace(*end..*end, format!(" COLLATE {wanted}")));
            }
        }
        Ok(apply(&read.text, read.mode, edits))
    }

    /// The collation to name beside a charset, where the destination would choose another than the source did.
    fn collation_of(&mut self, charset: &str, statement: &Statement) -> Result<Option<String>, DdlError> {
        let charset = charset.to_lowercase();
        let charset = if charset == "utf8" { "utf8mb3".to_owned() } else { charset };
        let source = &self.settings.source;
        let recorded =
            statement.collation_utf8mb4.filter(|_| charset == "utf8mb4").and_then(|id| source.collations.get(&id)).map(|c| c.name.clone());
        let old = if charset == "utf8mb3" { source.defaults.get("utf8").cloned() } else { None };
        let Some(theirs) = recorded.or_else(|| source.defaults.get(&charset).cloned()).or(old) else { return Ok(None) };
        let Some(wanted) = self.settings.translate.collation(&theirs) else { return Ok(None) };
        if self.defaults.is_none() {
            self.defaults = Some(self.looking(session::default_collations)?);
        }
        let ours = self.defaults.as_ref().and_then(|d| d.get(&charset).or_else(|| d.get("utf8").filter(|_| charset == "utf8mb3")));
        Ok((ours != Some(&wanted)).then_some(wanted))
    }
}

/// Why a statement's text for the destination could not be had.
enum Written {
    Cannot(String),
    Error(Box<DdlError>),
}

impl Written {
    fn error(error: DdlError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl Statements for Carrier {
    fn judge(&mut self, at: Occurrence<'_>, history: &History) -> Result<Judgement, DdlError> {
        let read = self.read(at)?;
        match self.decide(at, &read, history, false) {
            Decision::Pass => Ok(Judgement::Pass),
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
        let read = self.read(at)?;
        match self.decide(at, &read, history, known.is_some()) {
            Decision::Pass => Ok(Carried::Skipped),
            Decision::Skip(reason) => self.skip(at, &read, reason),
            Decision::LeaveOut { reason, doubts, what } => self.leave_out(at, &read, (reason, &doubts, what), history),
            Decision::Refuse { reason, about } => {
                let row = self.row(at, &read, DdlState::Failed);
                self.failed(at, row, &about, reason, history)
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

/// Statements about accounts may hold passwords, and a server's may hold keys.
fn is_secret(class: Class) -> bool {
    let Class::Unlisted(words) = class else { return false };
    ["USER", "ROLE", "GRANT", "REVOKE", "PASSWORD", "SERVER"].iter().any(|w| words.contains(w))
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

/// What it is about, by names at the source.
fn object(read: &Read, default_database: &str) -> Option<String> {
    let about = |kind| matches!(kind, NameKind::Target | NameKind::View | NameKind::Routine | NameKind::Other | NameKind::Database);
    let name = |name: &crate::ddl::statement::Name| match name.kind {
        NameKind::Database => name.name.clone(),
        _ => format!("{}.{}", name.database.as_deref().unwrap_or(default_database), name.name),
    };
    let first = match read.classified.class {
        // A view's query may call routines.
        Class::CreateView | Class::AlterView => read.classified.of_kind(NameKind::View).map(name).collect::<Vec<_>>(),
        _ => read.classified.names.iter().filter(|n| about(n.kind)).map(name).collect(),
    };
    (!first.is_empty()).then(|| first.join(", "))
}

fn named(read: &Read, default_database: &str) -> String {
    let words = read.classified.class.words();
    object(read, default_database).map_or_else(|| words.to_owned(), |object| format!("{words} {object}"))
}

/// The followed tables that a statement is about, by the names they have after it.
fn about(effects: &[Effect]) -> Vec<TableName> {
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

/// A column that a server with `sql_generate_invisible_primary_key` gave the table is not the source's.
fn own_columns(table: Table, text: &str, made: bool) -> Table {
    const GENERATED: &str = "my_row_id";
    let given = table.columns.iter().position(|c| c.invisible && c.auto_increment && c.name == GENERATED);
    match given.filter(|_| made && !text.to_lowercase().contains(GENERATED)) {
        Some(at) => definitions::without(table, at),
        None => table,
    }
}

/// What is left of a DROP of several tables of which some are gone.
fn without_dropped(plan: &mut Plan, read: &Read, gone: &[TableName], names: &dyn Names, default_database: &str) {
    for name in read.classified.of_kind(NameKind::Target) {
        let source = TableName::new(name.database.as_deref().unwrap_or(default_database), name.name.clone());
        if names.table(&source).is_some_and(|place| gone.contains(&place)) {
            plan.edits.retain(|e| !matches!(e, Edit::Replace(span, _) if *span == name.span));
            plan.edits.push(Edit::RemoveItem(name.span.clone()));
        }
    }
}

fn list(tables: &[TableName]) -> String {
    tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
