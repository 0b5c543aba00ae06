//! The same transactions in every form in which a server can write them.

use testbed::{Flavor, Server, ServerOptions, have};

use super::{Transaction, between, now};

const WORK: &str = "
CREATE DATABASE st_f;
CREATE TABLE st_f.t (id INT PRIMARY KEY, v LONGTEXT, n INT);
INSERT INTO st_f.t SELECT seq.n, REPEAT(CHAR(97 + seq.n), 400), seq.n FROM (SELECT 1 n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) seq;
BEGIN;
UPDATE st_f.t SET n = n + 1;
DELETE FROM st_f.t WHERE id = 2;
INSERT INTO st_f.t VALUES (7, 'seven', 7);
COMMIT;
ALTER TABLE st_f.t ADD COLUMN c VARCHAR(200) DEFAULT 'a default that makes this statement long enough to be worth while compressing, as short ones are not';
BEGIN;
UPDATE st_f.t SET c = REPEAT('z', 200);
SAVEPOINT a;
INSERT INTO st_f.t VALUES (8, 'eight', 8, 'c');
COMMIT;
CREATE TABLE st_f.cs AS SELECT id, v FROM st_f.t;
";

/// Row changes and statements alone: GTIDs and places differ from server to server, and so do the sizes of compressed events.
fn said(all: &[Transaction]) -> Vec<Vec<String>> {
    all.iter().map(|t| t.lines.iter().filter(|l| !l.starts_with("begin")).cloned().collect()).collect()
}

fn done_by(server: &Server, work: &str) -> Vec<Transaction> {
    let start = now(server);
    server.exec(work).unwrap();
    let end = now(server);
    let all = between(server, &start, &end);
    for (index, transaction) in all.iter().enumerate() {
        assert_eq!(between(server, &transaction.end, &end), all[index + 1..], "from {}", transaction.end);
    }
    all
}

#[test]
fn compression_and_checksums_change_nothing() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let plain = Server::start(flavor, ServerOptions::new()).unwrap();
        let expected = said(&done_by(&plain, WORK));
        assert_eq!(expected.len(), 7, "{expected:#?}");
        drop(plain);
        let packed = ServerOptions::new().arg("--binlog-checksum=NONE");
        let packed = match flavor {
            Flavor::MySql => packed.arg("--binlog-transaction-compression=ON"),
            Flavor::MariaDb => packed.arg("--log-bin-compress=ON").arg("--log-bin-compress-min-len=10"),
        };
        let packed = Server::start(flavor, packed).unwrap();
        assert_eq!(said(&done_by(&packed, WORK)), expected, "{flavor}");
        // From one kind of file to the other and back, within one stream.
        let again = "DROP DATABASE st_f;\nSET GLOBAL binlog_checksum = CRC32;\n".to_owned() + WORK + "SET GLOBAL binlog_checksum = NONE;\n";
        let all = done_by(&packed, &(again + "INSERT INTO st_f.t VALUES (9, 'nine', 9, 'c');\n"));
        assert_eq!(said(&all)[1..8], expected, "{flavor}");
        assert_eq!(all.len(), 9, "{flavor}");
    }
}

#[test]
fn events_of_more_than_a_packet_come_whole() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        for compress in [false, true] {
            let mut options = ServerOptions::new().arg("--max-allowed-packet=128M");
            options = options.arg(if flavor == Flavor::MySql { "--innodb-redo-log-capacity=512M" } else { "--innodb-log-file-size=512M" });
            if compress {
                options =
                    options.arg(if flavor == Flavor::MySql { "--binlog-transaction-compression=ON" } else { "--log-bin-compress=ON" });
            }
            let server = Server::start(flavor, options).unwrap();
            server.exec("CREATE DATABASE st_b;\nCREATE TABLE st_b.t (id INT PRIMARY KEY, v LONGBLOB);").unwrap();
            let start = now(&server);
            let random = "REPEAT(RANDOM_BYTES(1000), 40000)";
            server.exec(&format!("BEGIN;\nINSERT INTO st_b.t VALUES (1, {random});\nINSERT INTO st_b.t VALUES (2, 'b');\nUPDATE st_b.t SET v = CONCAT(v, 'x');\nCOMMIT;")).unwrap();
            let all = between(&server, &start, &now(&server));
            assert_eq!(all.len(), 1);
            let size = |line: &str| line.split(' ').nth(2).and_then(|n| n.parse::<usize>().ok());
            let sizes: Vec<_> = all[0].lines.iter().filter(|l| !l.starts_with("begin")).filter_map(|l| size(l)).collect();
            assert_eq!(sizes[0], 40_000_009, "{flavor} {:?}", all[0].lines);
            assert!(sizes[2..].iter().sum::<usize>() > 80_000_000, "{flavor} {sizes:?}");
        }
    }
}

/// What comes in STATEMENT format is handed on as a statement, for somebody to stop at.
#[test]
fn statements_are_told_from_rows() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        server.exec("CREATE DATABASE st_s;\nCREATE TABLE st_s.t (id INT PRIMARY KEY AUTO_INCREMENT, v DOUBLE);").unwrap();
        let start = now(&server);
        server
            .exec("SET SESSION binlog_format = STATEMENT;\nSET @a = 5;\nBEGIN;\nINSERT INTO st_s.t (v) VALUES (@a), (RAND());\nSET SESSION sql_mode = 'ANSI';\nUPDATE st_s.t SET v = 1;\nCOMMIT;")
            .unwrap();
        let all = said(&between(&server, &start, &now(&server)));
        assert_eq!(
            all,
            [[
                "statement in '': INSERT INTO st_s.t (v) VALUES (@a), (RAND())".to_owned(),
                "statement in '': UPDATE st_s.t SET v = 1".to_owned()
            ]],
            "{flavor}"
        );
    }
}

/// A statement carries what it needs to be understood as it was there.
#[test]
fn statements_carry_their_session() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        server.exec("CREATE DATABASE st_q CHARACTER SET latin1;").unwrap();
        let start = now(&server);
        server
            .exec(
                "USE st_q;\nSET NAMES latin1;\nSET SESSION sql_mode = 'ANSI_QUOTES', foreign_key_checks = 0, time_zone = '+05:30', explicit_defaults_for_timestamp = 0;\nSET timestamp = 1700000000.25;\nCREATE TABLE a (t TIMESTAMP);\nINSERT INTO a VALUES ('2020-01-01');\nSET SESSION sql_mode = '', foreign_key_checks = 1, explicit_defaults_for_timestamp = 1;\nSET NAMES utf8mb4;\nALTER TABLE a ADD COLUMN u TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6);",
            )
            .unwrap();
        let end = now(&server);
        let folder = tempfile::tempdir().unwrap();
        let login = super::login(&server);
        let mut stream = dtsctl::binlog::Stream::open(super::settings(&login, &start, &folder)).unwrap();
        let mut found = Vec::new();
        loop {
            match stream.next_item().unwrap() {
                dtsctl::binlog::Item::Statement(statement) => found.push(statement),
                dtsctl::binlog::Item::Commit(position) if position.covers(&end) == Some(true) => break,
                _ => {}
            }
        }
        let [a, b] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!((a.database.as_str(), a.sql_mode & 4, a.foreign_key_checks), ("st_q", 4, false), "{flavor} {a:?}");
        assert_eq!((a.charset_client, a.collation_database.unwrap_or(8), a.seconds), (8, 8, 1_700_000_000), "{flavor} {a:?}");
        assert_eq!((a.explicit_defaults_for_timestamp, b.explicit_defaults_for_timestamp), (Some(false), Some(true)), "{flavor}");
        assert_eq!((b.sql_mode & 4, b.foreign_key_checks, b.charset_client > 30), (0, true, true), "{flavor} {b:?}");
        assert_eq!(b.microseconds, Some(250_000), "{flavor} {b:?}");
    }
}
