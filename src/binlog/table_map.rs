//! Which table the rows events after it are about, and what their columns look like on the wire.

/// A table map event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableMap {
    /// Database, as the source spells it.
    pub database: String,
    /// Table.
    pub table: String,
    /// A column each, in order; hidden ones included.
    pub columns: Vec<WireColumn>,
    /// Row metadata named the columns (`binlog_row_metadata=FULL`).
    pub named: bool,
}

/// A column as the table map event describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WireColumn {
    /// Type code, as `enum_field_types` of the MySQL protocol numbers it; what hides in the metadata of a STRING (ENUM, SET) is taken out.
    pub code: u8,
    /// The type's metadata: lengths, precision, fractional digits. Meaning depends on the type.
    pub meta: u16,
    /// May hold NULL.
    pub nullable: bool,
    /// Signedness, where row metadata tells it (MINIMAL and FULL do) and the type has one.
    pub unsigned: Option<bool>,
    /// Collation id, where row metadata tells it.
    pub collation: Option<u16>,
    /// Name, where row metadata is FULL.
    pub name: Option<String>,
    /// Members of an ENUM or SET in the column's charset, where row metadata is FULL.
    pub members: Option<Vec<Vec<u8>>>,
    /// Part of the primary key, where row metadata is FULL.
    pub primary: bool,
}
