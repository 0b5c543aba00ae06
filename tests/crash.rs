//! Crashes and faults during apply.

use testbed::{Flavor, Server, ServerOptions};

use crate::support::Task;

#[test]
fn smoke() {
    let source = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    let destination = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    source.exec("CREATE DATABASE a;\nCREATE TABLE a.t (id INT PRIMARY KEY);\nINSERT INTO a.t VALUES (1);").unwrap();
    let task = Task::new("smoke", &source, &destination, "objects:\n  - database: a\n");
    let outcome = task.run(&["apply", "--yes"]);
    eprintln!("{}", outcome.shown());
    outcome.expect(0);
    eprintln!("{}", task.run(&["plan"]).shown());
}
