//! `ALTER TABLE` (MySQL 8.4 manual, "ALTER TABLE Statement"; MariaDB's "ALTER TABLE"), `CREATE INDEX`, `DROP INDEX`.

use super::{
    super::change::{AlterTable, Clause, ClauseAt, Index, IndexKind, TableOptions, Written},
    column,
    cursor::Cursor,
    key::{self, Key},
    table,
};
use crate::tenant::Flavour;

/// What stands after `ALTER [ONLINE] [IGNORE] TABLE`.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Option<AlterTable> {
    let if_exists = if_exists(cursor);
    let name = cursor.name()?;
    wait(cursor);
    let mut clauses = Vec::new();
    if is_partition_clause(cursor) {
        push(&mut clauses, cursor, partitions);
    }
    for mut item in cursor.items() {
        let follows_order = clauses.last().is_some_and(|last: &ClauseAt| last.clause == Clause::OrderBy);
        if follows_order && is_column_alone(&item) {
            continue;
        }
        while !item.is_done() {
            if is_partition_clause(&item) {
                push(&mut clauses, &mut item, partitions);
            } else {
                push(&mut clauses, &mut item, clause);
            }
        }
    }
    Some(AlterTable { name, written: Written::AlterTable, if_exists, clauses })
}

/// Whether an item is one more column of an `ORDER BY`.
fn is_column_alone(item: &Cursor<'_>) -> bool {
    let mut item = item.clone();
    item.identifier();
    item.eat_any(&["ASC", "DESC"]);
    item.is_done()
}

fn push(
    clauses: &mut Vec<ClauseAt>,
    cursor: &mut Cursor<'_>,
    read: fn(&mut Cursor<'_>) -> Option<Vec<Clause>>,
) {
    let rest = cursor.rest();
    let start = cursor.place();
    let read = read(cursor);
    if read.is_none() || cursor.place() == start {
        cursor.skip_rest();
        clauses.push(ClauseAt { clause: Clause::Unknown, span: rest });
        return;
    }
    let span = cursor.span_from(start);
    clauses.extend(read.into_iter().flatten().map(|clause| ClauseAt { clause, span: span.clone() }));
}

/// MariaDB's `IF EXISTS` within a table.
fn if_exists(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.place();
    let is_said = cursor.eat(&["IF", "EXISTS"]);
    if is_said {
        cursor.only(Flavour::MariaDb, "IF EXISTS here", start);
    }
    is_said
}

/// MariaDB's `WAIT n` and `NOWAIT`.
pub(super) fn wait(cursor: &mut Cursor<'_>) {
    let start = cursor.place();
    if cursor.eat(&["WAIT"]) {
        cursor.skip();
    } else if !cursor.eat(&["NOWAIT"]) {
        return;
    }
    cursor.only(Flavour::MariaDb, "WAIT and NOWAIT", start);
}

fn clause(cursor: &mut Cursor<'_>) -> Option<Vec<Clause>> {
    if cursor.eat(&["ADD"]) {
        return add(cursor);
    }
    let clause = match cursor.keyword().as_str() {
        "DROP" => drop(cursor)?,
        "MODIFY" => {
            cursor.skip();
            cursor.eat(&["COLUMN"]);
            let if_exists = if_exists(cursor);
            let (column, place) = column::column(cursor)?;
            Clause::ModifyColumn { column: Box::new(column), place, if_exists }
        }
        "CHANGE" => {
            cursor.skip();
            cursor.eat(&["COLUMN"]);
            let if_exists = if_exists(cursor);
            let old = cursor.identifier()?;
            let (column, place) = column::column(cursor)?;
            Clause::ChangeColumn { old, column: Box::new(column), place, if_exists }
        }
        "ALTER" => alter_part(cursor)?,
        "RENAME" => rename(cursor)?,
        "CONVERT" => {
            cursor.skip();
            cursor.eat(&["TO"]).then_some(())?;
            let charset = column::charset(cursor);
            let collation = if cursor.eat(&["COLLATE"]) { column::word(cursor) } else { None };
            Clause::Convert { charset, collation }
        }
        "ALGORITHM" => {
            cursor.skip();
            Clause::Algorithm(column::word(cursor)?.to_ascii_uppercase())
        }
        "LOCK" => {
            cursor.skip();
            Clause::Lock(column::word(cursor)?.to_ascii_uppercase())
        }
        "FORCE" => {
            cursor.skip();
            Clause::Force
        }
        "ORDER" => {
            cursor.skip_rest();
            Clause::OrderBy
        }
        "DISABLE" | "ENABLE" if cursor.next_is("KEYS") => {
            cursor.skip_rest();
            Clause::Other
        }
        "WITH" | "WITHOUT" if cursor.next_is("VALIDATION") => {
            cursor.skip_rest();
            Clause::Other
        }
        "DISCARD" | "IMPORT" if cursor.next_is("TABLESPACE") => {
            cursor.skip_rest();
            Clause::Other
        }
        _ => {
            let mut options = TableOptions::default();
            table::option(cursor, &mut options)?;
            Clause::Options(options)
        }
    };
    Some(vec![clause])
}

fn add(cursor: &mut Cursor<'_>) -> Option<Vec<Clause>> {
    if cursor.is("PARTITION") {
        cursor.skip_rest();
        return Some(vec![Clause::AddPartition]);
    }
    if cursor.are(&["SYSTEM", "VERSIONING"]) {
        let start = cursor.place();
        cursor.skip_rest();
        cursor.only(Flavour::MariaDb, "system versioning", start);
        return Some(vec![Clause::Other]);
    }
    if key::is_key(cursor) {
        let clause = match key::key(cursor)? {
            Key::Index { index, if_not_exists } => Clause::AddIndex { index, if_not_exists },
            Key::ForeignKey(foreign_key) => Clause::AddForeignKey(foreign_key),
            Key::Check(check) => Clause::AddCheck(check),
            Key::Other => Clause::Other,
        };
        return Some(vec![clause]);
    }
    cursor.eat(&["COLUMN"]);
    let if_not_exists = key::if_not_exists(cursor);
    if let Some(mut group) = cursor.group() {
        let added = |mut item: Cursor<'_>| -> Option<Clause> {
            if key::is_key(&item) {
                return match key::key(&mut item)? {
                    Key::Index { index, if_not_exists } => Some(Clause::AddIndex { index, if_not_exists }),
                    Key::ForeignKey(foreign_key) => Some(Clause::AddForeignKey(foreign_key)),
                    Key::Check(check) => Some(Clause::AddCheck(check)),
                    Key::Other => Some(Clause::Other),
                };
            }
            let (column, place) = column::column(&mut item)?;
            Some(Clause::AddColumn { column: Box::new(column), place, if_not_exists })
        };
        return group.items().into_iter().map(added).collect();
    }
    let (column, place) = column::column(cursor)?;
    Some(vec![Clause::AddColumn { column: Box::new(column), place, if_not_exists }])
}

fn drop(cursor: &mut Cursor<'_>) -> Option<Clause> {
    cursor.skip();
    if cursor.eat(&["PRIMARY", "KEY"]) {
        return Some(Clause::DropPrimaryKey);
    }
    if cursor.are(&["SYSTEM", "VERSIONING"]) || cursor.are(&["PERIOD", "FOR"]) {
        cursor.skip_rest();
        return Some(Clause::Other);
    }
    let made: fn(String, bool) -> Clause = if cursor.eat_any(&["INDEX", "KEY"]) {
        |name, if_exists| Clause::DropIndex { name, if_exists }
    } else if cursor.eat(&["FOREIGN", "KEY"]) {
        |name, if_exists| Clause::DropForeignKey { name, if_exists }
    } else if cursor.eat_any(&["CHECK", "CONSTRAINT"]) {
        |name, if_exists| Clause::DropConstraint { name, if_exists }
    } else {
        cursor.eat(&["COLUMN"]);
        |name, if_exists| Clause::DropColumn { name, if_exists }
    };
    let if_exists = if_exists(cursor);
    let name = cursor.identifier()?;
    cursor.eat_any(&["RESTRICT", "CASCADE"]);
    Some(made(name, if_exists))
}

fn alter_part(cursor: &mut Cursor<'_>) -> Option<Clause> {
    cursor.skip();
    let start = cursor.place();
    if cursor.eat_any(&["INDEX", "KEY"]) {
        if_exists(cursor);
        let name = cursor.identifier()?;
        key::index_options(cursor);
        return Some(Clause::IndexVisibility { name });
    }
    if cursor.eat_any(&["CHECK", "CONSTRAINT"]) {
        let name = cursor.identifier()?;
        key::enforced(cursor);
        return Some(Clause::AlterConstraint { name });
    }
    cursor.eat(&["COLUMN"]);
    if_exists(cursor);
    let column = cursor.identifier()?;
    if cursor.eat(&["DROP", "DEFAULT"]) {
        return Some(Clause::DropDefault { column });
    }
    if cursor.eat(&["SET", "DEFAULT"]) {
        return Some(Clause::SetDefault { column, default: column::default(cursor)? });
    }
    cursor.eat(&["SET"]).then_some(())?;
    cursor.eat_any(&["VISIBLE", "INVISIBLE"]).then_some(())?;
    cursor.only(Flavour::MySql, "ALTER COLUMN … SET INVISIBLE", start);
    Some(Clause::ColumnOption { column })
}

fn rename(cursor: &mut Cursor<'_>) -> Option<Clause> {
    cursor.skip();
    let is_index = cursor.is_any(&["INDEX", "KEY"]);
    if is_index || cursor.is("COLUMN") {
        cursor.skip();
        if_exists(cursor);
        let old = cursor.identifier()?;
        cursor.eat(&["TO"]).then_some(())?;
        let new = cursor.identifier()?;
        return Some(if is_index {
            Clause::RenameIndex { old, new }
        } else {
            Clause::RenameColumn { old, new }
        });
    }
    if !cursor.eat_any(&["TO", "AS"]) {
        cursor.eat_symbol("=");
    }
    Some(Clause::RenameTo(cursor.name()?))
}

const PARTITION_VERBS: [&str; 13] = [
    "DROP",
    "TRUNCATE",
    "ANALYZE",
    "CHECK",
    "OPTIMIZE",
    "REBUILD",
    "REPAIR",
    "COALESCE",
    "REORGANIZE",
    "EXCHANGE",
    "DISCARD",
    "IMPORT",
    "CONVERT",
];

fn is_partition_clause(cursor: &Cursor<'_>) -> bool {
    cursor.are(&["PARTITION", "BY"])
        || cursor.are(&["REMOVE", "PARTITIONING"])
        || cursor.next_is("PARTITION") && PARTITION_VERBS.iter().any(|verb| cursor.is(verb))
}

/// A clause about partitions is the last one, or the only one, so its commas are its own.
fn partitions(cursor: &mut Cursor<'_>) -> Option<Vec<Clause>> {
    let verb = cursor.keyword();
    cursor.skip();
    cursor.skip();
    let clause = match verb.as_str() {
        "PARTITION" => Clause::PartitionBy,
        "REMOVE" => Clause::RemovePartitioning,
        "DROP" | "TRUNCATE" => {
            cursor.eat(&["IF", "EXISTS"]);
            let names = cursor.names()?.into_iter().map(|name| name.name).collect();
            if verb == "DROP" { Clause::DropPartitions(names) } else { Clause::TruncatePartitions(names) }
        }
        _ => Clause::Partitions(verb),
    };
    cursor.skip_rest();
    Some(vec![clause])
}

/// What stands after `CREATE [OR REPLACE]`, from `[UNIQUE | FULLTEXT | SPATIAL] INDEX` on.
pub(super) fn create_index(cursor: &mut Cursor<'_>) -> Option<AlterTable> {
    let start = cursor.place();
    let kind = if cursor.eat(&["UNIQUE"]) {
        IndexKind::Unique
    } else if cursor.eat(&["FULLTEXT"]) {
        IndexKind::FullText
    } else if cursor.eat(&["SPATIAL"]) {
        IndexKind::Spatial
    } else if cursor.eat(&["VECTOR"]) {
        IndexKind::Vector
    } else {
        IndexKind::Plain
    };
    cursor.eat_any(&["INDEX", "KEY"]).then_some(())?;
    let if_not_exists = key::if_not_exists(cursor);
    let name = cursor.identifier()?;
    if cursor.eat_any(&["USING", "TYPE"]) {
        cursor.skip();
    }
    cursor.eat(&["ON"]).then_some(())?;
    let table = cursor.name()?;
    wait(cursor);
    let parts = key::parts(cursor)?;
    key::index_options(cursor);
    let span = cursor.span_from(start);
    let index = Index { kind, name: Some(name), parts, span: span.clone() };
    let mut clauses = vec![ClauseAt { clause: Clause::AddIndex { index, if_not_exists }, span }];
    algorithm_and_lock(cursor, &mut clauses);
    Some(AlterTable { name: table, written: Written::CreateIndex, if_exists: false, clauses })
}

/// What stands after `DROP INDEX`.
pub(super) fn drop_index(cursor: &mut Cursor<'_>) -> Option<AlterTable> {
    let start = cursor.place();
    let if_exists = if_exists(cursor);
    let name = cursor.identifier()?;
    cursor.eat(&["ON"]).then_some(())?;
    let table = cursor.name()?;
    wait(cursor);
    let span = cursor.span_from(start);
    // DROP INDEX `PRIMARY` drops the primary key (MySQL 8.4 manual, "DROP INDEX Statement").
    let clause = if name.eq_ignore_ascii_case("PRIMARY") {
        Clause::DropPrimaryKey
    } else {
        Clause::DropIndex { name, if_exists }
    };
    let mut clauses = vec![ClauseAt { clause, span }];
    algorithm_and_lock(cursor, &mut clauses);
    Some(AlterTable { name: table, written: Written::DropIndex, if_exists: false, clauses })
}

fn algorithm_and_lock(cursor: &mut Cursor<'_>, clauses: &mut Vec<ClauseAt>) {
    while !cursor.is_done() {
        cursor.eat_symbol(",");
        if cursor.is_any(&["ALGORITHM", "LOCK"]) {
            push(clauses, cursor, clause);
        } else {
            wait(cursor);
            if !cursor.is_done() {
                clauses.push(ClauseAt { clause: Clause::Unknown, span: cursor.rest() });
                cursor.skip_rest();
            }
        }
    }
}
