//! What the plan says of the incremental phase: where it begins, and what it will do about each kind of statement.

use serde::{Deserialize, Serialize};

use super::{
    build::Inputs,
    finding::FindingCode,
    model::{Action, ActionKind, ActionRisk},
    scope::Pair,
};
use crate::{
    binlog::Position,
    ddl::condition::FilterOn,
    event::Phase,
    spec::{DdlErrors, Operation, RowConflict, Start},
};

/// The check that explains why a position cannot be followed from.
const POSITION_CHECK: &str = "DT267";

/// Databases named in the action's object.
const NAMED: usize = 3;

/// Where the incremental phase begins or goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FollowFrom {
    /// At the source's position when the apply begins, before it reads the first row.
    #[default]
    Now,
    /// Where the spec's `start` says.
    Asked(Start),
    /// At the position that an earlier apply noted before it read the first row.
    Noted(Position),
    /// Behind what an earlier apply has brought to the destination.
    Applied(Position),
}

impl FollowFrom {
    /// In words: `now`, or the position.
    pub fn text(&self) -> String {
        match self {
            Self::Now | Self::Asked(Start::Now) => "now".to_owned(),
            Self::Asked(Start::Gtid(set)) => set.clone(),
            Self::Asked(Start::Position { file, offset }) => format!("{file}:{offset}"),
            Self::Noted(position) | Self::Applied(position) => position.to_string(),
        }
    }
}

/// The source's binlog as the incremental phase finds it. Filled by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FollowState {
    /// Where it begins.
    pub from: FollowFrom,
    /// The source still holds that position; `None` when nobody can tell.
    pub held: Option<bool>,
    /// By what it is seen that the file of that position is another one than the one that was read; then it is not held.
    pub another: Option<String>,
    /// The oldest file that the source holds.
    pub oldest: Option<String>,
    /// The heartbeat row will be written.
    pub heartbeat: bool,
    /// The spec selects other objects, or under other names, than when the task began to follow.
    pub selection_changed: bool,
}

/// The binlog position that a plan rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionState {
    /// `now`: the source's position when the apply begins, or the position, `file:offset (GTID set)`.
    pub from: String,
    /// An apply has followed the binlog up to there already.
    pub applied: bool,
    /// The source still holds it; absent when nobody can tell.
    pub held: Option<bool>,
    /// The oldest binlog file that the source holds, where the account may see it.
    pub oldest: Option<String>,
}

/// How the binlog is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowShape {
    /// What is done about a row that is not as it must be.
    pub rows: RowConflict,
    /// What a DDL statement that fails at the destination does.
    pub ddl_errors: DdlErrors,
    /// A heartbeat row is written at the source.
    pub heartbeat: bool,
    /// What happens to each class of DDL statements.
    pub ddl: Vec<DdlPolicy>,
    /// Tables of which only some rows are carried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FollowFilter>,
}

/// A table of which only some rows are carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowFilter {
    /// Its name at the source.
    pub table: String,
    /// The condition that chooses the rows.
    pub condition: String,
    /// By which of a changed row's states it is judged.
    pub on: FilterOn,
}

/// What happens to the DDL statements of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DdlPolicy {
    /// As `operations` in the spec writes it, or in words for one that is never carried.
    pub class: String,
    /// What is done.
    pub does: DdlDoes,
    /// When, or why.
    pub note: Option<String>,
}

/// What is done about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DdlDoes {
    /// It runs at the destination, with names as the spec maps them.
    Carry,
    /// It is passed over, counted and listed in status.
    Skip,
    /// The task stops and names it.
    Stop,
}

/// Requirements group E: what is carried, and what is not. `lists` are the `operations` of what is selected.
fn policies(some_whole: bool, some_tables: bool, lists: &[&[Operation]]) -> Vec<DdlPolicy> {
    let mut policies = by_selection(some_whole, some_tables);
    for operation in Operation::ALL.into_iter().filter(|operation| lists.iter().any(|list| !list.contains(operation))) {
        let Some(policy) = policies.iter_mut().find(|p| p.class == operation.name() && p.does == DdlDoes::Carry) else { continue };
        if lists.iter().any(|list| list.contains(&operation)) {
            let note = policy.note.take().map(|note| format!("{note}; ")).unwrap_or_default();
            policy.note = Some(format!("{note}where `operations` does not leave it out"));
        } else {
            *policy = DdlPolicy { does: DdlDoes::Skip, note: Some("left out by `operations`".to_owned()), ..policy.clone() };
        }
    }
    policies
}

fn by_selection(some_whole: bool, some_tables: bool) -> Vec<DdlPolicy> {
    let one = |class: &str, does, note: Option<&str>| DdlPolicy { class: class.to_owned(), does, note: note.map(str::to_owned) };
    let new = match (some_whole, some_tables) {
        (true, true) => Some("of whole databases, and of tables that a pattern selects"),
        (true, false) => None,
        _ => Some("of tables that a pattern or a name selects"),
    };
    let mut list: Vec<DdlPolicy> =
        ["alter-table", "create-index", "drop-index", "drop-table", "truncate-table"].map(|class| one(class, DdlDoes::Carry, None)).into();
    list.push(one("create-table", DdlDoes::Carry, new));
    list.push(one("rename-table", DdlDoes::Carry, Some("inside the selection")));
    for class in ["create-view", "alter-view", "create-function", "create-procedure"] {
        list.push(match (some_whole, some_tables) {
            (true, false) => one(class, DdlDoes::Carry, None),
            (true, true) => one(class, DdlDoes::Carry, Some("of whole databases")),
            _ => one(class, DdlDoes::Skip, Some("only tables are selected")),
        });
    }
    for class in [
        "databases (create, alter, drop)",
        "drop-view",
        "routines (alter, drop)",
        "triggers",
        "events",
        "accounts and rights",
        "statements about what is not selected",
    ] {
        list.push(one(class, DdlDoes::Skip, None));
    }
    for (class, note) in [
        ("any of a selected table", "while definitions and rows are being copied"),
        ("rename-table", "of a selected table out of the selection"),
        ("partitions that take rows with them", "EXCHANGE PARTITION and the like with a table that is not selected"),
        ("data changes in STATEMENT format", "no row changes are in the binlog"),
    ] {
        list.push(one(class, DdlDoes::Stop, Some(note)));
    }
    list
}

/// The position as the plan keeps it.
pub(super) fn position(state: &FollowState) -> PositionState {
    PositionState {
        from: state.from.text(),
        applied: matches!(state.from, FollowFrom::Applied(_)),
        held: state.held,
        oldest: state.oldest.clone(),
    }
}

/// The action that follows the binlog.
pub(super) fn action(inputs: &Inputs<'_>, state: &FollowState) -> Action {
    let mut databases: Vec<String> = inputs.scope.databases.values().map(|name| format!("{name}.*")).collect();
    databases.sort();
    databases.dedup();
    let mut object = databases.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if databases.len() > NAMED {
        object.push_str(&format!(" and {} more", databases.len() - NAMED));
    }
    let from = short(&state.from.text());
    let what = match &state.from {
        FollowFrom::Now | FollowFrom::Asked(Start::Now) if inputs.spec.phases.full => "from now, before the first row is copied".to_owned(),
        FollowFrom::Now | FollowFrom::Asked(_) => format!("from {from}"),
        FollowFrom::Noted(_) => format!("from {from}, noted before the copy"),
        FollowFrom::Applied(_) => format!("go on: from {from}"),
    };
    let selection = inputs.spec.selection();
    let whole = |database: &String| selection.whole_database(database);
    let (some_whole, some_tables) = (inputs.scope.databases.keys().any(whole), inputs.scope.databases.keys().any(|d| !whole(d)));
    let lists: Vec<&[Operation]> = inputs
        .scope
        .databases
        .keys()
        .filter_map(|database| selection.database(database))
        .flat_map(|object| {
            let whole = object.operations.as_deref().unwrap_or(&Operation::ALL);
            match &object.tables {
                None => vec![whole],
                Some(tables) => tables.iter().map(|table| table.operations.as_deref().unwrap_or(whole)).collect(),
            }
        })
        .collect();
    let lost = state.held == Some(false);
    let filter = |pair: &Pair| {
        let rows = pair.columns.rows()?;
        Some(FollowFilter { table: pair.source.to_string(), condition: rows.condition.text().to_owned(), on: rows.on })
    };
    let filters: Vec<FollowFilter> = inputs.scope.pairs.iter().filter_map(filter).collect();
    Action {
        id: String::new(),
        phase: Phase::Incremental,
        act: ActionKind::Follow,
        kind: "binlog".to_owned(),
        object,
        source: None,
        table: None,
        source_table: None,
        what,
        rows: None,
        bytes: None,
        copy: None,
        follow: Some(FollowShape {
            rows: inputs.spec.conflict.rows,
            ddl_errors: inputs.spec.ddl_errors,
            heartbeat: state.heartbeat,
            ddl: policies(some_whole, some_tables, &lists),
            filters,
        }),
        risk: if lost {
            ActionRisk::Unsupported { reason: format!("the source no longer holds {}", short(&state.from.text())) }
        } else {
            ActionRisk::Safe
        },
        code: lost.then(|| FindingCode::new(POSITION_CHECK)),
        permitted: !lost,
        permitted_by: None,
        part: None,
        outside: false,
        statements: Vec::new(),
        before: None,
        after: None,
    }
}

/// A GTID set may have thousands of characters; the plan's JSON has all of them.
fn short(position: &str) -> String {
    const MOST: usize = 72;
    if position.chars().count() <= MOST {
        return position.to_owned();
    }
    let mut out: String = position.chars().take(MOST - 3).collect();
    out.push_str("...");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_spec_has_a_policy() {
        let rows = [Operation::Insert, Operation::Update, Operation::Delete];
        let all: Vec<Operation> = Operation::ALL.into_iter().filter(|o| !rows.contains(o)).collect();
        for (whole, tables) in [(true, false), (false, true), (true, true)] {
            let list = policies(whole, tables, &[]);
            for &operation in &all {
                let name = operation.name();
                assert_eq!(serde_json::to_value(operation).unwrap().as_str(), Some(name));
                assert!(list.iter().any(|p| p.class == name), "{name}");
            }
        }
        let views = |list: &[DdlPolicy]| list.iter().find(|p| p.class == "create-view").map(|p| p.does);
        assert_eq!((views(&policies(true, false, &[])), views(&policies(false, true, &[]))), (Some(DdlDoes::Carry), Some(DdlDoes::Skip)));
    }

    #[test]
    fn what_operations_leave_out_is_not_said_to_be_carried() {
        let rows: &[Operation] = &[Operation::Insert, Operation::DropTable];
        let of = |lists: &[&[Operation]], class: &str| {
            policies(true, true, lists).into_iter().find(|p| p.class == class).map(|p| (p.does, p.note.unwrap_or_default())).unwrap()
        };
        assert_eq!(of(&[rows], "alter-table"), (DdlDoes::Skip, "left out by `operations`".to_owned()));
        assert_eq!(of(&[rows], "drop-table"), (DdlDoes::Carry, String::new()));
        let (does, note) = of(&[rows, &Operation::ALL], "create-table");
        assert_eq!((does, note.ends_with("; where `operations` does not leave it out")), (DdlDoes::Carry, true));
    }

    #[test]
    fn long_positions_are_cut() {
        let text = short(&"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5521,".repeat(10));
        assert!(text.ends_with("...") && text.len() == 72);
    }
}
