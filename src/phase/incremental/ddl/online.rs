//! Tools for online schema changes whose tables are not carried (`online_ddl.mode: gh-ost`, requirements 2.8).
//!
//! Such a tool makes a shadow of a table, alters the shadow, fills it, and swaps the two by one RENAME. Here an ALTER of the shadow is held
//! back in the ledger; at the swap it runs on the original. The rows of the shadow are never carried: those of the original are there.

use serde::{Deserialize, Serialize};

use super::{
    Carried, DdlError, Occurrence,
    carrier::{Carrier, place},
    decide::Stop,
    reading::Read,
};
use crate::{
    binlog::{Begin, Place, Statement},
    catalog::TableName,
    ddl::{
        lex::{self, Kind},
        statement::{Edit, NameKind, apply},
    },
    destination::mysql::ddl::{DdlRow, DdlState},
    event::DdlOutcome,
    phase::incremental::history::History,
};

/// What a statement that is held back needs to run as if it came now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Context {
    place: Place,
    sql_mode: u64,
    collation_connection: u16,
    collation_server: u16,
    collation_utf8mb4: Option<u16>,
    explicit_defaults_for_timestamp: Option<bool>,
    seconds: u32,
    microseconds: Option<u32>,
    time_zone: Option<String>,
}

impl Context {
    fn of(statement: &Statement) -> Self {
        Self {
            place: statement.place.clone(),
            sql_mode: statement.sql_mode,
            collation_connection: statement.collation_connection,
            collation_server: statement.collation_server,
            collation_utf8mb4: statement.collation_utf8mb4,
            explicit_defaults_for_timestamp: statement.explicit_defaults_for_timestamp,
            seconds: statement.seconds,
            microseconds: statement.microseconds,
            time_zone: statement.time_zone.clone(),
        }
    }

    fn statement(self, text: String, database: &str, utf8mb4: u16) -> Statement {
        Statement {
            place: self.place,
            text: text.into_bytes(),
            alone: true,
            database: database.to_owned(),
            sql_mode: self.sql_mode,
            charset_client: utf8mb4,
            collation_connection: self.collation_connection,
            collation_server: self.collation_server,
            collation_database: None,
            collation_utf8mb4: self.collation_utf8mb4,
            explicit_defaults_for_timestamp: self.explicit_defaults_for_timestamp,
            foreign_key_checks: false,
            error: 0,
            seconds: self.seconds,
            microseconds: self.microseconds,
            time_zone: self.time_zone,
            databases: Vec::new(),
        }
    }
}

impl Carrier {
    /// Holds a statement about a shadow table back, written for the original.
    pub(super) fn hold(&mut self, at: Occurrence<'_>, read: &Read, shadow: &TableName) -> Result<Carried, DdlError> {
        let names = self.settings.names.clone();
        let Some(original) = names.shadow_of(shadow) else { return Ok(Carried::Skipped) };
        let tokens = lex::significant(&read.text, read.mode);
        let now = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP", "CURDATE", "CURRENT_DATE", "UTC_TIMESTAMP"];
        let timed = tokens.iter().any(|t| t.kind == Kind::Word && now.iter().any(|w| t.is_word(&read.text, w)));
        if timed || read.classified.has(crate::ddl::statement::Trouble::Numbers) {
            return Err(self.stop(
                at,
                &format!("{} {shadow}", read.classified.class.words()),
                Stop {
                    code: "ddl-not-repeatable",
                    reason: "the tool fills the column row by row as it copies, and the original could not be filled alike".to_owned(),
                    hint: "use online_ddl.mode copy for such a change, with the whole database selected; or `dtsctl apply --restart`"
                        .to_owned(),
                },
            ));
        }
        let edits: Vec<Edit> =
            read.classified.of_kind(NameKind::Target).map(|name| Edit::Replace(name.span.clone(), original.quoted())).collect();
        let text = apply(&read.text, read.mode, edits);
        let context = serde_json::to_string(&Context::of(at.statement)).expect("numbers and strings");
        let row = DdlRow {
            object: Some(shadow.to_string()),
            statement: Some(text),
            context: Some(context),
            error: Some(format!("held back until {shadow} takes the place of {original}")),
            ..self.row(at, read, DdlState::Held)
        };
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.note(session, &row))?;
        self.tell(at, &row, DdlOutcome::Skipped { reason: row.error.clone().unwrap_or_default() });
        Ok(Carried::Skipped)
    }

    /// Runs on the original what was held back for its shadow, each as a statement of its own; then the swap is done.
    pub(super) fn cut_over(
        &mut self,
        at: Occurrence<'_>,
        read: &Read,
        (original, shadow): (&TableName, &TableName),
        history: &mut History,
        changed: &mut Vec<TableName>,
    ) -> Result<Carried, DdlError> {
        let (ledger, object) = (self.ledger.clone(), shadow.to_string());
        let held = self.looking(|session| ledger.held(session, &object))?;
        let utf8mb4 = self.settings.source.collations.iter().find(|(_, c)| c.charset == "utf8mb4").map_or(45, |(id, _)| *id);
        let mut result = Carried::Done;
        for row in held {
            let Some(context) = row.context.as_deref().and_then(|json| serde_json::from_str::<Context>(json).ok()) else { continue };
            let statement = context.statement(row.statement.clone().unwrap_or_default(), &row.default_database, utf8mb4);
            let begin = Begin { gtid: Some(row.origin.text.clone()), place: statement.place.clone(), micros: at.begin.micros };
            let then = Occurrence { statement: &statement, begin: &begin, part: row.origin.part, during_copy: at.during_copy };
            if let Carried::Failed { error } = self.carry_now(then, row, history, changed)? {
                result = Carried::Failed { error };
            }
        }
        let row = DdlRow {
            error: Some(format!("what was held back for {shadow} has run on {original}; the swap itself does not")),
            ..self.row(at, read, DdlState::Done)
        };
        let ledger = self.ledger.clone();
        self.looking(|session| ledger.note(session, &row))?;
        tracing::debug!(place = place(at), "a shadow took the place of the original");
        self.tell(at, &row, DdlOutcome::Carried { milliseconds: 0, found_done: false });
        Ok(result)
    }
}
