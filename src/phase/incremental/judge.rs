//! Which changes of a filtered table are carried: the source's server judges the rows' images, as it judged the rows of the copy.
//!
//! A session at the source has a temporary table for each filtered table, in the table's own database: the columns that the condition
//! names, defined as at that place of the binlog (NOT NULL included: `d IS NULL` finds '0000-00-00' in a DATE that is NOT NULL), and a number.
//! Images are put in, and the numbers of those that meet the condition come back. Values that occur twice are asked once. Under ROW
//! format nothing of temporary tables is in the binlog (`tests/follow/filter.rs` looks). A session that is lost is opened again with new
//! tables: nothing in it outlives a question.
//!
//! The hard idea: changes are judged before they are folded. What comes out is the stream of changes of a table that holds the chosen
//! rows alone, so that all behind it, keyless tables and large transactions included, need not know of conditions.

use std::collections::HashMap;

use super::followed::Followed;
use crate::{
    binlog::Image,
    catalog::{Table, TableName, quote_name},
    connect::{ConnectError, Login, Purpose, Session},
    ddl::condition::{Filter, FilterOn},
    destination::{change::RowChange, mysql::ImageLiterals},
};

/// Most bytes of one INSERT, unless a single row has more.
const STATEMENT: u64 = 1 << 20;

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub(super) enum JudgeError {
    /// The source failed.
    #[error(transparent)]
    Source(#[from] ConnectError),
    /// A value cannot be asked about.
    #[error("{0}")]
    Cannot(String),
}

/// Asks the source.
pub(super) struct Judge<'a> {
    login: &'a Login,
    asking: Option<Asking>,
}

/// A session and what was made in it.
struct Asking {
    session: Session,
    made: HashMap<TableName, Made>,
    numbers: u32,
}

struct Made {
    columns: String,
    table: String,
}

/// What is asked in one go: each tuple of values once.
#[derive(Default)]
struct Question {
    tuples: Vec<(Vec<u8>, u64)>,
    known: HashMap<Vec<u8>, usize>,
}

impl Question {
    fn add(&mut self, literals: &mut ImageLiterals, image: &Image) -> Result<usize, JudgeError> {
        let mut tuple = Vec::new();
        literals.write(&mut tuple, image).map_err(JudgeError::Cannot)?;
        let odd = literals.take_odd_values();
        if let Some(&number) = self.known.get(&tuple) {
            return Ok(number);
        }
        let number = self.tuples.len();
        self.known.insert(tuple.clone(), number);
        self.tuples.push((tuple, odd));
        Ok(number)
    }
}

impl<'a> Judge<'a> {
    pub(super) fn new(login: &'a Login) -> Self {
        Self { login, asking: None }
    }

    /// The changes that are carried, as they are carried. All of them where the table has no filter.
    ///
    /// # Errors
    /// [`JudgeError`].
    pub(super) fn keep(&mut self, table: &Followed, changes: Vec<RowChange>) -> Result<Vec<RowChange>, JudgeError> {
        let Some(filter) = table.copy.filter.as_ref().filter(|_| !changes.is_empty()) else { return Ok(changes) };
        let source = &table.copy.source;
        let columns: Vec<usize> = (0..source.columns.len()).filter(|&c| filter.condition.names(&source.columns[c].name)).collect();
        let packet = self.asking()?.session.info().max_allowed_packet();
        let mut literals = ImageLiterals::new(source, &columns, packet);
        let mut question = Question::default();
        let mut numbers = Vec::with_capacity(changes.len());
        for change in &changes {
            numbers.push(match change {
                RowChange::Insert(image) | RowChange::Delete(image) => {
                    let number = question.add(&mut literals, image)?;
                    (number, number)
                }
                RowChange::Update { before, after } => {
                    let number = question.add(&mut literals, before)?;
                    let same = columns.iter().all(|&c| before.cell(c) == after.cell(c));
                    (number, if same { number } else { question.add(&mut literals, after)? })
                }
            });
        }
        let met = match self.ask(source, filter, &columns, &question) {
            // Nothing but time is lost with a session that was idle for too long.
            Err(JudgeError::Source(error)) if error.is_connection() => {
                self.asking = None;
                self.ask(source, filter, &columns, &question)
            }
            other => other,
        }?;
        let judged =
            changes.into_iter().zip(numbers).filter_map(|(change, (before, after))| carried(change, filter.on, met[before], met[after]));
        Ok(judged.collect())
    }

    fn asking(&mut self) -> Result<&mut Asking, ConnectError> {
        Ok(match &mut self.asking {
            Some(asking) => asking,
            none => {
                let session = Session::open(self.login, Purpose::Read)?;
                none.insert(Asking { session, made: HashMap::new(), numbers: 0 })
            }
        })
    }

    /// Which of the tuples meet the condition.
    fn ask(&mut self, source: &Table, filter: &Filter, columns: &[usize], question: &Question) -> Result<Vec<bool>, JudgeError> {
        let doing = format!("judging rows of {} by `where`", source.name);
        let asking = self.asking()?;
        let table = asking.table(&doing, source, columns)?;
        let session = &mut asking.session;
        let packet = session.info().max_allowed_packet();
        session.exec(&doing, &format!("DELETE FROM {table}"))?;
        let limit = usize::try_from(STATEMENT.min(packet / 4)).unwrap_or(usize::MAX);
        let head = format!("INSERT INTO {table} VALUES ");
        let mut sql = head.clone().into_bytes();
        let (mut rows, mut odd) = (0, 0);
        for (number, (tuple, odd_values)) in question.tuples.iter().enumerate() {
            sql.extend_from_slice(if rows == 0 { b"(" } else { b",(" });
            sql.extend_from_slice(number.to_string().as_bytes());
            if !tuple.is_empty() {
                sql.push(b',');
            }
            sql.extend_from_slice(tuple);
            sql.push(b')');
            rows += 1;
            odd += odd_values;
            if sql.len() < limit && number + 1 < question.tuples.len() {
                continue;
            }
            if sql.len() as u64 + 256 > packet {
                let bytes = sql.len();
                return Err(JudgeError::Cannot(format!(
                    "a row's values that `where` names take a statement of {bytes} bytes, and max_allowed_packet of the source is {packet}"
                )));
            }
            let text = String::from_utf8(std::mem::replace(&mut sql, head.clone().into_bytes()));
            let text = text.map_err(|_| JudgeError::Cannot("an encoded row is not UTF-8".to_owned()))?;
            let outcome = session.exec(&doing, &text)?;
            if outcome.affected != rows || outcome.warnings > odd {
                let told = session.warnings(1)?.pop().map_or_else(String::new, |(code, message)| format!(": warning {code}: {message}"));
                return Err(JudgeError::Cannot(format!("the source did not take a row's values back as they were{told}")));
            }
            (rows, odd) = (0, 0);
        }
        let mut met = vec![false; question.tuples.len()];
        let mut strange = false;
        session.stream(&doing, &format!("SELECT {NUMBER} FROM {table} WHERE {}", filter.condition.sql()), |row| {
            let number = row.get(0).and_then(|text| std::str::from_utf8(text).ok()?.parse::<usize>().ok());
            match number.and_then(|number| met.get_mut(number)) {
                Some(met) => *met = true,
                None => strange = true,
            }
            true
        })?;
        if strange {
            return Err(JudgeError::Cannot("the source answered with a row that was not asked about".to_owned()));
        }
        Ok(met)
    }
}

/// The column with the tuple's number. No column of a table that is followed is called so.
const NUMBER: &str = "`dtsctl where number`";

impl Asking {
    /// The temporary table for the columns as they are defined now.
    fn table(&mut self, doing: &str, source: &Table, columns: &[usize]) -> Result<String, JudgeError> {
        let mut definitions = format!("{NUMBER} INT UNSIGNED NOT NULL PRIMARY KEY");
        for &column in columns {
            let column = &source.columns[column];
            definitions.push_str(&format!(", {} {}", quote_name(&column.name), column.column_type));
            if let (Some(charset), Some(collation)) = (&column.charset, &column.collation) {
                definitions.push_str(&format!(" CHARACTER SET {charset} COLLATE {collation}"));
            }
            definitions.push_str(if column.nullable { " NULL" } else { " NOT NULL" });
        }
        if let Some(made) = self.made.get(&source.name) {
            if made.columns == definitions {
                return Ok(made.table.clone());
            }
            self.session.exec(doing, &format!("DROP TEMPORARY TABLE {}", made.table))?;
            self.made.remove(&source.name);
        }
        self.numbers += 1;
        let table = TableName::new(source.name.database.clone(), format!("dtsctl_where_{}", self.numbers)).quoted();
        self.session.exec(doing, &format!("CREATE TEMPORARY TABLE {table} ({definitions}) ENGINE=InnoDB"))?;
        self.made.insert(source.name.clone(), Made { columns: definitions, table: table.clone() });
        Ok(table)
    }
}

/// What becomes of a change of which the row before and the row after are in or out (requirements 2.4).
fn carried(change: RowChange, on: FilterOn, before_in: bool, after_in: bool) -> Option<RowChange> {
    match (change, before_in, after_in) {
        (RowChange::Update { before, .. }, true, false) => Some(RowChange::Delete(before)),
        (RowChange::Update { after, .. }, false, true) => (on == FilterOn::RowImage).then_some(RowChange::Insert(after)),
        (change, true, true) => Some(change),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase::incremental::testing::row;

    #[test]
    fn a_row_that_leaves_is_deleted_and_one_that_enters_inserted() {
        let (a, b) = (row(1, Some("a"), 1), row(1, Some("b"), 1));
        let update = || RowChange::Update { before: a.clone(), after: b.clone() };
        for on in [FilterOn::RowImage, FilterOn::PreImage] {
            assert_eq!(carried(update(), on, true, true), Some(update()));
            assert_eq!(carried(update(), on, true, false), Some(RowChange::Delete(a.clone())));
            assert_eq!(carried(update(), on, false, false), None);
            assert_eq!(carried(RowChange::Insert(a.clone()), on, true, true), Some(RowChange::Insert(a.clone())));
            assert_eq!(carried(RowChange::Insert(a.clone()), on, false, false), None);
            assert_eq!(carried(RowChange::Delete(a.clone()), on, true, true), Some(RowChange::Delete(a.clone())));
            assert_eq!(carried(RowChange::Delete(a.clone()), on, false, false), None);
        }
        assert_eq!(carried(update(), FilterOn::RowImage, false, true), Some(RowChange::Insert(b.clone())));
        assert_eq!(carried(update(), FilterOn::PreImage, false, true), None);
    }
}
