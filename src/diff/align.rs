//! The statements that make an existing table what it should be, what is safe apart from what is not.

use super::{
    Part, Risk, Stage, UnsafeAction,
    compare::Difference,
    render,
    shape::{ForeignKey, Shape, charset_of},
    unsupported, widen,
};
use crate::{
    catalog::quote_name,
    connect::Flavor,
    ddl::{CheckClause, ColumnClause, IndexClause, IndexKind},
};

/// One step; the caller makes a change of it.
pub(super) struct Step {
    pub(super) stage: Stage,
    pub(super) part: Part,
    pub(super) what: Vec<String>,
    pub(super) statements: Vec<String>,
    pub(super) risk: Risk,
}

/// What is made after the rows: indexes, then foreign keys.
pub(super) fn pending(wanted: &Shape, indexes: &[&IndexClause], keys: &[&ForeignKey]) -> Vec<Step> {
    let mut steps = Vec::new();
    if !indexes.is_empty() {
        let clauses: Vec<String> = indexes.iter().map(|i| format!("ADD {}", render::index(i))).collect();
        let what = indexes.iter().map(|i| format!("add index {}", i.name)).collect();
        steps.push(step(Part::Indexes, what, vec![alter(wanted, &clauses)]));
    }
    if !keys.is_empty() {
        let clauses: Vec<String> = keys.iter().map(|k| format!("ADD {}", render::foreign_key(k))).collect();
        let what = keys.iter().map(|k| format!("add foreign key {}", k.name.as_deref().unwrap_or("")).trim_end().to_owned()).collect();
        steps.push(step(Part::ForeignKeys, what, vec![alter(wanted, &clauses)]));
    }
    steps
}

fn step(part: Part, what: Vec<String>, statements: Vec<String>) -> Step {
    let stage = if part == Part::Definition { Stage::Before } else { Stage::After };
    Step { stage, part, what, statements, risk: Risk::Safe }
}

fn alter(table: &Shape, clauses: &[String]) -> String {
    format!("ALTER TABLE {} {}", table.name.quoted(), clauses.join(", "))
}

/// All steps from `actual` to `wanted`.
pub(super) fn steps(wanted: &Shape, difference: &Difference<'_>, flavor: Flavor) -> Vec<Step> {
    let mut plain = Plain { clauses: Vec::new(), what: Vec::new() };
    let mut dangerous = Vec::new();
    let mut statements = Vec::new();
    if !difference.drop_foreign_keys.is_empty() {
        // A key of the same name cannot be added by the statement that drops it.
        let names = difference.drop_foreign_keys.iter().filter_map(|k| k.name.as_deref());
        let clauses: Vec<String> = names.map(|n| format!("DROP FOREIGN KEY {}", quote_name(n))).collect();
        plain.what.extend(difference.drop_foreign_keys.iter().map(|k| format!("drop foreign key {}", k.name.as_deref().unwrap_or(""))));
        statements.push(alter(wanted, &clauses));
    }
    for check in &difference.drop_checks {
        plain.drop_check(check, flavor);
    }
    for index in &difference.drop_indexes {
        plain.add(format!("drop index {}", index.name), drop_index(index));
    }
    columns(wanted, difference, &mut plain, &mut dangerous);
    for index in &difference.add_indexes {
        plain.add(format!("add index {}", index.name), format!("ADD {}", render::index(index)));
    }
    for check in &difference.add_checks {
        plain.add(format!("add check {}", check.name.as_deref().unwrap_or("")), format!("ADD {}", render::check(check)));
    }
    table_options(difference, &mut plain);
    if !plain.clauses.is_empty() {
        statements.push(alter(wanted, &plain.clauses));
    }
    let mut steps = Vec::new();
    if !statements.is_empty() {
        steps.push(step(Part::Definition, plain.what.iter().map(|w| w.trim_end().to_owned()).collect(), statements));
    }
    steps.extend(dangerous);
    if difference.partition {
        steps.push(partition(wanted));
    }
    if !difference.other.is_empty() {
        let reason = format!("{}: cannot be altered in place", difference.other.join(", "));
        let mut step = step(Part::Definition, vec![format!("change {}", difference.other.join(", "))], Vec::new());
        step.risk = Risk::Unsupported { code: unsupported::FEATURE, reason };
        steps.push(step);
    }
    steps.extend(pending(wanted, &[], &difference.add_foreign_keys));
    steps
}

struct Plain {
    clauses: Vec<String>,
    what: Vec<String>,
}

impl Plain {
    fn add(&mut self, what: String, clause: String) {
        self.what.push(what);
        self.clauses.push(clause);
    }

    fn drop_check(&mut self, check: &CheckClause, flavor: Flavor) {
        let Some(name) = &check.name else { return };
        // DROP CONSTRAINT for checks came to MySQL with 8.0.19 only.
        let word = if flavor.is_mariadb() { "CONSTRAINT" } else { "CHECK" };
        self.add(format!("drop check {name}"), format!("DROP {word} {}", quote_name(name)));
    }
}

fn drop_index(index: &IndexClause) -> String {
    if index.kind == IndexKind::Primary { "DROP PRIMARY KEY".to_owned() } else { format!("DROP INDEX {}", quote_name(&index.name)) }
}

fn place(before: Option<&str>) -> String {
    before.map_or_else(|| " FIRST".to_owned(), |name| format!(" AFTER {}", quote_name(name)))
}

fn columns(wanted: &Shape, difference: &Difference<'_>, plain: &mut Plain, dangerous: &mut Vec<Step>) {
    let before = |column: &ColumnClause| {
        let at = wanted.columns.iter().position(|c| c.name == column.name);
        at.and_then(|at| at.checked_sub(1)).map(|at| wanted.columns[at].name.as_str())
    };
    // In the table's order, so that each AFTER names a column that is there by then.
    for column in &wanted.columns {
        let name = &column.name;
        if let Some((_, before)) = difference.add_columns.iter().find(|(c, _)| c.name == *name) {
            plain.add(format!("add column {name}"), format!("ADD COLUMN {}{}", render::column(column), place(*before)));
            continue;
        }
        let moved = difference.move_columns.iter().find(|(c, _)| c.name == *name);
        let to = moved.map(|(_, before)| place(*before)).unwrap_or_default();
        let Some((_, actual)) = difference.modify_columns.iter().find(|(w, _)| w.name == *name) else {
            if moved.is_some() {
                plain.add(format!("move column {name}"), format!("MODIFY COLUMN {}{to}", render::column(column)));
            }
            continue;
        };
        // Neither vendor changes by MODIFY whether and how a column is generated.
        let kind = |c: &ColumnClause| c.generated.as_ref().map(|g| g.stored);
        if kind(column) != kind(actual) {
            let quoted = quote_name(name);
            let clause = format!("DROP COLUMN {quoted}, ADD COLUMN {}{}", render::column(column), place(before(column)));
            if actual.generated.is_some() {
                plain.add(format!("make column {name} anew"), clause);
            } else {
                dangerous.push(unsafe_step(wanted, UnsafeAction::DropColumn, name, format!("make column {name} anew"), clause));
            }
            continue;
        }
        let clause = format!("MODIFY COLUMN {}{to}", render::column(column));
        match widen::loss(actual, column) {
            Some(action) => dangerous.push(unsafe_step(wanted, action, name, format!("modify column {name}"), clause)),
            None => plain.add(format!("modify column {name}"), clause),
        }
    }
    for column in &difference.drop_columns {
        let (what, clause) = (format!("drop column {}", column.name), format!("DROP COLUMN {}", quote_name(&column.name)));
        if column.generated.is_some() {
            plain.add(what, clause);
        } else {
            dangerous.push(unsafe_step(wanted, UnsafeAction::DropColumn, &column.name, what, clause));
        }
    }
}

fn unsafe_step(wanted: &Shape, action: UnsafeAction, column: &str, what: String, clause: String) -> Step {
    let mut step = step(Part::Definition, vec![what], vec![alter(wanted, &[clause])]);
    step.risk = Risk::Unsafe { action, column: Some(column.to_owned()) };
    step
}

fn table_options(difference: &Difference<'_>, plain: &mut Plain) {
    if let Some(engine) = difference.engine {
        plain.add(format!("change engine to {engine}"), format!("ENGINE={engine}"));
    }
    if let Some(collation) = difference.collation {
        plain.add(
            format!("change default collation to {collation}"),
            format!("DEFAULT CHARSET={} COLLATE={collation}", charset_of(collation)),
        );
    }
    for (key, value) in &difference.options {
        plain.add(format!("set {}", key.to_lowercase()), render::option(key, value));
    }
}

fn partition(wanted: &Shape) -> Step {
    let (what, clause) = match &wanted.partition {
        Some(partition) => ("change partitions", partition.clone()),
        None => ("remove partitioning", "REMOVE PARTITIONING".to_owned()),
    };
    let mut step = step(Part::Definition, vec![what.to_owned()], vec![alter(wanted, &[clause])]);
    // Without partitions every row has a place.
    if wanted.partition.is_some() {
        step.risk = Risk::Unsafe { action: UnsafeAction::ChangePartitions, column: None };
    }
    step
}

fn without_name(column: &ColumnClause) -> String {
    let text = render::column(column);
    text.strip_prefix(&quote_name(&column.name)).map(|t| t.trim_start().to_owned()).unwrap_or(text)
}

/// What differs, in words, for a note on a table that stays as it is.
pub(super) fn in_words(difference: &Difference<'_>) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(difference.add_columns.iter().map(|(c, _)| format!("column {} is missing", c.name)));
    words.extend(difference.drop_columns.iter().map(|c| format!("column {} is only there", c.name)));
    words.extend(
        difference.modify_columns.iter().map(|(w, a)| format!("column {} is {}, not {}", w.name, without_name(a), without_name(w))),
    );
    if !difference.move_columns.is_empty() {
        words.push("the columns stand in another order".to_owned());
    }
    words.extend(difference.add_indexes.iter().map(|i| format!("index {} is missing or differs", i.name)));
    words.extend(difference.drop_indexes.iter().map(|i| format!("index {} is only there or differs", i.name)));
    words.extend(
        difference.add_foreign_keys.iter().map(|k| format!("foreign key {} is missing or differs", k.name.as_deref().unwrap_or(""))),
    );
    words.extend(
        difference.drop_foreign_keys.iter().map(|k| format!("foreign key {} is only there or differs", k.name.as_deref().unwrap_or(""))),
    );
    if !difference.add_checks.is_empty() || !difference.drop_checks.is_empty() {
        words.push("the checks differ".to_owned());
    }
    words.extend(difference.engine.map(|e| format!("the engine is not {e}")));
    words.extend(difference.collation.map(|c| format!("the default collation is not {c}")));
    words.extend(difference.options.iter().map(|(key, _)| format!("option {} differs", key.to_lowercase())));
    if difference.partition {
        words.push("the partitions differ".to_owned());
    }
    words.extend(difference.other.iter().map(|o| format!("{o} differs")));
    words
}
