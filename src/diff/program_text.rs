//! The text of a view, routine, trigger or event as it shall run at the destination: its names mapped, everything else as it was.
//!
//! Names are mapped where the object itself is named, and in all of a view, which the server prints with every name in full. Bodies of
//! routines, triggers and events are not rewritten: what a name in them means is known only when they run (requirements D11).

use std::ops::Range;

use super::Mapping;
use crate::{
    catalog::{OtherObject, TableName, quote_name},
    ddl::{
        lex::{self, Kind, Mode, Token},
        statement::{self, Edit, NameKind},
    },
};

/// How the text's session read quotes and backslashes.
pub(super) fn mode_of(object: &OtherObject) -> Mode {
    let modes = object.session.as_ref().map(|s| s.sql_mode.to_ascii_uppercase()).unwrap_or_default();
    let has = |mode: &str| modes.split(',').any(|m| m == mode);
    Mode { ansi_quotes: has("ANSI_QUOTES"), no_backslash_escapes: has("NO_BACKSLASH_ESCAPES") }
}

/// A view, and the tables, views and functions it needs, by their names at the source.
pub(super) struct View {
    pub(super) statement: String,
    pub(super) needs: Vec<TableName>,
}

/// A view's statement under mapped names; `Err` with what has no name at the destination.
pub(super) fn view(object: &OtherObject, name: &TableName, mapping: &dyn Mapping) -> Result<View, String> {
    let text = &object.create;
    let classified = statement::classify(text, Mode::default()).map_err(|error| error.to_string())?;
    let mut edits = Vec::new();
    let mut needs = Vec::new();
    for found in &classified.names {
        let database = found.database.clone().unwrap_or_else(|| object.database.clone());
        match &found.kind {
            NameKind::View => edits.push(Edit::Replace(found.span.clone(), name.quoted())),
            NameKind::Source { alias_at } => {
                let source = TableName::new(&database, &found.name);
                let to = mapping.table(&source).or_else(|| mapping.program("view", &source)).ok_or_else(|| not_selected(&source))?;
                if let Some(at) = alias_at.filter(|_| to.table != source.table) {
                    edits.push(Edit::Replace(at..at, format!(" {}", quote_name(&source.table))));
                }
                edits.push(Edit::Replace(found.span.clone(), to.quoted()));
                needs.push(source);
            }
            NameKind::Routine => {
                let source = TableName::new(&database, &found.name);
                let to = mapping.program("function", &source).ok_or_else(|| not_selected(&source))?;
                edits.push(Edit::Replace(found.span.clone(), to.quoted()));
            }
            NameKind::Qualifier => {
                let to = mapping.database(&database).ok_or_else(|| format!("it refers to database {database}, which is not selected"))?;
                let source = TableName::new(&database, &found.name);
                let place = mapping.table(&source).or_else(|| mapping.program("view", &source));
                // A table of another name goes by its old one as an alias, which is in no database: so the server prints it too.
                if place.is_some_and(|place| place.table != source.table) && text[found.span.end..].starts_with('.') {
                    edits.push(Edit::Replace(found.span.start..found.span.end + 1, String::new()));
                } else {
                    edits.push(Edit::Replace(found.span.clone(), quote_name(&to)));
                }
            }
            _ => {}
        }
    }
    Ok(View { statement: statement::apply(text, Mode::default(), edits), needs })
}

fn not_selected(name: &TableName) -> String {
    format!("it refers to {name}, which is not selected")
}

/// Where a program's own name stands behind its keyword.
fn own_name(text: &str, tokens: &[Token], keyword: &str) -> Option<(usize, Range<usize>)> {
    let at = tokens.iter().position(|t| t.is_word(text, keyword))?;
    let mut next = at + 1;
    // IF NOT EXISTS
    while tokens.get(next).is_some_and(|t| ["IF", "NOT", "EXISTS"].iter().any(|w| t.is_word(text, w))) {
        next += 1;
    }
    let first = tokens.get(next)?;
    if tokens.get(next + 1).is_some_and(|t| t.is_symbol(text, ".")) {
        let last = tokens.get(next + 2)?;
        return Some((next + 3, first.start..last.end));
    }
    Some((next + 1, first.span()))
}

/// A routine's statement with its own name mapped.
pub(super) fn routine(object: &OtherObject, name: &TableName) -> Option<String> {
    let mode = mode_of(object);
    let tokens = lex::significant(&object.create, mode);
    let (_, span) = own_name(&object.create, &tokens, &object.kind)?;
    Some(replaced(&object.create, vec![(span, name.quoted())]))
}

/// A trigger: its statement with its own name and its table's mapped, and the same with a body that is quiet for dtsctl's own sessions
/// (requirements 2.5).
pub(super) struct Trigger {
    pub(super) table: TableName,
    pub(super) plain: String,
    pub(super) guarded: String,
}

pub(super) fn trigger(object: &OtherObject, name: &TableName, mapping: &dyn Mapping) -> Result<Trigger, String> {
    let text = &object.create;
    let mode = mode_of(object);
    let tokens = lex::significant(text, mode);
    let strange = || "its text is not understood".to_owned();
    let (behind, own) = own_name(text, &tokens, "TRIGGER").ok_or_else(strange)?;
    let on = (behind..tokens.len()).find(|&i| tokens[i].is_word(text, "ON")).ok_or_else(strange)?;
    let first = tokens.get(on + 1).ok_or_else(strange)?;
    let (table, span, next) = match tokens.get(on + 2).filter(|t| t.is_symbol(text, ".")) {
        Some(_) => {
            let last = tokens.get(on + 3).ok_or_else(strange)?;
            let name = TableName::new(lex::name_of(first.text(text)), lex::name_of(last.text(text)));
            (name, first.start..last.end, on + 4)
        }
        None => (TableName::new(&object.database, lex::name_of(first.text(text))), first.span(), on + 2),
    };
    let to = mapping.table(&table).ok_or_else(|| not_selected(&table))?;
    let words = ["FOR", "EACH", "ROW"];
    let each_row = words.iter().enumerate().all(|(i, word)| tokens.get(next + i).is_some_and(|t| t.is_word(text, word)));
    if !each_row {
        return Err(strange());
    }
    let mut body = next + 3;
    if tokens.get(body).is_some_and(|t| t.is_word(text, "FOLLOWS") || t.is_word(text, "PRECEDES")) {
        body += 2;
    }
    let start = tokens.get(body).ok_or_else(strange)?.start;
    let names = vec![(own, name.quoted()), (span, to.quoted())];
    let inner = text[start..].trim_end().trim_end_matches(';');
    let guard = format!("IF (SELECT @dtsctl_writer) IS NULL THEN\n{inner};\nEND IF");
    let mut guarded = names.clone();
    guarded.push((start..text.len(), guard));
    Ok(Trigger { table: to, plain: replaced(text, names), guarded: replaced(text, guarded) })
}

/// An event's statement with its own name mapped and the event disabled, and whether the source has it enabled.
pub(super) fn event(object: &OtherObject, name: &TableName) -> Option<(String, bool)> {
    let text = &object.create;
    let mode = mode_of(object);
    let tokens = lex::significant(text, mode);
    let (behind, own) = own_name(text, &tokens, "EVENT")?;
    let preserve = (behind..tokens.len()).find(|&i| tokens[i].is_word(text, "PRESERVE"))?;
    let state = tokens.get(preserve + 1)?;
    let mut end = preserve + 1;
    // DISABLE ON SLAVE, DISABLE ON REPLICA
    if tokens.get(end + 1).is_some_and(|t| t.is_word(text, "ON")) {
        end += 2;
    }
    let enabled = state.is_word(text, "ENABLE");
    if !enabled && !state.is_word(text, "DISABLE") {
        return None;
    }
    let last = tokens.get(end)?.end;
    Some((replaced(text, vec![(own, name.quoted()), (state.start..last, "DISABLE".to_owned())]), enabled))
}

/// Words and signs of a text, for comparing two texts of one vendor whatever their blanks and letters.
pub(super) fn canonical(text: &str, mode: Mode) -> Vec<String> {
    lex::significant(text, mode)
        .into_iter()
        .map(|token| match token.kind {
            Kind::Word => token.text(text).to_lowercase(),
            Kind::Quoted => format!("`{}`", lex::name_of(token.text(text))),
            _ => token.text(text).to_owned(),
        })
        .collect()
}

/// A view's canonical text without the database before an alias, which MySQL prints where the alias stands for another view, and in no other
/// place (seen on 9.7.4). Behind a name of two parts stands nothing quoted but its alias.
pub(super) fn without_alias_databases(tokens: Vec<String>) -> Vec<String> {
    let quoted = |at: usize| tokens.get(at).is_some_and(|t| t.starts_with('`'));
    let dot = |at: usize| tokens.get(at).is_some_and(|t| t == ".");
    let aliases: Vec<&String> = (0..tokens.len())
        .filter(|&at| quoted(at) && dot(at + 1) && quoted(at + 2) && quoted(at + 3))
        .filter_map(|at| tokens.get(at + 3))
        .collect();
    let before_alias = |at: usize| {
        quoted(at)
            && dot(at + 1)
            && quoted(at + 2)
            && dot(at + 3)
            && quoted(at + 4)
            && tokens.get(at + 2).is_some_and(|t| aliases.contains(&t))
    };
    let dropped = |at: usize| before_alias(at) || at.checked_sub(1).is_some_and(|last| dot(at) && before_alias(last));
    tokens.iter().enumerate().filter(|(at, _)| !dropped(*at)).map(|(_, token)| token.clone()).collect()
}

fn replaced(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = text.to_owned();
    for (span, new) in edits.into_iter().rev() {
        out.replace_range(span, &new);
    }
    out
}
