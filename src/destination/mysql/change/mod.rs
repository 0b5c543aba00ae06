//! Writing changes of the binlog: a lane is one session that writes batches and commits them with the task's position.
//!
//! There are two ways. The *bulk* way (`bulk`) joins rows into statements and statements into round trips, and knows of each statement how
//! many rows it must touch. When one comes back with anything else, nothing of the batch stays, and the *careful* way (`careful`) does
//! the changes of that table one by one, finds which rows are not as they must be, and deals with them as `conflict.rows` says. So a
//! conflict costs time and never rows, and a healthy batch costs little.
//!
//! The hard idea: no statement may touch a row that it was not meant for. A row is found by the key that both ends have, compared in the
//! column's own collation and type; every other unique key of the destination can only make a statement fail, never redirect it.

mod bulk;
mod careful;
mod cascade;
mod script;
mod shape;

pub(in crate::destination::mysql) use careful::key_in;

use std::{collections::HashMap, sync::Arc};

use self::{
    careful::Careful,
    cascade::Reactions,
    script::{Expect, Owner, Script},
    shape::Shape,
};
use super::{MySqlDestination, progress::applied};
use crate::{
    connect::{ConnectError, Session},
    destination::{
        CopyTable, DestinationError,
        change::{Applied, Batch, Certainty, Conflict, Lane, Written},
    },
};

/// Set before each batch, to come back to.
const SAVEPOINT: &str = "dtsctl_batch";

/// Fails, and so ends a row of statements, unless the statement before it touched one row. `DO` would only warn on MariaDB.
const ONE_ROW: &str = "SELECT IF(ROW_COUNT()=1,0,(SELECT 1 UNION SELECT 2))";

pub(super) struct MySqlLane<'a> {
    session: Session,
    destination: &'a MySqlDestination,
    script: Script,
    packet: u64,
    /// By the address of the table they were made of, which they keep alive.
    shapes: HashMap<usize, Shape>,
    /// A transaction is open, or its BEGIN waits in the script.
    open: bool,
    /// Nothing of the batch at hand has been sent, its savepoint neither.
    unsent: bool,
    /// What has been written in it.
    written: Written,
}

/// Why an attempt in bulk ended.
enum Halt {
    /// A table is not as it must be, or wants its rows looked at one by one: its place in the batch.
    Table(usize),
    Failed(DestinationError),
}

impl<E: Into<DestinationError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<'a> MySqlLane<'a> {
    pub(super) fn new(session: Session, destination: &'a MySqlDestination) -> Self {
        let packet = session.info().max_allowed_packet();
        let script = Script::new(session.comment(), packet);
        Self { session, destination, script, packet, shapes: HashMap::new(), open: false, unsent: false, written: Written::default() }
    }

    /// Takes a table's shape out; [`MySqlLane::keep`] puts it back.
    fn shape(&mut self, table: &Arc<CopyTable>) -> Shape {
        let address = Arc::as_ptr(table) as usize;
        if let Some(shape) = self.shapes.remove(&address) {
            return shape;
        }
        // A table's definition has changed: the older one does not come again.
        self.shapes.retain(|_, shape| shape.table.source.name != table.source.name);
        Shape::new(table, self.packet, self.session.flavor())
    }

    fn keep(&mut self, shape: Shape) {
        self.shapes.insert(Arc::as_ptr(&shape.table) as usize, shape);
    }

    /// Sends what waits and looks at every answer.
    fn flush(&mut self) -> Result<(), Halt> {
        if self.script.is_empty() {
            return Ok(());
        }
        let (sql, checks) = self.script.take()?;
        self.unsent = false;
        let (answers, result) = self.session.exec_many("writing changes", &sql);
        let bytes = sql.len();
        self.script.reuse(sql);
        tracing::trace!(statements = checks.len(), bytes, "changes sent");
        for (answer, (owner, expect)) in answers.iter().zip(&checks) {
            if let Owner::Table(table) = owner
                && (answer.outcome.warnings > 0 || !expect.is_met(answer))
            {
                return Err(Halt::Table(*table));
            }
        }
        match (result, checks.get(answers.len())) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(_)) => Err(ConnectError::Unexpected {
                doing: "writing changes".to_owned(),
                reason: format!("{} statements, {} answers", checks.len(), answers.len()),
            }
            .into()),
            // Anything but a lost connection or a lock is looked at row by row: there it has a name, or is no error at all.
            (Err(error), Some((Owner::Table(table), _))) if error.code().is_some() && !error.is_transient() && !error.is_connection() => {
                Err(Halt::Table(*table))
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Begins the transaction, or notes where the batch begins in it.
    fn begin(&mut self) {
        self.unsent = true;
        if self.open {
            self.script.push(Owner::Lane, &format!("SAVEPOINT {SAVEPOINT}"));
        } else {
            self.script.push(Owner::Lane, "BEGIN");
            self.open = true;
        }
    }

    /// Back to where the batch began.
    fn back(&mut self, was_open: bool) -> Result<(), DestinationError> {
        self.script.clear();
        if was_open && self.unsent {
            return Ok(());
        }
        if was_open {
            self.session.exec("rolling a batch back", &format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}"))?;
        } else {
            self.session.exec("rolling a batch back", "ROLLBACK")?;
            self.open = false;
        }
        Ok(())
    }

    fn attempt(&mut self, batch: &Batch, certainty: Certainty, one_by_one: &[usize]) -> Result<Written, Halt> {
        let mut written = Written::default();
        self.begin();
        let keyed = batch.keyed.len();
        for place in 0..keyed + batch.ordered.len() {
            let table = batch.keyed.get(place).map_or_else(|| &batch.ordered[place - keyed].0, |changes| &changes.table);
            let mut shape = self.shape(table);
            let result = if one_by_one.contains(&place) {
                self.flush().and_then(|()| {
                    let mut careful = Careful::new(self, &mut shape, certainty);
                    match batch.keyed.get(place) {
                        Some(changes) => careful.keyed(changes)?,
                        None => careful.ordered(&batch.ordered[place - keyed].1)?,
                    }
                    let conflicts = careful.conflicts();
                    written.conflicts.extend(conflicts);
                    Ok(())
                })
            } else {
                match batch.keyed.get(place) {
                    Some(changes) => self.bulk_keyed(&mut shape, place, changes, certainty),
                    None => self.bulk_ordered(&mut shape, place, &batch.ordered[place - keyed].1, certainty),
                }
            };
            self.keep(shape);
            result?;
        }
        self.flush()?;
        count(batch, &mut written);
        Ok(written)
    }
}

/// Rows of a batch by kind.
fn count(batch: &Batch, written: &mut Written) {
    use crate::destination::change::RowChange;
    for changes in &batch.keyed {
        written.inserted += changes.inserts.len() as u64;
        written.updated += changes.updates.len() as u64;
        written.deleted += changes.deletes.len() as u64;
    }
    for change in batch.ordered.iter().flat_map(|(_, changes)| changes) {
        match change {
            RowChange::Insert(_) => written.inserted += 1,
            RowChange::Update { .. } => written.updated += 1,
            RowChange::Delete(_) => written.deleted += 1,
        }
    }
}

impl Lane for MySqlLane<'_> {
    fn write(&mut self, batch: &Batch, certainty: Certainty) -> Result<Written, DestinationError> {
        let was_open = self.open;
        let mut one_by_one = Vec::new();
        loop {
            match self.attempt(batch, certainty, &one_by_one) {
                Ok(mut written) => {
                    let more = Reactions::run(self, &batch.cascades, certainty)?;
                    written.deleted += more.deleted;
                    written.updated += more.updated;
                    written.conflicts.extend(more.conflicts);
                    self.written.inserted += written.inserted;
                    self.written.updated += written.updated;
                    self.written.deleted += written.deleted;
                    Conflict::merge(&mut self.written.conflicts, &written.conflicts);
                    return Ok(written);
                }
                Err(Halt::Table(table)) if !one_by_one.contains(&table) => {
                    tracing::debug!(table, "a batch did not go as it must; doing a table's changes one by one");
                    one_by_one.push(table);
                    self.back(was_open)?;
                }
                Err(Halt::Table(_)) => {
                    return Err(DestinationError::Progress { what: "a change that is done alone came back as one of many".to_owned() });
                }
                Err(Halt::Failed(error)) => {
                    self.script.clear();
                    return Err(error);
                }
            }
        }
    }

    fn note(&mut self, conflicts: &[Conflict]) {
        Conflict::merge(&mut self.written.conflicts, conflicts);
    }

    fn commit(&mut self, applied: &Applied) -> Result<(), DestinationError> {
        let (task, run) = (&self.destination.task, self.destination.run());
        self.script.clear();
        if !self.open {
            self.script.push(Owner::Lane, "BEGIN");
        }
        for conflict in &self.written.conflicts {
            self.script.push(Owner::Lane, &applied::note_conflict(task, conflict, &applied.position));
        }
        self.script.push(Owner::Lane, &applied::move_on(task, run, applied, &self.written));
        let fence = self.script.checks.len();
        self.script.begin(ONE_ROW);
        self.script.end(Owner::Lane, Expect::Any);
        self.script.push(Owner::Lane, "COMMIT");
        let (sql, checks) = self.script.take()?;
        let (answers, result) = self.session.exec_many("committing changes", &sql);
        self.script.reuse(sql);
        match result {
            Ok(()) if answers.len() == checks.len() => {
                self.open = false;
                self.written = Written::default();
                Ok(())
            }
            Ok(()) => Err(ConnectError::Unexpected {
                doing: "committing changes".to_owned(),
                reason: format!("{} statements, {} answers", checks.len(), answers.len()),
            }
            .into()),
            // 1242: subquery returns more than one row.
            Err(error) if answers.len() == fence && error.code() == Some(1242) => {
                self.roll_back()?;
                Err(DestinationError::TakenOver { task: self.destination.task.clone() })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn roll_back(&mut self) -> Result<(), DestinationError> {
        self.script.clear();
        self.written = Written::default();
        self.open = false;
        self.session.exec("rolling back", "ROLLBACK")?;
        Ok(())
    }
}
