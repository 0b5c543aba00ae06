//! What `plan`, `apply` and `verify` do first: connect to both ends, read both catalogs, hold them against each other.

use super::{error::CommandError, login::login};
use crate::{
    catalog::{self, Catalog, TableName},
    clock::rfc3339,
    connect::{ConnectError, Login, Purpose, ServerInfo, Session},
    destination::{TaskProgress, mysql::read_progress},
    diff::{self, Diff, Existing, Mapping as _, Options, Stage},
    plan::{self, Plan, Progress, Scope, ServerFacts},
    precheck,
    spec::{ExistingTables, SecondaryIndexes, Spec, StorageEngine},
};

/// With `schema.secondary_indexes: auto`, indexes are built after the rows when the largest table holds at least this many bytes.
/// Below that, the extra statements cost more than they save.
const INDEXES_AFTER_BYTES: u64 = 16 << 20;

/// Both ends, logged in for reading catalogs.
pub(super) struct Ends {
    pub(super) source_login: Login,
    pub(super) destination_login: Login,
    pub(super) source: Session,
    pub(super) destination: Session,
}

impl Ends {
    /// Logs in at both ends.
    pub(super) fn connect(spec: &Spec) -> Result<Self, ConnectError> {
        let (source_login, destination_login) = (login(&spec.source), login(&spec.destination));
        let source = Session::open(&source_login, Purpose::Catalog)?;
        let destination = Session::open(&destination_login, Purpose::Catalog)?;
        Ok(Self { source_login, destination_login, source, destination })
    }
}

/// Both catalogs and what follows from them.
pub(super) struct Ground {
    pub(super) scope: Scope,
    pub(super) source: Catalog,
    pub(super) destination: Catalog,
    pub(super) source_info: ServerInfo,
    pub(super) destination_info: ServerInfo,
    pub(super) progress: Option<TaskProgress>,
    pub(super) diff: Diff,
}

impl Ground {
    /// Reads both catalogs and the task's progress at the destination, and compares.
    pub(super) fn read(spec: &Spec, ends: &mut Ends) -> Result<Self, CommandError> {
        let selection = spec.selection();
        let source = catalog::read(
            &mut ends.source,
            &catalog::Scope {
                database: &|name| selection.matches_database(name),
                table: &|table: &TableName| selection.table(&table.database, &table.table).is_some(),
            },
        )?;
        let (source_info, destination_info) = (ends.source.info().clone(), ends.destination.info().clone());
        let scope = Scope::new(selection, &source, &destination_info);
        let folds = destination_info.folds_names();
        let same = |a: &str, b: &str| a == b || folds && a.to_lowercase() == b.to_lowercase();
        let databases: Vec<&String> = scope.databases.values().collect();
        let wanted: std::collections::HashSet<TableName> = scope
            .pairs
            .iter()
            .map(|p| if folds { lower(&p.destination) } else { p.destination.clone() })
            .collect();
        let destination = catalog::read(
            &mut ends.destination,
            &catalog::Scope {
                database: &|name| databases.iter().any(|d| same(d, name)),
                table: &|table| wanted.contains(&if folds { lower(table) } else { table.clone() }),
            },
        )?;
        let progress = read_progress(&mut ends.destination, &spec.name)?;
        let mut ground = Self { scope, source, destination, source_info, destination_info, progress, diff: Diff::default() };
        ground.diff = ground.compare(spec);
        Ok(ground)
    }

    fn compare(&self, spec: &Spec) -> Diff {
        let created = |table: &TableName| self.progress.as_ref().is_some_and(|p| p.created(table));
        diff::changes(
            &self.source,
            &self.source_info,
            &self.destination,
            &self.destination_info,
            &self.scope,
            &Options {
                existing: match spec.conflict.existing_tables {
                    ExistingTables::Fail => Existing::Fail,
                    ExistingTables::Ignore => Existing::Ignore,
                    ExistingTables::Align => Existing::Align,
                },
                created_by_us: &created,
                secondary_indexes: self.secondary_indexes(spec.schema.secondary_indexes),
                engine: match spec.schema.engine {
                    StorageEngine::Innodb => Some("InnoDB".to_owned()),
                    StorageEngine::XEngine => Some("XENGINE".to_owned()),
                },
            },
        )
    }

    fn secondary_indexes(&self, wanted: SecondaryIndexes) -> Stage {
        let largest = self.source.tables.iter().filter(|t| self.scope.table(&t.name).is_some()).map(|t| t.data_bytes).max();
        match wanted {
            SecondaryIndexes::Before => Stage::Before,
            SecondaryIndexes::After => Stage::After,
            SecondaryIndexes::Auto if largest.unwrap_or(0) >= INDEXES_AFTER_BYTES => Stage::After,
            SecondaryIndexes::Auto => Stage::Before,
        }
    }

    /// What earlier applies did, as the plan wants it.
    pub(super) fn done(&self) -> Progress {
        let tables = self.progress.iter().flat_map(|p| &p.tables);
        let mut done = Progress::default();
        for table in tables {
            if table.created_here {
                done.created.insert(table.destination.clone());
            }
            if table.ranges.iter().any(|r| r.chunks > 0 || r.finished) {
                done.started.insert(table.source.clone());
            }
            if table.copied {
                done.copied.insert(table.source.clone());
            }
        }
        done
    }

    fn facts<'a>(address: &'a str, info: &'a ServerInfo, catalog: &'a Catalog) -> ServerFacts<'a> {
        ServerFacts { address, info, catalog }
    }

    /// Runs the prechecks and puts the plan together.
    pub(super) fn plan(
        &self,
        spec: &Spec,
        ends: &mut Ends,
        now: std::time::SystemTime,
        allow_unsafe: &[String],
    ) -> Result<Plan, CommandError> {
        let (source_address, destination_address) = (ends.source.address().to_owned(), ends.destination.address().to_owned());
        let (source_login, destination_login) = (ends.source_login.clone(), ends.destination_login.clone());
        let gathered = precheck::gather(
            precheck::Ends {
                source: &mut ends.source,
                destination: &mut ends.destination,
                source_login: &source_login,
                destination_login: &destination_login,
            },
            spec,
            &self.scope,
            &self.source,
            &self.destination,
            &|_, column| column.collation.clone(),
        )?;
        let done = self.done();
        let source = Self::facts(&source_address, &self.source_info, &self.source);
        let destination = Self::facts(&destination_address, &self.destination_info, &self.destination);
        let findings =
            precheck::run(&precheck::Facts::new(spec, source, destination, &self.scope, &done, &self.diff, &gathered));
        Ok(plan::build(plan::Inputs {
            spec,
            created_at: rfc3339(crate::clock::milliseconds(now)),
            source,
            destination,
            scope: &self.scope,
            changes: &self.diff.changes,
            progress: &done,
            findings,
            allow_unsafe,
        }))
    }
}

fn lower(name: &TableName) -> TableName {
    TableName::new(name.database.to_lowercase(), name.table.to_lowercase())
}
