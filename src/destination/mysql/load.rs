//! Loading one chunk: a transaction that locks the range's progress row, writes the rows, counts them, moves the progress on, commits.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    MySqlDestination, WriteMethod,
    change::key_in,
    progress::{self, table_condition},
};
use crate::{
    catalog::{KeyOrder, KeyRange, TypeKind, quote_name},
    connect::{ConnectError, Outcome, Session},
    destination::{ChunkEnd, CopyTable, DestinationError, Feed, Loaded, Loader, Piece, RangeState},
    event::Event,
};

pub(super) struct MySqlLoader<'a> {
    session: Session,
    destination: &'a MySqlDestination,
    table: &'a CopyTable,
    /// The source's key order under this table's names, without its index.
    order: Option<KeyOrder>,
    /// `LOAD DATA ...` whole, or the head of an `INSERT`.
    statement: String,
    /// ENUM columns as the server's warning 1265 names them.
    enums: Vec<String>,
    /// So many warnings the server lists.
    most_warnings: u64,
    /// Name of the key under which a row that exists is the copied one; `None` for a table without such a key.
    key: Option<String>,
}

/// What the statements of a chunk came back with.
#[derive(Debug, Default)]
struct Written {
    affected: u64,
    duplicates: u64,
    /// Of these, how many met another row, by the key's name as the server writes it.
    in_the_way: BTreeMap<String, u64>,
    enum_errors: u64,
    other: Option<String>,
    unseen: bool,
}

impl<'a> MySqlLoader<'a> {
    pub(super) fn new(mut session: Session, destination: &'a MySqlDestination, table: &'a CopyTable) -> Result<Self, DestinationError> {
        // So that every skipped row is told from every changed value (conflict mode `ignore`). MySQL wants SESSION_VARIABLES_ADMIN for it
        // (seen on 9.7.4); without it chunks have to be smaller.
        let most_warnings = match session.exec("preparing the session", "SET SESSION max_error_count=65535") {
            Ok(_) => 65_535,
            Err(error) if error.is_missing_right() => {
                session.query("preparing the session", "SELECT @@SESSION.max_error_count")?.number_at(0, 0).unwrap_or(64)
            }
            Err(error) => return Err(error.into()),
        };
        let order = KeyOrder::of(&table.source).and_then(|o| o.elsewhere(|name| table.destination_name(name)));
        let statement = match destination.method {
            WriteMethod::LoadData => load_statement(table),
            WriteMethod::Insert => insert_head(table),
        };
        let enums: Vec<String> = table
            .columns
            .iter()
            .map(|&(_, d)| &table.destination.columns[d])
            .filter(|c| c.kind == TypeKind::Enum)
            .map(|c| format!("column '{}'", c.name))
            .collect();
        if !enums.is_empty() && (destination.method == WriteMethod::Insert || table.newer_wins) {
            // An ENUM's error value is refused by a strict INSERT, and by LOAD DATA once it says REPLACE. Without strictness it is a
            // warning, and each of these is looked at.
            session.exec("preparing the session", "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'")?;
        }
        let key = table.kept_under().map(|key| key.name.clone());
        Ok(Self { session, destination, table, order, statement, enums, most_warnings, key })
    }

    fn range_condition(&self, number: u32) -> String {
        format!(
            "{} AND `number` = {number} AND `run` = {}",
            table_condition(&self.destination.task, &self.table.source.name),
            self.destination.run()
        )
    }

    fn moment(&self, name: &'static str) {
        self.destination.observer.observe(&Event::Moment { name });
    }

    fn not_exact(&self, range: &RangeState, what: impl Into<String>) -> DestinationError {
        DestinationError::NotExact { table: self.table.destination.name.clone(), range: place(range), what: what.into() }
    }

    fn begin(&mut self, range: &RangeState) -> Result<(), DestinationError> {
        self.session.exec("beginning a chunk", "BEGIN")?;
        let sql = format!("SELECT `finished` FROM `dts`.`dtsctl_range` WHERE {} FOR UPDATE", self.range_condition(range.number));
        let mine = self.session.query("locking a range's progress", &sql)?;
        match mine.number_at(0, 0) {
            Some(0) => Ok(()),
            Some(_) => Err(DestinationError::Progress { what: format!("range {} is finished already", range.number) }),
            None => Err(DestinationError::TakenOver { task: self.destination.task.clone() }),
        }
    }

    fn load_lines(&mut self, first: Vec<u8>, feed: Feed) -> Result<(Written, ChunkEnd, Feed), DestinationError> {
        let doing = format!("loading rows into {}", self.table.destination.name);
        // The crate wants a callback it may keep; the pipe and the chunk's end come back through this slot.
        let slot: Arc<Mutex<(Option<Feed>, Option<ChunkEnd>)>> = Arc::new(Mutex::new((Some(feed), None)));
        let inner = Arc::clone(&slot);
        let mut first = Some(first);
        let outcome = self.session.load_local(&doing, &self.statement, move |out| {
            let mut slot = inner.lock().unwrap_or_else(PoisonError::into_inner);
            let (feed, end) = &mut *slot;
            let Some(feed) = feed.as_ref() else { return Err(io::Error::other("asked for the rows twice")) };
            let mut next = first.take().map(Piece::Data);
            loop {
                let piece = match next.take() {
                    Some(piece) => piece,
                    None => feed.pieces.recv().map_err(|_| io::Error::other("the reader stopped"))?,
                };
                match piece {
                    Piece::Data(buffer) => {
                        out.write_all(&buffer)?;
                        let _ = feed.empties.try_send(buffer);
                    }
                    Piece::End(chunk) => {
                        *end = Some(chunk);
                        return Ok(());
                    }
                }
            }
        });
        let (feed, end) = std::mem::take(&mut *slot.lock().unwrap_or_else(PoisonError::into_inner));
        match (outcome, end, feed) {
            (Ok(outcome), Some(end), Some(feed)) => {
                let mut written = Written { affected: outcome.affected, ..Written::default() };
                self.tally(&outcome, &mut written)?;
                Ok((written, end, feed))
            }
            // The server answered without having asked for the file: it must be a server that does not allow it any more.
            (Ok(_), None, _) | (Ok(_), _, None) => Err(DestinationError::FeedEnded { table: self.table.destination.name.clone() }),
            (Err(ConnectError::Lost { .. }), None, Some(feed))
                if feed.pieces.try_recv().is_err_and(|e| e == std::sync::mpsc::TryRecvError::Disconnected) =>
            {
                Err(DestinationError::FeedEnded { table: self.table.destination.name.clone() })
            }
            (Err(error), ..) => Err(error.into()),
        }
    }

    fn insert_tuples(&mut self, range: &RangeState, first: Vec<u8>, feed: Feed) -> Result<(Written, ChunkEnd, Feed), DestinationError> {
        let doing = format!("inserting rows into {}", self.table.destination.name);
        let mut written = Written::default();
        let packet = self.session.info().max_allowed_packet();
        let mut next = Some(Piece::Data(first));
        loop {
            let piece = match next.take() {
                Some(piece) => piece,
                None => feed.pieces.recv().map_err(|_| DestinationError::FeedEnded { table: self.table.destination.name.clone() })?,
            };
            match piece {
                Piece::Data(buffer) => {
                    let tuples = std::str::from_utf8(&buffer)
                        .map_err(|_| DestinationError::Progress { what: "an encoded row is not UTF-8".to_owned() })?;
                    // One byte says that it is a statement. A server that gets more ends the connection in the middle of it, which cannot
                    // be told from a network that broke, and would be tried again for hours.
                    let bytes = (self.statement.len() + tuples.len() + 1) as u64;
                    if bytes > packet {
                        let table = self.table.destination.name.clone();
                        return Err(DestinationError::TooLarge { table, range: place(range), bytes, packet });
                    }
                    let outcome = self.session.exec(&doing, &format!("{}{tuples}", self.statement))?;
                    written.affected += outcome.affected;
                    self.tally(&outcome, &mut written)?;
                    let _ = feed.empties.try_send(buffer);
                }
                Piece::End(end) => return Ok((written, end, feed)),
            }
        }
    }

    /// Looks at every warning of a statement.
    fn tally(&mut self, outcome: &Outcome, written: &mut Written) -> Result<(), DestinationError> {
        if outcome.warnings == 0 {
            return Ok(());
        }
        let warnings = self.session.warnings(65535)?;
        // The protocol counts no further than 65,535, and what is not seen is not believed.
        written.unseen |= outcome.warnings > warnings.len() as u64 || warnings.len() >= 65535;
        for (code, message) in warnings {
            match code {
                1062 => {
                    written.duplicates += 1;
                    let name = key_in(&message);
                    if self.key.as_deref().is_none_or(|key| bare(&name, key) != key) {
                        *written.in_the_way.entry(name).or_default() += 1;
                    }
                }
                // The name of a charset goes out of use: `_utf8mb3` on MySQL.
                1287 => {}
                // What a functional index keeps of a row, as at the source; the row itself is whole.
                3751 | 3752 => {}
                1265 if self.enums.iter().any(|name| message.contains(name)) => written.enum_errors += 1,
                _ => {
                    written.other.get_or_insert_with(|| format!("warning {code}: {message}"));
                }
            }
        }
        Ok(())
    }

    /// Every row arrived, and none changed on the way. `LOAD DATA LOCAL` and `INSERT IGNORE` turn errors into warnings, so a single
    /// warning that is not a row skipped by permission, or the error value of an ENUM that was sent as such, fails the chunk.
    fn check(&self, range: &RangeState, written: &Written, end: &ChunkEnd) -> Result<(), DestinationError> {
        let skipped = end.rows.saturating_sub(written.affected);
        let replaced = self.replaced(written, end);
        let may_skip = self.table.keep_existing;
        if let Some(other) = &written.other {
            return Err(self.not_exact(range, other));
        }
        if written.unseen {
            return Err(self.not_exact(range, "more warnings than can be looked at"));
        }
        if written.enum_errors != end.odd_values && !(may_skip && written.enum_errors < end.odd_values) {
            return Err(self.not_exact(range, "a name is no member of an ENUM of the destination"));
        }
        if skipped > 0 && !may_skip {
            return Err(self.not_exact(
                range,
                format!("{skipped} of {} rows are there already or collide under a unique key of the destination", end.rows),
            ));
        }
        // Skipping it in silence would lose it: the row that is kept has another key. Counting the rows of the range would not tell, since
        // the destination may have rows in it that the source has not. Servers look at the primary key first, and at the others after it.
        if may_skip && let Some(name) = written.in_the_way.keys().next() {
            let rows: u64 = written.in_the_way.values().sum();
            let what =
                format!("{rows} of {} rows collide with another row of the destination under a unique key: {}", end.rows, self.named(name));
            return Err(self.not_exact(range, what));
        }
        if written.affected - replaced > end.rows || skipped != written.duplicates {
            let (affected, duplicates) = (written.affected, written.duplicates);
            return Err(self.not_exact(range, format!("{} rows read, {affected} written, {duplicates} skipped", end.rows)));
        }
        Ok(())
    }

    /// A unique key with its columns, for people.
    fn named(&self, key: &str) -> String {
        let table = &self.table.destination;
        let Some(key) = table.keys.iter().find(|k| k.unique && bare(key, &k.name) == k.name) else { return key.to_owned() };
        let column = |c: Option<usize>| c.map_or("an expression", |c| &table.columns[c].name);
        format!("{} ({})", key.name, key.parts.iter().map(|p| column(p.column)).collect::<Vec<_>>().join(", "))
    }

    /// Both servers count a row that REPLACE put in the place of others as one more for each of these (seen on 9.7.4 and 10.11.19).
    fn replaced(&self, written: &Written, end: &ChunkEnd) -> u64 {
        if self.table.newer_wins { written.affected.saturating_sub(end.rows) } else { 0 }
    }

    fn count(&mut self, range: &RangeState, end: &ChunkEnd) -> Result<u64, DestinationError> {
        let span = match range.rest() {
            KeyRange::Between { after, upto } => KeyRange::Between { after, upto: end.last.clone().or(upto) },
            other => other,
        };
        let condition = self.order.as_ref().map_or_else(String::new, |order| order.where_clause(&span));
        let sql = format!("SELECT COUNT(*) FROM {}{condition}", self.table.destination.name.quoted());
        let rows = self.session.query(&format!("counting rows of {}", self.table.destination.name), &sql)?;
        Ok(rows.number_at(0, 0).unwrap_or(0))
    }

    fn advance(&mut self, range: &RangeState, end: &ChunkEnd, [written, found, replaced]: [u64; 3]) -> Result<(), DestinationError> {
        if let Some(position) = &end.start_position {
            progress::note_start_position(&mut self.session, &self.destination.task, &self.table.source.name, position)?;
        }
        let cursor = end.last.as_ref().map_or_else(String::new, |edge| format!("`cursor_key` = '{}', ", edge.to_text()));
        let sql = format!(
            "UPDATE `dts`.`dtsctl_range` SET {cursor}`chunks` = `chunks` + 1, `rows_read` = `rows_read` + {}, \
             `rows_written` = `rows_written` + {written}, `rows_found` = `rows_found` + {found}, \
             `rows_replaced` = `rows_replaced` + {replaced}, `bytes` = `bytes` + {}, \
             `finished` = {} WHERE {}",
            end.rows,
            end.bytes,
            u8::from(end.finishes_range),
            self.range_condition(range.number)
        );
        let outcome = self.session.exec("noting a chunk", &sql)?;
        if outcome.affected != 1 {
            return Err(DestinationError::TakenOver { task: self.destination.task.clone() });
        }
        Ok(())
    }
}

impl Loader for MySqlLoader<'_> {
    fn most_odd(&self) -> u64 {
        // A row may come with more than one.
        (self.most_warnings / 2).max(1)
    }

    fn load(&mut self, range: &RangeState, feed: Feed) -> Result<(Option<Loaded>, Feed), DestinationError> {
        let Ok(first) = feed.pieces.recv() else { return Ok((None, feed)) };
        self.begin(range)?;
        self.moment("chunk-begun");
        let (written, end, feed) = match first {
            Piece::End(end) => (Written::default(), end, feed),
            Piece::Data(first) => match self.destination.method {
                WriteMethod::LoadData => self.load_lines(first, feed)?,
                WriteMethod::Insert => self.insert_tuples(range, first, feed)?,
            },
        };
        self.moment("chunk-loaded");
        self.check(range, &written, &end)?;
        let found = if end.rows == 0 { 0 } else { self.count(range, &end)? };
        // Rows of this very chunk may be among those replaced, if it was read by more than one statement.
        let replaced = self.replaced(&written, &end);
        let exact = if self.table.keep_existing { found >= end.rows } else { found <= end.rows && found + replaced >= end.rows };
        if !exact && self.table.keep_existing {
            // Skipping them in silence would lose them: no row of their key is at the destination.
            let lost = end.rows - found;
            let what = format!("{lost} of {} rows collide with another row of the destination under a unique key", end.rows);
            return Err(self.not_exact(range, what));
        }
        let rows = written.affected - replaced;
        if !exact {
            return Err(self.not_exact(range, format!("{} rows read, {rows} written, {found} found", end.rows)));
        }
        self.advance(range, &end, [rows, found, replaced])?;
        self.moment("chunk-noted");
        self.session.exec("committing a chunk", "COMMIT")?;
        self.moment("chunk-committed");
        Ok((Some(Loaded { end, written: rows, found, replaced }), feed))
    }
}

/// A key's name as a warning has it, without the table's name that MySQL puts before it, when it is this key's.
fn bare<'m>(named: &'m str, key: &str) -> &'m str {
    named.strip_suffix(key).filter(|table| table.ends_with('.')).map_or(named, |table| &named[table.len()..])
}

/// Where in a table, for people.
fn place(range: &RangeState) -> String {
    format!("range {} after {} rows", range.number, range.read)
}

fn column_list(table: &CopyTable, each: impl Fn(usize, &str) -> String) -> String {
    let parts: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, &(_, d))| {
            let column = &table.destination.columns[d];
            each(i, &quote_name(&column.name))
        })
        .collect();
    parts.join(", ")
}

/// The charset by which a column's bytes are read before they are stored, for columns that cannot take them as they are: JSON refuses
/// binary strings (error 3144), MariaDB's INET4, INET6 and UUID take them for their packed form (seen on 10.11.19), and a text column of
/// another charset would take them for its own. Such columns go through a variable.
fn read_as(table: &CopyTable, copied: usize) -> Option<&str> {
    match table.destination.columns[table.columns[copied].1].kind {
        TypeKind::Json | TypeKind::NamedText => Some(table.source_charset(copied)),
        _ => table.converts_from(copied),
    }
}

/// `CHARACTER SET binary` stores the bytes as they are in a column of any charset.
///
/// Where there is a SET, both servers forget that a value was given to the AUTO_INCREMENT column, unless it is in the SET too: a 0 would become
/// the next number, `NO_AUTO_VALUE_ON_ZERO` or not (seen on 10.11.18; `fill_record` in `sql_base.cc`).
fn load_statement(table: &CopyTable) -> String {
    let count = table.columns.len();
    let any = (0..count).any(|i| read_as(table, i).is_some());
    let numbered = |i: usize| any && table.destination.columns[table.columns[i].1].auto_increment;
    let columns = column_list(table, |i, name| if read_as(table, i).is_some() || numbered(i) { format!("@v{i}") } else { name.to_owned() });
    let set: Vec<String> = (0..count)
        .filter_map(|i| {
            let name = quote_name(&table.destination.columns[table.columns[i].1].name);
            match read_as(table, i) {
                Some(charset) => Some(format!("{name} = CONVERT(@v{i} USING {charset})")),
                None => numbered(i).then(|| format!("{name} = @v{i}")),
            }
        })
        .collect();
    let set = if set.is_empty() { String::new() } else { format!(" SET {}", set.join(", ")) };
    format!(
        "LOAD DATA LOCAL INFILE 'dtsctl'{} INTO TABLE {} CHARACTER SET binary FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' \
         LINES TERMINATED BY '\\n' ({columns}){set}",
        rivals(table),
        table.destination.name.quoted()
    )
}

/// What happens to a row that another is in the way of.
fn rivals(table: &CopyTable) -> &'static str {
    match (table.keep_existing, table.newer_wins) {
        (true, _) => " IGNORE",
        (false, true) => " REPLACE",
        (false, false) => "",
    }
}

fn insert_head(table: &CopyTable) -> String {
    format!(
        "{} INTO {} ({}) VALUES ",
        match rivals(table) {
            " REPLACE" => "REPLACE",
            " IGNORE" => "INSERT IGNORE",
            _ => "INSERT",
        },
        table.destination.name.quoted(),
        column_list(table, |_, name| name.to_owned())
    )
}
