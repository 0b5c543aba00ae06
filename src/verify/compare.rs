//! Compares the rows of both ends in the tool, as they stream in, whatever order they come in.
//!
//! The hard idea: keys are never put in order here, since only a server knows its collations. A row waits under the bytes of its key
//! until its partner comes from the other end; where both ends send in about the same order, few rows wait at a time. A table without a
//! key is a multiset: the row's bytes are its key, and what waits is a count.
//!
//! Values of more than 64 bytes wait as their SHA-256, JSON as the digest of its value and that of its text.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::mpsc::{SyncSender, sync_channel},
};

use sha2::{Digest, Sha256};

use crate::connect::{ConnectError, ResultRow, Session};

use super::{
    expression::{Comparison, Side},
    json,
    receipt::DifferenceKind,
    session::Sides,
};

/// Rows of one end are handed on in batches of about so many bytes.
const BATCH_BYTES: usize = 256 << 10;
const BATCH_ROWS: usize = 512;
const INLINE: usize = 64;

/// A row brought into comparable form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Framed {
    /// The key's cells; of a multiset, all cells.
    pub(crate) key: Box<[u8]>,
    body: Body,
}

/// Cells, and after `solid` bytes the digests of JSON texts, whose difference alone is none of value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Body {
    solid: usize,
    bytes: Box<[u8]>,
}

/// How rows are framed: which columns are the key.
#[derive(Debug, Clone)]
pub(crate) struct Framing {
    /// Indexes of the key's columns among the comparison's pairs; `None`: the rows are a multiset.
    pub(crate) key: Option<Vec<usize>>,
    json: Vec<bool>,
}

impl Framing {
    pub(crate) fn new(comparison: &Comparison, key: Option<Vec<usize>>) -> Self {
        Self { key, json: comparison.pairs.iter().map(|p| p.json).collect() }
    }

    fn frame(&self, row: &ResultRow) -> Framed {
        let mut solid = Vec::with_capacity(self.json.len() * 16);
        let mut texts = Vec::new();
        for (i, &json) in self.json.iter().enumerate() {
            let value = row.get(i);
            match value {
                Some(text) if json => {
                    // What is no JSON (MariaDB without its check) counts as its text.
                    let digest = json::value_digest(text).unwrap_or_else(|| Sha256::digest(text).into());
                    push_cell(&mut solid, Some(&digest), true);
                    push_cell(&mut texts, Some(text), true);
                }
                _ => push_cell(&mut solid, value, true),
            }
        }
        match &self.key {
            Some(columns) => {
                let mut key = Vec::with_capacity(16);
                for &i in columns {
                    push_cell(&mut key, row.get(i), false);
                }
                let length = solid.len();
                solid.extend_from_slice(&texts);
                Framed { key: key.into(), body: Body { solid: length, bytes: solid.into() } }
            }
            None => Framed { key: solid.into(), body: Body { solid: 0, bytes: texts.into() } },
        }
    }
}

/// Length in four bytes and the bytes; NULL and hashed values have lengths no value has.
fn push_cell(out: &mut Vec<u8>, value: Option<&[u8]>, may_hash: bool) {
    match value {
        None => out.extend_from_slice(&u32::MAX.to_be_bytes()),
        Some(bytes) if may_hash && bytes.len() > INLINE => {
            out.extend_from_slice(&(u32::MAX - 1).to_be_bytes());
            out.extend_from_slice(&Sha256::digest(bytes));
        }
        Some(bytes) => {
            out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX - 2).to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
}

/// Cells of a framed key or body.
pub(crate) fn cells(mut bytes: &[u8]) -> Vec<Option<&[u8]>> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = match u32::from_be_bytes(*length) {
            u32::MAX => {
                found.push(None);
                bytes = rest;
                continue;
            }
            0xffff_fffe => 32,
            n => n as usize,
        };
        let (cell, after) = rest.split_at(length.min(rest.len()));
        found.push(Some(cell));
        bytes = after;
    }
    found
}

/// A row, or several alike, that the two ends do not share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: DifferenceKind,
    pub(crate) key: Box<[u8]>,
    /// Indexes among the comparison's pairs.
    pub(crate) columns: Vec<usize>,
    pub(crate) count: u64,
}

/// Rows waiting for their partners, with how many more of each came from the source (positive) or the destination (negative).
#[derive(Debug, Default)]
struct Waiting(HashMap<Box<[u8]>, Vec<(Body, i64)>>);

impl Waiting {
    fn add(&mut self, side: Side, row: Framed) {
        let step = if side == Side::Source { 1 } else { -1 };
        match self.0.entry(row.key) {
            Entry::Vacant(place) => {
                place.insert(vec![(row.body, step)]);
            }
            Entry::Occupied(mut place) => {
                let bodies = place.get_mut();
                match bodies.iter().position(|(body, _)| *body == row.body) {
                    Some(i) => {
                        bodies[i].1 += step;
                        if bodies[i].1 == 0 {
                            bodies.swap_remove(i);
                            if bodies.is_empty() {
                                place.remove();
                            }
                        }
                    }
                    None => bodies.push((row.body, step)),
                }
            }
        }
    }

    /// What is left when both ends have sent all.
    fn settle(self, framing: &Framing) -> Vec<Found> {
        let mut found = Vec::new();
        for (key, mut bodies) in self.0 {
            // JSON of the same value first, then any row of the same key.
            for same_value in [true, false] {
                for s in 0..bodies.len() {
                    for d in 0..bodies.len() {
                        let (surplus, lack) = (bodies[s].1, bodies[d].1);
                        if surplus <= 0 || lack >= 0 {
                            continue;
                        }
                        let (a, b) = (&bodies[s].0, &bodies[d].0);
                        let same = a.bytes[..a.solid] == b.bytes[..b.solid];
                        if same != same_value || (!same && framing.key.is_none()) {
                            continue;
                        }
                        let count = surplus.min(-lack);
                        let kind = if same { DifferenceKind::JsonTypeChanged } else { DifferenceKind::Different };
                        let columns = framing.differing(&key, a, b);
                        found.push(Found { kind, key: key.clone(), columns, count: count.unsigned_abs() });
                        bodies[s].1 -= count;
                        bodies[d].1 += count;
                    }
                }
            }
            for (_, count) in bodies {
                let kind = match count {
                    0 => continue,
                    1.. => DifferenceKind::Missing,
                    _ => DifferenceKind::Extra,
                };
                found.push(Found { kind, key: key.clone(), columns: Vec::new(), count: count.unsigned_abs() });
            }
        }
        found.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        found
    }
}

impl Framing {
    /// Columns in which two rows differ: by value, and when none does, JSON columns by text.
    fn differing(&self, key: &[u8], a: &Body, b: &Body) -> Vec<usize> {
        let unequal = |a: &[u8], b: &[u8]| -> Vec<usize> {
            let (a, b) = (cells(a), cells(b));
            (0..a.len().max(b.len())).filter(|&i| a.get(i) != b.get(i)).collect()
        };
        let by_value = unequal(&a.bytes[..a.solid], &b.bytes[..b.solid]);
        if !by_value.is_empty() {
            return by_value;
        }
        // JSON that is NULL has no text cell; the values are equal here, so it is NULL at both ends.
        let solid = cells(if self.key.is_some() { &a.bytes[..a.solid] } else { key });
        let present: Vec<usize> = (0..self.json.len()).filter(|&i| self.json[i] && solid.get(i).is_some_and(Option::is_some)).collect();
        unequal(&a.bytes[a.solid..], &b.bytes[b.solid..]).into_iter().filter_map(|i| present.get(i).copied()).collect()
    }
}

/// Queries both ends at once, hands each row in framed form to `take`.
pub(crate) fn stream(
    sides: &mut Sides,
    framing: &Framing,
    sql: impl Fn(Side) -> String + Sync,
    mut take: impl FnMut(Side, Framed),
) -> Result<(u64, u64), ConnectError> {
    let read = |session: &mut Session, side: Side, out: SyncSender<(Side, Vec<Framed>)>| {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let rows = session.stream("comparing rows", &sql(side), |row| {
            let framed = framing.frame(row);
            bytes += framed.key.len() + framed.body.bytes.len() + 64;
            batch.push(framed);
            if bytes > BATCH_BYTES || batch.len() >= BATCH_ROWS {
                bytes = 0;
                return out.send((side, std::mem::take(&mut batch))).is_ok();
            }
            true
        })?;
        // The receiver lives until both readers are done.
        let _ = out.send((side, batch));
        Ok::<u64, ConnectError>(rows)
    };
    let read = &read;
    std::thread::scope(|scope| {
        let (out, rows) = sync_channel(4);
        let other = out.clone();
        let source = scope.spawn(|| read(&mut sides.source, Side::Source, out));
        let destination = scope.spawn(|| read(&mut sides.destination, Side::Destination, other));
        for (side, batch) in rows {
            for row in batch {
                take(side, row);
            }
        }
        let joined = |result: std::thread::Result<Result<u64, ConnectError>>| match result {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let (source, destination) = (joined(source.join()), joined(destination.join()));
        Ok((source?, destination?))
    })
}

/// Streams both ends and tells what they do not share.
pub(crate) fn compare(
    sides: &mut Sides,
    framing: &Framing,
    sql: impl Fn(Side) -> String + Sync,
    wanted: impl Fn(&Framed) -> bool,
) -> Result<Vec<Found>, ConnectError> {
    let mut waiting = Waiting::default();
    stream(sides, framing, sql, |side, row| {
        if wanted(&row) {
            waiting.add(side, row);
        }
    })?;
    Ok(waiting.settle(framing))
}

impl Framed {
    /// The key's bucket, 0 to 4095, and 128 bits of the whole row's hash.
    pub(crate) fn bucket(&self) -> (usize, u128) {
        let key = Sha256::digest(&self.key);
        let bucket = usize::from(key[0]) << 4 | usize::from(key[1] >> 4);
        let row = Sha256::new().chain_update(key).chain_update(&self.body.bytes).finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&row[..16]);
        (bucket, u128::from_be_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &[&[u8]], solid: &[Option<&[u8]>], texts: &[&[u8]]) -> Framed {
        let mut k = Vec::new();
        key.iter().for_each(|c| push_cell(&mut k, Some(c), false));
        let mut b = Vec::new();
        solid.iter().for_each(|c| push_cell(&mut b, *c, true));
        let length = b.len();
        texts.iter().for_each(|c| push_cell(&mut b, Some(c), true));
        Framed { key: k.into(), body: Body { solid: length, bytes: b.into() } }
    }

    fn framing(key: bool, json: &[bool]) -> Framing {
        Framing { key: key.then(|| vec![0]), json: json.to_vec() }
    }

    #[test]
    fn partners_meet_in_any_order_and_the_rest_is_told_apart() {
        let mut waiting = Waiting::default();
        let same = row(&[b"1"], &[Some(b"1"), Some(b"x")], &[]);
        waiting.add(Side::Source, same.clone());
        waiting.add(Side::Source, row(&[b"2"], &[Some(b"2"), None], &[]));
        waiting.add(Side::Destination, row(&[b"2"], &[Some(b"2"), Some(b"NULL")], &[]));
        waiting.add(Side::Destination, row(&[b"3"], &[Some(b"3"), Some(b"")], &[]));
        waiting.add(Side::Source, row(&[b"4"], &[Some(b"4"), Some(b"")], &[]));
        waiting.add(Side::Destination, same);
        let found = waiting.settle(&framing(true, &[false, false]));
        let kinds: Vec<_> = found.iter().map(|f| (f.kind, f.columns.clone())).collect();
        assert_eq!(kinds, [(DifferenceKind::Missing, vec![]), (DifferenceKind::Extra, vec![]), (DifferenceKind::Different, vec![1])]);
    }

    #[test]
    fn multisets_count() {
        let mut waiting = Waiting::default();
        let empty = || Body { solid: 0, bytes: Box::new([]) };
        for (side, name, times) in [(Side::Source, "a", 3), (Side::Destination, "a", 1), (Side::Destination, "b", 2)] {
            for _ in 0..times {
                waiting.add(side, Framed { key: name.as_bytes().into(), body: empty() });
            }
        }
        let found = waiting.settle(&framing(false, &[false]));
        let counts: Vec<_> = found.iter().map(|f| (f.kind, f.count)).collect();
        assert_eq!(counts, [(DifferenceKind::Missing, 2), (DifferenceKind::Extra, 2)]);
    }

    #[test]
    fn json_text_alone_is_told_apart() {
        let mut waiting = Waiting::default();
        waiting.add(Side::Source, row(&[b"1"], &[Some(b"1"), None, Some(b"digest")], &[b"{\"a\":1}"]));
        waiting.add(Side::Destination, row(&[b"1"], &[Some(b"1"), None, Some(b"digest")], &[b"{\"a\": 1}"]));
        let found = waiting.settle(&framing(true, &[false, true, true]));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind, &found[0].columns[..]), (DifferenceKind::JsonTypeChanged, &[2][..]));
    }
}
