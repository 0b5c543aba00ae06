//! The pages of `docs/checks/`. Generated: `just gen` writes this file from the folder.

/// Code and text of every page, in the order of the codes.
pub const PAGES: &[(&str, &str)] = &[];
