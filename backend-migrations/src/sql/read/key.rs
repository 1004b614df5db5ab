//! Indexes, foreign keys and checks.

use super::{
    super::change::{Check, ForeignKey, Index, IndexKind, Name, Part},
    cursor::Cursor,
};
use crate::tenant::Flavour;

/// An element of a table that is no column.
pub(super) enum Key {
    Index {
        index: Index,
        if_not_exists: bool,
    },
    ForeignKey(ForeignKey),
    Check(Check),
    /// Known, and nothing that rules ask for.
    Other,
}

/// Whether what stands here is no column.
pub(super) fn is_key(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&[
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "INDEX",
        "KEY",
        "FULLTEXT",
        "SPATIAL",
        "FOREIGN",
        "CHECK",
    ]) || cursor.are(&["VECTOR", "INDEX"])
        || cursor.are(&["VECTOR", "KEY"])
        || cursor.are(&["PERIOD", "FOR"])
}

/// An index, foreign key or check; `None` if it was not understood.
pub(super) fn key(cursor: &mut Cursor<'_>) -> Option<Key> {
    let start = cursor.place();
    if cursor.eat(&["PERIOD", "FOR"]) {
        cursor.only(Flavour::MariaDb, "PERIOD FOR", start);
        cursor.skip_rest();
        return Some(Key::Other);
    }
    let symbol = constraint_name(cursor);
    let kind = if cursor.eat(&["PRIMARY", "KEY"]) {
        IndexKind::Primary
    } else if cursor.eat(&["UNIQUE"]) {
        cursor.eat_any(&["INDEX", "KEY"]);
        IndexKind::Unique
    } else if cursor.eat(&["FULLTEXT"]) {
        cursor.eat_any(&["INDEX", "KEY"]);
        IndexKind::FullText
    } else if cursor.eat(&["SPATIAL"]) {
        cursor.eat_any(&["INDEX", "KEY"]);
        IndexKind::Spatial
    } else if cursor.eat(&["VECTOR"]) {
        cursor.eat_any(&["INDEX", "KEY"]);
        IndexKind::Vector
    } else if cursor.eat_any(&["INDEX", "KEY"]) {
        IndexKind::Plain
    } else if cursor.eat(&["FOREIGN", "KEY"]) {
        return foreign_key(cursor, symbol, start).map(Key::ForeignKey);
    } else if cursor.eat(&["CHECK"]) {
        cursor.group()?;
        let is_enforced = enforced(cursor);
        return Some(Key::Check(Check { name: symbol, is_enforced, span: cursor.span_from(start) }));
    } else {
        return None;
    };
    let if_not_exists = if_not_exists(cursor);
    let name =
        if cursor.is_symbol("(") || cursor.is_any(&["USING", "TYPE"]) { None } else { cursor.identifier() };
    let parts = parts(cursor)?;
    index_options(cursor);
    // MySQL takes the constraint's name where the index has none; a primary key has neither.
    let name = if kind == IndexKind::Primary { None } else { name.or(symbol) };
    Some(Key::Index { index: Index { kind, name, parts, span: cursor.span_from(start) }, if_not_exists })
}

/// MariaDB's `IF NOT EXISTS` on a column or index.
pub(super) fn if_not_exists(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.place();
    let is_said = cursor.eat(&["IF", "NOT", "EXISTS"]);
    if is_said {
        cursor.only(Flavour::MariaDb, "IF NOT EXISTS here", start);
    }
    is_said
}

/// `CONSTRAINT [name]`.
pub(super) fn constraint_name(cursor: &mut Cursor<'_>) -> Option<String> {
    if !cursor.eat(&["CONSTRAINT"]) {
        return None;
    }
    if_not_exists(cursor);
    if cursor.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) { None } else { cursor.identifier() }
}

/// `[NOT] ENFORCED`; whether it is.
pub(super) fn enforced(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.place();
    if cursor.eat(&["NOT", "ENFORCED"]) || cursor.eat(&["ENFORCED"]) {
        cursor.only(Flavour::MySql, "ENFORCED", start);
        return cursor.place() == start + 1;
    }
    true
}

/// `[USING x] (parts)`.
pub(super) fn parts(cursor: &mut Cursor<'_>) -> Option<Vec<Part>> {
    if cursor.eat_any(&["USING", "TYPE"]) {
        cursor.skip();
    }
    let mut group = cursor.group()?;
    let parts: Option<Vec<_>> = group.items().iter_mut().map(part).collect();
    parts.filter(|parts| !parts.is_empty())
}

fn part(item: &mut Cursor<'_>) -> Option<Part> {
    let start = item.place();
    let mut part = Part { column: None, length: None, is_descending: false };
    if item.group().is_some() {
        item.only(Flavour::MySql, "an index on an expression", start);
    } else {
        part.column = Some(item.identifier()?);
        if let Some(length) = item.group() {
            part.length = Some(length.text().parse().ok()?);
        }
    }
    part.is_descending = item.eat(&["DESC"]);
    item.eat(&["ASC"]);
    item.is_done().then_some(part)
}

/// What may stand after an index's parts.
pub(super) fn index_options(cursor: &mut Cursor<'_>) {
    loop {
        let start = cursor.place();
        if cursor.eat_any(&["USING", "TYPE"]) || cursor.eat(&["WITH", "PARSER"]) {
            cursor.skip();
        } else if cursor.eat_any(&[
            "KEY_BLOCK_SIZE",
            "COMMENT",
            "ENGINE_ATTRIBUTE",
            "SECONDARY_ENGINE_ATTRIBUTE",
            "CLUSTERING",
            "M",
            "DISTANCE",
        ]) {
            cursor.eat_symbol("=");
            cursor.skip();
        } else if cursor.eat_any(&["INVISIBLE", "VISIBLE"]) {
            cursor.only(Flavour::MySql, "the visibility of an index", start);
        } else if cursor.eat(&["NOT", "IGNORED"]) || cursor.eat(&["IGNORED"]) {
            cursor.only(Flavour::MariaDb, "IGNORED", start);
        } else {
            return;
        }
    }
}

fn foreign_key(cursor: &mut Cursor<'_>, symbol: Option<String>, start: usize) -> Option<ForeignKey> {
    if_not_exists(cursor);
    let name = if cursor.is_symbol("(") { None } else { cursor.identifier() };
    let columns = columns(cursor)?;
    let References { parent, columns: parent_columns, on_delete } = references(cursor)?;
    // The name before FOREIGN KEY wins; the one after it is the index's (MySQL 8.0.16 and later).
    let name = symbol.or(name);
    Some(ForeignKey { name, columns, parent, parent_columns, on_delete, span: cursor.span_from(start) })
}

fn columns(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut group = cursor.group()?;
    group.items().iter_mut().map(Cursor::identifier).collect()
}

/// What stands from `REFERENCES` on.
pub(super) struct References {
    pub(super) parent: Name,
    pub(super) columns: Vec<String>,
    pub(super) on_delete: Option<String>,
}

/// `REFERENCES table [(columns)] [MATCH …] [ON DELETE …] [ON UPDATE …]`.
pub(super) fn references(cursor: &mut Cursor<'_>) -> Option<References> {
    cursor.eat(&["REFERENCES"]).then_some(())?;
    let parent = cursor.name()?;
    let columns = if cursor.is_symbol("(") { columns(cursor)? } else { Vec::new() };
    let mut references = References { parent, columns, on_delete: None };
    loop {
        if cursor.eat(&["MATCH"]) {
            cursor.skip();
        } else if cursor.eat(&["ON", "DELETE"]) {
            references.on_delete = Some(action(cursor)?);
        } else if cursor.eat(&["ON", "UPDATE"]) {
            action(cursor)?;
        } else {
            return Some(references);
        }
    }
}

fn action(cursor: &mut Cursor<'_>) -> Option<String> {
    [&["SET", "NULL"][..], &["SET", "DEFAULT"], &["NO", "ACTION"], &["CASCADE"], &["RESTRICT"]]
        .into_iter()
        .find(|words| cursor.eat(words))
        .map(|words| words.join(" "))
}
