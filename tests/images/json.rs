//! JSON of MySQL: its text, its types, and changes that are written as differences.

use dtsctl::{
    binlog::{self, Image, json},
    catalog::TableName,
    connect::{Purpose, Session},
};
use mysql::prelude::Queryable;
use testbed::{Flavor, Role, Server, ServerOptions};

use super::log;
use crate::catalog::{login, read};

/// All after images of a table since a place.
fn images(server: &Server, from: (String, u64), table: &TableName) -> Vec<Image> {
    let catalog = read(&mut Session::open(&login(server), Purpose::Catalog).expect("a session"), &table.database);
    let definition = catalog.table(table).expect("the table");
    let mut found = Vec::new();
    for event in log::rows_events(server, from).iter().filter(|e| e.table() == *table) {
        let forms = binlog::fit(&event.map, definition).expect("it fits");
        for row in binlog::decode(event, &forms).expect("whole images") {
            found.extend(row.expect("a row").after);
        }
    }
    found
}

/// Values of every type that JSON has, alone and inside others.
const DOCUMENTS: &str = "
  SELECT JSON_ARRAY(ts, b, bl, mb, lb, bin, vb, y, d, dt, t, t0, e, s, f) FROM src UNION ALL
  SELECT CAST(ts AS JSON) FROM src UNION ALL SELECT CAST(b AS JSON) FROM src UNION ALL SELECT CAST(bl AS JSON) FROM src UNION ALL
  SELECT CAST(d AS JSON) FROM src UNION ALL SELECT CAST(t AS JSON) FROM src UNION ALL
  SELECT JSON_OBJECT('it''s', JSON_OBJECT('deep\\\\er', JSON_ARRAY(CAST('10:00' AS TIME), 'te''xt', 'back\\\\slash', 'nul\\0', NULL, true, 7)), 'plain', 1) UNION ALL
  SELECT JSON_ARRAY(CAST(5 AS UNSIGNED), CAST(18446744073709551615 AS UNSIGNED), CAST(70000 AS UNSIGNED), CAST(5000000000 AS UNSIGNED)) UNION ALL
  SELECT CAST(CAST(5 AS UNSIGNED) AS JSON) UNION ALL
  SELECT JSON_ARRAY(0.1e0, -0e0, 9088544342.689999e0, 1e308, 5e-324, 1.7976931348623157e308, 1e22, 1e23, 123456789012345680000e0, 0.30000000000000004e0, 1e16, 100e0) UNION ALL
  SELECT JSON_ARRAY(-9223372036854775808, 9223372036854775807, -32768, 32767, -32769, 65535, 65536, -2147483648, 4294967295) UNION ALL
  SELECT JSON_ARRAY(REPEAT(x'00FF41', 60)) UNION ALL SELECT JSON_ARRAY(x'') UNION ALL
  SELECT JSON_ARRAY(REPEAT('long', 20000), CAST('2024-02-29' AS DATE)) UNION ALL
  SELECT JSON_OBJECT('', CAST('-838:59:58.000001' AS TIME(6)), REPEAT('k', 300), JSON_ARRAY(JSON_ARRAY(JSON_ARRAY(x'FF')))) UNION ALL
  SELECT CAST('null' AS JSON) UNION ALL SELECT CAST('{\"a\": [1, \"\\\\u0001\\\\u001f\\\\u007f\\\\n\\\\\"\\\\\\\\/\"], \"é😀\": {}}' AS JSON) UNION ALL SELECT CAST('[]' AS JSON)";

/// DECIMAL keeps a precision that nothing shows, and it may come out another; scale and digits do not.
const DECIMALS: &str = "
  SELECT JSON_ARRAY(dec1, dec2, dec3) FROM src UNION ALL SELECT CAST(dec2 AS JSON) FROM src UNION ALL
  SELECT JSON_OBJECT('a', CAST(169.09 AS DECIMAL(12,6)), 'b', JSON_ARRAY(0.000, -1.50, 123456789012345680000, 1))";

#[test]
fn typed_values_are_built_again_as_they_were() {
    if !testbed::have(Flavor::MySql) {
        return;
    }
    let server = testbed::shared(Flavor::MySql, Role::Source);
    let mut conn = server.root_conn().expect("a connection");
    for statement in [
        "CREATE DATABASE img_json CHARACTER SET utf8mb4",
        "USE img_json",
        "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
        "CREATE TABLE src (ts TIMESTAMP(6), b BIT(10), bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, bin BINARY(4), vb VARBINARY(4), y YEAR, d DATE, dt DATETIME(3), \
         t TIME(2), t0 TIME, e ENUM('a','b'), s SET('p','q'), f FLOAT, dec1 DECIMAL(12,6), dec2 DECIMAL(65,30), dec3 DECIMAL(5,0))",
        "INSERT INTO src VALUES ('2024-11-03 05:30:00.123456', b'1000000001', x'02FF', x'03FF', x'04FF', x'05FF', x'06FF', 2024, '2024-02-00', \
         '0000-00-00 00:00:00.000', '-12:00:01.25', '838:59:59', 'b', 'p,q', 0.1, 169.09, -99999999999999999999999999999999999.999999999999999999999999999999, 0)",
        "CREATE TABLE docs (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, j JSON)",
        "CREATE TABLE back (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, j JSON)",
    ] {
        conn.query_drop(statement).expect(statement);
    }
    let start = log::end(server);
    conn.query_drop(format!("INSERT INTO docs (j) {DOCUMENTS}")).expect("documents");
    // Random doubles of 17 digits and random powers.
    for seed in 0..40 {
        conn.query_drop(format!(
            "INSERT INTO docs (j) SELECT JSON_ARRAY((1 + RAND({seed})) * POW(2, {}), RAND({seed}) * 1e10)",
            seed * 50 - 1000
        ))
        .expect("a double");
    }
    conn.query_drop(format!("INSERT INTO docs (j) {DECIMALS}")).expect("decimals");
    let written = images(server, start, &TableName::new("img_json", "docs"));
    let texts: Vec<String> = conn.query("SELECT j FROM docs ORDER BY id").expect("texts");
    assert_eq!(written.len(), texts.len());
    assert!(written.len() > 50);

    let start = log::end(server);
    let mut typed = 0;
    for (image, text) in written.iter().zip(&texts) {
        assert_eq!(image.cell(1).map(String::from_utf8_lossy).as_deref(), Some(text.as_str()));
        let sql = match image.typed_json(1) {
            Some(document) => {
                typed += 1;
                String::from_utf8(json::expression(document).expect("a document")).expect("UTF-8")
            }
            None => format!("CAST(_utf8mb4 x'{}' AS JSON)", text.bytes().map(|b| format!("{b:02x}")).collect::<String>()),
        };
        conn.query_drop(format!("INSERT INTO back (j) VALUES ({sql})")).unwrap_or_else(|e| panic!("{e}: {sql}"));
    }
    assert!(typed > 40, "{typed}");
    let again = images(server, start, &TableName::new("img_json", "back"));
    let decimals = 3;
    for (i, (one, other)) in written.iter().zip(&again).enumerate() {
        // The very bytes that the server stores: types, widths, all.
        let text = String::from_utf8_lossy(one.cell(1).unwrap_or_default());
        assert_eq!(one.cell(1), other.cell(1), "{text}");
        let differs = one.typed_json(1).into_iter().flatten().zip(other.typed_json(1).into_iter().flatten()).position(|(a, b)| a != b);
        assert!(i >= written.len() - decimals || one.typed_json(1) == other.typed_json(1), "at {differs:?} in {text}");
    }
    let types = "SELECT JSON_TYPE(j), JSON_TYPE(j->'$[0]'), JSON_TYPE(j->'$[1]'), JSON_TYPE(j->'$[2]'), JSON_TYPE(j->'$[3]'), JSON_TYPE(j->'$.a') FROM";
    type Types = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);
    let left: Vec<Types> = conn.query(format!("{types} docs ORDER BY id")).expect("types");
    let right: Vec<Types> = conn.query(format!("{types} back ORDER BY id")).expect("types");
    assert_eq!(left, right);
}

#[test]
fn differences_are_applied() {
    if !testbed::have(Flavor::MySql) {
        return;
    }
    let server = Server::start(Flavor::MySql, ServerOptions::new().arg("--binlog-row-value-options=PARTIAL_JSON")).expect("a server");
    let mut conn = server.root_conn().expect("a connection");
    for statement in [
        "CREATE DATABASE img_partial CHARACTER SET utf8mb4",
        "USE img_partial",
        "CREATE TABLE t (id INT PRIMARY KEY, plain VARCHAR(10), a JSON, n JSON, b JSON NOT NULL, tail INT)",
    ] {
        conn.query_drop(statement).expect(statement);
    }
    let document = r#"'{"a": {"b": [1, 2, 3, {"x": "y"}], "od.d \\"k\\\\ey": 5}, "z": "text", "list": [], "numbers": [1.5, 2, 18446744073709551615]}'"#;
    conn.query_drop(format!("INSERT INTO t VALUES (1, 'p', {document}, NULL, '[1, 2]', 9), (2, 'q', {document}, '[]', '{{}}', NULL)"))
        .expect("rows");
    let start = log::end(&server);
    let mut held = Vec::new();
    for change in [
        "a = JSON_SET(a, '$.z', 'other')",
        "a = JSON_SET(a, '$.a.b[3].x', 'longer than it was', '$.a.b[0]', CAST(1.10 AS DECIMAL(10,2)))",
        "a = JSON_REMOVE(a, '$.a.b[1]')",
        "a = JSON_SET(a, '$.a.\"od.d \\\\\"k\\\\\\\\ey\"', 6)",
        "a = JSON_REPLACE(a, '$.numbers[0]', 2.25), b = JSON_SET(b, '$[1]', 77), plain = 'r'",
        "a = JSON_REMOVE(a, '$.list', '$.numbers[1]')",
        "a = JSON_SET(a, '$.fresh', JSON_ARRAY(1), '$.a.b[9]', 'end'), tail = 5",
        "a = JSON_SET(a, '$.z', CAST('2024-02-29' AS DATE)), n = JSON_SET(n, '$[0]', 1)",
        "a = NULL",
        "a = '[1, 2, 3]'",
        "a = JSON_REMOVE(a, '$[0]')",
    ] {
        conn.query_drop(format!("UPDATE t SET {change} ORDER BY id")).unwrap_or_else(|e| panic!("{change}: {e}"));
        let rows: Vec<(Option<String>, Option<String>, Option<String>)> = conn.query("SELECT a, n, b FROM t ORDER BY id").expect("rows");
        held.push((change, rows));
    }
    let partial = log::rows_events(&server, start.clone()).iter().filter(|e| e.kind == dtsctl::binlog::RowsKind::PartialUpdate).count();
    assert!(partial >= 8, "{partial} partial events");
    let mut current: Vec<(Option<String>, Option<String>, Option<String>)> = vec![(None, None, None); 2];
    let images = images(&server, start, &TableName::new("img_partial", "t"));
    let mut at = 0;
    for (change, rows) in held {
        // An update writes an image for each row that it changes; all of them change both here, but for what is there already.
        let before = current.clone();
        while at < images.len() && current != rows {
            let image = &images[at];
            at += 1;
            let text = |i| image.cell(i).map(|c| String::from_utf8_lossy(c).into_owned());
            let row = usize::from(image.cell(0) == Some(b"2"));
            current[row] = (text(2), text(3), text(4));
        }
        assert_eq!(current, rows, "{change} on {before:?}");
    }
    assert_eq!(at, images.len());
}
