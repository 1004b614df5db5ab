//! The tokens of a text that mean something, seen as words.

use super::lex::{Token, TokenKind};

/// A text's significant tokens. Every question about a place past the end is answered with no.
#[derive(Debug)]
pub(super) struct Words<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str, tokens: &[Token]) -> Self {
        Self { text, tokens: tokens.iter().copied().filter(|token| token.is_significant()).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.token(at).map(|token| token.kind)
    }

    /// The token's text as it is written.
    pub(super) fn text(&self, at: usize) -> &'a str {
        self.token(at).map_or("", |token| &self.text[token.start..token.end])
    }

    /// Where the token begins in the text; the text's length past the last token.
    pub(super) fn offset(&self, at: usize) -> usize {
        self.token(at).map_or(self.text.len(), |token| token.start)
    }

    /// The text from one word to before another, without the blanks and comments between that one and what is before it.
    pub(super) fn between(&self, from: usize, to: usize) -> &'a str {
        let end = to.checked_sub(1).and_then(|last| self.token(last)).map_or(0, |token| token.end);
        self.text.get(self.offset(from)..end).unwrap_or_default()
    }

    /// The keyword there in upper case; empty where there is none. A name after a dot is no keyword, whatever it spells.
    pub(super) fn keyword(&self, at: usize) -> String {
        let is_qualified = at > 0 && self.is_symbol(at - 1, ".");
        if self.kind(at) == Some(TokenKind::Word) && !is_qualified {
            self.text(at).to_ascii_uppercase()
        } else {
            String::new()
        }
    }

    /// Whether these keywords stand there, one after the other.
    pub(super) fn are(&self, at: usize, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(n, keyword)| {
            self.kind(at + n) == Some(TokenKind::Word) && self.text(at + n).eq_ignore_ascii_case(keyword)
        })
    }

    /// Whether this keyword stands there.
    pub(super) fn is(&self, at: usize, keyword: &str) -> bool {
        self.are(at, &[keyword])
    }

    /// Whether a variable stands there: `@mine`, `@@autocommit`.
    pub(super) fn is_variable(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Variable)
    }

    pub(super) fn is_symbol(&self, at: usize, symbol: &str) -> bool {
        self.kind(at) == Some(TokenKind::Symbol) && self.text(at) == symbol
    }

    /// Whether a statement ends there: at a `;` outside of version comments, or at the end of the text.
    pub(super) fn is_end(&self, at: usize) -> bool {
        self.token(at).is_none_or(|token| !token.in_version && self.is_symbol(at, ";"))
    }

    /// The first place from `at` on, outside of parentheses and before the statement's end, that `found` accepts.
    pub(super) fn find(&self, at: usize, found: impl Fn(usize) -> bool) -> Option<usize> {
        let mut n_open = 0_usize;
        for place in at..self.len() {
            if self.is_end(place) {
                return None;
            }
            if n_open == 0 && found(place) {
                return Some(place);
            }
            if self.is_symbol(place, "(") {
                n_open += 1;
            } else if self.is_symbol(place, ")") {
                n_open = n_open.saturating_sub(1);
            }
        }
        None
    }

    /// `at`, or the place after these keywords if they stand there.
    pub(super) fn skip(&self, at: usize, keywords: &[&str]) -> usize {
        if self.are(at, keywords) { at + keywords.len() } else { at }
    }

    /// The place after a parenthesis that opens at `at`, `at` where none does.
    pub(super) fn skip_parentheses(&self, at: usize) -> usize {
        if !self.is_symbol(at, "(") {
            return at;
        }
        self.find(at + 1, |place| self.is_symbol(place, ")")).map_or(self.len(), |close| close + 1)
    }

    /// The place after a name, qualified or not.
    pub(super) fn skip_name(&self, at: usize) -> usize {
        if self.is_symbol(at + 1, ".") { at + 3 } else { at + 1 }
    }

    /// The place after `DEFINER = account`, `at` where there is none.
    pub(super) fn skip_definer(&self, at: usize) -> usize {
        if !self.is(at, "DEFINER") || !self.is_symbol(at + 1, "=") {
            return at;
        }
        let host = self.skip_parentheses(at + 3);
        if self.is_symbol(host, "@") {
            host + 2
        } else if self.kind(host) == Some(TokenKind::Variable) {
            host + 1
        } else {
            host
        }
    }

    /// The place of the statement that `SET STATEMENT … FOR` is said for (MariaDB), `at` where it is not said.
    pub(super) fn skip_set_statement(&self, mut at: usize) -> usize {
        while self.are(at, &["SET", "STATEMENT"]) {
            match self.find(at + 2, |place| self.is(place, "FOR")) {
                Some(place) => at = place + 1,
                None => return at,
            }
        }
        at
    }
}
