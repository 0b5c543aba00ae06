//! The plan as a file: readable JSON that refuses to be read when it is not what was written.

use schemars::generate::SchemaSettings;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::model::{FORMAT, Plan};

/// Why a text is no plan that this program can use.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not JSON, or JSON of another shape.
    #[error("not a saved plan: {0}")]
    Shape(String),
    /// Written in a format that this program does not know.
    #[error("the plan has format {found}, and this dtsctl reads {}.0 to {}.{}", FORMAT.0, FORMAT.0, FORMAT.1)]
    Version {
        /// What it says.
        found: String,
    },
    /// The content does not belong to the id.
    #[error("the plan was changed after it was made: its content does not belong to its id {id}")]
    Changed {
        /// What it says.
        id: String,
    },
}

/// The plan as it is saved and as `--format json` prints it, with a newline at the end.
pub fn save(plan: &Plan) -> String {
    let mut text = serde_json::to_string_pretty(plan).expect("a plan has string keys only and no numbers but integers");
    text.push('\n');
    text
}

/// Reads a saved plan.
///
/// # Errors
/// [`PlanError`], all of which are exit 65: not a plan, of an unknown format, or changed by hand.
pub fn load(text: &str) -> Result<Plan, PlanError> {
    #[derive(Deserialize)]
    struct Head {
        format_version: String,
    }
    let head: Head = serde_json::from_str(text).map_err(|e| PlanError::Shape(e.to_string()))?;
    let known = head.format_version.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    if !known.is_some_and(|(major, minor): (u32, u32)| major == FORMAT.0 && minor <= FORMAT.1) {
        // The text is somebody else's: only what looks like a version is repeated.
        let found = head.format_version.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').take(20).collect();
        return Err(PlanError::Version { found });
    }
    let plan: Plan = serde_json::from_str(text).map_err(|e| PlanError::Shape(e.to_string()))?;
    if plan.id != id_of(&plan) {
        return Err(PlanError::Changed { id: plan.id });
    }
    Ok(plan)
}

/// The JSON Schema of a plan, draft-07, as it is committed in `schemas/plan.v1.json`.
pub fn json_schema() -> serde_json::Value {
    let mut value = SchemaSettings::draft07().into_generator().into_root_schema_for::<Plan>().to_value();
    if let Some(object) = value.as_object_mut() {
        object.insert("title".to_owned(), "dtsctl plan, format 1".into());
    }
    value
}

/// The id that belongs to a plan's content.
pub(super) fn id_of(plan: &Plan) -> String {
    let mut content = plan.clone();
    content.id.clear();
    content.created_at.clear();
    let bytes = serde_json::to_vec(&content).expect("a plan has string keys only and no numbers but integers");
    format!("p-{}", &hex(&Sha256::digest(bytes))[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn a_saved_plan_comes_back_as_it_was() {
        let plan = sample::plan();
        assert_eq!(load(&save(&plan)).expect("loads"), plan);
    }

    #[test]
    fn what_is_no_plan_is_refused_by_kind() {
        let text = save(&sample::plan());
        assert!(matches!(load("version: 1"), Err(PlanError::Shape(_))));
        assert!(matches!(load("{}"), Err(PlanError::Shape(_))));
        for version in ["2.0", "1.3", "0.9", "1", "x"] {
            let other = text.replacen("\"1.2\"", &format!("\"{version}\""), 1);
            assert!(matches!(load(&other), Err(PlanError::Version { .. })), "{version}");
        }
        let forged = text.replacen("\"permitted\": false", "\"permitted\": true", 1);
        assert_ne!(forged, text);
        assert!(matches!(load(&forged), Err(PlanError::Changed { .. })));
        assert!(matches!(load(&text.replacen("\"actions\"", "\"acts\"", 1)), Err(PlanError::Shape(_))));
        assert!(matches!(load(&text[..text.len() / 2]), Err(PlanError::Shape(_))));
    }
}
