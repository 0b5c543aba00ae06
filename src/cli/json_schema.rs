//! `dtsctl json-schema`: the JSON Schemas, generated from the types.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{Context, error::CommandError, exit};
use crate::{plan, spec, state};

/// What can be typed behind `dtsctl json-schema`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dtsctl json-schema > schemas/spec.v1.json      for the editor\n  dtsctl json-schema --of plan\n")]
pub struct JsonSchemaArgs {
    /// Of what
    #[arg(long, default_value = "spec", value_name = "DOCUMENT")]
    pub of: Document,
}

/// A document with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// The spec
    Spec,
    /// What `plan --format json` and `plan --out` write
    Plan,
    /// What `status --format json` writes
    Status,
    /// What `list --format json` writes
    List,
    /// What `verify --format json` writes
    Verify,
    /// What `alerts.command` of the spec reads
    Alert,
}

impl Document {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Spec, Self::Plan, Self::Status, Self::List, Self::Verify, Self::Alert];

    /// The committed file in `schemas/`.
    pub fn file(self) -> &'static str {
        match self {
            Self::Spec => "spec.v1.json",
            Self::Plan => "plan.v1.json",
            Self::Status => "status.v1.json",
            Self::List => "list.v1.json",
            Self::Verify => "verify.v1.json",
            Self::Alert => "alert.v1.json",
        }
    }
}

/// The schema of a document; `None` while its type does not exist yet.
pub fn schema_of(document: Document) -> Option<Value> {
    match document {
        Document::Spec => Some(spec::schema()),
        // Registered here by the rooms that own the types.
        Document::Plan => Some(plan::json_schema()),
        Document::Status => Some(state::schema()),
        Document::List => Some(state::list_schema()),
        Document::Verify => Some(crate::verify::json_schema()),
        Document::Alert => Some(crate::alert::schema()),
    }
}

pub(super) fn run(context: &mut Context, args: &JsonSchemaArgs) -> Result<u8, CommandError> {
    let schema = schema_of(args.of).ok_or_else(|| CommandError::internal("the schema of this document is not wired up yet"))?;
    writeln!(context.stdout, "{schema:#}")?;
    Ok(exit::DONE)
}
