//! What tells two shapes apart: the one a table should have at the destination and the one it has.
//!
//! Both are in the destination's dialect; what is left is how one server prints what another wrote: widths, quotes around numbers,
//! parentheses, names that a server made up. Each clause has a canonical text, and clauses are equal when these are.

use std::collections::BTreeMap;

use super::{
    mapping,
    shape::{ForeignKey, Shape, same_name},
    translate::{DefaultKind, base_type, default_kind, is_geometry, without_width},
};
use crate::ddl::{
    CheckClause, ColumnClause, IndexClause, IndexKind,
    expression::canonical,
    lex::{self, Kind, Mode},
};

/// What must happen to `actual` to become `wanted`.
#[derive(Debug, Default)]
pub(super) struct Difference<'a> {
    /// Columns only wanted, with the column before each.
    pub(super) add_columns: Vec<(&'a ColumnClause, Option<&'a str>)>,
    /// Columns that are there and not wanted.
    pub(super) drop_columns: Vec<&'a ColumnClause>,
    /// Columns that differ: wanted, actual.
    pub(super) modify_columns: Vec<(&'a ColumnClause, &'a ColumnClause)>,
    /// Columns that stand elsewhere, with the column before each.
    pub(super) move_columns: Vec<(&'a ColumnClause, Option<&'a str>)>,
    pub(super) add_indexes: Vec<&'a IndexClause>,
    pub(super) drop_indexes: Vec<&'a IndexClause>,
    pub(super) add_foreign_keys: Vec<&'a ForeignKey>,
    pub(super) drop_foreign_keys: Vec<&'a ForeignKey>,
    pub(super) add_checks: Vec<&'a CheckClause>,
    pub(super) drop_checks: Vec<&'a CheckClause>,
    /// Options to set: key and value.
    pub(super) options: Vec<(String, String)>,
    /// The engine to change to.
    pub(super) engine: Option<&'a str>,
    /// The default collation to change to.
    pub(super) collation: Option<&'a str>,
    /// The partitioning differs.
    pub(super) partition: bool,
    /// What differs and cannot be altered here, in words.
    pub(super) other: Vec<String>,
}

impl Difference<'_> {
    /// Nothing differs.
    pub(super) fn is_empty(&self) -> bool {
        self.only_pending(&|_| true) && self.add_indexes.is_empty() && self.add_foreign_keys.is_empty()
    }

    /// All that lacks is what is made after the rows.
    pub(super) fn only_pending(&self, later: &dyn Fn(&IndexClause) -> bool) -> bool {
        self.add_columns.is_empty()
            && self.drop_columns.is_empty()
            && self.modify_columns.is_empty()
            && self.move_columns.is_empty()
            && self.add_indexes.iter().all(|i| later(i))
            && self.drop_indexes.is_empty()
            && self.drop_foreign_keys.is_empty()
            && self.add_checks.is_empty()
            && self.drop_checks.is_empty()
            && self.options.is_empty()
            && self.engine.is_none()
            && self.collation.is_none()
            && !self.partition
            && self.other.is_empty()
    }
}

/// Compares. `folds_names`: the destination does not tell the case of table names.
pub(super) fn compare<'a>(wanted: &'a Shape, actual: &'a Shape, folds_names: bool) -> Difference<'a> {
    let mut difference = Difference::default();
    columns(wanted, actual, &mut difference);
    let text = |i: &&IndexClause| index(i);
    (difference.add_indexes, difference.drop_indexes) = unmatched(&wanted.indexes, &actual.indexes, text);
    let key = |f: &&ForeignKey| foreign_key(f, folds_names);
    (difference.add_foreign_keys, difference.drop_foreign_keys) = unmatched(&wanted.foreign_keys, &actual.foreign_keys, key);
    let text = |c: &&CheckClause| check(c);
    (difference.add_checks, difference.drop_checks) = unmatched(&wanted.checks, &actual.checks, text);
    if !wanted.engine.eq_ignore_ascii_case(&actual.engine) {
        difference.engine = Some(&wanted.engine);
    }
    if same_name(&wanted.collation) != same_name(&actual.collation) {
        difference.collation = Some(&wanted.collation);
    }
    options(wanted, actual, &mut difference);
    let partition = |s: &Shape| s.partition.as_deref().map(partition);
    difference.partition = partition(wanted) != partition(actual);
    if wanted.versioned != actual.versioned {
        difference.other.push("system versioning".to_owned());
    }
    let periods = |s: &Shape| s.periods.iter().map(|p| tokens(p)).collect::<Vec<_>>();
    if periods(wanted) != periods(actual) {
        difference.other.push("period".to_owned());
    }
    difference
}

/// Those of either list that have no equal in the other.
fn unmatched<'a, T>(wanted: &'a [T], actual: &'a [T], text: impl Fn(&&T) -> String) -> (Vec<&'a T>, Vec<&'a T>) {
    let mut rest: Vec<(String, &T)> = actual.iter().map(|a| (text(&a), a)).collect();
    let mut add = Vec::new();
    for item in wanted {
        let key = text(&item);
        match rest.iter().position(|(k, _)| *k == key) {
            Some(at) => {
                rest.remove(at);
            }
            None => add.push(item),
        }
    }
    (add, rest.into_iter().map(|(_, item)| item).collect())
}

fn columns<'a>(wanted: &'a Shape, actual: &'a Shape, difference: &mut Difference<'a>) {
    let mut before = None;
    // The order of those both have, as it is now.
    let mut order: Vec<&str> = actual.columns.iter().filter(|c| wanted.column(&c.name).is_some()).map(|c| c.name.as_str()).collect();
    let mut at = 0;
    for column in &wanted.columns {
        match actual.column(&column.name) {
            None => difference.add_columns.push((column, before)),
            Some(there) => {
                if column_text(column) != column_text(there) {
                    difference.modify_columns.push((column, there));
                }
                if order[at].eq_ignore_ascii_case(&column.name) {
                    at += 1;
                } else if let Some(from) = order.iter().position(|n| n.eq_ignore_ascii_case(&column.name)) {
                    difference.move_columns.push((column, before));
                    let name = order.remove(from);
                    order.insert(at, name);
                    at += 1;
                }
            }
        }
        before = Some(column.name.as_str());
    }
    difference.drop_columns = actual.columns.iter().filter(|c| wanted.column(&c.name).is_none()).collect();
}

fn options(wanted: &Shape, actual: &Shape, difference: &mut Difference<'_>) {
    let read = |shape: &Shape| -> BTreeMap<String, String> {
        shape.options.iter().map(|(key, value)| (key.clone(), tokens(value).trim_matches('\'').to_owned())).collect()
    };
    let (want, have) = (read(wanted), read(actual));
    for (key, value) in &want {
        if have.get(key) != Some(value) {
            difference.options.push((key.clone(), wanted.option(key).unwrap_or_default().to_owned()));
        }
    }
    for key in have.keys().filter(|k| !want.contains_key(*k) && mapping::SHARED_OPTIONS.contains(&k.as_str())) {
        let unset = match key.as_str() {
            "COMMENT" => "''",
            "STATS_PERSISTENT" | "STATS_AUTO_RECALC" | "STATS_SAMPLE_PAGES" | "ROW_FORMAT" | "PACK_KEYS" => "DEFAULT",
            _ => "0",
        };
        difference.options.push((key.clone(), unset.to_owned()));
    }
}

/// A column's canonical text. Checks are compared apart from it on MySQL, where they belong to the table.
fn column_text(c: &ColumnClause) -> String {
    let mut parts = vec![data_type(&c.data_type)];
    parts.extend(c.collation.as_deref().map(same_name));
    if let Some(generated) = &c.generated {
        parts.push(format!("as {} {}", canonical(&generated.expression), if generated.stored { "stored" } else { "virtual" }));
    } else if c.null == Some(false) && c.row_period.is_none() {
        parts.push("not null".to_owned());
    }
    parts.extend(c.row_period.as_ref().map(|e| format!("row {e}")));
    if let Some(default) = c.default.as_deref().and_then(|d| self::default(d, &c.data_type)) {
        parts.push(format!("default {default}"));
    }
    parts.extend(c.on_update.as_deref().map(|u| format!("on update {}", canonical(u))));
    for (flag, word) in [(c.auto_increment, "auto_increment"), (c.invisible, "invisible"), (c.without_versioning, "unversioned")] {
        if flag {
            parts.push(word.to_owned());
        }
    }
    parts.extend(c.compressed.as_ref().map(|_| "compressed".to_owned()));
    parts.extend(c.srid.as_ref().map(|s| format!("srid {s}")));
    parts.extend(c.check.as_deref().map(|e| format!("check {}", canonical(e))));
    parts.extend(c.comment.as_deref().map(|t| format!("comment {}", tokens(t))).filter(|t| t != "comment ''"));
    parts.extend(c.other.iter().map(|o| tokens(o)));
    parts.join(" ")
}

fn data_type(text: &str) -> String {
    tokens(&without_width(text)).replace("geomcollection", "geometrycollection")
}

/// A default's canonical text; `None` for NULL, which is what a column without a default has.
fn default(text: &str, data_type: &str) -> Option<String> {
    let base = base_type(data_type);
    let binary = matches!(base.as_str(), "binary" | "varbinary") || base.ends_with("blob");
    let numeric =
        matches!(base.as_str(), "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float" | "double" | "year");
    match default_kind(text) {
        DefaultKind::Null => None,
        DefaultKind::Hex => Some(bytes(text, &base)),
        DefaultKind::Literal => {
            let literal = lex::string_value(text);
            // MySQL prints numbers between quotes, MariaDB without.
            Some(if numeric {
                if text.starts_with('\'') { literal } else { tokens(text).replace(' ', "") }
            } else if text.starts_with('\'') && !text.starts_with("b'") {
                if binary { plain(literal.as_bytes(), &base) } else { format!("0x{}", digits(literal.as_bytes())) }
            } else {
                tokens(text)
            })
        }
        DefaultKind::Expression => {
            let canonical = canonical(text);
            // A literal in parentheses, as MySQL wants it for TEXT.
            if default_kind(&canonical) == DefaultKind::Literal && !is_geometry(&base) {
                default(&canonical, data_type)
            } else {
                Some(canonical)
            }
        }
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn plain(bytes: &[u8], base: &str) -> String {
    // BINARY(n) is filled up with zeros, which one vendor prints and the other does not.
    let end = if base == "binary" { bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1) } else { bytes.len() };
    format!("0x{}", digits(&bytes[..end]))
}

fn bytes(hex: &str, base: &str) -> String {
    let lower = hex.to_ascii_lowercase();
    let digits = lower.strip_prefix("0x").or_else(|| lower.strip_prefix("x'").and_then(|h| h.strip_suffix('\''))).unwrap_or(&lower);
    let bytes: Option<Vec<u8>> = (0..digits.len() / 2).map(|i| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok()).collect();
    bytes.map_or_else(|| lower.clone(), |b| plain(&b, base))
}

fn index(i: &IndexClause) -> String {
    let parts: Vec<String> = i
        .parts
        .iter()
        .map(|p| {
            let name = match (&p.column, &p.expression) {
                (Some(column), _) => column.to_lowercase(),
                (None, expression) => canonical(expression.as_deref().unwrap_or_default()),
            };
            let prefix = p.prefix.map(|n| format!("({n})")).unwrap_or_default();
            format!("{name}{prefix}{}{}", if p.descending { " desc" } else { "" }, if p.without_overlaps { " period" } else { "" })
        })
        .collect();
    let mut options: Vec<String> = i
        .options
        .iter()
        // The structure and the block size are the engine's choice, and MySQL drops them by itself (seen on 9.7.4).
        .filter(|o| !matches!(o.key.as_str(), "USING" | "KEY_BLOCK_SIZE" | "VISIBLE"))
        .map(|o| {
            if o.key == "IGNORED" {
                "INVISIBLE".to_owned()
            } else {
                format!("{} {}", o.key, tokens(o.value.as_deref().unwrap_or_default()))
            }
        })
        .map(|o| o.trim().to_owned())
        .collect();
    options.sort();
    let name = if i.kind == IndexKind::Primary { String::new() } else { i.name.to_lowercase() };
    format!("{:?} {name} ({}) {}", i.kind, parts.join(","), options.join(" "))
}

fn foreign_key(f: &ForeignKey, folds_names: bool) -> String {
    let actions = f.actions.to_ascii_uppercase();
    // Either vendor prints one of these two and leaves the other out, and they mean the same to InnoDB.
    let actions = ["ON DELETE RESTRICT", "ON UPDATE RESTRICT", "ON DELETE NO ACTION", "ON UPDATE NO ACTION"]
        .iter()
        .fold(actions, |text, word| text.replace(word, ""));
    let actions: Vec<&str> = actions.split_whitespace().collect();
    let target = if folds_names { f.target.quoted().to_lowercase() } else { f.target.quoted() };
    let lower = |names: &[String]| names.iter().map(|n| n.to_lowercase()).collect::<Vec<_>>().join(",");
    format!("({}) {target} ({}) {}", lower(&f.columns), lower(&f.target_columns), actions.join(" "))
}

fn check(c: &CheckClause) -> String {
    format!("{}{}", canonical(&c.expression), if c.not_enforced { " not enforced" } else { "" })
}

fn partition(text: &str) -> String {
    let tokens = lex::significant(text, Mode::default());
    let mut words = Vec::new();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        // Every partition has the table's engine; both servers print it anyway.
        let stated = tokens.get(i + 1).is_some_and(|t| t.is_symbol(text, "="));
        if token.is_word(text, "ENGINE") && stated {
            i += 3;
            continue;
        }
        i += 1;
        match token.kind {
            Kind::ExecOpen | Kind::ExecClose => {}
            Kind::Quoted => words.push(lex::name_of(token.text(text)).to_lowercase()),
            _ => words.push(one(token, text)),
        }
    }
    words.join(" ")
}

/// A text token by token: blanks alike, words in lower case, strings by what they stand for.
fn tokens(text: &str) -> String {
    lex::significant(text, Mode::default())
        .iter()
        .filter(|t| !matches!(t.kind, Kind::ExecOpen | Kind::ExecClose))
        .map(|t| one(t, text))
        .collect::<Vec<_>>()
        .join(" ")
}

fn one(token: &lex::Token, text: &str) -> String {
    let text = token.text(text);
    match token.kind {
        Kind::String => lex::string_literal(&lex::string_value(text)),
        Kind::Quoted => text.to_owned(),
        _ => text.to_ascii_lowercase(),
    }
}
