//! Whether a column can take another type or charset without any value being lost.

use super::{UnsafeAction, shape::charset_of, translate::base_type};
use crate::ddl::{
    ColumnClause,
    lex::{self, Kind, Mode},
};

/// What may be lost when a column that is `from` is made `to`; `None` when nothing is.
pub(super) fn loss(from: &ColumnClause, to: &ColumnClause) -> Option<UnsafeAction> {
    if from.generated.is_some() {
        // Its values are computed again.
        return None;
    }
    if !holds(&from.data_type, &to.data_type) {
        return Some(UnsafeAction::NarrowType);
    }
    if let (Some(a), Some(b)) = (from.collation.as_deref(), to.collation.as_deref())
        && !charset_holds(charset_of(a), charset_of(b))
    {
        return Some(UnsafeAction::ChangeCharset);
    }
    (from.null != Some(false) && to.null == Some(false)).then_some(UnsafeAction::ForbidNull)
}

/// Every character of `from` is one of `to`.
fn charset_holds(from: &str, to: &str) -> bool {
    let three = |c: &str| matches!(c, "utf8" | "utf8mb3");
    from == to || (three(from) && three(to)) || from == "ascii" || (to == "utf8mb4" && from != "binary") || (from == "latin1" && three(to))
}

/// Every value of `from` is one of `to`, unchanged.
fn holds(from: &str, to: &str) -> bool {
    let (from, to) = (Type::read(from), Type::read(to));
    if from.base == to.base && from.numbers == to.numbers && from.members == to.members && from.unsigned == to.unsigned {
        return true;
    }
    if let (Some(a), Some(b)) = (from.integer_bits(), to.integer_bits()) {
        return match (from.unsigned, to.unsigned) {
            (false, true) => false,
            (true, false) => b > a,
            _ => b >= a,
        };
    }
    let number = |t: &Type, i: usize| t.numbers.get(i).copied().unwrap_or(0);
    let longer = number(&to, 0) >= number(&from, 0);
    match (from.base.as_str(), to.base.as_str()) {
        ("decimal", "decimal") => {
            let scale = |t: &Type| number(t, 1);
            let whole = |t: &Type| number(t, 0).saturating_sub(scale(t));
            scale(&to) >= scale(&from) && whole(&to) >= whole(&from) && (from.unsigned == to.unsigned || from.unsigned)
        }
        ("float", "double") => to.numbers.is_empty(),
        ("float", "float") | ("double", "double") => to.numbers.is_empty() && (from.unsigned == to.unsigned || from.unsigned),
        ("char" | "varchar", "varchar") | ("char", "char") | ("varbinary", "varbinary") | ("bit", "bit") => longer,
        ("time", "time") | ("datetime", "datetime") | ("timestamp", "timestamp") => longer,
        ("char" | "varchar", "text" | "mediumtext" | "longtext") => number(&from, 0) * 4 <= text_size(&to.base),
        ("varbinary", "blob" | "mediumblob" | "longblob") => number(&from, 0) <= text_size(&to.base),
        ("enum", "enum") | ("set", "set") => to.members.len() >= from.members.len() && to.members[..from.members.len()] == from.members[..],
        (a, b) if a.ends_with("text") && b.ends_with("text") || a.ends_with("blob") && b.ends_with("blob") => text_size(b) >= text_size(a),
        (a, "geometry") => super::translate::is_geometry(a),
        _ => false,
    }
}

fn text_size(base: &str) -> u64 {
    match base {
        "tinytext" | "tinyblob" => 255,
        "text" | "blob" => 65_535,
        "mediumtext" | "mediumblob" => 16_777_215,
        _ => u64::from(u32::MAX),
    }
}

struct Type {
    base: String,
    numbers: Vec<u64>,
    members: Vec<String>,
    unsigned: bool,
}

impl Type {
    fn read(text: &str) -> Self {
        let tokens = lex::significant(text, Mode::default());
        let base = base_type(text);
        let numbers = tokens.iter().filter(|t| t.kind == Kind::Number).filter_map(|t| t.text(text).parse().ok());
        let is_integer = integer_bits(&base).is_some() || base == "year";
        Self {
            numbers: if is_integer { Vec::new() } else { numbers.collect() },
            members: tokens.iter().filter(|t| t.kind == Kind::String).map(|t| lex::string_value(t.text(text))).collect(),
            unsigned: tokens.iter().any(|t| t.is_word(text, "unsigned")),
            base,
        }
    }

    fn integer_bits(&self) -> Option<u32> {
        integer_bits(&self.base)
    }
}

fn integer_bits(base: &str) -> Option<u32> {
    Some(match base {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn only_what_keeps_every_value_is_wider() {
        for (from, to) in [
            ("int(11)", "bigint"),
            ("int unsigned", "bigint"),
            ("int(11)", "int"),
            ("varchar(10)", "varchar(20)"),
            ("varchar(10)", "text"),
            ("decimal(10,2)", "decimal(12,3)"),
            ("enum('a','b')", "enum('a','b','c')"),
            ("datetime", "datetime(6)"),
            ("float", "double"),
            ("tinytext", "longtext"),
            ("point", "geometry"),
        ] {
            assert!(holds(from, to), "{from} -> {to}");
            assert!(from == to || from == "int(11)" || !holds(to, from), "{to} -> {from}");
        }
        for (from, to) in [
            ("int", "int unsigned"),
            ("bigint unsigned", "bigint"),
            ("decimal(10,2)", "decimal(10,3)"),
            ("enum('a','b')", "enum('b','a')"),
            ("enum('a','b')", "varchar(1)"),
            ("varchar(20000)", "text"),
            ("binary(4)", "binary(8)"),
            ("double", "float"),
            ("datetime", "timestamp"),
            ("text", "varchar(100)"),
            ("json", "longtext"),
        ] {
            assert!(!holds(from, to), "{from} -> {to}");
        }
    }
}
