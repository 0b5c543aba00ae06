//! Single events taken apart: what their bytes say, without what they mean together.
//!
//! Layouts: MySQL `libs/mysql/binlog/event/*.h`, MariaDB `sql/log_event.cc`; each is held against real servers by `tests/stream`.

use std::io::Read as _;

use super::{
    bytes::{Cursor, Truncated, text},
    gtid::{Gtid, Origin},
    item::RowsKind,
};

/// Type codes of events, by the names that both servers' sources use.
pub(super) mod kind {
    pub(in crate::binlog) const QUERY: u8 = 2;
    pub(in crate::binlog) const STOP: u8 = 3;
    pub(in crate::binlog) const ROTATE: u8 = 4;
    pub(in crate::binlog) const INTVAR: u8 = 5;
    pub(in crate::binlog) const APPEND_BLOCK: u8 = 9;
    pub(in crate::binlog) const DELETE_FILE: u8 = 11;
    pub(in crate::binlog) const RAND: u8 = 13;
    pub(in crate::binlog) const USER_VAR: u8 = 14;
    pub(in crate::binlog) const FORMAT_DESCRIPTION: u8 = 15;
    pub(in crate::binlog) const XID: u8 = 16;
    pub(in crate::binlog) const BEGIN_LOAD_QUERY: u8 = 17;
    pub(in crate::binlog) const EXECUTE_LOAD_QUERY: u8 = 18;
    pub(in crate::binlog) const TABLE_MAP: u8 = 19;
    pub(in crate::binlog) const INCIDENT: u8 = 26;
    pub(in crate::binlog) const HEARTBEAT: u8 = 27;
    pub(in crate::binlog) const IGNORABLE: u8 = 28;
    pub(in crate::binlog) const ROWS_QUERY: u8 = 29;
    pub(in crate::binlog) const GTID: u8 = 33;
    pub(in crate::binlog) const ANONYMOUS_GTID: u8 = 34;
    pub(in crate::binlog) const PREVIOUS_GTIDS: u8 = 35;
    pub(in crate::binlog) const TRANSACTION_CONTEXT: u8 = 36;
    pub(in crate::binlog) const VIEW_CHANGE: u8 = 37;
    pub(in crate::binlog) const XA_PREPARE: u8 = 38;
    pub(in crate::binlog) const TRANSACTION_PAYLOAD: u8 = 40;
    pub(in crate::binlog) const HEARTBEAT_V2: u8 = 41;
    pub(in crate::binlog) const GTID_TAGGED: u8 = 42;
    pub(in crate::binlog) const MARIADB_ANNOTATE: u8 = 160;
    pub(in crate::binlog) const MARIADB_CHECKPOINT: u8 = 161;
    pub(in crate::binlog) const MARIADB_GTID: u8 = 162;
    pub(in crate::binlog) const MARIADB_GTID_LIST: u8 = 163;
    pub(in crate::binlog) const MARIADB_START_ENCRYPTION: u8 = 164;
    pub(in crate::binlog) const MARIADB_QUERY_COMPRESSED: u8 = 165;
}

/// `LOG_EVENT_IGNORABLE_F`: who does not know the event may pass it over.
pub(super) const IGNORABLE_FLAG: u16 = 0x80;

/// A rows event's type code: what it does, whether its head is of the second version, whether MariaDB has compressed its rows.
pub(super) fn rows_kind(kind: u8) -> Option<(RowsKind, bool, bool)> {
    Some(match kind {
        23 => (RowsKind::Insert, false, false),
        24 => (RowsKind::Update, false, false),
        25 => (RowsKind::Delete, false, false),
        30 => (RowsKind::Insert, true, false),
        31 => (RowsKind::Update, true, false),
        32 => (RowsKind::Delete, true, false),
        39 => (RowsKind::PartialUpdate, true, false),
        166 => (RowsKind::Insert, false, true),
        167 => (RowsKind::Update, false, true),
        168 => (RowsKind::Delete, false, true),
        169 => (RowsKind::Insert, true, true),
        170 => (RowsKind::Update, true, true),
        171 => (RowsKind::Delete, true, true),
        _ => return None,
    })
}

/// Why an event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It ends too early.
    TooShort,
    /// Its compressed part does not unpack.
    Compression(String),
}

impl From<Truncated> for Flaw {
    fn from(_: Truncated) -> Self {
        Self::TooShort
    }
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooShort => f.write_str("it ends too early"),
            Self::Compression(reason) => write!(f, "its compressed part cannot be unpacked: {reason}"),
        }
    }
}

/// A rotation: the next file, and where in it to go on.
pub(super) fn rotate(body: &[u8]) -> Result<(String, u64), Flaw> {
    let mut c = Cursor::new(body);
    let offset = c.eight()?;
    Ok((text(c.rest()), offset))
}

/// The head of a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// `None` for MySQL's anonymous ones.
    pub(super) gtid: Option<Gtid>,
    /// When it was committed first, in microseconds since 1970; `None` when only the event's seconds tell.
    pub(super) micros: Option<u64>,
    /// MariaDB: the group is one statement, without BEGIN and COMMIT.
    pub(super) standalone: bool,
    /// MariaDB: there is no BEGIN event, the head stands for it.
    pub(super) opens: bool,
    /// MariaDB: the group ends with XA PREPARE of this transaction.
    pub(super) prepares: Option<Xid>,
    /// MariaDB: the statement is announced (START ALTER) or taken back (ROLLBACK ALTER), and has not happened.
    pub(super) not_done: bool,
}

/// GTID and ANONYMOUS_GTID of MySQL.
pub(super) fn mysql_gtid(body: &[u8], anonymous: bool) -> Result<Head, Flaw> {
    let mut c = Cursor::new(body);
    c.byte()?;
    let mut uuid = [0; 16];
    uuid.copy_from_slice(c.take(16)?);
    let number = c.eight()?;
    let gtid = (!anonymous).then(|| Gtid::MySql(Origin { uuid, tag: String::new() }, number));
    // A byte 2, both logical timestamps, then (8.0.1 and later) the time of the commit here, with its highest bit set when the time of the
    // commit at the first server follows, because it is another.
    let micros = (|| {
        c.take(17).ok()?;
        let here = c.little(7).ok()?;
        const OTHER: u64 = 1 << 55;
        if here & OTHER == 0 { Some(here) } else { c.little(7).ok() }
    })();
    Ok(Head { gtid, micros: micros.filter(|m| *m > 0), ..Head::default() })
}

/// GTID_EVENT of MariaDB. The server's id stands in the event's header.
pub(super) fn mariadb_gtid(body: &[u8], server: u32) -> Result<Head, Flaw> {
    const STANDALONE: u8 = 1;
    const GROUP_COMMIT_ID: u8 = 2;
    const PREPARED_XA: u8 = 64;
    const COMPLETED_XA: u8 = 128;
    let mut c = Cursor::new(body);
    let (sequence, domain, flags) = (c.eight()?, c.four()?, c.byte()?);
    let mut head = Head {
        gtid: Some(Gtid::MariaDb { domain, server, sequence }),
        standalone: flags & STANDALONE != 0,
        opens: flags & STANDALONE == 0,
        ..Head::default()
    };
    if flags & GROUP_COMMIT_ID != 0 {
        c.eight()?;
    }
    if flags & (PREPARED_XA | COMPLETED_XA) != 0 {
        let (format, global, branch) = (c.four()?, usize::from(c.byte()?), usize::from(c.byte()?));
        let xid = Xid { format, global: c.take(global)?.to_vec(), branch: c.take(branch)?.to_vec() };
        if flags & PREPARED_XA != 0 {
            head.prepares = Some(xid);
        }
    }
    // Since 10.8 (binlog_alter_two_phase): FL_START_ALTER_E1 2, FL_COMMIT_ALTER_E1 4, FL_ROLLBACK_ALTER_E1 8. Where nothing follows, the
    // event is filled with zeros.
    let extra = c.byte().unwrap_or(0);
    head.not_done = extra & (2 | 8) != 0;
    Ok(head)
}

/// Identity of an XA transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Xid {
    format: u32,
    global: Vec<u8>,
    branch: Vec<u8>,
}

impl std::fmt::Display for Xid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        write!(f, "X'{}',X'{}',{}", hex(&self.global), hex(&self.branch), self.format)
    }
}

impl Xid {
    /// Reads what follows `XA START`, `XA COMMIT` and so on in a binlog: `X'6162',X'',1`, and further words after it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ',').map(str::trim);
        let mut hex = || {
            let digits = parts.next()?.strip_prefix(['X', 'x'])?.strip_prefix('\'')?.strip_suffix('\'')?;
            let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            (0..digits.len()).step_by(2).map(pair).collect::<Option<Vec<u8>>>()
        };
        let (global, branch) = (hex()?, hex()?);
        let number: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { format: number.parse().ok()?, global, branch })
    }
}

/// XA_PREPARE: whether it commits at once, and which.
pub(super) fn xa_prepare(body: &[u8]) -> Result<(bool, Xid), Flaw> {
    let mut c = Cursor::new(body);
    let (one_phase, format, global, branch) = (c.byte()? != 0, c.four()?, c.four()?, c.four()?);
    let xid = Xid { format, global: c.take(global as usize)?.to_vec(), branch: c.take(branch as usize)?.to_vec() };
    Ok((one_phase, xid))
}

/// A table map's id of the table, which the rows events after it name.
pub(super) fn table_id(body: &[u8]) -> Result<u64, Flaw> {
    Ok(Cursor::new(body).little(6)?)
}

/// What stands before the row images in a rows event.
pub(super) struct RowsHead<'a> {
    pub(super) table: u64,
    /// The last of its statement: tables are mapped anew after it.
    pub(super) ends_statement: bool,
    /// See [`super::RowsEvent::keys_act`].
    pub(super) keys_act: bool,
    pub(super) before: &'a [u8],
    pub(super) after: &'a [u8],
    /// The images; still compressed if the event is of such a type.
    pub(super) rows: &'a [u8],
}

/// Flags of a rows event: `STMT_END_F` and `NO_FOREIGN_KEY_CHECKS_F` of both servers, and MySQL's `USE_SQL_FOREIGN_KEY_F`, which says that
/// the server and not the engine has done what foreign keys do (seen on 9.7.4; not set there with `innodb_native_foreign_keys`).
const STMT_END: u16 = 0x01;
const NO_KEY_CHECKS: u16 = 0x02;
const SQL_KEYS: u16 = 0x10;

/// A rows event's parts. `second`: with the head of the second version, which has room for more.
pub(super) fn rows(body: &[u8], kind: RowsKind, second: bool) -> Result<RowsHead<'_>, Flaw> {
    let mut c = Cursor::new(body);
    let (table, flags) = (c.little(6)?, c.two()?);
    if second {
        let extra = usize::from(c.two()?);
        c.take(extra.checked_sub(2).ok_or(Truncated)?)?;
    }
    let bytes = c.length()?.div_ceil(8);
    let before = c.take(bytes)?;
    let after = if matches!(kind, RowsKind::Update | RowsKind::PartialUpdate) { c.take(bytes)? } else { &[] };
    Ok(RowsHead {
        table,
        ends_statement: flags & STMT_END != 0,
        keys_act: flags & (NO_KEY_CHECKS | SQL_KEYS) == 0,
        before,
        after,
        rows: c.rest(),
    })
}

/// Unpacks what MariaDB compresses (`log_bin_compress`): a byte with the algorithm (0, zlib) and the number of length bytes, the length
/// with its highest byte first, the compressed bytes.
pub(super) fn mariadb_unpack(packed: &[u8]) -> Result<Vec<u8>, Flaw> {
    let mut c = Cursor::new(packed);
    let head = c.byte()?;
    if head & 0x80 == 0 || head & 0x70 != 0 {
        return Err(Flaw::Compression(format!("unknown algorithm (first byte {head})")));
    }
    let len = c.take(usize::from(head & 7))?.iter().fold(0_usize, |len, byte| len << 8 | usize::from(*byte));
    // What the length says is not believed before the bytes are there.
    let mut unpacked = Vec::with_capacity(len.min(c.rest().len().saturating_mul(1032)));
    let limit = u64::try_from(len).map_err(|_| Truncated)? + 1;
    flate2::read::ZlibDecoder::new(c.rest()).take(limit).read_to_end(&mut unpacked).map_err(|e| Flaw::Compression(e.to_string()))?;
    if unpacked.len() != len {
        return Err(Flaw::Compression(format!("{} bytes instead of {len}", unpacked.len())));
    }
    Ok(unpacked)
}

/// The client's statement: ROWS_QUERY has a length byte before it that says nothing (it is cut to 255), ANNOTATE_ROWS has none.
pub(super) fn client_statement(body: &[u8], mariadb: bool) -> String {
    text(if mariadb { body } else { body.get(1..).unwrap_or_default() })
}

/// INCIDENT: number, then a message with a length byte.
pub(super) fn incident(body: &[u8]) -> String {
    let mut c = Cursor::new(body);
    let number = c.two().unwrap_or_default();
    match c.short_text() {
        Ok(message) if !message.is_empty() => message,
        _ => format!("incident {number}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_time_of_the_first_commit_is_taken_where_it_is_written() {
        let head = [&[1][..], &[7; 16], &5_u64.to_le_bytes()].concat();
        // 5.7 writes no time.
        let old = [&head[..], &[2], &[0; 16]].concat();
        assert_eq!(mysql_gtid(&old, false).unwrap().micros, None);
        let here = [&old[..], &[9, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(mysql_gtid(&here, false).unwrap().micros, Some(9));
        let both = [&old[..], &[9, 0, 0, 0, 0, 0, 0x80, 4, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(mysql_gtid(&both, false).unwrap().micros, Some(4));
        assert_eq!(mysql_gtid(&both, true).unwrap().gtid, None);
        assert_eq!(mysql_gtid(&head[..20], false), Err(Flaw::TooShort));
    }

    #[test]
    fn what_mariadb_packed_is_unpacked_whole_or_not_at_all() {
        let text = b"a text that is the same, the same, the same".repeat(20);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(&text).unwrap();
        let zlib = zlib.finish().unwrap();
        let packed = |len: u16| [&[0x82][..], &len.to_be_bytes(), &zlib].concat();
        let right = u16::try_from(text.len()).unwrap();
        assert_eq!(mariadb_unpack(&packed(right)).unwrap(), text);
        for wrong in
            [packed(right - 1), packed(right + 1), packed(right)[..30].to_vec(), vec![0x92, 0, 1, 0], vec![2, 0, 1, 0], vec![0x82, 1]]
        {
            assert!(mariadb_unpack(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn xa_identities_are_the_same_in_events_and_statements() {
        let (one_phase, xid) = xa_prepare(b"\x00\x07\0\0\0\x02\0\0\0\x01\0\0\0abc").unwrap();
        assert_eq!((one_phase, Some(xid)), (false, Xid::read("X'6162',X'63',7")));
        assert!(xa_prepare(b"\x00\x07\0\0\0\x02\0\0\0\x01\0\0\0ab").is_err());
    }
}
