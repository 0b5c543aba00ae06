//! Rows around the destination's `max_allowed_packet`.

use mysql::prelude::Queryable;
use testbed::{Flavor, Server, ServerOptions};

use super::{assert_all_there, assert_nothing_left, objects};
use crate::support::{Task, until};

/// Values of all sizes that fit beside ones that do not, by `LOAD DATA` and by `INSERT`, which spells a byte that is no text with two.
fn around_the_packet(flavor: Flavor, packet: &str, sizes: &[u32], too_large_in_hex: u32, too_large: u32) {
    if !testbed::have(flavor) {
        return;
    }
    let source = Server::start(flavor, ServerOptions::new().arg("--max-allowed-packet=64M")).unwrap();
    source.exec("CREATE DATABASE shop;\nCREATE TABLE shop.rows_of_all_sizes (id INT PRIMARY KEY, v LONGBLOB);\n").unwrap();
    let mut id = 0;
    let mut add = |size: u32, byte: &str| {
        id += 1;
        source.exec(&format!("INSERT INTO shop.rows_of_all_sizes VALUES ({id}, REPEAT({byte}, {size}));")).unwrap();
    };
    for &size in sizes {
        for _ in 0..20 {
            add(size, "'a'");
        }
        add(size / 2, "x'ff'");
        add(size / 2, "x'00'");
    }
    for local_infile in ["1", "0"] {
        let way = if local_infile == "1" { "LOAD DATA" } else { "INSERT" };
        let options = ServerOptions::new().arg(format!("--max-allowed-packet={packet}")).arg(format!("--local-infile={local_infile}"));
        let destination = Server::start(flavor, options).unwrap();
        let name = format!("packet-{local_infile}");
        let task = Task::new(&name, &source, &destination, &objects("shop"));
        let outcome = task.run(&["apply", "--yes"]);
        assert_eq!(outcome.code, Some(0), "{way}: {}", outcome.shown());
        // The proof spells each byte with two.
        let mut conn = destination.root_conn().unwrap();
        let before: u64 = conn.query_first("SELECT @@GLOBAL.max_allowed_packet").unwrap().unwrap();
        conn.query_drop("SET GLOBAL max_allowed_packet = 67108864").unwrap();
        assert_all_there(&name, &source, &destination, "shop");
        conn.query_drop(format!("SET GLOBAL max_allowed_packet = {before}")).unwrap();
        assert_nothing_left(&task);
        if local_infile == "1" {
            // A row that grew after the plan had looked: the read lock holds the run up between the two.
            source.exec("CREATE TABLE shop.grown (id INT PRIMARY KEY, v LONGBLOB);\nINSERT INTO shop.grown VALUES (1, 'small');").unwrap();
            conn.query_drop("FLUSH TABLES WITH READ LOCK").unwrap();
            let mut running = task.start(&["apply", "--yes"], &[]);
            until("the run to wait", || {
                assert!(!running.has_ended(), "{}", running.said());
                let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%dtsctl%' AND STATE LIKE 'Waiting for %lock%' AND ID <> CONNECTION_ID()";
                conn.query_first::<u64, _>(sql).unwrap() > Some(0)
            });
            source.exec(&format!("INSERT INTO shop.grown VALUES (2, REPEAT('a', {too_large}));")).unwrap();
            conn.query_drop("UNLOCK TABLES").unwrap();
            running.end().expect(0);
            // The rows of LOAD DATA are no packet's content: seen on 10.11.19 and 9.7.4.
            let size: Option<u32> = conn.query_first("SELECT MAX(LENGTH(v)) FROM shop.grown").unwrap();
            assert_eq!(size, Some(too_large));
            source.exec("DROP TABLE shop.grown;").unwrap();
            conn.query_drop("DROP TABLE shop.grown").unwrap();
            continue;
        }
        // What fits as it is, but not as two digits a byte, is only known when it is met: the run stops there and says so.
        source.exec(&format!("CREATE TABLE shop.hex (id INT PRIMARY KEY, v LONGBLOB);\nINSERT INTO shop.hex VALUES (1, 'small'), (2, REPEAT(x'ff', {too_large_in_hex}));")).unwrap();
        let outcome = task.run(&["apply", "--yes"]);
        assert_eq!(outcome.code, Some(1), "{way}: {}", outcome.shown());
        // The server ends the connection in the middle of such a statement: that looked like a broken network and was tried again, for
        // twelve hours if the spec says nothing else.
        outcome.says("shop.hex, range 0 after 0 rows: a row takes a statement of ").says("hint: SET GLOBAL max_allowed_packet");
        assert!(!outcome.stderr.contains("waits:"), "{}", outcome.stderr);
        let rows: Option<u64> = conn.query_first("SELECT COUNT(*) FROM shop.hex").unwrap();
        assert_eq!(rows, Some(0), "nothing of the chunk stays");
        source.exec("DROP TABLE shop.hex;").unwrap();
        conn.query_drop("DROP TABLE shop.hex").unwrap();
    }
    // What does not fit at all is refused before anything is done.
    source
        .exec(&format!(
            "CREATE TABLE shop.large (id INT PRIMARY KEY, v LONGBLOB);\nINSERT INTO shop.large VALUES (1, REPEAT('a', {too_large}));"
        ))
        .unwrap();
    let destination = Server::start(flavor, ServerOptions::new().arg(format!("--max-allowed-packet={packet}"))).unwrap();
    let task = Task::new("packet", &source, &destination, &objects("shop"));
    task.run(&["apply", "--yes"]).expect(3).says("DT215: shop.large: the widest row has ").says("hint: ");
    let there: Option<String> = destination.root_conn().unwrap().query_first("SHOW DATABASES LIKE 'shop'").unwrap();
    assert_eq!(there, None, "nothing was executed");
}

#[test]
fn rows_around_the_packet_on_mariadb() {
    around_the_packet(Flavor::MariaDb, "64K", &[1, 900, 12_000, 30_000], 40_000, 70_000);
}

#[test]
fn rows_around_the_packet_on_mysql() {
    around_the_packet(Flavor::MySql, "1M", &[1, 20_000, 300_000, 700_000], 800_000, 1_200_000);
}
