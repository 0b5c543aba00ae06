//! Tests.

mod connect;
mod state;
