//! Whatever breaks during `apply`, the next one ends with every row at the destination exactly once.
//!
//! The proof is never what dtsctl says: the *servers* compare every value of every row, and the ledger in `dts` must add up to the
//! rows that are there. Every fault happens at a condition that was waited for, or at a moment from a seed that is printed.

mod disk;
mod kill;
mod network;
mod packet;
mod servers;
mod state;
mod stop;

use mysql::prelude::Queryable;
use testbed::{Server, equal};

use crate::support::{Running, Task, until};

/// Chunks of so many rows, so that small tables have many of them.
const CHUNK: &str = "500";

/// A database whose tables reach every way of copying: several ranges of one integer key, composite and string keys, no key at all
/// with every row twice, a unique key with NULLs, secondary indexes and a foreign key that come after the rows. `wide` is the number
/// of rows of 1.1 kB in the one table that is cut into ranges of 24 MiB.
fn fill(server: &Server, db: &str, wide: u32) {
    let numbers = |below: u32| {
        format!(
            "(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n FROM digits a, digits b, digits c, digits e, digits f \
             HAVING n < {below}) numbers"
        )
    };
    let sql = [
        format!("CREATE DATABASE {db} CHARACTER SET utf8mb4;\nUSE {db};"),
        "CREATE TEMPORARY TABLE digits_once (d INT);\nCREATE TABLE digits (d INT PRIMARY KEY, name VARCHAR(9));".to_owned(),
        "INSERT INTO digits VALUES (0,'a'),(1,'b'),(2,'c'),(3,'d'),(4,'e'),(5,'f'),(6,'g'),(7,'h'),(8,'i'),(9,'j');".to_owned(),
        "CREATE TABLE wide (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, body VARCHAR(1500) CHARACTER SET latin1 NOT NULL, \
         UNIQUE KEY uk (k), KEY ix_body (body(20), k));"
            .to_owned(),
        format!(
            "INSERT INTO wide (k, body) SELECT n * 7, CONCAT(SHA2(n, 512), REPEAT(SHA2(n, 224), 17), CHAR(97 + n % 26 USING latin1)) FROM {};",
            numbers(wide)
        ),
        "CREATE TABLE parents (id VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, note VARCHAR(40), KEY (note));"
            .to_owned(),
        format!("INSERT INTO parents SELECT CONCAT('p-', n), IF(n % 5, CONCAT('note ', n % 97), NULL) FROM {};", numbers(3000)),
        "CREATE TABLE children (a INT NOT NULL, b VARCHAR(12) CHARACTER SET ascii NOT NULL, c DATE, \
         parent VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, x DOUBLE, PRIMARY KEY (b, a), KEY ix_c (c), \
         CONSTRAINT fk_parent FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE);"
            .to_owned(),
        format!(
            "INSERT INTO children SELECT n, CONCAT('b', n % 113), DATE_ADD('2001-01-01', INTERVAL n % 4000 DAY), CONCAT('p-', n % 3000), \
             n / 7 FROM {};",
            numbers(12_000)
        ),
        "CREATE TABLE keyless (x INT, y VARCHAR(30));".to_owned(),
        format!("INSERT INTO keyless SELECT n, IF(n % 3, CONCAT('y', n), NULL) FROM {};", numbers(2000)),
        "INSERT INTO keyless SELECT * FROM keyless;".to_owned(),
        "CREATE TABLE nullable (u INT NULL, v VARCHAR(20), UNIQUE KEY uk (u));".to_owned(),
        format!("INSERT INTO nullable SELECT IF(n % 3, n, NULL), CONCAT('v', n) FROM {};", numbers(6000)),
        "CREATE TABLE bytes (k VARBINARY(16) NOT NULL PRIMARY KEY, d DECIMAL(20,5) NOT NULL, UNIQUE KEY (d));".to_owned(),
        format!("INSERT INTO bytes SELECT LEFT(UNHEX(SHA2(n, 256)), 16), n * 12345.00017 FROM {};", numbers(5000)),
        "CREATE TABLE empty_one (id INT PRIMARY KEY, t TIMESTAMP NULL);".to_owned(),
        "DROP TEMPORARY TABLE digits_once;\nANALYZE TABLE wide, parents, children, keyless, nullable, bytes;".to_owned(),
    ]
    .join("\n");
    server.exec(&sql).unwrap();
}

fn objects(db: &str) -> String {
    format!("objects:\n  - database: {db}\n")
}

/// Every table is equal, and the ledger says of every range that what was read was written and found, once.
fn assert_all_there(task: &str, source: &Server, destination: &Server, db: &str) {
    let (mut from, mut to) = (source.root_conn().unwrap(), destination.root_conn().unwrap());
    equal::compare_databases(&mut from, db, &mut to, db).unwrap_or_else(|problem| panic!("{problem}"));
    type Row = (String, u32, u64, u64, u64, u8);
    let ranges: Vec<Row> = to
        .exec(
            "SELECT source_table, number, rows_read, rows_written, rows_found, finished FROM dts.dtsctl_range WHERE task = ? AND \
             source_database = ? ORDER BY 1, 2",
            (task, db),
        )
        .unwrap();
    for (table, number, read, written, found, finished) in &ranges {
        assert!(read == written && read == found && *finished == 1, "{table}, range {number}: {read}, {written}, {found}, {finished}");
    }
    for table in equal::tables(&mut from, db).unwrap() {
        let rows: u64 = from.query_first(format!("SELECT COUNT(*) FROM {db}.{table}")).unwrap().unwrap();
        let noted: u64 = ranges.iter().filter(|r| r.0 == table).map(|r| r.2).sum();
        assert_eq!(noted, rows, "{table}: the ledger says {noted} rows, and there are {rows}");
        let copied: Option<u8> =
            to.exec_first("SELECT copied FROM dts.dtsctl_table WHERE task = ? AND source_table = ?", (task, &table)).unwrap();
        assert_eq!(copied, Some(1), "{table}");
    }
}

/// The end of every test: nothing is left to do, and status agrees with the ledger.
fn assert_nothing_left(task: &Task) {
    let plan = task.run(&["plan"]);
    assert!(plan.expect(0).stdout.contains("\nNo changes."), "{}", plan.stdout);
    let status = task.json(&["status"]);
    assert_eq!(status["state"], "finished", "{status:#}");
    assert_eq!(waits(&status), Vec::<String>::new(), "{status:#}");
    assert_eq!(status["totals"]["tables"], status["totals"]["tables_finished"], "{status:#}");
}

/// What status says is being waited for now: who, and for what.
fn waits(status: &serde_json::Value) -> Vec<String> {
    let waits = status["waits"].as_array().unwrap();
    waits.iter().filter(|wait| !wait["since"].is_null()).map(|wait| format!("{}: {}", wait["who"], wait["reason"])).collect()
}

/// The same, asked now; nothing while there is no state file yet.
fn waits_now(task: &Task) -> Vec<String> {
    let outcome = task.run(&["status", "--format", "json"]);
    if outcome.code == Some(65) { Vec::new() } else { waits(&serde_json::from_str(&outcome.expect(0).stdout).unwrap()) }
}

/// Rows that the destination says are copied; 0 while it cannot be asked.
fn copied(destination: &Server, task: &str) -> u64 {
    let ask = || {
        let mut conn = destination.root_conn().ok()?;
        conn.exec_first("SELECT CAST(SUM(rows_found) AS UNSIGNED) FROM dts.dtsctl_range WHERE task = ?", (task,)).ok()?
    };
    ask().flatten().unwrap_or(0)
}

/// Waits until the destination says that more than so many rows are copied; the tool must not end before.
fn until_copied(running: &mut Running, destination: &Server, task: &str, rows: u64) {
    until(&format!("{rows} rows"), || {
        assert!(!running.has_ended(), "it ended before {rows} rows were copied: {}", running.said());
        copied(destination, task) > rows
    });
}

/// Waits until status shows a wait (or none any more).
fn until_waiting(running: &mut Running, task: &Task, waiting: bool) -> String {
    let mut shown = String::new();
    until(&format!("status to show waiting = {waiting}"), || {
        assert!(!running.has_ended(), "it ended: {}", running.said());
        let waits = waits_now(task);
        shown = waits.join("\n");
        waits.is_empty() != waiting
    });
    shown
}

/// An apply at the ALTER that builds the indexes of `shop.wide` after the rows: held up there by a transaction that has read the table,
/// until that is ended.
fn held_at_the_index(task: &Task, destination: &Server) -> (Running, mysql::Conn) {
    let mut running =
        task.start_with_input(&["apply", "--yes", "--lock-timeout", "10m"], &[("DTSCTL_TEST_PAUSE", "phase-started:3:stdin")]);
    assert!(running.says("paused at phase-started\n"), "{}", running.said());
    let mut holder = destination.root_conn().unwrap();
    holder.query_drop("BEGIN").unwrap();
    holder.query_drop("SELECT COUNT(*) FROM shop.wide").unwrap();
    running.end_of_input();
    let mut conn = destination.root_conn().unwrap();
    until("the index to be built", || {
        assert!(!running.has_ended(), "{}", running.said());
        let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%ALTER TABLE `shop`.`wide`%' \
                   AND STATE LIKE 'Waiting for%' AND ID <> CONNECTION_ID()";
        conn.query_first::<u64, _>(sql).unwrap() > Some(0)
    });
    (running, holder)
}
