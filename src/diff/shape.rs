//! A table as the diff works on it: the clauses of its text, with what the text leaves out filled in from the catalog.

use crate::{
    catalog::{Table, TableName},
    ddl::{CheckClause, Clause, ColumnClause, Definition, IndexClause},
};

/// A foreign key with its target in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) target: TableName,
    pub(super) target_columns: Vec<String>,
    pub(super) actions: String,
}

/// A table in clauses, charset and collation explicit everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) name: TableName,
    pub(super) columns: Vec<ColumnClause>,
    pub(super) indexes: Vec<IndexClause>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) checks: Vec<CheckClause>,
    pub(super) periods: Vec<String>,
    pub(super) versioned: bool,
    pub(super) engine: String,
    pub(super) collation: String,
    /// All options but engine, charset, collation, counter and versioning.
    pub(super) options: Vec<(String, String)>,
    pub(super) partition: Option<String>,
    pub(super) counter: Option<u64>,
}

/// The charset that a collation belongs to: its name up to the first underscore (`binary` is both).
pub(super) fn charset_of(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// `utf8` and `utf8mb3` are one charset under two names, and so are its collations.
pub(super) fn same_name(collation: &str) -> String {
    let collation = collation.to_ascii_lowercase();
    match collation.strip_prefix("utf8_") {
        Some(rest) => format!("utf8mb3_{rest}"),
        None if collation == "utf8" => "utf8mb3".to_owned(),
        None => collation.to_owned(),
    }
}

impl Shape {
    /// The shape of a table; its reason when it cannot be had.
    pub(super) fn of(table: &Table) -> Result<Self, String> {
        if let Some(reason) = &table.unsupported {
            return Err(reason.clone());
        }
        let definition = Definition::parse(&table.create).map_err(|e| e.to_string())?;
        let mut shape = Self {
            name: table.name.clone(),
            columns: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            periods: Vec::new(),
            versioned: definition.options.iter().any(|o| o.key == "WITH SYSTEM VERSIONING"),
            engine: table.engine.clone(),
            collation: table.collation.clone(),
            options: Vec::new(),
            partition: definition.partition,
            counter: table.auto_increment,
        };
        for item in definition.items {
            match item.clause {
                Clause::Column(column) => shape.columns.push(column),
                Clause::Index(index) => shape.indexes.push(index),
                Clause::ForeignKey(key) => shape.foreign_keys.push(ForeignKey {
                    name: key.name,
                    columns: key.columns,
                    target: TableName::new(key.target_database.unwrap_or_else(|| table.name.database.clone()), key.target_table),
                    target_columns: key.target_columns,
                    actions: key.actions,
                }),
                Clause::Check(check) => shape.checks.push(check),
                Clause::Period(period) => shape.periods.push(period),
            }
        }
        for (clause, column) in shape.columns.iter_mut().zip(&table.columns) {
            clause.inherits_charset = clause.charset.is_none();
            clause.charset.clone_from(&column.charset);
            clause.collation.clone_from(&column.collation);
            clause.null = Some(column.nullable);
        }
        for option in definition.options {
            if !["ENGINE", "DEFAULT CHARSET", "CHARSET", "COLLATE", "DEFAULT COLLATE", "AUTO_INCREMENT", "WITH SYSTEM VERSIONING"]
                .contains(&option.key.as_str())
            {
                shape.options.push((option.key, option.value.unwrap_or_default()));
            }
        }
        Ok(shape)
    }

    pub(super) fn column(&self, name: &str) -> Option<&ColumnClause> {
        self.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}
