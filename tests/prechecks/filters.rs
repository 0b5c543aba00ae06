//! DT280 to DT284: conditions under `where` that the source's tables do not answer as they should.

use testbed::{Flavor, Role, have, shared};

use super::Case;

#[test]
fn conditions_that_cannot_be_kept() {
    if !have(Flavor::MySql) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination), "checks_where");
    case.source(
        "CREATE TABLE t (id INT PRIMARY KEY, n INT, doc JSON, at TIME, day DATE);\nCREATE TABLE u (id INT PRIMARY KEY, doc JSON);\n\
         CREATE TABLE v (id INT PRIMARY KEY, at TIME, day DATE);\nINSERT INTO t (id, n) VALUES (1, 1), (2, 2)",
    );
    let objects = |t: &str, u: &str, v: &str| {
        format!(
            "[{{database: checks_where, tables: [{{name: t, where: \"{t}\"}}, {{name: u, where: \"{u}\"}}, {{name: v, where: \"{v}\"}}]}}]"
        )
    };
    case.objects(&objects("gone = 1", "doc = '1'", "at = day"));
    case.plan().shows("DT280");
    case.objects(&objects("n = 1", "id > 0", "id > 0"));
    case.run(&["apply", "--yes"]);
    case.objects(&objects("n = 2", "id > 0", "id > 0"));
    case.plan().shows("DT282");
}

/// A condition of the right form that the server does not take: two text columns whose collations do not meet (error 1267).
#[test]
fn conditions_that_the_source_refuses() {
    if !have(Flavor::MySql) {
        return;
    }
    let mut case = Case::new(shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination), "checks_refused");
    case.source("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) COLLATE utf8mb4_bin, b VARCHAR(9) COLLATE utf8mb4_general_ci)");
    case.source("ALTER TABLE t MODIFY a VARCHAR(9) COLLATE utf8mb4_unicode_ci");
    case.objects("[{database: checks_refused, tables: [{name: t, where: \"a = b\"}]}]");
    case.plan().shows("DT281");
}
