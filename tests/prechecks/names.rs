//! DT291 and DT292: what patterns make of names, and old names in bodies.

use testbed::{Flavor, Role, have, shared};

use super::Case;

#[test]
fn patterns_that_spoil_names_or_miss_them_and_bodies_that_keep_old_ones() {
    if !have(Flavor::MySql) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination), "checks_names");
    case.source(
        "CREATE TABLE t_1 (id INT PRIMARY KEY);\nCREATE TABLE t_22 (id INT PRIMARY KEY);\nCREATE TABLE u (id INT PRIMARY KEY);\n\
         CREATE PROCEDURE cleans() DELETE FROM t_1 WHERE id > 5",
    );
    let objects = |to: &str| format!("[{{database: checks_names, rename_tables: {{match: \"t_(1?).*\", to: \"{to}\"}}}}]");
    case.objects(&objects("$1"));
    case.plan().shows("DT291");
    case.objects(&objects("x${1}y"));
    case.plan().shows("DT292");
}
