//! Random values of a column, as literals that mean the same in every `sql_mode` and every session charset.
//!
//! Columns of unique keys draw from small domains, so that values meet, collide under their collation and come back after they were
//! deleted. Other columns draw edges as often as ordinary values.

use super::random::Random;
use super::shape::Column;

/// Text whose members meet under some collation: by case, by accent, by expansion, by padding.
const FAMILIES: [&[&str]; 9] = [
    &["e", "E", "é", "É", "è", "Ê", "e "],
    &["ss", "ß", "SS", "Ss"],
    &["a", "A", "ä", "Ä", "a ", "a  ", "á"],
    &["o", "O", "ö", "ø"],
    &["", " ", "  "],
    &["日本", "日", "日本 "],
    &["x", "X", "x\0", "x\t"],
    &["it's", "IT'S", "back\\slash", "BACK\\SLASH"],
    &["null", "NULL", "\\N"],
];

/// A literal for this column; `NULL` sometimes, where it may be.
pub(super) fn literal(column: &Column, random: &mut Random) -> String {
    if column.nullable && random.one_in(if column.unique { 4 } else { 7 }) {
        return "NULL".to_owned();
    }
    certain(column, random)
}

/// A literal that is not NULL.
pub(super) fn certain(column: &Column, random: &mut Random) -> String {
    let edge = random.one_in(if column.unique { 25 } else { 4 });
    match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => integer(column, edge, random),
        "decimal" => decimal(column, edge, random),
        "float" => float(edge, random),
        "double" => double(edge, random),
        "bit" => {
            let bits = parameters(&column.column_type).first().copied().unwrap_or(1).min(64);
            let all = u64::MAX >> (64 - bits.max(1));
            if edge { (*random.pick(&[0, all, all / 2 + 1])).to_string() } else { (random.below(60) & all).to_string() }
        }
        "date" => format!("'{}'", date(column.unique, edge, random)),
        "datetime" => format!("'{} {}'", date(column.unique, edge, random), clock(column, random)),
        "timestamp" => timestamp(column, edge, random),
        "time" => time(column, edge, random),
        "year" => if edge { *random.pick(&[0, 1901, 2155]) } else { 1970 + random.below(60) }.to_string(),
        "enum" => {
            let members = members(&column.column_type);
            (1 + random.index(members.len().max(1))).to_string()
        }
        "set" => {
            let count = members(&column.column_type).len().clamp(1, 64);
            (random.next() & (u64::MAX >> (64 - count))).to_string()
        }
        "json" => format!("'{}'", json(random)),
        "geometry" | "point" | "linestring" | "polygon" | "geometrycollection" | "geomcollection" => geometry(&column.data_type, random),
        "uuid" => format!("'{:08x}-1111-4222-8333-{:012x}'", random.below(40), random.below(3)),
        "inet4" => format!("'10.0.0.{}'", random.below(40)),
        "inet6" => format!("'2001:db8::{:x}'", 1 + random.below(40)),
        "vector" => "x'0000803F0000004000004040'".to_owned(),
        "binary" | "varbinary" => bytes(column, edge, random),
        _ if column.charset.is_empty() => blob(column, edge, random),
        // MariaDB's JSON is a LONGTEXT.
        "longtext" if column.name.starts_with('j') => format!("'{}'", json(random)),
        _ => text(column, edge, random),
    }
}

/// A member of the family of another member, for changes of case or accent alone.
pub(super) fn kin(random: &mut Random) -> (String, String) {
    let family = *random.pick(&FAMILIES);
    (utf8(family[random.index(family.len())]), utf8(family[random.index(family.len())]))
}

/// Text as a literal that no session charset and no `sql_mode` can bend.
pub(super) fn utf8(text: &str) -> String {
    format!("_utf8mb4 x'{}'", hex(text.as_bytes()))
}

/// Names in the list of an ENUM or SET as the server prints it, without unescaping.
pub(super) fn members(column_type: &str) -> Vec<String> {
    let Some((_, list)) = column_type.split_once('(') else { return Vec::new() };
    let mut found = Vec::new();
    let mut current: Option<String> = None;
    let mut letters = list.chars().peekable();
    while let Some(letter) = letters.next() {
        match (&mut current, letter) {
            (None, '\'') => current = Some(String::new()),
            (None, _) => {}
            (Some(text), '\'') if letters.peek() == Some(&'\'') => {
                letters.next();
                text.push_str("''");
            }
            (Some(_), '\'') => found.extend(current.take()),
            (Some(text), letter) => text.push(letter),
        }
    }
    found
}

fn integer(column: &Column, edge: bool, random: &mut Random) -> String {
    let bits = match column.data_type.as_str() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        _ => 64,
    };
    let unsigned = column.column_type.contains("unsigned");
    if edge && !column.auto_increment {
        let all = u64::MAX >> (64 - bits);
        let half = all / 2;
        return if unsigned {
            (*random.pick(&[0, all, half, half + 1])).to_string()
        } else {
            random.pick(&[half.to_string(), format!("-{half}"), format!("-{}", half + 1), "-1".to_owned(), "0".to_owned()]).clone()
        };
    }
    let low = if unsigned { 0 } else { -9 };
    random.between(low, if column.unique { 60 } else { 120 }).to_string()
}

fn decimal(column: &Column, edge: bool, random: &mut Random) -> String {
    let sizes = parameters(&column.column_type);
    let (precision, scale) = (sizes.first().copied().unwrap_or(10), sizes.get(1).copied().unwrap_or(0));
    let sign = if random.one_in(3) && !column.column_type.contains("unsigned") { "-" } else { "" };
    let nines = |count: u64| "9".repeat(usize::try_from(count).unwrap_or_default());
    if edge {
        return match random.below(3) {
            0 => format!("{sign}0{}.{}", nines(precision - scale), if scale > 0 { nines(scale) } else { "0".to_owned() }),
            1 => format!("'{sign}0.{}1'", "0".repeat(usize::try_from(scale.saturating_sub(1)).unwrap_or_default())),
            _ => format!("'{sign}0'"),
        };
    }
    let whole = if precision > scale { random.below(if precision - scale > 1 { 40 } else { 9 }) } else { 0 };
    let fraction = if scale == 0 { 0 } else { *random.pick(&[0, 5, 1, 25]) };
    format!("{sign}{whole}.{fraction}")
}

fn float(edge: bool, random: &mut Random) -> String {
    let edges =
        ["0.010516252390057362", "16777217", "123456789", "3.402823466e38", "-3.402823466e38", "1.401298464e-45", "0.1", "33554433"];
    if edge { (*random.pick(&edges)).to_owned() } else { format!("{}e-2", random.between(-900, 900)) }
}

fn double(edge: bool, random: &mut Random) -> String {
    let edges =
        ["1.7976931348623157e308", "-1.7976931348623157e308", "4.9406564584124654e-324", "0.1", "9007199254740993", "0.30000000000000004"];
    if edge { (*random.pick(&edges)).to_owned() } else { format!("{}e-3", random.between(-90_000, 90_000)) }
}

fn date(unique: bool, edge: bool, random: &mut Random) -> String {
    if edge && !unique {
        // Zero dates and days that do not exist are refused by strict sessions and kept by others.
        return (*random.pick(&["0000-00-00", "9999-12-31", "1000-01-01", "2024-02-00", "2023-02-30", "2024-02-29"])).to_owned();
    }
    format!("2024-{:02}-{:02}", 1 + random.below(3), 1 + random.below(20))
}

fn fraction(column: &Column, random: &mut Random) -> String {
    let digits = usize::try_from(parameters(&column.column_type).first().copied().unwrap_or(0)).unwrap_or_default();
    if digits == 0 {
        return String::new();
    }
    let micros = format!("{:06}", if column.unique { random.below(3) * 100_000 } else { random.below(1_000_000) });
    format!(".{}", &micros[..digits.min(6)])
}

fn clock(column: &Column, random: &mut Random) -> String {
    let minutes = if column.unique { 0 } else { random.below(60) };
    format!("{:02}:{minutes:02}:00{}", random.below(24), fraction(column, random))
}

fn timestamp(column: &Column, edge: bool, random: &mut Random) -> String {
    if edge {
        // The folded hour of New York and of Berlin, and both ends.
        let edges = ["1970-01-01 00:00:01", "2038-01-19 03:14:07", "2024-11-03 05:30:00", "2024-11-03 06:30:00", "2024-10-27 01:30:00"];
        return format!("'{}{}'", random.pick(&edges), fraction(column, random));
    }
    format!("'2024-05-{:02} {}'", 1 + random.below(28), clock(column, random))
}

fn time(column: &Column, edge: bool, random: &mut Random) -> String {
    let sign = if random.one_in(3) { "-" } else { "" };
    let hours = if edge { *random.pick(&[838, 100, 0]) } else { random.below(30) };
    format!("'{sign}{hours:02}:{:02}:{:02}{}'", random.below(60), random.below(58), fraction(column, random))
}

/// JSON text in MySQL's normal form, so that a server which keeps JSON as text holds the same bytes.
fn json(random: &mut Random) -> String {
    let leaf = |random: &mut Random| match random.below(8) {
        0 => "null".to_owned(),
        1 => "true".to_owned(),
        2 => random.between(-1000, 1000).to_string(),
        3 => "18446744073709551615".to_owned(),
        4 => format!("{}.5", random.below(100)),
        5 => "\"é日本\"".to_owned(),
        6 => "\"it is text\"".to_owned(),
        _ => format!("\"{}\"", "x".repeat(random.index(400))),
    };
    match random.below(4) {
        0 => leaf(random),
        1 => format!("[{}, {}]", leaf(random), leaf(random)),
        2 => format!("{{\"a\": {}, \"bb\": {}}}", leaf(random), leaf(random)),
        _ => format!("{{\"k\": [{}, {{\"deep\": {}}}], \"empty\": {{}}}}", leaf(random), leaf(random)),
    }
}

fn geometry(data_type: &str, random: &mut Random) -> String {
    let mut xy = || format!("{} {}", random.between(-9, 9), random.below(90));
    let (first, second) = (xy(), xy());
    let text = match data_type {
        "linestring" => format!("LINESTRING({first},{second},0 0.1)"),
        "polygon" => "POLYGON((0 0,10 0,10 10,0 10,0 0))".to_owned(),
        "geometrycollection" | "geomcollection" => format!("GEOMETRYCOLLECTION(POINT({first}))"),
        _ => format!("POINT({first})"),
    };
    format!("ST_GeomFromText('{text}')")
}

fn bytes(column: &Column, edge: bool, random: &mut Random) -> String {
    let choices = ["", "00", "AA000000", "AA0000", "FF", "5C27", "61", "41", "20", "6120", "0D0A1A00"];
    let fits: Vec<&&str> = choices.iter().filter(|hex| hex.len() as u64 / 2 <= column.length).collect();
    if edge {
        return format!("REPEAT(x'00', {})", column.length.min(300));
    }
    format!("x'{}'", random.any(&fits).map_or("", |hex| hex))
}

fn blob(column: &Column, edge: bool, random: &mut Random) -> String {
    if edge && column.length > 255 {
        let count = *random.pick(&[255, 256, 8000, 65_535]);
        return format!("REPEAT(x'{:02x}', {count})", random.below(256));
    }
    format!("x'{:04x}005C27{:02x}'", random.below(65_536), random.below(256))
}

fn text(column: &Column, edge: bool, random: &mut Random) -> String {
    if edge && !column.indexed {
        return match random.below(4) {
            // Bytes of another charset under this one's name (trap 4).
            0 if column.charset == "latin1" => "_binary x'C3A9'".to_owned(),
            1 if column.charset == "gbk" => "_gbk x'815C5C27'".to_owned(),
            2 if column.length > 255 => format!("REPEAT({}, {})", utf8("é"), random.pick(&[100, 255, 9000])),
            _ => format!("REPEAT({}, {})", utf8("z"), column.length.min(60)),
        };
    }
    if edge && column.charset.starts_with("utf8mb4") {
        return utf8("😀");
    }
    let family = *random.pick(&FAMILIES);
    let word = *random.pick(family);
    let number =
        if column.length > 8 && !random.one_in(3) { random.below(if column.unique { 9 } else { 50 }).to_string() } else { String::new() };
    utf8(&format!("{word}{number}"))
}

/// Numbers in the brackets of a type.
fn parameters(column_type: &str) -> Vec<u64> {
    let inside = column_type.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
    inside.split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn members_of_a_list() {
        assert_eq!(members("enum('a','it''s','x,y',')')"), ["a", "it''s", "x,y", ")"]);
        assert_eq!(members("int"), Vec::<String>::new());
    }
}
