//! Texts as the two servers print them (MariaDB 10.11.18, MySQL 9.7.4; MySQL 5.7 by its manual).

use super::*;

fn hash(text: &str) -> Option<Hidden> {
    Some(Hidden::new(text))
}

#[test]
fn accounts_are_read_as_servers_print_them() {
    let read = parse_account(
        "CREATE USER `o'dd@x`@`10.0.0.%` IDENTIFIED BY PASSWORD '*D8' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5 MAX_STATEMENT_TIME 4.000000 \
         ACCOUNT LOCK PASSWORD EXPIRE INTERVAL 90 DAY",
    )
    .expect("MariaDB");
    assert_eq!(read.ways, [Authentication { plugin: "mysql_native_password".into(), hash: hash("'*D8'") }]);
    assert_eq!(read.require.as_deref(), Some("SSL"));
    assert_eq!(
        read.limits,
        [("MAX_QUERIES_PER_HOUR".to_owned(), "5".to_owned()), ("MAX_STATEMENT_TIME".to_owned(), "4.000000".to_owned())]
    );
    assert!(read.locked);
    assert_eq!(read.expire.as_deref(), Some("INTERVAL 90 DAY"));

    let read = parse_account("CREATE USER `m`@`%` IDENTIFIED VIA ed25519 USING 'Zz' OR unix_socket").expect("several");
    assert_eq!(read.ways.len(), 2);
    assert_eq!(read.ways[1], Authentication { plugin: "unix_socket".into(), hash: None });
    assert_eq!(parse_account("CREATE USER `nopw`@`%`").expect("no password"), AccountText::default());

    let read = parse_account(
        "CREATE USER `app`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 0x2441 DEFAULT ROLE `r`@`%`,`s`@`%` REQUIRE SUBJECT '/CN=x' \
         ISSUER '/C=SE' PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL DEFAULT PASSWORD REQUIRE CURRENT \
         FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED ATTRIBUTE '{\"a\": \"b\"}'",
    )
    .expect("MySQL");
    assert_eq!(read.ways, [Authentication { plugin: "caching_sha2_password".into(), hash: hash("0x2441") }]);
    assert!(read.default_role && !read.locked);
    assert_eq!(read.require.as_deref(), Some("SUBJECT '/CN=x' ISSUER '/C=SE'"));
    assert_eq!(read.expire, None);
    assert_eq!(read.rules, ["PASSWORD HISTORY 5", "PASSWORD REQUIRE CURRENT", "FAILED_LOGIN_ATTEMPTS 3", "PASSWORD_LOCK_TIME UNBOUNDED"]);
    assert_eq!(read.attribute.as_deref(), Some("ATTRIBUTE '{\"a\": \"b\"}'"));

    let plain = "CREATE USER 'a'@'%' IDENTIFIED WITH 'mysql_native_password' AS '*F' REQUIRE NONE PASSWORD EXPIRE ACCOUNT UNLOCK";
    let read = parse_account(plain).expect("5.7");
    assert_eq!((read.require, read.expire.as_deref()), (None, Some("")));
}

#[test]
fn what_is_not_known_is_an_error_that_tells_no_secret() {
    let two = "CREATE USER `a`@`%` IDENTIFIED WITH 'x' AS 'hidden1' AND IDENTIFIED WITH 'y' AS 'hidden2'";
    assert_eq!(parse_account(two).unwrap_err(), "it logs in with more than one factor");
    assert_eq!(parse_account("CREATE USER `a`@`%` FROBNICATE 3").unwrap_err(), "FROBNICATE in its definition is not known here");
    let odd = parse_account("CREATE USER `a`@`%` IDENTIFIED WITH 'x' 'hidden'").unwrap_err();
    assert!(!odd.contains("hidden"), "{odd}");
    let read = parse_account("CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '*hidden'").expect("read");
    assert!(!format!("{read:?}").contains("hidden"));
}

#[test]
fn grants_are_read_as_servers_print_them() {
    let rights = |text: &str| match parse_grant(text) {
        GrantLine::Rights(grant) => grant,
        other => panic!("{text}: {other:?}"),
    };
    let right = |name: &str, columns: &[&str]| Right { name: name.into(), columns: columns.iter().map(|c| (*c).to_owned()).collect() };
    let grant = rights("GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*94' REQUIRE SSL WITH GRANT OPTION MAX_QUERIES_PER_HOUR 5");
    assert_eq!(grant, Grant { place: GrantPlace::Everywhere, rights: vec![], option: true, to: AccountName::new("a", "%") });
    let grant = rights("GRANT SELECT (`id`, `odd, name`), INSERT ON `crm`.`t.x` TO `dts`@`%`");
    assert_eq!(grant.place, GrantPlace::Table("crm".into(), "t.x".into()));
    assert_eq!(grant.rights, [right("SELECT", &["id", "odd, name"]), right("INSERT", &[])]);
    let grant = rights("GRANT BACKUP_ADMIN,CREATE TEMPORARY TABLES ON *.* TO `a`@`%`");
    assert_eq!(grant.rights, [right("BACKUP_ADMIN", &[]), right("CREATE TEMPORARY TABLES", &[])]);
    let grant = rights(r"GRANT ALL PRIVILEGES ON `app\_x%`.* TO `a`@`%` WITH GRANT OPTION");
    assert_eq!(grant.place, GrantPlace::Database(r"app\_x%".into()));
    assert!(grant.option);
    let grant = rights("GRANT EXECUTE ON PROCEDURE `crm`.`p` TO `a`@`%`");
    assert_eq!(grant.place, GrantPlace::Routine("PROCEDURE".into(), "crm".into(), "p".into()));
    assert_eq!(parse_grant("GRANT `r`@`%` TO `a`@`%` WITH ADMIN OPTION"), GrantLine::Role);
    assert_eq!(parse_grant("SET DEFAULT ROLE `r` FOR `a`@`%`"), GrantLine::Role);
    assert_eq!(parse_grant("GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION"), GrantLine::Proxy);
    assert_eq!(parse_grant("REVOKE SELECT ON `secret`.* FROM `a`@`%`"), GrantLine::Unknown);
}

#[test]
fn patterns_of_databases() {
    assert!(means_database("app_db", "app_db") && means_database("app_db", "appXdb"));
    assert!(!means_database(r"app\_db", "appXdb") && means_database(r"app\_%", "app_x"));
    assert_eq!(one_database(r"app\_db").as_deref(), Some("app_db"));
    assert_eq!(one_database("app_db"), None);
    assert_eq!(only_database("a_b%"), r"a\_b\%");
}
