//! The schema phase: runs the statements of a plan at the destination, one after the other, each noted before and after.
//!
//! A schema statement cannot be rolled back, and a lost connection leaves it open whether it ran. So nothing here tries a statement
//! twice: the caller reads the catalog again, plans again, and what has happened is simply no longer in the plan. The server may
//! still be at a statement whose client is gone, and the catalog shows nothing of it; the caller waits for that first
//! ([`wait_for_earlier`]), and every session here bears the mark by which it is seen.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::{
    catalog::TableName,
    connect::{ConnectError, LockHolder, Login, Purpose, SCHEMA_SLOTS, Session, mark_schema_session},
    ddl::account::Hidden,
    destination::{Destination, DestinationError},
    event::{Event, Observer, Phase, StopToken},
};

/// Why the schema phase ended.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The destination refused a statement, or the connection to it failed.
    #[error("{object}: statement {number} of action {action} failed: {source}")]
    Statement {
        /// The plan's action.
        action: String,
        /// Which of its statements, from 1.
        number: usize,
        /// What it was for.
        object: String,
        /// The failure.
        source: Box<ConnectError>,
    },
    /// The destination's progress could not be noted.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// A statement of an earlier run is still at work in the server, so that the plan does not hold.
    #[error("a statement of an earlier run is still running at the destination: {holder}")]
    StillRunning {
        /// Whose.
        holder: LockHolder,
    },
    /// No session at the destination.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

impl SchemaError {
    /// The connection broke; plan again when it is back.
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Statement { source, .. } => source.is_connection(),
            Self::Connect(source) => source.is_connection(),
            Self::Destination(e) => e.is_connection(),
            Self::StillRunning { .. } => false,
        }
    }

    /// Worth another try: a lock was held too long, the disk was full.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Statement { source, .. } => source.is_transient(),
            Self::Connect(source) => source.is_transient(),
            Self::Destination(e) => e.is_transient(),
            Self::StillRunning { .. } => true,
        }
    }
}

/// One action of the plan, as far as this phase must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The plan's id for it.
    pub action: String,
    /// The object, for people.
    pub object: String,
    /// What runs, in order.
    pub statements: Vec<String>,
    /// Source and destination of a table or sequence that the first statement creates.
    pub creates: Option<(TableName, TableName)>,
    /// May run beside its neighbours that say the same: index builds, one table each.
    pub side_by_side: bool,
    /// The account it makes, `user@host`, or finishes.
    pub account: Option<AccountStep>,
}

/// What a step is to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStep {
    /// `user@host`.
    pub name: String,
    /// Its first statement makes the account.
    pub begins: bool,
    /// With its last statement the account is finished.
    pub ends: bool,
    /// What runs in the place of the first statement, which is shown without the password's hash.
    pub real: Option<Hidden>,
}

/// What the schema phase is given.
pub struct SchemaSettings<'a> {
    /// Name of the task.
    pub task: &'a str,
    /// How to log in at the destination.
    pub login: &'a Login,
    /// Where creations are noted.
    pub destination: &'a dyn Destination,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// Asks to stop.
    pub stop: &'a StopToken,
    /// Listens.
    pub observer: &'a dyn Observer,
    /// How many steps may run at once where they may.
    pub threads: usize,
}

/// Waits until no statement of an earlier run is at work at the destination any more, as long as that takes: it does what the plan would
/// do. `told` hears who it is once, and `false` comes back when a stop was asked for.
///
/// # Errors
/// As the connection fails.
pub fn wait_for_earlier(login: &Login, task: &str, stop: &StopToken, mut told: impl FnMut(&LockHolder)) -> Result<bool, ConnectError> {
    let mut session = Session::open(login, Purpose::Control)?;
    for slot in 0..SCHEMA_SLOTS {
        let mut known = None;
        while let Some(holder) = mark_schema_session(&mut session, task, slot)? {
            if stop.is_stopped() {
                return Ok(false);
            }
            if known.as_ref() != Some(&holder) {
                told(&holder);
                known = Some(holder);
            }
        }
    }
    Ok(true)
}

/// Runs the steps. Returns `false` when a stop was asked for before all had run.
///
/// # Errors
/// The first failure; the steps before it stay done.
pub fn run(settings: &SchemaSettings<'_>, phase: Phase, steps: &[Step]) -> Result<bool, SchemaError> {
    let observer = settings.observer;
    observer.observe(&Event::PhaseStarted { phase });
    let mut session = None;
    let mut rest = steps;
    while !rest.is_empty() {
        // Steps that may run side by side are taken together, anything else on its own.
        let together = rest.iter().take_while(|s| s.side_by_side).count().max(1);
        let (now, later) = rest.split_at(together);
        let done = if together > 1 && settings.threads > 1 {
            // The first slot is the lone session's, which has nothing to do meanwhile.
            session = None;
            run_side_by_side(settings, now)?
        } else {
            let open = match &mut session {
                Some(open) => open,
                none => none.insert(open_session(settings, 0)?),
            };
            let mut done = true;
            for step in now {
                done = done && run_step(settings, open, step)?;
            }
            done
        };
        if !done {
            return Ok(false);
        }
        rest = later;
    }
    observer.observe(&Event::PhaseFinished { phase });
    Ok(true)
}

fn open_session(settings: &SchemaSettings<'_>, slot: usize) -> Result<Session, SchemaError> {
    let mut session = Session::open(settings.login, Purpose::Ddl)?;
    if let Some(holder) = mark_schema_session(&mut session, settings.task, slot)? {
        return Err(SchemaError::StillRunning { holder });
    }
    let seconds = settings.lock_timeout.as_secs().max(1);
    session.exec("preparing the session", &format!("SET SESSION lock_wait_timeout={seconds}, innodb_lock_wait_timeout={seconds}"))?;
    Ok(session)
}

/// Index builds of different tables do not wait for each other, and each keeps one processor of the server busy.
fn run_side_by_side(settings: &SchemaSettings<'_>, steps: &[Step]) -> Result<bool, SchemaError> {
    let next = AtomicUsize::new(0);
    let failed = StopToken::default();
    let workers = settings.threads.min(SCHEMA_SLOTS).min(steps.len());
    let worker = |slot| -> Result<bool, SchemaError> {
        let mut session = open_session(settings, slot)?;
        while let Some(step) = steps.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.is_stopped() || !run_step(settings, &mut session, step)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|slot| {
                let (worker, failed) = (&worker, &failed);
                scope.spawn(move || worker(slot).inspect_err(|_| failed.stop()))
            })
            .collect();
        let mut done = Ok(true);
        for thread in running {
            let result = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            done = match (done, result) {
                (Err(first), _) => Err(first),
                (_, Err(error)) => Err(error),
                (Ok(a), Ok(b)) => Ok(a && b),
            };
        }
        done
    })
}

/// `false` when a stop was asked for before all of its statements had run.
fn run_step(settings: &SchemaSettings<'_>, session: &mut Session, step: &Step) -> Result<bool, SchemaError> {
    if let Some((source, target)) = &step.creates {
        settings.destination.note_creation(source, target)?;
    }
    if let Some(account) = step.account.as_ref().filter(|account| account.begins) {
        // Noted first: who else could have made it is known only before.
        settings.destination.note_account(&account.name, false)?;
    }
    for (index, sql) in step.statements.iter().enumerate() {
        if settings.stop.is_stopped() {
            return Ok(false);
        }
        run_statement(session, step, index, sql, settings.observer)?;
    }
    if let Some(account) = step.account.as_ref().filter(|account| account.ends) {
        settings.destination.note_account(&account.name, true)?;
    }
    Ok(true)
}

fn run_statement(session: &mut Session, step: &Step, index: usize, sql: &str, observer: &dyn Observer) -> Result<(), SchemaError> {
    observer.observe(&Event::StatementStarted { action: step.action.clone(), index, object: step.object.clone(), sql: sql.to_owned() });
    let start = Instant::now();
    let failed = |source: ConnectError| {
        observer.observe(&Event::StatementFailed { action: step.action.clone(), index, error: source.to_string() });
        SchemaError::Statement { action: step.action.clone(), number: index + 1, object: step.object.clone(), source: Box::new(source) }
    };
    let real = step.account.as_ref().filter(|_| index == 0).and_then(|account| account.real.as_ref());
    let run = |session: &mut Session| match real {
        Some(real) => session.exec("running a schema statement", real.expose()).map_err(|error| without_hash(error, real)),
        None => session.exec("running a schema statement", sql),
    };
    let outcome = run(session).map_err(failed)?;
    let warnings = if outcome.warnings > 0 { session.warnings(20).map_err(failed)? } else { Vec::new() };
    observer.observe(&Event::StatementFinished {
        action: step.action.clone(),
        index,
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        warnings,
        found_done: false,
    });
    Ok(())
}

/// The server's words, unless they repeat a part of the statement that must not be shown. Whatever is quoted in it counts.
fn without_hash(error: ConnectError, statement: &Hidden) -> ConnectError {
    match error {
        ConnectError::Sql { doing, code, state, message } => {
            let parts = statement.expose().split(['\'', ' ']).filter(|part| part.len() >= 16);
            let tells = parts.into_iter().any(|part| message.contains(part));
            let message = if tells { "its message repeats the statement and is not shown".to_owned() } else { message };
            ConnectError::Sql { doing, code, state, message }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_repeats_a_hash_is_not_shown() {
        let statement = Hidden::new("CREATE USER 'a'@'%' IDENTIFIED VIA ed25519 USING 'ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY'");
        let told = |message: &str| {
            let error = ConnectError::Sql { doing: "x".into(), code: 1, state: "HY000".into(), message: message.into() };
            without_hash(error, &statement).to_string()
        };
        assert!(told("Operation CREATE USER failed for 'a'@'%'").contains("failed for 'a'@'%'"));
        assert!(!told("bad 'ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY'").contains("ZIgU"));
    }
}
