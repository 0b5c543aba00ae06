//! What two specs would both write: found by names alone, before anything runs.
//!
//! Several tasks may well feed one table (shard merge); then their rows must not meet, and only people can know that. So it is told, never
//! refused.

use super::{Rename, Spec, pattern::Pattern};

/// A set of destination tables.
struct Target<'a> {
    database: Pattern,
    table: Pattern,
    /// Tables of a whole database that are left out; they are called at the destination as at the source.
    exclude: &'a [Pattern],
}

/// What the destination may call what is called so at the source. A pattern leaves names alone that it does not match.
fn names(rename: Option<&Rename>, name: &Pattern) -> Vec<Pattern> {
    match rename {
        None => vec![name.clone()],
        Some(Rename::To(to)) => vec![Pattern::new(to)],
        Some(Rename::By(pattern)) => vec![pattern.targets(), name.clone()],
    }
}

fn targets(spec: &Spec) -> Vec<Target<'_>> {
    let mut targets = Vec::new();
    for object in &spec.objects {
        for database in names(object.rename.as_ref(), &object.database) {
            match &object.tables {
                // Under a pattern the names that are left out are not those of the destination.
                None if object.rename_tables.is_some() => targets.push(Target { database, table: Pattern::new("*"), exclude: &[] }),
                None => targets.push(Target { database, table: Pattern::new("*"), exclude: &object.exclude }),
                Some(tables) => targets.extend(tables.iter().flat_map(|table| {
                    let exclude: &[Pattern] = if table.rename.is_some() { &[] } else { &object.exclude };
                    let target = |table| Target { database: database.clone(), table, exclude };
                    names(table.rename.as_ref(), &table.name).into_iter().map(target).collect::<Vec<_>>()
                })),
            }
        }
    }
    targets
}

impl Target<'_> {
    fn meets(&self, other: &Self) -> bool {
        let left_out =
            |exclude: &[Pattern], table: &Pattern| table.literal().is_some_and(|name| exclude.iter().any(|pattern| pattern.matches(name)));
        self.database.meets(&other.database)
            && self.table.meets(&other.table)
            && !left_out(self.exclude, &other.table)
            && !left_out(other.exclude, &self.table)
    }

    fn shown(&self) -> String {
        format!("{}.{}", self.database, self.table)
    }
}

/// Destination tables, by name or by glob, that both specs may write: as the first calls them, and as the second. Empty when they write
/// to different servers.
pub fn overlaps(one: &Spec, other: &Spec) -> Vec<(String, String)> {
    if one.destination.address != other.destination.address {
        return Vec::new();
    }
    let others = targets(other);
    let meeting = |target: &Target<'_>| -> Vec<(String, String)> {
        others.iter().filter(|o| target.meets(o)).map(|o| (target.shown(), o.shown())).collect()
    };
    targets(one).iter().flat_map(meeting).collect()
}
