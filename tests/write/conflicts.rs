//! Rows at the destination that are not as the binlog says: each kind, under each policy, counted, recorded, never passed over.

use super::*;

/// A table with a row of its own in every way, and the batch that meets it.
fn prepare(bench: &Bench, small: bool) -> (Arc<CopyTable>, Batch) {
    bench.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, u INT, v VARCHAR(10), UNIQUE KEY `by u` (u))");
    bench.sql("INSERT INTO t VALUES (1, 1, 'old'), (2, 2, 'old'), (3, 3, 'old'), (4, 4, 'old'), (5, 50, 'theirs'), (6, 60, 'theirs'), (7, 70, 'theirs')");
    let t = if small { bench.followed_small("t") } else { bench.followed("t") };
    let batch = keyed(
        &t,
        // 90 is missing.
        &["1,1,old", "90,90,x"],
        // 91 is missing in place; 92 is missing and would move; 3 moves to a value that row 6 has; 4 goes well.
        &[("2,2,old", "2,2,new"), ("91,91,x", "91,91,y"), ("92,92,x", "92,93,y"), ("3,3,old", "3,60,new"), ("4,4,old", "4,44,new")],
        // 5 is there under the key, 80 collides with row 7 under the other, 81 goes well.
        &["5,5,new", "80,70,new", "81,81,new"],
    );
    (t, batch)
}

const ALL: &str = "SELECT * FROM t ORDER BY id";

#[test]
fn ignoring_keeps_the_destinations_rows() {
    on_both("ignore", |bench| {
        let (_, batch) = prepare(bench, false);
        let written = bench.apply(&batch, IGNORE).expect("written");
        assert_eq!(
            conflicts(&written),
            ["delete-missing(id)=1", "update-missing(id)=2", "update-exists(u)=1", "insert-exists(id)=1", "insert-exists(u)=1"]
        );
        assert_eq!(bench.rows(ALL), ["2,2,new", "3,3,old", "4,44,new", "5,50,theirs", "6,60,theirs", "7,70,theirs", "81,81,new"]);
    });
}

#[test]
fn overwriting_lets_the_sources_rows_win() {
    on_both("overwrite", |bench| {
        let (_, batch) = prepare(bench, false);
        let written = bench.apply(&batch, OVERWRITE).expect("written");
        assert_eq!(
            conflicts(&written),
            ["delete-missing(id)=1", "update-missing(id)=2", "update-exists(u)=1", "insert-exists(id)=1", "insert-exists(u)=1"]
        );
        assert_eq!(bench.rows(ALL), ["2,2,new", "3,60,new", "4,44,new", "5,5,new", "80,70,new", "81,81,new", "91,91,y", "92,93,y"]);
        let noted = "SELECT source_table, kind, key_columns, `rows`, last_position FROM dts.dtsctl_conflict WHERE task = 'write_overwrite' ORDER BY 2, 3";
        let expected = [
            "t,delete-missing,id,1,{\"file\":\"binlog.000001\",\"offset\":10,\"gtid\":null}",
            "t,insert-exists,id,1,{\"file\":\"binlog.000001\",\"offset\":10,\"gtid\":null}",
            "t,insert-exists,u,1,{\"file\":\"binlog.000001\",\"offset\":10,\"gtid\":null}",
            "t,update-exists,u,1,{\"file\":\"binlog.000001\",\"offset\":10,\"gtid\":null}",
            "t,update-missing,id,2,{\"file\":\"binlog.000001\",\"offset\":10,\"gtid\":null}",
        ];
        assert_eq!(bench.rows(noted), expected);
        assert_eq!(bench.end.applied().expect("progress").expect("begun").conflicts, 6);
        // They add up.
        let (_, batch) = prepare(bench, true);
        bench.apply(&batch, OVERWRITE).expect("written");
        assert_eq!(bench.rows("SELECT SUM(`rows`), COUNT(*) FROM dts.dtsctl_conflict WHERE task = 'write_overwrite'"), ["12,5"]);
    });
}

#[test]
fn failing_names_the_conflict_and_leaves_nothing() {
    on_both("fail", |bench| {
        let (t, _) = prepare(bench, false);
        let before = bench.rows(ALL);
        let cases: [(Batch, ConflictKind, &str); 7] = [
            (keyed(&t, &["1,1,old", "90,90,x"], &[], &["81,81,x"]), ConflictKind::DeleteMissing, "id"),
            (keyed(&t, &[], &[("91,91,x", "91,91,y")], &["81,81,x"]), ConflictKind::UpdateMissing, "id"),
            (
                keyed(&t, &[], &[("1,1,old", "1,1,new"), ("2,2,old", "2,2,new"), ("3,3,old", "3,3,new"), ("91,91,x", "91,91,y")], &[]),
                ConflictKind::UpdateMissing,
                "id",
            ),
            (keyed(&t, &[], &[("92,92,x", "92,93,y")], &["81,81,x"]), ConflictKind::UpdateMissing, "id"),
            (keyed(&t, &[], &[("3,3,old", "3,60,new")], &["81,81,x"]), ConflictKind::UpdateExists, "u"),
            (keyed(&t, &[], &[], &["81,81,x", "5,5,new"]), ConflictKind::InsertExists, "id"),
            (keyed(&t, &[], &[], &["81,81,x", "80,70,new"]), ConflictKind::InsertExists, "u"),
        ];
        for (batch, kind, key) in cases {
            assert_eq!(conflict_of(bench.apply(&batch, STRICT)), (kind, vec![key.to_owned()]));
            assert_eq!(bench.rows(ALL), before);
        }
        assert_eq!(bench.end.applied().expect("progress").expect("begun").position, position(4));
    });
}

#[test]
fn an_update_never_lands_on_another_row() {
    on_both("redirect", |bench| {
        // Each row is missing under its key and there under the other unique key: an upsert alone would hit that one.
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT)");
        bench.sql("INSERT INTO t VALUES (101, 1, 0), (102, 2, 0), (103, 3, 0), (104, 4, 0)");
        let t = bench.followed("t");
        let updates = [("1,1,0", "1,1,9"), ("2,2,0", "2,2,9"), ("3,3,0", "3,3,9"), ("4,4,0", "4,4,9")];
        let batch = keyed(&t, &[], &updates, &[]);
        assert_eq!(conflict_of(bench.apply(&batch, STRICT)), (ConflictKind::UpdateMissing, vec!["id".to_owned()]));
        assert_eq!(conflicts(&bench.apply(&batch, IGNORE).expect("written")), ["update-missing(id)=4"]);
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["101,1,0", "102,2,0", "103,3,0", "104,4,0"]);
        assert_eq!(conflicts(&bench.apply(&batch, OVERWRITE).expect("written")), ["update-missing(id)=4"]);
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["1,1,9", "2,2,9", "3,3,9", "4,4,9"]);
    });
}

#[test]
fn a_row_that_can_neither_change_nor_stay_is_counted() {
    on_both("lost", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE)");
        bench.sql("INSERT INTO t VALUES (1, 10), (2, 20), (9, 30)");
        let t = bench.followed("t");
        // Row 2 takes over the value that row 1 gives up for one that the destination has given to a row of its own.
        let batch = keyed(&t, &[], &[("2,20", "2,10"), ("1,10", "1,30")], &[]);
        assert_eq!(conflict_of(bench.apply(&batch, STRICT)), (ConflictKind::UpdateExists, vec!["u".to_owned()]));
        assert_eq!(conflicts(&bench.apply(&batch, IGNORE).expect("written")), ["update-exists(u)=1", "update-lost(u)=1"]);
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["2,10", "9,30"]);
    });
}

#[test]
fn one_tables_conflict_is_not_anothers() {
    on_both("tables", |bench| {
        bench.sql("CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE b (id INT PRIMARY KEY, v INT)");
        bench.sql("INSERT INTO b VALUES (1, 0)");
        let (a, b) = (bench.followed("a"), bench.followed("b"));
        let mut batch = keyed(&a, &[], &[], &["1,1"]);
        batch.keyed.extend(keyed(&b, &[], &[], &["1,1", "2,1"]).keyed);
        batch.keyed.extend(keyed(&a, &[], &[], &["2,1"]).keyed);
        let written = bench.apply(&batch, IGNORE).expect("written");
        assert_eq!(conflicts(&written), ["insert-exists(id)=1"]);
        assert_eq!(
            (bench.rows("SELECT * FROM a"), bench.rows("SELECT * FROM b")),
            (vec!["1,1".into(), "2,1".into()], vec!["1,0".into(), "2,1".into()])
        );
    });
}

#[test]
fn conflicts_of_tables_without_a_key() {
    on_both("unkeyed", |bench| {
        bench.sql("CREATE TABLE t (a INT, u INT UNIQUE)");
        bench.sql("INSERT INTO t VALUES (1, 1), (2, NULL)");
        let t = bench.followed("t");
        let changes = || vec![delete("9,9"), update("8,8", "8,80"), insert("5,1"), update("2,NULL", "2,1"), insert("3,NULL")];
        assert_eq!(
            conflict_of(bench.apply(&ordered(&t, changes()), STRICT)),
            (ConflictKind::DeleteMissing, vec!["a".to_owned(), "u".to_owned()])
        );
        let met = ["delete-missing(a,u)=1", "update-missing(a,u)=1", "insert-exists(u)=1", "update-exists(u)=1"];
        assert_eq!(conflicts(&bench.apply(&ordered(&t, changes()), IGNORE).expect("written")), met);
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY a"), ["1,1", "2,NULL", "3,NULL"]);
        assert_eq!(conflicts(&bench.apply(&ordered(&t, changes()), OVERWRITE).expect("written")), met);
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY a, u"), ["2,1", "3,NULL", "3,NULL", "8,80"]);
    });
}
