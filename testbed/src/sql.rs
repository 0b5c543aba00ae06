//! Runs SQL files statement by statement.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mysql::Conn;
use mysql::prelude::Queryable;

/// A file or folder under `testdata/`, such as `types/common.sql`.
pub fn testdata(relative: &str) -> PathBuf {
    crate::fetch::workspace_dir().join("testdata").join(relative)
}

/// Runs a file with every `{db}` replaced by `database`; see [`statements`] for its form.
pub fn run_file(conn: &mut Conn, path: &Path, database: &str) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    run(conn, &text.replace("{db}", database)).with_context(|| format!("running {}", path.display()))
}

/// Runs statements one by one and stops at the first failure, which names the statement. Those that require a newer server are left out.
pub fn run(conn: &mut Conn, text: &str) -> Result<()> {
    // Not the version of the handshake, which MariaDB begins with 5.5.5.
    let version: String = conn.query_first("SELECT VERSION()")?.unwrap_or_default();
    let mut parts = version.split('.').map(|part| part.parse::<u16>().unwrap_or_default());
    let found = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for statement in statements(text) {
        if statement.requires.is_some_and(|version| found < version) {
            continue;
        }
        conn.query_drop(&statement.text).with_context(|| {
            let shown: String = statement.text.chars().take(300).collect();
            format!("line {}: {shown}", statement.line)
        })?;
    }
    Ok(())
}

/// One statement of a file and the line it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The first line, from 1.
    pub line: usize,
    /// The text without its terminator.
    pub text: String,
    /// The major and minor version the server must have at least.
    pub requires: Option<(u16, u16)>,
}

/// Splits a file: a statement ends with `;` at the end of a line, or, after a line `DELIMITER //`, with `//` at the end of a line, until
/// `DELIMITER ;`. Lines that begin with `-- ` or `#` between statements are comments; `-- requires 9.0` holds for all that follows it.
pub fn statements(text: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut terminator = ";".to_owned();
    let mut current = String::new();
    let mut begin = 0;
    let mut requires = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if current.is_empty() {
            if let Some((major, minor)) = trimmed.strip_prefix("-- requires ").and_then(|version| version.split_once('.')) {
                requires = major.parse().ok().zip(minor.parse().ok());
            }
            if trimmed.is_empty() || trimmed.starts_with("-- ") || trimmed == "--" || trimmed.starts_with('#') {
                continue;
            }
            if let Some(word) = trimmed.strip_prefix("DELIMITER ") {
                terminator = word.trim().to_owned();
                continue;
            }
            begin = index + 1;
        }
        match line.trim_end().strip_suffix(&terminator) {
            Some(rest) => {
                current.push_str(rest);
                found.push(Statement { line: begin, text: std::mem::take(&mut current), requires });
            }
            None => {
                current.push_str(line);
                current.push('\n');
            }
        }
    }
    if !current.trim().is_empty() {
        found.push(Statement { line: begin, text: current, requires });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn splits_at_line_ends_only_and_follows_delimiters() {
        let text = "-- note\nSELECT ';' ,\n 1;\n\nDELIMITER //\nCREATE PROCEDURE p() BEGIN\n SELECT 1;\nEND//\nDELIMITER ;\nSELECT 2";
        let found: Vec<(usize, String)> = statements(text).into_iter().map(|s| (s.line, s.text)).collect();
        let gated = statements("SELECT 1;\n-- requires 9.0\nSELECT 2;");
        assert_eq!((gated[0].requires, gated[1].requires), (None, Some((9, 0))));
        assert_eq!(
            found,
            [
                (2, "SELECT ';' ,\n 1".to_owned()),
                (6, "CREATE PROCEDURE p() BEGIN\n SELECT 1;\nEND".to_owned()),
                (10, "SELECT 2\n".to_owned()),
            ]
        );
    }
}
