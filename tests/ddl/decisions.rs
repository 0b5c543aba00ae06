//! What is carried, what is skipped, what stops, and what a failure does.

use dtsctl::phase::incremental::ddl::{Carried, DdlError};
use mysql::prelude::Queryable as _;
use testbed::Flavor;

use super::carry::Bed;

fn pairs() -> [(Flavor, Flavor); 2] {
    [(Flavor::MySql, Flavor::MySql), (Flavor::MariaDb, Flavor::MariaDb)]
}

#[test]
fn scope_decides() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "scope") else { continue };
        bed.done("CREATE TABLE a (id INT PRIMARY KEY)");
        bed.done("CREATE TABLE other.b (id INT PRIMARY KEY)");
        bed.done("CREATE TABLE part.kept (id INT PRIMARY KEY)");
        // Not selected: nothing is recorded.
        assert_eq!(bed.both("CREATE TABLE excluded_1 (id INT PRIMARY KEY)"), None);
        assert_eq!(bed.both("ALTER TABLE excluded_1 ADD x INT"), None);
        assert_eq!(bed.both("CREATE TEMPORARY TABLE x (a INT)"), None);
        assert_eq!(bed.both("DROP TEMPORARY TABLE x"), None);
        assert_eq!(bed.both("CREATE TABLE part.nobody (id INT)"), None);
        assert_eq!(bed.both("DROP TABLE IF EXISTS excluded_2, nobody"), None);
        // Inside the selection a rename follows, also to another database and from one name of the spec to another.
        bed.done("RENAME TABLE a TO other.a, other.b TO b");
        bed.done("RENAME TABLE part.kept TO part.t1");
        bed.done("ALTER TABLE part.t1 RENAME TO part.kept, ADD c INT");
        bed.is_equal();
        // Of a list, only what is ours.
        bed.done("DROP TABLE b, excluded_1");
        bed.is_equal();
        bed.followed_as_the_source_has_it();
        // Out of the selection and into it.
        assert_eq!(bed.stops("RENAME TABLE other.a TO excluded_9"), "ddl-out-of-scope");
        assert_eq!(bed.stops("ALTER TABLE part.kept RENAME TO part.nobody"), "ddl-out-of-scope");
        assert_eq!(bed.stops("RENAME TABLE excluded_1 TO c"), "ddl-into-scope");
        assert_eq!(bed.stops("ALTER TABLE part.nobody RENAME part.t5"), "ddl-into-scope");
        assert_eq!(bed.stops("RENAME TABLE part.kept TO part._kept_old, part._kept_new TO part.kept"), "online-ddl-unsupported");
        assert_eq!(bed.stops("CREATE TABLE d LIKE excluded_1"), "ddl-out-of-scope");
        assert_eq!(bed.stops("ALTER TABLE other.a EXCHANGE PARTITION p0 WITH TABLE excluded_1"), "ddl-out-of-scope");
        assert_eq!(bed.stops("CREATE TABLE other.a (id INT)"), "ddl-out-of-step");
        assert_eq!(bed.stops("INSERT INTO other.a VALUES (1)"), "statement-format");
        assert_eq!(bed.stops("CREATE TABLE z AS SELECT 1"), "statement-format");
        assert_eq!(bed.stops("ROLLBACK TO `x`"), "ddl-rollback-to");
        assert_eq!(bed.stops("FROBNICATE TABLE z"), "ddl-not-understood");
        assert_eq!(bed.stops("ALTER TABLE other.a DISCARD TABLESPACE"), "ddl-not-repeatable");
        assert_eq!(bed.stops("ALTER TABLE other.a ADD u VARCHAR(36) DEFAULT (UUID())"), "ddl-not-repeatable");
        assert_eq!(bed.carry("SAVEPOINT `x`").unwrap(), None);
        // Not carried, and recorded; accounts without their text.
        assert_eq!(bed.carry("DROP VIEW some_view").unwrap(), Some(Carried::Skipped));
        assert_eq!(bed.carry("CREATE USER u IDENTIFIED BY 'secret'").unwrap(), Some(Carried::Skipped));
        assert_eq!(bed.carry("DROP VIEW mysql.some_view").unwrap(), None);
        let said: Vec<(String, String, Option<String>)> = bed
            .destination
            .query(format!("SELECT class, state, statement FROM dts.dtsctl_ddl WHERE task = '{}' ORDER BY number", bed.prefix))
            .unwrap();
        assert_eq!(said.len(), 9, "{said:?}");
        assert!(said.contains(&("CREATE USER".to_owned(), "skipped".to_owned(), None)), "{said:?}");
        assert!(said.contains(&("DROP VIEW".to_owned(), "skipped".to_owned(), Some("DROP VIEW some_view".to_owned()))), "{said:?}");
        // While rows are copied, a definition may not change (requirements B11).
        bed.during_copy = true;
        bed.carry("CREATE TABLE new_one (id INT PRIMARY KEY)").unwrap();
        bed.carry("ALTER TABLE new_one ADD x INT").unwrap();
    }
}

/// The order that rows have at the source is known only in an InnoDB table with a key, whatever engine it has here.
#[test]
fn rows_are_numbered_alike_only_in_the_order_of_a_key() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "numbers") else { continue };
        bed.done("CREATE TABLE keyed (id INT PRIMARY KEY)");
        bed.done("CREATE TABLE keyless (a INT)");
        bed.done("ALTER TABLE keyed ADD n INT NOT NULL AUTO_INCREMENT UNIQUE");
        assert_eq!(bed.stops("ALTER TABLE keyless ADD n INT NOT NULL AUTO_INCREMENT PRIMARY KEY"), "ddl-not-repeatable");
        assert_eq!(bed.stops("ALTER TABLE keyless MODIFY a INT AUTO_INCREMENT PRIMARY KEY"), "ddl-not-repeatable");
        bed.done("CREATE TABLE heap (id INT PRIMARY KEY, a INT) ENGINE = MyISAM");
        bed.done("CREATE TABLE heap2 LIKE heap");
        bed.done("CREATE TABLE turned (id INT PRIMARY KEY)");
        bed.done("ALTER TABLE turned ENGINE = MyISAM");
        for table in ["heap", "heap2", "turned"] {
            assert_eq!(bed.stops(&format!("ALTER TABLE {table} ADD n INT NOT NULL AUTO_INCREMENT UNIQUE")), "ddl-not-repeatable");
        }
        bed.done("ALTER TABLE keyless ADD serial VARCHAR(20) NULL");
        // As a dump of the source's own is restored: each row has a number of its own already.
        bed.done("ALTER TABLE heap MODIFY id INT NOT NULL AUTO_INCREMENT");
        bed.done("CREATE TABLE dumped (id INT NOT NULL, a INT)");
        bed.done("ALTER TABLE dumped ADD PRIMARY KEY (id)");
        bed.done("ALTER TABLE dumped MODIFY id INT NOT NULL AUTO_INCREMENT");
    }
}

/// A MyISAM table takes no notice of the foreign keys it is given; the table that it becomes at the destination would.
#[test]
fn an_engine_without_foreign_keys_gets_none() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "foreign") else { continue };
        bed.done("CREATE TABLE parent (id INT PRIMARY KEY)");
        bed.done("CREATE TABLE child (a INT, KEY (a), CONSTRAINT fk FOREIGN KEY (a) REFERENCES parent (id)) ENGINE = MyISAM");
        bed.done("ALTER TABLE child ADD b INT, ADD FOREIGN KEY (b) REFERENCES parent (id), ADD c INT");
        bed.done("CREATE TABLE kept (a INT, KEY (a), CONSTRAINT fk2 FOREIGN KEY (a) REFERENCES parent (id)) ENGINE = InnoDB");
        let sql = format!("SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema LIKE '{}%'", bed.prefix);
        for conn in [&mut bed.source, &mut bed.destination] {
            assert_eq!(conn.query_first::<u64, _>(sql.as_str()).unwrap(), Some(1));
        }
    }
}

/// Places of partitions are left out, and the partitions stay a list. (MySQL would want the tablespaces to be there.)
#[test]
fn places_of_partitions_are_left_out() {
    let Some(mut bed) = Bed::new(Flavor::MariaDb, Flavor::MariaDb, "places") else { return };
    bed.done("CREATE TABLE p (a INT) PARTITION BY HASH (a) (PARTITION x1 TABLESPACE ts1, PARTITION x2 TABLESPACE = ts2, PARTITION x3)");
    bed.done("ALTER TABLE p ADD PARTITION (PARTITION x4 TABLESPACE ts1, PARTITION x5 TABLESPACE ts1)");
    assert_eq!(bed.carry("DROP TEMPORARY SEQUENCE IF EXISTS `s1`,`s2` /* generated by server */").unwrap(), None);
    bed.is_equal();
}

/// Rows that were there get the statement's time, in its zone, and not the time at which it is carried.
#[test]
fn a_column_is_filled_with_the_time_of_the_source() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "time") else { continue };
        bed.done("CREATE TABLE a (id INT PRIMARY KEY)");
        let (db, prefix) = (format!("{}_db", bed.prefix), bed.prefix.clone());
        bed.source.query_drop(format!("INSERT INTO {db}.a VALUES (1)")).unwrap();
        bed.destination.query_drop(format!("INSERT INTO {db}_x.a VALUES (1)")).unwrap();
        bed.source.query_drop("SET time_zone = '+05:00'").unwrap();
        let texts = [
            "ALTER TABLE a ADD t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, ADD d DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP",
            "ALTER TABLE a ADD u TIMESTAMP NOT NULL DEFAULT '2020-01-01 03:00:00'",
            "ALTER TABLE a MODIFY d TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
        ];
        for text in texts {
            bed.source.query_drop(format!("USE {db}")).unwrap();
            bed.source.query_drop(format!("SET timestamp = {}", bed.seconds)).unwrap();
            bed.source.query_drop(text).unwrap();
            let (mut statement, begin) = bed.statement(text);
            statement.time_zone = Some("+05:00".to_owned());
            assert_eq!(bed.again(&statement, &begin).unwrap(), Some(Carried::Done));
        }
        for conn in [&mut bed.source, &mut bed.destination] {
            conn.query_drop("SET time_zone = '+00:00'").unwrap();
        }
        let read = |conn: &mut mysql::Conn, db: &str| -> (i64, String, String, String) {
            conn.query_first(format!("SELECT id, CAST(t AS CHAR), CAST(d AS CHAR), CAST(u AS CHAR) FROM {db}.a")).unwrap().unwrap()
        };
        let source = read(&mut bed.source, &format!("{prefix}_db"));
        let expected = (1, "2023-11-14 22:13:20".to_owned(), "2023-11-14 22:13:20".to_owned(), "2019-12-31 22:00:00".to_owned());
        assert_eq!(source, expected);
        assert_eq!(read(&mut bed.destination, &format!("{prefix}_db_x")), source);
        bed.source.query_drop("SET time_zone = '+00:00', timestamp = DEFAULT").unwrap();
    }
}

/// The definition that a lenient sql_mode let pass at the source passes at the destination too. Dates that rows hold already are not judged by a
/// statement's mode.
#[test]
fn the_statements_own_sql_mode_counts() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "mode") else { continue };
        bed.source.query_drop("SET SESSION sql_mode = ''").unwrap();
        bed.done("CREATE TABLE a (d DATE NOT NULL DEFAULT '0000-00-00', v CHAR(3))");
        bed.is_equal();
        bed.sql_mode = (1 << 21) | (1 << 23) | (1 << 24);
        let Carried::Failed { error } = bed.carry("CREATE TABLE b (v VARCHAR(70000) CHARACTER SET latin1)").unwrap().unwrap() else {
            panic!("it ran under a lenient mode");
        };
        assert!(error.contains("1074"), "{error}");
        let there = format!("{}_db_x", bed.prefix);
        bed.destination.query_drop("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'").unwrap();
        bed.destination.query_drop(format!("INSERT INTO {there}.a VALUES ('0000-00-00', 'x'), ('2024-02-31', 'y')")).unwrap();
        assert_eq!(bed.carry("ALTER TABLE a MODIFY v VARCHAR(300)").unwrap(), Some(Carried::Done));
    }
}

#[test]
fn a_failure_is_recorded_or_stops() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "failure") else { continue };
        bed.done("CREATE TABLE a (id INT PRIMARY KEY, v INT)");
        let db = format!("{}_db_x", bed.prefix);
        bed.destination.query_drop(format!("ALTER TABLE {db}.a ADD extra INT")).unwrap();
        let Some(Carried::Failed { error }) = bed.both("ALTER TABLE a ADD extra INT") else { panic!("it did not fail") };
        assert!(error.contains("1060"), "{error}");
        let name = bed.name("db", "a");
        assert!(bed.history.doubt(&name).is_some_and(|doubt| doubt.contains("ALTER TABLE") && doubt.contains("1060")), "{:?}", bed.history);
        assert_eq!(bed.history.table(&name).unwrap().source.columns.len(), 2);
        // The next run knows it too.
        bed.restart(true);
        assert!(bed.history.doubt(&name).is_some());
        let error = bed.carry("ALTER TABLE a DROP nothing").unwrap_err();
        assert!(matches!(&error, DdlError::Failed { error, .. } if error.contains("1091")), "{error}");
        // The same statement is tried again.
        let text = "ALTER TABLE a ADD more INT";
        bed.destination.query_drop(format!("ALTER TABLE {db}.a ADD more INT")).unwrap();
        let (statement, begin) = bed.statement(text);
        assert!(bed.again(&statement, &begin).is_err());
        bed.destination.query_drop(format!("ALTER TABLE {db}.a DROP more")).unwrap();
        bed.restart(true);
        assert!(matches!(bed.again(&statement, &begin), Err(DdlError::Stop { code: "ddl-columns-differ", .. })), "columns differ by now");
    }
}

/// A table that is at the destination already, with rows of somebody's, does not become the source's in silence.
#[test]
fn a_new_table_does_not_take_over_one_that_is_there() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "taken") else { continue };
        let db = format!("{}_db_x", bed.prefix);
        bed.destination.query_drop(format!("CREATE TABLE {db}.a (id INT PRIMARY KEY)")).unwrap();
        let outcome = bed.both("CREATE TABLE IF NOT EXISTS a (id INT PRIMARY KEY)");
        assert!(matches!(&outcome, Some(Carried::Failed { error }) if error.contains("already")), "{outcome:?}");
        assert!(bed.history.table(&bed.name("db", "a")).is_none());
    }
}

/// `generated_invisible_primary_key.test`: with `IF NOT EXISTS` a view in its place is no error of the server's, and no table is made.
#[test]
fn a_new_table_does_not_take_the_place_of_a_view() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "view_there") else { continue };
        bed.done("CREATE TABLE a (id INT PRIMARY KEY)");
        bed.done("CREATE VIEW v AS SELECT id FROM a");
        let outcome = bed.both("CREATE TABLE IF NOT EXISTS v (id INT PRIMARY KEY)");
        assert!(matches!(&outcome, Some(Carried::Failed { error }) if error.contains("view")), "{outcome:?}");
        bed.done("ALTER TABLE a ADD b INT");
    }
}

/// A foreign key to what is not selected is left out, as the schema phase does it; a view on it fails.
#[test]
fn what_refers_out_of_the_selection() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "refers") else { continue };
        assert_eq!(bed.both("CREATE TABLE excluded_p (id INT PRIMARY KEY)"), None);
        bed.done("CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES excluded_p (id), KEY (p))");
        bed.done("ALTER TABLE c ADD q INT, ADD CONSTRAINT x FOREIGN KEY (q) REFERENCES excluded_p (id), ADD KEY (q)");
        let db = format!("{}_db_x", bed.prefix);
        let create: (String, String) = bed.destination.query_first(format!("SHOW CREATE TABLE {db}.c")).unwrap().unwrap();
        assert!(!create.1.contains("FOREIGN") && create.1.contains("`q` int"), "{}", create.1);
        let outcome = bed.both("CREATE VIEW v AS SELECT c.id FROM c JOIN excluded_p USING (id)");
        assert!(matches!(&outcome, Some(Carried::Failed { error }) if error.contains("excluded_p")), "{outcome:?}");
    }
}

/// A view that names columns by a table's name still finds them when that table has another name at the destination.
#[test]
fn a_view_over_a_renamed_table() {
    for (from, to) in pairs() {
        let Some(mut bed) = Bed::new(from, to, "view") else { continue };
        bed.done("CREATE TABLE part.kept (id INT PRIMARY KEY, v INT)");
        bed.done("CREATE VIEW v AS SELECT kept.id, part.kept.v AS w FROM part.kept WHERE kept.v > 1");
        let db = format!("{}_db_x", bed.prefix);
        bed.destination.query_drop(format!("INSERT INTO {}_part_x.kept_2 VALUES (1, 1), (2, 2)", bed.prefix)).unwrap();
        let rows: Vec<(i64, i64)> = bed.destination.query(format!("SELECT id, w FROM {db}.v")).unwrap();
        assert_eq!(rows, [(2, 2)]);
    }
}
