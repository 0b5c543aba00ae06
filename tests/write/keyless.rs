//! Tables whose rows are told apart by all of their columns.

use super::*;

#[test]
fn exactly_the_right_row_goes() {
    on_both("keyless", |bench| {
        // Traps.md 7.
        bench.sql("CREATE TABLE nk (a VARCHAR(10), b INT) COLLATE utf8mb4_general_ci");
        bench.sql("INSERT INTO nk VALUES ('A', 1), ('a', 1), ('a', 1), ('x', NULL), ('x ', NULL)");
        let nk = bench.followed("nk");
        let changes =
            vec![delete("A,1"), delete("x,NULL"), update("a,1", "a,1"), update("a,1", "á,2"), insert("a,1"), insert("a,1"), delete("a,1")];
        assert_eq!(bench.apply(&ordered(&nk, changes), STRICT).expect("written").conflicts, []);
        assert_eq!(bench.rows("SELECT CONCAT(a, '.'), b FROM nk ORDER BY HEX(a), b"), ["a.,1", "a.,1", "x .,NULL", "á.,2"]);
    });
}

#[test]
fn a_key_that_may_be_null_is_none() {
    on_both("nullable", |bench| {
        bench.sql("CREATE TABLE n (k INT UNIQUE, v INT)");
        let n = bench.followed("n");
        let changes =
            vec![insert("NULL,1"), insert("NULL,1"), insert("1,1"), update("NULL,1", "2,1"), delete("NULL,1"), update("1,1", "NULL,5")];
        assert_eq!(bench.apply(&ordered(&n, changes), STRICT).expect("written").conflicts, []);
        assert_eq!(bench.rows("SELECT * FROM n ORDER BY v"), ["2,1", "NULL,5"]);
    });
}

#[test]
fn inexact_and_odd_keys_are_none() {
    on_both("inexact", |bench| {
        bench.sql("CREATE TABLE f (k FLOAT PRIMARY KEY, v INT); CREATE TABLE p (k VARCHAR(20) NOT NULL, v INT, UNIQUE KEY (k(2)))");
        let f = bench.followed("f");
        let changes = vec![
            insert("0.010516252368688583,1"),
            insert("16777216,2"),
            update("0.010516252368688583,1", "0.10000000149011612,1"),
            delete("16777216,2"),
        ];
        assert_eq!(bench.apply(&ordered(&f, changes), STRICT).expect("written").conflicts, []);
        assert_eq!(bench.rows("SELECT k * 1e0, v FROM f"), ["0.10000000149011612,1"]);
        let p = bench.followed("p");
        let changes = vec![insert("abc,1"), update("abc,1", "xyz,2"), insert("abd,3")];
        assert_eq!(bench.apply(&ordered(&p, changes), STRICT).expect("written").conflicts, []);
        // A row in the way under a prefix is found too.
        let written = bench.apply(&ordered(&p, vec![insert("abx,4")]), OVERWRITE).expect("written");
        assert_eq!(conflicts(&written), ["insert-exists(k)=1"]);
        assert_eq!(bench.rows("SELECT * FROM p ORDER BY k"), ["abx,4", "xyz,2"]);
    });
}

#[test]
fn a_key_that_only_the_source_has_does_not_count() {
    on_both("source_key", |bench| {
        bench.sql("CREATE TABLE s (k VARCHAR(10) COLLATE utf8mb4_bin PRIMARY KEY, v INT); CREATE TABLE d (k VARCHAR(10) COLLATE utf8mb4_general_ci, v INT)");
        let d = bench.followed_from("s", "d");
        let changes = vec![insert("a,1"), insert("A,1"), update("A,1", "A,2"), delete("a,1")];
        assert_eq!(bench.apply(&ordered(&d, changes), STRICT).expect("written").conflicts, []);
        assert_eq!(bench.rows("SELECT * FROM d"), ["A,2"]);
    });
}

#[test]
fn a_zero_with_a_sign_is_another_row() {
    if !testbed::have(Flavor::MySql) {
        return;
    }
    let bench = Bench::new(testbed::shared(Flavor::MySql, Role::Destination), "zero");
    bench.sql(
        "CREATE TABLE z (d DOUBLE, f FLOAT, v INT); INSERT INTO z VALUES (0e0, 0e0, 1), (-0e0, -0e0, 1), (0e0, -0e0, 1), (-0e0, 0e0, 1)",
    );
    let z = bench.followed("z");
    bench.apply_cleanly(&ordered(&z, vec![update("-0,0,1", "-0,0,2"), update("0,-0,1", "0,-0,3"), delete("-0,-0,1")]));
    assert_eq!(bench.rows("SELECT d, f, v FROM z ORDER BY v"), ["0,0,1", "-0,0,2", "0,-0,3"]);
}
