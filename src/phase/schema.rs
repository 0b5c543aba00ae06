//! The schema phase: runs the statements of a plan at the destination, one after the other, each noted before and after.
//!
//! A schema statement cannot be rolled back, and a lost connection leaves it open whether it ran. So nothing here tries a statement
//! twice: the caller reads the catalog again, plans again, and what has happened is simply no longer in the plan. The server may
//! still be at a statement whose client is gone, and the catalog shows nothing of it; the caller waits for that first
//! ([`wait_for_earlier`]), and every session here bears the mark by which it is seen.

use std::time::{Duration, Instant};

use crate::{
    catalog::TableName,
    connect::{ConnectError, LockHolder, Login, Purpose, Session, mark_schema_session},
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
}

/// Waits until no statement of an earlier run is at work at the destination any more, as long as that takes: it does what the plan would
/// do. `told` hears who it is once, and `false` comes back when a stop was asked for.
///
/// # Errors
/// As the connection fails.
pub fn wait_for_earlier(login: &Login, task: &str, stop: &StopToken, mut told: impl FnMut(&LockHolder)) -> Result<bool, ConnectError> {
    let mut session = Session::open(login, Purpose::Control)?;
    let mut known = None;
    while let Some(holder) = mark_schema_session(&mut session, task)? {
        if stop.is_stopped() {
            return Ok(false);
        }
        if known.as_ref() != Some(&holder) {
            told(&holder);
            known = Some(holder);
        }
    }
    Ok(true)
}

/// Runs the steps. Returns `false` when a stop was asked for before all had run.
///
/// # Errors
/// The first failure; the steps before it stay done.
pub fn run(settings: &SchemaSettings<'_>, phase: Phase, steps: &[Step]) -> Result<bool, SchemaError> {
    let SchemaSettings { task, login, destination, lock_timeout, stop, observer } = *settings;
    observer.observe(&Event::PhaseStarted { phase });
    if !steps.is_empty() {
        let mut session = Session::open(login, Purpose::Ddl)?;
        if let Some(holder) = mark_schema_session(&mut session, task)? {
            return Err(SchemaError::StillRunning { holder });
        }
        let seconds = lock_timeout.as_secs().max(1);
        session.exec("preparing the session", &format!("SET SESSION lock_wait_timeout={seconds}, innodb_lock_wait_timeout={seconds}"))?;
        for step in steps {
            if let Some((source, target)) = &step.creates {
                destination.note_creation(source, target)?;
            }
            for (index, sql) in step.statements.iter().enumerate() {
                if stop.is_stopped() {
                    return Ok(false);
                }
                run_statement(&mut session, step, index, sql, observer)?;
            }
        }
    }
    observer.observe(&Event::PhaseFinished { phase });
    Ok(true)
}

fn run_statement(session: &mut Session, step: &Step, index: usize, sql: &str, observer: &dyn Observer) -> Result<(), SchemaError> {
    observer.observe(&Event::StatementStarted { action: step.action.clone(), index, object: step.object.clone(), sql: sql.to_owned() });
    let start = Instant::now();
    let failed = |source: ConnectError| {
        observer.observe(&Event::StatementFailed { action: step.action.clone(), index, error: source.to_string() });
        SchemaError::Statement { action: step.action.clone(), number: index + 1, object: step.object.clone(), source: Box::new(source) }
    };
    let outcome = session.exec("running a schema statement", sql).map_err(failed)?;
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
