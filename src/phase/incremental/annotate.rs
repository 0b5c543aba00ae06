//! The client's statement behind row events of a MariaDB source, for a message.
//!
//! MySQL's stream brings it (`binlog_rows_query_log_events`). MariaDB writes it too (`binlog_annotate_row_events`, on by default since
//! 10.2.4) and sends it only to whom asks by a flag of the dump command (`BINLOG_SEND_ANNOTATE_ROWS_EVENT`), which the crate cannot set. So it is
//! looked up where it lies, once, when there is something to say about its rows.

use super::error::{FollowError, without_literals};
use crate::{
    binlog::Place,
    connect::{Login, Purpose, Session, Vendor},
};

/// Events looked at, from the transaction's begin on: a later one of a long transaction stays without its statement.
const MOST: u64 = 10_000;

/// Adds the statement to an error about rows that came without one. Whatever keeps it from being found, the error stays as it is.
pub(super) fn with_statement(error: FollowError, source: &Login) -> FollowError {
    match error {
        FollowError::Rows { place, table, what, statement: None, span: Some(span) } => {
            let statement = look_up(source, &span.0, &span.1);
            FollowError::Rows { place, table, what, statement, span: Some(span) }
        }
        other => other,
    }
}

/// The last statement noted between the begin of a transaction and an event of it. The account needs what it has for the binlog (manual: SHOW
/// BINLOG EVENTS).
fn look_up(source: &Login, begin: &Place, event: &Place) -> Option<String> {
    let mut session = Session::open(source, Purpose::Catalog).ok()?;
    if session.flavor().vendor != Vendor::MariaDb || begin.file != event.file {
        return None;
    }
    let file = begin.file.replace('\\', "\\\\").replace('\'', "''");
    let sql = format!("SHOW BINLOG EVENTS IN '{file}' FROM {} LIMIT {MOST}", begin.offset);
    let rows = session.query("looking for the client's statement", &sql).ok()?;
    // Log_name, Pos, Event_type, Server_id, End_log_pos, Info.
    let kind = |row: usize| rows.text_at(row, 2).unwrap_or_default();
    let at = (0..rows.len()).find(|&row| rows.number_at(row, 1) == Some(event.offset))?;
    // Since 11.7 or so MariaDB leaves the ends of events inside a transaction at 0 (seen on 11.8.9), and where one stands is not known.
    if !kind(at).to_lowercase().contains("_rows_") {
        return None;
    }
    let noted = (0..at).rfind(|&row| kind(row) == "Annotate_rows")?;
    rows.text_at(noted, 5).as_deref().map(without_literals)
}
