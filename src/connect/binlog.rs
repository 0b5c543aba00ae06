//! A session that has turned into a stream of binlog events, as raw bytes with their checksums looked at.
//!
//! The hard idea: what may be believed of an event is said by the event itself. The server says in each file's format description whether
//! its events carry checksums, but events that it makes up on the way (rotations to a file's name, heartbeats) carry one or none by rules
//! that differ between servers and versions; for those the bytes decide.
//!
//! A silent stream and a dead one look alike, so the server is asked for heartbeats, and a read that waits too long is a lost connection.

use std::{
    hash::{BuildHasher as _, RandomState},
    io,
    sync::OnceLock,
    time::Duration,
};

use mysql::{
    BinlogRequest, BinlogStream,
    binlog::{
        BinlogChecksumAlg, BinlogVersion,
        events::{Event, FormatDescriptionEvent, GtidEvent},
    },
};
use mysql_common::packets::{GnoInterval, Sid, Tag};

use super::{
    error::{ConnectError, from_mysql, io_error},
    session::{Login, Purpose, Session},
};

/// Where a stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BinlogStart {
    /// At a byte of a file, which must be the first of an event. Over 4 GiB it cannot be asked for (the request has 32 bits).
    Place {
        /// The file's name.
        file: String,
        /// Offset of an event, 4 to `u32::MAX`.
        offset: u32,
    },
    /// MySQL: all that is not in this set, oldest first.
    MySqlGtid(Vec<BinlogOrigin>),
    /// MariaDB: what follows this position (`0-1-5,1-1-9`).
    MariaDbGtid(String),
}

/// GTIDs of one origin, for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinlogOrigin {
    /// UUID.
    pub uuid: [u8; 16],
    /// Tag, empty for none.
    pub tag: String,
    /// Intervals `[first, end)`.
    pub intervals: Vec<(u64, u64)>,
}

/// How long a stream may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinlogTiming {
    /// The server shall say that it is alive after so long without an event.
    pub heartbeat: Duration,
    /// Neither event nor heartbeat for so long means that the connection is lost. At least several heartbeats: a server that opens a large
    /// file, or that is short of a processor, is late.
    pub silence: Duration,
}

impl Default for BinlogTiming {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(1), silence: Duration::from_secs(30) }
    }
}

/// One event as the server sent it, its checksum looked at and taken off.
pub struct RawEvent {
    event: Event,
    /// Bytes of the body that count.
    len: usize,
}

/// Events that the server makes up: `ROTATE` to the name of a file, `HEARTBEAT_LOG_EVENT`, its second version.
const ROTATE: u8 = 4;
const HEARTBEAT: [u8; 2] = [27, 41];
const GTID_TAGGED: u8 = 42;

impl RawEvent {
    fn new(event: Event) -> Result<Self, String> {
        let (kind, len) = (event.header().event_type_raw(), event.data().len());
        let made_up = HEARTBEAT.contains(&kind) || (kind == ROTATE && event.header().log_pos() == 0);
        if made_up {
            // When the crate has cut four bytes off it, or has left them on, only the bytes themselves tell which was right.
            return Ok(match event.checksum() {
                Some(checksum) if event.calc_checksum(BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_CRC32) != u32::from_le_bytes(checksum) => {
                    Self::uncut(event, checksum)
                }
                Some(_) => Self { event, len },
                None => Self { len: without_checksum(&event), event },
            });
        }
        let alg = event.footer().get_checksum_alg().map_err(|e| format!("a checksum of an unknown kind: {e}"))?;
        if alg == Some(BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_CRC32)
            && let Some(checksum) = event.checksum()
            && event.calc_checksum(BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_CRC32) != u32::from_le_bytes(checksum)
        {
            return Err(format!("the checksum of an event of type {kind} is wrong"));
        }
        Ok(Self { event, len })
    }

    /// The event with the four bytes that were taken for a checksum and were none.
    fn uncut(event: Event, checksum: [u8; 4]) -> Self {
        let header = event.header();
        let mut bytes = Vec::with_capacity(19 + event.data().len() + 4);
        bytes.extend_from_slice(&header.timestamp().to_le_bytes());
        bytes.push(header.event_type_raw());
        bytes.extend_from_slice(&header.server_id().to_le_bytes());
        bytes.extend_from_slice(&header.event_size().to_le_bytes());
        bytes.extend_from_slice(&header.log_pos().to_le_bytes());
        bytes.extend_from_slice(&header.flags_raw().to_le_bytes());
        bytes.extend_from_slice(event.data());
        bytes.extend_from_slice(&checksum);
        let plain = FormatDescriptionEvent::new(BinlogVersion::Version4);
        match Event::read(&plain, bytes.as_slice()) {
            Ok(whole) => Self { len: whole.data().len(), event: whole },
            Err(_) => Self { len: event.data().len(), event },
        }
    }

    /// Type of the event.
    pub fn kind(&self) -> u8 {
        self.event.header().event_type_raw()
    }

    /// Seconds since 1970 when it was written.
    pub fn seconds(&self) -> u32 {
        self.event.header().timestamp()
    }

    /// The server that first had it.
    pub fn server_id(&self) -> u32 {
        self.event.header().server_id()
    }

    /// Bytes that it takes in the file, header and checksum included.
    pub fn size(&self) -> u32 {
        self.event.header().event_size()
    }

    /// Lower 32 bits of where it ends in the file; 0 when the server made it up.
    pub fn end(&self) -> u32 {
        self.event.header().log_pos()
    }

    /// Flags of the header (`LOG_EVENT_*_F`).
    pub fn flags(&self) -> u16 {
        self.event.header().flags_raw()
    }

    /// What follows the header of 19 bytes, without checksum.
    pub fn body(&self) -> &[u8] {
        &self.event.data()[..self.len]
    }

    /// UUID, tag, number and microseconds of the original commit of a GTID event of the tagged kind (MySQL 8.4 and later).
    pub fn tagged_gtid(&self) -> Option<([u8; 16], String, u64, u64)> {
        if self.kind() != GTID_TAGGED {
            return None;
        }
        let gtid = self.event.read_event::<GtidEvent>().ok()?;
        Some((gtid.sid(), gtid.tag()?.as_str().to_owned(), gtid.gno(), gtid.original_commit_timestamp()))
    }
}

/// Length of the body without the checksum that an event has although its file says that it has none.
fn without_checksum(event: &Event) -> usize {
    let data = event.data();
    let Some(at) = data.len().checked_sub(4) else { return data.len() };
    let mut crc = flate2::Crc::new();
    let header = event.header();
    crc.update(&header.timestamp().to_le_bytes());
    crc.update(&[header.event_type_raw()]);
    crc.update(&header.server_id().to_le_bytes());
    crc.update(&header.event_size().to_le_bytes());
    crc.update(&header.log_pos().to_le_bytes());
    crc.update(&header.flags_raw().to_le_bytes());
    crc.update(&data[..at]);
    if crc.sum().to_le_bytes() == data[at..] { at } else { data.len() }
}

impl std::fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawEvent(type {}, {} bytes, to {})", self.kind(), self.size(), self.end())
    }
}

/// What a source calls the replica that we are: a number and a UUID.
///
/// A source ends the stream of an older replica that has the number (MariaDB) or UUID (MySQL) of a new one, which is right for a
/// connection of our own that it has not noticed to be dead, and wrong for another task. So the number is a hash of the task's name with
/// a key that every process draws anew, in the upper half of the numbers, which people rarely use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaName {
    /// `server_id`, from 2^31.
    pub server_id: u32,
    /// UUID.
    pub uuid: String,
}

impl ReplicaName {
    /// The name of a task's stream, the same throughout the process.
    pub fn of(task: &str) -> Self {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        let key = KEY.get_or_init(RandomState::new);
        let (a, b) = (key.hash_one((task, 0)), key.hash_one((task, 1)));
        #[expect(clippy::cast_possible_truncation, reason = "a part of a hash")]
        let server_id = a as u32 | 1 << 31;
        let uuid = format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            (b >> 52) & 0xfff,
            (b >> 48) & 0xf,
            b & 0xffff_ffff_ffff
        );
        Self { server_id, uuid }
    }
}

/// A stream of binlog events.
pub struct BinlogConnection {
    stream: BinlogStream,
    address: String,
    silence: Duration,
}

impl std::fmt::Debug for BinlogConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BinlogConnection({})", self.address)
    }
}

const DOING: &str = "reading the binlog";

impl BinlogConnection {
    /// Opens a session of its own and asks for the stream. Whether the place is there shows with the first event.
    ///
    /// # Errors
    /// As [`Session::open`], and what a preparing statement failed with.
    pub fn open(login: &Login, start: &BinlogStart, name: &ReplicaName, timing: BinlogTiming) -> Result<Self, ConnectError> {
        let mut session = Session::open_to_listen(login, Purpose::Catalog, timing.silence)?;
        let nanos = timing.heartbeat.as_nanos();
        // Both spellings: each server, and each version of it, reads its own and lets the other be.
        let mut variables = vec![
            format!("@master_heartbeat_period={nanos}"),
            format!("@source_heartbeat_period={nanos}"),
            format!("@slave_uuid='{}'", name.uuid),
            format!("@replica_uuid='{}'", name.uuid),
        ];
        if session.flavor().is_mariadb() {
            variables.push("@mariadb_slave_capability=4".to_owned());
            if let BinlogStart::MariaDbGtid(position) = start {
                variables.push(format!("@slave_connect_state='{}'", position.replace('\'', "")));
                variables.push("@slave_gtid_strict_mode=0".to_owned());
                variables.push("@slave_gtid_ignore_duplicates=0".to_owned());
            }
        } else {
            // The crate sets `@master_binlog_checksum` to a value that older servers take; newer ones look at this first.
            variables.push("@source_binlog_checksum=@@GLOBAL.binlog_checksum".to_owned());
        }
        session.exec("preparing to read the binlog", &format!("SET {}", variables.join(", ")))?;
        let mut request = BinlogRequest::new(name.server_id);
        match start {
            BinlogStart::Place { file, offset } => request = request.with_filename(file.as_bytes()).with_pos(*offset),
            BinlogStart::MySqlGtid(origins) => {
                let sids = origins.iter().map(sid).collect::<Result<Vec<_>, _>>()?;
                request = request.with_use_gtid(true).with_sids(sids);
            }
            BinlogStart::MariaDbGtid(_) => {}
        }
        let address = session.address().to_owned();
        let stream = session.into_conn().get_binlog_stream(request).map_err(|e| from_mysql(e, &address, &DOING))?;
        tracing::debug!(address, ?start, server_id = name.server_id, "binlog asked for");
        Ok(Self { stream, address, silence: timing.silence })
    }

    /// The next event. Waits until there is one; heartbeats are events.
    ///
    /// # Errors
    /// [`ConnectError::Lost`] when the connection broke, when the server ended the stream, and when neither event nor heartbeat came in
    /// time; [`ConnectError::Sql`] with code 1236 when the server cannot give what was asked for; [`ConnectError::Unexpected`] for an
    /// event whose bytes are wrong.
    pub fn next_event(&mut self) -> Result<RawEvent, ConnectError> {
        let lost = |reason: String| ConnectError::Lost { doing: DOING.to_owned(), address: self.address.clone(), reason };
        match self.stream.next() {
            Some(Ok(event)) => RawEvent::new(event).map_err(|reason| ConnectError::Unexpected { doing: DOING.to_owned(), reason }),
            Some(Err(error)) => {
                let late = io_error(&error).is_some_and(|e| matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
                Err(if late {
                    lost(format!("neither event nor heartbeat for {} s", self.silence.as_secs()))
                } else {
                    from_mysql(error, &self.address, &DOING)
                })
            }
            None => Err(lost("the server ended the stream".to_owned())),
        }
    }
}

fn sid(origin: &BinlogOrigin) -> Result<Sid<'static>, ConnectError> {
    let mut sid = Sid::new(origin.uuid);
    if !origin.tag.is_empty() {
        let tag = Tag::new(origin.tag.clone()).map_err(|e| ConnectError::Unexpected {
            doing: "asking for the binlog".to_owned(),
            reason: format!("'{}': {e}", origin.tag),
        })?;
        sid = sid.with_tag(tag);
    }
    for (first, end) in &origin.intervals {
        sid = sid.with_interval(GnoInterval::new(*first, *end));
    }
    Ok(sid)
}

#[cfg(test)]
mod tests {
    use super::ReplicaName;

    #[test]
    fn tasks_have_names_of_their_own_and_keep_them() {
        let (a, b) = (ReplicaName::of("a"), ReplicaName::of("b"));
        assert_eq!(a, ReplicaName::of("a"));
        assert!(a.server_id != b.server_id && a.uuid != b.uuid, "{a:?} {b:?}");
        assert!(a.server_id >= 1 << 31);
        let parts: Vec<usize> = a.uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{}", a.uuid);
    }
}
