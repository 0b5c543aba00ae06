//! What a transaction may do to rows. Each operation is a name and its statements; the server decides which of them succeed.

use super::fixed;
use super::quoted;
use super::random::Random;
use super::shape::{Column, Shape};
use super::value::{certain, kin, literal, utf8};

/// A kind of operation and its statements, to be run one after the other in one transaction.
pub(super) type Operation = (&'static str, Vec<String>);

/// Every name that [`random_table`] and [`fixed_table`] give, for a test to see that all are reached.
pub const OPERATIONS: [&str; 28] = [
    "insert",
    "insert select",
    "upsert",
    "replace",
    "update",
    "update key",
    "shift keys",
    "swap keys",
    "swap unique by null",
    "move unique by delete",
    "update nothing",
    "update all columns",
    "delete",
    "delete and insert",
    "keyless update",
    "keyless delete",
    "keyless duplicate",
    "multi-table update",
    "multi-table delete",
    "counters",
    "keyless counters",
    "big insert",
    "big update",
    "big delete",
    "children",
    "move unique",
    "kin",
    "kin delete and insert",
];

/// An operation on one of these tables.
pub(super) fn random_table(tables: &[&Shape], random: &mut Random) -> Option<Operation> {
    let table = *random.any(tables)?;
    let keyed = table.identity().is_some();
    let integer = table.identity().filter(|key| key.len() == 1 && key[0].is_integer()).map(|key| key[0]);
    for _ in 0..8 {
        let made = match random.below(27) {
            0..=5 => Some(("insert", vec![insert("INSERT", table, random)])),
            6 => insert_select(table, random).map(|sql| ("insert select", vec![sql])),
            7 | 8 if keyed => assignment(table, random)
                .map(|set| ("upsert", vec![format!("{} ON DUPLICATE KEY UPDATE {set}", insert("INSERT", table, random))])),
            9 | 10 if keyed => Some(("replace", vec![insert("REPLACE", table, random)])),
            11..=14 if keyed => assignment(table, random)
                .map(|set| ("update", vec![format!("UPDATE {} SET {set} {}", table.path(), some_rows(table, random))])),
            15 if keyed => update_key(table, random).map(|sql| ("update key", vec![sql])),
            16 => integer.map(|key| ("shift keys", vec![shift(table, key, random)])),
            17 => integer.map(|key| ("swap keys", swap_keys(table, key, random))),
            18 if keyed => swap_unique(table, random).map(|sql| ("swap unique by null", sql)),
            19 if keyed => move_by_delete(table, random).map(|sql| ("move unique by delete", sql)),
            20 => nothing(table, random).map(|sql| ("update nothing", vec![sql])),
            21 if keyed => Some(("update all columns", vec![all_columns(table, random)])),
            22 if keyed => Some(("delete", vec![format!("DELETE FROM {} {}", table.path(), some_rows(table, random))])),
            23 if keyed => Some((
                "delete and insert",
                vec![format!("DELETE FROM {} {}", table.path(), some_rows(table, random)), insert("INSERT", table, random)],
            )),
            11..=15 if !keyed => assignment(table, random)
                .map(|set| ("keyless update", vec![format!("UPDATE {} SET {set} {}", table.path(), any_rows(table, random))])),
            22 | 23 if !keyed => Some(("keyless delete", vec![format!("DELETE FROM {} {}", table.path(), any_rows(table, random))])),
            7..=10 if !keyed => Some(("keyless duplicate", vec![duplicate(table, random)])),
            24 => joined(tables, table, true, random).map(|sql| ("multi-table update", vec![sql])),
            25 => joined(tables, table, false, random).map(|sql| ("multi-table delete", vec![sql])),
            _ => None,
        };
        if made.is_some() {
            return made;
        }
    }
    None
}

/// An operation on one of the tables that every workload has. `big` allows thousands of rows.
pub(super) fn fixed_table(database: &str, keyless: bool, big: bool, random: &mut Random) -> Operation {
    debug_assert!(fixed::NAMES.contains(&"moving"));
    let path = |name: &str| format!("{}.{}", quoted(database), quoted(name));
    match random.below(16) {
        14 => (
            "multi-table update",
            vec![format!("UPDATE {} AS l JOIN {} AS r ON l.id = r.t SET l.n = l.n + 1, r.v = r.v + 1", path("counters"), path("moving"))],
        ),
        15 => (
            "multi-table delete",
            vec![
                format!("DELETE l, r FROM {} AS l JOIN {} AS r ON l.id = r.n WHERE l.id > 3", path("counters"), path("big")),
                format!("INSERT INTO {} VALUES ({}, 0, 0)", path("counters"), 4 + random.below(60)),
            ],
        ),
        0..=2 => (
            "counters",
            vec![format!("UPDATE {} SET n = n + 1, f = f + 0.1 WHERE id IN ({}, {})", path("counters"), random.below(4), random.below(4))],
        ),
        3 | 4 if keyless => {
            let name = random.pick(&["name = 'a'", "BINARY name = 'a'", "name IS NULL", "1"]);
            (
                "keyless counters",
                vec![format!("UPDATE {} SET n = n + 1, d = d * 1.1 WHERE {name} LIMIT {}", path("keyless_counters"), 1 + random.below(3))],
            )
        }
        5 if big && random.one_in(3) => {
            let count = 100 + random.below(1900);
            let numbers = (0..4).map(|n| format!("(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7) AS d{n}"));
            let numbers = numbers.collect::<Vec<_>>().join(", ");
            let salt = random.below(1000);
            (
                "big insert",
                vec![format!(
                    "INSERT INTO {} (v, n) SELECT CONCAT('v', {salt}, '-', m), m % 97 FROM (SELECT d0.d + 8 * d1.d + 64 * d2.d + 512 * d3.d AS m FROM {numbers}) AS numbers WHERE m < {count} ORDER BY m",
                    path("big")
                )],
            )
        }
        6 if big && random.one_in(3) => (
            "big update",
            vec![format!(
                "UPDATE {} SET n = n + 1, v = CONCAT(LEFT(v, 30), 'x') WHERE id % {} = 0 ORDER BY id DESC LIMIT 1500",
                path("big"),
                1 + random.below(4)
            )],
        ),
        7 if big => ("big delete", vec![format!("DELETE FROM {} WHERE n % {} = 1", path("big"), 2 + random.below(5))]),
        8 | 9 => {
            let parent = random.below(30);
            let mut sql = vec![format!(
                "INSERT INTO {} VALUES ({parent}, {})",
                path("parent"),
                if random.one_in(3) { "NULL".to_owned() } else { utf8(&format!("é{}", random.below(40))) }
            )];
            for _ in 0..random.below(3) {
                sql.push(format!("INSERT INTO {} (parent, v) VALUES ({}, {})", path("child"), random.below(30), random.below(100)));
            }
            if keyless {
                let (child, parent) = (path("child"), path("parent"));
                let child = format!("(SELECT id FROM {child} ORDER BY id DESC LIMIT {}, 1)", random.below(5));
                let parent = format!("(SELECT name FROM {parent} WHERE id = {})", random.below(30));
                sql.push(format!("INSERT INTO {} SELECT {child}, {parent}, {}", path("kindred"), random.below(100)));
            }
            let (one, other) = (random.below(30), random.below(30));
            match random.below(6) {
                0 => {
                    sql.push(format!("DELETE FROM {} WHERE parent = {one}", path("child")));
                    sql.push(format!("DELETE FROM {} WHERE id = {one}", path("parent")));
                }
                1 => sql.push(format!("DELETE FROM {} WHERE id IN ({one}, {other})", path("parent"))),
                2 => sql.push(format!("UPDATE {} SET id = {other} WHERE id = {one}", path("parent"))),
                3 => sql.push(format!("UPDATE {} SET name = {} WHERE id = {one}", path("parent"), utf8(&format!("É{}", random.below(40))))),
                _ => {}
            }
            ("children", sql)
        }
        10 | 11 => {
            let table = path("moving");
            let (from, to) = (1 + random.below(6), 1 + random.below(6));
            let column = random.pick(&["s", "t"]);
            let mut sql = vec![
                format!("SET @a = (SELECT {column} FROM {table} WHERE id = {from}), @b = (SELECT {column} FROM {table} WHERE id = {to})"),
                format!("UPDATE {table} SET {column} = NULL, v = v + 1 WHERE id = {from}"),
            ];
            sql.push(format!("UPDATE {table} SET {column} = @a WHERE id = {to}"));
            if random.one_in(2) {
                sql.push(format!("UPDATE {table} SET {column} = @b WHERE id = {from}"));
            }
            if random.one_in(4) {
                sql.push(format!(
                    "UPDATE {table} SET {column} = {} WHERE id = {}",
                    if *column == "s" { kin(random).0 } else { random.below(9).to_string() },
                    1 + random.below(6)
                ));
            }
            ("move unique", sql)
        }
        12 => {
            let (from, to) = kin(random);
            ("kin", vec![format!("UPDATE {} SET k = {to}, v = v + 1 WHERE k = {from}", path("kin"))])
        }
        _ => {
            let (from, to) = kin(random);
            let mut sql = vec![
                format!("DELETE FROM {} WHERE k = {from}", path("kin")),
                format!("INSERT INTO {} VALUES ({to}, {})", path("kin"), random.below(1000)),
            ];
            if random.one_in(2) {
                // Deleted and inserted in two transactions, which must not be applied side by side.
                sql.insert(1, "COMMIT".to_owned());
                sql.insert(2, "BEGIN".to_owned());
            }
            ("kin delete and insert", sql)
        }
    }
}

fn insert(verb: &str, table: &Shape, random: &mut Random) -> String {
    let mut columns = table.writable();
    columns.retain(|column| {
        let unnamed = if column.auto_increment { random.one_in(2) } else { column.touched && random.one_in(2) };
        !unnamed
    });
    if columns.is_empty() {
        return format!("{verb} INTO {} VALUES ()", table.path());
    }
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let rows: Vec<String> = (0..*random.pick(&[1, 1, 1, 2, 3, 8]))
        .map(|_| format!("({})", columns.iter().map(|column| literal(column, random)).collect::<Vec<_>>().join(", ")))
        .collect();
    format!("{verb} INTO {} ({}) VALUES {}", table.path(), names.join(", "), rows.join(", "))
}

/// Copies rows of the table under other keys.
fn insert_select(table: &Shape, random: &mut Random) -> Option<String> {
    let columns = table.writable();
    let unique: Vec<&&Column> = columns.iter().filter(|column| column.unique).collect();
    if unique.is_empty() {
        return None;
    }
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let values: Vec<String> =
        columns.iter().map(|column| if column.unique { literal(column, random) } else { quoted(&column.name) }).collect();
    Some(format!(
        "INSERT INTO {0} ({1}) SELECT {2} FROM {0} {3} LIMIT 1",
        table.path(),
        names.join(", "),
        values.join(", "),
        order(table, false)
    ))
}

fn order(table: &Shape, descending: bool) -> String {
    let direction = if descending { " DESC" } else { "" };
    match table.identity() {
        Some(key) => {
            format!("ORDER BY {}", key.iter().map(|column| format!("{}{direction}", quoted(&column.name))).collect::<Vec<_>>().join(", "))
        }
        None => String::new(),
    }
}

/// A condition on one column that the server can compare, or none.
fn condition(table: &Shape, random: &mut Random) -> String {
    let columns: Vec<&Column> = table.columns.iter().filter(|column| column.compares() && !column.generated).collect();
    let preferred: Vec<&Column> = columns.iter().copied().filter(|column| column.unique).collect();
    let among = if preferred.is_empty() || random.one_in(4) { &columns } else { &preferred };
    let Some(column) = random.any(among) else { return "WHERE 1".to_owned() };
    let operator = random.pick(&["=", ">=", "<=", ">", "<>"]);
    match random.below(5) {
        0 => "WHERE 1".to_owned(),
        1 if column.nullable => format!("WHERE {} IS NULL", quoted(&column.name)),
        _ => format!("WHERE {} {operator} {}", quoted(&column.name), certain(column, random)),
    }
}

fn some_rows(table: &Shape, random: &mut Random) -> String {
    let limit = random.pick(&[1, 1, 2, 3, 10]);
    format!("{} {} LIMIT {limit}", condition(table, random), order(table, random.one_in(2)))
}

fn any_rows(table: &Shape, random: &mut Random) -> String {
    format!("{} LIMIT {}", condition(table, random), random.pick(&[1, 1, 2, 5]))
}

/// `a = 1, b = 'x'` over columns of no key.
fn assignment(table: &Shape, random: &mut Random) -> Option<String> {
    let identity: Vec<&str> = table.identity().map(|key| key.iter().map(|column| column.name.as_str()).collect()).unwrap_or_default();
    let mut columns: Vec<&Column> = table.writable().into_iter().filter(|column| !identity.contains(&column.name.as_str())).collect();
    let count = 1 + random.index(3);
    let mut parts = Vec::new();
    while parts.len() < count && !columns.is_empty() {
        let column = columns.remove(random.index(columns.len()));
        let value = if column.is_integer() && !column.unique && random.one_in(3) {
            format!("{} + 1", quoted(&column.name))
        } else {
            literal(column, random)
        };
        parts.push(format!("{} = {value}", quoted(&column.name)));
    }
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

fn update_key(table: &Shape, random: &mut Random) -> Option<String> {
    let key = table.identity()?;
    let column = *random.any(&key)?;
    let (value, condition) = if column.is_text() && random.one_in(2) {
        let (from, to) = kin(random);
        (to, format!("{} = {from}", quoted(&column.name)))
    } else {
        (literal(column, random), "1".to_owned())
    };
    Some(format!(
        "UPDATE {} SET {} = {value} WHERE {condition} {} LIMIT 1",
        table.path(),
        quoted(&column.name),
        order(table, random.one_in(2))
    ))
}

fn shift(table: &Shape, key: &Column, random: &mut Random) -> String {
    let (sign, direction) = if random.one_in(2) { ("+", " DESC") } else { ("-", "") };
    let name = quoted(&key.name);
    let by = 1 + random.below(2);
    format!(
        "UPDATE {} SET {name} = {name} {sign} {by} WHERE {name} BETWEEN 1 AND {} ORDER BY {name}{direction}",
        table.path(),
        5 + random.below(40)
    )
}

/// Two rows exchange their keys by way of a third value.
fn swap_keys(table: &Shape, key: &Column, random: &mut Random) -> Vec<String> {
    let (name, path) = (quoted(&key.name), table.path());
    let skip = random.below(4);
    let set = |to: &str, from: &str| format!("UPDATE {path} SET {name} = {to} WHERE {name} = {from}");
    vec![
        format!(
            "SET @a = (SELECT {name} FROM {path} ORDER BY {name} LIMIT 1 OFFSET {skip}), @b = (SELECT {name} FROM {path} ORDER BY {name} DESC LIMIT 1 OFFSET {skip})"
        ),
        set("111", "@a"),
        set("@a", "@b"),
        set("@b", "111"),
    ]
}

/// Two rows exchange a unique value by way of NULL.
fn swap_unique(table: &Shape, random: &mut Random) -> Option<Vec<String>> {
    let column = quoted(&random.any(&table.nullable_unique())?.name);
    let key = table.identity()?;
    if key.len() != 1 || !key[0].compares() {
        return None;
    }
    let (name, path) = (quoted(&key[0].name), table.path());
    let (first, second) = (random.below(3), 3 + random.below(3));
    let at = |what: &str, skip: u64| format!("(SELECT {what} FROM {path} ORDER BY {name} LIMIT 1 OFFSET {skip})");
    let set = |value: &str, row: &str| format!("UPDATE {path} SET {column} = {value} WHERE {name} = {row}");
    Some(vec![
        format!("SET @k1 = {}, @k2 = {}, @v1 = {}, @v2 = {}", at(&name, first), at(&name, second), at(&column, first), at(&column, second)),
        set("NULL", "@k1"),
        set("@v1", "@k2"),
        set("@v2", "@k1"),
    ])
}

/// A row is deleted and another gets its unique value in the same transaction.
fn move_by_delete(table: &Shape, random: &mut Random) -> Option<Vec<String>> {
    let column = quoted(&random.any(&table.nullable_unique())?.name);
    let key = table.identity()?;
    if key.len() != 1 || !key[0].compares() {
        return None;
    }
    let (name, path) = (quoted(&key[0].name), table.path());
    Some(vec![
        format!(
            "SET @k = (SELECT {name} FROM {path} WHERE {column} IS NOT NULL ORDER BY {name} LIMIT 1), @v = (SELECT {column} FROM {path} WHERE {column} IS NOT NULL ORDER BY {name} LIMIT 1)"
        ),
        format!("DELETE FROM {path} WHERE {name} = @k"),
        format!("UPDATE {path} SET {column} = @v WHERE {name} > @k OR @k IS NULL ORDER BY {name} LIMIT 1"),
    ])
}

fn nothing(table: &Shape, random: &mut Random) -> Option<String> {
    let column = quoted(&random.any(&table.writable())?.name);
    Some(format!(
        "UPDATE {} SET {column} = {column} {}",
        table.path(),
        if table.identity().is_some() { some_rows(table, random) } else { any_rows(table, random) }
    ))
}

fn all_columns(table: &Shape, random: &mut Random) -> String {
    let parts: Vec<String> =
        table.writable().iter().map(|column| format!("{} = {}", quoted(&column.name), literal(column, random))).collect();
    format!("UPDATE {} SET {} {} LIMIT 1", table.path(), parts.join(", "), order(table, random.one_in(2)))
}

/// Doubles rows of a table without a key, or adds rows that look alike under its collations.
fn duplicate(table: &Shape, random: &mut Random) -> String {
    let columns = table.writable();
    let names = columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
    let values: Vec<String> = columns.iter().map(|column| if column.unique { "NULL".to_owned() } else { quoted(&column.name) }).collect();
    format!("INSERT INTO {0} ({names}) SELECT {1} FROM {0} LIMIT {2}", table.path(), values.join(", "), 1 + random.below(3))
}

/// A statement that changes two tables at once.
fn joined(tables: &[&Shape], table: &Shape, update: bool, random: &mut Random) -> Option<String> {
    let other = *random.any(tables)?;
    let (left, right) = (table.identity()?, other.identity()?);
    if other.path() == table.path() || !left[0].is_integer() || !right[0].is_integer() {
        return None;
    }
    let (a, b) = (quoted(&left[0].name), quoted(&right[0].name));
    let on = format!("{} AS l JOIN {} AS r ON l.{a} = r.{b}", table.path(), other.path());
    let at = random.between(0, 40);
    if !update {
        return Some(format!("DELETE l, r FROM {on} WHERE l.{a} = {at}"));
    }
    let number = |shape: &Shape| {
        shape.writable().into_iter().find(|column| column.is_integer() && !column.unique).map(|column| quoted(&column.name))
    };
    let (x, y) = (number(table)?, number(other)?);
    Some(format!("UPDATE {on} SET l.{x} = l.{x} + 1, r.{y} = r.{y} + 1 WHERE l.{a} BETWEEN {at} AND {}", at + 5))
}
