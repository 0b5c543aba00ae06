//! What a command is given: settled settings, the streams, and the ways to read a spec.

use std::{
    fs,
    io::{self, IsTerminal as _, Read, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::{ArgMatches, parser::ValueSource};

use super::{
    args::{ColorWhen, Format, FormatChoice, GlobalArgs, LogFormat, ProgressHow, Report},
    error::CommandError,
    explain,
};
use crate::{
    clock::Clock,
    report::{Output, Paint},
    spec::{self, Origin, Spec, Surroundings},
};

/// The three streams, and which of them are terminals.
pub struct Streams {
    /// Standard input.
    pub stdin: Box<dyn Read + Send>,
    /// The asked-for document.
    pub stdout: Output,
    /// Everything else.
    pub stderr: Output,
    /// Standard input is a terminal, so that somebody can answer.
    pub stdin_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_terminal: bool,
}

impl Streams {
    /// The process's own.
    pub fn of_process() -> Self {
        Self {
            stdin: Box::new(io::stdin()),
            stdout: Output::new(io::BufWriter::with_capacity(1 << 16, io::stdout())),
            stderr: Output::new(io::stderr()),
            stdin_terminal: io::stdin().is_terminal(),
            stdout_terminal: io::stdout().is_terminal(),
            stderr_terminal: io::stderr().is_terminal(),
        }
    }
}

/// How progress is shown, settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bars.
    Bar,
    /// A block of lines now and then.
    Plain,
    /// Not at all.
    None,
}

/// The global flags, settled against the environment and the terminal.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The spec's path; `-` is standard input.
    pub file: PathBuf,
    /// The state file, when it was named. Ask [`Context::state_path`].
    pub state: Option<PathBuf>,
    /// How the result is written to standard output.
    pub format: Format,
    /// `--format github`: problems as annotations of a pull request.
    pub annotates: bool,
    /// Files that the result is also written to.
    pub reports: Vec<Report>,
    /// They were named on the command line, not in the environment.
    pub reports_typed: bool,
    /// Colour on standard output.
    pub paint_out: Paint,
    /// Colour on standard error.
    pub paint_err: Paint,
    /// How progress is shown.
    pub progress: Progress,
    /// -1 quiet, 0 as usual, 1 to 3 ever more.
    pub verbosity: i8,
    /// The log file.
    pub log_file: Option<PathBuf>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// Standard input and standard error are terminals: a question can be asked and answered.
    pub can_ask: bool,
    /// Standard output is a terminal on which one picture can take another's place.
    pub redraws: bool,
}

impl Settings {
    /// Settles the flags.
    pub fn new(args: &GlobalArgs, matches: &ArgMatches, streams: &Streams) -> Result<Self, CommandError> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = |terminal: bool| match args.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => terminal && !set("NO_COLOR") && !dumb,
        };
        let progress = match args.progress {
            ProgressHow::Bar => Progress::Bar,
            ProgressHow::Plain => Progress::Plain,
            ProgressHow::None => Progress::None,
            ProgressHow::Auto if args.quiet => Progress::None,
            ProgressHow::Auto if streams.stderr_terminal && !dumb => Progress::Bar,
            ProgressHow::Auto => Progress::Plain,
        };
        // `-v` on the command line wins over DTSCTL_QUIET in the environment, and the other way round.
        let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        if typed("quiet") && typed("verbose") {
            return Err(CommandError::usage("--quiet and --verbose contradict each other").hint("keep one of the two"));
        }
        let quiet = args.quiet && !typed("verbose");
        let verbosity = if quiet { -1 } else { i8::try_from(args.verbose.min(3)).unwrap_or(3) };
        Ok(Self {
            file: args.file.clone(),
            state: args.state.clone(),
            format: args.format.document(),
            annotates: args.format == FormatChoice::Github,
            reports: args.report.clone(),
            reports_typed: typed("report"),
            paint_out: Paint::new(color(streams.stdout_terminal)),
            paint_err: Paint::new(color(streams.stderr_terminal)),
            progress,
            verbosity,
            log_file: args.log_file.clone(),
            log_format: args.log_format,
            can_ask: streams.stdin_terminal && streams.stderr_terminal,
            redraws: streams.stdout_terminal && !dumb,
        })
    }

    /// Whether the spec is read from standard input.
    pub fn from_stdin(&self) -> bool {
        self.file == Path::new("-")
    }
}

/// What a command is given.
pub struct Context {
    /// The global flags, settled.
    pub settings: Settings,
    /// Standard input.
    pub stdin: Box<dyn Read + Send>,
    /// The asked-for document.
    pub stdout: Output,
    /// Everything else.
    pub stderr: Output,
}

impl Context {
    /// A context over these streams.
    pub fn new(settings: Settings, streams: Streams) -> Self {
        Self { settings, stdin: streams.stdin, stdout: streams.stdout, stderr: streams.stderr }
    }

    /// The time now.
    pub fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// The same for rooms that tell the time themselves.
    pub fn clock(&self) -> Clock {
        Clock::new(SystemTime::now)
    }

    /// Reads and checks the spec. Passwords are not read.
    pub fn load_spec(&mut self) -> Result<Spec, CommandError> {
        if self.settings.from_stdin() {
            let mut bytes = Vec::new();
            (&mut self.stdin)
                .take(spec::MAX_BYTES + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| CommandError::failed("cannot read the spec from standard input").because_of(&error))?;
            return Ok(spec::load(&bytes, &Origin::stdin(), &surroundings())?);
        }
        load_spec_file(&self.settings.file)
    }

    /// Reads and checks the spec, and reads both passwords: for commands that connect.
    pub fn load_spec_and_passwords(&mut self) -> Result<Spec, CommandError> {
        let mut spec = self.load_spec()?;
        Self::read_passwords(&mut spec)?;
        Ok(spec)
    }

    /// Reads both passwords of a spec.
    pub(super) fn read_passwords(spec: &mut Spec) -> Result<(), CommandError> {
        Ok(spec::read_passwords(spec, &variable, &|path| fs::read(path))?)
    }

    /// The state file: as named, or `.dtsctl/<name>.db` beside the spec (for a spec from standard input, in the working folder).
    pub fn state_path(&self, spec: &Spec) -> PathBuf {
        self.state_path_of(&spec.name)
    }

    /// The same for a task by its name, where its spec is not at hand.
    pub fn state_path_of(&self, task: &str) -> PathBuf {
        self.settings.state.clone().unwrap_or_else(|| {
            let beside = if self.settings.from_stdin() { None } else { self.settings.file.parent() };
            beside.unwrap_or(Path::new("")).join(".dtsctl").join(format!("{task}.db"))
        })
    }

    /// Hands out a command's result: to standard output in the format that was asked for, and to every `--report` file in its own.
    /// `render` is called once for each.
    pub fn emit(&mut self, render: &dyn Fn(Format) -> Result<String, CommandError>) -> Result<(), CommandError> {
        // The files first: a reader of standard output that goes away must not cost a report.
        self.emit_reports(render)?;
        let text = render(self.settings.format)?;
        self.stdout.write_all(text.as_bytes())?;
        Ok(())
    }

    /// Hands a result to the files of `--report` alone.
    pub fn emit_reports(&self, render: &dyn Fn(Format) -> Result<String, CommandError>) -> Result<(), CommandError> {
        for report in &self.settings.reports {
            let text = render(report.format)?;
            let mut options = fs::OpenOptions::new();
            let written = options.create(true).append(true).open(&report.path).and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| {
                CommandError::failed(format!("cannot write the report {}", report.path.display()))
                    .because_of(&error)
                    .hint("`--report FORMAT=PATH` names another file")
            })?;
        }
        Ok(())
    }

    /// The command to type next, with the flags that lead to the same spec and state: `dtsctl plan -f shop.yaml`.
    pub fn next(&self, command: &str) -> String {
        let mut text = format!("dtsctl {command}");
        if self.settings.file != Path::new("dtsctl.yaml") {
            text.push_str(&format!(" -f {}", self.settings.file.display()));
        }
        if let Some(state) = &self.settings.state {
            text.push_str(&format!(" --state {}", state.display()));
        }
        text
    }
}

/// An environment variable's value, when it is set and is text.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn surroundings() -> Surroundings<'static> {
    Surroundings { env: &variable, finding: &explain::finding }
}

/// Reads and checks a spec from a file.
pub(super) fn load_spec_file(path: &Path) -> Result<Spec, CommandError> {
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(spec::MAX_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = read().map_err(|error: io::Error| {
        let shown = CommandError::new(super::Kind::Unusable, format!("cannot read the spec {}", path.display())).because_of(&error);
        match error.kind() {
            io::ErrorKind::NotFound => shown.hint("`dtsctl init` writes one; `--file PATH` names another"),
            _ => shown.hint("`--file PATH` names another"),
        }
    })?;
    Ok(spec::load(&bytes, &Origin::file(path), &surroundings())?)
}
