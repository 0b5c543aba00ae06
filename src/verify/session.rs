//! A session at each end, asked at the same time, reading one snapshot each.

use crate::connect::{ConnectError, Login, Purpose, Rows, Session};

use super::expression::Side;

/// The sessions of one worker.
pub(crate) struct Sides {
    pub(crate) source: Session,
    pub(crate) destination: Session,
    /// Both have one snapshot open, of one state of the source, for all that is asked.
    pub(crate) aligned: bool,
}

impl Sides {
    pub(crate) fn open(source: &Login, destination: &Login) -> Result<Self, ConnectError> {
        // Prepared as the copy's are, so that a condition of the spec means the same to both.
        let open = |login: &Login| Session::open(login, Purpose::Read);
        Ok(Self { source: open(source)?, destination: open(destination)?, aligned: false })
    }

    /// Runs one function per end, both at once.
    pub(crate) fn both<T: Send>(
        &mut self,
        ask: impl Fn(&mut Session, Side) -> Result<T, ConnectError> + Sync,
    ) -> Result<(T, T), ConnectError> {
        let (source, destination) = (&mut self.source, &mut self.destination);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| ask(source, Side::Source));
            let here = ask(destination, Side::Destination);
            let there = match other.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            Ok((there?, here?))
        })
    }

    /// One query per end.
    pub(crate) fn query(&mut self, doing: &str, sql: impl Fn(Side) -> String + Sync) -> Result<(Rows, Rows), ConnectError> {
        self.both(|session, side| session.query(doing, &sql(side)))
    }

    /// Runs `work` with a snapshot open at each end, so that a checksum and the rows looked up after it are of one state.
    pub(crate) fn in_snapshot<T, E: From<ConnectError>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        if self.aligned {
            return work(self);
        }
        self.both(|session, _| session.exec("opening a snapshot", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"))?;
        let result = work(self);
        let ended = self.both(|session, _| session.exec("closing a snapshot", "COMMIT"));
        let value = result?;
        ended?;
        Ok(value)
    }

    pub(crate) fn session(&mut self, side: Side) -> &mut Session {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }
}
