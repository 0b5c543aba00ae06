//! One table from what was read of it: the rows of `information_schema` and the server's text.

use super::model::{Column, Key, KeyPart, Table, TableName, TypeKind};
use crate::{
    connect::Flavor,
    ddl::{Clause, ColumnClause, Definition, IndexClause, IndexKind, lex},
};

/// What `information_schema.TABLES` said.
pub(super) struct TableFacts {
    pub(super) name: TableName,
    pub(super) system_versioned: bool,
    pub(super) engine: String,
    pub(super) collation: String,
    pub(super) rows_estimate: u64,
    pub(super) data_bytes: u64,
    pub(super) index_bytes: u64,
    pub(super) auto_increment: Option<u64>,
    pub(super) columns: Vec<ColumnFacts>,
}

/// What `information_schema.COLUMNS` said.
pub(super) struct ColumnFacts {
    pub(super) name: String,
    pub(super) position: u64,
    pub(super) column_type: String,
    pub(super) data_type: String,
    pub(super) nullable: bool,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) extra: String,
    pub(super) row_period: bool,
}

/// The table, and whether text and rows speak of the same columns.
pub(super) fn table(mut facts: TableFacts, create: Vec<u8>, flavor: Flavor) -> (Table, bool) {
    facts.columns.sort_by_key(|c| c.position);
    let mut unsupported = None;
    let create = String::from_utf8(create).unwrap_or_else(|e| {
        // MariaDB prints the default of a binary column as raw bytes (seen on 10.11.19).
        unsupported = Some("its definition holds bytes that are no UTF-8, such as the default of a binary column".to_owned());
        String::from_utf8_lossy(e.as_bytes()).into_owned()
    });
    let definition = match Definition::parse(&create) {
        Ok(definition) => Some(definition),
        Err(error) => {
            unsupported.get_or_insert(error.to_string());
            None
        }
    };
    let clauses: Vec<&ColumnClause> = definition.iter().flat_map(Definition::columns).collect();
    let agrees = definition.is_none()
        || (clauses.len() == facts.columns.len() && clauses.iter().zip(&facts.columns).all(|(clause, fact)| clause.name == fact.name));
    if !agrees {
        unsupported.get_or_insert("it was altered while its definition was read".to_owned());
    }
    let columns: Vec<Column> =
        facts.columns.iter().enumerate().map(|(i, f)| column(f, if agrees { clauses.get(i) } else { None })).collect();
    if let Some(other) = columns.iter().find(|c| c.kind == TypeKind::Other) {
        unsupported.get_or_insert(format!("column {}: type {} is not known to dtsctl", other.name, other.column_type));
    }
    let mut keys: Vec<Key> = match (&definition, agrees) {
        (Some(definition), true) => definition.indexes().map(|index| key(index, &columns, &facts.engine)).collect(),
        _ => Vec::new(),
    };
    keys.sort_by_key(|k| !k.is_primary());
    if let Some(definition) = definition.as_ref().filter(|_| agrees) {
        unsupported = unsupported.or_else(|| lost_characters(definition, &columns, flavor));
    }
    let table = Table {
        name: facts.name,
        engine: facts.engine,
        collation: facts.collation,
        rows_estimate: facts.rows_estimate,
        data_bytes: facts.data_bytes,
        index_bytes: facts.index_bytes,
        // MySQL says 1 or NULL for tables without such a column, by engine (seen on 9.7.4).
        auto_increment: facts.auto_increment.filter(|_| columns.iter().any(|c| c.auto_increment)),
        create,
        columns,
        keys,
        system_versioned: facts.system_versioned,
        unsupported,
    };
    (table, agrees)
}

fn column(fact: &ColumnFacts, clause: Option<&&ColumnClause>) -> Column {
    let json_check = |name: &str| clause.and_then(|c| c.check.as_deref()) == Some(&format!("json_valid({})", super::quote_name(name)));
    Column {
        kind: kind(&fact.data_type),
        unsigned: fact.column_type.contains(" unsigned") || fact.column_type.contains(" zerofill"),
        nullable: fact.nullable,
        // MySQL 8.0.30 and later spell utf8mb3, older servers of both vendors utf8.
        charset: fact.charset.clone(),
        collation: fact.collation.clone(),
        generated: !fact.row_period && clause.map_or_else(|| is_generated(&fact.extra), |c| c.generated.is_some()),
        row_period: fact.row_period,
        invisible: fact.extra.contains("INVISIBLE"),
        auto_increment: fact.extra.contains("AUTO_INCREMENT"),
        json_text: json_check(&fact.name),
        column_type: fact.column_type.clone(),
        name: fact.name.clone(),
    }
}

/// `VIRTUAL GENERATED`, `STORED GENERATED`; `DEFAULT_GENERATED` is an expression default.
fn is_generated(extra: &str) -> bool {
    extra.contains("VIRTUAL GENERATED") || extra.contains("STORED GENERATED") || extra == "VIRTUAL" || extra == "PERSISTENT"
}

fn kind(data_type: &str) -> TypeKind {
    match data_type {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => TypeKind::Integer,
        "decimal" => TypeKind::Decimal,
        "float" => TypeKind::Float,
        "double" => TypeKind::Double,
        "bit" => TypeKind::Bit,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => TypeKind::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => TypeKind::Bytes,
        "enum" => TypeKind::Enum,
        "set" => TypeKind::Set,
        "json" => TypeKind::Json,
        "date" => TypeKind::Date,
        "datetime" => TypeKind::DateTime,
        "timestamp" => TypeKind::Timestamp,
        "time" => TypeKind::Time,
        "year" => TypeKind::Year,
        // MySQL calls it geomcollection since 8.0.11, MariaDB geometrycollection.
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon" | "geomcollection"
        | "geometrycollection" => TypeKind::Geometry,
        "vector" => TypeKind::Vector,
        "uuid" | "inet6" | "inet4" => TypeKind::NamedText,
        _ => TypeKind::Other,
    }
}

fn key(index: &IndexClause, columns: &[Column], engine: &str) -> Key {
    let using = index.options.iter().find(|o| o.key == "USING").and_then(|o| o.value.clone());
    let index_type = match index.kind {
        IndexKind::Fulltext => "FULLTEXT".to_owned(),
        IndexKind::Spatial => "SPATIAL".to_owned(),
        IndexKind::Vector => "VECTOR".to_owned(),
        _ => using
            .map_or_else(|| if engine.eq_ignore_ascii_case("MEMORY") { "HASH" } else { "BTREE" }.to_owned(), |u| u.to_ascii_uppercase()),
    };
    // InnoDB keeps no hash indexes but MariaDB's unique keys over long columns, whose parts have no prefix.
    let long = |p: &KeyPart| p.prefix.is_none() && p.column.is_some_and(|c| is_long(&columns[c].column_type));
    let parts: Vec<KeyPart> = index
        .parts
        .iter()
        .map(|part| KeyPart {
            column: part.column.as_ref().and_then(|name| columns.iter().position(|c| c.name.eq_ignore_ascii_case(name))),
            prefix: part.prefix,
            descending: part.descending,
        })
        .collect();
    let index_type = if index_type == "HASH" && engine.eq_ignore_ascii_case("InnoDB") && !parts.iter().any(long) {
        "BTREE".to_owned()
    } else {
        index_type
    };
    Key { name: index.name.clone(), unique: matches!(index.kind, IndexKind::Primary | IndexKind::Unique), index_type, parts }
}

fn is_long(column_type: &str) -> bool {
    column_type.contains("text") || column_type.contains("blob")
}

/// Where characters beyond the basic plane may have been lost: the servers' texts are made in three-byte UTF-8, and a 4-byte character
/// comes out as `?` (seen: in ENUM and SET members on 9.7.4 and 10.11.19, in defaults on 10.11.19; in expressions as `????` on 9.7.4).
/// Whether a question mark was meant cannot be told, so such a table is not carried.
fn lost_characters(definition: &Definition, columns: &[Column], flavor: Flavor) -> Option<String> {
    let wide =
        |column: &Column| column.charset.as_deref().is_some_and(|c| ["utf8mb4", "utf16", "utf16le", "utf32", "gb18030"].contains(&c));
    let doubt = |place: String| {
        Some(format!("{place}: the server prints characters beyond the basic plane as '?', so this text cannot be trusted"))
    };
    let four = |text: &str| flavor.is_mysql() && literals(text).any(|l| l.contains("????"));
    for (clause, column) in definition.columns().zip(columns) {
        if wide(column) && matches!(column.kind, TypeKind::Enum | TypeKind::Set) && clause.data_type.contains('?') {
            return doubt(format!("column {}, its members", clause.name));
        }
        let default = clause.default.as_deref().unwrap_or_default();
        if wide(column) && flavor.is_mariadb() && default.starts_with('\'') && default.contains('?') {
            return doubt(format!("column {}, its default", clause.name));
        }
        if four(default) || clause.generated.as_ref().is_some_and(|g| four(&g.expression)) {
            return doubt(format!("column {}, its expression", clause.name));
        }
    }
    for item in &definition.items {
        match &item.clause {
            Clause::Check(check) if four(&check.expression) => {
                return doubt(format!("check {}", check.name.as_deref().unwrap_or_default()));
            }
            Clause::Index(index) if index.parts.iter().any(|p| p.expression.as_deref().is_some_and(four)) => {
                return doubt(format!("index {}", index.name));
            }
            _ => {}
        }
    }
    None
}

fn literals(text: &str) -> impl Iterator<Item = &str> {
    lex::lex(text, lex::Mode::default()).into_iter().filter(|t| t.kind == lex::Kind::String).map(move |t| t.text(text))
}
