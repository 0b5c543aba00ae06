//! For each pair of columns, the SQL whose bytes are the same on both servers exactly when the values are the same.
//!
//! Facts this rests on, each seen on MySQL 9.7.4 and MariaDB 10.11.19:
//! - The text of a DOUBLE differs between the two (`1.5e-10`, `0.00000000015`), and MariaDB prints -0 as `0`. `POINT(c, 0)` holds the
//!   eight bytes of `c` on both, -0 included, and is cheaper than printing.
//! - MariaDB stores -0 as 0, whichever statement it comes by; MySQL stores it. `c+0e0` makes -0 a 0 and changes nothing else.
//! - In `CONCAT_WS`, one binary argument that is no literal makes all others count as their raw bytes, without conversion; a literal
//!   `_binary x'ff'` alone would itself be converted, and fail.
//! - `SHA2` of a text column hashes its bytes in its own charset, whatever the connection's.
//! - `CAST(c AS UNSIGNED)` of ENUM, SET and BIT is the number, exact to 64 bits; `c+0` of a SET is signed.

use std::fmt::Write as _;

use crate::catalog::{Column, ColumnMap, Table, TypeKind, quote_name};

use super::receipt::NotCovered;

/// How a pair of columns is brought into one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it stands: ASCII text (numbers, times) or UTF-8.
    Plain,
    /// Number without the zeros of ZEROFILL.
    Unfilled,
    /// ENUM, SET and BIT by their number.
    Number,
    /// ENUM or SET by name, where the lists of members differ; number 0 told apart from a member `''`.
    Member,
    /// DECIMAL brought to one scale.
    Scaled(u8),
    /// FLOAT and DOUBLE: the eight bytes of the value, within a point.
    Bits,
    /// The same with -0 taken for 0, since MariaDB stores no -0.
    BitsOfValue,
    /// Bytes as they are: binary types, and text in one and the same charset that is not UTF-8.
    Raw,
    /// Text of two charsets, both read as utf8mb4.
    Converted,
    /// SHA-256 of the value, for what may be long.
    Hashed,
    /// SHA-256 of the text read as utf8mb4.
    HashedConverted,
    /// `CAST(c AS CHAR)`: uuid, inet4, inet6, and pairs of unlike types.
    Chars,
    /// Date and time of unlike precision.
    DateTime,
    /// Time of unlike precision.
    Time,
    /// JSON text that only the tool can compare.
    JsonText,
}

impl Form {
    /// The expression over a column's quoted name.
    pub(crate) fn sql(self, c: &str) -> String {
        match self {
            Self::Plain | Self::Raw => c.to_owned(),
            Self::Unfilled => format!("{c}+0"),
            Self::Number => format!("CAST({c} AS UNSIGNED)"),
            Self::Member => format!("IF(CAST({c} AS UNSIGNED)=0,'0',CONCAT('=',CONVERT({c} USING utf8mb4)))"),
            Self::Scaled(scale) => format!("CAST({c} AS DECIMAL(65,{scale}))"),
            Self::Bits => format!("POINT({c},0)"),
            Self::BitsOfValue => format!("POINT({c}+0e0,0)"),
            Self::Converted | Self::JsonText => format!("CONVERT({c} USING utf8mb4)"),
            Self::Hashed => format!("SHA2({c},256)"),
            Self::HashedConverted => format!("SHA2(CONVERT({c} USING utf8mb4),256)"),
            Self::Chars => format!("CAST({c} AS CHAR)"),
            Self::DateTime => format!("CAST({c} AS DATETIME(6))"),
            Self::Time => format!("CAST({c} AS TIME(6))"),
        }
    }

    /// Its bytes may hold 0xFF, so its length must be said. The others are ASCII, UTF-8, or of one length.
    fn needs_length(self) -> bool {
        self == Self::Raw
    }
}

/// A column of both tables.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) source: Column,
    pub(crate) destination: Column,
    pub(crate) form: Form,
    /// JSON at either end: differences of spelling are looked through.
    pub(crate) json: bool,
}

impl Pair {
    fn nullable(&self) -> bool {
        self.source.nullable || self.destination.nullable
    }
}

/// Which server an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Source,
    Destination,
}

/// What is compared of two tables.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) only_source: Vec<String>,
    pub(crate) only_destination: Vec<String>,
    pub(crate) not_covered: Vec<NotCovered>,
}

impl Comparison {
    /// Pairs the columns of two tables by the names that the map gives. `packet` is the smaller `max_allowed_packet` of the two servers in bytes: rows that
    /// might not fit are hashed value by value. `zero_signs`: both servers tell -0 from 0, or neither does.
    pub(crate) fn new(source: &Table, destination: &Table, map: &ColumnMap, packet: u64, zero_signs: bool) -> Self {
        let mut made = Self { pairs: Vec::new(), only_source: Vec::new(), only_destination: Vec::new(), not_covered: Vec::new() };
        let find = |table: &'_ Table, name: &str| table.columns.iter().position(|c| c.name.to_lowercase() == name.to_lowercase());
        for column in &source.columns {
            let Some(name) = map.name(&column.name) else {
                made.skip(column, "left out by the spec");
                continue;
            };
            let Some(other) = find(destination, &name).map(|i| &destination.columns[i]) else {
                if column.row_period {
                    made.skip(column, "row period of system versioning: set by each server itself");
                } else {
                    made.only_source.push(column.name.clone());
                }
                continue;
            };
            if column.row_period || other.row_period {
                made.skip(column, "row period of system versioning: set by each server itself");
            } else if column.kind == TypeKind::Other || other.kind == TypeKind::Other {
                made.skip(column, "a type this version does not know");
            } else {
                let mut form = form_of(column, other);
                if form == Form::Bits && !zero_signs {
                    form = Form::BitsOfValue;
                    made.skip(column, "the sign of zero: MariaDB stores no -0");
                }
                let json = is_json(column) || is_json(other);
                made.pairs.push(Pair { source: column.clone(), destination: other.clone(), form, json });
            }
        }
        for column in &destination.columns {
            let meant = |c: &Column| map.name(&c.name).is_some_and(|name| name.to_lowercase() == column.name.to_lowercase());
            if !source.columns.iter().any(meant) {
                if column.row_period {
                    made.skip(column, "row period of system versioning: set by each server itself");
                } else {
                    made.only_destination.push(column.name.clone());
                }
            }
        }
        let longest: u64 = made.pairs.iter().map(|p| longest(&p.source).max(longest(&p.destination)) + 24).sum();
        if longest > packet / 2 {
            for pair in &mut made.pairs {
                pair.form = match pair.form {
                    Form::Plain | Form::Raw if is_long(pair) => Form::Hashed,
                    Form::Converted => Form::HashedConverted,
                    other => other,
                };
            }
        }
        made
    }

    fn skip(&mut self, column: &Column, why: &str) {
        self.not_covered.push(NotCovered { what: format!("column {}", column.name), why: why.to_owned() });
    }

    /// Every column has a form that both servers can hash.
    pub(crate) fn is_server_comparable(&self) -> bool {
        self.pairs.iter().all(|p| p.form != Form::JsonText)
    }

    fn name(pair: &Pair, side: Side) -> String {
        quote_name(match side {
            Side::Source => &pair.source.name,
            Side::Destination => &pair.destination.name,
        })
    }

    /// One expression a column for fetching rows, in the order of `pairs`. JSON comes as text.
    pub(crate) fn select_list(&self, side: Side) -> String {
        let one = |p: &Pair| {
            let column = Self::name(p, side);
            if p.json { Form::JsonText.sql(&column) } else { p.form.sql(&column) }
        };
        if self.pairs.is_empty() { "1".to_owned() } else { self.pairs.iter().map(one).collect::<Vec<_>>().join(", ") }
    }

    /// SHA-256 in hexadecimal of a row, as an expression. Fields are joined by 0xFF, which neither ASCII nor UTF-8 contains; other bytes
    /// are preceded by their length. `CONCAT_WS` leaves NULLs out, so flags at the end say which they were: there is one per column that
    /// is nullable at either end. Two rows give the same bytes only if all values are the same.
    pub(crate) fn row_hash(&self, side: Side) -> String {
        let mut fields = vec!["CAST('' AS BINARY)".to_owned()];
        let mut flags = String::new();
        for pair in &self.pairs {
            let column = Self::name(pair, side);
            let value = pair.form.sql(&column);
            if pair.form.needs_length() {
                fields.push(format!("LENGTH({value})"));
            }
            fields.push(value);
            if pair.nullable() {
                let _ = write!(flags, ",{column} IS NULL");
            }
        }
        if flags.is_empty() {
            // The same bytes, and a tenth less work for MySQL (seen on 9.7.4).
            return format!("SHA2(CONCAT({}),256)", fields.join(",_binary x'ff',"));
        }
        format!("SHA2(CONCAT_WS(_binary x'ff',{}{flags}),256)", fields.join(","))
    }

    /// `COUNT(*)` and the sum of the row hashes folded to 32 bits. Each aggregate that named the hash again would compute it again, so a
    /// hash that came out NULL (a value over `max_allowed_packet`) is made to show in the sum itself: see [`read_sum`].
    pub(crate) fn digest_list(&self, side: Side) -> String {
        format!("COUNT(*), SUM(IFNULL(CRC32({}),{NULL_MARK}))", self.row_hash(side))
    }
}

/// Beyond any sum of 32-bit numbers over 2^64 rows.
const NULL_MARK: &str = "1000000000000000000000000000000";

/// Reads the sum of [`Comparison::digest_list`]; `None` when some row had no hash.
pub(crate) fn read_sum(text: Option<&str>) -> Option<u128> {
    let sum: u128 = text.unwrap_or("0").parse().ok()?;
    (sum < 1_000_000_000_000_000_000_000_000_000_000).then_some(sum)
}

fn is_json(column: &Column) -> bool {
    column.kind == TypeKind::Json || column.json_text
}

fn is_utf8(column: &Column) -> bool {
    matches!(column.charset.as_deref(), Some("utf8" | "utf8mb3" | "utf8mb4" | "ascii"))
}

fn is_lob(column: &Column) -> bool {
    let name = column.column_type.to_ascii_lowercase();
    ["mediumtext", "longtext", "mediumblob", "longblob"].iter().any(|t| name.starts_with(t))
}

fn zerofill(column: &Column) -> bool {
    column.column_type.to_ascii_lowercase().contains("zerofill")
}

/// The numbers between the first parentheses of a type's text: `decimal(10,2)` gives 10 and 2.
fn type_arguments(column: &Column) -> Vec<u64> {
    let text = &column.column_type;
    let inner = text.find('(').and_then(|a| text[a..].find(')').map(|b| &text[a + 1..a + b]));
    inner.map_or_else(Vec::new, |i| i.split(',').filter_map(|n| n.trim().parse().ok()).collect())
}

/// Most bytes a value of this column adds to a row's text, when not hashed.
fn longest(column: &Column) -> u64 {
    let name = column.column_type.to_ascii_lowercase();
    match column.kind {
        TypeKind::Text | TypeKind::Bytes => {
            let length = type_arguments(column).first().copied();
            if is_lob(column) {
                64
            } else if name.starts_with("tiny") {
                255
            } else if name.starts_with("text") || name.starts_with("blob") {
                65_535
            } else {
                let width = if column.kind == TypeKind::Text { 4 } else { 1 };
                (length.unwrap_or(65_535) * width).min(65_535)
            }
        }
        TypeKind::Enum | TypeKind::Set => 1024,
        _ => 70,
    }
}

fn is_long(pair: &Pair) -> bool {
    longest(&pair.source).max(longest(&pair.destination)) > 64 && matches!(pair.source.kind, TypeKind::Text | TypeKind::Bytes)
}

fn form_of(a: &Column, b: &Column) -> Form {
    use TypeKind as K;
    let same_type = a.column_type.eq_ignore_ascii_case(&b.column_type);
    match (a.kind, b.kind) {
        (K::Json, K::Json) => Form::Hashed,
        (K::Json, _) | (_, K::Json) => Form::JsonText,
        (K::Integer, K::Integer) => {
            if zerofill(a) || zerofill(b) {
                Form::Unfilled
            } else {
                Form::Plain
            }
        }
        (K::Integer | K::Decimal, K::Integer | K::Decimal) => {
            let scale = |c: &Column| if c.kind == K::Decimal { type_arguments(c).get(1).copied().unwrap_or(0) } else { 0 };
            if a.kind == b.kind && scale(a) == scale(b) {
                if zerofill(a) || zerofill(b) { Form::Unfilled } else { Form::Plain }
            } else {
                Form::Scaled(u8::try_from(scale(a).max(scale(b)).min(38)).unwrap_or(38))
            }
        }
        (K::Float | K::Double, K::Float | K::Double) => Form::Bits,
        (K::Bit, K::Bit) => Form::Number,
        (K::Enum, K::Enum) | (K::Set, K::Set) => {
            if same_type {
                Form::Number
            } else {
                Form::Member
            }
        }
        (K::Text, K::Text) => {
            let lob = is_lob(a) || is_lob(b);
            if is_utf8(a) && is_utf8(b) || a.charset == b.charset {
                match (lob, is_utf8(a)) {
                    (true, _) => Form::Hashed,
                    (false, true) => Form::Plain,
                    (false, false) => Form::Raw,
                }
            } else if lob {
                Form::HashedConverted
            } else {
                Form::Converted
            }
        }
        (K::Text | K::Bytes, K::Text | K::Bytes) => {
            if is_lob(a) || is_lob(b) {
                Form::Hashed
            } else {
                Form::Raw
            }
        }
        (K::Date, K::Date) | (K::Year, K::Year) => Form::Plain,
        (K::DateTime, K::DateTime) | (K::Timestamp, K::Timestamp) if same_type => Form::Plain,
        (K::Date | K::DateTime | K::Timestamp, K::Date | K::DateTime | K::Timestamp) => Form::DateTime,
        (K::Time, K::Time) if same_type => Form::Plain,
        (K::Time, K::Time) => Form::Time,
        (K::Geometry, K::Geometry) | (K::Vector, K::Vector) => Form::Hashed,
        (K::Geometry | K::Vector, K::Bytes) | (K::Bytes, K::Geometry | K::Vector) => Form::Hashed,
        _ => Form::Chars,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: TypeKind, column_type: &str, charset: Option<&str>, nullable: bool) -> Column {
        Column {
            name: name.to_owned(),
            column_type: column_type.to_owned(),
            kind,
            unsigned: false,
            nullable,
            charset: charset.map(str::to_owned),
            collation: None,
            generated: false,
            row_period: false,
            invisible: false,
            auto_increment: false,
            json_text: false,
        }
    }

    #[test]
    fn forms_follow_both_columns() {
        let text = |charset| column("c", TypeKind::Text, "varchar(10)", Some(charset), false);
        assert_eq!(form_of(&text("utf8mb3"), &text("utf8mb4")), Form::Plain);
        assert_eq!(form_of(&text("latin1"), &text("latin1")), Form::Raw);
        assert_eq!(form_of(&text("latin1"), &text("utf8mb4")), Form::Converted);
        let decimal = |t| column("c", TypeKind::Decimal, t, None, false);
        assert_eq!(form_of(&decimal("decimal(10,2)"), &decimal("decimal(12,2)")), Form::Plain);
        assert_eq!(form_of(&decimal("decimal(10,2)"), &decimal("decimal(12,4)")), Form::Scaled(4));
        let json = column("c", TypeKind::Json, "json", None, true);
        assert_eq!(form_of(&json, &text("utf8mb4")), Form::JsonText);
        assert_eq!(form_of(&json, &json), Form::Hashed);
    }

    #[test]
    fn a_row_without_a_hash_is_not_taken_for_one() {
        assert_eq!(read_sum(None), Some(0));
        assert_eq!(read_sum(Some("4294967295")), Some(4_294_967_295));
        assert_eq!(read_sum(Some("1000000000000000000000000000007")), None);
    }
}
