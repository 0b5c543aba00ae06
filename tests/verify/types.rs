//! Every type and charset: equal data is equal on every pair of flavours, and one changed value of any column is found and named.

use mysql::prelude::Queryable;

use super::{Bed, DifferenceKind, Verdict, assert_equal, found};

#[test]
fn the_same_statements_give_equal_tables_on_every_pair() {
    for (s, d) in super::pairs() {
        super::note(&format!("{s} -> {d}"));
        let mut bed = Bed::new(s, d);
        bed.both(&common(&bed.db));
        for stream in [false, true] {
            bed.read();
            bed.settings.stream = stream;
            assert_equal(&bed.again());
        }
    }
}

#[test]
fn what_one_flavour_alone_holds() {
    for (s, d) in super::pairs().into_iter().filter(|(s, d)| s == d) {
        let mut bed = Bed::new(s, d);
        let db = bed.db.clone();
        let file = std::fs::read_to_string(testbed::testdata(&format!("types/{}.sql", s.name()))).expect("testdata");
        bed.both(&file.replace("{db}", &db));
        bed.read();
        // What each server makes up for itself differs by right.
        bed.settings.tables.retain(|p| !["expressions", "uuids"].contains(&p.source.name.table.as_str()));
        for table in bed.again().tables {
            assert_eq!(table.verdict, Verdict::Equal, "{table:#?}");
        }
    }
}

/// Databases of the file with every type; without the shapes that are of no interest here.
fn common(db: &str) -> String {
    std::fs::read_to_string(testbed::testdata("types/common.sql")).expect("testdata").replace("{db}", db)
}

#[test]
fn one_changed_value_of_any_column_is_found() {
    for (s, d) in super::pairs() {
        let mut bed = Bed::new(s, d);
        let db = bed.db.clone();
        bed.both(&common(&db));
        bed.read();
        let mut changes = 0;
        let tables: Vec<_> = bed.settings.tables.iter().map(|p| p.source.clone()).collect();
        for table in tables.iter().filter(|t| t.name.database.ends_with("_types") || t.name.database.ends_with("_charsets")) {
            let (name, key) = (table.name.quoted(), &table.columns[0].name);
            // A column with ON UPDATE would change along with any other.
            if key != "id" || table.name.table == "times_default" {
                continue;
            }
            for column in table.columns.iter().skip(1).filter(|c| !c.generated) {
                let c = format!("`{}`", column.name);
                // Up to two rows with another row's value each.
                let sql = format!(
                    "SELECT a.id, MIN(b.id) FROM {name} a JOIN {name} b ON NOT (CAST(a.{c} AS BINARY) <=> CAST(b.{c} AS BINARY)) \
                     GROUP BY a.id ORDER BY a.id LIMIT 2"
                );
                let others: Vec<(i64, i64)> = bed.destination.query(sql).expect("other values");
                for (id, other) in others {
                    let kept = dtsctl::catalog::quote_name(&format!("{}_kept", table.name.table));
                    let kept = format!("{}.{kept}", dtsctl::catalog::quote_name(&table.name.database));
                    bed.destination(&format!("CREATE TABLE {kept} AS SELECT id, {c} FROM {name} WHERE id IN ({id}, {other});"));
                    bed.destination(&format!("UPDATE {name} SET {c} = (SELECT {c} FROM {kept} WHERE id = {other}) WHERE id = {id};"));
                    check(&mut bed, table, id, &column.name);
                    bed.destination(&format!("UPDATE {name} SET {c} = (SELECT {c} FROM {kept} WHERE id = {id}) WHERE id = {id};"));
                    bed.destination(&format!("DROP TABLE {kept};"));
                    changes += 1;
                }
            }
            let receipt = bed.verify_table(&table.name.database, &table.name.table);
            assert_eq!(receipt.verdict, Verdict::Equal, "changed back: {receipt:#?}");
        }
        super::note(&format!("{s} -> {d}: {changes} single changes found"));
        assert!(changes > 200);
    }
}

fn check(bed: &mut Bed, table: &dtsctl::catalog::Table, id: i64, column: &str) {
    let receipt = bed.verify_table(&table.name.database, &table.name.table);
    let rows: Vec<_> = found(&receipt).into_iter().filter(|r| r.0 != DifferenceKind::JsonTypeChanged).collect();
    assert_eq!(rows.len(), 1, "{} {column} {id}: {receipt:#?}", table.name);
    assert_eq!((rows[0].0, rows[0].1.as_str()), (DifferenceKind::Different, id.to_string().as_str()), "{} {column}", table.name);
    // A generated column that depends on it changes with it.
    assert!(rows[0].2.split(',').any(|c| c == column), "{} {column}: {rows:?}", table.name);
    if table.columns.iter().all(|c| !c.generated) {
        assert_eq!(rows[0].2, column, "{}", table.name);
    }
}

#[test]
fn json_of_another_type_or_spelling_is_told_apart_from_other_json() {
    Bed::each(|bed| {
        bed.both("CREATE TABLE t (id INT PRIMARY KEY, j JSON);");
        bed.both("INSERT INTO t VALUES (1,'{\"a\": 169.09}'),(2,'{\"a\": 1, \"b\": 2}'),(3,NULL),(4,'[1]');");
        assert_equal(&bed.verify());
        // MySQL with a binlog does not write an UPDATE to JSON of the same value (seen on 9.7.4), so the row is replaced.
        bed.destination("DELETE FROM t WHERE id = 1;\nINSERT INTO t VALUES (1, JSON_OBJECT('a', CAST(169.09 AS DECIMAL(12,6))));");
        let receipt = bed.verify();
        assert_eq!(receipt.verdict, Verdict::Equal, "{receipt:#?}");
        assert_eq!(found(&receipt.tables[0]), [(DifferenceKind::JsonTypeChanged, "1".to_owned(), "j".to_owned())]);
        bed.destination("UPDATE t SET j = '[2]' WHERE id = 4;\nUPDATE t SET j = 'null' WHERE id = 3;");
        let receipt = bed.verify();
        assert_eq!(receipt.verdict, Verdict::Differs);
        let table = &receipt.tables[0];
        assert_eq!((table.different, table.json_type_changed), (2, 1), "{table:#?}");
    });
}

#[test]
fn columns_of_unlike_types_are_compared_by_value() {
    Bed::each(|bed| {
        bed.source(
            "CREATE TABLE t (id INT PRIMARY KEY, i INT(8) ZEROFILL, n DECIMAL(10,2), f FLOAT, s VARCHAR(20) CHARACTER SET latin1, d DATE, \
             e ENUM('a','b'), t DATETIME);\nINSERT INTO t VALUES (1, 42, 1.5, 0.1, 'é', '2024-01-02', 'b', '2024-01-02 03:04:05');",
        );
        bed.destination(
            "CREATE TABLE t (id BIGINT PRIMARY KEY, i BIGINT, n DECIMAL(20,6), f DOUBLE, s VARCHAR(40) CHARACTER SET utf8mb4, d DATETIME, \
             e ENUM('b','a','c'), t DATETIME(6));\nINSERT INTO t VALUES (1, 42, 1.5, 0.1, 'é', '2024-01-02', 'b', '2024-01-02 03:04:05');\n\
             UPDATE t SET f = 0.10000000149011612e0;",
        );
        assert_equal(&bed.verify());
        bed.destination("UPDATE t SET s = 'e', e = 'a', n = 1.500001, f = 0.1e0;");
        let receipt = bed.verify();
        assert_eq!(found(&receipt.tables[0]), [(DifferenceKind::Different, "1".to_owned(), "n,f,s,e".to_owned())]);
    });
}

#[test]
fn columns_of_one_end_only_are_told() {
    Bed::each(|bed| {
        bed.source("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT);\nINSERT INTO t VALUES (1, 2, 3);");
        bed.destination("CREATE TABLE t (id INT PRIMARY KEY, a INT, c INT);\nINSERT INTO t VALUES (1, 2, 3);");
        let receipt = bed.verify();
        let table = &receipt.tables[0];
        assert_eq!((table.verdict, table.different), (Verdict::Differs, 0));
        assert_eq!((&table.columns_only_source[..], &table.columns_only_destination[..]), (&["b".to_owned()][..], &["c".to_owned()][..]));
        bed.settings.tables[0].common_columns_only = true;
        assert_eq!(bed.again().verdict, Verdict::Equal);
    });
}
