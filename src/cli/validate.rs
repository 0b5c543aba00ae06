//! `dtsctl validate`: the spec alone, offline.

use clap::Args;

use super::{Context, args::Format, error::CommandError, exit};
use crate::spec::Spec;

/// What can be typed behind `dtsctl validate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dtsctl validate -f shop.yaml\n  dtsctl validate --print        every default written out, secrets as ***\n"
)]
pub struct ValidateArgs {
    /// Print the resolved spec as YAML (or JSON with --format json), secrets as `***`
    #[arg(long)]
    pub print: bool,
}

pub(super) fn run(context: &mut Context, args: &ValidateArgs) -> Result<u8, CommandError> {
    let spec = context.load_spec()?;
    let file = if context.settings.from_stdin() { "<stdin>".to_owned() } else { context.settings.file.display().to_string() };
    context.emit(&|format| {
        Ok(match (args.print, format) {
            (true, Format::Json) => format!("{:#}\n", spec.resolved),
            (true, Format::Table) => printed(&spec)?,
            (true, Format::Markdown) => format!("```yaml\n{}```\n", printed(&spec)?),
            (false, Format::Json) => {
                let document =
                    serde_json::json!({"format_version": "1.0", "file": file, "valid": true, "name": spec.name, "digest": spec.digest});
                format!("{document:#}\n")
            }
            (false, Format::Table | Format::Markdown) => format!("{file}: valid. {}\n", summary(&spec)),
        })
    })?;
    Ok(exit::DONE)
}

fn printed(spec: &Spec) -> Result<String, CommandError> {
    serde_yaml::to_string(&yaml(&spec.resolved))
        .map_err(|error| CommandError::internal("cannot write the resolved spec").because_of(&error))
}

fn summary(spec: &Spec) -> String {
    let phases = [("schema", spec.phases.schema), ("full", spec.phases.full), ("incremental", spec.phases.incremental)];
    let phases: Vec<&str> = phases.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let whole = spec.objects.iter().filter(|object| object.tables.is_none()).count();
    let tables: usize = spec.objects.iter().filter_map(|object| object.tables.as_ref()).map(Vec::len).sum();
    let mut objects = Vec::new();
    for (count, one, more) in [(whole, "whole database", "whole databases"), (tables, "table entry", "table entries")] {
        match count {
            0 => {}
            1 => objects.push(format!("1 {one}")),
            _ => objects.push(format!("{count} {more}")),
        }
    }
    format!(
        "Task {}: {} -> {}; {}; phases {}.",
        spec.name,
        spec.source.address,
        spec.destination.address,
        objects.join(", "),
        phases.join(", ")
    )
}

/// The same tree for the YAML writer. Handed over as it is, its numbers would come out as `serde_json`'s private form.
fn yaml(value: &serde_json::Value) -> serde_yaml::Value {
    use serde_json::Value;
    match value {
        Value::Null => serde_yaml::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(value)) => value.into(),
            (None, None) => number.to_string().into(),
        },
        Value::String(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(yaml).collect::<Vec<_>>().into(),
        Value::Object(entries) => {
            serde_yaml::Value::Mapping(entries.iter().map(|(key, value)| (key.clone().into(), yaml(value))).collect())
        }
    }
}
