//! Exactly once: the position and its rows are one, and whoever has been replaced commits nothing.

use super::*;

#[test]
fn a_run_that_was_replaced_commits_nothing() {
    on_both("fence", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY)");
        let t = bench.followed("t");
        let mut old = bench.end.lane().expect("a lane");
        old.write(&keyed(&t, &[], &[], &["1"]), STRICT).expect("written");
        let next = MySqlDestination::new(login(bench.server), &bench.database, Arc::new(Deaf)).expect("a destination");
        let progress = next.take_over("source").expect("taken over");
        assert_eq!(progress.following.expect("begun").position, position(4));
        assert!(matches!(old.commit(&applied(10)), Err(DestinationError::TakenOver { .. })));
        assert!(matches!(bench.end.applied(), Err(DestinationError::TakenOver { .. })));
        assert!(matches!(bench.end.begin_following(&position(4), None), Err(DestinationError::TakenOver { .. })));
        assert_eq!(next.applied().expect("progress").expect("begun").position, position(4));
        assert_eq!(bench.rows("SELECT * FROM t"), [] as [&str; 0]);
        let mut lane = next.lane().expect("a lane");
        lane.write(&keyed(&t, &[], &[], &["1"]), STRICT).expect("written");
        lane.commit(&applied(11)).expect("committed");
        assert_eq!(bench.rows("SELECT * FROM t"), ["1"]);
    });
}

#[test]
fn what_was_not_committed_is_not_there() {
    on_both("crash", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY)");
        let t = bench.followed("t");
        let mut lane = bench.end.lane().expect("a lane");
        lane.write(&keyed(&t, &[], &[], &["1"]), STRICT).expect("written");
        // As a process that dies.
        drop(lane);
        let following = bench.end.applied().expect("progress").expect("begun");
        assert_eq!((following.position, following.inserted), (position(4), 0));
        bench.apply_cleanly(&keyed(&t, &[], &[], &["1"]));
        assert_eq!(bench.rows("SELECT * FROM t"), ["1"]);
    });
}

#[test]
fn progress_is_kept_once_and_forgotten_whole() {
    on_both("progress", |bench| {
        // Begun already: neither the start nor an end that is not given changes anything.
        bench.end.begin_following(&position(99), None).expect("noted");
        let following = bench.end.applied().expect("progress").expect("begun");
        assert_eq!((following.position, following.copy_end, following.read_from), (position(4), None, None));
        bench.end.begin_following(&position(99), Some(&position(50))).expect("noted");
        let mut lane = bench.end.lane().expect("a lane");
        let xa = Applied { read_from: Some(position(7)), ..applied(60) };
        lane.commit(&xa).expect("a position alone");
        lane.commit(&xa).expect("the same again");
        bench.end.begin_following(&position(99), None).expect("noted");
        let following = bench.end.applied().expect("progress").expect("begun");
        assert_eq!((following.position, following.copy_end, following.read_from), (position(60), Some(position(50)), Some(position(7))));
        let mut session = bench.session();
        dtsctl::destination::mysql::forget_task(&mut session, &bench.database).expect("forgotten");
        for table in ["applied", "conflict", "task"] {
            let column = if table == "task" { "name" } else { "task" };
            assert_eq!(bench.rows(&format!("SELECT COUNT(*) FROM dts.dtsctl_{table} WHERE {column} = '{}'", bench.database)), ["0"]);
        }
    });
}

#[test]
fn a_commit_under_way_is_waited_for() {
    on_both("under_way", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY)");
        // A transaction of another session that holds the position's row, as a COMMIT that outlived its process does.
        let mut other = bench.session();
        other.exec("a test", "BEGIN").expect("begun");
        other
            .exec(
                "a test",
                &format!("UPDATE dts.dtsctl_applied SET position = REPLACE(position, '4', '5') WHERE task = '{}'", bench.database),
            )
            .expect("updated");
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| bench.end.applied());
            let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%FOR UPDATE%dtsctl_applied%' OR INFO LIKE '%dtsctl_applied%FOR UPDATE%'";
            while bench.rows(waits) == ["1"] {
                std::thread::yield_now();
            }
            other.exec("a test", "COMMIT").expect("committed");
            assert_eq!(asked.join().expect("no panic").expect("progress").expect("begun").position, position(5));
        });
    });
}

#[test]
fn lanes_that_share_no_row_do_not_wait_for_each_other() {
    on_both("lanes", |bench| {
        // A small table, of which the optimizer would rather read all than look keys up.
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT)");
        bench.sql("INSERT INTO t VALUES (1,1,1),(2,2,2),(3,3,3),(4,4,4),(5,5,5),(6,6,6),(7,7,7),(8,8,8),(9,9,9)");
        let t = bench.followed_small("t");
        let (mut first, mut second) = (bench.end.lane().expect("a lane"), bench.end.lane().expect("a lane"));
        first.write(&keyed(&t, &["1,1,1", "2,2,2", "3,3,3"], &[("4,4,4", "4,4,40")], &["10,10,10"]), STRICT).expect("written");
        second
            .write(&keyed(&t, &["5,5,5", "6,6,6"], &[("7,7,7", "7,7,70"), ("8,8,8", "8,8,80"), ("9,9,9", "9,9,90")], &["11,11,11"]), STRICT)
            .expect("written without waiting");
        first.commit(&applied(10)).expect("committed");
        second.commit(&applied(20)).expect("committed");
        assert_eq!(bench.rows("SELECT id, v FROM t ORDER BY id"), ["4,40", "7,70", "8,80", "9,90", "10,10", "11,11"]);
    });
}
