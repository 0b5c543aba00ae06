//! The plain way: a copy under writes, the binlog after it, stopping and going on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use mysql::{Conn, prelude::Queryable as _};
use testbed::{Flavor, workload::Random};

use super::bed::{Bed, CATCH_UP, each};
use crate::support::until;

const TABLES: &str = "
CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci UNIQUE, v INT NOT NULL, KEY (v)) ENGINE=InnoDB;
CREATE TABLE c (a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, b INT, n BIGINT, PRIMARY KEY (a, b)) ENGINE=InnoDB;
CREATE TABLE nk (a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, b INT) ENGINE=InnoDB;
INSERT INTO t (id, v) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, i % 7 FROM n;
INSERT INTO nk WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT IF(i % 4, CONCAT('K', i % 9), NULL), i % 5 FROM n;
INSERT INTO c WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT CONCAT('x', i % 10), i, i FROM n;
";

/// Writes until dropped.
struct Writer {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Writer {
    fn start(mut conn: Conn, db: &str) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ended, count, db) = (Arc::clone(&stop), Arc::clone(&done), db.to_owned());
        let mut random = Random::new(crate::support::Random::new("basic").next());
        let thread = std::thread::spawn(move || {
            conn.query_drop(format!("USE `{db}`")).expect("use");
            while !ended.load(Ordering::SeqCst) {
                let (i, j, k) = (1 + random.below(900), random.below(300), random.below(1 << 20));
                let statements = match random.below(9) {
                    0 => vec![format!("INSERT INTO t (s, v) VALUES (IF({k} % 3, 'S{k}', NULL), {k}), (NULL, {k})")],
                    1 => vec![format!("DELETE FROM t WHERE id % 211 = {k} % 211")],
                    2 => vec![format!("UPDATE t SET v = v + 1 WHERE id = {i}"), format!("UPDATE t SET v = v + 1 WHERE id > {i} LIMIT 3")],
                    // A unique value that moves, and a key that changes only its case.
                    3 => vec![
                        format!("SET @s = (SELECT MAX(s) FROM t WHERE id < {i})"),
                        "UPDATE t SET s = NULL WHERE s = @s".to_owned(),
                        format!("UPDATE t SET s = UPPER(@s) WHERE id = (SELECT * FROM (SELECT MAX(id) FROM t) x)"),
                    ],
                    4 => vec![format!("UPDATE c SET a = IF(BINARY a = UPPER(a), LOWER(a), UPPER(a)), n = n + 1 WHERE b = {j}")],
                    5 => vec![format!("UPDATE c SET b = b + 100000, a = CONCAT('é', {k} % 10) WHERE b = {j}")],
                    6 => vec![
                        format!("INSERT INTO nk VALUES (IF({k} % 3, 'k{}', NULL), {k} % 5)", k % 9),
                        "DELETE FROM nk LIMIT 1".to_owned(),
                    ],
                    7 => vec![format!("UPDATE nk SET b = b + 1 WHERE a = 'k{}' LIMIT 2", k % 9)],
                    _ => vec![
                        format!("UPDATE t SET id = id + 100000 WHERE id = {i}"),
                        format!("UPDATE t SET v = {k} WHERE id = 100000 + {i}"),
                    ],
                };
                let mut all = |conn: &mut Conn| {
                    conn.query_drop("BEGIN")?;
                    statements.iter().try_for_each(|sql| conn.query_drop(sql))?;
                    conn.query_drop(if random.one_in(8) { "ROLLBACK" } else { "COMMIT" })
                };
                match all(&mut conn) {
                    Ok(()) => drop(count.fetch_add(1, Ordering::SeqCst)),
                    // A duplicate key, by chance.
                    Err(_) => conn.query_drop("ROLLBACK").expect("rolled back"),
                }
            }
        });
        Self { stop, done, thread: Some(thread) }
    }

    fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().expect("the writer ended well");
        self.done.load(Ordering::SeqCst)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Copies while somebody writes, follows until caught up, goes on twice, and ends equal.
fn a_copy_under_writes_catches_up(bed: &mut Bed) {
    bed.source(TABLES);
    let writer = Writer::start(bed.source_session(), &bed.db);
    until("a writer", || writer.done.load(Ordering::SeqCst) > 20);
    let small = [("DTSCTL_TEST_CHUNK", "100"), ("DTSCTL_TEST_BATCH", "50")];
    bed.task.start(&CATCH_UP, &small).end().expect(0);
    let before = writer.done.load(Ordering::SeqCst);
    until("more", || writer.done.load(Ordering::SeqCst) > before + 200);
    bed.task.run(&CATCH_UP).expect(0);
    let done = writer.stop();
    crate::support::say(&format!("{done} transactions"));
    bed.caught_up();
}

#[test]
fn a_copy_under_writes_catches_up_on_every_pair() {
    each("basic", a_copy_under_writes_catches_up);
}

/// A transaction that does not fit into the memory it may take is written as it is read; one that is rolled back leaves nothing.
#[test]
fn a_large_transaction_is_written_in_windows() {
    each("large", |bed| {
        bed.source(
            "CREATE TABLE l (id INT PRIMARY KEY, b VARCHAR(300), u INT UNIQUE);\nCREATE TABLE lk (a INT, b VARCHAR(300)) ENGINE=InnoDB",
        );
        bed.caught_up();
        let rows = "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
        let depth = if bed.is_mysql() { "cte_max_recursion_depth" } else { "max_recursive_iterations" };
        for end in ["COMMIT", "ROLLBACK", "COMMIT"] {
            bed.source(&format!(
                "SET SESSION {depth} = 100000;\nBEGIN;\n\
                 INSERT INTO l {rows} SELECT i, REPEAT(CHAR(97 + i % 26), 200), i FROM n;\n\
                 INSERT INTO lk {rows} SELECT i % 100, REPEAT('k', 100) FROM n WHERE i <= 2000;\n\
                 UPDATE l SET id = id + 1 ORDER BY id DESC;\nUPDATE l SET u = NULL WHERE id % 3 = 0;\n\
                 UPDATE l SET u = id + 100000 WHERE id % 3 = 1;\nDELETE FROM lk WHERE a < 90;\n\
                 UPDATE l SET id = -id, u = -u WHERE id > 0;\n{end}"
            ));
            if end == "COMMIT" {
                bed.task.start(&CATCH_UP, &[("DTSCTL_TEST_MEMORY", "300000")]).end().expect(0);
                bed.is_equal();
                bed.source("DELETE FROM l;\nDELETE FROM lk");
            }
        }
        bed.caught_up();
    });
}

/// A signal ends it with exit 5 between two commits, and the same command goes on.
#[test]
fn a_signal_stops_it_and_the_same_command_goes_on() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "signal") else { return };
    bed.source(TABLES);
    bed.caught_up();
    let writer = Writer::start(bed.source_session(), &bed.db);
    for signal in ["TERM", "INT"] {
        let mut running = bed.task.start(&["apply", "--yes"], &[("DTSCTL_TEST_PAUSE", "batch-written:20:stdin")]);
        assert!(running.says("incremental: from"), "{}", running.said());
        let before = writer.done.load(Ordering::SeqCst);
        until("writes", || writer.done.load(Ordering::SeqCst) > before + 100);
        running.signal(signal);
        running.end().expect(5).says("the progress of");
    }
    bed.task.run(&["apply", "--yes", "--time-limit", "1s"]).expect(5).says("--time-limit");
    writer.stop();
    bed.caught_up();
}

/// Each form of `--until` ends at its point: what comes before is there, what comes after is not.
#[test]
fn every_point_of_until_is_where_it_ends() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "until") else { continue };
        bed.source("CREATE TABLE u (id INT PRIMARY KEY)");
        bed.caught_up();
        let (status, set) = match flavor {
            Flavor::MariaDb => ("SHOW MASTER STATUS", "SELECT @@GLOBAL.gtid_binlog_pos"),
            Flavor::MySql => ("SHOW BINARY LOG STATUS", "SELECT @@GLOBAL.gtid_executed"),
        };
        // A server that others write to as well: their transactions may lie around ours.
        bed.source("INSERT INTO u VALUES (1)");
        let row: mysql::Row = bed.source.query_first(status).unwrap().unwrap();
        let (file, offset): (String, u64) = (row.get(0).unwrap(), row.get(1).unwrap());
        bed.source("INSERT INTO u VALUES (2)");
        let set: String = bed.source.query_first(set).unwrap().unwrap();
        bed.source("INSERT INTO u VALUES (3)");
        until("the next second", || {
            let same: bool = bed.source.query_first("SELECT MICROSECOND(NOW(6)) > 700000").unwrap().unwrap();
            !same
        });
        let time: String =
            bed.source.query_first("SELECT DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 1 SECOND, '%Y-%m-%dT%H:%i:%sZ')").unwrap().unwrap();
        until("that time", || {
            bed.source
                .query_first::<bool, _>(format!("SELECT UTC_TIMESTAMP() > '{}'", time.replace('T', " ").replace('Z', "")))
                .unwrap()
                .unwrap()
        });
        bed.source("INSERT INTO u VALUES (4)");
        for (point, last) in [
            (format!("pos:{file}:{offset}"), 1),
            (format!("gtid:{}", set.replace('\n', "")), 2),
            (format!("time:{time}"), 3),
            ("caught-up".to_owned(), 4),
        ] {
            bed.task.run(&["apply", "--yes", "--until", &point]).expect(0);
            assert_eq!(bed.numbers("SELECT id FROM u ORDER BY id"), (1..=last).collect::<Vec<i64>>(), "{flavor}: {point}");
        }
        bed.is_equal();
    }
}

/// Without a copy: from a place in the past, where the destination has what was there then.
#[test]
fn the_binlog_alone_is_followed_from_a_place() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "alone") else { return };
    let table = "CREATE TABLE a (id INT PRIMARY KEY, v INT);\nINSERT INTO a VALUES (1, 1)";
    bed.source(table);
    let row: mysql::Row = bed.source.query_first("SHOW BINARY LOG STATUS").unwrap().unwrap();
    let (file, offset): (String, u64) = (row.get(0).unwrap(), row.get(1).unwrap());
    bed.source("UPDATE a SET v = v + 1;\nINSERT INTO a VALUES (2, 2)");
    let db = bed.db.clone();
    testbed::sql::run(&mut bed.destination, &format!("CREATE DATABASE `{db}`;\nUSE `{db}`;\n{table}")).unwrap();
    let spec = |conflict: &str| {
        format!(
            "phases: {{schema: false, full: false, incremental: true}}\nstart: \"pos:{file}:{offset}\"\n\
             conflict: {{existing_tables: ignore, rows: {conflict}}}\nobjects: [{{database: {db}}}]\n"
        )
    };
    bed.task.write(&spec("fail"));
    bed.caught_up();
    // A row that is not as it must be stops the task, is passed over or is made so, as the spec says.
    bed.destination.query_drop(format!("DELETE FROM `{db}`.a WHERE id = 2")).unwrap();
    bed.source("UPDATE a SET v = 20 WHERE id = 2;\nUPDATE a SET v = 10 WHERE id = 1");
    bed.task.run(&CATCH_UP).expect(1).says("update-missing").says("binlog.");
    assert_eq!(bed.numbers("SELECT v FROM a ORDER BY id"), [2], "nothing of the transactions stays");
    bed.task.write(&spec("ignore"));
    bed.task.run(&CATCH_UP).expect(0);
    assert_eq!(bed.numbers("SELECT v FROM a ORDER BY id"), [10]);
    bed.task.write(&spec("overwrite"));
    bed.source("UPDATE a SET v = 30 WHERE id = 2");
    bed.caught_up();
}
