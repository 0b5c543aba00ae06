//! Every spec of `testdata/specs`, as `dtsctl validate` judges it: exit code and message, at 80 columns and without colour.

use std::{fs, path::PathBuf, process::Command};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/specs").join(name)
}

/// The program, alone with its arguments: nothing of the tester's environment reaches it.
pub(crate) fn dtsctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dtsctl"));
    command.env_clear();
    command
}

/// Exit code, standard output and standard error, as a person would read them.
pub(crate) fn outcome(command: &mut Command) -> String {
    let output = command.output().expect("dtsctl runs");
    let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the streams are UTF-8");
    format!("exit {code}\n---stdout---\n{}---stderr---\n{}", text(&output.stdout), text(&output.stderr))
}

fn each(name: &str, arguments: &[&str], check: impl Fn(&str, &str)) {
    let folder = folder(name);
    let mut files: Vec<_> = fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        let file_name = file.file_name().expect("a name").to_str().expect("UTF-8");
        let stem = file.file_stem().expect("a name").to_str().expect("UTF-8");
        let shown = outcome(dtsctl().current_dir(&folder).env("HOST", "db1").args(["validate", "-f", file_name]).args(arguments));
        check(stem, &shown);
    }
}

#[test]
fn invalid_specs_are_refused_with_every_problem_and_its_place() {
    each("invalid", &[], |name, shown| {
        assert!(shown.starts_with("exit 65\n---stdout---\n---stderr---\nerror: "), "{name}: {shown}");
        assert!(!shown.contains("hunter2"), "{name} shows a password: {shown}");
        insta::with_settings!({snapshot_path => "snapshots/invalid", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, shown);
        });
    });
}

#[test]
fn valid_specs_print_their_resolved_form() {
    each("valid", &["--print"], |name, shown| {
        assert!(shown.starts_with("exit 0\n"), "{name}: {shown}");
        // The long one says nothing more than that it is accepted.
        let shown = if name == "1000-renamed" { "exit 0\n" } else { shown };
        insta::with_settings!({snapshot_path => "snapshots/valid", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, shown);
        });
    });
}

/// A folder with specs of these names and texts.
fn specs(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let head = "version: 1\nsource: {host: db1, user: dts, password: {env: SRC}}\n\
                    destination: {host: db2, user: dts, password: {env: DST}}\nphases: {incremental: false}\n";
        fs::write(folder.path().join(name), format!("{head}{text}")).expect("written");
    }
    folder
}

#[test]
fn a_folder_of_specs_is_judged_together() {
    let folder = specs(&[
        ("a.yaml", "name: a\nobjects: [{database: shop_1, rename: shop, tables: [{name: orders}]}]\n"),
        ("b.yaml", "name: b\nobjects: [{database: shop_2, rename: shop, tables: [{name: \"or*\"}, {name: items}]}]\n"),
        ("c.yml", "name: c\nobjects: [{database: crm}]\n"),
        ("d.yaml", "name: c\nobjects: [{database: crm_old, rename: crm_new, exclude: [\"x*\"]}]\n"),
        ("e.yaml", "name: e\nobjects: [{databas: crm}]\n"),
        ("notes.txt", "no spec"),
    ]);
    let validate = |arguments: &[&str]| outcome(dtsctl().current_dir(folder.path()).arg("validate").arg(".").args(arguments));
    insta::assert_snapshot!("validate-folder", validate(&[]));
    insta::assert_snapshot!("validate-folder-github", validate(&["--format", "github"]));
    // What a spec's digest is, other tests say.
    let json: String =
        validate(&["--format", "json"]).lines().filter(|line| !line.contains("digest")).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!("validate-folder-json", json);
}

#[test]
fn shards_that_feed_one_table_are_told_and_not_refused() {
    let folder = specs(&[
        ("a.yaml", "name: a\nobjects: [{database: shop_1, rename: shop}]\n"),
        ("b.yaml", "name: b\nobjects: [{database: shop_2, rename: shop, tables: [{name: orders}]}]\n"),
    ]);
    let shown = outcome(dtsctl().current_dir(folder.path()).args(["validate", "a.yaml", "b.yaml"]));
    assert!(shown.starts_with("exit 0\n"), "{shown}");
    assert!(shown.contains("warning: a.yaml and b.yaml may both write shop.orders and shop.* at db2:3306"), "{shown}");
}

#[test]
fn annotations_are_for_validate_alone() {
    let folder = specs(&[("a.yaml", "objects: [{database: shop}]\n")]);
    let shown = outcome(dtsctl().current_dir(folder.path()).args(["plan", "-f", "a.yaml", "--format", "github"]));
    assert!(shown.starts_with("exit 64\n"), "{shown}");
    let one = outcome(dtsctl().current_dir(folder.path()).args(["validate", "-f", "a.yaml", "--format", "github"]));
    assert!(one.starts_with("exit 0\n---stdout---\na.yaml: valid."), "{one}");
    let empty = outcome(dtsctl().current_dir(folder.path()).args(["validate", "nowhere.yaml"]));
    assert!(empty.starts_with("exit 65\n"), "{empty}");
}

/// Every command of the pipelines under `examples/ci` is one that the program takes, and their spec is valid.
#[test]
fn the_example_pipelines_type_commands_that_exist() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let mut commands = 0;
    for name in ["github-actions.yml", "gitlab-ci.yml"] {
        let text = fs::read_to_string(folder.join(name)).expect("the pipeline is there");
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let Some((_, typed)) = line.split_once("dtsctl ").filter(|(before, _)| before.is_empty() || before.ends_with(' ')) else {
                continue;
            };
            let words: Vec<&str> = typed.split(" ||").next().unwrap_or_default().split_whitespace().collect();
            // `--help` behind the flags: they are all read before it is answered, so a wrong one is exit 64.
            let shown = outcome(dtsctl().args(&words).arg("--help"));
            assert!(shown.starts_with("exit 0\n"), "{name}: {line}\n{shown}");
            commands += 1;
        }
    }
    assert!(commands >= 8, "{commands} commands found");
    let shown = outcome(dtsctl().current_dir(&folder).args(["validate", "shop.yaml"]));
    assert!(shown.starts_with("exit 0\n"), "{shown}");
}
