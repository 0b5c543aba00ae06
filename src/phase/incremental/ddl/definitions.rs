//! The source's definition of a table after a statement, from the destination's after it and both before it.
//!
//! A column that the statement did not touch is what it was. A new one is as the destination has it, with what differs between the
//! vendors turned back. Where the two sides do not have the same columns in the same order, as with `existing_tables: ignore`, a change
//! of the columns cannot be told apart from what was different before, and the task stops.

use std::collections::BTreeSet;

use crate::{
    catalog::{Column, Key, Table, TableName, TypeKind},
    connect::Flavor,
    ddl::lex::{self, Kind, Mode},
};

/// The two sides before a statement.
pub(super) struct Sides<'a> {
    pub(super) source: &'a Table,
    pub(super) destination: &'a Table,
}

/// Columns that a text declares as JSON, in lower case: MariaDB keeps a check for most of them, and no trace of the word.
pub(super) fn declared_json(text: &str, mode: Mode) -> BTreeSet<String> {
    let tokens = lex::significant(text, mode);
    let named = |w: &[lex::Token]| matches!(w[0].kind, Kind::Word | Kind::Quoted) && w[1].is_word(text, "JSON");
    tokens.windows(2).filter(|w| named(w)).map(|w| lex::name_of(w[0].text(text)).to_lowercase()).collect()
}

/// The source's definition under `name` after a statement.
///
/// # Errors
/// Why it cannot be known, for people.
pub(super) fn after(
    name: &TableName,
    before: Option<Sides<'_>>,
    destination: &Table,
    flavors: (Flavor, Flavor),
    json: &BTreeSet<String>,
) -> Result<Table, String> {
    let Some(before) = before else { return Ok(made(name, destination, flavors, json)) };
    if columns(before.source) != columns(before.destination) {
        let types = |t: &Table| t.columns.iter().map(|c| (c.name.to_lowercase(), c.column_type.clone(), c.nullable)).collect::<Vec<_>>();
        if types(before.destination) == types(destination) {
            return Ok(Table { name: name.clone(), ..before.source.clone() });
        }
        return Err("its columns at the destination differ from the source's, so that a change of them cannot be followed".to_owned());
    }
    let mut table = Table { name: name.clone(), ..destination.clone() };
    for (column, now) in table.columns.iter_mut().zip(&destination.columns) {
        let untouched = before.destination.columns.iter().position(|old| old == now);
        *column = match untouched {
            Some(at) if !json.contains(&now.name.to_lowercase()) => before.source.columns[at].clone(),
            _ => back(now, flavors, json),
        };
    }
    if before.destination.engine == destination.engine {
        table.engine.clone_from(&before.source.engine);
    }
    Ok(table)
}

/// A table that came with the statement.
fn made(name: &TableName, destination: &Table, flavors: (Flavor, Flavor), json: &BTreeSet<String>) -> Table {
    let mut table = Table { name: name.clone(), ..destination.clone() };
    for column in &mut table.columns {
        *column = back(column, flavors, json);
    }
    table
}

/// The definition without a column that the destination alone has.
pub(super) fn without(mut table: Table, column: usize) -> Table {
    table.columns.remove(column);
    let moved = |at: usize| if at > column { at - 1 } else { at };
    table.keys.retain(|key| key.parts.iter().all(|p| p.column != Some(column)));
    for part in table.keys.iter_mut().flat_map(|k: &mut Key| &mut k.parts) {
        part.column = part.column.map(moved);
    }
    table
}

fn columns(table: &Table) -> Vec<String> {
    table.columns.iter().map(|c| c.name.to_lowercase()).collect()
}

/// A column of the destination as the source has it.
fn back(column: &Column, (from, to): (Flavor, Flavor), json: &BTreeSet<String>) -> Column {
    let mut column = column.clone();
    // `CREATE TABLE ... LIKE` and a new name of the column do not say the word: then the check that MariaDB gives such a column tells.
    if from.has_json_type() && !to.has_json_type() && (column.json_text || json.contains(&column.name.to_lowercase())) {
        "json".clone_into(&mut column.column_type);
        column.kind = TypeKind::Json;
        (column.charset, column.collation, column.json_text) = (None, None, false);
    } else if !from.has_json_type() && column.kind == TypeKind::Json {
        "longtext".clone_into(&mut column.column_type);
        column.kind = TypeKind::Text;
        column.charset = Some("utf8mb4".to_owned());
        column.collation = Some("utf8mb4_bin".to_owned());
        column.json_text = true;
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connect::Vendor, plan::sample};

    const MYSQL: Flavor = Flavor { vendor: Vendor::MySql, version: (9, 7, 4) };
    const MARIADB: Flavor = Flavor { vendor: Vendor::MariaDb, version: (10, 11, 18) };

    fn column(name: &str, column_type: &str, kind: TypeKind) -> Column {
        let mut column = sample::table("a", "t").columns[0].clone();
        (column.name, column.column_type, column.kind, column.auto_increment) = (name.to_owned(), column_type.to_owned(), kind, false);
        column
    }

    fn table(columns: Vec<Column>) -> Table {
        Table { columns, keys: Vec::new(), ..sample::table("a", "t") }
    }

    #[test]
    fn untouched_columns_stay_what_they_were_and_new_ones_are_turned_back() {
        let source = table(vec![column("id", "int", TypeKind::Integer), column("j", "json", TypeKind::Json)]);
        let old = table(vec![column("id", "int(11)", TypeKind::Integer), column("j", "longtext", TypeKind::Text)]);
        let new = table(vec![
            column("k", "longtext", TypeKind::Text),
            column("id", "int(11)", TypeKind::Integer),
            column("j", "longtext", TypeKind::Text),
        ]);
        let json = declared_json("ALTER TABLE t ADD `K` JSON FIRST", Mode::default());
        let name = TableName::new("a", "t2");
        let after = after(&name, Some(Sides { source: &source, destination: &old }), &new, (MYSQL, MARIADB), &json).unwrap();
        let types: Vec<_> = after.columns.iter().map(|c| (c.name.as_str(), c.column_type.as_str(), c.kind)).collect();
        assert_eq!(types, [("k", "json", TypeKind::Json), ("id", "int", TypeKind::Integer), ("j", "json", TypeKind::Json)]);
        assert_eq!(after.name, name);
    }

    #[test]
    fn a_table_that_differs_is_followed_only_while_its_columns_stay() {
        let source = table(vec![column("id", "int", TypeKind::Integer)]);
        let old = table(vec![column("id", "int", TypeKind::Integer), column("more", "int", TypeKind::Integer)]);
        let sides = || Some(Sides { source: &source, destination: &old });
        let name = source.name.clone();
        let none = BTreeSet::new();
        assert_eq!(after(&name, sides(), &old, (MYSQL, MYSQL), &none).unwrap().columns.len(), 1);
        let new = table(vec![column("id", "bigint", TypeKind::Integer), column("more", "int", TypeKind::Integer)]);
        assert!(after(&name, sides(), &new, (MYSQL, MYSQL), &none).is_err());
    }
}
