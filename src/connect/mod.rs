//! Connections to servers: the one room that opens them and knows vendors, versions and TLS.
//!
//! Every session of the program is made here and prepared by one function, so that no statement ever runs under a time zone,
//! `sql_mode` or charset that was not chosen for it. The hard idea: bytes of text columns pass through unconverted, because results
//! are asked for without conversion and literals go out as binary.

mod binlog;
mod error;
mod flavor;
mod lock;
mod open;
mod retry;
mod session;

pub use binlog::{BinlogConnection, BinlogOrigin, BinlogStart, BinlogTiming, RawEvent, ReplicaName};
pub use error::{ConnectError, without_values};
pub use flavor::{Flavor, Vendor};
pub use lock::{GlobalLock, LockHolder, SCHEMA_SLOTS, Taken, mark_schema_session};
pub use retry::{Attempt, Patience, RetryError, RetryWindows, Retryable, retry};
pub use session::{Answer, Login, Outcome, Place, Purpose, ResultRow, Rows, ServerInfo, Session, TlsChoice, TlsLevel};
