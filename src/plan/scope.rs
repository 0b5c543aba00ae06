//! Which tables the spec selects of a source's catalog, where they go, and which are left out for what they are.

use std::collections::BTreeMap;

use crate::{
    catalog::{Catalog, ColumnMap, Letters, Table, TableName},
    connect::ServerInfo,
    diff::Mapping,
    spec::{NameCase, Selected, Selection},
};

/// A selected table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// At the source.
    pub source: TableName,
    /// At the destination.
    pub destination: TableName,
    /// Which of its columns go, and under which names; and which of its rows.
    pub columns: ColumnMap,
}

/// A table that is selected by name and yet not carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// At the source.
    pub table: TableName,
    /// Why.
    pub reason: String,
}

/// The tables of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Selected and carried, by source name.
    pub pairs: Vec<Pair>,
    /// Selected and not carried, by source name.
    pub skipped: Vec<Skipped>,
    /// Source databases of which anything is selected, and their names at the destination.
    pub databases: BTreeMap<String, String>,
    /// Source databases that are selected as a whole.
    pub whole: Vec<String>,
    /// Sequences of databases that are selected as a whole, and their names at the destination.
    pub sequences: BTreeMap<TableName, TableName>,
    /// Views, routines, triggers and events of databases that are selected as a whole, by kind and name, and their names at the destination.
    pub programs: BTreeMap<(String, TableName), TableName>,
    by_source: BTreeMap<TableName, usize>,
}

impl Scope {
    /// Applies the selection to a catalog. Names come out as the destination will store them.
    pub fn new(selection: Selection<'_>, source: &Catalog, destination: &ServerInfo) -> Self {
        let selection = selection.at(destination.number("lower_case_table_names").unwrap_or(0));
        let mut scope = Self::default();
        for database in &source.databases {
            if let Some(name) = selection.destination_database(&database.name) {
                scope.databases.insert(database.name.clone(), name);
                if selection.whole_database(&database.name) {
                    scope.whole.push(database.name.clone());
                }
            }
        }
        for table in &source.tables {
            let Some(selected) = selection.table(&table.name.database, &table.name.table) else { continue };
            if let Some(reason) = not_here(table) {
                scope.skipped.push(Skipped { table: table.name.clone(), reason });
                continue;
            }
            scope.pairs.push(Pair {
                source: table.name.clone(),
                columns: column_map(&selected, selection.column_case()),
                destination: TableName::new(selected.destination_db, selected.destination_table),
            });
        }
        for sequence in source.others.iter().filter(|o| o.kind == "sequence" && scope.whole.contains(&o.database)) {
            let Some(selected) = selection.table(&sequence.database, &sequence.name) else { continue };
            let destination = TableName::new(selected.destination_db, selected.destination_table);
            scope.sequences.insert(TableName::new(&sequence.database, &sequence.name), destination);
        }
        for object in source.others.iter().filter(|o| o.kind != "sequence" && scope.whole.contains(&o.database)) {
            let name = TableName::new(&object.database, &object.name);
            let destination = if object.kind == "view" {
                selection.table(&name.database, &name.table).map(|s| TableName::new(s.destination_db, s.destination_table))
            } else {
                selection.destination_database(&name.database).map(|database| TableName::new(database, &name.table))
            };
            if let Some(destination) = destination {
                scope.programs.insert((object.kind.clone(), name), destination);
            }
        }
        scope.pairs.sort_by(|a, b| a.source.cmp(&b.source));
        scope.skipped.sort_by(|a, b| a.table.cmp(&b.table));
        scope.by_source = scope.pairs.iter().enumerate().map(|(i, p)| (p.source.clone(), i)).collect();
        scope
    }

    /// The pair of a source table.
    pub fn pair(&self, source: &TableName) -> Option<&Pair> {
        self.by_source.get(source).map(|&i| &self.pairs[i])
    }
}

impl Mapping for Scope {
    fn table(&self, source: &TableName) -> Option<TableName> {
        self.pair(source).map(|p| &p.destination).or_else(|| self.sequences.get(source)).cloned()
    }

    fn database(&self, source: &str) -> Option<String> {
        self.databases.get(source).cloned()
    }

    fn columns(&self, source: &TableName) -> ColumnMap {
        self.pair(source).map(|p| p.columns.clone()).unwrap_or_default()
    }

    fn program(&self, kind: &str, source: &TableName) -> Option<TableName> {
        self.programs.get(&(kind.to_owned(), source.clone())).cloned()
    }
}

/// What the spec says of a selected table's columns and rows.
pub fn column_map(selected: &Selected<'_>, case: NameCase) -> ColumnMap {
    // "DTS default" leaves columns as they are, for the MySQL family (requirements 2.3).
    let letters = match case {
        NameCase::Default | NameCase::Source => Letters::Kept,
        NameCase::Upper => Letters::Upper,
        NameCase::Lower => Letters::Lower,
    };
    let map = match selected.entry.and_then(|entry| entry.columns.as_ref()) {
        Some(columns) => ColumnMap::new(&columns.exclude, &columns.rename, letters),
        None => ColumnMap::new([], [], letters),
    };
    map.only(selected.entry.and_then(|entry| entry.filter.clone()))
}

/// Why a table's rows are not in this server, if so: engines that only point elsewhere, and PolarDB's tables on object storage
/// (requirements B15, 5.5: engine `OSS`, or `CSV` with a connection).
fn not_here(table: &Table) -> Option<String> {
    let engine = table.engine.to_ascii_uppercase();
    let what = match engine.as_str() {
        "FEDERATED" | "CONNECT" | "SPIDER" | "MRG_MYISAM" | "MERGE" | "S3" => "its rows lie elsewhere",
        "OSS" => "its rows lie on object storage",
        "CSV" if table.create.to_ascii_lowercase().contains("connection='oss") => "its rows lie on object storage",
        "BLACKHOLE" => "it keeps no rows",
        _ => return None,
    };
    Some(format!("engine {engine}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn pairs_follow_the_selection_and_the_destinations_letter_case() {
        let source = sample::catalog(vec![sample::table("shop", "Orders"), sample::table("crm", "people"), sample::table("shop", "tmp_1")]);
        let mut spec = sample::spec();
        spec.objects = vec![sample::whole("shop", Some("Shop_DR"), &["tmp_*"])];
        let mut destination = sample::server("9.7.4");
        let scope = Scope::new(spec.selection(), &source, &destination);
        assert_eq!(scope.pairs.len(), 1);
        assert_eq!(scope.table(&TableName::new("shop", "Orders")), Some(TableName::new("Shop_DR", "Orders")));
        assert_eq!(scope.database("shop").as_deref(), Some("Shop_DR"));
        assert_eq!(scope.database("crm"), None);
        destination.variables.insert("lower_case_table_names".into(), "1".into());
        let scope = Scope::new(spec.selection(), &source, &destination);
        assert_eq!(scope.table(&TableName::new("shop", "Orders")), Some(TableName::new("shop_dr", "orders")));
    }

    /// Defaults of tables use them: seen to refuse `DEFAULT NEXTVAL(...)` of a whole database for a sequence "which is not selected".
    #[test]
    fn sequences_go_with_their_whole_database_unless_excluded() {
        let mut source = sample::catalog(vec![sample::table("shop", "orders"), sample::table("crm", "people")]);
        for (database, name) in [("shop", "ids"), ("shop", "tmp_ids"), ("crm", "ids")] {
            let (database, name) = (database.to_owned(), name.to_owned());
            let sequence = crate::catalog::OtherObject {
                kind: "sequence".into(),
                database,
                name,
                create: String::new(),
                position: None,
                session: None,
            };
            source.others.push(sequence);
        }
        let mut spec = sample::spec();
        spec.objects = vec![sample::whole("shop", Some("dr"), &["tmp_*"])];
        let scope = Scope::new(spec.selection(), &source, &sample::server("10.11.19"));
        assert_eq!(scope.table(&TableName::new("shop", "ids")), Some(TableName::new("dr", "ids")));
        assert_eq!(scope.sequences.len(), 1);
    }

    #[test]
    fn tables_whose_rows_lie_elsewhere_are_left_out_with_the_reason() {
        let mut far = sample::table("shop", "far");
        far.engine = "FEDERATED".into();
        let mut cold = sample::table("shop", "cold");
        cold.engine = "CSV".into();
        cold.create.push_str(" CONNECTION='oss_server/x'");
        let source = sample::catalog(vec![far, cold, sample::table("shop", "near")]);
        let scope = Scope::new(sample::spec().selection(), &source, &sample::server("9.7.4"));
        assert_eq!(scope.pairs.len(), 1);
        assert_eq!(scope.skipped.iter().map(|s| s.table.table.as_str()).collect::<Vec<_>>(), ["cold", "far"]);
        assert_eq!(scope.skipped[1].reason, "engine FEDERATED: its rows lie elsewhere");
    }
}
