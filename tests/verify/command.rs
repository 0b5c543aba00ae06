//! `dtsctl verify` as a person runs it: exit codes, streams, what is named and what is not.

use std::{path::Path, process::Output};

use super::Bed;

fn dtsctl(folder: &Path, bed: &Bed, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dtsctl"));
    command.current_dir(folder).arg("verify").args(arguments);
    command.env("V_SOURCE", &bed.logins.0.password).env("V_DESTINATION", &bed.logins.1.password);
    command.output().expect("dtsctl")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write_spec(folder: &Path, bed: &Bed) {
    let end = |login: &dtsctl::connect::Login, variable: &str| {
        let dtsctl::connect::Place::Tcp { host, port } = &login.place else { panic!("tcp") };
        let password = if login.password.is_empty() { "\"\"".to_owned() } else { format!("{{env: {variable}}}") };
        format!("{{host: {host}, port: {port}, user: {}, password: {password}, tls: {{mode: disabled}}}}", login.user)
    };
    let spec = format!(
        "version: 1\nname: v\nsource: {}\ndestination: {}\nphases: {{schema: true, full: true, incremental: false}}\nobjects:\n  - database: {}\n",
        end(&bed.logins.0, "V_SOURCE"),
        end(&bed.logins.1, "V_DESTINATION"),
        bed.db
    );
    std::fs::write(folder.join("dtsctl.yaml"), spec).expect("spec");
}

#[test]
fn one_changed_row_is_found_and_named_only_where_permitted() {
    let (s, d) = super::pairs()[0];
    let mut bed = Bed::new(s, d);
    let db = bed.db.clone();
    bed.both(&format!(
        "CREATE DATABASE {db};\nUSE {db};\nCREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));\nCREATE TABLE u (id INT PRIMARY KEY);"
    ));
    bed.both("INSERT INTO t VALUES (1, 'a'), (424242, 'secret-value'), (3, NULL);");
    let folder = tempfile::tempdir().expect("folder");
    write_spec(folder.path(), &bed);

    let equal = dtsctl(folder.path(), &bed, &[]);
    assert_eq!(equal.status.code(), Some(0), "{}", text(&equal.stderr));
    assert!(text(&equal.stdout).contains("Verify: equal. 2 tables, 3 rows compared"), "{}", text(&equal.stdout));

    bed.destination("UPDATE t SET v = 'other' WHERE id = 424242;");
    let silent = dtsctl(folder.path(), &bed, &[]);
    assert_eq!(silent.status.code(), Some(4));
    let all = text(&silent.stdout) + &text(&silent.stderr);
    assert!(all.contains("1 different") && !all.contains("424242") && !all.contains("secret-value"), "{all}");

    let named = dtsctl(folder.path(), &bed, &["--keys", "--table", &format!("{db}.t")]);
    assert_eq!(named.status.code(), Some(4));
    let all = text(&named.stdout) + &text(&named.stderr);
    assert!(all.contains("id=424242  in v") && !all.contains("secret-value"), "{all}");

    let json = dtsctl(folder.path(), &bed, &["--format", "json", "--recheck"]);
    let receipt: dtsctl::verify::VerifyReceipt = serde_json::from_slice(&json.stdout).expect("receipt");
    assert_eq!(receipt.tables.len(), 1, "only what differed is looked at again");
    assert_eq!(receipt.tables[0].different, 1);
    let kept = std::fs::read_to_string(folder.path().join(".dtsctl/v.verify.json")).expect("kept");
    assert!(!kept.contains("424242"));

    let unknown = dtsctl(folder.path(), &bed, &["--table", "no.such"]);
    assert_eq!(unknown.status.code(), Some(64));
    let markdown = dtsctl(folder.path(), &bed, &["--format", "markdown"]);
    assert!(text(&markdown.stdout).starts_with("## dtsctl verify: **data differs**"));
}
