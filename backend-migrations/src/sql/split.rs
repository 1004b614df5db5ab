//! Text into pieces, one a statement; together with the `;` between them they are the text.

use std::ops::Range;

use super::{
    compound,
    lex::{Token, TokenKind, Unclosed, lex},
    words::Words,
};

/// What stands between two terminators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// All of it in bytes, white space and comments included, its `;` not.
    pub(super) span: Range<usize>,
    /// The statement itself in bytes, without the white space and the comments around it; empty where there is none.
    pub(super) core: Range<usize>,
    /// The statement's words.
    pub(super) words: Range<usize>,
    /// The word whose block is never closed; the piece is then the last one.
    pub(super) unclosed_block: Option<usize>,
}

/// A text cut into pieces.
#[derive(Debug)]
pub(super) struct Split<'a> {
    pub(super) words: Words<'a>,
    pub(super) pieces: Vec<Piece>,
    /// Whether there is a comment anywhere.
    pub(super) has_comment: bool,
    /// What the text leaves open, with the offset of its first byte.
    pub(super) unclosed: Option<(Unclosed, usize)>,
    /// Where a line comment goes on after what an editor shows as the end of its line.
    pub(super) hidden_line_end: Option<usize>,
}

/// Cuts `text` at the `;` that end its statements. There is a piece more than there are such `;`.
pub(super) fn split(text: &str) -> Split<'_> {
    let lexed = lex(text);
    let words = Words::new(text, &lexed.tokens);
    let mut pieces = Vec::new();
    let mut tokens = lexed.tokens.as_slice();
    let mut word = 0;
    let mut start = 0;
    loop {
        let (end, unclosed_block) = match compound::end(&words, word) {
            Ok(end) => (end, None),
            Err(block) => (words.len(), Some(block)),
        };
        let span = start..words.offset(end);
        let n_tokens = tokens.partition_point(|token| token.start < span.end);
        let core = if word == end { span.start..span.start } else { core(&tokens[..n_tokens]) };
        tokens = tokens.get(n_tokens + 1..).unwrap_or_default();
        start = span.end + 1;
        pieces.push(Piece { span, core, words: word..end, unclosed_block });
        if end == words.len() {
            break;
        }
        word = end + 1;
    }
    let has_comment =
        lexed.tokens.iter().any(|token| matches!(token.kind, TokenKind::Comment | TokenKind::VersionOpen));
    let mut comments = lexed.tokens.iter().filter(|token| token.kind == TokenKind::Comment);
    let hidden_line_end = comments.find_map(|token| hidden_line_end(text, token));
    Split { words, pieces, has_comment, unclosed: lexed.unclosed, hidden_line_end }
}

/// Where text follows in a line comment after a character that editors show as the end of a line. To the server only a
/// line feed ends such a comment (MySQL 8.4 manual, "Comments"), so it sees nothing of that text.
fn hidden_line_end(text: &str, comment: &Token) -> Option<usize> {
    const LOOKS_LIKE_A_LINE_END: [char; 3] = ['\r', '\u{2028}', '\u{2029}'];
    let content = &text[comment.start..comment.end];
    if !content.starts_with(['-', '#']) {
        return None;
    }
    let visible = content.trim_end();
    visible.find(LOOKS_LIKE_A_LINE_END).map(|at| comment.start + at)
}

fn core(tokens: &[Token]) -> Range<usize> {
    let mut kept = tokens.iter().filter(|token| !token.is_trivia());
    let first = kept.next();
    let last = kept.next_back().or(first);
    first.map_or(0, |token| token.start)..last.map_or(0, |token| token.end)
}
