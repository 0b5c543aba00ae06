//! All that a check may look at.

use std::collections::HashMap;

use super::gather::Gathered;
use crate::{
    catalog::{Table, TableName},
    diff::Diff,
    plan::{FollowFrom, FollowState, Pair, Progress, Scope, ServerFacts},
    spec::Spec,
};

/// A selected table with both its ends.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// Both names.
    pub pair: &'a Pair,
    /// At the source.
    pub source: &'a Table,
    /// At the destination, if it is there.
    pub destination: Option<&'a Table>,
    /// This sync has made or begun to fill the destination's table.
    pub owned: bool,
}

impl Selected<'_> {
    /// The destination's name, as findings name objects.
    pub fn object(&self) -> String {
        self.pair.destination.to_string()
    }
}

/// Facts of both ends.
#[derive(Debug)]
pub struct Facts<'a> {
    /// What is asked for.
    pub spec: &'a Spec,
    /// The source.
    pub source: ServerFacts<'a>,
    /// The destination.
    pub destination: ServerFacts<'a>,
    /// The selection, applied.
    pub scope: &'a Scope,
    /// What earlier applies have done.
    pub progress: &'a Progress,
    /// What the diff found.
    pub diff: &'a Diff,
    /// What [`super::gather()`] found.
    pub gathered: &'a Gathered,
    /// Where the binlog is followed from, when it is and that is known already.
    pub follow: Option<&'a FollowState>,
    /// The selected tables by source name.
    pub tables: Vec<Selected<'a>>,
}

impl<'a> Facts<'a> {
    /// Joins the facts.
    pub fn new(
        spec: &'a Spec,
        source: ServerFacts<'a>,
        destination: ServerFacts<'a>,
        scope: &'a Scope,
        progress: &'a Progress,
        diff: &'a Diff,
        gathered: &'a Gathered,
    ) -> Self {
        let index = |tables: &'a [Table]| -> HashMap<&'a TableName, &'a Table> { tables.iter().map(|t| (&t.name, t)).collect() };
        let (at_source, at_destination) = (index(&source.catalog.tables), index(&destination.catalog.tables));
        let select = |pair: &'a Pair| {
            Some(Selected {
                pair,
                source: at_source.get(&pair.source)?,
                destination: at_destination.get(&pair.destination).copied(),
                owned: progress.owns(&pair.source, &pair.destination),
            })
        };
        let tables = scope.pairs.iter().filter_map(select).collect();
        Self { spec, source, destination, scope, progress, diff, gathered, follow: None, tables }
    }

    /// Selected tables that exist at the destination and are not this sync's.
    pub fn strangers(&self) -> impl Iterator<Item = (&Selected<'a>, &'a Table)> {
        self.tables.iter().filter(|t| !t.owned).filter_map(|t| Some((t, t.destination?)))
    }

    /// The binlog is to be followed.
    pub fn follows(&self) -> bool {
        self.spec.phases.incremental
    }

    /// The binlog is to be followed, and there is one.
    pub fn logs(&self) -> bool {
        self.follows() && self.source.info.is_on("log_bin")
    }

    /// The copy is done and the binlog is being followed.
    pub fn follows_already(&self) -> bool {
        self.follow.is_some_and(|follow| matches!(follow.from, FollowFrom::Applied(_)))
    }

    /// The two ends are of different vendors.
    pub fn crosses_vendors(&self) -> bool {
        self.source.info.flavor.vendor != self.destination.info.flavor.vendor
    }
}
