//! Single values, from the bytes of a row image to the bytes that a `SELECT` would have given.
//!
//! Each function appends to a buffer and allocates nothing else. Formats: `sql/rpl_utility.cc`, `strings/decimal.cc`, `mysys/my_time.cc`
//! of MySQL, `sql/compat56.cc` of MariaDB; all of them are held against servers in `tests/images`.

pub(super) mod compressed;
pub(super) mod named;
pub(super) mod number;
pub(super) mod temporal;
