//! What a rule is.

use std::ops::Range;

use super::{ClauseView, ScriptView, SetView, StatementView, spot};
use crate::{
    finding::{Code, Severity, Spot},
    migration::{Script, Version},
};

/// A rule: one a file, in `rules`.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name.
    pub code: Code,
    /// The same in words, with `-` between them.
    pub name: &'static str,
    /// How much its findings weigh where nothing else is said.
    pub severity: Severity,
    /// Why it is a rule on MySQL and MariaDB, and what to do instead: plain text, in paragraphs.
    pub explain: &'static str,
    /// Finds.
    pub check: Check,
    /// Files it objects to; the first one is shown to people.
    pub fires: &'static [Example],
    /// Files it does not object to; the first one is shown to people.
    pub passes: &'static [Example],
}

/// How a rule finds.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// When the files are read.
    Files,
    /// Once for the folder.
    Set(fn(&SetView<'_>, &mut Vec<Remark>)),
    /// Once for each script.
    Script(fn(&ScriptView<'_>, &mut Vec<Remark>)),
    /// Once for each statement.
    Statement(fn(&StatementView<'_>, &mut Vec<Remark>)),
    /// Once for each clause of each `ALTER TABLE`, `CREATE INDEX` and `DROP INDEX`.
    Clause(fn(&ClauseView<'_>, &mut Vec<Remark>)),
    /// The engine itself.
    Own,
}

/// A folder in small.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its files.
    pub files: Files,
    /// The files on the base branch; `None` where none is named.
    pub base: Option<&'static [(&'static str, &'static str)]>,
    /// `lint.toml`.
    pub side_file: &'static str,
}

/// The files of an example: names and contents.
#[derive(Clone, Copy, Debug)]
pub enum Files {
    /// As they are.
    Written(&'static [(&'static str, &'static str)]),
    /// Too large to write down.
    Made(fn() -> Vec<(String, String)>),
}

impl Example {
    /// Files with these names and contents.
    pub const fn files(files: &'static [(&'static str, &'static str)]) -> Self {
        Self { files: Files::Written(files), base: None, side_file: "" }
    }

    /// Files too large to write down.
    pub const fn made(make: fn() -> Vec<(String, String)>) -> Self {
        Self { files: Files::Made(make), base: None, side_file: "" }
    }

    /// With these files on the base branch.
    #[must_use]
    pub const fn on(self, base: &'static [(&'static str, &'static str)]) -> Self {
        Self { base: Some(base), ..self }
    }

    /// With this `lint.toml`.
    #[must_use]
    pub const fn with_side_file(self, text: &'static str) -> Self {
        Self { side_file: text, ..self }
    }

    /// Its files.
    pub fn contents(&self) -> Vec<(String, String)> {
        match self.files {
            Files::Written(files) => {
                files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
            }
            Files::Made(make) => make(),
        }
    }
}

/// What a rule says of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub(super) span: Option<Range<usize>>,
    pub(super) at: Option<Spot>,
    pub(super) version: Option<Version>,
    pub(super) severity: Option<Severity>,
    pub(super) message: String,
    pub(super) notes: Vec<String>,
    pub(super) hint: Option<String>,
}

impl Remark {
    /// About these bytes of the script.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::whole(message) }
    }

    /// About the script as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            span: None,
            at: None,
            version: None,
            severity: None,
            message: message.into(),
            notes: Vec::new(),
            hint: None,
        }
    }

    /// About a place that is no part of the script that is looked at.
    pub fn at(spot: Spot, message: impl Into<String>) -> Self {
        Self { at: Some(spot), ..Self::whole(message) }
    }

    /// About this migration; what is said of a script is about its own.
    #[must_use]
    pub fn about(self, version: Version) -> Self {
        Self { version: Some(version), ..self }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What else there is to know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Weighs otherwise than the rule's findings do.
    #[must_use]
    pub fn weighs(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// With its place in `script`.
    pub(super) fn within(mut self, script: &Script) -> Self {
        if self.at.is_none() {
            self.at = Some(match self.span.take() {
                Some(span) => spot(&script.file_name, &script.source, span),
                None => Spot { file_name: script.file_name.clone(), line: 1, span: None },
            });
        }
        self
    }
}
