//! The traps of tools of this kind, through the whole program: each is a way in which rows have been lost or bent. Equality is shown by
//! the servers, `verify` has to agree, and has to see what is changed afterwards.

use mysql::{Conn, prelude::Queryable as _};
use testbed::{Flavor, Role, Server, ServerOptions, have};

use super::{Bed, shown};
use crate::support::Task;

/// On all four pairs.
fn each(name: &str, test: impl Fn(&mut Bed)) {
    for (from, to) in Flavor::PAIRS {
        if let Some(mut bed) = Bed::new(from, to, name) {
            eprintln!("{from} -> {to}");
            test(&mut bed);
        }
    }
}

/// Trap 1: a FLOAT's text has six digits.
#[test]
fn floats_keep_their_bits() {
    each("trap_float", |bed| {
        bed.source(
            "CREATE TABLE f (id INT PRIMARY KEY, v FLOAT, d DOUBLE);\n\
             INSERT INTO f VALUES (1, 0.010516252390057362, 0.1), (2, 16777217, 1e300), (3, 123456789, 5e-324), (4, -0e0, -0e0)",
        );
        bed.carried();
        bed.destination(&format!("USE `{}`;\nUPDATE f SET v = 0.0105163 WHERE id = 1", bed.db));
        let differs = bed.run(&["verify", "--keys", "--format", "json"]);
        assert_eq!(keys(&differs.expect(4).stdout), ["f different 1"]);
    });
}

/// Table, kind and key of each row that a receipt names.
fn keys(receipt: &str) -> Vec<String> {
    let receipt: serde_json::Value = serde_json::from_str(receipt).expect("a receipt");
    let mut found = Vec::new();
    for table in receipt["tables"].as_array().expect("tables") {
        for row in table["rows"].as_array().expect("rows") {
            let key: Vec<&str> = row["key"].as_array().expect("a key").iter().map(|k| k["value"].as_str().unwrap_or("NULL")).collect();
            found.push(format!(
                "{} {} {}",
                table["source"]["table"].as_str().expect("a name"),
                row["kind"].as_str().expect("a kind"),
                key.join(",")
            ));
        }
    }
    found.sort();
    found
}

/// Trap 2: an error that is the same in an even number of rows, rows swapped, NULL and 'NULL', a row more and a row less.
#[test]
fn verify_names_exactly_the_rows_that_were_tampered_with() {
    each("trap_cancel", |bed| {
        let rows = (1..=2000).map(|i| format!("({i}, '2022-02-23 11:22:00', 'v{i}')")).collect::<Vec<_>>().join(",");
        bed.source(&format!("CREATE TABLE t (id INT PRIMARY KEY, at DATETIME, v VARCHAR(20));\nINSERT INTO t VALUES {rows}"));
        bed.carried();
        bed.destination(&format!(
            "USE `{}`;\nUPDATE t SET at = at + INTERVAL 10 MINUTE WHERE id IN (17, 18, 1500, 1501);\n\
             UPDATE t SET v = IF(id = 700, 'v701', 'v700') WHERE id IN (700, 701);\nUPDATE t SET v = 'NULL' WHERE id = 900;\n\
             DELETE FROM t WHERE id = 1000;\nINSERT INTO t VALUES (5000, NULL, NULL)",
            bed.db
        ));
        let expected: Vec<String> = ["17", "18", "1500", "1501", "700", "701", "900"].iter().map(|k| format!("t different {k}")).collect();
        let mut expected = [expected, vec!["t missing 1000".to_owned(), "t extra 5000".to_owned()]].concat();
        expected.sort();
        let differs = bed.run(&["verify", "--keys", "--format", "json"]);
        assert_eq!(keys(&differs.expect(4).stdout), expected);
        // Keys are values of rows: without the flag nobody is told them.
        let differs = bed.run(&["verify", "--format", "json"]);
        assert!(!differs.expect(4).stdout.contains("1501"), "{}", differs.stdout);
    });
}

/// Trap 3: both servers in New York, where an hour comes twice; TIMESTAMP is an instant and DATETIME is none.
#[test]
fn instants_of_the_folded_hour_stay_apart() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let own = || Server::start(flavor, ServerOptions::new().env("TZ", "EST5EDT,M3.2.0,M11.1.0")).expect("a server");
        let (from, to) = (own(), own());
        let (mut source, mut destination) = (from.root_conn().expect("source"), to.root_conn().expect("destination"));
        testbed::sql::run(
            &mut source,
            "CREATE DATABASE zone;\nUSE zone;\nSET time_zone = '+00:00';\n\
             CREATE TABLE ts (id INT PRIMARY KEY, t TIMESTAMP NULL, d DATETIME);\n\
             INSERT INTO ts VALUES (1, '2024-11-03 05:30:00', '2024-11-03 01:30:00'), (2, '2024-11-03 06:30:00', '2024-11-03 01:30:00'), (3, NULL, NULL);\n\
             CREATE TABLE tk (t TIMESTAMP NOT NULL DEFAULT '2000-01-01 00:00:00' PRIMARY KEY);\n\
             INSERT INTO tk VALUES ('2024-11-03 05:30:00'), ('2024-11-03 06:30:00'), ('2024-03-10 07:30:00')",
        )
        .expect("filled");
        let zone: Option<(String, String)> = source
            .query_first("SET time_zone = 'SYSTEM'")
            .and_then(|_: Option<u8>| source.query_first("SELECT CAST(MIN(t) AS CHAR), CAST(MAX(t) AS CHAR) FROM zone.ts"))
            .expect("read");
        assert_eq!(zone, Some(("2024-11-03 01:30:00".into(), "2024-11-03 01:30:00".into())), "the servers are in New York");
        let task = Task::new("zone", &from, &to, "objects: [{database: zone}]\n");
        task.run(&["apply", "--yes"]).expect(0);
        task.run(&["verify"]).expect(0);
        let read = |conn: &mut Conn| -> Vec<(i32, Option<i64>, Option<String>)> {
            conn.query("SELECT id, CAST(UNIX_TIMESTAMP(t) AS SIGNED), CAST(d AS CHAR) FROM zone.ts ORDER BY id").expect("rows")
        };
        let d = Some("2024-11-03 01:30:00".to_owned());
        let expected = [(1, Some(1_730_611_800), d.clone()), (2, Some(1_730_615_400), d), (3, None, None)];
        assert_eq!(read(&mut destination), expected, "{flavor}");
        assert_eq!(read(&mut source), expected, "{flavor}");
        let keys: Vec<i64> = destination.query("SELECT CAST(UNIX_TIMESTAMP(t) AS SIGNED) FROM zone.tk ORDER BY t").expect("rows");
        assert_eq!(keys, [1_710_055_800, 1_730_611_800, 1_730_615_400], "{flavor}");
    }
}

/// Trap 4: bytes that are not what the column's charset says, and charsets whose characters hold a backslash or a quote.
#[test]
fn bytes_of_every_charset_arrive_as_they_are() {
    each("trap_bytes", |bed| {
        bed.source(
            "CREATE TABLE l (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET latin1, g VARCHAR(20) CHARACTER SET gbk COLLATE gbk_bin, \
             s VARCHAR(20) CHARACTER SET sjis COLLATE sjis_bin, u VARCHAR(20) CHARACTER SET utf16 COLLATE utf16_bin);\n\
             INSERT INTO l VALUES (1, _binary x'C3A9', _gbk x'815C', _sjis x'835C', _utf16 x'D83DDE00'), \
             (2, _binary x'E9', _gbk x'BF5C27', _sjis x'945C22', _utf16 x'005C0027'), (3, '', '', '', '')",
        );
        bed.carried();
        let hex: Option<(String, String, String, String)> =
            bed.destination.query_first(format!("SELECT HEX(v), HEX(g), HEX(s), HEX(u) FROM `{}`.l WHERE id = 1", bed.db)).expect("hex");
        assert_eq!(hex, Some(("C3A9".into(), "815C".into(), "835C".into(), "D83DDE00".into())));
    });
}

/// Trap 5: two keys at the source that are one at the destination are counted before anything is copied.
#[test]
fn keys_that_become_one_are_counted_by_the_plan() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "trap_pad") else { return };
    bed.source(
        "CREATE TABLE pn (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v INT);\n\
         INSERT INTO pn VALUES ('a', 1), ('a ', 2), ('a  ', 3), ('b', 4), ('c', 5), ('c ', 6)",
    );
    // A table that pads stands at the destination already.
    bed.occupied("CREATE TABLE pn (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, v INT)");
    bed.spec("conflict: {existing_tables: ignore}\n");
    let refused = bed.run(&["apply", "--yes"]);
    refused.expect(3).says("DT242");
    shown!("trap_collisions", bed.redacted(&refused.stderr));
    assert_eq!(bed.numbers("SELECT COUNT(*) FROM pn"), [0]);
}

/// Trap 5: ranges over a key without case, whose order is not that of its bytes.
#[test]
fn keys_without_case_are_cut_in_the_servers_own_order() {
    each("trap_order", |bed| {
        // Wide rows, so that the table is cut into several ranges.
        let mut number = 0;
        bed.source("CREATE TABLE k (k VARCHAR(40) PRIMARY KEY, v INT, pad VARCHAR(8000)) COLLATE utf8mb4_general_ci");
        while number < 9000 {
            let rows: Vec<String> = (0..1000)
                .map(|_| {
                    number += 1;
                    format!("('{}{}', {number}, REPEAT('x', 7000))", ["a", "B", "é", "_", "Z", "ß"][number % 6], number * 7919)
                })
                .collect();
            bed.source(&format!("INSERT INTO k VALUES {}", rows.join(",")));
        }
        bed.source("ANALYZE TABLE k");
        bed.carried();
        let ranges: Option<u32> =
            bed.destination.query_first(format!("SELECT COUNT(*) FROM dts.dtsctl_range WHERE task = '{}'", bed.db)).expect("ranges");
        assert!(ranges.is_some_and(|n| n > 1), "{ranges:?}");
    });
}

/// Trap 7: rows that are equal are as many as they were.
#[test]
fn tables_without_a_key_arrive_as_multisets() {
    each("trap_keyless", |bed| {
        bed.source(
            "CREATE TABLE nk (a VARCHAR(10), b INT, f FLOAT) COLLATE utf8mb4_general_ci;\n\
             INSERT INTO nk VALUES ('A', 1, 0.1), ('a', 1, 0.1), ('a', 1, 0.1), ('x', NULL, NULL), (NULL, NULL, NULL), (NULL, NULL, NULL), ('a ', 1, 16777217);\n\
             CREATE TABLE nothing (a INT, b TEXT)",
        );
        bed.carried();
        // One of two equal rows taken away, another one doubled: the counts are as they were.
        bed.destination(&format!("USE `{}`;\nDELETE FROM nk WHERE BINARY a = 'a' LIMIT 1;\nINSERT INTO nk VALUES ('A', 1, 0.1)", bed.db));
        let differs = bed.run(&["verify", "--format", "json"]);
        let receipt: serde_json::Value = serde_json::from_str(&differs.expect(4).stdout).expect("a receipt");
        let table = receipt["tables"].as_array().and_then(|t| t.iter().find(|t| t["source"]["table"] == "nk")).expect("the table");
        assert_eq!((&table["missing"], &table["extra"]), (&1.into(), &1.into()), "{table:#}");
    });
}

/// Trap 9: what has no spelling in a JSON text is the same JSON with another type, and said to be.
#[test]
fn json_is_the_same_json() {
    let Some(mut bed) = Bed::new(Flavor::MySql, Flavor::MySql, "trap_json") else { return };
    bed.source(
        "CREATE TABLE j (id INT PRIMARY KEY, j JSON);\n\
         INSERT INTO j VALUES (1, '[9088544342.689999, 0.1, -0.0, 1e308]'), (2, '{\"b\": 1, \"aa\": 2}'), (3, NULL), (4, 'null');\n\
         INSERT INTO j VALUES (5, JSON_OBJECT('a', CAST(169.09 AS DECIMAL(12,6))))",
    );
    bed.run(&["apply", "--yes"]).expect(0);
    let same = format!("SELECT id, JSON_TYPE(j), CAST(j AS CHAR) FROM `{}`.j WHERE id < 5 ORDER BY id", bed.db);
    let read = |conn: &mut Conn| -> Vec<(i32, Option<String>, Option<String>)> { conn.query(&same).expect("rows") };
    assert_eq!(read(&mut bed.source), read(&mut bed.destination));
    let equal: Option<bool> = bed
        .destination
        .query_first(format!("SELECT j = JSON_OBJECT('a', CAST(169.09 AS DECIMAL(12,6))) FROM `{}`.j WHERE id = 5", bed.db))
        .expect("compared");
    assert_eq!(equal, Some(true));
    // Equal as JSON: no alarm, and not hushed up either. A second look finds nothing to repair.
    let verified = bed.run(&["verify", "--format", "json"]);
    let receipt: serde_json::Value = serde_json::from_str(&verified.expect(0).stdout).expect("a receipt");
    assert_eq!(receipt["tables"][0]["json_type_changed"], 1, "{receipt:#}");
    bed.is_quiet();
}

/// The closing list of part 1: id 0, counters, zero dates, defaults that strict mode refuses, generated and invisible columns.
#[test]
fn what_a_careful_session_must_keep() {
    each("trap_session", |bed| {
        bed.source(
            "CREATE TABLE z (id INT AUTO_INCREMENT PRIMARY KEY, d DATE, t DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00');\n\
             INSERT INTO z VALUES (0, '0000-00-00', '0000-00-00 00:00:00'), (1, '2024-02-00', '2024-02-00 12:00:00'), (2, '2024-02-30', '2024-02-29 00:00:00');\n\
             CREATE TABLE counter (id INT AUTO_INCREMENT PRIMARY KEY, v INT);\nINSERT INTO counter (v) VALUES (1), (2), (3);\nDELETE FROM counter WHERE id = 3;\n\
             CREATE TABLE g (id INT PRIMARY KEY, a INT, twice INT AS (a * 2) STORED, thrice INT AS (a * 3) VIRTUAL, hidden INT DEFAULT 7 INVISIBLE, KEY (thrice));\n\
             INSERT INTO g (id, a, hidden) VALUES (1, 10, 1), (2, NULL, NULL);\nINSERT INTO g (id, a) VALUES (3, 0);\n\
             CREATE TABLE none (id INT PRIMARY KEY);\nCREATE TABLE one (id INT PRIMARY KEY);\nINSERT INTO one VALUES (-1)",
        );
        bed.carried();
        bed.destination(&format!("USE `{}`;\nINSERT INTO counter (v) VALUES (4)", bed.db));
        assert_eq!(bed.numbers("SELECT MAX(id) FROM counter"), [4]);
        assert_eq!(bed.numbers("SELECT id FROM z ORDER BY id"), [0, 1, 2]);
    });
}

/// A trigger at the destination would count every copied row: the plan says so, and the rows are exact where it is ignored.
#[test]
fn triggers_of_a_destination_table_are_told() {
    let Some(mut bed) = Bed::mariadb("trap_trigger") else { return };
    bed.source("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1, 1), (2, 2)");
    bed.occupied(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT);\nCREATE TABLE log (id INT);\n\
         CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.v = NEW.v + 100",
    );
    bed.spec("conflict: {existing_tables: align}\n");
    let refused = bed.run(&["apply", "--yes"]);
    refused.expect(3).says("DT227");
    shown!("trap_trigger", bed.redacted(&refused.stderr));
    assert_eq!(bed.numbers("SELECT COUNT(*) FROM t"), [0]);
    bed.destination("DROP TRIGGER tr;\nDROP TABLE log");
    bed.carried();
}

/// A value far larger than a chunk, on both ways of writing.
#[test]
fn a_row_of_twenty_megabytes() {
    for flavor in Flavor::ALL {
        let big = |role| -> Option<&'static Server> { have(flavor).then(|| testbed::shared(flavor, role)) };
        let (Some(from), Some(to)) = (big(Role::Source), big(Role::Destination)) else { continue };
        let (own, packet) = (Bed::new(flavor, flavor, "trap_blob"), 64 << 20);
        let Some(mut bed) = own else { continue };
        for server in [from, to] {
            let mut conn = server.root_conn().expect("a connection");
            let now: Option<u64> = conn.query_first("SELECT @@GLOBAL.max_allowed_packet").expect("asked");
            if now.is_some_and(|now| now < packet) {
                conn.query_drop(format!("SET GLOBAL max_allowed_packet = {packet}")).expect("set");
            }
        }
        bed.source = from.root_conn().expect("a connection that knows the new limit");
        let fill = format!(
            "USE `{}`;\nCREATE TABLE b (id INT PRIMARY KEY, v LONGBLOB);\nINSERT INTO b VALUES (1, 'small'), (2, REPEAT(x'005C270AFF', 4 << 20)), (3, NULL)",
            bed.db
        );
        bed.source(&fill);
        bed.carried();
        let length = bed.numbers("SELECT LENGTH(v) FROM b WHERE id = 2");
        assert_eq!(length, [20 << 20]);
    }
}
