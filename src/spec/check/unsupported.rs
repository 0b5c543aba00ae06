//! Keys of the format whose meaning is not built yet: refused, never accepted and ignored. When an issue builds one, its line goes.

use crate::spec::{
    model::{RowConflict, StorageEngine, Topology, TriggerMode},
    written::Spec,
};

use super::Problems;

pub(super) fn check(found: &mut Problems<'_>, spec: &Spec) {
    if spec.phases.as_ref().is_none_or(|phases| phases.incremental != Some(false)) {
        let path: &[&str] = match &spec.phases {
            Some(phases) if phases.incremental.is_some() => &["phases", "incremental"],
            Some(_) => &["phases"],
            None => &[],
        };
        // An absent key has no place: the one of what should hold it stands for it, or the file's first key.
        let hint = "write `phases: {incremental: false}`; leaving it out means `true`";
        match path {
            [] => found.push(super::Problem::whole("the incremental phase is not supported yet"), hint.to_owned()),
            path => found.key(path, "the incremental phase is not supported yet", hint),
        }
    }
    let mut refuse = |set: bool, path: &[&str], hint: &str| {
        if set {
            found.key(path, format!("`{}` is not supported yet", words(path)), hint);
        }
    };
    const REMOVE: &str = "remove the key";
    refuse(spec.start.is_some(), &["start"], REMOVE);
    refuse(spec.topology == Some(Topology::TwoWay), &["topology"], "leave it out, or write `one-way`");
    for (index, object) in spec.objects.iter().enumerate() {
        let index = index.to_string();
        for (at, table) in object.tables.iter().flatten().enumerate() {
            let at = at.to_string();
            refuse(table.filter.is_some(), &["objects", &index, "tables", &at, "where"], REMOVE);
            refuse(table.operations.is_some(), &["objects", &index, "tables", &at, "operations"], REMOVE);
        }
    }
    let rows = spec.conflict.as_ref().and_then(|conflict| conflict.rows).unwrap_or_default();
    refuse(rows != RowConflict::Overwrite, &["conflict", "rows"], "leave it out, or write `overwrite`");
    let schema = spec.schema.as_ref();
    let engine = schema.and_then(|schema| schema.engine).unwrap_or_default();
    refuse(engine != StorageEngine::Innodb, &["schema", "engine"], "leave it out, or write `innodb`");
    let triggers = schema.and_then(|schema| schema.triggers).unwrap_or_default();
    refuse(triggers != TriggerMode::Manual, &["schema", "triggers"], "leave it out, or write `manual`");
    refuse(spec.accounts.is_some(), &["accounts"], REMOVE);
    refuse(spec.online_ddl.is_some(), &["online_ddl"], REMOVE);
    refuse(spec.throttle.as_ref().is_some_and(|throttle| throttle.incremental.is_some()), &["throttle", "incremental"], REMOVE);
    refuse(spec.heartbeat.is_some(), &["heartbeat"], REMOVE);
    refuse(spec.ddl_errors.is_some(), &["ddl_errors"], REMOVE);
}

/// `where` rather than `objects.0.tables.3.where`: the place says which.
fn words(path: &[&str]) -> String {
    if path[0] == "objects" { path[path.len() - 1].to_owned() } else { path.join(".") }
}
