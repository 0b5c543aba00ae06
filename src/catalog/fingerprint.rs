//! A short value that changes when a definition does.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::{Catalog, Database, OtherObject, Table};
use crate::ddl::Definition;

/// SHA-256 of an object's definition, in hexadecimal. Equal definitions have equal fingerprints on one server; fingerprints of two
/// servers do not compare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of the parts, told apart by their lengths.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    /// The first 12 digits, enough for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or(&self.0))
    }
}

impl Table {
    /// Of the definition without the AUTO_INCREMENT counter, which rows move on.
    pub fn fingerprint(&self) -> Fingerprint {
        let counter = Definition::parse(&self.create)
            .ok()
            .and_then(|d| d.options.into_iter().find(|o| o.key == "AUTO_INCREMENT"))
            .map(|option| option.span);
        let text = match counter {
            // With the blank before it.
            Some(span) => format!("{}{}", &self.create[..span.start.saturating_sub(1)], &self.create[span.end..]),
            None => self.create.clone(),
        };
        // MySQL 5.7's text leaves out collations that are the charset's default, and that default differs by version.
        let collations = self.columns.iter().map(|c| c.collation.as_deref().unwrap_or_default());
        Fingerprint::of([self.name.database.as_str(), &self.name.table, &text, &self.collation].into_iter().chain(collations))
    }
}

impl Database {
    /// Of name and defaults.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of([self.name.as_str(), &self.charset, &self.collation])
    }
}

impl OtherObject {
    /// Of kind, name and, where it was read, definition.
    pub fn fingerprint(&self) -> Fingerprint {
        let session = self.session.iter().flat_map(|s| [s.sql_mode.as_str(), &s.collation_connection, &s.collation_database]);
        Fingerprint::of([self.kind.as_str(), &self.database, &self.name, &self.create].into_iter().chain(session))
    }
}

impl Catalog {
    /// Of everything in it, in any order of reading.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut all: Vec<Fingerprint> = self.databases.iter().map(Database::fingerprint).collect();
        all.extend(self.tables.iter().map(Table::fingerprint));
        all.extend(self.others.iter().map(OtherObject::fingerprint));
        all.sort();
        Fingerprint::of(all.iter().map(Fingerprint::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TableName;

    fn table(create: &str) -> Table {
        Table {
            name: TableName::new("d", "t"),
            engine: "InnoDB".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            rows_estimate: 0,
            data_bytes: 0,
            index_bytes: 0,
            auto_increment: None,
            create: create.to_owned(),
            columns: Vec::new(),
            keys: Vec::new(),
            system_versioned: false,
            cascades: None,
            unsupported: None,
        }
    }

    #[test]
    fn the_counter_does_not_count_and_all_else_does() {
        let a = table("CREATE TABLE `t` (\n  `a` int COMMENT 'AUTO_INCREMENT=9'\n) ENGINE=InnoDB AUTO_INCREMENT=5 COMMENT='x'");
        let b = table("CREATE TABLE `t` (\n  `a` int COMMENT 'AUTO_INCREMENT=9'\n) ENGINE=InnoDB COMMENT='x'");
        let c = table("CREATE TABLE `t` (\n  `a` int COMMENT 'AUTO_INCREMENT=8'\n) ENGINE=InnoDB COMMENT='x'");
        assert_eq!(a.fingerprint(), b.fingerprint());
        assert_ne!(b.fingerprint(), c.fingerprint());
        assert_ne!(Fingerprint::of(["ab", "c"]), Fingerprint::of(["a", "bc"]));
    }
}
