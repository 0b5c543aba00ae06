//! RENAME TABLE: names inside the selection, out of it and into it, and what tools for online schema changes do with them.

use std::collections::BTreeSet;

use super::{Decision, Effect, Plan, Scene, stop};
use crate::{catalog::TableName, ddl::statement::Edit, phase::incremental::history::LeftOut};

impl Scene<'_> {
    /// Pair by pair, each seeing the names that those before it have left.
    pub(super) fn rename_table(&self) -> Decision {
        let mut plan = Plan::default();
        let mut followed: BTreeSet<TableName> = self.history.names().cloned().collect();
        let before = followed.clone();
        let mut left: Vec<(TableName, TableName)> = Vec::new();
        let mut came: Vec<(TableName, TableName)> = Vec::new();
        for pair in self.classified.names.chunks(2) {
            let [from_name, to_name] = pair else { continue };
            let (from, to) = (self.table_of(from_name), self.table_of(to_name));
            let places = (self.names.table(&from), self.names.table(&to));
            match places {
                (Some(a), Some(b)) => {
                    if let Some(stop) = self.other_filter(&from, Some(&to)).filter(|_| followed.contains(&from)) {
                        return stop;
                    }
                    plan.edits.push(Edit::Replace(from_name.span.clone(), a.quoted()));
                    plan.edits.push(Edit::Replace(to_name.span.clone(), b.quoted()));
                    if followed.remove(&from) {
                        followed.insert(to.clone());
                        plan.effects.push(Effect::Renamed { from: (from, a), to: (to, b) });
                    } else {
                        // A view, or a table that is not carried for what it is.
                        plan.notes.push(format!("{from} is not a followed table"));
                    }
                }
                (Some(_), None) if followed.remove(&from) => left.push((from, to)),
                (None, Some(_)) => came.push((from, to)),
                _ => plan.edits.push(Edit::RemoveItem(from_name.span.start..to_name.span.end)),
            }
        }
        // A shadow table takes the place of the original.
        if let Some(((from, to), (shadow, _))) = left.iter().find_map(|l| Some((l, came.iter().find(|c| c.1 == l.0)?))) {
            return stop(
                "online-ddl-unsupported",
                format!(
                    "{from} becomes {to} and {shadow} takes its place, as tools for online schema changes do it; {shadow} is not followed"
                ),
                "select the whole database, or set online_ddl.mode to gh-ost with the patterns of its shadow tables; then `dtsctl apply --restart`",
            );
        }
        if let Some((from, to)) = left.first() {
            return out_of_scope(from, to);
        }
        if let Some((from, to)) = came.first() {
            return into_scope(from, to);
        }
        if plan.effects.is_empty() && plan.notes.is_empty() {
            return Decision::Pass;
        }
        let pairs = plan.effects.iter().filter_map(|e| if let Effect::Renamed { from, to } = e { Some([&from.0, &to.0]) } else { None });
        let mut named: Vec<TableName> = pairs.flatten().cloned().collect();
        named.sort();
        named.dedup();
        if let Some(stop) = self.other_table(&named) {
            return stop;
        }
        if let Some(stop) =
            self.in_copy(before.iter().filter(|t| plan.effects.iter().any(|e| matches!(e, Effect::Renamed { from, .. } if &from.0 == *t))))
        {
            return stop;
        }
        // One statement renames all of them or none: in a swap each name is another's.
        if named.iter().any(|table| self.is_left_out(table)) {
            return self.left_out(LeftOut::Name, named);
        }
        let moved = |t: &TableName| plan.effects.iter().any(|e| matches!(e, Effect::Renamed { to, .. } if &to.0 == t));
        let after = followed.clone();
        let about: Vec<TableName> = followed.into_iter().filter(moved).collect();
        for (source, destination) in about.iter().filter_map(|t| Some((t, self.names.table(t)?))) {
            if let Some(stop) = self.taken(source, &destination, after.iter().cloned()) {
                return stop;
            }
        }
        // Each comes under its new name with the definition it had.
        let last = |e: &Effect| if let Effect::Renamed { to, .. } = e { Some(to.clone()).filter(|to| about.contains(&to.0)) } else { None };
        let mut renamed: Vec<(TableName, TableName)> = plan.effects.iter().filter_map(last).collect();
        renamed.dedup();
        for (source, destination) in renamed {
            plan.effects.push(Effect::Changed { source, destination });
        }
        match self.pieces(&mut plan) {
            Ok(()) => Decision::Run(plan),
            Err(reason) => Decision::Refuse { reason, about },
        }
    }
}

pub(super) fn out_of_scope(from: &TableName, to: &TableName) -> Decision {
    stop(
        "ddl-out-of-scope",
        format!("{from} becomes {to}, which is not selected, so that its rows would no longer be carried"),
        "select the new name too, or the whole database, and `dtsctl apply` goes on; or rename it back",
    )
}

pub(super) fn into_scope(from: &TableName, to: &TableName) -> Decision {
    stop(
        "ddl-into-scope",
        format!("{from}, which is not selected, becomes {to}, which is, and its rows were never copied"),
        "exclude the new name and `dtsctl apply` goes on without it; or `dtsctl apply --restart` copies it",
    )
}
