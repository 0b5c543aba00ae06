//! Files that are generated from the code are what the code would generate. `DTSCTL_GEN=1` (`just gen`) writes them instead.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use dtsctl::cli::{Document, finding, reference, schema_of};
use dtsctl::spec::Finding;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a committed file, or writes it.
fn hold(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("DTSCTL_GEN").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        fs::write(&file, expected).expect("the file can be written");
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is not what the code generates: run `DTSCTL_GEN=1 cargo test generated` (or `just gen`) and read the change"
    );
}

#[test]
fn the_reference_of_the_command_line() {
    hold("docs/cli.md", &reference::markdown());
}

#[test]
fn the_schemas() {
    for document in Document::ALL {
        if let Some(schema) = schema_of(document) {
            hold(&format!("schemas/{}", document.file()), &format!("{schema:#}\n"));
        }
    }
}

/// Code, path and text of every page in a folder, in the order of the codes.
fn pages(folder: &str) -> Vec<(String, PathBuf, String)> {
    let mut pages: Vec<_> = fs::read_dir(root().join(folder))
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let code = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a page is text");
            (code, path, text)
        })
        .collect();
    pages.sort();
    pages
}

#[test]
fn the_list_of_pages() {
    let mut list =
        String::from("//! The pages of `docs/checks/` and `docs/stops/`. Generated: `just gen` writes this file from the folders.\n");
    for (name, folder, of) in [("PAGES", "docs/checks", "finding"), ("STOPS", "docs/stops", "stop")] {
        let codes = format!("\n/// Code and text of the page of every {of}, in the order of the codes.\n#[rustfmt::skip]\n");
        list.push_str(&codes);
        writeln!(list, "pub const {name}: &[(&str, &str)] = &[").expect("a string takes it");
        for (code, ..) in pages(folder) {
            writeln!(list, "    (\"{code}\", include_str!(\"../../../{folder}/{code}.md\")),").expect("a string takes it");
        }
        list.push_str("];\n");
    }
    hold("src/cli/explain/pages.rs", &list);
}

/// Every code with which a statement stops a task has a page, and every page a code.
#[test]
fn the_pages_of_stops_are_those_of_the_code() {
    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push(fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    let mut texts = Vec::new();
    sources(&root().join("src/phase/incremental"), &mut texts);
    let code = regex::Regex::new(r#"(?:stop\(\s*|code: )"([a-z]+(?:-[a-z]+)+)""#).expect("a pattern");
    let in_code: BTreeSet<String> = texts.iter().flat_map(|text| code.captures_iter(text).map(|c| c[1].to_owned())).collect();
    let on_pages: BTreeSet<String> = pages("docs/stops").into_iter().map(|(code, ..)| code).collect();
    assert_eq!(in_code, on_pages);
}

#[test]
fn every_page_has_the_form_that_explain_reads() {
    for (code, path, text) in pages("docs/checks").into_iter().chain(pages("docs/stops")) {
        let check = |right: bool, what: &str| assert!(right, "{}: {what}", path.display());
        let is_stop = path.parent().is_some_and(|folder| folder.ends_with("stops"));
        check(
            is_stop || code.len() == 5 && code.starts_with("DT") && code[2..].bytes().all(|byte| byte.is_ascii_digit()),
            "the name is DT and three digits",
        );
        let mut lines = text.lines();
        check(lines.next().is_some_and(|line| line.starts_with(&format!("# {code}: "))), "the first line is `# CODE: title`");
        check(text.contains("\n|---|---|\n"), "the table stands below the title");
        let row = |name: &str, values: &[&str]| values.iter().any(|value| text.lines().any(|line| line == format!("| {name} | {value} |")));
        let severities: &[&str] = if is_stop { &["stop"] } else { &["failed", "alert", "info", "unsafe", "unsupported"] };
        check(row("severity", severities), "severity is one of failed, alert, info, unsafe, unsupported; of a stop it is stop");
        check(row("ignorable", &["yes", "no"]), "ignorable is yes or no");
        for heading in ["## What it means", "## Risk", "## How to mend it"] {
            check(text.lines().any(|line| line == heading), heading);
        }
        check(text.lines().all(|line| line.chars().count() <= 100), "no line is longer than 100 characters");
        let ignorable = text.lines().any(|line| line == "| ignorable | yes |");
        let expected = match (is_stop, ignorable) {
            (true, _) => Finding::Unknown,
            (false, true) => Finding::Ignorable,
            (false, false) => Finding::Fixed,
        };
        // While generating, the program under test still holds the old list.
        let generating = std::env::var_os("DTSCTL_GEN").is_some();
        check(generating || finding(&code) == expected, "explain reads it as it is written");
    }
}

#[test]
fn every_key_of_the_spec_is_documented() {
    let text = fs::read_to_string(root().join("docs/spec.md")).expect("docs/spec.md is there");
    let schema = dtsctl::spec::schema();
    let mut keys: Vec<String> = Vec::new();
    let mut collect = |value: &serde_json::Value| {
        keys.extend(value["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()));
    };
    collect(&schema);
    for (_, definition) in schema["definitions"].as_object().into_iter().flatten() {
        collect(definition);
    }
    keys.sort();
    keys.dedup();
    let missing: Vec<_> = keys.iter().filter(|key| !text.contains(&format!("{key}`"))).collect();
    assert!(missing.is_empty(), "docs/spec.md does not mention {missing:?}");
    assert!(Path::new(&root()).join("docs/spec.md").exists());
}
