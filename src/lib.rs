//! dtsctl: declarative migration and synchronisation for the MySQL family.
//!
//! The rooms, and who may use whom (a test greps the `use crate::` lines for this):
//!
//! - `connect` opens sessions and alone knows vendors and versions.
//! - `catalog` is what a server holds: the model, and the queries that fill it.
//! - `diff` turns two catalogs and a mapping of names into changes, without input or output.
//! - `precheck` gathers facts of both servers and judges them, one check a file.
//! - `plan` orders changes and copies under ids, saves them and tells when they are stale; no input or output either.
//! - `report` alone makes tables, Markdown and JSON of what the other rooms return.
//! - `spec` is what a person asks for: text in, a resolved spec or all of its problems out.

pub mod catalog;
pub mod connect;
pub mod diff;
pub mod event;
pub mod plan;
pub mod precheck;
pub mod report;
pub mod spec;
