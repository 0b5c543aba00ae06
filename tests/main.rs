//! Tests.

mod connect;
mod verify;
