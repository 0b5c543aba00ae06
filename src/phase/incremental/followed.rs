//! A followed table as the pipeline needs it: by which columns its changes are folded, and which values two of its rows cannot share.
//!
//! Two batches may be written side by side when no row of the one shares a value with a row of the other in any unique key of the
//! destination. What is equal there is for the collation to say, and it is not asked: text of plain ASCII under a collation that is known to
//! tell ASCII apart but for case is compared in lower case and without trailing spaces; any other text is taken for equal to all of its
//! table. That is slow and right (traps.md 5; part 2, 9).

use std::sync::Arc;

use super::hash;
use crate::{
    binlog::{Image, Position},
    catalog::{Column, TypeKind},
    destination::{CopyTable, change::RowOperations},
};

/// How a value of a unique key is made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// By its bytes: numbers, times, ordinals.
    Bytes,
    /// Text under a collation that compares bytes; may pad with spaces.
    Padded,
    /// Text under a collation that tells printable ASCII apart but for case.
    Ascii,
}

#[derive(Debug)]
struct Part {
    /// Column of the source.
    column: usize,
    form: Form,
    /// Characters or bytes that the index looks at.
    prefix: Option<usize>,
}

/// A unique key of the destination.
#[derive(Debug)]
struct Unique {
    /// Tells the keys of all tables apart.
    seed: u64,
    parts: Vec<Part>,
}

/// A table whose changes are carried.
#[derive(Debug)]
pub(super) struct Followed {
    /// Both definitions.
    pub(super) copy: Arc<CopyTable>,
    /// The source's columns by which changes are folded; without them they stay one by one.
    pub(super) key: Option<Vec<usize>>,
    /// Tells tables apart.
    pub(super) id: u64,
    /// Changes before it are in the copy, which read this table at one exact position.
    pub(super) start: Option<Position>,
    /// `None` when every row must be taken for equal to every other.
    uniques: Option<Vec<Unique>>,
}

impl Followed {
    pub(super) fn new(mut copy: Arc<CopyTable>, start: Option<Position>, operations: RowOperations) -> Self {
        if copy.operations != operations {
            copy = Arc::new(CopyTable { operations, ..copy.as_ref().clone() });
        }
        let name = &copy.destination.name;
        let id = hash::add(hash::add(1, name.database.as_bytes()), name.table.as_bytes());
        // Which rows have stayed, gave way or were never brought hangs on each change in its place, which a net effect forgets; and the
        // change of a key is one UPDATE of a row that may not be there, never a delete and an insert.
        let key = copy.folding_key().filter(|_| operations.insert && operations.update && operations.delete);
        let uniques = if key.is_some() { uniques(&copy, id) } else { None };
        Self { copy, key, id, start, uniques }
    }

    /// Adds the hashes of a row's values in every unique key. `false` when they do not tell with whom it shares one: then it must be taken
    /// for a neighbour of all of its table.
    pub(super) fn hashes(&self, image: &Image, out: &mut Vec<u64>) -> bool {
        let Some(uniques) = &self.uniques else { return false };
        let mut told = true;
        for unique in uniques {
            match unique.hash(image) {
                Ok(Some(hash)) => out.push(hash),
                // With a NULL in it no two rows are equal.
                Ok(None) => {}
                Err(()) => told = false,
            }
        }
        told
    }
}

fn uniques(copy: &CopyTable, id: u64) -> Option<Vec<Unique>> {
    let destination = &copy.destination;
    let mut found = Vec::new();
    for (number, key) in destination.keys.iter().filter(|key| key.unique).enumerate() {
        let mut parts = Vec::with_capacity(key.parts.len());
        for part in &key.parts {
            // An expression or a generated column: its value is not in the row.
            let to = part.column?;
            let &(column, _) = copy.columns.iter().find(|&&(_, d)| d == to)?;
            let form = form(&copy.source.columns[column], &destination.columns[to])?;
            parts.push(Part { column, form, prefix: part.prefix.map(|prefix| prefix as usize) });
        }
        found.push(Unique { seed: hash::add_number(id, number as u64 + 1), parts });
    }
    Some(found)
}

fn form(source: &Column, destination: &Column) -> Option<Form> {
    use TypeKind::{Bit, Bytes, Date, DateTime, Decimal, Double, Enum, Float, Geometry, Integer, Json, NamedText, Other, Set, Text, Time};
    use TypeKind::{Timestamp, Vector, Year};
    match (source.kind, destination.kind) {
        // 0.0 and -0.0 are equal.
        (Float | Double | Json | Geometry | Vector | Other, _) | (_, Float | Double | Json | Geometry | Vector | Other) => None,
        (Text, _) | (_, Text) => {
            let (from, to) = (source.charset.as_deref()?, destination.collation.as_deref()?);
            // Their spaces and letters are not single bytes.
            if ["utf16", "utf16le", "utf32", "ucs2"].contains(&from) {
                return None;
            }
            collation_form(to)
        }
        (NamedText, _) => Some(Form::Ascii),
        (Integer | Decimal | Bit | Bytes | Enum | Set | Date | DateTime | Timestamp | Time | Year, _) => Some(Form::Bytes),
    }
}

/// What may be said of a collation without asking it. Those of a language are left out: in some of them `i` equals `y`, or `ccs` `cscs`.
fn collation_form(collation: &str) -> Option<Form> {
    let plain = collation.replace("_nopad", "");
    let (charset, rest) = plain.split_once('_').unwrap_or(("", &plain));
    match rest {
        "bin" | "0900_bin" | "binary" => Some(Form::Padded),
        "general_ci" | "general_cs" | "unicode_ci" | "unicode_520_ci" | "0900_ai_ci" | "0900_as_ci" | "0900_as_cs" | "uca1400_ai_ci"
        | "uca1400_ai_cs" | "uca1400_as_ci" | "uca1400_as_cs" => Some(Form::Ascii),
        "swedish_ci" if charset == "latin1" => Some(Form::Ascii),
        _ => None,
    }
}

impl Unique {
    /// `Ok(None)` with a NULL in it, `Err` when a value does not tell what it equals.
    fn hash(&self, image: &Image) -> Result<Option<u64>, ()> {
        let mut hash = self.seed;
        for part in &self.parts {
            let Some(value) = image.cell(part.column) else { return Ok(None) };
            hash = match part.form {
                Form::Bytes => hash::add(hash, cut(value, part.prefix)),
                // Of text that is not ASCII so many bytes are at most so many characters: taken for equal sooner, never later.
                Form::Padded => hash::add(hash, padless(cut(value, part.prefix))),
                Form::Ascii => {
                    if !value.iter().all(|b| (0x20..0x7f).contains(b)) {
                        return Err(());
                    }
                    let text = padless(cut(value, part.prefix));
                    if text.iter().any(u8::is_ascii_uppercase) {
                        hash::add(hash, &text.to_ascii_lowercase())
                    } else {
                        hash::add(hash, text)
                    }
                }
            };
        }
        Ok(Some(hash))
    }
}

fn cut(value: &[u8], prefix: Option<usize>) -> &[u8] {
    &value[..value.len().min(prefix.unwrap_or(usize::MAX))]
}

fn padless(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = value {
        value = rest;
    }
    value
}
