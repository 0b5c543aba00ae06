//! Both directions, all modes, many threads, long values, and what is told of it.

use std::sync::Mutex;

use dtsctl::verify::{Method, Mode, Progress, VerifyError, run};

use super::{Bed, DifferenceKind, StopToken, Verdict, assert_equal, counts, found};

/// Fifty thousand rows in tables of three key shapes.
fn fill(bed: &mut Bed) {
    bed.both(
        "CREATE TABLE d (n INT NOT NULL PRIMARY KEY);\nINSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);\n\
         CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(40), x DOUBLE);\n\
         INSERT INTO t SELECT a.n+10*b.n+100*c.n+1000*d.n+10000*e.n, CONCAT('row ', a.n), a.n / 7e0 FROM d a, d b, d c, d d, d e WHERE e.n < 5;\n\
         CREATE TABLE c (a INT NOT NULL, b VARBINARY(12) NOT NULL, d DATE NOT NULL, v INT, PRIMARY KEY (a, b, d));\n\
         INSERT INTO c SELECT id % 10, CONCAT('k', id), DATE_ADD('2020-01-01', INTERVAL id % 700 DAY), id FROM t;\n\
         CREATE TABLE s (k VARCHAR(20) NOT NULL PRIMARY KEY, v INT) COLLATE utf8mb4_general_ci;\n\
         INSERT INTO s SELECT CONCAT(IF(id % 2, 'a', 'B'), id), id FROM t;",
    );
    bed.both("ANALYZE TABLE t, c, s;");
}

#[test]
fn missing_extra_and_different_rows_are_told_apart_and_named() {
    Bed::each(|bed| {
        fill(bed);
        assert_equal(&bed.verify());
        bed.destination("DELETE FROM t WHERE id IN (0, 777);\nINSERT INTO t VALUES (50000, 'new', 1), (-1, 'new', 1);");
        bed.destination(
            "UPDATE t SET v = 'other', x = -x WHERE id = 33333;\nUPDATE c SET v = NULL WHERE v = 4242;\nDELETE FROM s WHERE v = 1;",
        );
        {
            for (threads, range_rows) in [(1, 50_000), (7, 3_000), (3, 230)] {
                bed.settings.threads = threads;
                for pair in &mut bed.settings.tables {
                    // The planner takes range sizes from the bytes a row has.
                    pair.source.rows_estimate = 50_000;
                    pair.source.data_bytes = 50_000 * ((8 << 20) / range_rows);
                }
                let receipt = bed.again();
                let table = |name: &str| receipt.tables.iter().find(|t| t.source.table == name).expect("table");
                let different = DifferenceKind::Different;
                let mut expected = vec![
                    (DifferenceKind::Missing, "0".to_owned(), String::new()),
                    (DifferenceKind::Missing, "777".to_owned(), String::new()),
                    (DifferenceKind::Extra, "-1".to_owned(), String::new()),
                    (DifferenceKind::Extra, "50000".to_owned(), String::new()),
                    (different, "33333".to_owned(), "v,x".to_owned()),
                ];
                let mut rows = found(table("t"));
                rows.sort();
                expected.sort();
                assert_eq!(rows, expected);
                assert_eq!(found(table("c")), [(different, "2,x'6b34323432',2020-02-12".to_owned(), "v".to_owned())]);
                assert_eq!(found(table("s")), [(DifferenceKind::Missing, "a1".to_owned(), String::new())]);
                assert_eq!((table("t").source_rows, table("t").destination_rows), (50_000, 50_000));
                assert!(receipt.tables.iter().all(|t| t.exact));
            }
        }
        bed.settings.keys = false;
        let receipt = bed.again();
        assert!(receipt.tables.iter().all(|t| t.rows.is_empty()), "keys only where permitted");
        assert_eq!(receipt.tables.iter().map(|t| t.missing + t.extra + t.different).sum::<u64>(), 7);
    });
}

#[test]
fn digests_do_not_depend_on_ranges_or_threads() {
    let (s, d) = super::pairs()[0];
    let mut bed = Bed::new(s, d);
    let db = bed.db.clone();
    bed.both(&format!("CREATE DATABASE {db};\nUSE {db};"));
    fill(&mut bed);
    bed.read();
    let digests = |bed: &Bed| bed.again().tables.iter().map(|t| t.source_digest.clone()).collect::<Vec<_>>();
    let first = digests(&bed);
    bed.settings.threads = 5;
    bed.settings.tables.iter_mut().for_each(|p| p.source.data_bytes = 1 << 34);
    assert_eq!(digests(&bed), first);
    assert!(first.iter().all(Option::is_some));
}

#[test]
fn a_missing_table_and_an_empty_end() {
    Bed::each(|bed| {
        bed.both(
            "CREATE TABLE e (id INT PRIMARY KEY);\nCREATE TABLE one (id INT PRIMARY KEY, v INT);\nCREATE TABLE two (id INT PRIMARY KEY);",
        );
        bed.source("INSERT INTO one VALUES (1, 1), (2, 2);\nCREATE TABLE gone (a INT);\nINSERT INTO gone VALUES (1), (1), (2);");
        bed.destination("INSERT INTO two VALUES (5);");
        for keys in [true, false] {
            bed.settings.keys = keys;
            let receipt = bed.verify();
            let table = |name: &str| receipt.tables.iter().find(|t| t.source.table == name).expect("table");
            assert_eq!((table("e").verdict, counts(table("e"))), (Verdict::Equal, (0, 0, 0)));
            assert_eq!(counts(table("one")), (2, 0, 0));
            assert_eq!(counts(table("two")), (0, 1, 0));
            assert_eq!((table("gone").method, counts(table("gone"))), (Method::Missing, (3, 0, 0)));
        }
    });
}

#[test]
fn counts_alone() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1, 1), (2, 2);");
        bed.settings.mode = Mode::Count;
        bed.destination("UPDATE t SET v = 9;");
        let receipt = bed.verify();
        assert_eq!(receipt.verdict, Verdict::Equal, "counts see no values");
        assert!(receipt.tables[0].not_covered.iter().any(|n| n.what == "values of rows"));
        bed.destination("DELETE FROM t WHERE id = 1;");
        let receipt = bed.again();
        assert_eq!((receipt.verdict, counts(&receipt.tables[0])), (Verdict::Differs, (1, 0, 0)));
    });
}

#[test]
fn a_sample_is_the_same_for_the_same_seed() {
    let (s, d) = super::pairs()[0];
    let mut bed = Bed::new(s, d);
    let db = bed.db.clone();
    bed.both(&format!("CREATE DATABASE {db};\nUSE {db};"));
    fill(&mut bed);
    bed.read();
    bed.settings.tables.retain(|p| p.source.name.table == "t");
    bed.settings.tables[0].source.data_bytes = 50_000 * ((8 << 20) / 500);
    bed.settings.tables[0].source.rows_estimate = 50_000;
    bed.settings.mode = Mode::Sample { percent: 20 };
    let shape = |bed: &Bed| {
        let receipt = bed.again();
        let table = &receipt.tables[0];
        assert_eq!(receipt.seed, Some(bed.settings.seed));
        assert_eq!(table.ranges, 100);
        (table.ranges_compared, table.source_rows, table.source_digest.clone())
    };
    let first = shape(&bed);
    assert_eq!(shape(&bed), first);
    assert!((8..=35).contains(&first.0), "{first:?}");
    bed.settings.seed = 2;
    assert_ne!(shape(&bed), first);
    // A difference in every range is seen by any sample.
    bed.destination("UPDATE t SET v = 'x' WHERE id % 500 = 7;");
    bed.settings.mode = Mode::Sample { percent: 1 };
    assert_eq!(bed.again().verdict, Verdict::Differs);
}

#[test]
fn values_of_16_mib() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB, c LONGTEXT, j JSON);");
        for id in 1..=3 {
            let filler = "REPEAT('0123456789abcdef', 983040)";
            bed.both(&format!("INSERT INTO t VALUES ({id}, {filler}, {filler}, NULL);"));
        }
        assert_equal(&bed.verify());
        bed.destination("UPDATE t SET c = CONCAT(LEFT(c, 15000000), 'X', SUBSTRING(c, 15000002)) WHERE id = 2;");
        let receipt = bed.verify();
        assert_eq!(found(&receipt.tables[0]), [(DifferenceKind::Different, "2".to_owned(), "c".to_owned())]);
    });
}

#[test]
fn looking_closer_ends_at_the_limit_and_says_so() {
    Bed::each(|bed| {
        fill(bed);
        bed.destination("UPDATE t SET v = 'x';");
        bed.settings.max_diffs = 5;
        let receipt = bed.verify();
        let table = receipt.tables.iter().find(|t| t.source.table == "t").expect("t");
        assert!(!table.exact && table.rows.len() == 5 && (5..50_000).contains(&table.different), "{table:#?}");
        bed.settings.max_diffs = 1_000_000;
        let receipt = bed.again();
        let table = receipt.tables.iter().find(|t| t.source.table == "t").expect("t");
        assert!(table.exact);
        assert_eq!(counts(table), (0, 0, 50_000));
    });
}

#[test]
fn it_tells_what_it_does_and_stops_when_asked() {
    let (s, d) = super::pairs()[0];
    let mut bed = Bed::new(s, d);
    let db = bed.db.clone();
    bed.both(&format!("CREATE DATABASE {db};\nUSE {db};"));
    fill(&mut bed);
    bed.read();
    let seen = Mutex::new(Vec::new());
    let stop = StopToken::default();
    run(&bed.settings, &bed.logins.0, &bed.logins.1, &stop, &|p| seen.lock().expect("lock").push(p.clone())).expect("verify");
    let seen = seen.into_inner().expect("lock");
    let count = |f: &dyn Fn(&Progress) -> bool| seen.iter().filter(|p| f(p)).count();
    assert_eq!(count(&|p| matches!(p, Progress::TableStarted { .. })), 4);
    assert_eq!(count(&|p| matches!(p, Progress::TableFinished { verdict: Verdict::Equal, .. })), 4);
    let rows: u64 = seen.iter().map(|p| if let Progress::RowsCompared { rows, .. } = p { *rows } else { 0 }).sum();
    assert_eq!(rows, 150_010);
    stop.stop();
    assert!(matches!(run(&bed.settings, &bed.logins.0, &bed.logins.1, &stop, &|_| {}), Err(VerifyError::Stopped)));
}

#[test]
fn the_schema_and_the_receipt_agree() {
    let schema = dtsctl::verify::json_schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert!(schema["properties"]["tables"].is_object());
    let (s, d) = super::pairs()[0];
    let mut bed = Bed::new(s, d);
    let db = bed.db.clone();
    bed.both(&format!("CREATE DATABASE {db};\nUSE {db};\nCREATE TABLE t (id INT PRIMARY KEY);"));
    let receipt = bed.verify();
    let text = serde_json::to_string(&receipt).expect("json");
    assert_eq!(serde_json::from_str::<dtsctl::verify::VerifyReceipt>(&text).expect("reads back"), receipt);
}
