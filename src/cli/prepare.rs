//! From a spec to a plan: opens both ends, reads both catalogs and the progress, runs the prechecks. What `plan` shows and `apply` runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use super::{error::CommandError, login::login};
use crate::{
    binlog::{self, BinlogError, Position},
    catalog::{self, Catalog, Column, Fingerprint, TableName},
    clock,
    connect::{Login, Purpose, Session},
    ddl::account::AccountName,
    destination::{TaskProgress, mysql},
    diff::{self, Act, Change, Diff, Existing, ObjectKind, Risk, Stage, accounts::Hashed},
    plan::{self, FollowFrom, FollowState, Plan, Progress, Scope, ServerFacts},
    precheck::{self, Ends, Facts},
    spec::{ExistingTables, SecondaryIndexes, Spec, StorageEngine, TriggerMode},
};

/// Both ends open, and all that was read of them.
pub struct Survey {
    /// The source, for the catalog.
    pub source: Session,
    /// The destination, for the catalog.
    pub destination: Session,
    /// How to open more sessions at the source.
    pub source_login: Login,
    /// How to open more sessions at the destination.
    pub destination_login: Login,
    /// What the source holds of the selection.
    pub source_catalog: Catalog,
    /// What the destination holds under these names.
    pub destination_catalog: Catalog,
    /// The selection, applied.
    pub scope: Scope,
    /// The changes.
    pub diff: Diff,
    /// What the destination says that earlier applies have done; `None` before the first.
    pub progress: Option<TaskProgress>,
    /// Statements that hold a password's hash, by the text that the plan shows.
    pub hashed: Hashed,
}

impl Survey {
    /// A change that loses nothing and is still to be made.
    pub fn still_to_do(&self, stages: &[Stage]) -> Option<&Change> {
        self.diff.changes.iter().find(|c| c.risk == Risk::Safe && stages.contains(&c.stage))
    }
}

/// A survey and the plan that follows from it.
pub struct Prepared {
    /// What was read.
    pub survey: Survey,
    /// The plan.
    pub plan: Plan,
}

/// Prepares a plan. `allow_unsafe` are ids of actions permitted on the command line.
pub fn prepare(spec: &Spec, allow_unsafe: &[String], now: SystemTime) -> Result<Prepared, CommandError> {
    let mut survey = survey(spec)?;
    let plan = plan_of(&mut survey, spec, allow_unsafe, now)?;
    Ok(Prepared { survey, plan })
}

/// Opens both ends, reads what the spec selects of them, and compares.
pub fn survey(spec: &Spec) -> Result<Survey, CommandError> {
    let (source_login, destination_login) = (login(&spec.source), login(&spec.destination));
    let mut source = Session::open(&source_login, Purpose::Catalog)?;
    let mut destination = Session::open(&destination_login, Purpose::Catalog)?;
    let selection = spec.selection();
    let source_catalog = catalog::read(
        &mut source,
        &catalog::Scope {
            database: &|name| selection.matches_database(name),
            table: &|name| selection.table(&name.database, &name.table).is_some(),
        },
    )?;
    let scope = Scope::new(selection, &source_catalog, destination.info());
    let destination_catalog = read_destination(&mut destination, &scope)?;
    let task = mysql::read_progress(&mut destination, &spec.name)?;
    let progress = progress_of(task.as_ref(), &scope);
    let mut diff = changes(spec, &scope, &progress, (&source_catalog, &source), (&destination_catalog, &destination));
    let hashed = accounts(spec, &scope, task.as_ref(), (&source_catalog, &mut source), &mut destination, &mut diff)?;
    let progress = task;
    Ok(Survey { source, destination, source_login, destination_login, source_catalog, destination_catalog, scope, diff, progress, hashed })
}

/// Adds what makes the accounts that the spec asks for.
fn accounts(
    spec: &Spec,
    scope: &Scope,
    task: Option<&TaskProgress>,
    source: (&Catalog, &mut Session),
    destination: &mut Session,
    diff: &mut Diff,
) -> Result<Hashed, CommandError> {
    let patterns = &spec.accounts.migrate;
    if patterns.is_empty() {
        return Ok(Hashed::new());
    }
    let wanted = |name: &AccountName| patterns.iter().any(|pattern| pattern.matches(&name.user, &name.host));
    let found = catalog::accounts::read_source(source.1, &wanted)?;
    let there = catalog::accounts::read_destination(destination)?;
    let nothing = BTreeMap::new();
    Ok(diff::accounts::accounts(
        &diff::accounts::Accounts {
            source: &found,
            source_info: source.1.info(),
            catalog: source.0,
            destination: &there,
            destination_info: destination.info(),
            mapping: scope,
            begun: task.map_or(&nothing, |task| &task.accounts),
        },
        diff,
    ))
}

fn plan_of(survey: &mut Survey, spec: &Spec, allow_unsafe: &[String], now: SystemTime) -> Result<Plan, CommandError> {
    let Survey { source, destination, source_login, destination_login, source_catalog, destination_catalog, scope, diff, progress, .. } =
        survey;
    let task = progress.as_ref();
    let progress = progress_of(task, scope);
    let kept = collations(spec, scope, &diff.changes, destination_catalog);
    let gathered = precheck::gather(
        Ends { source, destination, source_login, destination_login },
        spec,
        scope,
        source_catalog,
        destination_catalog,
        &|table: &TableName, column: &Column| kept.get(table)?.get(&column.name.to_lowercase()).cloned(),
    )?;
    let begin = spec.phases.incremental.then(|| begins(spec, task));
    let another = match &begin {
        Some(begin) => another(source, source_login, &spec.name, begin)?,
        None => None,
    };
    let source_facts = ServerFacts { address: source.address(), info: source.info(), catalog: source_catalog };
    let destination_facts = ServerFacts { address: destination.address(), info: destination.info(), catalog: destination_catalog };
    let facts = Facts::new(spec, source_facts, destination_facts, scope, &progress, diff, &gathered);
    let follow = begin.map(|begin| follow_of(spec, task, &facts, begin, another));
    let nothing = Diff::default();
    let mut facts = Facts { follow: follow.as_ref(), ..facts };
    if facts.follows_already() {
        // Whatever is at the destination came from here, and what differs is the lag.
        facts.diff = &nothing;
        facts.tables.iter_mut().for_each(|table| table.owned = true);
    }
    let findings = precheck::run(&facts);
    Ok(plan::build(plan::Inputs {
        spec,
        created_at: clock::rfc3339(clock::milliseconds(now)),
        source: source_facts,
        destination: destination_facts,
        scope,
        changes: &diff.changes,
        cutover: &diff.cutover,
        progress: &progress,
        follow: follow.clone(),
        findings,
        allow_unsafe,
    }))
}

/// Only what bears a name that the selection goes to, in any letter case where that does not count.
fn read_destination(session: &mut Session, scope: &Scope) -> Result<Catalog, CommandError> {
    let folds = session.info().folds_names();
    let key = |name: &str| if folds { name.to_lowercase() } else { name.to_owned() };
    let databases: BTreeSet<String> = scope.databases.values().map(|name| key(name)).collect();
    let tables: BTreeSet<(String, String)> =
        scope.pairs.iter().map(|p| (key(&p.destination.database), key(&p.destination.table))).collect();
    Ok(catalog::read(
        session,
        &catalog::Scope {
            database: &|name| databases.contains(&key(name)),
            table: &|name| tables.contains(&(key(&name.database), key(&name.table))),
        },
    )?)
}

/// What the plan must know of a task's progress. What was copied to another table than the spec names now says nothing.
pub fn progress_of(task: Option<&TaskProgress>, scope: &Scope) -> Progress {
    let mut progress = Progress::default();
    for table in task.iter().flat_map(|t| &t.tables) {
        if table.created_here {
            progress.created.insert(table.destination.clone());
        }
        if scope.pair(&table.source).is_some_and(|pair| pair.destination != table.destination) {
            continue;
        }
        if !table.ranges.is_empty() {
            progress.started.insert(table.source.clone());
            progress.filters.insert(table.source.clone(), table.filter.clone());
        }
        if table.start_position.is_none() && table.ranges.iter().any(|r| r.chunks > 0) {
            progress.unplaced.insert(table.source.clone());
        }
        if table.copied {
            progress.copied.insert(table.source.clone());
        }
    }
    progress
}

/// Where the binlog is followed from, and the position at which reading begins.
struct Begin {
    from: FollowFrom,
    read: Option<Position>,
}

/// Behind what is applied, else from what was noted before the copy, else as the spec says.
fn begins(spec: &Spec, task: Option<&TaskProgress>) -> Begin {
    let noted = || serde_json::from_str::<Position>(task?.source_position.as_ref()?).ok();
    match task.and_then(|task| task.following.as_ref()) {
        Some(following) => {
            let read = following.read_from.as_ref().unwrap_or(&following.position);
            Begin { from: FollowFrom::Applied(following.position.clone()), read: Some(read.clone()) }
        }
        None => match noted() {
            Some(position) => Begin { from: FollowFrom::Noted(position.clone()), read: Some(position) },
            None if spec.phases.full => Begin { from: FollowFrom::Now, read: None },
            None => Begin { from: FollowFrom::Asked(spec.start.clone()), read: None },
        },
    }
}

/// By what it is seen that the source's binlog file is another one than the one that was read.
fn another(source: &mut Session, login: &Login, task: &str, begin: &Begin) -> Result<Option<String>, CommandError> {
    let (FollowFrom::Applied(position) | FollowFrom::Noted(position)) = &begin.from else { return Ok(None) };
    match binlog::is_what_was_read(source, login, task, position) {
        Err(error @ BinlogError::Another { .. }) => Ok(Some(error.to_string())),
        Err(BinlogError::Connect(error)) if error.is_connection() => Err(error.into()),
        // The account may lack the right, which another check says.
        _ => Ok(None),
    }
}

/// What is known of the place from which the binlog is followed.
fn follow_of(spec: &Spec, task: Option<&TaskProgress>, facts: &Facts<'_>, begin: Begin, another: Option<String>) -> FollowState {
    let Begin { from, read } = begin;
    let (binlog, info) = (&facts.gathered.binlog, facts.source.info);
    let following = task.and_then(|task| task.following.as_ref());
    let held = match (&read, &from) {
        _ if another.is_some() => Some(false),
        (Some(position), _) => binlog.holds(position, info),
        (None, FollowFrom::Asked(start)) => binlog.holds_start(start, info),
        (None, _) => Some(true),
    };
    FollowState {
        from,
        held,
        another,
        oldest: binlog.oldest().map(str::to_owned),
        heartbeat: spec.heartbeat.write && precheck::may_beat(facts),
        selection_changed: following.is_some_and(|f| !f.selection.is_empty() && f.selection != selection_digest(spec)),
    }
}

/// Digest of what the spec selects and how it is called at the destination.
pub(super) fn selection_digest(spec: &Spec) -> String {
    let of = |key: &str| spec.resolved.get(key).map(ToString::to_string).unwrap_or_default();
    Fingerprint::of([of("objects").as_str(), &of("names")]).as_str().to_owned()
}

fn changes(spec: &Spec, scope: &Scope, progress: &Progress, source: (&Catalog, &Session), destination: (&Catalog, &Session)) -> Diff {
    // Written to is not created: a table that was there before is altered only as `existing_tables` says, also after an apply.
    let ours = |table: &TableName| progress.created.contains(table);
    let options = diff::Options {
        existing: match spec.conflict.existing_tables {
            ExistingTables::Fail => Existing::Fail,
            ExistingTables::Ignore => Existing::Ignore,
            ExistingTables::Align => Existing::Align,
        },
        created_by_us: &ours,
        guarded_triggers: spec.schema.triggers == TriggerMode::Auto,
        secondary_indexes: match spec.schema.secondary_indexes {
            SecondaryIndexes::Before => Stage::Before,
            SecondaryIndexes::After => Stage::After,
            // Loading first and building the indexes afterwards cost the servers a fifth to a third less (traps.md part 3).
            SecondaryIndexes::Auto if spec.phases.full => Stage::After,
            SecondaryIndexes::Auto => Stage::Before,
        },
        engine: match spec.schema.engine {
            StorageEngine::Innodb => Some("InnoDB".to_owned()),
            StorageEngine::XEngine => Some("XENGINE".to_owned()),
        },
    };
    diff::changes(source.0, source.1.info(), destination.0, destination.1.info(), scope, &options)
}

type Collations = BTreeMap<TableName, BTreeMap<String, String>>;

/// Collations that the columns of source tables will have at the destination, by lower-case column name: those of a table that is used as
/// it is, or those that the definition of a table to be made names.
fn collations(spec: &Spec, scope: &Scope, changes: &[Change], destination: &Catalog) -> Collations {
    let mut collations = Collations::new();
    let made: BTreeMap<&TableName, &str> = changes
        .iter()
        .filter(|c| c.kind == ObjectKind::Table && c.act == Act::Create)
        .filter_map(|c| Some((c.table.as_ref()?, c.after.as_deref()?)))
        .collect();
    for pair in &scope.pairs {
        let columns = match (made.get(&pair.destination), destination.table(&pair.destination)) {
            (Some(definition), _) => named_collations(definition),
            (None, Some(table)) if spec.conflict.existing_tables == ExistingTables::Ignore || !spec.phases.schema => {
                table.columns.iter().filter_map(|c| Some((c.name.to_lowercase(), c.collation.clone()?))).collect()
            }
            _ => continue,
        };
        collations.insert(pair.source.clone(), columns);
    }
    collations
}

/// Collations that a definition names for its columns. A definition has one column a line, its name between backticks first.
fn named_collations(definition: &str) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for line in definition.lines() {
        let Some(rest) = line.trim_start().strip_prefix('`') else { continue };
        let Some((name, rest)) = rest.split_once('`') else { continue };
        // Comments and defaults stand behind the collation.
        if let Some((before, after)) = rest.split_once(" COLLATE ")
            && !before.contains('\'')
        {
            let collation: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            named.insert(name.to_lowercase(), collation);
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collations_are_read_from_a_definition() {
        let definition = "CREATE TABLE `t` (\n  `A` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,\n  \
                          `b` int DEFAULT NULL COMMENT ' COLLATE x',\n  KEY `k` (`A`)\n)";
        let named = named_collations(definition);
        assert_eq!(named.into_iter().collect::<Vec<_>>(), [("a".to_owned(), "utf8mb4_bin".to_owned())]);
    }
}
