//! Whether a saved plan still describes the two servers and the spec.

use std::collections::BTreeMap;

use super::model::{Action, ActionKind, ObjectDigest, Plan, Server, Side};
use crate::diff::Part;

/// What differs between a saved plan and one made just now, one line each; empty when the saved one still holds. Estimates, the
/// outcome of prechecks and permissions given on the command line are not compared.
pub fn stale(saved: &Plan, fresh: &Plan) -> Vec<String> {
    let mut differs = Vec::new();
    if saved.spec.name != fresh.spec.name {
        differs.push(format!("the plan is for spec {}, not {}", saved.spec.name, fresh.spec.name));
    }
    if saved.spec.digest != fresh.spec.digest {
        differs.push("the spec has changed".to_owned());
    }
    servers(Side::Source, &saved.source, &fresh.source, &mut differs);
    servers(Side::Destination, &saved.destination, &fresh.destination, &mut differs);
    // One that has moved on is no drift: an apply has come further. One that is gone is.
    if let (Some(was), Some(is)) = (&saved.position, &fresh.position)
        && was.held != Some(false)
        && is.held == Some(false)
    {
        differs.push(format!("the source's binlog no longer holds the position {}", is.from));
    }
    // A task that follows the binlog gets the source's new definitions from it, so those are no drift.
    if !fresh.position.as_ref().is_some_and(|position| position.applied) {
        objects(&saved.objects, &fresh.objects, &mut differs);
    }
    if differs.is_empty() {
        actions(saved, fresh, &mut differs);
    }
    differs
}

/// The same for a plan of which an apply has done a part: what the plan itself changes at the destination is no drift, and neither is
/// what it has left to do. Whether nothing but its own actions is left is for the caller to see.
pub fn stale_but_for_itself(saved: &Plan, fresh: &Plan) -> Vec<String> {
    let own = |object: &ObjectDigest| {
        object.side == Side::Destination
            && saved.actions.iter().any(|a| a.object == object.name || a.table.as_ref().is_some_and(|t| t.to_string() == object.name))
    };
    let [mut saved_rest, mut fresh_rest] = [saved, fresh].map(Plan::clone);
    for plan in [&mut saved_rest, &mut fresh_rest] {
        plan.objects.retain(|object| !own(object));
        plan.actions.clear();
    }
    stale(&saved_rest, &fresh_rest)
}

fn servers(side: Side, saved: &Server, fresh: &Server, differs: &mut Vec<String>) {
    if saved.identity != fresh.identity || saved.vendor != fresh.vendor {
        differs.push(format!("the {side} is another server: the plan was made with the one at {}", saved.address));
        return;
    }
    if saved.version_text != fresh.version_text {
        differs.push(format!("the {side}'s version was {} and is {}", saved.version_text, fresh.version_text));
    }
    if saved.account != fresh.account {
        differs.push(format!("the {side}'s account was {} and is {}", saved.account, fresh.account));
    }
    let names: std::collections::BTreeSet<&String> = saved.settings.keys().chain(fresh.settings.keys()).collect();
    for name in names {
        let (was, is) = (saved.settings.get(name), fresh.settings.get(name));
        if was != is {
            let show = |value: Option<&String>| value.map_or("absent".to_owned(), Clone::clone);
            differs.push(format!("the {side}'s {name} was {} and is {}", show(was), show(is)));
        }
    }
}

fn objects(saved: &[ObjectDigest], fresh: &[ObjectDigest], differs: &mut Vec<String>) {
    type Key<'a> = (Side, &'a str, &'a str);
    let index = |list: &'_ [ObjectDigest]| -> BTreeMap<(Side, String, String), String> {
        list.iter().map(|o| ((o.side, o.kind.clone(), o.name.clone()), o.digest.clone())).collect()
    };
    let (was, is) = (index(saved), index(fresh));
    let say = |(side, kind, name): Key<'_>, what: &str| format!("{side} {kind} {name} {what}");
    for (key, digest) in &was {
        let named = (key.0, key.1.as_str(), key.2.as_str());
        match is.get(key) {
            None => differs.push(say(named, "is gone")),
            Some(now) if now != digest => differs.push(say(named, "has changed")),
            Some(_) => {}
        }
    }
    for key in is.keys().filter(|key| !was.contains_key(*key)) {
        differs.push(say((key.0, &key.1, &key.2), "is new"));
    }
}

/// A statement without the value of an AUTO_INCREMENT counter: rows move it on all the time, and no review hangs on the number.
pub fn without_counter(statement: &str) -> String {
    let mut kept = String::with_capacity(statement.len());
    let mut rest = statement;
    while let Some(at) = rest.find("AUTO_INCREMENT") {
        let (before, from) = rest.split_at(at + "AUTO_INCREMENT".len());
        kept.push_str(before);
        let value = from.trim_start().strip_prefix('=').map(str::trim_start);
        rest = value.map_or(from, |value| value.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    kept.push_str(rest);
    kept
}

/// An action that only moves a counter on.
fn counts(action: &Action) -> bool {
    action.part == Some(Part::Counter)
}

/// With the same servers, objects and spec, only progress can make a difference: another apply has done a part.
fn actions(saved: &Plan, fresh: &Plan, differs: &mut Vec<String>) {
    type Mark<'a> = (ActionKind, &'a str, Vec<String>);
    fn mark(action: &Action) -> Mark<'_> {
        (action.act, &action.object, action.statements.iter().map(|s| without_counter(s)).collect())
    }
    for action in saved.actions.iter().filter(|a| !counts(a)) {
        if !fresh.actions.iter().any(|a| mark(a) == mark(action)) {
            differs.push(format!("action {} ({} {}) is done or no longer needed", action.id, action.symbol(), action.object));
        }
    }
    for action in fresh.actions.iter().filter(|a| !counts(a)) {
        if !saved.actions.iter().any(|a| mark(a) == mark(action)) {
            differs.push(format!("{} {} is needed and not in the plan", action.symbol(), action.object));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{PositionState, sample};

    #[test]
    fn a_plan_of_the_same_state_is_not_stale() {
        let plan = sample::plan();
        let mut fresh = plan.clone();
        fresh.created_at = "later".into();
        fresh.actions[4].rows = Some(1);
        fresh.actions[2].permitted = true;
        assert_eq!(stale(&plan, &fresh), Vec::<String>::new());
    }

    #[test]
    fn counters_that_rows_have_moved_on_are_no_drift() {
        assert_eq!(
            without_counter("CREATE TABLE `AUTO_INCREMENT` (id INT AUTO_INCREMENT) ENGINE=InnoDB AUTO_INCREMENT=17 COMMENT='x'"),
            "CREATE TABLE `AUTO_INCREMENT` (id INT AUTO_INCREMENT) ENGINE=InnoDB AUTO_INCREMENT COMMENT='x'"
        );
        assert_eq!(without_counter("ALTER TABLE `t` AUTO_INCREMENT = 9"), "ALTER TABLE `t` AUTO_INCREMENT");
        let mut plan = sample::plan();
        plan.actions[0].statements = vec!["CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=5".to_owned()];
        let mut fresh = plan.clone();
        fresh.actions[0].statements = vec!["CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=99".to_owned()];
        assert_eq!(stale(&plan, &fresh), Vec::<String>::new());
    }

    #[test]
    fn what_differs_is_named() {
        let plan = sample::plan();
        let mut fresh = plan.clone();
        fresh.spec.digest = "0".into();
        fresh.source.version_text = "8.0.37".into();
        fresh.destination.settings.insert("read_only".into(), "ON".into());
        fresh.objects[1].digest = "0".into();
        let gone = fresh.objects.remove(0);
        let lines = stale(&plan, &fresh);
        assert_eq!(
            lines,
            [
                "the spec has changed".to_owned(),
                "the source's version was 8.0.36 and is 8.0.37".to_owned(),
                "the destination's read_only was OFF and is ON".to_owned(),
                format!("source {} {} is gone", gone.kind, gone.name),
                "source table shop.audit has changed".to_owned(),
            ]
        );
        let mut fresh = plan.clone();
        fresh.destination.identity = "other".into();
        assert_eq!(stale(&plan, &fresh), ["the destination is another server: the plan was made with the one at db2:3306"]);
        let at = |from: &str, held| Some(PositionState { from: from.into(), applied: false, held, oldest: None });
        let mut saved = plan.clone();
        saved.position = at("now", Some(true));
        let mut fresh = saved.clone();
        fresh.position = at("binlog.000003:157", Some(true));
        assert_eq!(stale(&saved, &fresh), Vec::<String>::new());
        fresh.position = at("binlog.000003:157", Some(false));
        assert_eq!(stale(&saved, &fresh), ["the source's binlog no longer holds the position binlog.000003:157"]);
        let mut fresh = plan.clone();
        fresh.actions.remove(0);
        assert_eq!(stale(&plan, &fresh), ["action a1 (+ shop.customers) is done or no longer needed"]);
    }
}
