//! What is worked out once for each table that changes come for: names, keys, literals, conditions.

use std::sync::Arc;

use crate::{
    binlog::{Image, json},
    catalog::{Key, TypeKind, quote_name},
    connect::Flavor,
    destination::{
        CopyTable,
        change::TableChanges,
        mysql::encode::{self, InsertEncoder},
        mysql::members::members,
    },
};

/// Rows before and after.
type Updates<'c> = Vec<&'c (Image, Image)>;

/// One copied column.
#[derive(Debug)]
pub(super) struct Cell {
    /// Index in the row images.
    pub(super) source: usize,
    /// Name at the destination, between backticks.
    pub(super) name: String,
    /// What is compared with a literal of it: the name, but for a SET whose number may have its 64th bit, which a server takes for a sign.
    pub(super) compared: String,
    kind: TypeKind,
    /// The literal's charset, for text.
    introducer: String,
    /// The destination's charset, where text has to be converted to it before bytes are compared.
    converted_to: Option<String>,
    /// The largest value of FLOAT(M,D) and DOUBLE(M,D): one stored just beyond it comes in an image as this.
    limit: Option<String>,
    /// Has an index that begins with it, so that a plain comparison may find the row.
    indexed: bool,
}

/// A unique key of the destination beside the one by which rows are told apart.
#[derive(Debug)]
pub(super) struct Unique {
    /// Its name.
    pub(super) name: String,
    /// Names of its columns, without backticks; an expression stands as `(expression)`.
    pub(super) columns: Vec<String>,
    /// Its columns as copied ones; `None` when it has an expression, a generated column or one of the destination's own.
    cells: Option<Vec<usize>>,
    /// Some part is a prefix: equal prefixes collide, which equality of the columns does not tell.
    prefix: bool,
}

/// All of it.
pub(super) struct Shape {
    pub(super) table: Arc<CopyTable>,
    /// The destination's name between backticks.
    pub(super) name: String,
    pub(super) cells: Vec<Cell>,
    /// The key by which rows are told apart, as copied columns, and the names of its columns; `None` for tables without one.
    pub(super) key: Option<(Vec<usize>, Vec<String>)>,
    /// The other unique keys.
    pub(super) others: Vec<Unique>,
    /// The destination has columns of its own: its rows must never be deleted to be inserted anew.
    pub(super) own_columns: bool,
    /// `INSERT INTO ... (...) VALUES `, without its first word.
    pub(super) into: String,
    /// What follows an upsert's rows.
    pub(super) on_duplicate: String,
    pub(super) encoder: InsertEncoder,
    /// A DOUBLE of -0 is stored as such, and is equal to 0 (seen on 9.7.4); MariaDB makes it 0 (10.11).
    keeps_zero_signs: bool,
    /// Rows of the table, roughly.
    pub(super) rows: u64,
}

impl Shape {
    pub(super) fn new(table: &Arc<CopyTable>, packet: u64, flavor: Flavor) -> Self {
        let indexed = |d: usize| table.destination.keys.iter().any(|k| k.parts.first().is_some_and(|p| p.column == Some(d)));
        let cells: Vec<Cell> = table
            .columns
            .iter()
            .enumerate()
            .map(|(i, &(s, d))| {
                let column = &table.destination.columns[d];
                let name = quote_name(&column.name);
                let large = column.kind == TypeKind::Set && members(&column.column_type).len() > 63;
                Cell {
                    source: s,
                    compared: if large { format!("({name}|0)") } else { name.clone() },
                    name,
                    kind: column.kind,
                    introducer: format!("_{}", table.source_charset(i)),
                    converted_to: table.converts_from(i).and(column.charset.clone()),
                    limit: column.float_limit(),
                    indexed: indexed(d),
                }
            })
            .collect();
        let cell_of = |d: usize| table.columns.iter().position(|&(_, to)| to == d);
        let names = |key: &Key| -> Vec<String> {
            let name = |c: Option<usize>| c.map_or_else(|| "(expression)".to_owned(), |c| table.destination.columns[c].name.clone());
            key.parts.iter().map(|p| name(p.column)).collect()
        };
        let key = table.key();
        let key_name = key.as_ref().map(|(_, key)| key.name.clone());
        let key = key.map(|(sources, key)| {
            let cells = sources.iter().filter_map(|s| table.columns.iter().position(|(from, _)| from == s)).collect();
            (cells, names(key))
        });
        let others = table
            .destination
            .keys
            .iter()
            .filter(|k| k.unique && Some(&k.name) != key_name.as_ref())
            .map(|k| Unique {
                name: k.name.clone(),
                columns: names(k),
                cells: k.parts.iter().map(|p| p.column.and_then(cell_of)).collect(),
                prefix: k.parts.iter().any(|p| p.prefix.is_some()),
            })
            .collect();
        let list: Vec<&str> = cells.iter().map(|c| c.name.as_str()).collect();
        let name = table.destination.name.quoted();
        // All columns, the key's too: were another row hit through another unique key, giving it this key would collide with the row that
        // has it, which is an error and not a row lost in silence.
        let set = |value: &dyn Fn(&str) -> String| list.iter().map(|c| format!("{c}={}", value(c))).collect::<Vec<_>>().join(",");
        let on_duplicate = if flavor.names_inserted_rows() {
            format!(" AS dtsctl_new ON DUPLICATE KEY UPDATE {}", set(&|c| format!("dtsctl_new.{c}")))
        } else {
            format!(" ON DUPLICATE KEY UPDATE {}", set(&|c| format!("VALUES({c})")))
        };
        Self {
            into: format!("INTO {name} ({}) VALUES ", list.join(",")),
            on_duplicate,
            name,
            key,
            others,
            own_columns: table.has_own_columns(),
            encoder: InsertEncoder::for_images(table, packet),
            keeps_zero_signs: flavor.is_mysql(),
            rows: table.source.rows_estimate.max(table.destination.rows_estimate),
            cells,
            table: Arc::clone(table),
        }
    }

    /// Names of the columns by which the table's rows are told apart: those of the key, or all.
    pub(super) fn key_names(&self) -> Vec<String> {
        match &self.key {
            Some((_, names)) => names.clone(),
            None => self.table.columns.iter().map(|&(_, d)| self.table.destination.columns[d].name.clone()).collect(),
        }
    }

    /// The columns of a key by its name as an error message has it (`t.PRIMARY` on MySQL, `PRIMARY` on MariaDB).
    pub(super) fn columns_of(&self, key: &str) -> Vec<String> {
        self.other(key).map_or_else(|| self.key_names(), |u| u.columns.clone())
    }

    fn other(&self, key: &str) -> Option<&Unique> {
        // MySQL puts the table's name before the key's.
        let bare = key.rsplit_once('.').map_or(key, |(_, name)| name);
        self.others.iter().find(|u| u.name == key || u.name == bare)
    }

    /// Whether an error message names another unique key than the one by which rows are told apart.
    pub(super) fn is_other(&self, key: &str) -> bool {
        self.other(key).is_some()
    }

    /// Names of the destination's ENUM columns that are written.
    pub(super) fn enum_columns(&self) -> impl Iterator<Item = &str> {
        let columns = self.table.columns.iter().map(|&(_, d)| &self.table.destination.columns[d]);
        columns.filter(|c| c.kind == TypeKind::Enum).map(|c| c.name.as_str())
    }

    /// Whether an update changes, or may change, a value of a unique key other than the one by which rows are told apart.
    pub(super) fn moves(&self, before: &Image, after: &Image) -> bool {
        let changes = |cells: &[usize]| cells.iter().any(|&c| before.cell(self.cells[c].source) != after.cell(self.cells[c].source));
        self.others.iter().any(|unique| unique.cells.as_deref().is_none_or(changes))
    }

    /// Updates in place, and those whose rows have to go before they come again.
    pub(super) fn split<'c>(&self, changes: &'c TableChanges) -> (Updates<'c>, Updates<'c>) {
        changes.updates.iter().partition(|(before, after)| !self.moves(before, after))
    }

    /// `(v, v, ...)`.
    pub(super) fn tuple(&mut self, out: &mut Vec<u8>, image: &Image) -> Result<(), String> {
        out.push(b'(');
        for i in 0..self.cells.len() {
            if i > 0 {
                out.push(b',');
            }
            self.literal(out, i, image)?;
        }
        out.push(b')');
        Ok(())
    }

    /// `c=v,c=v`, every column named, so that no ON UPDATE CURRENT_TIMESTAMP fires.
    pub(super) fn assignments(&mut self, out: &mut Vec<u8>, image: &Image) -> Result<(), String> {
        for i in 0..self.cells.len() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.cells[i].name.as_bytes());
            out.push(b'=');
            self.literal(out, i, image)?;
        }
        Ok(())
    }

    fn literal(&mut self, out: &mut Vec<u8>, cell: usize, image: &Image) -> Result<(), String> {
        let column = &self.cells[cell];
        let value = image.cell(column.source);
        // Where the text alone would come back as another value, a server of MySQL builds it from its parts.
        if column.kind == TypeKind::Json
            && let Some(document) = image.typed_json(column.source)
        {
            let expression = json::expression(document).map_err(|error| format!("column {}: {error}", column.name))?;
            out.extend_from_slice(&expression);
            return Ok(());
        }
        self.encoder.literal(out, cell, value).map_err(|what| format!("column {}: {what}", self.cells[cell].name))
    }

    /// The value of one of the key's columns as what the column is compared with: by the column's own collation and by its index.
    pub(super) fn key_literal(&self, out: &mut Vec<u8>, cell: usize, image: &Image) -> Result<(), String> {
        let Some(value) = image.cell(self.cells[cell].source) else { return Err("a key column is NULL".to_owned()) };
        self.comparable(out, cell, value).map_err(|what| format!("column {}: {what}", self.cells[cell].name))
    }

    /// The condition for the one row with the image's key.
    pub(super) fn by_key(&self, out: &mut Vec<u8>, image: &Image) -> Result<(), String> {
        let Some((cells, _)) = &self.key else { return Err("a table without a key".to_owned()) };
        for (n, &cell) in cells.iter().enumerate() {
            if n > 0 {
                out.extend_from_slice(b" AND ");
            }
            out.extend_from_slice(self.cells[cell].compared.as_bytes());
            out.push(b'=');
            self.key_literal(out, cell, image)?;
        }
        Ok(())
    }

    /// The condition for the row that an image stands for: by its key, or by all of it.
    pub(super) fn by_row(&mut self, out: &mut Vec<u8>, image: &Image) -> Result<(), String> {
        if self.key.is_some() { self.by_key(out, image) } else { self.by_all(out, image, Json::Typed) }
    }

    /// Where nothing but its values identifies a row: the copy may have stored its JSON as another number with the same value.
    pub(super) fn may_be_as_copied(&self, image: &Image) -> bool {
        let typed = |cell: &Cell| cell.kind == TypeKind::Json && image.typed_json(cell.source).is_some();
        self.key.is_none() && self.cells.iter().any(typed)
    }

    /// The condition for such a row as the copy has stored it.
    pub(super) fn by_row_as_copied(&mut self, out: &mut Vec<u8>, image: &Image) -> Result<(), String> {
        self.by_all(out, image, Json::Copied)
    }

    /// The condition for rows with the image's values in another unique key; `false` when no row can be in the way there, a NULL being
    /// among them.
    ///
    /// # Errors
    /// When the key cannot be looked for by column values.
    pub(super) fn by_unique(&self, out: &mut Vec<u8>, name: &str, image: &Image) -> Result<bool, String> {
        let cells = self.other(name).filter(|u| !u.prefix).and_then(|u| u.cells.as_ref());
        let Some(cells) = cells else { return Err(format!("rows in the way under key {name} cannot be looked for")) };
        for (n, &cell) in cells.iter().enumerate() {
            let Some(value) = image.cell(self.cells[cell].source) else { return Ok(false) };
            if n > 0 {
                out.extend_from_slice(b" AND ");
            }
            out.extend_from_slice(self.cells[cell].compared.as_bytes());
            out.push(b'=');
            self.comparable(out, cell, value)?;
        }
        Ok(true)
    }

    pub(super) fn comparable(&self, out: &mut Vec<u8>, cell: usize, value: &[u8]) -> Result<(), String> {
        let column = &self.cells[cell];
        match column.kind {
            TypeKind::Integer | TypeKind::Decimal | TypeKind::Year if encode::is_number(value) => out.extend_from_slice(value),
            TypeKind::Integer | TypeKind::Decimal | TypeKind::Year => return Err("a number is none".to_owned()),
            // By number, which the index knows as well as the name (seen on 9.7.4 and 10.11).
            TypeKind::Enum | TypeKind::Set if self.table.source.columns[column.source].kind == column.kind => {
                out.extend_from_slice(self.encoder.renumbered(cell, value)?.to_string().as_bytes());
            }
            TypeKind::Bit => out.extend_from_slice(encode::bits(value).to_string().as_bytes()),
            TypeKind::Float | TypeKind::Double => push_double(out, value)?,
            TypeKind::Date | TypeKind::DateTime | TypeKind::Timestamp | TypeKind::Time | TypeKind::NamedText => {
                encode::push_quoted(out, value)
            }
            TypeKind::Text | TypeKind::Enum | TypeKind::Set => encode::push_text(out, &column.introducer, value),
            _ => encode::push_text(out, "_binary", value),
        }
        Ok(())
    }

    /// The condition for rows that are, byte for byte, this image. NULL is equal to NULL. What text looks like to a collation does not
    /// count, nor do two JSON values that are equal as numbers but not in their text.
    fn by_all(&mut self, out: &mut Vec<u8>, image: &Image, json: Json) -> Result<(), String> {
        for cell in 0..self.cells.len() {
            if cell > 0 {
                out.extend_from_slice(b" AND ");
            }
            self.exactly(out, cell, image, json).map_err(|what| format!("column {}: {what}", self.cells[cell].name))?;
        }
        Ok(())
    }

    fn exactly(&mut self, out: &mut Vec<u8>, cell: usize, image: &Image, json: Json) -> Result<(), String> {
        let column = &self.cells[cell];
        let name = column.name.as_bytes();
        let Some(value) = image.cell(column.source) else {
            out.extend_from_slice(name);
            out.extend_from_slice(b" IS NULL");
            return Ok(());
        };
        let wrapped = |out: &mut Vec<u8>, before: &[u8], after: &[u8]| {
            out.extend_from_slice(before);
            out.extend_from_slice(name);
            out.extend_from_slice(after);
        };
        match column.kind {
            TypeKind::Text => {
                if column.indexed {
                    wrapped(out, b"", b"=");
                    self.comparable(out, cell, value)?;
                    out.extend_from_slice(b" AND ");
                }
                wrapped(out, b"CAST(", b" AS BINARY)=");
                match &column.converted_to {
                    Some(charset) => {
                        out.extend_from_slice(b"CAST(CONVERT(");
                        encode::push_text(out, &column.introducer, value);
                        out.extend_from_slice(format!(" USING {charset}) AS BINARY)").as_bytes());
                    }
                    None => encode::push_text(out, "_binary", value),
                }
            }
            TypeKind::Float | TypeKind::Double if column.limit.is_some() => {
                let limit = column.limit.as_deref().unwrap_or_default();
                wrapped(out, b"LEAST(GREATEST(", format!("*1e0,-{limit}),{limit})=").as_bytes());
                self.comparable(out, cell, value)?;
            }
            // Alone: beside an equality the server would put the literal into the CAST.
            TypeKind::Float | TypeKind::Double if self.keeps_zero_signs && is_zero(value) => {
                wrapped(out, b"CAST(", if value.starts_with(b"-") { b" AS CHAR)='-0'" } else { b" AS CHAR)='0'" });
            }
            TypeKind::Vector => {
                wrapped(out, b"CAST(", b" AS BINARY)=");
                self.comparable(out, cell, value)?;
            }
            TypeKind::Json => {
                wrapped(out, b"CAST(CAST(", b" AS CHAR) AS BINARY)=CAST(CAST(CAST(");
                match json {
                    Json::Typed => self.literal(out, cell, image)?,
                    Json::Copied => self.encoder.literal(out, cell, Some(value))?,
                }
                out.extend_from_slice(b" AS JSON) AS CHAR) AS BINARY)");
            }
            TypeKind::Enum | TypeKind::Set if self.table.source.columns[column.source].kind == column.kind => {
                wrapped(out, b"(", b"|0)=");
                self.comparable(out, cell, value)?;
            }
            TypeKind::Enum | TypeKind::Set => {
                wrapped(out, b"CAST(", b" AS BINARY)=");
                encode::push_text(out, "_binary", value);
            }
            TypeKind::Year => {
                wrapped(out, b"CAST(", b" AS UNSIGNED)=");
                self.comparable(out, cell, value)?;
            }
            _ => {
                wrapped(out, b"", b"=");
                self.comparable(out, cell, value)?;
            }
        }
        Ok(())
    }
}

/// Which JSON value is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Json {
    /// The source's, with its types.
    Typed,
    /// What its text becomes when the full copy stores it: a DECIMAL is a DOUBLE then, and printed as one.
    Copied,
}

fn is_zero(value: &[u8]) -> bool {
    std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok()) == Some(0.0)
}

/// A literal of type DOUBLE: without an exponent the digits would be a DECIMAL.
fn push_double(out: &mut Vec<u8>, value: &[u8]) -> Result<(), String> {
    if value.is_empty() || !value.iter().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
        return Err("a number is none".to_owned());
    }
    out.extend_from_slice(value);
    if !value.iter().any(|b| matches!(b, b'e' | b'E')) {
        out.extend_from_slice(b"e0");
    }
    Ok(())
}
