//! Problems as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.
//!
//! Form and escapes as docs.github.com has them under "Workflow commands": `::error file=F,line=L,col=C,endLine=L,endColumn=C::text`.

use crate::spec::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It does not go.
    Error,
    /// Somebody should look.
    Warning,
}

/// A text beside a place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How bad it is.
    pub level: Level,
    /// The file as the user named it.
    pub file: String,
    /// Where in it; `None` is the file as a whole.
    pub span: Option<Span>,
    /// The text; may have several lines.
    pub message: String,
}

/// One line each.
pub fn annotations(annotations: &[Annotation]) -> String {
    annotations.iter().map(line).collect()
}

fn line(annotation: &Annotation) -> String {
    let level = match annotation.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let place = annotation.span.map_or_else(String::new, |span| {
        let end = if span.end.line == span.start.line { format!(",endColumn={}", span.end.column) } else { String::new() };
        format!(",line={},endLine={},col={}{end}", span.start.line, span.end.line, span.start.column)
    });
    format!("::{level} file={}{place}::{}\n", property(&annotation.file), data(&annotation.message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Mark;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let span = Span { start: Mark { line: 3, column: 5 }, end: Mark { line: 3, column: 9 } };
        let one = Annotation { level: Level::Error, file: "a,b:c.yaml".into(), span: Some(span), message: "100 %\nhint: x".into() };
        let two = Annotation { level: Level::Warning, file: "d.yaml".into(), span: None, message: "m".into() };
        assert_eq!(
            annotations(&[one, two]),
            "::error file=a%2Cb%3Ac.yaml,line=3,endLine=3,col=5,endColumn=9::100 %25%0Ahint: x\n::warning file=d.yaml::m\n"
        );
    }
}
