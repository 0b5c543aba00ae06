//! A whole table as a multiset of rows: tables without a key, and those whose keys the two servers may order differently.
//!
//! First one checksum per end: a sum does not mind the order, and unlike XOR it does not lose rows that occur twice (trap 2, c). Only when
//! that differs are the rows streamed: once to sum them in 4096 buckets by the hash of their key, then again to compare the rows of the
//! buckets that differ, as many at a time as memory allows.

use std::collections::HashSet;

use crate::{catalog::KeyRange, connect::ConnectError};

use super::{
    compare::{compare, stream},
    expression::Side,
    narrow::Task,
    session::Sides,
    tally::Tally,
};

const BUCKETS: usize = 4096;
/// Passes over a table, after which the rest of what differs is left uncounted.
const PASSES: usize = 64;

impl Task<'_> {
    /// Compares two whole tables.
    pub(crate) fn by_multiset(&self, sides: &mut Sides, server_sums: bool) -> Result<Tally, ConnectError> {
        let mut tally = Tally { ranges: 1, compared: 1, ..Tally::default() };
        if server_sums {
            let [(rows_s, sum_s), (rows_d, sum_d)] = self.digest(sides, &KeyRange::All)?;
            (tally.source_rows, tally.destination_rows) = (rows_s, rows_d);
            tally.unsummed = sum_s.is_none() || sum_d.is_none();
            if let (Some(s), Some(d)) = (sum_s, sum_d) {
                (tally.source_sum, tally.destination_sum) = (s, d);
                if rows_s == rows_d && s == d {
                    return Ok(tally);
                }
            }
            if !self.keys && !self.live && (rows_s == 0 || rows_d == 0) {
                (tally.missing, tally.extra) = (rows_s, rows_d);
                return Ok(tally);
            }
        }
        let sql = |side: Side| self.rows_sql(side, &KeyRange::All);
        let mut buckets = vec![[(0_u64, 0_u128); 2]; BUCKETS];
        (tally.source_rows, tally.destination_rows) = stream(sides, self.framing, sql, |side, row| {
            let (bucket, hash) = row.bucket();
            let sum = &mut buckets[bucket][usize::from(side == Side::Destination)];
            *sum = (sum.0 + 1, sum.1.wrapping_add(hash));
        })?;
        let rows = |bucket: &[(u64, u128); 2]| bucket[0].0.max(bucket[1].0);
        let mut differing: Vec<usize> = (0..BUCKETS).filter(|&b| buckets[b][0] != buckets[b][1]).collect();
        for _ in 0..PASSES {
            if differing.is_empty() || tally.found() >= self.max_diffs {
                break;
            }
            let (mut batch, mut held) = (HashSet::new(), 0);
            while let Some(&bucket) = differing.last() {
                held += rows(&buckets[bucket]);
                if held > self.window && !batch.is_empty() {
                    break;
                }
                batch.insert(bucket);
                differing.pop();
            }
            let found = compare(sides, self.framing, sql, |row| batch.contains(&row.bucket().0))?;
            self.note(&mut tally, &KeyRange::All, found);
        }
        tally.inexact = !differing.is_empty();
        Ok(tally)
    }
}
