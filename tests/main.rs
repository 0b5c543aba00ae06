//! Tests of the whole program: one module per feature, one binary.

mod cli;
mod connect;
mod generated;
mod spec;
