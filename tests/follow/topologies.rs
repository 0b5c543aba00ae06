//! One to many, a chain and many to one (requirements F02, F03, F04): each arrow is a task of its own.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions, equal, have};

use super::bed::{CATCH_UP, PHASES};
use crate::support::Task;

/// The source feeds two servers, and one of these a third.
#[test]
fn one_source_feeds_two_servers_and_one_of_them_a_third() {
    for flavor in Flavor::ALL.into_iter().filter(|&flavor| have(flavor)) {
        let start = || Server::start(flavor, ServerOptions::new()).expect("a server");
        let (source, left, right, last) = (start(), start(), start(), start());
        source
            .exec("CREATE DATABASE arrows;\nCREATE TABLE arrows.t (id INT PRIMARY KEY, v VARCHAR(20));\nINSERT INTO arrows.t VALUES (1,'a'),(2,'b')")
            .expect("rows");
        let spec = format!("{PHASES}objects: [{{database: arrows}}]\n");
        let tasks = [
            (Task::new("to_left", &source, &left, &spec), &left),
            (Task::new("to_right", &source, &right, &spec), &right),
            // What the first task writes is in the middle server's binlog like anybody's transactions.
            (Task::new("onwards", &left, &last, &spec), &last),
        ];
        let mut conn = source.root_conn().expect("a connection");
        for round in [
            "UPDATE arrows.t SET v = 'c' WHERE id = 1",
            "ALTER TABLE arrows.t ADD COLUMN n INT DEFAULT 7",
            "INSERT INTO arrows.t VALUES (3,'x',8)",
        ] {
            for (task, end) in &tasks {
                task.run(&CATCH_UP).expect(0);
                let mut there = end.root_conn().expect("a connection");
                if let Err(problem) = equal::compare_databases(&mut conn, "arrows", &mut there, "arrows") {
                    panic!("{flavor}, before {round:?}: {problem}");
                }
            }
            let mut writer = source.root_conn().expect("a connection");
            writer.query_drop(round).expect("a change");
        }
    }
}

/// Several sources feed one table; their rows never meet, and lie among each other (requirement F04).
#[test]
fn several_sources_feed_one_table() {
    for flavor in Flavor::ALL.into_iter().filter(|&flavor| have(flavor)) {
        let start = || Server::start(flavor, ServerOptions::new()).expect("a server");
        let (odd, even, destination) = (start(), start(), start());
        let table = "CREATE DATABASE shard;\nCREATE TABLE shard.t (id INT PRIMARY KEY, v VARCHAR(20));\n\
                     CREATE TABLE shard.p (id INT PRIMARY KEY) \
                     PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN MAXVALUE);";
        odd.exec(&format!("{table}\nINSERT INTO shard.t VALUES (1,'a'),(3,'b'),(5,'c');\nINSERT INTO shard.p VALUES (1),(11)"))
            .expect("rows");
        even.exec(&format!("{table}\nINSERT INTO shard.t VALUES (2,'a'),(4,'b');\nINSERT INTO shard.p VALUES (2),(12)")).expect("rows");
        // Where the tables of online changes would be carried, none of them may take the place of all rows (DT275).
        let spec = format!("{PHASES}objects: [{{database: shard, rename: whole}}]\nonline_ddl: {{mode: gh-ost}}\n");
        let first = Task::new("from_odd", &odd, &destination, &spec);
        let second = Task::new("from_even", &even, &destination, &format!("{spec}conflict: {{existing_tables: ignore}}\n"));
        let mut conn = destination.root_conn().expect("a connection");
        let mut other = destination.root_conn().expect("a connection");
        let mut numbers = |sql: &str| -> Vec<i64> { other.query(sql).expect("numbers") };
        let mut whole = || -> Vec<(i32, String)> { conn.query("SELECT id, v FROM whole.t ORDER BY id").expect("rows") };
        let rows = |rows: &[(i32, &str)]| rows.iter().map(|(id, v)| (*id, (*v).to_owned())).collect::<Vec<_>>();
        first.run(&CATCH_UP).expect(0);
        second.run(&CATCH_UP).expect(0);
        assert_eq!(whole(), rows(&[(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c")]), "{flavor}");
        odd.exec("UPDATE shard.t SET v = 'x' WHERE id = 3;\nDELETE FROM shard.t WHERE id = 1").expect("changes");
        even.exec("INSERT INTO shard.t VALUES (6,'d');\nUPDATE shard.t SET id = 8 WHERE id = 2").expect("changes");
        first.run(&CATCH_UP).expect(0);
        second.run(&CATCH_UP).expect(0);
        assert_eq!(whole(), rows(&[(3, "x"), (4, "b"), (5, "c"), (6, "d"), (8, "a")]), "{flavor}");

        // What empties, drops or replaces the table of one source would take the others' rows with it.
        odd.exec(
            "TRUNCATE shard.t;\nINSERT INTO shard.t VALUES (7,'new');\nALTER TABLE shard.p DROP PARTITION low;\nINSERT INTO shard.p VALUES (13)",
        )
        .expect("changes");
        let outcome = first.run(&CATCH_UP);
        outcome.expect(0).says("holds rows of task from_even too");
        assert_eq!(whole(), rows(&[(3, "x"), (4, "b"), (5, "c"), (6, "d"), (7, "new"), (8, "a")]), "{flavor}");
        let failed = first.json(&["status"])["ddl"].to_string();
        assert!(failed.contains("TRUNCATE") && failed.contains("DROP PARTITION low"), "{flavor}: {failed}");
        first.run(&["apply", "--yes", "--restart"]).expect(3).says("feeds too");
        assert_eq!(numbers("SELECT COUNT(*) FROM whole.t UNION ALL SELECT COUNT(*) FROM whole.p"), [6, 5], "{flavor}: nothing is dropped");
        odd.exec("DROP TABLE shard.t, shard.p").expect("dropped");
        first.run(&CATCH_UP).expect(0).says("holds rows of task from_even too");
        assert_eq!(numbers("SELECT COUNT(*) FROM whole.t UNION ALL SELECT COUNT(*) FROM whole.p"), [6, 5], "{flavor}");
        // When the other task is no more, the table is this task's own.
        destination.exec("DELETE FROM dts.dtsctl_table WHERE task = 'from_even'").expect("forgotten");
        odd.exec(&table[table.find("CREATE TABLE").expect("a table")..]).expect("tables");
        first.run(&["apply", "--yes", "--restart", "--until", "caught-up"]).expect(0);
        assert_eq!(numbers("SELECT COUNT(*) FROM whole.t UNION ALL SELECT COUNT(*) FROM whole.p"), [0, 0], "{flavor}");
    }
}
