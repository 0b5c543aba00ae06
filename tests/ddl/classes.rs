//! Every class and every place a name can stand, as a snapshot: `testdata/ddl/*.sql` read and mapped.

use std::fmt::Write as _;

use dtsctl::ddl::{
    lex::Mode,
    statement::{Classified, Edit, NameKind, PieceKind, Server, apply, classify, flatten},
};

pub(super) const MYSQL: Server = Server { mariadb: false, version: (9, 7, 4) };
pub(super) const MARIADB: Server = Server { mariadb: true, version: (10, 11, 18) };

/// The statements of a file: what stands between blank lines.
pub(super) fn corpus(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(testbed::testdata(&format!("ddl/{file}.sql"))).expect("testdata");
    text.split("\n\n").map(str::trim).filter(|s| !s.is_empty() && !s.starts_with("-- ")).map(str::to_owned).collect()
}

fn shown(text: &str, classified: &Classified) -> String {
    let mut out = classified.class.words().to_owned();
    for (is, word) in [
        (classified.temporary, "temporary"),
        (classified.or_replace, "or replace"),
        (classified.if_exists, "if exists"),
        (classified.is_carried(), "carried"),
        (classified.names_charset, "charset named"),
    ] {
        if is {
            write!(out, ", {word}").expect("written");
        }
    }
    for trouble in &classified.troubles {
        write!(out, ", {trouble:?}").expect("written");
    }
    for name in &classified.names {
        let kind = match name.kind {
            NameKind::Source { alias_at: Some(_) } => "Source without alias".to_owned(),
            NameKind::Source { alias_at: None } => "Source".to_owned(),
            kind => format!("{kind:?}"),
        };
        let database = name.database.as_deref().unwrap_or("-");
        write!(out, "\n    {kind} {database} {} [{}]", name.name, &text[name.span.clone()]).expect("written");
        if let Some(clause) = &name.clause {
            write!(out, " in [{}]", &text[clause.clone()]).expect("written");
        }
    }
    for piece in &classified.pieces {
        write!(out, "\n    {:?} {} [{}]", piece.kind, piece.value, &text[piece.clause.clone()]).expect("written");
    }
    out
}

fn read(file: &str, mode: Mode, server: Server) -> String {
    let mut out = String::new();
    for statement in corpus(file) {
        let text = flatten(&statement, mode, server);
        match classify(&text, mode) {
            Ok(classified) => writeln!(out, "{text}\n  {}\n", shown(&text, &classified)),
            Err(error) => writeln!(out, "{text}\n  ERROR {error}\n"),
        }
        .expect("written");
    }
    out
}

#[test]
fn statements_are_read() {
    let ansi = Mode { ansi_quotes: true, no_backslash_escapes: true };
    insta::with_settings!({snapshot_path => "../snapshots/ddl", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("common", read("common", Mode::default(), MYSQL));
        insta::assert_snapshot!("mysql", read("mysql", Mode::default(), MYSQL));
        insta::assert_snapshot!("mariadb", read("mariadb", Mode::default(), MARIADB));
        insta::assert_snapshot!("ansi", read("ansi", ansi, MYSQL));
    });
}

#[test]
fn what_is_not_understood_is_an_error() {
    for text in ["FROB TABLE x", "CREATE FROB x", "DROP TABLE a b", "RENAME TABLE a", "ALTER FROB x", "CREATE TABLE t (a INT", "5"] {
        assert!(classify(text, Mode::default()).is_err(), "{text}");
    }
}

#[test]
fn items_that_cannot_be_carried_are_left_out() {
    let text = "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES x (a), ADD b INT, LOCK=NONE";
    let classified = classify(text, Mode::default()).expect("classified");
    let mut edits: Vec<Edit> = classified.names.iter().filter_map(|n| n.clause.clone().map(Edit::RemoveItem)).collect();
    edits.extend(classified.pieces.iter().filter(|p| p.kind == PieceKind::How).map(|p| Edit::RemoveItem(p.clause.clone())));
    assert_eq!(apply(text, Mode::default(), edits), "ALTER TABLE t  ADD b INT ");
}
