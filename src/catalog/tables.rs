//! One table from what was read of it: the rows of `information_schema` and the server's text.

use super::cascade::cascading_keys;
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

/// A table as far as its facts go.
pub(super) struct Read {
    pub(super) table: Table,
    /// Text and rows speak of the same columns.
    pub(super) agrees: bool,
    /// Columns whose default lost characters or bytes in the text and must be asked for.
    pub(super) lost_defaults: Vec<String>,
}

pub(super) fn table(mut facts: TableFacts, create: Vec<u8>, flavor: Flavor) -> Read {
    facts.columns.sort_by_key(|c| c.position);
    // MariaDB prints the default of a binary column as raw bytes (seen on 10.11.19).
    let (create, raw_bytes) = match String::from_utf8(create) {
        Ok(create) => (create, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    };
    let mut unsupported = None;
    let definition = match Definition::parse(&create) {
        Ok(definition) => Some(definition),
        Err(error) => {
            unsupported = Some(error.to_string());
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
    let understood = definition.as_ref().filter(|_| agrees);
    let mut keys: Vec<Key> =
        understood.iter().flat_map(|d| d.indexes()).map(|index| key(index, &columns, (&facts.engine, flavor))).collect();
    keys.sort_by_key(|k| !k.is_primary());
    let mut lost_defaults = Vec::new();
    if let Some(definition) = understood {
        unsupported = unsupported.or_else(|| lost_characters(definition, &columns, flavor));
        lost_defaults = definition
            .columns()
            .zip(&columns)
            .filter(|(clause, column)| {
                let default = clause.default.as_deref().unwrap_or_default();
                let wide = flavor.is_mariadb() && is_wide(column) && default.contains('?');
                default.starts_with('\'') && (wide || (raw_bytes && default.contains(char::REPLACEMENT_CHARACTER)))
            })
            .map(|(clause, _)| clause.name.clone())
            .collect();
    }
    if raw_bytes && lost_defaults.is_empty() {
        unsupported.get_or_insert(NOT_UTF8.to_owned());
    }
    let cascades = definition.as_ref().map(|definition| cascading_keys(definition, &facts.name));
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
        cascades,
        unsupported,
    };
    Read { table, agrees, lost_defaults }
}

const NOT_UTF8: &str = "its definition holds bytes that are no UTF-8";

/// Puts defaults that the text lost into it, as hexadecimal literals of the bytes that the server named when asked for them.
pub(super) fn put_defaults(table: &mut Table, names: &[String], values: &[Option<String>]) {
    let Ok(definition) = Definition::parse(&table.create) else { return };
    let mut edits = Vec::new();
    for item in &definition.items {
        let Clause::Column(column) = &item.clause else { continue };
        let Some(at) = names.iter().position(|n| *n == column.name) else { continue };
        let text = &table.create[item.span.clone()];
        let tokens = lex::significant(text, lex::Mode::default());
        let literal = tokens.windows(2).find(|w| w[0].is_word(text, "DEFAULT") && w[1].kind == lex::Kind::String).map(|w| w[1]);
        if let (Some(literal), Some(Some(hex))) = (literal, values.get(at)) {
            edits.push((item.span.start + literal.start..item.span.start + literal.end, format!("0x{hex}")));
        }
    }
    if edits.len() < names.len() {
        table.unsupported.get_or_insert("the server did not tell a default that its text lost".to_owned());
    }
    for (span, literal) in edits.into_iter().rev() {
        table.create.replace_range(span, &literal);
    }
    if table.create.contains(char::REPLACEMENT_CHARACTER) {
        table.unsupported.get_or_insert(NOT_UTF8.to_owned());
    }
}

fn column(fact: &ColumnFacts, clause: Option<&&ColumnClause>) -> Column {
    // MySQL names no charset for an ENUM or SET in `binary`, and neither vendor leaves them without one (seen on 9.7.4 and 10.11.19).
    let kind = kind(&fact.data_type);
    let binary = || matches!(kind, TypeKind::Enum | TypeKind::Set).then(|| "binary".to_owned());
    let json_check = |name: &str| clause.and_then(|c| c.check.as_deref()) == Some(&format!("json_valid({})", super::quote_name(name)));
    Column {
        kind,
        unsigned: fact.column_type.contains(" unsigned") || fact.column_type.contains(" zerofill"),
        nullable: fact.nullable,
        // MySQL 8.0.30 and later spell utf8mb3, older servers of both vendors utf8.
        charset: fact.charset.clone().or_else(binary),
        collation: fact.collation.clone().or_else(binary),
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

fn key(index: &IndexClause, columns: &[Column], (engine, flavor): (&str, Flavor)) -> Key {
    let using = index.options.iter().find(|o| o.key == "USING").and_then(|o| o.value.clone());
    let index_type = match index.kind {
        IndexKind::Fulltext => "FULLTEXT".to_owned(),
        IndexKind::Spatial => "SPATIAL".to_owned(),
        IndexKind::Vector => "VECTOR".to_owned(),
        _ => using
            .map_or_else(|| if engine.eq_ignore_ascii_case("MEMORY") { "HASH" } else { "BTREE" }.to_owned(), |u| u.to_ascii_uppercase()),
    };
    // InnoDB keeps no hash indexes but MariaDB's unique keys over long columns, whose parts have no prefix, and those that ask for it (seen on
    // 10.11.18).
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
    let asked = flavor.is_mariadb() && matches!(index.kind, IndexKind::Unique);
    let index_type = if index_type == "HASH" && engine.eq_ignore_ascii_case("InnoDB") && !asked && !parts.iter().any(long) {
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
/// comes out as `?` (seen: in ENUM and SET members on 9.7.4 and 10.11.19; in expressions as `????` on 9.7.4; defaults on 10.11.19 can be asked for).
/// Whether a question mark was meant cannot be told, so such a table is not carried.
fn lost_characters(definition: &Definition, columns: &[Column], flavor: Flavor) -> Option<String> {
    let doubt = |place: String| {
        Some(format!("{place}: the server prints characters beyond the basic plane as '?', so this text cannot be trusted"))
    };
    let four = |text: &str| flavor.is_mysql() && literals(text).any(|l| l.contains("????"));
    for (clause, column) in definition.columns().zip(columns) {
        if is_wide(column) && matches!(column.kind, TypeKind::Enum | TypeKind::Set) && clause.data_type.contains('?') {
            return doubt(format!("column {}, its members", clause.name));
        }
        let default = clause.default.as_deref().unwrap_or_default();
        if (default.starts_with('(') && four(default)) || clause.generated.as_ref().is_some_and(|g| four(&g.expression)) {
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

/// Its charset has characters beyond the basic plane.
fn is_wide(column: &Column) -> bool {
    column.charset.as_deref().is_some_and(|c| ["utf8mb4", "utf16", "utf16le", "utf32", "gb18030"].contains(&c))
}

fn literals(text: &str) -> impl Iterator<Item = &str> {
    lex::lex(text, lex::Mode::default()).into_iter().filter(|t| t.kind == lex::Kind::String).map(move |t| t.text(text))
}
