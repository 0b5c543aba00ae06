//! One row as the binlog holds it, decoded.

/// The cells of one row in the order of the source table's columns, hidden and generated ones included.
///
/// A cell is in the form in which the full copy reads a value of that kind: numbers in digits (FLOAT and DOUBLE with as many as bring
/// back the same bits), text and bytes as they are stored, in the column's charset, temporal values as the server prints them with
/// TIMESTAMP in UTC, BIT as big-endian bytes, JSON as text, geometry as SRID and WKB. Two differ: ENUM is its ordinal and SET its bit
/// mask, both in decimal digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    bytes: Vec<u8>,
    /// Where each cell ends in `bytes`; the highest bit is set for NULL.
    ends: Vec<u64>,
}

const NULL: u64 = 1 << 63;

impl Image {
    /// An image without cells yet, with room for so many.
    pub fn with_capacity(cells: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(cells) }
    }

    /// Appends a cell.
    pub fn push(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.bytes.extend_from_slice(value);
        }
        let end = self.bytes.len() as u64;
        self.ends.push(if value.is_none() { end | NULL } else { end });
    }

    /// Appends a cell that `write` puts at the end of the buffer.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len() as u64);
    }

    /// The cell of a column; `None` is NULL, and so is a column beyond the last.
    pub fn cell(&self, column: usize) -> Option<&[u8]> {
        let end = *self.ends.get(column)?;
        let start = if column == 0 { 0 } else { self.ends[column - 1] & !NULL };
        if end & NULL != 0 { None } else { self.bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?) }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// No cells.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all cells together.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Image;

    #[test]
    fn cells_come_back_as_they_went_in() {
        let mut image = Image::with_capacity(4, 8);
        image.push(None);
        image.push(Some(b"ab"));
        image.push(Some(b""));
        image.push_with(|out| out.extend_from_slice(b"7"));
        image.push(None);
        let cells: Vec<_> = (0..6).map(|i| image.cell(i)).collect();
        assert_eq!(cells, [None, Some(&b"ab"[..]), Some(b""), Some(b"7"), None, None]);
        assert_eq!((image.len(), image.size()), (5, 3));
    }
}
