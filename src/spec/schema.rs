//! The spec's JSON Schema (draft-07), generated from its types.

use schemars::{generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;

use super::written;

/// The schema of spec version 1, as it is committed in `schemas/spec.v1.json`.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(|schema: &mut schemars::Schema| {
        if let Some(object) = schema.as_object_mut() {
            without_null(object);
            // Rust's own formats (`uint64`) are no formats to an editor.
            object.remove("format");
        }
    }));
    let value = settings.into_generator().into_root_schema_for::<written::Spec>().to_value();
    // What a reader looks for first comes first.
    let mut ordered = serde_json::Map::new();
    for key in ["$schema", "title", "description"] {
        ordered.insert(key.to_owned(), value[key].clone());
    }
    ordered.insert("title".to_owned(), "dtsctl spec, version 1".into());
    for (key, part) in value.as_object().into_iter().flatten() {
        ordered.entry(key.clone()).or_insert_with(|| part.clone());
    }
    Value::Object(ordered)
}

/// A key may be left out, but a key that is there has a value: `null` is not part of any type.
fn without_null(object: &mut serde_json::Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
    if choices.len() == 1 {
        let only = choices.clone();
        object.remove("anyOf");
        // A `$ref` swallows its neighbours in draft-07, so the description needs the `allOf` around it.
        object.insert("allOf".to_owned(), Value::Array(only));
    }
}
