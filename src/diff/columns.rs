//! A source table's shape with only the selected columns, under their names at the destination.
//!
//! Runs before anything is translated, so that the rest of the diff knows no other columns. Expressions are edited where a name stands
//! in the server's own text; what would change its meaning without a column is refused, what only rests on it is left out with a note.

use super::{Mapping, note, shape::Shape, unsupported};
use crate::{
    catalog::ColumnMap,
    ddl::{
        IndexKind,
        lex::{self, Kind, Mode},
    },
};

/// What the selection came to, besides the changed shape.
#[derive(Default)]
pub(super) struct Selected {
    /// Code, object inside the table, text.
    pub(super) notes: Vec<(&'static str, String, String)>,
    /// Code, object inside the table, reason.
    pub(super) refusals: Vec<(&'static str, String, String)>,
}

/// Changes the shape to what the map says.
pub(super) fn select(shape: &mut Shape, map: &ColumnMap, mapping: &dyn Mapping) -> Selected {
    let mut out = Selected::default();
    let own = shape.name.clone();
    // Targets of foreign keys may be renamed though this table's columns are not.
    for key in &mut shape.foreign_keys {
        let targets = if key.target == own { map.clone() } else { mapping.columns(&key.target) };
        key.target_columns = key.target_columns.iter().map(|c| targets.name(c).unwrap_or_else(|| c.clone())).collect();
    }
    if map.is_plain() {
        return out;
    }
    let before = shape.columns.clone();
    let names: Vec<(String, Option<String>)> = before.iter().map(|c| (c.name.clone(), map.name(&c.name))).collect();
    let gone = |text: &str| mentions(text, &names).into_iter().find(|name| map.name(name).is_none());
    shape.columns.retain_mut(|column| {
        let Some(name) = map.name(&column.name) else { return false };
        if let Some(lost) = column.generated.as_ref().and_then(|g| gone(&g.expression)) {
            let reason = format!("it is computed from {lost}, which is left out; leave it out too");
            out.refusals.push((unsupported::FEATURE, column.name.clone(), reason));
        }
        if let Some(lost) = column.default.as_ref().and_then(|d| gone(d)) {
            out.refusals.push((unsupported::FEATURE, column.name.clone(), format!("its default uses {lost}, which is left out")));
        }
        column.name = name;
        let texts = [column.generated.as_mut().map(|g| &mut g.expression), column.check.as_mut(), column.default.as_mut()];
        for text in texts.into_iter().flatten() {
            *text = renamed(text, &names, false);
        }
        true
    });
    shape.indexes.retain_mut(|index| {
        let missing = index.parts.iter().find_map(|part| match (&part.column, &part.expression) {
            (Some(column), _) => map.name(column).is_none().then(|| column.clone()),
            (None, Some(expression)) => gone(expression),
            (None, None) => None,
        });
        if let Some(lost) = missing {
            if index.kind == IndexKind::Primary {
                let reason = format!("the primary key has {lost}, which is left out; without it rows cannot be told apart");
                out.refusals.push((unsupported::INDEX, "PRIMARY".to_owned(), reason));
            } else {
                out.notes.push((note::CLAUSE_DROPPED, index.name.clone(), format!("the index is left out with its column {lost}")));
            }
            return false;
        }
        for part in &mut index.parts {
            part.column = part.column.as_ref().and_then(|c| map.name(c));
            part.expression = part.expression.as_ref().map(|e| renamed(e, &names, false));
        }
        true
    });
    shape.foreign_keys.retain_mut(|key| {
        if let Some(lost) = key.columns.iter().find(|c| map.name(c).is_none()) {
            let name = key.name.clone().unwrap_or_default();
            out.notes.push((note::CLAUSE_DROPPED, name, format!("the foreign key is left out with its column {lost}")));
            return false;
        }
        key.columns = key.columns.iter().filter_map(|c| map.name(c)).collect();
        true
    });
    shape.checks.retain_mut(|check| {
        if let Some(lost) = gone(&check.expression) {
            let name = check.name.clone().unwrap_or_default();
            out.notes.push((note::CLAUSE_DROPPED, name, format!("the check is left out with the column {lost} that it looks at")));
            return false;
        }
        check.expression = renamed(&check.expression, &names, false);
        true
    });
    if let Some(lost) = shape.periods.iter().find_map(|period| gone(period)) {
        out.refusals.push((unsupported::FEATURE, lost, "a period rests on it, so it cannot be left out".to_owned()));
    }
    shape.periods = shape.periods.iter().map(|period| renamed(period, &names, false)).collect();
    if let Some(partition) = &shape.partition {
        let header = header_end(partition);
        let lost = mentions_unquoted(&partition[..header], &names).into_iter().find(|name| map.name(name).is_none());
        if let Some(lost) = lost {
            out.refusals.push((unsupported::FEATURE, lost, "the table is partitioned by it, so it cannot be left out".to_owned()));
        }
        let text = renamed(&partition[..header], &names, true) + &partition[header..];
        shape.partition = Some(text);
    }
    out
}

/// Columns that an expression of the server's names, as they are called in the table.
fn mentions(text: &str, names: &[(String, Option<String>)]) -> Vec<String> {
    found(text, names, false).into_iter().map(|(_, at)| names[at].0.clone()).collect()
}

fn mentions_unquoted(text: &str, names: &[(String, Option<String>)]) -> Vec<String> {
    found(text, names, true).into_iter().map(|(_, at)| names[at].0.clone()).collect()
}

/// Where columns stand in a text. In expressions both servers quote them; MySQL prints those of `PARTITION BY KEY (a)` without quotes.
fn found(text: &str, names: &[(String, Option<String>)], unquoted: bool) -> Vec<(lex::Token, usize)> {
    const CLAUSE: [&str; 11] =
        ["PARTITION", "BY", "SUBPARTITION", "LINEAR", "KEY", "HASH", "RANGE", "LIST", "COLUMNS", "PARTITIONS", "SUBPARTITIONS"];
    let tokens = lex::significant(text, Mode::default());
    let name_of = |i: usize, token: &lex::Token| match token.kind {
        Kind::Quoted => Some(lex::name_of(token.text(text))),
        Kind::Word if unquoted && !CLAUSE.iter().any(|word| token.is_word(text, word)) => {
            let called = tokens.get(i + 1).is_some_and(|next| next.is_symbol(text, "("));
            (!called).then(|| token.text(text).to_owned())
        }
        _ => None,
    };
    tokens
        .iter()
        .enumerate()
        .filter_map(|(i, token)| {
            let name = name_of(i, token)?;
            let at = names.iter().position(|(known, _)| known.to_lowercase() == name.to_lowercase())?;
            Some((*token, at))
        })
        .collect()
}

fn renamed(text: &str, names: &[(String, Option<String>)], unquoted: bool) -> String {
    let mut out = text.to_owned();
    for (token, at) in found(text, names, unquoted).into_iter().rev() {
        if let Some(new) = &names[at].1 {
            out.replace_range(token.span(), &crate::catalog::quote_name(new));
        }
    }
    out
}

/// Where the list of partitions begins: names of columns stand only before it.
fn header_end(partition: &str) -> usize {
    let tokens = lex::significant(partition, Mode::default());
    let list = tokens.windows(2).find(|w| w[0].is_symbol(partition, "(") && w[1].is_word(partition, "PARTITION"));
    list.map_or(partition.len(), |w| w[0].start)
}
