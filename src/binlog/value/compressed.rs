//! MariaDB's column compression: the binlog holds the value as the table does.

use flate2::{Decompress, FlushDecompress, Status};

/// Why a value could not be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::binlog) struct Broken;

/// Unpacks a value of a COMPRESSED column.
///
/// An empty value is empty. Else the first byte tells how: 0, the rest is the value; 8 in its upper half, the value went through zlib,
/// bit 3 says without a header around it, and the lower three bits count the big-endian bytes of its length that come first
/// (`compress_zlib` of MariaDB's `sql/field_comp.cc`).
pub(in crate::binlog) fn unpack(out: &mut Vec<u8>, value: &[u8]) -> Result<(), Broken> {
    let Some((&head, rest)) = value.split_first() else { return Ok(()) };
    match head >> 4 {
        0 => out.extend_from_slice(rest),
        8 => {
            let (length, packed) = rest.split_at_checked(usize::from(head & 7)).ok_or(Broken)?;
            let length = length.iter().fold(0_usize, |number, &byte| number << 8 | usize::from(byte));
            let end = out.len().checked_add(length).ok_or(Broken)?;
            let mut inflate = Decompress::new(head & 8 == 0);
            // Room is made in steps: the length may be a lie.
            loop {
                let taken = usize::try_from(inflate.total_in()).map_err(|_| Broken)?;
                out.reserve((end - out.len()).clamp(1, 1 << 20));
                let before = out.len();
                let status = inflate.decompress_vec(&packed[taken..], out, FlushDecompress::Finish).map_err(|_| Broken)?;
                if out.len() > end {
                    return Err(Broken);
                }
                match status {
                    Status::StreamEnd => break,
                    _ if out.len() == before => return Err(Broken),
                    _ => {}
                }
            }
            if out.len() != end {
                return Err(Broken);
            }
        }
        _ => return Err(Broken),
    }
    Ok(())
}
