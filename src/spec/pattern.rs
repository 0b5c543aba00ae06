//! Names that may be globs: `*` stands for any run of characters, `?` for one.

use std::fmt;

/// A literal name, or a glob when it holds `*` or `?`. Letter case counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// Wraps a name as it stands in the spec.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it stands in the spec.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a glob.
    pub fn is_glob(&self) -> bool {
        self.0.contains(['*', '?'])
    }

    /// The name, when it is literal.
    pub fn literal(&self) -> Option<&str> {
        if self.is_glob() { None } else { Some(&self.0) }
    }

    /// Whether `name` is meant, character by character.
    pub fn matches(&self, name: &str) -> bool {
        if !self.is_glob() {
            return self.0 == name;
        }
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        let (mut p, mut n) = (0, 0);
        // The last `*` seen, and how far it reaches so far: the only place ever returned to, so it is never exponential.
        let mut star: Option<(usize, usize)> = None;
        while n < name.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p, n));
                    p += 1;
                }
                Some('?') => {
                    p += 1;
                    n += 1;
                }
                Some(c) if *c == name[n] => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((at, reach)) = star else { return false };
                    star = Some((at, reach + 1));
                    p = at + 1;
                    n = reach + 1;
                }
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
}

impl Pattern {
    /// Whether some name is meant by both.
    pub fn meets(&self, other: &Self) -> bool {
        match (self.literal(), other.literal()) {
            (Some(name), _) => other.matches(name),
            (_, Some(name)) => self.matches(name),
            (None, None) => {
                let (a, b): (Vec<char>, Vec<char>) = (self.0.chars().collect(), other.0.chars().collect());
                // `row[j]`: the first i characters of `a` and the first j of `b` can mean the same beginning of a name.
                let mut row: Vec<bool> = (0..=b.len()).map(|j| b[..j].iter().all(|c| *c == '*')).collect();
                for (i, x) in a.iter().enumerate() {
                    let mut next = vec![false; b.len() + 1];
                    next[0] = a[..=i].iter().all(|c| *c == '*');
                    for (j, y) in b.iter().enumerate() {
                        next[j + 1] = match (x, y) {
                            ('*', _) | (_, '*') => next[j] || row[j + 1],
                            _ => row[j] && (*x == '?' || *y == '?' || x == y),
                        };
                    }
                    row = next;
                }
                row[b.len()]
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_patterns_meet_when_a_name_is_meant_by_both() {
        for (a, b, expected) in [
            ("orders", "orders", true),
            ("orders", "or*", true),
            ("orders", "items", false),
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("a?c", "ab*", true),
            ("a?c", "ab*d", false),
            ("*x*", "y*z", true),
            ("??", "???", false),
            ("*", "*", true),
            ("log_2024*", "log_????_01", true),
        ] {
            assert_eq!(Pattern::new(a).meets(&Pattern::new(b)), expected, "{a} {b}");
            assert_eq!(Pattern::new(b).meets(&Pattern::new(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, expected) in [
            ("orders", "orders", true),
            ("orders", "Orders", false),
            ("log_*", "log_", true),
            ("log_*", "log_2024", true),
            ("log_*", "xlog_2024", false),
            ("*", "", true),
            ("?", "é", true),
            ("?", "ab", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("*_old", "a_old_old", true),
            ("a%", "ab", false),
            ("a_", "ab", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} against {name}");
        }
    }

    #[test]
    fn many_stars_stay_quick() {
        assert!(!Pattern::new("*a".repeat(40) + "b").matches(&"a".repeat(2000)));
    }
}
