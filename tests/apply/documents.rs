//! The documents: JSON that keeps to its schema, tables and Markdown for people, and their limits.

use std::collections::BTreeSet;

use mysql::prelude::Queryable as _;
use serde_json::Value;
use testbed::Flavor;

use super::Bed;

/// Holds a document against its committed schema: every required key is there, no key is unknown, and the types are as they say.
fn keeps_to(schema: &str, document: &Value) {
    let path = format!("{}/schemas/{schema}.v1.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON");
    let mut problems = Vec::new();
    check(&schema, &schema, document, "$", &mut problems);
    assert!(problems.is_empty(), "{}\n{document:#}", problems.join("\n"));
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let found = name.trim_start_matches("#/").split('/').fold(root, |at, key| &at[key]);
        assert!(found.is_object(), "{name} is defined");
        return check(root, found, value, place, problems);
    }
    for all in schema["allOf"].as_array().into_iter().flatten() {
        check(root, all, value, place, problems);
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(options) = schema[choice].as_array() {
            let fits = options.iter().any(|option| {
                let mut found = Vec::new();
                check(root, option, value, place, &mut found);
                found.is_empty()
            });
            if !fits {
                problems.push(format!("{place}: {value} fits none of {choice}"));
            }
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |name: &&str| match *name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("type {other}"),
    };
    if !types.is_empty() && !types.iter().any(is) {
        problems.push(format!("{place}: {value} is not of type {types:?}"));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        problems.push(format!("{place}: {value} is not one of {allowed:?}"));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        problems.push(format!("{place}: {value} is not {only}"));
    }
    if let Some(object) = value.as_object().filter(|_| types.contains(&"object")) {
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                problems.push(format!("{place}: {key} is missing"));
            }
        }
        for (key, inner) in object {
            if let Some(known) = schema["properties"].get(key) {
                check(root, known, inner, &format!("{place}.{key}"), problems);
            } else if schema["additionalProperties"].is_object() {
                check(root, &schema["additionalProperties"], inner, &format!("{place}.{key}"), problems);
            } else if schema["properties"].is_object() {
                problems.push(format!("{place}: {key} is unknown"));
            }
        }
    }
    if let (Some(items), true) = (value.as_array(), schema["items"].is_object()) {
        for (i, item) in items.iter().enumerate() {
            check(root, &schema["items"], item, &format!("{place}[{i}]"), problems);
        }
    }
}

#[test]
fn json_documents_keep_to_their_schemas() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "documents") else { continue };
        bed.source(
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), KEY (v));\nINSERT INTO t VALUES (1, 'x'), (2, NULL), (3, 'secret-value');\n\
             CREATE TABLE nokey (a INT);\nINSERT INTO nokey VALUES (1), (1);\nCREATE VIEW w AS SELECT 1 AS one",
        );
        keeps_to("plan", &bed.task.json(&["plan"]));
        keeps_to("status", &bed.task.json(&["apply", "--yes"]));
        let plan = bed.task.json(&["plan"]);
        keeps_to("plan", &plan);
        assert_eq!(plan["actions"], serde_json::json!([]));
        let status = bed.task.json(&["status"]);
        keeps_to("status", &status);
        assert_eq!((&status["state"], &status["totals"]["rows_done"]), (&"finished".into(), &5.into()), "{status:#}");
        keeps_to("verify", &bed.task.json(&["verify"]));
        bed.destination(&format!("UPDATE `{}`.t SET v = 'other' WHERE id = 2", bed.db));
        let differs = bed.run(&["verify", "--format", "json"]);
        keeps_to("verify", &serde_json::from_str(&differs.expect(4).stdout).expect("JSON"));
        keeps_to("verify", &serde_json::from_str(&bed.run(&["verify", "--keys", "--format", "json"]).expect(4).stdout).expect("JSON"));
        let status = bed.run(&["status"]);
        status.expect(0);
        assert!(status.stdout.contains("finished") && status.stdout.contains("5"), "{}", status.stdout);
        // Nothing that was said or kept holds a row's value.
        for command in [&["status", "--format", "json"][..], &["plan", "--format", "json"], &["verify"]] {
            let said = bed.run(command);
            assert!(!said.stdout.contains("secret-value") && !said.stderr.contains("secret-value"), "{command:?}");
        }
        for entry in std::fs::read_dir(bed.task.path(".dtsctl")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kept = String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).into_owned();
            assert!(!kept.contains("secret-value") && !kept.contains(bed.from.password()), "{}", path.display());
        }
    }
}

#[test]
fn markdown_keeps_within_its_limit_with_many_tables() {
    let Some(mut bed) = Bed::mariadb("documents_many") else { return };
    let tables: Vec<String> = (0..300)
        .map(|i| format!("CREATE TABLE a_rather_long_name_of_a_table_of_which_there_are_many_{i} (id INT PRIMARY KEY, v INT)"))
        .collect();
    bed.source(&tables.join(";\n"));
    for limit in [60_000, 4096] {
        let plan = bed.run(&["plan", "--format", "markdown", "--markdown-limit", &limit.to_string()]);
        plan.expect(0);
        assert!(plan.stdout.len() <= limit, "{} of {limit}", plan.stdout.len());
        // Whatever is left out, the figures are not.
        assert!(plan.stdout.contains("301 create"), "{limit}: {}", plan.stdout);
    }
    let whole = bed.run(&["plan", "--format", "markdown"]);
    assert!(whole.expect(0).stdout.len() <= 60_000);
}

#[test]
fn a_thousand_tables_are_planned_each_once() {
    let Some(mut bed) = Bed::mariadb("documents_thousand") else { return };
    for i in 0..1000 {
        bed.source.query_drop(format!("CREATE TABLE t{i} (id INT PRIMARY KEY, v INT, KEY k{i} (v))")).expect("a table");
    }
    let plan = bed.task.json(&["plan"]);
    let actions = plan["actions"].as_array().expect("actions");
    let objects = |act: &str, phase: &str| -> BTreeSet<&str> {
        actions.iter().filter(|a| a["act"] == act && a["phase"] == phase).filter_map(|a| a["object"].as_str()).collect()
    };
    let copies = objects("copy", "full");
    assert_eq!(copies.len(), 1000);
    let mut created = objects("create", "schema");
    assert!(created.remove(bed.db.as_str()), "the database");
    assert_eq!(created, copies);
    assert_eq!(objects("alter", "finish"), copies, "an index each after the rows");
    // The database, and three actions a table.
    assert_eq!(actions.len(), 3001);
    // Nothing of it is needed any more.
    let drop = format!("DROP DATABASE `{}`", bed.db);
    bed.source.query_drop(drop).expect("dropped");
}
