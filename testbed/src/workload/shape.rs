//! What a table looks like now, as the server tells it: the only memory that the generator has of a schema.
//!
//! So nothing here has to know what a random ALTER did, or whether it succeeded.

use anyhow::Result;
use mysql::Conn;
use mysql::prelude::Queryable;

use super::quoted;

/// A base table and what may be done to it.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) database: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Primary key first, then by name.
    pub(super) keys: Vec<Key>,
    /// Whether it refers to another table or is referred to.
    pub(super) related: bool,
    /// Partition names in order; empty when it has none.
    pub(super) partitions: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// Lower case, without length: `varchar`.
    pub(super) data_type: String,
    /// As declared: `varchar(20)`, `int(10) unsigned`.
    pub(super) column_type: String,
    pub(super) charset: String,
    pub(super) nullable: bool,
    pub(super) generated: bool,
    pub(super) auto_increment: bool,
    /// `ON UPDATE CURRENT_TIMESTAMP`.
    pub(super) touched: bool,
    /// Length in characters or bytes, where it has one.
    pub(super) length: u64,
    /// Part of any unique key: its values come from a small domain, so that they meet.
    pub(super) unique: bool,
    /// Part of any index.
    pub(super) indexed: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) columns: Vec<String>,
}

impl Shape {
    /// `` `database`.`table` ``.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", quoted(&self.database), quoted(&self.name))
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of the primary key, or else of the first unique key that holds no NULL.
    pub(super) fn identity(&self) -> Option<Vec<&Column>> {
        self.keys.iter().filter(|key| key.unique).find_map(|key| {
            let columns: Option<Vec<&Column>> = key.columns.iter().map(|name| self.column(name)).collect();
            columns.filter(|columns| columns.iter().all(|column| !column.nullable))
        })
    }

    /// Columns that a statement may name.
    pub(super) fn writable(&self) -> Vec<&Column> {
        self.columns.iter().filter(|column| !column.generated).collect()
    }

    /// Unique columns that stand alone in their key and may be NULL.
    pub(super) fn nullable_unique(&self) -> Vec<&Column> {
        let alone = |column: &&Column| self.keys.iter().any(|key| key.unique && key.columns.len() == 1 && key.columns[0] == column.name);
        self.columns.iter().filter(|column| column.nullable && !column.generated).filter(alone).collect()
    }
}

impl Column {
    pub(super) fn is_integer(&self) -> bool {
        ["tinyint", "smallint", "mediumint", "int", "bigint"].contains(&self.data_type.as_str())
    }

    pub(super) fn is_text(&self) -> bool {
        !self.charset.is_empty() && !["enum", "set"].contains(&self.data_type.as_str())
    }

    /// Types that compare with `=` and sort without surprise.
    pub(super) fn compares(&self) -> bool {
        !["json", "geometry", "point", "linestring", "polygon", "geometrycollection", "geomcollection", "vector"]
            .contains(&self.data_type.as_str())
    }
}

/// Base tables of a database, by name.
pub(super) fn tables(conn: &mut Conn, database: &str) -> Result<Vec<String>> {
    Ok(conn.exec(
        "SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY 1",
        (database,),
    )?)
}

/// Looks a table up; `None` when it is gone.
pub(super) fn read(conn: &mut Conn, database: &str, table: &str) -> Result<Option<Shape>> {
    type Row = (String, String, String, Option<String>, String, Option<String>, String, Option<u64>);
    let rows: Vec<Row> = conn.exec(
        "SELECT CONVERT(column_name USING utf8mb4), LOWER(CONVERT(data_type USING utf8mb4)), CONVERT(column_type USING utf8mb4), \
         CONVERT(character_set_name USING utf8mb4), is_nullable, CONVERT(generation_expression USING utf8mb4), LOWER(extra), character_maximum_length FROM information_schema.columns \
         WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
        (database, table),
    )?;
    if rows.is_empty() {
        return Ok(None);
    }
    let indexed: Vec<(String, u8, Option<String>)> = conn.exec(
        "SELECT CONVERT(index_name USING utf8mb4), non_unique, CONVERT(column_name USING utf8mb4) FROM information_schema.statistics \
         WHERE table_schema = ? AND table_name = ? ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index",
        (database, table),
    )?;
    let mut keys: Vec<Key> = Vec::new();
    for (name, non_unique, column) in indexed {
        let column = column.unwrap_or_default();
        match keys.iter_mut().find(|key| key.name == name) {
            Some(key) => key.columns.push(column),
            None => keys.push(Key { name, unique: non_unique == 0, columns: vec![column] }),
        }
    }
    let related: Option<u64> = conn.exec_first(
        "SELECT COUNT(*) FROM information_schema.referential_constraints \
         WHERE constraint_schema = ? AND (table_name = ? OR referenced_table_name = ?)",
        (database, table, table),
    )?;
    let partitions: Vec<Option<String>> = conn.exec(
        "SELECT CONVERT(partition_name USING utf8mb4) FROM information_schema.partitions WHERE table_schema = ? AND table_name = ? \
         ORDER BY partition_ordinal_position",
        (database, table),
    )?;
    let columns = rows
        .into_iter()
        .map(|(name, data_type, column_type, charset, nullable, generation, extra, length)| Column {
            unique: keys.iter().any(|key| key.unique && key.columns.contains(&name)),
            indexed: keys.iter().any(|key| key.columns.contains(&name)),
            name,
            data_type,
            column_type,
            charset: charset.unwrap_or_default(),
            nullable: nullable == "YES",
            generated: generation.is_some_and(|text| !text.is_empty()),
            auto_increment: extra.contains("auto_increment"),
            touched: extra.contains("on update"),
            length: length.unwrap_or_default(),
        })
        .collect();
    Ok(Some(Shape {
        database: database.to_owned(),
        name: table.to_owned(),
        columns,
        keys,
        related: related.unwrap_or_default() > 0,
        partitions: partitions.into_iter().flatten().collect(),
    }))
}
