//! Every way of logging in that servers ask for.

use dtsctl::connect::{Place, TlsLevel};
use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use super::{login_as, open, root, who, with_tls};

#[test]
fn native_password_on_mariadb() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let server = shared(Flavor::MariaDb, Role::Source);
    server.exec("CREATE OR REPLACE USER auth_native@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('pw ö''\\\\');").unwrap();
    let login = login_as(server, "auth_native", "pw ö'\\");
    assert_eq!(who(&login), "auth_native@%");
    server.exec("CREATE OR REPLACE USER auth_empty@'%';").unwrap();
    assert_eq!(who(&login_as(server, "auth_empty", "")), "auth_empty@%");
}

/// The first login goes by RSA over the clear connection, the second by the server's cache.
#[test]
fn caching_sha2_without_tls() {
    if !have(Flavor::MySql) {
        return;
    }
    let server = shared(Flavor::MySql, Role::Source);
    server.exec("DROP USER IF EXISTS auth_sha2@'%';\nCREATE USER auth_sha2@'%' IDENTIFIED WITH caching_sha2_password BY 'pw ö';").unwrap();
    let login = login_as(server, "auth_sha2", "pw ö");
    assert_eq!(open(&login).unwrap().info().tls_cipher, "");
    assert_eq!(who(&login), "auth_sha2@%");
    // A password longer than the RSA key in one piece would not fit; the plugin allows 255 bytes, the key of 2048 bits 214.
    let long = "x".repeat(200);
    server.exec(&format!("ALTER USER auth_sha2@'%' IDENTIFIED BY '{long}';")).unwrap();
    assert_eq!(who(&login_as(server, "auth_sha2", &long)), "auth_sha2@%");
}

#[test]
fn caching_sha2_with_tls_and_by_socket() {
    if !have(Flavor::MySql) {
        return;
    }
    let server = Server::start(Flavor::MySql, ServerOptions::new().tls()).unwrap();
    server.exec("CREATE USER auth_tls@'%' IDENTIFIED WITH caching_sha2_password BY 'pw';").unwrap();
    let ca = server.tls().unwrap().ca.clone();
    let login = with_tls(login_as(&server, "auth_tls", "pw"), TlsLevel::VerifyIdentity, Some(&ca));
    for _ in 0..2 {
        let session = open(&login).unwrap();
        assert!(session.info().tls_cipher.starts_with("TLSv1.3 "), "{}", session.info().tls_cipher);
    }
    // Full authentication again, over the socket, where the password may go in clear.
    server.exec("FLUSH PRIVILEGES;").unwrap();
    let mut by_socket = login.clone();
    by_socket.place = Place::Socket(server.socket_path().unwrap().to_owned());
    by_socket.tls.level = TlsLevel::Preferred;
    for _ in 0..2 {
        assert_eq!(open(&by_socket).unwrap().info().tls_cipher, "", "a socket needs no TLS");
    }
}

#[test]
fn an_account_that_must_show_a_certificate() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().tls()).unwrap();
        server.exec("CREATE USER auth_x509@'%' IDENTIFIED BY 'pw' REQUIRE X509;").unwrap();
        let files = server.tls().unwrap().clone();
        let mut login = with_tls(login_as(&server, "auth_x509", "pw"), TlsLevel::VerifyCa, Some(&files.ca));
        assert!(matches!(open(&login), Err(dtsctl::connect::ConnectError::AccessDenied { .. })));
        login.tls.identity = Some((files.client_cert, files.client_key));
        assert_eq!(who(&login), "auth_x509@%");
    }
}

#[test]
fn ed25519_on_mariadb() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let plugins = testbed::fetch::mariadb_plugins().unwrap();
    let server = Server::start(Flavor::MariaDb, ServerOptions::new().arg(format!("--plugin-dir={}", plugins.display()))).unwrap();
    server.exec("INSTALL SONAME 'auth_ed25519';").unwrap();
    server.exec("CREATE OR REPLACE USER auth_ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('pw ö');").unwrap();
    assert_eq!(who(&login_as(&server, "auth_ed", "pw ö")), "auth_ed@%");
    assert!(open(&login_as(&server, "auth_ed", "wrong")).is_err());
}

#[test]
fn by_socket() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        let Ok(socket) = server.socket_path() else { continue };
        let mut login = root(server);
        login.place = Place::Socket(socket.to_owned());
        let session = open(&login).unwrap();
        assert_eq!(session.address(), socket.to_str().unwrap());
        assert_eq!(session.info().identity, open(&root(server)).unwrap().info().identity, "the same server by either way");
    }
}
