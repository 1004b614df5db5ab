//! The text of a migration file, cut into the statements to send.
//!
//! Total and pure: any bytes give a [`Script`] or a [`ScriptError`] that names the line and the next step. No `DELIMITER`
//! is needed (and none is taken): the end of a routine's, trigger's or event's body is found as the server finds it.
//!
//! ```
//! use backend_migrations::sql::parse_script;
//!
//! let script = parse_script(
//!     "20250127120000_log_tasks.up.sql",
//!     b"CREATE TABLE log (id INT);\n\
//!       CREATE TRIGGER t AFTER INSERT ON tasks FOR EACH ROW BEGIN\n\
//!           INSERT INTO log VALUES (NEW.id);\n\
//!       END;\n",
//! )?;
//! assert_eq!(script.statements.len(), 2);
//! # Ok::<(), backend_migrations::sql::ScriptError>(())
//! ```

pub mod change;
mod classify;
mod client;
mod compound;
mod error;
mod excerpt;
mod lex;
mod online;
mod reach;
mod read;
mod refuse;
mod shape;
mod split;
#[cfg(test)]
mod tests;
mod traces;
mod unqualify;
mod words;

pub use self::{
    error::{ScriptError, ScriptErrorKind},
    excerpt::excerpt,
    online::TableChange,
    reach::reaches_out,
    read::read,
    refuse::Refusal,
    shape::{shape, with_passwords_masked, without_passwords},
    traces::leaves_session_state,
    unqualify::unqualify,
};

use self::{
    client::ClientCommand,
    lex::Unclosed,
    split::{Piece, Split},
};
use crate::migration::{Checksum, Script, Statement};

/// Reads the bytes of the file called `file_name`, which is only there to be named.
///
/// Comments before and after a statement are left out, those within are kept; so are version comments (`/*!50003 … */`),
/// whose content counts as SQL. A file of comments alone is a script without statements.
///
/// # Errors
///
/// The first thing in the file that the server would not take, or that must not be in a migration.
pub fn parse_script(file_name: &str, bytes: &[u8]) -> Result<Script, ScriptError> {
    let (source, statements) = statements(bytes).map_err(|(kind, at)| ScriptError {
        file_name: file_name.to_owned(),
        line: 1 + count_lines(&bytes[..at]),
        kind,
    })?;
    Ok(Script {
        file_name: file_name.to_owned(),
        source: source.into(),
        checksum: Checksum::of(bytes),
        statements,
    })
}

/// The pieces of `text`, one a statement, comments and white space included: joined with `;` they are the text. For the
/// fuzz target that holds this so.
#[doc(hidden)]
pub fn pieces(text: &str) -> Vec<&str> {
    split::split(text).pieces.into_iter().map(|piece| &text[piece.span]).collect()
}

/// An error with the offset of the byte it is about.
type At = (ScriptErrorKind, usize);

fn statements(bytes: &[u8]) -> Result<(&str, Vec<Statement>), At> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        (ScriptErrorKind::NotUtf8 { at }, at)
    })?;
    if text.starts_with('\u{feff}') {
        return Err((ScriptErrorKind::ByteOrderMark, 0));
    }
    if let Some(at) = text.find('\0') {
        return Err((ScriptErrorKind::ZeroByte { at }, at));
    }
    let split = split::split(text);
    if let Some(at) = split.hidden_line_end {
        return Err((ScriptErrorKind::HiddenLineEnd, at));
    }
    let mut statements = Vec::new();
    let mut lines = Lines { bytes, line: 1, at: 0 };
    for piece in &split.pieces {
        check(text, &split, piece)?;
        if !piece.core.is_empty() {
            statements.push(Statement {
                text: text[piece.core.clone()].to_owned(),
                line: lines.of(piece.core.start),
                offset: piece.core.start,
                kind: classify::kind(&split.words, piece.words.start),
            });
        }
    }
    if statements.is_empty() && !split.has_comment {
        return Err((ScriptErrorKind::Empty, 0));
    }
    Ok((text, statements))
}

fn check(text: &str, split: &Split<'_>, piece: &Piece) -> Result<(), At> {
    let words = &split.words;
    if let Some((command, at)) = client::command(text, words, piece.words.clone()) {
        let kind = match command {
            ClientCommand::Delimiter => ScriptErrorKind::Delimiter,
            ClientCommand::Other(command) => ScriptErrorKind::ClientCommand { command },
        };
        return Err((kind, words.offset(at)));
    }
    if let Some((unclosed, at)) = split.unclosed.filter(|(_, at)| piece.span.contains(at)) {
        let kind = match unclosed {
            Unclosed::Text => ScriptErrorKind::UnclosedText,
            Unclosed::Identifier => ScriptErrorKind::UnclosedIdentifier,
            Unclosed::Comment => ScriptErrorKind::UnclosedComment,
        };
        return Err((kind, at));
    }
    if let Some(at) = piece.unclosed_block {
        let word = excerpt(words.text(at), 40);
        return Err((ScriptErrorKind::UnclosedBlock { word }, words.offset(at)));
    }
    let terminator = piece.words.clone().find(|&at| words.is_symbol(at, ";"));
    if let Some(at) = terminator
        && !compound::has_body(words, piece.words.start)
    {
        return Err((ScriptErrorKind::TerminatorInComment, words.offset(at)));
    }
    match refuse::refusal(words, piece.words.clone()) {
        Some((refusal, at)) => Err((refusal.into(), words.offset(at))),
        None => Ok(()),
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').count() - 1
}

/// The lines of offsets that only grow, each byte looked at once.
struct Lines<'a> {
    bytes: &'a [u8],
    line: usize,
    at: usize,
}

impl Lines<'_> {
    fn of(&mut self, offset: usize) -> usize {
        self.line += count_lines(&self.bytes[self.at..offset]);
        self.at = offset;
        self.line
    }
}
