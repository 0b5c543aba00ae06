//! One table: to be made, to be completed, to be altered, or to be left as it is.

use super::{
    Act, Change, Diff, Existing, Mapping, Note, ObjectKind, Options, Part, Risk, Sides, Stage,
    align::{self, Step},
    compare::{self, Difference},
    note, render,
    shape::Shape,
    translate::{self, Translated},
    unsupported,
};
use crate::{
    catalog::{Catalog, Table, TableName},
    connect::ServerInfo,
    ddl::{IndexClause, IndexKind},
};

pub(super) fn table(sides: &Sides<'_>, source: &Table, diff: &mut Diff) {
    let Some(name) = sides.mapping.table(&source.name) else { return };
    let there = sides.destination_table(&name);
    let ours = there.is_some_and(|t| (sides.options.created_by_us)(&t.name));
    if there.is_some() && !ours && sides.options.existing == Existing::Fail {
        return;
    }
    // A view of that name is for the precheck of equal names.
    let is_view =
        |o: &crate::catalog::OtherObject| o.kind == "view" && sides.same(&o.database, &name.database) && sides.same(&o.name, &name.table);
    if there.is_none() && sides.destination.others.iter().any(is_view) {
        return;
    }
    let context = Context { sides, source, name: &name, act: if there.is_some() { Act::Alter } else { Act::Create } };
    let translated = match translate::translate(source, &name, &sides.way()) {
        Ok(translated) => translated,
        Err(reason) => return context.unreadable(there, ours, &reason, diff),
    };
    match there {
        None => create(&context, translated, diff),
        Some(there) => existing(&context, translated, there, ours, diff),
    }
}

struct Context<'a> {
    sides: &'a Sides<'a>,
    source: &'a Table,
    name: &'a TableName,
    act: Act,
}

impl Context<'_> {
    fn change(&self, step: Step) -> Change {
        Change {
            kind: ObjectKind::Table,
            source: self.source.name.to_string(),
            destination: self.name.to_string(),
            table: Some(self.name.clone()),
            act: self.act,
            stage: step.stage,
            part: step.part,
            what: step.what.join("; "),
            statements: step.statements,
            risk: step.risk,
            outside: false,
            before: None,
            after: None,
        }
    }

    fn refusal(&self, code: &'static str, reason: String) -> Change {
        let what = if self.act == Act::Create { "create table" } else { "compare table" };
        self.change(Step {
            stage: Stage::Before,
            part: Part::Definition,
            what: vec![what.to_owned()],
            statements: Vec::new(),
            risk: Risk::Unsupported { code, reason },
        })
    }

    /// One of the two texts is not understood.
    fn unreadable(&self, there: Option<&Table>, ours: bool, reason: &str, diff: &mut Diff) {
        match there {
            Some(_) if !ours && self.sides.options.existing == Existing::Ignore => {
                self.note_kept(&format!("it cannot be compared: {reason}"), diff)
            }
            _ => diff.changes.push(self.refusal(unsupported::DEFINITION, format!("{}: {reason}", self.source.name))),
        }
    }

    fn note_kept(&self, text: &str, diff: &mut Diff) {
        diff.notes.push(Note {
            code: note::TABLE_KEPT,
            object: self.source.name.to_string(),
            text: format!("{} is used as it is; {text}", self.name),
        });
    }
}

/// Built after the rows: plain indexes, but not one that an AUTO_INCREMENT column leads, without which no such column can be.
fn is_late(options: &Options<'_>, shape: &Shape, index: &IndexClause) -> bool {
    let leads = |name: &String| shape.column(name).is_some_and(|c| c.auto_increment);
    options.secondary_indexes == Stage::After
        && index.kind == IndexKind::Plain
        && shape.engine.eq_ignore_ascii_case("InnoDB")
        && !index.parts.first().and_then(|p| p.column.as_ref()).is_some_and(leads)
}

fn create(context: &Context<'_>, translated: Translated, diff: &mut Diff) {
    let Translated { shape, notes, refusals, unsafe_columns, lost_keys } = translated;
    diff.notes.extend(notes);
    if let Some((code, _)) = refusals.first() {
        let reasons: Vec<String> = refusals.iter().map(|(_, reason)| reason.clone()).collect();
        return diff.changes.push(context.refusal(code, reasons.join("; ")));
    }
    let late = |index: &IndexClause| is_late(context.sides.options, &shape, index);
    let risk = match &unsafe_columns[..] {
        [] => Risk::Safe,
        [(action, column)] => Risk::Unsafe { action: *action, column: Some(column.clone()) },
        [(action, _), ..] => Risk::Unsafe { action: *action, column: None },
    };
    let mut change = context.change(Step {
        stage: Stage::Before,
        part: Part::Definition,
        what: vec!["create table".to_owned()],
        statements: vec![render::create(&shape, &late, false)],
        risk,
    });
    change.after = Some(render::create(&shape, &|_| false, true));
    diff.changes.push(change);
    let indexes: Vec<&IndexClause> = shape.indexes.iter().filter(|i| late(i)).collect();
    let keys: Vec<_> = shape.foreign_keys.iter().collect();
    for step in align::pending(&shape, &indexes, &keys) {
        diff.changes.push(Change { act: Act::Alter, ..context.change(step) });
    }
    lost(context, &lost_keys, diff);
    // CREATE TABLE carries the counter; where a restart forgets it, it is set again behind the rows.
    if !context.sides.destination_info.flavor.keeps_counters()
        && let Some(counter) = shape.counter.filter(|n| *n > 1)
    {
        diff.changes.push(counter_change(context, counter));
    }
}

fn counter_change(context: &Context<'_>, counter: u64) -> Change {
    let step = Step {
        stage: Stage::After,
        part: Part::Counter,
        what: vec![format!("set auto_increment {counter}")],
        statements: vec![format!("ALTER TABLE {} AUTO_INCREMENT = {counter}", context.name.quoted())],
        risk: Risk::Safe,
    };
    Change { act: Act::Alter, ..context.change(step) }
}

fn lost(context: &Context<'_>, keys: &[super::shape::ForeignKey], diff: &mut Diff) {
    for key in keys {
        let name = key.name.as_deref().unwrap_or("");
        let step = Step {
            stage: Stage::After,
            part: Part::ForeignKeys,
            what: vec![format!("add foreign key {name}").trim_end().to_owned()],
            statements: Vec::new(),
            risk: Risk::Unsupported {
                code: unsupported::FOREIGN_KEY,
                reason: format!("{}.{name}: refers to {}, which is not selected", context.source.name, key.target),
            },
        };
        diff.changes.push(Change { act: Act::Alter, ..context.change(step) });
    }
}

fn existing(context: &Context<'_>, translated: Translated, there: &Table, ours: bool, diff: &mut Diff) {
    let sides = context.sides;
    let actual = match Shape::of(there) {
        Ok(actual) => actual,
        Err(reason) => return context.unreadable(Some(there), ours, &reason, diff),
    };
    let wanted = &translated.shape;
    let difference = compare::compare(wanted, &actual, sides.destination_info.folds_names());
    let kept = !ours && sides.options.existing == Existing::Ignore;
    if kept {
        let mut words = align::in_words(&difference);
        words.extend(translated.refusals.iter().map(|(_, reason)| reason.clone()));
        if !words.is_empty() {
            context.note_kept(&words.join("; "), diff);
        }
        return;
    }
    if let Some((code, _)) = translated.refusals.first() {
        let reasons: Vec<String> = translated.refusals.iter().map(|(_, reason)| reason.clone()).collect();
        return diff.changes.push(context.refusal(code, reasons.join("; ")));
    }
    if !difference.is_empty() {
        diff.notes.extend(translated.notes);
        alter(context, wanted, &difference, there, ours, diff);
    }
    if !ours {
        lost(context, &translated.lost_keys, diff);
    }
    let behind = wanted.counter.filter(|want| *want > 1 && actual.counter.unwrap_or(1) < *want);
    if let Some(counter) = behind.filter(|_| there.columns.iter().any(|c| c.auto_increment)) {
        diff.changes.push(counter_change(context, counter));
    }
}

fn alter(context: &Context<'_>, wanted: &Shape, difference: &Difference<'_>, there: &Table, ours: bool, diff: &mut Diff) {
    let late = |index: &IndexClause| is_late(context.sides.options, wanted, index);
    if ours && difference.only_pending(&late) {
        let steps = align::pending(wanted, &difference.add_indexes, &difference.add_foreign_keys);
        return diff.changes.extend(steps.into_iter().map(|step| context.change(step)));
    }
    let after = render::altered(wanted, difference, &there.create);
    for step in align::steps(wanted, difference, context.sides.destination_info.flavor) {
        let mut change = context.change(step);
        change.outside = ours;
        change.before = Some(there.create.clone());
        change.after = Some(after.clone());
        diff.changes.push(change);
    }
}

/// Names of the columns that a copy carries between two tables that are not the same: those both have and neither computes, in the
/// source's order.
pub fn common_columns(source: &Table, destination: &Table) -> Vec<String> {
    let taken =
        |table: &Table, name: &str| table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name) && !c.generated && !c.row_period);
    source.columns.iter().map(|c| c.name.clone()).filter(|name| taken(source, name) && taken(destination, name)).collect()
}

/// What differs between a source table and the one that exists for it at the destination, in words; empty when nothing does.
///
/// # Errors
/// The reason when one of the two definitions is not understood.
pub fn differences(
    source: &Table,
    source_info: &ServerInfo,
    destination: (&Table, &Catalog),
    destination_info: &ServerInfo,
    mapping: &dyn Mapping,
    engine: Option<&str>,
) -> Result<Vec<String>, String> {
    let (there, catalog) = destination;
    let way = translate::Way {
        from: source_info.flavor,
        to: destination_info.flavor,
        destination: catalog,
        mapping,
        engine,
        ambiguous: &std::collections::HashSet::new(),
    };
    let translated = translate::translate(source, &there.name, &way)?;
    let actual = Shape::of(there)?;
    let difference = compare::compare(&translated.shape, &actual, destination_info.folds_names());
    let mut words = align::in_words(&difference);
    words.extend(translated.refusals.into_iter().map(|(_, reason)| reason));
    Ok(words)
}
