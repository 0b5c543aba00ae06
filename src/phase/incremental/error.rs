//! Why following the binlog ended before its time.

use super::ddl::DdlError;
use crate::{
    binlog::{BinlogError, Place, Position},
    catalog::TableName,
    connect::ConnectError,
    ddl::lex::{self, Kind, Mode},
    destination::DestinationError,
};

/// Why following the binlog ended before its time. Whatever was open has been rolled back: everything before the position noted at the
/// destination is there, nothing after it.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The source or the connection to it failed.
    #[error("incremental: source: {0}")]
    Source(ConnectError),
    /// The binlog cannot be read, or not any further.
    #[error("incremental: source: {0}")]
    Binlog(#[from] BinlogError),
    /// The destination or the connection to it failed.
    #[error("incremental: destination: {0}")]
    Destination(#[from] DestinationError),
    /// A row at the destination is not as it must be, and `conflict.rows` is `fail`.
    #[error("incremental: {error}, {stretch} of the source")]
    Conflict {
        /// The source transactions that were written together.
        stretch: Box<Stretch>,
        /// Table, kind and key.
        error: DestinationError,
    },
    /// A statement of the source cannot be carried.
    #[error("incremental: {0}")]
    Ddl(#[from] DdlError),
    /// Rows in the binlog that cannot be carried exactly.
    #[error("incremental: {table}, at {place}: {what}")]
    Rows {
        /// Where it stands in the source's binlog, with the GTID where there is one.
        place: String,
        /// The source table.
        table: Box<TableName>,
        /// Why.
        what: String,
        /// The client's statement without its literals, where the source wrote it.
        statement: Option<String>,
        /// Where the transaction begins and where the event stands, where it is about one.
        span: Option<Box<(Place, Place)>>,
    },
    /// The destination does not know from where the binlog is to be followed.
    #[error("incremental: no position is noted at the destination")]
    NoPosition,
    /// The system gives no thread.
    #[error("incremental: no thread for the reader: {0}")]
    Thread(std::io::Error),
    /// The time for trying again is used up.
    #[error("incremental: gave up after trying again for {window}")]
    GaveUp {
        /// The window of the spec that ran out.
        window: &'static str,
        /// The last failure.
        #[source]
        last: Box<FollowError>,
    },
}

/// Transactions that are written together.
#[derive(Debug, Clone)]
pub enum Stretch {
    /// Those that end at a position.
    UpTo(Position),
    /// The one that follows it, and is written as it is read.
    After(Position),
}

impl std::fmt::Display for Stretch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UpTo(position) => write!(f, "which ends at {position}"),
            Self::After(position) => write!(f, "in the transaction that follows {position}"),
        }
    }
}

impl FollowError {
    /// What a lane failed with while it wrote these.
    pub(super) fn writing(error: DestinationError, stretch: Stretch) -> Self {
        match error {
            error @ DestinationError::Conflict { .. } => Self::Conflict { stretch: Box::new(stretch), error },
            error => Self::Destination(error),
        }
    }

    /// The connection broke: worth another try within `retry.connection`.
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Source(e) => e.is_connection(),
            Self::Binlog(e) => e.is_connection(),
            Self::Destination(e) => e.is_connection(),
            Self::Ddl(e) => e.is_connection(),
            Self::Conflict { .. } | Self::Rows { .. } | Self::NoPosition | Self::Thread(_) | Self::GaveUp { .. } => false,
        }
    }

    /// Worth another try within `retry.other`.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Source(e) => e.is_transient(),
            Self::Binlog(e) => e.is_transient(),
            Self::Destination(e) => e.is_transient(),
            Self::Ddl(e) => e.is_transient(),
            Self::Conflict { .. } | Self::Rows { .. } | Self::NoPosition | Self::Thread(_) | Self::GaveUp { .. } => false,
        }
    }
}

/// A client's statement as far as a message may hold it: `?` for every literal, since those are values of rows, and not too long.
///
/// What a backslash means in a text hangs on the client's `sql_mode`, and so where the text ends: such a statement is shown up to its first text.
pub(super) fn without_literals(statement: &str) -> String {
    const LONGEST: usize = 500;
    let mut shown = String::new();
    let known = if statement.contains('\\') { statement.find(['\'', '"']) } else { None };
    let (statement, cut) = known.map_or((statement, false), |at| (&statement[..at], true));
    for token in lex::lex(statement, Mode::default()) {
        match token.kind {
            Kind::String | Kind::Number | Kind::Hex => shown.push('?'),
            Kind::Introducer | Kind::Comment => {}
            Kind::Blank => shown.push(' '),
            _ => shown.push_str(token.text(statement)),
        }
        if shown.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|&at| shown.is_char_boundary(at)).unwrap_or(0);
            shown.truncate(end);
            shown.push_str(" ...");
            break;
        }
    }
    let shown = shown.trim().to_owned();
    if cut { shown + " ..." } else { shown }
}

#[cfg(test)]
mod tests {
    use super::without_literals;

    #[test]
    fn literals_of_a_statement_are_not_shown() {
        let statement = "UPDATE `t` SET a=_latin1'x''y' /* secret */ , b = -12.5e3 WHERE c IN (0x41, \"z\")";
        assert_eq!(without_literals(statement), "UPDATE `t` SET a=?  , b = -? WHERE c IN (?, ?)");
        assert!(without_literals(&"é".repeat(999)).len() < 510);
        assert_eq!(without_literals(r"UPDATE t SET a='x\', b = ' secret ', c = 1"), "UPDATE t SET a= ...");
    }
}
