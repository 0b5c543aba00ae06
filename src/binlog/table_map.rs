//! Which table the rows events after it are about, and what their columns look like on the wire.
//!
//! Type codes, metadata and null bits are always there; what `binlog_row_metadata` adds stands behind them as fields of type, length and
//! value, of which unknown ones are passed over by their length (MySQL 8.0.23 added one, 9.0 another).

use crate::connect::Vendor;

use super::bytes::{Cursor, Truncated};

/// A table map event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableMap {
    /// The number by which rows events name it.
    pub id: u64,
    /// Database, as the source spells it.
    pub database: String,
    /// Table.
    pub table: String,
    /// A column each, in order; hidden ones included.
    pub columns: Vec<WireColumn>,
    /// Row metadata named the columns (`binlog_row_metadata=FULL`).
    pub named: bool,
}

/// A column as the table map event describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WireColumn {
    /// Type code, as `enum_field_types` of the MySQL protocol numbers it; what hides in the metadata of a STRING (ENUM, SET) is taken out.
    pub code: u8,
    /// The type's metadata: lengths, precision, fractional digits. Meaning depends on the type, see [`code`].
    pub meta: u16,
    /// May hold NULL.
    pub nullable: bool,
    /// Signedness, where row metadata tells it (MINIMAL and FULL do) and the type has one.
    pub unsigned: Option<bool>,
    /// Collation id, where row metadata tells it.
    pub collation: Option<u16>,
    /// Name, where row metadata is FULL.
    pub name: Option<String>,
    /// Members of an ENUM or SET in the column's charset, where row metadata is FULL.
    pub members: Option<Vec<Vec<u8>>>,
    /// Part of the primary key, where row metadata is FULL.
    pub primary: bool,
}

/// Type codes (`include/field_types.h` of MySQL, `sql/field.h` of MariaDB) and what [`WireColumn::meta`] is for them.
pub mod code {
    /// TINYINT.
    pub const TINY: u8 = 1;
    /// SMALLINT.
    pub const SHORT: u8 = 2;
    /// INT.
    pub const LONG: u8 = 3;
    /// FLOAT; bytes.
    pub const FLOAT: u8 = 4;
    /// DOUBLE; bytes.
    pub const DOUBLE: u8 = 5;
    /// TIMESTAMP of before 5.6, or of MariaDB's `mysql56_temporal_format=OFF`.
    pub const TIMESTAMP: u8 = 7;
    /// BIGINT.
    pub const LONGLONG: u8 = 8;
    /// MEDIUMINT.
    pub const INT24: u8 = 9;
    /// DATE.
    pub const DATE: u8 = 10;
    /// TIME of before 5.6.
    pub const TIME: u8 = 11;
    /// DATETIME of before 5.6.
    pub const DATETIME: u8 = 12;
    /// YEAR.
    pub const YEAR: u8 = 13;
    /// DATE again.
    pub const NEWDATE: u8 = 14;
    /// VARCHAR and VARBINARY; the most bytes.
    pub const VARCHAR: u8 = 15;
    /// BIT; bits beyond whole bytes, and whole bytes times 256.
    pub const BIT: u8 = 16;
    /// TIMESTAMP; fractional digits.
    pub const TIMESTAMP2: u8 = 17;
    /// DATETIME; fractional digits.
    pub const DATETIME2: u8 = 18;
    /// TIME; fractional digits.
    pub const TIME2: u8 = 19;
    /// A multi-valued index's hidden column (MySQL).
    pub const TYPED_ARRAY: u8 = 20;
    /// MariaDB's BLOB and TEXT with COMPRESSED; bytes of the length.
    pub const BLOB_COMPRESSED: u8 = 140;
    /// MariaDB's VARCHAR and VARBINARY with COMPRESSED; the most bytes.
    pub const VARCHAR_COMPRESSED: u8 = 141;
    /// VECTOR (MySQL); bytes of the length.
    pub const VECTOR: u8 = 242;
    /// JSON (MySQL); bytes of the length.
    pub const JSON: u8 = 245;
    /// DECIMAL; scale, and precision times 256.
    pub const NEWDECIMAL: u8 = 246;
    /// ENUM; bytes of the number.
    pub const ENUM: u8 = 247;
    /// SET; bytes of the mask.
    pub const SET: u8 = 248;
    /// TINYBLOB (written as [`BLOB`]).
    pub const TINY_BLOB: u8 = 249;
    /// MEDIUMBLOB (written as [`BLOB`]).
    pub const MEDIUM_BLOB: u8 = 250;
    /// LONGBLOB (written as [`BLOB`]).
    pub const LONG_BLOB: u8 = 251;
    /// The BLOB and TEXT families; bytes of the length.
    pub const BLOB: u8 = 252;
    /// VARCHAR of old; the most bytes.
    pub const VAR_STRING: u8 = 253;
    /// CHAR and BINARY, and MariaDB's UUID and INET types; the most bytes.
    pub const STRING: u8 = 254;
    /// GEOMETRY; bytes of the length.
    pub const GEOMETRY: u8 = 255;
}

/// A table map event that is not what it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MapError {
    /// It ends too early, or something in it is longer than it.
    #[error("the table map event is cut short")]
    Short,
    /// A name that is no UTF-8.
    #[error("a name in the table map event is not UTF-8")]
    Name,
    /// A column type whose metadata has no known length.
    #[error("column {column} of {table} has type code {code}, which is not known")]
    Type {
        /// Database and table.
        table: String,
        /// Its number, from 1.
        column: usize,
        /// The code.
        code: u8,
    },
    /// Metadata about more columns than there are.
    #[error("the row metadata of {table} does not fit its columns")]
    Metadata {
        /// Database and table.
        table: String,
    },
}

impl From<Truncated> for MapError {
    fn from(_: Truncated) -> Self {
        Self::Short
    }
}

/// Types of the fields of optional metadata (`Table_map_event::Optional_metadata_field_type`).
mod field {
    pub(super) const SIGNEDNESS: u8 = 1;
    pub(super) const DEFAULT_CHARSET: u8 = 2;
    pub(super) const COLUMN_CHARSET: u8 = 3;
    pub(super) const COLUMN_NAME: u8 = 4;
    pub(super) const SET_STR_VALUE: u8 = 5;
    pub(super) const ENUM_STR_VALUE: u8 = 6;
    pub(super) const SIMPLE_PRIMARY_KEY: u8 = 8;
    pub(super) const PRIMARY_KEY_WITH_PREFIX: u8 = 9;
    pub(super) const ENUM_AND_SET_DEFAULT_CHARSET: u8 = 10;
    pub(super) const ENUM_AND_SET_COLUMN_CHARSET: u8 = 11;
}

impl TableMap {
    /// It has the columns of a sequence of MariaDB: its position comes as a row event of a table of this shape (seen on 10.11.18).
    pub fn is_sequence(&self) -> bool {
        use code::{LONGLONG, TINY};
        const SHAPE: [u8; 8] = [LONGLONG, LONGLONG, LONGLONG, LONGLONG, LONGLONG, LONGLONG, TINY, LONGLONG];
        self.columns.len() == SHAPE.len() && self.columns.iter().zip(SHAPE).all(|(column, code)| column.code == code && !column.nullable)
    }

    /// Reads the body of a TABLE_MAP event (what stands between the common header and the checksum) as MySQL 5.7 and later or MariaDB
    /// 10.5 and later write it.
    ///
    /// # Errors
    /// When the event is cut short, or holds a column type whose length of metadata nobody knows.
    pub fn parse(body: &[u8], vendor: Vendor) -> Result<Self, MapError> {
        let mut at = Cursor::new(body);
        let id = at.little(6)?;
        let _flags = at.little(2)?;
        let database = name(&mut at)?;
        let table = name(&mut at)?;
        let count = at.length()?;
        let codes = at.take(count)?;
        let mut map = Self { id, database, table, columns: Vec::with_capacity(codes.len()), named: false };
        let metadata = at.packed()?;
        let mut metadata = Cursor::new(metadata);
        for (i, &code) in codes.iter().enumerate() {
            let (code, meta) = meta(code, &mut metadata)?.ok_or_else(|| MapError::Type { table: map.full_name(), column: i + 1, code })?;
            map.columns.push(WireColumn { code, meta, ..WireColumn::default() });
        }
        let nulls = at.take(count.div_ceil(8))?;
        for (i, column) in map.columns.iter_mut().enumerate() {
            column.nullable = nulls[i / 8] >> (i % 8) & 1 != 0;
        }
        while !at.is_empty() {
            let kind = at.byte()?;
            let value = at.packed()?;
            map.optional(kind, Cursor::new(value), vendor)?;
        }
        Ok(map)
    }

    fn full_name(&self) -> String {
        format!("{}.{}", self.database, self.table)
    }

    fn misfit(&self) -> MapError {
        MapError::Metadata { table: self.full_name() }
    }

    /// Numbers of the columns of which something is said, in order.
    fn which(&self, of: impl Fn(&WireColumn) -> bool) -> Vec<usize> {
        (0..self.columns.len()).filter(|&i| of(&self.columns[i])).collect()
    }

    fn optional(&mut self, kind: u8, mut value: Cursor<'_>, vendor: Vendor) -> Result<(), MapError> {
        match kind {
            field::SIGNEDNESS => {
                // One bit a numeric column, the highest first.
                let bits = value.rest();
                for (n, i) in self.which(|c| is_numeric(c.code)).into_iter().enumerate() {
                    let byte = bits.get(n / 8).ok_or(MapError::Short)?;
                    self.columns[i].unsigned = Some(byte >> (7 - n % 8) & 1 != 0);
                }
            }
            field::DEFAULT_CHARSET | field::ENUM_AND_SET_DEFAULT_CHARSET => {
                let which = self.which(|c| has_charset(c.code, kind == field::ENUM_AND_SET_DEFAULT_CHARSET, vendor));
                let default = collation(&mut value)?;
                for &i in &which {
                    self.columns[i].collation = Some(default);
                }
                while !value.is_empty() {
                    let &i = which.get(value.length()?).ok_or_else(|| self.misfit())?;
                    self.columns[i].collation = Some(collation(&mut value)?);
                }
            }
            field::COLUMN_CHARSET | field::ENUM_AND_SET_COLUMN_CHARSET => {
                for i in self.which(|c| has_charset(c.code, kind == field::ENUM_AND_SET_COLUMN_CHARSET, vendor)) {
                    self.columns[i].collation = Some(collation(&mut value)?);
                }
            }
            field::COLUMN_NAME => {
                for column in &mut self.columns {
                    column.name = Some(utf8(value.packed()?)?);
                }
                self.named = true;
            }
            field::SET_STR_VALUE | field::ENUM_STR_VALUE => {
                let code = if kind == field::SET_STR_VALUE { code::SET } else { code::ENUM };
                for i in self.which(|c| c.code == code) {
                    let count = value.length()?;
                    let mut members = Vec::with_capacity(count.min(u16::MAX.into()));
                    for _ in 0..count {
                        members.push(value.packed()?.to_vec());
                    }
                    self.columns[i].members = Some(members);
                }
            }
            field::SIMPLE_PRIMARY_KEY | field::PRIMARY_KEY_WITH_PREFIX => {
                while !value.is_empty() {
                    let i = value.length()?;
                    if kind == field::PRIMARY_KEY_WITH_PREFIX {
                        value.length()?;
                    }
                    if i >= self.columns.len() {
                        return Err(self.misfit());
                    }
                    self.columns[i].primary = true;
                }
            }
            // GEOMETRY_TYPE, COLUMN_VISIBILITY, VECTOR_DIMENSIONALITY, and whatever a later server adds: nothing in them changes how an
            // image is read.
            _ => {}
        }
        Ok(())
    }
}

fn utf8(bytes: &[u8]) -> Result<String, MapError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| MapError::Name)
}

/// A length, a name, a zero byte.
fn name(at: &mut Cursor<'_>) -> Result<String, MapError> {
    let name = utf8(at.packed()?)?;
    at.byte()?;
    Ok(name)
}

fn collation(at: &mut Cursor<'_>) -> Result<u16, MapError> {
    u16::try_from(at.length()?).map_err(|_| MapError::Short)
}

/// The code behind the code, and the metadata; `None` for a type whose metadata has no known length.
fn meta(code: u8, at: &mut Cursor<'_>) -> Result<Option<(u8, u16)>, Truncated> {
    Ok(Some(match code {
        code::FLOAT
        | code::DOUBLE
        | code::TINY_BLOB
        | code::MEDIUM_BLOB
        | code::LONG_BLOB
        | code::BLOB
        | code::BLOB_COMPRESSED
        | code::GEOMETRY
        | code::JSON
        | code::VECTOR
        | code::TIMESTAMP2
        | code::DATETIME2
        | code::TIME2 => (code, u16::from(at.byte()?)),
        code::BIT | code::VARCHAR | code::VAR_STRING | code::VARCHAR_COMPRESSED => (code, at.two()?),
        code::NEWDECIMAL => (code, at.two()?.swap_bytes()),
        code::STRING | code::ENUM | code::SET => {
            let (real, length) = (at.byte()?, u16::from(at.byte()?));
            match real {
                code::ENUM | code::SET => (real, length),
                // Two more bits of the length hide, inverted, in the type, which as STRING has them set.
                _ => (code::STRING, length | u16::from((real & 0x30) ^ 0x30) << 4),
            }
        }
        code::TYPED_ARRAY => return Ok(None),
        code::TINY
        | code::SHORT
        | code::LONG
        | code::TIMESTAMP
        | code::LONGLONG
        | code::INT24
        | code::DATE
        | code::TIME
        | code::DATETIME
        | code::YEAR
        | code::NEWDATE => (code, 0),
        _ => return Ok(None),
    }))
}

/// Whether signedness metadata has a bit for it. YEAR does, as an unsigned one (seen on 9.7.4 and 10.11.19).
fn is_numeric(code: u8) -> bool {
    use code::{DOUBLE, FLOAT, INT24, LONG, LONGLONG, NEWDECIMAL, SHORT, TINY, YEAR};
    matches!(code, TINY | SHORT | INT24 | LONG | LONGLONG | NEWDECIMAL | FLOAT | DOUBLE | YEAR)
}

/// Whether charset metadata has an entry for it.
fn has_charset(code: u8, members: bool, vendor: Vendor) -> bool {
    use code::{BLOB, BLOB_COMPRESSED, GEOMETRY, STRING, VAR_STRING, VARCHAR, VARCHAR_COMPRESSED, VECTOR};
    if members {
        return matches!(code, code::ENUM | code::SET);
    }
    matches!(code, STRING | VAR_STRING | VARCHAR | BLOB | BLOB_COMPRESSED | VARCHAR_COMPRESSED | VECTOR)
        || (code == GEOMETRY && vendor == Vendor::MariaDb)
}
