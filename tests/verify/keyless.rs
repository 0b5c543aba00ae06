//! Tables without a usable key are multisets.

use super::{Bed, DifferenceKind, Verdict, assert_equal, counts};

#[test]
fn rows_are_counted_with_their_duplicates() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (a VARCHAR(10), b INT, f FLOAT);");
        bed.both("INSERT INTO t VALUES ('A',1,0.1),('a',1,0.1),('a',1,0.1),('x',NULL,NULL),(NULL,NULL,NULL),(NULL,NULL,NULL);");
        assert_equal(&bed.verify());
        bed.destination("DELETE FROM t WHERE BINARY a='a' LIMIT 1;\nINSERT INTO t VALUES ('A',1,0.1);");
        let receipt = bed.verify();
        let table = &receipt.tables[0];
        assert_eq!(counts(table), (1, 1, 0), "{table:#?}");
        assert_eq!(table.method, dtsctl::verify::Method::Multiset);
        assert_eq!(
            table.rows.iter().map(|r| (r.kind, r.count)).collect::<Vec<_>>(),
            [(DifferenceKind::Missing, 1), (DifferenceKind::Extra, 1)]
        );
        assert_eq!(table.rows[0].key[0].column, "row");
    });
}

#[test]
fn a_nullable_unique_key_identifies_no_row() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (u INT, v VARCHAR(10), UNIQUE KEY (u));");
        bed.both("INSERT INTO t VALUES (1,'a'),(NULL,'b'),(NULL,'b'),(NULL,'c'),(2,NULL);");
        assert_equal(&bed.verify());
        bed.destination("UPDATE t SET v = 'c' WHERE v = 'b' LIMIT 1;");
        assert_eq!(counts(&bed.verify().tables[0]), (1, 1, 0));
    });
}

#[test]
fn json_in_a_table_without_a_key() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (a INT, j JSON);\nINSERT INTO t VALUES (1,'{\"a\": 1}'),(1,'{\"a\": 1}'),(2,NULL),(NULL,'[1, 2]');");
        assert_equal(&bed.verify());
        bed.destination("UPDATE t SET j = '[1, 3]' WHERE a IS NULL;");
        let receipt = bed.verify();
        assert_eq!(counts(&receipt.tables[0]), (1, 1, 0), "{receipt:#?}");
        bed.source("UPDATE t SET j = '[1, 3.0]' WHERE a IS NULL;");
        let receipt = bed.verify();
        assert_eq!((receipt.verdict, receipt.tables[0].json_type_changed), (Verdict::Equal, 1), "{receipt:#?}");
    });
}

#[test]
fn more_rows_differ_than_are_held_at_a_time() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE d (n INT NOT NULL);\nINSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);");
        bed.both("CREATE TABLE t (a INT, b INT);");
        let fill = "INSERT INTO t SELECT a.n+10*b.n+100*c.n+1000*d.n+10000*e.n, VALUE FROM d a, d b, d c, d d, d e;";
        bed.source(&fill.replace("VALUE", "a.n"));
        bed.destination(&fill.replace("VALUE", "IF(a.n = 3, -1, a.n)"));
        bed.settings.max_diffs = 1_000_000;
        bed.settings.keys = false;
        let receipt = bed.verify();
        let table = receipt.tables.iter().find(|t| t.source.table == "t").expect("t");
        assert_eq!(counts(table), (10_000, 10_000, 0));
        assert!(table.exact && table.rows.is_empty());
    });
}
