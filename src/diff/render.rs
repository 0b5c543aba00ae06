//! Clauses back to text, in an order that both vendors read.

use super::{
    compare::Difference,
    shape::{ForeignKey, Shape, charset_of},
};
use crate::{
    catalog::quote_name,
    ddl::{CheckClause, Clause, ColumnClause, Definition, IndexClause, IndexKind},
};

pub(super) fn names(list: &[String]) -> String {
    list.iter().map(|n| quote_name(n)).collect::<Vec<_>>().join(", ")
}

/// A column with its charset and collation spelt out, whatever those of its table are.
pub(super) fn column(c: &ColumnClause) -> String {
    column_of(c, None)
}

/// A column of a table with this collation. Where the source's text left the collation to the table, and it is the table's, it is left to the
/// table again: MySQL prints for ever what a column was given by name (seen on 9.7.4).
fn column_of(c: &ColumnClause, table: Option<&str>) -> String {
    let mut parts = vec![quote_name(&c.name), c.data_type.clone()];
    if c.compressed.is_some() {
        parts.push("COMPRESSED".to_owned());
    }
    let left = c.inherits_charset && table.is_some() && c.collation.as_deref() == table;
    if let (Some(charset), Some(collation), false) = (&c.charset, &c.collation, left) {
        parts.push(format!("CHARACTER SET {charset} COLLATE {collation}"));
    }
    if let Some(generated) = &c.generated {
        let word = if generated.stored { "STORED" } else { "VIRTUAL" };
        parts.push(format!("GENERATED ALWAYS AS ({}) {word}", generated.expression));
    }
    if let Some(edge) = &c.row_period {
        parts.push(format!("GENERATED ALWAYS AS ROW {edge}"));
    }
    if c.without_versioning {
        parts.push("WITHOUT SYSTEM VERSIONING".to_owned());
    }
    match c.null {
        Some(false) if c.row_period.is_none() => parts.push("NOT NULL".to_owned()),
        // Without the word a TIMESTAMP is NOT NULL where explicit_defaults_for_timestamp is off.
        Some(true) if c.data_type.to_ascii_lowercase().starts_with("timestamp") && c.generated.is_none() => parts.push("NULL".to_owned()),
        _ => {}
    }
    if let Some(srid) = &c.srid {
        parts.push(format!("SRID {srid}"));
    }
    if c.invisible {
        parts.push("INVISIBLE".to_owned());
    }
    if let Some(default) = &c.default {
        parts.push(format!("DEFAULT {default}"));
    }
    if let Some(on_update) = &c.on_update {
        parts.push(format!("ON UPDATE {on_update}"));
    }
    if c.auto_increment {
        parts.push("AUTO_INCREMENT".to_owned());
    }
    parts.extend(c.other.iter().cloned());
    if let Some(comment) = &c.comment {
        parts.push(format!("COMMENT {comment}"));
    }
    if let Some(check) = &c.check {
        parts.push(format!("CHECK ({check})"));
    }
    parts.join(" ")
}

pub(super) fn index(i: &IndexClause) -> String {
    let parts: Vec<String> = i
        .parts
        .iter()
        .map(|part| {
            let mut text = match (&part.column, &part.expression) {
                (Some(column), _) => quote_name(column),
                (None, Some(expression)) => format!("({expression})"),
                (None, None) => String::new(),
            };
            if let Some(prefix) = part.prefix {
                text.push_str(&format!("({prefix})"));
            }
            if part.descending {
                text.push_str(" DESC");
            }
            if part.without_overlaps {
                text.push_str(" WITHOUT OVERLAPS");
            }
            text
        })
        .collect();
    let mut text = i.kind.keyword().to_owned();
    if i.kind != IndexKind::Primary {
        text.push_str(&format!(" {}", quote_name(&i.name)));
    }
    text.push_str(&format!(" ({})", parts.join(",")));
    for option in &i.options {
        match (option.key.as_str(), &option.value) {
            (key @ ("USING" | "COMMENT" | "WITH PARSER"), Some(value)) => text.push_str(&format!(" {key} {value}")),
            (key, Some(value)) => text.push_str(&format!(" {key}={value}")),
            (key, None) => text.push_str(&format!(" {key}")),
        }
    }
    text
}

pub(super) fn check(c: &CheckClause) -> String {
    let name = c.name.as_ref().map(|n| format!("CONSTRAINT {} ", quote_name(n))).unwrap_or_default();
    format!("{name}CHECK ({}){}", c.expression, if c.not_enforced { " NOT ENFORCED" } else { "" })
}

pub(super) fn foreign_key(f: &ForeignKey) -> String {
    let name = f.name.as_ref().map(|n| format!("CONSTRAINT {} ", quote_name(n))).unwrap_or_default();
    let actions = if f.actions.is_empty() { String::new() } else { format!(" {}", f.actions) };
    format!("{name}FOREIGN KEY ({}) REFERENCES {} ({}){actions}", names(&f.columns), f.target.quoted(), names(&f.target_columns))
}

/// `KEY=value` with the names that contain blanks as they are; engine-defined options are plain words too.
pub(super) fn option(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

/// The whole table, without the indexes for which `later` says so; its foreign keys only for showing.
pub(super) fn create(s: &Shape, later: &dyn Fn(&IndexClause) -> bool, foreign_keys: bool) -> String {
    let mut lines: Vec<String> = s.columns.iter().map(|c| column_of(c, Some(&s.collation))).collect();
    lines.extend(s.periods.iter().cloned());
    lines.extend(s.indexes.iter().filter(|i| !later(i)).map(index));
    if foreign_keys {
        lines.extend(s.foreign_keys.iter().map(foreign_key));
    }
    lines.extend(s.checks.iter().map(check));
    let mut text = format!("CREATE TABLE {} (\n  {}\n) {}", s.name.quoted(), lines.join(",\n  "), tail(s));
    if let Some(partition) = &s.partition {
        text.push_str(&format!("\n{partition}"));
    }
    text
}

fn tail(s: &Shape) -> String {
    let mut text = format!("ENGINE={}", s.engine);
    if let Some(counter) = s.counter.filter(|n| *n > 1) {
        text.push_str(&format!(" AUTO_INCREMENT={counter}"));
    }
    text.push_str(&format!(" DEFAULT CHARSET={} COLLATE={}", charset_of(&s.collation), s.collation));
    for (key, value) in &s.options {
        text.push_str(&format!(" {}", option(key, value)));
    }
    if s.versioned {
        text.push_str(" WITH SYSTEM VERSIONING");
    }
    text
}

/// The definition of an existing table as it will be, for a diff against its text: clauses that stay are as the server printed them.
pub(super) fn altered(wanted: &Shape, difference: &Difference<'_>, text: &str) -> String {
    let Ok(definition) = Definition::parse(text) else { return create(wanted, &|_| false, true) };
    let raw = |clause: &dyn Fn(&Clause) -> bool| {
        definition.items.iter().find(|i| clause(&i.clause)).map(|i| text[i.span.clone()].trim_end().to_owned())
    };
    let mut lines = Vec::new();
    for c in &wanted.columns {
        let changed = difference.modify_columns.iter().any(|(w, _)| w.name == c.name);
        let there = raw(&|clause| matches!(clause, Clause::Column(x) if x.name.eq_ignore_ascii_case(&c.name))).filter(|_| !changed);
        lines.push(there.unwrap_or_else(|| column(c)));
    }
    lines.extend(wanted.periods.iter().cloned());
    for i in &wanted.indexes {
        let changed = difference.add_indexes.contains(&i);
        let there = raw(&|clause| matches!(clause, Clause::Index(x) if x.name.eq_ignore_ascii_case(&i.name))).filter(|_| !changed);
        lines.push(there.unwrap_or_else(|| index(i)));
    }
    for item in &definition.items {
        let stays = match &item.clause {
            Clause::ForeignKey(key) => !difference.drop_foreign_keys.iter().any(|d| d.name == key.name),
            Clause::Check(check) => !difference.drop_checks.contains(&check),
            _ => false,
        };
        if stays {
            lines.push(text[item.span.clone()].trim_end().to_owned());
        }
    }
    lines.extend(difference.add_foreign_keys.iter().map(|f| foreign_key(f)));
    lines.extend(difference.add_checks.iter().map(|c| check(c)));
    let same_tail = difference.options.is_empty() && difference.engine.is_none() && difference.collation.is_none();
    let old_tail = definition.options.first().zip(definition.options.last()).map(|(first, last)| &text[first.span.start..last.span.end]);
    let new_tail = tail(wanted);
    let end = old_tail.filter(|_| same_tail).unwrap_or(&new_tail);
    let name = &text[definition.name_span.clone()];
    let mut out = format!("CREATE TABLE {name} (\n  {}\n) {end}", lines.join(",\n  "));
    match (&definition.partition_span, difference.partition, &wanted.partition) {
        (Some(span), false, _) => out.push_str(&format!("\n{}", &text[span.clone()])),
        (_, true, Some(partition)) => out.push_str(&format!("\n{partition}")),
        _ => {}
    }
    out
}
