//! One to many and a chain (requirements F02, F03): each arrow is a task of its own.

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
