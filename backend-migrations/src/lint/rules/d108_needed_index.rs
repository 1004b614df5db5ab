//! D108.

use super::keys::{self, Part};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule, Table},
    sql::change::{Clause, Index, IndexKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D108"),
    name: "needed-index",
    severity: Severity::Error,
    explain: "\
A foreign key needs an index that begins with its columns, on both sides; on the side it points to it is the primary key or a \
UNIQUE key of just these columns. An AUTO_INCREMENT column needs one that begins with it. Dropping the last that serves fails with 1553 \
(\"needed in a foreign key constraint\"), or 1075 for the counter. For a primary key MariaDB says 1025 with errno 150; where the \
statement adds another primary key it lets the old one go, and the foreign key stays without its index.

Drop the foreign key first, or make another index that serves in the same statement.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
        (
            "20260101000000_t.up.sql",
            "CREATE TABLE p (id INT PRIMARY KEY);\n\
             CREATE TABLE t (id INT PRIMARY KEY, p_id INT, INDEX idx_p (p_id), \
             CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
        ),
        ("20260102000000_t.up.sql", "DROP INDEX idx_p ON t;"),
        ("20260103000000_t.up.sql", "ALTER TABLE p DROP PRIMARY KEY;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY, u INT, UNIQUE KEY uq (u), INDEX idx_u (u, id));\n\
                 CREATE TABLE t (id INT PRIMARY KEY, u INT, CONSTRAINT fk_u FOREIGN KEY (u) REFERENCES p (u), \
                 CONSTRAINT fk_id FOREIGN KEY (id) REFERENCES p (id));",
            ),
            ("20260102000000_t.up.sql", "ALTER TABLE p DROP INDEX uq;"),
            ("20260103000000_t.up.sql", "ALTER TABLE p DROP PRIMARY KEY, ADD PRIMARY KEY (id, u);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT, a INT, PRIMARY KEY (id));"),
            ("20260102000000_t.up.sql", "ALTER TABLE t DROP PRIMARY KEY;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY, a INT NOT NULL);\n\
                 CREATE TABLE t (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_t.up.sql", "ALTER TABLE p DROP PRIMARY KEY, ADD PRIMARY KEY (a), ADD UNIQUE KEY uq_id (id);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT, a INT, PRIMARY KEY (id));"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY id INT NOT NULL, DROP PRIMARY KEY;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE t (id INT PRIMARY KEY, p_id INT, a INT, INDEX idx_p (p_id), INDEX idx_pa (p_id, a), \
                 CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_t.up.sql", "ALTER TABLE t DROP INDEX idx_p;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE t (id INT PRIMARY KEY, p_id INT, INDEX idx_p (p_id), \
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

fn check(at: &ClauseView<'_>, remarks: &mut Vec<Remark>) {
    let Some(table) = at.table else { return };
    let index = match &at.clause.clause {
        Clause::DropIndex { name, .. } => table.index(name),
        Clause::DropPrimaryKey => table.primary(),
        _ => return,
    };
    let Some(index) = index else { return };
    let message = counter(at, table, index).map(|column| {
        format!("`{column}` is AUTO_INCREMENT and needs an index that begins with it: refused with 1075")
    });
    let message = message.or_else(|| {
        let part = keys::in_force(at).into_iter().find(|part| needs(*part, at, table, index))?;
        Some(format!("{} needs this index: {}", part.words(), refused(part, at, table, index)))
    });
    remarks.extend(message.map(|message| {
        Remark::new(at.clause.span.clone(), message)
            .hint("drop what needs it first, or add another index that serves in the same statement")
    }));
}

/// Which server refuses what MySQL does, and how.
fn refused(part: Part<'_>, at: &ClauseView<'_>, table: &Table, index: &Index) -> &'static str {
    let is_replaced = others(at, table, index).any(|other| other.kind == IndexKind::Primary);
    if others(at, table, index).any(|other| begins(other, part.columns()))
        || is_replaced && index.kind == IndexKind::Primary
    {
        // To MariaDB any index will do, and it does not look at a primary key that another one replaces.
        "MySQL refuses with 1553"
    } else if index.kind == IndexKind::Primary {
        "refused with 1553 (MariaDB: 1025)"
    } else {
        "refused with 1553"
    }
}

/// The indexes that are there after the statement, but `index`, and columns that come with an index of their own.
fn others<'a>(at: &'a ClauseView<'_>, table: &'a Table, index: &Index) -> impl Iterator<Item = &'a Index> {
    let is_dropped = |other: &Index| {
        at.alter.clauses.iter().any(|clause| match &clause.clause {
            Clause::DropIndex { name, .. } => {
                other.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
            }
            Clause::DropPrimaryKey => other.kind == IndexKind::Primary,
            _ => false,
        })
    };
    let added = at.alter.clauses.iter().filter_map(|clause| match &clause.clause {
        Clause::AddIndex { index, .. } => Some(index),
        _ => None,
    });
    table.indexes.iter().filter(move |other| *other != index && !is_dropped(other)).chain(added)
}

/// The column that counts and has no index but this one.
fn counter<'a>(at: &ClauseView<'_>, table: &'a Table, index: &Index) -> Option<&'a str> {
    let column = table.columns.iter().find(|column| column.auto_increment)?;
    let columns = std::slice::from_ref(&column.name);
    let goes_or_changes = at.alter.clauses.iter().any(|clause| match &clause.clause {
        Clause::DropColumn { name, .. } => name.eq_ignore_ascii_case(&column.name),
        Clause::ModifyColumn { column: new, .. } => {
            new.name.eq_ignore_ascii_case(&column.name) && !new.auto_increment
        }
        Clause::ChangeColumn { old, column: new, .. } => {
            old.eq_ignore_ascii_case(&column.name) && !new.auto_increment
        }
        _ => false,
    });
    let is_needed = begins(index, columns) && !others(at, table, index).any(|other| begins(other, columns));
    (is_needed && !goes_or_changes).then_some(column.name.as_str())
}

/// Whether nothing but `index` serves the key.
fn needs(part: Part<'_>, at: &ClauseView<'_>, table: &Table, index: &Index) -> bool {
    let columns = part.columns();
    let serves = |index: &Index| {
        // MySQL 8.4 takes nothing less for the side that is pointed to (M111).
        let is_enough = !part.is_parent || index.kind.is_unique() && index.parts.len() == columns.len();
        is_enough && begins(index, columns)
    };
    !columns.is_empty() && begins(index, columns) && serves(index) && !others(at, table, index).any(serves)
}

/// Whether the index begins with these columns, in whatever order.
fn begins(index: &Index, columns: &[String]) -> bool {
    let first: Vec<_> =
        index.parts.iter().take(columns.len()).filter_map(|part| part.column.as_deref()).collect();
    first.len() == columns.len()
        && columns.iter().all(|column| first.iter().any(|own| own.eq_ignore_ascii_case(column)))
}
