//! The text that the server prints for a binary JSON value (`Json_wrapper::to_string`).

use super::{DEEPEST, Damaged, node::Node};
use crate::binlog::{
    table_map::code,
    value::{number, temporal},
};

/// Appends the text of a document.
pub(in crate::binlog) fn write(out: &mut Vec<u8>, document: &[u8]) -> Result<(), Damaged> {
    node(out, Node::document(document)?, 0)
}

/// Appends the text of one value.
pub(super) fn node(out: &mut Vec<u8>, value: Node<'_>, depth: usize) -> Result<(), Damaged> {
    if depth > DEEPEST {
        return Err(Damaged);
    }
    match value {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Int(value) => number::signed(out, value),
        Node::Uint(value) => number::unsigned(out, value, 0),
        Node::Double(value) => double(out, value),
        Node::String(value) => quoted(out, value),
        Node::Opaque(code, value) => opaque(out, code, value)?,
        Node::Array(items) => {
            out.push(b'[');
            for i in 0..items.len() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                node(out, items.value(i)?, depth + 1)?;
            }
            out.push(b']');
        }
        Node::Object(members) => {
            out.push(b'{');
            for i in 0..members.len() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                quoted(out, members.key(i)?);
                out.extend_from_slice(b": ");
                node(out, members.value(i)?, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// With a point or an exponent, always.
fn double(out: &mut Vec<u8>, value: f64) {
    let start = out.len();
    number::double(out, value);
    if !out[start..].iter().any(|b| matches!(b, b'.' | b'e')) {
        out.extend_from_slice(b".0");
    }
}

fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut plain = 0;
    for (i, &byte) in text.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[plain..i]);
        plain = i + 1;
        out.push(b'\\');
        match byte {
            b'"' | b'\\' => out.push(byte),
            8 => out.push(b'b'),
            9 => out.push(b't'),
            10 => out.push(b'n'),
            12 => out.push(b'f'),
            13 => out.push(b'r'),
            _ => out.extend_from_slice(&[b'u', b'0', b'0', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        }
    }
    out.extend_from_slice(&text[plain..]);
    out.push(b'"');
}

/// A value of an SQL type as text without quotes around it; `None` for what is only bytes.
pub(super) fn typed(out: &mut Vec<u8>, code: u8, value: &[u8]) -> Result<Option<()>, Damaged> {
    let packed = || value.try_into().map(i64::from_le_bytes).map_err(|_| Damaged);
    match code {
        code::NEWDECIMAL => {
            let [precision, scale, binary @ ..] = value else { return Err(Damaged) };
            number::decimal(out, binary, usize::from(*precision), usize::from(*scale), 0);
        }
        code::DATE | code::NEWDATE => temporal::packed_date(out, packed()?.cast_unsigned()),
        code::DATETIME | code::TIMESTAMP => temporal::packed_datetime(out, packed()?.cast_unsigned(), 6),
        code::TIME => temporal::packed_time(out, packed()?, 6),
        _ => return Ok(None),
    }
    Ok(Some(()))
}

fn opaque(out: &mut Vec<u8>, code: u8, value: &[u8]) -> Result<(), Damaged> {
    if code == code::NEWDECIMAL {
        typed(out, code, value)?;
        return Ok(());
    }
    out.push(b'"');
    if typed(out, code, value)?.is_none() {
        out.extend_from_slice(b"base64:type");
        number::unsigned(out, code.into(), 0);
        out.push(b':');
        base64(out, value);
    }
    out.push(b'"');
    Ok(())
}

/// Base64 as the server writes it: lines of 76 characters, whose ends show as `\n` in JSON (`base64_encode` of `mysys`).
fn base64(out: &mut Vec<u8>, value: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (i, chunk) in value.chunks(3).enumerate() {
        if i > 0 && i % 19 == 0 {
            out.extend_from_slice(b"\\n");
        }
        let bits = chunk.iter().enumerate().fold(0_u32, |bits, (i, &byte)| bits | u32::from(byte) << (16 - 8 * i));
        for place in 0..4 {
            let digit = if place <= chunk.len() { DIGITS[(bits >> (18 - 6 * place) & 63) as usize] } else { b'=' };
            out.push(digit);
        }
    }
}

/// Whether the document's text, read by a MySQL server, becomes the very same value.
///
/// It does not where a value has an SQL type, where a small number is unsigned or a large one is signed, and where a DOUBLE needs more than 15 digits or a large
/// power of ten: the JSON parser of MySQL up to 8.0 reads those an ulp beside (traps.md, trap 9).
///
/// # Errors
/// When the bytes are no document.
pub fn is_exact_as_text(document: &[u8]) -> Result<bool, Damaged> {
    exact(Node::document(document)?, 0)
}

pub(super) fn exact(value: Node<'_>, depth: usize) -> Result<bool, Damaged> {
    if depth > DEEPEST {
        return Err(Damaged);
    }
    Ok(match value {
        Node::Null | Node::Bool(_) | Node::String(_) => true,
        // The server reads whole numbers of more than 32 bits as unsigned, others as signed (seen on 9.7.4).
        Node::Int(value) => value <= u32::MAX.into(),
        Node::Uint(value) => value > u32::MAX.into(),
        Node::Double(value) => is_easily_read(value),
        Node::Opaque(..) => false,
        Node::Array(items) => {
            for i in 0..items.len() {
                if !exact(items.value(i)?, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        Node::Object(members) => {
            for i in 0..members.len() {
                if !exact(members.value(i)?, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
    })
}

/// At most 15 digits times a power of ten that a DOUBLE holds exactly: any reader gets it right in one multiplication or division.
fn is_easily_read(value: f64) -> bool {
    let mut text = Vec::with_capacity(32);
    number::double(&mut text, value);
    let exponent = text.iter().position(|&b| b == b'e');
    let (digits, exponent) = match exponent {
        Some(e) => (&text[..e], std::str::from_utf8(&text[e + 1..]).ok().and_then(|t| t.parse::<i64>().ok()).unwrap_or(i64::MAX)),
        None => (&text[..], 0),
    };
    let fraction = digits.iter().position(|&b| b == b'.').map_or(0, |point| digits.len() - point - 1);
    let power = exponent.saturating_sub(i64::try_from(fraction).unwrap_or(i64::MAX));
    let significant = digits.iter().filter(|b| b.is_ascii_digit()).skip_while(|b| **b == b'0').count();
    significant <= 15 && (-22..=22).contains(&power)
}
