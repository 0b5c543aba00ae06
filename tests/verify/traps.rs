//! The ways in which verifiers have called different tables equal (traps.md), each with the SQL it is told by.

use super::{Bed, DifferenceKind, Verdict, assert_equal, counts, found};

/// Loads a table of each side and tells missing, extra and different.
fn compare(create: &str, source: &str, destination: &str) -> Vec<(u64, u64, u64)> {
    let mut all = Vec::new();
    for (s, d) in super::pairs() {
        let mut bed = Bed::new(s, d);
        let db = bed.db.clone();
        bed.both(&format!("CREATE DATABASE {db};\nUSE {db};\n{create}"));
        bed.source(&format!("INSERT INTO t VALUES {source};"));
        bed.destination(&format!("INSERT INTO t VALUES {destination};"));
        let receipt = bed.verify();
        assert_eq!(receipt.verdict, Verdict::Differs, "{s} -> {d}: {create} {source} {destination}");
        all.push(counts(&receipt.tables[0]));
    }
    all
}

fn all_are(counts: &[(u64, u64, u64)], expected: (u64, u64, u64)) {
    assert!(counts.iter().all(|c| *c == expected), "{counts:?}");
}

#[test]
fn the_same_error_in_an_even_number_of_rows() {
    let rows = |t: &str| (1..=4).map(|i| format!("({i}, '2022-02-23 {t}')")).collect::<Vec<_>>().join(",");
    all_are(&compare("CREATE TABLE t (id INT PRIMARY KEY, t DATETIME);", &rows("11:22:00"), &rows("11:32:00")), (0, 0, 4));
}

#[test]
fn two_rows_swapped() {
    let create = "CREATE TABLE t (id VARCHAR(5) PRIMARY KEY, v VARCHAR(10));";
    all_are(&compare(create, "('1','aaaa'),('2','bbbb')", "('1','bbbb'),('2','aaaa')"), (0, 0, 2));
}

#[test]
fn duplicates_do_not_cancel() {
    let create = "CREATE TABLE t (a INT);";
    all_are(&compare(create, "(1),(1),(2),(2)", "(3),(3),(4),(4)"), (4, 4, 0));
    all_are(&compare(create, "(1),(1),(2),(3)", "(1),(2),(2),(3)"), (1, 1, 0));
}

#[test]
fn null_is_no_text_and_has_a_place() {
    let create = "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(5), b VARCHAR(5));";
    all_are(&compare(create, "(1,NULL,'x')", "(1,'x',NULL)"), (0, 0, 1));
    all_are(&compare(create, "(1,NULL,'x')", "(1,'NULL','x')"), (0, 0, 1));
    all_are(&compare(create, "(1,NULL,'x')", "(1,'','x')"), (0, 0, 1));
    all_are(&compare(create, "(1,'N','x')", "(1,NULL,'x')"), (0, 0, 1));
}

#[test]
fn fields_do_not_run_together() {
    let create = "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9), c VARBINARY(9), d VARBINARY(9));";
    all_are(&compare(create, "(1,'x0','y','','')", "(1,'x','0y','','')"), (0, 0, 1));
    all_are(&compare(create, "(1,'','','a,1','b')", "(1,'','','a','1,b')"), (0, 0, 1));
    all_are(&compare(create, "(1,'','',x'41FF42','')", "(1,'','','A',x'FF42')"), (0, 0, 1));
    all_are(&compare(create, "(1,'a','','','')", "(1,'','a','','')"), (0, 0, 1));
    all_are(&compare(create, "(1,'1','','',x'FF31')", "(1,'','1','',x'31FF')"), (0, 0, 1));
}

#[test]
fn floats_loaded_through_text() {
    let create = "CREATE TABLE t (id INT PRIMARY KEY, v FLOAT);";
    let exact = "(1,0.010516252390057362),(2,16777217),(3,123456789),(4,0.5)";
    all_are(&compare(create, exact, "(1,0.0105163),(2,16777200),(3,123457000),(4,0.5)"), (0, 0, 3));
    // The same through a dump: the text that the server itself prints.
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (id INT PRIMARY KEY, v FLOAT, d DOUBLE);");
        bed.both(&format!("INSERT INTO t (id, v) VALUES {exact};\nUPDATE t SET d = v / 3e0;"));
        assert_equal(&bed.verify());
        bed.destination("UPDATE t SET v = CONCAT(v) WHERE id < 4;");
        let receipt = bed.verify();
        assert_eq!(counts(&receipt.tables[0]), (0, 0, 3));
        assert_eq!(receipt.tables[0].differing_columns[0].column, "v");
    });
}

#[test]
fn one_bit_of_a_double() {
    Bed::each(|bed| {
        bed.both(
            "CREATE TABLE t (id INT PRIMARY KEY, d DOUBLE NOT NULL);\nINSERT INTO t VALUES (1, 1), (2, 0.1), (3, 1e300), (4, 1e-300);",
        );
        for id in 1..=4 {
            bed.destination(&format!("UPDATE t SET d = d * 1.0000000000000002e0 WHERE id = {id};"));
            let receipt = bed.verify();
            assert_eq!(found(&receipt.tables[0]), [(DifferenceKind::Different, id.to_string(), "d".to_owned())]);
            bed.both("DELETE FROM t;\nINSERT INTO t VALUES (1, 1), (2, 0.1), (3, 1e300), (4, 1e-300);");
        }
    });
}

#[test]
fn instants_in_any_zone_of_the_servers() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (id INT PRIMARY KEY, ts TIMESTAMP NULL, dt DATETIME);");
        bed.both("INSERT INTO t VALUES (1,'2024-11-03 05:30:00','2024-11-03 01:30:00'),(2,'2024-11-03 06:30:00','2024-11-03 01:30:00');");
        bed.destination("SET SESSION time_zone = '+05:45';");
        assert_equal(&bed.verify());
        bed.destination("SET SESSION time_zone = '+00:00';\nUPDATE t SET ts = '2024-11-03 06:30:00' WHERE id = 1;");
        let receipt = bed.verify();
        assert_eq!(found(&receipt.tables[0]), [(DifferenceKind::Different, "1".to_owned(), "ts".to_owned())]);
    });
}

#[test]
fn bytes_of_a_mislabelled_column() {
    let create = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET latin1);";
    all_are(&compare(create, "(1,_binary x'C3A9'),(2,_binary x'E9')", "(1,_binary x'E9'),(2,_binary x'E9')"), (0, 0, 1));
}

#[test]
fn equal_under_the_collation_is_not_equal() {
    let create = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;";
    all_are(&compare(create, "(1,'a'),(2,'a'),(3,'e')", "(1,'A'),(2,'a '),(3,'é')"), (0, 0, 3));
    // As a key: another spelling is another row.
    let create = "CREATE TABLE t (v VARCHAR(20) PRIMARY KEY) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;";
    all_are(&compare(create, "('a'),('b')", "('A'),('b')"), (1, 1, 0));
}

#[test]
fn keys_in_different_orders_at_the_two_ends_are_no_false_alarm() {
    for (s, d) in super::pairs() {
        let mut bed = Bed::new(s, d);
        let db = bed.db.clone();
        bed.both(&format!("CREATE DATABASE {db};\nUSE {db};"));
        bed.source("CREATE TABLE t (k VARCHAR(40) PRIMARY KEY, v INT) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;");
        bed.destination("CREATE TABLE t (k VARCHAR(40) PRIMARY KEY, v INT) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;");
        let rows = |i: u32| format!("('{}{}', {i})", ["a", "B", "é", "_", "Z", "日"][i as usize % 6], i * 7919);
        for chunk in (0..3000).collect::<Vec<_>>().chunks(500) {
            let values: Vec<String> = chunk.iter().map(|&i| rows(i)).collect();
            bed.both(&format!("INSERT INTO t VALUES {};", values.join(",")));
        }
        bed.read();
        // Many ranges, though the table is small.
        bed.settings.tables[0].source.data_bytes = 1 << 40;
        bed.settings.tables[0].source.rows_estimate = 10_000_000;
        let receipt = bed.again();
        assert_equal(&receipt);
        bed.destination("UPDATE t SET v = -1 WHERE v = 1500;\nDELETE FROM t WHERE v = 2999;");
        let receipt = bed.again();
        assert_eq!(counts(&receipt.tables[0]), (1, 0, 1), "{receipt:#?}");
    }
}
