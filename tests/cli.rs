//! The command line: streams, exit codes, and the commands that need no server.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::Stdio,
};

use crate::spec::{dtsctl, outcome};

#[test]
fn version_and_help_are_documents() {
    assert_eq!(outcome(dtsctl().arg("--version")), format!("exit 0\n---stdout---\ndtsctl {}\n---stderr---\n", env!("CARGO_PKG_VERSION")));
    let help = outcome(dtsctl().arg("--help"));
    assert!(help.starts_with("exit 0\n---stdout---\nDeclarative"), "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 80), "a line of the help is longer than 80: {help}");
    for command in
        ["init", "validate", "ping", "plan", "show", "apply", "status", "stop", "verify", "explain", "json-schema", "completions", "man"]
    {
        let help = outcome(dtsctl().args([command, "--help"]));
        assert!(help.starts_with("exit 0\n---stdout---\n") && help.contains("Example"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "a line of the help is longer than 80: {help}");
    }
}

#[test]
fn wrong_arguments_exit_64() {
    for (name, arguments) in [
        ("unknown-command", &["plann"][..]),
        ("unknown-flag", &["plan", "--sumary"]),
        ("bad-format", &["plan", "--format", "xml"]),
        ("bad-report", &["plan", "--report", "markdown"]),
        ("bad-report-format", &["plan", "--report", "xml=a"]),
        ("report-of-nothing", &["man", "--report", "json=a"]),
        ("missing-argument", &["show"]),
        ("bare-number-for-a-time", &["apply", "--time-limit", "30"]),
        ("threads-zero", &["apply", "--threads", "0"]),
        ("until-bad-set", &["apply", "--until", "gtid:a:1-5"]),
        ("set-unknown-key", &["set", "retry.other=5m"]),
        ("set-bad-value", &["set", "throttle.full.mbps=fast"]),
        ("stop-at-never", &["stop", "--at", "never"]),
        ("until-misspelt", &["apply", "--until", "caughtup"]),
        ("sample-of-0", &["verify", "--sample", "0"]),
        ("quiet-and-verbose", &["validate", "-q", "-v"]),
        ("explain-unknown", &["explain", "DT999"]),
        ("man-unknown", &["man", "plann"]),
        ("log-file-in-no-folder", &["validate", "--log-file", "/nowhere/at/all.log"]),
        ("url-without-user", &["init", "-f", "-", "--from-source", "mysql://db1:3306/"]),
        ("url-with-password", &["init", "-f", "-", "--from-source", "postgres://dts:hunter2@db1/"]),
    ] {
        let shown = outcome(dtsctl().args(arguments));
        assert!(shown.starts_with("exit 64\n---stdout---\n---stderr---\n"), "{name}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        insta::with_settings!({snapshot_path => "snapshots/cli", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, shown);
        });
    }
    assert!(outcome(&mut dtsctl()).starts_with("exit 64\n---stdout---\n---stderr---\nDeclarative"));
}

#[test]
fn init_writes_a_spec_that_validates_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| outcome(dtsctl().current_dir(&folder).args(arguments));
    let shown = run(&["init"]);
    assert_eq!(shown, "exit 0\n---stdout---\n---stderr---\nwrote dtsctl.yaml; next: edit it, then `dtsctl validate`\n");
    let valid = run(&["validate"]);
    assert!(valid.starts_with("exit 0\n---stdout---\ndtsctl.yaml: valid. Task dtsctl: "), "{valid}");
    let text = fs::read_to_string(folder.path().join("dtsctl.yaml")).expect("the file");
    assert!(text.starts_with("# yaml-language-server: $schema="));

    let refused = run(&["init"]);
    assert!(refused.starts_with("exit 64\n") && refused.contains("error: dtsctl.yaml exists already\nhint: `--force`"), "{refused}");
    fs::write(folder.path().join("dtsctl.yaml"), "mine").expect("writable");
    assert!(run(&["init"]).starts_with("exit 64\n"));
    assert_eq!(fs::read_to_string(folder.path().join("dtsctl.yaml")).expect("the file"), "mine");
    assert!(run(&["init", "--force"]).starts_with("exit 0\n"));
    assert!(run(&["validate"]).starts_with("exit 0\n"));

    let printed = run(&["init", "-f", "-"]);
    assert_eq!(printed, format!("exit 0\n---stdout---\n{text}---stderr---\n"));
    let elsewhere = run(&["init", "-f", "no/such/folder/a.yaml"]);
    assert!(elsewhere.starts_with("exit 1\n") && elsewhere.contains("because: "), "{elsewhere}");
}

#[test]
fn init_says_when_the_source_cannot_be_reached() {
    // Port 1 of this machine: nobody listens there.
    let shown = outcome(dtsctl().args(["init", "-f", "-", "--from-source", "mysql://dts:hunter2@127.0.0.1:1/"]));
    assert!(shown.starts_with("exit 1\n---stdout---\n---stderr---\nerror: "), "{shown}");
    assert!(shown.contains("127.0.0.1:1") && shown.contains("hint: ") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_spec_is_read_from_standard_input_too() {
    let mut child = dtsctl()
        .args(["validate", "-f", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("dtsctl runs");
    let text = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/specs/valid/minimal.yaml")).expect("the spec");
    child.stdin.take().expect("a pipe").write_all(&text).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["valid"], true);
    assert_eq!(document["name"], "dtsctl");
    assert_eq!(document["format_version"], "1.0");
}

#[test]
fn a_missing_spec_names_the_next_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = outcome(dtsctl().current_dir(&folder).arg("validate"));
    assert!(shown.starts_with("exit 65\n---stdout---\n---stderr---\nerror: cannot read the spec dtsctl.yaml\n  because: "), "{shown}");
    assert!(shown.contains("hint: `dtsctl init` writes one"), "{shown}");
    let shown = outcome(dtsctl().current_dir(&folder).args(["validate", "-f", "."]));
    assert!(shown.starts_with("exit 65\n"), "{shown}");
}

#[test]
fn the_environment_stands_in_for_flags_and_flags_win() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/specs/valid/minimal.yaml"), folder.path().join("shop.yaml")).expect("a copy");
    let run = |name: &str, value: &str, arguments: &[&str]| {
        outcome(dtsctl().current_dir(&folder).env("DTSCTL_FILE", "shop.yaml").env(name, value).args(arguments))
    };
    assert!(run("A", "b", &["validate"]).contains("shop.yaml: valid. Task shop: "));
    assert!(run("DTSCTL_FORMAT", "json", &["validate"]).contains("\"valid\": true"));
    assert!(run("DTSCTL_FORMAT", "json", &["validate", "--format", "table"]).contains("shop.yaml: valid."));
    assert!(run("DTSCTL_FILE", "other.yaml", &["validate", "-f", "shop.yaml"]).starts_with("exit 0\n"));
    assert!(run("DTSCTL_FORMAT", "xml", &["validate"]).starts_with("exit 64\n"));
    assert!(run("DTSCTL_QUIET", "1", &["validate", "-v"]).starts_with("exit 0\n"));
    let bad = |name: &str, value: &str, arguments: &[&str]| {
        let output = dtsctl().current_dir(&folder).env(name, value).args(arguments).output().expect("dtsctl runs");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert!(bad("DTSCTL_COLOR", "always", &["validate"]).contains("\u{1b}[1;31merror:\u{1b}[0m"));
    assert!(!bad("DTSCTL_COLOR", "always", &["validate", "--color", "never"]).contains('\u{1b}'));
    assert!(!bad("A", "b", &["validate"]).contains('\u{1b}'));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let mut child = dtsctl().args(["json-schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("dtsctl runs");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("it is text");
    assert!(child.wait().expect("it ends").success(), "{said}");
    assert_eq!(said, "");
}

#[test]
fn schemas_completions_and_manual_are_printed() {
    let schema = dtsctl().arg("json-schema").output().expect("dtsctl runs").stdout;
    let schema: serde_json::Value = serde_json::from_slice(&schema).expect("JSON");
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let shown = outcome(dtsctl().args(["completions", shell]));
        assert!(shown.starts_with("exit 0\n") && shown.contains("json-schema"), "{shell}");
    }
    assert!(outcome(dtsctl().arg("man")).contains(".TH dtsctl 1"));
    assert!(outcome(dtsctl().args(["man", "plan"])).contains(".TH dtsctl-plan 1"));
}

#[test]
fn explain_lists_codes_and_prints_pages() {
    let list = outcome(dtsctl().arg("explain"));
    assert!(list.starts_with("exit 0\n") && list.contains("\nDT112  unsafe       "), "{list}");
    let page = outcome(dtsctl().args(["explain", "dt112"]));
    assert!(page.starts_with("exit 0\n---stdout---\n# DT112: "), "{page}");
    let json = dtsctl().args(["explain", "DT112", "--format", "json"]).output().expect("dtsctl runs").stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!((&json["code"], &json["ignorable"]), (&"DT112".into(), &false.into()));
    let json = dtsctl().args(["explain", "--format", "json"]).output().expect("dtsctl runs").stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert!(json["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
    assert!(outcome(dtsctl().args(["explain", "--format", "markdown"])).contains("| DT112 | unsafe | no | "));
    assert!(list.contains("\nddl-unclear "), "{list}");
    let page = outcome(dtsctl().args(["explain", "DDL-unclear"]));
    assert!(page.starts_with("exit 0\n---stdout---\n# ddl-unclear: "), "{page}");
    let near = outcome(dtsctl().args(["explain", "ddl-unclaer"]));
    assert!(near.starts_with("exit 64\n") && near.contains("did you mean `ddl-unclear`?"), "{near}");
}

#[test]
fn passwords_are_read_only_to_connect_and_their_absence_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/specs/valid/minimal.yaml"), folder.path().join("dtsctl.yaml")).expect("a copy");
    let shown = outcome(dtsctl().current_dir(&folder).arg("ping"));
    assert!(shown.starts_with("exit 1\n---stdout---\n---stderr---\nerror: source: environment variable `SRC_PW`"), "{shown}");
    assert!(shown.contains("hint: set `SRC_PW`"), "{shown}");
    let shown = outcome(dtsctl().current_dir(&folder).env("SRC_PW", "").arg("ping"));
    assert!(shown.contains("`SRC_PW`, which holds the password, is not set"), "{shown}");
}

#[test]
fn init_lists_the_databases_of_a_source() {
    let server = testbed::shared(testbed::Flavor::MariaDb, testbed::Role::Source);
    server.exec("CREATE DATABASE IF NOT EXISTS `init_a`; CREATE DATABASE IF NOT EXISTS `init: b`;").expect("databases can be made");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("mysql://{}:{}@{}:{}/", server.user(), server.password(), server.host(), server.port());
    let shown = outcome(dtsctl().current_dir(&folder).args(["init", "--from-source", &url]));
    assert!(shown.starts_with("exit 0\n"), "{shown}");
    let text = fs::read_to_string(folder.path().join("dtsctl.yaml")).expect("the file");
    assert!(text.contains("  - database: init_a\n") && text.contains("  - database: \"init: b\"\n"), "{text}");
    assert!(!text.contains("- database: mysql\n") && !text.contains("- database: sys\n"), "{text}");
    assert!(text.contains(&format!("  port: {}\n", server.port())) && text.contains("password: {env: DTS_SOURCE_PASSWORD}"), "{text}");
    assert!(server.password().is_empty() || !text.contains(server.password()), "the password is not written");
    let valid = outcome(dtsctl().current_dir(&folder).arg("validate"));
    assert!(valid.starts_with("exit 0\n"), "{valid}");
}

#[test]
fn reports_are_appended_each_in_its_own_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/specs/valid/minimal.yaml");
    let run = |arguments: &[&str]| outcome(dtsctl().current_dir(&folder).args(["validate", "-f", spec]).args(arguments));
    for _ in 0..2 {
        let shown = run(&["--report", "json=a.json", "--report", "table=a.txt"]);
        assert!(shown.starts_with("exit 0\n---stdout---\n/") && !shown.contains('{'), "{shown}");
    }
    let text = fs::read_to_string(folder.path().join("a.txt")).expect("the report");
    assert_eq!(text.lines().count(), 2, "{text}");
    let json = fs::read_to_string(folder.path().join("a.json")).expect("the report");
    let documents: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&json).into_iter().collect::<Result<_, _>>().expect("a stream of JSON");
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0]["valid"], true);
    let refused = run(&["--report", "json=no/such/folder/a.json"]);
    assert!(refused.starts_with("exit 1\n---stdout---\n---stderr---\nerror: cannot write the report "), "{refused}");
}
