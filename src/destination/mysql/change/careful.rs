//! The careful way: one change, one statement, every warning looked at, and what is not as it must be dealt with by `conflict.rows`.
//!
//! It is taken for a table of which a bulk statement did not come back as it had to. What is found row by row is the same as what was
//! missed in bulk, unless somebody else is writing at the destination too.

use super::{
    MySqlLane,
    bulk::{not_exact, too_large},
    script::matched,
    shape::Shape,
};
use crate::{
    binlog::Image,
    connect::ConnectError,
    destination::{
        DestinationError, Encoder as _,
        change::{Certainty, Conflict, ConflictKind, OnConflict, RowChange, TableChanges},
    },
};

/// How a strict session stores no value that it would have to change; an ENUM's error value it refuses as well.
const LENIENT: &str = "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'";
const STRICT: &str = "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'";

/// What a statement for one row came to.
enum Done {
    /// It found its row, or stored it.
    Row,
    /// There was no such row.
    Missing,
    /// Another row has a value of the key of that name.
    InTheWay(String),
}

pub(super) struct Careful<'l, 'a> {
    lane: &'l mut MySqlLane<'a>,
    shape: &'l mut Shape,
    certainty: Certainty,
    conflicts: Vec<Conflict>,
}

impl<'l, 'a> Careful<'l, 'a> {
    pub(super) fn new(lane: &'l mut MySqlLane<'a>, shape: &'l mut Shape, certainty: Certainty) -> Self {
        // Left over from what was thrown away.
        shape.encoder.take_odd_values();
        Self { lane, shape, certainty, conflicts: Vec::new() }
    }

    /// What was dealt with.
    pub(super) fn conflicts(self) -> Vec<Conflict> {
        self.conflicts
    }

    /// The net effect on a table with a key, in the order of the bulk way.
    pub(super) fn keyed(&mut self, changes: &TableChanges) -> Result<(), DestinationError> {
        let Certainty::Strict(policy) = self.certainty else {
            for image in &changes.deletes {
                self.delete(image)?;
            }
            for image in changes.updates.iter().map(|(_, after)| after).chain(&changes.inserts) {
                self.put(image)?;
            }
            return Ok(());
        };
        for image in &changes.deletes {
            if let Done::Missing = self.delete(image)? {
                self.conflict(policy, ConflictKind::DeleteMissing, None)?;
            }
        }
        let (mut in_place, moving) = self.shape.split(changes);
        // The second halves of those updates whose rows had to go before.
        let mut to_come = Vec::new();
        if self.shape.own_columns {
            in_place.extend(moving);
        } else {
            for (before, after) in moving {
                match self.delete(before)? {
                    Done::Missing => {
                        if self.conflict(policy, ConflictKind::UpdateMissing, None)? {
                            self.put(after)?;
                        }
                    }
                    _ => to_come.push((before, after)),
                }
            }
        }
        for (before, after) in in_place {
            self.update_strictly(before, after, policy)?;
        }
        for (before, after) in to_come {
            if let Done::InTheWay(key) = self.insert(after)? {
                if self.conflict(policy, ConflictKind::UpdateExists, Some(&key))? {
                    self.put(after)?;
                } else if let Done::InTheWay(_) = self.insert(before)? {
                    // Its own old value has gone to another row by now: there is no row left to keep.
                    self.conflict(policy, ConflictKind::UpdateLost, Some(&key))?;
                }
            }
        }
        for image in &changes.inserts {
            self.insert_strictly(image, policy)?;
        }
        Ok(())
    }

    /// Changes one by one in their order.
    pub(super) fn ordered(&mut self, changes: &[RowChange]) -> Result<(), DestinationError> {
        let repeatable = self.shape.key.is_some() && matches!(self.certainty, Certainty::Repeatable(_));
        let (Certainty::Strict(policy) | Certainty::Repeatable(policy)) = self.certainty;
        for change in changes {
            match change {
                RowChange::Delete(image) => {
                    if let Done::Missing = self.delete(image)?
                        && !repeatable
                    {
                        self.conflict(policy, ConflictKind::DeleteMissing, None)?;
                    }
                }
                RowChange::Insert(image) if repeatable => self.put(image)?,
                RowChange::Insert(image) => self.insert_strictly(image, policy)?,
                RowChange::Update { before, after } if repeatable => {
                    if let Done::Missing = self.force_update(before, after)? {
                        self.put(after)?;
                    }
                }
                RowChange::Update { before, after } => self.update_strictly(before, after, policy)?,
            }
        }
        Ok(())
    }

    fn insert_strictly(&mut self, image: &Image, policy: OnConflict) -> Result<(), DestinationError> {
        if let Done::InTheWay(key) = self.insert(image)?
            && self.conflict(policy, ConflictKind::InsertExists, Some(&key))?
        {
            self.put(image)?;
        }
        Ok(())
    }

    fn update_strictly(&mut self, before: &Image, after: &Image, policy: OnConflict) -> Result<(), DestinationError> {
        match self.update(before, after)? {
            Done::Row => {}
            Done::Missing => {
                if self.conflict(policy, ConflictKind::UpdateMissing, None)? {
                    self.put(after)?;
                }
            }
            Done::InTheWay(key) => {
                if self.conflict(policy, ConflictKind::UpdateExists, Some(&key))? {
                    self.force_update(before, after)?;
                }
            }
        }
        Ok(())
    }

    /// Counts a conflict, or stops for it. `true` when the source's row wins. What the spec itself has made so is none, and is dealt with as
    /// the spec means it.
    fn conflict(&mut self, policy: OnConflict, kind: ConflictKind, key: Option<&str>) -> Result<bool, DestinationError> {
        let (policy, kind) = self.shape.table.operations.of_the_spec(kind).unwrap_or((policy, kind));
        let columns = key.map_or_else(|| self.shape.key_names(), |name| self.shape.columns_of(name));
        if policy == OnConflict::Fail {
            return Err(DestinationError::Conflict { table: self.shape.table.destination.name.clone(), kind, key: columns, rows: 1 });
        }
        let one = Conflict { table: self.shape.table.source.name.clone(), kind, key: columns, rows: 1 };
        Conflict::merge(&mut self.conflicts, &[one]);
        Ok(policy == OnConflict::Overwrite)
    }

    fn delete(&mut self, image: &Image) -> Result<Done, DestinationError> {
        let head = format!("DELETE FROM {} WHERE ", self.shape.name).into_bytes();
        self.on_row(head, image)
    }

    /// Runs a statement that ends with `WHERE` on the row of an image; in a table without a key that is one row, and a row as the copy has
    /// stored it where none is as the source has it.
    fn on_row(&mut self, head: Vec<u8>, image: &Image) -> Result<Done, DestinationError> {
        let mut sql = head.clone();
        self.shape.by_row(&mut sql, image).map_err(|what| not_exact(self.shape, what))?;
        if self.shape.key.is_some() {
            return self.run(sql);
        }
        sql.extend_from_slice(b" LIMIT 1");
        let done = self.run(sql)?;
        if !matches!(done, Done::Missing) || !self.shape.may_be_as_copied(image) {
            return Ok(done);
        }
        let mut sql = head;
        // What the copy would have refused it has not stored.
        if self.shape.by_row_as_copied(&mut sql, image).is_err() {
            return Ok(done);
        }
        sql.extend_from_slice(b" LIMIT 1");
        self.run(sql)
    }

    fn insert(&mut self, image: &Image) -> Result<Done, DestinationError> {
        self.tuple("INSERT", image)
    }

    fn tuple(&mut self, verb: &str, image: &Image) -> Result<Done, DestinationError> {
        let mut sql = format!("{verb} {}", self.shape.into).into_bytes();
        self.shape.tuple(&mut sql, image).map_err(|what| not_exact(self.shape, what))?;
        self.run(sql)
    }

    fn update(&mut self, before: &Image, after: &Image) -> Result<Done, DestinationError> {
        let mut sql = format!("UPDATE {} SET ", self.shape.name).into_bytes();
        self.shape.assignments(&mut sql, after).map_err(|what| not_exact(self.shape, what))?;
        sql.extend_from_slice(b" WHERE ");
        self.on_row(sql, before)
    }

    /// The row changes, and whatever is in its way goes.
    fn force_update(&mut self, before: &Image, after: &Image) -> Result<Done, DestinationError> {
        self.clearing(after, |me| me.update(before, after))
    }

    /// The row is there afterwards, whatever was there before: as an update of the row with its key, so that what the destination has in
    /// columns of its own stays, else anew. Rows in its way go.
    fn put(&mut self, image: &Image) -> Result<(), DestinationError> {
        if !self.shape.own_columns {
            self.tuple("REPLACE", image)?;
            return Ok(());
        }
        if self.shape.key.is_some()
            && let Done::Row = self.force_update(image, image)?
        {
            return Ok(());
        }
        self.clearing(image, |me| me.insert(image))?;
        Ok(())
    }

    /// Tries until no other row is in the way of an image, taking one away each time.
    fn clearing(
        &mut self,
        image: &Image,
        mut attempt: impl FnMut(&mut Self) -> Result<Done, DestinationError>,
    ) -> Result<Done, DestinationError> {
        // One row at most under each unique key.
        let most = self.shape.table.destination.keys.len() + 1;
        for _ in 0..most {
            match attempt(self)? {
                Done::InTheWay(key) => self.clear(&key, image)?,
                other => return Ok(other),
            }
        }
        Err(not_exact(self.shape, "rows in the way of a row under its unique keys do not end"))
    }

    /// Deletes the row that has the image's value in a unique key.
    fn clear(&mut self, key: &str, image: &Image) -> Result<(), DestinationError> {
        let mut sql = format!("DELETE FROM {} WHERE ", self.shape.name).into_bytes();
        let found = if self.shape.is_other(key) {
            self.shape.by_unique(&mut sql, key, image)
        } else {
            self.shape.by_key(&mut sql, image).map(|()| true)
        };
        if found.map_err(|what| not_exact(self.shape, what))? {
            self.run(sql)?;
        }
        Ok(())
    }

    /// Runs one statement on one row. A duplicate is an answer, every other error an error, and so is a warning without an explanation.
    fn run(&mut self, sql: Vec<u8>) -> Result<Done, DestinationError> {
        const DOING: &str = "writing a change";
        let odd = self.shape.encoder.take_odd_values();
        let sql = String::from_utf8(sql).map_err(|_| not_exact(self.shape, "an encoded row is not UTF-8"))?;
        let session = &mut self.lane.session;
        let bytes = (session.comment().len() + sql.len()) as u64 + 1;
        if bytes > self.lane.packet {
            return Err(too_large(self.shape, bytes, self.lane.packet));
        }
        if odd > 0 {
            session.exec(DOING, LENIENT)?;
        }
        let mut outcome = session.exec(DOING, &sql);
        let mut lenient = odd > 0;
        if let Err(ConnectError::Sql { code: 3751 | 3752, .. }) = &outcome {
            // No value of a row: what a functional index keeps of it. The source took the row under a mode that is not strict.
            session.exec(DOING, LENIENT)?;
            lenient = true;
            outcome = session.exec(DOING, &sql);
        }
        let warnings = match &outcome {
            Ok(outcome) if outcome.warnings > 0 => session.warnings(1000)?,
            _ => Vec::new(),
        };
        if lenient {
            session.exec(DOING, STRICT)?;
        }
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(ConnectError::Sql { code: 1062 | 1586, message, .. }) => return Ok(Done::InTheWay(key_in(&message))),
            Err(ConnectError::Sql { code, state, message, .. }) => {
                let doing = format!("writing a change of {}", self.shape.table.destination.name);
                return Err(ConnectError::Sql { doing, code, state, message }.into());
            }
            Err(error) => return Err(error.into()),
        };
        self.explain(&warnings, odd, outcome.warnings)?;
        let rows = matched(&outcome.info).unwrap_or(outcome.affected);
        Ok(if rows == 0 { Done::Missing } else { Done::Row })
    }

    /// Warnings that stand for no harm: 1592 says that a server that logs statements logs one it cannot repeat for sure, 1287 that the
    /// name of a charset goes out of use (`_utf8mb3` on MySQL), 3751 and 3752 that a functional index keeps less than the row has, as it
    /// does at the source, and 1265 comes with the error value of an ENUM, which was sent as such.
    fn explain(&self, warnings: &[(u16, String)], odd: u64, counted: u64) -> Result<(), DestinationError> {
        let is_enum = |message: &str| self.shape.enum_columns().any(|name| message.contains(&format!("column '{name}'")));
        let mut enums = 0;
        for (code, message) in warnings {
            match code {
                1287 | 1592 | 3751 | 3752 => {}
                1265 if is_enum(message) => enums += 1,
                _ => return Err(not_exact(self.shape, format!("warning {code}: {message}"))),
            }
        }
        if enums > odd || counted > warnings.len() as u64 {
            return Err(not_exact(self.shape, format!("{counted} warnings, of which {odd} are explained")));
        }
        Ok(())
    }
}

/// The key's name in `Duplicate entry ... for key 't.name'`.
pub(in crate::destination::mysql) fn key_in(message: &str) -> String {
    let name = message.rsplit_once("for key '").map_or("", |(_, rest)| rest);
    name.strip_suffix('\'').unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::key_in;

    #[test]
    fn the_key_in_the_way_is_named() {
        assert_eq!(key_in("Duplicate entry for key 't.u_s'"), "t.u_s");
        assert_eq!(key_in("Duplicate entry for key 'PRIMARY'"), "PRIMARY");
    }
}
