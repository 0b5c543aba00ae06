//! Rules of what is carried, left out and refused, without a server. What servers do with the statements is in `tests/apply/accounts.rs`.

use super::*;
use crate::{
    catalog::{Database, TableName},
    ddl::account::{parse_account, parse_grant},
    diff::Diff,
    plan::sample,
};

/// Databases by name, tables after them.
struct Names(Vec<(&'static str, &'static str)>);

impl Mapping for Names {
    fn table(&self, source: &TableName) -> Option<TableName> {
        Some(TableName::new(self.database(&source.database)?, &source.table))
    }

    fn database(&self, source: &str) -> Option<String> {
        self.0.iter().find(|(from, _)| *from == source).map(|(_, to)| (*to).to_owned())
    }
}

struct Case {
    from: &'static str,
    to: &'static str,
    names: Names,
    destination: DestinationAccounts,
    begun: BTreeMap<String, bool>,
}

impl Case {
    fn new(from: &'static str, to: &'static str) -> Self {
        let plugin = ["mysql_native_password", "ed25519"];
        let plugins: &[&str] = if to.starts_with("10") { &plugin } else { &["caching_sha2_password"] };
        let rights = ["SELECT", "INSERT", "RELOAD", "EXECUTE", "SUPER", "GRANT OPTION"];
        Self {
            from,
            to,
            names: Names(vec![("app_db", "app_db")]),
            destination: DestinationAccounts {
                plugins: plugins.iter().map(|p| (*p).to_owned()).collect(),
                rights: rights.iter().map(|r| (*r).to_owned()).collect(),
                ..DestinationAccounts::default()
            },
            begun: BTreeMap::new(),
        }
    }

    fn diff(&self, name: &str, create: &str, grants: &[&str]) -> (Diff, Hashed) {
        let (user, host) = name.rsplit_once('@').expect("user@host");
        let mut catalog = sample::catalog(vec![sample::table("app_db", "t"), sample::table("b", "t")]);
        catalog.databases = ["app_db", "b"].iter().map(|name| Database { name: (*name).into(), ..catalog.databases[0].clone() }).collect();
        let source = SourceAccounts {
            accounts: vec![SourceAccount {
                name: AccountName::new(user, host),
                definition: parse_account(create),
                grants: grants.iter().map(|g| ((*g).split(" TO ").next().unwrap_or_default().to_owned(), parse_grant(g))).collect(),
                second_password: false,
            }],
            databases: vec!["app_db".into(), "b".into(), "mysql".into()],
            ..SourceAccounts::default()
        };
        let server = |version: &str| sample::server(version);
        let mut diff = Diff::default();
        let hashed = accounts(
            &Accounts {
                source: &source,
                source_info: &server(self.from),
                catalog: &catalog,
                destination: &self.destination,
                destination_info: &server(self.to),
                mapping: &self.names,
                begun: &self.begun,
            },
            &mut diff,
        );
        (diff, hashed)
    }

    /// Statements, what is left out, and why it is refused.
    fn told(&self, create: &str, grants: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let (diff, _) = self.diff("app@%", create, grants);
        let refused = diff.changes.iter().filter_map(|c| match &c.risk {
            Risk::Unsupported { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        let statements = diff.changes.iter().flat_map(|c| c.statements.clone()).filter(|s| !s.starts_with("SET ")).collect();
        (statements, diff.accounts.left_out.iter().map(|n| n.text.clone()).collect(), refused.collect())
    }
}

const NATIVE: &str = "CREATE USER `app`@`%` IDENTIFIED BY PASSWORD '*D821809F681A40A6E379B50D0463EFAE20BDD122'";
const SHA2: &str = "CREATE USER `app`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 0x24412430303524 REQUIRE NONE PASSWORD EXPIRE DEFAULT \
                    ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT";
const MARIADB: &str = "10.11.18-MariaDB";
const MYSQL: &str = "9.7.4";

#[test]
fn an_account_is_made_locked_and_unlocked_last_and_no_hash_is_shown() {
    let case = Case::new(MYSQL, MYSQL);
    let (diff, hashed) = case.diff("app@%", SHA2, &["GRANT SELECT ON `app\\_db`.* TO `app`@`%` WITH GRANT OPTION"]);
    let statements: Vec<&str> = diff.changes.iter().flat_map(|c| &c.statements).map(String::as_str).collect();
    assert_eq!(
        statements,
        [
            "CREATE USER 'app'@'%' IDENTIFIED WITH 'caching_sha2_password' AS <the hash at the source> REQUIRE NONE ACCOUNT LOCK",
            "GRANT SELECT ON `app\\_db`.* TO 'app'@'%' WITH GRANT OPTION",
            "ALTER USER 'app'@'%' ACCOUNT UNLOCK",
        ]
    );
    assert!(hashed[statements[0]].expose().contains(" AS 0x24412430303524 REQUIRE"));
    assert!(!format!("{diff:?}{hashed:?}").contains("2441243030"));
    assert_eq!(diff.changes.iter().map(|c| c.stage).collect::<Vec<_>>(), [Stage::Before, Stage::After, Stage::After]);
}

#[test]
fn passwords_go_where_their_plugin_is() {
    let refused = |from, to, create| Case::new(from, to).told(create, &[]).2.join("; ");
    assert_eq!(refused(MARIADB, MARIADB, NATIVE), "");
    assert_eq!(refused(MYSQL, MYSQL, SHA2), "");
    assert!(refused(MARIADB, MYSQL, NATIVE).contains("plugin mysql_native_password is not at work at the destination"));
    assert!(refused(MYSQL, MARIADB, SHA2).contains("kept by plugin caching_sha2_password"));
    let native = "CREATE USER `app`@`%` IDENTIFIED WITH 'mysql_native_password' AS '*D821809F681A40A6E379B50D0463EFAE20BDD122' REQUIRE SSL";
    assert_eq!(
        Case::new(MYSQL, MARIADB).told(native, &[]).0[0],
        "CREATE USER 'app'@'%' IDENTIFIED VIA mysql_native_password USING <the hash at the source> REQUIRE SSL ACCOUNT LOCK"
    );
    // Without a password there is nothing to carry but that.
    assert_eq!(
        Case::new(MARIADB, MYSQL).told("CREATE USER `app`@`%`", &[]).0[0],
        "CREATE USER 'app'@'%' IDENTIFIED WITH 'caching_sha2_password' REQUIRE NONE ACCOUNT LOCK"
    );
    let socket = "CREATE USER `app`@`%` IDENTIFIED VIA unix_socket";
    assert!(refused(MARIADB, MYSQL, socket).contains("unix_socket"));
    let several = "CREATE USER `app`@`%` IDENTIFIED VIA ed25519 USING 'x' OR mysql_native_password";
    assert!(refused(MARIADB, MYSQL, several).contains("several plugins"));
    assert_eq!(
        Case::new(MARIADB, MARIADB).told(several, &[]).0[0],
        "CREATE USER 'app'@'%' IDENTIFIED VIA ed25519 USING <the hash at the source> OR mysql_native_password REQUIRE NONE ACCOUNT LOCK"
    );
}

#[test]
fn a_restriction_is_carried_or_refuses_the_account() {
    let limit = "CREATE USER `app`@`%` REQUIRE SSL WITH MAX_STATEMENT_TIME 4.000000";
    assert!(Case::new(MARIADB, MYSQL).told(limit, &[]).2[0].contains("MAX_STATEMENT_TIME"));
    let rule = "CREATE USER `app`@`%` IDENTIFIED WITH 'caching_sha2_password' REQUIRE NONE FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2";
    assert!(Case::new(MYSQL, MARIADB).told(rule, &[]).2[0].contains("FAILED_LOGIN_ATTEMPTS 3"));
    let refused = Case::new(MYSQL, MYSQL).told(SHA2, &["REVOKE SELECT ON `app_db`.* FROM `app`@`%`"]).2;
    assert!(refused[0].contains("takes rights away"), "{refused:?}");
    let (statements, left_out, _) =
        Case::new(MARIADB, MARIADB).told("CREATE USER `app`@`%` ACCOUNT LOCK PASSWORD EXPIRE INTERVAL 9 DAY", &[]);
    assert!(statements[0].ends_with(" ACCOUNT LOCK PASSWORD EXPIRE INTERVAL 9 DAY") && statements[1].ends_with(" ACCOUNT LOCK"));
    assert!(left_out[0].contains("begin anew"), "{left_out:?}");
}

#[test]
fn grants_follow_names_and_never_grow() {
    let mut case = Case::new(MARIADB, MARIADB);
    let granted = |case: &Case, grant: &str| {
        let (statements, left_out, refused) = case.told(NATIVE, &[grant]);
        let grants: Vec<String> =
            statements.iter().filter_map(|s| s.strip_prefix("GRANT ")).map(|s| s.replace(" TO 'app'@'%'", "")).collect();
        (grants, left_out.len(), refused.len())
    };
    let one = |grant: &str| (vec![grant.to_owned()], 0, 0);
    assert_eq!(granted(&case, "GRANT SELECT ON `app\\_db`.* TO `app`@`%`"), one("SELECT ON `app\\_db`.*"));
    // A pattern by accident, as most are: it means this database alone.
    assert_eq!(granted(&case, "GRANT SELECT ON `app_db`.* TO `app`@`%`"), one("SELECT ON `app_db`.*"));
    assert_eq!(granted(&case, "GRANT SELECT ON `b`.* TO `app`@`%`"), (vec![], 1, 0));
    assert_eq!(granted(&case, "GRANT SELECT ON `b`.`t` TO `app`@`%`"), (vec![], 1, 0));
    assert_eq!(granted(&case, "GRANT SELECT (`a`), INSERT ON `app_db`.`t` TO `app`@`%`"), one("SELECT (`a`), INSERT ON `app_db`.`t`"));
    // All databases: only the one that is selected.
    assert_eq!(granted(&case, "GRANT SELECT ON `%`.* TO `app`@`%`"), (vec!["SELECT ON `app\\_db`.*".to_owned()], 1, 0));
    assert_eq!(granted(&case, "GRANT SELECT, FROBNICATE ON *.* TO `app`@`%`"), (vec!["SELECT ON *.*".to_owned()], 1, 0));
    assert_eq!(granted(&case, "GRANT `r` TO `app`@`%`"), (vec![], 1, 0));
    case.names = Names(vec![("app_db", "new_db")]);
    assert_eq!(granted(&case, "GRANT SELECT ON `app\\_db`.* TO `app`@`%`"), one("SELECT ON `new\\_db`.*"));
    assert_eq!(granted(&case, "GRANT SELECT ON `app_db`.* TO `app`@`%`"), (vec!["SELECT ON `new\\_db`.*".to_owned()], 1, 0));
    assert_eq!(granted(&case, "GRANT SELECT ON `app_db`.`t` TO `app`@`%`"), one("SELECT ON `new_db`.`t`"));
    // Two that mean one database: the server heeds the closer one, and what is made of them would add up.
    let two = ["GRANT SELECT ON `app%`.* TO `app`@`%`", "GRANT INSERT ON `app\\_db`.* TO `app`@`%`"];
    assert_eq!(case.told(NATIVE, &two).2.len(), 1);
    // Two databases become one: a right on one of them would be a right on the other's rows.
    case.names = Names(vec![("app_db", "x"), ("b", "x")]);
    assert_eq!(granted(&case, "GRANT SELECT ON `b`.* TO `app`@`%`").2, 1);
    assert_eq!(granted(&case, "GRANT SELECT ON `b`.`t` TO `app`@`%`").2, 1);
}

#[test]
fn across_vendors_only_what_both_take_for_the_same() {
    let case = Case::new(MYSQL, MARIADB);
    let nopw = "CREATE USER `app`@`%` IDENTIFIED WITH 'caching_sha2_password' REQUIRE NONE";
    let (statements, left_out, _) = case.told(nopw, &["GRANT SELECT, SUPER ON *.* TO `app`@`%`"]);
    assert_eq!(statements[1], "GRANT SELECT ON *.* TO 'app'@'%'");
    assert!(left_out[0].contains("SUPER"), "{left_out:?}");
}

#[test]
fn accounts_that_are_there_are_left_alone_but_for_half_made_ones() {
    let mut case = Case::new(MARIADB, MARIADB);
    let skipped =
        |case: &Case, name: &str| case.diff(name, NATIVE, &[]).0.accounts.skipped.iter().map(|n| n.text.clone()).collect::<Vec<_>>();
    for name in ["root@%", "mysql.sys@localhost", "mariadb.sys@localhost", "healthcheck@::1", "@localhost"] {
        assert_eq!(skipped(&case, name).len(), 1, "{name}");
    }
    assert!(skipped(&case, "app@%").is_empty());
    case.destination.accounts = vec![(AccountName::new("app", "%"), true)];
    assert_eq!(skipped(&case, "app@%"), ["exists at the destination and is left as it is"]);
    case.begun.insert("app@%".into(), false);
    let (diff, _) = case.diff("app@%", NATIVE, &[]);
    assert!(diff.accounts.skipped.is_empty() && diff.changes.iter().all(|c| c.act == Act::Alter), "{diff:?}");
    case.destination.accounts[0].1 = false;
    assert_eq!(skipped(&case, "app@%").len(), 1);
    case.destination.accounts[0].1 = true;
    case.begun.insert("app@%".into(), true);
    assert_eq!(skipped(&case, "app@%").len(), 1);
}
