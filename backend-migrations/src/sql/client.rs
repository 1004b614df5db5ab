//! What the mysql client reads itself and no server understands (MySQL 8.4 manual, "mysql Client Commands").

use std::ops::Range;

use super::words::Words;

/// The words that the mysql client takes at a line's start and no server knows as a statement's first word.
const CLIENT_COMMANDS: [&str; 21] = [
    "CHARSET",
    "CLEAR",
    "CONNECT",
    "EDIT",
    "EGO",
    "EXIT",
    "GO",
    "NOPAGER",
    "NOTEE",
    "NOWARNING",
    "PAGER",
    "PRINT",
    "PROMPT",
    "QUIT",
    "REHASH",
    "RESETCONNECTION",
    "SOURCE",
    "STATUS",
    "SYSTEM",
    "TEE",
    "WARNINGS",
];

/// What the mysql client would read itself instead of sending it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClientCommand {
    Delimiter,
    Other(String),
}

/// The first such command among these words, and the word it begins with.
pub(super) fn command(
    text: &str,
    words: &Words<'_>,
    statement: Range<usize>,
) -> Option<(ClientCommand, usize)> {
    let first = statement.start;
    let keyword = words.keyword(first);
    if keyword == "DELIMITER" {
        return Some((ClientCommand::Delimiter, first));
    }
    if CLIENT_COMMANDS.contains(&keyword.as_str()) {
        return Some((ClientCommand::Other(words.text(first).to_owned()), first));
    }
    statement.into_iter().find_map(|at| {
        if words.is_symbol(at, "\\") {
            let command: String =
                text[words.offset(at)..].chars().take(2).filter(|c| !c.is_whitespace()).collect();
            return Some((ClientCommand::Other(command), at));
        }
        (words.is(at, "DELIMITER") && is_delimiter_line(text, words.offset(at)))
            .then_some((ClientCommand::Delimiter, at))
    })
}

/// Whether a line begins with the word at `offset` and goes on as no column called `delimiter` would.
fn is_delimiter_line(text: &str, offset: usize) -> bool {
    let (before, line) = (&text[..offset], &text[offset..]);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let rest = line.lines().next().unwrap_or_default()["DELIMITER".len()..].trim();
    before.trim().is_empty()
        && rest.len() >= 2
        && rest.chars().all(|c| matches!(c, '/' | '$' | '|' | ';' | '&' | '^' | '~' | '!' | '@'))
}
