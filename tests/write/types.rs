//! Every type as a value and as a key, every row of the type files: read in the form that row images have, written by a lane, compared by
//! the server's own word.

use super::*;
use dtsctl::catalog::{TableName, TypeKind};

/// Tables of the type files in two databases of one server, those of the second without rows.
fn twins(server: &Server, prefix: &str, files: &[&str]) -> Vec<(Table, Table)> {
    let mut conn = server.root_conn().expect("a connection");
    let from = format!("{prefix}_a");
    let to = format!("{prefix}_b");
    for database in [&from, &to] {
        for file in files {
            testbed::sql::run_file(&mut conn, &testbed::testdata(file), database).expect("the file runs");
        }
    }
    let mut session = Session::open(&login(server), Purpose::Catalog).expect("a session");
    let scope = catalog::Scope { database: &|database| database.starts_with(prefix), table: &|_| true };
    let all = catalog::read(&mut session, &scope).expect("a catalog").tables;
    let mut pairs = Vec::new();
    for table in all.iter().filter(|t| t.name.database.starts_with(&from)) {
        let name = TableName::new(table.name.database.replace(&from, &to), table.name.table.clone());
        let twin = all.iter().find(|t| t.name == name).expect("its twin");
        pairs.push((table.clone(), twin.clone()));
    }
    assert!(pairs.len() > 20, "{} tables", pairs.len());
    pairs
}

/// All rows of a table as row images would have them.
fn images(server: &Server, table: &Table) -> Vec<Image> {
    let mut session = Session::open(&login(server), Purpose::Read).expect("a session");
    let selected: Vec<String> = table
        .columns
        .iter()
        .map(|c| {
            let name = catalog::quote_name(&c.name);
            match (c.kind, c.float_limit()) {
                (TypeKind::Enum | TypeKind::Set, _) => format!("CAST({name} AS UNSIGNED)"),
                (_, Some(limit)) => format!("LEAST(GREATEST({name} * 1e0, -{limit}), {limit})"),
                (TypeKind::Float, None) => format!("{name} * 1e0"),
                _ => name,
            }
        })
        .collect();
    let mut rows = Vec::new();
    let sql = format!("SELECT {} FROM {}", selected.join(", "), table.name.quoted());
    session
        .stream("reading", &sql, |row| {
            let mut image = Image::with_capacity(row.len(), 64);
            for i in 0..row.len() {
                image.push(row.get(i));
            }
            rows.push(image);
            true
        })
        .expect("rows");
    rows
}

/// The table as it is, when its rows may be folded, and without its keys.
fn ways(source: &Table, destination: &Table) -> Vec<Arc<CopyTable>> {
    let unkeyed = Table { keys: Vec::new(), ..source.clone() };
    let with = |source: &Table| Arc::new(CopyTable::new(source.clone(), destination.clone(), false));
    vec![with(source), with(&unkeyed)]
}

fn batch(table: &Arc<CopyTable>, changes: Vec<RowChange>) -> Batch {
    if table.folding_key().is_none() {
        return ordered(table, changes);
    }
    let mut keyed = TableChanges { table: Arc::clone(table), deletes: vec![], updates: vec![], inserts: vec![] };
    for change in changes {
        match change {
            RowChange::Insert(image) => keyed.inserts.push(image),
            RowChange::Delete(image) => keyed.deletes.push(image),
            RowChange::Update { before, after } => keyed.updates.push((before, after)),
        }
    }
    Batch { keyed: vec![keyed], ordered: vec![], cascades: vec![] }
}

fn every_type(flavor: Flavor, special: &str) {
    if !testbed::have(flavor) {
        return;
    }
    let server = testbed::shared(flavor, Role::Destination);
    let bench = Bench::new(server, "types");
    let mut problems = Vec::new();
    for (source, destination) in twins(server, "write_ty", &["types/common.sql", special]) {
        // A DECIMAL or a date inside a JSON is in the binlog, and not in what SELECT gives.
        if source.unsupported.is_some() || source.name.table == "json_types" {
            continue;
        }
        let rows = images(server, &source);
        let compare = || {
            let (mut a, mut b) = (server.root_conn().expect("a connection"), server.root_conn().expect("a connection"));
            let (a_name, b_name) = (&source.name, &destination.name);
            testbed::equal::compare_tables(&mut a, &a_name.database, &a_name.table, &mut b, &b_name.database, &b_name.table)
        };
        let count = || bench.rows(&format!("SELECT COUNT(*) FROM {}", destination.name.quoted()));
        for table in ways(&source, &destination) {
            bench.sql(&format!("SET foreign_key_checks=0; DELETE FROM {}", destination.name.quoted()));
            type Kind = (&'static str, fn(Image) -> RowChange);
            let kinds: [Kind; 3] = [
                ("insert", RowChange::Insert),
                ("update", |image| RowChange::Update { before: image.clone(), after: image }),
                ("delete", RowChange::Delete),
            ];
            for (name, change) in kinds {
                let what = format!("{} {name} {}", source.name, if table.folding_key().is_some() { "by key" } else { "by row" });
                match bench.apply(&batch(&table, rows.iter().cloned().map(change).collect()), STRICT) {
                    Ok(written) if written.conflicts.is_empty() => {}
                    Ok(written) => problems.push(format!("{what}: {:?}", conflicts(&written))),
                    Err(error) => problems.push(format!("{what}: {error}")),
                }
                let done = if name == "delete" {
                    let left = count();
                    if left == ["0"] { Ok(()) } else { Err(format!("{left:?} rows left")) }
                } else {
                    compare()
                };
                if let Err(difference) = done {
                    problems.push(format!("{what}: {difference}"));
                    break;
                }
            }
        }
        // And twice over, as before the end of a copy.
        let table = Arc::new(CopyTable::new(source.clone(), destination.clone(), false));
        if table.folding_key().is_some() {
            for _ in 0..2 {
                let result = bench.apply(&batch(&table, rows.iter().cloned().map(RowChange::Insert).collect()), REPEATABLE);
                if let Err(error) = result.map_err(|e| e.to_string()).and_then(|_| compare()) {
                    problems.push(format!("{} again: {error}", source.name));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_type_is_written_and_found_on_mariadb() {
    every_type(Flavor::MariaDb, "types/mariadb.sql");
}

#[test]
fn every_type_is_written_and_found_on_mysql() {
    every_type(Flavor::MySql, "types/mysql.sql");
}

#[test]
fn numbers_of_lists_follow_their_names() {
    on_both("lists", |bench| {
        bench.sql("CREATE TABLE s (id INT PRIMARY KEY, e ENUM('x','y','z'), m SET('p','q','r')); CREATE TABLE d (id INT PRIMARY KEY, e ENUM('z','','y','x'), m SET('r','q','p','o'))");
        let d = bench.followed_from("s", "d");
        bench.apply_cleanly(&keyed(&d, &[], &[], &["1,1,5", "2,2,0", "3,3,7", "4,NULL,NULL"]));
        assert_eq!(bench.rows("SELECT * FROM d ORDER BY id"), ["1,x,r,p", "2,y,", "3,z,r,q,p", "4,NULL,NULL"]);
        // The error value is neither a member nor nothing.
        bench.apply_cleanly(&keyed(&d, &[], &[("1,1,5", "1,0,1")], &["5,0,2", "6,2,2"]));
        assert_eq!(bench.rows("SELECT id, e + 0, m + 0 FROM d WHERE id IN (1, 5, 6) ORDER BY id"), ["1,0,4", "5,0,2", "6,3,2"]);
        bench.sql("ALTER TABLE d MODIFY e ENUM('z','y')");
        let d = bench.followed_from("s", "d");
        match bench.apply(&keyed(&d, &[], &[], &["7,1,0"]), STRICT) {
            Err(DestinationError::NotExact { what, .. }) => assert!(what.contains("column `e`"), "{what}"),
            other => panic!("a member is lacking: {other:?}"),
        }
        // And as a key, and for a column that is no list.
        bench.sql("CREATE TABLE ks (e ENUM('x','y') NOT NULL, m SET('p','q') NOT NULL, PRIMARY KEY (e, m)); CREATE TABLE kd (e ENUM('y','x') NOT NULL, m SET('q','p') NOT NULL, PRIMARY KEY (e, m))");
        let k = bench.followed_from("ks", "kd");
        bench.apply_cleanly(&keyed(&k, &[], &[], &["1,1", "1,2", "2,3"]));
        bench.apply_cleanly(&keyed(&k, &["1,1"], &[("2,3", "2,3")], &["2,0"]));
        assert_eq!(bench.rows("SELECT CONCAT(e), CONCAT(m) FROM kd ORDER BY 1, 2"), ["x,q", "y,", "y,q,p"]);
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, e VARCHAR(10), m VARCHAR(10))");
        let t = bench.followed_from("s", "t");
        bench.apply_cleanly(&keyed(&t, &[], &[], &["1,2,5", "2,0,0"]));
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["1,y,p,r", "2,,"]);
    });
}

#[test]
fn text_of_another_charset_is_converted() {
    on_both("recode", |bench| {
        bench.sql("CREATE TABLE s (k VARCHAR(10) CHARACTER SET latin1, v VARCHAR(10) CHARACTER SET latin1, PRIMARY KEY (k)); CREATE TABLE d (k VARCHAR(10), v VARCHAR(10), PRIMARY KEY (k)); CREATE TABLE nd (k VARCHAR(10), v VARCHAR(10))");
        let (d, nd) = (bench.followed_from("s", "d"), bench.followed_from("s", "nd"));
        let latin = |k: &[u8], v: &[u8]| {
            let mut image = Image::default();
            image.push(Some(k));
            image.push(Some(v));
            image
        };
        // C3A9 is two letters in latin1, and would pass for one in utf8mb4.
        let (first, second) = (latin(b"\xc3\xa9", b"\xe9"), latin(b"\xc3\xa9", b"\xc3\xa9"));
        for table in [&d, &nd] {
            bench.apply_cleanly(&batch(table, vec![RowChange::Insert(first.clone())]));
            bench.apply_cleanly(&batch(table, vec![RowChange::Update { before: first.clone(), after: second.clone() }]));
            let name = table.destination.name.quoted();
            assert_eq!(bench.rows(&format!("SELECT HEX(k), HEX(v) FROM {name}")), ["C383C2A9,C383C2A9"]);
            bench.apply_cleanly(&batch(table, vec![RowChange::Delete(second.clone())]));
            assert_eq!(bench.rows(&format!("SELECT COUNT(*) FROM {name}")), ["0"]);
        }
    });
}
