//! What a person or a script reads: tables, Markdown, JSON, progress.
//!
//! Purpose: data of other rooms in, text out. This room must not decide anything, ask a server or read a file. The hard idea: whatever comes
//! from a server, a table's name above all, is made harmless before it is shown, so that no object can fake a line of the report.

pub mod plan;
pub mod text;
