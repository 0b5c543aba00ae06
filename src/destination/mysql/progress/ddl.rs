//! The ledger of DDL statements (`dtsctl_ddl`) and the head of the schema history (`dtsctl_schema`).
//!
//! A statement is known by its origin, the GTID of its transaction or else the place where that begins, and by its part in it. Every
//! write here locks the task's row and asks for the run number first: a run that was replaced can write nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::literal;
use crate::{
    catalog::{Table, TableName},
    connect::{Rows, Session},
    destination::DestinationError,
};

/// How far a statement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DdlState {
    /// It is about to run, or was when the run ended.
    Intent,
    /// It ran.
    Done,
    /// The destination refused it and the task went on.
    Failed,
    /// It is not carried.
    Skipped,
    /// It is about a shadow table and runs on the original when that is renamed.
    Held,
}

impl DdlState {
    fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Held => "held",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Intent, Self::Done, Self::Failed, Self::Skipped, Self::Held].into_iter().find(|s| s.name() == name)
    }
}

/// Where a statement came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// GTID, or `file:offset` of the transaction's begin.
    pub text: String,
    /// Which of its transaction's statements, from 0.
    pub part: u32,
}

/// What a statement's tables were like before it, by their names at the destination as `database.table`: a digest of the definition,
/// `None` where there was no such table; and the engine's own numbers of them, where the account may see those.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// Digests of definitions.
    pub definitions: BTreeMap<String, Option<String>>,
    /// InnoDB's table ids: a table keeps its own when it is renamed or exchanged.
    pub ids: BTreeMap<String, Vec<u64>>,
    /// The definitions themselves: what the columns are after it is told from what they were.
    pub tables: BTreeMap<String, Table>,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct DdlRow {
    /// Where it came from.
    pub origin: Origin,
    /// How far it has come.
    pub state: DdlState,
    /// In words: `ALTER TABLE`.
    pub class: String,
    /// What it is about, by source names.
    pub object: Option<String>,
    /// Where its event begins, with the GTID.
    pub place: String,
    /// Default database at the source.
    pub default_database: String,
    /// Its text at the source; never that of a statement about accounts.
    pub statement: Option<String>,
    /// What was sent to the destination.
    pub sent: Option<String>,
    /// What a statement that is held back needs to run later, as JSON.
    pub context: Option<String>,
    /// What the destination was like before it.
    pub before: Option<Before>,
    /// The server's answer, or why it was skipped.
    pub error: Option<String>,
    /// Seconds since 1970 at the source.
    pub seconds: u32,
}

/// A followed table in the schema history's head.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaRow {
    /// Its name at the source.
    pub source: TableName,
    /// The full copy brought its rows.
    pub copied: bool,
    /// Its definition at the source, `None` where only a doubt is known.
    pub definition: Option<Table>,
    /// A statement about it that failed.
    pub doubt: Option<String>,
}

/// A change of the schema history, and of what the copy's progress calls the table.
#[derive(Debug, Clone)]
pub enum SchemaChange {
    /// It is this now.
    Set {
        /// The row.
        row: Box<SchemaRow>,
        /// The destination table it is written to.
        destination: TableName,
        /// It came with this statement: this task made it, and there is nothing to copy.
        made: bool,
    },
    /// It bears another name; its ranges go with it.
    Renamed {
        /// Its former name at the source.
        from: TableName,
        /// Its new one.
        to: TableName,
        /// Its new name at the destination.
        destination: TableName,
    },
    /// It is gone.
    Gone(TableName),
    /// A statement about it failed.
    Doubt(TableName, String),
}

/// The ledger of one task.
#[derive(Debug, Clone)]
pub struct Ledger {
    task: String,
    run: u64,
}

const COLUMNS: &str = "`origin`, `part`, `state`, `class`, `object`, `place`, `default_database`, `statement`, `sent`, `before_it`, `error`, \
                       `source_seconds`, `context`";

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("strings, numbers and lists")
}

impl Ledger {
    /// For a task and the run that has it.
    pub fn new(task: &str, run: u64) -> Self {
        Self { task: task.to_owned(), run }
    }

    fn mine(&self) -> String {
        format!("`task` = {}", literal(&self.task))
    }

    /// Runs `work` in a transaction that holds the task's row.
    fn fenced<T>(
        &self,
        session: &mut Session,
        work: impl FnOnce(&mut Session) -> Result<T, DestinationError>,
    ) -> Result<T, DestinationError> {
        session.exec("writing the ledger", "BEGIN")?;
        let result = self.is_mine(session).and_then(|()| work(session));
        match &result {
            Ok(_) => session.exec("writing the ledger", "COMMIT").map(drop)?,
            Err(_) => drop(session.exec("writing the ledger", "ROLLBACK")),
        }
        result
    }

    fn is_mine(&self, session: &mut Session) -> Result<(), DestinationError> {
        let run = session.query(
            "looking whose the task is",
            &format!("SELECT `run` FROM `dts`.`dtsctl_task` WHERE `name` = {} FOR UPDATE", literal(&self.task)),
        )?;
        if run.number_at(0, 0) == Some(self.run) { Ok(()) } else { Err(DestinationError::TakenOver { task: self.task.clone() }) }
    }

    /// What is known of a statement.
    ///
    /// # Errors
    /// As the connection fails, or what is there cannot be read.
    pub fn find(&self, session: &mut Session, origin: &Origin) -> Result<Option<DdlRow>, DestinationError> {
        let rows = session.query(
            "looking into the ledger",
            &format!(
                "SELECT {COLUMNS} FROM `dts`.`dtsctl_ddl` WHERE {} AND `origin` = {} AND `part` = {}",
                self.mine(),
                literal(&origin.text),
                origin.part
            ),
        )?;
        if rows.is_empty() { Ok(None) } else { row_of(&rows, 0).map(Some) }
    }

    /// Notes a statement, whatever was noted of it before.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    pub fn note(&self, session: &mut Session, row: &DdlRow) -> Result<(), DestinationError> {
        self.fenced(session, |session| self.put(session, row))
    }

    /// Notes what became of a statement together with the definitions after it.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    pub fn finish(&self, session: &mut Session, row: &DdlRow, changes: &[SchemaChange]) -> Result<(), DestinationError> {
        self.fenced(session, |session| {
            self.put(session, row)?;
            changes.iter().try_for_each(|change| self.change(session, change))
        })
    }

    /// Forgets an intent that came to nothing: the statement did not run. One that was held back is held back again.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    pub fn forget_intent(&self, session: &mut Session, origin: &Origin) -> Result<(), DestinationError> {
        let mine = format!("{} AND `origin` = {} AND `part` = {} AND `state` = 'intent'", self.mine(), literal(&origin.text), origin.part);
        self.fenced(session, |session| {
            for sql in [
                format!("UPDATE `dts`.`dtsctl_ddl` SET `state` = 'held', `before_it` = NULL WHERE {mine} AND `context` IS NOT NULL"),
                format!("DELETE FROM `dts`.`dtsctl_ddl` WHERE {mine}"),
            ] {
                session.exec("writing the ledger", &sql)?;
            }
            Ok(())
        })
    }

    /// Statements that were held back for a shadow table and have not run on the original yet, oldest first.
    ///
    /// # Errors
    /// As [`Ledger::find`].
    pub fn held(&self, session: &mut Session, object: &str) -> Result<Vec<DdlRow>, DestinationError> {
        let rows = session.query(
            "looking into the ledger",
            &format!(
                "SELECT {COLUMNS} FROM `dts`.`dtsctl_ddl` WHERE {} AND `object` = {} AND `context` IS NOT NULL \
                 AND `state` IN ('held', 'intent') ORDER BY `number`",
                self.mine(),
                literal(object)
            ),
        )?;
        (0..rows.len()).map(|r| row_of(&rows, r)).collect()
    }

    /// Forgets statements that were held back for a shadow table that is gone or is made anew.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    pub fn release(&self, session: &mut Session, object: &str) -> Result<(), DestinationError> {
        self.fenced(session, |session| {
            session.exec(
                "writing the ledger",
                &format!(
                    "UPDATE `dts`.`dtsctl_ddl` SET `state` = 'skipped' WHERE {} AND `state` = 'held' AND `object` = {}",
                    self.mine(),
                    literal(object)
                ),
            )?;
            Ok(())
        })
    }

    fn put(&self, session: &mut Session, row: &DdlRow) -> Result<(), DestinationError> {
        let ended = if row.state == DdlState::Intent { "NULL" } else { "UTC_TIMESTAMP(6)" };
        session.exec(
            "writing the ledger",
            &format!(
                "INSERT INTO `dts`.`dtsctl_ddl` (`task`, {COLUMNS}, `run`, `begun_at`, `ended_at`) \
                 VALUES ({}, {}, {}, '{}', {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, UTC_TIMESTAMP(6), {ended}) \
                 ON DUPLICATE KEY UPDATE `state` = VALUES(`state`), `sent` = VALUES(`sent`), `before_it` = VALUES(`before_it`), \
                 `error` = VALUES(`error`), `run` = VALUES(`run`), `ended_at` = VALUES(`ended_at`)",
                literal(&self.task),
                literal(&row.origin.text),
                row.origin.part,
                row.state.name(),
                literal(&cut(&row.class, 40)),
                optional(row.object.as_deref().map(|o| cut(o, 300)).as_deref()),
                literal(&row.place),
                literal(&row.default_database),
                optional(row.statement.as_deref()),
                optional(row.sent.as_deref()),
                optional(row.before.as_ref().map(json).as_deref()),
                optional(row.error.as_deref()),
                row.seconds,
                optional(row.context.as_deref()),
                self.run,
            ),
        )?;
        Ok(())
    }

    fn change(&self, session: &mut Session, change: &SchemaChange) -> Result<(), DestinationError> {
        let exec = |session: &mut Session, sql: String| session.exec("writing the schema history", &sql).map(drop);
        match change {
            SchemaChange::Set { row, destination, made } => {
                self.put_schema(session, row)?;
                if *made {
                    exec(
                        session,
                        format!(
                            "REPLACE INTO `dts`.`dtsctl_table` (`task`, `source_database`, `source_table`, `destination_database`, \
                             `destination_table`, `created_here`, `copied`) VALUES ({}, {}, {}, {}, {}, 1, 1)",
                            literal(&self.task),
                            literal(&row.source.database),
                            literal(&row.source.table),
                            literal(&destination.database),
                            literal(&destination.table),
                        ),
                    )?;
                }
            }
            SchemaChange::Renamed { from, to, destination } => {
                self.forget_table(session, to)?;
                let names = format!(
                    "`source_database` = {}, `source_table` = {} WHERE {}",
                    literal(&to.database),
                    literal(&to.table),
                    super::table_condition(&self.task, from)
                );
                exec(session, format!("UPDATE `dts`.`dtsctl_schema` SET {names}"))?;
                exec(session, format!("UPDATE `dts`.`dtsctl_range` SET {names}"))?;
                let at = format!(
                    "`destination_database` = {}, `destination_table` = {}",
                    literal(&destination.database),
                    literal(&destination.table)
                );
                exec(session, format!("UPDATE `dts`.`dtsctl_table` SET {at}, {names}"))?;
            }
            SchemaChange::Gone(source) => self.forget_table(session, source)?,
            SchemaChange::Doubt(source, text) => {
                exec(
                    session,
                    format!(
                        "INSERT INTO `dts`.`dtsctl_schema` (`task`, `source_database`, `source_table`, `copied`, `doubt`) \
                         VALUES ({}, {}, {}, 0, {}) ON DUPLICATE KEY UPDATE `doubt` = VALUES(`doubt`)",
                        literal(&self.task),
                        literal(&source.database),
                        literal(&source.table),
                        literal(text)
                    ),
                )?;
            }
        }
        Ok(())
    }

    fn forget_table(&self, session: &mut Session, source: &TableName) -> Result<(), DestinationError> {
        let condition = super::table_condition(&self.task, source);
        for table in ["dtsctl_schema", "dtsctl_range", "dtsctl_table"] {
            session.exec("writing the schema history", &format!("DELETE FROM `dts`.`{table}` WHERE {condition}"))?;
        }
        Ok(())
    }

    fn put_schema(&self, session: &mut Session, row: &SchemaRow) -> Result<(), DestinationError> {
        session.exec(
            "writing the schema history",
            &format!(
                "REPLACE INTO `dts`.`dtsctl_schema` (`task`, `source_database`, `source_table`, `copied`, `definition`, `doubt`) \
                 VALUES ({}, {}, {}, {}, {}, {})",
                literal(&self.task),
                literal(&row.source.database),
                literal(&row.source.table),
                u8::from(row.copied),
                optional(row.definition.as_ref().map(json).as_deref()),
                optional(row.doubt.as_deref()),
            ),
        )?;
        Ok(())
    }

    /// Begins the schema history with the definitions at the snapshot. What a run had noted that was killed before it noted the position of
    /// its snapshot goes.
    ///
    /// # Errors
    /// [`DestinationError::TakenOver`], or as the connection fails.
    pub fn begin_schema(&self, session: &mut Session, rows: &[SchemaRow]) -> Result<(), DestinationError> {
        self.fenced(session, |session| {
            // Deleting nothing would lock the gap in which another task wants to write.
            let begun = session
                .query("looking into the schema history", &format!("SELECT COUNT(*) FROM `dts`.`dtsctl_schema` WHERE {}", self.mine()))?;
            if begun.number_at(0, 0) != Some(0) {
                session.exec("beginning the schema history", &format!("DELETE FROM `dts`.`dtsctl_schema` WHERE {}", self.mine()))?;
            }
            rows.iter().try_for_each(|row| self.put_schema(session, row))
        })
    }

    /// The definitions at the applied position; empty before [`Ledger::begin_schema`].
    ///
    /// # Errors
    /// As the connection fails, or what is there cannot be read.
    pub fn schema(&self, session: &mut Session) -> Result<Vec<SchemaRow>, DestinationError> {
        let rows = session.query(
            "reading the schema history",
            &format!(
                "SELECT `source_database`, `source_table`, `copied`, `definition`, `doubt` FROM `dts`.`dtsctl_schema` WHERE {} ORDER BY 1, 2",
                self.mine()
            ),
        )?;
        (0..rows.len())
            .map(|r| {
                let source = TableName::new(rows.text_at(r, 0).unwrap_or_default(), rows.text_at(r, 1).unwrap_or_default());
                let definition = rows.text_at(r, 3).map(|text| serde_json::from_str(&text)).transpose();
                Ok(SchemaRow {
                    copied: rows.number_at(r, 2) == Some(1),
                    definition: definition
                        .map_err(|e| DestinationError::Progress { what: format!("the schema history of {source} is not readable: {e}") })?,
                    doubt: rows.text_at(r, 4),
                    source,
                })
            })
            .collect()
    }
}

fn row_of(rows: &Rows, r: usize) -> Result<DdlRow, DestinationError> {
    let text = |column: usize| rows.text_at(r, column);
    let origin = Origin { text: text(0).unwrap_or_default(), part: rows.number_at(r, 1).and_then(|n| u32::try_from(n).ok()).unwrap_or(0) };
    let broken = |what: &str| DestinationError::Progress { what: format!("the ledger's row of {}: {what}", origin.text) };
    let before = text(9).map(|json| serde_json::from_str(&json)).transpose().map_err(|_| broken("what was before it is not readable"))?;
    Ok(DdlRow {
        state: text(2).and_then(|name| DdlState::of(&name)).ok_or_else(|| broken("unknown state"))?,
        class: text(3).unwrap_or_default(),
        object: text(4),
        place: text(5).unwrap_or_default(),
        default_database: text(6).unwrap_or_default(),
        statement: text(7),
        sent: text(8),
        before,
        error: text(10),
        context: text(12),
        seconds: rows.number_at(r, 11).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        origin,
    })
}
