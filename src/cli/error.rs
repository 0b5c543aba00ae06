//! One place where every error of the program becomes an exit code, a message and hints.

use std::io;

use super::exit;
use crate::{
    connect::ConnectError,
    report::Message,
    spec::{PasswordError, SpecError},
};

/// What kind of failure it is: decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Connection, SQL, input or output, a bug.
    Failed,
    /// A precheck failed, or an action lacks permission. Nothing was executed.
    Blocked,
    /// Stopped on request, with the progress saved.
    Stopped,
    /// The saved plan is stale or already finished.
    Stale,
    /// Another run holds the lock.
    Locked,
    /// Wrong flags or arguments, or a prompt without a terminal.
    Usage,
    /// The spec, plan or state file is not usable.
    Unusable,
}

impl Kind {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Failed => exit::FAILED,
            Self::Blocked => exit::BLOCKED,
            Self::Stopped => exit::STOPPED,
            Self::Stale => exit::STALE,
            Self::Locked => exit::LOCKED,
            Self::Usage => exit::USAGE,
            Self::Unusable => exit::UNUSABLE,
        }
    }
}

/// Why a command ended without its result. Holds no password and no value of a row.
#[derive(Debug)]
pub struct CommandError {
    /// Decides the exit code.
    pub kind: Kind,
    /// What is shown.
    pub shown: Message,
    /// The problems of a spec, shown with their places instead of `shown.message`.
    pub spec: Option<SpecError>,
}

impl CommandError {
    /// An error of a kind. The message is in lower case and has no full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, shown: Message { message: message.into(), ..Message::default() }, spec: None }
    }

    /// Connection, SQL, input or output.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Wrong flags or arguments.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something that cannot happen, or is not there yet.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message).hint("this is a bug of dtsctl; please report it with the command that led here")
    }

    /// Adds a cause.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.shown.causes.push(cause.into());
        self
    }

    /// Adds an error and all that it came from.
    pub fn because_of(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            self.shown.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// Adds the next command to type, or what to mend.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.shown.hints.push(hint.into());
        self
    }
}

/// An error's own text as the message, and what it came from as the causes.
fn chain(kind: Kind, error: &dyn std::error::Error) -> CommandError {
    let shown = CommandError::new(kind, error.to_string());
    match error.source() {
        Some(source) => shown.because_of(source),
        None => shown,
    }
}

impl From<SpecError> for CommandError {
    fn from(error: SpecError) -> Self {
        Self {
            spec: Some(error),
            ..Self::new(Kind::Unusable, "").hint("`dtsctl validate` checks the spec again; `dtsctl json-schema` prints all of its keys")
        }
    }
}

impl From<PasswordError> for CommandError {
    fn from(error: PasswordError) -> Self {
        let shown = chain(Kind::Failed, &error);
        match &error {
            PasswordError::Unset { name, .. } => {
                shown.hint(format!("set `{name}` and run the command again; for an account without a password write `password: \"\"`"))
            }
            PasswordError::Unreadable { .. } => shown.hint("the path is relative to the spec's folder"),
            PasswordError::Malformed { .. } => shown.hint("write nothing but the password into it"),
        }
    }
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        let shown = chain(Kind::Failed, &error);
        match &error {
            ConnectError::Unreachable { .. } => shown.hint("check `host` and `port` in the spec; `dtsctl ping` tries again"),
            ConnectError::AccessDenied { .. } => shown.hint("check `user` and where `password` comes from; `dtsctl ping` tries again"),
            ConnectError::HostNotAllowed { .. } => shown
                .hint("the account must be allowed from the client's address: CREATE USER 'name'@'address', or an allow-list of the cloud"),
            ConnectError::Tls { .. } => shown.hint("check `tls` in the spec; `dtsctl ping` shows what was agreed"),
            ConnectError::UnsupportedServer { .. } => shown.hint("MySQL 5.7 to 9.x and MariaDB 10.5 and later are supported"),
            ConnectError::Sql { .. } if error.is_missing_right() => {
                shown.hint("grant the right to the account; `dtsctl plan` lists every right that is missing")
            }
            ConnectError::Sql { .. } | ConnectError::Lost { .. } => shown.hint("run the same command again: it resumes"),
            ConnectError::Unexpected { .. } => shown.hint("this is a bug of dtsctl, or a server it does not know; please report it"),
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        chain(Kind::Failed, &error)
    }
}
