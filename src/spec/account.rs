//! Patterns of accounts, as people write them: `app@%`, `'app'@'10.0.0.%'`, `` `report_*`@localhost ``.

use super::Pattern;

/// Which accounts are meant: globs of user and host. `%` in the host is part of its name, not a wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPattern {
    text: String,
    user: Pattern,
    host: Pattern,
}

impl AccountPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the pattern.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (user, rest) = part(text.trim())?;
        let Some(rest) = rest.strip_prefix('@') else { return Err("has no `@`: an account is a user and a host") };
        let (host, rest) = part(rest)?;
        match (rest.is_empty(), user.is_empty(), host.is_empty()) {
            (false, ..) => Err("has more than a user and a host; quote a user whose name holds an `@`"),
            (_, true, _) => Err("names no user: accounts without one are not carried"),
            (_, _, true) => Err("names no host: any is written `%`, and `*` means every host that there is"),
            // Hosts are compared without regard to letter case.
            _ => Ok(Self { text: text.to_owned(), user: Pattern::new(user), host: Pattern::new(host.to_lowercase()) }),
        }
    }

    /// As it stands in the spec.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the account is meant.
    pub fn matches(&self, user: &str, host: &str) -> bool {
        self.user.matches(user) && self.host.matches(&host.to_lowercase())
    }

    /// Whether it names one account and no more.
    pub fn is_one(&self) -> bool {
        !self.user.is_glob() && !self.host.is_glob()
    }
}

/// A name with or without quotes, and what follows it.
fn part(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quote) = text.chars().next().filter(|c| ['\'', '"', '`'].contains(c)) else {
        let end = text.find('@').unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = &text[1..];
    loop {
        let Some(at) = rest.find(quote) else { return Err("has a quote that does not end") };
        name.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix(quote) {
            Some(after) => {
                name.push(quote);
                rest = after;
            }
            None => return Ok((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_people_write_them() {
        let matches = |pattern: &str, user: &str, host: &str| AccountPattern::parse(pattern).expect(pattern).matches(user, host);
        assert!(matches("app@%", "app", "%") && !matches("app@%", "app", "localhost") && !matches("app@%", "App", "%"));
        assert!(matches("'app'@'10.0.0.%'", "app", "10.0.0.%"));
        assert!(matches("`it''s`@\"DB1.example\"", "it''s", "db1.EXAMPLE"));
        assert!(matches("'o''dd@x'@*", "o'dd@x", "localhost"));
        assert!(matches("app_*@*", "app_1", "%") && !matches("app_*@*", "app", "%"));
        assert!(AccountPattern::parse("app@%").is_ok_and(|p| p.is_one()) && AccountPattern::parse("app@*").is_ok_and(|p| !p.is_one()));
        for wrong in ["app", "", "@%", "app@", "a@b@c", "'app@%", "'a'b@%"] {
            assert!(AccountPattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
