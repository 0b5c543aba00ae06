//! What people read: errors with their excerpts and hints, plans and pings as tables, Markdown and JSON. The only printing beside `cli`.
//!
//! It reads events and data types; it decides nothing, and it never sees a password. The hard idea: whatever comes from a server, a
//! table's name above all, is made harmless before it is shown, so that no object can fake a line of the report.

mod annotate;
mod error;
pub mod list;
mod output;
mod paint;
pub mod ping;
pub mod plan;
pub mod progress;
pub mod status;
pub mod status_follow;
pub mod text;
pub mod verify;

pub use annotate::{Annotation, Level, annotations};
pub use error::{Message, message, spec_error};
pub use output::Output;
pub use paint::Paint;
