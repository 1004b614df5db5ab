//! Text into an [`Expression`]: total, since what it cannot read is unknown.

use super::{Expression, Known};

/// Reads a CHECK's condition as `information_schema.check_constraints.check_clause` has it. MySQL writes the quotes in it
/// with a backslash before each.
pub(in crate::rows) fn parse(text: &str) -> Expression {
    let text = unescaped(text);
    let Some(tokens) = tokens(&text) else { return Expression::Unknown };
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let expression = parser.expression(0);
    if parser.at == parser.tokens.len() { expression } else { Expression::Unknown }
}

/// MySQL escapes the whole clause once more: its first quote has a backslash before it, and so has every backslash.
fn unescaped(text: &str) -> String {
    if !text.find('\'').is_some_and(|at| text[..at].ends_with('\\')) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            c => plain.push(c),
        }
    }
    plain
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// An operator, a parenthesis, a comma, or a word in lower case.
    Word(String),
    Column(String),
    Text(String),
    Number(f64),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let n_bytes = match first {
            '`' => {
                let (name, n_bytes) = quoted(rest, '`')?;
                tokens.push(Token::Column(name));
                n_bytes
            }
            '\'' => {
                let (text, n_bytes) = quoted(rest, '\'')?;
                // What says the text's character set.
                if matches!(tokens.last(), Some(Token::Word(word)) if word.starts_with('_')) {
                    tokens.pop();
                }
                tokens.push(Token::Text(text));
                n_bytes
            }
            '0'..='9' => {
                let n_bytes = prefix(rest, |c| c.is_ascii_digit() || c == '.');
                tokens.push(Token::Number(rest[..n_bytes].parse().ok()?));
                n_bytes
            }
            c if c.is_alphabetic() || c == '_' => {
                let n_bytes = prefix(rest, |c| c.is_alphanumeric() || c == '_');
                tokens.push(Token::Word(rest[..n_bytes].to_lowercase()));
                n_bytes
            }
            c => {
                let pair =
                    ["<=", ">=", "<>", "!=", "&&", "||"].into_iter().find(|pair| rest.starts_with(pair));
                let symbol = pair.map_or_else(|| c.to_string(), str::to_owned);
                let n_bytes = symbol.len();
                tokens.push(Token::Word(symbol));
                n_bytes
            }
        };
        rest = rest[n_bytes..].trim_start();
    }
    Some(tokens)
}

fn prefix(text: &str, belongs: fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// What is quoted at the beginning of `text`, and how many bytes it takes there.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut inner = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '\'' {
            inner.extend(chars.next().map(|(_, c)| c));
        } else if c != quote {
            inner.push(c);
        } else if chars.next_if(|&(_, next)| next == quote).is_some() {
            inner.push(quote);
        } else {
            return Some((inner, at + 1));
        }
    }
    None
}

/// Deeper than this no CHECK is nested that a person wrote.
const MAX_DEPTH: usize = 100;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self, word: &str) -> bool {
        let is_there = self.tokens.get(self.at) == Some(&Token::Word(word.to_owned()));
        self.at += usize::from(is_there);
        is_there
    }

    fn word(&self) -> &str {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => word,
            _ => "",
        }
    }

    /// Reads what binds at least as tight as `binding`: 1 OR, 2 AND, 4 comparison, 5 sum, 6 product.
    fn expression(&mut self, binding: u8) -> Expression {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Expression::Unknown;
        }
        let mut left = self.operand();
        loop {
            let is_not = self.word() == "not";
            let at = self.at;
            self.at += usize::from(is_not);
            let operator = self.word().to_owned();
            let (own, name) = match operator.as_str() {
                "or" | "||" => (1, "or"),
                "and" | "&&" => (2, "and"),
                "=" | "<" | "<=" | ">" | ">=" | "<>" | "!=" | "is" | "in" | "between" | "like" | "regexp"
                | "rlike" => (4, operator.as_str()),
                "+" | "-" => (5, operator.as_str()),
                "*" | "/" | "%" | "div" | "mod" => (6, operator.as_str()),
                _ => (0, ""),
            };
            if own == 0 || own < binding {
                self.at = at;
                break;
            }
            self.at += 1;
            let operation = match name {
                "is" => self.is(left),
                "in" => self.list(vec![left], "in"),
                "between" => {
                    let low = self.expression(5);
                    if !self.take("and") {
                        return Expression::Unknown;
                    }
                    let high = self.expression(5);
                    Expression::Call("between".into(), vec![left, low, high])
                }
                name => Expression::Call(name.into(), vec![left, self.expression(own + 1)]),
            };
            left = if is_not { Expression::Call("not".into(), vec![operation]) } else { operation };
        }
        self.depth -= 1;
        left
    }

    fn is(&mut self, left: Expression) -> Expression {
        let is_not = self.take("not");
        let name = match self.word() {
            "null" => "is null",
            "true" => "is true",
            "false" => "is false",
            _ => return Expression::Unknown,
        };
        self.at += 1;
        let operation = Expression::Call(name.into(), vec![left]);
        if is_not { Expression::Call("not".into(), vec![operation]) } else { operation }
    }

    /// A parenthesis with expressions between commas.
    fn list(&mut self, mut arguments: Vec<Expression>, name: &str) -> Expression {
        if !self.take("(") {
            return Expression::Unknown;
        }
        while !self.take(")") {
            arguments.push(self.expression(0));
            if !self.take(",") && self.word() != ")" {
                return Expression::Unknown;
            }
        }
        Expression::Call(name.into(), arguments)
    }

    fn operand(&mut self) -> Expression {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Column(name)) => Expression::Column(name),
            Some(Token::Text(text)) => Expression::Literal(Known::Text(text)),
            Some(Token::Number(number)) => Expression::Literal(Known::Number(number)),
            Some(Token::Word(word)) => match word.as_str() {
                "(" => {
                    let inner = self.expression(0);
                    if self.take(")") { inner } else { Expression::Unknown }
                }
                "-" => match self.expression(7) {
                    Expression::Literal(Known::Number(number)) => Expression::Literal(Known::Number(-number)),
                    inner => Expression::Call("-".into(), vec![inner]),
                },
                "not" => Expression::Call("not".into(), vec![self.expression(4)]),
                "!" => Expression::Call("not".into(), vec![self.expression(7)]),
                "null" => Expression::Literal(Known::Null),
                "true" => Expression::Literal(Known::Number(1.0)),
                "false" => Expression::Literal(Known::Number(0.0)),
                function if self.word() == "(" => {
                    let function = function.to_owned();
                    self.list(Vec::new(), &function)
                }
                _ => Expression::Unknown,
            },
            None => Expression::Unknown,
        }
    }
}
