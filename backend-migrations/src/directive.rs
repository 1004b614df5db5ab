//! What the author of a migration declares: `-- migration: …` in its files, or an entry of `migrations/lint.toml`.
//!
//! A declaration is how a person answers for what a rule or a proof would object to, and says why. The bytes of a file
//! that is applied anywhere may not change, so the same can be said in a file beside the folders, the [`SideFile`].

#[cfg(feature = "cli")]
mod parse;
mod side_file;

use std::{fmt, ops::Range};

pub use self::side_file::{DeclareEntry, Holder, SideFile, SideFileError, SuppressEntry, Weight};
use crate::{finding::Spot, migration::Script};

/// What begins a declaration within a comment.
const MARK: &str = "migration:";
/// What begins a suppression within a comment.
const IGNORE_MARK: &str = "lint:ignore";

/// What stands in a new file in place of a column's definition that its name cannot tell. The server refuses a statement with such
/// a comment where something has to be (error 1064).
pub const COLUMN_TO_WRITE: &str = "/* its type and default as they were */";
/// The same in place of a table's.
pub const TABLE_TO_WRITE: &str = "/* its columns, keys and constraints as they were */";
/// The same in place of what a foreign key points to.
pub const PARENT_TO_WRITE: &str = "/* parent (id) ON DELETE ..., as it was */";

/// What is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// `irreversible`: nothing undoes this migration, and nothing needs to.
    Irreversible,
    /// `loses tasks` or `loses tasks.note`: these rows or values are meant to go.
    Loses(Loss),
    /// `blocks-writes`: writes to the table may wait until the statement is over.
    BlocksWrites,
    /// Another word, or `loses` of nothing: as it is written.
    Unknown(String),
}

/// What a migration may lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The table, without quotes.
    pub table: String,
    /// The column; `None` for the table and all in it.
    pub column: Option<String>,
}

impl Loss {
    /// Reads `tasks` or `tasks.note`, with or without backticks; `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |text: &str| text.trim_matches('`').to_owned();
        let loss = match text.split_once('.') {
            None => Self { table: part(text), column: None },
            Some((table, column)) => Self { table: part(table), column: Some(part(column)) },
        };
        let is_name = |name: &str| !name.is_empty() && !name.contains(['.', '`', ',', ';']);
        (is_name(&loss.table) && loss.column.as_deref().is_none_or(is_name)).then_some(loss)
    }

    /// Whether it covers what `column` of `table` holds; of all columns where none is named. Names are compared as the
    /// servers do on Linux: tables letter by letter, columns whatever their case.
    pub fn covers(&self, table: &str, column: Option<&str>) -> bool {
        self.table == table
            && match (&self.column, column) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(own), Some(column)) => own.eq_ignore_ascii_case(column),
            }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table)?;
        self.column.as_ref().map_or(Ok(()), |column| write!(f, ".{column}"))
    }
}

impl Directive {
    /// Reads what stands after `migration:`; gives what is left as the reason.
    pub fn parse(text: &str) -> (Self, Option<String>) {
        let (word, rest) = first_word(text);
        let (directive, reason) = match word {
            "irreversible" => (Self::Irreversible, rest),
            "blocks-writes" => (Self::BlocksWrites, rest),
            "loses" => {
                let (target, reason) = first_word(rest);
                let directive =
                    Loss::parse(target).map_or_else(|| Self::Unknown("loses".to_owned()), Self::Loses);
                (directive, reason)
            }
            word => (Self::Unknown(word.to_owned()), rest),
        };
        (directive, (!reason.is_empty()).then(|| reason.to_owned()))
    }
}

/// A directive with its reason and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// What is declared.
    pub directive: Directive,
    /// Why; `None` where nothing is said, which is a finding.
    pub reason: Option<String>,
    /// Where.
    pub at: Spot,
}

/// `-- lint:ignore D102 reason…` in a file: the findings of this code in this file are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The rule's code as it is written; empty where none is.
    pub code: String,
    /// Why; `None` where nothing is said, which is a finding.
    pub reason: Option<String>,
    /// Where.
    pub at: Spot,
}

/// The declarations in a script's comments, in the order they stand there.
///
/// A declaration is the rest of its line, in a comment before, between or after the statements. Within a statement it
/// would be a part of what is sent to the server, and does not count.
pub fn declarations(script: &Script) -> Vec<Declaration> {
    let said = marked(script, MARK).into_iter();
    said.map(|(text, at)| {
        let (directive, reason) = Directive::parse(text);
        Declaration { directive, reason, at }
    })
    .collect()
}

/// The suppressions in a script's comments, by the same rule as [`declarations`].
pub fn suppressions(script: &Script) -> Vec<Suppression> {
    let said = marked(script, IGNORE_MARK).into_iter();
    said.map(|(text, at)| {
        let (code, reason) = first_word(text);
        Suppression { code: code.to_owned(), reason: (!reason.is_empty()).then(|| reason.to_owned()), at }
    })
    .collect()
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// What stands after `-- mark` up to the end of the line, outside of statements. Nothing but white space, comments and
/// terminators stands there, so no string can pass for a comment.
fn marked<'a>(script: &'a Script, mark: &str) -> Vec<(&'a str, Spot)> {
    let source: &str = &script.source;
    let mut found = Vec::new();
    for gap in gaps(script) {
        let mut at = gap.start;
        for line in source[gap].split_inclusive('\n') {
            let start = at;
            at += line.len();
            let Some(dashes) = line.find("--") else { continue };
            let comment = line[dashes + 2..].trim_start();
            if comment.len() == line.len() - dashes - 2 {
                // `--x` is no comment to MySQL.
                continue;
            }
            let Some(said) = comment.strip_prefix(mark) else { continue };
            if mark == IGNORE_MARK && said.starts_with(|c: char| !c.is_whitespace()) {
                continue;
            }
            let end = start + line.trim_end().len();
            found.push((
                said.trim(),
                Spot {
                    file_name: script.file_name.clone(),
                    line: 1 + source[..start].matches('\n').count(),
                    span: Some(start + dashes..end.max(start + dashes)),
                },
            ));
        }
    }
    found
}

/// What lies outside of the statements, in bytes.
fn gaps(script: &Script) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    let mut from = 0;
    for statement in &script.statements {
        gaps.push(from..statement.offset);
        from = statement.offset + statement.text.len();
    }
    gaps.push(from..script.source.len());
    gaps
}
