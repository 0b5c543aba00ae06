//! Tables that every workload has, for what random tables reach by luck only: counters, big transactions, foreign keys, values that
//! move, and rows without a key.

use super::quoted;

/// Statements that make them in this database.
pub(super) fn create(database: &str, keyless: bool) -> Vec<String> {
    let path = |name: &str| format!("{}.{}", quoted(database), quoted(name));
    let mut made = vec![
        format!("CREATE TABLE {} (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, f FLOAT) ENGINE=InnoDB", path("counters")),
        format!("INSERT INTO {} VALUES (0,0,0),(1,0,0.1),(2,0,1),(3,0,16777216)", path("counters")),
        format!(
            "CREATE TABLE {} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40), n INT, KEY (n)) ENGINE=InnoDB \
             DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci",
            path("big")
        ),
        format!(
            "CREATE TABLE {} (id INT NOT NULL PRIMARY KEY, name VARCHAR(20), UNIQUE KEY (name)) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci",
            path("parent")
        ),
        format!(
            "CREATE TABLE {} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, parent INT, v INT, CONSTRAINT fk_parent FOREIGN KEY (parent) \
             REFERENCES {} (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB",
            path("child"),
            path("parent")
        ),
        // What its keys do is in the binlog of no MariaDB (trap 10): the parent's row alone is.
        format!(
            "CREATE TABLE {} (child INT NULL, name VARCHAR(20), v INT, CONSTRAINT fk_child FOREIGN KEY (child) REFERENCES {} (id) ON DELETE SET NULL, \
             CONSTRAINT fk_name FOREIGN KEY (name) REFERENCES {} (name) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB \
             DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci",
            path("kindred"),
            path("child"),
            path("parent")
        ),
        format!(
            "CREATE TABLE {} (id INT NOT NULL PRIMARY KEY, s VARCHAR(10) NULL, t INT NULL, v INT, UNIQUE KEY us (s), UNIQUE KEY ut (t)) ENGINE=InnoDB \
             DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci",
            path("moving")
        ),
        format!("INSERT INTO {} VALUES (1,'S',1,0),(2,NULL,2,0),(3,'t',NULL,0),(4,'é',4,0),(5,'x',5,0),(6,NULL,NULL,0)", path("moving")),
        format!(
            "CREATE TABLE {} (k VARCHAR(20) NOT NULL PRIMARY KEY, v INT) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci",
            path("kin")
        ),
        format!("INSERT INTO {} VALUES ('e',1),('ss',2),('a',3),('x',4)", path("kin")),
    ];
    if keyless {
        made.push(format!("CREATE TABLE {} (name VARCHAR(10), n BIGINT, d DOUBLE, j JSON) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci", path("keyless_counters")));
        made.push(format!(
            "INSERT INTO {} VALUES ('a',0,0.1,'{{\"a\": 1}}'),('a',0,0.1,'{{\"a\": 1}}'),('A',0,0.1,NULL),('a ',0,NULL,'[]'),(NULL,0,NULL,NULL),(NULL,0,NULL,NULL)",
            path("keyless_counters")
        ));
    }
    made
}

/// Names of the tables above, which no DDL touches.
pub(super) const NAMES: [&str; 8] = ["counters", "big", "parent", "child", "kindred", "moving", "kin", "keyless_counters"];
