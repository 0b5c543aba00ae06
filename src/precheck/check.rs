//! What a check is.

use super::facts::Facts;
use crate::plan::{Finding, FindingCode, Severity};

/// What `precheck.ignore` may do about a check. Its page says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignorable {
    /// It cannot be named there.
    No,
    /// Its alerts are marked as read; its failures still block.
    Alerts,
    /// Its failures no longer block either.
    Failures,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// `DT` and three digits.
    pub code: &'static str,
    /// Its name in words joined by hyphens.
    pub name: &'static str,
    /// What `precheck.ignore` may do.
    pub ignorable: Ignorable,
    /// Judges the facts; nothing returned means passed.
    pub run: fn(&Facts<'_>) -> Vec<Finding>,
}

impl Check {
    fn finding(&self, severity: Severity, object: Option<String>, cause: impl Into<String>, mend: impl Into<String>) -> Finding {
        let ignorable = match severity {
            Severity::Failed => self.ignorable == Ignorable::Failures,
            Severity::Alert => self.ignorable != Ignorable::No,
            Severity::Passed | Severity::Info => false,
        };
        Finding {
            code: FindingCode::new(self.code),
            name: self.name.to_owned(),
            severity,
            ignorable,
            ignored: false,
            object,
            cause: cause.into(),
            mend: mend.into(),
        }
    }

    /// It has nothing to say.
    pub(super) fn passed(&self) -> Finding {
        self.finding(Severity::Passed, None, "", "")
    }

    /// Blocks.
    pub(super) fn failed(&self, object: impl Into<Option<String>>, cause: impl Into<String>, mend: impl Into<String>) -> Finding {
        self.finding(Severity::Failed, object.into(), cause, mend)
    }

    /// May go on.
    pub(super) fn alert(&self, object: impl Into<Option<String>>, cause: impl Into<String>, mend: impl Into<String>) -> Finding {
        self.finding(Severity::Alert, object.into(), cause, mend)
    }

    /// Worth knowing.
    pub(super) fn info(&self, object: impl Into<Option<String>>, cause: impl Into<String>, mend: impl Into<String>) -> Finding {
        self.finding(Severity::Info, object.into(), cause, mend)
    }
}
