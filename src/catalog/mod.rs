//! What a server holds: the model, the queries that fill it, and fingerprints of it.

mod model;

pub use model::*;
