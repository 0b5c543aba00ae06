//! Executable comments, made plain or taken out as the server that ran the statement would have read them.

use crate::ddl::lex::{self, Kind, Mode};

/// Which server read a statement, as far as executable comments ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// MariaDB.
    pub mariadb: bool,
    /// Major, minor, patch.
    pub version: (u16, u16, u16),
}

impl Server {
    /// Whether the server runs what stands behind this opening: `/*!`, `/*!50100`, `/*M!100301`.
    ///
    /// The number is major, two digits of minor, two of patch. MariaDB passes over those of MySQL 5.7 and later, which it is not
    /// (manual: Comment Syntax; `sql_lex.cc`), and over none that begin with `M`.
    fn runs(self, opening: &str) -> bool {
        let only_mariadb = opening.starts_with("/*M!");
        if only_mariadb && !self.mariadb {
            return false;
        }
        let digits = opening.trim_start_matches(|c: char| !c.is_ascii_digit());
        if digits.is_empty() {
            return true;
        }
        let asked: u32 = digits.parse().unwrap_or(u32::MAX);
        let (major, minor, patch) = self.version;
        let mine = u32::from(major) * 10_000 + u32::from(minor) * 100 + u32::from(patch);
        asked <= mine && (!self.mariadb || only_mariadb || !(50_700..=99_999).contains(&asked))
    }
}

/// The text as `server` read it: what it ran of executable comments stands plain, what it did not is gone. Other comments stay.
pub fn flatten(text: &str, mode: Mode, server: Server) -> String {
    if !text.contains("/*!") && !text.contains("/*M!") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<bool> = Vec::new();
    for token in lex::lex(text, mode) {
        let runs = open.iter().all(|runs| *runs);
        match token.kind {
            Kind::ExecOpen => {
                open.push(server.runs(token.text(text)));
                out.push(' ');
            }
            Kind::ExecClose => {
                open.pop();
                out.push(' ');
            }
            _ if runs => out.push_str(token.text(text)),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executable_comments_are_read_as_the_source_read_them() {
        let mysql = Server { mariadb: false, version: (8, 4, 3) };
        let mariadb = Server { mariadb: true, version: (10, 11, 18) };
        let text = "CREATE TABLE t (a INT /*!80023 INVISIBLE */) /*!50100 PARTITION BY HASH (a) */ /*M!100301 WITH SYSTEM VERSIONING */ /*!99999 x */ /*! COMMENT='/*!' */ /* stays */";
        // How many blanks there are says nothing.
        let words = |server| flatten(text, Mode::default(), server).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(mysql), "CREATE TABLE t (a INT INVISIBLE ) PARTITION BY HASH (a) COMMENT='/*!' /* stays */");
        assert_eq!(words(mariadb), "CREATE TABLE t (a INT ) PARTITION BY HASH (a) WITH SYSTEM VERSIONING COMMENT='/*!' /* stays */");
    }
}
