//! SQL that builds the very same JSON value on a MySQL server, types and all.

use super::{
    DEEPEST, Damaged,
    node::Node,
    text::{self, exact, typed},
};
use crate::binlog::{table_map::code, value::number};

/// An expression of type JSON whose value is the document, down to the types inside. ASCII but for what strings hold as UTF-8; literals
/// are written for a session without `NO_BACKSLASH_ESCAPES` or with it, alike.
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
        Node::Double(value) => cast(out, "JSON", |out| {
            out.extend_from_slice(format!("{value:e}").as_bytes());
            Ok(())
        }),
        Node::Opaque(code, bytes) => cast(out, "JSON", |out| opaque(out, code, bytes)),
        Node::Null | Node::Bool(_) | Node::Int(_) | Node::String(_) => Err(Damaged),
    }
}

fn cast(out: &mut Vec<u8>, kind: &str, inner: impl FnOnce(&mut Vec<u8>) -> Result<(), Damaged>) -> Result<(), Damaged> {
    out.extend_from_slice(b"CAST(");
    inner(out)?;
    out.extend_from_slice(format!(" AS {kind})").as_bytes());
    Ok(())
}

fn opaque(out: &mut Vec<u8>, code: u8, bytes: &[u8]) -> Result<(), Damaged> {
    let mut shown = Vec::new();
    let kind = match (code, bytes) {
        (code::NEWDECIMAL, [precision, scale, ..]) => format!("DECIMAL({precision},{scale})"),
        (code::DATE | code::NEWDATE, _) => "DATE".to_owned(),
        (code::TIME, _) => "TIME(6)".to_owned(),
        (code::DATETIME | code::TIMESTAMP, _) => "DATETIME(6)".to_owned(),
        _ => {
            out.extend_from_slice(b"x'");
            hex(out, bytes);
            out.push(b'\'');
            return Ok(());
        }
    };
    typed(&mut shown, code, bytes)?;
    cast(out, &kind, |out| literal(out, &shown))
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
