//! Accounts with their passwords and grants, proven by logging in at the destination. Requirements D21, D22, 2.14.

use mysql::{Conn, prelude::Queryable as _};
use testbed::{
    Flavor::{self, MariaDb, MySql},
    Server,
};

use super::Bed;
use crate::support::{End, Outcome, Task, rows};

/// A bed whose accounts begin with its database's name, gone from both ends.
fn bed(from: Flavor, to: Flavor, db: &str) -> Option<Bed> {
    let mut bed = Bed::new(from, to, db)?;
    bed.source("CREATE TABLE t (a INT PRIMARY KEY, b INT, c INT);\nCREATE TABLE u (a INT PRIMARY KEY);\nINSERT INTO t VALUES (1, 2, 3)");
    let _ = bed.destination.query_drop(format!("DELETE FROM dts.dtsctl_account WHERE task = '{}'", bed.db));
    forget(&mut bed);
    Some(bed)
}

fn forget(bed: &mut Bed) {
    let db = bed.db.clone();
    for conn in [&mut bed.source, &mut bed.destination] {
        let users: Vec<(String, String)> =
            conn.query(format!("SELECT User, Host FROM mysql.user WHERE User LIKE '{db}\\_%' AND Host <> ''")).expect("users");
        for (user, host) in users {
            conn.query_drop(format!("DROP USER '{}'@'{host}'", user.replace('\'', "''"))).expect("dropped");
        }
    }
}

fn login(server: &Server, user: &str, password: &str) -> Result<Conn, mysql::Error> {
    Conn::new(server.opts().user(Some(user)).pass(Some(password)))
}

/// `SHOW GRANTS` without what it repeats of the account, sorted.
fn grants(conn: &mut Conn, user: &str) -> Vec<String> {
    let lines: Vec<String> = conn.query(format!("SHOW GRANTS FOR '{user}'@'%'")).expect("grants");
    let mut lines: Vec<String> = lines.iter().map(|l| l.split(" IDENTIFIED ").next().unwrap_or_default().to_owned()).collect();
    lines.sort();
    lines
}

fn spec(bed: &Bed, extra: &str) -> String {
    format!("objects: [{{database: {0}}}]\naccounts: {{migrate: ['{0}_*@%']}}\n{extra}", bed.db)
}

fn told(outcome: &Outcome) -> String {
    outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The old password logs in, the grants are the same, and neither the plan nor the state nor the log holds a hash.
#[test]
fn accounts_arrive_with_passwords_and_grants() {
    for flavor in [MariaDb, MySql] {
        let Some(mut bed) = bed(flavor, flavor, "acc") else { continue };
        let (db, user) = (bed.db.clone(), format!("{}_app", bed.db));
        bed.source("CREATE VIEW v AS SELECT a FROM t");
        for statement in [
            "CREATE PROCEDURE p() SELECT 1".to_owned(),
            format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'old \"secret'' 1' WITH MAX_USER_CONNECTIONS 7"),
            format!("GRANT RELOAD ON *.* TO '{user}'@'%'"),
            format!("GRANT INSERT, CREATE TEMPORARY TABLES ON `{}`.* TO '{user}'@'%' WITH GRANT OPTION", db.replace('_', "\\_")),
            format!("GRANT SELECT (a, b), UPDATE (c) ON {db}.t TO '{user}'@'%'"),
            format!("GRANT SELECT ON {db}.v TO '{user}'@'%'"),
            format!("GRANT EXECUTE ON PROCEDURE {db}.p TO '{user}'@'%'"),
            format!("CREATE USER '{db}_o''dd@x'@'%' IDENTIFIED BY 'pw' ACCOUNT LOCK"),
            format!("CREATE USER '{db}_nopw'@'%'"),
        ] {
            bed.source.query_drop(&statement).expect(&statement);
        }
        bed.task.write(&spec(&bed, ""));
        bed.run(&["plan", "--out", "saved.plan"]).expect(0);
        let plan = std::fs::read_to_string(bed.task.path("saved.plan")).expect("the plan");
        bed.run(&["apply", "saved.plan", "--yes"]).expect(0);
        bed.is_quiet();
        assert!(login(bed.to, &user, "wrong").is_err());
        let mut there = login(bed.to, &user, "old \"secret' 1").expect("the old password logs in");
        assert_eq!(there.query_first::<i32, _>(format!("SELECT a FROM {db}.t")).expect("granted"), Some(1));
        assert!(there.query_drop(format!("SELECT c FROM {db}.t")).is_err(), "a column that is not granted is read");
        login(bed.to, &format!("{db}_nopw"), "").expect("no password");
        let locked = login(bed.to, &format!("{db}_o'dd@x"), "pw").expect_err("locked").to_string();
        assert!(locked.to_lowercase().contains("locked"), "{locked}");
        assert_eq!(grants(&mut bed.source, &user), grants(&mut bed.destination, &user), "{flavor}");
        let shown = |conn: &mut Conn, name: &str| rows(conn, &format!("SHOW CREATE USER '{name}'@'%'"));
        for name in [user.clone(), format!("{db}_o''dd@x"), format!("{db}_nopw")] {
            assert_eq!(shown(&mut bed.source, &name), shown(&mut bed.destination, &name), "{flavor}");
        }
        let hash: String = bed
            .source
            .query_first(format!("SELECT HEX(authentication_string) FROM mysql.user WHERE User = '{user}'"))
            .expect("asked")
            .expect("the hash");
        let state = std::fs::read(bed.task.state()).expect("the state file");
        let text: String = state.iter().map(|b| format!("{b:02X}")).collect();
        // As bytes and as hexadecimal digits: the middle is enough.
        let middle = &hash[20..60];
        let digits: String = middle.bytes().map(|b| format!("{b:02X}")).collect();
        assert!(!text.contains(middle) && !text.contains(&digits), "the state file holds the hash");
        let plan_hex: String = plan.bytes().map(|b| format!("{b:02X}")).collect();
        assert!(!plan_hex.contains(middle) && !plan_hex.contains(&digits), "the plan holds the hash");
        assert!(plan.contains("<the hash at the source>"));
        forget(&mut bed);
    }
}

/// Between vendors of which neither has the other's plugin, an account without a password is all that goes; one with a password is
/// refused by name, with exit 3.
#[test]
fn a_password_whose_plugin_the_destination_lacks_is_refused() {
    for (from, to, plugin) in [(MariaDb, MySql, "mysql_native_password"), (MySql, MariaDb, "caching_sha2_password")] {
        let Some(mut bed) = bed(from, to, "accx") else { continue };
        let db = bed.db.clone();
        bed.source(&format!("CREATE USER '{db}_pw'@'%' IDENTIFIED BY 'pw'"));
        bed.source(&format!("CREATE USER '{db}_no'@'%'"));
        bed.source(&format!("GRANT SELECT, SUPER ON *.* TO '{db}_no'@'%'"));
        bed.task.write(&spec(&bed, ""));
        let plan = bed.run(&["plan"]);
        plan.expect(3);
        let text = told(&plan);
        assert!(text.contains(&format!("account {db}_pw@%")) && text.contains(plugin) && text.contains("DT109"), "{text}");
        bed.run(&["apply", "--yes"]).expect(3);
        assert!(!bed.arrived(), "something was done");
        bed.task.write(&spec(&bed, "").replace("_*@%", "_no@%"));
        let applied = bed.run(&["plan"]);
        assert!(told(&applied).contains("SUPER, which the destination does not know or takes for something else"), "{}", applied.stdout);
        bed.run(&["apply", "--yes"]).expect(0);
        let mut there = login(bed.to, &format!("{db}_no"), "").expect("no password");
        assert_eq!(there.query_first::<i32, _>(format!("SELECT b FROM {db}.t")).expect("granted"), Some(2));
        forget(&mut bed);
    }
}

/// System accounts, those that exist, roles, grants on what is not selected, and a grant under another name.
#[test]
fn what_is_not_carried_is_listed_with_its_reason() {
    for flavor in [MariaDb, MySql] {
        let Some(mut bed) = bed(flavor, flavor, "accs") else { continue };
        let (db, there) = (bed.db.clone(), format!("{}_new", bed.db));
        bed.destination(&format!("DROP DATABASE IF EXISTS {there}"));
        let _ = bed.source.query_drop(format!("DROP ROLE '{db}_role'"));
        for statement in [
            format!("CREATE USER '{db}_app'@'%' IDENTIFIED BY 'pw'"),
            format!("CREATE USER '{db}_old'@'%' IDENTIFIED BY 'pw'"),
            format!("CREATE ROLE '{db}_role'"),
            format!("GRANT '{db}_role' TO '{db}_app'@'%'"),
            format!("GRANT SELECT ON {db}.* TO '{db}_app'@'%'"),
            format!("GRANT SELECT (a, b) ON {db}.t TO '{db}_app'@'%'"),
            format!("GRANT SELECT ON mysql.user TO '{db}_app'@'%'"),
        ] {
            bed.source.query_drop(&statement).expect(&statement);
        }
        bed.destination(&format!("CREATE USER '{db}_old'@'%' IDENTIFIED BY 'other'"));
        bed.task.write(&format!(
            "objects: [{{database: {db}, rename: {there}, tables: [{{name: t, columns: {{exclude: [b], rename: {{a: z}}}}}}]}}]\n\
             accounts: {{migrate: ['{db}_app@%', '{db}_old@%', root@*, nobody_at_all@%]}}\n"
        ));
        let plan = bed.run(&["plan"]);
        plan.expect(0);
        let text = told(&plan);
        for part in [
            "exists at the destination and is left as it is",
            "belongs to the server; system accounts are not carried",
            "the source has no account `nobody_at_all@%`",
            "roles are not carried",
            "the table is not selected",
            "on column b, which is left out",
            "DT287",
            "DT288",
        ] {
            assert!(text.contains(part), "{flavor}: {part}: {text}");
        }
        bed.run(&["apply", "--yes"]).expect(0);
        let mut app = login(bed.to, &format!("{db}_app"), "pw").expect("logs in");
        assert_eq!(app.query_first::<i32, _>(format!("SELECT z FROM {there}.t")).expect("granted"), Some(1));
        login(bed.to, &format!("{db}_old"), "other").expect("the account that was there is as it was");
        let granted = grants(&mut bed.destination, &format!("{db}_app")).join("\n");
        assert!(granted.contains(&format!("`{}`.*", there.replace('_', "\\_"))) && granted.contains("SELECT (`z`)"), "{granted}");
        forget(&mut bed);
    }
}

/// Rights that are missing at either end are found before anything is done, with what mends them.
#[test]
fn missing_rights_are_found_beforehand() {
    for flavor in [MariaDb, MySql] {
        let Some(mut bed) = bed(flavor, flavor, "accr") else { continue };
        let db = bed.db.clone();
        let me = format!("{db}_me");
        for conn in [&mut bed.source, &mut bed.destination] {
            conn.query_drop(format!("CREATE USER '{me}'@'%' IDENTIFIED BY 'pw'")).expect("me");
            conn.query_drop(format!("GRANT ALL PRIVILEGES ON {db}.* TO '{me}'@'%'")).expect("rights");
            conn.query_drop(format!("GRANT ALL PRIVILEGES ON dts.* TO '{me}'@'%'")).expect("rights");
        }
        for table in ["user", "db", "tables_priv", "columns_priv"] {
            bed.source(&format!("GRANT SELECT ON mysql.{table} TO '{me}'@'%'"));
        }
        bed.source(&format!("CREATE USER '{db}_app'@'%' IDENTIFIED BY 'pw'"));
        bed.source(&format!("GRANT SELECT ON {db}.t TO '{db}_app'@'%'"));
        let end =
            |server: &Server| End { host: server.host().to_owned(), port: server.port(), user: me.clone(), password: "pw".to_owned() };
        let rest = format!("objects: [{{database: {db}}}]\naccounts: {{migrate: ['{db}_app@%']}}\n");
        let task = Task::new(&db, end(bed.from), end(bed.to), &rest);
        let plan = |code: i32, parts: &[&str]| {
            let plan = task.run(&["plan"]);
            plan.expect(code);
            let text = told(&plan);
            for part in parts {
                assert!(text.contains(part), "{flavor}: {part}: {text}");
            }
        };
        plan(3, &["DT285", "GRANT SELECT ON `mysql`.* TO the account at the source", "DT286", "may not see which accounts"]);
        bed.source(&format!("GRANT SELECT ON mysql.* TO '{me}'@'%'"));
        bed.destination(&format!("GRANT SELECT ON mysql.* TO '{me}'@'%'"));
        plan(3, &["DT286", "lacks CREATE USER", "cannot grant SELECT on"]);
        bed.destination(&format!("GRANT CREATE USER ON *.* TO '{me}'@'%'"));
        bed.destination(&format!("GRANT SELECT ON {db}.* TO '{me}'@'%' WITH GRANT OPTION"));
        plan(0, &[]);
        task.run(&["apply", "--yes"]).expect(0);
        login(bed.to, &format!("{db}_app"), "pw").expect("logs in");
        forget(&mut bed);
    }
}

/// Killed before and after each statement about the account: until the last of them nobody can log in, and the next apply finishes the
/// account instead of taking it for somebody else's.
#[test]
fn a_half_made_account_is_finished_and_not_taken_for_somebody_elses() {
    for flavor in [MariaDb, MySql] {
        // The database, two tables, the account; then its grants (on MariaDB among settings) and the lock.
        let moments =
            ["statement-started:4", "statement-finished:4", "statement-finished:5", "statement-finished:6", "statement-started:8"];
        let mut halted = 0;
        for moment in moments {
            let Some(mut bed) = bed(flavor, flavor, "acck") else { continue };
            let db = bed.db.clone();
            let user = format!("{db}_app");
            bed.source(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'pw'"));
            bed.source(&format!("GRANT SELECT ON {db}.t TO '{user}'@'%'"));
            bed.source(&format!("GRANT RELOAD ON *.* TO '{user}'@'%'"));
            bed.task.write(&spec(&bed, ""));
            let mut run = bed.task.start(&["apply", "--yes"], &[("DTSCTL_TEST_PAUSE", moment)]);
            if run.says("paused at") {
                halted += 1;
                assert!(login(bed.to, &user, "pw").is_err(), "{flavor}, {moment}: a half-made account lets in");
                run.signal_until_ended("KILL");
            }
            bed.run(&["apply", "--yes"]).expect(0);
            let mut there = login(bed.to, &user, "pw").expect("logs in");
            assert_eq!(there.query_first::<i32, _>(format!("SELECT b FROM {db}.t")).expect("granted"), Some(2), "{flavor}, {moment}");
            assert_eq!(grants(&mut bed.source, &user), grants(&mut bed.destination, &user), "{flavor}, {moment}");
            bed.is_quiet();
            // What becomes of it afterwards is the destination's own affair.
            bed.destination(&format!("REVOKE RELOAD ON *.* FROM '{user}'@'%'; ALTER USER '{user}'@'%' ACCOUNT LOCK"));
            bed.is_quiet();
            forget(&mut bed);
        }
        assert!(halted >= 4 || !testbed::have(flavor), "{flavor}: only {halted} of the moments were met");
    }
}

/// With the binlog: the account is made before it is followed, what becomes of it at the source later is not carried, and the plan says so.
#[test]
fn accounts_are_made_before_the_binlog_is_followed_and_not_after() {
    for flavor in [MariaDb, MySql] {
        let Some(mut bed) = bed(flavor, flavor, "accf") else { continue };
        let db = bed.db.clone();
        let user = format!("{db}_app");
        let _ = bed.destination.query_drop(format!("DELETE FROM dts.dtsctl_applied WHERE task = '{db}'"));
        bed.source(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'pw'; GRANT SELECT ON {db}.t TO '{user}'@'%'"));
        bed.task.write(&spec(&bed, "phases: {schema: true, full: true, incremental: true}\n"));
        let plan = bed.run(&["plan"]);
        plan.expect(0);
        assert!(told(&plan).contains("in the binlog are not carried"), "{}", plan.stdout);
        bed.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
        bed.source(&format!(
            "GRANT DELETE ON {db}.t TO '{user}'@'%'; CREATE USER '{db}_late'@'%' IDENTIFIED BY 'pw'; INSERT INTO t VALUES (7, 8, 9)"
        ));
        bed.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
        let mut there = login(bed.to, &user, "pw").expect("logs in");
        assert_eq!(there.query_first::<i32, _>(format!("SELECT b FROM {db}.t WHERE a = 7")).expect("granted"), Some(8));
        assert!(there.query_drop(format!("DELETE FROM {db}.t")).is_err(), "{flavor}: a later grant was carried");
        assert!(login(bed.to, &format!("{db}_late"), "pw").is_err(), "{flavor}: a later account was carried");
        assert!(told(&bed.run(&["plan"])).contains("this task follows the binlog already"));
        forget(&mut bed);
    }
}
