//! Tests of the whole program: one module per feature, one binary.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod alerts;
mod apply;
mod binlog_checks;
mod catalog;
mod cli;
mod connect;
mod crash;
mod ddl;
mod diff;
mod follow;
mod full;
mod generated;
mod heartbeat;
mod images;
mod list;
mod live_copy;
mod live_settings;
mod pairs;
mod plan;
mod precheck;
mod prechecks;
mod requirements;
mod rooms;
mod spec;
mod state;
mod stream;
mod support;
mod verify;
mod write;
