//! Servers whose settings would bend or break a copy if sessions did not set their own, and settings that no session can change.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions, have};

use super::bed::Bed;
use crate::support::{End, Task};

/// What a server of either vendor can be set to that a session may set otherwise.
const BOTH: [&str; 17] = [
    "autocommit=0",
    "completion-type=CHAIN",
    "default-storage-engine=MyISAM",
    "event-scheduler=ON",
    "innodb-lock-wait-timeout=1",
    "innodb-strict-mode=OFF",
    "lock-wait-timeout=1",
    "max-error-count=1",
    "max-join-size=3",
    "max-sort-length=8",
    "net-read-timeout=1",
    "net-write-timeout=1",
    "sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH",
    "transaction-isolation=SERIALIZABLE",
    "wait-timeout=5",
    "interactive-timeout=5",
    "default-time-zone=+05:30",
];

fn odd(flavor: Flavor) -> Server {
    let further: &[&str] = match flavor {
        // A millisecond: every statement over the rows would be killed.
        Flavor::MySql => &["max-execution-time=1", "explicit-defaults-for-timestamp=OFF"],
        Flavor::MariaDb => &["max-statement-time=0.001", "idle-transaction-timeout=1", "explicit-defaults-for-timestamp=OFF"],
    };
    let options = BOTH.iter().chain(further).fold(ServerOptions::new(), |options, setting| options.arg(format!("--{setting}")));
    Server::start(flavor, options).expect("a server")
}

#[test]
fn settings_that_sessions_do_not_inherit() {
    for flavor in Flavor::ALL.into_iter().filter(|&flavor| have(flavor)) {
        let (from, to) = (odd(flavor), odd(flavor));
        let mut bed = Bed::on(&from, &to, "odd");
        for conn in [&mut bed.source, &mut bed.destination] {
            let own = "autocommit=1, completion_type=0, max_join_size=18446744073709551615, sql_big_selects=1, wait_timeout=600";
            conn.query_drop(format!("SET SESSION {own}")).expect("settings of the test's own sessions");
            let time = if flavor == Flavor::MySql { "max_execution_time=0" } else { "max_statement_time=0" };
            conn.query_drop(format!("SET SESSION {time}")).expect("no limit");
        }
        let db = bed.db.clone();
        bed.carries(
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(30), c CHAR(10), at TIMESTAMP NULL, d DATETIME, UNIQUE KEY (v)) ENGINE=InnoDB;\n\
             INSERT INTO t VALUES (0,'back\\\\slash \"quoted\"','pad','2024-11-03 05:30:00','0000-00-00 00:00:00'),(1,'x','y','2024-11-03 06:30:00',NULL);\n\
             CREATE TABLE keyless (a INT, b VARCHAR(10)) ENGINE=InnoDB;\nINSERT INTO keyless VALUES (1,'x'),(1,'x'),(NULL,NULL);\n\
             CREATE TABLE many (id INT PRIMARY KEY AUTO_INCREMENT, pad CHAR(200) NOT NULL DEFAULT 'x') ENGINE=InnoDB;\n\
             INSERT INTO many (pad) VALUES ('a'),('b'),('c'),('d'),('e'),('f'),('g'),('h');\n\
             INSERT INTO many (pad) SELECT x.pad FROM many x, many y, many z, many w, many u;\n\
             CREATE VIEW seen AS SELECT COUNT(*) AS n FROM t",
            "CREATE TABLE later (id INT PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT '2001-01-01 00:00:00');\n\
             INSERT INTO later (id) VALUES (1);\nUPDATE many SET pad = CONCAT(pad, '!') WHERE id % 3 = 0;\nDELETE FROM keyless LIMIT 1;\n\
             UPDATE t SET v = 'z' WHERE id = 1;\nALTER TABLE t ADD COLUMN extra VARCHAR(10) DEFAULT 'e'",
        );
        let engines = format!(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{db}' AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'"
        );
        assert_eq!(bed.numbers(&engines), [0], "{flavor}: the statement of the binlog named no engine");
    }
}

/// An account for which the server runs a statement that fails: its sessions end before they begin.
#[test]
fn sessions_that_the_server_spoils_are_told_of() {
    for flavor in Flavor::ALL.into_iter().filter(|&flavor| have(flavor)) {
        let (from, to) = (
            Server::start(flavor, ServerOptions::new()).expect("a server"),
            Server::start(flavor, ServerOptions::new()).expect("a server"),
        );
        from.exec("CREATE DATABASE spoilt;\nCREATE TABLE spoilt.t (id INT PRIMARY KEY)").expect("a table");
        to.exec(
            "CREATE USER 'plain'@'%' IDENTIFIED BY 'pw-plain';\nGRANT ALL ON spoilt.* TO 'plain'@'%';\nGRANT ALL ON dts.* TO 'plain'@'%'",
        )
        .expect("an account");
        to.exec("SET GLOBAL init_connect='SELECT * FROM nowhere.nothing'").expect("set");
        let end = End { user: "plain".to_owned(), password: "pw-plain".to_owned(), ..End::from(&to) };
        let task = Task::new("spoilt", &from, end, "objects: [{database: spoilt}]\n");
        let plan = task.run(&["plan"]);
        plan.expect(1);
        assert!(plan.stderr.contains("init_connect"), "{flavor}: {}", plan.stderr);
    }
}
