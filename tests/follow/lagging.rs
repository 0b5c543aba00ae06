//! Definitions that changed at the source before the rows written under the old ones were read.

use super::bed::each;

/// ENUM and SET come as numbers: of the list as it was when the row was written.
#[test]
fn lists_reordered_between_the_image_and_its_reading() {
    each("enum", |bed| {
        bed.carries(
            "CREATE TABLE e (id INT PRIMARY KEY, e ENUM('x','y','z'), s SET('p','q','r'));\nINSERT INTO e VALUES (1, 'x', 'p'), (2, 'y', 'p,q');\n\
             CREATE TABLE ek (e ENUM('a','b','c') NOT NULL PRIMARY KEY, v INT);\nINSERT INTO ek VALUES ('a', 1), ('b', 2)",
            "UPDATE e SET e = 'z', s = 'q,r' WHERE id = 1;\nINSERT INTO e VALUES (3, 'x', 'r');\n\
             ALTER TABLE e MODIFY e ENUM('z','new','x','y'), MODIFY s SET('r','extra','p','q');\n\
             UPDATE e SET e = 'new', s = 'extra,p' WHERE id = 2;\nINSERT INTO e VALUES (4, 'z', 'r,q');\n\
             UPDATE ek SET v = 10 WHERE e = 'a';\nALTER TABLE ek MODIFY e ENUM('c','b','a') NOT NULL;\nUPDATE ek SET v = 20 WHERE e = 'b';\nDELETE FROM ek WHERE e = 'a';\nINSERT INTO ek VALUES ('c', 3)",
        );
    });
}

/// A backlog in which the columns change again and again.
#[test]
fn columns_are_those_of_then() {
    each("lagging", |bed| {
        bed.carries(
            "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(10), b INT UNSIGNED);\nINSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)",
            "UPDATE t SET b = 4294967295 WHERE id = 1;\nALTER TABLE t ADD COLUMN c BIGINT UNSIGNED FIRST;\nUPDATE t SET c = 18446744073709551615 WHERE id = 2;\n\
             INSERT INTO t (id, a, b, c) VALUES (3, 'c', 3, 3);\nALTER TABLE t DROP COLUMN a;\nINSERT INTO t (id, b, c) VALUES (4, 4, 4);\nUPDATE t SET b = b - 1;\n\
             ALTER TABLE t CHANGE b bb BIGINT, ADD COLUMN d TEXT AFTER id;\nUPDATE t SET d = CONCAT('d', id), bb = -bb;\nALTER TABLE t RENAME TO t2;\nINSERT INTO t2 (id, bb) VALUES (5, -5);\n\
             CREATE TABLE t (other INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\nRENAME TABLE t TO t3, t2 TO t, t3 TO t2;\nINSERT INTO t2 VALUES (2);\nDELETE FROM t WHERE id = 1;\n\
             TRUNCATE TABLE t2;\nINSERT INTO t2 VALUES (7);\nDROP TABLE t;\nCREATE TABLE t (id INT PRIMARY KEY, now_text VARCHAR(5));\nINSERT INTO t VALUES (1, 'x')",
        );
        assert_eq!(bed.numbers("SELECT other FROM t2"), [7]);
    });
}
