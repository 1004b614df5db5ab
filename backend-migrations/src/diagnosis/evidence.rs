//! How it is known whether a statement is in the database.

use std::fmt;

/// Whether a statement is in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// A part of it is.
    Partly,
    /// Nothing tells.
    Unclear,
    /// It leaves nothing in a database.
    Nothing,
}

impl Presence {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Partly => "partly",
            Self::Unclear => "unclear",
            Self::Nothing => "nothing",
        }
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How it is known whether a statement is in the database, or why it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The journal names it among the committed statements.
    Recorded,
    /// The journal ends before it.
    NotRecorded,
    /// The schema has what it makes.
    InSchema,
    /// The schema is as before it.
    NotInSchema,
    /// A later statement is there, from 1, and statements run in order.
    Before(usize),
    /// An earlier statement is not there, from 1.
    Behind(usize),
    /// The history's row can be seen, so what ran before the first statement that commits was committed with it.
    CommittedWithRow,
    /// A person has looked and says so.
    Said,
    /// A part of what it does can be seen.
    PartlyInSchema,
    /// It changes its own connection only.
    SessionOnly,
    /// Rows leave no trace in a schema.
    NoTrace,
    /// The schema is the same before and after it.
    SameSchema,
    /// It may have been edited after it ran.
    Edited,
    /// No record says, and nothing was compared.
    NotCompared,
    /// The schema is as after no statement of the script.
    UnlikeAll,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Recorded => "the record has it as committed",
            Self::NotRecorded => "the record ends before it",
            Self::InSchema => "the schema has what it does",
            Self::NotInSchema => "the schema is as before it",
            Self::Before(later) => {
                return write!(f, "statement {later}, which runs after it, is there");
            }
            Self::Behind(earlier) => {
                return write!(f, "statement {earlier}, which runs before it, is not there");
            }
            Self::CommittedWithRow => "it was committed together with the history's row",
            Self::Said => "you say so",
            Self::PartlyInSchema => "the schema has a part of what it does",
            Self::SessionOnly => "it changes its own connection only",
            Self::NoTrace => "rows leave no trace in the schema",
            Self::SameSchema => "the schema is the same before and after it",
            Self::Edited => "the file was edited after it ran, and rows leave no trace in the schema",
            Self::NotCompared => "no record says, and no scratch database was there to compare with",
            Self::UnlikeAll => "the schema is as after none of the statements",
        };
        f.write_str(words)
    }
}
