//! Destinations with settings and tables of their own kind.

use super::*;
use testbed::ServerOptions;

/// A server that logs statements takes no change under READ COMMITTED, and warns of every statement that it cannot log for sure.
#[test]
fn a_destination_that_logs_statements() {
    for flavor in Flavor::ALL {
        if !testbed::have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().binlog(true).arg("--binlog-format=STATEMENT")).expect("a server");
        let bench = Bench::new(Box::leak(Box::new(server)), "statements");
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT); CREATE TABLE nk (a INT, b INT)");
        let (t, nk) = (bench.followed("t"), bench.followed("nk"));
        bench.apply_cleanly(&keyed(&t, &[], &[], &["1,1,1", "2,2,2", "3,3,3", "4,4,4"]));
        let updates = [("1,1,1", "1,1,9"), ("2,2,2", "2,2,9"), ("3,3,3", "3,3,9")];
        bench.apply_cleanly(&keyed(&t, &["4,4,4"], &updates, &["5,5,5"]));
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["1,1,9", "2,2,9", "3,3,9", "5,5,5"]);
        bench.apply(&keyed(&t, &["5,5,5"], &updates, &["6,6,6"]), REPEATABLE).expect("written");
        let changes = vec![insert("1,1"), insert("1,1"), update("1,1", "2,2"), delete("1,1")];
        bench.apply_cleanly(&ordered(&nk, changes));
        assert_eq!(bench.rows("SELECT * FROM nk"), ["2,2"]);
        assert_eq!(bench.rows("SELECT id FROM t ORDER BY id"), ["1", "2", "3", "6"]);
        bench.server.stop().expect("stopped");
    }
}

#[test]
fn keys_over_computed_columns_and_prefixes() {
    on_both("computed", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), g VARCHAR(20) AS (LOWER(v)) STORED, w VARCHAR(20), UNIQUE (g), UNIQUE (w(3)))");
        let t = bench.followed("t");
        bench.apply_cleanly(&keyed(&t, &[], &[], &["1,A,a,abcd", "2,B,b,xyz", "3,C,c,NULL"]));
        // Values under both keys change hands; what a computed key becomes is not for us to say.
        let updates = [("1,A,a,abcd", "1,b,b,xyz1"), ("2,B,b,xyz", "2,a,a,abce"), ("3,C,c,NULL", "3,C,c,qqq")];
        bench.apply_cleanly(&keyed(&t, &[], &updates, &[]));
        assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["1,b,b,xyz1", "2,a,a,abce", "3,C,c,qqq"]);
        let written = bench.apply(&keyed(&t, &[], &[], &["4,c,c,new", "5,E,e,abcz"]), OVERWRITE).expect("written");
        assert_eq!(conflicts(&written), ["insert-exists(g)=1", "insert-exists(w)=1"]);
        assert_eq!(bench.rows("SELECT id FROM t ORDER BY id"), ["1", "4", "5"]);
    });
}

#[test]
fn clocks_of_the_destination_do_not_tick() {
    on_both("clocks", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT, ts TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), hidden INT DEFAULT 7)");
        let t = bench.followed("t");
        let at = "2001-02-03 04:05:06.000007";
        bench.apply_cleanly(&keyed(
            &t,
            &[],
            &[],
            &[&format!("0,1,{at},1"), &format!("1,1,{at},2"), &format!("2,1,{at},3"), &format!("3,1,{at},NULL")],
        ));
        let pairs: Vec<(String, String)> = (0..4).map(|i| (format!("{i},1,{at},1"), format!("{i},2,{at},NULL"))).collect();
        let updates: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        // In one statement, and each alone.
        bench.apply_cleanly(&keyed(&t, &[], &updates, &[]));
        for pair in &updates {
            bench.apply_cleanly(&keyed(&t, &[], &[(pair.1, pair.0)], &[]));
        }
        assert_eq!(bench.rows("SELECT COUNT(*), SUM(v), MIN(ts), MAX(ts) FROM t"), [format!("4,4,{at},{at}")]);
        assert_eq!(bench.rows("SELECT MIN(id) FROM t"), ["0"]);
    });
}

/// Rows of a period have a history, which grows by our changes as by anybody's.
#[test]
fn tables_with_a_history_of_their_own() {
    if !testbed::have(Flavor::MariaDb) {
        return;
    }
    let bench = Bench::new(testbed::shared(Flavor::MariaDb, Role::Destination), "history");
    bench.sql("CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT) WITH SYSTEM VERSIONING");
    let t = bench.followed("t");
    bench.apply_cleanly(&keyed(&t, &[], &[], &["1,1,1", "2,2,2", "3,3,3", "4,4,4"]));
    let updates = [("1,1,1", "1,1,9"), ("2,2,2", "2,2,9"), ("3,3,3", "3,5,9")];
    bench.apply_cleanly(&keyed(&t, &["4,4,4"], &updates, &["6,6,6"]));
    assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["1,1,9", "2,2,9", "3,5,9", "6,6,6"]);
    bench.apply(&keyed(&t, &[], &updates, &["6,6,6", "7,7,7"]), REPEATABLE).expect("written");
    assert_eq!(bench.rows("SELECT * FROM t ORDER BY id"), ["1,1,9", "2,2,9", "3,5,9", "6,6,6", "7,7,7"]);
}
