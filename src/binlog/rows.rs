//! Row images: from the bytes of a rows event to cells.

use super::{
    Image, RowsEvent, RowsKind,
    bytes::{Cursor, Truncated},
    form::{ColumnForm, Form},
    json,
    value::{compressed, named, number, temporal},
};

/// One row of a rows event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowImages {
    /// As it was; none when it is new.
    pub before: Option<Image>,
    /// As it is; none when it is gone.
    pub after: Option<Image>,
}

/// A rows event that cannot be read as the forms say.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum RowsError {
    /// An image leaves a column out.
    #[error("the {image} image of a row of {table} lacks column {column}: the row was written with binlog_row_image=MINIMAL or NOBLOB")]
    Absent {
        /// Database and table.
        table: String,
        /// The first column that is missing.
        column: String,
        /// `before` or `after`.
        image: &'static str,
    },
    /// Bitmaps of another width than the table map has columns.
    #[error("a rows event of {table} is not about as many columns as its table map")]
    Width {
        /// Database and table.
        table: String,
    },
    /// It ends within a row.
    #[error("a rows event of {table} is cut short in column {column}")]
    Short {
        /// Database and table.
        table: String,
        /// The column being read.
        column: String,
    },
    /// A value that cannot be what the column holds.
    #[error("a value of column {column} of {table} is not {expected}")]
    Value {
        /// Database and table.
        table: String,
        /// The column.
        column: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// What an image is to the other one of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It stands for itself.
    Whole,
    /// The other may hold JSON as differences from it.
    Base,
    /// It may hold JSON as differences.
    Changed,
}

/// Why one value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Short,
    Value(&'static str),
}

impl From<Truncated> for Fault {
    fn from(_: Truncated) -> Self {
        Self::Short
    }
}

impl From<json::Damaged> for Fault {
    fn from(_: json::Damaged) -> Self {
        Self::Value("a JSON value")
    }
}

/// The rows of an event, in order, read by the forms that [`super::fit`] gave for its table map. Cells of hidden columns come after the
/// table's own.
///
/// Of a system-versioned table (MariaDB) only rows that still stand are told: a row that is only written into history does not come
/// at all, and the update by which the server ends a row is a deletion.
///
/// # Errors
/// When an image lacks a column, before any row is read. Each row may have an error of its own, and after it there are no more.
pub fn decode<'a>(event: &'a RowsEvent, forms: &'a [ColumnForm]) -> Result<Rows<'a>, RowsError> {
    let rows = Rows::new(event, forms);
    let has_after = matches!(event.kind, RowsKind::Update | RowsKind::PartialUpdate);
    let first = if event.kind == RowsKind::Insert { "after" } else { "before" };
    rows.check(&event.before_columns, first)?;
    if has_after {
        rows.check(&event.after_columns, "after")?;
    }
    Ok(rows)
}

/// Iterator over the rows of an event.
#[derive(Debug)]
pub struct Rows<'a> {
    event: &'a RowsEvent,
    forms: &'a [ColumnForm],
    at: Cursor<'a>,
    is_versioned: bool,
    /// The documents of the last before image, a JSON column each, where the after image may hold differences from them.
    documents: Vec<Option<&'a [u8]>>,
    /// Bytes that the cells of the last image took.
    typical: usize,
}

impl<'a> Rows<'a> {
    fn new(event: &'a RowsEvent, forms: &'a [ColumnForm]) -> Self {
        Self {
            event,
            forms,
            at: Cursor::new(&event.rows),
            is_versioned: forms.iter().any(|f| f.row_period),
            documents: Vec::new(),
            typical: 16 * forms.len(),
        }
    }

    fn table(&self) -> String {
        self.event.table().to_string()
    }

    fn check(&self, present: &[u8], image: &'static str) -> Result<(), RowsError> {
        if self.forms.len() != self.event.map.columns.len() || present.len() != self.forms.len().div_ceil(8) {
            return Err(RowsError::Width { table: self.table() });
        }
        match self.forms.iter().enumerate().find(|(i, form)| !is_set(present, *i) && !form.generated) {
            Some((_, form)) => Err(RowsError::Absent { table: self.table(), column: form.name.clone(), image }),
            None => Ok(()),
        }
    }

    fn error(&self, fault: Fault, form: &ColumnForm) -> RowsError {
        let (table, column) = (self.table(), form.name.clone());
        match fault {
            Fault::Short => RowsError::Short { table, column },
            Fault::Value(expected) => RowsError::Value { table, column, expected },
        }
    }

    /// The next image, and whether it is of a row that still stands.
    fn image(&mut self, present: &[u8], role: Role) -> Result<(Image, bool), RowsError> {
        let forms = self.forms;
        let first = &forms[0];
        let mut at = self.at;
        // Only JSON columns have a bit in the map of those that come as differences.
        let mut differing = Cursor::new(&[]);
        if role == Role::Changed {
            const PARTIAL_JSON_UPDATES: usize = 1;
            let options = at.length().map_err(|t| self.error(t.into(), first))?;
            if options & PARTIAL_JSON_UPDATES != 0 {
                let json = forms.iter().filter(|f| matches!(f.form, Form::Json { .. })).count();
                differing = Cursor::new(at.take(json.div_ceil(8)).map_err(|t| self.error(t.into(), first))?);
            }
        }
        let differing = differing.rest();
        let columns = (0..forms.len()).filter(|&i| is_set(present, i)).count();
        let nulls = at.take(columns.div_ceil(8)).map_err(|t| self.error(t.into(), first))?;
        let mut image = Image::with_capacity(forms.len(), self.typical);
        let mut hidden: Vec<(&Form, Option<&[u8]>)> = Vec::new();
        let (mut n, mut json_column, mut stands) = (0, 0, true);
        for (i, form) in forms.iter().enumerate() {
            let is_json = matches!(form.form, Form::Json { .. });
            let json_number = json_column;
            json_column += usize::from(is_json);
            let mut is_null = true;
            if is_set(present, i) {
                is_null = is_set(nulls, n);
                n += 1;
            }
            if is_null {
                if is_json && role == Role::Base {
                    self.documents.push(None);
                }
                if form.hidden {
                    hidden.push((&form.form, None));
                } else {
                    image.push(None);
                }
                continue;
            }
            let value = read(&mut at, form.form).map_err(|fault| self.error(fault, form))?;
            stands &= !(self.is_versioned && form.row_period && is_past(value, form.form, i, forms));
            if form.hidden {
                hidden.push((&form.form, Some(value)));
                continue;
            }
            if is_json && role == Role::Base {
                self.documents.push(Some(value));
            }
            let written = if is_json && is_set(differing, json_number) {
                changed_json(&mut image, self.documents.get(json_number).copied().flatten(), value)
            } else {
                write(&mut image, value, form.form)
            };
            written.map_err(|fault| self.error(fault, form))?;
        }
        for (form, value) in hidden {
            match value {
                Some(value) => write(&mut image, value, *form).map_err(|fault| self.error(fault, first))?,
                None => image.push(None),
            }
        }
        self.at = at;
        self.typical = image.size() + image.size() / 8;
        Ok((image, stands))
    }

    fn row(&mut self) -> Result<RowImages, RowsError> {
        let event = self.event;
        let standing = |(image, stands): (Image, bool)| stands.then_some(image);
        Ok(match event.kind {
            RowsKind::Insert => RowImages { before: None, after: standing(self.image(&event.before_columns, Role::Whole)?) },
            RowsKind::Delete => RowImages { before: standing(self.image(&event.before_columns, Role::Whole)?), after: None },
            RowsKind::Update => RowImages {
                before: standing(self.image(&event.before_columns, Role::Whole)?),
                after: standing(self.image(&event.after_columns, Role::Whole)?),
            },
            RowsKind::PartialUpdate => {
                self.documents.clear();
                RowImages {
                    before: standing(self.image(&event.before_columns, Role::Base)?),
                    after: standing(self.image(&event.after_columns, Role::Changed)?),
                }
            }
        })
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<RowImages, RowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.at.is_empty() && !self.forms.is_empty() {
            match self.row() {
                // Written into history only.
                Ok(RowImages { before: None, after: None }) => {}
                Ok(row) => return Some(Ok(row)),
                Err(error) => {
                    self.at = Cursor::new(&[]);
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

#[inline]
fn is_set(bits: &[u8], i: usize) -> bool {
    bits.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 != 0)
}

/// The bytes of a value, without the length before them.
#[inline]
fn read<'a>(at: &mut Cursor<'a>, form: Form) -> Result<&'a [u8], Fault> {
    let count = match form {
        Form::Sized { length_bytes }
        | Form::Padded { length_bytes, .. }
        | Form::Compressed { length_bytes }
        | Form::Json { length_bytes } => usize::try_from(at.little(length_bytes.into())?).map_err(|_| Fault::Short)?,
        Form::Uuid | Form::Inet4 | Form::Inet6 => at.byte()?.into(),
        _ => form.fixed_bytes().ok_or(Fault::Short)?,
    };
    Ok(at.take(count)?)
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn big(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A fixed binary string that lost its zero bytes at the end.
fn padded<const N: usize>(value: &[u8]) -> Result<[u8; N], Fault> {
    let mut whole = [0; N];
    whole.get_mut(..value.len()).ok_or(Fault::Value("as long as its type"))?.copy_from_slice(value);
    Ok(whole)
}

/// Appends a cell.
#[inline]
fn write(image: &mut Image, value: &[u8], form: Form) -> Result<(), Fault> {
    match form {
        Form::Json { .. } => return whole_json(image, value),
        Form::Sized { .. } => image.push(Some(value)),
        _ => image.try_push_with(|out| convert(out, value, form))?,
    }
    Ok(())
}

fn whole_json(image: &mut Image, value: &[u8]) -> Result<(), Fault> {
    image.try_push_with(|out| json::text(out, value))?;
    if !json::is_exact_as_text(value)? {
        image.set_typed_json(value);
    }
    Ok(())
}

fn changed_json(image: &mut Image, before: Option<&[u8]>, differences: &[u8]) -> Result<(), Fault> {
    let before = before.ok_or(Fault::Value("a JSON value of which it could be a change"))?;
    whole_json(image, &json::apply(before, differences)?)
}

fn convert(out: &mut Vec<u8>, value: &[u8], form: Form) -> Result<(), Fault> {
    match form {
        Form::Signed { bytes } => {
            let unused = 64 - 8 * u32::from(bytes);
            number::signed(out, (little(value) << unused).cast_signed() >> unused);
        }
        Form::Unsigned { width, .. } => number::unsigned(out, little(value), width.into()),
        Form::Number { .. } => number::unsigned(out, little(value), 0),
        Form::Decimal { precision, scale, width, .. } => number::decimal(out, value, precision.into(), scale.into(), width.into()),
        Form::Float { most } => {
            let number = f32::from_bits(u32::try_from(little(value)).map_err(|_| Fault::Short)?);
            number::double(out, f64::from(number).clamp(-most, most));
        }
        Form::Double { most } => number::double(out, f64::from_bits(little(value)).clamp(-most, most)),
        Form::Bit { .. } | Form::Sized { .. } => out.extend_from_slice(value),
        Form::Padded { to, .. } => {
            let end = out.len() + usize::from(to);
            out.extend_from_slice(value);
            if out.len() > end {
                return Err(Fault::Value("as long as its type"));
            }
            out.resize(end, 0);
        }
        Form::Compressed { .. } => compressed::unpack(out, value).map_err(|_| Fault::Value("a compressed value"))?,
        Form::Json { .. } => json::text(out, value)?,
        Form::Date => temporal::date(out, little(value)),
        Form::Year => temporal::year(out, value.first().copied().unwrap_or(0)),
        Form::DateTime2 { digits } => {
            let (whole, fraction) = value.split_at_checked(5).ok_or(Fault::Short)?;
            temporal::datetime2(out, big(whole), big(fraction), digits);
        }
        Form::Timestamp2 { digits } => {
            let (seconds, fraction) = value.split_at_checked(4).ok_or(Fault::Short)?;
            temporal::timestamp2(out, big(seconds), big(fraction), digits);
        }
        Form::Time2 { digits } => temporal::time2(out, big(value), digits),
        Form::OldDateTime => temporal::old_datetime(out, little(value)),
        Form::OldTimestamp => temporal::timestamp(out, little(value), 0, 0),
        Form::OldTime => temporal::old_time(out, little(value)),
        Form::HiresDateTime { digits } => temporal::hires::datetime(out, big(value), digits),
        Form::HiresTimestamp { digits } => {
            let (seconds, fraction) = value.split_at_checked(4).ok_or(Fault::Short)?;
            temporal::hires::timestamp_of(out, big(seconds), big(fraction), digits);
        }
        Form::HiresTime { digits } => temporal::hires::time(out, big(value), digits),
        Form::Uuid => named::uuid(out, &padded(value)?),
        Form::Inet4 => named::inet4(out, padded(value)?),
        Form::Inet6 => named::inet6(out, &padded(value)?),
    }
    Ok(())
}

/// Whether a period's end shows that the row has been ended. Of the two columns of a period the later one is its end.
fn is_past(value: &[u8], form: Form, column: usize, forms: &[ColumnForm]) -> bool {
    if forms[column + 1..].iter().any(|f| f.row_period) {
        return false;
    }
    let never = match form {
        // The last microsecond of the type, which MariaDB 11.5 moved from 2038 to 2106.
        Form::Timestamp2 { .. } => matches!(value, [0x7f | 0xff, 0xff, 0xff, 0xff, 0x0f, 0x42, 0x3f]),
        _ => value.iter().all(|&byte| byte == 0xff),
    };
    !never
}
