//! The integration tests: one binary, one module a feature, real servers.

mod full;
