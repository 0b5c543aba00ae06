//! What can be typed. What a command needs of it is in `settings`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::{apply, completions, explain, init, json_schema, list, man, ping, plan, set, show, status, stop, validate, verify};

const ABOUT: &str = "Declarative migration and synchronisation for the MySQL family";

const LONG_ABOUT: &str = "\
Declarative migration and synchronisation for the MySQL family.

A reviewed YAML file says what the destination shall hold; `plan` shows what \
that takes, `apply` does it and can be killed and resumed at any moment, \
`verify` proves the result.";

const EXAMPLES: &str = "\
Examples:
  dtsctl init                        write a commented spec
  dtsctl validate                    check it, offline
  dtsctl plan                        show what an apply would do
  dtsctl apply                       do it; asks first
  dtsctl verify                      compare both ends
  dtsctl plan --format json | jq .   stdout is the document, stderr the rest
";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "dtsctl", version, about = ABOUT, long_about = LONG_ABOUT, after_help = EXAMPLES, after_long_help = after_long_help())]
#[command(term_width = 80, max_term_width = 80, subcommand_required = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

fn after_long_help() -> String {
    let codes: String = super::exit::TABLE.iter().map(|(code, meaning)| format!("  {code:>2}  {meaning}\n")).collect();
    format!(
        "{EXAMPLES}\nExit codes:\n{codes}\nEach global flag has a twin in the environment, as DTSCTL_FILE for --file.\nA flag wins over the environment, the environment over the spec, the spec over\nthe default.\n"
    )
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// The spec; `-` reads standard input
    #[arg(short, long, global = true, value_name = "PATH", default_value = "dtsctl.yaml", env = "DTSCTL_FILE", hide_env_values = true)]
    pub file: PathBuf,
    /// The state file [default: .dtsctl/<name>.db beside the spec]
    #[arg(long, global = true, value_name = "PATH", env = "DTSCTL_STATE", hide_env_values = true)]
    pub state: Option<PathBuf>,
    /// How the result is written to standard output
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table", env = "DTSCTL_FORMAT", hide_env_values = true)]
    pub format: FormatChoice,
    /// Also write the result to a file, which is appended to; repeatable
    #[arg(long, global = true, value_name = "FORMAT=PATH", env = "DTSCTL_REPORT", hide_env_values = true, value_parser = report)]
    pub report: Vec<Report>,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", env = "DTSCTL_COLOR", hide_env_values = true)]
    pub color: ColorWhen,
    /// How progress is shown on standard error
    #[arg(long, global = true, value_name = "HOW", default_value = "auto", env = "DTSCTL_PROGRESS", hide_env_values = true)]
    pub progress: ProgressHow,
    /// Say more on standard error; -vv and -vvv say still more
    #[arg(short, long, global = true, action = ArgAction::Count, env = "DTSCTL_VERBOSE", hide_env_values = true)]
    pub verbose: u8,
    /// Say only errors on standard error
    #[arg(short, long, global = true, env = "DTSCTL_QUIET", hide_env_values = true, value_parser = clap::builder::BoolishValueParser::new())]
    pub quiet: bool,
    /// Write a log to a file, which is appended to
    #[arg(long, global = true, value_name = "PATH", env = "DTSCTL_LOG_FILE", hide_env_values = true)]
    pub log_file: Option<PathBuf>,
    /// How the log is written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", env = "DTSCTL_LOG_FORMAT", hide_env_values = true)]
    pub log_format: LogFormat,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented spec to begin with
    ///
    /// Writes the file that --file names, dtsctl.yaml by default, or standard output with `-`. With --from-source, connects there and lists
    /// its databases. The password of the URL is not written: the spec names an environment variable instead.
    Init(init::InitArgs),
    /// Check the spec alone, offline
    ///
    /// Shape, names, ranges, references: every problem at once, with its place. Environment variables in `source` and `destination` must be
    /// set. Passwords are not read: what `password: {env: NAME}` and `{file: PATH}` name is needed only by commands that connect.
    Validate(validate::ValidateArgs),
    /// Connect to both ends and say what is there
    ///
    /// Flavour, version, account, TLS, latency, clock difference, time zone.
    Ping(ping::PingArgs),
    /// Show what an apply would do; changes nothing
    ///
    /// Reads both catalogs, runs the prechecks and prints one row an action. Exits 3 when something blocks.
    Plan(plan::PlanArgs),
    /// Show a saved plan in another format, offline
    Show(show::ShowArgs),
    /// Run the phases; resumes by itself
    ///
    /// Makes a plan, shows it and asks. With PLAN, runs exactly that plan, and exits 6 when anything it rests on has changed since. Can be
    /// stopped or killed at any moment: the same command resumes.
    Apply(apply::ApplyArgs),
    /// Show how far a run is; reads the state file only
    Status(status::StatusArgs),
    /// List the tasks of a folder: state, phase, lag; reads state files only
    ///
    /// One row a task, and below it where it is, what it waits for and what it failed with. Connects nowhere and changes nothing. A file
    /// that cannot be read is named, and the others are listed; the command then exits 65, or 1 when the system refused. Files of other
    /// programs in a folder are named and do no harm.
    List(list::ListArgs),
    /// Ask the running apply to stop cleanly
    ///
    /// It finishes its open units, saves, and exits 5. The same apply resumes later.
    Stop(stop::StopArgs),
    /// Change a speed limit of the running apply
    ///
    /// It heeds it within a second; `status` shows what is in force.
    Set(set::SetArgs),
    /// Compare both ends, down to the rows that differ
    ///
    /// Exits 4 when data differs. The result is a receipt: per table rows and digest, and what was not covered and why.
    Verify(verify::VerifyArgs),
    /// Say what a finding means, its risk, and how to mend it
    Explain(explain::ExplainArgs),
    /// Print the JSON Schema of the spec or of a document
    JsonSchema(json_schema::JsonSchemaArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    Man(man::ManArgs),
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For pull requests
    Markdown,
}

/// What `--format` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatChoice {
    /// For people
    Table,
    /// For programs
    Json,
    /// For pull requests
    Markdown,
    /// Annotations of GitHub Actions; `validate` only
    Github,
}

impl FormatChoice {
    /// The format of a document; annotations have their table beside them.
    pub fn document(self) -> Format {
        match self {
            Self::Table | Self::Github => Format::Table,
            Self::Json => Format::Json,
            Self::Markdown => Format::Markdown,
        }
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressHow {
    /// Bars on a terminal, else plain
    Auto,
    /// Bars
    Bar,
    /// A block of lines now and then
    Plain,
    /// Not at all
    None,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// A file that a result is also written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How.
    pub format: Format,
    /// Where; appended to.
    pub path: PathBuf,
}

/// A size such as `60000` or `64KiB`, in bytes.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let bytes = crate::spec::units::parse_size(text).map_err(|error| error.to_string())?;
    usize::try_from(bytes).map_err(|_| "too large".to_owned())
}

fn report(text: &str) -> Result<Report, String> {
    let (format, path) = text.split_once('=').ok_or("write FORMAT=PATH, as in markdown=plan.md")?;
    let format = Format::from_str(format, false).map_err(|_| "the format is table, json or markdown")?;
    if path.is_empty() {
        return Err("the path is empty".to_owned());
    }
    Ok(Report { format, path: path.into() })
}

/// Parses a time with its unit, for flags.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::spec::units::parse_duration(text).map_err(|error| format!("{error}; write a time with its unit, as in 30s, 10m or 2h"))
}
