//! S118: a name that is longer than 64 characters.

use std::ops::Range;

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S118"),
    name: "long-name",
    severity: Severity::Error,
    explain: "\
Both servers refuse it with 1059, MariaDB a table's with 1103. Names that they make up themselves are longer than the table's: a \
foreign key of a table with a name of 60 characters already has no room for `_ibfk_1`.

Give it a shorter name.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt (id INT PRIMARY KEY);",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            (
                "20260102000000_u.up.sql",
                "ALTER TABLE t ADD COLUMN ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc INT NULL;",
            ),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            (
                "20260102000000_u.up.sql",
                "ALTER TABLE t ADD INDEX iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii (a);",
            ),
        ]),
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt (id INT PRIMARY KEY);",
    )])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    for (name, span) in names(&at.reading.change) {
        if name.chars().count() > 64 {
            let message =
                format!("this name has {} characters; 64 is the most (1059 or 1103)", name.chars().count());
            found.push(Remark::new(span, message));
        }
    }
}

/// The names that a statement gives, each with its place.
fn names(change: &Change) -> Vec<(&str, Range<usize>)> {
    let mut names = Vec::new();
    match change {
        Change::CreateTable(table) => {
            names.push((table.name.name.as_str(), table.name.span.clone()));
            names.extend(table.columns.iter().map(|column| (column.name.as_str(), column.name_span.clone())));
            let indexes = table.indexes.iter().map(|index| (&index.name, &index.span));
            let keys = table.foreign_keys.iter().map(|key| (&key.name, &key.span));
            let checks = table.checks.iter().map(|check| (&check.name, &check.span));
            let others = indexes.chain(keys).chain(checks);
            names.extend(others.filter_map(|(name, span)| Some((name.as_deref()?, span.clone()))));
        }
        Change::AlterTable(alter) => {
            for clause in &alter.clauses {
                let name = match &clause.clause {
                    Clause::AddColumn { column, .. } | Clause::ChangeColumn { column, .. } => {
                        Some(column.name.as_str())
                    }
                    Clause::RenameColumn { new, .. } | Clause::RenameIndex { new, .. } => Some(new.as_str()),
                    Clause::AddIndex { index, .. } => index.name.as_deref(),
                    Clause::AddForeignKey(key) => key.name.as_deref(),
                    Clause::AddCheck(check) => check.name.as_deref(),
                    Clause::RenameTo(new) => Some(new.name.as_str()),
                    _ => None,
                };
                names.extend(name.map(|name| (name, clause.span.clone())));
            }
        }
        Change::RenameTables(pairs) => {
            names.extend(pairs.iter().map(|(_, new)| (new.name.as_str(), new.span.clone())));
        }
        Change::Create(object) => names.push((object.name.name.as_str(), object.name.span.clone())),
        _ => {}
    }
    names
}
