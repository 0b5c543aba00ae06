//! Changes that meet what they must.

use super::*;

#[test]
fn changes_of_every_kind_arrive() {
    on_both("kinds", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, a INT, s VARCHAR(20))");
        let t = bench.followed("t");
        bench.apply_cleanly(&keyed(&t, &[], &[], &["1,10,one", "2,20,two", "3,30,NULL", "4,40,four", "0,0,zero", "-5,NULL,"]));
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["-5,NULL,", "0,0,zero", "1,10,one", "2,20,two", "3,30,NULL", "4,40,four"]);
        let updates = [("1,10,one", "1,11,one"), ("2,20,two", "2,20,two"), ("3,30,NULL", "3,30,it's \\ here"), ("-5,NULL,", "-5,5,NULL")];
        let written = bench.apply(&keyed(&t, &["4,40,four", "0,0,zero"], &updates, &["7,7,seven"]), STRICT).expect("written");
        assert_eq!((written.inserted, written.updated, written.deleted, written.conflicts.len()), (1, 4, 2, 0));
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["-5,5,NULL", "1,11,one", "2,20,two", "3,30,it's \\ here", "7,7,seven"]);
        let following = bench.end.applied().expect("progress").expect("begun");
        assert_eq!((following.inserted, following.updated, following.deleted, following.conflicts), (7, 4, 2, 0));
        assert_eq!((following.position, following.transactions, following.row_events), (position(10), 2, 2));
    });
}

#[test]
fn many_rows_go_in_few_statements() {
    on_both("many", |bench| {
        // Two unique keys, composite and textual, so that rows have to be found before they are upserted.
        bench.sql("CREATE TABLE t (a INT, b VARCHAR(10), u INT UNIQUE, v VARCHAR(2000), PRIMARY KEY (a, b)) COLLATE utf8mb4_general_ci");
        let t = bench.followed("t");
        let filler = "x".repeat(900);
        let texts: Vec<String> = (0..5000).map(|i| format!("{},É{i},{i},{filler}", i % 7)).collect();
        let after: Vec<String> = (0..5000).map(|i| format!("{},É{i},{i},{}", i % 7, i % 3)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let updates: Vec<(&str, &str)> = texts.iter().copied().zip(after.iter().map(String::as_str)).collect();
        bench.apply_cleanly(&keyed(&t, &[], &[], &texts));
        bench.apply_cleanly(&keyed(&t, &texts[4000..], &updates[..4000], &[]));
        assert_eq!(bench.rows("SELECT COUNT(*), SUM(v + 0 = u % 3), SUM(u) FROM t"), ["4000,4000,7998000"]);
        // And the same with every unique value moved on by one.
        let moved: Vec<String> = (0..4000).map(|i| format!("{},É{i},{},{}", i % 7, i + 1, i % 3)).collect();
        let updates: Vec<(&str, &str)> = after.iter().map(String::as_str).zip(moved.iter().map(String::as_str)).collect();
        bench.apply_cleanly(&keyed(&t, &[], &updates, &[]));
        assert_eq!(bench.rows("SELECT COUNT(*), SUM(u) FROM t"), ["4000,8002000"]);
        bench.apply_cleanly(&keyed(&t, &moved.iter().map(String::as_str).collect::<Vec<_>>(), &[], &[]));
        assert_eq!(bench.rows("SELECT COUNT(*) FROM t"), ["0"]);
    });
}

#[test]
fn unique_values_move_from_row_to_row() {
    on_both("moves", |bench| {
        bench.sql("CREATE TABLE u (id INT PRIMARY KEY, s VARCHAR(10) COLLATE utf8mb4_general_ci UNIQUE, x INT)");
        bench.sql("INSERT INTO u VALUES (1, 'S', 1), (2, NULL, 2), (3, 'C', 3), (4, 'D', 4)");
        let u = bench.followed("u");
        // Traps.md 6: the value goes from 1 to 2; 3 and 4 swap theirs, one of them in another case.
        let updates = [("1,S,1", "1,NULL,1"), ("2,NULL,2", "2,S,2"), ("3,C,3", "3,d,3"), ("4,D,4", "4,C,5")];
        bench.apply_cleanly(&keyed(&u, &[], &updates, &[]));
        assert_eq!(bench.rows("SELECT * FROM u ORDER BY id"), ["1,NULL,1", "2,S,2", "3,d,3", "4,C,5"]);
        // A deleted row's value is taken by a new one and an old one.
        bench.apply_cleanly(&keyed(&u, &["2,S,2", "3,d,3"], &[("1,NULL,1", "1,D,1")], &["9,s,9"]));
        assert_eq!(bench.rows("SELECT * FROM u ORDER BY id"), ["1,D,1", "4,C,5", "9,s,9"]);
    });
}

#[test]
fn keys_that_a_collation_takes_for_one_change_place() {
    on_both("collation", |bench| {
        bench.sql("CREATE TABLE k (k VARCHAR(10) COLLATE utf8mb4_unicode_ci PRIMARY KEY, v INT)");
        bench.sql("INSERT INTO k VALUES ('É', 1), ('straße', 2)");
        let k = bench.followed("k");
        bench.apply_cleanly(&keyed(&k, &["É,1", "straße,2"], &[], &["e,3", "STRASSE,4"]));
        assert_eq!(bench.rows("SELECT HEX(k), v FROM k ORDER BY v"), ["65,3", "53545241535345,4"]);
        // Not by the collation's idea of it: a byte-exact key arrives although the row found had another spelling.
        bench.sql("UPDATE k SET k = 'E' WHERE v = 3");
        bench.apply_cleanly(&keyed(&k, &[], &[("e,3", "e,5")], &[]));
        bench.apply_cleanly(&keyed(&k, &[], &[("e,5", "e,6"), ("STRASSE,4", "STRASSE,7")], &[]));
        assert_eq!(bench.rows("SELECT HEX(k), v FROM k ORDER BY v"), ["65,6", "53545241535345,7"]);
    });
}

#[test]
fn what_the_destination_has_of_its_own_stays() {
    on_both("own", |bench| {
        bench.sql("CREATE TABLE s (id INT PRIMARY KEY, u INT UNIQUE, v INT)");
        bench.sql(
            "CREATE TABLE d (id INT PRIMARY KEY, u INT UNIQUE, v INT, note VARCHAR(10) NOT NULL DEFAULT 'new', w INT AS (v + 1) STORED)",
        );
        bench.sql("INSERT INTO d (id, u, v, note) VALUES (1, 1, 1, 'one'), (2, 2, 2, 'two'), (3, 3, 3, 'three')");
        let d = bench.followed_from("s", "d");
        let changes =
            vec![update("1,1,1", "1,9,10"), update("2,2,2", "5,1,20"), delete("3,3,3"), insert("3,3,30"), update("3,3,30", "3,4,31")];
        assert_eq!(bench.apply(&ordered(&d, changes.clone()), STRICT).expect("written").conflicts, []);
        assert_eq!(bench.rows("SELECT id, u, v, note, w FROM d ORDER BY id"), ["1,9,10,one,11", "3,4,31,new,32", "5,1,20,two,21"]);
        // Once more, as after a copy that had seen all of it: nothing is lost.
        bench.apply(&ordered(&d, changes), REPEATABLE).expect("written");
        assert_eq!(bench.rows("SELECT id, u, v FROM d ORDER BY id"), ["1,9,10", "3,4,31", "5,1,20"]);
        assert_eq!(bench.rows("SELECT note FROM d WHERE id = 1"), ["one"]);
    });
}

#[test]
fn repeating_a_change_is_harmless() {
    on_both("repeat", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, u VARCHAR(10) UNIQUE, v INT)");
        // As the copy saw it at its end: rows from the future of all that follows.
        bench.sql("INSERT INTO t VALUES (2, 'S', 7), (3, 'T', 8), (4, 'Q', 9)");
        let t = bench.followed("t");
        let history = [
            keyed(&t, &[], &[], &["1,S,1", "2,NULL,2", "9,T,1"]),
            keyed(&t, &[], &[("1,S,1", "1,NULL,1"), ("2,NULL,2", "2,S,3")], &[]),
            keyed(&t, &["9,T,1"], &[], &["3,T,4"]),
            keyed(&t, &["1,NULL,1"], &[("2,S,3", "2,S,7"), ("3,T,4", "3,T,8")], &["4,Q,9"]),
        ];
        for _ in 0..2 {
            for batch in &history {
                assert_eq!(bench.apply(batch, REPEATABLE).expect("written").conflicts, []);
            }
            assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["2,S,7", "3,T,8", "4,Q,9"]);
        }
    });
}

#[test]
fn windows_of_one_transaction_come_together_or_not_at_all() {
    on_both("windows", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
        let t = bench.followed("t");
        let mut lane = bench.end.lane().expect("a lane");
        for i in 0..5 {
            lane.write(&keyed(&t, &[], &[], &[&format!("{i},1")]), STRICT).expect("written");
        }
        assert_eq!(bench.rows("SELECT COUNT(*) FROM t"), ["0"]);
        lane.roll_back().expect("rolled back");
        for i in 0..5 {
            lane.write(&keyed(&t, &[], &[], &[&format!("{i},2")]), STRICT).expect("written");
        }
        lane.commit(&applied(20)).expect("committed");
        // A conflict in a later window takes nothing of the earlier ones.
        lane.write(&keyed(&t, &[], &[], &["7,1"]), IGNORE).expect("written");
        let written = lane.write(&keyed(&t, &["99,1"], &[], &["1,1", "8,1"]), IGNORE).expect("written");
        assert_eq!(conflicts(&written), ["delete-missing(id)=1", "insert-exists(id)=1"]);
        lane.note(&written.conflicts[..1]);
        lane.commit(&applied(30)).expect("committed");
        assert_eq!(bench.rows("SELECT id, v FROM t ORDER BY id"), ["0,2", "1,2", "2,2", "3,2", "4,2", "7,1", "8,1"]);
        assert_eq!(bench.end.applied().expect("progress").expect("begun").conflicts, 3);
    });
}
