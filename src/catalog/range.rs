//! Ranges of a table in the order of one of its keys, as SQL that the server itself evaluates.
//!
//! The hard idea: no key is ever compared here. An edge is a row's key as the server sent it, and what lies before or after it is asked
//! of the server with its own collation and types (traps 5 and part 2, 21). All this room does is write literals that mean exactly
//! the value that was read.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::model::{Column, Table, TypeKind, Walk, quote_name};

/// The key columns of one row, as the server sent them for [`KeyOrder::select_list`]. NULL never occurs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Edge(pub Vec<Vec<u8>>);

impl Edge {
    /// As text for a progress table: hexadecimal, parts joined by commas.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (i, part) in self.0.iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            push_hex(&mut text, part);
        }
        text
    }

    /// Reads what [`Edge::to_text`] wrote. `None` when it is not that.
    pub fn from_text(text: &str) -> Option<Self> {
        let part = |hex: &str| -> Option<Vec<u8>> {
            let digits = hex.as_bytes();
            if !digits.len().is_multiple_of(2) {
                return None;
            }
            digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
        };
        text.split(',').map(part).collect::<Option<Vec<_>>>().map(Self)
    }
}

/// Which rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyRange {
    /// All.
    All,
    /// Those with a NULL in the walked key (of a unique key with nullable columns).
    NullKey,
    /// Those after the first edge and up to the second, the second included; an absent edge is the table's end. Rows with a NULL in the
    /// key are never among them.
    Between {
        /// Exclusive lower edge.
        after: Option<Edge>,
        /// Inclusive upper edge.
        upto: Option<Edge>,
    },
}

/// One column of the walked key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyColumn {
    name: String,
    quoted: String,
    kind: TypeKind,
    charset: Option<String>,
    descending: bool,
    nullable: bool,
}

/// How to walk one table in the order of a key, as pieces of SQL. Column names are those of the table it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOrder {
    columns: Vec<KeyColumn>,
    index: Option<String>,
    has_nulls: bool,
}

impl KeyOrder {
    /// The order in which a table is walked; `None` when it has no usable key ([`Walk::Whole`]).
    pub fn of(table: &Table) -> Option<Self> {
        let (columns, has_nulls) = match table.walk() {
            Walk::Key(columns) => (columns, false),
            Walk::NullableKey(columns) => (columns, true),
            Walk::Whole => return None,
        };
        let key = table.walk_key();
        let descending = |i: usize| key.and_then(|k| k.parts.get(i)).is_some_and(|p| p.descending);
        Some(Self {
            columns: columns.iter().enumerate().map(|(i, &c)| KeyColumn::of(&table.columns[c], descending(i))).collect(),
            index: key.map(|k| quote_name(&k.name)),
            has_nulls,
        })
    }

    /// The same key on another table, the copy at the destination, where `name` says what a column is called: literals keep the meaning
    /// they had at the source, the index hint goes. `None` when a column of the key has no name there.
    pub fn elsewhere(&self, name: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let mut order = Self { index: None, ..self.clone() };
        for column in &mut order.columns {
            column.quoted = quote_name(&name(&column.name)?);
        }
        Some(order)
    }

    /// Number of key columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Some rows may have a NULL in the key and form [`KeyRange::NullKey`].
    pub fn has_nulls(&self) -> bool {
        self.has_nulls
    }

    /// The server finds an edge by the index. A bound on an ENUM or SET by its number is not looked up but tested on every entry (seen on
    /// 9.7.4 and 10.11.19), so a table whose key begins with one is best walked in one go.
    pub fn seeks(&self) -> bool {
        !matches!(self.columns.first().map(|c| c.kind), Some(TypeKind::Enum | TypeKind::Set))
    }

    /// The key is one integer column, so that edges may be computed.
    pub fn is_single_integer(&self) -> bool {
        matches!(&self.columns[..], [only] if only.kind == TypeKind::Integer && !only.descending)
    }

    /// Names of the key columns without quotes, for people: `o_orderkey`, `(a, b)`.
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|c| c.quoted.trim_matches('`')).collect();
        match &names[..] {
            [one] => (*one).to_owned(),
            many => format!("({})", many.join(", ")),
        }
    }

    /// Expressions whose values, taken from a row, are that row's [`Edge`]. ENUM and SET are taken by their number, which is what they
    /// are ordered by; BIT as an integer.
    pub fn select_list(&self) -> String {
        self.select_list_parts().join(", ")
    }

    /// The expressions of [`KeyOrder::select_list`], one a key column.
    pub fn select_list_parts(&self) -> Vec<String> {
        self.columns.iter().map(KeyColumn::selected).collect()
    }

    /// ` FORCE INDEX (...)`, so that the server reads in key order and never sorts; empty on a table it does not belong to.
    pub fn index_hint(&self) -> String {
        self.index.as_ref().map_or_else(String::new, |index| format!(" FORCE INDEX ({index})"))
    }

    /// ` ORDER BY ...` in the key's own order.
    pub fn order_by(&self) -> String {
        let parts: Vec<String> = self.columns.iter().map(|c| format!("{}{}", c.quoted, if c.descending { " DESC" } else { "" })).collect();
        format!(" ORDER BY {}", parts.join(", "))
    }

    /// The order turned round.
    pub fn order_by_reversed(&self) -> String {
        let parts: Vec<String> = self.columns.iter().map(|c| format!("{}{}", c.quoted, if c.descending { "" } else { " DESC" })).collect();
        format!(" ORDER BY {}", parts.join(", "))
    }

    /// ` WHERE ...` for the rows of a range; empty for all of a table.
    pub fn where_clause(&self, range: &KeyRange) -> String {
        match self.condition(range) {
            Some(condition) => format!(" WHERE {condition}"),
            None => String::new(),
        }
    }

    /// The condition alone, `None` when it would be always true.
    pub fn condition(&self, range: &KeyRange) -> Option<String> {
        let null_test = |negated: bool| {
            let tests: Vec<String> = self
                .columns
                .iter()
                .filter(|c| c.nullable)
                .map(|c| format!("{} IS {}NULL", c.quoted, if negated { "NOT " } else { "" }))
                .collect();
            tests.join(if negated { " AND " } else { " OR " })
        };
        let mut all = Vec::new();
        match range {
            KeyRange::All => {}
            KeyRange::NullKey if self.has_nulls => all.push(format!("({})", null_test(false))),
            KeyRange::NullKey => all.push("FALSE".to_owned()),
            KeyRange::Between { after, upto } => {
                if self.has_nulls {
                    all.push(null_test(true));
                }
                if let Some(edge) = after {
                    all.push(self.beyond(edge, true));
                }
                if let Some(edge) = upto {
                    all.push(self.beyond(edge, false));
                }
            }
        }
        (!all.is_empty()).then(|| all.join(" AND "))
    }

    /// The rows whose key is exactly this one.
    pub fn equals(&self, edge: &Edge) -> String {
        let parts: Vec<String> =
            self.columns.iter().zip(&edge.0).map(|(c, value)| format!("{} = {}", c.quoted, c.literal(value))).collect();
        parts.join(" AND ")
    }

    /// `(a, b) > edge` (`after`) or `(a, b) <= edge`, written out: row comparisons do not use an index (manual: "Range Optimization
    /// of Row Constructor Expressions" covers IN and = only). The leading bound on the first column is redundant on purpose: it is what
    /// the optimizer makes a range of.
    fn beyond(&self, edge: &Edge, after: bool) -> String {
        let mut text = String::new();
        let last = self.columns.len() - 1;
        for (i, (column, value)) in self.columns.iter().zip(&edge.0).enumerate() {
            let literal = column.literal(value);
            // In the order of the walk, "further on" is a smaller value of a descending column.
            let further = after != column.descending;
            let (strict, loose) = if further { (">", ">=") } else { ("<", "<=") };
            let quoted = &column.quoted;
            if i == last {
                let _ = write!(text, "{quoted} {} {literal}", if after { strict } else { loose });
            } else {
                let _ = write!(text, "{quoted} {loose} {literal} AND ({quoted} {strict} {literal} OR (");
            }
        }
        for _ in 0..last {
            text.push_str("))");
        }
        text
    }
}

impl KeyColumn {
    fn of(column: &Column, descending: bool) -> Self {
        Self {
            name: column.name.clone(),
            quoted: quote_name(&column.name),
            kind: column.kind,
            charset: column.charset.clone(),
            descending,
            nullable: column.nullable,
        }
    }

    fn selected(&self) -> String {
        match self.kind {
            TypeKind::Enum | TypeKind::Set | TypeKind::Bit => format!("CAST({} AS UNSIGNED)", self.quoted),
            _ => self.quoted.clone(),
        }
    }

    fn literal(&self, value: &[u8]) -> String {
        match self.kind {
            TypeKind::Integer | TypeKind::Decimal | TypeKind::Year | TypeKind::Enum | TypeKind::Set | TypeKind::Bit => {
                // Digits, sign and point only: the server made them.
                String::from_utf8_lossy(value).into_owned()
            }
            TypeKind::Date | TypeKind::DateTime | TypeKind::Timestamp | TypeKind::Time | TypeKind::NamedText => {
                format!("'{}'", String::from_utf8_lossy(value))
            }
            TypeKind::Text => {
                let mut text = format!("_{} x'", self.charset.as_deref().unwrap_or("binary"));
                push_hex(&mut text, value);
                text.push('\'');
                text
            }
            _ => {
                let mut text = "_binary x'".to_owned();
                push_hex(&mut text, value);
                text.push('\'');
                text
            }
        }
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.reserve(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: TypeKind, charset: Option<&str>, descending: bool, nullable: bool) -> KeyColumn {
        KeyColumn { name: name.to_owned(), quoted: quote_name(name), kind, charset: charset.map(str::to_owned), descending, nullable }
    }

    #[test]
    fn composite_ranges_are_written_out() {
        let order = KeyOrder {
            columns: vec![column("a", TypeKind::Integer, None, false, false), column("b`", TypeKind::Text, Some("latin1"), true, false)],
            index: Some("`PRIMARY`".into()),
            has_nulls: false,
        };
        let edge = |a: &str, b: &[u8]| Edge(vec![a.as_bytes().to_vec(), b.to_vec()]);
        let range = KeyRange::Between { after: Some(edge("1", b"\xe9")), upto: Some(edge("2", b"")) };
        assert_eq!(
            order.where_clause(&range),
            " WHERE `a` >= 1 AND (`a` > 1 OR (`b``` < _latin1 x'e9')) AND `a` <= 2 AND (`a` < 2 OR (`b``` >= _latin1 x''))"
        );
        assert_eq!(order.order_by(), " ORDER BY `a`, `b``` DESC");
        assert_eq!(order.where_clause(&KeyRange::Between { after: None, upto: None }), "");
    }

    #[test]
    fn rows_with_a_null_in_the_key_are_a_range_of_their_own() {
        let order = KeyOrder { columns: vec![column("a", TypeKind::Integer, None, false, true)], index: None, has_nulls: true };
        assert_eq!(order.where_clause(&KeyRange::NullKey), " WHERE (`a` IS NULL)");
        assert_eq!(order.where_clause(&KeyRange::Between { after: None, upto: None }), " WHERE `a` IS NOT NULL");
    }

    #[test]
    fn edges_survive_as_text() {
        let edge = Edge(vec![vec![0, 255, 16], Vec::new(), b"x".to_vec()]);
        assert_eq!(Edge::from_text(&edge.to_text()), Some(edge));
        assert_eq!(Edge::from_text("0"), None);
    }
}
