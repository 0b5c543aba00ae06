use super::*;
use crate::{
    catalog::TableName,
    plan::{Severity, Summary, sample},
};

fn shown(plan: &Plan) -> String {
    table(plan, &Options::default())
}

fn widest(text: &str) -> usize {
    text.lines().map(|l| l.chars().count()).max().unwrap_or(0)
}

#[test]
fn a_plan_as_a_table() {
    let text = shown(&sample::plan());
    assert!(widest(&text) <= 80, "{text}");
    insta::assert_snapshot!(text);
}

/// Names were broken in the middle of a word, `t_charsets.ch/arsets`, beside words with room to spare.
#[test]
fn long_names_are_not_broken_while_the_words_can_go_narrow() {
    let mut plan = sample::plan();
    plan.actions.retain(|a| a.rows.is_none());
    for action in &mut plan.actions {
        action.object = format!("shop_of_the_north_dr.customers_{}", &action.id);
    }
    let text = shown(&plan);
    assert!(widest(&text) <= 80, "{text}");
    for action in &plan.actions {
        assert!(text.contains(&action.object), "{}: {text}", action.object);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_plan_as_a_summary() {
    insta::assert_snapshot!(table(&sample::plan(), &Options { summary: true, ..Options::default() }));
}

#[test]
fn a_plan_with_all_and_full_definitions() {
    let mut plan = sample::plan();
    plan.unchanged = vec!["shop.audit".into()];
    insta::assert_snapshot!(table(&plan, &Options { all: true, diff: DiffMode::Full, ..Options::default() }));
}

#[test]
fn a_plan_as_markdown() {
    insta::assert_snapshot!(markdown(&sample::plan(), &Options::default(), MARKDOWN_LIMIT));
}

#[test]
fn a_plan_as_json() {
    insta::assert_snapshot!(json(&sample::plan()));
}

#[test]
fn a_plan_without_changes() {
    let mut plan = sample::plan();
    plan.actions.clear();
    plan.summary = Summary::default();
    insta::assert_snapshot!(shown(&plan));
}

#[test]
fn failures_and_unsupported_objects_say_what_to_do() {
    let mut plan = sample::plan();
    plan.findings.push(sample::finding("DT224", "equal-names", Severity::Failed, Some("shop.t")));
    for i in 0..20 {
        plan.findings.push(sample::finding("DT222", "nullable-keys", Severity::Alert, Some(&format!("shop.t{i}"))));
    }
    plan.actions[0].risk = crate::plan::ActionRisk::Unsupported { reason: "column c has type SQUARE".into() };
    plan.actions[0].permitted = false;
    plan.actions[0].code = Some(crate::plan::FindingCode::new("DT103"));
    let text = shown(&plan);
    assert!(widest(&text) <= 80, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn names_cannot_fake_a_line_of_the_report() {
    let mut plan = sample::plan();
    plan.actions[0].object = "shop.x\n\nNo changes.\u{1b}[2J|`@all` <b>".into();
    plan.actions[1].object = format!("{}.{}", "d".repeat(64), "t".repeat(64));
    let text = table(&plan, &Options { diff: DiffMode::None, ..Options::default() });
    assert!(!text.contains('\u{1b}') && !text.lines().any(|l| l.starts_with("No changes")), "{text}");
    assert!(widest(&text) <= 80, "{text}");
    let text = markdown(&plan, &Options::default(), MARKDOWN_LIMIT);
    assert!(text.contains("shop.x\\\\n\\\\nNo changes.\\\\u{1b}\\[2J\\|\\`&#64;all\\` &lt;b&gt;"), "{text}");
}

#[test]
fn colours_only_when_told() {
    let plan = sample::plan();
    assert!(!shown(&plan).contains('\u{1b}'));
    assert!(table(&plan, &Options { color: true, ..Options::default() }).contains('\u{1b}'));
}

#[test]
fn markdown_is_cut_between_rows_within_its_limit() {
    let mut plan = sample::plan();
    let copy = plan.actions[3].clone();
    for i in 0..2_000 {
        let mut action = copy.clone();
        action.id = format!("a{}", 7 + i);
        action.table = Some(TableName::new("shop", format!("t{i}")));
        action.object = format!("shop.t{i}");
        plan.actions.push(action);
    }
    for limit in [5_000, 20_000, MARKDOWN_LIMIT] {
        let text = markdown(&plan, &Options::default(), limit);
        assert!(text.len() <= limit, "{} > {limit}", text.len());
        assert!(text.len() > limit - 1_500, "{} of {limit}", text.len());
        let rows = text.lines().filter(|l| l.starts_with("| a")).count();
        assert!(text.contains(&format!("_{} rows left out", plan.actions.len() - rows)), "{text}");
        assert!(text.contains("**Plan: ") && text.contains("Blocked: a3"));
    }
}
