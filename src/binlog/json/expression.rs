//! SQL that builds the very same JSON value on a MySQL server, types and all.

use super::{
    DEEPEST, Damaged,
    node::Node,
    text::{self, exact, typed},
};
use crate::binlog::{table_map::code, value::number};

/// An expression of type JSON whose value is the document, down to the types inside. ASCII but for what strings hold as UTF-8; literals
/// are written for a session without `NO_BACKSLASH_ESCAPES` or with it, alike. Times are meant in UTC, as the session's time zone must
/// be, and dates of no calendar need `ALLOW_INVALID_DATES` in its `sql_mode`.
///
/// The one thing that no expression was found for: bytes that came out of a TINYBLOB column become those of a BLOB column. Both
/// are `BLOB` to `JSON_TYPE`, and equal; only the number in `base64:type249:` tells.
///
/// # Errors
/// When the bytes are no document.
pub fn expression(document: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut out = Vec::with_capacity(2 * document.len() + 64);
    node(&mut out, Node::document(document)?, 0)?;
    Ok(out)
}

fn node(out: &mut Vec<u8>, value: Node<'_>, depth: usize) -> Result<(), Damaged> {
    if depth > DEEPEST {
        return Err(Damaged);
    }
    if exact(value, depth)? {
        let mut whole = Vec::new();
        text::node(&mut whole, value, depth)?;
        return cast(out, "JSON", |out| literal(out, &whole));
    }
    match value {
        Node::Array(items) => {
            out.extend_from_slice(b"JSON_ARRAY(");
            for i in 0..items.len() {
                if i > 0 {
                    out.push(b',');
                }
                node(out, items.value(i)?, depth + 1)?;
            }
            out.push(b')');
            Ok(())
        }
        Node::Object(members) => {
            out.extend_from_slice(b"JSON_OBJECT(");
            for i in 0..members.len() {
                if i > 0 {
                    out.push(b',');
                }
                literal(out, members.key(i)?)?;
                out.push(b',');
                node(out, members.value(i)?, depth + 1)?;
            }
            out.push(b')');
            Ok(())
        }
        Node::Uint(value) => cast(out, "JSON", |out| {
            cast(out, "UNSIGNED", |out| {
                number::unsigned(out, value, 0);
                Ok(())
            })
        }),
        Node::Int(value) => cast(out, "JSON", |out| {
            number::signed(out, value);
            Ok(())
        }),
        Node::Double(value) => cast(out, "JSON", |out| {
            out.extend_from_slice(format!("{value:e}").as_bytes());
            Ok(())
        }),
        Node::Opaque(code, bytes) => cast(out, "JSON", |out| opaque(out, code, bytes)),
        Node::Null | Node::Bool(_) | Node::String(_) => Err(Damaged),
    }
}

fn cast(out: &mut Vec<u8>, kind: &str, inner: impl FnOnce(&mut Vec<u8>) -> Result<(), Damaged>) -> Result<(), Damaged> {
    out.extend_from_slice(b"CAST(");
    inner(out)?;
    out.extend_from_slice(format!(" AS {kind})").as_bytes());
    Ok(())
}

/// A value of an SQL type. `CAST` makes most; what no expression has as its type, a column of `JSON_TABLE` does (MySQL 8.0.4 and later;
/// seen on 9.7.4).
fn opaque(out: &mut Vec<u8>, code: u8, bytes: &[u8]) -> Result<(), Damaged> {
    let shown = || {
        let mut shown = Vec::new();
        typed(&mut shown, code, bytes).map(|_| shown)
    };
    let kind = match (code, bytes) {
        (code::NEWDECIMAL, [precision, scale, ..]) => format!("DECIMAL({precision},{scale})"),
        (code::DATE | code::NEWDATE, _) => "DATE".to_owned(),
        (code::TIME, _) => "TIME(6)".to_owned(),
        (code::DATETIME, _) => "DATETIME(6)".to_owned(),
        (code::TIMESTAMP, _) => {
            let text = [&b"[\""[..], &shown()?, b"\"]"].concat();
            return column(out, "TIMESTAMP(6)", |out| literal(out, &text));
        }
        (code::BIT, _) if (1..=8).contains(&bytes.len()) => {
            let number = bytes.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
            return column(out, &format!("BIT({})", 8 * bytes.len()), |out| literal(out, format!("[{number}]").as_bytes()));
        }
        (code::STRING, _) if bytes.len() <= 255 => return column(out, &format!("BINARY({})", bytes.len()), |out| in_array(out, bytes)),
        (code::TINY_BLOB | code::BLOB, _) if bytes.len() <= 65_535 => return column(out, "BLOB", |out| in_array(out, bytes)),
        // A function's type is that of its longest argument; the second one here is never looked at.
        (code::MEDIUM_BLOB | code::LONG_BLOB, _) => {
            let longest = if code == code::MEDIUM_BLOB { 70_000 } else { 16_777_216 };
            out.extend_from_slice(b"COALESCE(");
            binary(out, bytes);
            out.extend_from_slice(format!(",CAST('' AS BINARY({longest})))").as_bytes());
            return Ok(());
        }
        _ => {
            binary(out, bytes);
            return Ok(());
        }
    };
    let shown = shown()?;
    cast(out, &kind, |out| literal(out, &shown))
}

/// The one value of a JSON array, as a column of a type.
fn column(out: &mut Vec<u8>, kind: &str, array: impl FnOnce(&mut Vec<u8>) -> Result<(), Damaged>) -> Result<(), Damaged> {
    out.extend_from_slice(b"(SELECT t.c FROM JSON_TABLE(");
    array(out)?;
    out.extend_from_slice(format!(",'$[*]' COLUMNS (c {kind} PATH '$')) AS t)").as_bytes());
    Ok(())
}

fn in_array(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Damaged> {
    out.extend_from_slice(b"JSON_ARRAY(");
    binary(out, bytes);
    out.push(b')');
    Ok(())
}

fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"x'");
    hex(out, bytes);
    out.push(b'\'');
}

fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// A text literal; in hexadecimal where a quote, a backslash or a control character is in it.
fn literal(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Damaged> {
    if std::str::from_utf8(text).is_err() {
        return Err(Damaged);
    }
    if text.iter().any(|&b| b < 0x20 || b == b'\'' || b == b'\\') {
        out.extend_from_slice(b"_utf8mb4 x'");
        hex(out, text);
    } else {
        out.extend_from_slice(b"_utf8mb4'");
        out.extend_from_slice(text);
    }
    out.push(b'\'');
    Ok(())
}
