//! The five TLS modes, by name and by address, with the right CA, a wrong one, and a server that has no TLS.

use dtsctl::connect::{ConnectError, Place, TlsLevel};
use testbed::{Flavor, Server, ServerOptions, have, tls::generate};

use super::{open, root, with_tls};

/// What a login came to, in one word.
fn came_to(server: &Server, host: &str, level: TlsLevel, ca: Option<&std::path::Path>) -> String {
    let mut login = with_tls(root(server), level, ca);
    login.place = Place::Tcp { host: host.to_owned(), port: server.port() };
    match open(&login) {
        Ok(session) if session.info().tls_cipher.is_empty() => "clear".to_owned(),
        Ok(_) => "tls".to_owned(),
        Err(ConnectError::Tls { reason, .. }) => format!("refused: {reason}"),
        Err(other) => panic!("{other:?}"),
    }
}

/// An authority of the same name with another key is told by the signature.
fn issuer_unknown(answer: &str) -> bool {
    answer.contains("UnknownIssuer") || answer.contains("BadSignature")
}

#[test]
fn all_modes_against_a_certificate_of_ones_own() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().tls()).unwrap();
        let ca = server.tls().unwrap().ca.as_path();
        let folder = tempfile::tempdir().unwrap();
        let other = generate(folder.path(), &["localhost"]).unwrap();
        for host in ["localhost", "127.0.0.1"] {
            let with = |level, ca| came_to(&server, host, level, ca);
            assert_eq!(with(TlsLevel::Disabled, None), "clear", "{flavor} {host}");
            assert_eq!(with(TlsLevel::Preferred, None), "tls", "{flavor} {host}");
            assert_eq!(with(TlsLevel::Required, None), "tls", "{flavor} {host}");
            assert_eq!(with(TlsLevel::VerifyCa, Some(ca)), "tls", "{flavor} {host}");
            assert_eq!(with(TlsLevel::VerifyIdentity, Some(ca)), "tls", "{flavor} {host}");
            for level in [TlsLevel::VerifyCa, TlsLevel::VerifyIdentity] {
                for wrong in [Some(other.ca.as_path()), None] {
                    let answer = with(level, wrong);
                    assert!(answer.starts_with("refused: ") && issuer_unknown(&answer), "{flavor} {host} {level:?}: {answer}");
                }
            }
        }
    }
}

#[test]
fn a_certificate_for_another_host() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().tls_for(&["db.example"])).unwrap();
        let ca = server.tls().unwrap().ca.as_path();
        for host in ["localhost", "127.0.0.1"] {
            assert_eq!(came_to(&server, host, TlsLevel::VerifyCa, Some(ca)), "tls", "{flavor} {host}");
            let answer = came_to(&server, host, TlsLevel::VerifyIdentity, Some(ca));
            assert!(answer.starts_with("refused: ") && answer.contains("db.example"), "{flavor} {host}: {answer}");
        }
    }
}

#[test]
fn a_server_without_tls() {
    for (flavor, off) in [(Flavor::MariaDb, "--skip-ssl"), (Flavor::MySql, "--tls-version=")] {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().arg(off)).unwrap();
        assert_eq!(came_to(&server, "127.0.0.1", TlsLevel::Preferred, None), "clear", "{flavor}");
        for level in [TlsLevel::Required, TlsLevel::VerifyCa, TlsLevel::VerifyIdentity] {
            assert_eq!(came_to(&server, "127.0.0.1", level, None), "refused: the server does not offer TLS", "{flavor} {level:?}");
        }
    }
}

/// MySQL makes a certificate for itself that names no host: the CA can be checked, the identity cannot.
#[test]
fn the_certificate_that_mysql_makes_for_itself() {
    if !have(Flavor::MySql) {
        return;
    }
    let server = Server::start(Flavor::MySql, ServerOptions::new()).unwrap();
    let ca = server.datadir().unwrap().join("ca.pem");
    assert_eq!(came_to(&server, "127.0.0.1", TlsLevel::VerifyCa, Some(&ca)), "tls");
    assert!(came_to(&server, "127.0.0.1", TlsLevel::VerifyIdentity, Some(&ca)).starts_with("refused: "));
}

#[test]
fn files_that_are_not_there_are_named() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let server = Server::start(Flavor::MariaDb, ServerOptions::new().tls()).unwrap();
    let gone = std::path::Path::new("/nowhere/ca.pem");
    let answer = came_to(&server, "127.0.0.1", TlsLevel::VerifyCa, Some(gone));
    assert!(answer.contains("/nowhere/ca.pem"), "{answer}");
    let folder = tempfile::tempdir().unwrap();
    let junk = folder.path().join("junk.pem");
    std::fs::write(&junk, "not a certificate").unwrap();
    let answer = came_to(&server, "127.0.0.1", TlsLevel::VerifyCa, Some(&junk));
    assert!(answer.contains("junk.pem"), "{answer}");
}
