//! Passwords: where they come from, and a value that cannot be printed by accident.

use std::fmt;
use std::path::PathBuf;

/// A value that is never shown: `Debug` and `Display` print `***`, and there is no `Serialize`.
///
/// The only way to the text is [`Secret::expose`], which only the `connect` room has a reason to call.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself. Not for messages, logs, plans or state files.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the value is the empty text, as for an account without a password.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a password is read from, when a connection is first needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// `password: ""`: an account without a password.
    Empty,
    /// `password: {env: NAME}`: an environment variable.
    Env(String),
    /// `password: {file: PATH}`: a file's content without its last line end. The path is already resolved.
    File(PathBuf),
    /// Given on the command line as part of a URL (`init --from-source`); never from a spec.
    Given,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_only_stars() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(secret.expose(), "hunter2");
        assert!(!secret.is_empty());
    }
}
