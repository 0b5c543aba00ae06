//! What is to be done about a statement, from its names, the selection and the history. Asks nobody, runs nothing.

mod rename;

use self::rename::{into_scope, out_of_scope};
use crate::{
    catalog::{Table, TableName, Walk, quote_name},
    ddl::statement::{Class, Classified, Edit, Name, NameKind, PieceKind, Trouble},
    phase::incremental::{
        history::{History, LeftOut},
        names::Names,
    },
};

/// What the destination makes of words of the source's.
pub trait Translate: Send + Sync {
    /// The destination's name of a collation; `None` where it has no equal.
    fn collation(&self, source: &str) -> Option<String>;

    /// The engine that tables of this one get; `Err` says why they are not carried.
    ///
    /// # Errors
    /// Why, for people.
    fn engine(&self, source: &str) -> Result<String, String>;
}

/// What a decision is made from.
pub(super) struct Scene<'a> {
    pub(super) classified: &'a Classified,
    /// Default database at the source; empty for none.
    pub(super) default_database: &'a str,
    pub(super) names: &'a dyn Names,
    pub(super) history: &'a History,
    pub(super) translate: &'a dyn Translate,
    /// The source folds names of databases and tables to lower case.
    pub(super) folds: bool,
    pub(super) during_copy: bool,
    /// It was decided upon by a run that ended before it knew what came of it: the destination's tables may be as they are after it.
    pub(super) resuming: bool,
    /// Databases that a statement which is not about definitions may have written to.
    pub(super) databases: &'a [String],
    /// Bytes of its text.
    pub(super) length: usize,
    /// It ended with an error at the source, having done a part of what it says.
    pub(super) failed: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// Nothing of ours.
    Pass,
    /// Recorded and not run.
    Skip(String),
    /// Recorded and not run, and what the tables are at the source is not known for sure after it.
    LeaveOut { reason: String, doubts: Vec<TableName>, what: LeftOut },
    /// The task ends.
    Stop(Stop),
    /// It cannot be written for the destination: a failed statement.
    Refuse { reason: String, about: Vec<TableName> },
    /// It is about a shadow table, and runs on the original when that is replaced.
    Hold { shadow: TableName },
    /// A shadow table is made or dropped: what was held back for it counts no more.
    Release { shadow: TableName },
    /// A shadow table takes the original's place.
    CutOver { original: TableName, shadow: TableName },
    /// It runs.
    Run(Plan),
}

/// Why the task ends, and what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) code: &'static str,
    pub(super) reason: String,
    pub(super) hint: String,
}

/// How it runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) edits: Vec<Edit>,
    /// What it does to tables, in order, by names at the source and the destination.
    pub(super) effects: Vec<Effect>,
    /// A view or routine that it makes, by its name at the destination.
    pub(super) makes: Option<(&'static str, TableName)>,
    /// Charsets without a collation: where the collation of the source's default may have to be named.
    pub(super) charsets: Vec<(String, usize)>,
    /// Where the table's collation may have to be named, and the source database whose default it gets.
    pub(super) default_of: Option<(usize, String, String)>,
    /// May run twice without harm.
    pub(super) repeatable: bool,
    /// What was left out, for the ledger.
    pub(super) notes: Vec<String>,
}

/// What a statement does to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is new.
    Made { source: TableName, destination: TableName },
    /// Its definition changes, or may.
    Changed { source: TableName, destination: TableName },
    /// It is empty.
    Emptied { destination: TableName },
    /// Its rows change places with those of another.
    Exchanged { destinations: [TableName; 2] },
    /// It bears another name.
    Renamed { from: (TableName, TableName), to: (TableName, TableName) },
    /// It is gone.
    Gone { source: TableName, destination: TableName },
}

impl Effect {
    /// The destination tables whose definitions tell whether it has happened.
    pub(super) fn touches(&self) -> Vec<&TableName> {
        match self {
            Self::Made { destination, .. }
            | Self::Changed { destination, .. }
            | Self::Emptied { destination }
            | Self::Gone { destination, .. } => vec![destination],
            Self::Exchanged { destinations: [a, b] } => vec![a, b],
            Self::Renamed { from, to } => vec![&from.1, &to.1],
        }
    }
}

/// Rows lie in the order of a key, here as at the source.
fn is_clustered(table: &Table) -> bool {
    table.engine.eq_ignore_ascii_case("InnoDB") && matches!(table.walk(), Walk::Key(_))
}

/// Why rows are not numbered alike.
fn unordered(table: &Table) -> String {
    let order = "rows are numbered in the order in which they lie, which is not known here";
    match table.walk() {
        Walk::Key(_) => format!("the table is of engine {} at the source: {order}", table.engine),
        _ => format!("the table has no key: {order}"),
    }
}

/// Whether this column alone tells rows apart, so that none has NULL in it and one at most has 0.
fn identifies(table: &Table, column: &str) -> bool {
    matches!(table.walk(), Walk::Key(columns) if matches!(columns[..], [at] if table.columns[at].name.eq_ignore_ascii_case(column)))
}

fn stop(code: &'static str, reason: impl Into<String>, hint: &str) -> Decision {
    Decision::Stop(Stop { code, reason: reason.into(), hint: hint.to_owned() })
}

const AGAIN: &str = "`dtsctl apply --restart` copies anew from a state behind this statement";

/// Decides.
pub(super) fn decide(scene: &Scene<'_>) -> Decision {
    let classified = scene.classified;
    if classified.temporary {
        return Decision::Pass;
    }
    if let Some(decision) = scene.online() {
        return decision;
    }
    match classified.class {
        Class::Nothing => Decision::Pass,
        Class::RollbackTo => stop(
            "ddl-rollback-to",
            "the transaction was undone in part, to a savepoint, and its rows are in the binlog all the same",
            AGAIN,
        ),
        Class::Unlisted(_) => scene.unlisted(),
        Class::Writes(words) => scene.writes(words),
        Class::MovesRows(words) => stop("ddl-moves-rows", format!("{words} brings rows that no row event tells of"), AGAIN),
        Class::CreateTable => scene.create_table(),
        Class::AlterTable | Class::CreateIndex | Class::DropIndex => scene.alter_table(),
        Class::DropTable => scene.drop_table(),
        Class::RenameTable => scene.rename_table(),
        Class::TruncateTable => scene.truncate(),
        Class::CreateView | Class::AlterView => scene.view(),
        Class::CreateFunction | Class::CreateProcedure => scene.routine(),
    }
}

impl Scene<'_> {
    fn folded(&self, name: &str) -> String {
        if self.folds { name.to_lowercase() } else { name.to_owned() }
    }

    fn database_of(&self, name: &Name) -> String {
        self.folded(name.database.as_deref().unwrap_or(self.default_database))
    }

    fn table_of(&self, name: &Name) -> TableName {
        TableName::new(self.database_of(name), self.folded(&name.name))
    }

    /// What tools for online schema changes do, where their tables are not carried.
    fn online(&self) -> Option<Decision> {
        let names = &self.classified.names;
        if self.classified.class == Class::RenameTable {
            let pairs: Vec<(TableName, TableName)> =
                names.chunks(2).filter_map(|p| Some((self.table_of(p.first()?), self.table_of(p.get(1)?)))).collect();
            return match &pairs[..] {
                [(original, trash), (shadow, to)]
                    if to == original
                        && self.history.follows(original)
                        && self.names.shadow_of(shadow).as_ref() == Some(original)
                        && self.names.trash_of(trash).as_ref() == Some(original) =>
                {
                    Some(Decision::CutOver { original: original.clone(), shadow: shadow.clone() })
                }
                _ => None,
            };
        }
        let target = self.classified.of_kind(NameKind::Target).next().map(|n| self.table_of(n))?;
        self.names.shadow_of(&target)?;
        match self.classified.class {
            Class::CreateTable | Class::DropTable if self.classified.of_kind(NameKind::Target).count() == 1 => {
                Some(Decision::Release { shadow: target })
            }
            Class::AlterTable | Class::CreateIndex | Class::DropIndex => Some(Decision::Hold { shadow: target }),
            _ => None,
        }
    }

    /// A followed table that is still being copied stops the task (requirements B11).
    fn in_copy<'a>(&self, tables: impl IntoIterator<Item = &'a TableName>) -> Option<Decision> {
        let table = tables.into_iter().find(|t| self.during_copy && self.history.is_copied(t))?;
        Some(stop(
            "ddl-during-copy",
            format!("the definition of {table} changed while its rows were being copied"),
            "apply again when no such statement runs meanwhile; `dtsctl apply --restart` begins anew",
        ))
    }

    /// A table gets a name under which another followed table already is at the destination: new names by a pattern, or in other letters.
    fn taken(&self, source: &TableName, destination: &TableName, followed: impl IntoIterator<Item = TableName>) -> Option<Decision> {
        let other = followed.into_iter().find(|t| t != source && self.names.table(t).as_ref() == Some(destination))?;
        Some(stop(
            "ddl-name-taken",
            format!("{source} would be {destination} at the destination, where {other} is"),
            "exclude the table, or rename it at the source; with other names in the spec, `dtsctl apply --restart`",
        ))
    }

    /// The spec leaves such statements about this table, view or routine out.
    fn is_left_out(&self, source: &TableName) -> bool {
        !self.names.carries(source, self.classified.class)
    }

    fn why_left_out(&self) -> String {
        let operation = self.classified.class.words().to_lowercase().replace(' ', "-");
        format!("`{operation}` is not among the `operations` of the spec")
    }

    fn left_out(&self, what: LeftOut, doubts: Vec<TableName>) -> Decision {
        let reason = self.why_left_out();
        if doubts.is_empty() { Decision::Skip(reason) } else { Decision::LeaveOut { reason, doubts, what } }
    }

    /// A table that may be another at the source since a RENAME was left out: nothing is done to the destination's table of that name.
    fn other_table<'a>(&self, tables: impl IntoIterator<Item = &'a TableName>) -> Option<Decision> {
        let (table, doubt) = tables.into_iter().find_map(|t| Some((t, self.history.renamed(t)?)))?;
        Some(stop("ddl-left-out", format!("{table} may be another table than the one that bore this name ({doubt})"), AGAIN))
    }

    fn unlisted(&self) -> Decision {
        let ours = |name: &Name| match name.kind {
            NameKind::Database => self.names.database(&self.folded(&name.name)).is_some(),
            _ => {
                let table = self.table_of(name);
                self.names.table(&table).is_some() || self.names.whole(&table.database)
            }
        };
        let names = &self.classified.names;
        let database = names.is_empty() && self.classified.class.words().ends_with("DATABASE");
        let concerns = if database { self.names.database(&self.folded(self.default_database)).is_some() } else { names.is_empty() };
        if concerns || names.iter().any(ours) { Decision::Skip("not a statement that is carried".to_owned()) } else { Decision::Pass }
    }

    /// In STATEMENT format a text tells what was done to which rows, and nothing here could do the same to the same rows.
    fn writes(&self, words: &'static str) -> Decision {
        if !self.databases.iter().any(|d| self.names.database(&self.folded(d)).is_some()) {
            return Decision::Pass;
        }
        statement_format(words)
    }

    /// Replaces every name that the plan knows, or says which one has no place at the destination.
    fn place(&self, plan: &mut Plan, name: &Name, source: &TableName) -> bool {
        match self.names.table(source) {
            Some(destination) => {
                plan.edits.push(Edit::Replace(name.span.clone(), destination.quoted()));
                true
            }
            None => false,
        }
    }

    /// What every statement about tables has: options of the source's session and machine.
    fn pieces(&self, plan: &mut Plan) -> Result<(), String> {
        for piece in &self.classified.pieces {
            match piece.kind {
                PieceKind::Engine => {
                    let engine = self.translate.engine(&piece.value)?;
                    if !engine.eq_ignore_ascii_case(&piece.value) {
                        plan.edits.push(Edit::Replace(piece.span.clone(), engine));
                    }
                }
                PieceKind::Collation => {
                    let default = piece.value.eq_ignore_ascii_case("DEFAULT") || piece.value.eq_ignore_ascii_case("binary");
                    if default {
                        continue;
                    }
                    match self.translate.collation(&piece.value) {
                        Some(found) if !found.eq_ignore_ascii_case(&piece.value) => {
                            plan.edits.push(Edit::Replace(piece.span.clone(), found));
                        }
                        Some(_) => {}
                        None => return Err(format!("the destination has no equal of collation {}", piece.value)),
                    }
                }
                PieceKind::Charset => plan.charsets.push((piece.value.clone(), piece.span.end)),
                PieceKind::LocalOption | PieceKind::LocalPart => {
                    plan.notes.push("an option that names a place on the source's machine is left out".to_owned());
                    let alone = piece.kind == PieceKind::LocalOption;
                    plan.edits.push(if alone { Edit::RemoveItem(piece.clause.clone()) } else { Edit::Remove(piece.clause.clone()) });
                }
                PieceKind::RowFormat | PieceKind::RowFormatPart => {
                    plan.notes.push("a row format that InnoDB does not have is left out".to_owned());
                    let alone = piece.kind == PieceKind::RowFormat;
                    plan.edits.push(if alone { Edit::RemoveItem(piece.clause.clone()) } else { Edit::Remove(piece.clause.clone()) });
                }
                PieceKind::StartTransaction | PieceKind::Wait => plan.edits.push(Edit::Remove(piece.clause.clone())),
                PieceKind::How => plan.edits.push(Edit::RemoveItem(piece.clause.clone())),
                PieceKind::SetStatement => {}
            }
        }
        Ok(())
    }

    /// The engine that the table has at the source behind the statement, if it takes no notice of foreign keys: the destination's would.
    fn without_foreign_keys(&self, table: &TableName) -> Option<String> {
        const NONE: [&str; 8] = ["MyISAM", "Aria", "MARIA", "MEMORY", "HEAP", "ARCHIVE", "CSV", "RocksDB"];
        let named = self.classified.pieces.iter().rfind(|p| p.kind == PieceKind::Engine).map(|p| p.value.clone());
        let known = || self.history.source(table).filter(|_| self.classified.class == Class::AlterTable).map(|t| t.engine.clone());
        named.or_else(known).filter(|engine| NONE.iter().any(|none| none.eq_ignore_ascii_case(engine)))
    }

    /// Parents of foreign keys, which are in the table's own database where they name none; members and sequences.
    fn others(&self, plan: &mut Plan, table: &TableName) -> Result<(), String> {
        let keyless = self.without_foreign_keys(table);
        for name in &self.classified.names {
            if let (NameKind::Parent, Some(engine), Some(clause)) = (name.kind, &keyless, &name.clause) {
                plan.notes.push(format!("a foreign key is left out: engine {engine} of the source has none"));
                plan.edits.push(Edit::RemoveItem(clause.clone()));
                continue;
            }
            let source = match name.kind {
                NameKind::Parent => {
                    let database = name.database.as_deref().map_or_else(|| table.database.clone(), |d| self.folded(d));
                    TableName::new(database, self.folded(&name.name))
                }
                NameKind::Member | NameKind::Sequence => self.table_of(name),
                _ => continue,
            };
            if self.place(plan, name, &source) {
                continue;
            }
            match &name.clause {
                Some(clause) if name.kind == NameKind::Parent => {
                    plan.notes.push(format!("a foreign key to {source} is left out: it is not selected"));
                    plan.edits.push(Edit::RemoveItem(clause.clone()));
                }
                _ => return Err(format!("it names {source}, which is not selected")),
            }
        }
        Ok(())
    }

    fn create_table(&self) -> Decision {
        let Some(target) = self.classified.of_kind(NameKind::Target).next() else { return Decision::Pass };
        let source = self.table_of(target);
        let Some(destination) = self.names.table(&source) else { return Decision::Pass };
        if self.is_left_out(&source) {
            // A table of that name that is still followed: a statement that was left out too has dropped it.
            let still = self.history.follows(&source) && !self.classified.if_exists;
            let followed = if still { vec![source] } else { Vec::new() };
            return self.in_copy(&followed).unwrap_or_else(|| self.left_out(LeftOut::Definition, followed));
        }
        if let Some(stop) = self.other_table([&source]) {
            return stop;
        }
        if self.failed && self.classified.or_replace {
            return self.only_dropped(source, destination);
        }
        if self.classified.has(Trouble::Query) {
            return statement_format("CREATE TABLE ... SELECT");
        }
        if self.history.follows(&source) && !self.classified.or_replace {
            if self.classified.if_exists {
                // It was there at the source too, or this would have dropped it first.
                return Decision::Pass;
            }
            return stop(
                "ddl-out-of-step",
                format!(
                    "{source} is made anew at the source, and the rows it had before are still at the destination: a statement that is not carried has dropped it"
                ),
                AGAIN,
            );
        }
        if let Some(stop) = self.in_copy([&source]).or_else(|| self.taken(&source, &destination, self.history.names().cloned())) {
            return stop;
        }
        let mut plan = Plan { repeatable: self.classified.or_replace, ..Plan::default() };
        plan.edits.push(Edit::Replace(target.span.clone(), destination.quoted()));
        if let Some(like) = self.classified.of_kind(NameKind::Like).next() {
            let from = self.table_of(like);
            if !self.history.follows(&from) || !self.place(&mut plan, like, &from) {
                return stop(
                    "ddl-out-of-scope",
                    format!("{source} is made like {from}, which is not followed, so that its columns are not known"),
                    "select both tables, or exclude the new one; then `dtsctl apply` goes on",
                );
            }
        }
        if let Err(reason) = self.pieces(&mut plan).and_then(|()| self.others(&mut plan, &source)) {
            return Decision::Refuse { reason, about: vec![source] };
        }
        if let Some(at) = self.classified.options_at
            && !self.classified.names_charset
        {
            plan.default_of = Some((at, source.database.clone(), destination.database.clone()));
        }
        plan.effects.push(Effect::Made { source, destination });
        Decision::Run(plan)
    }

    /// `CREATE OR REPLACE` that failed once it had dropped the old table: MariaDB writes it whole, with its error (seen on 10.11.18).
    fn only_dropped(&self, source: TableName, destination: TableName) -> Decision {
        if !self.history.follows(&source) {
            return Decision::Skip("it failed at the source".to_owned());
        }
        if let Some(stop) = self.in_copy([&source]) {
            return stop;
        }
        let text = format!("DROP TABLE IF EXISTS {}", destination.quoted());
        let mut plan = Plan { repeatable: true, edits: vec![Edit::Replace(0..self.length, text)], ..Plan::default() };
        plan.notes.push("it failed at the source once it had dropped the table".to_owned());
        plan.effects.push(Effect::Gone { source, destination });
        Decision::Run(plan)
    }

    fn alter_table(&self) -> Decision {
        let Some(target) = self.classified.of_kind(NameKind::Target).next() else { return Decision::Pass };
        let source = self.table_of(target);
        let exchanged = self.classified.of_kind(NameKind::Exchanged).next().map(|n| (n, self.table_of(n)));
        let becomes = self.classified.of_kind(NameKind::Becomes).next().map(|n| (n, self.table_of(n)));
        let selected = self.names.table(&source);
        let Some(destination) = selected.clone().filter(|_| self.history.follows(&source)) else {
            if let Some((_, other)) = exchanged.filter(|(_, other)| self.history.follows(other)) {
                return stop(
                    "ddl-out-of-scope",
                    format!("rows of {other} change places with those of {source}, which is not followed"),
                    AGAIN,
                );
            }
            if let Some((_, new)) = becomes.filter(|(_, new)| selected.is_none() && self.names.table(new).is_some()) {
                return into_scope(&source, &new);
            }
            return match selected {
                Some(_) => Decision::Skip(format!("{source} is not followed")),
                None => Decision::Pass,
            };
        };
        if let Some(stop) = self.in_copy([&source].into_iter().chain(exchanged.as_ref().map(|(_, other)| other))) {
            return stop;
        }
        let others = [&source].into_iter().chain(exchanged.as_ref().map(|(_, other)| other)).chain(becomes.as_ref().map(|(_, new)| new));
        if let Some(stop) = self.other_table(others) {
            return stop;
        }
        if self.is_left_out(&source) || exchanged.as_ref().is_some_and(|(_, other)| self.is_left_out(other)) {
            return match becomes {
                Some((_, new)) if self.names.table(&new).is_none() => out_of_scope(&source, &new),
                Some((_, new)) => self.left_out(LeftOut::Name, vec![source, new]),
                None if self.classified.class == Class::AlterTable => self.left_out(LeftOut::Definition, vec![source]),
                // An index says nothing about columns.
                None => self.left_out(LeftOut::Definition, Vec::new()),
            };
        }
        let judged = || self.filter_column(&source).or_else(|| self.other_filter(&source, becomes.as_ref().map(|(_, new)| new)));
        let swapped = || self.other_filter(&source, exchanged.as_ref().map(|(_, other)| other));
        if let Some(stop) = self.troubles(&source).or_else(judged).or_else(swapped).or_else(|| self.other_columns(&source)) {
            return stop;
        }
        let mut plan = Plan::default();
        plan.edits.push(Edit::Replace(target.span.clone(), destination.quoted()));
        if let Err(reason) = self.pieces(&mut plan).and_then(|()| self.others(&mut plan, &source)) {
            return Decision::Refuse { reason, about: vec![source] };
        }
        let at_source = |t: &TableName| t.clone();
        if let Some((name, other)) = &exchanged {
            let new = self.classified.has(Trouble::Convert) && !self.history.follows(other);
            let Some(place) = self.names.table(other).filter(|_| new || self.history.follows(other)) else {
                return stop(
                    "ddl-out-of-scope",
                    format!("rows of {source} change places with those of {other}, which is not followed"),
                    "select both tables; then `dtsctl apply --restart`",
                );
            };
            plan.edits.push(Edit::Replace(name.span.clone(), place.quoted()));
            plan.effects.push(match (self.classified.has(Trouble::Convert), new) {
                (true, true) => Effect::Made { source: at_source(other), destination: place },
                (true, false) => Effect::Gone { source: at_source(other), destination: place },
                _ => Effect::Exchanged { destinations: [destination.clone(), place] },
            });
        }
        match becomes {
            // An exchange of rows changes no definition.
            None if plan.effects.iter().any(|e| matches!(e, Effect::Exchanged { .. })) => {}
            None => plan.effects.push(Effect::Changed { source, destination }),
            Some((name, new)) => {
                let Some(place) = self.names.table(&new) else { return out_of_scope(&source, &new) };
                if let Some(stop) = self.taken(&new, &place, self.history.names().filter(|t| **t != source).cloned()) {
                    return stop;
                }
                plan.edits.push(Edit::Replace(name.span.clone(), place.quoted()));
                plan.effects.push(Effect::Renamed { from: (source, destination), to: (new.clone(), place.clone()) });
                plan.effects.push(Effect::Changed { source: new, destination: place });
            }
        }
        Decision::Run(plan)
    }

    /// Columns that the spec leaves out or renames: what the statement calls by a name may be another column at the destination.
    fn other_columns(&self, source: &TableName) -> Option<Decision> {
        let stopped = |reason: String| {
            let hint =
                "make the change at the destination by hand, and `dtsctl apply --restart`; or carry the table with all of its columns";
            Some(stop("ddl-columns-differ", reason, hint))
        };
        if !self.names.columns(source).keeps_names() {
            return stopped(format!("the spec leaves out or renames columns of {source}, so that names of columns mean others there"));
        }
        // A run that ended in the middle of the statement: the tables may be as they are after it.
        if self.resuming {
            return None;
        }
        let table = self.history.table(source)?;
        let there = |name: &str| table.destination.columns.iter().any(|c| c.name.to_lowercase() == name.to_lowercase());
        let missing = table.source.columns.iter().find(|c| !there(&c.name))?;
        let column = &missing.name;
        stopped(format!("{source} has column {column} and the destination's table does not, so that names of columns cannot be trusted"))
    }

    /// A column by which rows are chosen becomes another: rows that were chosen by the old one are at the destination.
    fn filter_column(&self, source: &TableName) -> Option<Decision> {
        let map = self.names.columns(source);
        let condition = &map.rows()?.condition;
        let table = self.history.source(source)?;
        let text = || table.columns.iter().find(|c| c.charset.is_some() && condition.names(&c.name)).map(|c| &c.name);
        let column = match self.classified.redefined.iter().find(|name| condition.names(name)) {
            Some(column) => column,
            None if self.classified.converts => text()?,
            None => return None,
        };
        let reason = format!("it changes column {column} of {source}, by which `where` chooses the rows");
        Some(stop(
            "ddl-filter-column",
            reason,
            "correct `where` if need be; `dtsctl apply --restart` copies anew from a state behind this statement",
        ))
    }

    /// Rows of a table come to be rows of another whose rows are chosen otherwise.
    fn other_filter(&self, source: &TableName, other: Option<&TableName>) -> Option<Decision> {
        let other = other?;
        if self.names.table(other).is_none() || self.names.columns(source).rows() == self.names.columns(other).rows() {
            return None;
        }
        let reason = format!("rows of {source} become rows of {other}, and `where` chooses those of the two by different conditions");
        Some(stop("ddl-filter-differs", reason, "give both the same condition; then `dtsctl apply --restart`"))
    }

    /// What moves or fills rows in a way that two servers do not do alike.
    fn troubles(&self, source: &TableName) -> Option<Decision> {
        for trouble in &self.classified.troubles {
            let reason = match trouble {
                Trouble::Exchange | Trouble::Convert | Trouble::Query => continue,
                Trouble::Tablespace => "its rows come and go with files, and no row event tells of them",
                Trouble::Random => "a column is filled with values that each server makes for itself",
                Trouble::Ignore => "which of several equal rows stays hangs on the order in which they lie",
                Trouble::Versioning => "system versioning changes what the binlog has of each row",
                Trouble::Numbers => {
                    let table = self.history.source(source)?;
                    if !is_clustered(table) {
                        return Some(stop(
                            "ddl-not-repeatable",
                            format!("{source}: an AUTO_INCREMENT column is added, and {}", unordered(table)),
                            AGAIN,
                        ));
                    }
                    continue;
                }
                Trouble::Renumbers => {
                    let table = self.history.source(source)?;
                    if !is_clustered(table) && !self.classified.redefined.iter().any(|name| identifies(table, name)) {
                        let reason =
                            format!("{source}: a column that rows may have NULL or 0 in gets AUTO_INCREMENT, and {}", unordered(table));
                        return Some(stop("ddl-not-repeatable", reason, AGAIN));
                    }
                    continue;
                }
            };
            return Some(stop("ddl-not-repeatable", format!("{source}: {reason}"), AGAIN));
        }
        None
    }

    fn drop_table(&self) -> Decision {
        let mut plan = Plan { repeatable: false, ..Plan::default() };
        let mut kept = Vec::new();
        let names: Vec<&Name> = self.classified.of_kind(NameKind::Target).collect();
        for name in names {
            let source = self.table_of(name);
            match self.names.table(&source).filter(|_| self.history.follows(&source)) {
                Some(_) if self.is_left_out(&source) => {
                    plan.notes.push(format!("{source} stays: {}", self.why_left_out()));
                    plan.edits.push(Edit::RemoveItem(name.span.clone()));
                    kept.push(source);
                }
                Some(destination) => {
                    plan.edits.push(Edit::Replace(name.span.clone(), destination.quoted()));
                    plan.effects.push(Effect::Gone { source, destination });
                }
                None => plan.edits.push(Edit::RemoveItem(name.span.clone())),
            }
        }
        if plan.effects.is_empty() {
            return if kept.is_empty() {
                Decision::Pass
            } else {
                self.in_copy(&kept).unwrap_or_else(|| self.left_out(LeftOut::Definition, Vec::new()))
            };
        }
        let gone: Vec<TableName> =
            plan.effects.iter().filter_map(|e| if let Effect::Gone { source, .. } = e { Some(source.clone()) } else { None }).collect();
        if let Some(stop) = self.in_copy(gone.iter().chain(&kept)).or_else(|| self.other_table(&gone)) {
            return stop;
        }
        match self.pieces(&mut plan) {
            Ok(()) => Decision::Run(plan),
            Err(reason) => Decision::Refuse { reason, about: gone },
        }
    }

    fn truncate(&self) -> Decision {
        let Some(target) = self.classified.of_kind(NameKind::Target).next() else { return Decision::Pass };
        let source = self.table_of(target);
        let Some(destination) = self.names.table(&source).filter(|_| self.history.follows(&source)) else { return Decision::Pass };
        if let Some(stop) = self.in_copy([&source]).or_else(|| self.other_table([&source])) {
            return stop;
        }
        if self.is_left_out(&source) {
            return self.left_out(LeftOut::Definition, Vec::new());
        }
        let mut plan = Plan { repeatable: true, ..Plan::default() };
        plan.edits.push(Edit::Replace(target.span.clone(), destination.quoted()));
        plan.effects.push(Effect::Emptied { destination });
        match self.pieces(&mut plan) {
            Ok(()) => Decision::Run(plan),
            Err(reason) => Decision::Refuse { reason, about: vec![source] },
        }
    }

    fn view(&self) -> Decision {
        let Some(target) = self.classified.of_kind(NameKind::View).next() else { return Decision::Pass };
        let source = self.table_of(target);
        let Some(destination) = self.names.table(&source).filter(|_| self.names.whole(&source.database)) else { return Decision::Pass };
        if self.is_left_out(&source) {
            return self.left_out(LeftOut::Definition, Vec::new());
        }
        let repeatable = self.classified.or_replace || self.classified.class == Class::AlterView || self.classified.if_exists;
        let mut plan = Plan { repeatable, makes: Some(("view", destination.clone())), ..Plan::default() };
        plan.edits.push(Edit::Replace(target.span.clone(), destination.quoted()));
        for name in &self.classified.names {
            let table = self.table_of(name);
            let refuse = || Decision::Refuse { reason: format!("it names {table}, which is not selected"), about: Vec::new() };
            match name.kind {
                NameKind::Source { alias_at } => {
                    let Some(place) = self.names.table(&table) else { return refuse() };
                    plan.edits.push(Edit::Replace(name.span.clone(), place.quoted()));
                    // What names its columns by the old name must still find it.
                    if let Some(at) = alias_at.filter(|_| place.table != name.name) {
                        plan.edits.push(Edit::Replace(at..at, format!(" AS {}", quote_name(&name.name))));
                    }
                }
                NameKind::Qualifier | NameKind::Routine => {
                    // Behind an alias stands no table's name: then the database tells alone.
                    let place = self.names.table(&table).map(|t| t.database).or_else(|| self.names.database(&table.database));
                    let Some(place) = place else { return refuse() };
                    let text =
                        if name.kind == NameKind::Routine { TableName::new(place, name.name.clone()).quoted() } else { quote_name(&place) };
                    plan.edits.push(Edit::Replace(name.span.clone(), text));
                }
                _ => {}
            }
        }
        Decision::Run(plan)
    }

    fn routine(&self) -> Decision {
        let Some(target) = self.classified.of_kind(NameKind::Routine).next() else { return Decision::Pass };
        let database = self.database_of(target);
        let Some(place) = self.names.database(&database).filter(|_| self.names.whole(&database)) else { return Decision::Pass };
        if self.is_left_out(&TableName::new(database, target.name.clone())) {
            return self.left_out(LeftOut::Definition, Vec::new());
        }
        let kind = if self.classified.class == Class::CreateFunction { "function" } else { "procedure" };
        let destination = TableName::new(place, target.name.clone());
        let mut plan = Plan {
            repeatable: self.classified.or_replace || self.classified.if_exists,
            makes: Some((kind, destination.clone())),
            ..Plan::default()
        };
        plan.edits.push(Edit::Replace(target.span.clone(), destination.quoted()));
        Decision::Run(plan)
    }
}

fn statement_format(words: &str) -> Decision {
    stop(
        "statement-format",
        format!("{words} was written to the binlog as a statement and not as rows"),
        "set binlog_format=ROW at the source, for all sessions; then `dtsctl apply --restart`",
    )
}
