//! DT297: could rows be too wide for the destination's pages or row format?
//!
//! A row must fit half a page, less some bytes: 8126 of a page of 16 KiB, 4027 of 8, 1979 of 4; of a long column DYNAMIC keeps 20 bytes in
//! the page and COMPACT and REDUNDANT 768 and those (manual: InnoDB Row Formats, InnoDB Limits; error 1118). Only a destination with
//! narrower pages or an older default format than the source's can refuse what the source took.

use super::{Check, Facts, Finding, Ignorable};
use crate::{
    catalog::{Column, Table, TypeKind},
    connect::ServerInfo,
};

pub(super) const CHECK: Check = Check { code: "DT297", name: "row-size", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.schema {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for table in facts.tables.iter().filter(|t| t.destination.is_none() && t.source.engine.eq_ignore_ascii_case("InnoDB")) {
        let (room, prefix, why) = measure(table.source, facts.destination.info);
        let (there, prefix_there, _) = measure(table.source, facts.source.info);
        if room >= there && prefix <= prefix_there {
            continue;
        }
        let needs: u64 = table.source.columns.iter().filter(|c| table.pair.columns.name(&c.name).is_some()).map(|c| bytes(c, prefix)).sum();
        if needs > room {
            findings.push(CHECK.alert(
                table.object(),
                format!("a row may take {needs} bytes of a page, and the destination takes {room} with {why}"),
                "set innodb_default_row_format=dynamic and the source's innodb_page_size at the destination, or make the table narrower",
            ));
        }
    }
    findings
}

/// The bytes of a row that a page takes, those that a long column keeps in it, and what they come from.
fn measure(table: &Table, info: &ServerInfo) -> (u64, u64, String) {
    let size = info.number("innodb_page_size").unwrap_or(16384);
    let room = match size {
        4096 => 1979,
        8192 => 4027,
        65536 => 16_126,
        32768 => 16_126,
        _ => 8126,
    };
    let create = table.create.to_ascii_uppercase();
    let named = ["DYNAMIC", "COMPRESSED", "COMPACT", "REDUNDANT"].into_iter().find(|f| create.contains(&format!("ROW_FORMAT={f}")));
    let format = named.map_or_else(|| info.variable("innodb_default_row_format").unwrap_or("dynamic").to_ascii_uppercase(), str::to_owned);
    let prefix = if matches!(format.as_str(), "COMPACT" | "REDUNDANT") { 768 + 20 } else { 20 };
    (room, prefix, format!("row format {format} and pages of {size} bytes"))
}

/// What a column takes of the page at most, roughly: one that can be long is moved out of it but for `prefix` bytes.
fn bytes(column: &Column, prefix: u64) -> u64 {
    let ty = column.column_type.to_ascii_lowercase();
    let inside = |c: char| ty.split_once('(').and_then(|(_, rest)| rest.split([c, ')']).next()?.parse::<u64>().ok());
    let fixed = match column.kind {
        TypeKind::Text | TypeKind::Bytes | TypeKind::Json | TypeKind::Geometry | TypeKind::NamedText => {
            let width = match column.charset.as_deref() {
                Some("utf8mb4" | "utf16" | "utf32" | "utf16le" | "gb18030") => 4,
                Some("utf8" | "utf8mb3") => 3,
                _ => 1,
            };
            let length = inside(')').map_or(u64::MAX, |n| n * width);
            // Values up to 40 bytes stay in the page whole.
            if length <= 40 { length } else { length.min(prefix.max(40)) }
        }
        TypeKind::Integer if ty.starts_with("tiny") => 1,
        TypeKind::Integer if ty.starts_with("small") => 2,
        TypeKind::Integer if ty.starts_with("medium") => 3,
        TypeKind::Integer if ty.starts_with("int") => 4,
        _ => 8,
    };
    fixed + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn only_a_narrower_destination_is_measured() {
        let mut bench = Bench::new();
        for i in 0..30 {
            let mut column = sample::column(&format!("v{i}"), TypeKind::Text, "varchar(1000)");
            column.charset = Some("utf8mb4".into());
            bench.table().columns.push(column);
        }
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("innodb_default_row_format".into(), "compact".into());
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.source_info.variables.insert("innodb_default_row_format".into(), "compact".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new(), "the source took it");
        bench.destination_info.variables.insert("innodb_page_size".into(), "4096".into());
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        bench.table().columns.truncate(3);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
