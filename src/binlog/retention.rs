//! How long a server keeps its binlog: what it says, and what is there in truth.
//!
//! Facts this rests on: `binlog_expire_logs_seconds` (MySQL 8.0, MariaDB 10.6) or `expire_logs_days` (before) say after how long a file goes,
//! 0 for never; a platform may remove files earlier all the same (requirements 5.1). What is there in truth is told by the time in the
//! first event of the oldest file, the one way that works everywhere.

use std::time::Duration;

use crate::connect::{BinlogConnection, BinlogStart, BinlogTiming, ConnectError, Login, ReplicaName, Session};

/// A server that has run for so much longer than its oldest file reaches back has lost some.
const SLACK: u64 = 3600;

/// How long a server keeps its binlog, in seconds. What cannot be learnt is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// After how long it removes a file by itself; 0 for never.
    pub removed_after: Option<u64>,
    /// Age of the oldest file's first event.
    pub oldest_age: Option<u64>,
    /// Since the server was started.
    pub uptime: Option<u64>,
}

impl Retention {
    /// Asks the server. `name` is what the stream that looks at the oldest file calls itself.
    ///
    /// # Errors
    /// As the connection fails; what the account may not see is left unknown.
    pub fn measure(session: &mut Session, login: &Login, name: &str) -> Result<Self, ConnectError> {
        let mut found = Self::default();
        let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_expire_logs_seconds', 'expire_logs_days')";
        if let Some(rows) = ask(session, sql)? {
            let of = |name: &str| (0..rows.len()).find(|&r| rows.text_at(r, 0).as_deref() == Some(name)).and_then(|r| rows.text_at(r, 1));
            found.removed_after = removed_after(of("binlog_expire_logs_seconds").as_deref(), of("expire_logs_days").as_deref());
        }
        if let Some(rows) = ask(session, "SHOW GLOBAL STATUS LIKE 'Uptime'")? {
            found.uptime = rows.number_at(0, 1);
        }
        let oldest = ask(session, "SHOW BINARY LOGS")?.and_then(|rows| rows.text_at(0, 0));
        if let Some(oldest) = oldest {
            found.oldest_age = age(session, login, &oldest, name).ok().flatten();
        }
        Ok(found)
    }

    /// Files that are gone though the server was there when they were written: it keeps less than the given time in truth.
    pub fn has_lost(&self, seconds: u64) -> bool {
        matches!((self.oldest_age, self.uptime), (Some(age), Some(uptime)) if age < seconds && uptime > age + SLACK)
    }

    /// Less is kept than is needed, in seconds.
    pub fn is_short_of(&self, needed: u64) -> bool {
        self.removed_after.is_some_and(|seconds| seconds > 0 && seconds < needed) || self.has_lost(needed)
    }
}

/// After how many seconds the server removes a file by itself, by the values of its two variables; 0 is never, `None` is unknown.
pub fn removed_after(seconds: Option<&str>, days: Option<&str>) -> Option<u64> {
    let seconds = seconds.and_then(|text| text.parse().ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "days, of which MariaDB takes fractions")]
    let days = days.and_then(|text| text.parse::<f64>().ok()).map(|days| (days * 86_400.0) as u64);
    match (seconds, days) {
        // MySQL 8.0 has both, and one of them is 0.
        (Some(seconds), Some(days)) => Some(if seconds == 0 { days } else { seconds }),
        (one, other) => one.or(other),
    }
}

/// Asks a statement that the account may lack the right for.
fn ask(session: &mut Session, sql: &str) -> Result<Option<crate::connect::Rows>, ConnectError> {
    match session.query("asking how long the binlog is kept", sql) {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.is_connection() => Err(error),
        Err(_) => Ok(None),
    }
}

/// How long ago a file was begun, in seconds: the time in its first event's header against the server's clock.
///
/// # Errors
/// As the connection fails, or the account may not read the binlog.
pub fn age(session: &mut Session, login: &Login, file: &str, name: &str) -> Result<Option<u64>, ConnectError> {
    let start = BinlogStart::Place { file: file.to_owned(), offset: 4 };
    let timing = BinlogTiming { heartbeat: Duration::from_secs(1), silence: Duration::from_secs(5) };
    let mut stream = BinlogConnection::open(login, &start, &ReplicaName::of(name), timing)?;
    // A rotation to the file's name comes first, without a time; then the file's own head.
    for _ in 0..4 {
        let begun = u64::from(stream.next_event()?.seconds());
        if begun != 0 {
            let now = session.query("reading the clock", "SELECT UNIX_TIMESTAMP()")?.number_at(0, 0);
            return Ok(now.map(|now| now.saturating_sub(begun)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    #[test]
    fn what_the_variables_say() {
        assert_eq!(removed_after(Some("2592000"), Some("0")), Some(2_592_000), "MySQL 8.0 has both");
        assert_eq!(removed_after(Some("0"), Some("3")), Some(259_200));
        assert_eq!(removed_after(None, Some("6.5")), Some(561_600), "MariaDB takes fractions");
        assert_eq!(removed_after(Some("0"), None), Some(0));
        assert_eq!(removed_after(None, None), None);
    }

    #[test]
    fn less_than_a_day_by_its_word_or_by_its_files() {
        let kept = |removed_after, oldest_age, uptime| Retention { removed_after, oldest_age, uptime }.is_short_of(24 * HOUR);
        assert!(kept(Some(24 * HOUR - 1), None, None));
        assert!(!kept(Some(24 * HOUR), None, None));
        assert!(!kept(Some(0), None, None), "never removed");
        assert!(!kept(None, None, None), "nobody can tell");
        assert!(!kept(Some(48 * HOUR), Some(2 * HOUR), Some(2 * HOUR)), "a young server");
        assert!(kept(Some(48 * HOUR), Some(2 * HOUR), Some(90 * HOUR)), "a platform removes what it likes");
        assert!(!kept(Some(48 * HOUR), Some(24 * HOUR), Some(90 * HOUR)));
    }
}
