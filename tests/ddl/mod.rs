//! DDL statements: how they are read, and that the mapped text means the same.

mod classes;
