//! Tables that stand at the destination already (`conflict.existing_tables: ignore`, requirement D16): what is there is kept by the copy
//! and overwritten by the binlog.

use mysql::prelude::Queryable as _;

use super::bed::{Bed, PHASES, each};
use crate::support::rows;

fn ignoring(bed: &Bed, extra: &str) {
    bed.task.write(&format!("{PHASES}objects: [{{database: {}}}]\nconflict: {{existing_tables: ignore}}\n{extra}", bed.db));
}

/// Makes the database at the destination anew, and this in it.
fn occupied(bed: &mut Bed, sql: &str) {
    let db = bed.db.clone();
    let sql = format!("CREATE DATABASE `{db}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nUSE `{db}`;\n{sql}");
    testbed::sql::run(&mut bed.destination, &sql).expect("destination");
}

fn at_destination(bed: &mut Bed, sql: &str) -> Vec<String> {
    bed.destination.query_drop(format!("USE `{}`", bed.db)).expect("use");
    rows(&mut bed.destination, sql)
}

/// Rows read and written by the copy of a table, from the ledger at the destination.
fn ledger(bed: &mut Bed, table: &str) -> String {
    let sql =
        format!("SELECT SUM(rows_read), SUM(rows_written) FROM dts.dtsctl_range WHERE task = '{}' AND source_table = '{table}'", bed.db);
    rows(&mut bed.destination, &sql).concat()
}

const CATCH_UP: [&str; 4] = super::bed::CATCH_UP;

/// Requirement D16, both halves in one run.
#[test]
fn a_row_that_exists_is_kept_by_the_copy_and_overwritten_by_the_binlog() {
    each("d16", |bed| {
        ignoring(bed, "");
        let table = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n INT);";
        bed.source(&format!("{table}\nINSERT INTO t VALUES (1,'source',1),(2,'source',2),(3,'source',3),(4,'source',4),(5,'source',5)"));
        occupied(bed, &format!("{table}\nINSERT INTO t VALUES (2,'kept',0),(3,'kept',0),(4,'kept',0),(5,'kept',0),(9,'theirs',0)"));
        bed.task.run(&CATCH_UP).expect(0);
        let all = "SELECT id, v, n FROM t ORDER BY id";
        assert_eq!(at_destination(bed, all), ["1|source|1", "2|kept|0", "3|kept|0", "4|kept|0", "5|kept|0", "9|theirs|0"]);
        assert_eq!(ledger(bed, "t"), "5|1");
        let status = bed.task.json(&["status"]);
        assert_eq!((&status["tables"][0]["rows_done"], &status["tables"][0]["rows_kept"]), (&5.into(), &4.into()), "{status:#}");
        // One column changes at the source, and the whole row is the source's; so is one that went and came again. Nothing of row 5 changed.
        bed.source(
            "UPDATE t SET n = 20 WHERE id = 2;\nDELETE FROM t WHERE id = 3;\nINSERT INTO t VALUES (3,'again',30);\nDELETE FROM t WHERE id = 4",
        );
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(at_destination(bed, all), ["1|source|1", "2|source|20", "3|again|30", "5|kept|0", "9|theirs|0"]);
        let differ = bed.task.run(&["verify"]);
        differ.expect(4);
    });
}

/// A destination with fewer columns, and one of its own: only what both have is written, and its own stays.
#[test]
fn a_table_with_other_columns_is_kept_and_overwritten_in_those_it_shares() {
    each("d16_columns", |bed| {
        ignoring(bed, "");
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), gone INT);\nINSERT INTO t VALUES (1,'source',1),(2,'source',2),(3,'source',3)");
        occupied(
            bed,
            "CREATE TABLE t (own INT DEFAULT 7, v VARCHAR(20), id INT PRIMARY KEY);\nINSERT INTO t VALUES (70,'kept',2),(71,'kept',3)",
        );
        bed.task.run(&CATCH_UP).expect(0);
        let all = "SELECT id, v, own FROM t ORDER BY id";
        assert_eq!(at_destination(bed, all), ["1|source|7", "2|kept|70", "3|kept|71"]);
        bed.source("UPDATE t SET v = 'new' WHERE id = 2;\nUPDATE t SET gone = 30 WHERE id = 3;\nUPDATE t SET id = 10 WHERE id = 1;\nINSERT INTO t VALUES (4,'four',4)");
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(at_destination(bed, all), ["2|new|70", "3|source|71", "4|four|7", "10|source|7"]);
    });
}

/// The only key lets NULL through: rows without one are told apart by it, and rows with one are never in each other's way.
#[test]
fn a_row_is_kept_under_a_unique_key_that_takes_null() {
    each("d16_nullable", |bed| {
        ignoring(bed, "");
        let table = "CREATE TABLE t (a INT, v VARCHAR(20), UNIQUE KEY u (a));";
        bed.source(&format!("{table}\nINSERT INTO t VALUES (1,'source'),(2,'source'),(NULL,'source')"));
        occupied(bed, &format!("{table}\nINSERT INTO t VALUES (2,'kept'),(NULL,'theirs')"));
        bed.task.run(&CATCH_UP).expect(0);
        let all = "SELECT a, v FROM t ORDER BY a, v";
        assert_eq!(at_destination(bed, all), ["Null|source", "Null|theirs", "1|source", "2|kept"]);
        bed.source("UPDATE t SET v = 'new' WHERE a = 2");
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(at_destination(bed, all), ["Null|source", "Null|theirs", "1|source", "2|new"]);
    });
}

/// A row that the copy would skip because *another* row has its value in a unique key would be nowhere at the destination: the task stops
/// and names the key. Counting the rows of the range does not tell, where the destination has rows in it that the source has not.
#[test]
fn a_row_in_the_way_under_another_unique_key_stops_the_copy_by_name() {
    each("d16_unique", |bed| {
        ignoring(bed, "");
        let table = "CREATE TABLE t (id INT PRIMARY KEY, `a b` INT, c INT, UNIQUE KEY `in the way` (`a b`, c));";
        bed.source(&format!("{table}\nINSERT INTO t VALUES (10,1,1),(20,2,2),(30,3,3),(40,4,4)"));
        // 15 and 16 are in the range; 99 holds what row 20 wants, and row 30 is there already.
        occupied(bed, &format!("{table}\nINSERT INTO t VALUES (15,5,5),(16,6,6),(99,2,2),(30,9,9)"));
        bed.task
            .run(&CATCH_UP)
            .expect(1)
            .says("1 of 4 rows collide with another row of the destination under a unique key: in the way (a b, c)");
        let all = "SELECT id, `a b`, c FROM t ORDER BY id";
        assert_eq!(at_destination(bed, all), ["15|5|5", "16|6|6", "30|9|9", "99|2|2"], "nothing was written");
        at_destination(bed, "UPDATE t SET c = 22 WHERE id = 99");
        bed.task.run(&CATCH_UP).expect(0);
        let found = ["10|1|1", "15|5|5", "16|6|6", "20|2|2", "30|9|9", "40|4|4", "99|2|22"];
        assert_eq!(at_destination(bed, all), found);
        // In the incremental phase the source's row wins: the one in its way goes, and is counted under the key's columns.
        bed.source("UPDATE t SET c = 22 WHERE id = 20");
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(at_destination(bed, all), ["10|1|1", "15|5|5", "16|6|6", "20|2|22", "30|9|9", "40|4|4"]);
        let noted = format!("SELECT kind, key_columns, `rows` FROM dts.dtsctl_conflict WHERE task = '{}'", bed.db);
        assert_eq!(rows(&mut bed.destination, &noted), ["update-exists|a b,c|1"]);
        let status = bed.task.json(&["status"]);
        assert!(status.to_string().contains("update-exists"), "{status:#}");
    });
}
