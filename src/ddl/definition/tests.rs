use proptest::prelude::*;

use super::*;

/// Every definition that the servers printed for our probing tables is taken apart and joins again.
#[test]
fn what_servers_print_is_understood() {
    for file in
        [include_str!("../../../testdata/definitions/mysql-9.7.sql"), include_str!("../../../testdata/definitions/mariadb-10.11.sql")]
    {
        for text in file.split("\n;;\n") {
            let text = text.trim_end();
            let definition = Definition::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert!(definition.columns().count() > 0);
        }
    }
}

fn parse(text: &str) -> Definition {
    Definition::parse(text).unwrap()
}

#[test]
fn attributes_of_a_column_are_told_apart() {
    let d = parse(
        "CREATE TABLE `t` (\n  `a,(` varchar(20) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'x'')' COMMENT 'DEFAULT 1, -- ',\n  `g` int(5) unsigned zerofill GENERATED ALWAYS AS (`a,(` + 1) STORED,\n  `t` timestamp NULL DEFAULT NULL ON UPDATE current_timestamp(),\n  `i` int DEFAULT (((1 + 2) * 3)) /*!80023 INVISIBLE */,\n  `j` longtext DEFAULT '{}' CHECK (json_valid(`j`))\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='it''s=1'\n/*!50100 PARTITION BY KEY (`a,(`)\nPARTITIONS 3 */",
    );
    let columns: Vec<_> = d.columns().collect();
    assert_eq!(columns[0].name, "a,(");
    assert_eq!(columns[0].data_type, "varchar(20)");
    assert_eq!(columns[0].charset.as_deref(), Some("latin1"));
    assert_eq!(columns[0].default.as_deref(), Some("'x'')'"));
    assert_eq!(columns[0].null, Some(false));
    assert_eq!(columns[1].data_type, "int(5) unsigned zerofill");
    assert_eq!(columns[1].generated, Some(Generated { expression: "`a,(` + 1".to_owned(), stored: true }));
    assert_eq!(columns[2].on_update.as_deref(), Some("current_timestamp()"));
    assert_eq!(columns[3].default.as_deref(), Some("(((1 + 2) * 3))"));
    assert!(columns[3].invisible);
    assert_eq!(columns[4].check.as_deref(), Some("json_valid(`j`)"));
    assert_eq!(d.option("COMMENT"), Some("'it''s=1'"));
    assert_eq!(d.option("DEFAULT CHARSET"), Some("utf8mb4"));
    assert_eq!(d.partition.as_deref(), Some("PARTITION BY KEY (`a,(`)\nPARTITIONS 3"));
}

#[test]
fn indexes_and_constraints_are_told_apart() {
    let d = parse(
        "CREATE TABLE `t` (\n  `a` int DEFAULT NULL,\n  PRIMARY KEY (`a`),\n  UNIQUE KEY `u` (`a`(5),`b` DESC) USING HASH COMMENT 'c',\n  KEY `f` ((lower(`a`))) /*!80000 INVISIBLE */,\n  FULLTEXT KEY `ft` (`a`) /*!50100 WITH PARSER `ngram` */ ,\n  CONSTRAINT `x` FOREIGN KEY (`a`, `b`) REFERENCES `o`.`p` (`c`, `d`) ON DELETE SET NULL ON UPDATE CASCADE,\n  CONSTRAINT `ck` CHECK ((`a` > 1)) /*!80016 NOT ENFORCED */\n) ENGINE=InnoDB",
    );
    let indexes: Vec<_> = d.indexes().collect();
    assert_eq!(indexes[0].name, "PRIMARY");
    assert_eq!((indexes[1].parts[0].prefix, indexes[1].parts[1].descending), (Some(5), true));
    assert_eq!(indexes[2].parts[0].expression.as_deref(), Some("lower(`a`)"));
    assert_eq!(indexes[2].options[0].key, "INVISIBLE");
    assert_eq!(indexes[3].options[0].value.as_deref(), Some("`ngram`"));
    let key = d.foreign_keys().next().unwrap();
    assert_eq!((key.target_database.as_deref(), key.target_table.as_str()), (Some("o"), "p"));
    assert_eq!(key.actions, "ON DELETE SET NULL ON UPDATE CASCADE");
    let Clause::Check(check) = &d.items.last().unwrap().clause else { panic!() };
    assert!(check.not_enforced);
}

#[test]
fn what_is_not_known_is_refused_with_its_place() {
    let of = |line: &str| Definition::parse(&format!("CREATE TABLE `t` (\n  {line}\n) ENGINE=InnoDB")).unwrap_err().to_string();
    assert_eq!(of("`a` int FROBNICATED DEFAULT 1"), "column a: 'FROBNICATED DEFAULT 1' is not known to dtsctl");
    assert_eq!(of("KEY `a` (`a`) QUICK"), "index a: 'QUICK' is not known to dtsctl");
    let option = Definition::parse("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB SHINY").unwrap_err().to_string();
    assert!(option.starts_with("a table option"), "{option}");
    assert_eq!(Definition::parse("CREATE ALGORITHM=UNDEFINED VIEW `v` AS select 1"), Err(DefinitionError::NotATable));
    // Not as a server prints it: two blanks.
    assert_eq!(Definition::parse("CREATE TABLE `t` (\n  `a` int\n)  ENGINE=InnoDB"), Err(DefinitionError::NotRebuilt));
}

fn name() -> impl Strategy<Value = String> {
    "[a-z`, ()'\"\\\\é😀*/-]{1,12}"
}

proptest! {
    #[test]
    fn any_names_and_comments_are_rebuilt(table in name(), columns in proptest::collection::vec((name(), name()), 1..5), note in name()) {
        let quote = crate::catalog::quote_name;
        let mut text = format!("CREATE TABLE {} (\n", quote(&table));
        for (column, comment) in &columns {
            text.push_str(&format!("  {} int DEFAULT NULL COMMENT {},\n", quote(column), lex::string_literal(comment)));
        }
        text.push_str(&format!("  PRIMARY KEY ({})\n) ENGINE=InnoDB COMMENT={}", quote(&columns[0].0), lex::string_literal(&note)));
        let definition = Definition::parse(&text).unwrap();
        prop_assert_eq!(&definition.name, &table);
        let found: Vec<_> = definition.columns().map(|c| c.name.clone()).collect();
        prop_assert_eq!(found, columns.iter().map(|c| c.0.clone()).collect::<Vec<_>>());
        prop_assert_eq!(lex::string_value(definition.option("COMMENT").unwrap()), note);
    }

    #[test]
    fn garbage_never_panics(text in "CREATE TABLE `t` \\([a-z`'(), \n/*!0-9]{0,60}\\)[ a-z=*/]{0,20}") {
        let _ = Definition::parse(&text);
    }
}
