//! The rules of docs/architecture.md about who may use whom, held against the sources.

use std::{fs, path::Path};

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // Unit tests may reach further than what they test.
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
            let name = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap().display().to_string();
            found.push((name, code));
        }
    }
}

fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.retain(|(name, _)| !name.ends_with("_tests.rs") && !name.ends_with("/tests.rs") && !name.contains("sample"));
    assert!(found.len() > 80, "{} sources found", found.len());
    found
}

fn room(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}

/// Rooms that a file names as `crate::room` anywhere, also inside a braced `use crate::{...}`.
fn used(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + 7..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut word)),
                    c if depth == 0 => word.push(c),
                    _ => {}
                }
            }
            rooms.push(word);
        } else {
            rooms.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms.iter().map(|r| r.trim().split("::").next().unwrap_or_default().to_owned()).filter(|r| !r.is_empty()).collect()
}

#[test]
fn rooms_use_only_whom_they_may() {
    // Room, and what it must never name.
    let forbidden: &[(&str, &[&str])] = &[
        ("spec", &["connect", "catalog", "diff", "plan", "phase", "destination", "state", "cli", "report", "verify", "precheck"]),
        ("ddl", &["connect", "diff", "plan", "phase", "destination", "state", "cli", "report", "verify", "precheck"]),
        ("connect", &["binlog", "catalog", "diff", "plan", "phase", "destination", "state", "cli", "report", "verify", "precheck"]),
        ("binlog", &["diff", "plan", "phase", "destination", "state", "cli", "report", "verify", "precheck", "spec", "ddl"]),
        ("catalog", &["binlog", "diff", "plan", "phase", "destination", "state", "cli", "report", "verify", "precheck"]),
        ("diff", &["plan", "phase", "destination", "state", "cli", "report", "verify", "precheck"]),
        ("plan", &["phase", "state", "cli", "report", "verify", "precheck"]),
        ("destination", &["phase", "state", "cli", "report", "verify", "precheck", "plan", "diff", "spec"]),
        ("phase", &["state", "cli", "report", "verify", "precheck", "plan", "diff", "spec"]),
        ("verify", &["phase", "state", "cli", "report", "precheck", "plan", "diff"]),
        ("precheck", &["phase", "state", "cli", "report", "verify"]),
        ("state", &["connect", "phase", "cli", "report", "verify", "precheck", "plan", "diff", "destination"]),
        ("report", &["connect", "phase", "cli", "destination"]),
        ("alert", &["connect", "diff", "plan", "phase", "destination", "state", "cli", "report", "verify", "precheck"]),
        ("event", &["connect", "phase", "cli", "report", "state", "plan"]),
    ];
    let mut wrong = Vec::new();
    for (name, code) in all() {
        let Some((_, never)) = forbidden.iter().find(|(of, _)| *of == room(&name)) else { continue };
        for other in used(&code) {
            if never.contains(&other.as_str()) {
                wrong.push(format!("{name} uses crate::{other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_belongs_to_one_room_stays_there() {
    let only: &[(&str, &[&str])] = &[
        ("rusqlite", &["state"]),
        ("mysql::Conn", &["connect"]),
        ("mysql::{", &["connect"]),
        ("std::env::var", &["cli"]),
        ("std::env::args", &["cli"]),
        ("SystemTime::now", &["cli"]),
        ("process::exit", &["main"]),
        ("println!", &["report", "cli"]),
    ];
    let mut wrong = Vec::new();
    for (name, code) in all() {
        for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
            for (what, rooms) in only {
                // `destination::mysql::{...}` is a room of ours and no crate.
                let named = line.contains(what) && !line.contains("destination::mysql") && !line.contains("crate::");
                if named && !rooms.contains(&room(&name)) {
                    wrong.push(format!("{name}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
