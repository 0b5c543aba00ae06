//! Vendor and version of a server as one value, with the questions the rest of the program asks of it as methods.
//!
//! No other room compares version numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The two lines of servers. RDS MySQL, PolarDB and Aurora answer as MySQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// MySQL and what speaks as it.
    MySql,
    /// MariaDB.
    MariaDb,
}

impl Vendor {
    /// Lower-case name, as in plans: `mysql`, `mariadb`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }
}

/// A server's vendor and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Flavor {
    /// Vendor.
    pub vendor: Vendor,
    /// Major, minor, patch.
    pub version: (u16, u16, u16),
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(f, "{} {major}.{minor}.{patch}", self.vendor.name())
    }
}

impl Flavor {
    /// Reads `SELECT VERSION()` (`10.11.19-MariaDB-0+deb12u1`, `9.7.4`, `5.5.5-10.6.1-MariaDB`) with `@@version_comment`, which names
    /// MariaDB on builds whose version string does not. `None` when there are no three numbers in it.
    pub fn parse(version: &str, comment: &str) -> Option<Self> {
        let is_mariadb = version.to_ascii_lowercase().contains("mariadb") || comment.to_ascii_lowercase().contains("mariadb");
        // MariaDB up to 10.x puts 5.5.5- before its version for the sake of old replicas (MDEV-4088).
        let text = if is_mariadb { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|s| !s.is_empty()).map(str::parse);
        let version = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(Self { vendor: if is_mariadb { Vendor::MariaDb } else { Vendor::MySql }, version })
    }

    /// MariaDB.
    pub fn is_mariadb(self) -> bool {
        self.vendor == Vendor::MariaDb
    }

    /// MySQL and what speaks as it.
    pub fn is_mysql(self) -> bool {
        self.vendor == Vendor::MySql
    }

    /// At least this version, of either vendor.
    pub fn at_least(self, major: u16, minor: u16, patch: u16) -> bool {
        self.version >= (major, minor, patch)
    }

    /// MySQL 5.7 and later, MariaDB 10.5 and later.
    pub fn is_supported(self) -> bool {
        match self.vendor {
            Vendor::MySql => self.at_least(5, 7, 0),
            Vendor::MariaDb => self.at_least(10, 5, 0),
        }
    }

    /// A collation of one name puts text in one order on both: servers of one line, since weights have changed between lines (traps.md
    /// part 2, 14).
    pub fn has_collations_of(self, other: Self) -> bool {
        self.vendor == other.vendor && self.version.0 == other.version.0
    }

    /// JSON is a binary type of its own. On MariaDB it is LONGTEXT with a check.
    pub fn has_json_type(self) -> bool {
        self.is_mysql()
    }

    /// The statement that names the current binlog position. `SHOW MASTER STATUS` is gone in MySQL 8.4 (manual: 8.4 changes);
    /// `SHOW BINARY LOG STATUS` came with 8.2, and MariaDB has `SHOW BINLOG STATUS` since 10.5.2.
    pub fn binlog_status_statement(self) -> &'static str {
        match self.vendor {
            Vendor::MySql if self.at_least(8, 2, 0) => "SHOW BINARY LOG STATUS",
            _ => "SHOW MASTER STATUS",
        }
    }

    /// The statement that shows what this server replicates from others, empty when it does not. `SHOW REPLICA STATUS` came with MySQL
    /// 8.0.22, and the older form is gone in 8.4; MariaDB shows every connection with `SHOW ALL SLAVES STATUS`.
    pub fn replica_status_statement(self) -> &'static str {
        match self.vendor {
            Vendor::MariaDb => "SHOW ALL SLAVES STATUS",
            Vendor::MySql if self.at_least(8, 0, 22) => "SHOW REPLICA STATUS",
            Vendor::MySql => "SHOW SLAVE STATUS",
        }
    }

    /// What cascading foreign keys do to child rows is in the binlog: since MySQL 9.6, where the SQL layer does it, unless
    /// `innodb_native_foreign_keys` gives it back to InnoDB (manual: 9.6 changes; seen on 9.7.4). Never on MariaDB (seen on 10.11).
    pub fn may_log_cascades(self) -> bool {
        self.is_mysql() && self.at_least(9, 6, 0)
    }

    /// A QUERY event of the binlog says whether `explicit_defaults_for_timestamp` was on, in bit 24 of its flags: MariaDB 10.5.17, 10.6.9,
    /// 10.7.5, 10.8.4 and 10.9.2 (MDEV-28632, MDEV-29078; the bit seen on 10.11). MySQL writes it otherwise, and only where it matters.
    pub fn flags_explicit_defaults(self) -> bool {
        let first = match (self.version.0, self.version.1) {
            (10, 5) => 17,
            (10, 6) => 9,
            (10, 7) => 5,
            (10, 8) => 4,
            (10, 9) => 2,
            _ => 0,
        };
        self.is_mariadb() && self.version.2 >= first
    }

    /// `information_schema_stats_expiry` exists: without setting it to 0 MySQL 8.0 and later answer row counts and AUTO_INCREMENT
    /// values that are up to a day old (manual: INFORMATION_SCHEMA optimization).
    pub fn has_stats_expiry(self) -> bool {
        self.is_mysql() && self.at_least(8, 0, 0)
    }

    /// Numeric data dictionary facts such as invisible indexes (`STATISTICS.EXPRESSION`, `IS_VISIBLE`) are there: MySQL 8.0.13.
    pub fn has_functional_keys(self) -> bool {
        self.is_mysql() && self.at_least(8, 0, 13)
    }

    /// `DEFAULT (expression)` for any column: MySQL 8.0.13, MariaDB 10.2.1.
    pub fn has_expression_defaults(self) -> bool {
        self.is_mariadb() || self.at_least(8, 0, 13)
    }

    /// Columns that `SELECT *` leaves out: MySQL 8.0.23, MariaDB 10.3.
    pub fn has_invisible_columns(self) -> bool {
        self.is_mariadb() || self.at_least(8, 0, 23)
    }

    /// Indexes that the optimizer ignores: MySQL 8.0 (`INVISIBLE`), MariaDB 10.6 (`IGNORED`).
    pub fn has_ignored_indexes(self) -> bool {
        if self.is_mariadb() { self.at_least(10, 6, 0) } else { self.at_least(8, 0, 0) }
    }

    /// `DESC` in a key is kept and not only read: MySQL 8.0.1, MariaDB 10.8.1.
    pub fn has_descending_keys(self) -> bool {
        if self.is_mariadb() { self.at_least(10, 8, 1) } else { self.at_least(8, 0, 1) }
    }

    /// CHECK constraints are kept and enforced: MySQL 8.0.16, MariaDB 10.2.1.
    pub fn has_checks(self) -> bool {
        self.is_mariadb() || self.at_least(8, 0, 16)
    }

    /// The AUTO_INCREMENT counter of an empty table outlives a restart: MySQL 8.0, MariaDB 10.2.4.
    pub fn keeps_counters(self) -> bool {
        self.is_mariadb() || self.at_least(8, 0, 0)
    }

    /// Has a column type that not every version has.
    pub fn has_type(self, name: &str) -> bool {
        match (self.vendor, name) {
            (Vendor::MariaDb, "uuid") => self.at_least(10, 7, 0),
            (Vendor::MariaDb, "inet4") => self.at_least(10, 10, 0),
            (Vendor::MariaDb, "vector") => self.at_least(11, 7, 1),
            (Vendor::MariaDb, "json") | (Vendor::MySql, "uuid" | "inet4" | "inet6") => false,
            (Vendor::MySql, "vector") => self.at_least(9, 0, 0),
            _ => true,
        }
    }

    /// `COLLATION_CHARACTER_SET_APPLICABILITY` has `FULL_COLLATION_NAME`: MariaDB 10.10 (seen on 10.11.19).
    pub fn has_full_collation_names(self) -> bool {
        self.is_mariadb() && self.at_least(10, 10, 1)
    }

    /// The row of an INSERT may be given a name, for use in ON DUPLICATE KEY UPDATE: MySQL 8.0.19. From 8.0.20 on the older `VALUES()` is
    /// answered with a warning each time.
    pub fn names_inserted_rows(self) -> bool {
        self.is_mysql() && self.at_least(8, 0, 19)
    }

    /// Spatial columns may carry an SRID attribute and the catalog names it: MySQL 8.0.3.
    pub fn has_column_srid(self) -> bool {
        self.is_mysql() && self.at_least(8, 0, 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_print_them() {
        let read = |v, c| Flavor::parse(v, c).map(|f| f.to_string());
        assert_eq!(read("10.11.19-MariaDB-0+deb12u1-log", "Debian 12").as_deref(), Some("mariadb 10.11.19"));
        assert_eq!(read("5.5.5-10.6.1-MariaDB", "").as_deref(), Some("mariadb 10.6.1"));
        assert_eq!(read("9.7.4-1", "(Debian)").as_deref(), Some("mysql 9.7.4"));
        assert_eq!(read("8.0.36", "Source distribution").as_deref(), Some("mysql 8.0.36"));
        assert_eq!(read("5.7.44-log", "MySQL Community Server (GPL)").as_deref(), Some("mysql 5.7.44"));
        assert_eq!(read("proxy", ""), None);
    }
}
