//! What a rule or a proof has to say of a migration.
//!
//! Lint and verify speak the same words, so one reporter tells both.

mod progress;
mod review;

use std::{fmt, ops::Range};

pub use self::{
    progress::Progress,
    review::{CostClass, Inspected, Inspection, Review, Source, StatementCost, Suite},
};
use crate::migration::Version;

/// A finding's stable name, such as `X011` or `V104`: never given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// How much a finding weighs; a later one weighs more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; fails nothing.
    Note,
    /// To be looked at; fails nothing.
    Warning,
    /// Must not be merged.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The file's name without its folder.
    pub file_name: String,
    /// Its line, from 1.
    pub line: usize,
    /// The bytes of the file it is about; `None` where the whole file or line is meant.
    pub span: Option<Range<usize>>,
}

/// Something that a rule saw or a proof found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule or proof.
    pub code: Code,
    /// How much it weighs, after the project's own settings.
    pub severity: Severity,
    /// The migration it is about; `None` for what is true of the whole set.
    pub version: Option<Version>,
    /// Where.
    pub at: Option<Spot>,
    /// What, in one sentence without a full stop.
    pub message: String,
    /// What else there is to know, a sentence each.
    pub notes: Vec<String>,
    /// The difference between what should be and what is, as lines of SQL that begin with `-`, `+` or a space.
    pub diff: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}
