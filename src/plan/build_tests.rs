use super::*;
use crate::plan::{DdlDoes, PositionState, sample};

struct Case {
    spec: Spec,
    source: Catalog,
    destination: Catalog,
    changes: Vec<Change>,
    progress: Progress,
    follow: Option<FollowState>,
    findings: Vec<Finding>,
}

impl Case {
    fn new(source: Vec<Table>, destination: Vec<Table>) -> Self {
        Self {
            spec: sample::spec(),
            source: sample::catalog(source),
            destination: sample::catalog(destination),
            changes: Vec::new(),
            progress: Progress::default(),
            follow: None,
            findings: Vec::new(),
        }
    }

    fn plan(&self) -> Plan {
        let (source, destination) = (sample::server("8.0.36"), sample::server("8.4.3"));
        let scope = Scope::new(self.spec.selection(), &self.source, &destination);
        build(Inputs {
            spec: &self.spec,
            created_at: "now".into(),
            source: ServerFacts { address: "db1:3306", info: &source, catalog: &self.source },
            destination: ServerFacts { address: "db2:3306", info: &destination, catalog: &self.destination },
            scope: &scope,
            changes: &self.changes,
            cutover: &[],
            progress: &self.progress,
            follow: self.follow.clone(),
            findings: self.findings.clone(),
            allow_unsafe: &[],
        })
    }
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.actions.iter().map(|a| format!("{} {} {} {} {}", a.id, a.phase.name(), a.symbol(), a.object, a.what)).collect()
}

#[test]
fn actions_come_in_the_order_in_which_they_run() {
    let plan = sample::plan();
    assert_eq!(
        lines(&plan),
        [
            "a1 schema + shop.customers create table",
            "a2 schema ~ shop.orders add column note; add index ix_c",
            "a3 schema ! shop.audit drop column old_ip",
            "a4 full > shop.customers ~20 chunks by id",
            "a5 full > shop.log one snapshot, no key",
            "a6 finish ~ shop.customers add index ix_name",
        ]
    );
    assert_eq!(
        plan.summary,
        Summary {
            create: 1,
            alter: 1,
            drop: 0,
            copy_tables: 2,
            copy_rows: 1_235_379,
            copy_bytes: (310 << 20) + (96 << 10),
            follow: false,
            blocked: 1
        }
    );
    assert!(plan.is_blocked() && plan.has_changes());
}

#[test]
fn ids_and_the_plans_id_do_not_hang_on_when_it_was_made() {
    let (a, mut b) = (sample::plan(), sample::plan());
    b.created_at = "later".into();
    assert_eq!(crate::plan::saved::id_of(&b), a.id);
    assert!(a.id.starts_with("p-") && a.id.len() == 18);
}

#[test]
fn an_unsafe_action_runs_when_the_spec_or_the_command_line_permits_it() {
    let by_flag = sample::plan_with(&["a3".to_owned()]);
    assert_eq!(by_flag.actions[2].permitted_by, Some(PermittedBy::AllowUnsafe));
    assert!(!by_flag.is_blocked());
    // An id that is not unsafe permits nothing.
    assert!(sample::plan_with(&["a1".to_owned()]).is_blocked());

    let mut case = Case::new(vec![sample::table("shop", "audit")], vec![sample::table("shop", "audit")]);
    case.changes = sample::changes().into_iter().filter(|c| c.destination == "shop.audit").collect();
    let allow = |table: &str, column: Option<&str>| Allowance {
        action: crate::spec::UnsafeAction::DropColumn,
        database: "shop".into(),
        table: table.into(),
        column: column.map(str::to_owned),
    };
    for (allowance, permitted) in [
        (allow("audit", Some("old_ip")), true),
        (allow("audit", Some("new_ip")), false),
        (allow("audit", None), true),
        (allow("orders", Some("old_ip")), false),
    ] {
        case.spec.allow = vec![allowance];
        let plan = case.plan();
        assert_eq!(plan.actions[0].permitted, permitted, "{:?}", case.spec.allow);
        assert_eq!(plan.is_blocked(), !permitted);
    }
}

#[test]
fn a_table_that_cannot_be_carried_is_blocked_and_not_copied() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![]);
    let mut change = sample::change("t", Act::Create, Stage::Before, "create table");
    change.risk = Risk::Unsupported { code: "DT102", reason: "collation x of column c".into() };
    case.changes = vec![change];
    let plan = case.plan();
    assert_eq!(lines(&plan), ["a1 schema ! shop.t create table"]);
    assert!(plan.is_blocked());
    assert_eq!(plan.actions[0].code, Some(FindingCode::new("DT102")));
}

#[test]
fn after_a_finished_apply_there_are_no_changes() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![sample::table("shop", "t")]);
    let name = TableName::new("shop", "t");
    case.progress.created.insert(name.clone());
    case.progress.copied.insert(name);
    let plan = case.plan();
    assert!(!plan.has_changes() && !plan.is_blocked());
    assert_eq!(plan.unchanged, ["shop.t"]);
}

#[test]
fn a_table_that_was_dropped_behind_our_back_is_made_and_copied_again() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![]);
    let name = TableName::new("shop", "t");
    case.progress.created.insert(name.clone());
    case.progress.copied.insert(name);
    let mut again = sample::change("t", Act::Create, Stage::Before, "create table");
    again.outside = true;
    case.changes = vec![again];
    let plan = case.plan();
    assert_eq!(lines(&plan), ["a1 schema + shop.t create table", "a2 full > shop.t 1 chunk by id"]);
    assert!(plan.actions[0].outside);
}

#[test]
fn a_copy_that_was_begun_goes_on() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![sample::table("shop", "t")]);
    case.progress.created.insert(TableName::new("shop", "t"));
    case.progress.started.insert(TableName::new("shop", "t"));
    assert_eq!(lines(&case.plan()), ["a1 full > shop.t go on: 1 chunk by id"]);
}

#[test]
fn an_existing_table_under_ignore_takes_the_columns_both_have_and_keeps_its_rows() {
    let mut existing = sample::table("shop", "t");
    existing.columns.pop();
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![existing]);
    case.spec.conflict.existing_tables = ExistingTables::Ignore;
    let plan = case.plan();
    assert_eq!(lines(&plan), ["a1 full > shop.t 1 chunk by id, 1 of 2 columns, rows that exist are kept"]);
    let shape = plan.actions[0].copy.clone().expect("a copy");
    assert!(shape.keep_existing);
    assert_eq!(shape.columns, Some(vec!["id".to_owned()]));
}

#[test]
fn a_failed_precheck_blocks_the_actions_of_its_object() {
    let mut case = Case::new(vec![sample::table("shop", "t"), sample::table("shop", "u")], vec![sample::table("shop", "t")]);
    case.findings = vec![sample::finding("DT224", "equal-names", Severity::Failed, Some("shop.t"))];
    let plan = case.plan();
    assert_eq!(lines(&plan), ["a1 full ! shop.t 1 chunk by id", "a2 full > shop.u 1 chunk by id"]);
    assert_eq!(plan.actions[0].code, Some(FindingCode::new("DT224")));
    case.findings[0].ignored = true;
    assert!(!case.plan().is_blocked());
}

#[test]
fn names_that_change_on_the_way_are_said() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![]);
    case.spec.objects = vec![sample::whole("shop", Some("dr"), &[])];
    let mut change = sample::change("t", Act::Create, Stage::Before, "create table");
    change.destination = "dr.t".into();
    change.table = Some(TableName::new("dr", "t"));
    case.changes = vec![change];
    assert_eq!(lines(&case.plan()), ["a1 schema + dr.t create table from shop.t", "a2 full > dr.t 1 chunk by id, from shop.t"]);
}

#[test]
fn phases_that_are_off_make_no_actions() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![]);
    case.changes = vec![sample::change("t", Act::Create, Stage::Before, "create table")];
    case.spec.phases.schema = false;
    assert_eq!(lines(&case.plan()), ["a1 full > shop.t 1 chunk by id"]);
    case.spec.phases.schema = true;
    case.spec.phases.full = false;
    assert_eq!(lines(&case.plan()), ["a1 schema + shop.t create table"]);
}

fn follow(from: FollowFrom, held: Option<bool>) -> Option<FollowState> {
    Some(FollowState { from, held, another: None, oldest: Some("binlog.000002".into()), heartbeat: true, selection_changed: false })
}

fn position() -> crate::binlog::Position {
    let place = crate::binlog::Place { file: "binlog.000003".into(), offset: 4711 };
    crate::binlog::Position::new(place, Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5521".parse().unwrap()))
}

#[test]
fn the_binlog_is_followed_after_all_else() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![]);
    case.spec.phases.incremental = true;
    case.changes = vec![sample::change("t", Act::Create, Stage::Before, "create table")];
    case.follow = follow(FollowFrom::Now, Some(true));
    let plan = case.plan();
    assert_eq!(
        lines(&plan),
        [
            "a1 schema + shop.t create table",
            "a2 full > shop.t 1 chunk by id",
            "a3 incremental = shop.* from now, before the first row is copied",
        ]
    );
    assert!(plan.summary.follow && !plan.is_blocked());
    let shape = plan.actions[2].follow.as_ref().unwrap();
    assert!(shape.heartbeat && shape.ddl.iter().any(|p| p.class == "alter-table" && p.does == DdlDoes::Carry));
    assert_eq!(
        plan.position,
        Some(PositionState { from: "now".into(), applied: false, held: Some(true), oldest: Some("binlog.000002".into()) })
    );
    insta::assert_snapshot!("plan_follow", crate::report::plan::table(&plan, &crate::report::plan::Options::default()));
}

#[test]
fn what_is_followed_already_is_only_followed_on() {
    let mut case = Case::new(vec![sample::table("shop", "t")], vec![]);
    case.spec.phases.incremental = true;
    case.changes = vec![sample::change("t", Act::Alter, Stage::Before, "add column x")];
    case.follow = follow(FollowFrom::Noted(position()), Some(true));
    assert_eq!(
        lines(&case.plan())[2],
        "a3 incremental = shop.* from binlog.000003:4711 (3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5521), noted before the copy"
    );
    // The source's definitions are ahead of the destination's by the lag: no change of ours.
    case.follow = follow(FollowFrom::Applied(position()), Some(true));
    let plan = case.plan();
    assert_eq!(lines(&plan), ["a1 incremental = shop.* go on: from binlog.000003:4711 (3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5521)"]);
    assert_eq!(saved::load(&saved::save(&plan)).unwrap(), plan);
    // A saved plan outlives what its own apply has done, and the source's DDL.
    let mut later = case.plan();
    later.objects.clear();
    assert_eq!(crate::plan::stale(&plan, &later), Vec::<String>::new());
    // A position that is gone blocks.
    case.follow = follow(FollowFrom::Applied(position()), Some(false));
    let plan = case.plan();
    assert!(plan.is_blocked() && plan.actions[0].code.as_ref().unwrap().as_str() == "DT267");
}
