//! Reading what real servers hold: everything is seen, what cannot be trusted is marked, and many tables take few round trips.

use dtsctl::{
    catalog::{self, Catalog, Scope, TableName, TypeKind, Walk},
    connect::{Login, Place, Purpose, Session, TlsChoice, TlsLevel},
};
use testbed::{Flavor, Role, Server};

pub(crate) fn login(server: &Server) -> Login {
    Login {
        place: Place::Tcp { host: server.host().to_owned(), port: server.port() },
        user: server.user().to_owned(),
        password: server.password().to_owned(),
        tls: TlsChoice { level: TlsLevel::Preferred, ca: None, identity: None },
    }
}

/// The databases whose names begin with `prefix`.
pub(crate) fn read(session: &mut Session, prefix: &str) -> Catalog {
    let scope = Scope { database: &|name| name.starts_with(prefix), table: &|_| true };
    catalog::read(session, &scope).expect("a catalog")
}

fn statements_sent(session: &mut Session) -> u64 {
    let rows = session.query("counting", "SHOW SESSION STATUS LIKE 'Questions'").expect("a counter");
    rows.number_at(0, 1).expect("a number")
}

const TABLES: usize = 250;

#[test]
fn many_tables_are_read_at_once() {
    for flavor in Flavor::ALL.into_iter().filter(|f| testbed::have(*f)) {
        let server = testbed::shared(flavor, Role::Source);
        // A thousand take a minute to make on a busy machine; the shape of the work is the same.
        let mut sql = String::from("CREATE DATABASE cat_many;\n");
        for i in 0..TABLES {
            sql.push_str(&format!("CREATE TABLE cat_many.t{i} (id INT PRIMARY KEY, v VARCHAR(20), KEY (v));\n"));
        }
        server.exec(&sql).expect("tables");
        let mut session = Session::open(&login(server), Purpose::Catalog).expect("a session");
        let start = std::time::Instant::now();
        let catalog = read(&mut session, "cat_many");
        let took = start.elapsed();
        assert_eq!(catalog.tables.len(), TABLES);
        assert!(catalog.tables.iter().all(|t| t.unsupported.is_none() && t.columns.len() == 2 && t.keys.len() == 2));
        // Round trips, not statements, are what a distant server makes dear: the batches hold a hundred statements each.
        assert!(statements_sent(&mut session) < TABLES as u64 + 100, "one statement a table and a handful more");
        assert!(took.as_secs() < 5, "{took:?}");
    }
}

#[test]
fn every_type_and_key_is_seen_and_trusted() {
    for flavor in Flavor::ALL.into_iter().filter(|f| testbed::have(*f)) {
        let server = testbed::shared(flavor, Role::Source);
        let mut conn = server.root_conn().expect("a connection");
        for file in ["types/common.sql", &format!("types/{flavor}.sql"), "objects/common.sql"] {
            testbed::sql::run_file(&mut conn, &testbed::testdata(file), "cat_all").expect("the file runs");
        }
        let mut session = Session::open(&login(server), Purpose::Catalog).expect("a session");
        let catalog = read(&mut session, "cat_all");
        for table in &catalog.tables {
            assert_eq!(table.unsupported, None, "{}", table.name);
            assert!(table.columns.iter().all(|c| c.kind != TypeKind::Other), "{}", table.name);
            assert!(catalog.collations.contains(&table.collation), "{}", table.collation);
            for column in &table.columns {
                assert!(column.collation.as_ref().is_none_or(|c| catalog.collations.contains(c)), "{}.{}", table.name, column.name);
            }
        }
        let table = |database: &str, name: &str| catalog.table(&TableName::new(format!("cat_all_{database}"), name)).expect("the table");
        assert_eq!(table("keys", "k_composite").walk(), Walk::Key(vec![0, 1]));
        assert_eq!(table("keys", "k_unique_nullable").walk(), Walk::NullableKey(vec![0]));
        assert_eq!(table("keys", "k_none").walk(), Walk::Whole);
        assert_eq!(table("keys", "k_prefix").walk(), Walk::Whole);
        assert_eq!(table("keys", "k_counter").auto_increment, Some(5000));
        let kinds: Vec<&str> = catalog.others.iter().filter(|o| o.database == "cat_all_objects").map(|o| o.kind.as_str()).collect();
        for kind in ["view", "procedure", "function", "trigger", "event"] {
            assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
        }
        let again = read(&mut session, "cat_all");
        assert_eq!(again.fingerprint(), catalog.fingerprint());
        server
            .exec("ALTER TABLE cat_all_keys.k_int COMMENT 'x'")
            .or_else(|_| server.exec("ALTER TABLE cat_all_keys.k_composite COMMENT 'x'"))
            .expect("altered");
        assert_ne!(read(&mut session, "cat_all").fingerprint(), catalog.fingerprint());
    }
}

/// Characters beyond the basic plane come out of SHOW CREATE TABLE as `?`: such a text must not be carried.
#[test]
fn a_text_that_lost_characters_is_marked() {
    for flavor in Flavor::ALL.into_iter().filter(|f| testbed::have(*f)) {
        let server = testbed::shared(flavor, Role::Source);
        server
            .exec(
                "SET NAMES utf8mb4;\nCREATE DATABASE cat_lost CHARACTER SET utf8mb4;\nUSE cat_lost;\n\
                 CREATE TABLE e (v ENUM('a','😀'));\nCREATE TABLE l (v ENUM('a','?') CHARACTER SET latin1);\nCREATE TABLE plain (v VARCHAR(9) DEFAULT 'é');\n",
            )
            .expect("tables");
        let mut session = Session::open(&login(server), Purpose::Catalog).expect("a session");
        let catalog = read(&mut session, "cat_lost");
        let reason = |name: &str| catalog.table(&TableName::new("cat_lost", name)).expect("the table").unsupported.clone();
        assert!(reason("e").is_some_and(|r| r.contains("column v")), "{flavor}");
        assert_eq!(reason("l"), None);
        assert_eq!(reason("plain"), None);
        // What can be asked for stands in the text by its bytes, also for a table without rows.
        server
            .exec("SET NAMES utf8mb4;\nCREATE TABLE cat_lost.d (v VARCHAR(9) CHARACTER SET utf8mb4 DEFAULT 'a😀', q VARCHAR(9) CHARACTER SET utf8mb4 DEFAULT 'b?', b BINARY(4) DEFAULT 0x00FF0027);\n")
            .expect("a table");
        let catalog = read(&mut session, "cat_lost");
        let table = catalog.table(&TableName::new("cat_lost", "d")).expect("the table");
        assert_eq!(table.unsupported, None);
        for bytes in ["0x61F09F9880", "0x00FF0027"] {
            assert!(table.create.contains(bytes), "{}", table.create);
        }
    }
}

#[test]
fn an_account_without_rights_is_told_which_table() {
    for flavor in Flavor::ALL.into_iter().filter(|f| testbed::have(*f)) {
        let server = testbed::shared(flavor, Role::Source);
        server
            .exec(
                "CREATE DATABASE cat_rights;\nCREATE TABLE cat_rights.t (a INT, b INT);\nCREATE USER cat_reader IDENTIFIED BY 'pw';\n\
                 GRANT INSERT (a) ON cat_rights.t TO cat_reader;\n",
            )
            .expect("an account");
        let reader = Login { user: "cat_reader".to_owned(), password: "pw".to_owned(), ..login(server) };
        let mut session = Session::open(&reader, Purpose::Catalog).expect("a session");
        let scope = Scope { database: &|name| name == "cat_rights", table: &|_| true };
        let error = catalog::read(&mut session, &scope).expect_err("no right to see the definition");
        assert!(error.to_string().contains("`cat_rights`.`t`"), "{error}");
    }
}
