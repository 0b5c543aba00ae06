//! Table maps by their number, so that the same one is not taken apart for every statement.

use std::{collections::HashMap, sync::Arc};

use super::Wants;
use crate::{
    binlog::{bytes::Cursor, table_map::TableMap},
    connect::Vendor,
};

/// So many tables are remembered; a server with more has them taken apart again.
const MOST: usize = 4096;

/// What the last table map with a number said.
#[derive(Default)]
pub(super) struct Maps {
    known: HashMap<u64, (Vec<u8>, Option<Arc<TableMap>>)>,
}

impl Maps {
    /// The table map of an event; `None` when its rows are not wanted. The same bytes give the same one.
    pub(super) fn map(&mut self, id: u64, body: &[u8], wants: &Wants, vendor: Vendor) -> Result<Option<Arc<TableMap>>, String> {
        if let Some((bytes, map)) = self.known.get(&id)
            && bytes == body
        {
            return Ok(map.clone());
        }
        let (database, table) = names(body).ok_or("a table map that ends too early")?;
        let map = if wants(&database, &table) { Some(Arc::new(TableMap::parse(body, vendor).map_err(|e| e.to_string())?)) } else { None };
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(id, (body.to_vec(), map.clone()));
        Ok(map)
    }

    /// Numbers mean something else from here on.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

/// Database and table, each with a length byte before it and a zero byte behind it, after the table's number and two bytes of flags.
fn names(body: &[u8]) -> Option<(String, String)> {
    let mut c = Cursor::new(body);
    c.take(8).ok()?;
    let database = c.short_text().ok()?;
    c.byte().ok()?;
    Some((database, c.short_text().ok()?))
}
