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
