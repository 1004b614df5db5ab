//! What several rules ask of a statement.

use crate::{
    lint::{Catalogue, ClauseView, StatementView, Table},
    sql::change::{
        AlterTable, Change, Clause, Column, Condition, DataType, ForeignKey, Index, IndexKind, Name, Passing,
        Rows,
    },
};

/// Whether the clause is applied to a table that others read and write meanwhile, and that has rows: one that this script
/// did not make.
pub(super) fn in_use(at: &ClauseView<'_>) -> bool {
    at.is_up() && !at.is_new_here()
}

/// Whether the clause is applied to a table in use, and nobody said that its writers may wait.
pub(super) fn may_not_block(at: &ClauseView<'_>) -> bool {
    in_use(at) && !at.statement.script.declared.blocks_writes()
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

/// Whether an UPDATE or DELETE of one table leaves out no row of it.
pub(super) fn takes_every_row(at: &StatementView<'_>, rows: &Rows) -> bool {
    let table = rows.tables.first().and_then(|name| at.before.table(name));
    let column = |name: &str| table.and_then(|table| table.column(name));
    let is_everything = match &rows.condition {
        Condition::None => true,
        Condition::Always(passing) => passing.iter().all(|passing| match passing {
            Passing::NotNull(name) => column(name).is_some_and(|column| !column.may_be_null()),
            Passing::Counted(name) => column(name).is_some_and(|column| column.auto_increment),
        }),
        Condition::Other => false,
    };
    is_everything && !rows.has_join && !rows.has_limit
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

/// Whether no two rows can be alike in what becomes unique, as a key that is there says so of some of its columns.
pub(super) fn is_already_unique(at: &ClauseView<'_>, index: &Index) -> bool {
    let whole = |index: &Index| index.parts.iter().all(|part| part.length.is_none());
    let known = at.table.into_iter().flat_map(|table| &table.indexes);
    whole(index)
        && index.columns().is_some_and(|columns| {
            let is_in = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
            known
                .filter(|key| key.kind.is_unique() && whole(key))
                .any(|key| key.columns().is_some_and(|columns| columns.into_iter().all(is_in)))
        })
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

/// The sizes in a type's parentheses, with what both servers take where nothing is said; those of a whole number, which are a
/// display width, and of a list, which are values, are left out.
pub(super) fn sizes(data_type: &DataType) -> Vec<&str> {
    let implied: &[&str] = match data_type.name.as_str() {
        "ENUM" | "SET" => return Vec::new(),
        _ if data_type.is_integer() => return Vec::new(),
        "DECIMAL" => &["10", "0"],
        "CHAR" | "BINARY" | "BIT" => &["1"],
        "DATETIME" | "TIMESTAMP" | "TIME" => &["0"],
        _ => &[],
    };
    let said = data_type.arguments.iter().map(String::as_str);
    said.chain(implied.iter().copied().skip(data_type.arguments.len())).collect()
}

/// A type in the words of the grammar; a whole number without its display width, a list without its values.
pub(super) fn written(data_type: &DataType) -> String {
    let is_said = !sizes(data_type).is_empty() && !data_type.arguments.is_empty();
    let size = if is_said { format!("({})", data_type.arguments.join(", ")) } else { String::new() };
    format!("{}{size}{}", data_type.name, if data_type.is_unsigned { " UNSIGNED" } else { "" })
}

/// The character set of a column of the table, as far as the text says it; a collation's name begins with it.
pub(super) fn charset<'a>(table: &'a Table, column: &'a Column) -> Option<&'a str> {
    let of = |charset: &'a Option<String>, collation: &'a Option<String>| {
        charset.as_deref().or(collation.as_deref().and_then(|collation| collation.split('_').next()))
    };
    of(&column.charset, &column.collation).or(of(&table.charset, &table.collation)).map(|charset| {
        match charset {
            "utf8" => "utf8mb3",
            charset => charset,
        }
    })
}

/// The collation as far as the text says it.
pub(super) fn collation<'a>(table: &'a Table, column: &'a Column) -> Option<&'a str> {
    match (&column.collation, &column.charset) {
        (Some(collation), _) => Some(collation),
        // The default of its own character set, which depends on the server.
        (None, Some(_)) => None,
        (None, None) => table.collation.as_deref(),
    }
}
