//! Random definitions: columns of every type that both ends of a pair hold, and every shape of key.

use super::random::Random;
use super::{Options, quoted};
use crate::Flavor;

/// Collations that both flavours have under the same name and order.
const COMMON: [&str; 16] = [
    "utf8mb4_general_ci",
    "utf8mb4_unicode_ci",
    "utf8mb4_unicode_520_ci",
    "utf8mb4_bin",
    "latin1_swedish_ci",
    "latin1_bin",
    "latin1_general_cs",
    "utf8mb3_general_ci",
    "utf8mb3_bin",
    "gbk_chinese_ci",
    "utf16_general_ci",
    "utf16_bin",
    "ascii_general_ci",
    "utf32_unicode_ci",
    "cp1251_general_ci",
    "sjis_japanese_ci",
];
/// With NO PAD among them, where a trailing space counts.
const MYSQL: [&str; 4] = ["utf8mb4_0900_ai_ci", "utf8mb4_0900_as_cs", "utf8mb4_0900_bin", "utf8mb4_0900_as_ci"];
const MARIADB: [&str; 4] = ["utf8mb4_general_nopad_ci", "utf8mb4_nopad_bin", "utf8mb4_uca1400_ai_ci", "latin1_swedish_nopad_ci"];

/// A random collation that this pair holds.
pub(super) fn collation(options: &Options, random: &mut Random) -> &'static str {
    if options.source == options.destination && random.one_in(3) {
        return match options.source {
            Flavor::MySql => MYSQL[random.index(MYSQL.len())],
            Flavor::MariaDb => MARIADB[random.index(MARIADB.len())],
        };
    }
    COMMON[random.index(COMMON.len())]
}

fn charset_of(collation: &str) -> &str {
    collation.split('_').next().unwrap_or_default()
}

/// `CHARACTER SET x COLLATE y`.
fn text_of(options: &Options, random: &mut Random) -> String {
    let collation = collation(options, random);
    format!("CHARACTER SET {} COLLATE {collation}", charset_of(collation))
}

/// A type for a column of a key that is unique: short, and such that values meet.
fn key_type(options: &Options, random: &mut Random) -> String {
    let sized = |random: &mut Random, of: &[&str]| (*random.pick(of)).to_owned();
    match random.below(15) {
        0..=2 => sized(random, &["INT", "BIGINT", "INT UNSIGNED", "SMALLINT", "MEDIUMINT UNSIGNED", "TINYINT", "BIGINT UNSIGNED"]),
        3..=6 => format!("VARCHAR({}) {}", random.pick(&[6, 12, 30]), text_of(options, random)),
        7 => format!("CHAR({}) {}", random.pick(&[3, 10]), text_of(options, random)),
        8 => sized(random, &["BINARY(4)", "BINARY(16)"]),
        9 => "VARBINARY(12)".to_owned(),
        10 => sized(random, &["DECIMAL(10,2)", "DECIMAL(20,5)", "DECIMAL(30,0)", "DECIMAL(6,3) UNSIGNED"]),
        11 => sized(random, &["DATE", "DATETIME", "DATETIME(3)", "TIME(2)", "YEAR"]),
        12 => "ENUM('zebra','apple','mango','it''s','Banana','q','w','r','t')".to_owned(),
        13 => sized(random, &["BIT(10)", "BIT(33)", "SET('r','g','b','alpha')"]),
        _ => sized(random, &["INT", "BIGINT", "DOUBLE"]),
    }
}

/// A type for a column of no key, with the letter that its name begins with.
fn free_type(options: &Options, random: &mut Random) -> (&'static str, String) {
    let own = |random: &mut Random, of: &[&str]| (*random.pick(of)).to_owned();
    match random.below(22) {
        0 => ("i", own(random, &["TINYINT UNSIGNED", "SMALLINT", "MEDIUMINT UNSIGNED", "MEDIUMINT", "BOOLEAN"])),
        1 => ("i", own(random, &["INT", "INT UNSIGNED", "BIGINT", "BIGINT UNSIGNED", "INT(8) UNSIGNED ZEROFILL"])),
        2 => ("n", own(random, &["DECIMAL(10,0)", "DECIMAL(65,30)", "DECIMAL(5,5)", "DECIMAL(12,4) UNSIGNED", "DECIMAL(1,0)"])),
        3 | 4 => ("f", own(random, &["FLOAT", "FLOAT", "DOUBLE", "FLOAT(10,3)", "DOUBLE(20,8)", "FLOAT UNSIGNED"])),
        5 => ("b", own(random, &["BIT(1)", "BIT(8)", "BIT(10)", "BIT(64)"])),
        6 => ("d", own(random, &["DATE", "DATETIME", "DATETIME(6)", "DATETIME(3)", "YEAR"])),
        7 => ("t", own(random, &["TIMESTAMP", "TIMESTAMP(6)", "TIMESTAMP(1)"])),
        8 => ("h", own(random, &["TIME", "TIME(3)", "TIME(6)"])),
        9..=11 => ("v", format!("VARCHAR({}) {}", random.pick(&[1, 20, 60, 300]), text_of(options, random))),
        12 => ("c", format!("CHAR({}) {}", random.pick(&[1, 10, 40]), text_of(options, random))),
        13 => ("x", format!("{} {}", random.pick(&["TINYTEXT", "TEXT", "MEDIUMTEXT"]), text_of(options, random))),
        14 => ("x", own(random, &["TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"])),
        15 => ("y", own(random, &["BINARY(8)", "VARBINARY(40)", "BINARY(1)", "VARBINARY(300)"])),
        16 => ("e", "ENUM('x','y','it''s','','comma,inside','é','日本') CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci".to_owned()),
        17 => ("s", "SET('p','q','it''s','é','r') CHARACTER SET latin1 COLLATE latin1_swedish_ci".to_owned()),
        18 | 19 => ("j", "JSON".to_owned()),
        20 => ("g", own(random, &["GEOMETRY", "POINT", "LINESTRING", "POLYGON"])),
        _ if options.source == options.destination => match options.source {
            Flavor::MariaDb => ("o", own(random, &["UUID", "INET4", "INET6"])),
            Flavor::MySql => ("o", own(random, &["VECTOR(3)", "GEOMCOLLECTION", "BIGINT UNSIGNED"])),
        },
        _ => ("i", "INT".to_owned()),
    }
}

/// Names that break whoever quotes carelessly; all different.
const ODD: [&str; 10] = ["a b", "tick`s", "dot.ted", "quo'te", "dquo\"te", "semi;colon", "日本", "select", "per%cent_", "Üñ"];

/// A new column's name, which is not among these.
pub(super) fn name_of(letter: &str, taken: &[String], random: &mut Random) -> String {
    loop {
        let name = if random.one_in(6) {
            format!("{letter}{} {}", random.pick(&ODD), random.below(9))
        } else {
            format!("{letter}{}", random.below(90))
        };
        if !taken.iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            return name;
        }
    }
}

/// A new table's name; the number keeps it apart from others.
pub(super) fn table_name(number: u64, random: &mut Random) -> String {
    if random.one_in(4) { format!("t{number} {}", random.pick(&ODD)) } else { format!("t{number}") }
}

/// Name and the whole text of a column that no key holds.
pub(super) fn free_column(options: &Options, taken: &[String], random: &mut Random) -> (String, String) {
    let (letter, kind) = free_type(options, random);
    let name = name_of(letter, taken, random);
    let mut text = format!("{} {kind}", quoted(&name));
    let plain = !kind.starts_with(['G', 'P', 'L', 'J', 'U', 'E', 'S'])
        && !kind.contains("BLOB")
        && !kind.contains("TEXT")
        && !kind.starts_with("INET");
    if kind.starts_with("TIMESTAMP") || kind == "DATETIME(3)" && random.one_in(3) {
        let digits = kind.split_once('(').map_or(String::new(), |(_, digits)| format!("({digits}"));
        text.push_str(match random.below(3) {
            0 => " NULL DEFAULT NULL",
            _ => " NULL",
        });
        if random.one_in(2) {
            text.push_str(&format!(" ON UPDATE CURRENT_TIMESTAMP{digits}"));
        }
    } else if kind == "INT" && random.one_in(2) {
        text.push_str(" NOT NULL DEFAULT 7");
    } else if kind.starts_with("VARCHAR(20") && random.one_in(2) {
        text.push_str(" NOT NULL DEFAULT 'it''s'");
    } else if plain && random.one_in(6) {
        text.push_str(" NULL DEFAULT NULL");
    }
    if plain && random.one_in(9) {
        text.push_str(" INVISIBLE");
    }
    if random.one_in(9) {
        text.push_str(" COMMENT 'it''s `a` \"comment\"; 日本'");
    }
    (name, text)
}

/// `CREATE TABLE` of a random table.
///
/// `partitioned` makes it one with partitions and no other unique key.
pub(super) fn create(options: &Options, path: &str, partitioned: bool, random: &mut Random) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    let mut tail = String::new();
    let shape = if partitioned { 0 } else { random.below(if options.keyless { 14 } else { 11 }) };
    match shape {
        0..=2 => {
            let (kind, extra) =
                *random.pick(&[("INT", "AUTO_INCREMENT"), ("BIGINT UNSIGNED", "AUTO_INCREMENT"), ("INT", ""), ("BIGINT", "")]);
            parts.push(format!("id {kind} NOT NULL {extra}"));
            names.push("id".to_owned());
            if partitioned || random.one_in(6) {
                keys.push("PRIMARY KEY (id)".to_owned());
                tail = " PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (20), PARTITION p1 VALUES LESS THAN (40), PARTITION `p m` VALUES LESS THAN MAXVALUE)".to_owned();
                // Further unique keys would have to hold the partitioning column.
                return finish(options, path, names, parts, keys, &tail, random);
            }
            keys.push("PRIMARY KEY (id)".to_owned());
        }
        3..=7 => {
            let name = name_of("k", &names, random);
            parts.push(format!("{} {} NOT NULL", quoted(&name), key_type(options, random)));
            keys.push(format!("PRIMARY KEY ({})", quoted(&name)));
            names.push(name);
        }
        8 | 9 => {
            let mut columns = Vec::new();
            for _ in 0..2 + random.below(2) {
                let name = name_of("k", &names, random);
                parts.push(format!("{} {} NOT NULL", quoted(&name), key_type(options, random)));
                columns.push(quoted(&name));
                names.push(name);
            }
            keys.push(format!("PRIMARY KEY ({})", columns.join(", ")));
        }
        10 => {
            let name = name_of("u", &names, random);
            parts.push(format!("{} {} NOT NULL", quoted(&name), key_type(options, random)));
            keys.push(format!("UNIQUE KEY {} ({})", quoted(&format!("u {name}")), quoted(&name)));
            names.push(name);
        }
        // No key at all, sometimes with unique values that may be NULL.
        _ => {}
    }
    for _ in 0..*random.pick(&[0, 0, 1, 1, 2]) {
        if shape > 10 && random.one_in(2) {
            continue;
        }
        let name = name_of("u", &names, random);
        parts.push(format!("{} {} NULL", quoted(&name), key_type(options, random)));
        keys.push(format!("UNIQUE KEY {} ({})", quoted(&format!("uk_{name}")), quoted(&name)));
        names.push(name);
    }
    finish(options, path, names, parts, keys, &tail, random)
}

fn finish(
    options: &Options,
    path: &str,
    mut names: Vec<String>,
    mut parts: Vec<String>,
    mut keys: Vec<String>,
    tail: &str,
    random: &mut Random,
) -> String {
    let mut free: Vec<(String, String)> = Vec::new();
    for _ in 0..2 + random.below(6) {
        let (name, text) = free_column(options, &names, random);
        names.push(name.clone());
        free.push((name, text));
    }
    let number = free.iter().find(|(_, text)| text.contains("` INT")).map(|(name, _)| quoted(name));
    parts.extend(free.iter().map(|(_, text)| text.clone()));
    if let Some(number) = number {
        match random.below(4) {
            0 => parts.push(format!("gen_v BIGINT AS ({number} * 2) VIRTUAL")),
            1 => parts.push(format!("gen_s BIGINT AS ({number} + 1) STORED")),
            _ => {}
        }
        if random.one_in(2) {
            keys.push(format!("KEY ix ({number})"));
        }
    }
    if random.one_in(3) {
        let rotated = random.index(parts.len());
        parts.rotate_left(rotated);
    }
    parts.extend(keys);
    format!("CREATE TABLE {path} ({}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci{tail}", parts.join(", "))
}
