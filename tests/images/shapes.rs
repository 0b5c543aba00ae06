//! What `testdata/types` does not hold: formats of old, hidden columns, values at the edges, and images that must be refused.

use std::collections::BTreeMap;

use dtsctl::{
    binlog::{self, Misfit, RowsError},
    catalog::{Catalog, TableName},
    connect::{Purpose, Session},
};
use testbed::{Flavor, Server, ServerOptions};

use super::{compare, log, play};
use crate::catalog::{login, read};

fn catalog(server: &Server, prefix: &str) -> Catalog {
    read(&mut Session::open(&login(server), Purpose::Catalog).expect("a session"), prefix)
}

/// Runs statements that make the database `name` and fill it, and holds what the binlog says against its tables.
fn holds(server: &Server, name: &str, sql: &str) -> Catalog {
    let start = log::end(server);
    let sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4;\nUSE {name};\n{sql}");
    testbed::sql::run(&mut server.root_conn().expect("a connection"), &sql).expect("the statements");
    let catalog = catalog(server, name);
    assert!(!catalog.tables.is_empty());
    let mut wrong = Vec::new();
    let played = play(server, start, &catalog, BTreeMap::new(), &mut wrong);
    let mut session = Session::open(&login(server), Purpose::Read).expect("a session");
    compare(&mut session, &catalog, &played, &mut wrong);
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    assert!(played.values().any(|rows| !rows.is_empty()), "{name}: no rows");
    catalog
}

const EVERYWHERE: &str = "
SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';
CREATE TABLE filled (id INT(5) UNSIGNED ZEROFILL PRIMARY KEY, b BIGINT(25) UNSIGNED ZEROFILL, d DECIMAL(12,4) ZEROFILL, w DECIMAL(7,0) ZEROFILL);
INSERT INTO filled VALUES (7, 7, 7.5, 7), (99999, 18446744073709551615, 99999999.9999, 0);
CREATE TABLE wide_enum (id INT PRIMARY KEY, e ENUM({members}), s3 SET('a','b','c'), s9 SET('a','b','c','d','e','f','g','h','i'), s17 SET('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17'),
  s25 SET('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20','21','22','23','24','25'));
INSERT INTO wide_enum VALUES (1, 300, 7, 511, 131071, 33554431), (2, 'm1', 0, 256, 65536, 16777216);
CREATE TABLE bits_myisam (id INT PRIMARY KEY, b1 BIT, b9 BIT(9), n INT, b64 BIT(64)) ENGINE=MyISAM;
INSERT INTO bits_myisam VALUES (1, 1, 257, 1, 18446744073709551615), (2, 0, 511, NULL, 1), (3, NULL, NULL, 3, NULL);
CREATE TABLE chars (id INT PRIMARY KEY, l CHAR(255) CHARACTER SET latin1, u CHAR(100), w CHAR(255), sj CHAR(10) CHARACTER SET sjis, u2 CHAR(10) CHARACTER SET ucs2, u32 CHAR(64) CHARACTER SET utf32, b BINARY(255), a CHAR(20) CHARACTER SET ascii);
INSERT INTO chars VALUES (1, REPEAT('x', 255), REPEAT('é', 100), REPEAT('😀', 255), '日本 ', '日本 ', 'x  ', REPEAT('b', 255), '  a  '), (2, ' ', '  ', 'a  ', '', ' ', '', '', ''), (3, '\\0', 'a\\0', 'é  ', NULL, NULL, REPEAT('é', 64), x'2000', '\\0');
CREATE TABLE lengths (id INT PRIMARY KEY, v255 VARCHAR(255) CHARACTER SET latin1, v256 VARCHAR(256) CHARACTER SET latin1, v63 VARCHAR(63), v64 VARCHAR(64), vb VARBINARY(255), vb2 VARBINARY(256));
INSERT INTO lengths VALUES (1, REPEAT('a', 255), REPEAT('b', 256), REPEAT('😀', 63), REPEAT('😀', 64), REPEAT(x'00', 255), REPEAT(x'00', 256)), (2, '', '', '', '', '', '');
CREATE TABLE reals (id INT PRIMARY KEY AUTO_INCREMENT, f FLOAT, d DOUBLE, f52 FLOAT(5,2), d1810 DOUBLE(18,10), f70 FLOAT(7,0));
INSERT INTO reals (f, d, f52, d1810, f70) VALUES (3.4e38, 1.7e308, 999.99, 99999999.9999999999, 9999999), (-0e0, -0e0, -0e0, -0e0, -0e0), (1e-45, 1e-323, 0.005, 0.00000000005, 0.5);
INSERT INTO reals (f, d, f52, d1810, f70) SELECT (RAND(a.help_keyword_id) - 0.5) * POW(10, CAST(a.help_keyword_id AS SIGNED) % 60 - 30), (RAND(7 + a.help_keyword_id) - 0.5) * POW(10, CAST(a.help_keyword_id AS SIGNED) % 600 - 300), RAND(a.help_keyword_id) * 1000, RAND(a.help_keyword_id) * 1e8, RAND(a.help_keyword_id) * 1e7 FROM mysql.help_keyword a LIMIT 500;
CREATE TABLE all_decimals (id INT PRIMARY KEY, {decimals});
{decimal_rows}
CREATE TABLE no_columns_but_nulls (a INT, b INT, c INT, d INT, e INT, f INT, g INT, h INT, i INT);
INSERT INTO no_columns_but_nulls VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (1, NULL, 2, NULL, 3, NULL, 4, NULL, 5);
CREATE TABLE years (y YEAR PRIMARY KEY, n INT UNSIGNED);
INSERT INTO years VALUES (0, 4294967295), (1901, 1), (2155, 2);
CREATE TABLE moved (id INT PRIMARY KEY, v INT, t TEXT);
INSERT INTO moved VALUES (1, 1, 'a'), (2, 2, REPEAT('b', 70000)), (3, NULL, NULL);
UPDATE moved SET id = id + 10, v = NULL ORDER BY id DESC;
UPDATE moved SET t = 'c' WHERE id = 12;
DELETE FROM moved WHERE id = 11;
REPLACE INTO moved VALUES (13, 5, 'e');
INSERT INTO moved VALUES (12, 0, '') ON DUPLICATE KEY UPDATE v = 9;
";

fn everywhere() -> String {
    let members: Vec<String> = (1..=300).map(|n| format!("'m{n}'")).collect();
    // Every split of digits before and behind the point up to 20, and some beyond.
    let splits: Vec<(u32, u32)> =
        (1..=20).flat_map(|p| (0..=p.min(11)).map(move |s| (p, s))).chain([(65, 0), (65, 30), (30, 30), (38, 19), (45, 9)]).collect();
    let columns: Vec<String> = splits.iter().map(|(p, s)| format!("d{p}_{s} DECIMAL({p},{s})")).collect();
    let largest = |(p, s): &(u32, u32)| format!("{}.{}", "9".repeat((p - s) as usize), "9".repeat(*s as usize));
    let counted = |(p, s): &(u32, u32)| {
        let digits: String = (1..=*p).map(|d| char::from_digit(d % 10, 10).expect("a digit")).collect();
        format!("{}.{}", &digits[..(p - s) as usize], &digits[(p - s) as usize..])
    };
    let least = |(_, s): &(u32, u32)| if *s == 0 { "1".to_owned() } else { format!("0.{}1", "0".repeat(*s as usize - 1)) };
    let row = |id: u32, sign: &str, value: &dyn Fn(&(u32, u32)) -> String| {
        let values: Vec<String> = splits.iter().map(|split| format!("'{sign}{}'", value(split))).collect();
        format!("INSERT INTO all_decimals VALUES ({id}, {});\n", values.join(", "))
    };
    let rows = [
        row(1, "", &largest),
        row(2, "-", &largest),
        row(3, "", &counted),
        row(4, "-", &counted),
        row(5, "", &least),
        row(6, "-", &least),
        row(7, "-", &|_| "0".to_owned()),
    ]
    .concat();
    EVERYWHERE.replace("{members}", &members.join(",")).replace("{decimals}", &columns.join(", ")).replace("{decimal_rows}", &rows)
}

const MARIADB: &str = "
SET GLOBAL mysql56_temporal_format = OFF;
CREATE TABLE old_times (id INT PRIMARY KEY, dt DATETIME, d1 DATETIME(1), d2 DATETIME(2), d3 DATETIME(3), d4 DATETIME(4), d5 DATETIME(5), d6 DATETIME(6), ts TIMESTAMP NULL, ts1 TIMESTAMP(1) NULL, ts3 TIMESTAMP(3) NULL, ts6 TIMESTAMP(6) NULL,
  t TIME, t1 TIME(1), t2 TIME(2), t3 TIME(3), t4 TIME(4), t5 TIME(5), t6 TIME(6), d DATE, y YEAR);
SET GLOBAL mysql56_temporal_format = ON;
INSERT INTO old_times VALUES (1, '9999-12-31 23:59:59', '9999-12-31 23:59:59.9', '9999-12-31 23:59:59.99', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.9999', '9999-12-31 23:59:59.99999', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.9', '2038-01-19 03:14:07.999', '2038-01-19 03:14:07.999999', '838:59:59', '838:59:59.9', '838:59:59.99', '838:59:59.999', '838:59:59.9999', '838:59:59.99999', '838:59:59.999999', '9999-12-31', 2155),
 (2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '-838:59:59', '-838:59:59.9', '-838:59:59.99', '-838:59:59.999', '-838:59:59.9999', '-838:59:59.99999', '-838:59:59.999999', 0, 0),
 (3, '2024-02-00 01:02:03', '2024-02-00 01:02:03.1', '2024-02-00 01:02:03.12', '2024-02-00 01:02:03.123', '2024-02-00 01:02:03.1234', '2024-02-00 01:02:03.12345', '2024-02-00 01:02:03.123456', '1970-01-01 00:00:01', '1970-01-01 00:00:01.1', '1970-01-01 00:00:01.123', '1970-01-01 00:00:01.123456', '-00:00:01', '-00:00:00.1', '-00:00:00.12', '-00:00:00.123', '-00:00:00.1234', '-00:00:00.12345', '-00:00:00.123456', '2024-02-00', 1901),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '00:00:00', '00:00:00', '00:00:00', '00:00:00', '00:00:00', '00:00:00', '00:00:00', NULL, NULL);
CREATE TABLE addresses (id INT PRIMARY KEY AUTO_INCREMENT, six INET6);
INSERT INTO addresses (six) VALUES ('::'), ('::1'), ('1::'), ('::1.2.3.4'), ('::ffff:1.2.3.4'), ('::ffff:0:0'), ('1:0:3:4:5:6:7:8'), ('1:0:0:4:0:0:0:8'), ('fe80::1:0:0:0'), ('0:0:3::'), ('2001:db8:0:1:1:1:1:1'), ('::0:ffff'), ('::ffff'), ('0:0:0:0:0:1:0:0'), ('abcd:ef01:2345:6789:abcd:ef01:2345:6789'), ('0:1::'), ('::1:0'), ('64:ff9b::192.0.2.33');
CREATE TABLE unpacked (id INT PRIMARY KEY, t TEXT COMPRESSED, v VARCHAR(300) COMPRESSED, vb VARBINARY(20000) COMPRESSED, mb MEDIUMBLOB COMPRESSED);
SET SESSION column_compression_threshold = 10;
INSERT INTO unpacked VALUES (1, REPEAT('abc', 1000), REPEAT('é', 300), REPEAT(x'00', 20000), REPEAT('xyz', 300000)), (2, 'short', 'short', 'short', 'short'), (3, '', '', '', ''), (4, REPEAT('a', 300), REPEAT('a', 256), REPEAT('a', 65), NULL);
SET SESSION column_compression_zlib_wrap = ON;
INSERT INTO unpacked VALUES (5, REPEAT('wrapped', 1000), REPEAT('w', 300), REPEAT('w', 20000), REPEAT('w', 70000));
CREATE TABLE periods (id INT PRIMARY KEY, v INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
INSERT INTO periods (id, v) VALUES (1, 1), (2, 2), (3, 3);
UPDATE periods SET v = v + 10;
DELETE FROM periods WHERE id = 2;
UPDATE periods SET id = 30 WHERE id = 3;
REPLACE INTO periods (id, v) VALUES (1, 100);
DELETE HISTORY FROM periods;
CREATE TABLE implicit (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
INSERT INTO implicit VALUES (1, 1), (2, 2), (3, 3);
UPDATE implicit SET v = v + 10;
DELETE FROM implicit WHERE id = 2;
CREATE TABLE implicit_hashed (c TEXT, UNIQUE (c)) WITH SYSTEM VERSIONING;
INSERT INTO implicit_hashed VALUES ('x'), ('y'), (NULL);
UPDATE implicit_hashed SET c = 'z' WHERE c = 'x';
DELETE FROM implicit_hashed WHERE c = 'y';
CREATE TABLE periods_hashed (id INT PRIMARY KEY, c TEXT, UNIQUE (c), s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
INSERT INTO periods_hashed (id, c) VALUES (1, 'x'), (2, 'y'), (3, NULL);
UPDATE periods_hashed SET c = 'z' WHERE id = 1;
DELETE FROM periods_hashed WHERE id = 2;
CREATE TABLE hashed (id INT PRIMARY KEY, a TEXT, b BLOB, n BIGINT, UNIQUE KEY (a), UNIQUE KEY (b, n));
INSERT INTO hashed VALUES (1, 'x', 'y', 1), (2, REPEAT('x', 5000), NULL, NULL);
UPDATE hashed SET n = 7;
";

const MARIADB_1010: &str = "
CREATE TABLE uuids (id INT PRIMARY KEY AUTO_INCREMENT, u UUID);
INSERT INTO uuids (u) VALUES ('00000000-0000-0000-0000-000000000000'), ('ffffffff-ffff-ffff-ffff-ffffffffffff'), ('123e4567-e89b-02d3-a456-426655440000'), ('123e4567-e89b-12d3-a456-426655440000'), ('123e4567-e89b-22d3-8456-426655440000'), ('123e4567-e89b-32d3-b456-426655440000'),
 ('123e4567-e89b-42d3-9456-426655440000'), ('123e4567-e89b-52d3-8056-426655440000'), ('123e4567-e89b-62d3-a456-426655440000'), ('018f3e45-6789-7abc-9a56-010203040506'), ('123e4567-e89b-92d3-a456-426655440000'), ('123e4567-e89b-f2d3-f456-426655440000'),
 ('123e4567-e89b-12d3-0456-426655440000'), ('123e4567-e89b-42d3-4456-426655440000'), ('00000000-0000-4000-8000-000000000000'), ('00000000-0000-1000-8000-000000000000'), ('abcdef01-0000-0000-8000-000000000000'), (UUID()), (UUID());
";

#[test]
fn edges_hold_on_mysql() {
    if testbed::have(Flavor::MySql) {
        let server = Server::start(Flavor::MySql, ServerOptions::new()).expect("a server");
        holds(&server, "img_edges", &everywhere());
        server.exec("SET GLOBAL binlog_row_metadata = FULL").expect("set");
        holds(&server, "img_edges_full", &everywhere());
    }
}

#[test]
fn edges_hold_on_mariadb() {
    if testbed::have(Flavor::MariaDb) {
        let server = Server::start(Flavor::MariaDb, ServerOptions::new()).expect("a server");
        for metadata in ["NO_LOG", "FULL"] {
            server.exec(&format!("SET GLOBAL binlog_row_metadata = {metadata}")).expect("set");
            let name = format!("img_edges_{}", metadata.to_lowercase());
            holds(&server, &name, &everywhere());
            holds(
                &server,
                &format!("{name}_own"),
                &format!("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';\n{MARIADB}"),
            );
            holds(&server, &format!("{name}_new"), &format!("-- requires 10.10\n{MARIADB_1010}\n"));
        }
    }
}

/// A generated key that the source hides from every list is in the events all the same, before the table's own columns.
#[test]
fn hidden_generated_keys_are_recognised() {
    if !testbed::have(Flavor::MySql) {
        return;
    }
    let server = Server::start(
        Flavor::MySql,
        ServerOptions::new().arg("--sql-generate-invisible-primary-key=ON").arg("--show-gipk-in-create-table-and-information-schema=OFF"),
    )
    .expect("a server");
    for metadata in ["MINIMAL", "FULL"] {
        server.exec(&format!("SET GLOBAL binlog_row_metadata = {metadata}")).expect("set");
        let name = format!("img_gipk_{}", metadata.to_lowercase());
        let start = log::end(&server);
        let sql = "CREATE TABLE t (a INT, b VARCHAR(20));\nINSERT INTO t VALUES (1, 'x'), (1, 'x'), (NULL, NULL);\nUPDATE t SET a = 2 LIMIT 1;\nDELETE FROM t WHERE a IS NULL;\n\
                   CREATE TABLE big (a BIGINT, b BIGINT NOT NULL);\nINSERT INTO big VALUES (1, 2), (NULL, 3);\nUPDATE big SET b = 9;\n";
        let catalog = holds(&server, &name, sql);
        // As a source of old, or one whose account may not set the variable, lists it.
        let mut table = catalog.table(&TableName::new(name.clone(), "t")).expect("the table").clone();
        table.columns.retain(|c| c.name != "my_row_id");
        table.keys.clear();
        assert_eq!(table.columns.len(), 2);
        let table = &table;
        let event = log::rows_events(&server, start).into_iter().find(|e| e.map.table == "t").expect("an event");
        let forms = binlog::fit(&event.map, table).expect("it fits");
        assert_eq!(forms.iter().map(binlog::ColumnForm::is_hidden).collect::<Vec<_>>(), [true, false, false]);
        let keys: Vec<Option<Vec<u8>>> = binlog::decode(&event, &forms)
            .expect("whole images")
            .map(|row| row.expect("a row").after.expect("a new row").cell(2).map(<[u8]>::to_vec))
            .collect();
        assert_eq!(keys, [Some(b"1".to_vec()), Some(b"2".to_vec()), Some(b"3".to_vec())]);
    }
}

#[test]
fn partial_images_are_refused_by_name() {
    for flavor in Flavor::ALL.into_iter().filter(|f| testbed::have(*f)) {
        let server = testbed::shared(flavor, testbed::Role::Source);
        let start = log::end(server);
        server
            .exec(
                "CREATE DATABASE img_partial_rows CHARACTER SET utf8mb4;\nUSE img_partial_rows;\n\
                 CREATE TABLE t (id INT PRIMARY KEY, v INT, big TEXT);\nINSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');\n\
                 SET SESSION binlog_row_image = MINIMAL;\nUPDATE t SET v = 5 WHERE id = 1;\nDELETE FROM t WHERE id = 2;\nINSERT INTO t (id) VALUES (3);\n\
                 SET SESSION binlog_row_image = NOBLOB;\nUPDATE t SET v = 6 WHERE id = 1;\nINSERT INTO t (id, v) VALUES (4, 4);\nSET SESSION binlog_row_image = FULL;\n",
            )
            .expect("rows");
        let catalog = catalog(server, "img_partial_rows");
        let table = &catalog.tables[0];
        let told: Vec<Result<usize, RowsError>> = log::rows_events(server, start)
            .iter()
            .filter(|e| e.map.database == "img_partial_rows")
            .map(|event| {
                let forms = binlog::fit(&event.map, table).expect("it fits");
                binlog::decode(event, &forms).map(Iterator::count)
            })
            .collect();
        let absent = |column: &str, image| Err(RowsError::Absent { table: "img_partial_rows.t".into(), column: column.into(), image });
        assert_eq!(told[0], Ok(2));
        assert_eq!(told[1], absent("v", "before"), "{flavor}");
        assert_eq!(told[2], absent("v", "before"), "{flavor}");
        assert_eq!(told[3], absent("v", "after"), "{flavor}");
        assert_eq!(told[4], absent("big", "before"), "{flavor}");
        // An insert without its TEXT: some servers leave the column out.
        assert!(told[5] == absent("big", "after") || told[5] == Ok(1), "{flavor}: {:?}", told[5]);
    }
}

/// A definition that is older or newer than the rows does not pass, whatever was changed.
#[test]
fn another_definition_does_not_fit() {
    const CHANGES: &[(&str, &str)] = &[
        ("MODIFY a BIGINT", "MINIMAL"),
        ("MODIFY a INT UNSIGNED", "MINIMAL"),
        ("MODIFY a INT NOT NULL DEFAULT 1", "MINIMAL"),
        ("ADD COLUMN z INT", "MINIMAL"),
        ("DROP COLUMN f", "MINIMAL"),
        ("MODIFY d DECIMAL(11,2)", "MINIMAL"),
        ("MODIFY d DECIMAL(10,3)", "MINIMAL"),
        ("MODIFY v VARCHAR(21)", "MINIMAL"),
        ("MODIFY v CHAR(20)", "MINIMAL"),
        ("MODIFY v VARCHAR(20) CHARACTER SET latin1", "MINIMAL"),
        ("MODIFY t DATETIME(4)", "MINIMAL"),
        ("MODIFY t TIMESTAMP(3) NULL", "MINIMAL"),
        ("MODIFY x MEDIUMTEXT", "MINIMAL"),
        ("MODIFY y BINARY(5)", "MINIMAL"),
        ("MODIFY f DOUBLE", "MINIMAL"),
        ("MODIFY s SET('a','b','c','d','e','f','g','h','i')", "MINIMAL"),
        ("MODIFY x TEXT CHARACTER SET latin1", "MINIMAL"),
        ("MODIFY x BLOB", "MINIMAL"),
        ("MODIFY y CHAR(4) CHARACTER SET latin1", "MINIMAL"),
        ("MODIFY e ENUM('x','y') CHARACTER SET latin1", "FULL"),
        ("MODIFY e ENUM('y','x')", "FULL"),
        ("MODIFY e ENUM('x','y','z')", "FULL"),
        ("MODIFY a INT AFTER f", "FULL"),
        ("CHANGE a a2 INT", "FULL"),
    ];
    for flavor in Flavor::ALL.into_iter().filter(|f| testbed::have(*f)) {
        let server = Server::start(flavor, ServerOptions::new()).expect("a server");
        for (i, (change, metadata)) in CHANGES.iter().enumerate() {
            let name = format!("img_misfit{i}");
            server.exec(&format!("SET GLOBAL binlog_row_metadata = {metadata}")).expect("set");
            let start = log::end(&server);
            server
                .exec(&format!(
                    "CREATE DATABASE {name} CHARACTER SET utf8mb4;\nUSE {name};\n\
                     CREATE TABLE t (id INT PRIMARY KEY, a INT, d DECIMAL(10,2), v VARCHAR(20), t DATETIME(3), x TEXT, y BINARY(4), e ENUM('x','y'), s SET('a','b'), f FLOAT);\n\
                     INSERT INTO t (id, a) VALUES (1, 1);\n"
                ))
                .expect("a table");
            let before = catalog(&server, &name);
            server.exec(&format!("ALTER TABLE {name}.t {change}")).expect("altered");
            let after = catalog(&server, &name);
            let event = &log::rows_events(&server, start)[0];
            assert!(binlog::fit(&event.map, &before.tables[0]).is_ok(), "{flavor}: {change}");
            let misfit = binlog::fit(&event.map, &after.tables[0]).expect_err(change);
            let is_named = matches!(&misfit, Misfit::Count { .. }) || misfit.to_string().contains(" of img_misfit");
            assert!(is_named, "{misfit}");
        }
    }
}

#[test]
fn collation_numbers_mean_what_the_servers_say() {
    for flavor in Flavor::ALL.into_iter().filter(|f| testbed::have(*f)) {
        let mut conn = testbed::shared(flavor, testbed::Role::Source).root_conn().expect("a connection");
        let sql =
            "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL AND CHARACTER_SET_NAME IS NOT NULL";
        let all: Vec<(u16, String)> = mysql::prelude::Queryable::query(&mut conn, sql).expect("collations");
        assert!(all.len() > 200, "{}", all.len());
        let told = all.iter().filter(|(id, _)| binlog::of_collation(*id).is_some()).count();
        assert!(told * 10 > all.len() * 6, "{flavor}: {told} of {}", all.len());
        for (id, charset) in all {
            let known = binlog::of_collation(id);
            assert!(known.is_none_or(|known| known == charset), "{flavor}: {id} is {charset} and not {known:?}");
        }
    }
}
