//! Statements about rows, and `SET`.

use super::{
    super::{
        change::{Assignment, Condition, Rows, Scope, Verb},
        lex::TokenKind,
    },
    condition::condition,
    cursor::Cursor,
};
use crate::tenant::Flavour;

/// `INSERT`, `REPLACE`, `UPDATE`, `DELETE` or `LOAD`, from that word on.
pub(super) fn rows(cursor: &mut Cursor<'_>) -> Option<Rows> {
    let start = cursor.place();
    let verb = match cursor.keyword().as_str() {
        "INSERT" => Verb::Insert,
        "REPLACE" => Verb::Replace,
        "UPDATE" => Verb::Update,
        "DELETE" => Verb::Delete,
        "LOAD" => Verb::Load,
        _ => return None,
    };
    cursor.skip();
    while cursor.eat_any(&["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK"]) {}
    let ignore = cursor.is("IGNORE").then(|| cursor.here());
    cursor.eat(&["IGNORE"]);
    let mut rows = Rows {
        verb,
        tables: Vec::new(),
        sources: Vec::new(),
        assigned: Vec::new(),
        ignore,
        condition: filter(cursor),
        has_join: false,
        has_limit: cursor.has_any(&["LIMIT"]),
        has_query: false,
        span: cursor.span_from(start),
    };
    if matches!(verb, Verb::Update | Verb::Delete) {
        rows.has_join = cursor.has_any(&["JOIN", "STRAIGHT_JOIN"]);
    }
    match verb {
        Verb::Insert | Verb::Replace => {
            cursor.eat(&["INTO"]);
            rows.tables.push(cursor.name()?);
            let in_parentheses = query_in_parentheses(cursor);
            rows.has_query = cursor.has_any(&["SELECT", "TABLE", "WITH"]) || in_parentheses.is_some();
            rows.sources = sources(in_parentheses.as_ref().unwrap_or(cursor));
        }
        Verb::Update => {
            rows.tables = referenced(cursor, &["SET"])?;
            rows.assigned = assigned(cursor);
        }
        Verb::Delete => {
            if cursor.eat(&["FROM"]) {
                let ends = ["USING", "WHERE", "ORDER", "LIMIT", "RETURNING"];
                rows.tables = referenced(cursor, &ends)?;
                if cursor.eat(&["USING"]) {
                    rows.tables.extend(referenced(cursor, &["WHERE"])?);
                }
            } else {
                rows.tables = targets(cursor)?;
                cursor.eat(&["FROM"]).then_some(())?;
                rows.tables.extend(referenced(cursor, &["WHERE"])?);
            }
        }
        Verb::Load => {
            cursor.find_any(&["INTO"]).then_some(())?;
            cursor.eat(&["INTO", "TABLE"]).then_some(())?;
            rows.tables.push(cursor.name()?);
        }
    }
    rows.span = cursor.span_from(start);
    if cursor.find_any(&["RETURNING"]) {
        let place = cursor.place();
        cursor.skip();
        cursor.only(Flavour::MariaDb, "RETURNING", place);
    }
    cursor.skip_rest();
    Some(rows)
}

/// What the `WHERE` leaves over, if there is one.
fn filter(cursor: &Cursor<'_>) -> Condition {
    let mut start = cursor.clone();
    if !start.find_any(&["WHERE"]) {
        return Condition::None;
    }
    start.skip();
    let mut end = start.clone();
    if !end.find_any(&["ORDER", "LIMIT", "RETURNING"]) {
        end.skip_rest();
    }
    condition(&mut start.up_to(&end))
}

fn query_in_parentheses<'a>(cursor: &Cursor<'a>) -> Option<Cursor<'a>> {
    let mut cursor = cursor.clone();
    // The columns, if any, then the query in parentheses.
    while let Some(group) = cursor.group() {
        if group.is_any(&["SELECT", "WITH", "TABLE"]) {
            return Some(group);
        }
    }
    None
}

/// The tables of the first `FROM` of a query, or the one of `TABLE t`.
fn sources(cursor: &Cursor<'_>) -> Vec<super::Name> {
    let mut end = cursor.clone();
    if !end.find_any(&["DUPLICATE"]) {
        end.skip_rest();
    }
    let mut query = cursor.up_to(&end);
    if !query.find_any(&["SELECT", "TABLE"]) {
        return Vec::new();
    }
    if query.eat(&["TABLE"]) {
        return query.name().into_iter().collect();
    }
    if !query.find_any(&["FROM"]) {
        return Vec::new();
    }
    query.skip();
    let ends = [
        "WHERE",
        "GROUP",
        "HAVING",
        "WINDOW",
        "ORDER",
        "LIMIT",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "FOR",
        "RETURNING",
    ];
    referenced(&mut query, &ends).unwrap_or_default()
}

/// The targets of a `DELETE` of several tables; `.*` may follow each.
fn targets(cursor: &mut Cursor<'_>) -> Option<Vec<super::Name>> {
    let mut names = Vec::new();
    loop {
        names.push(cursor.name()?);
        if cursor.eat_symbol(".") {
            cursor.eat_symbol("*").then_some(())?;
        }
        if !cursor.eat_symbol(",") {
            return Some(names);
        }
    }
}

/// The tables of a `FROM`, up to one of the words that end it.
fn referenced(cursor: &mut Cursor<'_>, ends: &[&str]) -> Option<Vec<super::Name>> {
    let mut names = Vec::new();
    let mut is_table_next = true;
    while !cursor.is_done() && !cursor.is_any(ends) {
        if is_table_next {
            is_table_next = false;
            cursor.eat(&["LATERAL"]);
            if cursor.group().is_none() {
                names.push(cursor.name()?);
                if cursor.eat_symbol(".") {
                    cursor.eat_symbol("*");
                }
            }
        } else if cursor.eat_symbol(",") || cursor.eat_any(&["JOIN", "STRAIGHT_JOIN"]) {
            is_table_next = true;
        } else if cursor.group().is_none() {
            cursor.skip();
        }
    }
    (!names.is_empty()).then_some(names)
}

/// The columns after the `SET` of an `UPDATE`.
fn assigned(cursor: &Cursor<'_>) -> Vec<String> {
    let mut cursor = cursor.clone();
    cursor.skip();
    cursor.items().iter_mut().filter_map(Cursor::name).map(|name| name.name).collect()
}

/// What stands after `SET`.
pub(super) fn assignments(cursor: &mut Cursor<'_>) -> Option<Vec<Assignment>> {
    let mut scope = Scope::Session;
    let mut assignments = Vec::new();
    for mut item in cursor.items() {
        let start = item.place();
        if item.eat_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY"]) {
            scope = Scope::Server;
        } else if item.eat_any(&["SESSION", "LOCAL"]) {
            scope = Scope::Session;
        }
        let (scope_here, name) = variable(&mut item, scope)?;
        if !item.eat_symbol("=") {
            item.eat_symbol(":=");
        }
        let value = written(&item);
        item.skip_rest();
        assignments.push(Assignment { scope: scope_here, name, value, span: item.span_from(start) });
    }
    Some(assignments)
}

/// The words that are left, with a space between them.
fn written(cursor: &Cursor<'_>) -> String {
    let mut cursor = cursor.clone();
    let mut words = Vec::new();
    while !cursor.is_done() {
        words.push(cursor.text());
        cursor.skip();
    }
    words.join(" ")
}

fn variable(item: &mut Cursor<'_>, scope: Scope) -> Option<(Scope, String)> {
    match item.kind()? {
        TokenKind::Variable => {
            let written = item.text().to_ascii_lowercase();
            item.skip();
            let Some(name) = written.strip_prefix("@@") else {
                return Some((Scope::User, written.trim_start_matches('@').to_owned()));
            };
            let (prefix, name) = name.split_once('.').unwrap_or(("session", name));
            let is_server = matches!(prefix, "global" | "persist" | "persist_only");
            let scope = if is_server { Scope::Server } else { Scope::Session };
            // @@session.`name`
            let name =
                if name.is_empty() { item.identifier()?.to_ascii_lowercase() } else { name.to_owned() };
            Some((scope, name))
        }
        TokenKind::Symbol if item.eat_symbol("@") => {
            let name = match item.string() {
                Some(text) => text.to_owned(),
                None => item.identifier()?,
            };
            Some((Scope::User, name))
        }
        _ => {
            let mut name = item.identifier()?.to_ascii_lowercase();
            // SET NAMES x, SET CHARACTER SET x, SET TRANSACTION …, SET PASSWORD …: two words say what is set.
            if name == "character" {
                item.eat(&["SET"]);
                "character set".clone_into(&mut name);
            }
            Some((scope, name))
        }
    }
}
