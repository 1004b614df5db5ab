//! Text into tokens, as MySQL's and MariaDB's lexers cut it: total, and every byte belongs to exactly one token.
//!
//! Assumed is a `sql_mode` without `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`, which is what sqlx's session has on a
//! stock server. Sources: MySQL 8.4 manual, "String Literals", "Schema Object Names", "Comments"; MariaDB's
//! "Comment Syntax".

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// White space.
    Space,
    /// A comment or an optimizer hint, with its marks.
    Comment,
    /// `/*!`, `/*!50003`, `/*M!100100`: what follows is SQL to some servers.
    VersionOpen,
    /// The `*/` that belongs to a [`TokenKind::VersionOpen`].
    VersionClose,
    /// A keyword, an identifier without quotes, or a number.
    Word,
    /// `` `identifier` ``.
    Identifier,
    /// `'text'`, `"text"`, or `$$text$$` after `AS`.
    Text,
    /// `@variable`, `@@variable`; the host of an account, too.
    Variable,
    /// One character of punctuation, or `:=`.
    Symbol,
}

/// A piece of text, by its byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it lies within a version comment, where a `;` ends nothing.
    pub(super) in_version: bool,
}

impl Token {
    /// Whether the server sees nothing there.
    pub(super) fn is_trivia(self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::Comment)
    }

    /// Whether it is part of a statement's words, rather than trivia or the marks of a version comment.
    pub(super) fn is_significant(self) -> bool {
        !self.is_trivia() && !matches!(self.kind, TokenKind::VersionOpen | TokenKind::VersionClose)
    }
}

/// What was opened and not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclosed {
    Text,
    Identifier,
    Comment,
}

/// The tokens of a text, and what it leaves open at its end.
#[derive(Debug)]
pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    /// What was opened last and never closed, with the offset of its first byte.
    pub(super) unclosed: Option<(Unclosed, usize)>,
}

/// Cuts `text` into tokens.
pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        opens: Vec::new(),
        tokens: Vec::new(),
        unclosed: None,
        previous: None,
    };
    while lexer.at < lexer.bytes.len() {
        lexer.token();
    }
    if let (None, Some(&open)) = (lexer.unclosed, lexer.opens.first()) {
        lexer.unclosed = Some((Unclosed::Comment, open));
    }
    Lexed { tokens: lexer.tokens, unclosed: lexer.unclosed }
}

/// mysqldump's and mariadb-dump's way to write a comment that no server's version reaches, such as
/// `/*M!999999\- enable the sandbox mode */`.
const NEVER: &str = "999999";

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Where the version comments around `at` began.
    opens: Vec<usize>,
    tokens: Vec<Token>,
    unclosed: Option<(Unclosed, usize)>,
    /// The last significant token.
    previous: Option<Token>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn token(&mut self) {
        let start = self.at;
        let in_version = !self.opens.is_empty();
        let kind = self.advance();
        // Whatever a branch above thought of, a token has a byte at least, so the loop ends.
        self.at = self.at.clamp(start + 1, self.bytes.len());
        let token = Token { kind, start, end: self.at, in_version };
        if token.is_significant() {
            self.previous = Some(token);
        }
        self.tokens.push(token);
    }

    fn advance(&mut self) -> TokenKind {
        let byte = self.bytes[self.at];
        match byte {
            _ if is_space(byte) => {
                self.skip_while(is_space);
                TokenKind::Space
            }
            b'#' => self.line_comment(),
            // Without the white space `--` is minus minus: `SELECT 1--1` is 2.
            b'-' if self.peek(1) == Some(b'-')
                && self.peek(2).is_none_or(|b| is_space(b) || b.is_ascii_control()) =>
            {
                self.line_comment()
            }
            b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
            b'*' if self.peek(1) == Some(b'/') && !self.opens.is_empty() => {
                self.opens.pop();
                self.at += 2;
                TokenKind::VersionClose
            }
            b'\'' | b'"' => self.quoted(byte, true, TokenKind::Text, Unclosed::Text),
            b'`' => self.quoted(byte, false, TokenKind::Identifier, Unclosed::Identifier),
            b'@' => self.variable(),
            // `\N` is NULL; any other backslash out here is a command of the mysql client.
            b'\\' if self.peek(1) == Some(b'N') => {
                self.at += 2;
                TokenKind::Word
            }
            b':' if self.peek(1) == Some(b'=') => {
                self.at += 2;
                TokenKind::Symbol
            }
            b'$' if self.follows_as() && self.dollar_quoted() => TokenKind::Text,
            _ if is_word(byte) => self.word(),
            _ => {
                self.at += 1;
                TokenKind::Symbol
            }
        }
    }

    fn skip_while(&mut self, belongs: fn(u8) -> bool) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len());
    }

    fn line_comment(&mut self) -> TokenKind {
        self.skip_while(|byte| byte != b'\n');
        TokenKind::Comment
    }

    fn block_comment(&mut self) -> TokenKind {
        let start = self.at;
        let rest = &self.text[start..];
        let marks = ["/*!", "/*M!"].into_iter().find(|marks| rest.starts_with(marks)).map(str::len);
        if let Some(n_marks) = marks
            && !rest[n_marks..].starts_with(NEVER)
        {
            let n_digits = rest[n_marks..].bytes().take(6).take_while(u8::is_ascii_digit).count();
            // Fewer than five digits are no version but the content's first number.
            self.at += n_marks + if n_digits >= 5 { n_digits } else { 0 };
            self.opens.push(start);
            return TokenKind::VersionOpen;
        }
        // From the third byte on: `/*/` does not close itself.
        match rest[2..].find("*/") {
            Some(found) => self.at += 2 + found + 2,
            None => self.leave_open(Unclosed::Comment),
        }
        TokenKind::Comment
    }

    fn quoted(&mut self, quote: u8, escapes: bool, kind: TokenKind, unclosed: Unclosed) -> TokenKind {
        let mut at = self.at + 1;
        loop {
            match self.bytes.get(at) {
                None => {
                    self.leave_open(unclosed);
                    break;
                }
                Some(b'\\') if escapes => at += 2,
                Some(&byte) if byte == quote && self.bytes.get(at + 1) == Some(&quote) => at += 2,
                Some(&byte) if byte == quote => {
                    self.at = at + 1;
                    break;
                }
                Some(_) => at += 1,
            }
        }
        kind
    }

    fn leave_open(&mut self, what: Unclosed) {
        self.unclosed = Some((what, self.at));
        self.at = self.bytes.len();
    }

    fn variable(&mut self) -> TokenKind {
        let start = self.at;
        self.at += if self.peek(1) == Some(b'@') { 2 } else { 1 };
        let name = self.at;
        self.skip_while(|byte| is_word(byte) || byte == b'.');
        // `@'host'` and `` @`name` ``: what follows is quoted and a token of its own.
        if self.at == name && self.at == start + 1 { TokenKind::Symbol } else { TokenKind::Variable }
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_while(is_word);
        let is_number = self.bytes[start..self.at].iter().all(u8::is_ascii_digit);
        if is_number && self.peek(0) == Some(b'.') && !self.follows(".") {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        TokenKind::Word
    }

    fn follows(&self, text: &str) -> bool {
        self.previous.is_some_and(|token| self.text[token.start..token.end].eq_ignore_ascii_case(text))
    }

    fn follows_as(&self) -> bool {
        self.follows("AS")
    }

    /// Moves over `$tag$ … $tag$`, the body of a routine in another language (MySQL 9 manual, "CREATE PROCEDURE").
    fn dollar_quoted(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(n_tag) = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_') else {
            return false;
        };
        if !rest[1 + n_tag..].starts_with('$') {
            return false;
        }
        let tag = &rest[..n_tag + 2];
        let Some(found) = rest[tag.len()..].find(tag) else { return false };
        self.at += tag.len() + found + tag.len();
        true
    }
}

/// The white space of the servers' lexers: `isspace` of the C locale.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// What an identifier without quotes may hold; all of Unicode beyond ASCII counts.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}
