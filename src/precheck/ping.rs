//! What `ping` tells of the two ends.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::gather::Clock;
use crate::connect::{ConnectError, Session};

/// Round trips measured; the quickest counts.
const TRIPS: usize = 5;

/// One end, as it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct End {
    /// `host:port` or the socket's path.
    pub address: String,
    /// `mysql` or `mariadb`.
    pub vendor: String,
    /// `VERSION()` as it stands.
    pub version: String,
    /// The account as the server matched it.
    pub account: String,
    /// TLS protocol and cipher; absent when in clear.
    pub tls: Option<String>,
    /// The quickest of a few round trips, in microseconds.
    pub latency_us: u64,
    /// The server's time zone; `SYSTEM` with the system's own in parentheses.
    pub time_zone: String,
    /// It takes no writes from ordinary accounts.
    pub read_only: bool,
    /// What tells the server from others.
    pub identity: String,
}

/// Both ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Ping {
    /// Version of this document's format.
    pub format_version: String,
    /// The source, when it answered.
    pub source: Option<End>,
    /// The destination, when it answered.
    pub destination: Option<End>,
    /// The destination's clock minus the source's, in milliseconds, when both answered.
    pub clock_difference_ms: Option<i64>,
    /// How far that may be off, in milliseconds.
    pub clock_uncertainty_ms: Option<i64>,
}

/// Measures the ends that could be opened.
///
/// # Errors
/// As a connection fails.
pub fn measure(source: Option<&mut Session>, destination: Option<&mut Session>) -> Result<Ping, ConnectError> {
    let mut ping =
        Ping { format_version: "1.0".to_owned(), source: None, destination: None, clock_difference_ms: None, clock_uncertainty_ms: None };
    let mut both = (source, destination);
    if let (Some(source), Some(destination)) = (&mut both.0, &mut both.1) {
        let clock = clock(source, destination)?;
        ping.clock_difference_ms = Some(clock.difference_ms);
        ping.clock_uncertainty_ms = Some(clock.uncertainty_ms);
    }
    ping.source = both.0.map(end).transpose()?;
    ping.destination = both.1.map(end).transpose()?;
    Ok(ping)
}

fn end(session: &mut Session) -> Result<End, ConnectError> {
    let mut quickest = Duration::MAX;
    for _ in 0..TRIPS {
        quickest = quickest.min(session.ping()?);
    }
    let address = session.address().to_owned();
    let info = session.info();
    let zone = info.variable("time_zone").unwrap_or("unknown");
    let time_zone = match info.variable("system_time_zone") {
        Some(system) if zone == "SYSTEM" && !system.is_empty() => format!("SYSTEM ({system})"),
        _ => zone.to_owned(),
    };
    Ok(End {
        address,
        vendor: info.flavor.vendor.name().to_owned(),
        version: info.version_text.clone(),
        account: info.account.clone(),
        tls: (!info.tls_cipher.is_empty()).then(|| info.tls_cipher.clone()),
        latency_us: u64::try_from(quickest.as_micros()).unwrap_or(u64::MAX),
        time_zone,
        read_only: info.is_on("read_only") || info.is_on("super_read_only") || info.is_on("innodb_read_only"),
        identity: info.identity.clone(),
    })
}

/// Compares the servers' clocks by way of our own: each is read once, and half of its round trip is what is not known of it.
pub(super) fn clock(source: &mut Session, destination: &mut Session) -> Result<Clock, ConnectError> {
    let start = Instant::now();
    let read = |session: &mut Session| -> Result<(i64, i64), ConnectError> {
        let before = start.elapsed();
        // SYSDATE, not NOW: the time at which it is evaluated. The session's zone is UTC.
        let rows = session.query("reading the clock", "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)")?;
        let after = start.elapsed();
        let theirs = rows.text_at(0, 0).and_then(|t| t.parse::<i64>().ok()).unwrap_or_default();
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        Ok((theirs - micros(before + after) / 2, micros(after - before) / 2))
    };
    let (at_source, source_doubt) = read(source)?;
    let (at_destination, destination_doubt) = read(destination)?;
    Ok(Clock { difference_ms: (at_destination - at_source) / 1000, uncertainty_ms: (source_doubt + destination_doubt) / 1000 + 1 })
}
