//! One key range: its checksums at both ends, and where they differ, the rows.
//!
//! The servers decide what is equal and the tool what is different: a checksum that is the same ends the matter; one that is not only
//! says where to look, because rows are then compared value by value. A range is cut into sixteen by the server's own order until few
//! enough rows remain to be sent.

use crate::{
    catalog::{Edge, KeyOrder, KeyRange, TableName},
    connect::ConnectError,
};

use super::{
    compare::{Found, Framing, compare},
    expression::{Comparison, Side, read_sum},
    receipt::DifferenceKind,
    session::Sides,
    tally::Tally,
};

/// Rows at one end up to which a differing range is sent instead of cut.
const FEW: u64 = 1000;
const PIECES: u64 = 16;
/// Rows named per table, whatever was asked for: a receipt is held in memory.
const MOST_NAMED: usize = 10_000;
/// Cuts one inside the other; more means that the order is not what it seems.
const DEEPEST: usize = 12;

/// All that is fixed about comparing one table.
pub(crate) struct Task<'a> {
    pub(crate) source: &'a TableName,
    pub(crate) destination: &'a TableName,
    pub(crate) comparison: &'a Comparison,
    pub(crate) framing: &'a Framing,
    /// Which of the source's rows should be at the destination, as SQL. There every row counts: one that does not belong is one too many.
    pub(crate) filter: Option<&'a str>,
    /// Of the source's table and of the destination's.
    pub(crate) orders: &'a Option<(KeyOrder, KeyOrder)>,
    /// Both servers put keys in one order beyond doubt.
    pub(crate) sure: bool,
    /// Rows that may wait in memory.
    pub(crate) window: u64,
    /// Differences after which no closer look is taken, less those already found in the table.
    pub(crate) max_diffs: u64,
    /// How many rows the receipt may name.
    pub(crate) max_named: u64,
    /// Rows are to be named.
    pub(crate) keys: bool,
    /// The source is written to meanwhile: rows that differ are kept to be looked at again, and not counted.
    pub(crate) live: bool,
}

/// How a range came out.
pub(crate) enum Judged {
    /// Compared as far as wanted.
    Done(Box<Tally>),
    /// It differs, and the two servers may have put different rows into it: only the whole table tells.
    Unsure,
}

impl Task<'_> {
    fn table(&self, side: Side) -> &TableName {
        match side {
            Side::Source => self.source,
            Side::Destination => self.destination,
        }
    }

    fn order(&self, side: Side) -> Option<&KeyOrder> {
        self.orders.as_ref().map(|(source, destination)| if side == Side::Source { source } else { destination })
    }

    fn rows_of(&self, side: Side, range: &KeyRange) -> String {
        format!("{}{}", self.table(side).quoted(), self.where_clause(side, range))
    }

    /// ` WHERE ...` for the rows of a range that are compared.
    fn where_clause(&self, side: Side, range: &KeyRange) -> String {
        let range = self.order(side).and_then(|order| order.condition(range));
        let filter = self.filter.filter(|_| side == Side::Source);
        let all: Vec<&str> = range.as_deref().into_iter().chain(filter).collect();
        if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
    }

    /// Rows of a range, or of the whole table, with every column in comparable form.
    pub(crate) fn rows_sql(&self, side: Side, range: &KeyRange) -> String {
        format!("SELECT {} FROM {}", self.comparison.select_list(side), self.rows_of(side, range))
    }

    /// Rows and sum of a range at both ends; a sum is `None` when the server could not hash some row.
    pub(crate) fn digest(&self, sides: &mut Sides, range: &KeyRange) -> Result<[(u64, Option<u128>); 2], ConnectError> {
        let (s, d) = sides.query("computing checksums", |side| {
            format!("SELECT {} FROM {}", self.comparison.digest_list(side), self.rows_of(side, range))
        })?;
        let read = |rows: &crate::connect::Rows| (rows.number_at(0, 0).unwrap_or(0), read_sum(rows.text_at(0, 1).as_deref()));
        Ok([read(&s), read(&d)])
    }

    fn count(&self, sides: &mut Sides, range: &KeyRange) -> Result<[u64; 2], ConnectError> {
        let (s, d) = sides.query("counting rows", |side| format!("SELECT COUNT(*) FROM {}", self.rows_of(side, range)))?;
        Ok([s.number_at(0, 0).unwrap_or(0), d.number_at(0, 0).unwrap_or(0)])
    }

    /// The key of the row so many places after an edge, as that end's server orders them.
    pub(crate) fn edge_after(&self, sides: &mut Sides, side: Side, range: &KeyRange, places: u64) -> Result<Option<Edge>, ConnectError> {
        let Some(order) = self.order(side) else { return Ok(None) };
        let sql = format!(
            "SELECT {} FROM {}{}{}{} LIMIT 1 OFFSET {places}",
            order.select_list(),
            self.table(side).quoted(),
            order.index_hint(),
            self.where_clause(side, range),
            order.order_by()
        );
        let rows = sides.session(side).query("looking for a key range", &sql)?;
        Ok(rows.rows.into_iter().next().map(|row| Edge(row.into_iter().map(Option::unwrap_or_default).collect())))
    }

    /// Compares a range by checksums first.
    pub(crate) fn by_digest(&self, sides: &mut Sides, range: &KeyRange) -> Result<Judged, ConnectError> {
        let mut tally = Tally { ranges: 1, compared: 1, ..Tally::default() };
        let [(rows_s, sum_s), (rows_d, sum_d)] = self.digest(sides, range)?;
        (tally.source_rows, tally.destination_rows) = (rows_s, rows_d);
        tally.unsummed = sum_s.is_none() || sum_d.is_none();
        if let (Some(s), Some(d)) = (sum_s, sum_d) {
            (tally.source_sum, tally.destination_sum) = (s, d);
            if rows_s == rows_d && s == d {
                return Ok(Judged::Done(Box::new(tally)));
            }
        }
        if !self.sure {
            return Ok(Judged::Unsure);
        }
        self.look_into(sides, range, [rows_s, rows_d], &mut tally, 0)?;
        Ok(Judged::Done(Box::new(tally)))
    }

    /// Compares a range row by row; for tables that no checksum can be had of.
    pub(crate) fn by_rows(&self, sides: &mut Sides, range: &KeyRange) -> Result<Judged, ConnectError> {
        let mut tally = Tally { ranges: 1, compared: 1, ..Tally::default() };
        let rows = self.count(sides, range)?;
        [tally.source_rows, tally.destination_rows] = rows;
        for piece in self.cut(sides, range, rows, self.window)? {
            if tally.found() > 0 && tally.found() >= self.max_diffs {
                tally.inexact = true;
                break;
            }
            let found = self.stream(sides, &piece)?;
            self.note(&mut tally, &piece, found);
            if !self.sure && tally.has(DifferenceKind::Missing) && tally.has(DifferenceKind::Extra) {
                return Ok(Judged::Unsure);
            }
        }
        Ok(Judged::Done(Box::new(tally)))
    }

    /// Row counts of both whole tables. Which rows differ stays open.
    pub(crate) fn count_both(&self, sides: &mut Sides) -> Result<Tally, ConnectError> {
        let [s, d] = self.count(sides, &KeyRange::All)?;
        Ok(Tally {
            source_rows: s,
            destination_rows: d,
            ranges: 1,
            compared: 1,
            missing: s.saturating_sub(d),
            extra: d.saturating_sub(s),
            inexact: s != d,
            ..Tally::default()
        })
    }

    /// Rows of a table that the destination does not have.
    pub(crate) fn count_missing(&self, sides: &mut Sides) -> Result<Tally, ConnectError> {
        let sql = format!("SELECT COUNT(*) FROM {}", self.rows_of(Side::Source, &KeyRange::All));
        let rows = sides.source.query("counting rows", &sql)?.number_at(0, 0).unwrap_or(0);
        Ok(Tally { source_rows: rows, ranges: 1, compared: 1, missing: rows, ..Tally::default() })
    }

    /// How many rows are kept for naming.
    pub(crate) fn keep(&self) -> usize {
        if self.keys { usize::try_from(self.max_named).unwrap_or(usize::MAX).min(MOST_NAMED) } else { 0 }
    }

    /// Counts rows that differ, or keeps them to be looked at again.
    pub(crate) fn note(&self, tally: &mut Tally, range: &KeyRange, found: Vec<Found>) {
        if self.live {
            tally.suspect(range, found);
        } else {
            tally.add_found(found, self.keep());
        }
    }

    fn stream(&self, sides: &mut Sides, range: &KeyRange) -> Result<Vec<Found>, ConnectError> {
        compare(sides, self.framing, |side| self.rows_sql(side, range), |_| true)
    }

    /// A range whose checksums differ, with its row counts.
    fn look_into(&self, sides: &mut Sides, range: &KeyRange, rows: [u64; 2], tally: &mut Tally, depth: usize) -> Result<(), ConnectError> {
        if tally.found() >= self.max_diffs {
            tally.inexact = true;
            return Ok(());
        }
        let most = rows[0].max(rows[1]);
        if most <= FEW.min(self.window) || depth > DEEPEST {
            let found = self.stream(sides, range)?;
            self.note(tally, range, found);
            return Ok(());
        }
        if !self.keys && !self.live && (rows[0] == 0 || rows[1] == 0) {
            tally.missing += rows[0];
            tally.extra += rows[1];
            return Ok(());
        }
        for piece in self.cut(sides, range, rows, most.div_ceil(PIECES))? {
            let [(s, sum_s), (d, sum_d)] = self.digest(sides, &piece)?;
            if s != d || sum_s != sum_d || sum_s.is_none() {
                self.look_into(sides, &piece, [s, d], tally, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Cuts a range into pieces of about so many rows, counted at the end that has more.
    fn cut(&self, sides: &mut Sides, range: &KeyRange, rows: [u64; 2], each: u64) -> Result<Vec<KeyRange>, ConnectError> {
        let KeyRange::Between { after, upto } = range else { return Ok(vec![range.clone()]) };
        let (side, most) = if rows[0] >= rows[1] { (Side::Source, rows[0]) } else { (Side::Destination, rows[1]) };
        let (mut pieces, mut from, mut left) = (Vec::new(), after.clone(), most);
        while left > each {
            let rest = KeyRange::Between { after: from.clone(), upto: upto.clone() };
            let Some(edge) = self.edge_after(sides, side, &rest, each.max(1) - 1)? else { break };
            pieces.push(KeyRange::Between { after: from, upto: Some(edge.clone()) });
            from = Some(edge);
            left -= each;
        }
        pieces.push(KeyRange::Between { after: from, upto: upto.clone() });
        Ok(pieces)
    }
}
