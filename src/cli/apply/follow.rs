//! The incremental phase of an apply: from the noted position on, with the definitions of then.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{execute::Execution, pause};
use crate::{
    catalog::{ColumnMap, TableName},
    cli::{error::CommandError, prepare::Survey},
    connect::{Flavor, Login},
    ddl::statement::Class,
    destination::{
        TaskProgress,
        change::{OnConflict, RowOperations},
        mysql::MySqlDestination,
    },
    diff::{self, mapping::FOREIGN_ENGINES},
    event::Observer,
    phase::incremental::{
        self, FollowOutcome, FollowSettings,
        ddl::{Carrier, DdlSettings, SourceFacts, Translate},
        heartbeat::{Beat, Heartbeat, SourceClock},
        names::Names,
    },
    plan,
    precheck::needed_after_copy,
    spec::{DdlErrors, ExistingTables, NameCase, ObjectSelection, OnlineDdl, Operation, RowConflict, Selection, Spec, StorageEngine},
};

/// What the spec selects, for the phase to ask.
pub(super) struct SpecNames {
    objects: Vec<ObjectSelection>,
    case: NameCase,
    existing: ExistingTables,
    online: OnlineDdl,
    table_names: u64,
    /// Selected by name and yet not carried row by row: what the plan skips, and sequences, whose position is set at the end.
    skipped: BTreeSet<TableName>,
}

impl SpecNames {
    pub(super) fn new(spec: &Spec, survey: &Survey) -> Self {
        Self {
            objects: spec.objects.clone(),
            case: spec.names.case,
            existing: spec.conflict.existing_tables,
            online: spec.online_ddl.clone(),
            table_names: survey.destination.info().number("lower_case_table_names").unwrap_or(0),
            skipped: survey.scope.skipped.iter().map(|skipped| &skipped.table).chain(survey.scope.sequences.keys()).cloned().collect(),
        }
    }

    fn selection(&self) -> Selection<'_> {
        Selection::new(&self.objects).written(self.case).without_online(&self.online).at(self.table_names)
    }
}

impl Names for SpecNames {
    fn table(&self, source: &TableName) -> Option<TableName> {
        if self.skipped.contains(source) {
            return None;
        }
        let selected = self.selection().table(&source.database, &source.table)?;
        Some(TableName::new(selected.destination_db, selected.destination_table))
    }

    fn database(&self, source: &str) -> Option<String> {
        self.selection().destination_database(source)
    }

    fn whole(&self, source: &str) -> bool {
        self.selection().whole_database(source)
    }

    fn columns(&self, source: &TableName) -> ColumnMap {
        let selection = self.selection();
        let selected = selection.table(&source.database, &source.table);
        selected.map(|selected| plan::column_map(&selected, selection.column_case())).unwrap_or_default()
    }

    fn row_operations(&self, source: &TableName) -> RowOperations {
        let list = self.selection().operations(&source.database, &source.table);
        let carried = |operation| list.contains(&operation);
        RowOperations {
            insert: carried(Operation::Insert),
            update: carried(Operation::Update),
            delete: carried(Operation::Delete),
            leaves_rows: ![Operation::Delete, Operation::TruncateTable, Operation::DropTable].into_iter().all(carried),
        }
    }

    fn carries(&self, source: &TableName, class: Class) -> bool {
        let operation = match class {
            Class::AlterTable => Operation::AlterTable,
            Class::AlterView => Operation::AlterView,
            Class::CreateFunction => Operation::CreateFunction,
            Class::CreateIndex => Operation::CreateIndex,
            Class::CreateProcedure => Operation::CreateProcedure,
            Class::CreateTable => Operation::CreateTable,
            Class::CreateView => Operation::CreateView,
            Class::DropIndex => Operation::DropIndex,
            Class::DropTable => Operation::DropTable,
            Class::RenameTable => Operation::RenameTable,
            Class::TruncateTable => Operation::TruncateTable,
            Class::Unlisted(_) | Class::Writes(_) | Class::MovesRows(_) | Class::Nothing | Class::RollbackTo => return true,
        };
        self.selection().operations(&source.database, &source.table).contains(&operation)
    }

    fn may_lack_columns(&self) -> bool {
        self.existing == ExistingTables::Ignore
    }

    fn shadow_of(&self, table: &TableName) -> Option<TableName> {
        let original = TableName::new(table.database.clone(), self.online.shadow_of(&table.table)?);
        self.table(&original).map(|_| original)
    }

    fn trash_of(&self, table: &TableName) -> Option<TableName> {
        let original = TableName::new(table.database.clone(), self.online.trash_of(&table.table)?);
        self.table(&original).map(|_| original)
    }
}

impl Execution<'_> {
    /// Follows until the goal is reached or somebody asks to stop.
    pub(super) fn follow_from(
        &self,
        source: &Login,
        destination: &MySqlDestination,
        progress: &TaskProgress,
        names: Arc<dyn Names>,
        carrier: &mut Carrier,
    ) -> Result<FollowOutcome, CommandError> {
        let clock = SourceClock::default();
        let beat = Beat {
            login: source.clone(),
            task: self.spec.name.clone(),
            write: self.spec.heartbeat.write,
            interval: self.spec.heartbeat.interval,
            needed: needed_after_copy(self.spec.source.engine),
            clock: clock.clone(),
            observer: Arc::clone(&self.observer) as Arc<dyn Observer>,
        };
        let _heartbeat = Heartbeat::start(beat)?;
        let starts = progress.tables.iter().filter_map(|t| Some((t.source.clone(), t.start_position.clone()?)));
        let settings = FollowSettings {
            source,
            destination,
            task: &self.spec.name,
            names,
            starts: starts.collect(),
            conflict: match self.spec.conflict.rows {
                RowConflict::Fail => OnConflict::Fail,
                RowConflict::Ignore => OnConflict::Ignore,
                RowConflict::Overwrite => OnConflict::Overwrite,
            },
            lanes: self.limits.threads(),
            limits: self.limits,
            retry: self.windows(),
            stop: self.stop,
            observer: self.observer.as_ref(),
            goal: self.goal,
            hold: self.hold,
            clock,
            spill: spill_folder(self.state_path),
            batch_rows: pause::batch_rows(),
            window: pause::memory(),
        };
        Ok(incremental::run(&settings, carrier)?)
    }

    /// Who carries statements; needs the task to be taken over by this run.
    pub(super) fn carrier(&self, run: u64, survey: &mut Survey, names: Arc<dyn Names>) -> Result<Carrier, CommandError> {
        let words = Words {
            from: survey.source.flavor(),
            to: survey.destination.flavor(),
            collations: survey.destination_catalog.collations.clone(),
            engines: survey.destination_catalog.engines.clone(),
            engine: match self.spec.schema.engine {
                StorageEngine::Innodb => "InnoDB",
                StorageEngine::XEngine => "XENGINE",
            },
        };
        Ok(Carrier::new(DdlSettings {
            task: self.spec.name.clone(),
            run,
            login: survey.destination_login.clone(),
            source: SourceFacts::read(&mut survey.source)?,
            names,
            translate: Arc::new(words),
            stop_on_error: self.spec.ddl_errors == DdlErrors::Stop,
            lock_timeout: self.lock_timeout,
            stop: self.stop.clone(),
            observer: Arc::clone(&self.observer) as Arc<dyn Observer>,
        }))
    }
}

/// Transactions that are held back and too large for memory lie beside the state file.
fn spill_folder(state: &Path) -> std::path::PathBuf {
    match state.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => ".".into(),
    }
}

/// What the destination makes of the source's words.
struct Words {
    from: Flavor,
    to: Flavor,
    collations: Vec<String>,
    engines: Vec<String>,
    engine: &'static str,
}

impl Translate for Words {
    fn collation(&self, source: &str) -> Option<String> {
        diff::collation_at(self.from, self.to, &self.collations, source).map(|(name, _)| name)
    }

    fn engine(&self, source: &str) -> Result<String, String> {
        if FOREIGN_ENGINES.iter().any(|engine| engine.eq_ignore_ascii_case(source)) {
            return Err(format!("tables of engine {source} hold no rows of their own"));
        }
        let known = self.engines.iter().find(|engine| engine.eq_ignore_ascii_case(self.engine));
        known.cloned().ok_or_else(|| format!("the destination has no engine {}", self.engine))
    }
}
