//! The reading side of one range: selects pages in key order, encodes them and cuts them into chunks.
//!
//! A page is what one `SELECT` returns, bounded in rows so that no statement of ours is long at the source. A chunk is what one
//! transaction at the destination writes, bounded in bytes. They do not line up, and need not: a chunk ends after any row.

use std::sync::mpsc::{Receiver, SyncSender};

use super::{FullError, throttle::Throttle};
use crate::{
    binlog::{Position, snapshot},
    catalog::{Column, Edge, KeyOrder, KeyRange, TypeKind, quote_name},
    connect::{Login, Purpose, ResultRow, Session},
    destination::{ChunkEnd, CopyTable, Encoder, Piece, RangeState, enum_or_error},
    event::StopToken,
};

/// A chunk ends after the row that brings it to this many bytes of column values.
pub(super) const CHUNK_BYTES: u64 = 16 << 20;

/// Or to this many rows.
pub(super) const CHUNK_ROWS: u64 = 100_000;

/// Pages aim at this many bytes by the server's estimate of a row's length.
const PAGE_BYTES: u64 = 64 << 20;

/// Values larger than this go through the pipe in slices, so that a large row is held once and not three times.
const SLICE_BYTES: usize = 64 << 10;

/// How a table's rows are asked for.
pub(super) struct ReadPlan {
    select: String,
    hint: String,
    order: Option<KeyOrder>,
    /// Which rows of the table go, as SQL.
    filter: Option<String>,
    /// Where each key column's edge value stands in the select list.
    edge_columns: Vec<usize>,
    page_rows: u64,
}

impl ReadPlan {
    pub(super) fn new(table: &CopyTable) -> Self {
        let source = &table.source;
        let part = |&(s, d): &(usize, usize)| {
            let (column, destination) = (&source.columns[s], &table.destination.columns[d]);
            let may_be_empty = column.has_empty_member() || destination.has_empty_member();
            match (column.kind, destination.kind) {
                (TypeKind::Enum, TypeKind::Enum) if may_be_empty => enum_or_error(&quote_name(&column.name)),
                _ => selected(column),
            }
        };
        let mut parts: Vec<String> = table.columns.iter().map(part).collect();
        let order = KeyOrder::of(source);
        let mut edge_columns = Vec::new();
        if let Some(order) = &order {
            for expression in order.select_list_parts() {
                let at = parts.iter().position(|p| *p == expression).unwrap_or_else(|| {
                    parts.push(expression);
                    parts.len() - 1
                });
                edge_columns.push(at);
            }
        }
        let row_bytes = source.bytes_estimate().checked_div(source.rows_estimate).unwrap_or(0).max(16);
        Self {
            select: format!("SELECT {} FROM {}", parts.join(", "), source.name.quoted()),
            hint: order.as_ref().map_or_else(String::new, KeyOrder::index_hint),
            order,
            filter: table.filter.as_ref().map(|filter| filter.condition.sql().to_owned()),
            edge_columns,
            page_rows: (PAGE_BYTES / row_bytes).clamp(100, 1_000_000),
        }
    }

    /// Keeps a row's key in `last`, whose buffers are used again from row to row.
    fn keep_edge(&self, row: &ResultRow, last: &mut Option<Edge>) {
        let edge = last.get_or_insert_with(|| Edge(vec![Vec::new(); self.edge_columns.len()]));
        for (part, &column) in edge.0.iter_mut().zip(&self.edge_columns) {
            part.clear();
            part.extend_from_slice(row.get(column).unwrap_or_default());
        }
    }

    /// One page of a range, and whether it is limited.
    fn page(&self, rest: &KeyRange) -> (String, Option<u64>) {
        match (&self.order, rest) {
            (Some(order), KeyRange::Between { .. }) if !order.seeks() => {
                (format!("{}{}{}{}", self.select, self.hint, self.where_clause(rest), order.order_by()), None)
            }
            (Some(order), KeyRange::Between { .. }) => (
                format!("{}{}{}{} LIMIT {}", self.select, self.hint, self.where_clause(rest), order.order_by(), self.page_rows),
                Some(self.page_rows),
            ),
            (_, other) => (format!("{}{}", self.select, self.where_clause(other)), None),
        }
    }

    /// ` WHERE ...` for the rows of a range that go.
    fn where_clause(&self, range: &KeyRange) -> String {
        let range = self.order.as_ref().and_then(|order| order.condition(range));
        let all: Vec<&str> = range.iter().chain(&self.filter).map(String::as_str).collect();
        if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
    }
}

/// The expression by which the copy reads a column, whose text decoded row images share.
///
/// FLOAT's text has six digits; times one as a DOUBLE it comes with all of its digits (trap 1). Plus zero would do the same but for the
/// sign of -0.0. In FLOAT(M,D) and DOUBLE(M,D) the largest value may be stored as a binary number just beyond the type's range
/// (9999999.999 in FLOAT(10,3) is 10000000), which the destination would take with a warning; it is sent as the type's limit, which
/// is stored as the same number again (seen on 9.7.4 and 10.11.19).
pub fn selected(column: &Column) -> String {
    let quoted = quote_name(&column.name);
    match (column.kind, column.float_limit()) {
        (TypeKind::Float | TypeKind::Double, Some(limit)) => format!("LEAST(GREATEST({quoted}*1e0, -{limit}), {limit})"),
        (TypeKind::Float, None) => format!("{quoted}*1e0"),
        _ => quoted,
    }
}

/// Reads the rest of a range into the pipe until it is finished, the other end is gone, or a stop is asked for.
pub(super) struct RangeReader<'a> {
    pub(super) login: &'a Login,
    pub(super) table: &'a CopyTable,
    pub(super) plan: &'a ReadPlan,
    pub(super) throttle: &'a Throttle,
    /// The binlog is followed from before the copy: a table whose rows nothing identifies needs a place of its own to go on from.
    pub(super) followed: bool,
    /// A chunk ends with so many values that the destination takes only with a warning, so that all of them can be looked at.
    pub(super) most_odd: u64,
    pub(super) stops: [&'a StopToken; 2],
    pub(super) pieces: SyncSender<Piece>,
    pub(super) empties: Receiver<Vec<u8>>,
}

struct Chunk {
    rows: u64,
    bytes: u64,
    unpaid_rows: u64,
    unpaid_bytes: u64,
    last: Option<Edge>,
    chunk_rows: u64,
    start_position: Option<Position>,
}

impl Chunk {
    fn end(&mut self, finishes_range: bool, odd_values: u64) -> ChunkEnd {
        let last = if finishes_range { self.last.take() } else { self.last.clone() };
        let end = ChunkEnd {
            rows: self.rows,
            bytes: self.bytes,
            odd_values,
            last: last.filter(|_| self.rows > 0),
            finishes_range,
            start_position: self.start_position.take(),
        };
        (self.rows, self.bytes, self.unpaid_rows, self.unpaid_bytes) = (0, 0, 0, 0);
        end
    }
}

/// Why the row loop ended early.
enum Halt {
    ReceiverGone,
    Stopped,
    NotExact(String),
}

impl RangeReader<'_> {
    fn is_stopped(&self) -> bool {
        self.stops.iter().any(|s| s.is_stopped())
    }

    /// Whole tables and NULL ranges are read in one statement under one snapshot and make one chunk, since there is no place inside
    /// them to go on from.
    pub(super) fn run(self, state: &RangeState, mut encoder: Box<dyn Encoder>) -> Result<(), FullError> {
        let mut session = Session::open(self.login, Purpose::Read)?;
        let one_chunk = !matches!(state.span, KeyRange::Between { .. });
        let mut start_position = None;
        if one_chunk {
            session.exec("opening a snapshot", "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
            if self.followed && !self.table.identifies_rows() {
                start_position = Some(if self.table.source.has_transactions() {
                    snapshot::open(&mut session, self.login, &[&self.table.source.name])?
                } else {
                    snapshot::open_locked(&mut session, &self.table.source.name)?
                });
            } else {
                session.exec("opening a snapshot", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")?;
            }
        }
        let mut rest = state.rest();
        // Each row that may be skipped is odd.
        let most_rows = if self.table.keep_existing { self.most_odd } else { u64::MAX };
        let chunk_rows = self.throttle.chunk_rows().min(most_rows);
        let mut chunk = Chunk { rows: 0, bytes: 0, unpaid_rows: 0, unpaid_bytes: 0, last: None, chunk_rows, start_position };
        let mut buffer = Vec::with_capacity(encoder.buffer_bytes() + 4096);
        let doing = format!("reading {}", self.table.source.name);
        loop {
            if self.is_stopped() {
                // Rows read so far and not ended in a chunk are not lost: nothing of them was committed.
                return Ok(());
            }
            self.throttle.query(self.stops);
            let (sql, limit) = self.plan.page(&rest);
            let mut halt = None;
            let rows = session.stream(&doing, &sql, |row| match self.take(row, encoder.as_mut(), &mut buffer, &mut chunk, one_chunk) {
                Ok(()) => true,
                Err(why) => {
                    halt = Some(why);
                    false
                }
            })?;
            match halt {
                Some(Halt::ReceiverGone | Halt::Stopped) => return Ok(()),
                Some(Halt::NotExact(what)) => {
                    return Err(FullError::Value { table: self.table.source.name.clone(), after: state.read + chunk.rows, what });
                }
                None => {}
            }
            let finished = limit.is_none_or(|limit| rows < limit);
            if finished {
                self.throttle.rows(chunk.unpaid_rows, chunk.unpaid_bytes, self.stops);
                let end = chunk.end(true, encoder.take_odd_values());
                let _ = self.send(&mut buffer, Some(end), encoder.buffer_bytes());
                return Ok(());
            }
            if let (KeyRange::Between { after, .. }, Some(last)) = (&mut rest, &chunk.last) {
                *after = Some(last.clone());
            }
        }
    }

    fn take(
        &self,
        row: &ResultRow,
        encoder: &mut dyn Encoder,
        buffer: &mut Vec<u8>,
        chunk: &mut Chunk,
        one_chunk: bool,
    ) -> Result<(), Halt> {
        let limit = encoder.buffer_bytes();
        if !encoder.splits_rows() && !buffer.is_empty() {
            // A row that may take the buffer beyond its limit goes alone, so that no statement is larger than its largest row makes it.
            // A byte takes two at most, and a value some around it.
            let columns = self.table.columns.len();
            let most: usize = (0..columns).map(|i| 2 * row.get(i).map_or(0, <[u8]>::len) + 64).sum();
            if buffer.len() + most > limit {
                self.send(buffer, None, limit)?;
            }
        }
        encoder.begin_row(buffer);
        let mut bytes = 0;
        for (i, (source, _)) in self.table.columns.iter().enumerate() {
            let value = row.get(i);
            let size = value.map_or(0, <[u8]>::len);
            bytes += size as u64;
            if encoder.splits_rows() && buffer.len() + size > limit && !buffer.is_empty() {
                self.send(buffer, None, limit)?;
            }
            let (head, tail) = match value {
                Some(value) if size > SLICE_BYTES && encoder.splits_values(i) => {
                    let (head, tail) = value.split_at(SLICE_BYTES);
                    (Some(head), tail)
                }
                value => (value, &[][..]),
            };
            encoder
                .value(buffer, i, head)
                .map_err(|what| Halt::NotExact(format!("column {}: {what}", self.table.source.columns[*source].name)))?;
            for slice in tail.chunks(SLICE_BYTES) {
                self.send(buffer, None, limit)?;
                encoder.more(buffer, slice);
            }
        }
        encoder.end_row(buffer);
        chunk.rows += 1;
        chunk.bytes += bytes;
        chunk.unpaid_rows += 1;
        chunk.unpaid_bytes += bytes;
        if chunk.unpaid_rows >= self.throttle.rows_at_once() || chunk.unpaid_bytes >= self.throttle.bytes_at_once() {
            self.throttle.rows(chunk.unpaid_rows, chunk.unpaid_bytes, self.stops);
            (chunk.unpaid_rows, chunk.unpaid_bytes) = (0, 0);
        }
        if self.is_stopped() {
            return Err(Halt::Stopped);
        }
        if one_chunk {
            return Ok(());
        }
        self.plan.keep_edge(row, &mut chunk.last);
        let full = chunk.bytes >= self.throttle.chunk_bytes() || chunk.rows >= chunk.chunk_rows;
        if full || encoder.odd_values() >= self.most_odd {
            self.throttle.rows(chunk.unpaid_rows, chunk.unpaid_bytes, self.stops);
            let end = chunk.end(false, encoder.take_odd_values());
            self.send(buffer, Some(end), limit)?;
        }
        Ok(())
    }

    fn send(&self, buffer: &mut Vec<u8>, end: Option<ChunkEnd>, capacity: usize) -> Result<(), Halt> {
        if !buffer.is_empty() {
            let mut next = self.empties.try_recv().unwrap_or_else(|_| Vec::with_capacity(capacity + 4096));
            next.clear();
            let data = std::mem::replace(buffer, next);
            self.pieces.send(Piece::Data(data)).map_err(|_| Halt::ReceiverGone)?;
        }
        if let Some(end) = end {
            self.pieces.send(Piece::End(end)).map_err(|_| Halt::ReceiverGone)?;
        }
        Ok(())
    }
}
