//! What a `WHERE` leaves over, where its words alone tell.

use super::{
    super::{
        change::{Condition, Passing},
        lex::TokenKind,
    },
    cursor::Cursor,
};

/// How many parentheses and NOTs are looked into; people write a few.
const DEPTH: usize = 20;

/// The condition from the place after `WHERE` to the end of it.
pub(super) fn condition(cursor: &mut Cursor<'_>) -> Condition {
    // In these an OR, AND or NOT is not what it is elsewhere.
    if cursor.has_any(&["CASE", "XOR", "BETWEEN"]) {
        return Condition::Other;
    }
    match either(cursor, DEPTH) {
        Truth::Always(passing) => Condition::Always(passing),
        Truth::Never | Truth::Depends => Condition::Other,
    }
}

enum Truth {
    /// For each row that these let pass; for every row where there are none.
    Always(Vec<Passing>),
    Never,
    Depends,
}

fn constant(is_true: bool) -> Truth {
    if is_true { Truth::Always(Vec::new()) } else { Truth::Never }
}

fn either(cursor: &mut Cursor<'_>, depth: usize) -> Truth {
    let mut found = Truth::Never;
    for mut side in cursor.split("OR") {
        found = match (found, both(&mut side, depth)) {
            (Truth::Never, side) => side,
            (found, Truth::Never) => found,
            (Truth::Always(passing), _) | (_, Truth::Always(passing)) if passing.is_empty() => {
                return constant(true);
            }
            _ => Truth::Depends,
        };
    }
    found
}

fn both(cursor: &mut Cursor<'_>, depth: usize) -> Truth {
    let mut all = Vec::new();
    for mut side in cursor.split("AND") {
        match test(&mut side, depth) {
            Truth::Always(passing) => all.extend(passing),
            other => return other,
        }
    }
    Truth::Always(all)
}

fn test(cursor: &mut Cursor<'_>, depth: usize) -> Truth {
    let Some(depth) = depth.checked_sub(1) else { return Truth::Depends };
    if cursor.eat(&["NOT"]) || cursor.eat_symbol("!") {
        return match test(cursor, depth) {
            Truth::Never => constant(true),
            Truth::Always(passing) if passing.is_empty() => Truth::Never,
            _ => Truth::Depends,
        };
    }
    let mut group = cursor.clone();
    if let Some(mut inside) = group.group()
        && group.is_done()
        && !inside.is_any(&["SELECT", "WITH", "VALUES", "TABLE"])
    {
        return either(&mut inside, depth);
    }
    comparison(cursor).unwrap_or(Truth::Depends)
}

/// One side of a comparison.
enum Operand {
    Number(f64),
    Text(String),
    Column(String),
}

fn comparison(cursor: &mut Cursor<'_>) -> Option<Truth> {
    let left = operand(cursor)?;
    if cursor.is_done() {
        return match left {
            Operand::Number(number) => Some(constant(number != 0.0)),
            // What a text is as a number is left to the server.
            Operand::Text(_) | Operand::Column(_) => None,
        };
    }
    if cursor.eat(&["IS", "NOT", "NULL"]) {
        let Operand::Column(column) = left else { return cursor.is_done().then(|| constant(true)) };
        return cursor.is_done().then(|| Truth::Always(vec![Passing::NotNull(column)]));
    }
    let operator = cursor.operator();
    let right = operand(cursor)?;
    if !cursor.is_done() {
        return None;
    }
    let is_equal = match (&left, &right) {
        (Operand::Number(one), Operand::Number(other)) => one.to_bits() == other.to_bits(),
        (Operand::Text(one), Operand::Text(other)) if one == other => true,
        (Operand::Column(one), Operand::Column(other)) if one.eq_ignore_ascii_case(other) => {
            let passes = matches!(operator.as_str(), "=" | "<=" | ">=");
            return passes.then(|| Truth::Always(vec![Passing::NotNull(one.clone())]));
        }
        // `id > 0`, as it is written where a client refuses a statement without WHERE.
        (Operand::Column(column), Operand::Number(number)) => {
            let passes = match operator.as_str() {
                ">" | "<>" | "!=" => *number <= 0.0,
                ">=" => *number <= 1.0,
                _ => false,
            };
            return passes.then(|| Truth::Always(vec![Passing::Counted(column.clone())]));
        }
        _ => return None,
    };
    match operator.as_str() {
        "=" | "<=>" => Some(constant(is_equal)),
        "<>" | "!=" => Some(constant(!is_equal)),
        _ => None,
    }
}

fn operand(cursor: &mut Cursor<'_>) -> Option<Operand> {
    if cursor.kind()? == TokenKind::Text {
        return Some(Operand::Text(cursor.string()?.to_owned()));
    }
    for (word, number) in [("TRUE", 1.0), ("FALSE", 0.0)] {
        if cursor.eat(&[word]) {
            return Some(Operand::Number(number));
        }
    }
    let is_negative = cursor.eat_symbol("-");
    if cursor.text().starts_with(|c: char| c.is_ascii_digit()) {
        let number: f64 = cursor.text().parse().ok()?;
        cursor.skip();
        return Some(Operand::Number(if is_negative { -number } else { number }));
    }
    if is_negative || cursor.is_any(&["NULL", "EXISTS"]) {
        return None;
    }
    // A function is no column.
    let name = cursor.name()?;
    (!cursor.is_symbol("(") && !cursor.is_symbol(".")).then_some(Operand::Column(name.name))
}
