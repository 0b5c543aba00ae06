//! The hard traps on the way by the binlog; `tests/apply/traps.rs` has them on the way of the copy. Each begins as a copy of a few rows,
//! then everything comes as changes: while nothing runs, so that a backlog is read, too.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions, have};

use super::bed::{Bed, CATCH_UP, each};

/// Rows that were written with `check_constraint_checks=0`, or whose constraint cannot be computed, are rows of the source as any others.
#[test]
fn rows_that_break_a_constraint_arrive() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "constraint") else { return };
    bed.carries(
        "CREATE TABLE c (id INT PRIMARY KEY, v INT CHECK (v > 0), n VARCHAR(30) CHECK (CHAR_LENGTH(n > 2)), CONSTRAINT small CHECK (v < 100));\n\
         SET check_constraint_checks = 0;\nINSERT INTO c VALUES (1, -1, 'Ken'), (2, 200, NULL)",
        "INSERT INTO c VALUES (3, 1000, 'Ken'), (4, 1, '7');\nUPDATE c SET v = v - 1;\n\
         CREATE TABLE d (id INT PRIMARY KEY, v INT);\nINSERT INTO d VALUES (1, 1), (2, 2);\nALTER TABLE d ADD CONSTRAINT big CHECK (v > 1)",
    );
    let checks = "SELECT COUNT(*) FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()";
    assert_eq!(bed.numbers(checks), [4]);
}

/// What only MariaDB has, or writes as it does.
#[test]
fn statements_of_mariadb_alone_are_followed() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "mariadb_alone") else { return };
    bed.carries(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;\nINSERT INTO t VALUES (1, 1);\n\
         CREATE TABLE old (id INT PRIMARY KEY);\nINSERT INTO old VALUES (1)",
        "CREATE SEQUENCE s;\nDO NEXTVAL(s);\nDROP SEQUENCE s;\nSET sql_mode = 'ORACLE';\nTRUNCATE TABLE old DROP STORAGE;\nSET sql_mode = '';\n\
         SET system_versioning_alter_history = KEEP;\nALTER TABLE t ADD w INT NOT NULL DEFAULT 5;\nUPDATE t SET v = 2;\n\
         CREATE TABLE hashed (a TIMESTAMP NULL, b INT, UNIQUE KEY (a) USING HASH);\nINSERT INTO hashed VALUES ('2001-01-01 10:20:30', 1), (NULL, 2)",
    );
    // Written to the binlog although it failed, since the old table is gone.
    bed.source("INSERT INTO old VALUES (2)");
    let db = bed.db.clone();
    bed.source.query_drop(format!("CREATE OR REPLACE TABLE `{db}`.old")).expect_err("no columns");
    bed.caught_up();
    bed.source("CREATE TABLE old (id INT PRIMARY KEY, v INT);\nINSERT INTO old VALUES (3, 3)");
    bed.caught_up();
    // The same with a query: its DROP comes in a transaction that ends with ROLLBACK.
    bed.source.query_drop(format!("CREATE OR REPLACE TABLE `{db}`.old (a INT) SELECT 1 AS a, 2 AS a")).expect_err("twice the same column");
    bed.caught_up();
    bed.source("CREATE TABLE old (id INT PRIMARY KEY, w INT);\nINSERT INTO old VALUES (4, 4)");
    bed.caught_up();
}

/// MariaDB writes the table that an UPDATE joins from outside as if its columns could be NULL.
#[test]
fn an_update_over_an_outer_join_is_read() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "outer") else { return };
    bed.carries(
        "CREATE TABLE t1 (n INT NOT NULL PRIMARY KEY, d INT NOT NULL);\nCREATE TABLE t2 (n INT NOT NULL PRIMARY KEY, d INT);\n\
         INSERT INTO t1 VALUES (1, 1), (2, 2);\nINSERT INTO t2 VALUES (1, 10), (3, 30)",
        "UPDATE t2 LEFT JOIN t1 ON t1.n = t2.n SET t1.d = t2.d;\nDELETE t1 FROM t2 LEFT JOIN t1 ON t1.n = t2.n WHERE t2.n = 1",
    );
}

/// Trap 1.
#[test]
fn floats_keep_their_bits() {
    each("float", |bed| {
        bed.carries(
            "CREATE TABLE f (id INT PRIMARY KEY, v FLOAT, d DOUBLE);\nINSERT INTO f VALUES (1, 0, 0), (2, 16777217, 0.1), (9, 1, 1);\n\
             CREATE TABLE k (v FLOAT, d DOUBLE);\nINSERT INTO k VALUES (0.010516252390057362, 0.1), (16777217, 1e300), (0.1, -0e0)",
            "UPDATE f SET v = 0.010516252390057362, d = 1.7976931348623157e308 WHERE id = 1;\nUPDATE f SET v = 123456789 WHERE id = 2;\n\
             INSERT INTO f VALUES (3, 1.401298464e-45, 4.9406564584124654e-324), (4, -0e0, -0e0), (5, 3.402823466e38, 0.30000000000000004), (6, 8388608.5, 9007199254740993);\n\
             DELETE FROM f WHERE id = 9;\n\
             UPDATE k SET d = 2 WHERE d = 1e300;\nDELETE FROM k WHERE d = 0.1;\nINSERT INTO k SELECT v, d FROM f",
        );
        // Rows whose old image has such a value are found again.
        bed.source("UPDATE k SET v = v / 3, d = d / 3;\nUPDATE f SET v = v / 3, d = d / 3");
        bed.caught_up();
    });
}

/// A CHAR key under a NO PAD collation, with characters below the space that fills the column up. Whatever the pages end on, every row
/// is copied, and found again when it changes.
#[test]
fn char_keys_without_padding_lose_no_row() {
    for (flavor, charset, collation) in
        [(Flavor::MariaDb, "latin1", "latin1_swedish_nopad_ci"), (Flavor::MySql, "utf8mb4", "utf8mb4_0900_bin")]
    {
        let Some(mut bed) = Bed::new(flavor, flavor, "nopad") else { continue };
        bed.source(&format!(
            "CREATE TABLE t (k CHAR(10) CHARACTER SET {charset} COLLATE {collation} NOT NULL PRIMARY KEY, v INT);\n\
             INSERT INTO t VALUES ('null', 1), (_latin1 x'7800', 2), ('x', 3), ('', 4), (_latin1 x'00', 5), ('xy', 6), (_latin1 x'7801', 7), (_latin1 x'780920', 8)"
        ));
        for rows in ["1", "2", "3", "4", "5", "50"] {
            bed.task.start(&["apply", "--yes", "--restart", "--until", "caught-up"], &[("DTSCTL_TEST_CHUNK", rows)]).end().expect(0);
            bed.is_equal();
            assert_eq!(bed.numbers("SELECT COUNT(*) FROM t"), [8], "{flavor}: {rows} rows a page");
            bed.task.run(&["verify"]).expect(0);
        }
        bed.source(
            "UPDATE t SET v = v + 1 WHERE v IN (2, 3, 5, 8);\nUPDATE t SET k = _latin1 x'7A00' WHERE v = 7;\nDELETE FROM t WHERE v = 4",
        );
        bed.caught_up();
    }
}

/// Trap 3: a source in New York, whose clock shows one hour twice.
#[test]
fn the_folded_hour_stays_two_instants() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let new_york = || ServerOptions::new().env("TZ", "EST5EDT,M3.2.0,M11.1.0");
    let (from, to) = (Server::start(Flavor::MariaDb, new_york()).unwrap(), Server::start(Flavor::MariaDb, new_york()).unwrap());
    let mut bed = Bed::on(&from, &to, "folded");
    bed.carries(
        "CREATE TABLE ts (id INT PRIMARY KEY, t TIMESTAMP NULL, t6 TIMESTAMP(6) NULL, d DATETIME NULL);\n\
         CREATE TABLE key_ts (t TIMESTAMP(1) NOT NULL DEFAULT '2020-01-01 00:00:00' PRIMARY KEY, v INT);\nINSERT INTO ts VALUES (9, NULL, NULL, NULL)",
        "INSERT INTO ts VALUES (1, '2024-11-03 05:30:00', '2024-11-03 05:30:00.5', '2024-11-03 01:30:00'), (2, '2024-11-03 06:30:00', '2024-11-03 06:30:00.5', '2024-11-03 01:30:00');\n\
         INSERT INTO key_ts VALUES ('2024-11-03 05:30:00', 1), ('2024-11-03 06:30:00', 2), ('2024-03-10 07:00:00', 3);\n\
         UPDATE key_ts SET v = 20 WHERE v = 2;\nUPDATE ts SET t = '2024-11-03 06:30:00', d = '2024-03-10 02:30:00' WHERE id = 9;\nDELETE FROM key_ts WHERE v = 1",
    );
    assert_eq!(bed.numbers("SELECT COUNT(DISTINCT t) FROM ts WHERE id < 3"), [2]);
}

/// Trap 4: bytes that the column's charset does not explain.
#[test]
fn mislabelled_bytes_arrive_as_they_are() {
    each("bytes", |bed| {
        bed.carries(
            "CREATE TABLE l (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET latin1, g VARCHAR(20) CHARACTER SET gbk, s CHAR(8) CHARACTER SET sjis, \
             u VARCHAR(20) CHARACTER SET utf16, b VARCHAR(20) CHARACTER SET big5, t TEXT CHARACTER SET latin1);\n\
             CREATE TABLE lk (k VARCHAR(20) CHARACTER SET latin1 NOT NULL PRIMARY KEY, v INT);\nCREATE TABLE none (v VARCHAR(20) CHARACTER SET latin1, g TEXT CHARACTER SET gbk);\n\
             INSERT INTO l (id) VALUES (1), (2)",
            "UPDATE l SET v = _binary x'C3A9', g = _gbk x'815C5C27', s = _sjis x'835C', u = 'é😀', b = _big5 x'A55C27', t = _binary x'808182838485868788898A8B8C8D8E8F90' WHERE id = 1;\n\
             INSERT INTO l VALUES (3, _binary x'E9', _gbk x'BF5C27', _sjis x'945C22', '日', _big5 x'A55C', _binary x'5C27000A');\n\
             INSERT INTO lk VALUES (_binary x'C3A9', 1), (_binary x'E9', 2), (_binary x'FF', 3), ('', 4);\n\
             INSERT INTO none VALUES (_binary x'C3A9', _gbk x'815C'), (_binary x'C3A9', _gbk x'815C'), (_binary x'E9', NULL);\n\
             UPDATE lk SET v = v + 1;\nDELETE FROM lk WHERE v = 4;\nDELETE FROM none LIMIT 1;\nUPDATE none SET v = _binary x'81' WHERE g IS NULL",
        );
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM l WHERE id = 1 AND HEX(v) = 'C3A9'"), [1]);
    });
}

/// Trap 5: keys that a collation takes for one, in transactions that follow each other closely.
#[test]
fn keys_are_what_their_collation_says() {
    each("collation", |bed| {
        bed.source(
            "CREATE TABLE ci (k VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, v INT);\n\
             CREATE TABLE uni (id INT PRIMARY KEY, k VARCHAR(20) COLLATE utf8mb4_unicode_ci, UNIQUE KEY (k));\n\
             CREATE TABLE pad (k CHAR(10) COLLATE latin1_swedish_ci NOT NULL PRIMARY KEY, v INT);\n\
             INSERT INTO ci VALUES ('É', 1), ('plain', 2);\nINSERT INTO uni VALUES (1, 'ß'), (2, 'x');\nINSERT INTO pad VALUES ('a', 1)",
        );
        bed.caught_up();
        let mut sql = String::new();
        for round in 0..40 {
            sql.push_str(&format!(
                "DELETE FROM ci WHERE k = 'É';\nINSERT INTO ci VALUES ('e', {round});\nDELETE FROM ci WHERE k = 'e';\nINSERT INTO ci VALUES ('É', {round});\n\
                 UPDATE ci SET k = 'PLAIN', v = v + 1 WHERE k = 'plain';\nUPDATE ci SET k = 'plain ' WHERE k = 'plain';\nUPDATE ci SET k = 'plain' WHERE k = 'plain';\n\
                 DELETE FROM uni WHERE id = 1;\nINSERT INTO uni VALUES ({0}, 'ss');\nDELETE FROM uni WHERE id = {0};\nINSERT INTO uni VALUES (1, 'ß');\n\
                 UPDATE pad SET k = 'A', v = v + 1 WHERE k = 'a';\nUPDATE pad SET k = 'a';\n",
                100 + round
            ));
        }
        bed.source(&sql);
        bed.caught_up();
        assert_eq!(bed.numbers("SELECT v FROM ci WHERE k = 'plain'"), [42]);
    });
}

/// Trap 6: values of unique keys that move, and keys that shift by one.
#[test]
fn unique_values_move_and_keys_shift() {
    each("moved", |bed| {
        bed.carries(
            "CREATE TABLE u (id INT PRIMARY KEY, s VARCHAR(10) UNIQUE, t INT UNIQUE);\nINSERT INTO u VALUES (1, 'S', 1), (2, NULL, 2), (3, 'T', 3);\n\
             CREATE TABLE sh (id INT PRIMARY KEY, v CHAR(1));\nINSERT INTO sh VALUES (1, 'a'), (2, 'b'), (3, 'c');\n\
             CREATE TABLE sw (a INT NOT NULL, b VARCHAR(5) NOT NULL, v INT, PRIMARY KEY (a, b));\nINSERT INTO sw VALUES (1, 'x', 1), (2, 'y', 2)",
            "BEGIN;\nUPDATE u SET s = NULL WHERE id = 1;\nUPDATE u SET s = 'S' WHERE id = 2;\nCOMMIT;\n\
             BEGIN;\nUPDATE u SET t = NULL WHERE id = 1;\nUPDATE u SET t = 1 WHERE id = 3;\nUPDATE u SET t = 3 WHERE id = 1;\nCOMMIT;\n\
             UPDATE u SET s = 'M' WHERE id = 2;\nUPDATE u SET s = 'S' WHERE id = 1;\nDELETE FROM u WHERE id = 3;\nINSERT INTO u VALUES (4, 'T', 1);\n\
             UPDATE sh SET id = id + 1 ORDER BY id DESC;\n\
             BEGIN;\nUPDATE sw SET a = 9 WHERE a = 1;\nUPDATE sw SET a = 1, b = 'x' WHERE a = 2;\nUPDATE sw SET a = 2, b = 'y' WHERE a = 9;\nCOMMIT",
        );
        assert_eq!(bed.numbers("SELECT id * 1000 + ASCII(v) FROM sh ORDER BY id"), [2097, 3098, 4099]);
        bed.source("UPDATE sh SET id = id + 1 ORDER BY id DESC;\nUPDATE sh SET id = id - 2 ORDER BY id;\nREPLACE INTO sh VALUES (2, 'z');\nDELETE FROM sh WHERE id = 1");
        bed.caught_up();
    });
}

/// Trap 7.
#[test]
fn rows_without_a_key_are_told_apart_exactly() {
    each("keyless", |bed| {
        bed.carries(
            "CREATE TABLE nk (a VARCHAR(10), b INT, f FLOAT, j JSON, g GEOMETRY) COLLATE utf8mb4_general_ci;\n\
             INSERT INTO nk VALUES ('A', 1, 0.1, '{\"k\": 1}', NULL), ('a', 1, 0.1, '{\"k\": 1}', NULL), ('a', 1, 0.1, '{\"k\": 1}', NULL), ('a ', 1, 0.1, '{\"k\": 1}', NULL), \
             ('x', NULL, NULL, NULL, ST_GeomFromText('POINT(1 2)')), ('x', NULL, NULL, NULL, ST_GeomFromText('POINT(1 2)')), (NULL, NULL, NULL, NULL, NULL)",
            "DELETE FROM nk WHERE BINARY a = 'A' LIMIT 1;\nUPDATE nk SET b = 7 WHERE a = 'x' LIMIT 1;\nDELETE FROM nk WHERE BINARY a = 'a' LIMIT 1;\n\
             UPDATE nk SET f = f + 0.3 WHERE BINARY a = 'a ';\nINSERT INTO nk SELECT * FROM nk;\nDELETE FROM nk WHERE a IS NULL LIMIT 1;\nUPDATE nk SET j = '{\"k\": 2}' WHERE j IS NOT NULL LIMIT 2",
        );
        for _ in 0..3 {
            bed.source("UPDATE nk SET b = COALESCE(b, 0) + 1 LIMIT 3;\nINSERT INTO nk SELECT * FROM nk LIMIT 2;\nDELETE FROM nk LIMIT 1");
        }
        bed.caught_up();
    });
}

/// Trap 8: what a row image leaves to whoever knows the declared type.
#[test]
fn images_are_read_with_the_declared_type() {
    each("image", |bed| {
        bed.carries(
            "CREATE TABLE ri (id BINARY(4) PRIMARY KEY, u BIGINT UNSIGNED, m MEDIUMINT UNSIGNED, b BIT(10), e ENUM('x','y'), s SET('p','q','r'), d DECIMAL(20,5), t TIME(3), y YEAR);\n\
             CREATE TABLE uk (u BIGINT UNSIGNED PRIMARY KEY, v INT);\nINSERT INTO ri (id) VALUES (x'BB000000')",
            "INSERT INTO ri VALUES (x'AA000000', 18446744073709551615, 16777215, b'1000000001', 'y', 'p,r', '-0.00001', '-838:59:59.000', 2155);\n\
             INSERT INTO ri VALUES (x'AA0000FF', 9223372036854775808, 8388608, 0, 'x', '', '123456789012345.12345', '-00:00:00.001', 0);\n\
             INSERT INTO ri VALUES (x'00000000', 0, 0, 1023, NULL, 'q', '-0', '00:00:00.100', 1901);\n\
             UPDATE ri SET id = x'AA000001' WHERE id = x'AA000000';\nUPDATE ri SET u = u - 1, m = m - 1 WHERE u > 5;\nDELETE FROM ri WHERE id = x'BB000000';\n\
             INSERT INTO uk VALUES (18446744073709551615, 1), (9223372036854775808, 2), (1, 3);\nUPDATE uk SET v = v + 1;\nDELETE FROM uk WHERE u = 9223372036854775808",
        );
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM ri WHERE id = x'AA000001' AND u = 18446744073709551614"), [1]);
    });
}

/// Trap 9: types inside a document, and doubles of 17 digits.
#[test]
fn json_keeps_its_types() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "json") else { return };
    bed.carries(
        "CREATE TABLE j (id INT PRIMARY KEY, j JSON);\nINSERT INTO j VALUES (1, '{}'), (2, '[1]'), (9, NULL)",
        "INSERT INTO j VALUES (3, JSON_OBJECT('a', CAST(169.09 AS DECIMAL(12,6)))), (4, '[9088544342.689999, 0.1, -0.0, 1e308, 18446744073709551615]'), \
         (5, JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('-12:00:01.25' AS TIME(6)), 's', TIMESTAMP('2024-02-29 01:02:03.5')));\n\
         UPDATE j SET j = JSON_SET(j, '$.x', 'é\\\\\\'\"') WHERE id = 1;\nUPDATE j SET j = JSON_ARRAY_APPEND(j, '$', 2.5) WHERE id = 2;\nDELETE FROM j WHERE id = 9;\n\
         UPDATE j SET j = JSON_REMOVE(j, '$.x') WHERE id = 1",
    );
    let types = format!(
        "SELECT id, JSON_TYPE(JSON_EXTRACT(j, '$.a')), JSON_TYPE(JSON_EXTRACT(j, '$[0]')), JSON_TYPE(j) FROM `{}`.j ORDER BY id",
        bed.db
    );
    type Row = (i32, Option<String>, Option<String>, Option<String>);
    let (here, there): (Vec<Row>, Vec<Row>) = (bed.source.query(&types).unwrap(), bed.destination.query(&types).unwrap());
    assert_eq!(here, there);
}

/// Trap 10: rows are in the log when the transaction is prepared, and arrive when it is committed; those rolled back never.
#[test]
fn xa_transactions_arrive_when_they_are_committed() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        // Of its own: what stays prepared would block the task of another test that begins just then (DT273).
        let start = || Server::start(flavor, ServerOptions::new()).unwrap();
        let (source, destination) = (start(), start());
        let mut bed = Bed::on(&source, &destination, "xa");
        bed.source("CREATE TABLE x (id INT PRIMARY KEY, v INT);\nCREATE TABLE xk (v INT);\nINSERT INTO x VALUES (1, 1)");
        bed.caught_up();
        let mut own = bed.source_session();
        let (db, xid) = (bed.db.clone(), format!("'{}'", bed.db));
        let xa = |conn: &mut mysql::Conn, id: i32, last: &str| {
            for sql in [
                format!("XA START {xid}"),
                format!("INSERT INTO `{db}`.x VALUES ({id}, 2)"),
                format!("INSERT INTO `{db}`.xk VALUES ({id})"),
                format!("XA END {xid}"),
                format!("XA PREPARE {xid}"),
            ] {
                conn.query_drop(sql).unwrap();
            }
            if !last.is_empty() {
                conn.query_drop(format!("XA {last} {xid}")).unwrap();
            }
        };
        xa(&mut own, 10, "ROLLBACK");
        xa(&mut own, 11, "COMMIT");
        bed.caught_up();
        xa(&mut own, 12, "");
        bed.source("INSERT INTO x VALUES (13, 3);\nINSERT INTO xk VALUES (13)");
        bed.task.run(&CATCH_UP).expect(0);
        assert_eq!(bed.numbers("SELECT id FROM x ORDER BY id"), [1, 11, 13], "{flavor}: nothing of it before XA COMMIT");
        own.query_drop(format!("XA COMMIT {xid}")).unwrap();
        bed.caught_up();
        assert_eq!(bed.numbers("SELECT id FROM x ORDER BY id"), [1, 11, 12, 13], "{flavor}");
    }
}

/// Trap 10: rows and definition in one group.
#[test]
fn create_select_brings_its_rows_once() {
    each("ctas", |bed| {
        bed.carries(
            "CREATE TABLE s (id INT PRIMARY KEY, v VARCHAR(10));\nINSERT INTO s VALUES (1, 'a'), (2, 'b')",
            "CREATE TABLE c1 AS SELECT * FROM s;\nCREATE TABLE c2 (PRIMARY KEY (id)) AS SELECT id, v FROM s WHERE id = 1;\nINSERT INTO c1 SELECT * FROM s;\n\
             CREATE TABLE c3 LIKE s;\nINSERT INTO c3 SELECT * FROM s;\nUPDATE c2 SET v = 'z'",
        );
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM c1"), [4]);
    });
}

/// Trap 10: a statement that moves rows without row events.
#[test]
fn exchange_partition_with_a_table_outside_stops_the_task() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "exchange") else { continue };
        let db = bed.db.clone();
        bed.source(&format!(
            "DROP DATABASE IF EXISTS `{db}_out`;\nCREATE DATABASE `{db}_out` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nCREATE TABLE `{db}_out`.ptx (id INT PRIMARY KEY);\nINSERT INTO `{db}_out`.ptx VALUES (3);\n\
             CREATE TABLE pt (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20));\nINSERT INTO pt VALUES (1), (11)"
        ));
        bed.caught_up();
        bed.source(&format!(
            "INSERT INTO pt VALUES (2);\nALTER TABLE pt EXCHANGE PARTITION p0 WITH TABLE `{db}_out`.ptx;\nINSERT INTO pt VALUES (4)"
        ));
        let stopped = bed.task.run(&CATCH_UP);
        stopped.expect(1).says("pt").says("change places");
        assert_eq!(bed.numbers("SELECT id FROM pt ORDER BY id"), [1, 2, 11], "{flavor}: everything before it, and nothing after");
    }
}

/// Trap 10: images without all columns, and statements without rows.
#[test]
fn partial_images_and_statements_stop_the_task() {
    for flavor in Flavor::ALL {
        for (name, set, words) in [
            ("minimal", "SET SESSION binlog_row_image = MINIMAL", ["binlog_row_image", "se"]),
            ("statement", "SET SESSION binlog_format = STATEMENT", ["as a statement", "binlog_format"]),
        ] {
            let Some(mut bed) = Bed::new(flavor, flavor, name) else { continue };
            bed.source("CREATE TABLE se (id INT PRIMARY KEY, a INT, b INT);\nINSERT INTO se VALUES (1, 1, 1), (2, 2, 2)");
            bed.caught_up();
            bed.source("UPDATE se SET a = 7 WHERE id = 1");
            bed.source(set);
            bed.source("UPDATE se SET b = 5 WHERE id = 2");
            let stopped = bed.task.run(&CATCH_UP);
            stopped.expect(1);
            for word in words {
                assert!(stopped.stderr.contains(word), "{flavor}, {name}: no {word:?} in:\n{}", stopped.stderr);
            }
            // Where in the binlog: a file and an offset, or a GTID.
            assert!(stopped.stderr.contains("binlog."), "{flavor}, {name}: no place in:\n{}", stopped.stderr);
            assert_eq!(bed.numbers("SELECT a * 10 + b FROM se ORDER BY id"), [71, 22], "{flavor}, {name}");
            // It stays stopped: nothing is skipped by asking again.
            bed.task.run(&CATCH_UP).expect(1);
            assert_eq!(bed.numbers("SELECT a * 10 + b FROM se ORDER BY id"), [71, 22], "{flavor}, {name}");
        }
    }
}

/// The closing list: id 0, zero dates, counters, generated and invisible columns, values that the destination would make up itself.
#[test]
fn what_a_careful_session_must_keep() {
    each("session", |bed| {
        bed.carries(
            "CREATE TABLE z (id INT AUTO_INCREMENT PRIMARY KEY, d DATE, t DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00');\n\
             CREATE TABLE ou (id INT PRIMARY KEY, v INT, ts TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3));\n\
             CREATE TABLE g (id INT PRIMARY KEY, a INT, twice INT AS (a * 2) STORED, thrice INT AS (a * 3) VIRTUAL, hidden INT DEFAULT 7 INVISIBLE, KEY (thrice));\n\
             CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20));\nCREATE TABLE tg (id INT PRIMARY KEY);\n\
             INSERT INTO ou VALUES (1, 1, '2001-01-01 00:00:00'), (2, 1, '2001-01-01 00:00:00');\nINSERT INTO g (id, a) VALUES (1, 1)",
            "INSERT INTO z VALUES (0, '0000-00-00', '0000-00-00 00:00:00'), (1, '2024-02-00', '2024-02-00 12:00:00'), (5, '2024-02-30', '2024-02-29 00:00:00');\nINSERT INTO z (id) VALUES (9);\nDELETE FROM z WHERE id = 9;\n\
             UPDATE ou SET v = 2, ts = ts WHERE id = 1;\nUPDATE ou SET v = 3, ts = '1999-01-01 00:00:00' WHERE id = 2;\n\
             INSERT INTO g (id, a, hidden) VALUES (2, 10, 1), (3, NULL, NULL);\nUPDATE g SET a = 5 WHERE id = 1;\nDELETE FROM g WHERE id = 3",
        );
        assert_eq!(bed.numbers("SELECT id FROM z ORDER BY id"), [0, 1, 5]);
        // A trigger at the source logs the row that it writes: it comes once.
        bed.source("CREATE TRIGGER tr AFTER INSERT ON tg FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('new ', NEW.id))");
        bed.source("INSERT INTO tg VALUES (1), (2)");
        bed.caught_up();
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM audit"), [2]);
    });
}

/// Requirements B17 and D18: a trigger at both ends, and a thousand rows that fire it at the source. Its rows come by the binlog once; at the
/// destination it fires for everybody else.
#[test]
fn a_trigger_at_both_ends_fires_once_for_each_row() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "triggered") else { continue };
        bed.source(
            "CREATE TABLE parent (id INT PRIMARY KEY);\nCREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, parent INT);\n\
             CREATE TRIGGER tr AFTER INSERT ON parent FOR EACH ROW INSERT INTO child (parent) VALUES (NEW.id);\n\
             INSERT INTO parent VALUES (1), (2)",
        );
        let db = bed.db.clone();
        bed.task.write(&format!("{}objects: [{{database: {db}}}]\nschema: {{triggers: auto}}\n", super::bed::PHASES));
        bed.caught_up();
        let parents: Vec<String> = (3..=1002).map(|id| format!("({id})")).collect();
        bed.source(&format!("INSERT INTO parent VALUES {}", parents.join(",")));
        bed.caught_up();
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM child"), [1002], "{flavor}");
        let mut anybody = bed.destination_session();
        anybody.query_drop(format!("INSERT INTO {db}.parent VALUES (5000)")).expect("a row");
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM child WHERE parent = 5000"), [1], "{flavor}");
    }
}

/// Rows that nothing but their values tells apart, some of which are JSON: the copy brings them as text, the binlog with their types.
#[test]
fn keyless_rows_with_json() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "keyless_json") else { continue };
        bed.source(
            r#"CREATE TABLE t (v INT, j JSON);
INSERT INTO t VALUES (1, '{"a": 1, "b": [true, null, "x"]}'), (1, '{"a": 1, "b": [true, null, "x"]}'), (2, '[1.5, -0.25, 12345678901234567]'), (3, NULL), (4, 'null'), (5, '"é😀\\n"'), (6, '{}'), (6, '[]'), (7, '[0.1, 100, "1e2"]')"#,
        );
        if bed.is_mysql() {
            bed.source(
                "INSERT INTO t VALUES (8, JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST(7 AS UNSIGNED), x'00FF', TRUE)), \
                 (9, JSON_OBJECT('d', CAST(169.5 AS DECIMAL(4,1)))), (9, JSON_OBJECT('d', 169.5e0))",
            );
        }
        bed.caught_up();
        bed.source(
            "INSERT INTO t SELECT v + 100, j FROM t;\nUPDATE t SET v = v + 1000 WHERE v IN (1, 101) LIMIT 2;\nUPDATE t SET v = v + 1000 WHERE v BETWEEN 2 AND 10;\n\
             UPDATE t SET j = JSON_ARRAY(v, j) WHERE v BETWEEN 102 AND 107;\nDELETE FROM t WHERE v IN (1001, 1003, 1005, 106) LIMIT 4;\n\
             DELETE FROM t WHERE v IN (1008, 1009, 108, 109)",
        );
        bed.caught_up();
        bed.source("DELETE FROM t WHERE v > 100 ORDER BY v LIMIT 5;\nUPDATE t SET v = 0");
        bed.caught_up();
    }
}

/// The copy stores a DECIMAL in a JSON value as a DOUBLE, which is printed otherwise (guarantees.md). A row without a key is found all the same,
/// and no other row is taken for it, nor a second one made.
#[test]
fn a_keyless_row_whose_json_the_copy_has_changed() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "keyless_decimal") else { return };
    bed.source(
        "CREATE TABLE t (v INT, j JSON);\n\
         INSERT INTO t VALUES (1, JSON_OBJECT('d', CAST(169.09 AS DECIMAL(12,6)))), (2, JSON_OBJECT('d', CAST(1 AS DECIMAL(12,6)))), \
         (2, JSON_OBJECT('d', 1)), (3, JSON_OBJECT('d', 1.0e0)), (1, JSON_OBJECT('d', 7))",
    );
    bed.task.run(&CATCH_UP).expect(0);
    bed.source("DELETE FROM t WHERE v = 2 AND JSON_TYPE(j->'$.d') = 'DECIMAL';\nUPDATE t SET v = 10 WHERE j->'$.d' > 100");
    let outcome = bed.task.run(&CATCH_UP);
    outcome.expect(0);
    assert!(!outcome.stderr.contains("conflict"), "{}", outcome.stderr);
    let there = crate::support::rows(&mut bed.destination, &format!("SELECT v, j FROM {}.t ORDER BY v, j->'$.d'", bed.db));
    assert_eq!(there, ["1|{\"d\": 7}", "2|{\"d\": 1}", "3|{\"d\": 1.0}", "10|{\"d\": 169.090000}"]);
    // What has come by the binlog is as at the source, and is found as such.
    bed.source("UPDATE t SET v = 11 WHERE v = 10;\nDELETE FROM t WHERE v = 11");
    bed.caught_up();
}
