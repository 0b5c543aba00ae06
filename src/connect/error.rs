//! What can go wrong on a connection, sorted by what somebody can do about it.

use std::fmt;

/// Why a connection or a statement failed. Holds no password and no value of a row.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answers at that address, or the name does not resolve.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// `host:port` or the socket's path.
        address: String,
        /// The system's own words.
        reason: String,
    },
    /// The server refused the account (1045, 1698, 1044, 1049 at connect, ...).
    #[error("{address} refused user '{user}': {reason}")]
    AccessDenied {
        /// `host:port` or the socket's path.
        address: String,
        /// Account name.
        user: String,
        /// The server's words.
        reason: String,
    },
    /// The server refuses connections from this client's address (1130).
    #[error("{address} does not accept connections from this host: {reason}")]
    HostNotAllowed {
        /// `host:port`.
        address: String,
        /// The server's words, which name the client's address as the server sees it.
        reason: String,
    },
    /// TLS was asked for and could not be had.
    #[error("TLS with {address} failed: {reason}")]
    Tls {
        /// `host:port`.
        address: String,
        /// What failed.
        reason: String,
    },
    /// The server is of a line or version that dtsctl does not know.
    #[error("{address} runs {version}, which is not supported")]
    UnsupportedServer {
        /// `host:port` or the socket's path.
        address: String,
        /// The server's version text.
        version: String,
    },
    /// The server answered a statement with an error.
    #[error("{doing}: server error {code} ({state}): {message}")]
    Sql {
        /// What the statement was for.
        doing: String,
        /// MySQL error number.
        code: u16,
        /// SQLSTATE.
        state: String,
        /// The server's message with values of rows taken out.
        message: String,
    },
    /// The connection went away while a statement ran or between two.
    #[error("{doing}: connection to {address} lost: {reason}")]
    Lost {
        /// What was going on.
        doing: String,
        /// `host:port` or the socket's path.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// The server is still at something that has to end first.
    #[error("{doing}: {reason}")]
    Unsettled {
        /// What was going on.
        doing: String,
        /// What is waited for, and for how long it was.
        reason: String,
    },
    /// The answer is not what the protocol or the statement promises.
    #[error("{doing}: unexpected answer of the server: {reason}")]
    Unexpected {
        /// What was going on.
        doing: String,
        /// What was wrong with it.
        reason: String,
    },
}

impl ConnectError {
    /// Worth another try after a pause: the connection broke, or the server is starting, stopping or full.
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => true,
            // 1040 too many connections, 1053 shutdown in progress, 1077 normal shutdown, 1078/1079 aborting, 1152 aborted connection,
            // 1158..1161 network read/write errors, 1184 aborting, 1927 connection was killed (MariaDB), 3169 session was killed,
            // 4031 disconnected by the server because of inactivity, 1203 and 1226 too many connections of this account.
            Self::Sql { code, .. } => {
                matches!(code, 1040 | 1053 | 1077..=1079 | 1152 | 1158..=1161 | 1184 | 1203 | 1226 | 1927 | 3169 | 4031)
            }
            _ => false,
        }
    }

    /// Worth another try of the same unit of work: lock waits, deadlocks, a full disk, a server read-only for a moment.
    pub fn is_transient(&self) -> bool {
        // 1205 lock wait timeout, 1213 deadlock, 1021 and 1114 disk or table full, 3 and 1026 error writing file, 1030 got error from
        // storage engine (28 when the disk is full), 1290 and 1836 read-only, 1317 query interrupted, 3572 lock not available,
        // 1969 max_statement_time exceeded, 3024 max_execution_time exceeded, 1180 error during COMMIT.
        matches!(
            self,
            Self::Unsettled { .. }
                | Self::Sql { code: 3 | 1021 | 1026 | 1030 | 1114 | 1180 | 1205 | 1213 | 1290 | 1317 | 1836 | 1969 | 3024 | 3572, .. }
        )
    }

    /// The server's error number, if it was the server that failed the statement.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Sql { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The account lacks a right for the statement.
    pub fn is_missing_right(&self) -> bool {
        // 1044 database access denied, 1142 table command denied, 1143 column command denied, 1227 specific privilege needed,
        // 1370 routine command denied.
        matches!(self, Self::Sql { code: 1044 | 1142 | 1143 | 1227 | 1370, .. })
    }
}

/// Takes values of rows out of a server's message. Messages of these errors quote what was to be stored (manual: Server Error
/// Message Reference); names of columns, keys and tables stay.
pub fn without_values(code: u16, message: &str) -> String {
    let keep_from = |marker: &str, head: &str| match message.rfind(marker) {
        Some(at) => format!("{head} {}", &message[at..]),
        None => head.to_owned(),
    };
    match code {
        1062 | 1586 => keep_from("for key", "Duplicate entry"),
        1292 | 1366 | 1367 | 1411 | 1525 | 3140 | 3141 | 3144 | 3156 => keep_from("for column", "Incorrect value"),
        1054 | 1146 | 1051 | 1049 | 1091 => message.to_owned(),
        1064 => match message.find(" near ") {
            Some(at) => message[..at].to_owned(),
            None => message.to_owned(),
        },
        1300 => "Invalid character string".to_owned(),
        1416 => "Cannot get geometry object from data sent to the GEOMETRY field".to_owned(),
        _ => message.to_owned(),
    }
}

/// The system's error inside an error of the crate: the stream's, or that of the packets on it.
pub(super) fn io_error(error: &mysql::Error) -> Option<&std::io::Error> {
    match error {
        mysql::Error::IoError(e) => Some(e),
        mysql::Error::CodecError(e) => std::error::Error::source(e)?.downcast_ref(),
        _ => None,
    }
}

pub(super) fn from_mysql(error: mysql::Error, address: &str, doing: &dyn fmt::Display) -> ConnectError {
    match error {
        mysql::Error::MySqlError(e) => {
            ConnectError::Sql { doing: doing.to_string(), message: without_values(e.code, &e.message), code: e.code, state: e.state }
        }
        mysql::Error::TlsError(e) => ConnectError::Tls { address: address.to_owned(), reason: e.to_string() },
        other => match io_error(&other) {
            Some(e) => ConnectError::Lost { doing: doing.to_string(), address: address.to_owned(), reason: e.to_string() },
            // A packet over the limit or out of order: a new connection would meet it again.
            None => ConnectError::Unexpected { doing: doing.to_string(), reason: other.to_string() },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_survive_in_messages() {
        assert_eq!(without_values(1062, "Duplicate entry 'secret for key x' for key 't.PRIMARY'"), "Duplicate entry for key 't.PRIMARY'");
        assert_eq!(
            without_values(1366, "Incorrect integer value: 'secret' for column 'a' at row 3"),
            "Incorrect value for column 'a' at row 3"
        );
        assert!(!without_values(1064, "You have an error; check near 'secret' at line 1").contains("secret"));
    }
}
