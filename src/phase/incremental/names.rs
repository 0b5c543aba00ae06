//! What is followed, and what it is called at the destination. The spec answers; the phase does not know it.

use crate::{
    catalog::{ColumnMap, TableName},
    ddl::statement::Class,
    destination::change::RowOperations,
};

/// Answers by name, also for tables that did not exist when the task began.
pub trait Names: Send + Sync {
    /// The destination's name of a source table; `None` when it is not selected.
    fn table(&self, source: &TableName) -> Option<TableName>;

    /// The destination's name of a source database of which anything is selected.
    fn database(&self, source: &str) -> Option<String>;

    /// Whether the source database is selected as a whole, with views, routines and what appears later.
    fn whole(&self, source: &str) -> bool;

    /// Which columns of a source table go to the destination, and under which names.
    fn columns(&self, source: &TableName) -> ColumnMap;

    /// The row operations that are carried of a source table (`operations`).
    fn row_operations(&self, _source: &TableName) -> RowOperations {
        RowOperations::ALL
    }

    /// Whether statements of this class about a source table, view or routine are carried (`operations`).
    fn carries(&self, _source: &TableName, _class: Class) -> bool {
        true
    }

    /// A table of the destination may lack columns that are to be carried, and goes without them (`conflict.existing_tables: ignore`).
    fn may_lack_columns(&self) -> bool {
        false
    }

    /// The followed table that this one is the shadow of, where a tool for online schema changes works on it under a name that the spec
    /// gives (`online_ddl.shadow`) and shadows are not carried.
    fn shadow_of(&self, _table: &TableName) -> Option<TableName> {
        None
    }

    /// The followed table whose remains, or whose tool's own, this one is (`online_ddl.trash`).
    fn trash_of(&self, _table: &TableName) -> Option<TableName> {
        None
    }
}
