//! What a CHECK asks, as far as it can be told without a server.
//!
//! Comparisons, `AND`, `OR`, `NOT`, `IN`, `BETWEEN`, `LIKE`, `IS NULL`, arithmetic and a few functions are understood as
//! both servers print them in `information_schema`. Anything else is unknown, and the server is asked by trying.

mod parse;

use std::{cmp::Ordering, collections::BTreeMap};

pub(super) use self::parse::parse;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// A column's value.
    Column(String),
    /// A number, a text or NULL.
    Literal(Known),
    /// A function, or an operator, by its name in lower case.
    Call(String, Vec<Expression>),
    /// What is not understood.
    Unknown,
}

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    /// NULL.
    Null,
    /// A number; truth is 1 and falsehood 0.
    Number(f64),
    /// Text, dates included.
    Text(String),
    /// Only the server knows.
    Unknown,
}

impl Known {
    fn truth(is_true: bool) -> Self {
        Self::Number(f64::from(u8::from(is_true)))
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Null | Self::Unknown => None,
        }
    }

    fn is_true(&self) -> Option<bool> {
        self.number().map(|number| number != 0.0)
    }
}

impl Expression {
    /// Whether a row with these values passes; `None` where only the server knows. What comes to NULL passes.
    pub(super) fn passes(&self, row: &BTreeMap<&str, Known>) -> Option<bool> {
        match self.value(row) {
            Known::Unknown => None,
            Known::Null => Some(true),
            known => known.is_true(),
        }
    }

    /// Calls `visit` with this expression and all that it consists of.
    pub(super) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        if let Self::Call(_, arguments) = self {
            for argument in arguments {
                argument.walk(visit);
            }
        }
    }

    fn value(&self, row: &BTreeMap<&str, Known>) -> Known {
        match self {
            Self::Column(name) => row.get(name.as_str()).cloned().unwrap_or(Known::Unknown),
            Self::Literal(known) => known.clone(),
            Self::Unknown => Known::Unknown,
            Self::Call(name, arguments) => {
                let values: Vec<_> = arguments.iter().map(|argument| argument.value(row)).collect();
                call(name, &values)
            }
        }
    }
}

fn call(name: &str, values: &[Known]) -> Known {
    use Known::{Null, Number, Text, Unknown};

    match (name, values) {
        ("and" | "or", [left, right]) => connect(name == "or", left, right),
        ("is null", [value]) if *value != Unknown => Known::truth(*value == Null),
        ("is true" | "is false", [value]) if *value != Unknown => {
            Known::truth(value.is_true() == Some(name == "is true"))
        }
        ("coalesce" | "ifnull", values) => {
            values.iter().find(|value| **value != Null).cloned().unwrap_or(Null)
        }
        ("in", [value, list @ ..]) => list
            .iter()
            .map(|one| call("=", &[value.clone(), one.clone()]))
            .fold(Known::truth(false), |all, one| connect(true, &all, &one)),
        ("between", [value, low, high]) => connect(
            false,
            &call(">=", &[value.clone(), low.clone()]),
            &call("<=", &[value.clone(), high.clone()]),
        ),
        (_, values) if values.contains(&Unknown) => Unknown,
        (_, values) if values.contains(&Null) => Null,
        ("not", [value]) => value.is_true().map_or(Unknown, |is_true| Known::truth(!is_true)),
        ("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=", [left, right]) => {
            compare(left, right).map_or(Unknown, |ordering| Known::truth(holds(name, ordering)))
        }
        ("like", [Text(text), Text(pattern)]) => {
            let (text, pattern): (Vec<_>, Vec<_>) =
                (text.to_lowercase().chars().collect(), pattern.to_lowercase().chars().collect());
            Known::truth(is_like(&text, &pattern))
        }
        ("char_length" | "character_length", [Text(text)]) => count(text.chars().count()),
        ("length" | "octet_length", [Text(text)]) => count(text.len()),
        ("lower" | "lcase", [Text(text)]) => Text(text.to_lowercase()),
        ("upper" | "ucase", [Text(text)]) => Text(text.to_uppercase()),
        ("trim", [Text(text)]) => Text(text.trim_matches(' ').to_owned()),
        ("abs", [value]) => value.number().map_or(Unknown, |number| Number(number.abs())),
        ("-", [value]) => value.number().map_or(Unknown, |number| Number(-number)),
        ("+" | "-" | "*" | "/" | "%" | "mod" | "div", [left, right]) => {
            match (left.number(), right.number()) {
                (Some(left), Some(right)) => arithmetic(name, left, right),
                _ => Unknown,
            }
        }
        _ => Unknown,
    }
}

/// `AND` and `OR` of three truths, with a fourth that is not known.
fn connect(is_or: bool, left: &Known, right: &Known) -> Known {
    let decides = |value: &Known| value.is_true() == Some(is_or);
    if decides(left) || decides(right) {
        Known::truth(is_or)
    } else if *left == Known::Unknown || *right == Known::Unknown {
        Known::Unknown
    } else if *left == Known::Null || *right == Known::Null {
        Known::Null
    } else {
        Known::truth(!is_or)
    }
}

fn count(n: usize) -> Known {
    u32::try_from(n).map_or(Known::Unknown, |n| Known::Number(f64::from(n)))
}

fn compare(left: &Known, right: &Known) -> Option<Ordering> {
    if let (Known::Text(left), Known::Text(right)) = (left, right) {
        // The usual collations know no case.
        return Some(left.to_lowercase().cmp(&right.to_lowercase()));
    }
    left.number()?.partial_cmp(&right.number()?)
}

fn holds(operator: &str, ordering: Ordering) -> bool {
    match operator {
        "=" => ordering.is_eq(),
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        ">=" => ordering.is_ge(),
        _ => ordering.is_ne(),
    }
}

fn arithmetic(operator: &str, left: f64, right: f64) -> Known {
    match operator {
        "+" => Known::Number(left + right),
        "-" => Known::Number(left - right),
        "*" => Known::Number(left * right),
        _ if right == 0.0 => Known::Null,
        "/" => Known::Number(left / right),
        "div" => Known::Number((left / right).trunc()),
        _ => Known::Number(left % right),
    }
}

fn is_like(text: &[char], pattern: &[char]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        (['%', rest @ ..], _) => (0..=text.len()).any(|at| is_like(&text[at..], rest)),
        (['_', rest @ ..], [_, others @ ..]) => is_like(others, rest),
        (['\\', one, rest @ ..] | [one, rest @ ..], [first, others @ ..]) => {
            first == one && is_like(others, rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, row: &[(&str, Known)], passes: Option<bool>) {
        let row: BTreeMap<_, _> = row.iter().cloned().collect();
        assert_eq!(parse(expression).passes(&row), passes, "{expression}");
    }

    fn n(number: f64) -> Known {
        Known::Number(number)
    }

    fn t(text: &str) -> Known {
        Known::Text(text.into())
    }

    #[test]
    fn as_mysql_prints_them() {
        check("(`a` > 0)", &[("a", n(1.0))], Some(true));
        check("(`a` > 0)", &[("a", n(0.0))], Some(false));
        check("(`a` > 0)", &[("a", Known::Null)], Some(true));
        check("((`a` >= 1) and (`a` <= 5))", &[("a", n(6.0))], Some(false));
        check(r"(`s` in (_utf8mb4\'new\',_utf8mb4\'it\'\'s\'))", &[("s", t("NEW"))], Some(true));
        check(r"(`s` in (_utf8mb4'new',_utf8mb4'old'))", &[("s", t("x"))], Some(false));
        check("(`a` between 1 and 5)", &[("a", n(5.0))], Some(true));
        check("(`a` not between 1 and 5)", &[("a", n(5.0))], Some(false));
        check("(char_length(`s`) = 3)", &[("s", t("äöü"))], Some(true));
        check("((`a` is null) <> (`b` is null))", &[("a", Known::Null), ("b", n(1.0))], Some(true));
        check(
            "((`a` is not null) or (`b` is not null))",
            &[("a", Known::Null), ("b", Known::Null)],
            Some(false),
        );
        check("((`a` % 2) = 0)", &[("a", n(3.0))], Some(false));
        check(r"(`s` like _utf8mb4\'%@%.%\')", &[("s", t("a@b.c"))], Some(true));
        check("(`a` < `b`)", &[("a", t("2024-01-02")), ("b", t("2024-01-01"))], Some(false));
    }

    #[test]
    fn as_mariadb_prints_them() {
        check("`a` > 0 and `b` in ('x','y')", &[("a", n(1.0)), ("b", t("y"))], Some(true));
        check("`a` is null or `a` > -5", &[("a", n(-6.0))], Some(false));
        check("octet_length(`s`) <= 2 or `a` = 1", &[("s", t("abc")), ("a", n(1.0))], Some(true));
        check("!(`a` = 1)", &[("a", n(1.0))], Some(false));
        check("`a` + 1 = 2 * 3 - 1", &[("a", n(4.0))], Some(true));
    }

    #[test]
    fn the_server_is_asked_where_it_alone_knows() {
        check("regexp_like(`s`,_utf8mb4'^a')", &[("s", t("a"))], None);
        check("`s` regexp '^a'", &[("s", t("a"))], None);
        check("json_valid(`j`)", &[("j", t("{}"))], None);
        check("(`a` > 0) and regexp_like(`s`, 'x')", &[("a", n(0.0)), ("s", t("a"))], Some(false));
        check("case when `a` > 1 then 1 else 0 end", &[("a", n(0.0))], None);
        check("", &[], None);
        check("((((", &[], None);
    }
}
