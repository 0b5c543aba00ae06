//! Numbers that stand for something else: 0 in an AUTO_INCREMENT column, and the error value of an ENUM, number 0, which servers print like a
//! member ''.

use mysql::prelude::Queryable as _;
use testbed::Flavor;

use super::Bed;
use crate::support::rows;

#[test]
fn the_error_value_never_becomes_the_empty_member() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "empty_member") else { continue };
        let (db, there) = (bed.db.clone(), format!("{}_x", bed.db));
        bed.source(
            "SET SESSION sql_mode = '';\n\
             CREATE TABLE t (id INT PRIMARY KEY, e ENUM('é','','b') CHARACTER SET latin1, w ENUM('ж','') CHARACTER SET utf16, \
             u ENUM('','ж') COLLATE utf8mb4_unicode_ci NOT NULL);\n\
             CREATE TABLE nk (e ENUM('','x'));\n\
             INSERT INTO t VALUES (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, NULL, 1), (4, NULL, 2, 2);\nINSERT INTO nk VALUES (''), ('x'), (NULL), ('')",
        );
        bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {there}")).unwrap();
        bed.task.write(&format!("phases: {{incremental: false}}\nobjects: [{{database: {db}, rename: {there}}}]\n"));
        bed.source("INSERT INTO t VALUES (5, 0, 1, 1)");
        bed.run(&["apply", "--yes"]).expect(1).says("column e: the error value of an ENUM");
        bed.source("DELETE FROM t WHERE id = 5");
        bed.run(&["apply", "--yes"]).expect(0);
        bed.source.query_drop(format!("USE {db}")).unwrap();
        bed.destination.query_drop(format!("USE {there}")).unwrap();
        for sql in ["SELECT id, e + 0, HEX(e), w + 0, HEX(w), u + 0, HEX(u) FROM t ORDER BY 1", "SELECT e + 0 FROM nk ORDER BY 1"] {
            assert_eq!(rows(&mut bed.source, sql), rows(&mut bed.destination, sql), "{from} to {to}: {sql}");
        }
        bed.run(&["verify"]).expect(0);
        // By the binlog it comes as its number.
        bed.destination.query_drop(format!("DROP DATABASE {there}")).unwrap();
        bed.task.write(&format!("phases: {{incremental: true}}\nobjects: [{{database: {db}, rename: {there}}}]\n"));
        let caught_up = ["apply", "--yes", "--restart", "--until", "caught-up"];
        bed.run(&caught_up).expect(0);
        bed.source("SET SESSION sql_mode = '';\nINSERT INTO t VALUES (6, 0, 1, 0);\nUPDATE t SET e = 0, w = 0 WHERE id = 2;\nDELETE FROM nk WHERE e = 'x'");
        bed.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
        bed.destination.query_drop(format!("USE {there}")).unwrap();
        let sql = "SELECT id, e + 0, HEX(e), w + 0, HEX(w), u + 0, HEX(u) FROM t ORDER BY 1";
        assert_eq!(rows(&mut bed.source, sql), rows(&mut bed.destination, sql), "{from} to {to}: {sql}");
        bed.run(&["verify"]).expect(0);
    }
}

/// A column that goes through a variable of LOAD DATA (UUID, JSON, another charset) must not make the server number a row anew.
#[test]
fn a_zero_of_a_numbered_column_stays_zero() {
    for (from, to) in Flavor::PAIRS {
        let kind = if from == Flavor::MariaDb && to == Flavor::MariaDb { "UUID" } else { "JSON" };
        let value = if kind == "UUID" { "'0000000e-1111-4222-8333-000000000002'" } else { "'{\"a\": 1}'" };
        for phases in ["{incremental: false}", "{incremental: true}"] {
            let Some(mut bed) = Bed::new(from, to, "zero") else { continue };
            let db = bed.db.clone();
            bed.task.write(&format!("phases: {phases}\nobjects: [{{database: {db}}}]\n"));
            bed.source(&format!(
                "CREATE TABLE t (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, v {kind});\n\
                 INSERT INTO t VALUES (0, {value}), (1, NULL), (18446744073709551614, {value})"
            ));
            bed.run(&["apply", "--yes", "--until", "caught-up"][..if phases.contains("true") { 4 } else { 2 }]).expect(0);
            let sql = format!("SELECT id FROM {db}.t ORDER BY 1");
            assert_eq!(rows(&mut bed.destination, &sql), ["0", "1", "18446744073709551614"], "{from} to {to}");
            bed.run(&["verify"]).expect(0);
            bed.source("DELETE FROM t WHERE id > 5;\nDROP TABLE t");
            bed.destination.query_drop(format!("DROP DATABASE {db}")).unwrap();
        }
    }
}
