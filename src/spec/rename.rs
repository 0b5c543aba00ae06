//! New names for databases, tables and views: one name outright, or many by a pattern (requirements D08).
//!
//! A pattern is a regular expression that must match a whole name, letter by letter; what its groups hold is put in for `$1`, `$2`. A name
//! that it does not match keeps its own: which those are, the plan says (DT291). New names are made here and nowhere else, so that the
//! plan, the copy and what comes by the binlog later agree on them.

use regex::Regex;

use super::pattern::Pattern;

/// A new name, as the spec gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rename {
    /// This one.
    To(String),
    /// What a pattern makes of the old one.
    By(RenamePattern),
}

impl Rename {
    /// The new name of `name`; `None` where a pattern does not match it.
    pub fn apply(&self, name: &str) -> Option<String> {
        match self {
            Self::To(to) => Some(to.clone()),
            Self::By(pattern) => pattern.apply(name),
        }
    }
}

/// A pattern that names are made by.
#[derive(Clone, Debug)]
pub struct RenamePattern {
    text: String,
    to: String,
    regex: Regex,
    pieces: Vec<Piece>,
}

impl PartialEq for RenamePattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.to) == (&other.text, &other.to)
    }
}

impl Eq for RenamePattern {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// What is wrong with a pattern, and under which of its keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// `match` is no regular expression.
    #[error("`{0}` is no regular expression")]
    Match(String),
    /// `to` holds a `$` that is no group.
    #[error("`$` stands before a group's number, as in `$1` or `${{1}}`, or is written `$$`")]
    Dollar,
    /// `to` names a group that `match` does not have.
    #[error("there is no group {group}: `match` has {groups}")]
    Group {
        /// The one that is named.
        group: String,
        /// How many there are.
        groups: usize,
    },
    /// `to` names no group: all names would become one.
    #[error("it names no group, so that all names would become one")]
    One,
}

impl RenameError {
    /// `match` or `to`.
    pub fn key(&self) -> &'static str {
        if matches!(self, Self::Match(_)) { "match" } else { "to" }
    }
}

impl RenamePattern {
    /// Reads `match` and `to`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(text: &str, to: &str) -> Result<Self, RenameError> {
        let wrong = |_| RenameError::Match(text.to_owned());
        // Alone first: an unbalanced parenthesis must not end the group around it.
        Regex::new(text).map_err(wrong)?;
        let regex = Regex::new(&format!("^(?:{text})$")).map_err(wrong)?;
        let groups = regex.captures_len() - 1;
        let pieces = pieces(to)?;
        for piece in &pieces {
            if let Piece::Group(group) = piece
                && *group > groups
            {
                return Err(RenameError::Group { group: group.to_string(), groups });
            }
        }
        if !pieces.iter().any(|piece| matches!(piece, Piece::Group(_))) {
            return Err(RenameError::One);
        }
        Ok(Self { text: text.to_owned(), to: to.to_owned(), regex, pieces })
    }

    /// `match` as it stands in the spec.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The new name of `name`; `None` where the pattern does not match all of it.
    pub fn apply(&self, name: &str) -> Option<String> {
        let groups = self.regex.captures(name).filter(|found| found.get(0).is_some_and(|all| all.len() == name.len()))?;
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            // A group that took no part is empty.
            Piece::Group(group) => groups.get(*group).map(|group| group.as_str().to_owned()).unwrap_or_default(),
        };
        Some(self.pieces.iter().map(text).collect())
    }

    /// All names that can come out, as a glob.
    pub fn targets(&self) -> Pattern {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Group(_) => "*".to_owned(),
        };
        Pattern::new(self.pieces.iter().map(text).collect::<String>())
    }
}

fn pieces(to: &str) -> Result<Vec<Piece>, RenameError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = to;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = match rest.strip_prefix('{') {
            Some(inside) => {
                let end = digits(inside);
                (&inside[..end], inside[end..].strip_prefix('}').ok_or(RenameError::Dollar)?)
            }
            None => rest.split_at(digits(rest)),
        };
        if number.is_empty() {
            return Err(RenameError::Dollar);
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        // More digits than a number takes are no group's.
        pieces.push(Piece::Group(number.parse().unwrap_or(usize::MAX)));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_matched_and_groups_put_in() {
        for (text, to, name, expected) in [
            (r"t_(\d+)", "orders_$1", "t_12", Some("orders_12")),
            (r"t_(\d+)", "orders_$1", "t_12x", None),
            (r"t_(\d+)", "orders_$1", "xt_12", None),
            (r"t_(\d+)", "${1}0_$1x", "t_7", Some("70_7x")),
            (r"(a)|(b)", "$1-$2", "b", Some("-b")),
            (r"a|ab(c)?", "$0$$", "abc", Some("abc$")),
            (r"(?i)T_(.+)", "$1", "t_é", Some("é")),
            (r"t_(.+)", "$1", "t_a\n", None),
        ] {
            let pattern = RenamePattern::new(text, to).unwrap();
            assert_eq!(pattern.apply(name).as_deref(), expected, "{text} {to} {name}");
        }
        assert_eq!(RenamePattern::new(r"t_(\d+)", "orders_$1_x").unwrap().targets(), Pattern::new("orders_*_x"));
    }

    #[test]
    fn what_would_make_other_names_than_it_says_is_refused() {
        let of = |text: &str, to: &str| RenamePattern::new(text, to).unwrap_err();
        assert_eq!(of("t_(", "$1"), RenameError::Match("t_(".to_owned()));
        assert_eq!(of("a)(b", "$1"), RenameError::Match("a)(b".to_owned()));
        assert_eq!(of("t_(.)", "all"), RenameError::One);
        assert_eq!(of("t_(.)", "$2"), RenameError::Group { group: "2".to_owned(), groups: 1 });
        assert_eq!(of("t_(.)", "$10"), RenameError::Group { group: "10".to_owned(), groups: 1 });
        for to in ["$x", "a$", "${1", "${x}", "${}"] {
            assert_eq!(of("t_(.)", to), RenameError::Dollar, "{to}");
        }
    }
}
