//! The phases of an apply. They do not call each other; each is given its settings and emits events.

pub mod full;
pub mod incremental;
pub mod schema;
pub mod throttle;
