//! Tests.

mod connect;
