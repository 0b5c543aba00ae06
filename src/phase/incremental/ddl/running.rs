//! Runs a statement: intent, the statement, done; and settles what a run before this one may have left.

use std::time::{Duration, Instant};

use super::{
    Carried, DdlError, Occurrence,
    carrier::{Carrier, about},
    decide::{Effect, Plan, Stop},
    reading::Read,
    session,
    settle::{Settled, settle},
    writing::Written,
};
use crate::{
    catalog::TableName,
    connect::{Purpose, Session, mark_schema_session},
    ddl::statement::{Class, Edit, NameKind},
    destination::mysql::ddl::{Before, DdlRow, DdlState, Origin},
    event::{DdlOutcome, Event},
    phase::incremental::{history::History, names::Names},
};

impl Carrier {
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

    pub(super) fn run(
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
        // A view whose DROP was not carried. With IF NOT EXISTS it is no error of the server's, and no table is made either.
        if let Some(Effect::Made { destination, .. }) = plan.effects.first()
            && self.looking(|session| session::exists(session, "view", destination))?
        {
            return self.failed(
                at,
                read,
                row,
                &about,
                format!("the destination has a view {destination} already (DROP VIEW is not carried)"),
                history,
            );
        }
        if let Some(table) = taken {
            return self.failed(at, read, row, &about, format!("the destination has a table {table} already"), history);
        }
        let sql = match self.sql(at, read, &plan) {
            Ok(sql) => sql,
            Err(Written::Cannot(reason)) => return self.failed(at, read, row, &about, reason, history),
            Err(Written::Error(error)) => return Err(*error),
        };
        row.sent = Some(sql.clone());
        row.before = Some(resumed.unwrap_or(now));
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.note(session, &row))?;
        self.settings.observer.observe(&Event::Moment { name: "ddl-intent" });
        let start = Instant::now();
        let mut runner = self.runner()?;
        let keeps_mode = matches!(read.classified.class, Class::CreateFunction | Class::CreateProcedure);
        let outcome = session::prepare(&mut runner, &self.settings, at.statement, read.by_server, keeps_mode)
            .and_then(|()| runner.exec("carrying a statement", &sql).map(drop).map_err(session::Unready::Connect));
        match outcome {
            Ok(()) => self.runs = Some(runner),
            Err(session::Unready::Cannot(reason)) => {
                self.runs = Some(runner);
                return self.failed(at, read, row, &about, reason, history);
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
                    return self.failed(at, read, row, &about, error.to_string(), history);
                }
            }
        }
        self.settings.observer.observe(&Event::Moment { name: "ddl-run" });
        self.done(at, read, row, &plan, Some(start.elapsed()), history, changed)
    }

    /// It did not run, and what the tables were like before it says nothing to the next attempt.
    pub(super) fn forget_intent(&mut self, origin: &Origin) -> Result<(), DdlError> {
        let (ledger, origin) = (self.ledger.clone(), origin.clone());
        Ok(self.looking(|session| ledger.forget_intent(session, &origin))?)
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
