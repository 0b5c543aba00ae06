//! Pieces of a statement replaced or left out, every other byte kept.

use std::ops::Range;

use crate::ddl::lex::{self, Mode};

/// One change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Other text in a place; an empty place is an insertion.
    Replace(Range<usize>, String),
    /// Left out.
    Remove(Range<usize>),
    /// Left out of a list, with the comma that is one too many then.
    RemoveItem(Range<usize>),
}

impl Edit {
    fn span(&self) -> &Range<usize> {
        match self {
            Self::Replace(span, _) | Self::Remove(span) | Self::RemoveItem(span) => span,
        }
    }
}

/// Applies edits that do not overlap; an edit inside a place that is left out goes with it.
pub fn apply(text: &str, mode: Mode, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|e| (e.span().start, e.span().end));
    let mut gone = removed(text, mode, &edits);
    gone.sort_by_key(|r| r.start);
    let inside = |span: &Range<usize>| gone.iter().any(|g| g.start <= span.start && span.end <= g.end && g.start < g.end);
    let mut all: Vec<(Range<usize>, &str)> = gone.iter().map(|g| (g.clone(), "")).collect();
    for edit in &edits {
        if let Edit::Replace(span, new) = edit
            && !inside(span)
        {
            all.push((span.clone(), new));
        }
    }
    all.sort_by_key(|(span, _)| (span.start, span.end));
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for (span, new) in all {
        if span.start < at {
            continue;
        }
        out.push_str(&text[at..span.start]);
        out.push_str(new);
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

/// What is left out, with the commas.
fn removed(text: &str, mode: Mode, edits: &[Edit]) -> Vec<Range<usize>> {
    let tokens = lex::significant(text, mode);
    let mut gone: Vec<Range<usize>> = edits.iter().filter(|e| !matches!(e, Edit::Replace(..))).map(|e| e.span().clone()).collect();
    for edit in edits {
        let Edit::RemoveItem(span) = edit else { continue };
        let is_gone = |start: usize| gone.iter().any(|g| g.contains(&start));
        let behind = tokens.iter().find(|t| t.start >= span.end && !is_gone(t.start));
        let before = tokens.iter().rev().find(|t| t.end <= span.start && !is_gone(t.start));
        let comma = [behind, before].into_iter().flatten().find(|t| t.is_symbol(text, ","));
        if let Some(comma) = comma {
            gone.push(comma.span());
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, items: &[&str]) -> String {
        let edits = items.iter().map(|item| text.find(item).map(|at| Edit::RemoveItem(at..at + item.len())).unwrap()).collect();
        apply(text, Mode::default(), edits)
    }

    #[test]
    fn a_list_stays_a_list_whatever_is_left_out() {
        let text = "(a, /* , */ b, c)";
        assert_eq!(without(text, &["a"]), "( /* , */ b, c)");
        assert_eq!(without(text, &["b"]), "(a, /* , */  c)");
        assert_eq!(without(text, &["c"]), "(a, /* , */ b )");
        assert_eq!(without(text, &["a", "b"]), "( /* , */  c)");
        assert_eq!(without(text, &["b", "c"]), "(a /* , */  )");
    }

    #[test]
    fn replacing_keeps_every_other_byte() {
        let text = "a  b\tc";
        let edits = vec![Edit::Replace(3..4, "long".into()), Edit::Replace(0..0, "x".into()), Edit::Remove(4..5)];
        assert_eq!(apply(text, Mode::default(), edits), "xa  longc");
    }
}
