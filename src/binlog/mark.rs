//! What tells a binlog file from another one that bears its name.
//!
//! The hard idea: after `RESET MASTER` a server writes files of the same names, with the same GTIDs at the same offsets, and neither it nor
//! a replica sees that they are others. What differs is when they were written. So a position remembers two things of its file: the second
//! in which it was begun, and an event of the last transaction that was read from it, at the byte where it stands. A server begins a new
//! file whenever it is started, so the first also tells one that was put back to an earlier state; the second tells two files apart that
//! were begun within one second.
//!
//! Facts this rests on (seen on MariaDB 10.11.18 and MySQL 9.7.4, held by `tests/stream/marks.rs`): the header of the format description that
//! comes first in every stream bears the time at which its file was begun, also where the stream begins in the middle of the file and the
//! time in the event's body is zeroed, and also after the server was started again. A request for a byte at which no event begins is
//! answered with error 1236. Events that the server makes up end at 0 or have the flag of artificial ones.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{error::BinlogError, event::kind, transaction::Header};
use crate::{
    clock::rfc3339,
    connect::{BinlogConnection, BinlogStart, BinlogTiming, ConnectError, Login, RawEvent, ReplicaName},
};

/// What was seen of the file that a position lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When the file was begun, in seconds since 1970 by the server's clock.
    began: u32,
    /// The last transaction that was read from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Landmark>,
}

/// An event of a transaction that stands in the file where no other one could: its last one where that is an XID, whose number a server counts up for
/// as long as it runs, else its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Landmark {
    /// Where it begins. A stream can only be asked for from the first 4 GiB of a file.
    offset: u32,
    /// Digest of what it says, its size and time.
    #[serde(with = "hexadecimal")]
    event: u64,
}

impl Landmark {
    /// `None` where it could not be asked for again.
    pub(super) fn of(header: Header, offset: u64, body: &[u8]) -> Option<Self> {
        Some(Self { offset: u32::try_from(offset).ok()?, event: digest(header, body) })
    }
}

/// Without the flags, some of which a server changes afterwards, and the checksum, which the settings of both sides decide upon.
fn digest(header: Header, body: &[u8]) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update([header.kind]);
    for number in [header.seconds, header.server, header.size] {
        hasher.update(number.to_le_bytes());
    }
    hasher.update(body);
    let digest: [u8; 32] = hasher.finalize().into();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Not as a number: readers of JSON that count in DOUBLE would bend it.
mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{number:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        u64::from_str_radix(&String::deserialize(from)?, 16).map_err(D::Error::custom)
    }
}

impl Mark {
    /// Of a file whose format description bears this time, which is 0 where a server made all of it up.
    pub(super) fn begun(seconds: u32) -> Option<Self> {
        (seconds != 0).then_some(Self { began: seconds, last: None })
    }

    /// At this time of the server's clock, the second in which the file was begun has passed.
    pub(super) fn is_over_at(&self, seconds: u64) -> bool {
        seconds > u64::from(self.began)
    }

    /// A transaction of the file has been read.
    pub(super) fn passed(&mut self, landmark: Option<Landmark>) {
        self.last = landmark.or(self.last);
    }

    /// The file's format description bears this time.
    ///
    /// # Errors
    /// [`BinlogError::Another`] when the file of that name was begun at another time.
    pub(super) fn must_have_begun(&self, file: &str, seconds: u32) -> Result<(), BinlogError> {
        if seconds == 0 || seconds == self.began {
            return Ok(());
        }
        let at = |seconds: u32| rfc3339(i64::from(seconds) * 1000);
        let reason = format!("that one was begun at {}, this one at {}", at(self.began), at(seconds));
        Err(BinlogError::Another { file: file.to_owned(), reason })
    }
}

/// Such a connection ends as soon as it has seen an event or two.
const TIMING: BinlogTiming = BinlogTiming { heartbeat: Duration::from_secs(1), silence: Duration::from_secs(30) };

/// So many heartbeats come only where nothing else does.
const SILENT: u32 = 3;

/// So many events that stand in no file may come first: a rotation, a format description, and what vendors add.
const MADE_UP: u32 = 20;

/// A connection of another name than the task's stream has: a source ends the older one of two that have the same.
fn open(login: &Login, task: &str, file: &str, offset: u32) -> Result<BinlogConnection, ConnectError> {
    let start = BinlogStart::Place { file: file.to_owned(), offset };
    BinlogConnection::open(login, &start, &ReplicaName::of(&format!("{task} (mark)")), TIMING)
}

/// The mark that a file has now; `None` where the server does not tell.
///
/// # Errors
/// As the connection fails.
pub(super) fn of(login: &Login, task: &str, file: &str) -> Result<Option<Mark>, ConnectError> {
    let mut stream = open(login, task, file, 4)?;
    for _ in 0..MADE_UP {
        let event = stream.next_event()?;
        if event.kind() == kind::FORMAT_DESCRIPTION {
            return Ok(Mark::begun(event.seconds()));
        }
    }
    Ok(None)
}

/// Reads the file again, and holds it against what was seen of it.
///
/// # Errors
/// [`BinlogError::Another`] when it is another file of that name, or as the connection fails. A file that is gone is none: who reads on says
/// what that means.
pub(super) fn compare(login: &Login, task: &str, file: &str, mark: &Mark) -> Result<(), BinlogError> {
    let another = |reason: String| Err(BinlogError::Another { file: file.to_owned(), reason });
    let offset = mark.last.map_or(4, |last| last.offset);
    let mut stream = open(login, task, file, offset)?;
    let (mut silent, mut described) = (0, false);
    for _ in 0..MADE_UP {
        let event = match stream.next_event() {
            Ok(event) => event,
            Err(ConnectError::Sql { code: 1236, message, .. }) if BinlogError::is_gone(&message) => return Ok(()),
            // What stands there cannot be read from there on: nothing begins at that byte.
            Err(ConnectError::Sql { code: 1236, message, .. }) => return another(nothing_at(offset, &message)),
            Err(ConnectError::Unexpected { reason, .. }) if described => return another(nothing_at(offset, &reason)),
            Err(error) => return Err(error.into()),
        };
        let header = Header::of(&event);
        match (header.kind, mark.last) {
            (kind::FORMAT_DESCRIPTION, last) => {
                mark.must_have_begun(file, header.seconds)?;
                if last.is_none() {
                    return Ok(());
                }
                described = true;
            }
            (kind::HEARTBEAT | kind::HEARTBEAT_V2, _) => {
                silent += 1;
                if silent == SILENT {
                    return another(nothing_at(offset, "the server sends nothing from there"));
                }
            }
            (kind::MARIADB_START_ENCRYPTION, _) => {}
            _ if header.is_made_up() => {}
            (_, Some(last)) => return if last.is(&event) { Ok(()) } else { another(format!("at {offset} stands another event")) },
            (_, None) => {}
        }
    }
    another(nothing_at(offset, "the server sends nothing that stands there"))
}

fn nothing_at(offset: u32, words: &str) -> String {
    format!("what was read at {offset} is not there: {words}")
}

impl Landmark {
    fn is(&self, event: &RawEvent) -> bool {
        event.end().wrapping_sub(event.size()) == self.offset && digest(Header::of(event), event.body()) == self.event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Header = Header { kind: 33, seconds: 1_796_101_557, server: 1, size: 77, end: 235, flags: 0 };

    #[test]
    fn a_mark_is_written_and_read() {
        let mut mark = Mark::begun(1_796_101_557).unwrap();
        assert_eq!(serde_json::to_string(&mark).unwrap(), r#"{"began":1796101557}"#);
        mark.passed(Landmark::of(HEAD, 158, b"x"));
        let text = serde_json::to_string(&mark).unwrap();
        assert!(text.starts_with(r#"{"began":1796101557,"last":{"offset":158,"event":""#), "{text}");
        assert_eq!(serde_json::from_str::<Mark>(&text).unwrap(), mark);
        // What cannot be asked for leaves the one before it.
        mark.passed(Landmark::of(HEAD, 1 << 32, b"y"));
        assert_eq!(serde_json::to_string(&mark).unwrap(), text);
        assert_eq!(Mark::begun(0), None);
    }

    #[test]
    fn an_event_is_known_by_what_it_says() {
        let of = |header, body: &[u8]| Landmark::of(header, 158, body).unwrap();
        let first = of(HEAD, b"a");
        assert_eq!(first, of(Header { flags: 8, ..HEAD }, b"a"));
        for other in [of(HEAD, b"b"), of(Header { seconds: 1, ..HEAD }, b"a"), of(Header { size: 78, ..HEAD }, b"a")] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_file_begun_at_another_time_is_another() {
        let mark = Mark::begun(1_796_101_557).unwrap();
        assert!(mark.must_have_begun("b.000001", 1_796_101_557).is_ok() && mark.must_have_begun("b.000001", 0).is_ok());
        let error = mark.must_have_begun("b.000001", 1_796_101_558).unwrap_err();
        assert_eq!(
            error.to_string(),
            "binlog file b.000001 of the source is not the one that was read before: that one was begun at 2026-12-01T05:05:57.000Z, \
             this one at 2026-12-01T05:05:58.000Z"
        );
    }
}
