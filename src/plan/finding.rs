//! What a precheck found, as data of a plan. The checks themselves live in `precheck`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The code of a finding: `DT` and three digits. Each has a page in `docs/checks/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct FindingCode(String);

impl FindingCode {
    /// Wraps a code as the registry spells it.
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// The code's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a check ended (requirements I02, D20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing to say.
    Passed,
    /// Worth knowing; never changes the outcome.
    Info,
    /// May go on, with a possible effect.
    Alert,
    /// Blocks, unless it is ignorable and the spec ignores it.
    Failed,
}

impl Severity {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Info => "info",
            Self::Alert => "alert",
            Self::Failed => "failed",
        }
    }
}

/// One finding of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Code, e.g. `DT221`.
    pub code: FindingCode,
    /// The check's name, e.g. `table-keys`.
    pub name: String,
    /// How it ended.
    pub severity: Severity,
    /// Whether `precheck.ignore` may name it.
    pub ignorable: bool,
    /// The spec names it in `precheck.ignore`: an alert is acknowledged, a failure does not block.
    pub ignored: bool,
    /// What it is about, when it is about one object: a table, a database, an account. As the destination names it, unless the
    /// cause says otherwise.
    pub object: Option<String>,
    /// What was found. Empty when passed.
    pub cause: String,
    /// What to do about it. Empty when passed.
    pub mend: String,
}

impl Finding {
    /// It keeps the plan from running.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Failed && !self.ignored
    }
}
