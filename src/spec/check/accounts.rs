//! Patterns of accounts, and the phase that carries them.

use crate::spec::{account::AccountPattern, written::Spec};

use super::Problems;

pub(super) fn check(found: &mut Problems<'_>, spec: &Spec) {
    let Some(patterns) = spec.accounts.as_ref().and_then(|accounts| accounts.migrate.as_ref()) else { return };
    for (index, pattern) in patterns.iter().enumerate() {
        let path = ["accounts", "migrate", &index.to_string()];
        if let Err(wrong) = AccountPattern::parse(pattern) {
            found.value(&path, format!("`{pattern}` {wrong}"), "for example `app@%`, `report_*@*`, `'odd@user'@'10.0.0.%'`");
        } else if patterns[..index].contains(pattern) {
            found.value(&path, format!("`{pattern}` is written twice"), "");
        }
    }
    let schema = spec.phases.as_ref().and_then(|phases| phases.schema).unwrap_or(true);
    if !schema && !patterns.is_empty() {
        found.key(&["accounts"], "`accounts` needs the schema phase, which is off", "turn on `phases.schema`, or remove the key");
    }
}
