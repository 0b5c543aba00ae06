//! What foreign keys of the source do on their own (trap 10): MariaDB, and MySQL before 9.6 or with `innodb_native_foreign_keys`, write the
//! parent's row into the binlog and nothing of the children's. The servers show that the ends are equal all the same.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use super::bed::{Bed, CATCH_UP, PHASES, each};
use crate::support::rows;

/// Tables of every kind of key that acts: over numbers, text and bytes, of several columns, over generations, into themselves, keyless.
const TABLES: &str = "CREATE TABLE p (id INT PRIMARY KEY, code VARCHAR(20) COLLATE utf8mb4_general_ci UNIQUE, a INT, b BINARY(4), UNIQUE KEY ab (a, b));\n\
    CREATE TABLE c1 (id INT PRIMARY KEY, p INT, v INT, ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n\
     CONSTRAINT c1_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);\n\
    CREATE TABLE c2 (code VARCHAR(30) COLLATE utf8mb4_general_ci, v INT, at DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n\
     CONSTRAINT c2_p FOREIGN KEY (code) REFERENCES p (code) ON DELETE SET NULL ON UPDATE CASCADE);\n\
    CREATE TABLE c3 (id INT PRIMARY KEY, a INT, b BINARY(4), CONSTRAINT c3_p FOREIGN KEY (a, b) REFERENCES p (a, b) ON DELETE CASCADE ON UPDATE SET NULL);\n\
    CREATE TABLE g (id INT PRIMARY KEY, c INT NOT NULL, CONSTRAINT g_c FOREIGN KEY (c) REFERENCES c1 (id) ON DELETE CASCADE ON UPDATE CASCADE);\n\
    CREATE TABLE gg (g INT, v INT, CONSTRAINT gg_g FOREIGN KEY (g) REFERENCES g (id) ON DELETE SET NULL);\n\
    CREATE TABLE tree (id INT PRIMARY KEY, up INT, CONSTRAINT tree_up FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE);\n\
    CREATE TABLE l1 (k VARCHAR(10) PRIMARY KEY);\n\
    CREATE TABLE l2 (k VARCHAR(10), n INT, PRIMARY KEY (k, n), CONSTRAINT l2_k FOREIGN KEY (k) REFERENCES l1 (k) ON DELETE CASCADE ON UPDATE CASCADE);\n\
    CREATE TABLE l3 (k VARCHAR(10), n INT, m DATE, PRIMARY KEY (k, n, m), CONSTRAINT l3_k FOREIGN KEY (k, n) REFERENCES l2 (k, n) ON DELETE CASCADE ON UPDATE CASCADE);\n\
    INSERT INTO p VALUES (1, 'one', 1, x'01'), (2, 'Zwei é', 1, x'02'), (3, NULL, NULL, x'03'), (4, 'four', 4, NULL), (5, 'five', 5, x'00'), (6, 'six', 6, x'ff');\n\
    INSERT INTO c1 (id, p, v, ts) VALUES (1, 1, 1, '2020-01-01'), (2, 1, 2, '2020-01-01'), (3, 2, 3, '2020-01-01'), (4, 3, 4, '2020-01-01'), (5, 5, 5, '2020-01-01'), (6, NULL, 6, '2020-01-01');\n\
    INSERT INTO c2 VALUES ('ONE', 1, '2020-01-01'), ('one', 1, '2020-01-01'), ('one', 1, '2020-01-01'), ('zwei É', 2, '2020-01-01'), (NULL, 3, NULL), ('six', 6, '2020-01-01');\n\
    INSERT INTO c3 VALUES (1, 1, x'01'), (2, 1, x'02'), (3, 5, x'00'), (4, NULL, x'01'), (5, 6, x'ff');\n\
    INSERT INTO g VALUES (1, 1), (2, 1), (3, 2), (4, 3), (5, 5);\n\
    INSERT INTO gg VALUES (1, 1), (1, 2), (3, 3), (4, 4), (NULL, 5);\n\
    INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 4), (6, 5), (7, NULL), (8, 7), (9, 9);\n\
    INSERT INTO l1 VALUES ('a'), ('b'), ('c');\nINSERT INTO l2 VALUES ('a', 1), ('A', 2), ('b', 1), ('c', 9);\n\
    INSERT INTO l3 VALUES ('a', 1, '2024-02-29'), ('a', 2, '2024-01-01'), ('b', 1, '2024-01-01'), ('c', 9, '2024-01-01')";

/// Deletes and changes of parents, alone, many in one statement, and among changes of the children in one transaction.
const CHANGES: &str = "UPDATE p SET code = 'uno' WHERE id = 1;\nUPDATE p SET code = 'UNO' WHERE id = 1;\nUPDATE p SET id = 20 WHERE id = 2;\nUPDATE p SET a = 7 WHERE id = 6;\n\
    DELETE FROM p WHERE id = 1;\nDELETE FROM p WHERE id IN (3, 4, 6);\n\
    UPDATE l1 SET k = 'B' WHERE k = 'b' AND @@version LIKE '%Maria%';\nDELETE FROM l1 WHERE k = 'c';\n\
    BEGIN;\nINSERT INTO p VALUES (30, 'thirty', 30, x'1e');\nINSERT INTO c1 (id, p, v, ts) VALUES (30, 30, 0, '2021-01-01'), (31, 30, 0, '2021-01-01');\n\
    INSERT INTO g VALUES (30, 30);\nUPDATE c1 SET p = 5 WHERE id = 31;\nDELETE FROM p WHERE id = 30;\n\
    INSERT INTO p VALUES (30, 'again', 30, x'1e');\nINSERT INTO c1 (id, p, v, ts) VALUES (30, 30, 9, '2022-01-01');\nUPDATE c1 SET id = 300 WHERE id = 5;\nCOMMIT;\n\
    BEGIN;\nUPDATE p SET id = 31 WHERE id = 30;\nUPDATE p SET id = 30 WHERE id = 31;\nUPDATE p SET id = id + 100 ORDER BY id DESC;\nCOMMIT;\n\
    BEGIN;\nDELETE FROM p WHERE id = 120;\nROLLBACK;\n\
    SET foreign_key_checks = 0;\nINSERT INTO p VALUES (8, 'left', 8, x'08');\nINSERT INTO c1 (id, p, v, ts) VALUES (8, 8, 8, '2023-01-01');\nDELETE FROM p WHERE id = 8;\n\
    UPDATE p SET id = 55 WHERE id = 105;\nUPDATE p SET id = 105 WHERE id = 55;\nSET foreign_key_checks = 1;\n\
    REPLACE INTO p VALUES (120, 'replaced', 1, x'02');\nINSERT INTO p VALUES (130, 'x', 3, x'03') ON DUPLICATE KEY UPDATE id = 131;\n\
    DELETE FROM tree WHERE id = 1;\nDELETE FROM tree WHERE id = 9;\nINSERT INTO tree VALUES (1, NULL), (2, 1);\nDELETE FROM tree;\n\
    DELETE c1, p FROM p JOIN c1 ON c1.p = p.id WHERE p.id = 105";

/// Over two generations, which MySQL 9.7 itself cannot (error 1452), but for its engine.
const GENERATIONS: &str = "UPDATE l1 SET k = 'd' WHERE k = 'a';\nUPDATE l1 SET k = 'D' WHERE k = 'd';\nUPDATE l2 SET n = n + 10";

fn carries_what_keys_do(bed: &mut Bed, generations: bool) {
    bed.carries(TABLES, CHANGES);
    if generations {
        bed.source(GENERATIONS);
        bed.caught_up();
    }
    // Nothing is wrong with what they did.
    let status = bed.task.run(&["status"]);
    assert!(!status.stdout.contains("cascade-missed"), "{}", status.stdout);
    bed.task.run(&["verify"]).expect(0);
}

#[test]
fn what_foreign_keys_did_arrives() {
    each("cascades", |bed| {
        let generations = !bed.is_mysql();
        carries_what_keys_do(bed, generations);
    });
}

/// MySQL before 9.6 leaves it to InnoDB; later ones do, when they are told to.
#[test]
fn what_the_engine_of_mysql_did_arrives() {
    if !have(Flavor::MySql) {
        return;
    }
    let source = Server::start(Flavor::MySql, ServerOptions::new().arg("--innodb-native-foreign-keys=ON")).unwrap();
    for to in Flavor::ALL.into_iter().filter(|&to| have(to)) {
        carries_what_keys_do(&mut Bed::on(&source, shared(to, Role::Destination), "native_cascades"), true);
    }
}

/// More rows than are held in memory of one generation, and more values than go into one statement; of a tree and of two tables that refer to
/// each other.
#[test]
fn many_rows_react() {
    for to in Flavor::ALL {
        let Some(mut bed) = Bed::new(Flavor::MariaDb, to, "cascade_many") else { continue };
        bed.carries(
            "CREATE TABLE p (id VARCHAR(200) COLLATE utf8mb4_bin PRIMARY KEY, c VARCHAR(250) COLLATE utf8mb4_bin);\n\
             CREATE TABLE c (id VARCHAR(250) COLLATE utf8mb4_bin PRIMARY KEY, p VARCHAR(200) COLLATE utf8mb4_bin, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);\n\
             ALTER TABLE p ADD CONSTRAINT p_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE SET NULL;\n\
             CREATE TABLE g (id INT AUTO_INCREMENT PRIMARY KEY, c VARCHAR(250) COLLATE utf8mb4_bin, CONSTRAINT g_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE);\n\
             CREATE TABLE tree (id INT PRIMARY KEY, up INT, CONSTRAINT up FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE);\n\
             INSERT INTO p SELECT CONCAT(REPEAT('é', 100), seq), NULL FROM seq_1_to_3000;\nINSERT INTO c SELECT CONCAT(REPEAT('x', 100), seq), CONCAT(REPEAT('é', 100), 1 + seq % 3000) FROM seq_1_to_9000;\n\
             UPDATE p SET c = (SELECT MAX(id) FROM c WHERE c.p = p.id) WHERE id LIKE '%7';\nINSERT INTO g (c) SELECT id FROM c;\n\
             INSERT INTO tree VALUES (0, NULL);\nINSERT INTO tree SELECT seq, 0 FROM seq_1_to_9000;\nINSERT INTO tree SELECT seq + 10000, seq FROM seq_1_to_9000;\nINSERT INTO tree VALUES (99999, NULL)",
            "DELETE FROM p WHERE id LIKE '%1';\nUPDATE p SET c = NULL;\nDELETE FROM p WHERE id LIKE '%2' OR id LIKE '%3' OR id LIKE '%4';\nDELETE FROM tree WHERE id = 0",
        );
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM tree"), [1]);
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM g"), [5400]);
    }
}

/// Keys come, go, and follow the names of their parents and columns, over an end of the run and within one.
#[test]
fn keys_are_those_of_then() {
    for to in Flavor::ALL {
        let Some(mut bed) = Bed::new(Flavor::MariaDb, to, "cascade_ddl") else { continue };
        bed.carries(
            "CREATE TABLE p (id INT PRIMARY KEY, v INT);\nCREATE TABLE c (id INT PRIMARY KEY, p INT, KEY (p));\n\
             INSERT INTO p VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (9, 9);\nINSERT INTO c SELECT id, id FROM p;\nINSERT INTO c SELECT id + 10, id FROM p",
            "DELETE FROM p WHERE id = 9;\nDELETE FROM c WHERE p = 9;\nALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE;\nDELETE FROM p WHERE id = 1;\n\
             RENAME TABLE p TO q;\nDELETE FROM q WHERE id = 2;\nALTER TABLE q CHANGE id no INT;\nDELETE FROM q WHERE no = 3;\n\
             ALTER TABLE c CHANGE p q INT, RENAME TO d;\nDELETE FROM q WHERE no = 4",
        );
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM d"), [8]);
        for sql in [
            "DELETE FROM q WHERE no = 5",
            "RENAME TABLE q TO p",
            "DELETE FROM p WHERE no = 6",
            "ALTER TABLE d DROP FOREIGN KEY fk, ADD CONSTRAINT other FOREIGN KEY (q) REFERENCES p (no) ON DELETE SET NULL",
            "DELETE FROM p WHERE no = 7",
            "CREATE TABLE late (id INT PRIMARY KEY, d INT REFERENCES d (id) ON DELETE CASCADE, up INT, CONSTRAINT up FOREIGN KEY (up) REFERENCES late (id) ON DELETE CASCADE);\n\
             INSERT INTO late VALUES (1, 8, NULL), (2, 18, 1), (3, NULL, 2);\nDELETE FROM d WHERE id = 8",
            "ALTER TABLE d DROP FOREIGN KEY other;\nSET foreign_key_checks = 0;\nDELETE FROM p WHERE no = 8;\nSET foreign_key_checks = 1",
        ] {
            bed.source(sql);
            bed.caught_up();
        }
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM late"), [0]);
        let orphans = "SELECT COUNT(*) FROM d WHERE q = 8";
        assert_eq!(bed.numbers(orphans), [1]);
    }
}

/// Other names, columns that are left out, a destination without the keys: what can be done is done, what cannot is counted by name, or stops.
#[test]
fn what_cannot_be_done_is_told() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MySql, "cascade_names") else { return };
    let (db, there) = (bed.db.clone(), format!("{}_x", bed.db));
    bed.source(
        "CREATE TABLE p (id INT PRIMARY KEY, e ENUM('a','b') NOT NULL, UNIQUE KEY (e));\n\
         CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);\n\
         CREATE TABLE lacking (id INT PRIMARY KEY, p INT, CONSTRAINT lack FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);\n\
         INSERT INTO p VALUES (1, 'a'), (2, 'b');\nINSERT INTO c VALUES (1, 1), (2, 2), (3, 2);\nINSERT INTO lacking VALUES (1, 1), (2, 2)",
    );
    let spec = |rows: &str| {
        format!(
            "{PHASES}conflict: {{rows: {rows}}}\nobjects:\n- database: {db}\n  rename: {there}\n  tables:\n\
             \x20 - {{name: p, rename: parents, columns: {{rename: {{id: no}}}}}}\n\
             \x20 - {{name: c, rename: children, columns: {{rename: {{p: parent}}}}}}\n\
             \x20 - {{name: lacking, columns: {{exclude: [p]}}}}\n"
        )
    };
    bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {there}")).unwrap();
    bed.task.write(&spec("overwrite"));
    let plan = bed.task.run(&["plan", "--all"]);
    let told = plan.expect(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("foreign key lack (ON DELETE CASCADE ON UPDATE CASCADE)") && told.contains("column p does not go to the destination"),
        "{told}"
    );
    bed.task.run(&CATCH_UP).expect(0);
    for table in ["children", "parents"] {
        // The keys of the destination take no part.
        let names = format!(
            "SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = '{there}' AND TABLE_NAME = '{table}'"
        );
        for name in bed.destination.query::<String, _>(names).unwrap() {
            bed.destination.query_drop(format!("ALTER TABLE {there}.{table} DROP FOREIGN KEY `{name}`")).unwrap();
        }
    }
    bed.source("UPDATE p SET id = 5 WHERE id = 1;\nDELETE FROM p WHERE id = 2");
    bed.task.run(&CATCH_UP).expect(0);
    bed.destination.query_drop(format!("USE {there}")).unwrap();
    assert_eq!(rows(&mut bed.destination, "SELECT id, parent FROM children ORDER BY 1"), ["1|5"]);
    let status = bed.task.run(&["status"]);
    assert!(status.stdout.contains("cascade-missed"), "{}", status.stdout);
    bed.task.write(&spec("fail"));
    bed.source("DELETE FROM p WHERE id = 5");
    bed.task.run(&CATCH_UP).expect(1).says("cascade-missed").says("in the transaction that follows");
    assert_eq!(rows(&mut bed.destination, "SELECT id, parent FROM children ORDER BY 1"), ["1|5"], "nothing of it stays");
}

/// Rows of a table that another task feeds too may be those of another parent with the same value (F04): they stay, and that is counted.
#[test]
fn other_tasks_rows_stay() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "cascade_shared") else { return };
    bed.carries(
        "CREATE TABLE p (id INT PRIMARY KEY);\nCREATE TABLE c (id INT PRIMARY KEY, p INT REFERENCES p (id) ON DELETE CASCADE);\n\
         INSERT INTO p VALUES (1), (2), (3);\nINSERT INTO c VALUES (1, 1), (2, 2)",
        "DELETE FROM p WHERE id = 2",
    );
    let db = bed.db.clone();
    let other = format!(
        "REPLACE INTO dts.dtsctl_table (task, source_database, source_table, destination_database, destination_table, created_here, copied) \
         VALUES ('{db}_other', 'x', 'y', '{db}', 'c', 0, 1)"
    );
    bed.destination.query_drop(other).unwrap();
    bed.destination.query_drop(format!("INSERT INTO `{db}`.c VALUES (100, 1)")).unwrap();
    bed.source("DELETE FROM p WHERE id IN (1, 3)");
    bed.task.run(&CATCH_UP).expect(0);
    assert_eq!(bed.numbers("SELECT id FROM c ORDER BY 1"), [1, 100]);
    let status = bed.task.run(&["status"]);
    assert!(status.stdout.contains("cascade-missed"), "{}", status.stdout);
    bed.destination.query_drop(format!("DELETE FROM dts.dtsctl_table WHERE task = '{db}_other'")).unwrap();
}

/// A generation in the middle whose referenced column does not go to the destination: nothing can be asked of it, and nothing else is touched.
#[test]
fn a_generation_that_cannot_be_asked_is_told() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "cascade_middle") else { return };
    bed.source(
        "CREATE TABLE p (id INT PRIMARY KEY);\n\
         CREATE TABLE c (id INT PRIMARY KEY, p INT, u INT UNIQUE, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);\n\
         CREATE TABLE g (id INT PRIMARY KEY, u INT, c INT, CONSTRAINT g_u FOREIGN KEY (u) REFERENCES c (u) ON DELETE CASCADE, CONSTRAINT g_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE SET NULL);\n\
         INSERT INTO p VALUES (1), (2);\nINSERT INTO c VALUES (1, 1, 20), (20, 2, 1);\nINSERT INTO g VALUES (1, 20, NULL), (2, NULL, 1), (3, 1, 20)",
    );
    let (db, there) = (bed.db.clone(), format!("{}_x", bed.db));
    bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {there}")).unwrap();
    for sql in [
        "CREATE DATABASE {}",
        "CREATE TABLE {}.p (id INT PRIMARY KEY)",
        "CREATE TABLE {}.c (id INT PRIMARY KEY, p INT)",
        "CREATE TABLE {}.g (id INT PRIMARY KEY, u INT, c INT)",
    ] {
        bed.destination.query_drop(sql.replace("{}", &there)).unwrap();
    }
    bed.task.write(&format!(
        "phases: {{schema: false, full: true, incremental: true}}\nconflict: {{existing_tables: ignore}}\nobjects:\n- database: {db}\n  rename: {there}\n  tables:\n\
         \x20 - {{name: p}}\n  - {{name: c, columns: {{exclude: [u]}}}}\n  - {{name: g}}\n"
    ));
    let plan = bed.task.run(&["plan", "--all"]);
    let told = plan.expect(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("foreign key g_u") && told.contains("does not go to the destination"), "{told}");
    bed.task.run(&CATCH_UP).expect(0);
    bed.source("DELETE FROM p WHERE id = 1");
    bed.task.run(&CATCH_UP).expect(0);
    bed.destination.query_drop(format!("USE {there}")).unwrap();
    assert_eq!(rows(&mut bed.destination, "SELECT id FROM c"), ["20"]);
    assert_eq!(rows(&mut bed.destination, "SELECT id, IFNULL(u, 'n'), IFNULL(c, 'n') FROM g ORDER BY 1"), ["1|20|n", "2|n|n", "3|1|20"]);
    let status = bed.task.run(&["status"]);
    assert!(status.stdout.contains("cascade-missed"), "{}", status.stdout);
}
