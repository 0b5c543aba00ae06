//! The log: to standard error as loud as `-v` and `-q` say, and to `--log-file`.

use std::{fs::OpenOptions, io, sync::Mutex};

use tracing_subscriber::{Layer as _, Registry, filter::LevelFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::{args::LogFormat, context::Settings, error::CommandError};

type Boxed = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

/// Starts the log. Once a process; a second call changes nothing.
pub(super) fn start(settings: &Settings) -> Result<(), CommandError> {
    let level = match settings.verbosity {
        ..=-1 => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let json = settings.log_format == LogFormat::Json;
    let mut layers: Vec<Boxed> = Vec::new();
    let stderr = fmt::layer().with_writer(io::stderr).with_ansi(false).with_target(false);
    layers.push(if json { stderr.json().with_filter(level).boxed() } else { stderr.without_time().with_filter(level).boxed() });
    if let Some(path) = &settings.log_file {
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
            CommandError::usage(format!("cannot write the log file {}", path.display()))
                .because_of(&error)
                .hint("`--log-file PATH` names another")
        })?;
        // A log file says more than a terminal.
        let level = level.max(LevelFilter::INFO);
        let file = fmt::layer().with_writer(Mutex::new(file)).with_ansi(false);
        layers.push(if json { file.json().with_filter(level).boxed() } else { file.with_filter(level).boxed() });
    }
    // Only in tests does a process start it twice.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(())
}
