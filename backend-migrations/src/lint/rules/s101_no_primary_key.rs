//! S101: a table without a primary key.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause, CreateTable, Index, IndexKind, Name},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S101"),
    name: "no-primary-key",
    severity: Severity::Warning,
    explain: "\
Without one, and without a unique key over columns that are NOT NULL, which serves as one, InnoDB keeps \
the rows by a hidden number that nothing can use, row-based replication looks for each \
changed row by reading the table, group replication refuses to write it, and tools that change big \
tables online cannot.

Give it a primary key: a BIGINT UNSIGNED that counts, or the columns that name a row.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (a INT, b INT, INDEX (a));")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT, b INT NOT NULL, UNIQUE (a, b));",
        )]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (a INT PRIMARY KEY);")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b));")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, UNIQUE KEY (a, b));",
        )]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TEMPORARY TABLE t (a INT);")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t LIKE u;")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT NOT NULL); ALTER TABLE t ADD PRIMARY KEY (a);",
        )]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    if let Change::CreateTable(table) = &at.reading.change
        && table.is_whole
        && !table.temporary
        && table.like.is_none()
        && !table.has_query
        && !table.columns.iter().any(|column| column.is_primary)
        && !table.indexes.iter().any(|index| serves_as_primary_key(index, table))
        && !table.columns.iter().any(|column| column.is_unique && column.null == Some(false))
        && !at.script.readings[at.at..].iter().any(|later| adds_primary_key(&later.change, &table.name))
    {
        found.push(Remark::new(
            table.name.span.clone(),
            format!("table `{}` has no primary key", table.name.name),
        ));
    }
}

/// Whether rows are kept by this index (MySQL 8.4 manual, "Clustered and Secondary Indexes").
fn serves_as_primary_key(index: &Index, table: &CreateTable) -> bool {
    let is_never_null =
        |name: &str| table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name) && c.null == Some(false));
    match index.kind {
        IndexKind::Primary => true,
        IndexKind::Unique => index
            .parts
            .iter()
            .all(|part| part.length.is_none() && part.column.as_deref().is_some_and(is_never_null)),
        _ => false,
    }
}

fn adds_primary_key(change: &Change, table: &Name) -> bool {
    let Change::AlterTable(alter) = change else { return false };
    alter.name.name == table.name
        && alter.clauses.iter().any(|clause| match &clause.clause {
            Clause::AddIndex { index, .. } => index.kind == IndexKind::Primary,
            Clause::AddColumn { column, .. } => column.is_primary,
            _ => false,
        })
}
