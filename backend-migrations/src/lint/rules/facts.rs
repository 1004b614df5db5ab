//! What several rules ask of a statement.

use crate::{
    lint::{Catalogue, ClauseView, StatementView},
    sql::change::{AlterTable, Change, Clause, Column, ForeignKey, Index, IndexKind, Name},
};

/// Whether the clause is applied to a table that others read and write meanwhile, and that has rows: one that this script
/// did not make.
pub(super) fn in_use(at: &ClauseView<'_>) -> bool {
    at.is_up() && !at.is_new_here()
}

/// Whether the table is one of the scripts' tables, and was there before this one.
pub(super) fn is_known(at: &StatementView<'_>, table: &Name) -> bool {
    at.before.table(table).is_some() && !at.is_new_here(table)
}

/// What is there after the statement.
pub(super) fn after(at: &StatementView<'_>) -> Catalogue {
    let mut after = at.before.clone();
    after.apply(&at.reading.change);
    after
}

/// The columns that the statement defines.
pub(super) fn defined_columns(change: &Change) -> Vec<&Column> {
    match change {
        Change::CreateTable(table) => table.columns.iter().collect(),
        Change::AlterTable(alter) => alter
            .clauses
            .iter()
            .filter_map(|clause| match &clause.clause {
                Clause::AddColumn { column, .. }
                | Clause::ModifyColumn { column, .. }
                | Clause::ChangeColumn { column, .. } => Some(&**column),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The foreign keys that the statement adds, each with its table; those beside a column are not among them.
pub(super) fn new_foreign_keys(change: &Change) -> Vec<(&Name, &ForeignKey)> {
    match change {
        Change::CreateTable(table) => table.foreign_keys.iter().map(|key| (&table.name, key)).collect(),
        Change::AlterTable(alter) => alter
            .clauses
            .iter()
            .filter_map(|clause| match &clause.clause {
                Clause::AddForeignKey(key) => Some((&alter.name, key)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The column of this name that comes with the statement.
pub(super) fn added_column<'a>(alter: &'a AlterTable, name: &str) -> Option<&'a Column> {
    alter.clauses.iter().find_map(|clause| match &clause.clause {
        Clause::AddColumn { column, .. } if column.name.eq_ignore_ascii_case(name) => Some(&**column),
        _ => None,
    })
}

/// A column as it is and as the clause defines it anew, if both are known.
pub(super) fn redefined<'a>(at: &ClauseView<'a>) -> Option<(&'a Column, &'a Column)> {
    let (old, new) = match &at.clause.clause {
        Clause::ModifyColumn { column, .. } => (&column.name, column),
        Clause::ChangeColumn { old, column, .. } => (old, column),
        _ => return None,
    };
    let old = at.table?.column(old)?;
    (old.is_whole && new.is_whole).then_some((old, new))
}

/// Whether every row must be given the column, and nothing but the row itself can give it.
pub(super) fn is_required(column: &Column) -> bool {
    column.is_whole
        && !column.may_be_null()
        && column.default.is_none()
        && !column.auto_increment
        && column.generated.is_none()
}

/// Whether an index over the same columns, which allowed rows that are alike, is dropped by the same statement.
pub(super) fn becomes_unique(at: &ClauseView<'_>, index: &Index) -> bool {
    let Some(table) = at.table else { return false };
    at.alter.clauses.iter().any(|clause| match &clause.clause {
        Clause::DropIndex { name, .. } => table.index(name).is_some_and(|old| {
            old.kind == IndexKind::Plain && old.columns().is_some() && old.columns() == index.columns()
        }),
        _ => false,
    })
}
