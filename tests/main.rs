//! Tests of the whole program: one module per feature, one binary.

mod catalog;
mod cli;
mod connect;
mod diff;
mod full;
mod generated;
mod plan;
mod precheck;
mod spec;
mod state;
