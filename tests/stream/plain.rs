//! Ordinary transactions, rotation, restarts, and reading again from every commit.

use testbed::{Flavor, Server, ServerOptions, have};

use super::{between, now};

/// Statements of ordinary life, some of which are no transactions of ours.
const LIFE: &str = "
CREATE DATABASE st_a;
CREATE DATABASE other;
CREATE TABLE st_a.t (id INT PRIMARY KEY, v VARCHAR(300));
CREATE TABLE other.t (id INT PRIMARY KEY, v VARCHAR(300));
INSERT INTO st_a.t VALUES (1, 'a'), (2, 'b');
INSERT INTO other.t VALUES (1, 'a');
BEGIN;
UPDATE st_a.t SET v = REPEAT('x', 300) WHERE id = 1;
INSERT INTO other.t VALUES (2, 'a');
DELETE FROM st_a.t WHERE id = 2;
COMMIT;
BEGIN;
INSERT INTO st_a.t VALUES (9, 'never');
ROLLBACK;
FLUSH BINARY LOGS;
ALTER TABLE st_a.t ADD COLUMN w INT DEFAULT 5;
CREATE TABLE st_a.ct AS SELECT id, v FROM st_a.t;
INSERT INTO st_a.t VALUES (3, REPEAT('y', 300), 6);
TRUNCATE TABLE other.t;
DROP TABLE st_a.ct;
FLUSH BINARY LOGS;
UPDATE st_a.t SET w = w + 1;
";

#[test]
fn every_commit_is_a_place_to_go_on_from() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        let start = now(&server);
        server.exec(LIFE).unwrap();
        let end = now(&server);
        let all = between(&server, &start, &end);
        assert_eq!(all.len(), 13, "{all:#?}");
        for (index, transaction) in all.iter().enumerate() {
            assert_eq!(between(&server, &transaction.end, &end), all[index + 1..], "{flavor} from {}", transaction.end);
        }
    }
}
