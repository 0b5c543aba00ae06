//! Rows as the server takes them: lines for `LOAD DATA`, tuples for `INSERT`. Bytes pass through as they came; only what would end a
//! field, a line or a literal is escaped.

use memchr::{memchr, memchr3};

use super::{
    json,
    members::{Renumbering, members},
};
use crate::{
    catalog::TypeKind,
    destination::{CopyTable, Encoder, is_error_value},
};

/// Buffers are sent on at this size. Below the allocator's threshold for mapping memory anew each time.
const BUFFER_BYTES: usize = 96 << 10;

/// What a value needs on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Digits, signs, points, colons: nothing in it is special.
    Plain,
    /// Anything.
    Bytes,
    /// The name of an ENUM's member. The empty name is the error value, number 0, which is stored with a warning.
    Enum,
    /// The same where the empty name may be a member's: the source sends the error value as [`is_error_value`] knows it.
    EnumOrEmpty,
    /// JSON text for a column of MySQL's JSON type.
    Json,
    /// Digits for a column of numbers, which need no quotes.
    Number,
    /// The big-endian bytes of a BIT, as a number.
    Bits,
    /// An ENUM's ordinal for an ENUM.
    Ordinal,
    /// A SET's bit mask for a SET.
    Mask,
    /// An ENUM's ordinal for a column that is none: its member's name is the value.
    OrdinalName,
    /// A SET's bit mask for a column that is none.
    MaskNames,
}

fn forms(table: &CopyTable) -> Vec<Form> {
    table
        .columns
        .iter()
        .map(|&(s, d)| (&table.source.columns[s], &table.destination.columns[d]))
        .map(|(source, destination)| match (source.kind, destination.kind) {
            (_, TypeKind::Json) => Form::Json,
            (TypeKind::Enum, TypeKind::Enum) if destination.has_empty_member() || source.has_empty_member() => Form::EnumOrEmpty,
            (TypeKind::Enum, TypeKind::Enum) => Form::Enum,
            (
                TypeKind::Integer
                | TypeKind::Decimal
                | TypeKind::Float
                | TypeKind::Double
                | TypeKind::Date
                | TypeKind::DateTime
                | TypeKind::Timestamp
                | TypeKind::Time
                | TypeKind::Year
                | TypeKind::NamedText,
                _,
            ) => Form::Plain,
            _ => Form::Bytes,
        })
        .collect()
}

/// The forms of a row image's values, which has ENUM and SET by number.
fn image_forms(table: &CopyTable) -> Vec<Form> {
    let kinds = table.columns.iter().map(|&(s, d)| (table.source.columns[s].kind, table.destination.columns[d].kind));
    let form = |((source, destination), form): ((TypeKind, TypeKind), Form)| match (source, destination) {
        (TypeKind::Enum, TypeKind::Enum) => Form::Ordinal,
        (TypeKind::Set, TypeKind::Set) => Form::Mask,
        (TypeKind::Enum, _) => Form::OrdinalName,
        (TypeKind::Set, _) => Form::MaskNames,
        (TypeKind::Integer | TypeKind::Decimal, TypeKind::Integer | TypeKind::Decimal) => Form::Number,
        (TypeKind::Bit, TypeKind::Bit | TypeKind::Integer) => Form::Bits,
        _ => form,
    };
    kinds.zip(forms(table)).map(form).collect()
}

/// The lists whose values the source sends as names in UTF-8.
fn names_in_utf8(table: &CopyTable) -> Vec<bool> {
    let named = |&(s, _): &(usize, usize)| {
        let column = &table.source.columns[s];
        let charset = column.charset.as_deref().unwrap_or_default();
        matches!(column.kind, TypeKind::Enum | TypeKind::Set) && charset.starts_with("utf8")
    };
    table.columns.iter().map(named).collect()
}

/// A name of a list is text in its charset. MySQL's `ALTER TABLE ... CONVERT TO CHARACTER SET` leaves the bytes of the old charset in it (seen
/// on 9.7.4) and then prints the list without them, so that another list would be made of it (DT274).
fn check_name(value: &[u8]) -> Result<(), String> {
    match std::str::from_utf8(value) {
        Ok(_) => Ok(()),
        Err(_) => Err("a member of the column's list is no text in the column's charset (`dtsctl explain DT274`)".to_owned()),
    }
}

/// The error value of an ENUM is printed as '', and read as the member '' where there is one.
fn check_member(value: &[u8]) -> Result<(), String> {
    if is_error_value(value) { Err("the error value of an ENUM, which has '' as a member too, or gets it".to_owned()) } else { Ok(()) }
}

/// Lines of `LOAD DATA ... FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'` in the charset `binary`.
pub(super) struct LineEncoder {
    forms: Vec<Form>,
    names_in_utf8: Vec<bool>,
    odd_values: u64,
}

impl LineEncoder {
    pub(super) fn new(table: &CopyTable) -> Self {
        Self { forms: forms(table), names_in_utf8: names_in_utf8(table), odd_values: 0 }
    }
}

fn escape_line(out: &mut Vec<u8>, mut value: &[u8]) {
    while let Some(at) = memchr3(b'\\', b'\t', b'\n', value) {
        out.extend_from_slice(&value[..at]);
        out.push(b'\\');
        out.push(match value[at] {
            b'\t' => b't',
            b'\n' => b'n',
            other => other,
        });
        value = &value[at + 1..];
    }
    out.extend_from_slice(value);
}

impl Encoder for LineEncoder {
    fn begin_row(&mut self, _: &mut Vec<u8>) {}

    fn value(&mut self, out: &mut Vec<u8>, column: usize, value: Option<&[u8]>) -> Result<(), String> {
        if column > 0 {
            out.push(b'\t');
        }
        if let Some(value) = value.filter(|_| self.names_in_utf8[column]) {
            check_name(value)?;
        }
        match (value, self.forms[column]) {
            (None, _) => out.extend_from_slice(b"\\N"),
            (Some(value), Form::Plain) => out.extend_from_slice(value),
            (Some(value), Form::Enum) => {
                self.odd_values += u64::from(value.is_empty());
                escape_line(out, value);
            }
            (Some(value), Form::EnumOrEmpty) => {
                check_member(value)?;
                escape_line(out, value);
            }
            (Some(value), Form::Json) => {
                json::carried_exactly(value)?;
                escape_line(out, value);
            }
            // Those of row images never come here.
            (Some(value), _) => escape_line(out, value),
        }
        Ok(())
    }

    fn more(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        escape_line(out, bytes);
    }

    fn splits_values(&self, column: usize) -> bool {
        self.forms[column] == Form::Bytes && !self.names_in_utf8[column]
    }

    fn odd_values(&self) -> u64 {
        self.odd_values
    }

    fn take_odd_values(&mut self) -> u64 {
        std::mem::take(&mut self.odd_values)
    }

    fn end_row(&mut self, out: &mut Vec<u8>) {
        out.push(b'\n');
    }

    fn buffer_bytes(&self) -> usize {
        BUFFER_BYTES
    }

    fn splits_rows(&self) -> bool {
        true
    }
}

/// Tuples of a multi-row `INSERT`, separated by commas; the loader puts the head before each buffer. All of it is valid UTF-8: text
/// goes out as `_binary'...'` where it is UTF-8 and as a hexadecimal literal where it is not.
pub(super) struct InsertEncoder {
    forms: Vec<Form>,
    /// What stands before a literal of each column: `_binary`, or the charset it must be converted from.
    introducers: Vec<String>,
    buffer_bytes: usize,
    names_in_utf8: Vec<bool>,
    odd_values: u64,
    /// For ENUM and SET columns of a row image: how the numbers change, and the source's names.
    lists: Vec<Option<(Renumbering, Vec<String>)>>,
}

impl InsertEncoder {
    /// `packet` is the server's `max_allowed_packet` in bytes.
    pub(super) fn new(table: &CopyTable, packet: u64) -> Self {
        // 1 MiB statements cost the server least (traps.md part 3); leave room for the head and one average row.
        let buffer_bytes = usize::try_from(packet / 4).unwrap_or(usize::MAX).clamp(1 << 10, 1 << 20);
        let forms = forms(table);
        let charset = |(i, form): (usize, &Form)| match form {
            Form::Json => table.source_charset(i),
            _ => table.converts_from(i).unwrap_or("binary"),
        };
        let introducers = forms.iter().enumerate().map(|column| format!("_{}", charset(column))).collect();
        Self { forms, introducers, buffer_bytes, names_in_utf8: names_in_utf8(table), odd_values: 0, lists: Vec::new() }
    }

    /// One that takes the values of row images, as [`crate::binlog::Image`] has them.
    pub(super) fn for_images(table: &CopyTable, packet: u64) -> Self {
        let list = |&(s, d): &(usize, usize)| {
            let (source, destination) = (&table.source.columns[s], &table.destination.columns[d]);
            matches!(source.kind, TypeKind::Enum | TypeKind::Set)
                .then(|| (Renumbering::between(&source.column_type, &destination.column_type), members(&source.column_type)))
        };
        let lists = table.columns.iter().map(list).collect();
        Self { forms: image_forms(table), lists, ..Self::new(table, packet) }
    }

    /// An ENUM's or SET's number as the destination has it.
    ///
    /// # Errors
    /// A text that says why there is none, without the value.
    pub(super) fn renumbered(&self, column: usize, value: &[u8]) -> Result<u64, String> {
        let number = digits(value).ok_or("an ENUM or SET came without its number")?;
        match (self.forms[column], &self.lists[column]) {
            (Form::Ordinal, Some((list, _))) => list.ordinal(number),
            (Form::Mask, Some((list, _))) => list.mask(number),
            _ => Ok(number),
        }
    }

    /// A value as an SQL expression that is stored as this very value.
    ///
    /// # Errors
    /// A text that says why this value cannot be carried exactly, without the value.
    pub(super) fn literal(&mut self, out: &mut Vec<u8>, column: usize, value: Option<&[u8]>) -> Result<(), String> {
        let Some(value) = value else {
            out.extend_from_slice(b"NULL");
            return Ok(());
        };
        // Row images have numbers.
        if self.names_in_utf8[column] && matches!(self.forms[column], Form::Enum | Form::EnumOrEmpty | Form::Bytes) {
            check_name(value)?;
        }
        match self.forms[column] {
            Form::Plain => push_quoted(out, value),
            Form::Number if is_number(value) => out.extend_from_slice(value),
            Form::Number => return Err("a number is none".to_owned()),
            Form::Bits => push_number(out, bits(value)),
            Form::Ordinal | Form::Mask => {
                let number = self.renumbered(column, value)?;
                self.odd_values += u64::from(number == 0 && self.forms[column] == Form::Ordinal);
                push_number(out, number);
            }
            Form::OrdinalName | Form::MaskNames => {
                let number = digits(value).ok_or("an ENUM or SET came without its number")?;
                let names = self.lists[column].as_ref().map_or(&[][..], |(_, names)| names);
                let name = if self.forms[column] == Form::OrdinalName {
                    let at = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
                    at.map_or(Some(String::new()), |at| names.get(at).cloned())
                } else {
                    let chosen: Option<Vec<&str>> =
                        (0..64).filter(|bit| number >> bit & 1 == 1).map(|bit| names.get(bit).map(String::as_str)).collect();
                    chosen.map(|names| names.join(","))
                };
                out.extend_from_slice(b"_utf8mb4");
                push_quoted(out, name.ok_or("an ENUM or SET has a number beyond its list")?.as_bytes());
            }
            Form::Enum if value.is_empty() => {
                self.odd_values += 1;
                out.extend_from_slice(b"''");
            }
            form => {
                match form {
                    Form::Json => json::carried_exactly(value)?,
                    Form::EnumOrEmpty => check_member(value)?,
                    _ => {}
                }
                push_text(out, &self.introducers[column], value);
            }
        }
        Ok(())
    }
}

/// A literal of the charset that the introducer names (`_latin1`), in which the bytes stand as they are.
pub(super) fn push_text(out: &mut Vec<u8>, introducer: &str, value: &[u8]) {
    out.extend_from_slice(introducer.as_bytes());
    // Quotes and backslashes are looked for in the charset of the statement, which is UTF-8.
    if std::str::from_utf8(value).is_ok() && memchr(0x1a, value).is_none() {
        push_quoted(out, value);
    } else {
        out.push(b' ');
        push_hex_literal(out, value);
    }
}

/// Big-endian bytes as a number.
pub(super) fn bits(value: &[u8]) -> u64 {
    value.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn digits(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Digits with a sign or a point, and so nothing but a number wherever it stands.
pub(super) fn is_number(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'.'))
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

fn push_hex_literal(out: &mut Vec<u8>, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"x'");
    out.reserve(value.len() * 2 + 1);
    for byte in value {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
    out.push(b'\'');
}

pub(super) fn push_quoted(out: &mut Vec<u8>, mut value: &[u8]) {
    out.push(b'\'');
    while let Some(at) = memchr3(b'\\', b'\'', 0, value) {
        out.extend_from_slice(&value[..at]);
        out.push(b'\\');
        out.push(if value[at] == 0 { b'0' } else { value[at] });
        value = &value[at + 1..];
    }
    out.extend_from_slice(value);
    out.push(b'\'');
}

impl Encoder for InsertEncoder {
    fn begin_row(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if out.is_empty() { b"(" } else { b",(" });
    }

    fn value(&mut self, out: &mut Vec<u8>, column: usize, value: Option<&[u8]>) -> Result<(), String> {
        if column > 0 {
            out.push(b',');
        }
        self.literal(out, column, value)
    }

    fn more(&mut self, _: &mut Vec<u8>, _: &[u8]) {}

    fn splits_values(&self, _: usize) -> bool {
        false
    }

    fn odd_values(&self) -> u64 {
        self.odd_values
    }

    fn take_odd_values(&mut self) -> u64 {
        std::mem::take(&mut self.odd_values)
    }

    fn end_row(&mut self, out: &mut Vec<u8>) {
        out.push(b')');
    }

    fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    fn splits_rows(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_escape_what_would_end_them() {
        let mut encoder = LineEncoder { forms: vec![Form::Plain, Form::Bytes, Form::Bytes], names_in_utf8: vec![false; 3], odd_values: 0 };
        let mut out = Vec::new();
        encoder.begin_row(&mut out);
        encoder.value(&mut out, 0, Some(b"1")).expect("plain");
        encoder.value(&mut out, 1, Some(b"a\tb\nc\\N\0\xff")).expect("bytes");
        encoder.value(&mut out, 2, None).expect("null");
        encoder.end_row(&mut out);
        assert_eq!(out, b"1\ta\\tb\\nc\\\\N\0\xff\t\\N\n");
    }

    #[test]
    fn tuples_are_utf8_whatever_the_bytes() {
        let mut encoder = InsertEncoder {
            forms: vec![Form::Bytes, Form::Bytes, Form::Plain],
            introducers: vec!["_binary".into(), "_latin1".into(), "_binary".into()],
            buffer_bytes: 1 << 20,
            names_in_utf8: vec![false; 3],
            odd_values: 0,
            lists: Vec::new(),
        };
        let mut out = Vec::new();
        for _ in 0..2 {
            encoder.begin_row(&mut out);
            encoder.value(&mut out, 0, Some(b"it's \\ \0")).expect("bytes");
            encoder.value(&mut out, 1, Some(b"\xff'")).expect("bytes");
            encoder.value(&mut out, 2, Some(b"-1.5")).expect("plain");
            encoder.end_row(&mut out);
        }
        let one = r"(_binary'it\'s \\ \0',_latin1 x'ff27','-1.5')";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), format!("{one},{one}"));
    }
}
