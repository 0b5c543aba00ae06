//! One place where every error of the program becomes an exit code, a message and hints.

use std::io;

use super::exit;
use crate::{
    binlog::BinlogError,
    catalog::CatalogError,
    connect::{ConnectError, RetryError},
    destination::DestinationError,
    phase::{
        full::FullError,
        incremental::{FollowError, ddl::DdlError},
        schema::SchemaError,
    },
    report::Message,
    spec::{PasswordError, SpecError},
    state::StateError,
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
    pub shown: Box<Message>,
    /// The problems of a spec, shown with their places instead of `shown.message`.
    pub spec: Option<Box<SpecError>>,
    /// Whether the same work may succeed later, by itself.
    pub passing: Option<Passing>,
}

/// Which of the two windows of `retry` a failure belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// The connection broke or cannot be had: `retry.connection`.
    Connection,
    /// A statement failed for a reason that may pass: `retry.other`.
    Statement,
}

impl CommandError {
    /// An error of a kind. The message is in lower case and has no full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, shown: Box::new(Message { message: message.into(), ..Message::default() }), spec: None, passing: None }
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

/// An error's own text as the message, and what it came from as the causes, each said once.
fn chain(kind: Kind, error: &dyn std::error::Error) -> CommandError {
    let mut shown = CommandError::new(kind, error.to_string());
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        let said = shown.shown.message.contains(&text) || shown.shown.causes.iter().any(|earlier| earlier.contains(&text));
        if !said {
            shown.shown.causes.push(text);
        }
        next = cause.source();
    }
    shown
}

const TOO_LARGE: &str = "SET GLOBAL max_allowed_packet or local_infile=ON at the destination, then run the same command again: it resumes";

const RESUME: &str = "mend the cause and run the same command again: it resumes";

impl From<SpecError> for CommandError {
    fn from(error: SpecError) -> Self {
        Self {
            spec: Some(Box::new(error)),
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
        let mut shown = chain(Kind::Failed, &error);
        shown.passing = match (error.is_connection(), error.is_transient()) {
            (true, _) => Some(Passing::Connection),
            (_, true) => Some(Passing::Statement),
            _ => None,
        };
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
            ConnectError::Sql { .. } | ConnectError::Lost { .. } | ConnectError::Unsettled { .. } => shown.hint(RESUME),
            ConnectError::Unexpected { .. } => shown.hint("this is a bug of dtsctl, or a server it does not know; please report it"),
        }
    }
}

impl From<CatalogError> for CommandError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Connect(error) => error.into(),
            CatalogError::Unreadable { source: ConnectError::Sql { .. }, .. } => {
                chain(Kind::Failed, &error).hint("mend or drop it, or leave it out with `exclude`")
            }
            CatalogError::Unreadable { source, .. } => source.into(),
            CatalogError::MissingRight { .. } => {
                chain(Kind::Failed, &error).hint("grant the right to the account, or leave the object out with `exclude`")
            }
        }
    }
}

impl From<DestinationError> for CommandError {
    fn from(error: DestinationError) -> Self {
        match error {
            DestinationError::Connect(error) => error.into(),
            DestinationError::NotExact { .. } => {
                chain(Kind::Failed, &error).hint("compare the definitions with `dtsctl plan --diff full`; nothing of the chunk was kept")
            }
            DestinationError::TooLarge { .. } => chain(Kind::Failed, &error).hint(TOO_LARGE),
            DestinationError::TakenOver { .. } => {
                chain(Kind::Locked, &error).hint("`dtsctl status` on the machine of the other run shows it")
            }
            DestinationError::Progress { .. } => {
                chain(Kind::Unusable, &error).hint("use the dtsctl that wrote them, or begin again with `dtsctl apply --restart`")
            }
            DestinationError::Conflict { .. } => chain(Kind::Failed, &error)
                .hint("`conflict.rows` of the spec is `fail`; mend the row at the destination and resume, or choose another policy"),
            DestinationError::FeedEnded { .. } => chain(Kind::Failed, &error).hint(RESUME),
        }
    }
}

impl From<SchemaError> for CommandError {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Connect(error) => error.into(),
            SchemaError::Destination(error) => error.into(),
            SchemaError::StillRunning { .. } => chain(Kind::Failed, &error).hint(RESUME),
            SchemaError::Statement { .. } => {
                chain(Kind::Failed, &error).hint("`dtsctl plan` shows the statement and what is left to do; `dtsctl apply` goes on")
            }
        }
    }
}

impl From<FullError> for CommandError {
    fn from(error: FullError) -> Self {
        match &error {
            FullError::Value { .. } => chain(Kind::Failed, &error).hint(
                "change the column at the destination, or leave the table out with `exclude`; then run the same command again: it resumes",
            ),
            FullError::Destination(DestinationError::TakenOver { .. }) => chain(Kind::Locked, &error),
            FullError::Destination(DestinationError::TooLarge { .. }) => chain(Kind::Failed, &error).hint(TOO_LARGE),
            FullError::GaveUp { window, .. } => {
                chain(Kind::Failed, &error).hint(format!("{RESUME}; `{window}` in the spec is the time for it"))
            }
            FullError::Source(_) | FullError::Destination(_) => chain(Kind::Failed, &error).hint(RESUME),
        }
    }
}

impl From<DdlError> for CommandError {
    fn from(error: DdlError) -> Self {
        match error {
            DdlError::Connect(error) => error.into(),
            DdlError::Destination(error) => error.into(),
            other => FollowError::Ddl(other).into(),
        }
    }
}

impl From<FollowError> for CommandError {
    fn from(error: FollowError) -> Self {
        let mut shown = chain(Kind::Failed, &error);
        match error {
            FollowError::Destination(error) if !error.is_connection() => {
                let text = format!("incremental: {error}");
                let mut inner = Self::from(error);
                inner.shown.message = text;
                inner.passing = None;
                inner
            }
            FollowError::Ddl(DdlError::Stop { code, hint, .. }) => {
                shown.shown.causes.push(format!("({code})"));
                shown.hint(hint).hint(format!("`dtsctl explain {code}` says more"))
            }
            FollowError::Rows { statement, .. } => {
                if let Some(statement) = statement {
                    shown = shown.because(format!("the client's statement: {statement}"));
                }
                shown.hint("everything before it is at the destination; `dtsctl apply --restart` begins anew from a fresh copy")
            }
            FollowError::Conflict { .. } => shown.hint(
                "`conflict.rows` of the spec is `fail`; mend the row at the destination and run the same command again, or choose another policy",
            ),
            FollowError::Binlog(BinlogError::Purged { .. }) => shown
                .hint("what is lost cannot be brought any more: `dtsctl apply --restart` begins anew, with longer retention at the source"),
            FollowError::Binlog(BinlogError::SourceSwitched { .. }) => shown.hint(
                "only GTIDs tell where another server stands; go back to the server before, or begin anew with `dtsctl apply --restart`",
            ),
            FollowError::Binlog(BinlogError::Ahead { .. }) => shown.hint(
                "this server is not where the task left off: it was reset or restored, or it is not its replica. Go on with one that has these \
                 transactions, or begin anew with `dtsctl apply --restart`",
            ),
            FollowError::Binlog(BinlogError::Another { .. }) => shown.hint(
                "the source's binlog began anew (`RESET BINARY LOGS AND GTIDS`), or the server was put back to an earlier state: what was written \
                 meanwhile cannot be told from what was read. Begin anew with `dtsctl apply --restart`",
            ),
            FollowError::Binlog(BinlogError::NotLogged { .. }) => {
                shown.hint("switch the source's binlog on (`log_bin`), and begin anew with `dtsctl apply --restart`")
            }
            FollowError::Binlog(
                BinlogError::Unknown { .. } | BinlogError::Damaged { .. } | BinlogError::Incident { .. } | BinlogError::UnknownXa { .. },
            ) => shown.hint("everything before it is at the destination; `dtsctl apply --restart` begins anew from a fresh copy"),
            FollowError::NoPosition => shown.hint("`dtsctl apply --restart` begins anew"),
            FollowError::GaveUp { window, .. } => shown.hint(format!("{RESUME}; `{window}` in the spec is the time for it")),
            _ => shown.hint(RESUME),
        }
    }
}

impl<E> From<RetryError<E>> for CommandError
where
    E: std::error::Error + Into<CommandError> + 'static,
{
    fn from(error: RetryError<E>) -> Self {
        match error {
            RetryError::Stopped => Self::new(Kind::Stopped, "stopped on request").hint("run the same command again: it resumes"),
            RetryError::Permanent(error) => error.into(),
            RetryError::GaveUp { tries, window, last } => {
                let mut shown: Self = last.into();
                shown.shown.message = format!("gave up after {tries} tries within `{window}`: {}", shown.shown.message);
                shown
            }
        }
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        let (kind, hint) = match &error {
            StateError::Missing { .. } => (Kind::Unusable, "`dtsctl apply` makes it; `--state PATH` names another"),
            StateError::NotAStateFile { .. } => (Kind::Unusable, "`--state PATH` names another"),
            StateError::Damaged { .. } => {
                (Kind::Unusable, "move it away and run `dtsctl apply`: the progress is kept at the destination, in the database `dts`")
            }
            StateError::Newer { .. } => (Kind::Unusable, "use the dtsctl that wrote it, or a later one"),
            StateError::OtherTask { .. } => (Kind::Unusable, "give the spec its own `name`, or name another file with `--state PATH`"),
            StateError::OtherServer { .. } => (
                Kind::Unusable,
                "give the spec another `name` for a task between other servers, or begin again with `dtsctl apply --restart`",
            ),
            StateError::Locked { .. } => (Kind::Locked, "`dtsctl status` shows it, `dtsctl stop` ends it"),
            StateError::NotRunning { .. } => (Kind::Failed, "`dtsctl status` shows how the last run ended"),
            StateError::Vanished { .. } => {
                (Kind::Failed, "run `dtsctl apply` again: the progress is kept at the destination, in the database `dts`")
            }
            StateError::Io { .. } | StateError::Sqlite { .. } | StateError::WriterFailed { .. } => {
                (Kind::Failed, "check the disk and the folder's rights, then run the same command again: it resumes")
            }
        };
        chain(kind, &error).hint(hint)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        chain(Kind::Failed, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::RetryError;

    #[test]
    fn a_cause_is_said_once_and_every_error_ends_with_something_to_do() {
        let lost = || ConnectError::Lost { doing: "reading".to_owned(), address: "db1:3306".to_owned(), reason: "reset".to_owned() };
        let shown: CommandError =
            SchemaError::Statement { action: "a1".to_owned(), number: 1, object: "shop.a".to_owned(), source: Box::new(lost()) }.into();
        assert_eq!(shown.shown.message, "shop.a: statement 1 of action a1 failed: reading: connection to db1:3306 lost: reset");
        assert_eq!(shown.shown.causes, Vec::<String>::new());
        assert_eq!(shown.shown.hints.len(), 1);
        let shown: CommandError = RetryError::GaveUp { tries: 3, window: "retry.connection", last: lost() }.into();
        assert_eq!(shown.shown.message, "gave up after 3 tries within `retry.connection`: reading: connection to db1:3306 lost: reset");
        let stopped: CommandError = RetryError::<ConnectError>::Stopped.into();
        assert_eq!(stopped.kind.code(), exit::STOPPED);
    }

    #[test]
    fn state_files_decide_between_their_exit_codes() {
        let path = || std::path::PathBuf::from(".dtsctl/shop.db");
        let code = |error: StateError| CommandError::from(error).kind.code();
        assert_eq!(code(StateError::Missing { path: path() }), exit::UNUSABLE);
        assert_eq!(code(StateError::Newer { path: path(), found: 9, known: 1 }), exit::UNUSABLE);
        assert_eq!(code(StateError::NotRunning { path: path() }), exit::FAILED);
        assert_eq!(code(StateError::Vanished { path: path() }), exit::FAILED);
    }
}
