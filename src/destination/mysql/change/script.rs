//! Statements on their way to the server, many in one round trip, each with what it must come back with.

use crate::{connect::Answer, destination::DestinationError};

/// What a statement must come back with; anything else, and every warning, sends its table down the careful way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// Whatever; it is only that it must not fail.
    Any,
    /// So many rows deleted or inserted.
    Affected(u64),
    /// An upsert of so many rows, all of which were there.
    Updated(u64),
    /// A counting query.
    Counted(u64),
    /// One UPDATE that found one row, changed by it or not.
    Matched,
}

impl Expect {
    /// The server did just that.
    pub(super) fn is_met(self, answer: &Answer) -> bool {
        let outcome = &answer.outcome;
        match self {
            Self::Any => true,
            Self::Affected(rows) => outcome.affected == rows,
            // Without CLIENT_FOUND_ROWS an upserted row counts 1 when it is new, 2 when it was changed and 0 when it already was so;
            // `Duplicates` counts those changed, and comes only with more than one row (manual: mysql_info).
            Self::Updated(1) => outcome.affected != 1,
            Self::Updated(_) => number_after(&outcome.info, "Duplicates: ").is_some_and(|changed| outcome.affected == 2 * changed),
            Self::Counted(rows) => answer.number == Some(rows),
            Self::Matched => matched(&outcome.info) == Some(1),
        }
    }
}

/// Rows an UPDATE found, from `Rows matched: 1  Changed: 0  Warnings: 0`.
pub(super) fn matched(info: &str) -> Option<u64> {
    number_after(info, "Rows matched: ")
}

fn number_after(info: &str, label: &str) -> Option<u64> {
    let rest = &info[info.find(label)? + label.len()..];
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

/// Whose statement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The transaction's.
    Lane,
    /// A table's, by its place in the batch.
    Table(usize),
}

/// Statements that wait to be sent.
#[derive(Debug)]
pub(super) struct Script {
    /// Joined by `;`, the session's comment first.
    pub(super) sql: Vec<u8>,
    /// One for each.
    pub(super) checks: Vec<(Owner, Expect)>,
    comment: usize,
    /// Bytes at which it should be sent.
    pub(super) limit: usize,
    /// Where the statement begun last begins.
    begun: usize,
}

impl Script {
    pub(super) fn new(comment: &str, packet: u64) -> Self {
        let limit = usize::try_from(packet / 4).unwrap_or(usize::MAX).clamp(1 << 10, 1 << 20);
        let sql = comment.as_bytes().to_vec();
        Self { comment: sql.len(), begun: sql.len(), sql, checks: Vec::new(), limit }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Begins a statement.
    pub(super) fn begin(&mut self, head: &str) {
        if !self.checks.is_empty() {
            self.sql.push(b';');
        }
        self.begun = self.sql.len();
        self.sql.extend_from_slice(head.as_bytes());
    }

    /// Bytes of the statement begun last.
    pub(super) fn statement_bytes(&self) -> usize {
        self.sql.len() - self.begun
    }

    /// Takes the statement begun last, not ended yet, out again.
    pub(super) fn cut(&mut self) -> Vec<u8> {
        let statement = self.sql.split_off(self.begun);
        if !self.checks.is_empty() {
            self.sql.pop();
        }
        self.begun = self.sql.len();
        statement
    }

    /// Ends it.
    pub(super) fn end(&mut self, owner: Owner, expect: Expect) {
        self.checks.push((owner, expect));
    }

    /// A whole statement.
    pub(super) fn push(&mut self, owner: Owner, sql: &str) {
        self.begin(sql);
        self.end(owner, Expect::Any);
    }

    /// Time to send it.
    pub(super) fn is_full(&self) -> bool {
        self.sql.len() >= self.limit
    }

    /// What is to be sent, and what of it must be met; the buffer comes back by [`Script::reuse`].
    pub(super) fn take(&mut self) -> Result<(String, Vec<(Owner, Expect)>), DestinationError> {
        let checks = std::mem::take(&mut self.checks);
        let sql = String::from_utf8(std::mem::take(&mut self.sql));
        let sql = sql.map_err(|_| DestinationError::Progress { what: "an encoded row is not UTF-8".to_owned() })?;
        Ok((sql, checks))
    }

    /// Takes the buffer back, empty but for the comment.
    pub(super) fn reuse(&mut self, sql: String) {
        self.sql = sql.into_bytes();
        self.clear();
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        self.sql.truncate(self.comment);
        // After a large row: every lane has a buffer of its own.
        if self.sql.capacity() > 4 * self.limit {
            self.sql.shrink_to(self.limit);
        }
        self.begun = self.comment;
        self.checks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Outcome;

    #[test]
    fn an_upsert_that_inserted_is_told_from_one_that_changed() {
        let upsert = |affected, duplicates| Answer {
            outcome: Outcome { affected, warnings: 0, info: format!("Records: 3  Duplicates: {duplicates}  Warnings: 0") },
            number: None,
        };
        assert!(Expect::Updated(3).is_met(&upsert(6, 3)));
        assert!(Expect::Updated(3).is_met(&upsert(2, 1)), "two were so already");
        assert!(Expect::Updated(3).is_met(&upsert(0, 0)));
        assert!(!Expect::Updated(3).is_met(&upsert(5, 2)), "one is new");
        assert!(!Expect::Updated(3).is_met(&upsert(1, 0)));
        assert!(!Expect::Updated(3).is_met(&Answer::default()), "no info, no trust");
    }
}
