//! Statements and definitions that MySQL's own regression tests brought, and that did not arrive as they should.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions};

use super::bed::{Bed, CATCH_UP, each};

/// `partition.test`: the comma behind a partition is not its tablespace's, and an option beside others is no item of the list.
#[test]
fn partitions_keep_their_commas_when_their_tablespaces_are_left_out() {
    each("tablespaces", |bed| {
        bed.source("CREATE TABLE before_all (id INT PRIMARY KEY)");
        bed.caught_up();
        bed.source(
            "CREATE TABLE k (a INT NOT NULL PRIMARY KEY, b INT) PARTITION BY KEY (a) PARTITIONS 3 \
             (PARTITION x1 TABLESPACE innodb_file_per_table, PARTITION x2 TABLESPACE = innodb_file_per_table, PARTITION x3);\n\
             INSERT INTO k VALUES (1, 1), (2, 2), (3, 3);\n\
             CREATE TABLE s (a INT NOT NULL, b DATE) PARTITION BY RANGE (YEAR(b)) SUBPARTITION BY HASH (TO_DAYS(b)) \
             (PARTITION p0 VALUES LESS THAN (1990) (SUBPARTITION s0 TABLESPACE innodb_file_per_table COMMENT 'x', SUBPARTITION s1 TABLESPACE innodb_file_per_table), \
             PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2 TABLESPACE innodb_file_per_table, SUBPARTITION s3));\n\
             INSERT INTO s VALUES (1, '1980-01-01'), (2, '2000-01-01');\n\
             ALTER TABLE k REORGANIZE PARTITION INTO (PARTITION x1 TABLESPACE innodb_file_per_table, PARTITION x2);\n\
             ALTER TABLE k COMMENT='c' TABLESPACE innodb_file_per_table, ADD c INT DEFAULT 7;\n\
             ALTER TABLE k TABLESPACE innodb_file_per_table, ADD d INT DEFAULT 8;\n\
             ALTER TABLE k ADD e INT DEFAULT 9, TABLESPACE innodb_file_per_table"
                // MariaDB wants to be told how many.
                .replace("REORGANIZE PARTITION INTO (PARTITION x1 TABLESPACE innodb_file_per_table, PARTITION x2)", "COALESCE PARTITION 1")
                .as_str(),
        );
        bed.caught_up();
    });
}

/// `alter_table.test`: collations and charsets in capitals.
#[test]
fn names_of_collations_in_capitals() {
    each("capitals", |bed| {
        bed.carries(
            "CREATE TABLE t (a VARCHAR(20) CHARACTER SET latin1, b VARCHAR(20));\nINSERT INTO t VALUES ('é', 'x')",
            "ALTER TABLE t MODIFY b VARCHAR(255) COLLATE UTF8MB4_BIN;\nALTER TABLE t MODIFY a VARCHAR(20) CHARACTER SET UTF8MB4 COLLATE UTF8MB4_UNICODE_CI;\n\
             CREATE TABLE u (a VARCHAR(9) COLLATE Latin1_Bin) CHARSET=LATIN1 COLLATE=LATIN1_GENERAL_CI;\nINSERT INTO u VALUES ('é');\nINSERT INTO t VALUES ('日', '日')",
        );
        let failed = format!("SELECT COUNT(*) FROM dts.dtsctl_ddl WHERE task = '{}' AND state <> 'done'", bed.db);
        assert_eq!(bed.numbers(&failed), [0], "a statement failed");
    });
}

/// `create.test`: `ENUM (...) BYTE`. MySQL's catalog names no charset for it.
#[test]
fn enums_in_the_binary_charset() {
    each("bytes_enum", |bed| {
        bed.source(
            "CREATE TABLE e (id INT PRIMARY KEY, e ENUM('a', 'A', 'b ') CHARACTER SET binary, s SET('x', 'X') CHARACTER SET binary);\n\
             CREATE TABLE d (id INT PRIMARY KEY, e ENUM('a', 'A')) CHARSET=binary;\n\
             INSERT INTO e VALUES (1, 'a', 'x,X'), (2, 'A', 'X'), (3, 'b ', '');\nINSERT INTO d VALUES (1, 'a'), (2, 'A')",
        );
        bed.caught_up();
        bed.source(
            "INSERT INTO e VALUES (4, 'A', 'x'), (5, NULL, NULL);\nUPDATE e SET e = 'A' WHERE id = 1;\nUPDATE d SET e = 3 - e;\n\
             CREATE TABLE f (e ENUM('q', 'Q') CHARACTER SET binary);\nINSERT INTO f VALUES ('Q'), ('q'), ('Q');\nDELETE FROM f LIMIT 1",
        );
        bed.caught_up();
    });
}

/// The same with members that are no text, which MySQL prints as `x'92'`.
#[test]
fn enums_of_bytes_that_are_no_text() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "hex_enum") else { return };
    bed.source(
        "CREATE TABLE e (id INT PRIMARY KEY, e ENUM(x'92', '92', x'126DFEC3') CHARACTER SET binary);\nINSERT INTO e VALUES (1, 1), (2, 2), (3, 3)",
    );
    bed.caught_up();
    bed.source("INSERT INTO e VALUES (4, 3), (5, 1);\nUPDATE e SET e = 2 WHERE id = 1");
    bed.caught_up();
    bed.task.run(&["verify"]).expect(0);
}

/// `gcol_bugfixes.test`: the plan says that MariaDB has no such key, and not the server in the middle of an apply.
#[test]
fn a_primary_key_over_a_generated_column_is_refused_in_the_plan() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MariaDb, "generated_key") else { return };
    bed.source(
        "CREATE TABLE g (a INT, b INT AS (a + 1) STORED PRIMARY KEY);\nCREATE TABLE fine (a INT PRIMARY KEY, b INT AS (a + 1) STORED)",
    );
    let plan = bed.task.run(&["plan"]);
    let said = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("primary key over a generated column"), "{}", plan.shown());
    bed.task.run(&CATCH_UP).expect(3);
    let there: Vec<String> =
        bed.destination.query(format!("SELECT table_name FROM information_schema.tables WHERE table_schema = '{}'", bed.db)).unwrap();
    assert!(there.is_empty(), "{there:?}");
}

/// `invisible_columns.test`: the same with a column that MariaDB would not hide, which is shown and said.
#[test]
fn an_invisible_column_without_a_default_is_shown_at_mariadb() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MariaDb, "invisible") else { return };
    bed.source(
        "CREATE TABLE i (a INT PRIMARY KEY, b INT NOT NULL INVISIBLE, c INT INVISIBLE, d INT NOT NULL DEFAULT 3 INVISIBLE);\n\
         INSERT INTO i (a, b, c) VALUES (1, 2, 3), (2, 3, NULL);\n\
         CREATE TABLE k (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY, v INT);\nINSERT INTO k VALUES (5), (6)",
    );
    let plan = bed.task.json(&["plan"]).to_string();
    assert!(plan.contains("invisible column without a default is left out"), "{plan}");
    bed.caught_up();
    bed.source("INSERT INTO i (a, b) VALUES (3, 4);\nUPDATE i SET b = b + 1");
    bed.caught_up();
}

/// `array_index.test`, `functional_index.test`: rows that the source took with a warning, since a functional index keeps less of them.
#[test]
fn a_functional_index_that_keeps_less_than_the_row() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "functional") else { return };
    bed.source(
        "SET SESSION sql_mode = '';\n\
         CREATE TABLE t (id INT PRIMARY KEY, j JSON, c VARCHAR(20), KEY mv ((CAST(j->'$[*]' AS DECIMAL(4,1) ARRAY))), KEY f ((CAST(c AS CHAR(3)))));\n\
         CREATE TABLE u (a INT, b INT, KEY f ((CAST(a * 100 AS DECIMAL(2,0)))))",
    );
    bed.caught_up();
    bed.source("INSERT INTO t VALUES (1, '[1.23, 4.567]', 'abcdefgh'), (2, '[1.23]', 'x');\nINSERT INTO u VALUES (1000, 1), (1000, 1)");
    bed.caught_up();
    bed.source(
        "INSERT INTO t VALUES (3, '[1.23, 4.567]', 'abcdefgh'), (4, '[5.25]', 'ijklmnop');\nUPDATE t SET c = 'qrstuvw' WHERE id = 2;\n\
         INSERT INTO u VALUES (2000, 2);\nUPDATE u SET a = a + 1;\nDELETE FROM u WHERE b = 1 LIMIT 1",
    );
    bed.caught_up();
    bed.task.run(&["verify"]).expect(0);
}

/// `alter_table.test`: a column whose default was dropped is made with one, and the plan says so.
#[test]
fn a_dropped_default_is_noted() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "no_default") else { return };
    bed.source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(9), c TEXT, d JSON, e INT AS (id + 1), f TIMESTAMP NULL, g INT NOT NULL);\n\
         ALTER TABLE t ALTER b DROP DEFAULT;\nINSERT INTO t (id, b, g) VALUES (1, 'x', 1)",
    );
    let plan = bed.task.json(&["plan"]).to_string();
    assert_eq!(plan.matches("its missing default is left out").count(), 1, "{plan}");
    assert!(plan.contains(&format!("{}.t.b", bed.db)), "{plan}");
    bed.caught_up();
}

/// `ps.test`: `RESET BINARY LOGS AND GTIDS`. What comes after it has numbers that were read before, and is not what was read.
#[test]
fn a_source_whose_binlog_began_anew_is_not_caught_up_with() {
    let without = || ServerOptions::new().gtid(false).arg("--gtid-mode=OFF").arg("--enforce-gtid-consistency=OFF");
    for (flavor, options) in [(Flavor::MySql, ServerOptions::new()), (Flavor::MySql, without()), (Flavor::MariaDb, ServerOptions::new())] {
        if !testbed::have(flavor) {
            continue;
        }
        let (from, to) =
            (Server::start(flavor, options).expect("a server"), Server::start(flavor, ServerOptions::new()).expect("a server"));
        let mut bed = Bed::on(&from, &to, "anew");
        bed.carries(
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9000));\nINSERT INTO t VALUES (1, 'x'), (2, 'y')",
            "DELETE FROM t WHERE id = 2;\nUPDATE t SET v = '1';\nUPDATE t SET v = '2';\nUPDATE t SET v = '3';\nUPDATE t SET v = REPEAT('x', 9000)",
        );
        let anew = if flavor == Flavor::MySql { "RESET BINARY LOGS AND GTIDS" } else { "RESET MASTER" };
        bed.source(&format!("{anew};\nINSERT INTO t VALUES (3, 'z')"));
        // Told while following, or, by files, in the plan (DT267).
        let refuses = |bed: &Bed| {
            let outcome = bed.task.run(&CATCH_UP);
            let told = ["lacks what has been read before", "DT267"].iter().any(|words| outcome.stderr.contains(words));
            assert!(matches!(outcome.code, Some(1 | 3)) && told, "{flavor}: {}", outcome.shown());
        };
        refuses(&bed);
        if flavor == Flavor::MySql {
            // Its numbers are those that were read, and its file is not that long.
            let few: Vec<String> = (10..30).map(|i| format!("INSERT INTO t VALUES ({i}, 'z')")).collect();
            bed.source(&few.join(";\n"));
            refuses(&bed);
        }
    }
}
