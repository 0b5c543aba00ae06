//! Cutting a table into ranges that can be copied side by side.
//!
//! The edges are keys that the server names. One integer column is cut by halving on the optimizer's own row estimates (a few index
//! dives, so a skewed column costs nothing and makes no giant range); any other key by walking its index. Edges need not be fair to be
//! right: every row lies in exactly one range, whatever they are.

use crate::{
    catalog::{Edge, KeyOrder, KeyRange, Table},
    connect::{ConnectError, Session},
    destination::RangeState,
};

/// A range should hold at least this many bytes of data; a smaller table stays whole.
const RANGE_BYTES: u64 = 16 << 20;

/// Most ranges of one table.
const MOST_RANGES: u64 = 256;

/// How many ranges a table is to be cut into, for `threads` workers. At least two a worker, where they are large enough, so that one
/// that is slow does not hold up the end.
pub fn wanted_ranges(table: &Table, threads: usize) -> u64 {
    let by_size = table.bytes_estimate() / RANGE_BYTES;
    by_size.clamp(1, (threads as u64 * 2).clamp(2, MOST_RANGES))
}

/// The ranges of a table. One, where it must be read under one snapshot (`whole`).
///
/// # Errors
/// As the connection fails.
pub(super) fn ranges(session: &mut Session, table: &Table, wanted: u64, whole: bool) -> Result<Vec<RangeState>, ConnectError> {
    let order = KeyOrder::of(table).filter(|_| !whole);
    let Some(order) = order else { return Ok(vec![RangeState::new(0, KeyRange::All)]) };
    let edges = if wanted < 2 || !order.seeks() {
        Vec::new()
    } else if order.is_single_integer() {
        integer_edges(session, table, &order, wanted)?
    } else {
        walked_edges(session, table, &order, wanted)?
    };
    let mut spans = Vec::new();
    let mut after = None;
    for edge in edges {
        spans.push(KeyRange::Between { after: after.replace(edge.clone()), upto: Some(edge) });
    }
    spans.push(KeyRange::Between { after, upto: None });
    if order.has_nulls() {
        spans.push(KeyRange::NullKey);
    }
    Ok(spans.into_iter().zip(0..).map(|(span, number)| RangeState::new(number, span)).collect())
}

fn integer_edges(session: &mut Session, table: &Table, order: &KeyOrder, wanted: u64) -> Result<Vec<Edge>, ConnectError> {
    let doing = format!("cutting {} into ranges", table.name);
    let column = order.select_list();
    let bounds = session.query(&doing, &format!("SELECT MIN({column}), MAX({column}) FROM {}", table.name.quoted()))?;
    let bound = |c: usize| bounds.text_at(0, c).and_then(|t| t.parse::<i128>().ok());
    let (Some(low), Some(high)) = (bound(0), bound(1)) else { return Ok(Vec::new()) };
    let edge = |value: i128| Edge(vec![value.to_string().into_bytes()]);
    // Rows after one value and up to another, as the optimizer estimates them.
    let mut estimate = |after: i128, upto: i128| -> Result<u64, ConnectError> {
        let range = KeyRange::Between { after: Some(edge(after)), upto: Some(edge(upto)) };
        let sql = format!("EXPLAIN SELECT {column} FROM {}{}{}", table.name.quoted(), order.index_hint(), order.where_clause(&range));
        let plan = session.query(&doing, &sql)?;
        Ok(plan.text(0, "rows").and_then(|t| t.parse().ok()).unwrap_or(0))
    };
    let total = estimate(low - 1, high)?.max(1);
    let mut edges = Vec::new();
    let mut after = low - 1;
    for done in 0..wanted - 1 {
        let share = total.saturating_sub(total / wanted * done) / (wanted - done);
        let (mut a, mut b) = (after, high);
        // 30 halvings come within a billionth of the key's span, or to one value.
        for _ in 0..30 {
            let middle = a + (b - a) / 2;
            if middle == a || middle == b {
                break;
            }
            if estimate(after, middle)? < share { a = middle } else { b = middle }
        }
        if b >= high || b <= after {
            break;
        }
        edges.push(edge(b));
        after = b;
    }
    Ok(edges)
}

fn walked_edges(session: &mut Session, table: &Table, order: &KeyOrder, wanted: u64) -> Result<Vec<Edge>, ConnectError> {
    let doing = format!("cutting {} into ranges", table.name);
    let step = (table.rows_estimate / wanted).max(1);
    let mut edges: Vec<Edge> = Vec::new();
    while (edges.len() as u64) < wanted - 1 {
        let rest = KeyRange::Between { after: edges.last().cloned(), upto: None };
        let sql = format!(
            "SELECT {} FROM {}{}{}{} LIMIT 1 OFFSET {}",
            order.select_list(),
            table.name.quoted(),
            order.index_hint(),
            order.where_clause(&rest),
            order.order_by(),
            step - 1
        );
        let mut found = None;
        session.stream(&doing, &sql, |row| {
            found = (0..order.width()).map(|c| row.get(c).map(<[u8]>::to_vec)).collect::<Option<Vec<_>>>().map(Edge);
            true
        })?;
        match found {
            Some(edge) => edges.push(edge),
            None => break,
        }
    }
    Ok(edges)
}
