//! DT285 to DT289: accounts that are asked for under `accounts.migrate`.

use testbed::{Flavor, Role, have, shared};

use super::Case;

#[test]
fn accounts_that_cannot_be_carried_as_they_are() {
    if !have(Flavor::MySql) {
        return;
    }
    let (source, destination) = (shared(Flavor::MySql, Role::Source), shared(Flavor::MySql, Role::Destination));
    let mut case = Case::new(source, destination, "checks_people");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    for server in [source, destination] {
        server
            .exec("DROP USER IF EXISTS 'people_app'@'%', 'people_both'@'%';\nDROP ROLE IF EXISTS people_role;\nCREATE USER 'people_both'@'%' IDENTIFIED BY 'x'")
            .expect("accounts");
    }
    source
        .exec(
            "CREATE ROLE people_role;\nCREATE USER 'people_app'@'%' IDENTIFIED BY 'x' WITH MAX_QUERIES_PER_HOUR 10;\n\
             GRANT SELECT ON checks_people.* TO 'people_app'@'%';\nGRANT people_role TO 'people_app'@'%'",
        )
        .expect("accounts");
    case.rest("accounts: {migrate: [\"people_*@%\", \"nobody_at_all@%\"]}\n");
    case.plan().shows("DT287").shows("DT288");
    case.follows();
    case.plan().shows("DT289");
    case.phases("{schema: true, full: true, incremental: false}");
    case.source_as("checks_preader", &["SELECT, SHOW VIEW ON checks_people.*"]);
    case.plan().shows("DT285");
    case.source_as("checks_preader", &["ALL ON *.*"]);
    case.destination_as("checks_pmaker", &["ALL ON dts.*", "INSERT, CREATE, DELETE ON checks_people.*", "SELECT ON mysql.*"]);
    case.plan().shows("DT286");
}
