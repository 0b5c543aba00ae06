//! dtsctl.

pub mod spec;
