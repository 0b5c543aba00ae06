//! What is wrong with a spec, each with its place and the line it stands in.
//!
//! An excerpt is cut out here, with everything masked that may be a password, so that no error ever carries the text itself.

use thiserror::Error;

/// A place in a text: line and column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A stretch of a text; the end is just behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first character.
    pub start: Mark,
    /// Just behind its last character.
    pub end: Mark,
}

/// One line of the text with the part that a problem is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, from 1.
    pub line: usize,
    /// Where the marked part begins, in characters from 1.
    pub column: usize,
    /// How many characters are marked, at least 1.
    pub width: usize,
    /// The line's text, with what may be a password as `***`.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where; `None` when it concerns the file as a whole.
    pub span: Option<Span>,
    /// What, in lower case and without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The line, filled in by [`SpecError::new`].
    pub excerpt: Option<Box<Excerpt>>,
    /// What of its line must not be shown.
    pub hide: Hide,
}

/// What of a problem's line must not be shown, beside what reads like a password anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hide {
    /// Nothing more.
    #[default]
    Nothing,
    /// The value behind the key at the place: it may be a password under a wrong key.
    Behind,
    /// Everything from the place on.
    Place,
}

impl Problem {
    /// A problem at a place.
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into(), hint: None, excerpt: None, hide: Hide::Nothing }
    }

    /// A problem of the file as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { span: None, message: message.into(), hint: None, excerpt: None, hide: Hide::Nothing }
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Hides the value behind the key at the place.
    pub fn hide_behind(mut self) -> Self {
        self.hide = Hide::Behind;
        self
    }

    /// Hides everything from the place to the end of its line.
    pub fn hide_place(mut self) -> Self {
        self.hide = Hide::Place;
        self
    }
}

/// A spec that cannot be used, with everything that is wrong with it.
#[derive(Clone, Debug, Error)]
#[error("{file}: {} {}", .problems.len(), if .problems.len() == 1 { "problem" } else { "problems" })]
pub struct SpecError {
    /// The file as the user named it.
    pub file: String,
    /// At least one, in the order of their places.
    pub problems: Vec<Problem>,
}

impl SpecError {
    /// Sorts the problems and cuts out their lines.
    pub fn new(file: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        let hidden: Vec<(Mark, Hide)> = problems.iter().filter_map(|p| p.span.map(|span| (span.start, p.hide))).collect();
        let lines = masked_lines(text, &hidden);
        for problem in &mut problems {
            problem.excerpt = problem.span.and_then(|span| excerpt(&lines, span)).map(Box::new);
        }
        problems.sort_by_key(|problem| problem.span);
        problems.dedup();
        Self { file: file.to_owned(), problems }
    }
}

fn excerpt(lines: &[String], span: Span) -> Option<Excerpt> {
    let text = lines.get(span.start.line.checked_sub(1)?)?.clone();
    let length = text.chars().count();
    let column = span.start.column.clamp(1, length + 1);
    let end = if span.end.line == span.start.line { span.end.column } else { length + 1 };
    let width = end.min(length + 1).saturating_sub(column).max(1);
    // Tabs would shift the caret.
    Some(Excerpt { line: span.start.line, column, width, text: text.replace('\t', " ") })
}

/// The lines of the text with everything hidden that may be a password: what stands behind a key that reads like one, in whatever form
/// (also in texts that do not parse, and under misspelt keys), and passwords inside URLs.
fn masked_lines(text: &str, hidden: &[(Mark, Hide)]) -> Vec<String> {
    let mut under: Option<usize> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let mut from: Option<usize> = None;
        if under.is_some_and(|outer| indent > outer && !line.trim().is_empty()) {
            if !is_reference(line.trim()) {
                from = Some(indent);
            }
        } else if !line.trim().is_empty() {
            under = None;
        }
        if let Some((unsafe_from, key_at, open)) = password_key(line) {
            if let Some(at) = unsafe_from {
                from = Some(from.map_or(at, |earlier| earlier.min(at)));
            }
            if open {
                under = under.or(Some(key_at));
            }
        }
        for (mark, hide) in hidden.iter().filter(|(mark, _)| mark.line == index + 1) {
            let start: usize = line.chars().take(mark.column.saturating_sub(1)).map(char::len_utf8).sum();
            let start = match hide {
                Hide::Nothing => continue,
                Hide::Behind => line[start..].find(':').map_or(start, |colon| start + colon + 1),
                Hide::Place => start,
            };
            from = Some(from.map_or(start, |at| at.min(start)));
        }
        let shown = match from {
            Some(at) if at < line.len() => {
                let space = if line[at..].starts_with(' ') { " " } else { "" };
                format!("{}{space}***", &line[..at])
            }
            _ => line.to_owned(),
        };
        lines.push(mask_url(&shown));
    }
    lines
}

/// About the keys of the line that read like a password's: from where on a value may be one, the indentation of the first key, and
/// whether its value goes on in the lines below.
fn password_key(line: &str) -> Option<(Option<usize>, usize, bool)> {
    let mut found = None;
    for (colon, _) in line.match_indices([':', '=']) {
        let head = line[..colon].trim_end_matches(['"', '\'', ' ']);
        let start = head
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
        let word = head[start..].to_ascii_lowercase();
        let like = ["pass", "pasw", "pasz", "pwd", "secret", "token", "credential"];
        if !like.iter().any(|part| word.contains(part)) && word != "pw" {
            continue;
        }
        let rest = &line[colon + 1..];
        let indent = (line.len() - line.trim_start().trim_start_matches("- ").len()).min(start);
        let open = rest.trim().is_empty() || rest.trim_start().starts_with(['|', '>', '#', '&', '"', '\'', '{', '[']);
        let (_, first, was_open) = found.unwrap_or((None, indent, false));
        if !is_safe_value(rest) {
            return Some((Some(colon + 1), first, was_open || open));
        }
        found = Some((None, first, was_open || rest.trim().is_empty()));
    }
    found
}

/// Whether a value is a whole reference, the empty text, or not on this line: nothing in it is secret.
fn is_safe_value(rest: &str) -> bool {
    let rest = rest.trim_start();
    let ends = |rest: &str| rest.trim_start().is_empty() || rest.trim_start().starts_with([',', '}', '#']);
    if rest.is_empty() {
        return true;
    }
    if let Some(alias) = rest.strip_prefix('*') {
        return ends(alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '-'));
    }
    if let Some(rest) = rest.strip_prefix("\"\"").or_else(|| rest.strip_prefix("''")) {
        return ends(rest);
    }
    // A variable's own brace stands inside quotes.
    let close = if rest.contains("}\"}") { rest.find("}\"}").map(|at| at + 2) } else { rest.find('}') };
    let Some((inner, behind)) = close.and_then(|at| Some((rest[..at].strip_prefix('{')?, &rest[at + 1..]))) else { return false };
    is_reference(inner.trim()) && ends(behind)
}

/// `env: NAME` or `file: PATH` and nothing else.
fn is_reference(text: &str) -> bool {
    let text = text.trim_start();
    if text.starts_with('#') {
        return true;
    }
    let value = |key: &str| text.strip_prefix(key).map(|value| value.trim().trim_matches(['"', '\'']));
    let name = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    value("env:").is_some_and(|value| name(value) || value.starts_with("${"))
        || value("file:").is_some_and(|value| !value.contains([',', '{']) || value.starts_with("${"))
}

/// Hides what stands between `://` and `@`.
fn mask_url(line: &str) -> String {
    let Some(at) = line.find("://") else { return line.to_owned() };
    let rest = &line[at + 3..];
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(sign) => format!("{}***{}", &line[..at + 3], mask_url(&rest[sign..])),
        None => format!("{}{}", &line[..at + 3], mask_url(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_excerpt_shows_a_password() {
        for line in [
            "  password: hunter2",
            "  password: \"hunter2\"",
            "  password:hunter2",
            "\"password\": hunter2",
            "source: {host: a, password: hunter2, user: b}",
            "  password: {value: hunter2}",
            "  password: {env: A, literal: hunter2}",
            "  paswword: hunter2",
            "  pwd: hunter2",
            "  host: mysql://dts:hunter2@db1:3306/",
            "  password: {env: \"hunter2!\"}",
            "a: {password: \"\", pwd: hunter2}",
            "a: {password: {env: A}, b: {secret: {x: hunter2}}}",
        ] {
            let shown = masked_lines(line, &[]).join("\n");
            assert!(!shown.contains("hunter2"), "{line} -> {shown}");
        }
    }

    #[test]
    fn a_password_over_several_lines_is_hidden_too() {
        let text = "source:\n  password:\n    value: hunter2\n  user: dts\n  password: |\n    hunter2\n    more hunter2\n  port: 1\n";
        let shown = masked_lines(text, &[]).join("\n");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("user: dts") && shown.contains("port: 1"), "{shown}");
    }

    #[test]
    fn references_stay_readable() {
        for line in [
            "  password: {env: SHOP_SRC_PASSWORD}",
            "source: {user: a, password: {file: /run/secrets/src}}",
            "  password: \"\"",
            "a: {password: \"\", tls: {mode: required}}",
            "a: {password: {env: A}, tls: {mode: required}}",
            "a: {password: {env: A}}",
            "  password: {env: A} # from the vault",
            "a: {user: a, password: *pw, tls: *tls}",
        ] {
            assert_eq!(masked_lines(line, &[]), [line]);
        }
    }

    #[test]
    fn what_follows_a_sensitive_key_is_hidden() {
        let hidden = [(Mark { line: 1, column: 10 }, Hide::Behind)];
        assert_eq!(masked_lines("source: {pword: hunter2, host: a}", &hidden), ["source: {pword: ***"]);
    }
}
