//! A saved plan is what runs, and only while what it rests on is as it was.

use testbed::{Flavor, Server, ServerOptions, have};

use super::{Bed, redacted, shown};
use crate::support::{End, Task};

const TABLES: &str = "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20));\nCREATE TABLE b (id INT PRIMARY KEY, v INT, KEY (v));\n\
                      INSERT INTO a VALUES (1, 'x'), (2, 'y');\nINSERT INTO b VALUES (1, 1), (2, NULL);";

#[test]
fn a_saved_plan_is_applied_once() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "saved_once") else { continue };
        bed.source(TABLES);
        bed.run(&["plan", "--out", "p.json"]).expect(0);
        assert!(!bed.arrived());
        bed.run(&["apply", "p.json", "--yes"]).expect(0);
        bed.is_equal();
        bed.run(&["verify"]).expect(0);
        let again = bed.run(&["apply", "p.json", "--yes"]);
        again.expect(6).says("error: the saved plan is finished already");
        if flavor == Flavor::MariaDb {
            shown!("saved_finished", bed.redacted(&again.stderr));
        }
    }
}

#[test]
fn a_saved_plan_of_another_state_is_stale_and_says_what_differs() {
    let Some(mut bed) = Bed::mariadb("saved_stale") else { return };
    bed.source(TABLES);
    let stale = |bed: &Bed, name: &str| {
        let refused = bed.run(&["apply", "p.json", "--yes"]);
        refused.expect(6);
        shown!(name, bed.redacted(&refused.stderr));
    };
    bed.run(&["plan", "--out", "p.json"]).expect(0);
    bed.source("ALTER TABLE a ADD COLUMN more INT;\nDROP TABLE b;\nCREATE TABLE c (id INT PRIMARY KEY)");
    stale(&bed, "saved_source_changed");
    assert!(!bed.arrived(), "nothing was executed");

    bed.run(&["plan", "--out", "p.json"]).expect(0);
    bed.spec("throttle: {full: {rps: 1000}}\n");
    stale(&bed, "saved_spec_changed");
    assert!(!bed.arrived(), "nothing was executed");

    bed.run(&["plan", "--out", "p.json"]).expect(0);
    bed.occupied("CREATE TABLE a (id INT PRIMARY KEY)");
    stale(&bed, "saved_destination_changed");
    assert_eq!(bed.numbers("SELECT COUNT(*) FROM a"), [0]);

    // A plan that another apply has carried out in part.
    bed.destination("DROP TABLE a");
    bed.run(&["plan", "--out", "p.json"]).expect(0);
    bed.carried();
    bed.destination("DROP TABLE a");
    stale(&bed, "saved_done_in_part");
}

/// A permission that was given on the command line is for one run: the saved plan does not hold it.
#[test]
fn unsafe_actions_of_a_saved_plan_are_permitted_when_it_is_applied() {
    let Some(mut bed) = Bed::mariadb("saved_unsafe") else { return };
    bed.source("CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1)");
    bed.occupied("CREATE TABLE a (id INT PRIMARY KEY, old INT)");
    bed.spec("conflict: {existing_tables: align}\n");
    bed.run(&["plan", "--out", "p.json"]).expect(3);
    bed.run(&["apply", "p.json", "--yes"]).expect(3).says("a1");
    bed.run(&["apply", "p.json", "--yes", "--allow-unsafe", "a1"]).expect(0);
    bed.is_equal();
}

/// Prechecks are not part of what makes a plan stale: they count as of now, not as of when it was saved.
#[test]
fn prechecks_of_a_saved_plan_are_made_anew() {
    let Some(mut bed) = Bed::mariadb("saved_checks") else { return };
    bed.source(TABLES);
    bed.destination("DROP USER IF EXISTS 'saved'@'%';\nCREATE USER 'saved'@'%' IDENTIFIED BY 'pw';\nGRANT ALL ON *.* TO 'saved'@'%'");
    let end = End { user: "saved".to_owned(), password: "pw".to_owned(), ..End::from(bed.to) };
    let task = Task::new(&bed.db, bed.from, end, &format!("objects: [{{database: {}}}]\n", bed.db));
    task.run(&["plan", "--out", "p.json"]).expect(0);
    bed.destination("REVOKE INSERT ON *.* FROM 'saved'@'%'");
    task.run(&["apply", "p.json", "--yes"]).expect(3).says("DT207").says("lacks INSERT");
    assert!(!bed.arrived(), "nothing was executed");
    bed.destination("GRANT INSERT ON *.* TO 'saved'@'%'");
    task.run(&["apply", "p.json", "--yes"]).expect(0);
    bed.is_equal();
}

#[test]
fn a_server_that_is_another_one_now_makes_a_plan_stale() {
    if !have(Flavor::MySql) {
        return;
    }
    let source = testbed::shared(Flavor::MySql, testbed::Role::Source);
    let own = Server::start(Flavor::MySql, ServerOptions::new()).expect("a server");
    source
        .exec("DROP DATABASE IF EXISTS saved_other;\nCREATE DATABASE saved_other;\nCREATE TABLE saved_other.a (id INT PRIMARY KEY)")
        .expect("made");
    let task = Task::new("saved_other", source, &own, "objects: [{database: saved_other}]\n");
    task.run(&["plan", "--out", "p.json"]).expect(0);
    // MySQL makes itself another identity when the file of its own is gone.
    own.stop().expect("stopped");
    std::fs::remove_file(own.datadir().expect("a folder").join("auto.cnf")).expect("removed");
    own.restart().expect("started");
    let refused = task.run(&["apply", "p.json", "--yes"]);
    refused.expect(6);
    shown!("saved_other_server", redacted(&refused.stderr, "saved_other", source, &own));
}

#[test]
fn a_file_that_is_no_plan_is_not_usable() {
    let Some(bed) = Bed::mariadb("saved_none") else { return };
    bed.run(&["apply", "nothing.json", "--yes"]).expect(65).says("cannot read the plan nothing.json");
    std::fs::write(bed.task.path("p.json"), "{}").expect("written");
    bed.run(&["apply", "p.json", "--yes"]).expect(65).says("p.json is not usable");
}
