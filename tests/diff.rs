//! The schema goes across and stays: what the diff says is run at a real destination, and the same diff afterwards says nothing.

use dtsctl::{
    catalog::{Catalog, TableName},
    connect::{Purpose, ServerInfo, Session},
    diff::{self, Act, Change, Diff, Existing, Mapping, Options, Part, Risk, Stage},
};
use testbed::{Flavor, Role, Server};

use crate::catalog::{login, read};

/// Every database gets another prefix.
struct Renamed {
    from: String,
    to: String,
}

impl Mapping for Renamed {
    fn table(&self, source: &TableName) -> Option<TableName> {
        Some(TableName::new(self.database(&source.database)?, source.table.clone()))
    }

    fn database(&self, source: &str) -> Option<String> {
        Some(format!("{}{}", self.to, source.strip_prefix(&self.from)?))
    }
}

struct End {
    catalog: Catalog,
    info: ServerInfo,
}

fn look(server: &Server, prefix: &str) -> End {
    let mut session = Session::open(&login(server), Purpose::Catalog).expect("a session");
    End { catalog: read(&mut session, prefix), info: session.info().clone() }
}

fn run<'a>(server: &Server, changes: impl Iterator<Item = &'a Change>) {
    let mut session = Session::open(&login(server), Purpose::Ddl).expect("a session");
    for change in changes {
        for statement in &change.statements {
            if let Err(error) = session.exec(&change.what, statement) {
                panic!("{} {}: {error}\n{statement}", change.destination, change.what);
            }
        }
    }
}

fn is_refused(change: &Change) -> bool {
    matches!(change.risk, Risk::Unsupported { .. })
}

fn compare(source: &End, destination: &End, mapping: &Renamed, existing: Existing, ours: bool) -> Diff {
    let created_by_us = move |_: &TableName| ours;
    let engine = Some("innodb".to_owned());
    let options = Options { existing, created_by_us: &created_by_us, secondary_indexes: Stage::After, engine, guarded_triggers: false };
    diff::changes(&source.catalog, &source.info, &destination.catalog, &destination.info, mapping, &options)
}

/// What blocks and what is noted, as text for a snapshot.
fn told(diff: &Diff) -> String {
    let mut lines: Vec<String> = diff
        .changes
        .iter()
        .filter_map(|c| match &c.risk {
            Risk::Unsupported { code, reason } => Some(format!("refused {code} {reason}")),
            Risk::Unsafe { action, column } => Some(format!("unsafe {} {} {}", action.name(), c.source, column.as_deref().unwrap_or("*"))),
            Risk::Safe => None,
        })
        .collect();
    lines.extend(diff.notes.iter().map(|n| format!("note {} {}: {}", n.code, n.object, n.text)));
    lines.sort();
    lines.join("\n")
}

/// Defaults that one server or both cannot print, and expressions that each prints in its own way.
const MORE: &str = "\
CREATE TABLE more_defaults (id INT PRIMARY KEY, e VARCHAR(20) DEFAULT 'a😀', q VARCHAR(20) DEFAULT 'what?', b BINARY(4) DEFAULT 0x00FF00, \
  vb VARBINARY(9) DEFAULT 0xFF27, l VARCHAR(9) CHARACTER SET latin1 DEFAULT 'é?', t TEXT DEFAULT ('x'), f DOUBLE DEFAULT -1e10, \
  d DECIMAL(9,3) DEFAULT '1.5', y YEAR DEFAULT 2020, bi BIT(4) DEFAULT b'101', u VARCHAR(36) DEFAULT (UUID()), j JSON DEFAULT (JSON_ARRAY())) ENGINE=InnoDB;
CREATE TABLE more_expressions (a INT, b INT, c DATE, d VARCHAR(36), \
  e INT AS (CASE WHEN a > 1 THEN 2 ELSE 3 END), f INT AS (IF(a BETWEEN 1 AND 3, a IN (1, 2), NOT a)), g INT AS (-a DIV 2), \
  i DOUBLE AS (a * 1.0e0 % 3 + (a - (b - 1)) * 2), j DATETIME AS (DATE_ADD(c, INTERVAL 1 DAY)), k INT AS (a <=> 3 XOR b), \
  m INT AS (a ^ 3 | ~a & 2 << 1), n VARCHAR(9) AS (TRIM(BOTH 'x' FROM d)), p INT AS (EXTRACT(YEAR FROM c)), r VARCHAR(40) AS (UPPER(LCASE(d))), \
  s INT AS (a IS TRUE), t INT AS (d NOT LIKE 'a!%' ESCAPE '!'), u VARCHAR(40) AS (IFNULL(COALESCE(d, NULL), 'é')) STORED, \
  w INT AS (a AND b OR NOT a), x INT AS (POSITION('a' IN d)), y VARCHAR(60) AS (CONCAT(d, '-', a)), z INT AS (d REGEXP '^a'), \
  CHECK (a <> b), CHECK (d IN ('x', 'y')), CONSTRAINT named CHECK (a IS NOT NULL AND (b > 1 OR b < -1))) ENGINE=InnoDB;
";

/// Every table of testdata/types on every pair: made, completed, and then no change is found.
#[test]
fn a_second_plan_after_a_finished_apply_has_no_changes() {
    for (from, to) in Flavor::PAIRS {
        if !testbed::have(from) || !testbed::have(to) {
            continue;
        }
        let (source, destination) = (testbed::shared(from, Role::Source), testbed::shared(to, Role::Destination));
        let mapping = Renamed { from: format!("df_{from}_{to}"), to: format!("dt_{from}_{to}") };
        let mut conn = source.root_conn().expect("a connection");
        for file in ["types/common.sql", &format!("types/{from}.sql")] {
            testbed::sql::run_file(&mut conn, &testbed::testdata(file), &mapping.from).expect("the file runs");
        }
        source.exec(&format!("SET NAMES utf8mb4;\nUSE `{}_types`;\n{MORE}", mapping.from)).expect("more tables");
        let start = look(source, &mapping.from);
        let first = compare(&start, &look(destination, &mapping.to), &mapping, Existing::Fail, true);
        assert!(first.changes.iter().filter(|c| c.part == Part::Definition).count() > 100);
        run(destination, first.changes.iter().filter(|c| c.stage == Stage::Before));

        // Killed here: what is made after the rows is still to be made, and nothing else.
        let half = compare(&start, &look(destination, &mapping.to), &mapping, Existing::Fail, true);
        let parts = |diff: &Diff| -> Vec<String> {
            diff.changes.iter().filter(|c| c.stage == Stage::After).flat_map(|c| c.statements.clone()).collect()
        };
        let before: Vec<&Change> = half.changes.iter().filter(|c| c.stage == Stage::Before && !is_refused(c)).collect();
        assert!(before.is_empty(), "{from} -> {to}: {before:#?}");
        assert_eq!(parts(&half), parts(&first), "{from} -> {to}");
        run(destination, half.changes.iter());

        let last = compare(&start, &look(destination, &mapping.to), &mapping, Existing::Fail, true);
        let left: Vec<&Change> = last.changes.iter().filter(|c| !is_refused(c)).collect();
        assert!(left.is_empty(), "{from} -> {to}: {left:#?}");

        // Somebody alters what we made.
        destination.exec(&format!("ALTER TABLE `{}_types`.ints ADD COLUMN intruder INT;\n", mapping.to)).expect("altered");
        let drifted = compare(&start, &look(destination, &mapping.to), &mapping, Existing::Fail, true);
        let outside: Vec<&str> = drifted.changes.iter().filter(|c| c.outside).map(|c| c.what.as_str()).collect();
        assert_eq!(outside, ["drop column intruder"]);
        insta::assert_snapshot!(format!("crossing_{from}_{to}"), told(&first));
    }
}

/// Shapes a destination table may have before `align`, beside what the source has: after the statements nothing differs.
const ALIGNED: &[(&str, &str, &str)] = &[
    ("add_column", "a INT, b VARCHAR(10) NOT NULL DEFAULT 'x' COMMENT 'it''s', c INT", "a INT, c INT"),
    ("drop_column", "a INT", "a INT, gone VARCHAR(10)"),
    ("widen", "a BIGINT, b VARCHAR(20), c DECIMAL(12,2)", "a INT, b VARCHAR(10), c DECIMAL(10,2)"),
    ("narrow", "a INT, b VARCHAR(10)", "a BIGINT, b VARCHAR(20)"),
    ("order", "a INT, b INT, c INT, d INT", "d INT, c INT, b INT, a INT"),
    ("order_and_add", "a INT, n1 INT, b INT, n2 INT, c INT", "c INT, b INT, old INT, a INT"),
    ("indexes", "a INT, b INT, KEY k (a, b), UNIQUE KEY u (b)", "a INT, b INT, KEY k (a), KEY old (b)"),
    ("primary", "a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b)", "a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a)"),
    ("checks", "a INT, CHECK (a > 1)", "a INT, CHECK (a > 2)"),
    ("nullable", "a INT NOT NULL, b INT", "a INT, b INT NOT NULL"),
    ("charset", "a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "a VARCHAR(10) CHARACTER SET latin1"),
    ("generated", "a INT, g INT AS (a + 1) STORED, h INT AS (a * 2)", "a INT, g INT AS (a + 2) VIRTUAL, h INT AS (a * 3)"),
    ("defaults", "a INT DEFAULT 5, b DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", "a INT DEFAULT 6, b DATETIME"),
    ("counter", "a INT NOT NULL AUTO_INCREMENT PRIMARY KEY", "a INT NOT NULL PRIMARY KEY"),
];

#[test]
fn align_makes_an_existing_table_like_the_source() {
    for (from, to) in Flavor::PAIRS {
        if !testbed::have(from) || !testbed::have(to) {
            continue;
        }
        let (source, destination) = (testbed::shared(from, Role::Source), testbed::shared(to, Role::Destination));
        let mapping = Renamed { from: format!("af_{from}_{to}"), to: format!("at_{from}_{to}") };
        for (server, name, here) in [(source, &mapping.from, true), (destination, &mapping.to, false)] {
            let mut sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;\nUSE {name};\n");
            for (table, wanted, actual) in ALIGNED {
                sql.push_str(&format!("CREATE TABLE `{table}` ({}) ENGINE=InnoDB;\n", if here { wanted } else { actual }));
            }
            // Keys between tables, options, partitions.
            sql.push_str("CREATE TABLE parent (id INT PRIMARY KEY, other INT, UNIQUE KEY (other)) ENGINE=InnoDB;\n");
            let target = if here { "id" } else { "other" };
            sql.push_str(&format!(
                "CREATE TABLE child (id INT PRIMARY KEY, p INT, KEY (p), CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent ({target})) ENGINE=InnoDB;\n"
            ));
            let (comment, parts) = if here { ("new", "PARTITIONS 3") } else { ("old", "PARTITIONS 2") };
            sql.push_str(&format!("CREATE TABLE options (id INT) ENGINE=InnoDB COMMENT='{comment}' ROW_FORMAT=COMPACT;\n"));
            sql.push_str(&format!("CREATE TABLE parted (id INT) ENGINE=InnoDB PARTITION BY HASH (id) {parts};\n"));
            sql.push_str(if here {
                "CREATE TABLE engine (id INT) ENGINE=InnoDB;\n"
            } else {
                "CREATE TABLE engine (id INT) ENGINE=MyISAM;\n"
            });
            server.exec(&sql).expect("tables");
        }
        let start = look(source, &mapping.from);
        let there = look(destination, &mapping.to);
        assert_eq!(compare(&start, &there, &mapping, Existing::Fail, false).changes, []);
        let ignored = compare(&start, &there, &mapping, Existing::Ignore, false);
        assert_eq!(ignored.changes, []);
        assert!(ignored.notes.len() >= ALIGNED.len() - 1, "{:#?}", ignored.notes);

        let first = compare(&start, &there, &mapping, Existing::Align, false);
        assert!(first.changes.iter().all(|c| c.act == Act::Alter && !is_refused(c)), "{:#?}", first.changes);
        let mut risky: Vec<String> = first
            .changes
            .iter()
            .filter_map(|c| match &c.risk {
                Risk::Unsafe { action, column } => {
                    Some(format!("{} {}.{}", action.name(), c.table.as_ref()?.table, column.as_deref().unwrap_or("*")))
                }
                _ => None,
            })
            .collect();
        risky.sort();
        assert_eq!(
            risky,
            [
                "change-partitions parted.*",
                "drop-column drop_column.gone",
                "drop-column order_and_add.old",
                "forbid-null nullable.a",
                "narrow-type narrow.a",
                "narrow-type narrow.b",
            ],
            "{from} -> {to}"
        );
        run(destination, first.changes.iter());
        let last = compare(&start, &look(destination, &mapping.to), &mapping, Existing::Align, false);
        assert_eq!(last.changes, [], "{from} -> {to}");
    }
}
