//! What is followed, and what it is called at the destination. The spec answers; the phase does not know it.

use crate::catalog::TableName;

/// Answers by name, also for tables that did not exist when the task began.
pub trait Names: Send + Sync {
    /// The destination's name of a source table; `None` when it is not selected.
    fn table(&self, source: &TableName) -> Option<TableName>;

    /// The destination's name of a source database of which anything is selected.
    fn database(&self, source: &str) -> Option<String>;

    /// Whether the source database is selected as a whole, with views, routines and what appears later.
    fn whole(&self, source: &str) -> bool;
}
