//! GTIDs and sets of them, in the arithmetic of both servers.
//!
//! The hard idea: a set is never a maximum. MySQL's sets have holes (`1-7:9-10` lacks 8, and an applier that takes it for `1-10` loses a
//! transaction), and since 8.4 tags beside the server's UUID. MariaDB's position is another thing altogether: per domain the last
//! transaction, and all before it in that domain. Both sit behind one type, so that nobody has to ask which server it came from.

mod mariadb;
mod mysql;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

pub use mariadb::MariaDbSet;
pub use mysql::MySqlSet;
pub use mysql::Origin;

/// One transaction's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Gtid {
    /// MySQL's: who first had it, and its number there, from 1.
    MySql(Origin, u64),
    /// MariaDB's `domain-server-sequence`.
    MariaDb {
        /// Replication domain; order is kept within one.
        domain: u32,
        /// Server that first had it.
        server: u32,
        /// Number within the domain.
        sequence: u64,
    },
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(origin, number) => write!(f, "{origin}:{number}"),
            Self::MariaDb { domain, server, sequence } => write!(f, "{domain}-{server}-{sequence}"),
        }
    }
}

/// Text that is no set of GTIDs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no set of GTIDs")]
pub struct BadGtid {
    /// The part that could not be read.
    pub text: String,
}

impl BadGtid {
    fn new(text: &str) -> Self {
        Self { text: text.chars().take(80).collect() }
    }
}

/// Transactions that have happened. Printed and read in the server's own notation, without line breaks.
///
/// Cloning is cheap (it shares the intervals), and so is [`GtidSet::insert`]. An empty set of one server equals that of the other.
#[derive(Debug, Clone)]
pub enum GtidSet {
    /// `gtid_executed` of MySQL.
    MySql(MySqlSet),
    /// `gtid_binlog_pos` of MariaDB.
    MariaDb(MariaDbSet),
}

impl Default for GtidSet {
    fn default() -> Self {
        Self::MySql(MySqlSet::default())
    }
}

impl PartialEq for GtidSet {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MySql(a), Self::MySql(b)) => a == b,
            (Self::MariaDb(a), Self::MariaDb(b)) => a == b,
            _ => self.is_empty() && other.is_empty(),
        }
    }
}

impl Eq for GtidSet {}

impl GtidSet {
    /// No members.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::MySql(set) => set.is_empty(),
            Self::MariaDb(set) => set.is_empty(),
        }
    }

    /// Whether this transaction has happened.
    pub fn contains(&self, gtid: &Gtid) -> bool {
        match (self, gtid) {
            (Self::MySql(set), Gtid::MySql(origin, number)) => set.contains(origin, *number),
            (Self::MariaDb(set), Gtid::MariaDb { domain, sequence, .. }) => set.contains(*domain, *sequence),
            _ => false,
        }
    }

    /// Adds a transaction. On a set of the other server's kind that has members it does nothing: the two never meet in one binlog.
    pub fn insert(&mut self, gtid: &Gtid) {
        if self.is_empty() {
            *self = match gtid {
                Gtid::MySql(..) => Self::MySql(MySqlSet::default()),
                Gtid::MariaDb { .. } => Self::MariaDb(MariaDbSet::default()),
            };
        }
        match (self, gtid) {
            (Self::MySql(set), Gtid::MySql(origin, number)) => set.insert(origin, *number),
            (Self::MariaDb(set), Gtid::MariaDb { domain, server, sequence }) => set.insert(*domain, *server, *sequence),
            _ => {}
        }
    }

    /// Every member of this set is one of the other's.
    pub fn is_subset(&self, of: &Self) -> bool {
        match (self, of) {
            (Self::MySql(a), Self::MySql(b)) => a.is_subset(b),
            (Self::MariaDb(a), Self::MariaDb(b)) => a.is_subset(b),
            _ => self.is_empty(),
        }
    }

    /// What is in this set and not in the other. For MariaDB: the domains in which this set is further, at its own place in them.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::MySql(a), Self::MySql(b)) => Self::MySql(a.difference(b)),
            (Self::MariaDb(a), Self::MariaDb(b)) => Self::MariaDb(a.difference(b)),
            _ => self.clone(),
        }
    }

    /// What is in either. Of different kinds, the one that has members.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::MySql(a), Self::MySql(b)) => Self::MySql(a.union(b)),
            (Self::MariaDb(a), Self::MariaDb(b)) => Self::MariaDb(a.union(b)),
            _ if self.is_empty() => other.clone(),
            _ => self.clone(),
        }
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(set) => set.fmt(f),
            Self::MariaDb(set) => set.fmt(f),
        }
    }
}

impl FromStr for GtidSet {
    type Err = BadGtid;

    /// Reads either notation; they cannot be taken for each other, since MySQL's has a colon after its UUID.
    fn from_str(text: &str) -> Result<Self, BadGtid> {
        if text.contains(':') || text.trim().is_empty() { text.parse().map(Self::MySql) } else { text.parse().map(Self::MariaDb) }
    }
}

impl Serialize for GtidSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GtidSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Gtid, GtidSet};

    #[test]
    fn empty_sets_are_equal_and_take_the_kind_of_their_first_member() {
        let mut set: GtidSet = "".parse().unwrap();
        assert_eq!(set, GtidSet::MariaDb(super::MariaDbSet::default()));
        set.insert(&Gtid::MariaDb { domain: 0, server: 7, sequence: 9 });
        assert_eq!(set.to_string(), "0-7-9");
        assert_eq!(serde_json::to_string(&set).unwrap(), "\"0-7-9\"");
        assert_eq!(serde_json::from_str::<GtidSet>("\"0-7-9\"").unwrap(), set);
        assert!(serde_json::from_str::<GtidSet>("\"0-7\"").is_err());
    }
}
