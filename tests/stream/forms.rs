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
