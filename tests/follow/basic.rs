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

#[test]
fn one_pair() {
    if let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "one") {
        a_copy_under_writes_catches_up(&mut bed);
    }
}
