//! A first look at a server: who answers, how far away it is, what its clock says, and whether it is always the same one.

use std::time::{Duration, Instant};

use super::{
    error::ConnectError,
    session::{Login, Purpose, ServerInfo, Session},
};

/// What a first look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What the first session's server says of itself.
    pub info: ServerInfo,
    /// Time of an empty round trip: the shortest of three.
    pub latency: Duration,
    /// Time to open a session, TLS and login included.
    pub opening: Duration,
    /// The server's clock in microseconds since 1970 in UTC, asked half a round trip ago.
    pub server_time_us: i64,
    /// All identities that several sessions met. More than one: a proxy or a pool stands between, and a binlog position, a snapshot and
    /// a read may each come from another server (requirements 5.6).
    pub identities: Vec<String>,
}

/// Opens `sessions` sessions at once (at least one) and asks each who it is.
///
/// # Errors
/// As the first session that fails.
pub fn probe(login: &Login, sessions: usize) -> Result<Probe, ConnectError> {
    let begin = Instant::now();
    let mut first = Session::open(login, Purpose::Control)?;
    let opening = begin.elapsed();
    let mut latency = Duration::MAX;
    for _ in 0..3 {
        latency = latency.min(first.ping()?);
    }
    let time = first.query("asking for the time", "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)")?;
    let server_time_us = time
        .text_at(0, 0)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ConnectError::Unexpected { doing: "asking for the time".to_owned(), reason: "it is not a number".to_owned() })?;
    let mut identities = vec![first.info().identity.clone()];
    // All stay open until the last has answered: a proxy that gives an idle connection to the next client would hide the others.
    let mut open = Vec::new();
    for _ in 1..sessions {
        let session = Session::open(login, Purpose::Control)?;
        identities.push(session.info().identity.clone());
        open.push(session);
    }
    identities.sort();
    identities.dedup();
    Ok(Probe { info: first.info().clone(), latency, opening, server_time_us, identities })
}

impl ServerInfo {
    /// The setting that makes this server refuse writes, if one does: `innodb_read_only` (readers of a cluster), `super_read_only` (even
    /// for administrators), `read_only` (unless the account is exempt).
    pub fn read_only_by(&self) -> Option<&'static str> {
        ["innodb_read_only", "super_read_only", "read_only"]
            .into_iter()
            // MariaDB 12 names the levels of read_only: OFF, ON, NO_LOCK, NO_LOCK_NO_ADMIN.
            .find(|name| self.variable(name).is_some_and(|value| !matches!(value, "OFF" | "0" | "NO" | "off")))
    }
}
