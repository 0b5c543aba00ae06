//! What databases of real applications showed: each test is the smallest form of a fault that one of them brought to light.

use mysql::prelude::Queryable as _;

use super::bed::each;

/// One column of the first row of a statement.
fn shown(conn: &mut mysql::Conn, statement: &str, column: usize) -> String {
    let row: Option<mysql::Row> = conn.query_first(statement).expect("shown");
    row.and_then(|row| row.get::<Option<String>, _>(column).flatten()).unwrap_or_default()
}

/// ejabberd and Icinga 2 make procedures in their upgrades: a routine keeps its `sql_mode`, and what it does hangs on it.
#[test]
fn a_routine_made_while_following_keeps_its_mode() {
    each("routine_mode", |bed| {
        bed.carries(
            "CREATE TABLE t (id INT PRIMARY KEY, d DATE NULL);\nINSERT INTO t VALUES (1, NULL)",
            "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,PIPES_AS_CONCAT';\n\
             CREATE FUNCTION f() RETURNS DATE DETERMINISTIC RETURN CAST('2024-02-31' AS DATE);\n\
             CREATE PROCEDURE p() SELECT 'a' || 'b';\n\
             SET SESSION sql_mode='';\n\
             CREATE PROCEDURE q() SELECT 1",
        );
        let sql = format!(
            // MySQL rounds fractions and MariaDB cuts them, unless a mode that the other has not says otherwise.
            "SELECT CONCAT(routine_name, ' ', TRIM(BOTH ',' FROM REPLACE(REPLACE(sql_mode, 'TIME_ROUND_FRACTIONAL', ''), 'TIME_TRUNCATE_FRACTIONAL', ''))) FROM information_schema.routines WHERE routine_schema = '{}' ORDER BY 1",
            bed.db
        );
        let at_source: Vec<String> = bed.source.query(&sql).expect("modes");
        assert_eq!(at_source.len(), 3);
        assert_eq!(bed.destination.query::<String, _>(&sql).expect("modes"), at_source);
    });
}

/// Between servers of one vendor a table reads the same at both ends: MySQL prints a column's charset for ever once it was given by name, and
/// both print the structure of an index when it was.
#[test]
fn a_table_reads_the_same_at_both_ends() {
    each("reads_the_same", |bed| {
        if bed.is_mysql() != bed.db.contains("mysql") || bed.db.contains("mysql_mariadb") || bed.db.contains("mariadb_mysql") {
            return;
        }
        bed.source(
            "CREATE TABLE t (id INT PRIMARY KEY, plain VARCHAR(20) NOT NULL DEFAULT '', \
             named VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, other TEXT CHARACTER SET latin1, \
             list ENUM('a', 'b'), KEY k USING BTREE (plain), KEY l (named), UNIQUE KEY u (list) USING BTREE) \
             DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;\n\
             CREATE TABLE m (id INT PRIMARY KEY, a VARCHAR(5), KEY h (a) USING HASH) ENGINE=MEMORY;\n\
             INSERT INTO t VALUES (1, 'x', 'y', 'z', 'a')",
        );
        bed.caught_up();
        let sql = format!("SHOW CREATE TABLE `{}`.t", bed.db);
        assert_eq!(shown(&mut bed.destination, &sql, 1), shown(&mut bed.source, &sql, 1));
        let sql = format!("SHOW CREATE TABLE `{}`.m", bed.db);
        assert!(!shown(&mut bed.destination, &sql, 1).contains("HASH"), "InnoDB has no hash indexes");
    });
}

/// MediaWiki's tables are `DEFAULT CHARSET=binary`: MySQL names no charset of an ENUM there, MariaDB does.
#[test]
fn members_that_are_bytes_stay_bytes() {
    each("byte_members", |bed| {
        bed.carries(
            "CREATE TABLE w (id INT PRIMARY KEY, e ENUM('page', 'subcat') NOT NULL DEFAULT 'page', s SET('x', 'y'), KEY e (e)) DEFAULT CHARSET=binary;\n\
             CREATE TABLE u (id INT PRIMARY KEY, e ENUM('a', 'b') CHARACTER SET binary, KEY e (e)) DEFAULT CHARSET=utf8mb4;\n\
             INSERT INTO w VALUES (1, 'subcat', 'x,y'), (2, 'page', NULL);\nINSERT INTO u VALUES (1, 'b'), (2, NULL)",
            "INSERT INTO w VALUES (3, 'subcat', 'y');\nUPDATE u SET e = 'a' WHERE id = 2;\nDELETE FROM w WHERE id = 1;\n\
             CREATE TABLE v (id INT PRIMARY KEY, e ENUM('a', 'b') CHARACTER SET binary) DEFAULT CHARSET=utf8mb4;\n\
             INSERT INTO v VALUES (1, 'b')",
        );
        // The collation shows in what the server makes of letter case.
        for table in ["w", "u", "v"] {
            let sql = format!("SELECT COUNT(*) FROM `{}`.{table} WHERE e IN ('A', 'B', 'PAGE', 'SUBCAT')", bed.db);
            assert_eq!(bed.destination.query_first::<u64, _>(&sql).expect("counted"), Some(0), "{table}");
        }
        bed.task.run(&["verify"]).expect(0);
    });
}

/// ZoneMinder's flags are `tinyint(1) unsigned`, whose width MySQL drops; that of a signed one it keeps.
#[test]
fn widths_that_a_server_drops_are_no_difference() {
    each("widths", |bed| {
        bed.carries(
            "CREATE TABLE t (id INT PRIMARY KEY, a TINYINT(1) UNSIGNED NOT NULL DEFAULT 0, b TINYINT(1) NOT NULL DEFAULT 0, \
             c TINYINT(1) UNSIGNED ZEROFILL, d BIGINT(20) UNSIGNED, e INT(3) ZEROFILL, KEY a (a));\nINSERT INTO t VALUES (1, 255, -1, 7, 1, 7)",
            "ALTER TABLE t ADD f TINYINT(1) UNSIGNED NOT NULL DEFAULT 1;\nUPDATE t SET a = 0",
        );
        bed.task.run(&["verify"]).expect(0);
    });
}
