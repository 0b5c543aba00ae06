//! The incremental phase of an apply: from the noted position on, with the definitions of then.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{execute::Execution, pause};
use crate::{
    catalog::TableName,
    cli::{error::CommandError, prepare::Survey},
    connect::Login,
    destination::{TaskProgress, change::OnConflict, mysql::MySqlDestination},
    event::Observer,
    phase::incremental::{
        self, FollowOutcome, FollowSettings,
        ddl::{Carried, DdlError, Judgement, Occurrence, Statements},
        heartbeat::{Beat, Heartbeat, SourceClock},
        history::History,
        names::Names,
    },
    spec::{NameCase, ObjectSelection, RowConflict, Selection, Spec},
};

/// What the spec selects, for the phase to ask.
pub(super) struct SpecNames {
    objects: Vec<ObjectSelection>,
    case: NameCase,
    table_names: u64,
    /// Selected by name and yet not carried.
    skipped: BTreeSet<TableName>,
}

impl SpecNames {
    pub(super) fn new(spec: &Spec, survey: &Survey) -> Self {
        Self {
            objects: spec.objects.clone(),
            case: spec.names.case,
            table_names: survey.destination.info().number("lower_case_table_names").unwrap_or(0),
            skipped: survey.scope.skipped.iter().map(|skipped| skipped.table.clone()).collect(),
        }
    }

    fn selection(&self) -> Selection<'_> {
        Selection::new(&self.objects).written(self.case).at(self.table_names)
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
}

impl Execution<'_> {
    /// Follows until the goal is reached or somebody asks to stop.
    pub(super) fn follow_from(
        &self,
        source: &Login,
        destination: &MySqlDestination,
        progress: &TaskProgress,
        names: Arc<dyn Names>,
        history: &mut History,
    ) -> Result<FollowOutcome, CommandError> {
        let clock = SourceClock::default();
        let beat = Beat {
            login: source.clone(),
            task: self.spec.name.clone(),
            write: self.spec.heartbeat.write,
            interval: self.spec.heartbeat.interval,
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
            clock,
            spill: spill_folder(self.state_path),
            batch_rows: pause::batch_rows(),
            window: pause::memory(),
        };
        let mut statements = Carrier;
        Ok(incremental::run(&settings, &mut statements, history)?)
    }
}

/// Transactions that are held back and too large for memory lie beside the state file.
fn spill_folder(state: &Path) -> std::path::PathBuf {
    match state.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => ".".into(),
    }
}

/// Until statements are carried: none may be about what is selected.
struct Carrier;

impl Statements for Carrier {
    fn judge(&mut self, at: Occurrence<'_>, history: &History) -> Result<Judgement, DdlError> {
        let ours = history.tables().any(|(name, _)| name.database == at.statement.database);
        if !ours {
            return Ok(Judgement::Pass);
        }
        Err(DdlError::Stop {
            code: "ddl-not-carried",
            statement: "a statement".to_owned(),
            place: at.statement.place.to_string(),
            reason: "statements are not carried yet".to_owned(),
            hint: "none".to_owned(),
        })
    }

    fn carry(&mut self, _: Occurrence<'_>, _: &mut History, _: &mut Vec<TableName>) -> Result<Carried, DdlError> {
        Ok(Carried::Skipped)
    }
}
