//! DDL statements: how they are read, and that the mapped text means the same.

mod carry;
mod classes;
mod crash;
mod decisions;
mod follow;
