//! Views, routines, triggers and events of databases that are selected as a whole: made after the rows, in an order that works.
//!
//! Functions and procedures come first (their bodies are not looked into when they are made), then views, each after what it selects
//! from, then triggers and events. Each is made under the settings that its text was given under. Events arrive disabled, triggers
//! either not at all or guarded; what is to be done with them at cutover is listed.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Act, Change, Cutover, Diff, Existing, Note, ObjectKind, Part, Risk, Sides, Stage, note,
    program_text::{self, canonical, mode_of, without_alias_databases},
    unsupported,
};
use crate::{
    catalog::{OtherObject, TableName, quote_name},
    connect::Vendor,
    ddl::lex::string_literal,
};

/// Words of `sql_mode` without meaning for a body, which the other vendor or a later version refuses.
const IDLE_MODES: [&str; 4] = ["NO_AUTO_CREATE_USER", "NO_KEY_OPTIONS", "NO_FIELD_OPTIONS", "NO_TABLE_OPTIONS"];

/// Words of `sql_mode` that one vendor alone has, and that mean something.
const OWN_MODES: [(Vendor, &[&str]); 2] = [
    (Vendor::MySql, &["TIME_TRUNCATE_FRACTIONAL"]),
    (
        Vendor::MariaDb,
        &["ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL", "EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT", "TIME_ROUND_FRACTIONAL"],
    ),
];

pub(super) fn programs(sides: &Sides<'_>, diff: &mut Diff) {
    let mut views = Vec::new();
    for object in &sides.source.others {
        let from = TableName::new(&object.database, &object.name);
        let Some(kind) = kind_of(&object.kind) else { continue };
        let Some(name) = sides.mapping.program(&object.kind, &from) else { continue };
        let work = Work { sides, object, from, name, kind };
        if object.create.is_empty() {
            let right = match kind {
                ObjectKind::View => "SHOW VIEW",
                ObjectKind::Trigger => "TRIGGER",
                ObjectKind::Event => "EVENT",
                _ => "SHOW_ROUTINE, or SELECT on mysql.proc",
            };
            work.refuse(unsupported::DEFINITION, format!("the source's account may not read its definition; it needs {right}"), diff);
            continue;
        }
        match kind {
            ObjectKind::View => views.push(work),
            ObjectKind::Trigger => work.trigger(diff),
            ObjectKind::Event => work.event(diff),
            _ => work.routine(diff),
        }
    }
    in_order(views, diff);
}

fn kind_of(kind: &str) -> Option<ObjectKind> {
    Some(match kind {
        "view" => ObjectKind::View,
        "procedure" => ObjectKind::Procedure,
        "function" => ObjectKind::Function,
        "trigger" => ObjectKind::Trigger,
        "event" => ObjectKind::Event,
        _ => return None,
    })
}

/// Views after the views they select from.
fn in_order(views: Vec<Work<'_>>, diff: &mut Diff) {
    let mut waiting: BTreeMap<TableName, (Work<'_>, program_text::View)> = BTreeMap::new();
    for work in views {
        match program_text::view(work.object, &work.name, work.sides.mapping) {
            Ok(view) => {
                waiting.insert(work.from.clone(), (work, view));
            }
            Err(reason) => work.refuse(unsupported::FOREIGN_KEY, reason, diff),
        }
    }
    while !waiting.is_empty() {
        let open: BTreeSet<TableName> = waiting.keys().cloned().collect();
        let ready: Vec<TableName> =
            waiting.iter().filter(|(_, (_, view))| !view.needs.iter().any(|n| open.contains(n))).map(|(name, _)| name.clone()).collect();
        if ready.is_empty() {
            // Views cannot select from each other in a circle; one that is made of broken views can.
            for (work, _) in std::mem::take(&mut waiting).into_values() {
                work.refuse(unsupported::DEFINITION, "it selects from itself by way of other views".to_owned(), diff);
            }
            return;
        }
        for name in ready {
            if let Some((work, view)) = waiting.remove(&name) {
                work.made_of(vec![view.statement], Vec::new(), Part::Views, diff);
            }
        }
    }
}

struct Work<'a> {
    sides: &'a Sides<'a>,
    object: &'a OtherObject,
    from: TableName,
    name: TableName,
    kind: ObjectKind,
}

impl Work<'_> {
    fn change(&self, act: Act, part: Part, statements: Vec<String>) -> Change {
        let verb = if act == Act::Create { "create" } else { "replace" };
        Change {
            kind: self.kind,
            source: self.from.to_string(),
            destination: self.name.to_string(),
            table: None,
            act,
            stage: Stage::After,
            part,
            what: format!("{verb} {}", self.kind.name()),
            statements,
            risk: Risk::Safe,
            outside: false,
            before: None,
            after: None,
        }
    }

    fn refuse(&self, code: &'static str, reason: String, diff: &mut Diff) {
        let risk = Risk::Unsupported { code, reason: format!("{} {}: {reason}", self.kind.name(), self.from) };
        diff.changes.push(Change { risk, ..self.change(Act::Create, self.part(), Vec::new()) });
    }

    fn part(&self) -> Part {
        match self.kind {
            ObjectKind::View => Part::Views,
            ObjectKind::Trigger => Part::Triggers,
            ObjectKind::Event => Part::Events,
            _ => Part::Routines,
        }
    }

    fn there(&self) -> Option<&OtherObject> {
        let (sides, name) = (self.sides, &self.name);
        // Routines, triggers and events are compared without regard to case by every server; views as tables are.
        let same_name = |a: &str, b: &str| sides.same(a, b) || (self.kind != ObjectKind::View && a.to_lowercase() == b.to_lowercase());
        sides
            .destination
            .others
            .iter()
            .find(|o| o.kind == self.object.kind && sides.same(&o.database, &name.database) && same_name(&o.name, &name.table))
    }

    fn routine(&self, diff: &mut Diff) {
        match program_text::routine(self.object, &self.name) {
            Some(statement) => self.under_its_settings(statement, Part::Routines, diff),
            None => self.refuse(unsupported::DEFINITION, "its text is not understood".to_owned(), diff),
        }
    }

    fn trigger(&self, diff: &mut Diff) {
        let trigger = match program_text::trigger(self.object, &self.name, self.sides.mapping) {
            Ok(trigger) => trigger,
            Err(reason) => return self.refuse(unsupported::DEFINITION, reason, diff),
        };
        if self.sides.options.guarded_triggers {
            return self.under_its_settings(trigger.guarded, Part::Triggers, diff);
        }
        match self.settings() {
            Ok(settings) => {
                let mut statements = vec![format!("-- a trigger on {}", trigger.table)];
                statements.extend(around(&settings, trigger.plain));
                diff.cutover.push(Cutover { kind: self.kind, object: self.name.to_string(), statements });
            }
            Err(reason) => diff.notes.push(Note {
                code: note::CLAUSE_DROPPED,
                object: self.from.to_string(),
                text: format!("the trigger cannot be listed for cutover: {reason}"),
            }),
        }
    }

    fn event(&self, diff: &mut Diff) {
        let Some((statement, enabled)) = program_text::event(self.object, &self.name) else {
            return self.refuse(unsupported::DEFINITION, "its text is not understood".to_owned(), diff);
        };
        if enabled {
            let enable = format!("ALTER EVENT {} ENABLE", self.name.quoted());
            diff.cutover.push(Cutover { kind: self.kind, object: self.name.to_string(), statements: vec![enable] });
        }
        self.under_its_settings(statement, Part::Events, diff);
    }

    fn under_its_settings(&self, statement: String, part: Part, diff: &mut Diff) {
        match self.settings() {
            Ok(settings) => self.made_of(vec![statement], settings, part, diff),
            Err(reason) => self.refuse(unsupported::FEATURE, reason, diff),
        }
    }

    /// Assignments under which the text means what it meant; `Err` where the destination lacks one.
    fn settings(&self) -> Result<Vec<String>, String> {
        let Some(session) = &self.object.session else { return Ok(Vec::new()) };
        let (from, to) = (self.sides.source_info.flavor.vendor, self.sides.destination_info.flavor.vendor);
        let modes: Vec<&str> = session.sql_mode.split(',').filter(|m| !m.is_empty() && !IDLE_MODES.contains(m)).collect();
        if from != to
            && let Some(own) =
                OWN_MODES.iter().filter(|(vendor, _)| *vendor == from).flat_map(|(_, own)| own.iter()).find(|m| modes.contains(m))
        {
            return Err(format!("it was made under sql_mode {own}, which the destination does not know"));
        }
        let collation = |name: &str| {
            let found = self.sides.way().collation(name).map(|(found, _)| found);
            found.ok_or_else(|| format!("the destination has no equal of its collation {name}"))
        };
        let mut settings = vec![format!("sql_mode = {}", string_literal(&modes.join(",")))];
        if !session.collation_connection.is_empty() {
            settings.push(format!("collation_connection = {}", string_literal(&collation(&session.collation_connection)?)));
        }
        if let Some(zone) = &session.time_zone {
            settings.push(format!("time_zone = {}", string_literal(zone)));
        }
        Ok(settings)
    }

    fn made_of(&self, statements: Vec<String>, settings: Vec<String>, part: Part, diff: &mut Diff) {
        let text = statements.first().cloned().unwrap_or_default();
        // MariaDB prints a view's functions without their database (seen on 10.11.18): they are looked for in the default one.
        let mut all = vec![format!("USE {}", quote_name(&self.name.database))];
        all.extend(statements.into_iter().flat_map(|statement| around(&settings, statement)));
        let Some(there) = self.there() else {
            let mut change = self.change(Act::Create, part, all);
            change.after = Some(text);
            return diff.changes.push(change);
        };
        let crosses = self.sides.source_info.flavor.vendor != self.sides.destination_info.flavor.vendor;
        if crosses || self.is_like(there, &text) {
            return;
        }
        match self.sides.options.existing {
            Existing::Ignore => diff.notes.push(Note {
                code: note::TABLE_KEPT,
                object: self.from.to_string(),
                text: format!("{} {} is used as it is; it is defined otherwise", self.kind.name(), self.name),
            }),
            Existing::Fail => {
                let reason = format!("the destination has a {} of that name that is defined otherwise", self.kind.name());
                self.refuse(unsupported::EXISTS, reason, diff);
            }
            Existing::Align => {
                all.insert(0, format!("DROP {} {}", self.kind.name().to_uppercase(), self.name.quoted()));
                let mut change = self.change(Act::Alter, part, all);
                (change.before, change.after) = (Some(there.create.clone()), Some(text));
                diff.changes.push(change);
            }
        }
    }

    /// Whether what is there says the same, whatever its blanks, and under the same settings.
    fn is_like(&self, there: &OtherObject, wanted: &str) -> bool {
        let named = match self.kind {
            ObjectKind::View => program_text::view(there, &self.name, &Itself).map(|view| view.statement).ok(),
            ObjectKind::Trigger => program_text::trigger(there, &self.name, &Itself).map(|t| t.plain).ok(),
            ObjectKind::Event => program_text::event(there, &self.name).map(|(text, _)| text),
            _ => program_text::routine(there, &self.name),
        };
        let mode = mode_of(self.object);
        let modes = |o: &OtherObject| {
            let modes = o.session.as_ref().map(|s| s.sql_mode.clone()).unwrap_or_default();
            modes.split(',').filter(|m| !IDLE_MODES.contains(m)).map(str::to_owned).collect::<BTreeSet<String>>()
        };
        let said = |text: &str| match self.kind {
            ObjectKind::View => without_alias_databases(canonical(text, mode)),
            _ => canonical(text, mode),
        };
        modes(self.object) == modes(there) && named.is_some_and(|text| said(&text) == said(wanted))
    }
}

/// Under which everything keeps its name.
struct Itself;

impl super::Mapping for Itself {
    fn table(&self, source: &TableName) -> Option<TableName> {
        Some(source.clone())
    }

    fn database(&self, source: &str) -> Option<String> {
        Some(source.to_owned())
    }

    fn program(&self, _: &str, source: &TableName) -> Option<TableName> {
        Some(source.clone())
    }
}

/// A statement between settings and their restoration.
fn around(settings: &[String], statement: String) -> Vec<String> {
    if settings.is_empty() {
        return vec![statement];
    }
    vec![
        "SET @dtsctl_mode = @@SESSION.sql_mode, @dtsctl_collation = @@SESSION.collation_connection, @dtsctl_zone = @@SESSION.time_zone"
            .to_owned(),
        format!("SET SESSION {}", settings.join(", ")),
        statement,
        "SET SESSION sql_mode = @dtsctl_mode, collation_connection = @dtsctl_collation, time_zone = @dtsctl_zone".to_owned(),
    ]
}
