//! Whole databases with views over views, routines, triggers and events, on all four pairs: called at the destination they give what they
//! give at the source. Requirements D04, D05, D06, D11, D18, D19, 2.5.

use mysql::prelude::Queryable as _;
use testbed::Flavor::{self, MariaDb, MySql};

use super::Bed;
use crate::support::rows;

/// Fifty views over views, named so that the order of names is not the order that works.
fn views() -> String {
    let mut sql = String::from("CREATE VIEW v50 AS SELECT id, name, `double it`(id) AS twice FROM people;\n");
    for n in (1..50).rev() {
        let from = n + 1;
        sql.push_str(&format!(
            "CREATE VIEW v{n:02} AS SELECT a.id, a.name, a.twice FROM v{from:02} a JOIN people p ON p.id = a.id WHERE a.id > 0;\n"
        ));
    }
    sql
}

fn source(bed: &mut Bed) {
    bed.source(
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, changed INT DEFAULT 0);\n\
         CREATE TABLE audit (n INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(60));\n\
         INSERT INTO people (id, name) VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Zoë')",
    );
    for statement in [
        "CREATE FUNCTION `double it`(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
        "CREATE PROCEDURE greet(IN who VARCHAR(20), OUT said VARCHAR(60)) READS SQL DATA BEGIN\n  -- a comment; with a semicolon\n  SELECT CONCAT('hé ', name) INTO said FROM people WHERE name = who;\nEND",
        "CREATE TRIGGER t_in BEFORE INSERT ON people FOR EACH ROW SET NEW.changed = NEW.changed + 1",
        "CREATE TRIGGER t_after AFTER INSERT ON people FOR EACH ROW BEGIN\n  INSERT INTO audit (what) VALUES (CONCAT('in ', NEW.name));\nEND",
        "CREATE EVENT e_on ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO DELETE FROM audit WHERE n < 0",
        "CREATE EVENT e_off ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DISABLE DO DELETE FROM audit WHERE n < 0",
    ] {
        bed.source.query_drop(statement).expect(statement);
    }
    let mode = "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_AUTO_VALUE_ON_ZERO'";
    bed.source.query_drop(mode).expect("mode");
    bed.source
        .query_drop("CREATE FUNCTION joined(a VARCHAR(10), b VARCHAR(10)) RETURNS VARCHAR(30) DETERMINISTIC RETURN a || '-' || b")
        .expect("function");
    bed.source.query_drop("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'").expect("mode");
    bed.source(&views());
    bed.source("INSERT INTO people (id, name) VALUES (4, 'Eve')");
}

#[test]
fn a_whole_database_is_called_with_the_same_results() {
    for (from, to) in Flavor::PAIRS {
        let Some(mut bed) = Bed::new(from, to, "programs") else { continue };
        source(&mut bed);
        let (db, there) = (bed.db.clone(), format!("{}_x", bed.db));
        bed.task.write(&format!("objects: [{{database: {db}, rename: {there}}}]\n"));
        bed.destination(&format!("DROP DATABASE IF EXISTS {there}"));
        bed.run(&["apply", "--yes"]).expect(0);
        bed.run(&["verify"]).expect(0);
        bed.is_quiet();
        bed.source.query_drop(format!("USE {db}")).expect("use");
        bed.destination.query_drop(format!("USE {there}")).expect("use");
        let mut same = |sql: &str| {
            let (expected, found) = (rows(&mut bed.source, sql), rows(&mut bed.destination, sql));
            assert!(!expected.is_empty());
            assert_eq!(expected, found, "{from} to {to}: {sql}");
        };
        same("SELECT * FROM v01 ORDER BY 1");
        same("SELECT * FROM v50 ORDER BY 1");
        same("SELECT joined('a', 'b'), `double it`(21)");
        for conn in [&mut bed.source, &mut bed.destination] {
            conn.query_drop("CALL greet('Zoë', @said)").expect("called");
            let said: Option<String> = conn.query_first("SELECT @said").expect("said");
            assert_eq!(said.as_deref(), Some("hé Zoë"));
        }
        // Nothing of the destination's views looks at the source's database.
        let text =
            rows(&mut bed.destination, &format!("SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '{there}'"))
                .join(" ");
        assert!(text.contains(&format!("`{there}`.`people`")) && !text.contains(&format!("`{db}`.")), "{text}");
        let events = rows(
            &mut bed.destination,
            &format!("SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '{there}' ORDER BY 1"),
        );
        assert_eq!(events, ["e_off|DISABLED", "e_on|DISABLED"]);
        let triggers =
            rows(&mut bed.destination, &format!("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '{there}'"));
        assert!(triggers.is_empty(), "{triggers:?}");
        let script = std::fs::read_to_string(bed.task.state().with_extension("cutover.sql")).expect("the script for the cutover");
        for part in [format!("ALTER EVENT `{there}`.`e_on` ENABLE"), "t_in".to_owned(), "t_after".to_owned()] {
            assert!(script.contains(&part), "{part}: {script}");
        }
        assert!(!script.contains("`e_off` ENABLE"), "{script}");
    }
}

#[test]
fn guarded_triggers_fire_for_everybody_but_the_copy() {
    for flavor in [MariaDb, MySql] {
        let Some(mut bed) = Bed::new(flavor, flavor, "guarded") else { continue };
        source(&mut bed);
        bed.spec("schema: {triggers: auto}\n");
        bed.run(&["apply", "--yes"]).expect(0);
        bed.is_equal();
        bed.is_quiet();
        let count = |bed: &mut Bed| bed.numbers("SELECT COUNT(*) FROM audit")[0];
        assert_eq!(count(&mut bed), 1, "the copy fired a trigger");
        bed.destination("INSERT INTO people (id, name) VALUES (9, 'Nine')");
        assert_eq!(count(&mut bed), 2);
        assert_eq!(bed.numbers("SELECT changed FROM people WHERE id = 9"), [1]);
    }
}

#[test]
fn a_view_of_what_is_not_selected_is_refused_by_name() {
    let Some(mut bed) = Bed::mariadb("view_far") else { return };
    let far = format!("{}_far", bed.db);
    bed.source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY);\nDROP DATABASE IF EXISTS {far};\nCREATE DATABASE {far};\nCREATE TABLE {far}.u (id INT);\n\
         CREATE VIEW near AS SELECT id FROM t;\nCREATE VIEW far AS SELECT t.id FROM t JOIN {far}.u USING (id)"
    ));
    let plan = bed.run(&["plan"]);
    plan.expect(3);
    let told = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("which is not selected"), "{}", plan.stdout);
    bed.task.write(&format!("objects: [{{database: {}, exclude: [far]}}]\n", bed.db));
    bed.run(&["apply", "--yes"]).expect(0);
}
