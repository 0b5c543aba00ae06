//! `sql_mode` as the binlog has it, in bits, to the names that a server takes.

use crate::connect::Flavor;

/// A mode: its bit, its name, and whether MySQL (8.0 and later), MySQL 5.7 and MariaDB take it.
struct Mode {
    bit: u32,
    name: &'static str,
    mysql: bool,
    mysql57: bool,
    mariadb: bool,
    /// A server that does not know it does the same without it, as far as definitions go.
    harmless: bool,
}

const fn mode(bit: u32, name: &'static str, takes: (bool, bool, bool), harmless: bool) -> Mode {
    Mode { bit, name, mysql: takes.0, mysql57: takes.1, mariadb: takes.2, harmless }
}

const ALL: (bool, bool, bool) = (true, true, true);
const OLD: (bool, bool, bool) = (false, true, true);

/// Bits that mean the same to both vendors (`sql/sql_class.h`, `sql/system_variables.h`). What combines others (`ANSI`, `TRADITIONAL`,
/// `ORACLE` and the like of MySQL 5.7) comes with the bits of what it combines. Bits 4 and from 32 on differ.
const MODES: &[Mode] = &[
    mode(0, "REAL_AS_FLOAT", ALL, false),
    mode(1, "PIPES_AS_CONCAT", ALL, false),
    mode(2, "ANSI_QUOTES", ALL, false),
    mode(3, "IGNORE_SPACE", ALL, false),
    mode(5, "ONLY_FULL_GROUP_BY", ALL, false),
    mode(6, "NO_UNSIGNED_SUBTRACTION", ALL, false),
    mode(7, "NO_DIR_IN_CREATE", ALL, false),
    mode(8, "POSTGRESQL", OLD, true),
    mode(10, "MSSQL", OLD, true),
    mode(11, "DB2", OLD, true),
    mode(12, "MAXDB", OLD, false),
    mode(13, "NO_KEY_OPTIONS", OLD, true),
    mode(14, "NO_TABLE_OPTIONS", OLD, true),
    mode(15, "NO_FIELD_OPTIONS", OLD, true),
    mode(16, "MYSQL323", OLD, true),
    mode(17, "MYSQL40", OLD, true),
    mode(18, "ANSI", ALL, false),
    mode(19, "NO_AUTO_VALUE_ON_ZERO", ALL, false),
    mode(20, "NO_BACKSLASH_ESCAPES", ALL, false),
    mode(21, "STRICT_TRANS_TABLES", ALL, false),
    mode(22, "STRICT_ALL_TABLES", ALL, false),
    mode(23, "NO_ZERO_IN_DATE", ALL, false),
    mode(24, "NO_ZERO_DATE", ALL, false),
    mode(25, "ALLOW_INVALID_DATES", ALL, false),
    mode(26, "ERROR_FOR_DIVISION_BY_ZERO", ALL, false),
    mode(27, "TRADITIONAL", ALL, false),
    mode(28, "NO_AUTO_CREATE_USER", OLD, true),
    mode(29, "HIGH_NOT_PRECEDENCE", ALL, false),
    mode(30, "NO_ENGINE_SUBSTITUTION", ALL, false),
    mode(31, "PAD_CHAR_TO_FULL_LENGTH", ALL, false),
];

const ORACLE: u64 = 1 << 9;

/// The modes of a statement as a list for `SET sql_mode`.
///
/// # Errors
/// The name of a mode that the destination lacks and that may change what the statement does.
pub(super) fn names(bits: u64, from: Flavor, to: Flavor) -> Result<String, &'static str> {
    let mut list = Vec::new();
    for mode in MODES.iter().filter(|m| bits & (1 << m.bit) != 0) {
        let taken = match (to.is_mariadb(), to.at_least(8, 0, 0)) {
            (true, _) => mode.mariadb,
            (false, true) => mode.mysql,
            (false, false) => mode.mysql57,
        };
        if taken {
            list.push(mode.name);
        } else if !mode.harmless {
            return Err(mode.name);
        }
    }
    if bits & ORACLE != 0 {
        match (from.is_mariadb(), to.is_mariadb()) {
            (true, true) => list.push("ORACLE"),
            // Another language.
            (true, false) => return Err("ORACLE"),
            // MySQL 5.7's is a combination of others.
            (false, _) => {}
        }
    }
    let (bit4, bit32, bit33, bit34) = (bits & (1 << 4) != 0, bits & (1 << 32) != 0, bits & (1 << 33) != 0, bits & (1 << 34) != 0);
    if from.is_mariadb() && to.is_mariadb() {
        let own = [
            (bit4, "IGNORE_BAD_TABLE_OPTIONS"),
            (bit32, "EMPTY_STRING_IS_NULL"),
            (bit33, "SIMULTANEOUS_ASSIGNMENT"),
            (bit34, "TIME_ROUND_FRACTIONAL"),
        ];
        list.extend(own.iter().filter(|(on, _)| *on).map(|(_, name)| *name));
    } else if from.is_mariadb() {
        if bit32 {
            return Err("EMPTY_STRING_IS_NULL");
        }
        // MariaDB cuts fractional seconds unless it is told to round, MySQL rounds unless it is told to cut.
        if !bit34 && to.at_least(8, 0, 1) {
            list.push("TIME_TRUNCATE_FRACTIONAL");
        }
    } else if to.is_mariadb() {
        if !bit32 {
            list.push("TIME_ROUND_FRACTIONAL");
        }
    } else if bit32 {
        if !to.at_least(8, 0, 1) {
            return Err("TIME_TRUNCATE_FRACTIONAL");
        }
        list.push("TIME_TRUNCATE_FRACTIONAL");
    }
    Ok(list.join(","))
}

/// What of them decides how the text is read.
pub(super) fn lexing(bits: u64) -> crate::ddl::lex::Mode {
    crate::ddl::lex::Mode { ansi_quotes: bits & (1 << 2) != 0, no_backslash_escapes: bits & (1 << 20) != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Vendor;

    #[test]
    fn modes_are_named_for_the_destination() {
        let mysql = Flavor { vendor: Vendor::MySql, version: (9, 7, 4) };
        let mysql57 = Flavor { vendor: Vendor::MySql, version: (5, 7, 44) };
        let mariadb = Flavor { vendor: Vendor::MariaDb, version: (10, 11, 18) };
        let bits = (1 << 2) | (1 << 21) | (1 << 28);
        assert_eq!(names(bits, mysql57, mysql).as_deref(), Ok("ANSI_QUOTES,STRICT_TRANS_TABLES"));
        assert_eq!(names(bits, mysql57, mysql57).as_deref(), Ok("ANSI_QUOTES,STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER"));
        assert_eq!(names(1 << 34, mariadb, mysql).as_deref(), Ok(""));
        assert_eq!(names(0, mariadb, mysql).as_deref(), Ok("TIME_TRUNCATE_FRACTIONAL"));
        assert_eq!(names(0, mysql, mariadb).as_deref(), Ok("TIME_ROUND_FRACTIONAL"));
        assert_eq!(names(ORACLE, mariadb, mysql), Err("ORACLE"));
        assert!(lexing(1 << 2).ansi_quotes && !lexing(1 << 2).no_backslash_escapes);
    }
}
