//! A server's binlog, read by the `mysql` crate and taken apart just as far as images need.

use std::{collections::HashMap, sync::Arc};

use dtsctl::{
    binlog::{Place, RowsEvent, RowsKind, TableMap},
    connect::Vendor,
};
use mysql::{BinlogDumpFlags, BinlogRequest, prelude::Queryable};
use testbed::{Flavor, Server};

/// Where the binlog ends now.
pub(crate) fn end(server: &Server) -> (String, u64) {
    let mut conn = server.root_conn().expect("a connection");
    let row: mysql::Row = conn
        .query_first("SHOW BINARY LOG STATUS")
        .or_else(|_| conn.query_first("SHOW MASTER STATUS"))
        .expect("a status")
        .expect("a binlog");
    (row.get(0).expect("a file"), row.get(1).expect("an offset"))
}

pub(crate) fn vendor(server: &Server) -> Vendor {
    if server.flavor() == Flavor::MariaDb { Vendor::MariaDb } else { Vendor::MySql }
}

/// All rows events from a place on to the end of the binlog.
pub(crate) fn rows_events(server: &Server, (file, offset): (String, u64)) -> Vec<RowsEvent> {
    let request = BinlogRequest::new(4_000_000_000)
        .with_filename(file.as_bytes())
        .with_pos(offset)
        .with_flags(BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK);
    let stream = server.root_conn().expect("a connection").get_binlog_stream(request).expect("a stream");
    let mut maps = HashMap::new();
    let mut events = Vec::new();
    for event in stream {
        let event = event.expect("an event");
        let body = event.data();
        let kind = match event.header().event_type_raw() {
            19 => {
                let map = TableMap::parse(body, vendor(server)).expect("a table map");
                maps.insert(map.id, Arc::new(map));
                continue;
            }
            23 | 30 => RowsKind::Insert,
            24 | 31 => RowsKind::Update,
            25 | 32 => RowsKind::Delete,
            39 => RowsKind::PartialUpdate,
            166..=171 => panic!("this server compresses its rows"),
            _ => continue,
        };
        let is_second_version = event.header().event_type_raw() >= 30;
        let id = u64::from_le_bytes([body[0], body[1], body[2], body[3], body[4], body[5], 0, 0]);
        let mut rest = &body[8..];
        if is_second_version {
            rest = &rest[usize::from(u16::from_le_bytes([rest[0], rest[1]]))..];
        }
        let map: &Arc<TableMap> = &maps[&id];
        let columns = map.columns.len();
        rest = match rest[0] {
            252 => &rest[3..],
            _ => &rest[1..],
        };
        let (before, mut rest) = rest.split_at(columns.div_ceil(8));
        let mut after = &[][..];
        if matches!(kind, RowsKind::Update | RowsKind::PartialUpdate) {
            (after, rest) = rest.split_at(columns.div_ceil(8));
        }
        events.push(RowsEvent {
            map: Arc::clone(map),
            kind,
            keys_act: false,
            place: Place { file: file.clone(), offset: event.header().log_pos().into() },
            query: None,
            before_columns: before.to_vec(),
            after_columns: after.to_vec(),
            rows: rest.to_vec(),
        });
    }
    events
}
