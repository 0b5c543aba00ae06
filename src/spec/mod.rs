//! The spec: a reviewed YAML file that says what the destination shall hold.
//!
//! Purpose: text in, a [`Spec`] out, or *all* that is wrong with it, each with its place. This room does no input or
//! output of its own and never reads the environment: both are handed to it in [`Surroundings`].
//!
//! The hard idea: a typed decoder stops at the first error and knows no places. So the text becomes a tree in which every node
//! knows its place (`yaml`), the tree is held against the JSON schema that is generated from the types (`shape`), variables are
//! replaced, and only then it is decoded, so that what an editor accepts and what dtsctl accepts cannot drift apart. What a schema
//! cannot say is checked last (`check`), and every problem is led back to its node.

pub mod account;
mod check;
mod interpolate;
pub mod model;
pub(crate) mod near;
pub mod overlap;
mod pattern;
mod problem;
mod rename;
mod resolve;
mod schema;
pub mod secret;
pub mod select;
mod shape;
pub mod units;
pub mod written;
mod yaml;

pub use account::AccountPattern;
pub use model::*;
pub use overlap::overlaps;
pub use pattern::Pattern;
pub use problem::{Excerpt, Mark, Problem, Span, SpecError};
pub use rename::{Rename, RenameError, RenamePattern};
pub use schema::schema;
pub use secret::{PasswordSource, Secret};
pub use select::{Selected, Selection, is_system_database};

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A larger file is no spec, and need not be read to its end.
pub const MAX_BYTES: u64 = 8 << 20;

/// What a spec needs from outside, handed in so that this room never reaches out itself.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The value of an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// What a finding's code stands for.
    pub finding: &'a dyn Fn(&str) -> Finding,
}

/// Where a spec's text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file as the user named it, for messages.
    pub name: String,
    /// The folder that the spec's paths are relative to; empty is the working folder.
    pub folder: PathBuf,
    /// The task's name when the spec gives none.
    pub task: String,
}

impl Origin {
    /// A file.
    pub fn file(path: &Path) -> Self {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let task: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).take(57).collect();
        let task = task.trim_start_matches(['.', '_', '-']);
        Self {
            name: path.display().to_string(),
            folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            task: if task.is_empty() { "dtsctl".to_owned() } else { task.to_owned() },
        }
    }

    /// Standard input: paths are relative to the working folder.
    pub fn stdin() -> Self {
        Self { name: "<stdin>".to_owned(), folder: PathBuf::new(), task: "dtsctl".to_owned() }
    }
}

/// Reads a spec: everything that is wrong with it, or the resolved form. Passwords are not read yet, see [`read_passwords`].
pub fn load(bytes: &[u8], origin: &Origin, around: &Surroundings<'_>) -> Result<Spec, SpecError> {
    let text = yaml::decode(bytes).map_err(|problem| SpecError::new(&origin.name, "", vec![problem]))?;
    let refuse = |problems| SpecError::new(&origin.name, text, problems);
    let mut root = yaml::parse(text).map_err(refuse)?;
    let mut problems = Vec::new();
    if let yaml::Kind::Map(entries) = &mut root.kind {
        for entry in entries.iter_mut().filter(|entry| entry.key == "source" || entry.key == "destination") {
            interpolate::replace(&mut entry.value, around.env, &mut problems);
        }
    }
    problems.extend(shape::check(&mut root, &schema()));
    if !problems.is_empty() {
        return Err(refuse(problems));
    }
    let written: written::Spec = serde_yaml::from_value(root.to_value()).map_err(|error| {
        refuse(vec![Problem::whole(format!("the spec does not fit its own schema, which is a bug of dtsctl: {error}"))])
    })?;
    let problems = check::check(&written, &root, text, around);
    if !problems.is_empty() {
        return Err(refuse(problems));
    }
    Ok(resolve::resolve(written, &origin.task, &origin.folder))
}

/// Why a password could not be read.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// The environment variable is not set, or empty.
    #[error("{end}: environment variable `{name}`, which holds the password, is not set")]
    Unset {
        /// `source` or `destination`.
        end: &'static str,
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("{end}: cannot read the password from {path}")]
    Unreadable {
        /// `source` or `destination`.
        end: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is no text, or holds more than one line.
    #[error("{end}: {path} must hold the password on its only line, as UTF-8 text")]
    Malformed {
        /// `source` or `destination`.
        end: &'static str,
        /// The file.
        path: PathBuf,
    },
}

/// Reads both passwords from where the spec says. To be called once, before a command connects.
pub fn read_passwords(
    spec: &mut Spec,
    env: &dyn Fn(&str) -> Option<String>,
    read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<(), PasswordError> {
    for (end, endpoint) in [("source", &mut spec.source), ("destination", &mut spec.destination)] {
        let secret = match &endpoint.password_from {
            PasswordSource::Empty => Secret::default(),
            PasswordSource::Given => continue,
            PasswordSource::Env(name) => match env(name).filter(|value| !value.is_empty()) {
                Some(value) => Secret::new(value),
                None => return Err(PasswordError::Unset { end, name: name.clone() }),
            },
            PasswordSource::File(path) => {
                let bytes = read_file(path).map_err(|cause| PasswordError::Unreadable { end, path: path.clone(), cause })?;
                let text = String::from_utf8(bytes).ok();
                let line = text.as_deref().map(|text| text.strip_suffix('\n').unwrap_or(text));
                let line = line.map(|line| line.strip_suffix('\r').unwrap_or(line));
                match line.filter(|line| !line.is_empty() && !line.contains(['\n', '\0'])) {
                    Some(line) => Secret::new(line),
                    None => return Err(PasswordError::Malformed { end, path: path.clone() }),
                }
            }
        };
        endpoint.password = secret;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, host: &str) -> Spec {
        let env = |name: &str| (name == "HOST").then(|| host.to_owned());
        let around = Surroundings { env: &env, finding: &|_| Finding::Ignorable };
        load(text.as_bytes(), &Origin::file(Path::new("specs/shop.yaml")), &around).expect("the spec is valid")
    }

    const TEXT: &str = "version: 1\nsource: {host: \"${HOST}\", user: dts, password: {env: SRC}}\n\
        destination: {host: db2, user: dts, password: {file: secrets/dst}, tls: {mode: verify-ca, ca: ca.pem}}\n\
        phases: {incremental: false}\nobjects: [{database: shop}]\n";

    #[test]
    fn paths_are_relative_to_the_folder_of_the_spec_and_the_name_is_the_files() {
        let spec = read(TEXT, "db1");
        assert_eq!(spec.name, "shop");
        assert_eq!(spec.destination.tls.ca.as_deref(), Some(Path::new("specs/ca.pem")));
        assert_eq!(spec.destination.password_from, PasswordSource::File(PathBuf::from("specs/secrets/dst")));
        assert_eq!(Origin::file(Path::new(".my task.prod.yaml")).task, "my-task.prod");
        assert_eq!(Origin::file(Path::new("...")).task, "dtsctl");
    }

    #[test]
    fn the_digest_follows_the_meaning_and_not_the_writing() {
        let digest = read(TEXT, "db1").digest;
        assert_eq!(digest.len(), 64);
        let rewritten: String = TEXT.lines().rev().map(|line| format!("{line}  # a comment\n")).collect();
        assert_eq!(read(&rewritten, "db1").digest, digest);
        let spelt_out = TEXT.replace("host: db2", "host: db2, port: 3306") + "retry: {connection: 12h}\nverify: {mode: full}\n";
        assert_eq!(read(&spelt_out, "db1").digest, digest);
        assert_ne!(read(TEXT, "db9").digest, digest);
        assert_ne!(read(&TEXT.replace("shop", "shop2"), "db1").digest, digest);
    }

    #[test]
    fn passwords_are_read_on_demand_and_never_shown() {
        let mut spec = read(TEXT, "db1");
        assert!(spec.source.password.is_empty());
        let env = |name: &str| (name == "SRC").then(|| "hunter1".to_owned());
        let file = |path: &Path| -> io::Result<Vec<u8>> {
            assert_eq!(path, Path::new("specs/secrets/dst"));
            Ok(b"hunter2\r\n".to_vec())
        };
        read_passwords(&mut spec, &env, &file).expect("both are there");
        assert_eq!((spec.source.password.expose(), spec.destination.password.expose()), ("hunter1", "hunter2"));
        let shown = format!("{spec:?} {}", spec.resolved);
        assert!(!shown.contains("hunter"), "{shown}");
        for bytes in [&b""[..], b"\n", b"a\nb\n", b"\xff", b"a\0"] {
            let refused = read_passwords(&mut spec, &env, &|_| Ok(bytes.to_vec()));
            assert!(matches!(refused, Err(PasswordError::Malformed { end: "destination", .. })), "{bytes:?}");
        }
        assert!(matches!(read_passwords(&mut spec, &|_| None, &file), Err(PasswordError::Unset { end: "source", .. })));
    }
}
