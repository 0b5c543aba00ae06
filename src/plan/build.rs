//! Puts a plan together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    finding::{Finding, FindingCode, Severity},
    follow::{self, FollowFrom, FollowState},
    limits::limits,
    model::*,
    progress::Progress,
    saved,
    scope::{Pair, Scope},
};
use crate::{
    catalog::{Catalog, Fingerprint, Table, TableName, Walk},
    connect::ServerInfo,
    diff::{Act, Change, Cutover, ObjectKind, Part, Risk, Stage},
    event::Phase,
    spec::{Allowance, ExistingTables, Spec},
};

/// Bytes of estimated data that one chunk is expected to hold. An estimate for the reader; the copy sizes its chunks as it goes.
const CHUNK_BYTES: u64 = 16 << 20;

/// Settings of a server that decisions hang on and that a saved plan is bound to.
const SETTINGS: &[&str] = &[
    "character_set_server",
    "innodb_default_row_format",
    "innodb_page_size",
    "innodb_read_only",
    "innodb_strict_mode",
    "local_infile",
    "lower_case_table_names",
    "max_allowed_packet",
    "read_only",
    "sql_generate_invisible_primary_key",
    "sql_require_primary_key",
    "super_read_only",
];

/// One server as the caller knows it.
#[derive(Debug, Clone, Copy)]
pub struct ServerFacts<'a> {
    /// `host:port` or the socket's path.
    pub address: &'a str,
    /// What the server says of itself.
    pub info: &'a ServerInfo,
    /// What was read of it.
    pub catalog: &'a Catalog,
}

/// All that a plan is made of.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The spec.
    pub spec: &'a Spec,
    /// Now, RFC 3339 in UTC.
    pub created_at: String,
    /// The source.
    pub source: ServerFacts<'a>,
    /// The destination.
    pub destination: ServerFacts<'a>,
    /// The selected tables.
    pub scope: &'a Scope,
    /// The changes of the diff, in the order in which they run.
    pub changes: &'a [Change],
    /// What the diff leaves for the cutover.
    pub cutover: &'a [Cutover],
    /// What earlier applies have done.
    pub progress: &'a Progress,
    /// Where the binlog is followed from, when it is.
    pub follow: Option<FollowState>,
    /// Results of the prechecks.
    pub findings: Vec<Finding>,
    /// Ids of `--allow-unsafe`.
    pub allow_unsafe: &'a [String],
}

#[derive(Clone, Copy)]
struct Phases {
    schema: bool,
    full: bool,
}

/// Makes the plan. Equal inputs, apart from `created_at`, give an equal plan with an equal id.
pub fn build(inputs: Inputs<'_>) -> Plan {
    let failed = failed_objects(&inputs.findings);
    let mut actions = Vec::new();
    // Once the binlog is followed, it brings what the source's definitions have become since, each at its place among the rows. What a
    // comparison of the two catalogs finds is then nothing but the lag.
    let follows_already = inputs.follow.as_ref().is_some_and(|f| matches!(f.from, FollowFrom::Applied(_)));
    let phases = Phases { schema: inputs.spec.phases.schema && !follows_already, full: inputs.spec.phases.full && !follows_already };
    let schema = |stage| inputs.changes.iter().filter(move |c| c.stage == stage && phases.schema);
    actions.extend(schema(Stage::Before).map(|c| from_change(c, &inputs)));
    if phases.full {
        actions.extend(copies(&inputs));
    }
    actions.extend(schema(Stage::After).map(|c| from_change(c, &inputs)));
    actions.extend(inputs.follow.as_ref().map(|state| follow::action(&inputs, state)));
    for (index, action) in actions.iter_mut().enumerate() {
        action.id = format!("a{}", index + 1);
        if let ActionRisk::Unsafe { .. } = action.risk
            && !action.permitted
            && inputs.allow_unsafe.contains(&action.id)
        {
            action.permitted = true;
            action.permitted_by = Some(PermittedBy::AllowUnsafe);
        }
        if let Some(code) = failed.get(action.object.as_str())
            && action.permitted
        {
            action.permitted = false;
            action.code = Some((*code).clone());
        }
    }
    let touched: BTreeSet<&str> = actions.iter().map(|a| a.object.as_str()).collect();
    let mut unchanged: Vec<String> =
        inputs.scope.pairs.iter().map(|p| p.destination.to_string()).filter(|name| !touched.contains(name.as_str())).collect();
    unchanged.sort();
    let mut plan = Plan {
        format_version: format!("{}.{}", FORMAT.0, FORMAT.1),
        id: String::new(),
        created_at: inputs.created_at.clone(),
        spec: SpecMark { name: inputs.spec.name.clone(), digest: inputs.spec.digest.clone() },
        source: server(inputs.source),
        destination: server(inputs.destination),
        position: inputs.follow.as_ref().map(follow::position),
        objects: digests(&inputs),
        summary: summary(&actions),
        limits: limits(&inputs, &actions),
        actions,
        unchanged,
        cutover: if inputs.spec.phases.schema { inputs.cutover.to_vec() } else { Vec::new() },
        findings: inputs.findings,
    };
    plan.id = saved::id_of(&plan);
    plan
}

/// Objects for which a precheck failed, and its code.
fn failed_objects(findings: &[Finding]) -> HashMap<&str, FindingCode> {
    findings
        .iter()
        .filter(|f| f.blocks() && f.severity == Severity::Failed)
        .filter_map(|f| Some((f.object.as_deref()?, f.code.clone())))
        .rev()
        .collect()
}

fn from_change(change: &Change, inputs: &Inputs<'_>) -> Action {
    let (risk, code, permitted, permitted_by) = match &change.risk {
        Risk::Safe => (ActionRisk::Safe, None, true, None),
        Risk::Unsafe { action, column } => {
            let by_spec = inputs.spec.allow.iter().any(|a| permits(a, change));
            let risk = ActionRisk::Unsafe { action: *action, column: column.clone() };
            (risk, Some(FindingCode::new(action.code())), by_spec, by_spec.then_some(PermittedBy::Spec))
        }
        Risk::Unsupported { code, reason } => {
            (ActionRisk::Unsupported { reason: reason.clone() }, Some(FindingCode::new(*code)), false, None)
        }
    };
    let renamed = change.source != change.destination;
    let (table, source_table) = match change.kind {
        ObjectKind::Table => {
            let pair = inputs.scope.pairs.iter().find(|p| Some(&p.destination) == change.table.as_ref());
            (change.table.clone(), pair.map(|p| p.source.clone()))
        }
        // Named like a table, as MariaDB does, so that what created it is known.
        ObjectKind::Sequence => inputs
            .scope
            .sequences
            .iter()
            .find(|(source, _)| source.to_string() == change.source)
            .map_or((None, None), |(source, destination)| (Some(destination.clone()), Some(source.clone()))),
        _ => (None, None),
    };
    let what = match change.act {
        Act::Create if renamed && change.part == Part::Definition => format!("{} from {}", change.what, change.source),
        _ => change.what.clone(),
    };
    Action {
        id: String::new(),
        phase: if change.stage == Stage::Before { Phase::Schema } else { Phase::Finish },
        act: match change.act {
            Act::Create => ActionKind::Create,
            Act::Alter => ActionKind::Alter,
            Act::Drop => ActionKind::Drop,
        },
        kind: change.kind.name().to_owned(),
        object: change.destination.clone(),
        source: renamed.then(|| change.source.clone()),
        table,
        source_table,
        what,
        rows: None,
        bytes: None,
        copy: None,
        follow: None,
        risk,
        code,
        permitted,
        permitted_by,
        part: Some(change.part),
        outside: change.outside,
        statements: change.statements.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
    }
}

/// Whether an entry of `allow` is meant for this change.
fn permits(allowance: &Allowance, change: &Change) -> bool {
    let (Risk::Unsafe { action, column }, Some(table)) = (&change.risk, &change.table) else { return false };
    allowance.permits(*action, &table.database, &table.table, column.as_deref())
}

fn copies<'a>(inputs: &'a Inputs<'_>) -> impl Iterator<Item = Action> + 'a {
    let tables: HashMap<&TableName, &Table> = inputs.source.catalog.tables.iter().map(|t| (&t.name, t)).collect();
    let at_destination: HashMap<&TableName, &Table> = inputs.destination.catalog.tables.iter().map(|t| (&t.name, t)).collect();
    let by_destination = |act: Act| {
        let wanted = move |c: &&Change| c.kind == ObjectKind::Table && c.act == act && c.part == Part::Definition;
        inputs.changes.iter().filter(wanted).filter_map(|c| c.table.as_ref()).collect::<BTreeSet<_>>()
    };
    let made_anew = by_destination(Act::Create);
    let unsupported: HashMap<&TableName, (&'static str, &str)> = inputs
        .changes
        .iter()
        .filter_map(|c| match (&c.risk, &c.table) {
            (Risk::Unsupported { code, reason }, Some(table)) => Some((table, (*code, reason.as_str()))),
            _ => None,
        })
        .collect();
    let mut pairs: Vec<&Pair> = inputs.scope.pairs.iter().collect();
    pairs.sort_by(|a, b| a.destination.cmp(&b.destination).then_with(|| a.source.cmp(&b.source)));
    pairs.into_iter().filter_map(move |pair| {
        let table = *tables.get(&pair.source)?;
        let anew = inputs.spec.phases.schema && made_anew.contains(&pair.destination);
        if inputs.progress.copied.contains(&pair.source) && !anew {
            return None;
        }
        // Said once: the schema action is blocked already, and a copy without its table would say nothing new.
        if inputs.spec.phases.schema && unsupported.contains_key(&pair.destination) {
            return None;
        }
        let mut action = copy(table, pair, inputs, at_destination.get(&pair.destination).copied(), anew);
        let nothing = match &action.copy {
            Some(CopyShape { columns: Some(common), .. }) => common.is_empty(),
            _ => table.copied_columns().is_empty(),
        };
        // A row without a value cannot be written, and how many there are would be all that arrives.
        let without_values = || nothing.then(|| format!("{}: no column holds a value that could be copied", pair.source));
        let key_left_out = || {
            let mut key = table.walk_key()?.parts.iter().filter_map(|p| p.column).map(|c| &table.columns[c].name);
            let lost = key.find(|name| pair.columns.name(name).is_none())?;
            Some(format!("{}: column {lost} of its key is left out, and rows cannot be told apart without it", pair.source))
        };
        if let Some(reason) = table.unsupported.clone().or_else(without_values).or_else(key_left_out) {
            action.permitted = false;
            action.code = Some(FindingCode::new(crate::diff::unsupported::DEFINITION));
            action.risk = ActionRisk::Unsupported { reason };
        }
        Some(action)
    })
}

fn copy(table: &Table, pair: &Pair, inputs: &Inputs<'_>, existing: Option<&Table>, anew: bool) -> Action {
    let existing = existing.filter(|_| !anew);
    let keep_existing = inputs.spec.conflict.existing_tables == ExistingTables::Ignore
        && existing.is_some()
        && !inputs.progress.created.contains(&pair.destination);
    let (key, nullable) = match table.walk() {
        Walk::Key(columns) => (columns, false),
        Walk::NullableKey(columns) => (columns, true),
        Walk::Whole => (Vec::new(), false),
    };
    let key: Vec<String> = key.into_iter().map(|c| table.columns[c].name.clone()).collect();
    let chunks = if key.is_empty() { 1 } else { table.bytes_estimate().div_ceil(CHUNK_BYTES).max(1) };
    let columns = carried_columns(table, pair, existing.filter(|_| keep_existing));
    let mut what = match (key.is_empty(), chunks) {
        (true, _) => "one snapshot, no key".to_owned(),
        (false, 1) => format!("1 chunk by {}", key.join(", ")),
        (false, n) => format!("~{n} chunks by {}", key.join(", ")),
    };
    if nullable {
        what.push_str(", NULLs apart");
    }
    if let Some(columns) = &columns {
        what.push_str(&format!(", {} of {} columns", columns.len(), table.copied_columns().len()));
    }
    if keep_existing {
        what.push_str(", rows that exist are kept");
    }
    let filter = pair.columns.rows().map(|rows| rows.condition.text().to_owned());
    if let Some(filter) = &filter {
        what.push_str(&format!(", where {}", one_line(filter)));
    }
    if pair.source != pair.destination {
        what.push_str(&format!(", from {}", pair.source));
    }
    if inputs.progress.started.contains(&pair.source) && !anew {
        what.insert_str(0, "go on: ");
    }
    Action {
        id: String::new(),
        phase: Phase::Full,
        act: ActionKind::Copy,
        kind: "table".to_owned(),
        object: pair.destination.to_string(),
        source: (pair.source != pair.destination).then(|| pair.source.to_string()),
        table: Some(pair.destination.clone()),
        source_table: Some(pair.source.clone()),
        what,
        rows: Some(table.rows_estimate),
        bytes: Some(table.bytes_estimate()),
        copy: Some(CopyShape { chunks, key, nullable, keep_existing, columns, filter }),
        follow: None,
        risk: ActionRisk::Safe,
        code: None,
        permitted: true,
        permitted_by: None,
        part: None,
        outside: false,
        statements: Vec::new(),
        before: None,
        after: None,
    }
}

/// A condition as the table of actions shows it: its JSON has all of it.
fn one_line(condition: &str) -> String {
    const MOST: usize = 120;
    let line = condition.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST { line } else { line.chars().take(MOST - 3).chain("...".chars()).collect() }
}

/// Names of the source's columns that are selected and that an existing table can take, when these are not all.
fn carried_columns(source: &Table, pair: &Pair, existing: Option<&Table>) -> Option<Vec<String>> {
    let takes = |name: &str| {
        let called =
            |table: &Table| table.columns.iter().any(|c| !c.generated && !c.row_period && c.name.to_lowercase() == name.to_lowercase());
        existing.is_none_or(called)
    };
    let all = source.copied_columns();
    let names = all.iter().map(|&c| &source.columns[c].name);
    let carried: Vec<String> = names.filter(|name| pair.columns.name(name).is_some_and(|new| takes(&new))).cloned().collect();
    (carried.len() < all.len()).then_some(carried)
}

fn server(facts: ServerFacts<'_>) -> Server {
    let info = facts.info;
    let (major, minor, patch) = info.flavor.version;
    let settings: BTreeMap<String, String> =
        SETTINGS.iter().filter_map(|name| Some(((*name).to_owned(), info.variable(name)?.to_owned()))).collect();
    Server {
        address: facts.address.to_owned(),
        vendor: info.flavor.vendor,
        version: format!("{major}.{minor}.{patch}"),
        version_text: info.version_text.clone(),
        identity: info.identity.clone(),
        account: info.account.clone(),
        settings,
    }
}

/// Digests of the selected objects of the source, and of what their names mean at the destination.
fn digests(inputs: &Inputs<'_>) -> Vec<ObjectDigest> {
    let mut digests = Vec::new();
    let mut add = |side, kind: &str, name: String, fingerprint: Fingerprint| {
        digests.push(ObjectDigest { side, kind: kind.to_owned(), name, digest: fingerprint.as_str().to_owned() });
    };
    let scope = inputs.scope;
    let destinations: BTreeSet<&TableName> = scope.pairs.iter().map(|p| &p.destination).collect();
    let target_databases: BTreeSet<&str> = scope.databases.values().map(String::as_str).collect();
    for database in inputs.source.catalog.databases.iter().filter(|d| scope.databases.contains_key(&d.name)) {
        add(Side::Source, "database", database.name.clone(), database.fingerprint());
    }
    for table in inputs.source.catalog.tables.iter().filter(|t| scope.pair(&t.name).is_some()) {
        add(Side::Source, "table", table.name.to_string(), table.fingerprint());
    }
    for object in inputs.source.catalog.others.iter().filter(|o| scope.whole.contains(&o.database)) {
        add(Side::Source, &object.kind, format!("{}.{}", object.database, object.name), object.fingerprint());
    }
    for database in inputs.destination.catalog.databases.iter().filter(|d| target_databases.contains(d.name.as_str())) {
        add(Side::Destination, "database", database.name.clone(), database.fingerprint());
    }
    for table in inputs.destination.catalog.tables.iter().filter(|t| destinations.contains(&t.name)) {
        add(Side::Destination, "table", table.name.to_string(), table.fingerprint());
    }
    digests.sort();
    digests
}

fn summary(actions: &[Action]) -> Summary {
    let mut summary = Summary::default();
    let mut acts: BTreeMap<(&str, &str), ActionKind> = BTreeMap::new();
    for action in actions {
        if !action.permitted {
            summary.blocked += 1;
            continue;
        }
        match action.act {
            ActionKind::Copy => {
                summary.copy_tables += 1;
                summary.copy_rows += action.rows.unwrap_or(0);
                summary.copy_bytes += action.bytes.unwrap_or(0);
            }
            ActionKind::Follow => summary.follow = true,
            act => {
                // An object that is created and gets its indexes later is one creation.
                let entry = acts.entry((&action.kind, &action.object)).or_insert(act);
                *entry = (*entry).min(act);
            }
        }
    }
    for act in acts.values() {
        match act {
            ActionKind::Create => summary.create += 1,
            ActionKind::Alter => summary.alter += 1,
            _ => summary.drop += 1,
        }
    }
    summary
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
