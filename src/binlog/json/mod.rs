//! MySQL's binary JSON, as row images hold it.
//!
//! A JSON value of MySQL has types that its text does not show: a DECIMAL, a DATE or bytes put into a document stay what they were, and
//! a number keeps whether it was unsigned. [`text`] is what a `SELECT` prints; where it would be read back as another value,
//! [`is_exact_as_text`] says so, and [`expression`] builds the very same one.

mod diff;
mod expression;
mod node;
mod text;

pub(super) use diff::apply;
pub use expression::expression;
pub use text::is_exact_as_text;
pub(super) use text::write as text;

/// A binary JSON value that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a JSON value is damaged")]
pub struct Damaged;

impl From<super::bytes::Truncated> for Damaged {
    fn from(_: super::bytes::Truncated) -> Self {
        Self
    }
}

/// Documents are at most 100 deep (manual, "The JSON Data Type").
const DEEPEST: usize = 110;
