//! A plan as a table, as Markdown and as JSON.

#[path = "plan_markdown.rs"]
mod markdown;
#[path = "plan_sentences.rs"]
mod sentences;
#[path = "plan_table.rs"]
mod table;

pub use markdown::{MARKDOWN_LIMIT, markdown};
pub use table::table;

use crate::plan::Plan;

/// Whose definitions are shown beneath the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiffMode {
    /// Of objects that exist and change.
    #[default]
    Changed,
    /// Of these, and of what is created and dropped.
    Full,
    /// None.
    None,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Longest line, in characters.
    pub width: usize,
    /// With colours.
    pub color: bool,
    /// Without the table of actions and the definitions.
    pub summary: bool,
    /// Also what is unchanged, what passed, and notes.
    pub all: bool,
    /// Whose definitions are shown.
    pub diff: DiffMode,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 80, color: false, summary: false, all: false, diff: DiffMode::Changed }
    }
}

/// The plan as it is saved.
pub fn json(plan: &Plan) -> String {
    crate::plan::save(plan)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
