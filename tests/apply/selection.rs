//! What is selected and how it is called at the destination.

use mysql::prelude::Queryable as _;
use testbed::{Flavor, equal};

use super::{Bed, shown};

/// Tables of two databases come together in one, some of them under other names, and their foreign keys go with them.
#[test]
fn tables_come_together_under_other_names() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "select_join") else { continue };
        let (db, second) = (bed.db.clone(), format!("{}_two", bed.db));
        let both = format!("DROP DATABASE IF EXISTS `{second}`");
        bed.source(&both);
        bed.source(&format!(
            "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20));\nINSERT INTO customers VALUES (1, 'a'), (2, 'b');\n\
             CREATE TABLE tmp_x (id INT PRIMARY KEY);\nCREATE DATABASE `{second}`;\n\
             CREATE TABLE `{second}`.orders (id INT PRIMARY KEY, customer INT, parent INT, KEY k (parent), \
             CONSTRAINT to_customer FOREIGN KEY (customer) REFERENCES `{db}`.customers (id) ON DELETE CASCADE, \
             CONSTRAINT to_self FOREIGN KEY (parent) REFERENCES `{second}`.orders (id));\n\
             INSERT INTO `{second}`.orders VALUES (1, 1, NULL), (2, 2, 1)"
        ));
        bed.task.write(&format!(
            "objects:\n  - {{database: {db}, exclude: ['tmp_*']}}\n  - {{database: {second}, rename: {db}, tables: [{{name: orders, rename: sales}}]}}\n"
        ));
        bed.run(&["apply", "--yes"]).expect(0);
        for (from, table, to) in [(&db, "customers", "customers"), (&second, "orders", "sales")] {
            equal::compare_tables(&mut bed.source, from, table, &mut bed.destination, &db, to).expect("equal");
        }
        let tables: Vec<String> = bed.destination.query(format!("SHOW TABLES FROM `{db}`")).expect("tables");
        assert_eq!(tables, ["customers", "sales"]);
        bed.run(&["verify"]).expect(0);
        bed.is_quiet();
        bed.destination(&format!("DELETE FROM `{db}`.sales WHERE id = 2;\nDELETE FROM `{db}`.customers WHERE id = 1"));
        assert_eq!(bed.numbers("SELECT COUNT(*) FROM sales"), [0], "the cascade works");
        bed.source(&both);
    }
}

/// A foreign key to a table that stays behind cannot be kept: said, and nothing is run.
#[test]
fn a_foreign_key_to_a_table_that_stays_behind() {
    let Some(mut bed) = Bed::mariadb("select_fk") else { return };
    bed.source(
        "CREATE TABLE parent (id INT PRIMARY KEY);\nCREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT left_behind FOREIGN KEY (p) REFERENCES parent (id))",
    );
    bed.task.write(&format!("objects: [{{database: {}, tables: [{{name: child}}]}}]\n", bed.db));
    let refused = bed.run(&["apply", "--yes"]);
    refused.expect(3);
    shown!("selection_foreign_key", bed.redacted(&refused.stderr));
    assert!(!bed.arrived());
}

#[test]
fn two_tables_of_one_name_are_refused() {
    let Some(mut bed) = Bed::mariadb("select_two") else { return };
    let second = format!("{}_two", bed.db);
    bed.source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY);\nDROP DATABASE IF EXISTS `{second}`;\nCREATE DATABASE `{second}`;\nCREATE TABLE `{second}`.t (id INT PRIMARY KEY)"
    ));
    bed.task.write(&format!("objects: [{{database: {0}}}, {{database: {second}, rename: {0}}}]\n", bed.db));
    let refused = bed.run(&["apply", "--yes"]);
    refused.expect(3).says("DT225");
    assert!(!bed.arrived());
}

/// Little to do is not an error; but `verify` does not call equal what it has not compared.
#[test]
fn a_database_without_tables() {
    let Some(mut bed) = Bed::mariadb("select_empty") else { return };
    bed.run(&["apply", "--yes"]).expect(0);
    assert!(bed.arrived());
    bed.is_quiet();
    let verified = bed.run(&["verify"]);
    shown!("selection_empty_verify", bed.redacted(&verified.shown()));
}

/// Shapes at the edge of what a server takes.
#[test]
fn odd_shapes() {
    for flavor in Flavor::ALL {
        let Some(mut bed) = Bed::new(flavor, flavor, "select_odd") else { continue };
        let columns: Vec<String> = (0..900).map(|i| format!("c{i} TINYINT")).collect();
        let indexes: Vec<String> = (0..60).map(|i| format!("KEY k{i} (c{i})")).collect();
        let partitions: Vec<String> = (0..200).map(|i| format!("PARTITION p{i} VALUES LESS THAN ({})", i * 10)).collect();
        bed.source(&format!(
            "CREATE TABLE wide (id INT PRIMARY KEY, {}, {});\nINSERT INTO wide (id, c0, c899) VALUES (1, 1, -1), (2, NULL, 3);\n\
             CREATE TABLE cut (id INT PRIMARY KEY) PARTITION BY RANGE (id) ({});\nINSERT INTO cut VALUES (-1), (0), (1989);\n\
             CREATE TABLE only_key (a INT, b VARCHAR(10), PRIMARY KEY (b, a)) COMMENT 'a;b';\nINSERT INTO only_key VALUES (1, 'x'), (1, 'y');\n\
             CREATE TABLE generated_unique (a INT NOT NULL, k VARCHAR(20) AS (CONCAT('k', a)) VIRTUAL, UNIQUE KEY (k));\nINSERT INTO generated_unique (a) VALUES (2), (1)",
            columns.join(", "),
            indexes.join(", "),
            partitions.join(", ")
        ));
        if flavor == Flavor::MySql {
            // MariaDB has no such key.
            bed.source("CREATE TABLE generated_key (a INT, k INT AS (a * 2) STORED, PRIMARY KEY (k));\nINSERT INTO generated_key (a) VALUES (1), (5), (3)");
        }
        bed.carried();
    }
}

/// Rows that hold nothing but what is computed: the copy began, and its first query was no SQL.
#[test]
fn a_table_whose_columns_are_all_computed() {
    let Some(mut bed) = Bed::mariadb("select_computed") else { return };
    bed.source("CREATE TABLE computed (a INT AS (1 + 1) STORED, b INT AS (2) VIRTUAL);\nINSERT INTO computed () VALUES (), ()");
    let refused = bed.run(&["apply", "--yes"]);
    refused.expect(3).says("no column holds a value that could be copied");
    assert!(!bed.arrived());
}
