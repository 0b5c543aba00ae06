//! Columns left out and renamed, and names in other letters, while the binlog is followed. The oracle is the source: the same columns,
//! selected there.

use mysql::prelude::Queryable as _;
use testbed::Flavor;

use super::bed::{CATCH_UP, PHASES, each};
use crate::support::rows;

#[test]
fn columns_left_out_and_renamed_stay_so_by_the_binlog() {
    each("mapped", |bed| {
        let (db, there) = (bed.db.clone(), format!("{}_x", bed.db));
        bed.source(
            "CREATE TABLE t (id INT, org INT, a INT, b INT, cust VARCHAR(20), note VARCHAR(20), PRIMARY KEY (org, id), UNIQUE KEY (cust));\n\
             CREATE TABLE nk (a INT, b INT, note INT);\n\
             INSERT INTO t VALUES (1, 1, 10, 20, 'one', 'n1'), (2, 1, 30, 40, 'two', 'n2');\nINSERT INTO nk VALUES (1, 2, 3), (1, 2, 3)",
        );
        bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {there}")).unwrap();
        bed.task.write(&format!(
            "{PHASES}objects:\n- database: {db}\n  rename: {there}\n  tables:\n\
             \x20 - {{name: t, rename: u, columns: {{exclude: [note], rename: {{a: b, b: a, cust: customer, id: no}}}}}}\n\
             \x20 - {{name: nk, columns: {{exclude: [note], rename: {{a: b, b: a}}}}}}\n"
        ));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source(
            "INSERT INTO t VALUES (3, 1, 50, 60, 'three', 'n3');\nUPDATE t SET a = a + 1, note = 'x' WHERE id = 1;\n\
             UPDATE t SET cust = NULL WHERE id = 2;\nUPDATE t SET cust = 'two' WHERE id = 3;\nUPDATE t SET id = 9 WHERE id = 1;\n\
             INSERT INTO nk VALUES (5, 6, 7);\nUPDATE nk SET b = 3 WHERE a = 1 LIMIT 1;\nDELETE FROM nk WHERE a = 1 AND b = 2 LIMIT 1",
        );
        bed.task.run(&CATCH_UP).expect(0);
        bed.source.query_drop(format!("USE {db}")).unwrap();
        bed.destination.query_drop(format!("USE {there}")).unwrap();
        for (here, elsewhere) in [
            ("SELECT id, org, a, b, cust FROM t ORDER BY 1", "SELECT no, org, b, a, customer FROM u ORDER BY 1"),
            ("SELECT a, b FROM nk ORDER BY 1, 2", "SELECT b, a FROM nk ORDER BY 1, 2"),
        ] {
            assert_eq!(rows(&mut bed.source, here), rows(&mut bed.destination, elsewhere), "{elsewhere}");
        }
        bed.task.run(&["verify"]).expect(0);
        // What the statement calls `a` is another column there.
        bed.source("ALTER TABLE t ADD COLUMN z INT AFTER a");
        bed.task.run(&CATCH_UP).expect(1).says("ddl-columns-differ");
        assert_eq!(rows(&mut bed.destination, "SELECT COUNT(b) FROM u"), ["3"]);
    });
}

#[test]
fn names_in_other_letters_are_followed() {
    let Some(mut bed) = super::bed::Bed::new(Flavor::MySql, Flavor::MariaDb, "letters") else { return };
    let (db, there) = (bed.db.clone(), format!("{}_x", bed.db));
    bed.source("CREATE TABLE `Größe` (Id INT PRIMARY KEY, `Ä` INT);\nINSERT INTO `Größe` VALUES (1, 1)");
    bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {there}")).unwrap();
    bed.task.write(&format!("{PHASES}objects: [{{database: {db}, rename: {there}}}]\nnames: {{case: upper}}\n"));
    bed.task.run(&CATCH_UP).expect(0);
    bed.source("INSERT INTO `Größe` VALUES (2, 2);\nCREATE TABLE late (a INT PRIMARY KEY);\nINSERT INTO late VALUES (7);\nUPDATE `Größe` SET `Ä` = 5");
    bed.task.run(&CATCH_UP).expect(0);
    bed.destination.query_drop(format!("USE {there}")).unwrap();
    assert_eq!(rows(&mut bed.destination, "SELECT ID, `Ä` FROM `GRÖSSE` ORDER BY 1"), ["1|5", "2|5"]);
    assert_eq!(rows(&mut bed.destination, "SELECT A FROM LATE"), ["7"]);
}

/// D08 and C11: what comes later gets its name by the same pattern, a rename inside the selection too; one that leads to a name that is
/// taken stops.
#[test]
fn names_by_a_pattern_are_followed() {
    each("by_pattern", |bed| {
        let (db, there) = (bed.db.clone(), format!("{}_x", bed.db));
        bed.source(
            "CREATE TABLE t_1 (id INT PRIMARY KEY, v INT);\nCREATE TABLE other (id INT PRIMARY KEY);\nINSERT INTO t_1 VALUES (1, 1)",
        );
        bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {there}")).unwrap();
        bed.task.write(&format!(
            "{PHASES}objects: [{{database: {db}, rename: {there}, rename_tables: {{match: '[st]_(\\d+)', to: 'orders_$1'}}}}]\n"
        ));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source(
            "CREATE TABLE t_2 (id INT PRIMARY KEY, one INT, FOREIGN KEY (one) REFERENCES t_1 (id));\nINSERT INTO t_2 VALUES (1, 1);\n\
             ALTER TABLE t_1 ADD COLUMN n INT DEFAULT 7;\nINSERT INTO t_1 VALUES (2, 2, 2);\nCREATE TABLE plain LIKE t_1;\nINSERT INTO plain VALUES (3, 3, 3);\n\
             RENAME TABLE plain TO t_3, other TO elsewhere;\nINSERT INTO t_3 VALUES (4, 4, 4);\nINSERT INTO elsewhere VALUES (9);\n\
             CREATE VIEW t_80 AS SELECT t_1.id FROM t_1;\nRENAME TABLE t_1 TO t_x, t_3 TO t_1, t_x TO t_3;\nUPDATE t_1 SET v = 40 WHERE id = 4",
        );
        bed.task.run(&CATCH_UP).expect(0);
        bed.source.query_drop(format!("USE {db}")).unwrap();
        bed.destination.query_drop(format!("USE {there}")).unwrap();
        let tables = rows(&mut bed.destination, "SHOW TABLES");
        assert_eq!(tables, ["elsewhere", "orders_1", "orders_2", "orders_3", "orders_80"]);
        for (here, elsewhere) in
            [("t_1", "orders_1"), ("t_2", "orders_2"), ("t_3", "orders_3"), ("elsewhere", "elsewhere"), ("t_80", "orders_80")]
        {
            let of = |table: &str| format!("SELECT * FROM {table} ORDER BY 1");
            assert_eq!(rows(&mut bed.source, &of(here)), rows(&mut bed.destination, &of(elsewhere)), "{elsewhere}");
        }
        bed.task.run(&["verify"]).expect(0);
        // Another name that becomes the same: never the other table's rows.
        let replace = if bed.is_mysql() { "" } else { "OR REPLACE " };
        bed.source(&format!("CREATE {replace}TABLE s_2 (id INT PRIMARY KEY);\nINSERT INTO s_2 VALUES (77);\nDROP TABLE s_2"));
        bed.task.run(&CATCH_UP).expect(1).says("ddl-name-taken");
        assert_eq!(rows(&mut bed.destination, "SELECT * FROM orders_2"), ["1|1"]);
    });
    each("by_pattern_rename", |bed| {
        let db = bed.db.clone();
        bed.source("CREATE TABLE t_1 (id INT PRIMARY KEY);\nCREATE TABLE u (id INT PRIMARY KEY);\nINSERT INTO t_1 VALUES (1)");
        bed.task.write(&format!("{PHASES}objects: [{{database: {db}, rename_tables: {{match: '[st]_(\\d+)', to: 'orders_$1'}}}}]\n"));
        bed.task.run(&CATCH_UP).expect(0);
        bed.source("RENAME TABLE u TO s_1;\nRENAME TABLE s_1 TO u");
        bed.task.run(&CATCH_UP).expect(1).says("ddl-name-taken");
        bed.destination.query_drop(format!("USE {db}")).unwrap();
        assert_eq!(rows(&mut bed.destination, "SHOW TABLES"), ["orders_1", "u"]);
    });
}
