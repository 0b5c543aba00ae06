//! Keys of the format whose meaning is not built yet: refused, never accepted and ignored. When an issue builds one, its line goes.

use crate::spec::{
    model::{OnlineDdlMode, StorageEngine, Topology},
    written::Spec,
};

use super::Problems;

pub(super) fn check(found: &mut Problems<'_>, spec: &Spec) {
    let mut refuse = |set: bool, path: &[&str], hint: &str| {
        if set {
            found.key(path, format!("`{}` is not supported yet", path.join(".")), hint);
        }
    };
    refuse(spec.topology == Some(Topology::TwoWay), &["topology"], "leave it out, or write `one-way`");
    let schema = spec.schema.as_ref();
    let engine = schema.and_then(|schema| schema.engine).unwrap_or_default();
    refuse(engine != StorageEngine::Innodb, &["schema", "engine"], "leave it out, or write `innodb`");
    let mode = spec.online_ddl.as_ref().and_then(|online| online.mode);
    refuse(mode == Some(OnlineDdlMode::Dms), &["online_ddl", "mode"], "write `gh-ost` with the patterns of its tables, or `copy`");
}
