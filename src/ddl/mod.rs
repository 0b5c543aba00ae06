//! Statements as text: tokens, the clauses of a `CREATE TABLE`, and the names in it.
//!
//! Nothing here knows a server. The hard idea: every piece keeps its place in the original text, so what is not understood is either
//! carried byte for byte or refused, never rewritten by a printer of our own.

pub mod account;
mod clauses;
pub mod condition;
mod definition;
pub mod expression;
pub mod lex;
pub mod rename;
pub mod statement;

pub use definition::*;
