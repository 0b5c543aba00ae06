//! DT213 to DT219, DT234 and others: settings of the servers that decide what can be made and stored there.

use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use super::Case;

/// Runs with a variable of a server set to something else, and sets it back.
fn with(server: &Server, name: &str, value: &str, test: impl FnOnce()) {
    let set = |value: &str| server.exec(&format!("SET GLOBAL {name}={value}")).unwrap_or_else(|e| panic!("{e:#}"));
    let mut conn = server.root_conn().expect("a connection");
    let before: Option<Option<String>> =
        mysql::prelude::Queryable::query_first(&mut conn, format!("SELECT @@GLOBAL.{name}")).expect("asked");
    set(value);
    test();
    set(&match before.flatten() {
        None => "NULL".to_owned(),
        Some(number) if number.parse::<u64>().is_ok() => number,
        Some(text) => format!("'{text}'"),
    });
}

#[test]
fn settings_of_the_destination() {
    if !have(Flavor::MySql) {
        return;
    }
    let odd = Server::start(Flavor::MySql, ServerOptions::new()).expect("a server");
    let case = Case::new(shared(Flavor::MySql, Role::Source), &odd, "checks_settings");
    case.source(
        "CREATE TABLE keyless (a INT);\nINSERT INTO keyless VALUES (1);\n\
         CREATE TABLE wide (id INT PRIMARY KEY, v VARCHAR(250) CHARACTER SET utf8mb4, KEY k_v (v));\nINSERT INTO wide VALUES (1, 'x');\nANALYZE TABLE wide;\n\
         CREATE TABLE wider (id INT PRIMARY KEY, a TEXT, b TEXT, c TEXT, d TEXT, e TEXT, f TEXT, g TEXT, h TEXT, i TEXT, j TEXT, k TEXT)",
    );
    with(&odd, "sql_require_primary_key", "ON", || {
        case.plan().shows("DT217");
    });
    with(&odd, "sql_generate_invisible_primary_key", "ON", || {
        case.plan().shows("DT218_destination");
    });
    with(&odd, "character_set_server", "latin1", || {
        case.plan().shows("DT219");
    });
    with(&odd, "innodb_default_row_format", "compact", || {
        case.plan().shows("DT234").shows("DT297");
    });
    with(&odd, "max_connections", "11", || {
        case.plan().without_figures().shows("DT302");
    });
    with(&odd, "time_zone", "'+05:00'", || {
        case.plan().shows("DT213");
    });
    with(&odd, "sql_mode", "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", || {
        case.plan().shows("DT295");
    });
    with(&odd, "local_infile", "OFF", || {
        case.plan().shows("DT214");
    });
    with(&odd, "local_infile", "ON", || {
        case.plan().passes("DT214");
    });
    let mut follows = Case::new(shared(Flavor::MySql, Role::Source), &odd, "checks_settings_2");
    follows.source("CREATE TABLE t (id INT PRIMARY KEY)");
    follows.follows();
    with(&odd, "binlog_format", "'STATEMENT'", || {
        follows.plan().shows("DT268");
    });
}

#[test]
fn rows_wider_than_packets() {
    if !have(Flavor::MySql) {
        return;
    }
    let odd = Server::start(Flavor::MySql, ServerOptions::new().arg("--local-infile=OFF")).expect("a server");
    let whole = shared(Flavor::MySql, Role::Source);
    let rows = "CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB);\nINSERT INTO t VALUES (1, REPEAT('x', 700000))";
    let case = Case::new(whole, &odd, "checks_packets");
    case.source(rows);
    with(&odd, "max_allowed_packet", "1048576", || {
        case.plan().shows("DT215_insert");
    });
    with(&odd, "max_allowed_packet", "524288", || {
        case.plan().shows("DT215_destination");
    });
    case.plan().passes("DT215");
    let from = Case::new(&odd, shared(Flavor::MySql, Role::Destination), "checks_packets");
    from.source(rows);
    with(&odd, "max_allowed_packet", "524288", || {
        from.plan().shows("DT215_source");
    });
}

/// What the source's statistics promise, which is all that a plan can know of sizes: they are written by hand here.
#[test]
fn room_at_the_destination() {
    if !have(Flavor::MySql) {
        return;
    }
    let odd = Server::start(Flavor::MySql, ServerOptions::new()).expect("a server");
    let case = Case::new(&odd, shared(Flavor::MySql, Role::Destination), "checks_room");
    case.source("CREATE TABLE t (id INT PRIMARY KEY) STATS_PERSISTENT=1 STATS_AUTO_RECALC=0;\nINSERT INTO t VALUES (1);\nANALYZE TABLE t");
    let pages = |n: u64| {
        let sql = format!("UPDATE mysql.innodb_table_stats SET clustered_index_size={n} WHERE database_name='checks_room'");
        odd.exec(&format!("{sql};\nFLUSH TABLE checks_room.t")).expect("statistics");
    };
    pages(640);
    case.plan().shows("DT216_small");
    pages(6_400_000);
    case.plan().shows("DT216");
}

#[test]
fn keys_that_the_source_hides() {
    if !have(Flavor::MySql) {
        return;
    }
    let options =
        ServerOptions::new().arg("--sql-generate-invisible-primary-key=ON").arg("--show-gipk-in-create-table-and-information-schema=OFF");
    let odd = Server::start(Flavor::MySql, options).expect("a server");
    let case = Case::new(&odd, shared(Flavor::MySql, Role::Destination), "checks_hidden");
    case.source("CREATE TABLE t (a INT)");
    case.plan().shows("DT218_source");
}

/// Tables that the destination's letters make one.
#[test]
fn letter_case() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let odd = Server::start(Flavor::MariaDb, ServerOptions::new().arg("--lower-case-table-names=1")).expect("a server");
    let case = Case::new(shared(Flavor::MariaDb, Role::Source), &odd, "checks_letters");
    case.source("CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE T (id INT PRIMARY KEY)");
    case.plan().shows("DT225").shows("DT296_small");
    let case = Case::new(&odd, shared(Flavor::MariaDb, Role::Destination), "checks_letters");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.plan().shows("DT296");
    with(&odd, "enforce_storage_engine", "MyISAM", || {
        let case = Case::new(shared(Flavor::MariaDb, Role::Source), &odd, "checks_engine");
        case.source("CREATE TABLE t (id INT PRIMARY KEY)");
        case.plan().shows("DT303");
    });
}

/// Functions that only a server without a binlog takes from anybody, and events.
#[test]
fn programs_that_the_destination_refuses_or_does_not_run() {
    for flavor in Flavor::ALL.into_iter().filter(|&flavor| have(flavor)) {
        let odd = Server::start(flavor, ServerOptions::new()).expect("a server");
        let source = Server::start(flavor, ServerOptions::new().binlog(false)).expect("a server");
        let mut case = Case::new(&source, &odd, "checks_creators");
        case.source(
            "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE FUNCTION free() RETURNS INT RETURN (SELECT COUNT(*) FROM checks_creators.t);\n\
             CREATE FUNCTION tame() RETURNS INT DETERMINISTIC RETURN 1;\n\
             CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DO DELETE FROM checks_creators.t",
        );
        case.destination("CREATE EVENT theirs ON SCHEDULE EVERY 1 DAY DO DELETE FROM checks_creators.t");
        odd.exec("SET GLOBAL event_scheduler=ON").expect("set");
        case.plan().shows("DT298");
        odd.exec("SET GLOBAL event_scheduler=OFF").expect("set");
        case.plan().shows("DT300").shows("DT298_off");
        // The server's own word for it.
        let refused = odd.exec("USE checks_creators;\nCREATE FUNCTION free() RETURNS INT RETURN (SELECT COUNT(*) FROM mysql.user)");
        assert!(refused.is_err_and(|e| format!("{e:#}").contains("1418")), "{flavor}");
        case.destination_as("checks_creator", &["ALL ON checks_creators.*", "ALL ON dts.*"]);
        case.plan().shows("DT300_account");
        odd.exec("SET GLOBAL log_bin_trust_function_creators=ON").expect("set");
        case.plan().passes("DT300");
    }
}

/// Times for trying again, by the spec alone and by another task of the same folder.
#[test]
fn retry_windows() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let (source, destination) = (shared(Flavor::MariaDb, Role::Source), shared(Flavor::MariaDb, Role::Destination));
    let mut case = Case::new(source, destination, "checks_retry");
    case.source("CREATE TABLE t (id INT PRIMARY KEY)");
    case.rest("retry: {connection: 20m, other: 5m}\n");
    case.plan().shows("DT269");
    case.run(&["apply", "--yes", "--state", "shared/one.db"]);
    case.rest("");
    case.plan_with(&["--state", "shared/two.db"]).shows("DT270");
}
