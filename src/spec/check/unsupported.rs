//! Keys of the format whose meaning is not built yet: refused, never accepted and ignored. When an issue builds one, its line goes.

use crate::spec::{
    model::{OnlineDdlMode, StorageEngine, Topology},
    written::Spec,
};

use super::Problems;

pub(super) fn check(found: &mut Problems<'_>, spec: &Spec) {
    let mut refuse = |set: bool, path: &[&str], hint: &str| {
        if set {
            found.key(path, format!("`{}` is not supported yet", words(path)), hint);
        }
    };
    refuse(spec.topology == Some(Topology::TwoWay), &["topology"], "leave it out, or write `one-way`");
    let follows = spec.phases.as_ref().and_then(|phases| phases.incremental) != Some(false);
    for (index, object) in spec.objects.iter().enumerate() {
        let index = index.to_string();
        for (at, table) in object.tables.iter().flatten().enumerate() {
            let at = at.to_string();
            refuse(
                table.filter.is_some() && follows,
                &["objects", &index, "tables", &at, "where"],
                "set `phases.incremental` to false: so far only the full copy chooses rows",
            );
        }
    }
    let schema = spec.schema.as_ref();
    let engine = schema.and_then(|schema| schema.engine).unwrap_or_default();
    refuse(engine != StorageEngine::Innodb, &["schema", "engine"], "leave it out, or write `innodb`");
    let mode = spec.online_ddl.as_ref().and_then(|online| online.mode);
    refuse(mode == Some(OnlineDdlMode::Dms), &["online_ddl", "mode"], "write `gh-ost` with the patterns of its tables, or `copy`");
}

/// `where` rather than `objects.0.tables.3.where`: the place says which.
fn words(path: &[&str]) -> String {
    if path[0] == "objects" { path[path.len() - 1].to_owned() } else { path.join(".") }
}
