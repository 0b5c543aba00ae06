//! How a pair of tables is to be compared, decided from the catalogs alone.

use crate::{
    catalog::{ColumnMap, KeyOrder, Table, TypeKind, Walk},
    connect::ServerInfo,
};

use super::{
    Mode, Settings, TablePair,
    compare::Framing,
    expression::{Comparison, Pair},
    narrow::Task,
    receipt::{Method, NotCovered},
};

/// Bytes of source data and rows in one range, about.
const RANGE_BYTES: u64 = 8 << 20;
const RANGE_ROWS: u64 = 50_000;
/// Memory that waiting rows may take, about.
const WINDOW_BYTES: u64 = 12 << 20;

/// Rows of a table that may wait to be looked at again. Of a range with more, all is looked at again.
const MOST_SUSPECTS: u64 = 50_000;

/// How a table is gone about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Missing,
    Count,
    /// As a multiset, with checksums by the servers first if they can.
    Multiset {
        server_sums: bool,
    },
    /// Range by range, by checksums or row by row.
    Ranges {
        by_rows: bool,
    },
}

impl Route {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Missing => Method::Missing,
            Self::Count => Method::Count,
            Self::Multiset { .. } => Method::Multiset,
            Self::Ranges { by_rows: true } => Method::Stream,
            Self::Ranges { by_rows: false } => Method::Ranges,
        }
    }
}

/// The plan for one pair.
pub(crate) struct TablePlan<'a> {
    pub(crate) pair: &'a TablePair,
    pub(crate) comparison: Comparison,
    pub(crate) framing: Framing,
    pub(crate) orders: Option<(KeyOrder, KeyOrder)>,
    pub(crate) sure: bool,
    pub(crate) route: Route,
    /// Rows a range should have.
    pub(crate) range_rows: u64,
    pub(crate) window: u64,
}

impl<'a> TablePlan<'a> {
    pub(crate) fn new(pair: &'a TablePair, settings: &Settings, source: &ServerInfo, destination: &ServerInfo) -> Self {
        let packet = source.max_allowed_packet().min(destination.max_allowed_packet());
        // A table that is not there is held against itself: what would be compared is all that is asked.
        let plain = ColumnMap::default();
        let (there, map) = pair.destination.as_ref().map_or((&pair.source, &plain), |there| (there, &pair.columns));
        let mut comparison = Comparison::new(&pair.source, there, map, packet, source.flavor.vendor == destination.flavor.vendor);
        if pair.source.system_versioned || there.system_versioned {
            comparison.not_covered.push(NotCovered {
                what: "history rows of system versioning".to_owned(),
                why: "only the current rows are compared".to_owned(),
            });
        }
        let key = match pair.source.walk() {
            Walk::Key(columns) => key_pairs(&pair.source, &columns, &comparison),
            _ => None,
        };
        let orders = key.as_ref().and_then(|_| KeyOrder::of(&pair.source)).and_then(|order| {
            let called = |name: &str| Some(comparison.pairs.iter().find(|p| p.source.name == name)?.destination.name.clone());
            let there = order.elsewhere(called)?;
            Some((order, there))
        });
        let sure = key.as_ref().is_some_and(|key| {
            let like = source.flavor.has_collations_of(destination.flavor);
            key.iter().all(|&i| is_order_sure(&comparison.pairs[i], like))
        });
        let sums = comparison.is_server_comparable() && !settings.stream;
        let route = match (&pair.destination, settings.mode, &orders) {
            (None, ..) => Route::Missing,
            (_, Mode::Count, _) => Route::Count,
            (_, _, None) => Route::Multiset { server_sums: sums },
            (_, _, Some(_)) => Route::Ranges { by_rows: !sums },
        };
        let window = (WINDOW_BYTES / (comparison.pairs.len() as u64 * 72 + 128)).clamp(200, 20_000);
        let row_bytes = pair.source.data_bytes / pair.source.rows_estimate.max(1);
        let mut range_rows = (RANGE_BYTES / row_bytes.max(1)).clamp(1, RANGE_ROWS);
        // A bound on an ENUM or SET by number is not looked up in an index (seen on 9.7.4 and 10.11): each range would read the table.
        if key.as_ref().is_some_and(|k| matches!(comparison.pairs[k[0]].source.kind, TypeKind::Enum | TypeKind::Set)) {
            range_rows = u64::MAX >> 2;
        }
        let framing = Framing::new(&comparison, key);
        Self { pair, comparison, framing, orders, sure, route, range_rows, window }
    }

    /// What to do with a range of a table in which so many differences have been found already.
    pub(crate) fn task(&self, settings: &Settings, found: u64) -> Task<'_> {
        Task {
            source: &self.pair.source.name,
            destination: &self.pair.destination_name,
            comparison: &self.comparison,
            framing: &self.framing,
            filter: self.pair.columns.rows().map(|rows| rows.condition.sql()),
            orders: &self.orders,
            sure: self.sure,
            window: self.window,
            max_diffs: settings.max_diffs.max(1).saturating_sub(found),
            max_named: settings.max_diffs,
            keys: settings.keys,
            live: false,
        }
    }

    /// The same while the source is written to: whatever differs is kept, since most of it is on its way.
    pub(crate) fn live_task(&self, settings: &Settings, found: u64) -> Task<'_> {
        Task { live: true, max_diffs: MOST_SUSPECTS.saturating_sub(found), ..self.task(settings, 0) }
    }
}

/// The key's columns as indexes among the pairs; `None` when the destination lacks one.
fn key_pairs(table: &Table, columns: &[usize], comparison: &Comparison) -> Option<Vec<usize>> {
    columns.iter().map(|&c| comparison.pairs.iter().position(|p| p.source.name == table.columns[c].name)).collect()
}

/// Both servers put values of these columns in the same order. Text counts only under one collation of one line of servers: weights have
/// changed between lines (traps.md part 2, 14).
fn is_order_sure(pair: &Pair, like_servers: bool) -> bool {
    use TypeKind as K;
    let (a, b) = (&pair.source, &pair.destination);
    match (a.kind, b.kind) {
        (K::Integer | K::Decimal | K::Year | K::Bit, K::Integer | K::Decimal | K::Year | K::Bit)
        | (K::Date | K::DateTime | K::Timestamp, K::Date | K::DateTime | K::Timestamp)
        | (K::Time, K::Time) => true,
        (K::Enum, K::Enum) | (K::Set, K::Set) | (K::Bytes, K::Bytes) => a.column_type == b.column_type,
        (K::Text, K::Text) => like_servers && a.charset == b.charset && a.collation == b.collation,
        (K::NamedText, K::NamedText) => like_servers && a.column_type == b.column_type,
        _ => false,
    }
}
