//! dtsctl.
fn main() {}
