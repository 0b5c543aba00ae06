//! What people read: errors with their excerpts and hints, later tables, markdown, JSON and progress. The only printing beside `cli`.
//!
//! It reads events and data types; it decides nothing, and it never sees a password.

mod error;
mod output;
mod paint;
pub mod progress;
pub mod status;
pub mod text;
pub mod verify;

pub use error::{Message, message, spec_error};
pub use output::Output;
pub use paint::Paint;
