//! What has not happened does not come: savepoints, rollbacks, XA.

use testbed::{Flavor, Server, ServerOptions, have};

use super::{Transaction, between, login, now, read, settings};

fn rows(all: &[Transaction]) -> Vec<Vec<String>> {
    let short = |l: &String| l.split(" bytes").next().unwrap_or_default().to_owned();
    all.iter().map(|t| t.lines.iter().filter(|l| !l.starts_with("begin")).map(short).collect()).collect()
}

const TABLES: &str = "
CREATE DATABASE st_x;
CREATE TABLE st_x.t (id INT PRIMARY KEY, v VARCHAR(50)) ENGINE=InnoDB;
CREATE TABLE st_x.m (id INT PRIMARY KEY, v VARCHAR(50)) ENGINE=MyISAM;
";

#[test]
fn savepoints_and_rollbacks() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        server.exec(TABLES).unwrap();
        for (work, expected) in [
            (
                "BEGIN;\nINSERT INTO st_x.t VALUES (1,'a');\nSAVEPOINT s;\nINSERT INTO st_x.t VALUES (2,'bb');\nROLLBACK TO s;\nINSERT INTO st_x.t VALUES (3,'ccc');\nCOMMIT;",
                &[&["insert st_x.t 7", "insert st_x.t 9"][..]][..],
            ),
            (
                "BEGIN;\nINSERT INTO st_x.t VALUES (11,'a');\nCREATE TEMPORARY TABLE st_x.tt (i INT);\nINSERT INTO st_x.tt VALUES (1);\nSAVEPOINT s;\nINSERT INTO st_x.t VALUES (12,'bb');\nROLLBACK TO s;\nINSERT INTO st_x.t VALUES (13,'ccc');\nCOMMIT;",
                &[&["insert st_x.t 7", "insert st_x.t 9"]],
            ),
            (
                "BEGIN;\nINSERT INTO st_x.t VALUES (31,'a');\nCREATE TEMPORARY TABLE st_x.t2 (i INT);\nINSERT INTO st_x.t2 VALUES (1);\nROLLBACK;",
                &[],
            ),
        ] {
            let start = now(&server);
            server.exec(work).unwrap();
            let all = between(&server, &start, &now(&server));
            let all: Vec<_> = rows(&all).into_iter().filter(|t| t.iter().any(|l| !l.contains("TEMPORARY"))).collect();
            assert_eq!(all, expected, "{flavor} {work}");
        }
        // What a savepoint takes back is written where it cannot be cut out: here since a trigger writes to a table without transactions.
        if flavor == Flavor::MariaDb {
            server.exec("CREATE TABLE st_x.log (id INT) ENGINE=MyISAM;\nCREATE TABLE st_x.r (id INT PRIMARY KEY, v VARCHAR(50));\nCREATE TRIGGER st_x.tr AFTER INSERT ON st_x.r FOR EACH ROW INSERT INTO st_x.log VALUES (NEW.id);").unwrap();
            let start = now(&server);
            server.exec("BEGIN;\nINSERT INTO st_x.r VALUES (3,'a');\nSAVEPOINT s;\nINSERT INTO st_x.r VALUES (4,'bb');\nROLLBACK TO s;\nINSERT INTO st_x.r VALUES (5,'ccc');\nCOMMIT;").unwrap();
            let expected =
                [&["insert st_x.log 5"][..], &["insert st_x.log 5"], &["insert st_x.log 5"], &["insert st_x.r 7", "insert st_x.r 9"]];
            assert_eq!(rows(&between(&server, &start, &now(&server))), expected);
        }
        // Tables without transactions keep what a rollback takes from others; a server with GTIDs refuses to mix them.
        if flavor == Flavor::MariaDb {
            for (work, expected) in [
                (
                    "BEGIN;\nINSERT INTO st_x.t VALUES (41,'a');\nINSERT INTO st_x.m VALUES (42,'bb');\nINSERT INTO st_x.t VALUES (43,'ccc');\nROLLBACK;",
                    &[&["insert st_x.m 8"][..]][..],
                ),
                (
                    "BEGIN;\nINSERT INTO st_x.t VALUES (51,'a');\nSAVEPOINT s;\nINSERT INTO st_x.m VALUES (52,'bb');\nINSERT INTO st_x.t VALUES (53,'ccc');\nROLLBACK TO s;\nCOMMIT;",
                    &[&["insert st_x.m 8"], &["insert st_x.t 7"]],
                ),
            ] {
                let start = now(&server);
                server.exec(work).unwrap();
                let all = between(&server, &start, &now(&server));
                assert_eq!(rows(&all), expected, "{flavor} {work}");
            }
        }
    }
}

#[test]
fn xa_comes_with_its_commit_or_not_at_all() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        server.exec(TABLES).unwrap();
        let start = now(&server);
        let prepare = |xid: &str, id: u32| {
            server.exec(&format!("XA START '{xid}','b',7;\nINSERT INTO st_x.t VALUES ({id},'{xid}');\nUPDATE st_x.t SET v = 'u' WHERE id = {id};\nXA END '{xid}','b',7;\nXA PREPARE '{xid}','b',7;")).unwrap();
        };
        let insert = |id: u32| server.exec(&format!("INSERT INTO st_x.t VALUES ({id}, 'plain');")).unwrap();
        insert(1);
        prepare("kept", 2);
        insert(3);
        prepare("dropped", 4);
        insert(5);
        let prepared = now(&server);
        server.restart().unwrap();
        insert(6);
        server.exec("XA ROLLBACK 'dropped','b',7;").unwrap();
        server.exec("XA COMMIT 'kept','b',7;").unwrap();
        server.exec("XA START 'once';\nINSERT INTO st_x.t VALUES (7,'once');\nXA END 'once';\nXA COMMIT 'once' ONE PHASE;").unwrap();
        insert(8);
        let end = now(&server);
        let all = between(&server, &start, &end);
        let plain = "insert st_x.t 11".to_owned();
        let expected = [
            vec![plain.clone()],
            vec![plain.clone()],
            vec![plain.clone()],
            vec![plain.clone()],
            vec!["insert st_x.t 10".to_owned(), "update st_x.t 17".to_owned()],
            vec!["insert st_x.t 10".to_owned()],
            vec![plain],
        ];
        assert_eq!(rows(&all), expected, "{flavor} {all:#?}");
        let waits: Vec<bool> = all.iter().map(|t| t.read_from.is_some()).collect();
        assert_eq!(waits, [false, true, true, true, false, false, false], "{flavor} {all:#?}");
        // Wherever the task stopped: read from what was named, hand on what was not applied.
        let login = login(&server);
        let folder = tempfile::tempdir().unwrap();
        for (index, transaction) in all.iter().enumerate() {
            let mut again = settings(&login, transaction.read_from.as_ref().unwrap_or(&transaction.end), &folder);
            again.applied = Some(transaction.end.clone());
            assert_eq!(read(again, &end).unwrap(), all[index + 1..], "{flavor} from {}", transaction.end);
        }
        // Begun after it was prepared, its rows are lost to us, which must be said.
        let lost = read(settings(&login, &prepared, &folder), &end).unwrap_err();
        assert!(lost.to_string().contains("X'6b657074',X'62',7 is committed at"), "{flavor} {lost}");
    }
}
