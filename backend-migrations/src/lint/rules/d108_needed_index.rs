//! D108.

use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule, Table},
    sql::change::{Clause, Index},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D108"),
    name: "needed-index",
    severity: Severity::Error,
    explain: "\
A foreign key needs an index that begins with its columns, on both sides. Dropping the last one that does fails with error \
1553 (\"needed in a foreign key constraint\").

Drop the foreign key first, or make another index that begins with the same columns in the same statement.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        (
            "20260101000000_t.up.sql",
            "CREATE TABLE p (id INT PRIMARY KEY);\n\
             CREATE TABLE t (id INT PRIMARY KEY, p_id INT, INDEX idx_p (p_id), \
             CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
        ),
        ("20260102000000_t.up.sql", "DROP INDEX idx_p ON t;"),
    ])],
    passes: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, p_id INT, a INT, INDEX idx_p (p_id), INDEX idx_pa (p_id, a), \
                 CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_t.up.sql", "ALTER TABLE t DROP INDEX idx_p;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, p_id INT, INDEX idx_p (p_id), \
                 CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_t.up.sql", "ALTER TABLE t DROP FOREIGN KEY fk_p, DROP INDEX idx_p;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT, INDEX idx_a (a));"),
            ("20260102000000_t.up.sql", "DROP INDEX idx_a ON t;"),
        ]),
    ],
};

fn check(clause: &ClauseView<'_>, remarks: &mut Vec<Remark>) {
    let Clause::DropIndex { name, .. } = &clause.clause.clause else { return };
    let Some(table) = clause.table else { return };
    let Some(index) = table.index(name) else { return };
    let clauses = || clause.alter.clauses.iter().map(|at| &at.clause);
    let is_dropped = |key: &str| {
        clauses().any(|clause| match clause {
            Clause::DropForeignKey { name, .. } | Clause::DropConstraint { name, .. } => {
                name.eq_ignore_ascii_case(key)
            }
            _ => false,
        })
    };
    let added: Vec<&Index> = clauses()
        .filter_map(|clause| match clause {
            Clause::AddIndex { index, .. } => Some(index),
            _ => None,
        })
        .collect();
    let serves = |columns: &[String]| {
        let others = table.indexes.iter().filter(|other| *other != index).chain(added.iter().copied());
        begins(index, columns) && !others.into_iter().any(|other| begins(other, columns))
    };
    let own = table
        .foreign_keys
        .iter()
        .find(|key| !is_dropped(key.name.as_deref().unwrap_or_default()) && serves(&key.columns));
    if let Some(key) = own {
        let named = key.name.as_ref().map_or_else(String::new, |name| format!(" `{name}`"));
        remarks.push(
            Remark::new(clause.clause.span.clone(), format!("the foreign key{named} needs this index: error 1553"))
                .hint("drop the foreign key first, or add another index that begins with its columns in the same statement"),
        );
        return;
    }
    let referring =
        clause.statement.before.tables().find(|(_, other)| refers(other, &clause.alter.name.name, &serves));
    if let Some((other, _)) = referring {
        remarks.push(
            Remark::new(clause.clause.span.clone(), format!("a foreign key of `{other}` needs this index: error 1553"))
                .hint("drop that foreign key first, or add another index that begins with its columns in the same statement"),
        );
    }
}

fn refers(other: &Table, table: &str, serves: &impl Fn(&[String]) -> bool) -> bool {
    other.foreign_keys.iter().any(|key| {
        key.parent.database.is_none()
            && key.parent.name == table
            && !key.parent_columns.is_empty()
            && serves(&key.parent_columns)
    })
}

/// Whether the index begins with these columns, in whatever order.
fn begins(index: &Index, columns: &[String]) -> bool {
    let first: Vec<_> =
        index.parts.iter().take(columns.len()).filter_map(|part| part.column.as_deref()).collect();
    first.len() == columns.len()
        && columns.iter().all(|column| first.iter().any(|own| own.eq_ignore_ascii_case(column)))
}
