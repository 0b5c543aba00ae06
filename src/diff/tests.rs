use super::*;
use crate::{
    catalog::{Column, Database, OtherObject, Table, TypeKind},
    connect::{Flavor, Vendor},
    ddl::Definition,
};

const MYSQL: Flavor = Flavor { vendor: Vendor::MySql, version: (9, 7, 4) };
const OLD_MYSQL: Flavor = Flavor { vendor: Vendor::MySql, version: (5, 7, 44) };
const MARIADB: Flavor = Flavor { vendor: Vendor::MariaDb, version: (10, 11, 19) };

/// A table from its text, as the catalog would read it.
fn table(database: &str, text: &str) -> Table {
    let definition = Definition::parse(text).unwrap();
    let collation = definition.option("COLLATE").unwrap_or("utf8mb4_bin").to_owned();
    let is_text = |t: &str| ["char", "text", "enum", "set"].iter().any(|w| t.contains(w));
    let columns: Vec<Column> = definition
        .columns()
        .map(|c| {
            let own = is_text(&c.data_type).then(|| c.collation.clone().unwrap_or_else(|| collation.clone()));
            Column {
                name: c.name.clone(),
                column_type: c.data_type.clone(),
                kind: TypeKind::Integer,
                unsigned: false,
                nullable: c.null != Some(false),
                charset: own.as_deref().map(|o| shape::charset_of(o).to_owned()),
                collation: own,
                generated: c.generated.is_some(),
                row_period: c.row_period.is_some(),
                invisible: c.invisible,
                auto_increment: c.auto_increment,
                json_text: false,
            }
        })
        .collect();
    Table {
        name: TableName::new(database, definition.name.clone()),
        engine: definition.option("ENGINE").unwrap_or("InnoDB").to_owned(),
        collation,
        rows_estimate: 0,
        data_bytes: 0,
        index_bytes: 0,
        auto_increment: definition.option("AUTO_INCREMENT").and_then(|n| n.parse().ok()),
        create: text.to_owned(),
        columns,
        keys: Vec::new(),
        system_versioned: false,
        cascades: None,
        unsupported: None,
    }
}

fn catalog(databases: &[&str], tables: Vec<Table>) -> Catalog {
    let database = |name: &&str| Database {
        name: (*name).to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        create: String::new(),
    };
    let collations = ["utf8mb4_bin", "utf8mb4_general_ci", "latin1_swedish_ci"];
    Catalog {
        databases: databases.iter().map(database).collect(),
        tables,
        others: Vec::new(),
        collations: collations.map(str::to_owned).to_vec(),
        engines: vec!["InnoDB".to_owned(), "MyISAM".to_owned()],
    }
}

fn info(flavor: Flavor) -> ServerInfo {
    ServerInfo {
        flavor,
        version_text: String::new(),
        identity: String::new(),
        account: String::new(),
        tls_cipher: String::new(),
        variables: std::collections::BTreeMap::new(),
    }
}

/// Database `x` becomes `x_dr`; tables named `out` do not go.
struct Dr;

impl Mapping for Dr {
    fn table(&self, source: &TableName) -> Option<TableName> {
        (source.table != "out").then(|| TableName::new(format!("{}_dr", source.database), source.table.clone()))
    }

    fn database(&self, source: &str) -> Option<String> {
        Some(format!("{source}_dr"))
    }
}

struct Case {
    from: Flavor,
    to: Flavor,
    existing: Existing,
    ours: bool,
    indexes: Stage,
    engine: Option<&'static str>,
}

const PLAIN: Case = Case { from: MYSQL, to: MYSQL, existing: Existing::Fail, ours: false, indexes: Stage::After, engine: Some("innodb") };

fn run(case: &Case, source: &Catalog, destination: &Catalog) -> Diff {
    let options = Options {
        existing: case.existing,
        created_by_us: &|_| case.ours,
        secondary_indexes: case.indexes,
        engine: case.engine.map(str::to_owned),
        guarded_triggers: false,
    };
    changes(source, &info(case.from), destination, &info(case.to), &Dr, &options)
}

fn show(diff: &Diff) -> String {
    let mut out = String::new();
    for c in &diff.changes {
        let outside = if c.outside { " outside" } else { "" };
        out.push_str(&format!(
            "{:?} {:?} {:?} {} -> {}: {} [{:?}]{outside}\n",
            c.stage, c.part, c.act, c.source, c.destination, c.what, c.risk
        ));
        for s in &c.statements {
            out.push_str(&format!("    {}\n", s.replace('\n', "\n    ")));
        }
    }
    for n in &diff.notes {
        out.push_str(&format!("note {} {}: {}\n", n.code, n.object, n.text));
    }
    out
}

const ORDERS: &str = "CREATE TABLE `orders` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `customer` int NOT NULL,\n  `note` varchar(20) DEFAULT 'it''s',\n  PRIMARY KEY (`customer`,`id`),\n  UNIQUE KEY `u` (`note`),\n  KEY `id` (`id`),\n  KEY `n` (`note`(5)),\n  KEY `c` (`customer` DESC),\n  FULLTEXT KEY `ft` (`note`),\n  CONSTRAINT `self` FOREIGN KEY (`customer`) REFERENCES `orders` (`customer`),\n  CONSTRAINT `far` FOREIGN KEY (`customer`) REFERENCES `crm`.`customer` (`id`) ON DELETE CASCADE\n) ENGINE=InnoDB AUTO_INCREMENT=42 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='x'";
const CUSTOMER: &str =
    "CREATE TABLE `customer` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

#[test]
fn a_table_is_made_in_an_order_that_works() {
    let source = catalog(&["crm", "shop"], vec![table("crm", CUSTOMER), table("shop", ORDERS)]);
    insta::assert_snapshot!(show(&run(&PLAIN, &source, &catalog(&["crm_dr"], Vec::new()))));
}

#[test]
fn indexes_may_come_before_the_rows() {
    let source = catalog(&["shop"], vec![table("shop", ORDERS)]);
    let diff = run(&Case { indexes: Stage::Before, ..PLAIN }, &source, &catalog(&["shop_dr"], Vec::new()));
    assert!(diff.changes.iter().all(|c| c.part != Part::Indexes));
    assert!(diff.changes[0].statements[0].contains("KEY `n` (`note`(5))"));
}

#[test]
fn a_key_to_a_table_that_is_not_selected_is_refused_alone() {
    let text = "CREATE TABLE `t` (\n  `a` int DEFAULT NULL,\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `out` (`a`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
    insta::assert_snapshot!(show(&run(&PLAIN, &catalog(&["s"], vec![table("s", text)]), &catalog(&["s_dr"], Vec::new()))));
}

#[test]
fn an_existing_table_is_left_noted_or_aligned() {
    let wanted = "CREATE TABLE `t` (\n  `a` bigint NOT NULL,\n  `b` int DEFAULT NULL,\n  `c` varchar(10) DEFAULT NULL,\n  KEY `b` (`b`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
    let actual = "CREATE TABLE `t` (\n  `a` int(11) DEFAULT NULL,\n  `c` varchar(20) DEFAULT NULL,\n  `old` int(11) DEFAULT NULL,\n  KEY `x` (`a`)\n) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='mine'";
    let source = catalog(&["s"], vec![table("s", wanted)]);
    let there = catalog(&["s_dr"], vec![table("s_dr", actual)]);
    assert_eq!(run(&PLAIN, &source, &there), Diff::default());
    insta::assert_snapshot!("ignored", show(&run(&Case { existing: Existing::Ignore, ..PLAIN }, &source, &there)));
    let aligned = run(&Case { existing: Existing::Align, ..PLAIN }, &source, &there);
    insta::assert_snapshot!("aligned", show(&aligned));
    insta::assert_snapshot!("aligned_definition", aligned.changes[0].after.as_deref().unwrap());
    assert_eq!(common_columns(&source.tables[0], &there.tables[0]), ["a", "c"]);
}

#[test]
fn what_somebody_changed_behind_our_back_is_an_outside_change() {
    let source = catalog(&["s"], vec![table("s", CUSTOMER)]);
    let same = catalog(&["s_dr"], vec![table("s_dr", CUSTOMER)]);
    let case = Case { ours: true, ..PLAIN };
    assert_eq!(run(&case, &source, &same), Diff::default());
    let changed = catalog(&["s_dr"], vec![table("s_dr", &CUSTOMER.replace("int NOT NULL", "bigint NOT NULL"))]);
    let diff = run(&case, &source, &changed);
    assert_eq!(diff.changes.len(), 1);
    assert!(diff.changes[0].outside);
    assert_eq!(diff.changes[0].risk, Risk::Unsafe { action: UnsafeAction::NarrowType, column: Some("id".to_owned()) });
}

/// The counter of the source has gone on: only the counter changes, when the rows are there.
#[test]
fn a_counter_that_is_behind_is_set_after_the_rows() {
    let source = catalog(
        &["s"],
        vec![table(
            "s",
            &ORDERS.replace(",\n  CONSTRAINT `far` FOREIGN KEY (`customer`) REFERENCES `crm`.`customer` (`id`) ON DELETE CASCADE", ""),
        )],
    );
    let mut there = source.clone();
    there.databases[0].name = "s_dr".to_owned();
    there.tables[0].name.database = "s_dr".to_owned();
    there.tables[0].auto_increment = Some(7);
    insta::assert_snapshot!(show(&run(&Case { ours: true, ..PLAIN }, &source, &there)));
}

#[test]
fn what_an_old_server_lacks_is_refused_or_noted() {
    let text = "CREATE TABLE `t` (\n  `a` int NOT NULL AUTO_INCREMENT,\n  `b` varchar(9) COLLATE utf8mb4_0900_ai_ci DEFAULT (uuid()),\n  `c` int DEFAULT '7' /*!80023 INVISIBLE */,\n  PRIMARY KEY (`a`),\n  KEY `f` ((`a` + 1)),\n  KEY `d` (`c` DESC) /*!80000 INVISIBLE */,\n  CONSTRAINT `ck` CHECK ((`a` > 1))\n) ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
    let there = catalog(&["s_dr"], Vec::new());
    let case = Case { to: OLD_MYSQL, ..PLAIN };
    insta::assert_snapshot!("old_refused", show(&run(&case, &catalog(&["s"], vec![table("s", text)]), &there)));
    let less = "CREATE TABLE `t` (\n  `a` int NOT NULL AUTO_INCREMENT,\n  `c` int DEFAULT '7',\n  PRIMARY KEY (`a`),\n  KEY `d` (`c` DESC) /*!80000 INVISIBLE */,\n  CONSTRAINT `ck` CHECK ((`a` > 1))\n) ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
    insta::assert_snapshot!("old_carried", show(&run(&case, &catalog(&["s"], vec![table("s", less)]), &there)));
}

#[test]
fn spatial_columns_in_partitions_have_no_place_in_mysql() {
    let text = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `g` point DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 \
                COLLATE=utf8mb4_bin\n PARTITION BY RANGE (`id`)\n(PARTITION `p0` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)";
    let (source, there) = (catalog(&["s"], vec![table("s", text)]), catalog(&["s_dr"], Vec::new()));
    let diff = run(&Case { from: MARIADB, ..PLAIN }, &source, &there);
    assert!(matches!(&diff.changes[0].risk, Risk::Unsupported { code: unsupported::FEATURE, .. }), "{:?}", diff.changes[0].risk);
    let diff = run(&Case { from: MARIADB, to: MARIADB, ..PLAIN }, &source, &there);
    assert_eq!(diff.changes[0].risk, Risk::Safe);
}

#[test]
fn defaults_are_spelt_as_mysql_wants_them() {
    let text = "CREATE TABLE `t` (\n  `a` text DEFAULT 'x',\n  `b` date DEFAULT curdate(),\n  `c` datetime(6) DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),\n  `d` int(11) DEFAULT (`e` + 1),\n  `e` int(11) DEFAULT -5,\n  `f` varchar(40) DEFAULT current_timestamp(),\n  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '{}' CHECK (json_valid(`j`)),\n  `k` int(11) DEFAULT NULL CHECK (`k` > 0),\n  CONSTRAINT `CONSTRAINT_1` CHECK (`e` < 9)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
    let case = Case { from: MARIADB, ..PLAIN };
    insta::assert_snapshot!(show(&run(&case, &catalog(&["s"], vec![table("s", text)]), &catalog(&["s_dr"], Vec::new()))));
}

#[test]
fn engines_are_kept_when_nobody_asks() {
    let text = "CREATE TABLE `t` (\n  `a` int\n) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=FIXED";
    let source = catalog(&["s"], vec![table("s", text)]);
    let there = catalog(&["s_dr"], Vec::new());
    let statement = |engine| run(&Case { engine, ..PLAIN }, &source, &there).changes[0].statements[0].clone();
    assert!(statement(None).contains("ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=FIXED"));
    assert!(statement(Some("innodb")).ends_with("ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"));
    let missing = run(&Case { engine: Some("xengine"), ..PLAIN }, &source, &there);
    assert!(matches!(missing.changes[0].risk, Risk::Unsupported { code: unsupported::ENGINE, .. }));
}

#[test]
fn sequences_are_made_first_and_set_last() {
    let sequence = |database: &str, position: &str| OtherObject {
        kind: "sequence".to_owned(),
        database: database.to_owned(),
        name: "q".to_owned(),
        create: "CREATE SEQUENCE `q` start with 5 minvalue 1 maxvalue 100 increment by 2 cache 10 nocycle ENGINE=InnoDB".to_owned(),
        position: Some(position.to_owned()),
        session: None,
    };
    let text = "CREATE TABLE `t` (\n  `a` bigint(20) DEFAULT nextval(`s`.`q`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
    let mut source = catalog(&["s"], vec![table("s", text)]);
    source.others.push(sequence("s", "25"));
    let case = Case { from: MARIADB, to: MARIADB, ours: true, ..PLAIN };
    insta::assert_snapshot!(show(&run(&case, &source, &catalog(&["s_dr"], Vec::new()))));
    let mut there = catalog(&["s_dr"], vec![table("s_dr", &text.replace("`s`.", "`s_dr`."))]);
    there.others.push(sequence("s_dr", "25"));
    assert_eq!(run(&case, &source, &there), Diff::default());
    there.others[0].position = Some("5".to_owned());
    assert_eq!(run(&case, &source, &there).changes.len(), 1);
}

#[test]
fn a_text_that_is_not_understood_blocks_its_table_alone() {
    let mut odd = table("s", CUSTOMER);
    odd.unsupported = Some("column x: 'SHINY' is not known to dtsctl".to_owned());
    let diff = run(&PLAIN, &catalog(&["s"], vec![odd]), &catalog(&["s_dr"], Vec::new()));
    assert!(matches!(&diff.changes[..], [Change { risk: Risk::Unsupported { code: unsupported::DEFINITION, .. }, .. }]));
}

#[test]
fn a_database_with_other_defaults_is_noted() {
    let source = catalog(&["s"], Vec::new());
    let mut there = catalog(&["s_dr"], Vec::new());
    there.databases[0].collation = "latin1_swedish_ci".to_owned();
    let diff = run(&PLAIN, &source, &there);
    assert_eq!(diff.changes, []);
    assert_eq!(diff.notes[0].code, note::DATABASE_DEFAULTS);
}

/// MariaDB names checks per table, MySQL per database.
#[test]
fn names_that_would_meet_in_one_database_are_left_to_the_server() {
    let text = |name: &str| {
        format!(
            "CREATE TABLE `{name}` (\n  `a` int(11) DEFAULT NULL,\n  CONSTRAINT `positive` CHECK (`a` > 0),\n  CONSTRAINT `{name}_ok` CHECK (`a` < 9)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
        )
    };
    let source = catalog(&["s"], vec![table("s", &text("t")), table("s", &text("u"))]);
    let diff = run(&Case { from: MARIADB, ..PLAIN }, &source, &catalog(&["s_dr"], Vec::new()));
    for (change, name) in diff.changes.iter().zip(["t", "u"]) {
        let statement = &change.statements[0];
        assert!(statement.contains(",\n  CHECK (`a` > 0)") && statement.contains(&format!("CONSTRAINT `{name}_ok` CHECK")), "{statement}");
    }
}

/// The documentation's table is this one.
#[test]
fn the_table_of_what_crosses_flavours_is_documented() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/flavours.md");
    let head = "# What becomes of a definition between MySQL and MariaDB\n\nGenerated from `src/diff/mapping.rs` (`DTSCTL_GEN=1 cargo test flavours`). What no row names and both vendors know is carried as it\nstands. What is left out appears in the plan as a note, what is refused blocks its table, and a collation marked `map-collation` needs\npermission where its column is part of a unique key.\n\n";
    let expected = format!("{head}{}", mapping::as_markdown());
    if std::env::var_os("DTSCTL_GEN").is_some() {
        std::fs::write(file, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), expected, "run `DTSCTL_GEN=1 cargo test flavours`");
}
