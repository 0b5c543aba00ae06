//! One row as the binlog holds it, decoded.

/// The cells of one row in the order of the source table's columns, hidden and generated ones included.
///
/// A cell is in the form in which the full copy reads a value of that kind: numbers in digits (FLOAT and DOUBLE with as many as bring
/// back the same bits), text and bytes as they are stored, in the column's charset, temporal values as the server prints them with
/// TIMESTAMP in UTC, BIT as big-endian bytes, JSON as text, geometry as SRID and WKB. Two differ: ENUM is its ordinal and SET its bit
/// mask, both in decimal digits.
///
/// Columns that the server keeps out of definitions (a generated key that it hides) have their cells behind those of the table's own.
///
/// The cell of a JSON column holds the document's text, always. Where a MySQL server would read that text back as another value, because
/// a DECIMAL, a date or bytes are in it, or a number that its parser rounds, [`Image::typed_json`] has the document in MySQL's binary form
/// too, of which [`super::json::expression`] makes SQL. A writer to a JSON column of MySQL uses the expression where there is one
/// and the text where there is none; a writer to anything else uses the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    bytes: Vec<u8>,
    /// Where each cell ends in `bytes`; the highest bit is set for NULL.
    ends: Vec<u64>,
    /// Cells whose text is not all there is, and their binary JSON, in order of columns.
    typed: Vec<(usize, Box<[u8]>)>,
}

const NULL: u64 = 1 << 63;

impl Image {
    /// An image without cells yet, with room for so many.
    pub fn with_capacity(cells: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(cells), typed: Vec::new() }
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

    /// Appends a cell that `write` puts at the end of the buffer, unless it fails.
    pub(super) fn try_push_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        write(&mut self.bytes)?;
        self.ends.push(self.bytes.len() as u64);
        Ok(())
    }

    /// Keeps the binary form of the JSON document whose text is the last cell.
    pub(super) fn set_typed_json(&mut self, document: &[u8]) {
        if let Some(column) = self.ends.len().checked_sub(1) {
            self.typed.push((column, document.into()));
        }
    }

    /// The document of a JSON column in MySQL's binary form, where its text would be read back as another value.
    pub fn typed_json(&self, column: usize) -> Option<&[u8]> {
        self.typed.iter().find(|(c, _)| *c == column).map(|(_, document)| &**document)
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
        self.bytes.len() + self.typed.iter().map(|(_, document)| document.len()).sum::<usize>()
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
