//! A plan with failed checks, alerts, renamed objects and the binlog to follow, in the three formats, as people and pipelines get it: 80
//! columns, no colour.

use testbed::{Flavor, Role, have, shared};

use super::Case;

/// Text that differs from run to run: marks of content, names and places of the servers, positions.
fn marks(json: &serde_json::Value, key: &str, found: &mut Vec<(String, String)>) {
    match json {
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| marks(value, key, found)),
        serde_json::Value::Array(list) => list.iter().for_each(|value| marks(value, key, found)),
        serde_json::Value::String(text) => {
            let hex = text.len() >= 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
            let varies = ["created_at", "identity", "version", "from", "position", "text", "address", "file", "gtid"].contains(&key);
            if !text.is_empty() && (hex || varies || text.starts_with("p-")) {
                found.push((text.clone(), key.to_uppercase()));
            }
        }
        _ => {}
    }
}

#[test]
fn a_blocked_plan_in_three_formats() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let mut case = Case::new(source, destination, "checks_formats");
    destination.exec("DROP DATABASE IF EXISTS checks_formats_dr").expect("dropped");
    case.source(
        "ALTER DATABASE checks_formats CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\n\
         CREATE TABLE parent (id INT PRIMARY KEY);\n\
         CREATE TABLE orders (id INT PRIMARY KEY, cust INT, note VARCHAR(20), CONSTRAINT fk FOREIGN KEY (cust) REFERENCES parent (id) ON DELETE CASCADE) COMMENT 'a | b';\n\
         CREATE TABLE log (line VARCHAR(100));\nCREATE TABLE cache (id INT PRIMARY KEY) ENGINE=MEMORY",
    );
    destination
        .exec("CREATE DATABASE checks_formats_dr CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nCREATE TABLE checks_formats_dr.log (line VARCHAR(100))")
        .expect("a table");
    case.follows();
    case.objects(
        "[{database: checks_formats, rename: checks_formats_dr, tables: [{name: parent}, {name: log}, {name: cache}, \
         {name: orders, rename: orders_copy, columns: {exclude: [note], rename: {cust: customer_id}}}]}]",
    );
    case.rest("precheck: {ignore: [DT221]}\n");
    let run = |arguments: &[&str]| {
        let output = case.command(&[&["plan"], arguments].concat()).env("COLUMNS", "200").output().expect("runs");
        let (out, err) = (String::from_utf8(output.stdout).expect("text"), String::from_utf8_lossy(&output.stderr).into_owned());
        assert_eq!(output.status.code(), Some(3), "{err}");
        out
    };
    let json = run(&["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let mut found = Vec::new();
    marks(&document, "", &mut found);
    found.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let redacted = |text: &str| found.iter().fold(text.to_owned(), |text, (mark, word)| text.replace(mark.as_str(), word));
    for (format, arguments) in
        [("table", &["--format", "table"][..]), ("markdown", &["--format", "markdown"]), ("json", &["--format", "json"])]
    {
        let text = run(arguments);
        assert!(!text.contains('\u{1b}'), "colour: {text}");
        if format == "table" {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        let shown = match format {
            "json" => {
                let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                // Snapshots of their own hold what each check says.
                let failed = |f: &serde_json::Value| f["severity"] == "failed";
                let findings = document["findings"].as_array_mut().expect("findings");
                findings.retain(failed);
                document["created_at"] = "CREATED_AT".into();
                // Tests of large rows set it for a while, on the same servers.
                for end in ["source", "destination"] {
                    document[end]["settings"]["max_allowed_packet"] = "PACKET".into();
                }
                serde_json::to_string_pretty(&document).expect("JSON")
            }
            _ => text,
        };
        let shown = redacted(&shown);
        // How many checks there are changes with each new one.
        let codes = |told: bool| -> std::collections::BTreeSet<&str> {
            let all = document["findings"].as_array().into_iter().flatten();
            all.filter(|f| !told || f["severity"] == "alert" || f["severity"] == "failed").filter_map(|f| f["code"].as_str()).collect()
        };
        let passed = codes(false).len() - codes(true).len();
        let shown = shown.replace(&format!("{passed} passed"), "N passed");
        let shown = super::without_places(&shown, &[source, destination]);
        insta::with_settings!({snapshot_path => "../snapshots/plans", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(format!("blocked_{format}"), shown);
        });
    }
    // What does not fit a limit is left out of the Markdown and said to be, and what blocks is not.
    let whole = run(&["--format", "markdown"]);
    let small = run(&["--format", "markdown", "--markdown-limit", "2000"]);
    assert!(whole.len() > 2000 && small.len() <= 2000, "{} and {}", whole.len(), small.len());
    assert!(small.contains("DT224") && small.contains("Blocked"), "{small}");
}
