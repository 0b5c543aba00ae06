//! Which columns and rows of a table go to the destination, and what the columns are called there.

use std::collections::BTreeMap;

use super::{fingerprint::Fingerprint, model::Table};
use crate::ddl::condition::Filter;

/// How the letters of a name are written at the destination.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Letters {
    /// As at the source.
    #[default]
    Kept,
    /// In upper case.
    Upper,
    /// In lower case.
    Lower,
}

impl Letters {
    /// A name in these letters.
    pub fn of(self, name: &str) -> String {
        match self {
            Self::Kept => name.to_owned(),
            Self::Upper => name.to_uppercase(),
            Self::Lower => name.to_lowercase(),
        }
    }
}

/// The columns of one source table on their way, and which of its rows go with them. Names of columns are compared without regard to case, as servers do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    /// Left out, in lower case.
    excluded: Vec<String>,
    /// Source name in lower case to destination name.
    renamed: BTreeMap<String, String>,
    letters: Letters,
    rows: Option<Filter>,
}

impl ColumnMap {
    /// A map from what a spec says. A name given outright is taken as it stands, whatever `letters` says.
    pub fn new<'a>(
        excluded: impl IntoIterator<Item = &'a String>,
        renamed: impl IntoIterator<Item = (&'a String, &'a String)>,
        letters: Letters,
    ) -> Self {
        Self {
            excluded: excluded.into_iter().map(|name| name.to_lowercase()).collect(),
            renamed: renamed.into_iter().map(|(from, to)| (from.to_lowercase(), to.clone())).collect(),
            letters,
            rows: None,
        }
    }

    /// The same with only some of the rows.
    pub fn only(self, rows: Option<Filter>) -> Self {
        Self { rows, ..self }
    }

    /// Which rows go; `None` is all.
    pub fn rows(&self) -> Option<&Filter> {
        self.rows.as_ref()
    }

    /// Digest of the condition that decides which rows go; empty where all do.
    pub fn rows_digest(&self) -> String {
        self.rows.as_ref().map(rows_digest).unwrap_or_default()
    }

    /// A column that the filter names and the table has not.
    pub fn lacks(&self, table: &Table) -> Option<&str> {
        let has = |name: &&String| table.columns.iter().any(|c| c.name.to_lowercase() == name.to_lowercase());
        self.rows.as_ref()?.condition.columns().iter().find(|name| !has(name)).map(String::as_str)
    }

    /// The destination's name of a source column; `None` when it is left out.
    pub fn name(&self, column: &str) -> Option<String> {
        let key = column.to_lowercase();
        if self.excluded.contains(&key) {
            return None;
        }
        Some(self.renamed.get(&key).cloned().unwrap_or_else(|| self.letters.of(column)))
    }

    /// Every column goes under its own name, as servers compare names: letters may be others.
    pub fn keeps_names(&self) -> bool {
        self.excluded.is_empty() && self.renamed.is_empty()
    }

    /// Every column goes under its own name.
    pub fn is_plain(&self) -> bool {
        self.excluded.is_empty() && self.renamed.is_empty() && self.letters == Letters::Kept
    }

    /// Names that the map speaks of, in lower case: what a table must have.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.excluded.iter().chain(self.renamed.keys()).map(String::as_str)
    }
}

/// Digest of a filter's condition: equal for two that are sent alike.
pub fn rows_digest(rows: &Filter) -> String {
    Fingerprint::of([rows.condition.sql()]).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_left_out_renamed_or_written_otherwise() {
        let map = ColumnMap::new(&["Note".to_owned()], [(&"cust".to_owned(), &"customer_id".to_owned())], Letters::Upper);
        assert_eq!(map.name("note"), None);
        assert_eq!(map.name("CUST").as_deref(), Some("customer_id"));
        assert_eq!(map.name("größe").as_deref(), Some("GRÖSSE"));
        assert_eq!(map.named().collect::<Vec<_>>(), ["note", "cust"]);
        assert!(!map.is_plain() && ColumnMap::default().is_plain());
    }
}
