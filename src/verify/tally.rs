//! What has been found of one table so far.

use std::collections::BTreeMap;

use crate::catalog::KeyRange;

use super::{compare::Found, receipt::DifferenceKind};

/// Sums over the ranges of a table. Adding is all that is done to it, so ranges may come in any order.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) source_rows: u64,
    pub(crate) destination_rows: u64,
    pub(crate) source_sum: u128,
    pub(crate) destination_sum: u128,
    pub(crate) ranges: u64,
    pub(crate) compared: u64,
    pub(crate) missing: u64,
    pub(crate) extra: u64,
    pub(crate) different: u64,
    pub(crate) json_type_changed: u64,
    /// Some range that differs was not looked into.
    pub(crate) inexact: bool,
    /// Some server could not hash some row.
    pub(crate) unsummed: bool,
    pub(crate) columns: BTreeMap<usize, u64>,
    pub(crate) rows: Vec<Found>,
    /// Rows that differ while the source is written to: where they are, to be looked at again. Not counted above.
    pub(crate) suspects: Vec<(KeyRange, Vec<Found>)>,
    pub(crate) milliseconds: u64,
}

impl Tally {
    /// Differences found, those of JSON's spelling not counted.
    pub(crate) fn found(&self) -> u64 {
        let suspects: u64 = self.suspects.iter().flat_map(|(_, found)| found).map(|f| f.count).sum();
        self.missing + self.extra + self.different + suspects
    }

    /// Some row is of this kind.
    pub(crate) fn has(&self, kind: DifferenceKind) -> bool {
        let counted = match kind {
            DifferenceKind::Missing => self.missing,
            DifferenceKind::Extra => self.extra,
            DifferenceKind::Different => self.different,
            DifferenceKind::JsonTypeChanged => self.json_type_changed,
        };
        counted > 0 || self.suspects.iter().flat_map(|(_, found)| found).any(|f| f.kind == kind)
    }

    /// Keeps rows that differ, to be looked at again; JSON that is only spelt differently is counted.
    pub(crate) fn suspect(&mut self, range: &KeyRange, found: Vec<Found>) {
        let (spelt, suspects): (Vec<_>, Vec<_>) = found.into_iter().partition(|f| f.kind == DifferenceKind::JsonTypeChanged);
        self.add_found(spelt, 0);
        if !suspects.is_empty() {
            self.suspects.push((range.clone(), suspects));
        }
    }

    /// Adds rows that differ; keeps at most `most` for naming.
    pub(crate) fn add_found(&mut self, found: Vec<Found>, most: usize) {
        for found in found {
            match found.kind {
                DifferenceKind::Missing => self.missing += found.count,
                DifferenceKind::Extra => self.extra += found.count,
                DifferenceKind::Different => self.different += found.count,
                DifferenceKind::JsonTypeChanged => self.json_type_changed += found.count,
            }
            for &column in &found.columns {
                if found.kind == DifferenceKind::Different {
                    *self.columns.entry(column).or_default() += found.count;
                }
            }
            if self.rows.len() < most {
                self.rows.push(found);
            }
        }
    }

    /// Adds another part of the same table.
    pub(crate) fn add(&mut self, other: Self, most: usize) {
        self.source_rows += other.source_rows;
        self.destination_rows += other.destination_rows;
        self.source_sum += other.source_sum;
        self.destination_sum += other.destination_sum;
        self.ranges += other.ranges;
        self.compared += other.compared;
        self.missing += other.missing;
        self.extra += other.extra;
        self.different += other.different;
        self.json_type_changed += other.json_type_changed;
        self.inexact |= other.inexact;
        self.unsummed |= other.unsummed;
        for (column, rows) in other.columns {
            *self.columns.entry(column).or_default() += rows;
        }
        self.rows.extend(other.rows);
        self.suspects.extend(other.suspects);
        // Rows that differ in value are worth more than those whose JSON is only spelt differently.
        self.rows.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        self.rows.truncate(most);
        self.milliseconds += other.milliseconds;
    }
}
