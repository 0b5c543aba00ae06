//! Databases and sequences.

use std::collections::BTreeSet;

use super::{
    Act, Change, Diff, Existing, Note, ObjectKind, Part, Risk, Sides, Stage, note,
    shape::{charset_of, same_name},
    unsupported,
};
use crate::{
    catalog::{Database, OtherObject, TableName, quote_name},
    ddl::lex::{self, Kind, Mode},
};

/// Databases that are missing, and notes on those that have other defaults.
pub(super) fn databases(sides: &Sides<'_>, diff: &mut Diff) {
    let mut seen = BTreeSet::new();
    for source in &sides.source.databases {
        let of_tables = sides.source.tables.iter().filter(|t| t.name.database == source.name).filter_map(|t| sides.mapping.table(&t.name));
        let names: BTreeSet<String> = sides.mapping.database(&source.name).into_iter().chain(of_tables.map(|t| t.database)).collect();
        for name in names {
            if seen.insert(name.clone()) {
                database(sides, source, &name, diff);
            }
        }
    }
}

fn database(sides: &Sides<'_>, source: &Database, name: &str, diff: &mut Diff) {
    let collation = sides.way().collation(&source.collation);
    if let Some(there) = sides.destination.databases.iter().find(|d| sides.same(&d.name, name)) {
        let wanted = collation.map_or_else(|| source.collation.clone(), |(found, _)| found);
        if same_name(&there.collation) != same_name(&wanted) {
            diff.notes.push(Note {
                code: note::DATABASE_DEFAULTS,
                object: source.name.clone(),
                text: format!("{name} exists with default collation {}, not {wanted}; the tables state their own", there.collation),
            });
        }
        return;
    }
    let mut change = Change {
        kind: ObjectKind::Database,
        source: source.name.clone(),
        destination: name.to_owned(),
        table: None,
        act: Act::Create,
        stage: Stage::Before,
        part: Part::Definition,
        what: "create database".to_owned(),
        statements: Vec::new(),
        risk: Risk::Safe,
        outside: false,
        before: None,
        after: None,
    };
    match collation {
        Some((found, _)) => {
            if same_name(&found) != same_name(&source.collation) {
                diff.notes.push(Note {
                    code: note::COLLATION_MAPPED,
                    object: source.name.clone(),
                    text: format!("default collation {} becomes {found}", source.collation),
                });
            }
            let statement =
                format!("CREATE DATABASE IF NOT EXISTS {} CHARACTER SET {} COLLATE {found}", quote_name(name), charset_of(&found));
            change.after = Some(statement.clone());
            change.statements.push(statement);
        }
        None => {
            let reason = format!("{}: the destination has no equal of the default collation {}", source.name, source.collation);
            change.risk = Risk::Unsupported { code: unsupported::COLLATION, reason };
        }
    }
    diff.changes.push(change);
}

/// MariaDB's sequences; defaults of tables may use them, so they come first.
pub(super) fn sequences(sides: &Sides<'_>, diff: &mut Diff) {
    for source in sides.source.others.iter().filter(|o| o.kind == "sequence") {
        let from = TableName::new(&source.database, &source.name);
        if let Some(name) = sides.mapping.table(&from) {
            sequence(sides, source, &from, &name, diff);
        }
    }
}

fn sequence(sides: &Sides<'_>, source: &OtherObject, from: &TableName, name: &TableName, diff: &mut Diff) {
    let new = |act, what: String, statements| Change {
        kind: ObjectKind::Sequence,
        source: from.to_string(),
        destination: name.to_string(),
        table: None,
        act,
        stage: Stage::Before,
        part: Part::Definition,
        what,
        statements,
        risk: Risk::Safe,
        outside: false,
        before: None,
        after: None,
    };
    let counter = |position: &str| Change {
        stage: Stage::After,
        part: Part::Counter,
        ..new(Act::Alter, format!("restart sequence at {position}"), vec![format!("ALTER SEQUENCE {} RESTART {position}", name.quoted())])
    };
    if sides.destination_info.flavor.is_mysql() {
        let reason = format!("{from}: MySQL has no sequences");
        let risk = Risk::Unsupported { code: unsupported::FEATURE, reason };
        return diff.changes.push(Change { risk, ..new(Act::Create, "create sequence".to_owned(), Vec::new()) });
    }
    let is_it = |o: &&OtherObject| o.kind == "sequence" && sides.same(&o.database, &name.database) && sides.same(&o.name, &name.table);
    let Some((start, rest)) = split(&source.create) else { return };
    let Some(there) = sides.destination.others.iter().find(is_it) else {
        let statement = format!("CREATE SEQUENCE {}{rest}", name.quoted());
        let mut change = new(Act::Create, "create sequence".to_owned(), vec![statement.clone()]);
        change.after = Some(statement);
        diff.changes.push(change);
        if let Some(position) = source.position.as_deref().filter(|p| Some(*p) != start.as_deref()) {
            diff.changes.push(counter(position));
        }
        return;
    };
    let ours = (sides.options.created_by_us)(name);
    let differs = split(&there.create).is_none_or(|(_, theirs)| theirs != rest);
    match sides.options.existing {
        Existing::Fail if !ours => {}
        Existing::Ignore if !ours => {
            if differs {
                let text = format!("{name} is used as it is; it is defined otherwise");
                diff.notes.push(Note { code: note::TABLE_KEPT, object: from.to_string(), text });
            }
        }
        _ => {
            if differs {
                let rest = rest.split(" ENGINE=").next().unwrap_or(rest);
                let mut change = new(Act::Alter, "alter sequence".to_owned(), vec![format!("ALTER SEQUENCE {}{rest}", name.quoted())]);
                (change.outside, change.before, change.after) = (ours, Some(there.create.clone()), Some(source.create.clone()));
                diff.changes.push(change);
            }
            let number = |o: &OtherObject| o.position.as_deref().and_then(|p| p.parse::<i128>().ok());
            let down = rest.contains(" increment by -");
            if let (Some(want), Some(have)) = (number(source), number(there))
                && (if down { have > want } else { have < want })
            {
                diff.changes.push(counter(&want.to_string()));
            }
        }
    }
}

/// The start value and all that stands behind the name of `CREATE SEQUENCE`.
fn split(create: &str) -> Option<(Option<String>, &str)> {
    let tokens = lex::significant(create, Mode::default());
    let name = tokens.iter().find(|t| t.kind == Kind::Quoted)?;
    let start =
        tokens.windows(3).find(|w| w[0].is_word(create, "start") && w[1].is_word(create, "with")).map(|w| w[2].text(create).to_owned());
    Some((start, &create[name.end..]))
}
