//! Values of row images as SQL literals, for a table whose columns are defined as those of the table that they come from.

use super::encode::InsertEncoder;
use crate::{
    binlog::Image,
    catalog::Table,
    destination::{CopyTable, Encoder as _},
};

/// Writes some columns of a table's row images.
pub struct ImageLiterals {
    encoder: InsertEncoder,
    columns: Vec<usize>,
}

impl ImageLiterals {
    /// For these columns of the table, by their places in it. `packet` is the server's `max_allowed_packet` in bytes.
    pub fn new(table: &Table, columns: &[usize], packet: u64) -> Self {
        let copy = CopyTable { columns: columns.iter().map(|&c| (c, c)).collect(), ..CopyTable::new(table.clone(), table.clone(), false) };
        Self { encoder: InsertEncoder::for_images(&copy, packet), columns: columns.to_vec() }
    }

    /// Appends the values, joined by commas.
    ///
    /// # Errors
    /// A text that says why a value cannot be written exactly, without the value.
    pub fn write(&mut self, out: &mut Vec<u8>, image: &Image) -> Result<(), String> {
        for (at, &column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.encoder.literal(out, at, image.cell(column))?;
        }
        Ok(())
    }

    /// Values since this was asked last that a column takes as they are, but not without a warning: an ENUM's number 0.
    pub fn take_odd_values(&mut self) -> u64 {
        self.encoder.take_odd_values()
    }
}
