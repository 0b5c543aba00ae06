//! The lock that keeps two runs of one task apart though they run on two machines: `GET_LOCK` at the destination.
//!
//! It lives with its session. When that session is lost, the server may hold the lock for a dead client until it notices; so the
//! lock is taken again by ending the old session of our own first.

use sha2::{Digest, Sha256};

use super::{
    error::ConnectError,
    session::{Login, Purpose, Session},
};

/// Who holds the lock, as far as the server tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// The server's number of the connection.
    pub connection: u64,
    /// Account and client address; absent when the account may not see other connections.
    pub who: Option<String>,
}

impl std::fmt::Display for LockHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.who {
            Some(who) => write!(f, "{who}, connection {}", self.connection),
            None => write!(f, "connection {}", self.connection),
        }
    }
}

/// What came of asking for the lock.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Mine(GlobalLock),
    /// Somebody else has it.
    Held(LockHolder),
}

/// The lock, held as long as its session lives.
#[derive(Debug)]
pub struct GlobalLock {
    session: Session,
    name: String,
}

/// The server ends an idle holder after so many seconds, so that a machine that vanished does not hold the lock for a day.
const IDLE_SECONDS: u32 = 300;
/// How long to wait for the lock, in seconds. A run that was killed a moment ago is noticed by the server within that time.
const PATIENCE_SECONDS: u32 = 3;
/// How long one question waits for a statement of an earlier run to end.
const BETWEEN_LOOKS_SECONDS: u32 = 1;

/// Marks the session as the one that changes the schema for a task; the mark ends with the session. `None` when it is ours, else who has
/// it still.
///
/// A server goes on with a statement whose client is gone, for hours when it builds an index, and lets go of the session's locks only
/// after it. So this lock tells that a statement of a run that was killed is still at work: what a catalog shows then is about to change.
///
/// # Errors
/// As the connection fails.
pub fn mark_schema_session(session: &mut Session, task: &str) -> Result<Option<LockHolder>, ConnectError> {
    let name = lock_name(&format!("schema:{task}"));
    // One question after the other, since the holder may end in between.
    for _ in 0..5 {
        let got = session.query("marking the session", &format!("SELECT GET_LOCK({}, {BETWEEN_LOOKS_SECONDS})", quoted(&name)))?;
        if got.number_at(0, 0) == Some(1) {
            return Ok(None);
        }
        if let Some(connection) = used_by(session, &name)? {
            return Ok(Some(LockHolder { who: who_is(session, connection), connection }));
        }
    }
    Err(ConnectError::Unexpected { doing: "marking the session".into(), reason: "the lock is neither free nor held by anybody".into() })
}

/// `dtsctl:<name>`; a name that would be over the 64 characters that MySQL allows (manual: GET_LOCK) is replaced by its digest.
fn lock_name(task: &str) -> String {
    let plain = format!("dtsctl:{task}");
    // Lock names compare without regard to case (MySQL) or as bytes (MariaDB); a digest is the same either way.
    if plain.chars().count() <= 64 && plain.is_ascii() {
        return plain;
    }
    let digest: String = Sha256::digest(task).iter().take(20).map(|b| format!("{b:02x}")).collect();
    format!("dtsctl:#{digest}")
}

fn quoted(text: &str) -> String {
    // No session of ours has NO_BACKSLASH_ESCAPES.
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

impl GlobalLock {
    /// Asks for the lock of a task. [`GlobalLock::is_still_held`] must be asked at least every few minutes afterwards.
    ///
    /// # Errors
    /// As the connection or a statement fails.
    pub fn take(login: &Login, task: &str) -> Result<Taken, ConnectError> {
        Self::take_after(login, task, None)
    }

    fn take_after(login: &Login, task: &str, former: Option<u64>) -> Result<Taken, ConnectError> {
        let mut session = Session::open(login, Purpose::Control)?;
        session.exec("preparing the lock", &format!("SET SESSION wait_timeout={IDLE_SECONDS}"))?;
        let name = lock_name(task);
        let mut former = former;
        // Whoever holds it may let go between the two questions; then it is asked for again.
        for _ in 0..5 {
            let got = session.query("taking the lock", &format!("SELECT GET_LOCK({}, {PATIENCE_SECONDS})", quoted(&name)))?;
            if got.number_at(0, 0) == Some(1) {
                return Ok(Taken::Mine(Self { session, name }));
            }
            let Some(connection) = used_by(&mut session, &name)? else { continue };
            if former.take() == Some(connection) {
                // Our own dead session. An account may always end its own connections (manual: KILL).
                let _ = session.exec("ending the former session", &format!("KILL {connection}"));
                continue;
            }
            return Ok(Taken::Held(LockHolder { who: who_is(&mut session, connection), connection }));
        }
        Err(ConnectError::Unexpected { doing: "taking the lock".into(), reason: "it is neither free nor held by anybody".into() })
    }

    /// Asks the server. `false` when the lock was taken away; an error that [is a connection's](ConnectError::is_connection) means that
    /// it went with the session. Either way [`GlobalLock::take_again`] before anything more is written.
    ///
    /// # Errors
    /// As the connection fails.
    pub fn is_still_held(&mut self) -> Result<bool, ConnectError> {
        let holder = used_by(&mut self.session, &self.name)?;
        Ok(holder == Some(u64::from(self.session.connection_id())))
    }

    /// Takes the lock with a new session after the old one was lost; says who has it when somebody else was quicker. The server may
    /// not have noticed yet that the old session is dead; it is ended then.
    ///
    /// # Errors
    /// As [`GlobalLock::take`]; to be asked again.
    pub fn take_again(&mut self, login: &Login, task: &str) -> Result<Option<LockHolder>, ConnectError> {
        let former = u64::from(self.session.connection_id());
        match Self::take_after(login, task, Some(former))? {
            Taken::Mine(again) => {
                *self = again;
                Ok(None)
            }
            Taken::Held(holder) => Ok(Some(holder)),
        }
    }
}

fn used_by(session: &mut Session, name: &str) -> Result<Option<u64>, ConnectError> {
    Ok(session.query("asking for the lock", &format!("SELECT IS_USED_LOCK({})", quoted(name)))?.number_at(0, 0))
}

fn who_is(session: &mut Session, connection: u64) -> Option<String> {
    let rows = session
        .query("asking who holds the lock", &format!("SELECT USER, HOST FROM information_schema.PROCESSLIST WHERE ID = {connection}"))
        .ok()?;
    Some(format!("{} from {}", rows.text_at(0, 0)?, rows.text_at(0, 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_server() {
        assert_eq!(lock_name("shop-to-dr"), "dtsctl:shop-to-dr");
        let long = lock_name(&"x".repeat(80));
        assert!(long.chars().count() <= 64 && long != lock_name(&"x".repeat(81)), "{long}");
        assert!(lock_name("é").is_ascii());
        assert_eq!(quoted(r"a'b\c"), r"'a''b\\c'");
    }
}
