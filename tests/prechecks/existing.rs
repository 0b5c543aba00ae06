//! DT124, DT125, DT224, DT227, DT228, DT241, DT242: what stands at the destination already.

use testbed::{Flavor, Role, have, shared};

use super::Case;

const IGNORE: &str = "conflict: {existing_tables: ignore}\n";

#[test]
fn tables_of_the_same_names() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination), "checks_exist");
    case.source(
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), gone INT);\nCREATE SEQUENCE s;\nCREATE TABLE viewed (id INT PRIMARY KEY)",
    );
    case.destination(
        "ALTER DATABASE checks_exist CHARACTER SET ucs2;\nCREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(30), own INT DEFAULT 1);\n\
         INSERT INTO t (id) VALUES (7);\nCREATE SEQUENCE s;\nCREATE VIEW viewed AS SELECT 1 AS id",
    );
    case.plan().shows("DT224").shows("DT124");
    case.destination("DROP VIEW viewed");
    case.rest(IGNORE);
    case.plan().shows("DT224_ignore").shows("DT228_ignore").shows("DT125");
    case.rest("conflict: {existing_tables: align}\n");
    case.plan().shows("DT224_align").shows("DT228");
}

#[test]
fn triggers_that_would_fire() {
    if !have(Flavor::MySql) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination), "checks_fire");
    case.source("CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE keyless (a INT)");
    case.destination("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM;\nCREATE TABLE keyless (a INT) ENGINE=MyISAM;\nCREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id + 0");
    case.rest(IGNORE);
    case.plan().shows("DT227").shows("DT304");
    case.destination_as("checks_blind", &["SELECT, INSERT, UPDATE, DELETE, CREATE ON checks_fire.*", "ALL ON dts.*"]);
    case.plan().shows("DT227_unseen");
}

#[test]
fn text_and_keys_that_do_not_fit() {
    if !have(Flavor::MySql) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination), "checks_fit");
    case.rest(IGNORE);
    // NO PAD at the source, PAD SPACE at the destination (traps.md 5): 'a' and 'a ' become one.
    case.source(
        "CREATE TABLE pad (v VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PRIMARY KEY);\nINSERT INTO pad VALUES ('a'), ('a '), ('b');\n\
         CREATE TABLE narrow (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET utf8mb4)",
    );
    case.destination(
        "CREATE TABLE pad (v VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY);\n\
         CREATE TABLE narrow (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET latin1)",
    );
    case.plan().shows("DT242").shows("DT241");
    // A server counts nothing for an account that may not read.
    case.source("DELETE FROM pad WHERE v = 'a '");
    case.plan().passes("DT242");
    case.source("DROP TABLE narrow");
    case.source_as("checks_counter", &["SELECT (v) ON checks_fit.pad", "SHOW VIEW ON checks_fit.*"]);
    case.objects("[{database: checks_fit, tables: [{name: pad}]}]");
    case.plan().passes("DT242");
}

/// A collation that the source does not know: whether rows would be equal by it nobody can count there.
#[test]
fn keys_under_a_collation_that_the_source_lacks() {
    if !have(Flavor::MySql) || !have(Flavor::MariaDb) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MariaDb, Role::Source), shared(Flavor::MySql, Role::Destination), "checks_uncounted");
    case.rest(IGNORE);
    case.source("CREATE TABLE t (v VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY)");
    case.destination("CREATE TABLE t (v VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PRIMARY KEY)");
    case.plan().shows("DT242_uncounted");
}

/// What an account may not see of an existing table.
#[test]
fn rows_that_cannot_be_looked_for() {
    if !have(Flavor::MySql) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination), "checks_unread");
    case.rest(IGNORE);
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.destination("CREATE TABLE t (id INT PRIMARY KEY)");
    case.destination_as("checks_unreader", &["INSERT, TRIGGER ON checks_unread.*", "ALL ON dts.*"]);
    case.plan().shows("DT228_unseen");
}
