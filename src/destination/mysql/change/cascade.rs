//! Doing again what foreign keys of the source did: by statements of our own over sets of values, with the destination's keys off.
//!
//! Values of the parent's row are literals made from its image. Those of rows that react themselves, as parents of further rows, are asked of
//! the server as literals, so that no value is decoded or compared here. What a row is before it is changed is asked before the
//! statement and passed on after it, so that a table that refers to itself comes to an end.
//!
//! Nothing says how many rows a key found at the source. While the copy may have brought newer rows, doing it again is harmless: rows that it
//! takes too early came later at the source, and the binlog brings them again.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    MySqlLane,
    bulk::{not_exact, too_large},
    shape::Shape,
};
use crate::{
    binlog::Position,
    catalog::{Column, Reaction, TableName, TypeKind, quote_name},
    connect::{ConnectError, Outcome},
    destination::{
        DestinationError,
        cascade::{Cascade, CascadeKey, Cascades},
        change::{Certainty, Conflict, ConflictKind, OnConflict, Written},
        mysql::sharing,
    },
};

const DOING: &str = "doing what a foreign key did";

/// Bytes of conditions in one statement.
const CONDITIONS: usize = 256 << 10;

/// Rows of a generation that are held in memory.
const GENERATION: usize = 4096;

/// Generations of rows. InnoDB itself ends at 15 with an error.
const DEEPEST: u32 = 100;

/// Values of some columns as literals; `None` is NULL.
type Values = Vec<Option<String>>;

/// Rows of one table that went or changed, in order.
struct Reacting<'t> {
    table: &'t TableName,
    /// Its columns at the source that the values are of.
    columns: Vec<usize>,
    rows: Vec<(Values, Option<Values>)>,
}

/// What happens to a child's rows.
enum Act {
    Delete,
    /// The key's columns get these values.
    Set(Values),
}

pub(super) struct Reactions<'l, 'a> {
    lane: &'l mut MySqlLane<'a>,
    certainty: Certainty,
    keys: Arc<Cascades>,
    at: Arc<Position>,
    shared: BTreeMap<TableName, bool>,
    written: Written,
}

impl<'l, 'a> Reactions<'l, 'a> {
    /// Does it; the rows that it touched and what could not be done.
    pub(super) fn run(lane: &'l mut MySqlLane<'a>, cascades: &[Cascade], certainty: Certainty) -> Result<Written, DestinationError> {
        let mut written = Written::default();
        let mut rest = cascades;
        while let Some(first) = rest.first() {
            // Rows that went, one after the other, go in one: what refers to them is a set.
            let alike = |c: &&Cascade| {
                Arc::ptr_eq(&c.keys, &first.keys) && Arc::ptr_eq(&c.parent, &first.parent) && c.after.is_none() && first.after.is_none()
            };
            let some = rest.iter().take_while(alike).count().max(1);
            let mut me = Reactions {
                lane: &mut *lane,
                certainty,
                keys: Arc::clone(&first.keys),
                at: Arc::clone(&first.at),
                shared: BTreeMap::new(),
                written: Written::default(),
            };
            me.parents(&rest[..some])?;
            written.deleted += me.written.deleted;
            written.updated += me.written.updated;
            Conflict::merge(&mut written.conflicts, &me.written.conflicts);
            rest = &rest[some..];
        }
        Ok(written)
    }

    /// Rows of one parent. Literals are made for each key, in the type of the child's column.
    fn parents(&mut self, cascades: &[Cascade]) -> Result<(), DestinationError> {
        let keys = Arc::clone(&self.keys);
        let parent = &cascades[0].parent.source.name;
        for key in keys.of(parent) {
            if key.unfit.is_some() {
                let acted = cascades.iter().filter(|c| key.acts(&c.before, c.after.as_ref())).count() as u64;
                self.missed(key, acted)?;
                continue;
            }
            let columns: Vec<usize> = key.columns.iter().map(|&(p, _)| p).collect();
            let shape = self.lane.shape(&key.child);
            let values = |image: &crate::binlog::Image| -> Result<Values, DestinationError> {
                key.columns.iter().map(|&(p, c)| image.cell(p).map(|value| literal(&shape, c, value)).transpose()).collect()
            };
            let both = |c: &Cascade| -> Result<_, DestinationError> { Ok((values(&c.before)?, c.after.as_ref().map(values).transpose()?)) };
            let rows: Result<Vec<_>, DestinationError> = cascades.iter().map(both).collect();
            self.lane.keep(shape);
            self.key(key, &Reacting { table: parent, columns, rows: rows? }, 0)?;
        }
        Ok(())
    }

    fn react(&mut self, reacting: &Reacting<'_>, depth: u32) -> Result<(), DestinationError> {
        let keys = Arc::clone(&self.keys);
        keys.of(reacting.table).iter().try_for_each(|key| self.key(key, reacting, depth))
    }

    /// One key, for rows of its parent.
    fn key(&mut self, key: &CascadeKey, reacting: &Reacting<'_>, depth: u32) -> Result<(), DestinationError> {
        if self.is_in_the_copy(key)? {
            return Ok(());
        }
        if key.unfit.is_some() {
            return self.missed(key, reacting.rows.len() as u64);
        }
        if depth > DEEPEST {
            let shape = self.lane.shape(&key.child);
            return Err(not_exact(&shape, format!("rows of foreign key {} refer to rows for more than {DEEPEST} generations", key.name)));
        }
        let at: Vec<usize> = key.columns.iter().filter_map(|(p, _)| reacting.columns.iter().position(|c| c == p)).collect();
        let of = |values: &Values| -> Values { at.iter().map(|&i| values[i].clone()).collect() };
        let mut gone: Vec<Values> = Vec::new();
        for (before, after) in &reacting.rows {
            let before = of(before);
            // A NULL refers to nothing.
            if before.iter().any(Option::is_none) {
                continue;
            }
            match after.as_ref().map(of) {
                None if key.on_delete != Reaction::Nothing => gone.push(before),
                Some(after) if key.on_update != Reaction::Nothing && after != before => {
                    let act = if key.on_update == Reaction::Cascade { after } else { vec![None; at.len()] };
                    self.act(key, &[before], &Act::Set(act), depth)?;
                }
                _ => {}
            }
        }
        let act = if key.on_delete == Reaction::Cascade { Act::Delete } else { Act::Set(vec![None; at.len()]) };
        let mut rest = gone.as_slice();
        while !rest.is_empty() {
            let some = self.fitting(rest.iter());
            self.act(key, &rest[..some], &act, depth)?;
            rest = &rest[some..];
        }
        Ok(())
    }

    /// Changes the child's rows that refer to these values, and what refers to them.
    fn act(&mut self, key: &CascadeKey, values: &[Values], act: &Act, depth: u32) -> Result<(), DestinationError> {
        let shape = self.lane.shape(&key.child);
        let condition = condition(&shape, key, values);
        let name = shape.name.clone();
        self.lane.keep(shape);
        if self.is_shared(key)? {
            // Rows of other tasks may refer to the same values of other parents.
            let rows = self.count(&name, &condition)?;
            return self.missed(key, rows);
        }
        let left_out = matches!(self.certainty, Certainty::Strict(_))
            && if matches!(act, Act::Delete) { !key.operations.delete } else { !key.operations.update };
        if left_out {
            let kind = if matches!(act, Act::Delete) { ConflictKind::DeleteLeftOut } else { ConflictKind::UpdateLeftOut };
            let rows = self.count(&name, &condition)?;
            if rows > 0 {
                self.note(key, kind, rows);
            }
            return Ok(());
        }
        let further = self.further(key, act);
        let mut rest = condition.clone();
        loop {
            let mut rows = self.before(key, act, &further, &name, &condition)?;
            let mut more = false;
            if matches!(act, Act::Delete) {
                let some = self.fitting(rows.iter().map(|(values, _)| values));
                more = some < rows.len() || rows.len() >= GENERATION;
                rows.truncate(some);
            }
            if more {
                rest = format!("({condition}) AND ({})", exactly(&child_names(key, &further), &rows));
            }
            let condition = if more { &rest } else { &condition };
            match act {
                Act::Delete => self.written.deleted += self.change(key, &format!("DELETE FROM {name} WHERE {condition}"))?.affected,
                Act::Set(new) => self.set(key, &name, condition, new)?,
            }
            if !rows.is_empty() {
                self.react(&Reacting { table: &key.child.source.name, columns: further.clone(), rows }, depth + 1)?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// The child's rows before what happens to them, as far as others refer to them; of a delete not more than a page.
    fn before(
        &mut self,
        key: &CascadeKey,
        act: &Act,
        further: &[usize],
        name: &str,
        condition: &str,
    ) -> Result<Vec<(Values, Option<Values>)>, DestinationError> {
        if further.is_empty() {
            return Ok(Vec::new());
        }
        let columns = &key.child.destination.columns;
        let list: Vec<String> = further.iter().filter_map(|&c| destination_column(key, c)).map(|c| told(&columns[c])).collect();
        let page = if matches!(act, Act::Delete) { format!(" LIMIT {GENERATION}") } else { String::new() };
        let found = self.query(&format!("SELECT DISTINCT {} FROM {name} WHERE {condition}{page} FOR UPDATE", list.join(", ")))?;
        let row = |row: usize| {
            let before: Values = (0..further.len()).map(|c| found.text_at(row, c)).collect();
            let after = match act {
                Act::Delete => None,
                Act::Set(new) => {
                    let mut after = before.clone();
                    for (&(_, column), value) in key.columns.iter().zip(new) {
                        if let Some(at) = further.iter().position(|&c| c == column) {
                            after[at].clone_from(value);
                        }
                    }
                    Some(after)
                }
            };
            (before, after)
        };
        Ok((0..found.len()).map(row).collect())
    }

    /// How many of these go into one condition: one at least.
    fn fitting<'v>(&self, values: impl Iterator<Item = &'v Values>) -> usize {
        let most = CONDITIONS.min(usize::try_from(self.lane.packet / 4).unwrap_or(usize::MAX));
        let mut bytes = 0;
        let fits = |values: &&Values| {
            bytes += values.iter().map(|v| v.as_ref().map_or(4, String::len) + 80).sum::<usize>();
            bytes < most
        };
        values.take_while(fits).count().max(1)
    }

    fn count(&mut self, name: &str, condition: &str) -> Result<u64, DestinationError> {
        Ok(self.query(&format!("SELECT COUNT(*) FROM {name} WHERE {condition}"))?.number_at(0, 0).unwrap_or(0))
    }

    /// The child's copy, read at one exact position, has it already.
    fn is_in_the_copy(&mut self, key: &CascadeKey) -> Result<bool, DestinationError> {
        match key.start.as_ref().map(|start| (start, self.at.covers(start))) {
            None | Some((_, Some(true))) => Ok(false),
            Some((_, Some(false))) => Ok(true),
            Some((start, None)) => {
                let what = format!("whether {} is before or after the snapshot of its copy, taken at {start}, cannot be told", self.at);
                Err(self.inexact(key, what))
            }
        }
    }

    /// Other tasks write the child too (requirements F04).
    fn is_shared(&mut self, key: &CascadeKey) -> Result<bool, DestinationError> {
        let child = &key.child.destination.name;
        if let Some(known) = self.shared.get(child) {
            return Ok(*known);
        }
        let shared = !sharing(&mut self.lane.session, &self.lane.destination.task, &[child])?.is_empty();
        self.shared.insert(child.clone(), shared);
        Ok(shared)
    }

    /// The child's columns that other rows refer to, as far as what happens to its rows makes keys act.
    fn further(&self, key: &CascadeKey, act: &Act) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for next in self.keys.of(&key.child.source.name) {
            let acts = match act {
                Act::Delete => next.on_delete != Reaction::Nothing,
                Act::Set(_) => {
                    next.on_update != Reaction::Nothing && next.columns.iter().any(|&(p, _)| key.columns.iter().any(|&(_, c)| c == p))
                }
            };
            if acts {
                found.extend(next.columns.iter().map(|&(p, _)| p));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The engine touches no other column: one with ON UPDATE CURRENT_TIMESTAMP must be told to stay.
    fn set(&mut self, key: &CascadeKey, name: &str, condition: &str, new: &Values) -> Result<(), DestinationError> {
        let child = &key.child.destination;
        let mut list: Vec<String> = Vec::new();
        let mut set = Vec::new();
        for (&(_, column), value) in key.columns.iter().zip(new) {
            let Some(at) = destination_column(key, column) else { continue };
            set.push(at);
            list.push(format!("{}={}", quote_name(&child.columns[at].name), value.as_deref().unwrap_or("NULL")));
        }
        for (at, column) in child.columns.iter().enumerate() {
            let by_itself = matches!(column.kind, TypeKind::Timestamp | TypeKind::DateTime) && !column.generated && !column.row_period;
            if by_itself && !set.contains(&at) {
                let column = quote_name(&column.name);
                list.push(format!("{column}={column}"));
            }
        }
        let list = list.join(", ");
        match self.change(key, &format!("UPDATE {name} SET {list} WHERE {condition}")) {
            Ok(outcome) => self.written.updated += outcome.affected,
            // A row read later by the copy bears the new value already, and this one is what it was before it got there, or a row that the binlog
            // brings again.
            Err(DestinationError::Connect(error)) if error.code() == Some(1062) && matches!(self.certainty, Certainty::Repeatable(_)) => {
                let outcome = self.lane.session.exec(DOING, &format!("UPDATE IGNORE {name} SET {list} WHERE {condition}"))?;
                let warnings = if outcome.warnings > 0 { self.lane.session.warnings(1000)? } else { Vec::new() };
                if let Some((code, message)) = warnings.iter().find(|(code, _)| ![1062, 1592].contains(code)) {
                    let what = format!("warning {code}: {message}");
                    return Err(self.inexact(key, what));
                }
                self.all_seen(key, &outcome, warnings.len())?;
                self.written.updated += outcome.affected;
                self.written.deleted += self.change(key, &format!("DELETE FROM {name} WHERE {condition}"))?.affected;
            }
            Err(DestinationError::Connect(error)) if error.code() == Some(1062) => {
                let key_columns = self.key_names(key);
                let (table, kind) = (child.name.clone(), ConflictKind::UpdateExists);
                return Err(DestinationError::Conflict { table, kind, key: key_columns, rows: 1 });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A statement that changes rows: no warning goes unseen but that a server which logs statements logs one that it cannot repeat for sure.
    fn change(&mut self, key: &CascadeKey, sql: &str) -> Result<Outcome, DestinationError> {
        let session = &mut self.lane.session;
        let bytes = (session.comment().len() + sql.len()) as u64 + 1;
        if bytes > self.lane.packet {
            let shape = self.lane.shape(&key.child);
            return Err(too_large(&shape, bytes, self.lane.packet));
        }
        let outcome = session.exec(DOING, sql)?;
        if outcome.warnings > 0 {
            let warnings = session.warnings(1000)?;
            if let Some((code, message)) = warnings.iter().find(|(code, _)| ![1287, 1592].contains(code)) {
                let what = format!("warning {code}: {message}");
                return Err(self.inexact(key, what));
            }
            self.all_seen(key, &outcome, warnings.len())?;
        }
        Ok(outcome)
    }

    /// A server keeps no more warnings than `max_error_count`: one that was not shown may say anything.
    fn all_seen(&mut self, key: &CascadeKey, outcome: &Outcome, seen: usize) -> Result<(), DestinationError> {
        if outcome.warnings <= seen as u64 {
            return Ok(());
        }
        let what = format!("{} warnings, of which {seen} were shown", outcome.warnings);
        Err(self.inexact(key, what))
    }

    fn query(&mut self, sql: &str) -> Result<crate::connect::Rows, ConnectError> {
        self.lane.session.query(DOING, sql)
    }

    fn inexact(&mut self, key: &CascadeKey, what: String) -> DestinationError {
        let shape = self.lane.shape(&key.child);
        let error = not_exact(&shape, what);
        self.lane.keep(shape);
        error
    }

    fn key_names(&self, key: &CascadeKey) -> Vec<String> {
        let there = |&(_, c): &(usize, usize)| destination_column(key, c).map(|d| key.child.destination.columns[d].name.clone());
        key.columns.iter().filter_map(there).collect()
    }

    fn note(&mut self, key: &CascadeKey, kind: ConflictKind, rows: u64) {
        let columns = if kind.is_of_the_spec() { Vec::new() } else { self.key_names(key) };
        let one = Conflict { table: key.child.source.name.clone(), kind, key: columns, rows };
        Conflict::merge(&mut self.written.conflicts, &[one]);
    }

    /// What cannot be done again is counted, or stops the task.
    fn missed(&mut self, key: &CascadeKey, rows: u64) -> Result<(), DestinationError> {
        if rows == 0 || self.is_in_the_copy(key)? {
            return Ok(());
        }
        let (Certainty::Strict(policy) | Certainty::Repeatable(policy)) = self.certainty;
        if policy == OnConflict::Fail {
            let (table, kind) = (key.child.destination.name.clone(), ConflictKind::CascadeMissed);
            return Err(DestinationError::Conflict { table, kind, key: self.key_names(key), rows });
        }
        self.note(key, ConflictKind::CascadeMissed, rows);
        Ok(())
    }
}

/// The destination's column for one of the child's at the source.
fn destination_column(key: &CascadeKey, column: usize) -> Option<usize> {
    key.child.columns.iter().find(|&&(s, _)| s == column).map(|&(_, d)| d)
}

/// Names of the child's columns at the destination.
fn child_names(key: &CascadeKey, columns: &[usize]) -> Vec<String> {
    let name = |&c: &usize| destination_column(key, c).map(|d| quote_name(&key.child.destination.columns[d].name));
    columns.iter().filter_map(name).collect()
}

/// Rows that have one of these tuples of values.
fn exactly(names: &[String], rows: &[(Values, Option<Values>)]) -> String {
    if let [name] = names {
        let list: Vec<&str> = rows.iter().filter_map(|(values, _)| values[0].as_deref()).collect();
        let null = if list.len() < rows.len() { format!(" OR {name} IS NULL") } else { String::new() };
        return format!("{name} IN ({}){null}", if list.is_empty() { "NULL".to_owned() } else { list.join(",") });
    }
    let one = |(values, _): &(Values, Option<Values>)| {
        let parts: Vec<String> = names.iter().zip(values).map(|(n, v)| format!("{n}<=>{}", v.as_deref().unwrap_or("NULL"))).collect();
        format!("({})", parts.join(" AND "))
    };
    rows.iter().map(one).collect::<Vec<_>>().join(" OR ")
}

/// A parent's value as what the child's column is compared with and set to.
fn literal(shape: &Shape, column: usize, value: &[u8]) -> Result<String, DestinationError> {
    let mut out = Vec::new();
    let cell = shape.cells.iter().position(|cell| cell.source == column);
    let cell = cell.ok_or_else(|| not_exact(shape, "a column of a foreign key is not there"))?;
    shape.comparable(&mut out, cell, value).map_err(|what| not_exact(shape, format!("column {}: {what}", shape.cells[cell].name)))?;
    String::from_utf8(out).map_err(|_| not_exact(shape, "an encoded value is not UTF-8"))
}

/// Rows of the child that refer to one of these. Written out, as [`super::bulk`] says of row constructors.
fn condition(shape: &Shape, key: &CascadeKey, values: &[Values]) -> String {
    let names: Vec<&str> = key
        .columns
        .iter()
        .filter_map(|&(_, c)| shape.cells.iter().find(|cell| cell.source == c))
        .map(|cell| cell.compared.as_str())
        .collect();
    if let [name] = names[..] {
        let list: Vec<&str> = values.iter().filter_map(|v| v[0].as_deref()).collect();
        return format!("{name} IN ({})", list.join(","));
    }
    let one = |values: &Values| {
        let parts: Vec<String> = names.iter().zip(values).map(|(n, v)| format!("{n}={}", v.as_deref().unwrap_or("NULL"))).collect();
        format!("({})", parts.join(" AND "))
    };
    values.iter().map(one).collect::<Vec<_>>().join(" OR ")
}

/// An expression that gives a column's value as a literal, in ASCII.
fn told(column: &Column) -> String {
    let name = quote_name(&column.name);
    match column.kind {
        TypeKind::Integer | TypeKind::Decimal | TypeKind::Year => format!("CAST({name} AS CHAR)"),
        TypeKind::Bit => format!("CAST({name}+0 AS CHAR)"),
        TypeKind::Text => format!("CONCAT('_',CHARSET({name}),' x''',HEX({name}),'''')"),
        TypeKind::Bytes => format!("CONCAT('_binary x''',HEX({name}),'''')"),
        _ => format!("CONCAT('''',{name},'''')"),
    }
}
