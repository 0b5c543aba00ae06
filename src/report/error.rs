//! Errors for people: `error:`, the place with its line and a caret, the causes, `hint:` lines.

use std::io::{self, Write};

use super::Paint;
use crate::spec::{Problem, SpecError};

/// At most so many problems of one file are shown.
const MOST_PROBLEMS: usize = 25;

/// An error as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What failed, in lower case and without a full stop.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// The next commands to type, or what to mend.
    pub hints: Vec<String>,
}

/// Writes an error with its causes and hints.
pub fn message(out: &mut dyn Write, paint: Paint, shown: &Message) -> io::Result<()> {
    writeln!(out, "{} {}", paint.bad("error:"), printable(&shown.message))?;
    for cause in &shown.causes {
        writeln!(out, "  {} {}", paint.dim("because:"), printable(cause))?;
    }
    hints(out, paint, &shown.hints)
}

/// Writes every problem of a spec with its place, then the hints that hold for all.
pub fn spec_error(out: &mut dyn Write, paint: Paint, error: &SpecError, closing: &[String]) -> io::Result<()> {
    for problem in error.problems.iter().take(MOST_PROBLEMS) {
        writeln!(out, "{} {}", paint.bad("error:"), printable(&problem.message))?;
        place(out, paint, &error.file, problem)?;
        hints(out, paint, problem.hint.as_slice())?;
        writeln!(out)?;
    }
    let count = error.problems.len();
    if count > MOST_PROBLEMS {
        writeln!(out, "... and {} more", count - MOST_PROBLEMS)?;
    }
    if count > 1 {
        writeln!(out, "{count} problems in {}", printable(&error.file))?;
    }
    hints(out, paint, closing)
}

fn hints(out: &mut dyn Write, paint: Paint, hints: &[String]) -> io::Result<()> {
    hints.iter().try_for_each(|hint| writeln!(out, "{} {}", paint.hint("hint:"), printable(hint)))
}

fn place(out: &mut dyn Write, paint: Paint, file: &str, problem: &Problem) -> io::Result<()> {
    let Some(excerpt) = &problem.excerpt else {
        let at = problem.span.map(|span| format!(":{}:{}", span.start.line, span.start.column)).unwrap_or_default();
        return writeln!(out, "  {} {}{at}", paint.dim("-->"), printable(file));
    };
    // A line longer than this is cut around the place, so that the caret stays below it.
    const WIDTH: usize = 100;
    let skip = if excerpt.column > WIDTH * 3 / 4 { excerpt.column - WIDTH / 2 } else { 0 };
    let text: String = excerpt.text.chars().skip(skip).take(WIDTH).collect();
    let (head, tail) = (if skip > 0 { "..." } else { "" }, if excerpt.text.chars().count() > skip + WIDTH { "..." } else { "" });
    let gutter = excerpt.line.to_string().len();
    let column = problem.span.map_or(excerpt.column, |span| span.start.column);
    let caret = "^".repeat(excerpt.width.min(WIDTH.saturating_sub(excerpt.column - 1 - skip).max(1)));
    let indent = " ".repeat(excerpt.column - 1 - skip + head.len());
    writeln!(out, "{:gutter$}{} {}:{}:{column}", "", paint.dim("-->"), printable(file), excerpt.line)?;
    writeln!(out, "{:gutter$} {}", "", paint.dim("|"))?;
    writeln!(out, "{:gutter$} {} {head}{}{tail}", excerpt.line, paint.dim("|"), printable(&text))?;
    writeln!(out, "{:gutter$} {} {indent}{}", "", paint.dim("|"), paint.bad(&caret))
}

/// Control characters could rewrite the terminal: they are shown as `?`. Line ends stay.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Finding, Origin, Surroundings, load};

    proptest::proptest! {
        /// Whatever is typed, reading it ends with a spec or with problems that can be shown; it does not panic.
        #[test]
        fn no_text_panics(text in "(version: 1\n)?([a-z]{1,6}: ?|[-{}\\[\\],:&*!|>'\"%@`#\t \n]|password|\\$\\{A\\}|\u{e9}|\u{1F600}){0,40}") {
            let around = Surroundings { env: &|_| None, finding: &|_| Finding::Unknown };
            if let Err(error) = load(text.as_bytes(), &Origin::stdin(), &around) {
                proptest::prop_assert!(!error.problems.is_empty());
                let mut shown = Vec::new();
                spec_error(&mut shown, Paint::default(), &error, &[]).expect("a vector takes it");
            }
        }
    }
}
