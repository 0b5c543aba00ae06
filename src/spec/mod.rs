//! The spec: a reviewed YAML file that says what the destination shall hold.
//!
//! Purpose: text in, a [`Spec`] out, or *all* that is wrong with it, each with its place. This room does no input or
//! output of its own and never reads the environment: both are handed to it in [`Surroundings`].
//!
//! The hard idea: a typed decoder stops at the first error and knows no places. So the text becomes a tree in which every node
//! knows its place (`yaml`), the tree is held against the JSON schema that is generated from the types (`shape`), variables are
//! replaced, and only then it is decoded, so that what an editor accepts and what dtsctl accepts cannot drift apart. What a schema
//! cannot say is checked last (`check`), and every problem is led back to its node.

pub mod model;
pub mod pattern;
pub mod secret;
pub mod select;
pub mod units;
pub mod written;

pub use model::*;
pub use pattern::Pattern;
pub use secret::{PasswordSource, Secret};
pub use select::{Selected, Selection, is_system_database};
