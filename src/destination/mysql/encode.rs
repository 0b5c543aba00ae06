//! Rows as the server takes them: lines for `LOAD DATA`, tuples for `INSERT`. Bytes pass through as they came; only what would end a
//! field, a line or a literal is escaped.

use memchr::{memchr, memchr3};

use super::json;
use crate::{
    catalog::TypeKind,
    destination::{CopyTable, Encoder},
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
    /// JSON text for a column of MySQL's JSON type.
    Json,
}

fn forms(table: &CopyTable) -> Vec<Form> {
    table
        .columns
        .iter()
        .map(|&(s, d)| (&table.source.columns[s], &table.destination.columns[d]))
        .map(|(source, destination)| match (source.kind, destination.kind) {
            (_, TypeKind::Json) => Form::Json,
            (TypeKind::Enum, TypeKind::Enum) if !has_empty_member(&destination.column_type) => Form::Enum,
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

/// Whether '' is a member of an ENUM's own.
fn has_empty_member(column_type: &str) -> bool {
    column_type.contains("('',") || column_type.contains(",'',") || column_type.contains(",'')") || column_type.contains("('')")
}

/// Lines of `LOAD DATA ... FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'` in the charset `binary`.
pub(super) struct LineEncoder {
    forms: Vec<Form>,
    odd_values: u64,
}

impl LineEncoder {
    pub(super) fn new(table: &CopyTable) -> Self {
        Self { forms: forms(table), odd_values: 0 }
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
        match (value, self.forms[column]) {
            (None, _) => out.extend_from_slice(b"\\N"),
            (Some(value), Form::Plain) => out.extend_from_slice(value),
            (Some(value), Form::Bytes) => escape_line(out, value),
            (Some(value), Form::Enum) => {
                self.odd_values += u64::from(value.is_empty());
                escape_line(out, value);
            }
            (Some(value), Form::Json) => {
                json::carried_exactly(value)?;
                escape_line(out, value);
            }
        }
        Ok(())
    }

    fn more(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        escape_line(out, bytes);
    }

    fn splits_values(&self, column: usize) -> bool {
        self.forms[column] == Form::Bytes
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
    odd_values: u64,
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
        Self { forms, introducers, buffer_bytes, odd_values: 0 }
    }
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

fn push_quoted(out: &mut Vec<u8>, mut value: &[u8]) {
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
        match (value, self.forms[column]) {
            (None, _) => out.extend_from_slice(b"NULL"),
            (Some(value), Form::Plain) => push_quoted(out, value),
            (Some([]), Form::Enum) => {
                self.odd_values += 1;
                out.extend_from_slice(b"''");
            }
            (Some(value), form) => {
                if form == Form::Json {
                    json::carried_exactly(value)?;
                }
                out.extend_from_slice(self.introducers[column].as_bytes());
                // Quotes and backslashes are looked for in the charset of the statement, which is UTF-8.
                if std::str::from_utf8(value).is_ok() && memchr(0x1a, value).is_none() {
                    push_quoted(out, value);
                } else {
                    out.push(b' ');
                    push_hex_literal(out, value);
                }
            }
        }
        Ok(())
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
        let mut encoder = LineEncoder { forms: vec![Form::Plain, Form::Bytes, Form::Bytes], odd_values: 0 };
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
            odd_values: 0,
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
