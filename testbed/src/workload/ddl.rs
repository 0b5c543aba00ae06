//! Random changes of definitions. As with rows, the server decides what succeeds.

use anyhow::Result;
use mysql::Conn;
use mysql::prelude::Queryable;

use super::random::Random;
use super::shape::Shape;
use super::{Options, quoted, table, value};

/// Every name that [`random`] gives, for a test to see that all are reached.
pub const DDL: [&str; 24] = [
    "add column",
    "add two columns",
    "drop column",
    "modify type",
    "modify enum",
    "reorder enum",
    "reorder column",
    "rename column",
    "change column",
    "add index",
    "drop index",
    "add unique",
    "rename table",
    "rename several tables",
    "swap tables",
    "truncate",
    "create table",
    "drop table",
    "create like",
    "create select",
    "partitions",
    "auto_increment",
    "convert charset",
    "table comment",
];

/// A name and the statements of one change; `None` when this table cannot have it.
///
/// `number` makes names of tables unique.
pub(super) fn random(
    conn: &mut Conn,
    options: &Options,
    tables: &[&Shape],
    number: u64,
    random: &mut Random,
) -> Result<Option<(&'static str, Vec<String>)>> {
    let free: Vec<&Shape> = tables.iter().copied().filter(|table| !table.related).collect();
    let Some(&table) = random.any(&free) else { return Ok(None) };
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let alter = |what: String| Some(vec![format!("ALTER TABLE {} {what}", table.path())]);
    let new_path = |random: &mut Random| format!("{}.{}", quoted(&table.database), quoted(&table::table_name(number, random)));
    let loose: Vec<&super::shape::Column> = table
        .columns
        .iter()
        .filter(|column| !column.indexed && !column.generated && !table.columns.iter().any(|other| other.generated && column.is_integer()))
        .collect();
    let place = |random: &mut Random| match random.below(3) {
        0 => " FIRST".to_owned(),
        1 => format!(" AFTER {}", quoted(&names[random.index(names.len())])),
        _ => String::new(),
    };
    let kind = if table.partitions.is_empty() || random.one_in(2) { *random.pick(&DDL) } else { "partitions" };
    let made = match kind {
        "add column" => {
            let (_, text) = table::free_column(options, &names, random);
            alter(format!("ADD COLUMN {text}{}", place(random)))
        }
        "add two columns" => {
            let (first, one) = table::free_column(options, &names, random);
            let mut taken = names.clone();
            taken.push(first);
            let (_, two) = table::free_column(options, &taken, random);
            alter(format!("ADD {one}{}, ADD COLUMN {two}", place(random)))
        }
        "drop column" if names.len() > 3 => random.any(&loose).and_then(|column| alter(format!("DROP COLUMN {}", quoted(&column.name)))),
        "modify type" => match random.any(&loose) {
            None => None,
            Some(column) => {
                let name = quoted(&column.name);
                let to = match column.data_type.as_str() {
                    "tinyint" | "smallint" | "mediumint" | "int" => Some("BIGINT NULL".to_owned()),
                    "varchar" => Some(format!(
                        "VARCHAR({}) CHARACTER SET utf8mb4 COLLATE {} NULL",
                        column.length + 10,
                        random.pick(&["utf8mb4_general_ci", "utf8mb4_bin"])
                    )),
                    "float" => Some("DOUBLE NULL".to_owned()),
                    "datetime" => Some("DATETIME(6) NULL".to_owned()),
                    "tinytext" | "text" => Some(format!("LONGTEXT CHARACTER SET {} NULL", column.charset)),
                    "tinyblob" | "blob" => Some("LONGBLOB NULL".to_owned()),
                    "binary" | "varbinary" => Some(format!("VARBINARY({}) NULL", column.length + 20)),
                    "decimal" => Some("DECIMAL(65,30) NULL".to_owned()),
                    "bit" => Some("BIT(64) NULL".to_owned()),
                    _ => None,
                };
                to.and_then(|to| alter(format!("MODIFY {name} {to}")))
            }
        },
        "modify enum" | "reorder enum" => {
            let lists: Vec<_> = table.columns.iter().filter(|column| ["enum", "set"].contains(&column.data_type.as_str())).collect();
            random.any(&lists).and_then(|column| {
                let mut members = value::members(&column.column_type);
                if kind == "modify enum" {
                    members.push(format!("m{number}"));
                } else {
                    let by = (1 + random.index(members.len().max(2) - 1)).min(members.len());
                    members.rotate_left(by);
                }
                let collation = if column.charset == "latin1" { "latin1_swedish_ci" } else { "utf8mb4_unicode_ci" };
                let null = if column.nullable { "NULL" } else { "NOT NULL" };
                let list = members.iter().map(|member| format!("'{member}'")).collect::<Vec<_>>().join(",");
                alter(format!(
                    "MODIFY COLUMN {} {}({list}) CHARACTER SET {} COLLATE {collation} {null}",
                    quoted(&column.name),
                    column.data_type,
                    column.charset
                ))
            })
        }
        "reorder column" | "rename column" | "change column" => match random.any(&loose) {
            None => None,
            Some(column) => {
                let text = definition(conn, table, &column.name)?;
                let to = table::name_of(&column.name[..1].replace(|c: char| !c.is_ascii_alphabetic(), "v"), &names, random);
                match (kind, text) {
                    ("rename column", _) => alter(format!("RENAME COLUMN {} TO {}", quoted(&column.name), quoted(&to))),
                    ("reorder column", Some(text)) => alter(format!("MODIFY COLUMN {} {text}{}", quoted(&column.name), place(random))),
                    (_, Some(text)) => alter(format!("CHANGE {} {} {text}{}", quoted(&column.name), quoted(&to), place(random))),
                    _ => None,
                }
            }
        },
        "add index" => {
            let columns: Vec<_> =
                table.columns.iter().filter(|column| column.compares() && column.length < 200 && column.data_type != "blob").collect();
            random.any(&columns).map(|column| {
                let (name, path, column) = (quoted(&format!("ix `{number}")), table.path(), quoted(&column.name));
                vec![if random.one_in(2) {
                    format!("CREATE INDEX {name} ON {path} ({column})")
                } else {
                    format!("ALTER TABLE {path} ADD KEY {name} ({column} DESC)")
                }]
            })
        }
        "drop index" => {
            let secondary: Vec<_> = table.keys.iter().filter(|key| key.name != "PRIMARY" && (!key.unique || options.keyless)).collect();
            random.any(&secondary).map(|key| {
                let (name, path) = (quoted(&key.name), table.path());
                vec![if random.one_in(2) { format!("DROP INDEX {name} ON {path}") } else { format!("ALTER TABLE {path} DROP KEY {name}") }]
            })
        }
        "add unique" => {
            let columns: Vec<_> =
                table.columns.iter().filter(|column| column.compares() && column.length < 100 && !column.generated).collect();
            random
                .any(&columns)
                .and_then(|column| alter(format!("ADD UNIQUE KEY {} ({})", quoted(&format!("u.{number}")), quoted(&column.name))))
        }
        "rename table" => {
            let to = new_path(random);
            Some(vec![if random.one_in(2) {
                format!("RENAME TABLE {} TO {to}", table.path())
            } else {
                format!("ALTER TABLE {} RENAME TO {to}", table.path())
            }])
        }
        "rename several tables" | "swap tables" => random.any(&free).filter(|other| other.path() != table.path()).map(|other| {
            let between = new_path(random);
            let (a, b) = (table.path(), other.path());
            if kind == "swap tables" {
                vec![format!("RENAME TABLE {a} TO {between}, {b} TO {a}, {between} TO {b}")]
            } else {
                let second = format!("{}.{}", quoted(&other.database), quoted(&format!("r{number}")));
                vec![format!("RENAME TABLE {a} TO {between}, {b} TO {second}")]
            }
        }),
        "truncate" => Some(vec![format!("TRUNCATE TABLE {}", table.path())]).filter(|_| random.one_in(2)),
        "create table" => {
            Some(vec![table::create(options, &new_path(random), random.one_in(4), random)]).filter(|_| tables.len() < options.tables * 2)
        }
        "drop table" => Some(vec![if random.one_in(2) {
            format!("DROP TABLE {}", table.path())
        } else {
            format!("DROP TABLE IF EXISTS {}, {}", table.path(), new_path(random))
        }])
        .filter(|_| free.len() > 3),
        "create like" => {
            Some(vec![format!("CREATE TABLE {} LIKE {}", new_path(random), table.path())]).filter(|_| tables.len() < options.tables * 2)
        }
        "create select" => Some(vec![format!("CREATE TABLE {} AS SELECT * FROM {}", new_path(random), table.path())])
            .filter(|_| options.keyless && tables.len() < options.tables * 2),
        "partitions" => partitions(table, number, random),
        "auto_increment" => alter(format!("AUTO_INCREMENT = {}", 100 + random.below(1000)))
            .filter(|_| table.columns.iter().any(|column| column.auto_increment)),
        "convert charset" => alter(format!(
            "CONVERT TO CHARACTER SET utf8mb4 COLLATE {}",
            random.pick(&["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin"])
        ))
        // MySQL leaves the members of a list as bytes of the old charset (seen on 9.7.4): no definition says what is in the table then.
        .filter(|_| !table.columns.iter().any(|column| ["enum", "set"].contains(&column.data_type.as_str()))),
        "table comment" => alter("COMMENT = 'it''s `new` \"é\"'".to_owned()),
        _ => None,
    };
    Ok(made.map(|sql| (kind, sql)))
}

fn partitions(table: &Shape, number: u64, random: &mut Random) -> Option<Vec<String>> {
    let last = table.partitions.last()?;
    let path = table.path();
    let first = quoted(table.partitions.first()?);
    Some(vec![match random.below(4) {
        0 => format!(
            "ALTER TABLE {path} REORGANIZE PARTITION {0} INTO (PARTITION {1} VALUES LESS THAN ({2}), PARTITION {0} VALUES LESS THAN MAXVALUE)",
            quoted(last),
            quoted(&format!("p{number}")),
            1000 + number * 10
        ),
        1 => format!("ALTER TABLE {path} TRUNCATE PARTITION {first}"),
        2 if table.partitions.len() > 2 => format!("ALTER TABLE {path} DROP PARTITION {first}"),
        _ => format!("ALTER TABLE {path} REMOVE PARTITIONING"),
    }])
}

/// What follows the name of a column in `SHOW CREATE TABLE`.
fn definition(conn: &mut Conn, table: &Shape, column: &str) -> Result<Option<String>> {
    let row: Option<(String, String)> = conn.query_first(format!("SHOW CREATE TABLE {}", table.path()))?;
    let head = format!("  {} ", quoted(column));
    Ok(row.and_then(|(_, text)| text.lines().find_map(|line| line.strip_prefix(&head)).map(|rest| rest.trim_end_matches(',').to_owned())))
}
