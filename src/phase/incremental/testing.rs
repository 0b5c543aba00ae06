//! A table and its rows for the tests of the pipeline: `t (id INT PRIMARY KEY, s VARCHAR(20) UNIQUE, v INT)`.

use std::sync::Arc;

use super::followed::Followed;
use crate::{
    binlog::Image,
    catalog::{Column, Key, KeyPart, Table, TableName, TypeKind},
    destination::{CopyTable, change::RowOperations},
};

fn column(name: &str, kind: TypeKind, collation: Option<&str>) -> Column {
    Column {
        name: name.to_owned(),
        column_type: String::new(),
        kind,
        unsigned: false,
        nullable: name != "id",
        charset: collation.map(|_| "utf8mb4".to_owned()),
        collation: collation.map(str::to_owned),
        generated: false,
        row_period: false,
        invisible: false,
        auto_increment: false,
        json_text: false,
    }
}

fn key(name: &str, column: usize) -> Key {
    Key {
        name: name.to_owned(),
        unique: true,
        index_type: "BTREE".to_owned(),
        parts: vec![KeyPart { column: Some(column), prefix: None, descending: false }],
    }
}

pub(super) fn definition(collation: &str, keyless: bool) -> Table {
    Table {
        name: TableName::new("d", "t"),
        engine: "InnoDB".to_owned(),
        collation: collation.to_owned(),
        rows_estimate: 0,
        data_bytes: 0,
        index_bytes: 0,
        auto_increment: None,
        create: String::new(),
        columns: vec![
            column("id", TypeKind::Integer, None),
            column("s", TypeKind::Text, Some(collation)),
            column("v", TypeKind::Integer, None),
        ],
        keys: if keyless { Vec::new() } else { vec![key("PRIMARY", 0), key("s", 1)] },
        system_versioned: false,
        cascades: None,
        unsupported: None,
    }
}

pub(super) fn table(collation: &str) -> Arc<Followed> {
    let definition = definition(collation, false);
    Arc::new(Followed::new(Arc::new(CopyTable::new(definition.clone(), definition, false)), None, RowOperations::ALL))
}

pub(super) fn keyless() -> Arc<Followed> {
    let definition = definition("utf8mb4_bin", true);
    Arc::new(Followed::new(Arc::new(CopyTable::new(definition.clone(), definition, false)), None, RowOperations::ALL))
}

pub(super) fn row(id: u32, s: Option<&str>, v: u32) -> Image {
    let mut image = Image::default();
    image.push(Some(id.to_string().as_bytes()));
    image.push(s.map(str::as_bytes));
    image.push(Some(v.to_string().as_bytes()));
    image
}
