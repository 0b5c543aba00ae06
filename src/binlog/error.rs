//! Why a binlog cannot be followed, or not any further.

use super::position::Place;
use crate::connect::ConnectError;

/// What ended a stream. None of it has to do with rows' values, and none holds any.
#[derive(Debug, thiserror::Error)]
pub enum BinlogError {
    /// The connection, or a statement on it.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// There is no binlog to follow.
    #[error("{address} writes no binlog (log_bin is off)")]
    NotLogged {
        /// `host:port` or the socket's path.
        address: String,
    },
    /// What has to be read is not there any more.
    #[error("the binlog from {from} on is gone from {address}: lost is {lost}")]
    Purged {
        /// Where the task stands.
        from: String,
        /// `host:port` or the socket's path.
        address: String,
        /// The range that is gone, as far as the server tells.
        lost: String,
    },
    /// The server is another one, and nothing but its GTIDs could tell where it stands.
    #[error("{address} is not the server whose binlog was read (it was {was}, now it is {now}), and the position has no GTIDs")]
    SourceSwitched {
        /// `host:port` or the socket's path.
        address: String,
        /// Identity of the server the position was taken on.
        was: String,
        /// Identity of the server that answers now.
        now: String,
    },
    /// The server lacks transactions that have been read before: it was restored or reset, it lost the end of its binlog in a crash, or it
    /// is a replica that has not come so far yet.
    #[error("{address} lacks what has been read before: {lacking}")]
    Ahead {
        /// `host:port` or the socket's path.
        address: String,
        /// GTIDs, or the place that is beyond the end.
        lacking: String,
        /// It is another server than before, which may catch up.
        switched: bool,
    },
    /// A file has the name of the one that was read, and is another one: the binlog began anew (`RESET BINARY LOGS AND GTIDS`), or the server
    /// was put back to an earlier state and went on from there. What was written meanwhile and is before the place cannot be told from what
    /// was read.
    #[error("binlog file {file} of the source is not the one that was read before: {reason}")]
    Another {
        /// The file's name.
        file: String,
        /// By what it is seen.
        reason: String,
    },
    /// The server refused to stream for another reason (error 1236).
    #[error("{address} does not give its binlog from {from}: {reason}")]
    Refused {
        /// `host:port` or the socket's path.
        address: String,
        /// Where the task stands.
        from: String,
        /// The server's words.
        reason: String,
    },
    /// An event of a type that is not known. Nothing unknown is passed over.
    #[error("event of unknown type {kind} at {place}")]
    Unknown {
        /// Type code.
        kind: u8,
        /// Where it begins.
        place: Place,
    },
    /// An event that does not hold what its type promises, or that does not stand where it should.
    #[error("damaged event at {place}: {reason}")]
    Damaged {
        /// Where it begins.
        place: Place,
        /// What is wrong.
        reason: String,
    },
    /// The server says that its binlog lacks changes from here on.
    #[error("the source notes at {place} that its binlog lacks changes: {message}")]
    Incident {
        /// Where it says so.
        place: Place,
        /// In its own words.
        message: String,
    },
    /// An XA transaction is committed whose rows lie before all that has been read.
    #[error("XA transaction {xid} is committed at {place}, but was prepared before the binlog was read")]
    UnknownXa {
        /// Its identity: format, global and branch part in hexadecimal.
        xid: String,
        /// Where the commit stands.
        place: Place,
    },
    /// The place for what is held back could not be written or read.
    #[error("cannot keep a transaction in '{folder}': {reason}")]
    Spill {
        /// The folder.
        folder: String,
        /// The system's words.
        reason: String,
    },
}

impl BinlogError {
    /// Whether the server's words for error 1236 say that what was asked for is gone. It has that number for a dozen reasons.
    pub(super) fn is_gone(message: &str) -> bool {
        const GONE: &[&str] = &[
            "purged",
            "could not find first log file name",
            "could not find gtid state requested",
            "not in the master's binlog",
            "missing the gtid",
        ];
        let lower = message.to_lowercase();
        GONE.iter().any(|words| lower.contains(words))
    }

    /// Worth another try after a pause: the connection broke, or the server may have what is asked for in a while.
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Connect(error) => error.is_connection(),
            Self::Ahead { switched, .. } => *switched,
            _ => false,
        }
    }

    /// Worth another try as a statement that failed is.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(error) => error.is_transient(),
            Self::Spill { .. } => true,
            _ => false,
        }
    }
}
