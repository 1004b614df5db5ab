//! What `migrations/lint.toml` says.

use super::Declaration;
use crate::{
    finding::{Severity, Spot},
    migration::Version,
};

/// The contents of `migrations/lint.toml`; empty where there is no such file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideFile {
    /// `[severity]`: how much the findings of a rule weigh here, with the place it is said.
    pub weights: Vec<(String, Weight, Spot)>,
    /// `[[suppress]]`.
    pub suppressions: Vec<SuppressEntry>,
    /// `[[declare]]`.
    pub declarations: Vec<DeclareEntry>,
}

impl SideFile {
    /// What is declared for a migration there.
    pub fn declarations_for(&self, version: Version) -> impl Iterator<Item = &Declaration> {
        self.declarations.iter().filter(move |entry| entry.version == version).map(|entry| &entry.declaration)
    }
}

/// How much the findings of a rule weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// So much.
    As(Severity),
    /// They are not told at all.
    Off,
}

/// `[[suppress]]`: findings of one rule in one migration or file are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppressEntry {
    /// The rule's code.
    pub code: String,
    /// The migration, if one is named.
    pub version: Option<Version>,
    /// The file's name without its folder, if one is named.
    pub file_name: Option<String>,
    /// Why; `None` where nothing is said, which is a finding.
    pub reason: Option<String>,
    /// Where it is said.
    pub at: Spot,
}

/// `[[declare]]`: a directive for a migration whose files may not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclareEntry {
    /// The migration.
    pub version: Version,
    /// What is declared for it, and where.
    pub declaration: Declaration,
}

/// Why `lint.toml` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file_name}:{line}: {message}")]
pub struct SideFileError {
    /// The file's name without its folder.
    pub file_name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}
