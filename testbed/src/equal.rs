//! The servers' own proof that two tables are equal: every value of every row, spelt exactly by each server, compared one by one.
//!
//! This shares nothing with dtsctl: no checksum that could cancel, no chunk, no decoder. Invisible and generated columns are included,
//! as the column list comes from `information_schema`. Rows come in an order that does not depend on a collation, so that tables of
//! different flavours can be compared, and tables without a key compare as multisets.
//!
//! How values are spelt: text and bytes as `HEX` of what is stored; FLOAT and DOUBLE as the bits of the
//! DOUBLE with the same value, by the binary protocol; BIT
//! as number; ENUM and SET as ordinal and text; times as text in UTC; JSON as its text; geometries as stored, SRID included. Text and
//! bytes over 1 MiB are spelt as length and SHA-512, as `HEX` gives NULL beyond `max_allowed_packet`.
//!
//! Why no text of a float will do (seen on MySQL 9.7.4 and MariaDB 10.11.19): a FLOAT's own text has six digits; `CAST(x AS CHAR)` of a
//! DOUBLE is cut to 22 characters by MySQL, which loses a digit of `-1.7976931348623157e308`; and the two flavours change from plain
//! to scientific notation at different magnitudes (`0.0000002384185791015625` and `2.384185791015625e-7`).

use mysql::prelude::Queryable;
use mysql::{Conn, Row};

/// Whether the two tables hold the same columns with the same values in the same number of rows.
///
/// The failure says what differs first: the row's index in the order of comparison (from 0), the column, and both values, cut short.
pub fn compare_tables(src: &mut Conn, src_db: &str, src_table: &str, dst: &mut Conn, dst_db: &str, dst_table: &str) -> Result<(), String> {
    let place = format!("{src_db}.{src_table} and {dst_db}.{dst_table}");
    let src_columns = columns(src, src_db, src_table)?;
    let dst_columns = columns(dst, dst_db, dst_table)?;
    let names = |columns: &[Column]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    if names(&src_columns) != names(&dst_columns) {
        return Err(format!("{place}: columns differ: {:?} and {:?}", names(&src_columns), names(&dst_columns)));
    }
    // One order for both sides: by the key only where the servers must agree on it.
    let native = [&src_columns, &dst_columns].into_iter().all(|columns| {
        let mut keys = columns.iter().filter(|column| column.key_position > 0).peekable();
        keys.peek().is_some() && keys.all(Column::sorts_alike_everywhere)
    }) && key(&src_columns) == key(&dst_columns);

    let failed = |side: &str, error: mysql::Error| format!("{place}: reading the {side}: {error}");
    for conn in [&mut *src, &mut *dst] {
        for statement in ["SET NAMES binary", "SET SESSION time_zone = '+00:00'"] {
            conn.query_drop(statement).map_err(|error| error.to_string())?;
        }
    }
    let mut left = src.exec_iter(select(&src_columns, src_db, src_table, native), ()).map_err(|error| failed("source", error))?;
    let mut right = dst.exec_iter(select(&dst_columns, dst_db, dst_table, native), ()).map_err(|error| failed("destination", error))?;
    let mut left = left.iter().ok_or_else(|| format!("{place}: the source gave no rows"))?;
    let mut right = right.iter().ok_or_else(|| format!("{place}: the destination gave no rows"))?;
    let mut index = 0_u64;
    loop {
        let a = left.next().transpose().map_err(|error| failed("source", error))?;
        let b = right.next().transpose().map_err(|error| failed("destination", error))?;
        match (a, b) {
            (None, None) => return Ok(()),
            (Some(row), None) => {
                return Err(format!("{place}: the source has a row more at index {index}: {}", shown(&src_columns, &values(row))));
            }
            (None, Some(row)) => {
                return Err(format!("{place}: the destination has a row more at index {index}: {}", shown(&dst_columns, &values(row))));
            }
            (Some(a), Some(b)) => {
                let (a, b) = (values(a), values(b));
                if a != b {
                    let differing = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or_default();
                    return Err(format!(
                        "{place}: row {index} differs in column {}: {} and {}; the source's row: {}",
                        src_columns[differing].name,
                        cut(&a[differing]),
                        cut(&b[differing]),
                        shown(&src_columns, &a)
                    ));
                }
            }
        }
        index += 1;
    }
}

/// Compares every base table of two databases; the failure lists tables that are missing and the first difference of each other.
pub fn compare_databases(src: &mut Conn, src_db: &str, dst: &mut Conn, dst_db: &str) -> Result<(), String> {
    let src_tables = tables(src, src_db)?;
    let dst_tables = tables(dst, dst_db)?;
    let mut problems = Vec::new();
    if src_tables.is_empty() {
        problems.push(format!("{src_db} holds no tables"));
    }
    for table in &dst_tables {
        if !src_tables.contains(table) {
            problems.push(format!("{dst_db}.{table} is at the destination only"));
        }
    }
    for table in &src_tables {
        if !dst_tables.contains(table) {
            problems.push(format!("{src_db}.{table} is missing at the destination"));
        } else if let Err(problem) = compare_tables(src, src_db, table, dst, dst_db, table) {
            problems.push(problem);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// The base tables of a database, by name (sequences and views are none).
pub fn tables(conn: &mut Conn, database: &str) -> Result<Vec<String>, String> {
    conn.query_drop("SET NAMES utf8mb4").map_err(|error| error.to_string())?;
    let mut names: Vec<String> = conn
        .exec(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')",
            (database,),
        )
        .map_err(|error| error.to_string())?;
    names.sort();
    Ok(names)
}

#[derive(Debug)]
struct Column {
    name: String,
    data_type: String,
    /// The place in the primary key, from 1; 0 when not part of it.
    key_position: u64,
}

impl Column {
    fn sorts_alike_everywhere(&self) -> bool {
        ["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "date", "datetime", "timestamp", "time", "year", "float", "double"]
            .contains(&self.data_type.as_str())
    }

    fn is_float(&self) -> bool {
        ["float", "double"].contains(&self.data_type.as_str())
    }

    fn spelling(&self) -> String {
        let name = quoted(&self.name);
        match self.data_type.as_str() {
            "float" | "double" => format!("{name} + 0e0"),
            "bit" => format!("HEX({name} + 0)"),
            "enum" | "set" => format!("CONCAT(CAST({name} AS UNSIGNED), ':', HEX({name}))"),
            "json" => format!("HEX(CAST({name} AS CHAR CHARACTER SET utf8mb4))"),
            "inet4" | "inet6" | "uuid" => format!("HEX(CAST({name} AS CHAR))"),
            "char" | "varchar" | "binary" | "varbinary" | "tinytext" | "text" | "tinyblob" | "blob" | "vector" => format!("HEX({name})"),
            "mediumtext" | "longtext" | "mediumblob" | "longblob" => {
                format!("IF(LENGTH({name}) > 1048576, CONCAT(LENGTH({name}), ':', SHA2({name}, 512)), HEX({name}))")
            }
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon" | "geometrycollection"
            | "geomcollection" => format!("HEX({name})"),
            _ => format!("CAST({name} AS CHAR)"),
        }
    }
}

fn key(columns: &[Column]) -> Vec<&str> {
    let mut keys: Vec<&Column> = columns.iter().filter(|column| column.key_position > 0).collect();
    keys.sort_by_key(|column| column.key_position);
    keys.into_iter().map(|column| column.name.as_str()).collect()
}

fn columns(conn: &mut Conn, database: &str, table: &str) -> Result<Vec<Column>, String> {
    conn.query_drop("SET NAMES utf8mb4").map_err(|error| error.to_string())?;
    // System versioning's own columns hold the time of writing, which no copy can share.
    let found: Vec<(String, String)> = conn
        .exec(
            "SELECT column_name, LOWER(data_type) FROM information_schema.columns WHERE table_schema = ? AND table_name = ? \
             AND COALESCE(generation_expression, '') NOT IN ('ROW START', 'ROW END') ORDER BY ordinal_position",
            (database, table),
        )
        .map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err(format!("there is no table {database}.{table}"));
    }
    let keys: Vec<(String, u64)> = conn
        .exec(
            "SELECT column_name, seq_in_index FROM information_schema.statistics WHERE table_schema = ? AND table_name = ? AND index_name = 'PRIMARY'",
            (database, table),
        )
        .map_err(|error| error.to_string())?;
    Ok(found
        .into_iter()
        .map(|(name, data_type)| {
            let key_position = keys.iter().find(|(key, _)| *key == name).map_or(0, |(_, position)| *position);
            Column { name, data_type, key_position }
        })
        .collect())
}

fn select(columns: &[Column], database: &str, table: &str, native: bool) -> String {
    let spelt: Vec<String> = columns.iter().map(Column::spelling).collect();
    let mut order: Vec<String> = Vec::new();
    if native {
        order.extend(key(columns).into_iter().map(quoted));
    } else {
        // A hash of the key, or of everything, orders alike on all servers; equal rows are interchangeable. Floats have no text that
        // all servers share, but an order they do.
        let whole = key(columns).is_empty();
        let parts = || columns.iter().zip(&spelt).filter(|(column, _)| whole || column.key_position > 0);
        let hashed: Vec<String> = parts()
            .filter(|(column, _)| !column.is_float())
            .map(|(_, spelling)| format!("IFNULL(CONCAT('=', {spelling}), 'NULL')"))
            .collect();
        if !hashed.is_empty() {
            order.push(format!("SHA2(CONCAT_WS('#', {}), 256)", hashed.join(", ")));
        }
        order.extend(parts().filter(|(column, _)| column.is_float()).map(|(_, spelling)| spelling.clone()));
    }
    let order = order.join(", ");
    format!("SELECT {} FROM {}.{} ORDER BY {order}", spelt.join(", "), quoted(database), quoted(table))
}

fn values(row: Row) -> Vec<Option<Vec<u8>>> {
    row.unwrap()
        .into_iter()
        .map(|value| match value {
            mysql::Value::Bytes(bytes) => Some(bytes),
            mysql::Value::NULL => None,
            mysql::Value::Double(double) => Some(format!("{double:e} ({:016x})", double.to_bits()).into_bytes()),
            other => Some(other.as_sql(true).into_bytes()),
        })
        .collect()
}

fn cut(value: &Option<Vec<u8>>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            if text.chars().count() > 80 { format!("{}...", text.chars().take(80).collect::<String>()) } else { text.into_owned() }
        }
    }
}

fn shown(columns: &[Column], values: &[Option<Vec<u8>>]) -> String {
    columns.iter().zip(values).map(|(column, value)| format!("{}={}", column.name, cut(value))).collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
