//! A place in a statement's words, moved over them.

use std::{cell::RefCell, ops::Range};

use super::super::{
    change::{Dialect, Name},
    lex::TokenKind,
    words::Words,
};
use crate::tenant::Flavour;

/// A place among the words from `at` to `end`. No question moves it, and a take that finds nothing does not, either.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    words: &'a Words<'a>,
    at: usize,
    end: usize,
    /// Where the statement begins in its file.
    base: usize,
    dialects: &'a RefCell<Vec<Dialect>>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(words: &'a Words<'a>, base: usize, dialects: &'a RefCell<Vec<Dialect>>) -> Self {
        Self { words, at: 0, end: words.len(), base, dialects }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    /// Where it stands, for [`Cursor::span_from`].
    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn kind(&self) -> Option<TokenKind> {
        if self.is_done() { None } else { self.words.kind(self.at) }
    }

    /// The word there as it is written; empty past the end.
    pub(super) fn text(&self) -> &'a str {
        if self.is_done() { "" } else { self.words.text(self.at) }
    }

    /// The keyword there in upper case; empty if it is none.
    pub(super) fn keyword(&self) -> String {
        if self.is_done() { String::new() } else { self.words.keyword(self.at) }
    }

    pub(super) fn are(&self, keywords: &[&str]) -> bool {
        self.at + keywords.len() <= self.end && self.words.are(self.at, keywords)
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        self.are(&[keyword])
    }

    /// Whether the word after the one there is this keyword.
    pub(super) fn next_is(&self, keyword: &str) -> bool {
        self.at + 1 < self.end && self.words.is(self.at + 1, keyword)
    }

    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        !self.is_done() && self.words.is_symbol(self.at, symbol)
    }

    /// Moves over these keywords if they stand there.
    pub(super) fn eat(&mut self, keywords: &[&str]) -> bool {
        let are = self.are(keywords);
        if are {
            self.at += keywords.len();
        }
        are
    }

    /// Moves over one of these keywords.
    pub(super) fn eat_any(&mut self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.eat(&[keyword]))
    }

    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let is = self.is_symbol(symbol);
        if is {
            self.at += 1;
        }
        is
    }

    /// Moves over one word, whatever it is.
    pub(super) fn skip(&mut self) {
        self.at = (self.at + 1).min(self.end);
    }

    pub(super) fn skip_rest(&mut self) {
        self.at = self.end;
    }

    /// The bytes of the file from the word at `place` to the one before this place.
    pub(super) fn span_from(&self, place: usize) -> Range<usize> {
        let start = self.words.offset(place);
        let end = match self.at.checked_sub(1).and_then(|last| self.words.token(last)) {
            Some(token) if self.at > place => token.end,
            _ => start,
        };
        self.base + start..self.base + end
    }

    /// The bytes of the file of the word there.
    pub(super) fn here(&self) -> Range<usize> {
        let mut next = self.clone();
        next.skip();
        next.span_from(self.at)
    }

    /// The bytes of all that is left.
    pub(super) fn rest(&self) -> Range<usize> {
        let mut last = self.clone();
        last.skip_rest();
        last.span_from(self.at)
    }

    /// Notes that `what`, which began at `place`, is understood by one server alone.
    pub(super) fn only(&self, only: Flavour, what: &'static str, place: usize) {
        self.dialects.borrow_mut().push(Dialect { only, what, span: self.span_from(place) });
    }

    /// An identifier, without its quotes.
    pub(super) fn identifier(&mut self) -> Option<String> {
        let name = match self.kind()? {
            TokenKind::Word => self.text().to_owned(),
            TokenKind::Identifier => {
                let quoted = self.text();
                quoted.get(1..quoted.len().saturating_sub(1))?.replace("``", "`")
            }
            _ => return None,
        };
        self.skip();
        Some(name)
    }

    /// A name, qualified or not.
    pub(super) fn name(&mut self) -> Option<Name> {
        let place = self.place();
        let first = self.identifier()?;
        // `t.*` names the table.
        let is_star = self.at + 1 < self.end && self.words.is_symbol(self.at + 1, "*");
        if is_star || !self.eat_symbol(".") {
            return Some(Name { database: None, name: first, span: self.span_from(place) });
        }
        let Some(name) = self.identifier() else {
            self.at = place;
            return None;
        };
        Some(Name { database: Some(first), name, span: self.span_from(place) })
    }

    /// Names with commas between them.
    pub(super) fn names(&mut self) -> Option<Vec<Name>> {
        let mut names = vec![self.name()?];
        while self.eat_symbol(",") {
            names.push(self.name()?);
        }
        Some(names)
    }

    /// A string as it is written, with its quotes.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        let text = (self.kind()? == TokenKind::Text).then(|| self.text())?;
        self.skip();
        Some(text)
    }

    /// What stands within the parentheses that open here; moves past them.
    pub(super) fn group(&mut self) -> Option<Self> {
        if !self.is_symbol("(") {
            return None;
        }
        let close = self.words.skip_parentheses(self.at).min(self.end);
        let inside = Self { at: self.at + 1, end: close.saturating_sub(1).max(self.at + 1), ..self.clone() };
        self.at = close;
        Some(inside)
    }

    /// The pieces between the commas outside of parentheses, from here to the end.
    pub(super) fn items(&mut self) -> Vec<Self> {
        let mut items = Vec::new();
        let mut start = self.at;
        let mut n_open = 0_usize;
        while self.at < self.end {
            if self.is_symbol("(") {
                n_open += 1;
            } else if self.is_symbol(")") {
                n_open = n_open.saturating_sub(1);
            } else if n_open == 0 && self.is_symbol(",") {
                items.push(Self { at: start, end: self.at, ..self.clone() });
                start = self.at + 1;
            }
            self.at += 1;
        }
        if start < self.end {
            items.push(Self { at: start, end: self.end, ..self.clone() });
        }
        items
    }

    /// The pieces between the places of this keyword outside of parentheses, from here to the end.
    pub(super) fn split(&mut self, keyword: &str) -> Vec<Self> {
        let mut pieces = Vec::new();
        loop {
            let start = self.clone();
            let is_last = !self.find_any(&[keyword]);
            if is_last {
                self.skip_rest();
            }
            pieces.push(start.up_to(self));
            if is_last {
                return pieces;
            }
            self.skip();
        }
    }

    /// Moves over the symbols of a comparison: `<`, `>=`, `<>`, … Gives them; empty if there is none.
    pub(super) fn operator(&mut self) -> String {
        let mut operator = String::new();
        while ["<", "=", ">", "!"].iter().any(|symbol| self.is_symbol(symbol)) {
            operator += self.text();
            self.skip();
        }
        operator
    }

    /// Moves to the first of these keywords outside of parentheses; to none, and not at all, if there is none.
    pub(super) fn find_any(&mut self, keywords: &[&str]) -> bool {
        let found = self.words.find(self.at, |place| {
            place < self.end && keywords.iter().any(|word| self.words.is(place, word))
        });
        let found = found.filter(|&place| place < self.end);
        if let Some(place) = found {
            self.at = place;
        }
        found.is_some()
    }

    /// The same statement at a place it stood at before.
    pub(super) fn back_at(&self, place: usize) -> Self {
        Self { at: place, ..self.clone() }
    }

    /// What lies between here and the place of `other`.
    pub(super) fn up_to(&self, other: &Self) -> Self {
        Self { end: other.at, ..self.clone() }
    }

    /// Whether one of these keywords stands anywhere from here on outside of parentheses.
    pub(super) fn has_any(&self, keywords: &[&str]) -> bool {
        self.clone().find_any(keywords)
    }

    /// Moves past `DEFINER = account`: gives where the account is, and whether it is the one that runs this.
    pub(super) fn definer(&mut self) -> Option<(Range<usize>, bool)> {
        let after = self.words.skip_definer(self.at).min(self.end);
        if after == self.at {
            return None;
        }
        let account = self.at + 2;
        let is_current = self.words.is(account, "CURRENT_USER");
        self.at = after;
        Some((self.span_from(account), is_current))
    }

    /// Moves past MariaDB's `SET STATEMENT … FOR`.
    pub(super) fn set_statement(&mut self) {
        let place = self.at;
        self.at = self.words.skip_set_statement(self.at).min(self.end);
        if self.at > place {
            self.only(Flavour::MariaDb, "SET STATEMENT", place);
        }
    }
}
