//! TRANSACTION_PAYLOAD: a whole transaction compressed into one event (`binlog_transaction_compression`, MySQL 8.0.20 and later).
//!
//! It is unpacked event by event: what a gigabyte unpacks to need not fit into memory.

use std::io::{self, Read};

use super::{bytes::Cursor, event::Flaw, spool::Entry};

/// The events inside.
pub(super) struct Payload {
    events: Box<dyn Read + Send>,
    /// Where the outer event begins.
    offset: u64,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload(at {})", self.offset)
    }
}

/// Fields before the payload.
const END: usize = 0;
const COMPRESSION: usize = 2;
const ZSTD: usize = 0;
const NONE: usize = 255;

impl Payload {
    /// Reads the fields before the compressed bytes, each with type and length: size, kind of compression, size unpacked.
    pub(super) fn new(body: &[u8], offset: u64) -> Result<Self, Flaw> {
        let mut c = Cursor::new(body);
        let mut compression = NONE;
        loop {
            let field = c.length()?;
            if field == END {
                break;
            }
            let len = c.length()?;
            let mut value = Cursor::new(c.take(len)?);
            if field == COMPRESSION {
                compression = value.length()?;
            }
        }
        let bytes = io::Cursor::new(c.rest().to_vec());
        let events: Box<dyn Read + Send> = match compression {
            ZSTD => Box::new(zstd::stream::read::Decoder::with_buffer(bytes).map_err(|e| Flaw::Compression(e.to_string()))?),
            NONE => Box::new(bytes),
            other => return Err(Flaw::Compression(format!("unknown algorithm {other}"))),
        };
        Ok(Self { events: Box::new(io::BufReader::with_capacity(64 << 10, events)), offset })
    }

    /// The next event; `None` at the end. Events inside have no checksums.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Flaw> {
        let fail = |e: io::Error| Flaw::Compression(e.to_string());
        let mut head = [0; 19];
        if self.events.read(&mut head[..1]).map_err(fail)? == 0 {
            return Ok(None);
        }
        self.events.read_exact(&mut head[1..]).map_err(fail)?;
        let mut c = Cursor::new(&head);
        let (seconds, kind) = (c.four()?, c.byte()?);
        c.four()?;
        let len = (c.four()? as usize).checked_sub(head.len()).ok_or(Flaw::TooShort)?;
        let mut body = Vec::new();
        self.events.by_ref().take(len as u64).read_to_end(&mut body).map_err(fail)?;
        if body.len() != len {
            return Err(Flaw::TooShort);
        }
        Ok(Some(Entry { kind, seconds, offset: self.offset, body }))
    }
}

#[cfg(test)]
mod tests {
    use super::Payload;
    use crate::binlog::event::Flaw;

    fn event(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = 7_u32.to_le_bytes().to_vec();
        bytes.push(kind);
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(u32::try_from(body.len() + 19).unwrap().to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn events_come_out_one_by_one() {
        let inside = [event(2, b"BEGIN"), event(30, &[1; 300]), event(16, b"")].concat();
        for (field, packed) in [(0, zstd::encode_all(inside.as_slice(), 3).unwrap()), (255, inside)] {
            let head: &[u8] = if field == 255 { &[2, 3, 252, 255, 0] } else { &[2, 1, 0] };
            let whole = [&[1, 1, 99][..], head, &[3, 1, 99, 0], &packed].concat();
            let mut payload = Payload::new(&whole, 400).unwrap();
            let kinds: Vec<_> =
                std::iter::from_fn(|| payload.next().unwrap()).map(|e| (e.kind, e.seconds, e.offset, e.body.len())).collect();
            assert_eq!(kinds, [(2, 7, 400, 5), (30, 7, 400, 300), (16, 7, 400, 0)]);
            // Cut short it is an error, never an end.
            let mut cut = Payload::new(&whole[..whole.len() - 3], 400).unwrap();
            let end = std::iter::from_fn(|| cut.next().transpose()).find_map(Result::err);
            assert!(end.is_some(), "{field}");
        }
        assert!(matches!(Payload::new(&[2, 1, 7, 0], 4), Err(Flaw::Compression(_))));
    }
}
