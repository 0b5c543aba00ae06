//! Keys of the format whose meaning is not built yet: refused, never accepted and ignored. When an issue builds one, its line goes.

use crate::spec::{
    model::{StorageEngine, Topology},
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
}
