//! What a clause costs a table in use, as far as its text and what the table was tell.
//!
//! From MySQL's manual, "Online DDL Operations", and MariaDB's "InnoDB Online DDL Operations"; measured on MySQL 9.7 and MariaDB
//! 10.11. Where a server's version or the rows decide, nothing is said: `migrate:verify` asks the server.

use super::facts::{charset, collation, redefined, sizes, written};
use crate::{
    lint::{ClauseView, Table},
    sql::change::{Clause, Column, DataType, Default, Generated, IndexKind},
};

/// What is done to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Each is copied, and writers wait until all are.
    Copy,
    /// All are written anew, and writers go on meanwhile.
    Rebuild,
}

/// What a clause costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// What is done to the rows.
    pub(super) work: Work,
    /// Whether MariaDB does without.
    pub(super) is_on_mysql_alone: bool,
    /// Why.
    pub(super) why: String,
}

impl Cost {
    fn new(work: Work, why: impl Into<String>) -> Self {
        Self { work, is_on_mysql_alone: false, why: why.into() }
    }

    fn on_mysql(work: Work, why: impl Into<String>) -> Self {
        Self { is_on_mysql_alone: true, ..Self::new(work, why) }
    }

    /// `` on MySQL`` where it is so there alone.
    pub(super) fn who(&self) -> &'static str {
        if self.is_on_mysql_alone { " on MySQL" } else { "" }
    }
}

const BY_PRIMARY_KEY: &str = "the rows are kept in the order of the primary key";

/// What the clause costs, if it is known to cost something; what other rules speak of is left to them.
pub(super) fn cost(at: &ClauseView<'_>) -> Option<Cost> {
    let copy = |why: &str| Some(Cost::new(Work::Copy, why));
    let rebuild = |why: &str| Some(Cost::new(Work::Rebuild, why));
    match &at.clause.clause {
        Clause::AddColumn { column, .. } => added(column),
        Clause::ModifyColumn { place, .. } | Clause::ChangeColumn { place, .. } => {
            let (old, new) = redefined(at)?;
            let moved = || Cost::on_mysql(Work::Rebuild, "the column is moved");
            changed(at.table?, old, new).or_else(|| place.as_ref().map(|_| moved()))
        }
        Clause::DropColumn { name, .. } => {
            let is_indexed = at.table.is_some_and(|table| is_indexed(table, name));
            is_indexed.then(|| Cost::on_mysql(Work::Rebuild, "the column goes with the index that has it"))
        }
        Clause::AddCheck(check) if check.is_enforced => copy("a CHECK is tried on every row"),
        Clause::AddIndex { index, .. } if index.kind == IndexKind::Primary => rebuild(BY_PRIMARY_KEY),
        Clause::DropPrimaryKey => {
            let is_replaced = at.alter.clauses.iter().any(|other| match &other.clause {
                Clause::AddIndex { index, .. } => index.kind == IndexKind::Primary,
                Clause::AddColumn { column, .. } => column.is_primary,
                _ => false,
            });
            if is_replaced {
                rebuild(BY_PRIMARY_KEY)
            } else {
                copy("a primary key goes, and no other one comes with the statement")
            }
        }
        Clause::Convert { charset, collation } => {
            let is_done =
                at.table.is_some_and(|table| is_converted(table, charset.as_deref(), collation.as_deref()));
            if is_done { None } else { copy("all text is converted") }
        }
        Clause::OrderBy => copy("the rows are put in another order"),
        Clause::Force => rebuild("FORCE asks for it"),
        Clause::Options(options) => match (options.engine.as_deref(), &options.row_format) {
            (Some("innodb"), _) => {
                rebuild("ENGINE asks for it, also where it names the engine that the table has")
            }
            (Some(_), _) => copy("the table gets another engine"),
            (None, Some(_)) => rebuild("the table gets another ROW_FORMAT"),
            (None, None) => None,
        },
        _ => None,
    }
}

fn added(column: &Column) -> Option<Cost> {
    if column.generated == Some(Generated::Stored) {
        return Some(Cost::new(Work::Copy, "a STORED column is computed for every row"));
    }
    if column.generated.is_some() {
        return None;
    }
    let on_mysql = |why: &str| Some(Cost::on_mysql(Work::Copy, why));
    match (&column.check, &column.default) {
        (Some(_), _) => on_mysql("a column with a CHECK of its own is no instant one there"),
        (None, Some(Default::Expression(_))) => {
            on_mysql("a default that is computed is no instant one there")
        }
        _ => None,
    }
}

fn changed(table: &Table, old: &Column, new: &Column) -> Option<Cost> {
    if old.generated.is_some() || new.generated.is_some() {
        return None;
    }
    if let Some(why) = retyped(table, old, new) {
        return Some(Cost::new(Work::Copy, why));
    }
    if let Some(before) = recollated(table, old, new) {
        return Some(Cost::on_mysql(Work::Copy, format!("an index is kept in the order of {before}")));
    }
    match (old.may_be_null(), new.may_be_null()) {
        (true, false) => Some(Cost::new(Work::Rebuild, "NULL becomes NOT NULL")),
        (false, true) => Some(Cost::new(Work::Rebuild, "NOT NULL becomes NULL")),
        _ => None,
    }
}

/// Why the values have to be written anew.
fn retyped(table: &Table, old: &Column, new: &Column) -> Option<String> {
    let (one, other) = (&old.data_type, &new.data_type);
    let differs = || Some(format!("{} becomes {}", written(one), written(other)));
    if one.name != other.name || one.is_unsigned != other.is_unsigned {
        return differs();
    }
    if one.is_text()
        && let (Some(before), Some(after)) = (charset(table, old), charset(table, new))
        && before != after
    {
        return Some(format!("{before} becomes {after}"));
    }
    match one.name.as_str() {
        _ if one.is_integer() => None,
        "ENUM" | "SET" => {
            let is_appended = other.arguments.starts_with(&one.arguments);
            if !is_appended {
                return Some("its values get other numbers".to_owned());
            }
            (list_bytes(one) != list_bytes(other))
                .then(|| "so many values need another byte in each row".to_owned())
        }
        "VARCHAR" | "VARBINARY" => {
            let (before, after) = (one.number(0)?, other.number(0)?);
            if after < before {
                return differs();
            }
            let n_bytes = if one.name == "VARBINARY" { 1 } else { bytes_of(charset(table, new)?)? };
            // The length itself takes one byte up to 255 bytes, and two from there on.
            (before * n_bytes <= 255 && after * n_bytes > 255).then(|| {
                format!("{} needs two bytes for its length, and {} one", written(other), written(one))
            })
        }
        _ if sizes(one) != sizes(other) => differs(),
        _ => None,
    }
}

/// The old collation, if an index is kept in its order and the new one is another.
fn recollated<'a>(table: &'a Table, old: &'a Column, new: &'a Column) -> Option<&'a str> {
    let (before, after) = collation(table, old).zip(collation(table, new))?;
    (before != after && is_indexed(table, &old.name) && old.data_type.is_text()).then_some(before)
}

fn is_indexed(table: &Table, column: &str) -> bool {
    let mut parts = table.indexes.iter().flat_map(|index| &index.parts);
    parts.any(|part| part.column.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(column)))
}

/// Whether the text of the table is all in this character set and collation already.
fn is_converted(table: &Table, to: Option<&str>, by: Option<&str>) -> bool {
    let mut text = table.columns.iter().filter(|column| column.data_type.is_text());
    table.is_whole
        && text.all(|column| charset(table, column) == to && collation(table, column) == by && by.is_some())
}

/// How many bytes each row has for a value of the list (MySQL 8.4 manual, "Data Type Storage Requirements").
fn list_bytes(data_type: &DataType) -> usize {
    let n_values = data_type.arguments.len();
    match (data_type.name.as_str(), n_values) {
        ("ENUM", 0..=255) => 1,
        ("ENUM", _) => 2,
        (_, 33..) => 8,
        _ => n_values.div_ceil(8),
    }
}

/// How many bytes a character takes at most.
fn bytes_of(charset: &str) -> Option<u64> {
    match charset {
        "utf8mb4" | "utf16" | "utf32" => Some(4),
        "utf8mb3" => Some(3),
        "latin1" | "ascii" | "binary" => Some(1),
        _ => None,
    }
}
