//! dtsctl: declarative migration and synchronisation for the MySQL family.
//!
//! The rooms, and who may use whom (a test greps the `use crate::` lines for this):
//!
//! - `binlog` turns the source's binlog into typed changes.
//! - `connect` opens sessions and alone knows vendors and versions.
//! - `catalog` is what a server holds: the model, and the queries that fill it.
//! - `precheck` gathers facts of both servers and judges them, one check a file.
//! - `plan` orders changes and copies under ids, saves them and tells when they are stale; no input or output either.
//! - `state` is the SQLite file of a task: ledger, copy of the progress, lock; the one room that names `rusqlite`.
//! - `spec` is what a person asks for: text in, a resolved spec or all of its problems out.
//! - `verify` compares the rows of both ends and writes a receipt.
//! - `ddl` takes statements apart: tokens, clauses, names.
//! - `cli` reads arguments, environment and clock, calls the rooms, and turns every error into an exit code and hints.
//! - `alert` tells a command of the user's what a person should see to.
//! - `report` is the only printing beside `cli`.
//! - `diff` turns two catalogs and a mapping into changes; no input or output.

pub mod alert;
pub mod binlog;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod connect;
pub mod ddl;
pub mod destination;
pub mod diff;
pub mod event;
pub mod phase;
pub mod plan;
pub mod precheck;
pub mod report;
pub mod spec;
pub mod state;
pub mod verify;
