//! `dtsctl validate`: specs alone, offline; and what several of them have in common.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Context, Kind, args::Format, context::load_spec_file, error::CommandError, exit};
use crate::{
    report::{self, Annotation, Level},
    spec::{self, Spec},
};

/// What can be typed behind `dtsctl validate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dtsctl validate -f shop.yaml\n  dtsctl validate --print        every default written out, secrets as ***\n  dtsctl validate specs/         all of a folder, and what they have in common\n  dtsctl validate specs/ --format github   problems beside the lines of a pull request\n"
)]
pub struct ValidateArgs {
    /// Specs, or folders whose *.yaml and *.yml are specs [default: what --file names]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print the resolved spec as YAML (or JSON with --format json), secrets as `***`
    #[arg(long, conflicts_with = "paths")]
    pub print: bool,
}

pub(super) fn run(context: &mut Context, args: &ValidateArgs) -> Result<u8, CommandError> {
    if args.print {
        let spec = context.load_spec()?;
        context.emit(&|format| {
            Ok(match format {
                Format::Json => format!("{:#}\n", spec.resolved),
                Format::Table => printed(&spec)?,
                Format::Markdown => format!("```yaml\n{}```\n", printed(&spec)?),
            })
        })?;
        return Ok(exit::DONE);
    }
    let alone = args.paths.is_empty();
    let judged = if alone {
        let name = if context.settings.from_stdin() { "<stdin>".to_owned() } else { context.settings.file.display().to_string() };
        vec![Judged { file: name, result: context.load_spec() }]
    } else {
        files(&args.paths)?.into_iter().map(|path| Judged { file: path.display().to_string(), result: load_spec_file(&path) }).collect()
    };
    let findings = in_common(&judged);
    if context.settings.annotates {
        let annotations: Vec<Annotation> = judged.iter().flat_map(Judged::annotations).chain(findings.iter().cloned()).collect();
        context.stdout.write_all(report::annotations(&annotations).as_bytes())?;
    }
    let invalid = judged.iter().filter(|j| j.result.is_err()).count();
    if invalid == 0 || !alone {
        context.emit(&|format| {
            Ok(match format {
                Format::Json if alone => judged.first().map_or_else(String::new, |j| format!("{:#}\n", j.document())),
                Format::Json => format!("{:#}\n", together(&judged, &findings)),
                Format::Table | Format::Markdown => {
                    let lines = judged.iter().map(Judged::line).chain(findings.iter().map(line_of));
                    lines.map(|line| line + "\n").collect()
                }
            })
        })?;
    }
    conclude(judged, &findings, alone)
}

/// One spec, and what came of reading it.
struct Judged {
    file: String,
    result: Result<Spec, CommandError>,
}

impl Judged {
    fn line(&self) -> String {
        match &self.result {
            Ok(spec) => format!("{}: valid. {}", self.file, summary(spec)),
            Err(error) => match error.spec.as_deref().map(|spec| spec.problems.as_slice()) {
                Some(problems) => {
                    let first = problems.first().map(|p| p.message.as_str()).unwrap_or_default();
                    let more = if problems.len() > 1 { format!(" (and {} more)", problems.len() - 1) } else { String::new() };
                    format!("{}: not valid: {first}{more}", self.file)
                }
                None => format!("{}: not valid: {}", self.file, error.shown.message),
            },
        }
    }

    fn document(&self) -> serde_json::Value {
        match &self.result {
            Ok(spec) => {
                serde_json::json!({"format_version": "1.0", "file": self.file, "valid": true, "name": spec.name, "digest": spec.digest})
            }
            Err(error) => {
                let problems = error.spec.as_deref().map_or_else(
                    || vec![serde_json::json!({"message": error.shown.message})],
                    |spec| {
                        let place = |p: &spec::Problem| p.span.map(|span| (span.start.line, span.start.column));
                        let problem = |p: &spec::Problem| {
                            let (line, column) = place(p).unzip();
                            serde_json::json!({"message": p.message, "hint": p.hint, "line": line, "column": column})
                        };
                        spec.problems.iter().map(problem).collect()
                    },
                );
                serde_json::json!({"format_version": "1.0", "file": self.file, "valid": false, "problems": problems})
            }
        }
    }

    fn annotations(&self) -> Vec<Annotation> {
        let Err(error) = &self.result else { return Vec::new() };
        let whole = |message: &str| Annotation { level: Level::Error, file: self.file.clone(), span: None, message: message.to_owned() };
        match &error.spec {
            None => vec![whole(&error.shown.message)],
            Some(spec) => spec
                .problems
                .iter()
                .map(|problem| {
                    let hint = problem.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
                    Annotation { span: problem.span, ..whole(&format!("{}{hint}", problem.message)) }
                })
                .collect(),
        }
    }
}

fn line_of(finding: &Annotation) -> String {
    let level = if finding.level == Level::Error { "error" } else { "warning" };
    format!("{level}: {}", finding.message)
}

/// Two specs of one name would share a lock and a state; two that write one table may be meant, and are told.
fn in_common(judged: &[Judged]) -> Vec<Annotation> {
    let specs: Vec<(&str, &Spec)> = judged.iter().filter_map(|j| Some((j.file.as_str(), j.result.as_ref().ok()?))).collect();
    let mut findings = Vec::new();
    for (i, (file, spec)) in specs.iter().enumerate() {
        for (other_file, other) in &specs[..i] {
            let mut found = |level, message| findings.push(Annotation { level, file: (*file).to_owned(), span: None, message });
            if spec.name == other.name {
                found(Level::Error, format!("{other_file} and {file} are both named '{}': they would share a lock and a state", spec.name));
            }
            for (theirs, ours) in spec::overlaps(other, spec) {
                let tables = if theirs == ours { ours } else { format!("{ours} and {theirs}") };
                let both = format!("{other_file} and {file} may both write {tables} at {}", spec.destination.address);
                found(Level::Warning, format!("{both}: sound only when their rows never meet"));
            }
        }
    }
    findings
}

fn together(judged: &[Judged], findings: &[Annotation]) -> serde_json::Value {
    let of = |level: Level| findings.iter().filter(|f| f.level == level).map(|f| f.message.clone()).collect::<Vec<_>>();
    serde_json::json!({
        "format_version": "1.0",
        "valid": judged.iter().all(|j| j.result.is_ok()) && of(Level::Error).is_empty(),
        "specs": judged.iter().map(Judged::document).collect::<Vec<_>>(),
        "errors": of(Level::Error),
        "warnings": of(Level::Warning),
    })
}

fn conclude(mut judged: Vec<Judged>, findings: &[Annotation], alone: bool) -> Result<u8, CommandError> {
    let of = judged.len();
    let (invalid, clashes) =
        (judged.iter().filter(|j| j.result.is_err()).count(), findings.iter().filter(|f| f.level == Level::Error).count());
    if invalid + clashes == 0 {
        return Ok(exit::DONE);
    }
    // A single one is shown with its excerpts, as every other command shows it.
    if alone && let Some(Judged { result: Err(error), .. }) = judged.pop() {
        return Err(error);
    }
    let what = if invalid == 0 {
        "specs that cannot be used together".to_owned()
    } else {
        format!("{invalid} of {of} specs {} not valid", if invalid == 1 { "is" } else { "are" })
    };
    Err(CommandError::new(Kind::Unusable, what).hint("`dtsctl validate -f FILE` shows every problem of one with its place"))
}

/// The files that are meant, a folder's in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable =
            |error: std::io::Error| CommandError::failed(format!("cannot read the folder {}", path.display())).because_of(&error);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let file = file.strip_prefix(".").map_or_else(|_| file.clone(), Path::to_path_buf);
            if is_yaml(&file) && file.is_file() {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(CommandError::new(Kind::Unusable, format!("{} holds no *.yaml or *.yml", path.display()))
                .hint("name the specs, or the folder they are in"));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
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
