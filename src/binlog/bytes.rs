//! Reading bytes in order without ever reading beyond them.

/// There were fewer bytes than were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truncated;

/// A place in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (taken, rest) = self.bytes.split_first_chunk().ok_or(Truncated)?;
        self.bytes = rest;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Truncated> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    pub(super) fn two(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// A little-endian number of up to 8 bytes.
    #[inline]
    pub(super) fn little(&mut self, count: usize) -> Result<u64, Truncated> {
        Ok(self.take(count)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// A length as the protocol packs it (`net_field_length`): one byte up to 250, else a marker and 2, 3 or 8 bytes.
    pub(super) fn length(&mut self) -> Result<usize, Truncated> {
        let number = match self.byte()? {
            252 => self.little(2)?,
            253 => self.little(3)?,
            254 => self.little(8)?,
            251 | 255 => return Err(Truncated),
            small => u64::from(small),
        };
        usize::try_from(number).map_err(|_| Truncated)
    }

    #[expect(clippy::cast_possible_truncation, reason = "four bytes")]
    pub(super) fn four(&mut self) -> Result<u32, Truncated> {
        Ok(self.little(4)? as u32)
    }

    pub(super) fn eight(&mut self) -> Result<u64, Truncated> {
        self.little(8)
    }

    /// Bytes up to a zero byte, which is passed.
    pub(super) fn until_zero(&mut self) -> Result<&'a [u8], Truncated> {
        let end = self.bytes.iter().position(|b| *b == 0).ok_or(Truncated)?;
        let text = self.take(end)?;
        self.byte()?;
        Ok(text)
    }

    /// Text in a length byte and so many bytes.
    pub(super) fn short_text(&mut self) -> Result<String, Truncated> {
        let len = usize::from(self.byte()?);
        Ok(text(self.take(len)?))
    }

    /// A packed length and as many bytes.
    pub(super) fn packed(&mut self) -> Result<&'a [u8], Truncated> {
        let length = self.length()?;
        self.take(length)
    }
}

/// Names and the like, which are UTF-8.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Truncated};

    #[test]
    fn fields_are_read_in_order_and_never_beyond_the_end() {
        let mut c = Cursor::new(b"\x01\x02\x00\xfc\x00\x01\xfd\x01\x00\x01ab\x00\x02cd");
        assert_eq!((c.byte(), c.two(), c.length(), c.length()), (Ok(1), Ok(2), Ok(256), Ok(65537)));
        assert_eq!((c.until_zero(), c.short_text()), (Ok(&b"ab"[..]), Ok("cd".to_owned())));
        assert_eq!((c.byte(), c.four(), c.until_zero()), (Err(Truncated), Err(Truncated), Err(Truncated)));
        assert_eq!((Cursor::new(b"\xfb").length(), Cursor::new(b"\xff").length()), (Err(Truncated), Err(Truncated)));
    }
}
