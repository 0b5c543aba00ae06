//! Whether a definition is the one that a table map event speaks of, and how each column's values are read.
//!
//! The binlog does not say what a column is called or whether it is signed unless row metadata is on, so values are read by the
//! definition in hand; and since that may be another than the one that was in force when the rows were written, everything that the event
//! does say is held against it first. A misfit stops the task: a row read by the wrong definition is worse than none.

use super::{
    TableMap, WireColumn, charset,
    table_map::code,
    value::{number::decimal_bytes, temporal::hires},
};
use crate::catalog::{Column, Table, TypeKind};

/// How values of one wire column are read. Made by [`fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnForm {
    /// The column's name; for a hidden one what it is.
    pub(super) name: String,
    pub(super) form: Form,
    /// Not a column of the definition: its cell comes after theirs.
    pub(super) hidden: bool,
    /// Computed: its value may be absent.
    pub(super) generated: bool,
    /// Of a system-versioned table's period; its highest value marks the end of a row that still stands.
    pub(super) row_period: bool,
}

impl ColumnForm {
    /// Not a column of the definition but one that the server keeps to itself, such as a generated key; its cell stands behind theirs.
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }
}

/// The layout of a value on the wire and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    Signed {
        bytes: u8,
    },
    Unsigned {
        bytes: u8,
        width: u8,
    },
    Decimal {
        precision: u8,
        scale: u8,
        bytes: u8,
        width: u8,
    },
    Float {
        most: f64,
    },
    Double {
        most: f64,
    },
    Bit {
        bytes: u8,
    },
    /// Text, bytes: a length and as many. CHAR is among them: its spaces at the end are not on the wire, and not in what a `SELECT` gives
    /// either, since our reading sessions never have `PAD_CHAR_TO_FULL_LENGTH`; the destination pads as its own column says.
    Sized {
        length_bytes: u8,
    },
    /// BINARY(n): trailing zero bytes are left out on the wire.
    Padded {
        length_bytes: u8,
        to: u16,
    },
    Compressed {
        length_bytes: u8,
    },
    Json {
        length_bytes: u8,
    },
    /// ENUM, SET.
    Number {
        bytes: u8,
    },
    Date,
    Year,
    DateTime2 {
        digits: u8,
    },
    Timestamp2 {
        digits: u8,
    },
    Time2 {
        digits: u8,
    },
    OldDateTime,
    OldTimestamp,
    OldTime,
    HiresDateTime {
        digits: u8,
    },
    HiresTimestamp {
        digits: u8,
    },
    HiresTime {
        digits: u8,
    },
    Uuid,
    Inet4,
    Inet6,
}

/// A definition that is not the one the event speaks of.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// Another number of columns, and no hidden ones explain it.
    #[error("the binlog has {wire} columns for {table}, and its definition here has {defined}")]
    Count {
        /// Database and table.
        table: String,
        /// In the event.
        wire: usize,
        /// In the definition.
        defined: usize,
    },
    /// One column is not what it should be.
    #[error("column {column} of {table} is {defined} here, and {wire} in the binlog")]
    Column {
        /// Database and table.
        table: String,
        /// Its name.
        column: String,
        /// What the definition says.
        defined: String,
        /// What the event says.
        wire: String,
    },
    /// A column more than the definition has could be the first or the last.
    #[error(
        "{table} has a hidden key column in the binlog that could be the first or the last; set binlog_row_metadata=FULL at the source, or show_gipk_in_create_table_and_information_schema=ON"
    )]
    HiddenKey {
        /// Database and table.
        table: String,
    },
}

/// Holds a definition against a table map event and says how the columns of its rows are read: as many forms as the event has columns.
///
/// Columns that the server keeps out of definitions are recognised: the key that AliSQL gives a table without one (last), MySQL's generated
/// invisible key where the source hides it (first), the period of MariaDB's system-versioned tables and the hashes of its long unique keys
/// (last).
///
/// # Errors
/// What does not fit.
pub fn fit(map: &TableMap, table: &Table) -> Result<Vec<ColumnForm>, Misfit> {
    let extra = map.columns.len().checked_sub(table.columns.len());
    let count = || Misfit::Count { table: table.name.to_string(), wire: map.columns.len(), defined: table.columns.len() };
    match extra {
        Some(0) => aligned(map, table, 0),
        Some(1) if !table.keys.iter().any(crate::catalog::Key::is_primary) && !table.system_versioned => {
            let is_key = |column: Option<&WireColumn>| column.is_some_and(|c| c.code == code::LONGLONG && !c.nullable);
            let last = if is_key(map.columns.last()) { Some(aligned(map, table, 0)) } else { None };
            let first = if is_key(map.columns.first()) { Some(aligned(map, table, 1)) } else { None };
            match (last, first) {
                (Some(Ok(_)), Some(Ok(_))) => Err(Misfit::HiddenKey { table: table.name.to_string() }),
                (Some(Ok(forms)), _) | (_, Some(Ok(forms))) => Ok(forms),
                (Some(Err(misfit)), _) | (None, Some(Err(misfit))) => Err(misfit),
                (None, None) if is_hash(&map.columns[map.columns.len() - 1], table) => aligned(map, table, 0),
                (None, None) => Err(count()),
            }
        }
        Some(extra) => {
            let (periods, hashes) = match extra {
                // Without columns of its own a versioned table has two that no list shows.
                2.. if table.system_versioned && !table.columns.iter().any(|c| c.row_period) => (2, extra - 2),
                _ => (0, extra),
            };
            let behind = &map.columns[table.columns.len()..];
            let is_period = |c: &WireColumn| matches!(c.code, code::TIMESTAMP2 | code::LONGLONG | code::TIMESTAMP);
            let ours = behind[..periods].iter().all(is_period) && behind[periods..].iter().all(|c| is_hash(c, table));
            if ours && hashes <= table.keys.len() { aligned(map, table, 0) } else { Err(count()) }
        }
        None => Err(count()),
    }
}

/// Whether a column may be the hash by which MariaDB keeps a key over BLOB columns unique (`DB_ROW_HASH_1`).
fn is_hash(column: &WireColumn, table: &Table) -> bool {
    column.code == code::LONGLONG
        && column.name.as_ref().is_none_or(|n| n.starts_with("DB_ROW_HASH_"))
        && table.keys.iter().any(|k| k.unique && k.index_type == "HASH")
}

/// Pairs the columns of the definition with those of the event from `first` on; the others are hidden.
fn aligned(map: &TableMap, table: &Table, first: usize) -> Result<Vec<ColumnForm>, Misfit> {
    map.columns
        .iter()
        .enumerate()
        .map(|(i, wire)| match i.checked_sub(first).and_then(|i| table.columns.get(i)) {
            Some(column) => paired(map, wire, column, table),
            None => hidden(wire, table, i),
        })
        .collect()
}

fn hidden(wire: &WireColumn, table: &Table, number: usize) -> Result<ColumnForm, Misfit> {
    let name = wire.name.clone().unwrap_or_else(|| format!("hidden column {}", number + 1));
    let form = match wire.code {
        code::LONGLONG if wire.unsigned == Some(false) => Form::Signed { bytes: 8 },
        code::LONGLONG => Form::Unsigned { bytes: 8, width: 0 },
        code::TIMESTAMP2 => Form::Timestamp2 { digits: u8::try_from(wire.meta).unwrap_or(6) },
        code::TIMESTAMP => Form::HiresTimestamp { digits: 6 },
        _ => return Err(Misfit::Count { table: table.name.to_string(), wire: number + 1, defined: table.columns.len() }),
    };
    // A period that no list shows is of times; a number beside it is the hash of a long unique key, also where the source writes no names.
    let row_period = table.system_versioned && wire.code != code::LONGLONG;
    Ok(ColumnForm { name, form, hidden: true, generated: !row_period, row_period })
}

fn paired(map: &TableMap, wire: &WireColumn, column: &Column, table: &Table) -> Result<ColumnForm, Misfit> {
    let misfit =
        |defined: String, wire: String| Misfit::Column { table: table.name.to_string(), column: column.name.clone(), defined, wire };
    if let Some(name) = wire.name.as_ref().filter(|name| map.named && **name != column.name) {
        return Err(misfit("in this place".to_owned(), format!("named {name}")));
    }
    let form = form_of(wire, column)
        .ok_or_else(|| misfit(column.column_type.clone(), format!("of type code {} with metadata {}", wire.code, wire.meta)))?;
    let has_sign = matches!(column.kind, TypeKind::Integer | TypeKind::Decimal | TypeKind::Float | TypeKind::Double);
    if has_sign && wire.unsigned.is_some_and(|unsigned| unsigned != column.unsigned) {
        return Err(misfit(column.column_type.clone(), if column.unsigned { "signed" } else { "unsigned" }.to_owned()));
    }
    // MariaDB writes all columns of a table as nullable that an UPDATE joins from outside (seen on 10.11.18): then it tells nothing. A NULL
    // in one that is not would be refused where it is written.
    let joined = wire.nullable && map.columns.iter().all(|c| c.nullable);
    if wire.nullable != column.nullable && !joined {
        let told = |nullable| if nullable { "nullable" } else { "NOT NULL" }.to_owned();
        return Err(misfit(told(column.nullable), told(wire.nullable)));
    }
    let charset = match column.kind {
        TypeKind::Text | TypeKind::Enum | TypeKind::Set => column.charset.as_deref(),
        TypeKind::Bytes => Some("binary"),
        _ => None,
    };
    if let (Some(defined), Some(written)) = (charset, wire.collation.and_then(charset::of_collation))
        && !charset::is_same(defined, written)
    {
        return Err(misfit(format!("in charset {defined}"), format!("in charset {written}")));
    }
    if let Some(members) = &wire.members
        && !same_members(members, column)
    {
        return Err(misfit(column.column_type.clone(), "one with other members".to_owned()));
    }
    Ok(ColumnForm { name: column.name.clone(), form, hidden: false, generated: column.generated, row_period: column.row_period })
}

/// The numbers between the first parentheses of a type, as in `decimal(10,2)`.
fn numbers(column_type: &str) -> (Option<u16>, Option<u16>) {
    let inner = column_type.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inner, _)| inner);
    let mut parts = inner.split(',').map(|n| n.trim().parse().ok());
    (parts.next().flatten(), parts.next().flatten())
}

/// Most bytes of a character; `None` for a charset that is not known here.
fn character_bytes(charset: &str) -> Option<u16> {
    Some(match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8" | "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "gbk" | "gb2312" | "big5" | "sjis" | "cp932" | "euckr" => 2,
        "binary" | "ascii" | "latin1" | "latin2" | "latin5" | "latin7" | "armscii8" | "cp1250" | "cp1251" | "cp1256" | "cp1257"
        | "cp850" | "cp852" | "cp866" | "dec8" | "geostd8" | "greek" | "hebrew" | "hp8" | "keybcs2" | "koi8r" | "koi8u" | "macce"
        | "macroman" | "swe7" | "tis620" => 1,
        _ => return None,
    })
}

/// How a column's values are read, if the event's type can be the declared one.
fn form_of(wire: &WireColumn, column: &Column) -> Option<Form> {
    let declared = column.column_type.as_str();
    let base = declared.split(['(', ' ']).next().unwrap_or_default();
    let (first, second) = numbers(declared);
    // Of lengths this is nonsense, and not looked at.
    let digits = u8::try_from(first.unwrap_or(0)).unwrap_or(u8::MAX);
    let zerofill = declared.contains("zerofill");
    let blob = |length_bytes: u16| Some(Form::Sized { length_bytes: u8::try_from(length_bytes).ok()? });
    let prefix = |most: u16| if most > 255 { 2 } else { 1 };
    match column.kind {
        TypeKind::Integer => {
            let (code, bytes) = match base {
                "tinyint" => (code::TINY, 1),
                "smallint" => (code::SHORT, 2),
                "mediumint" => (code::INT24, 3),
                "int" => (code::LONG, 4),
                "bigint" => (code::LONGLONG, 8),
                _ => return None,
            };
            let width = if zerofill { digits } else { 0 };
            (wire.code == code).then_some(if column.unsigned { Form::Unsigned { bytes, width } } else { Form::Signed { bytes } })
        }
        TypeKind::Decimal => {
            let (precision, scale) = (digits, u8::try_from(second.unwrap_or(0)).ok()?);
            let bytes = u8::try_from(decimal_bytes(precision.into(), scale.into())).ok()?;
            let width = if zerofill { precision.checked_sub(scale)? } else { 0 };
            (wire.code == code::NEWDECIMAL && wire.meta == u16::from(precision) << 8 | u16::from(scale)).then_some(Form::Decimal {
                precision,
                scale,
                bytes,
                width,
            })
        }
        TypeKind::Float => (wire.code == code::FLOAT).then(|| Form::Float { most: most(first, second) }),
        TypeKind::Double => (wire.code == code::DOUBLE).then(|| Form::Double { most: most(first, second) }),
        TypeKind::Bit => {
            let bits = first.unwrap_or(1);
            let (whole, beyond) = (wire.meta >> 8, wire.meta & 0xff);
            let bytes = whole + u16::from(beyond > 0);
            // Some engines keep BIT in whole bytes.
            let fits = wire.code == code::BIT && (whole * 8 + beyond == bits || beyond == 0 && whole == bits.div_ceil(8));
            fits.then_some(Form::Bit { bytes: u8::try_from(bytes).ok()? })
        }
        TypeKind::Text | TypeKind::Bytes => {
            let is_text = column.kind == TypeKind::Text;
            let per_character = if is_text { column.charset.as_deref().and_then(character_bytes) } else { Some(1) };
            let fits =
                |extra: u16| per_character.is_none_or(|per| first.unwrap_or(0).saturating_mul(per).saturating_add(extra) == wire.meta);
            match (base, wire.code) {
                ("char", code::STRING) if fits(0) => Some(Form::Sized { length_bytes: prefix(wire.meta) }),
                ("binary", code::STRING) if fits(0) => Some(Form::Padded { length_bytes: prefix(wire.meta), to: wire.meta }),
                ("varchar" | "varbinary", code::VARCHAR | code::VAR_STRING) if fits(0) => {
                    Some(Form::Sized { length_bytes: prefix(wire.meta) })
                }
                ("varchar" | "varbinary", code::VARCHAR_COMPRESSED) if fits(1) => {
                    Some(Form::Compressed { length_bytes: prefix(wire.meta) })
                }
                (_, code::BLOB | code::BLOB_COMPRESSED) => {
                    let length_bytes = match base {
                        "tinytext" | "tinyblob" => 1,
                        "text" | "blob" => 2,
                        "mediumtext" | "mediumblob" => 3,
                        "longtext" | "longblob" => 4,
                        _ => return None,
                    };
                    let compressed = wire.code == code::BLOB_COMPRESSED;
                    let form = if compressed { Form::Compressed { length_bytes } } else { Form::Sized { length_bytes } };
                    (wire.meta == u16::from(length_bytes)).then_some(form)
                }
                _ => None,
            }
        }
        TypeKind::Enum | TypeKind::Set => {
            let count = declared_members(declared).len();
            let (code, bytes) = if column.kind == TypeKind::Enum {
                (code::ENUM, if count < 256 { 1 } else { 2 })
            } else {
                (code::SET, if count > 32 { 8 } else { count.div_ceil(8) })
            };
            (wire.code == code && usize::from(wire.meta) == bytes).then_some(Form::Number { bytes: u8::try_from(bytes).ok()? })
        }
        TypeKind::Json => (wire.code == code::JSON).then_some(Form::Json { length_bytes: u8::try_from(wire.meta).ok()? }),
        TypeKind::Date => matches!(wire.code, code::DATE | code::NEWDATE).then_some(Form::Date),
        TypeKind::DateTime => match wire.code {
            code::DATETIME2 => (wire.meta == u16::from(digits)).then_some(Form::DateTime2 { digits }),
            code::DATETIME if digits == 0 => Some(Form::OldDateTime),
            code::DATETIME => Some(Form::HiresDateTime { digits }),
            _ => None,
        },
        TypeKind::Timestamp => match wire.code {
            code::TIMESTAMP2 => (wire.meta == u16::from(digits)).then_some(Form::Timestamp2 { digits }),
            code::TIMESTAMP if digits == 0 => Some(Form::OldTimestamp),
            code::TIMESTAMP => Some(Form::HiresTimestamp { digits }),
            _ => None,
        },
        TypeKind::Time => match wire.code {
            code::TIME2 => (wire.meta == u16::from(digits)).then_some(Form::Time2 { digits }),
            code::TIME if digits == 0 => Some(Form::OldTime),
            code::TIME => Some(Form::HiresTime { digits }),
            _ => None,
        },
        TypeKind::Year => (wire.code == code::YEAR).then_some(Form::Year),
        TypeKind::Geometry => {
            if wire.code == code::GEOMETRY {
                blob(wire.meta)
            } else {
                None
            }
        }
        TypeKind::Vector => match wire.code {
            code::VECTOR => blob(wire.meta),
            // MariaDB's is a VARBINARY by another name.
            code::VARCHAR => blob(prefix(wire.meta).into()),
            _ => None,
        },
        TypeKind::NamedText => match (base, wire.code, wire.meta) {
            ("uuid", code::STRING, 16) => Some(Form::Uuid),
            ("inet6", code::STRING, 16) => Some(Form::Inet6),
            ("inet4", code::STRING, 4) => Some(Form::Inet4),
            _ => None,
        },
        TypeKind::Other => None,
    }
}

/// The largest value of FLOAT(M,D) or DOUBLE(M,D), as the full copy clamps them (`selected` of `phase::full::read`); of others, none.
fn most(digits: Option<u16>, decimals: Option<u16>) -> f64 {
    let (Some(digits), Some(decimals)) = (digits, decimals) else { return f64::INFINITY };
    let whole = "9".repeat(usize::from(digits.saturating_sub(decimals)));
    format!("0{whole}.{}e0", "9".repeat(decimals.into())).parse().unwrap_or(f64::INFINITY)
}

/// The members of `enum('a','it''s')`.
fn declared_members(column_type: &str) -> Vec<String> {
    let mut members = Vec::new();
    let mut rest = column_type;
    while let Some((_, behind)) = rest.split_once('\'') {
        let mut member = String::new();
        let mut at = behind;
        loop {
            let Some((before, after)) = at.split_once('\'') else { return members };
            member.push_str(before);
            match after.strip_prefix('\'') {
                Some(more) => {
                    member.push('\'');
                    at = more;
                }
                None => {
                    rest = after;
                    break;
                }
            }
        }
        members.push(member);
    }
    members
}

/// Whether the members that the event names are those of the definition, as far as this can be told without converting charsets.
fn same_members(wire: &[Vec<u8>], column: &Column) -> bool {
    let declared = declared_members(&column.column_type);
    let charset = column.charset.as_deref().unwrap_or_default();
    let is_utf8 = charset.starts_with("utf8");
    let has_ascii = !matches!(charset, "ucs2" | "utf16" | "utf16le" | "utf32");
    wire.len() == declared.len()
        && wire.iter().zip(&declared).all(|(wire, declared)| {
            let told = is_utf8 || has_ascii && wire.is_ascii() && declared.is_ascii();
            !told || wire == declared.as_bytes() || *wire == unescaped(declared)
        })
}

/// Without the backslashes that MySQL puts into the names that it prints (`append_unescaped`); MariaDB puts none.
fn unescaped(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'0') => 0,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    out
}

impl Form {
    /// Bytes of a value whose length does not depend on it.
    pub(super) fn fixed_bytes(self) -> Option<usize> {
        Some(match self {
            Self::Signed { bytes }
            | Self::Unsigned { bytes, .. }
            | Self::Number { bytes }
            | Self::Bit { bytes }
            | Self::Decimal { bytes, .. } => bytes.into(),
            Self::Float { .. } | Self::OldTimestamp => 4,
            Self::Double { .. } | Self::OldDateTime => 8,
            Self::Date | Self::OldTime => 3,
            Self::Year => 1,
            Self::DateTime2 { digits } => 5 + super::value::temporal::fraction_bytes(digits),
            Self::Timestamp2 { digits } => 4 + super::value::temporal::fraction_bytes(digits),
            Self::Time2 { digits } => 3 + super::value::temporal::fraction_bytes(digits),
            Self::HiresDateTime { digits } => hires::datetime_bytes(digits),
            Self::HiresTimestamp { digits } => hires::timestamp_bytes(digits),
            Self::HiresTime { digits } => hires::time_bytes(digits),
            Self::Sized { .. }
            | Self::Padded { .. }
            | Self::Compressed { .. }
            | Self::Json { .. }
            | Self::Uuid
            | Self::Inet4
            | Self::Inet6 => {
                return None;
            }
        })
    }
}
