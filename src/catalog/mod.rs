//! What a server holds: the model, the queries that fill it, and fingerprints of it.

mod model;
mod range;

pub use model::*;
pub use range::{Edge, KeyOrder, KeyRange};
