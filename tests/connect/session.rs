//! What a prepared session is like, whatever the server's own settings are.

use dtsctl::connect::{Purpose, Session};
use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use super::{open, root};

const ALL: [Purpose; 5] = [Purpose::Catalog, Purpose::Read, Purpose::Write, Purpose::Ddl, Purpose::Control];

fn value(session: &mut Session, name: &str) -> String {
    session.query("asking", &format!("SELECT @@SESSION.{name}")).unwrap().text_at(0, 0).unwrap_or_else(|| "NULL".to_owned())
}

#[test]
fn settings_do_not_depend_on_the_server() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        // As unlike ours as a server can be.
        let mut options = ServerOptions::new()
            .arg("--sql-mode=ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES")
            .arg("--default-time-zone=+05:45")
            .arg("--character-set-server=latin1")
            .arg("--autocommit=OFF")
            .arg("--wait-timeout=30")
            .arg("--net-write-timeout=1")
            .arg("--init-connect=SET sql_select_limit=7, group_concat_max_len=4");
        if flavor == Flavor::MySql {
            options = options.arg("--max-execution-time=5000").arg("--sql-generate-invisible-primary-key=ON");
        } else {
            options = options.arg("--max-statement-time=5");
        }
        let server = Server::start(flavor, options).unwrap();
        for purpose in ALL {
            let mut session = Session::open(&root(&server), purpose).unwrap();
            let mut is = |name: &str, expected: &str| assert_eq!(value(&mut session, name), expected, "{flavor} {purpose:?} {name}");
            is("time_zone", "+00:00");
            is("autocommit", "1");
            is("foreign_key_checks", "0");
            is("sql_big_selects", "1");
            is("lc_messages", "en_US");
            is("default_storage_engine", "InnoDB");
            is("unique_checks", "1");
            is("sql_select_limit", "18446744073709551615");
            is("group_concat_max_len", "1048576");
            is("wait_timeout", "86400");
            is("net_write_timeout", "86400");
            is("net_read_timeout", "86400");
            is("character_set_client", "utf8mb4");
            is("character_set_connection", "utf8mb4");
            is("character_set_results", if purpose == Purpose::Read { "NULL" } else { "utf8mb4" });
            let mode = match purpose {
                Purpose::Catalog => "",
                Purpose::Read => "ALLOW_INVALID_DATES",
                _ => "STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO",
            };
            let sorted = |text: &str| {
                let mut parts: Vec<String> = text.split(',').map(str::to_owned).collect();
                parts.sort();
                parts
            };
            assert_eq!(sorted(&value(&mut session, "sql_mode")), sorted(mode), "{flavor} {purpose:?}");
            if flavor == Flavor::MySql {
                assert_eq!(value(&mut session, "max_execution_time"), "0");
                if purpose == Purpose::Catalog {
                    assert_eq!(value(&mut session, "information_schema_stats_expiry"), "0");
                }
                if purpose == Purpose::Ddl {
                    assert_eq!(value(&mut session, "sql_generate_invisible_primary_key"), "0");
                }
            } else {
                assert_eq!(value(&mut session, "max_statement_time"), "0.000000");
            }
        }
    }
}

/// Bytes of every charset come as they lie in the table, and go in as they came.
#[test]
fn bytes_are_not_converted() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        server
            .exec(
                "CREATE DATABASE IF NOT EXISTS connect_bytes;\nDROP TABLE IF EXISTS connect_bytes.t;\n\
                 CREATE TABLE connect_bytes.t (id INT PRIMARY KEY, l VARCHAR(20) CHARACTER SET latin1, g VARCHAR(20) CHARACTER SET gbk,\n\
                 u VARCHAR(20) CHARACTER SET utf16, e ENUM('é','x') CHARACTER SET latin1, b VARBINARY(20));\n\
                 INSERT INTO connect_bytes.t VALUES (1, _binary x'C3A9', _binary x'BFD7', _binary x'D83DDE00', 'é', x'00FF80');",
            )
            .unwrap();
        let mut session = Session::open(&root(server), Purpose::Read).unwrap();
        let rows = session.query("reading", "SELECT l, g, u, e, b FROM connect_bytes.t").unwrap();
        let expected: [&[u8]; 5] = [b"\xC3\xA9", b"\xBF\xD7", b"\xD8\x3D\xDE\x00", b"\xE9", b"\x00\xFF\x80"];
        for (column, expected) in expected.iter().enumerate() {
            assert_eq!(rows.rows[0][column].as_deref(), Some(*expected), "{flavor} column {column}");
        }
    }
}

#[test]
fn large_rows_come_whole() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        // Beyond one packet of the protocol (16 MiB less one byte), and exactly at its edge.
        let server = Server::start(flavor, ServerOptions::new().arg("--max-allowed-packet=1G")).unwrap();
        let mut session = Session::open(&root(&server), Purpose::Read).unwrap();
        assert_eq!(session.info().max_allowed_packet(), 1 << 30);
        for length in [16_777_210usize, 16_777_215, 16_777_216, 40 << 20] {
            let rows = session.query("reading", &format!("SELECT REPEAT('ab', {}), 7", length.div_ceil(2))).unwrap();
            assert_eq!(rows.rows[0][0].as_ref().unwrap().len(), length.div_ceil(2) * 2, "{flavor}");
            assert_eq!(rows.number_at(0, 1), Some(7));
        }
        let mut session = Session::open(&root(&server), Purpose::Write).unwrap();
        let sent = session.query("sending", &format!("SELECT LENGTH('{}')", "x".repeat(17 << 20))).unwrap();
        assert_eq!(sent.number_at(0, 0), Some(17 << 20), "{flavor}");
    }
}

#[test]
fn a_session_knows_its_server() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        let mut session = Session::open(&root(server), Purpose::Control).unwrap();
        let info = session.info().clone();
        assert_eq!(info.version_text, server.version());
        assert_eq!(info.flavor.vendor.name(), flavor.name());
        assert_eq!((info.account.as_str(), info.tls_cipher.as_str(), info.read_only_by()), ("root@%", "", None));
        assert_eq!(session.query("asking", "SELECT CONNECTION_ID()").unwrap().number_at(0, 0), Some(session.connection_id().into()));
        let other = shared(flavor, Role::Destination);
        assert_ne!(info.identity, open(&root(other)).unwrap().info().identity, "two servers of one template");
        assert_eq!(info.identity, open(&root(server)).unwrap().info().identity);
    }
}

#[test]
fn servers_that_take_no_writes_say_why() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().arg("--read-only=ON")).unwrap();
        assert_eq!(open(&root(&server)).unwrap().info().read_only_by(), Some("read_only"), "{flavor}");
        if flavor == Flavor::MySql {
            server.exec("SET GLOBAL super_read_only = ON;").unwrap();
            assert_eq!(open(&root(&server)).unwrap().info().read_only_by(), Some("super_read_only"));
            let mut session = Session::open(&root(&server), Purpose::Ddl).unwrap();
            let error = session.exec("creating", "CREATE DATABASE connect_ro").unwrap_err();
            assert!(error.is_transient(), "a failover may end it: {error:?}");
        }
    }
}
