//! DT234: would the destination's page size or row format refuse the keys?
//!
//! InnoDB takes 767 bytes a key part in COMPACT and REDUNDANT rows and 3072 otherwise; with pages of 8 and 4 KiB 1536 and 768 (manual:
//! InnoDB Limits).

use super::{Check, Facts, Finding, Ignorable};
use crate::{
    catalog::{Column, KeyPart, Table, TypeKind},
    connect::ServerInfo,
};

pub(super) const CHECK: Check = Check { code: "DT234", name: "index-limits", ignorable: Ignorable::Failures, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.schema {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for table in facts.tables.iter().filter(|t| t.destination.is_none()) {
        let (limit, why) = limit(table.source, facts.destination.info);
        for key in table.source.keys.iter().filter(|k| k.index_type == "BTREE") {
            let widest = key.parts.iter().filter_map(|p| bytes(p, &table.source.columns)).max().unwrap_or(0);
            if widest > limit {
                findings.push(CHECK.failed(
                    table.object(),
                    format!("key {} has a part of up to {widest} bytes, and the destination takes {limit} with {why}", key.name),
                    "set innodb_default_row_format=dynamic and a page size of 16 KiB at the destination, or shorten the key",
                ));
            }
        }
    }
    findings
}

fn limit(table: &Table, info: &ServerInfo) -> (u64, String) {
    let pages = match info.number("innodb_page_size") {
        Some(4096) => 768,
        Some(8192) => 1536,
        _ => 3072,
    };
    let create = table.create.to_ascii_uppercase();
    let named = ["DYNAMIC", "COMPRESSED", "COMPACT", "REDUNDANT"].into_iter().find(|f| create.contains(&format!("ROW_FORMAT={f}")));
    let format = named.map_or_else(|| info.variable("innodb_default_row_format").unwrap_or("dynamic").to_ascii_uppercase(), str::to_owned);
    if matches!(format.as_str(), "COMPACT" | "REDUNDANT") {
        (767.min(pages), format!("row format {format}"))
    } else {
        (pages, format!("pages of {} bytes", info.number("innodb_page_size").unwrap_or(16384)))
    }
}

/// The most bytes that a key part of text or bytes takes; `None` for all others, which are short.
fn bytes(part: &KeyPart, columns: &[Column]) -> Option<u64> {
    let column = &columns[part.column?];
    let length = match part.prefix {
        Some(prefix) => u64::from(prefix),
        None => {
            let open = column.column_type.find('(')?;
            column.column_type[open + 1..].split(')').next()?.parse().ok()?
        }
    };
    let width = match (column.kind, column.charset.as_deref()) {
        (TypeKind::Bytes, _) => 1,
        (TypeKind::Text, Some(charset)) => match charset {
            "utf8mb4" | "utf16" | "utf32" | "utf16le" | "gb18030" => 4,
            "utf8" | "utf8mb3" | "eucjpms" | "ujis" => 3,
            "ucs2" | "gbk" | "sjis" | "cp932" | "big5" | "euckr" | "gb2312" => 2,
            _ => 1,
        },
        _ => return None,
    };
    Some(length * width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn keys_that_the_destination_would_refuse_fail() {
        let mut bench = Bench::new();
        bench.table().columns[1] = sample::column("name", TypeKind::Text, "varchar(255)");
        bench.table().keys.push(sample::key("ix", false, &[1]));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("innodb_default_row_format".into(), "compact".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        bench.table().keys[1].parts[0].prefix = Some(100);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().keys[1].parts[0].prefix = None;
        bench.table().create.push_str(" ROW_FORMAT=DYNAMIC");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("innodb_page_size".into(), "4096".into());
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
    }
}
