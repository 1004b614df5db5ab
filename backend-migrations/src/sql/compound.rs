//! Where a statement ends: at its `;`, unless that stands in the body of a stored program.
//!
//! The servers find a body's end by their grammar. Here a stack of open blocks and the question "does a statement
//! begin here?" are enough: `IF` and `CASE` open a block where a statement begins and are a function and an
//! expression elsewhere; `END` closes one where a statement could begin and is a column's name elsewhere (it is not
//! reserved). Sources: MySQL 8.4 manual, "Compound Statement Syntax" and "Keywords and Reserved Words"; MariaDB's
//! "Using Compound Statements Outside of Stored Programs" and "CREATE PACKAGE".

use super::{lex::TokenKind, words::Words};

/// A block that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Begin,
    If,
    Case,
    CaseExpression,
    Loop,
    Repeat,
    While,
    For,
    Package,
}

impl Block {
    fn of(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "BEGIN" => Self::Begin,
            "IF" => Self::If,
            "CASE" => Self::Case,
            "LOOP" => Self::Loop,
            "REPEAT" => Self::Repeat,
            "WHILE" => Self::While,
            "FOR" => Self::For,
            _ => return None,
        })
    }

    /// Whether its statements follow its keyword at once.
    fn has_no_head(self) -> bool {
        matches!(self, Self::Begin | Self::Loop | Self::Repeat)
    }
}

#[derive(Debug)]
struct Frame {
    block: Block,
    /// The token that opened it.
    at: usize,
    /// How many parentheses were open then.
    n_open: usize,
    /// Whether what comes before its statements is still being read; of a package: whether a member's body is due.
    in_head: bool,
}

/// Where a stored program's body begins.
struct Body {
    at: usize,
    is_package: bool,
}

/// The place of the `;` that ends the statement beginning at `from`, or the number of tokens.
///
/// # Errors
///
/// The token that opens the innermost block which is never closed.
pub(super) fn end(words: &Words<'_>, from: usize) -> Result<usize, usize> {
    match body(words, from) {
        Some(body) => Walk::new(words, &body).end(),
        None => Ok((from..words.len()).find(|&at| words.is_end(at)).unwrap_or(words.len())),
    }
}

/// Whether the statement beginning at `from` has a body, in which a `;` may stand anywhere.
pub(super) fn has_body(words: &Words<'_>, from: usize) -> bool {
    body(words, from).is_some()
}

fn body(words: &Words<'_>, from: usize) -> Option<Body> {
    let at = words.skip_set_statement(from);
    let first = words.keyword(at);
    let plain = |at: usize| Some(Body { at, is_package: false }).filter(|_| !words.is_end(at));
    match first.as_str() {
        "BEGIN" if words.are(at + 1, &["NOT", "ATOMIC"]) => plain(at),
        "IF" | "CASE" | "LOOP" | "REPEAT" | "WHILE" | "FOR" => plain(at),
        "CREATE" | "ALTER" => {
            let at = words.skip_definer(words.skip(at + 1, &["OR", "REPLACE"]));
            let at = words.skip(at, &["AGGREGATE"]);
            let name = words.skip(words.skip(at + 1, &["IF", "NOT", "EXISTS"]), &["IF", "EXISTS"]);
            match words.keyword(at).as_str() {
                "EVENT" => words
                    .find(words.skip_name(name), |place| words.is(place, "DO"))
                    .and_then(|place| plain(place + 1)),
                _ if first == "ALTER" => None,
                "PROCEDURE" => {
                    plain(skip_characteristics(words, words.skip_parentheses(words.skip_name(name))))
                }
                "FUNCTION" => {
                    function_body(words, words.skip_parentheses(words.skip_name(name))).and_then(plain)
                }
                "TRIGGER" => words
                    .find(words.skip_name(name), |place| words.are(place, &["EACH", "ROW"]))
                    .and_then(|place| plain(skip_trigger_order(words, place + 2))),
                "PACKAGE" => {
                    let name = words.skip(at + 1, &["BODY"]);
                    let name = words.skip(name, &["IF", "NOT", "EXISTS"]);
                    let at = skip_characteristics(words, words.skip_name(name));
                    Some(Body { at, is_package: true }).filter(|_| !words.is_end(at))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn skip_characteristics(words: &Words<'_>, mut at: usize) -> usize {
    loop {
        at = match words.keyword(at).as_str() {
            "COMMENT" | "LANGUAGE" => at + 2,
            "SQL" | "NOT" | "DETERMINISTIC" | "CONTAINS" | "NO" | "READS" | "MODIFIES" | "DATA"
            | "SECURITY" | "DEFINER" | "INVOKER" | "AS" | "IS" => at + 1,
            _ => return at,
        };
    }
}

fn skip_trigger_order(words: &Words<'_>, at: usize) -> usize {
    if words.is(at, "FOLLOWS") || words.is(at, "PRECEDES") { words.skip_name(at + 1) } else { at }
}

/// A function's body has a `RETURN`, so it can only begin with one of these; its type before it cannot.
fn function_body(words: &Words<'_>, from: usize) -> Option<usize> {
    words
        .find(from, |at| {
            let keyword = words.keyword(at);
            keyword == "RETURN" || keyword == "SONAME" || Block::of(&keyword).is_some() || is_label(words, at)
        })
        .filter(|&at| !words.is(at, "SONAME"))
}

fn is_label(words: &Words<'_>, at: usize) -> bool {
    matches!(words.kind(at), Some(TokenKind::Word | TokenKind::Identifier)) && words.is_symbol(at + 1, ":")
}

/// The way through a body, token by token.
struct Walk<'a> {
    words: &'a Words<'a>,
    at: usize,
    stack: Vec<Frame>,
    n_open: usize,
    /// Whether a statement of the body begins at `at`.
    is_fresh: bool,
}

impl<'a> Walk<'a> {
    fn new(words: &'a Words<'a>, body: &Body) -> Self {
        let package = Frame { block: Block::Package, at: body.at, n_open: 0, in_head: false };
        let stack = if body.is_package { vec![package] } else { Vec::new() };
        Self { words, at: body.at, stack, n_open: 0, is_fresh: true }
    }

    fn end(mut self) -> Result<usize, usize> {
        while self.at < self.words.len() {
            if self.words.is_symbol(self.at, ";") {
                self.drop_expressions();
                if self.stack.is_empty() && self.words.is_end(self.at) {
                    return Ok(self.at);
                }
                self.n_open = self.stack.last().map_or(0, |frame| frame.n_open);
                self.begin_statement(self.at + 1);
            } else if self.is_fresh {
                self.is_fresh = false;
                self.first_word();
            } else {
                self.later_word();
            }
        }
        self.drop_expressions();
        match self.stack.last() {
            Some(frame) => Err(frame.at),
            None => Ok(self.words.len()),
        }
    }

    /// An expression that is open where its statement ends is the server's to complain about.
    fn drop_expressions(&mut self) {
        while self.top() == Some(Block::CaseExpression) {
            self.stack.pop();
        }
    }

    fn top(&self) -> Option<Block> {
        self.stack.last().map(|frame| frame.block)
    }

    fn begin_statement(&mut self, at: usize) {
        self.at = at;
        self.is_fresh = true;
    }

    fn push(&mut self, block: Block) {
        self.stack.push(Frame { block, at: self.at, n_open: self.n_open, in_head: !block.has_no_head() });
        self.at += 1;
        self.is_fresh = block.has_no_head();
    }

    fn first_word(&mut self) {
        let at = self.at;
        if is_label(self.words, at) {
            return self.begin_statement(at + 2);
        }
        match self.words.keyword(at).as_str() {
            "BEGIN" => {
                if let Some(package) = self.stack.last_mut().filter(|frame| frame.block == Block::Package) {
                    // Without a member before it, this is the package's own initialisation: its END is the package's.
                    if !std::mem::take(&mut package.in_head) {
                        return self.begin_statement(at + 1);
                    }
                }
                self.push(Block::Begin);
                self.at = self.words.skip(self.at, &["NOT", "ATOMIC"]);
            }
            "END" => self.close(),
            "ELSE" => self.begin_statement(at + 1),
            "DECLARE" if self.words.are(at + 2, &["HANDLER", "FOR"]) => {
                let statement = skip_conditions(self.words, at + 4);
                self.begin_statement(statement);
            }
            "PROCEDURE" | "FUNCTION" if self.top() == Some(Block::Package) => {
                if let Some(package) = self.stack.last_mut() {
                    package.in_head = true;
                }
                self.at += 1;
            }
            keyword => match Block::of(keyword) {
                Some(block) => self.push(block),
                None => self.later_word(),
            },
        }
    }

    fn later_word(&mut self) {
        let at = self.at;
        if self.words.is_symbol(at, "(") {
            self.n_open += 1;
        } else if self.words.is_symbol(at, ")") {
            self.n_open = self.n_open.saturating_sub(1);
        }
        let keyword = self.words.keyword(at);
        let top = self.stack.last_mut().filter(|frame| frame.n_open == self.n_open);
        match (keyword.as_str(), top) {
            ("CASE", _) => return self.push(Block::CaseExpression),
            ("END", Some(Frame { block: Block::CaseExpression, .. })) if follows_operand(self.words, at) => {
                self.stack.pop();
            }
            ("END", Some(Frame { block: Block::Repeat, .. })) if self.words.is(at + 1, "REPEAT") => {
                return self.close();
            }
            ("THEN", Some(Frame { block: Block::If | Block::Case, .. })) => {
                return self.begin_statement(at + 1);
            }
            ("DO", Some(frame @ Frame { block: Block::While | Block::For, in_head: true, .. })) => {
                frame.in_head = false;
                return self.begin_statement(at + 1);
            }
            // `FOR … LOOP … END LOOP`, as Oracle's mode has it.
            ("LOOP", Some(frame @ Frame { block: Block::While | Block::For, in_head: true, .. })) => {
                frame.block = Block::Loop;
                return self.begin_statement(at + 1);
            }
            ("BEGIN", Some(frame @ Frame { block: Block::Package, in_head: true, .. })) => {
                frame.in_head = false;
                return self.push(Block::Begin);
            }
            _ => {}
        }
        self.at += 1;
    }

    /// Takes `END`, `END IF` and the like, and whatever was left open inside: the server will say what is wrong there.
    fn close(&mut self) {
        let named = Block::of(&self.words.keyword(self.at + 1)).filter(|&block| block != Block::Begin);
        let closes = |frame: &Frame| match named {
            Some(block) => frame.block == block,
            None => matches!(frame.block, Block::Begin | Block::Package),
        };
        match self.stack.iter().rposition(closes) {
            Some(place) => self.stack.truncate(place),
            None => drop(self.stack.pop()),
        }
        self.at += if named.is_some() { 2 } else { 1 };
        self.n_open = self.stack.last().map_or(0, |frame| frame.n_open);
    }
}

/// The place after a handler's conditions: `1062`, `SQLSTATE VALUE '23000'`, `NOT FOUND`, a name, with commas between.
fn skip_conditions(words: &Words<'_>, mut at: usize) -> usize {
    loop {
        at = match words.keyword(at).as_str() {
            "SQLSTATE" => words.skip(at + 1, &["VALUE"]) + 1,
            "NOT" => at + 2,
            _ => at + 1,
        };
        if !words.is_symbol(at, ",") {
            return at;
        }
        at += 1;
    }
}

/// Whether an expression can end before `at`; where none can, `END` is a column's name.
fn follows_operand(words: &Words<'_>, at: usize) -> bool {
    let before = at.saturating_sub(1);
    match words.kind(before) {
        Some(TokenKind::Symbol) => words.is_symbol(before, ")") && !words.is_symbol(at + 1, "."),
        Some(TokenKind::Word) => !matches!(
            words.keyword(before).as_str(),
            "CASE"
                | "WHEN"
                | "THEN"
                | "ELSE"
                | "AND"
                | "OR"
                | "XOR"
                | "NOT"
                | "IN"
                | "IS"
                | "LIKE"
                | "RLIKE"
                | "REGEXP"
                | "BETWEEN"
                | "DIV"
                | "MOD"
                | "BINARY"
                | "INTERVAL"
        ),
        _ => true,
    }
}
