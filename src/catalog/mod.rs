//! What a server holds: the model, the queries that fill it, and fingerprints of it.
//!
//! It must not decide anything: what to do about what was found is the diff's and the prechecks' business. The hard idea: two views of
//! a table are read, the server's own `SHOW CREATE TABLE` text and `information_schema`, because neither is enough alone (the text leaves
//! default collations out, the schema tables leave out most of the rest), and a table on which the two do not agree, or whose text
//! lost characters on the way, is marked unsupported instead of being trusted.

pub mod accounts;
mod cascade;
mod columns;
mod fingerprint;
mod model;
mod programs;
mod range;
mod read;
mod tables;

pub use cascade::{CascadingKey, Reaction};
pub use columns::{ColumnMap, Letters, rows_digest};
pub use fingerprint::Fingerprint;
pub use model::*;
pub use range::{Edge, KeyOrder, KeyRange};
pub use read::{CatalogError, Scope, is_system_database, read};
