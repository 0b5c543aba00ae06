//! Exit codes: a contract that scripts rely on.

/// Done; for `plan`, also with changes pending.
pub const DONE: u8 = 0;
/// Failed: connection, SQL, input or output, a bug.
pub const FAILED: u8 = 1;
/// Changes are pending; only `plan --detailed-exitcode`.
pub const PENDING: u8 = 2;
/// Blocked: a precheck failed, or an unsafe or unsupported action lacks permission. Nothing was executed.
pub const BLOCKED: u8 = 3;
/// Data differs (`verify`).
pub const DIFFERS: u8 = 4;
/// Stopped on request: a signal, `stop`, `--time-limit`. Progress is saved; the same command resumes.
pub const STOPPED: u8 = 5;
/// The saved plan is stale or already finished.
pub const STALE: u8 = 6;
/// Another run holds the lock.
pub const LOCKED: u8 = 7;
/// Wrong flags or arguments, or a prompt without a terminal.
pub const USAGE: u8 = 64;
/// The spec, plan or state file is not usable: syntax, unknown version, other servers.
pub const UNUSABLE: u8 = 65;

/// Every code with its meaning, for `--help` and the reference.
pub const TABLE: [(u8, &str); 10] = [
    (DONE, "done (for plan, also with changes pending)"),
    (FAILED, "failed: connection, SQL, input/output, bug"),
    (PENDING, "changes pending; only plan --detailed-exitcode"),
    (BLOCKED, "blocked: a precheck failed, or an action lacks permission"),
    (DIFFERS, "data differs (verify)"),
    (STOPPED, "stopped on request; the same command resumes"),
    (STALE, "the saved plan is stale or already finished"),
    (LOCKED, "another run holds the lock"),
    (USAGE, "wrong flags or arguments, or a prompt without a terminal"),
    (UNUSABLE, "spec, plan or state file not usable"),
];
