//! A run that ends between intent and done: the next one looks before it acts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dtsctl::{
    event::DdlOutcome,
    phase::incremental::ddl::{Carried, DdlError},
};
use mysql::prelude::Queryable as _;
use testbed::Flavor;

use super::carry::Bed;

/// Runs `texts` at both ends; the last one ends at this moment as a crash would, and the next run carries it again.
fn crashed(bed: &mut Bed, moment: &'static str, text: &str) -> Result<Option<Carried>, DdlError> {
    bed.at_source(text);
    let text = bed.named(text);
    let (statement, begin) = bed.statement(&text);
    bed.dies_at(Some(moment));
    let died = catch_unwind(AssertUnwindSafe(|| drop(bed.again(&statement, &begin))));
    assert!(died.is_err(), "{text} did not reach {moment}");
    bed.dies_at(None);
    bed.restart(false);
    bed.again(&statement, &begin)
}

const MOMENTS: [&str; 3] = ["ddl-intent", "ddl-run", "ddl-done"];

#[test]
fn every_class_ends_right_whenever_the_run_ends() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        let Some(mut bed) = Bed::new(flavor, flavor, "crash") else { continue };
        for (i, moment) in MOMENTS.into_iter().enumerate() {
            let db = format!("{}_db_x", bed.prefix);
            bed.done("CREATE TABLE a (id INT PRIMARY KEY, v INT)");
            bed.done("CREATE TABLE b (id INT PRIMARY KEY, v INT)");
            bed.done("CREATE TABLE p (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))");
            for sql in ["INSERT INTO a VALUES (1, 1)", "INSERT INTO b VALUES (2, 2)", "INSERT INTO p VALUES (3, 3)"] {
                let (source, there) = (bed.name("db", "").database, db.clone());
                bed.source.query_drop(sql.replace("INTO ", &format!("INTO {source}."))).unwrap();
                bed.destination.query_drop(sql.replace("INTO ", &format!("INTO {there}."))).unwrap();
            }
            for text in [
                "CREATE TABLE c LIKE a",
                "ALTER TABLE a ADD w INT NOT NULL DEFAULT 7",
                "CREATE INDEX ix ON a (v)",
                "RENAME TABLE b TO x, c TO b, x TO c",
                // Told by the engine's numbers alone, and by names that files have in a spelling of their own.
                "RENAME TABLE b TO `Ü 日`",
                "RENAME TABLE `Ü 日` TO x, c TO `Ü 日`, x TO c",
                "RENAME TABLE `Ü 日` TO b",
                "RENAME TABLE c TO d",
                "ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE d",
                "ALTER TABLE p DROP PARTITION p1",
                "ALTER TABLE d RENAME TO e, ADD z INT",
                "CREATE VIEW v1 AS SELECT id FROM a",
                "CREATE FUNCTION f1(a INT) RETURNS INT DETERMINISTIC RETURN a",
                "DROP INDEX ix ON a",
            ] {
                let text = text.replace("v1", &format!("v{i}")).replace("f1", &format!("f{i}"));
                assert_eq!(crashed(&mut bed, moment, &text).unwrap(), Some(Carried::Done), "{flavor} {moment} {text}");
                bed.is_equal();
                bed.rows_are_equal();
                bed.followed_as_the_source_has_it();
            }
            assert_eq!(crashed(&mut bed, moment, "TRUNCATE TABLE e").unwrap(), Some(Carried::Done));
            bed.rows_are_equal();
            // Dropped and noted, nothing of it is followed any more.
            let dropped = crashed(&mut bed, moment, "DROP TABLE a, b, e, p").unwrap();
            assert!(dropped == Some(Carried::Done) || (dropped.is_none() && moment == "ddl-done"), "{dropped:?}");
            bed.is_equal();
            bed.followed_as_the_source_has_it();
        }
        let found_done = |o: &DdlOutcome| matches!(o, DdlOutcome::Carried { found_done: true, .. });
        assert!(bed.outcomes().iter().filter(|o| found_done(o)).count() >= 10, "{:?}", bed.outcomes());
    }
}

/// Half a DROP of several tables, as a server without atomic DDL leaves it: the rest is dropped.
#[test]
fn a_drop_that_got_half_way_goes_on() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        let Some(mut bed) = Bed::new(flavor, flavor, "half") else { continue };
        for text in ["CREATE TABLE a (id INT)", "CREATE TABLE b (id INT)", "CREATE TABLE c (id INT)"] {
            bed.done(text);
        }
        bed.at_source("DROP TABLE a, b, c");
        let (statement, begin) = bed.statement("DROP TABLE a, b, c");
        bed.dies_at(Some("ddl-intent"));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(bed.again(&statement, &begin)))).is_err());
        bed.dies_at(None);
        bed.destination.query_drop(format!("DROP TABLE {}_db_x.b", bed.prefix)).unwrap();
        bed.restart(false);
        assert_eq!(bed.again(&statement, &begin).unwrap(), Some(Carried::Done));
        bed.is_equal();
        bed.followed_as_the_source_has_it();
    }
}
