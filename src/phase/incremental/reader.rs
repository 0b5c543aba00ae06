//! The reading side: from the source's transactions to row changes of followed tables.
//!
//! It runs ahead of the writing side by as much as the queue holds, but never past a statement: what the definitions are after it only the
//! destination can say, once it has run there.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    FollowError,
    error::without_literals,
    followed::Followed,
    heartbeat,
    history::History,
    names::Names,
    queue::Queue,
    unit::{Rows, Said, Transaction, Unit, Window, change_size},
};
use crate::{
    binlog::{Begin, BinlogError, ColumnForm, Item, Position, RowsEvent, TableMap, decode, fit},
    catalog::TableName,
    ddl::statement::Class,
    destination::{
        CopyTable,
        change::{Conflict, ConflictKind, RowChange},
    },
};

/// Where items come from.
pub(super) trait Items: Send {
    /// The next one; waits for it.
    fn next(&mut self) -> Result<Item, BinlogError>;

    /// Where reading must begin again to miss nothing, when that is earlier than the last position told.
    fn read_from(&self) -> Option<Position>;
}

/// What is known of a table by the name it has in the binlog.
enum Slot {
    /// Not selected.
    Other,
    /// The table in which we write the source's time.
    Heartbeat(Fit),
    Followed(Arc<Followed>, Fit),
    /// Selected, and made by a statement that the spec leaves out.
    LeftOut(TableName),
}

/// A table map and how to read its rows.
struct Fit {
    map: Arc<TableMap>,
    forms: Vec<ColumnForm>,
}

/// What does not change while it reads.
pub(super) struct Reading {
    pub(super) task: String,
    pub(super) names: Arc<dyn Names>,
    /// Exact positions of tables that were copied under one snapshot.
    pub(super) starts: Arc<BTreeMap<TableName, Position>>,
    /// Bytes in memory after which a transaction is handed over in windows.
    pub(super) window: usize,
}

/// The transaction being read.
struct Open {
    begin: Arc<Begin>,
    rows: Vec<Rows>,
    count: u64,
    bytes: usize,
    windows: bool,
    statements: u32,
    heartbeat: Option<u64>,
    /// Events of tables that are not carried.
    left_out: Vec<Conflict>,
}

/// The reader.
pub(super) struct Reader {
    reading: Reading,
    queue: Arc<Queue>,
    history: Arc<History>,
    slots: HashMap<String, HashMap<String, Slot>>,
    /// Everything before it has been read.
    position: Position,
    open: Option<Open>,
    statements: u64,
}

impl Reader {
    pub(super) fn new(reading: Reading, queue: Arc<Queue>, history: Arc<History>, position: Position) -> Self {
        Self { reading, queue, history, slots: HashMap::new(), position, open: None, statements: 0 }
    }

    /// Reads until it fails or nobody wants any more.
    pub(super) fn run(mut self, items: &mut dyn Items) {
        loop {
            let taken = items.next().map_err(FollowError::from).and_then(|item| self.take(item, items));
            match taken {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    self.queue.put(Unit::Failed(error));
                    return;
                }
            }
        }
    }

    /// `false` when nobody wants any more.
    fn take(&mut self, item: Item, items: &dyn Items) -> Result<bool, FollowError> {
        Ok(match item {
            Item::Begin(begin) => {
                let begin = Arc::new(begin);
                self.open = Some(Open {
                    begin,
                    rows: Vec::new(),
                    count: 0,
                    bytes: 0,
                    windows: false,
                    statements: 0,
                    heartbeat: None,
                    left_out: Vec::new(),
                });
                true
            }
            Item::Rows(event) => self.rows(&event)?,
            Item::Statement(statement) => {
                let Some(open) = &mut self.open else { return Ok(true) };
                let said =
                    Said { begin: Arc::clone(&open.begin), statement, part: open.statements, after_rows: open.windows || open.count > 0 };
                open.statements += 1;
                self.statements += 1;
                if !self.queue.put(Unit::Statement(Box::new(said))) {
                    return Ok(false);
                }
                let Some(history) = self.queue.answer(self.statements) else { return Ok(false) };
                if !Arc::ptr_eq(&history, &self.history) {
                    self.history = history;
                    self.slots.clear();
                }
                true
            }
            Item::Commit(after) => {
                self.position = after.clone();
                let Some(open) = self.open.take() else { return Ok(true) };
                self.queue.put(Unit::Transaction(Transaction {
                    begin: open.begin,
                    rows: open.rows,
                    count: open.count,
                    bytes: open.bytes,
                    after,
                    read_from: items.read_from(),
                    heartbeat: open.heartbeat,
                    left_out: open.left_out,
                }))
            }
            Item::Rollback => {
                let windows = self.open.take().is_some_and(|open| open.windows);
                !windows || self.queue.put(Unit::RolledBack)
            }
            Item::Moved(position) => {
                self.position = position.clone();
                self.queue.put(Unit::Moved(position, items.read_from()))
            }
            Item::Heartbeat => self.queue.put(Unit::Idle),
        })
    }

    fn rows(&mut self, event: &RowsEvent) -> Result<bool, FollowError> {
        self.prepare(event)?;
        let slot = self.slots.get(event.map.database.as_str()).and_then(|tables| tables.get(event.map.table.as_str()));
        let Some(open) = &mut self.open else { return Ok(true) };
        let (followed, forms) = match slot {
            None | Some(Slot::Other) => return Ok(true),
            Some(Slot::Heartbeat(fit)) => {
                for row in decode(event, &fit.forms).into_iter().flatten().flatten() {
                    let written = row.after.and_then(|after| heartbeat::read(&after, &self.reading.task));
                    open.heartbeat = open.heartbeat.max(written);
                }
                return Ok(true);
            }
            Some(Slot::LeftOut(table)) => {
                let one = Conflict { table: table.clone(), kind: ConflictKind::TableLeftOut, key: Vec::new(), rows: 1 };
                Conflict::merge(&mut open.left_out, &[one]);
                return Ok(true);
            }
            Some(Slot::Followed(followed, fit)) => (followed, &fit.forms),
        };
        let mut in_copy = false;
        if let Some(start) = &followed.start {
            match self.position.covers(start) {
                Some(true) => {}
                // The snapshot of its copy has it.
                Some(false) if event.keys_act && self.history.has_children(&followed.copy.source.name) => in_copy = true,
                Some(false) => return Ok(true),
                None => {
                    let what = format!("cannot tell whether this is before or after the snapshot of its copy, taken at {start}");
                    return Err(cannot(event, &open.begin, what));
                }
            }
        }
        let keys_act = event.keys_act;
        let empty = || Rows { table: Arc::clone(followed), changes: Vec::new(), keys_act, in_copy };
        let goes_on = |rows: &Rows| Arc::ptr_eq(&rows.table, followed) && (rows.keys_act, rows.in_copy) == (keys_act, in_copy);
        if !open.rows.last().is_some_and(goes_on) {
            open.rows.push(empty());
        }
        let begin = &open.begin;
        let rows = decode(event, forms).map_err(|error| cannot(event, begin, error.to_string()))?;
        for row in rows {
            let row = row.map_err(|error| cannot(event, begin, error.to_string()))?;
            let change = match (row.before, row.after) {
                (None, Some(after)) => RowChange::Insert(after),
                (Some(before), None) => RowChange::Delete(before),
                (Some(before), Some(after)) => RowChange::Update { before, after },
                (None, None) => continue,
            };
            open.bytes += change_size(&change);
            open.count += 1;
            if let Some(last) = open.rows.last_mut() {
                last.changes.push(change);
            }
            if open.bytes >= self.reading.window {
                let window =
                    Window { begin: Arc::clone(&open.begin), rows: std::mem::take(&mut open.rows), count: open.count, bytes: open.bytes };
                (open.count, open.bytes, open.windows) = (0, 0, true);
                if !self.queue.put(Unit::Window(window)) {
                    return Ok(false);
                }
                open.rows.push(empty());
            }
        }
        Ok(true)
    }

    /// A column that the spec carries and that the destination's table has no place for: its values would be lost in silence.
    fn lacks<'c>(&self, name: &TableName, copy: &'c CopyTable) -> Option<&'c str> {
        if self.reading.names.may_lack_columns() {
            return None;
        }
        let map = self.reading.names.columns(name);
        let paired = |column: usize| copy.columns.iter().any(|&(source, _)| source == column);
        let carried = copy.source.copied_columns().into_iter().filter(|&c| map.name(&copy.source.columns[c].name).is_some());
        carried.into_iter().find(|&c| !paired(c)).map(|c| copy.source.columns[c].name.as_str())
    }

    /// Sees to it that the slot of the event's table is there and fits its table map.
    fn prepare(&mut self, event: &RowsEvent) -> Result<(), FollowError> {
        let map = &event.map;
        let known = self.slots.get(map.database.as_str()).and_then(|tables| tables.get(map.table.as_str()));
        match known {
            Some(Slot::Other | Slot::LeftOut(_)) => return Ok(()),
            Some(Slot::Heartbeat(fit) | Slot::Followed(_, fit)) if Arc::ptr_eq(&fit.map, map) || fit.map == *map => return Ok(()),
            _ => {}
        }
        let begin = self.open.as_ref().map(|open| Arc::clone(&open.begin));
        let wrong = |what: String| match &begin {
            Some(begin) => cannot(event, begin, what),
            None => cannot(event, &Begin { gtid: None, place: event.place.clone(), micros: 0 }, what),
        };
        let name = event.table();
        let slot = if name == heartbeat::name() {
            match fit(map, &heartbeat::definition()) {
                Ok(forms) => Slot::Heartbeat(Fit { map: Arc::clone(map), forms }),
                // Somebody else's of that name.
                Err(_) => Slot::Other,
            }
        } else if self.reading.names.table(&name).is_none() {
            Slot::Other
        } else if self.history.table(&name).is_none() && self.history.doubt(&name).is_none() && map.is_sequence() {
            // Made since the run began: CREATE SEQUENCE was recorded as skipped.
            Slot::Other
        } else if self.history.table(&name).is_none()
            && self.history.doubt(&name).is_none()
            && !self.reading.names.carries(&name, Class::CreateTable)
        {
            // Whoever leaves CREATE TABLE out does not want the table's rows either.
            Slot::LeftOut(name)
        } else {
            let known = match self.slots.get(map.database.as_str()).and_then(|tables| tables.get(map.table.as_str())) {
                Some(Slot::Followed(followed, _)) => Some(Arc::clone(followed)),
                _ => None,
            };
            let followed = match (known, self.history.table(&name)) {
                (Some(followed), _) => followed,
                (None, Some(copy)) => {
                    let operations = self.reading.names.row_operations(&name);
                    Arc::new(Followed::new(Arc::clone(copy), self.reading.starts.get(&name).cloned(), operations))
                }
                (None, None) => {
                    let why = self.history.doubt(&name).map(|doubt| format!(" ({doubt})")).unwrap_or_default();
                    return Err(wrong(format!("rows of a selected table that is not known at this position{why}")));
                }
            };
            if let Some(doubt) = self.history.renamed(&name) {
                return Err(wrong(format!("rows of a table that may be another than the one that bore this name ({doubt})")));
            }
            if let Some(column) = self.lacks(&name, &followed.copy) {
                let why = self.history.doubt(&name).map(|doubt| format!(" ({doubt})")).unwrap_or_default();
                let there = &followed.copy.destination.name;
                return Err(wrong(format!("column {column} is to be carried, and {there} has none for it{why}")));
            }
            if let Some(column) = self.reading.names.columns(&name).lacks(&followed.copy.source) {
                return Err(wrong(format!("`where` names column {column}, and the table has none")));
            }
            let forms = fit(map, &followed.copy.source).map_err(|misfit| {
                let why = self.history.doubt(&name).map(|doubt| format!(" ({doubt})")).unwrap_or_default();
                wrong(format!("{misfit}{why}"))
            })?;
            if let Some(doubt) = self.history.unseen(&name).filter(|_| !map.named) {
                return Err(wrong(format!(
                    "its definition at the source may be another by now ({doubt}), and the binlog does not name the columns \
                     (binlog_row_metadata is not FULL)"
                )));
            }
            Slot::Followed(followed, Fit { map: Arc::clone(map), forms })
        };
        self.slots.entry(map.database.clone()).or_default().insert(map.table.clone(), slot);
        Ok(())
    }
}

/// Names the place, the table and the client's statement.
fn cannot(event: &RowsEvent, begin: &Begin, what: String) -> FollowError {
    let gtid = begin.gtid.as_ref().map(|gtid| format!(" (GTID {gtid})")).unwrap_or_default();
    FollowError::Rows {
        place: format!("{}{gtid}", event.place),
        table: Box::new(event.table()),
        what,
        statement: event.query.as_deref().map(without_literals),
        span: Some(Box::new((begin.place.clone(), event.place.clone()))),
    }
}
