//! What a person reads when a connection fails, and that it is sorted by what can be done about it.

use dtsctl::connect::{ConnectError, Place, Purpose, Session};
use testbed::{Flavor, Role, have, shared};

use super::{login_as, open, root};

fn flavors() -> impl Iterator<Item = Flavor> {
    Flavor::ALL.into_iter().filter(|f| have(*f))
}

#[test]
fn nobody_listens_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let login = dtsctl::connect::Login {
        place: Place::Tcp { host: "127.0.0.1".into(), port },
        user: "u".into(),
        password: "hunter2".into(),
        tls: dtsctl::connect::TlsChoice { level: dtsctl::connect::TlsLevel::Preferred, ca: None, identity: None },
    };
    let error = open(&login).unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }) && error.is_connection(), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot reach 127.0.0.1:{port}: Connection refused (os error 111)"));

    let mut by_name = login.clone();
    by_name.place = Place::Tcp { host: "no-such-host.invalid".into(), port };
    let error = open(&by_name).unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!("cannot reach no-such-host.invalid:{port}: ")), "{error}");

    let mut by_socket = login;
    by_socket.place = Place::Socket("/nowhere/mysqld.sock".into());
    let error = open(&by_socket).unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.to_string(), "cannot reach /nowhere/mysqld.sock: No such file or directory (os error 2)");
}

/// Something answers at that port, and it is no database.
#[test]
fn another_service_answers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
    });
    let login = dtsctl::connect::Login {
        place: Place::Tcp { host: "127.0.0.1".into(), port },
        user: "u".into(),
        password: String::new(),
        tls: dtsctl::connect::TlsChoice { level: dtsctl::connect::TlsLevel::Disabled, ca: None, identity: None },
    };
    let error = open(&login).unwrap_err();
    answers.join().unwrap();
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[test]
fn wrong_password_and_unknown_user() {
    for flavor in flavors() {
        let server = shared(flavor, Role::Source);
        for user in ["root", "nobody_such"] {
            let error = open(&login_as(server, user, "hunter2")).unwrap_err();
            assert!(matches!(error, ConnectError::AccessDenied { .. }) && !error.is_connection(), "{flavor}: {error:?}");
            let text = error.to_string();
            let said =
                text.strip_prefix(&format!("127.0.0.1:{} refused user '{user}': ", server.port())).unwrap_or_else(|| panic!("{text}"));
            // MySQL asks an account that it does not know for a login method picked at random.
            let unknown = user != "root" && said.ends_with("which dtsctl does not know, or the account does not exist");
            assert!(said.starts_with("Access denied for user") || unknown, "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

/// 1130 needs a server where no account matches the client's address at all.
#[test]
fn this_host_may_not_connect() {
    for flavor in flavors() {
        let server = testbed::Server::start(flavor, testbed::ServerOptions::new()).unwrap();
        let mut admin = open(&root(&server)).unwrap();
        let everywhere =
            admin.query("test", "SELECT User, Host FROM mysql.user WHERE User <> 'mariadb.sys' AND User NOT LIKE 'mysql.%'").unwrap();
        for row in 0..everywhere.len() {
            let (user, host) = (everywhere.text_at(row, 0).unwrap(), everywhere.text_at(row, 1).unwrap());
            admin.exec("test", &format!("RENAME USER '{user}'@'{host}' TO '{user}{row}'@'10.9.9.9'")).unwrap();
        }
        admin.exec("test", "FLUSH PRIVILEGES").unwrap();
        let error = open(&root(&server)).unwrap_err();
        assert!(matches!(error, ConnectError::HostNotAllowed { .. }) && !error.is_connection(), "{flavor}: {error:?}");
        assert!(error.to_string().contains("does not accept connections from this host: "), "{error}");
    }
}

#[test]
fn missing_rights_are_known_as_such() {
    for flavor in flavors() {
        let server = shared(flavor, Role::Source);
        server
            .exec(
                "CREATE DATABASE IF NOT EXISTS connect_rights;\nCREATE TABLE IF NOT EXISTS connect_rights.t (id INT PRIMARY KEY, v INT);\n\
                 DROP USER IF EXISTS err_poor@'%';\nCREATE USER err_poor@'%' IDENTIFIED BY 'pw';\n\
                 GRANT SELECT (id) ON connect_rights.t TO err_poor@'%';",
            )
            .unwrap();
        let mut session = open(&login_as(server, "err_poor", "pw")).unwrap();
        for sql in [
            "CREATE DATABASE connect_rights_2",
            "INSERT INTO connect_rights.t VALUES (1, 1)",
            "SELECT v FROM connect_rights.t",
            "SET GLOBAL max_connections = 10",
            "DROP TABLE connect_rights.t",
        ] {
            let error = session.exec("trying", sql).unwrap_err();
            assert!(error.is_missing_right(), "{flavor}: {sql}: {error}");
            assert!(!error.is_connection() && !error.is_transient());
        }
        assert!(session.query("trying", "SELECT id FROM connect_rights.t").is_ok());
    }
}

#[test]
fn a_killed_session_is_lost_and_said_so() {
    for flavor in flavors() {
        let server = shared(flavor, Role::Source);
        let mut victim = open(&root(server)).unwrap();
        let id = victim.connection_id();
        let waits = std::thread::spawn(move || (victim.query("sleeping", "SELECT SLEEP(600)"), victim));
        let mut killer = open(&root(server)).unwrap();
        let seen = format!("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {id} AND INFO LIKE '%SLEEP%'");
        while killer.query("looking", &seen).unwrap().is_empty() {}
        killer.exec("killing", &format!("KILL {id}")).unwrap();
        let (error, mut victim) = waits.join().unwrap();
        let error = error.unwrap_err();
        assert!(error.is_connection(), "{flavor}: {error:?}");
        assert!(error.to_string().starts_with("sleeping: "), "{error}");
        let after = victim.query("asking again", "SELECT 1").unwrap_err();
        assert!(after.is_connection(), "{flavor}: {after:?}");
    }
}

#[test]
fn a_killed_server_is_lost_in_the_middle_of_rows() {
    for flavor in flavors() {
        let server = testbed::Server::start(flavor, testbed::ServerOptions::new()).unwrap();
        let mut session = Session::open(&root(&server), Purpose::Read).unwrap();
        let mut rows = 0u64;
        let sql = "SELECT a.TABLE_NAME, REPEAT('x', 2000) FROM information_schema.COLUMNS a, information_schema.COLUMNS b";
        let error = session
            .stream("reading", sql, |_| {
                rows += 1;
                if rows == 1000 {
                    server.kill9().unwrap();
                }
                true
            })
            .unwrap_err();
        assert!(matches!(error, ConnectError::Lost { .. }), "{flavor}: {error:?}");
        assert!(rows >= 1000);
        let error = open(&root(&server)).unwrap_err();
        assert!(error.is_connection(), "{flavor}: {error:?}");
    }
}

/// A server that reads an account's settings but is too full to let it in is worth waiting for.
#[test]
fn too_many_connections_is_worth_another_try() {
    for flavor in flavors() {
        let server = shared(flavor, Role::Source);
        server.exec("DROP USER IF EXISTS err_many@'%';\nCREATE USER err_many@'%' IDENTIFIED BY 'pw' WITH MAX_USER_CONNECTIONS 1;").unwrap();
        let login = login_as(server, "err_many", "pw");
        let first = open(&login).unwrap();
        let error = open(&login).unwrap_err();
        assert!(error.is_connection(), "{flavor}: {error:?}");
        drop(first);
    }
}
