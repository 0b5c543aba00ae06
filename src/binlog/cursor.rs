//! Reading little-endian fields off a byte slice, one after the other.

/// What was to be read is not there in whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooShort;

/// The rest of a byte slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next bytes.
    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], TooShort> {
        if len > self.0.len() {
            return Err(TooShort);
        }
        let (head, rest) = self.0.split_at(len);
        self.0 = rest;
        Ok(head)
    }

    /// An unsigned number of up to 8 bytes.
    pub(super) fn number(&mut self, len: usize) -> Result<u64, TooShort> {
        let mut bytes = [0; 8];
        bytes.get_mut(..len).ok_or(TooShort)?.copy_from_slice(self.bytes(len)?);
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn u8(&mut self) -> Result<u8, TooShort> {
        Ok(self.bytes(1)?[0])
    }

    #[expect(clippy::cast_possible_truncation, reason = "two bytes")]
    pub(super) fn u16(&mut self) -> Result<u16, TooShort> {
        Ok(self.number(2)? as u16)
    }

    #[expect(clippy::cast_possible_truncation, reason = "four bytes")]
    pub(super) fn u32(&mut self) -> Result<u32, TooShort> {
        Ok(self.number(4)? as u32)
    }

    pub(super) fn u64(&mut self) -> Result<u64, TooShort> {
        self.number(8)
    }

    /// A length-encoded integer of the MySQL protocol.
    pub(super) fn lenenc(&mut self) -> Result<u64, TooShort> {
        match self.u8()? {
            252 => self.number(2),
            253 => self.number(3),
            254 => self.number(8),
            // 251 is NULL and 255 an error, neither of which is a number.
            251 | 255 => Err(TooShort),
            small => Ok(u64::from(small)),
        }
    }

    /// [`Cursor::lenenc`] as a length in memory.
    pub(super) fn len(&mut self) -> Result<usize, TooShort> {
        usize::try_from(self.lenenc()?).map_err(|_| TooShort)
    }

    /// Bytes up to a zero byte, which is passed.
    pub(super) fn until_zero(&mut self) -> Result<&'a [u8], TooShort> {
        let end = self.0.iter().position(|b| *b == 0).ok_or(TooShort)?;
        let text = self.bytes(end)?;
        self.u8()?;
        Ok(text)
    }

    /// Text in a length byte and so many bytes.
    pub(super) fn short_text(&mut self) -> Result<String, TooShort> {
        let len = usize::from(self.u8()?);
        Ok(text(self.bytes(len)?))
    }
}

/// Names and the like, which are UTF-8.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Cursor, TooShort};

    #[test]
    fn fields_are_read_in_order_and_never_beyond_the_end() {
        let mut c = Cursor(b"\x01\x02\x00\xfc\x00\x01\xfd\x01\x00\x01ab\x00\x02cd");
        assert_eq!((c.u8(), c.u16(), c.lenenc(), c.lenenc()), (Ok(1), Ok(2), Ok(256), Ok(65537)));
        assert_eq!((c.until_zero(), c.short_text()), (Ok(&b"ab"[..]), Ok("cd".to_owned())));
        assert_eq!((c.u8(), c.u32(), c.until_zero()), (Err(TooShort), Err(TooShort), Err(TooShort)));
        assert_eq!((Cursor(b"\xfb").lenenc(), Cursor(b"\xff").lenenc()), (Err(TooShort), Err(TooShort)));
    }
}
