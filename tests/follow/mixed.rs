//! A random workload under random mappings: tables renamed one by one or by a pattern, columns left out, renamed and swapped, rows chosen by
//! `where`. The oracle is the source: the same columns and rows, selected there.

use mysql::prelude::Queryable as _;

use super::{
    bed::{Bed, CATCH_UP, PHASES, each},
    filter::{COLUMNS, TABLES, insert, work},
};
use crate::support::{Random, rows, say};

/// Every column, and what of it is compared.
const VALUES: &[(&str, &str)] = &[
    ("id", "{}"),
    ("name", "HEX({})"),
    ("latin", "HEX({})"),
    ("note", "HEX({})"),
    ("kind", "{} + 0"),
    ("flags", "{} + 0"),
    ("num", "{}"),
    ("price", "{}"),
    ("ratio", "{} * 1e0"),
    ("born", "{}"),
    ("seen", "{}"),
    ("at", "{}"),
    ("bits", "{} + 0"),
    ("bytes", "HEX({})"),
    ("uniq", "{}"),
];

/// Columns in no key.
const FREE: &[&str] = &["latin", "note", "kind", "flags", "price", "ratio", "seen", "at", "bits", "bytes"];

/// What becomes of one table.
struct Mapping {
    source: &'static str,
    destination: String,
    /// Kept columns with their names at the destination.
    columns: Vec<(&'static str, String)>,
    condition: Option<&'static str>,
    entry: String,
}

fn mapping(random: &mut Random, (table, _, condition): (&'static str, &'static str, &'static str)) -> Mapping {
    let some = |random: &mut Random, of: u64| random.below(of) == 0;
    let excluded: Vec<&str> = FREE.iter().copied().filter(|_| some(random, 5)).collect();
    let mut columns: Vec<(&str, String)> =
        VALUES.iter().map(|(name, _)| (*name, (*name).to_owned())).filter(|(name, _)| !excluded.contains(name)).collect();
    // Two change names, others get new ones.
    let (a, b) = (random.below(columns.len() as u64), random.below(columns.len() as u64));
    let (a, b) = (usize::try_from(a).unwrap(), usize::try_from(b).unwrap());
    if a != b && !some(random, 4) {
        (columns[a].1, columns[b].1) = (columns[b].1.clone(), columns[a].1.clone());
    }
    for (at, (_, to)) in columns.iter_mut().enumerate() {
        if at != a && at != b && some(random, 4) {
            *to = format!("{to} ü`");
        }
    }
    let (rename, destination) = match random.below(3) {
        0 => (String::new(), table.to_owned()),
        1 => (format!(", rename: \"new {table}\""), format!("new {table}")),
        _ => (", rename: {match: \"(.)\", to: \"p_$1\"}".to_owned(), format!("p_{table}")),
    };
    // A pattern renames what a glob selects.
    let name = if rename.contains("match") { format!("{table}*") } else { table.to_owned() };
    let renamed: Vec<String> = columns
        .iter()
        .filter(|(from, to)| from != to)
        .map(|(from, to)| format!("{from}: {}", serde_json::to_string(to).unwrap()))
        .collect();
    let condition = (!some(random, 3)).then_some(condition);
    let filter = condition.map(|c| format!(", where: {}", serde_json::to_string(c).unwrap())).unwrap_or_default();
    let entry = format!(
        "  - {{name: \"{name}\"{rename}{filter}, columns: {{exclude: [{}], rename: {{{}}}}}}}\n",
        excluded.join(", "),
        renamed.join(", ")
    );
    Mapping { source: table, destination, columns, condition, entry }
}

impl Mapping {
    fn selected(&self, at_source: bool) -> String {
        let value = |column: &(&str, String)| {
            let name = if at_source { column.0 } else { &column.1 };
            let form = VALUES.iter().find(|(name, _)| *name == column.0).map_or("{}", |(_, form)| form);
            form.replace("{}", &format!("`{}`", name.replace('`', "``")))
        };
        let list: Vec<String> = self.columns.iter().map(value).collect();
        let order: Vec<String> = (1..=list.len()).map(|n| n.to_string()).collect();
        let (table, condition) = if at_source { (self.source, self.condition.unwrap_or("1")) } else { (self.destination.as_str(), "1") };
        format!("SELECT {} FROM `{table}` WHERE {condition} ORDER BY {}", list.join(", "), order.join(", "))
    }
}

#[track_caller]
fn is_mapped(bed: &mut Bed, mappings: &[Mapping], what: &str) {
    let db = bed.db.clone();
    bed.source.query_drop(format!("USE `{db}`")).unwrap();
    bed.destination.query_drop(format!("USE `{db}_m`")).unwrap();
    let mut count = 0;
    for mapping in mappings {
        let (here, there) = (mapping.selected(true), mapping.selected(false));
        let (wanted, found) = (rows(&mut bed.source, &here), rows(&mut bed.destination, &there));
        assert_eq!(wanted, found, "{what}: {here}\n{there}\n{}", mapping.entry);
        count += found.len();
    }
    say(&format!("{what}: {count} rows"));
    assert!(count > 0);
}

#[test]
fn any_mapping_is_followed() {
    each("mixed", |bed| {
        let mut random = Random::new("follow_mixed");
        let mut next = 0;
        for (table, keys, _) in TABLES {
            bed.source(&format!("CREATE TABLE `{table}` ({COLUMNS}, {keys}) CHARACTER SET utf8mb4"));
        }
        for _ in 0..20 {
            for (table, ..) in TABLES {
                let sql = insert(&mut random, table, &mut next);
                bed.source.query_drop(sql).unwrap();
            }
        }
        let mappings: Vec<Mapping> = TABLES.iter().map(|table| mapping(&mut random, *table)).collect();
        let db = bed.db.clone();
        bed.destination.query_drop(format!("DROP DATABASE IF EXISTS {db}_m")).unwrap();
        let entries: String = mappings.iter().map(|m| m.entry.as_str()).collect();
        bed.task.write(&format!("{PHASES}objects:\n- database: {db}\n  rename: {db}_m\n  tables:\n{entries}"));
        // The copy is of a source that is written to.
        let mut running = bed.task.start(&["apply", "--yes", "--until", "never"], &[("DTSCTL_TEST_CHUNK", "7")]);
        work(bed, &mut random, &mut next, 40);
        assert!(!running.has_ended(), "{}", running.said());
        running.kill9();
        bed.task.run(&CATCH_UP).expect(0);
        is_mapped(bed, &mappings, "after the copy");
        for round in 0..2 {
            work(bed, &mut random, &mut next, 50);
            bed.task.run(&CATCH_UP).expect(0);
            is_mapped(bed, &mappings, &format!("round {round}"));
        }
        bed.task.run(&["verify"]).expect(0);
    });
}
