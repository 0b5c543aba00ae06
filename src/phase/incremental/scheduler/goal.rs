//! Where following ends, and where it stands still for verify.

use std::time::{Duration, Instant};

use super::{PRESENT, Scheduler, TICK};
use crate::{
    binlog::{Begin, BinlogError, Position, snapshot},
    connect::{Purpose, Session},
    event::Event,
    phase::incremental::{FollowError, Until, hold, unit::Transaction},
};

/// How long the source may seem to lack what was read from it: a transaction is in the stream before it is in the set of what has happened.
const AHEAD: Duration = Duration::from_secs(30);

impl Scheduler<'_, '_> {
    /// Verify wants a snapshot of the destination here: everything taken is committed first, and nothing is written until it lets go.
    pub(super) fn stands_still(&mut self) -> Result<bool, FollowError> {
        let wanted = self.settings.hold.wanted().filter(|_| self.large.is_none());
        let here = wanted.filter(|at| {
            let reached = |at: &Position| self.kept.is_some() || self.position.covers(at) == Some(true);
            at.as_ref().is_none_or(reached)
        });
        if self.held == here {
            return Ok(here.is_some());
        }
        if self.held.take().is_some() {
            self.settings.observer.observe(&Event::WaitOver { who: hold::WHO.to_owned() });
        }
        let Some(at) = here else { return Ok(false) };
        if self.open.is_some() || self.moved {
            self.submit(true)?;
        }
        self.drain()?;
        let exact = |at: &Position| at.covers(&self.position) == Some(true) || at.gtid.is_some() && at.gtid == self.position.gtid;
        let reason = if at.as_ref().is_none_or(exact) { hold::reason(at.as_ref()) } else { hold::PASSED.to_owned() };
        self.settings.observer.observe(&Event::Waiting { who: hold::WHO.to_owned(), reason });
        self.held = Some(at);
        Ok(true)
    }

    /// The transaction begins at or behind the position at which verify wants to see the destination.
    pub(super) fn is_behind_the_hold(&self, transaction: &Transaction) -> bool {
        let Some(Some(at)) = self.settings.hold.wanted() else { return false };
        let one_server = at.server.is_none() || at.server == self.position.server;
        one_server && transaction.begin.place.order(&at.place).is_some_and(|order| order.is_ge())
    }

    /// The transaction is beyond the point where following ends.
    pub(super) fn is_beyond(&self, begin: &Begin) -> bool {
        match &self.target.until {
            Until::Time(micros) => begin.micros >= *micros,
            Until::Place(place) => begin.place.order(place).is_some_and(|order| order.is_ge()),
            _ => false,
        }
    }

    /// As [`Self::is_reached`] after every transaction: asks the source only when it has to.
    pub(super) fn is_reached_cheaply(&mut self) -> Result<bool, FollowError> {
        self.look_at_goal();
        match &self.target.until {
            Until::Never | Until::Time(_) => Ok(false),
            // Looked at when there is nothing more for the moment, or a batch is full.
            Until::CaughtUp if !self.queue.is_empty() && !self.is_full() => Ok(false),
            _ => self.is_reached(),
        }
    }

    /// Somebody may have asked for another end. Looked at also while there is always more to read, else it would never be seen.
    pub(super) fn look_at_goal(&mut self) {
        if self.target.looked.elapsed() < TICK {
            return;
        }
        self.target.looked = Instant::now();
        let until = self.settings.goal.now();
        if until != self.target.until {
            (self.target.until, self.target.asked) = (until, None);
        }
    }

    /// The position taken so far is the point where following ends.
    pub(super) fn is_reached(&mut self) -> Result<bool, FollowError> {
        if self.large.is_some() {
            return Ok(false);
        }
        self.look_at_goal();
        Ok(match &self.target.until {
            Until::Never => false,
            Until::Gtid(set) => self.position.gtid.as_ref().is_some_and(|applied| set.is_subset(applied)),
            Until::Place(place) => self.position.place.order(place).is_some_and(|order| order.is_ge()),
            // A quiet source has reached a time as soon as its own clock has passed it.
            Until::Time(micros) => self.quiet && self.settings.clock.now().is_some_and(|now| now > *micros),
            Until::CaughtUp => self.is_caught_up()?,
        })
    }

    fn is_caught_up(&mut self) -> Result<bool, FollowError> {
        loop {
            let (position, at, before) = match &self.target.asked {
                Some(asked) => asked.clone(),
                None => {
                    let asked = (self.ask()?, Instant::now(), Duration::MAX);
                    self.target.asked = Some(asked.clone());
                    asked
                }
            };
            if self.position.covers(&position) != Some(true) {
                return Ok(false);
            }
            // Reading says so as well, and better, but looks for as long as a commit may take.
            if !self.position.was_had_by(&position) {
                self.target.asked = None;
                let since = *self.target.ahead.get_or_insert_with(Instant::now);
                if since.elapsed() < AHEAD {
                    return Ok(false);
                }
                let address = self.settings.source.place.to_string();
                let lacking = format!("{}, while it is at {position}", self.position);
                return Err(BinlogError::Ahead { address, lacking, switched: false }.into());
            }
            self.target.ahead = None;
            // A source that writes faster than it can be followed is not run after for ever.
            let took = at.elapsed();
            if took < PRESENT || took >= before {
                return Ok(true);
            }
            self.target.asked = Some((self.ask()?, Instant::now(), took));
        }
    }

    /// The source's position now.
    fn ask(&mut self) -> Result<Position, FollowError> {
        let mut session = match self.target.session.take() {
            Some(session) => session,
            None => Session::open(self.settings.source, Purpose::Control).map_err(FollowError::Source)?,
        };
        let position = snapshot::end_position(&mut session).map_err(FollowError::Source)?;
        self.target.session = Some(session);
        Ok(position)
    }
}
