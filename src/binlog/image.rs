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
///
/// It is one allocation: images are made on one thread by the million and end on another.
#[derive(Debug, Clone, Default)]
pub struct Image {
    /// Where each cell ends, eight bytes each, with the highest bit set for NULL; room for [`Image::room`] of them. Then the cells.
    data: Vec<u8>,
    room: u32,
    cells: u32,
    /// Cells whose text is not all there is, and their binary JSON, in order of columns.
    typed: Vec<(usize, Box<[u8]>)>,
}

const NULL: u64 = 1 << 63;

/// Bytes of where a cell ends.
const END: usize = size_of::<u64>();

impl Image {
    /// An image without cells yet, with room for so many.
    pub fn with_capacity(cells: usize, bytes: usize) -> Self {
        let mut data = Vec::with_capacity(cells * END + bytes);
        data.resize(cells * END, 0);
        Self { data, room: u32::try_from(cells).expect("a table has at most 4096 columns"), cells: 0, typed: Vec::new() }
    }

    /// Appends a cell.
    pub fn push(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.data.extend_from_slice(value);
        }
        self.end_cell(if value.is_none() { NULL } else { 0 });
    }

    /// Appends a cell that `write` puts at the end of the buffer.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.data);
        self.end_cell(0);
    }

    /// Appends a cell that `write` puts at the end of the buffer, unless it fails; then the image is of no use any more.
    pub(super) fn try_push_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        write(&mut self.data)?;
        self.end_cell(0);
        Ok(())
    }

    /// All that was written since the last cell is a cell.
    fn end_cell(&mut self, flag: u64) {
        if self.cells == self.room {
            let more = self.room.max(4);
            let at = self.room as usize * END;
            self.data.splice(at..at, std::iter::repeat_n(0, more as usize * END));
            self.room += more;
        }
        let end = (self.data.len() - self.room as usize * END) as u64 | flag;
        let at = self.cells as usize * END;
        self.data[at..at + END].copy_from_slice(&end.to_le_bytes());
        self.cells += 1;
    }

    fn end(&self, cell: usize) -> u64 {
        let mut end = [0; END];
        end.copy_from_slice(&self.data[cell * END..(cell + 1) * END]);
        u64::from_le_bytes(end)
    }

    /// Where cells end, and their bytes.
    fn parts(&self) -> (&[u8], &[u8]) {
        let (ends, bytes) = self.data.split_at(self.room as usize * END);
        (&ends[..self.len() * END], bytes)
    }

    /// Keeps the binary form of the JSON document whose text is the last cell.
    pub(super) fn set_typed_json(&mut self, document: &[u8]) {
        if let Some(column) = self.len().checked_sub(1) {
            self.typed.push((column, document.into()));
        }
    }

    /// The document of a JSON column in MySQL's binary form, where its text would be read back as another value.
    pub fn typed_json(&self, column: usize) -> Option<&[u8]> {
        self.typed.iter().find(|(c, _)| *c == column).map(|(_, document)| &**document)
    }

    /// The cell of a column; `None` is NULL, and so is a column beyond the last.
    pub fn cell(&self, column: usize) -> Option<&[u8]> {
        if column >= self.len() {
            return None;
        }
        let end = self.end(column);
        if end & NULL != 0 {
            return None;
        }
        let start = if column == 0 { 0 } else { self.end(column - 1) & !NULL };
        self.parts().1.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells as usize
    }

    /// No cells.
    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// Bytes of all cells together.
    pub fn size(&self) -> usize {
        self.parts().1.len() + self.typed.iter().map(|(_, document)| document.len()).sum::<usize>()
    }
}

/// Cell by cell: room that is not used does not count.
impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts() && self.typed == other.typed
    }
}

impl Eq for Image {}

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
        let mut grown = Image::default();
        for cell in 0..5 {
            grown.push(image.cell(cell));
        }
        assert_eq!(grown, image);
        grown.push(None);
        assert_ne!(grown, image);
    }
}
