//! From the source's binlog to typed changes: events taken apart, transactions put together, row images decoded.
//!
//! The data flows one way: `connect` hands over raw events, `stream` takes them apart and puts whole groups together as [`Item`]s,
//! `image` turns a raw row image into cells in the form in which the full copy reads values, so that both paths write through one
//! encoder. An event of a type that is not on the list of those that may be passed over stops the task: nothing unknown is skipped.

mod bytes;
mod charset;
mod error;
mod event;
mod form;
pub mod gtid;
pub mod image;
pub mod item;
pub mod json;
mod mark;
mod payload;
pub mod position;
mod query;
pub mod retention;
mod rows;
pub mod snapshot;
mod spool;
mod start;
mod stream;
pub mod table_map;
mod transaction;
mod value;

pub use charset::of_collation;
pub use error::BinlogError;
pub use form::{ColumnForm, Misfit, fit};
pub use gtid::{Gtid, GtidSet};
pub use image::Image;
pub use item::{Begin, Item, RowsEvent, RowsKind, Statement};
pub use mark::Mark;
pub use position::{Place, Position};
pub use retention::Retention;
pub use rows::{RowImages, Rows, RowsError, decode};
pub use start::{goes_on, is_what_was_read};
pub use stream::{Stream, StreamSettings};
pub use table_map::{MapError, TableMap, WireColumn};
pub use transaction::Wants;

#[cfg(test)]
mod tests;
