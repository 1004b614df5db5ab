//! S105: an index that another one serves as well.

use super::facts::after;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Index, IndexKind, Part},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S105"),
    name: "redundant-index",
    severity: Severity::Warning,
    explain: "\
An index over (a) does nothing that one over (a, b) cannot do, and two over the same columns are kept up \
to date twice with every row.

Leave the shorter one out. A UNIQUE key is no such index: it keeps a rule. To take one away that is \
there, drop it in a migration of its own.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, INDEX one (a), INDEX two (a, b));",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX one (id);"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, INDEX one (a), INDEX two (a));",
        )]),
    ],
    passes: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, INDEX one (b, a), INDEX two (a, b));",
        )]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY one (a), INDEX two (a, b));",
        )]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b INT, INDEX one (a(10)), INDEX two (a(20), b));",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, INDEX one (a));"),
            ("20260102000000_u.up.sql", "ALTER TABLE t DROP INDEX one, ADD INDEX two (a, b);"),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let table = match &at.reading.change {
        Change::CreateTable(table) => &table.name,
        Change::AlterTable(alter) => &alter.name,
        _ => return,
    };
    let after = after(at);
    let Some(known) = after.table(table) else { return };
    // What was there before is somebody else's.
    let before = at.before.table(table).map_or(&[][..], |before| &before.indexes);
    let is_new = |index: &Index| !before.contains(index);
    for index in known.indexes.iter().filter(|index| is_new(index)) {
        let mut others = known.indexes.iter().filter(|other| *other != index);
        let other = others.find(|other| {
            serves(other, index) && !(serves(index, other) && is_new(other) && is_later(other, index))
        });
        if let Some(other) = other {
            let name = other.name.as_deref().unwrap_or("PRIMARY");
            let message =
                format!("`{name}` of `{}` has the same first columns, and serves as well", table.name);
            found.push(Remark::new(index.span.clone(), message));
        }
    }
}

/// Whether `other` does all that `index` does.
fn serves(other: &Index, index: &Index) -> bool {
    let is_same_part = |(one, other): (&Part, &Part)| {
        let is_same_column = match (&one.column, &other.column) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        };
        is_same_column && one.length == other.length && one.is_descending == other.is_descending
    };
    let begins_alike =
        index.parts.len() <= other.parts.len() && index.parts.iter().zip(&other.parts).all(is_same_part);
    begins_alike
        && match (index.kind, other.kind) {
            (IndexKind::Plain, IndexKind::Plain | IndexKind::Unique | IndexKind::Primary) => true,
            (IndexKind::Unique, IndexKind::Unique | IndexKind::Primary) => {
                index.parts.len() == other.parts.len()
            }
            _ => false,
        }
}

/// Of two that are alike the later one is too much.
fn is_later(one: &Index, other: &Index) -> bool {
    one.span.start > other.span.start
}
