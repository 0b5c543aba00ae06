//! Conditions under `where`: what may stand in one, with the place of what may not.

use crate::{
    ddl::condition::Condition,
    spec::{
        interpolate::looks_replaceable,
        model::Operation,
        problem::{Mark, Problem, Span},
        written::Spec,
    },
};

use super::Problems;

pub(super) fn check(found: &mut Problems<'_>, spec: &Spec) {
    for (index, object) in spec.objects.iter().enumerate() {
        let index = index.to_string();
        for (at, table) in object.tables.iter().flatten().enumerate() {
            let at = at.to_string();
            let path = |key| ["objects", index.as_str(), "tables", at.as_str(), key];
            let Some(text) = &table.filter else {
                if table.where_on.is_some() {
                    found.key(&path("where_on"), "`where_on` says how `where` is judged, and there is none", "remove it, or add `where`");
                }
                continue;
            };
            let span = found.root.place(&path("where"));
            let carried = table.operations.as_ref().or(object.operations.as_ref());
            let rows = [Operation::Insert, Operation::Update, Operation::Delete];
            if carried.is_some_and(|list| rows.iter().any(|operation| !list.contains(operation))) {
                let message = "`where` beside `operations` that leave out changes of rows is not supported yet";
                found.key(&path("where"), message, "carry insert, update and delete, or all rows");
            }
            if looks_replaceable(text) {
                found.value(&path("where"), "variables are not replaced in a condition: what was reviewed is what runs", "");
                continue;
            }
            if let Err(error) = Condition::parse(text) {
                let span = inside(found.text, span, text, error.at.start, error.at.end).unwrap_or(span);
                found.push(Problem::at(span, format!("where: {}", error.what)), error.hint.to_owned());
            }
        }
    }
}

/// The place of some bytes of a scalar's value in the spec's text, where the scalar stands at `span`. Value and text go side by side: they
/// differ in line ends, indentation, doubled quotes and backslashes only. `None` where they differ in more, as in `"\u0041"`.
fn inside(text: &str, span: Span, value: &str, from: usize, to: usize) -> Option<Span> {
    let mut raw = Raw { chars: text.chars().peekable(), mark: Mark { line: 1, column: 1 } };
    while raw.mark < span.start {
        raw.next()?;
    }
    match raw.peek()? {
        '"' | '\'' => drop(raw.next()),
        '|' | '>' => while raw.next()? != '\n' {},
        _ => {}
    }
    let mut start = None;
    let mut end = None;
    for (at, wanted) in value.char_indices() {
        loop {
            let there = raw.peek()?;
            let blank = |c: char| c.is_whitespace();
            if there == wanted || (blank(there) && blank(wanted)) {
                break;
            }
            // A folded line end is one blank, whatever stands there.
            if blank(wanted) || !(blank(there) || there == '\\' || there == '\'') {
                return None;
            }
            raw.next();
        }
        if at >= from && start.is_none() {
            start = Some(raw.mark);
        }
        raw.next();
        if wanted == '\'' && raw.peek() == Some('\'') && !value[at + 1..].starts_with('\'') {
            raw.next();
        }
        if at < to {
            end = Some(raw.mark);
        }
    }
    let start = start.or(end)?;
    Some(Span { start, end: end.filter(|end| *end > start).unwrap_or(Mark { column: start.column + 1, ..start }) })
}

struct Raw<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    mark: Mark,
}

impl Raw<'_> {
    fn peek(&mut self) -> Option<char> {
        self.chars.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        if c == '\n' {
            self.mark = Mark { line: self.mark.line + 1, column: 1 };
        } else {
            self.mark.column += 1;
        }
        Some(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::yaml;

    #[test]
    fn a_word_of_a_condition_is_found_in_the_text_however_it_is_quoted() {
        for (text, line, column) in [
            ("where: a = 1 AND now() > 2\n", 1, 18),
            ("where: \"a = 'x' AND now() > 2\"\n", 1, 21),
            ("where: 'a = ''x'' AND now() > 2'\n", 1, 23),
            ("where: \"a = '\\\"' AND now() > 2\"\n", 1, 22),
            ("where: |\n  a = 1\n  AND now() > 2\n", 3, 7),
            ("where: >\n  a = 1\n  AND now() > 2\n", 3, 7),
            ("where: a = 1\n  AND now() > 2\n", 2, 7),
        ] {
            let root = yaml::parse(text).unwrap();
            let yaml::Kind::Text { text: value, .. } = &root.entry("where").unwrap().value.kind else { panic!("{text}") };
            let from = value.find("now").unwrap();
            let found = inside(text, root.place(&["where"]), value, from, from + 3).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.start.line, found.start.column), (line, column), "{text}");
            assert_eq!(found.end.column, column + 3, "{text}");
        }
    }
}
