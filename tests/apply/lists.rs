//! ENUMs with '' among their members: servers print the error value, number 0, like that member.

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
    }
}
