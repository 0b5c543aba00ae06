//! Views, routines, triggers and events: their text, and the session settings that give it its meaning.
//!
//! The server tells them beside the text (manuals: SHOW CREATE PROCEDURE, TRIGGER, EVENT, VIEW). What the account may not read stays
//! without text, and whoever would carry it must say so.

use super::{
    model::{Catalog, ProgramSession, quote_name},
    read::{CatalogError, Failing, show},
};
use crate::connect::{Rows, Session};

/// Reads the texts of all views, routines, triggers and events of the catalog.
pub(super) fn read(session: &mut Session, catalog: &mut Catalog) -> Result<(), CatalogError> {
    let mut wanted = Vec::new();
    let mut statements = Vec::new();
    for (at, object) in catalog.others.iter().enumerate() {
        let keyword = match object.kind.as_str() {
            "view" => "VIEW",
            "procedure" => "PROCEDURE",
            "function" => "FUNCTION",
            "trigger" => "TRIGGER",
            "event" => "EVENT",
            _ => continue,
        };
        wanted.push(at);
        statements.push(format!("SHOW CREATE {keyword} {}.{}", quote_name(&object.database), quote_name(&object.name)));
    }
    let answers = show(session, &statements, Failing::Ignored)?;
    for (at, rows) in wanted.into_iter().zip(answers) {
        let object = &mut catalog.others[at];
        let Some(rows) = rows.filter(|rows| !rows.is_empty()) else { continue };
        let column = match object.kind.as_str() {
            "view" => "Create View",
            "procedure" => "Create Procedure",
            "function" => "Create Function",
            "trigger" => "SQL Original Statement",
            _ => "Create Event",
        };
        object.create = rows.text(0, column).unwrap_or_default();
        object.session = Some(program_session(&rows));
    }
    Ok(())
}

fn program_session(rows: &Rows) -> ProgramSession {
    let text = |name: &str| rows.text(0, name).unwrap_or_default();
    ProgramSession {
        sql_mode: text("sql_mode"),
        collation_connection: text("collation_connection"),
        collation_database: text("Database Collation"),
        time_zone: rows.text(0, "time_zone"),
    }
}
