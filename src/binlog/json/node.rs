//! One value inside a binary JSON document (`json_binary.cc` of MySQL describes the format).

use super::Damaged;
use crate::binlog::bytes::Cursor;

/// A value; containers are read when asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(&'a [u8]),
    /// A value of an SQL type: its type code, and its own binary form.
    Opaque(u8, &'a [u8]),
    Array(Container<'a>),
    Object(Container<'a>),
}

/// An array or an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Container<'a> {
    /// From the count on; offsets count from here.
    bytes: &'a [u8],
    count: usize,
    is_large: bool,
    is_object: bool,
}

pub(super) mod tag {
    pub(in crate::binlog::json) const SMALL_OBJECT: u8 = 0;
    pub(in crate::binlog::json) const LARGE_OBJECT: u8 = 1;
    pub(in crate::binlog::json) const SMALL_ARRAY: u8 = 2;
    pub(in crate::binlog::json) const LARGE_ARRAY: u8 = 3;
    pub(in crate::binlog::json) const LITERAL: u8 = 4;
    pub(in crate::binlog::json) const INT16: u8 = 5;
    pub(in crate::binlog::json) const UINT16: u8 = 6;
    pub(in crate::binlog::json) const INT32: u8 = 7;
    pub(in crate::binlog::json) const UINT32: u8 = 8;
    pub(in crate::binlog::json) const INT64: u8 = 9;
    pub(in crate::binlog::json) const UINT64: u8 = 10;
    pub(in crate::binlog::json) const DOUBLE: u8 = 11;
    pub(in crate::binlog::json) const STRING: u8 = 12;
    pub(in crate::binlog::json) const OPAQUE: u8 = 15;
}

impl<'a> Node<'a> {
    /// A whole document. No bytes at all are the null literal, as the server has it.
    pub(super) fn document(bytes: &'a [u8]) -> Result<Self, Damaged> {
        match bytes.split_first() {
            None => Ok(Self::Null),
            Some((&tag, rest)) => Self::parse(tag, rest),
        }
    }

    fn parse(tag: u8, bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut at = Cursor::new(bytes);
        Ok(match tag {
            tag::SMALL_OBJECT | tag::LARGE_OBJECT => Self::Object(Container::new(bytes, tag == tag::LARGE_OBJECT, true)?),
            tag::SMALL_ARRAY | tag::LARGE_ARRAY => Self::Array(Container::new(bytes, tag == tag::LARGE_ARRAY, false)?),
            tag::LITERAL => match at.byte()? {
                0 => Self::Null,
                1 => Self::Bool(true),
                2 => Self::Bool(false),
                _ => return Err(Damaged),
            },
            tag::INT16 => Self::Int(i16::from_le_bytes(at.array()?).into()),
            tag::UINT16 => Self::Uint(u16::from_le_bytes(at.array()?).into()),
            tag::INT32 => Self::Int(i32::from_le_bytes(at.array()?).into()),
            tag::UINT32 => Self::Uint(u32::from_le_bytes(at.array()?).into()),
            tag::INT64 => Self::Int(i64::from_le_bytes(at.array()?)),
            tag::UINT64 => Self::Uint(u64::from_le_bytes(at.array()?)),
            tag::DOUBLE => Self::Double(f64::from_le_bytes(at.array()?)),
            tag::STRING => {
                let length = long_length(&mut at)?;
                Self::String(at.take(length)?)
            }
            tag::OPAQUE => {
                let code = at.byte()?;
                let length = long_length(&mut at)?;
                Self::Opaque(code, at.take(length)?)
            }
            _ => return Err(Damaged),
        })
    }
}

/// A length in groups of seven bits, the lowest first.
fn long_length(at: &mut Cursor<'_>) -> Result<usize, Damaged> {
    let mut length = 0_u64;
    for shift in 0..5 {
        let byte = at.byte()?;
        length |= u64::from(byte & 0x7f) << (7 * shift);
        if byte & 0x80 == 0 {
            return usize::try_from(length).map_err(|_| Damaged);
        }
    }
    Err(Damaged)
}

impl<'a> Container<'a> {
    fn new(bytes: &'a [u8], is_large: bool, is_object: bool) -> Result<Self, Damaged> {
        let mut at = Cursor::new(bytes);
        let width = if is_large { 4 } else { 2 };
        let number = |at: &mut Cursor<'_>| usize::try_from(at.little(width).unwrap_or(u64::MAX)).map_err(|_| Damaged);
        let (count, size) = (number(&mut at)?, number(&mut at)?);
        let bytes = bytes.get(..size).ok_or(Damaged)?;
        let entry = if is_object { width + 2 } else { 0 } + 1 + width;
        if count.checked_mul(entry).and_then(|n| n.checked_add(2 * width)).is_none_or(|n| n > size) {
            return Err(Damaged);
        }
        Ok(Self { bytes, count, is_large, is_object })
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn width(&self) -> usize {
        if self.is_large { 4 } else { 2 }
    }

    fn cursor(&self, at: usize) -> Result<Cursor<'a>, Damaged> {
        Ok(Cursor::new(self.bytes.get(at..).ok_or(Damaged)?))
    }

    fn number(&self, at: usize, width: usize) -> Result<usize, Damaged> {
        usize::try_from(self.cursor(at)?.little(width)?).map_err(|_| Damaged)
    }

    /// The name of an object's member, in UTF-8.
    pub(super) fn key(&self, index: usize) -> Result<&'a [u8], Damaged> {
        let entry = 2 * self.width() + index * (self.width() + 2);
        let (offset, length) = (self.number(entry, self.width())?, self.number(entry + self.width(), 2)?);
        Ok(self.cursor(offset)?.take(length)?)
    }

    pub(super) fn value(&self, index: usize) -> Result<Node<'a>, Damaged> {
        let width = self.width();
        let keys = if self.is_object { self.count * (width + 2) } else { 0 };
        let entry = 2 * width + keys + index * (1 + width);
        let mut at = self.cursor(entry)?;
        let tag = at.byte()?;
        let is_inline = matches!(tag, tag::LITERAL | tag::INT16 | tag::UINT16) || self.is_large && matches!(tag, tag::INT32 | tag::UINT32);
        if is_inline {
            return Node::parse(tag, at.take(width)?);
        }
        let offset = self.number(entry + 1, width)?;
        Node::parse(tag, self.cursor(offset)?.rest())
    }
}
