//! The bulk way: as few statements and round trips as there can be, and of each the number of rows it must touch.
//!
//! Deletes come first, with the rows of those updates whose other unique values change; then updates in place; then new rows, with the
//! second half of those updates. So inside one transaction a unique value may move from row to row, and two spellings that a collation
//! takes for one never meet.
//!
//! While changes may be repeated (`Certainty::Repeatable`), rows that come are written by REPLACE: whatever is in their way under any
//! unique key goes, silently. This converges: the copy has read every row after the source had it, so a row that is in the way of an
//! older one is a later state of the table, and the change that made it that state, or that moved the older row out of its way, is still
//! to come, before the end of the copy, with its row's full image. Past the end of the copy nothing of this is done any more.

use super::{
    Halt, MySqlLane,
    script::{Expect, Owner},
    shape::Shape,
};
use crate::{
    binlog::Image,
    destination::{
        DestinationError,
        change::{Certainty, RowChange, TableChanges},
    },
};

/// Keys in one condition: longer lists cost the optimizer more than another statement does.
const MOST_KEYS: usize = 1000;

/// With fewer rows than so many times the keys, the optimizer reads the whole table instead of looking the keys up, and waits for rows
/// that other lanes have locked. Then each key has a statement of its own.
const SPARSE: u64 = 16;

impl MySqlLane<'_> {
    pub(super) fn bulk_keyed(&mut self, shape: &mut Shape, place: usize, changes: &TableChanges, certainty: Certainty) -> Result<(), Halt> {
        if shape.key.is_none() {
            return Err(Halt::Failed(DestinationError::Progress { what: format!("{} has no key to fold by", shape.table.source.name) }));
        }
        if shape.own_columns && matches!(certainty, Certainty::Repeatable(_)) {
            return Err(Halt::Table(place));
        }
        let strict = matches!(certainty, Certainty::Strict(_));
        if !strict {
            self.deletes(shape, place, changes.deletes.iter(), false)?;
            let rows = changes.updates.iter().map(|(_, after)| after).chain(&changes.inserts);
            let head = format!("REPLACE {}", shape.into);
            return self.rows(shape, place, &head, "", rows, |_| Expect::Any);
        }
        let (mut in_place, moving) = shape.split(changes);
        let moving = if shape.own_columns {
            in_place.extend(moving);
            Vec::new()
        } else {
            moving
        };
        self.deletes(shape, place, changes.deletes.iter().chain(moving.iter().map(|(before, _)| before)), true)?;
        self.updates(shape, place, &in_place)?;
        let head = format!("INSERT {}", shape.into);
        let inserts = changes.inserts.iter().chain(moving.iter().map(|(_, after)| after));
        shape.rows += changes.inserts.len() as u64;
        self.rows(shape, place, &head, "", inserts, Expect::Affected)
    }

    /// Updates that change no value of another unique key.
    fn updates(&mut self, shape: &mut Shape, place: usize, updates: &[&(Image, Image)]) -> Result<(), Halt> {
        let few = updates.len() <= 2 || !shape.others.is_empty() && shape.rows < SPARSE * updates.len() as u64;
        if few || shape.own_columns {
            for (before, after) in updates {
                self.update_one(shape, place, before, after)?;
            }
            return Ok(());
        }
        if !shape.others.is_empty() {
            // An upsert's row that is missing would hit another one under another unique key, in silence: make sure that all are there.
            for some in updates.chunks(MOST_KEYS) {
                self.begin_statement(&format!("SELECT COUNT(*) FROM {} WHERE ", shape.name))?;
                self.keys(shape, some.iter().map(|(before, _)| before)).map_err(|what| not_exact(shape, what))?;
                self.script.sql.extend_from_slice(b" FOR UPDATE");
                self.end_statement(shape, place, Expect::Counted(some.len() as u64))?;
            }
        }
        let (head, tail) = (format!("INSERT {}", shape.into), shape.on_duplicate.clone());
        self.rows(shape, place, &head, &tail, updates.iter().map(|(_, after)| after), Expect::Updated)
    }

    fn update_one(&mut self, shape: &mut Shape, place: usize, before: &Image, after: &Image) -> Result<(), Halt> {
        self.begin_statement(&format!("UPDATE {} SET ", shape.name))?;
        let script = &mut self.script;
        let result = shape.assignments(&mut script.sql, after).and_then(|()| {
            script.sql.extend_from_slice(b" WHERE ");
            shape.by_row(&mut script.sql, before)
        });
        result.map_err(|what| not_exact(shape, what))?;
        if shape.key.is_none() {
            self.script.sql.extend_from_slice(b" LIMIT 1");
        }
        self.odd(shape, place)?;
        self.end_statement(shape, place, Expect::Matched)
    }

    fn deletes<'i>(&mut self, shape: &Shape, place: usize, images: impl Iterator<Item = &'i Image>, strict: bool) -> Result<(), Halt> {
        let images: Vec<&Image> = images.collect();
        let sparse = shape.rows < SPARSE * images.len() as u64;
        for some in images.chunks(if sparse { 1 } else { MOST_KEYS }) {
            self.begin_statement(&format!("DELETE FROM {} WHERE ", shape.name))?;
            self.keys(shape, some.iter().copied()).map_err(|what| not_exact(shape, what))?;
            let expect = if strict { Expect::Affected(some.len() as u64) } else { Expect::Any };
            self.end_statement(shape, place, expect)?;
        }
        Ok(())
    }

    /// The condition for the rows with these keys. Keys of several columns are written out: MariaDB compares a row constructor's
    /// members in a collation that is not the columns' (seen on 10.11: neither the index nor all of the rows are found).
    fn keys<'i>(&mut self, shape: &Shape, mut images: impl Iterator<Item = &'i Image>) -> Result<(), String> {
        let out = &mut self.script.sql;
        let cells = shape.key.as_ref().map_or(&[][..], |(cells, _)| cells);
        match cells {
            [] => Err("a table without a key".to_owned()),
            [cell] => {
                out.extend_from_slice(shape.cells[*cell].compared.as_bytes());
                out.extend_from_slice(b" IN (");
                for (n, image) in images.enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    shape.key_literal(out, *cell, image)?;
                }
                out.push(b')');
                Ok(())
            }
            _ => images
                .try_fold(true, |first, image| {
                    out.extend_from_slice(if first { b"(" } else { b" OR (" });
                    shape.by_key(out, image)?;
                    out.push(b')');
                    Ok(false)
                })
                .map(drop),
        }
    }

    /// Rows as tuples of statements that are sent on when they are large enough.
    fn rows<'i>(
        &mut self,
        shape: &mut Shape,
        place: usize,
        head: &str,
        tail: &str,
        images: impl Iterator<Item = &'i Image>,
        expect: impl Fn(u64) -> Expect,
    ) -> Result<(), Halt> {
        let mut inside = 0;
        for image in images {
            if inside == 0 {
                self.begin_statement(head)?;
            } else {
                self.script.sql.push(b',');
            }
            let at = self.script.sql.len();
            shape.tuple(&mut self.script.sql, image).map_err(|what| not_exact(shape, what))?;
            inside += 1;
            if self.script.statement_bytes() > self.script.limit && inside > 1 {
                // It goes into a statement of its own, so that none is larger than its largest row makes it.
                let tuple = self.script.sql.split_off(at);
                self.script.sql.pop();
                self.script.sql.extend_from_slice(tail.as_bytes());
                self.end_statement(shape, place, expect(inside - 1))?;
                self.begin_statement(head)?;
                self.script.sql.extend_from_slice(&tuple);
                inside = 1;
            }
        }
        self.odd(shape, place)?;
        if inside > 0 {
            self.script.sql.extend_from_slice(tail.as_bytes());
            self.end_statement(shape, place, expect(inside))?;
        }
        Ok(())
    }

    /// Changes of a table whose rows are told apart by all of their columns, or which has columns of its own: one by one, in order.
    pub(super) fn bulk_ordered(
        &mut self,
        shape: &mut Shape,
        place: usize,
        changes: &[RowChange],
        certainty: Certainty,
    ) -> Result<(), Halt> {
        if shape.key.is_some() && matches!(certainty, Certainty::Repeatable(_)) {
            return Err(Halt::Table(place));
        }
        let head = format!("INSERT {}", shape.into);
        let mut rest = changes;
        while let Some(first) = rest.first() {
            match first {
                RowChange::Insert(_) => {
                    let some = rest.iter().take_while(|c| matches!(c, RowChange::Insert(_))).count();
                    let images = rest[..some].iter().filter_map(|c| if let RowChange::Insert(image) = c { Some(image) } else { None });
                    self.rows(shape, place, &head, "", images, Expect::Affected)?;
                    rest = &rest[some..];
                    continue;
                }
                RowChange::Update { before, after } => self.update_one(shape, place, before, after)?,
                RowChange::Delete(image) => {
                    self.begin_statement(&format!("DELETE FROM {} WHERE ", shape.name))?;
                    shape.by_row(&mut self.script.sql, image).map_err(|what| not_exact(shape, what))?;
                    if shape.key.is_none() {
                        self.script.sql.extend_from_slice(b" LIMIT 1");
                    }
                    self.end_statement(shape, place, Expect::Affected(1))?;
                }
            }
            rest = &rest[1..];
        }
        Ok(())
    }

    /// A value that the server stores only with a warning sends the table down the careful way.
    fn odd(&self, shape: &mut Shape, place: usize) -> Result<(), Halt> {
        use crate::destination::Encoder as _;
        if shape.encoder.take_odd_values() > 0 { Err(Halt::Table(place)) } else { Ok(()) }
    }

    fn begin_statement(&mut self, head: &str) -> Result<(), Halt> {
        if self.script.is_full() {
            self.flush()?;
        }
        self.script.begin(head);
        Ok(())
    }

    fn end_statement(&mut self, shape: &Shape, place: usize, expect: Expect) -> Result<(), Halt> {
        // One byte says that it is a statement. A server that gets more ends the connection in the middle of it, which cannot be told
        // from a network that broke, and would be tried again for hours.
        if self.script.sql.len() as u64 + 1 > self.packet {
            let alone = self.script.cut();
            self.flush()?;
            let bytes = (self.script.sql.len() + alone.len()) as u64 + 1;
            if bytes > self.packet {
                self.script.clear();
                return Err(Halt::Failed(too_large(shape, bytes, self.packet)));
            }
            self.script.begin("");
            self.script.sql.extend_from_slice(&alone);
        }
        self.script.end(Owner::Table(place), expect);
        Ok(())
    }
}

/// Where a row is, for people: the pipeline adds the position.
const PLACE: &str = "following the binlog";

pub(super) fn not_exact(shape: &Shape, what: impl Into<String>) -> DestinationError {
    DestinationError::NotExact { table: shape.table.destination.name.clone(), range: PLACE.to_owned(), what: what.into() }
}

pub(super) fn too_large(shape: &Shape, bytes: u64, packet: u64) -> DestinationError {
    DestinationError::TooLarge { table: shape.table.destination.name.clone(), range: PLACE.to_owned(), bytes, packet }
}
