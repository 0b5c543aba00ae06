//! Tests of the whole program: one module per feature, one binary.

mod cli;
mod connect;
mod full;
mod generated;
mod spec;
mod state;
mod verify;
